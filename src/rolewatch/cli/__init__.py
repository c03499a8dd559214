"""Words typed in, calls out; one file a command."""
