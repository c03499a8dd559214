"""How far a scan has come, on stderr, if that is a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rolewatch.scan.request import Progress

Tell = Callable[["Progress"], None]


@contextmanager
def progress(stream: TextIO | None) -> Iterator[Tell | None]:
    """Give a function that shows progress, None where nobody would see it; what was shown goes away at the end."""
    if stream is None or not stream.isatty():
        yield None
        return
    bar = _Bar(stream)
    try:
        yield bar.tell
    finally:
        bar.close()


@contextmanager
def counted(stream: TextIO | None, noun: str) -> Iterator[Callable[[int, int], None] | None]:
    """Give a function that shows how many things are done, of how many; None where nobody would see it."""
    if stream is None or not stream.isatty():
        yield None
        return
    bar = _Bar(stream)
    try:
        yield lambda done, known: bar.show(done, known, f"{done:,} of {known:,} {noun}")
    finally:
        bar.close()


class _Bar:
    """The bar; drawn when it is told something, not by a thread, since worker processes are forked beside it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: Any = None
        self._task: Any = None

    def tell(self, at: "Progress") -> None:
        """Show how far a scan is."""
        from rolewatch.report.words import count, size  # noqa: PLC0415 - only where something is drawn

        rate = f"{size(int(at.bytes / at.seconds))}/s" if at.seconds > 0.2 else ""
        listed = f" of {at.listed:,}" if at.listed is not None else ""
        text = f"{at.deliveries:,}{listed} deliveries  {size(at.bytes)}  {rate}"
        if at.denials is not None:
            text += f"  {count(at.denials, 'denial')} so far"
        self.show(at.deliveries, at.listed, text)

    def show(self, done: int, known: int | None, text: str) -> None:
        """Show how much is done, and a text."""
        if self._bar is None:
            self._start()
        self._bar.update(self._task, completed=done, total=known, description=text, refresh=True)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def _start(self) -> None:
        from rich.console import Console  # noqa: PLC0415 - only where something is drawn
        from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415 - as above

        console = Console(file=self._stream)
        columns = (BarColumn(bar_width=24), TextColumn("{task.description}", markup=False))
        self._bar = Progress(*columns, console=console, transient=True, auto_refresh=False)
        self._task = self._bar.add_task("")
        self._bar.start()
