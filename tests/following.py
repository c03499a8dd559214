"""What the tests of live sources have in common: a memory, what was told, and how to drain a source."""

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from rolewatch.base.errors import CannotDo
from rolewatch.cloudtrail.split import split
from rolewatch.sources.live import Arrival, LiveSource
from rolewatch.sources.live_time import Time


class Memory:
    """The state as a source sees it: marks that are done, and notes."""

    def __init__(self) -> None:
        self.marks: set[str] = set()
        self.notes: dict[str, str] = {}
        self.asked = 0
        self.given: list[str] = []  # the names of all that was committed, in order

    def known(self, marks: Sequence[str]) -> set[str]:
        """Give those that are done."""
        self.asked += len(marks)
        return self.marks.intersection(marks)

    def note(self, source: str) -> str | None:
        """Give a note."""
        return self.notes.get(source)

    def commit(self, source: LiveSource, arrivals: Sequence[Arrival], *, acknowledge: bool = True) -> None:
        """Do what a watcher does: keep marks and note together, then acknowledge; or be killed in between."""
        note = source.note()
        for arrival in arrivals:
            self.marks.update(arrival.marks)
            self.given.append(arrival.delivery.name)
        if note is not None:
            self.notes[source.word] = note
        if acknowledge:
            source.done(arrivals)


class Failing(Memory):
    """A state that cannot be asked every other time, as while its database is down."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = 0

    def known(self, marks: Sequence[str]) -> set[str]:
        """Fail, or answer."""
        self.turn += 1
        if self.turn % 2:
            raise CannotDo("the state cannot be asked")
        return super().known(marks)


def persistent(source: LiveSource) -> list[Arrival]:
    """Drain a source whose memory fails, as a watcher does: it goes on."""
    found: list[Arrival] = []
    for _ in range(60):
        try:
            found += source.arrivals(1.0)
        except CannotDo as error:
            assert error.message == "the state cannot be asked"  # noqa: PT017 - expected, and gone over
            continue
        if source.drained:
            return found
    raise AssertionError(f"still not drained: {names(found)}")


class Told:
    """What was told."""

    def __init__(self) -> None:
        self.all: list[tuple[str, str]] = []

    def __call__(self, name: str, reason: str) -> None:
        """Keep it."""
        self.all.append((name, reason))

    @property
    def reasons(self) -> list[str]:
        """Give the reasons alone."""
        return [reason for _, reason in self.all]


class Later(Time):
    """Clocks that go faster than real ones: waiting takes no time, and puts both forward."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.waited: list[float] = []

    def now(self) -> datetime:
        """Give the real time, put forward."""
        return datetime.now(UTC) + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        """Give the real one, put forward."""
        return super().monotonic() + self.passed

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Put the clocks forward."""
        self.waited.append(seconds)
        self.passed += max(seconds, 0.0)
        return event.is_set()


def drain(source: LiveSource, memory: Memory | None = None, *, seconds: float = 1.0) -> list[Arrival]:
    """Take all that a source has, until it says that there is no more; with a memory it is committed as it comes."""
    found: list[Arrival] = []
    while True:
        arrivals = source.arrivals(seconds)
        found += arrivals
        if memory is not None and arrivals:
            memory.commit(source, arrivals)
        if not arrivals and source.drained:
            if memory is not None:
                memory.commit(source, [])
            return found


def until(
    source: LiveSource, enough: Callable[[list[Arrival]], bool], *, seconds: float = 20.0
) -> list[Arrival]:
    """Take what comes until it is enough."""
    end = Time().monotonic() + seconds
    found: list[Arrival] = []
    while not enough(found):
        assert Time().monotonic() < end, f"only {names(found)}"
        found += source.arrivals(0.2)
    return found


def within(source: LiveSource, time: Later, seconds: float, step: float) -> list[Arrival]:
    """Take what comes next, which has to be in so many seconds of the source's clock; asked for in steps."""
    end = time.passed + seconds
    while not (found := source.arrivals(step)):
        assert time.passed < end + step, "nothing came"
    return found


def names(arrivals: Iterable[Arrival]) -> list[str]:
    """Give the deliveries' names."""
    return [arrival.delivery.name for arrival in arrivals]


def ids(arrivals: Iterable[Arrival]) -> list[str]:
    """Give the ids of the records in deliveries, as the reader finds them."""
    records = [record for each in arrivals for records in split([each.delivery.read()]) for record in records]
    return [json.loads(record)["eventID"] for record in records]
