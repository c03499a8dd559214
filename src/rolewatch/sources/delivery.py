"""A delivery: one unit of input as it arrived, with a name, an identity and a way to read it.

Deliveries are small and can be pickled: they are handed to worker processes, which read them there.
"""

import errno
import os
import sys
from io import BufferedReader, BytesIO, FileIO
from typing import BinaryIO

import msgspec

from rolewatch.cloudtrail.layout import parse

READ = 1024 * 1024


class Delivery(msgspec.Struct, frozen=True):
    """One unit of input; what it is read from is up to its subclasses.

    `name` is what is printed; `identity` changes when the content may have changed; `named` says that the word on
    the command line meant this very delivery; `size` counts compressed bytes, -1 if unknown (then it can be opened
    only once); `remote` says that reading waits on a network.
    """

    name: str
    identity: str
    named: bool
    size: int
    remote: bool

    def read(self) -> bytes:
        """Return the whole content as stored; raises OSError with a reason."""
        with self.open() as file:
            return file.read()

    def open(self) -> BinaryIO:
        """Return a stream of the content as stored; raises OSError with a reason, here or while it is read."""
        raise TypeError(f"{type(self).__name__} does not say how it is opened")

    def arrived(self) -> float | None:
        """Say when it came to where it lies, in seconds since 1970: here by CloudTrail's name; None if nothing tells."""
        layout = parse(self.name)
        return layout.delivered.timestamp() if layout and layout.delivered else None


class FileDelivery(Delivery, frozen=True):
    """A file, or something named that is read like one (a pipe, a device).

    The identity of a regular file ends with `+size+mtime+inode`, its last change in nanoseconds.
    """

    def read(self) -> bytes:
        """Return the file's content."""
        if self.size < 0:
            with FileIO(self.name) as file:
                return file.readall()
        descriptor = os.open(self.name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = os.read(descriptor, self.size + 1)  # one call, where `readall` takes four
            while len(data) != self.size and (more := os.read(descriptor, READ)):
                data += more  # it has grown since it was listed, or comes in pieces
        finally:
            os.close(descriptor)
        return data

    def open(self) -> BinaryIO:
        """Open the file."""
        return BufferedReader(FileIO(self.name))

    def modified(self) -> float:
        """Return when a regular file was last modified, in seconds since 1970, as it was when it was looked at."""
        return int(self.identity.rsplit("+", 2)[1]) / 1e9

    def arrived(self) -> float | None:
        """Return when it was last modified; None for a stream, which has no such time."""
        try:
            return self.modified()
        except (ValueError, IndexError):
            return None


class BytesDelivery(Delivery, frozen=True):
    """Content that arrived with the listing itself; `at` is when, in seconds since 1970, if that was told."""

    content: bytes
    at: float | None = None

    def open(self) -> BinaryIO:
        """Return the content as a stream."""
        return BytesIO(self.content)

    def arrived(self) -> float | None:
        """Return what was told."""
        return self.at if self.at is not None else super().arrived()


class RefusedDelivery(Delivery, frozen=True):
    """What arrived, but means nothing that could be read: opening it says why. `content` is what arrived."""

    reason: str
    content: bytes

    def open(self) -> BinaryIO:
        """Raise OSError with the reason."""
        raise OSError(errno.EINVAL, self.reason)


class StdinDelivery(Delivery, frozen=True):
    """Standard input, a stream that can be read once.

    `descriptor` is a duplicate made before any worker process starts, because a worker's own standard input is closed;
    -1 stands for this process's `sys.stdin`.
    """

    descriptor: int = -1

    def open(self) -> BinaryIO:
        """Return the stream; OSError if standard input is closed."""
        if self.descriptor >= 0:
            return os.fdopen(self.descriptor, "rb", closefd=False)
        if sys.stdin is None:
            raise OSError("standard input is closed")
        return sys.stdin.buffer


def stdin() -> StdinDelivery:
    """Return the delivery that reads standard input, wherever it is opened."""
    try:
        descriptor = os.dup(sys.stdin.fileno())
    except (AttributeError, OSError):  # closed, or replaced by an object without a file
        descriptor = -1
    return StdinDelivery(name="-", identity="-", named=True, size=-1, remote=False, descriptor=descriptor)
