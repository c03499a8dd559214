"""Linux's inotify: which folders something happened in. Its constants are those of `<sys/inotify.h>`."""

import ctypes
import errno
import os
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

CLOSE_WRITE: Final = 0x8
ATTRIB: Final = 0x4
MOVED_FROM: Final = 0x40
MOVED_TO: Final = 0x80
CREATE: Final = 0x100
DELETE_SELF: Final = 0x400
MOVE_SELF: Final = 0x800
UNMOUNT: Final = 0x2000
OVERFLOW: Final = 0x4000
IGNORED: Final = 0x8000
ONLYDIR: Final = 0x1000000
IS_DIR: Final = 0x40000000
WATCHED: Final = (
    CLOSE_WRITE | ATTRIB | MOVED_FROM | MOVED_TO | CREATE | DELETE_SELF | MOVE_SELF | ONLYDIR
)  # no MODIFY: a writer makes thousands of them

_NONBLOCK_CLOEXEC: Final = os.O_NONBLOCK | os.O_CLOEXEC
_HEAD: Final = struct.Struct("iIII")  # watch, mask, cookie, length of the name
_BUFFER: Final = 256 * 1024  # bytes
_READS: Final = 16  # in a row: more than the kernel keeps


class Happening(NamedTuple):
    """Something happened in the folder of a watch, to the entry with this name if it is not empty."""

    watch: int
    mask: int
    name: str


class Inotify:
    """One queue of the kernel's; raises OSError if there is none to be had, as on other systems than Linux."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(self._libc, "inotify_init1"):
            raise OSError(errno.ENOSYS, "no inotify on this system")
        self._descriptor = self._checked(self._libc.inotify_init1(_NONBLOCK_CLOEXEC))

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._descriptor

    def watch(self, folder: str) -> int:
        """Watch a folder and return its number, the same for the same folder; raises OSError (ENOSPC: too many)."""
        return self._checked(
            self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), ctypes.c_uint32(WATCHED))
        )

    def leave(self, watch: int) -> None:
        """Stop watching a folder, which may be gone already."""
        self._libc.inotify_rm_watch(self._descriptor, watch)

    def read(self) -> list[Happening]:
        """Return what has happened since, without waiting."""
        found: list[Happening] = []
        try:
            for _ in range(_READS):
                found += _happenings(os.read(self._descriptor, _BUFFER))
        except BlockingIOError:
            pass
        return found

    def close(self) -> None:
        """Let go of the queue."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _checked(self, result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result


def _happenings(data: bytes) -> Iterator[Happening]:
    at = 0
    while at < len(data):
        watch, mask, _, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        yield Happening(watch, mask, os.fsdecode(data[at : at + length].rstrip(b"\0")))
        at += length
