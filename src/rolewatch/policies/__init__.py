"""A request and policies in; a decision out, with the layer and the statement that made it."""
