"""Unnamed temporary files, for what does not fit into memory."""

from typing import IO, Any


def scratch(purpose: str) -> IO[bytes]:
    """Open a file that nobody else sees and that is gone when it is closed."""
    import tempfile  # noqa: PLC0415 - takes a while, and few scans need one

    return tempfile.TemporaryFile(prefix=f"rolewatch-{purpose}-")


def with_content(state: dict[str, Any], name: str) -> dict[str, Any]:
    """Give the state of an object with the content of its file instead of the file."""
    file: IO[bytes] | None = state[name]
    if file is None:
        return state
    file.seek(0)
    return state | {name: file.read()}


def with_file(state: dict[str, Any], name: str, purpose: str) -> dict[str, Any]:
    """Give the state of an object with a file of that content again."""
    content: bytes | None = state[name]
    if content is None:
        return state
    file = scratch(purpose)
    file.write(content)
    return state | {name: file}
