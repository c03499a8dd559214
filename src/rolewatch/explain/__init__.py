"""A denial, with the policies around it, in; why it is one, and the change that ends it, proven, out."""
