"""What `aws deploy` and `aws destroy` share: which stack, progress on a terminal, and questions there."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TextIO

from rolewatch.base.errors import UsageError
from rolewatch.cli.aws_shared import PROFILE, REGIONS
from rolewatch.cli.options import Option

if TYPE_CHECKING:
    from rolewatch.aws.clients import Clients, Manner
    from rolewatch.aws.progress import At

_CLEAR: Final = "\r\x1b[K"
_WIDTH: Final = 110


def stack_name(word: str) -> str:
    """Read the name of a stack, which its trail, topic and alarms get as well."""
    from rolewatch.aws.pipeline import STACK_NAME  # noqa: PLC0415 - not needed for --help

    if not STACK_NAME.fullmatch(word):
        raise ValueError(
            f"{word!r} is no name of a stack: 3 to 100 letters, digits and dashes, a letter first"
        )
    return word


STACK_NAME: Final = Option("stack-name", "the name of the stack, and of what is in it", "NAME", stack_name, default="rolewatch", group="where")  # fmt: skip
PLAN: Final = Option(
    "plan", "say what would be done, and do nothing", flag=True, default=False, group="how to do it"
)
WHERE: Final = (STACK_NAME, REGIONS, PROFILE)


def clients_of(values: Mapping[str, Any]) -> "Clients":
    """Make the clients that the options ask for; UsageError for more than one Region."""
    from rolewatch.aws.clients import Clients  # noqa: PLC0415 - not needed for --help

    regions = values["region"]
    if len(regions) > 1:
        raise UsageError(
            f"a stack is in one Region, not in {', '.join(regions)}",
            remedy="name one with --region; a trail of all Regions delivers to it from everywhere",
        )
    return Clients(profile=values["profile"], region=regions[0] if regions else None)


@contextmanager
def waiting(total: int = 0) -> Iterator["Manner"]:
    """Give the manner in which to wait: with one line of progress on stderr, if that is a terminal."""
    from rolewatch.aws.clients import Manner  # noqa: PLC0415 - not needed for --help

    stream = sys.stderr
    if stream is None or not stream.isatty():
        yield Manner(time.sleep)
        return
    line = _Line(stream, total)
    try:
        yield Manner(time.sleep, line.tell)
    except KeyboardInterrupt:
        line.close()
        stream.write(
            "rolewatch: CloudFormation goes on by itself; run the same command again to see how it ended\n"
        )
        raise
    finally:
        line.close()


@contextmanager
def counting(words: str) -> Iterator[Callable[[int], None] | None]:
    """Give a function that shows a number on stderr, None where that is no terminal."""
    stream = sys.stderr
    if stream is None or not stream.isatty():
        yield None
        return
    try:
        yield lambda number: _show(stream, f"{number:,} {words}")
    finally:
        stream.write(_CLEAR)


class _Line:
    def __init__(self, stream: TextIO, total: int) -> None:
        self._stream, self._total = stream, total

    def tell(self, at: "At") -> None:
        """Show the stack's status, how many of its resources are done, and which one was the latest."""
        of = f" of {self._total}" if self._total >= at.done > 0 else ""
        _show(self._stream, f"{at.status.lower().replace('_', ' ')}: {at.done}{of}  {at.latest}")

    def close(self) -> None:
        """Take the line away."""
        self._stream.write(_CLEAR)


def _show(stream: TextIO, text: str) -> None:
    from rolewatch.base.sanitise import terminal  # noqa: PLC0415 - only where something is drawn

    stream.write(_CLEAR + terminal(text, _WIDTH))
    stream.flush()


def answer(question: str) -> str | None:
    """Ask on the terminal; None where there is nobody to ask."""
    if sys.stdin is None or sys.stderr is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip()
