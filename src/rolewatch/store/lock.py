"""The watcher's lock on a state folder: one of the operating system, which goes with the process that holds it."""

import fcntl
import os
import socket
from pathlib import Path
from typing import Final

from rolewatch.base.errors import CannotDo

FILE: Final = "watcher.lock"


class Lock:
    """Holds the lock of a folder until it is released or the process ends, however it ends."""

    def __init__(self, folder: Path, started: str) -> None:
        """Take the lock, or raise CannotDo that names who has it. `started` is written down for others to read."""
        path = folder / FILE
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CannotDo(
                f"{path}: {error.strerror or error}", remedy="check the folder of --state"
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._file, 500).decode("utf-8", "replace").strip() or "another watcher"
            os.close(self._file)
            raise CannotDo(
                f"{folder} is watched already, by {holder}",
                remedy="stop that one, or name another folder with --state; PostgreSQL can be shared",
            ) from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"process {os.getpid()} on {socket.gethostname()} since {started}\n".encode())

    def release(self) -> None:
        """Let another watcher have it."""
        os.close(self._file)
