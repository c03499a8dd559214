"""Where a command says what it has to say: data on standard output or in a file, the rest on stderr."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from rolewatch.base.errors import CannotDo

LONGEST = 6000  # characters of a line on stderr: the longest path that Linux has, and what is wrong with it


def complain(text: str) -> None:
    """Say something on stderr in one line, whatever it holds."""
    from rolewatch.base.sanitise import terminal  # noqa: PLC0415 - only where something goes wrong

    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"rolewatch: {terminal(text, LONGEST)}\n")
        sys.stderr.flush()
    except OSError:  # nobody listens
        _drop(2)


def draw(drawing: str) -> None:
    """Show on stderr what an error is about, if anything, line by line; the complaint itself follows."""
    if not drawing or sys.stderr is None:
        return
    from rolewatch.base.sanitise import terminal  # noqa: PLC0415 - only where something is wrong

    with suppress(OSError):  # nobody listens, as `complain` will find
        sys.stderr.write("".join(f"{terminal(line, 200)}\n" for line in drawing.split("\n")))


class Output:
    """The place for a command's data: the file of `--output`, standard output if there is none.

    Entering it raises CannotDo where nothing could be written, before any work. A file is written beside its place and
    moved there when it is whole, so that a command that fails leaves the old one.
    """

    def __init__(self, path: str | None) -> None:
        self._path = None if path == "-" else path
        self._stream: TextIO | None = None  # stays None for a file, which is opened when it is written

    def __enter__(self) -> Self:
        try:
            self._stream = self._opened()
        except (OSError, ValueError) as error:
            raise self._cannot(error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._path is not None and self._stream is not None:
            with suppress(OSError):
                self._stream.close()

    def write(self, draw: Callable[[TextIO], object]) -> None:
        """Let `draw` write to the stream, once; a reader who has gone is no error. Raises CannotDo if it is in vain."""
        try:
            if self._stream is None:
                _replace(str(self._path), draw)
            else:
                draw(self._stream)
                self._stream.flush()
        except BrokenPipeError:
            if self._path is None:
                _drop(1)
        except OSError as error:
            raise self._cannot(error) from None

    def _opened(self) -> TextIO | None:
        if self._path is None:
            if sys.stdout is None:
                raise CannotDo("standard output is closed")
            return sys.stdout
        place = Path(self._path)
        if place.exists() and not place.is_file():  # a pipe, a device
            return place.open("w", encoding="utf-8")
        _beside(self._path).unlink()
        return None

    def _cannot(self, error: OSError | ValueError) -> CannotDo:
        if self._path is None:
            _drop(1)
        reason = getattr(error, "strerror", None) or error
        return CannotDo(
            f"cannot write {self._path or 'standard output'}: {reason}",
            remedy="check --output, and the space on the disk",
        )


def say(text: str) -> int:
    """Write text to standard output and return the exit status, 0; CannotDo if that is in vain."""
    with Output(None) as out:
        out.write(lambda stream: text and stream.write(text))
    return 0


def flush_stdout() -> int:
    """Write out what standard output still holds and return the exit status, 0; CannotDo if that is in vain."""
    return say("") if sys.stdout is not None else 0


def _replace(path: str, draw: Callable[[TextIO], object]) -> None:
    """Write a file whole, or leave the old one; what a link points to is replaced, not the link."""
    place, new = Path(os.path.realpath(path)), _beside(path)
    try:
        with new.open("w", encoding="utf-8") as out:
            draw(out)
        new.chmod(place.stat().st_mode & 0o777 if place.exists() else 0o666 & ~_umask())
        new.replace(place)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _beside(path: str) -> Path:
    """Create a file in the folder where `path` leads to; the dot keeps a scan of that folder from reading it."""
    import tempfile  # noqa: PLC0415 - takes a while, and most commands write no file

    descriptor, name = tempfile.mkstemp(prefix=".rolewatch-", dir=Path(os.path.realpath(path)).parent)
    os.close(descriptor)
    return Path(name)


def _drop(descriptor: int) -> None:
    """Lead a stream nowhere, so that the interpreter does not stumble at its end over what the stream still holds."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
