"""What a source has given and what of it is done, and so from where a successor can go on."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from rolewatch.sources.live import Memory


class Flight:
    """The marks that are in flight: given, and neither done nor parked.

    The poller finds out what is `new`, the committer says what is `done`. `recent` is how many marks known to be done are
    kept at hand, so that a place which is read over and over does not ask the memory each time.
    """

    def __init__(self, memory: Memory, *, recent: int = 0) -> None:
        self._memory = memory
        self._lock = threading.Lock()
        self._open: OrderedDict[str, int] = OrderedDict()  # in the order of their numbers
        self._number = 0
        self._reached: OrderedDict[tuple[int, str], object] = (
            OrderedDict()
        )  # by number and name, as they were reached
        self._notes: dict[str, object] = {}
        self._recent: OrderedDict[str, None] = OrderedDict()  # the latest at the end
        self._most = recent

    def __len__(self) -> int:
        """Count the marks in flight."""
        return len(self._open)

    def new(self, marks: Sequence[str]) -> list[str]:
        """Return those of some marks that are neither in flight nor done, each once, and take them into flight."""
        with self._lock:
            absent = [
                mark for mark in dict.fromkeys(marks) if mark not in self._open and mark not in self._recent
            ]
        # In this order: a mark that is done meanwhile is in the memory before it leaves the flight.
        known = self._memory.known(absent)
        new = [mark for mark in absent if mark not in known]
        with self._lock:
            self._remember(known)
            for mark in new:
                self._number += 1
                self._open[mark] = self._number
        return new

    def done(self, marks: Iterable[str]) -> None:
        """Let marks go that the memory has now."""
        with self._lock:
            gone = [mark for mark in marks if self._open.pop(mark, None) is not None]
            self._remember(gone)

    def reach(self, name: str, value: object) -> None:
        """Note under a name that everything found so far lies before a place, in place of an earlier one."""
        with self._lock:
            self._reached[self._number, name] = value
            self._advance()

    def notes(self) -> dict[str, object]:
        """Return, by name, the last places before which everything is done."""
        with self._lock:
            self._advance()
            return dict(self._notes)

    def _advance(self) -> None:
        """Take over the places before which nothing is in flight: those with a number below all that are."""
        first = next(iter(self._open.values()), None)
        while self._reached:
            number, name = next(iter(self._reached))
            if first is not None and number >= first:
                break
            self._notes[name] = self._reached.pop((number, name))

    def _remember(self, marks: Iterable[str]) -> None:
        if not self._most:
            return
        for mark in marks:
            self._recent[mark] = None
            self._recent.move_to_end(mark)
        while len(self._recent) > self._most:
            self._recent.popitem(last=False)
