"""Words typed in, calls out; one file a command."""

from rolewatch.cli.main import main

__all__ = ["main"]
