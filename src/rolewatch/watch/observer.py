"""Who looks on while a watcher works: logs, metrics, health and the watch over itself."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rolewatch.sources.live import LiveSource
from rolewatch.store.outbox import Letter
from rolewatch.watch.feed import Given
from rolewatch.watch.register import Changed

AT_MOST: float = (
    300.0  # seconds that a turn of the watcher takes at most, unless it says that it takes longer
)


class Committed(NamedTuple):
    """A batch that was committed.

    `unreadable`: delivery's name → reason; `records` in all of it; `repeated` denials of it that were known; `seconds` from
    the beginning of its reading on.
    """

    given: Sequence[Given]
    unreadable: Mapping[str, str]
    records: int
    repeated: int
    changed: Changed
    seconds: float

    @property
    def failed(self) -> list[Given]:
        """List what could not be read, or not to its end."""
        return [given for given in self.given if given.arrival.delivery.name in self.unreadable]


class Observer:
    """Is told what a watcher does, in its thread unless said otherwise; returns soon, and does nothing by itself."""

    def turn(self, seconds: float = AT_MOST) -> None:
        """Take note that the watcher goes on; its next turn comes within `seconds`."""

    def caught_up(self, sources: Sequence[LiveSource]) -> None:
        """Take note of the sources of which all that was there is done, each time anew."""

    def waits(self, reason: str) -> None:
        """Take note that the state cannot be used just now."""

    def committed(self, committed: Committed) -> None:
        """Take note of a batch."""

    def put_off(self, given: Given, reason: str, seconds: float) -> None:
        """Take note of a delivery that is tried again in some seconds."""

    def changed(self, changed: Changed) -> None:
        """Take note of what time alone, or the end of the first backlog, has changed."""

    def drained(self, *, first: bool) -> None:
        """Take note that all that was there at the start is done; `first`: it was the first backlog of this state."""

    def sent(self, target: str, letter: Letter) -> None:
        """Take note of what became of a letter when it was sent. From any thread."""


class Observers(Observer):
    """Several, each told in turn."""

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self.all = list(observers)

    def turn(self, seconds: float = AT_MOST) -> None:
        """Tell each."""
        for each in self.all:
            each.turn(seconds)

    def caught_up(self, sources: Sequence[LiveSource]) -> None:
        """Tell each."""
        for each in self.all:
            each.caught_up(sources)

    def waits(self, reason: str) -> None:
        """Tell each."""
        for each in self.all:
            each.waits(reason)

    def committed(self, committed: Committed) -> None:
        """Tell each."""
        for each in self.all:
            each.committed(committed)

    def put_off(self, given: Given, reason: str, seconds: float) -> None:
        """Tell each."""
        for each in self.all:
            each.put_off(given, reason, seconds)

    def changed(self, changed: Changed) -> None:
        """Tell each."""
        for each in self.all:
            each.changed(changed)

    def drained(self, *, first: bool) -> None:
        """Tell each."""
        for each in self.all:
            each.drained(first=first)

    def sent(self, target: str, letter: Letter) -> None:
        """Tell each."""
        for each in self.all:
            each.sent(target, letter)
