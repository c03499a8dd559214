"""Where a command writes what it has to say: standard output, or a file that is whole or not there."""

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rolewatch.base.errors import CannotDo


@contextmanager
def opened(path: str | None) -> Iterator[TextIO]:
    """Open the stream for `--output`, standard output if there is none.

    A file is written beside its place and moved there at the end, so that a command that fails leaves the old one.
    Raises CannotDo if it cannot be written.
    """
    if path is None or path == "-":
        yield sys.stdout
        return
    place = Path(path)
    try:
        if place.exists() and not stat.S_ISREG(place.stat().st_mode):  # a pipe, a device
            with place.open("w", encoding="utf-8") as out:
                yield out
            return
        yield from _replacing(place.resolve())
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise CannotDo(
            f"cannot write {path}: {error.strerror or error}",
            remedy="check --output, and the space on the disk",
        ) from error


def _replacing(place: Path) -> Iterator[TextIO]:
    descriptor, name = tempfile.mkstemp(prefix=f".{place.name[:100]}.", dir=place.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            yield out
        Path(name).chmod((place.stat().st_mode & 0o777) if place.exists() else 0o666 & ~_umask())
        Path(name).replace(place)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
