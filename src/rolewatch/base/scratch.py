"""Unnamed temporary files, for what does not fit into memory."""

from typing import IO


def scratch(purpose: str) -> IO[bytes]:
    """Open a file that nobody else sees and that is gone when it is closed."""
    import tempfile  # noqa: PLC0415 - takes a while, and few scans need one

    return tempfile.TemporaryFile(prefix=f"rolewatch-{purpose}-")
