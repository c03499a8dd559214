"""Places that are asked for the events of a span of time: what CloudWatch Logs and LookupEvents have in common.

Events come late, and nothing tells which. So three kinds of rounds ask again for what was read before, the shortest look back
most often, and drop each event that is known by its id. A round looks back from the beginning of the one before it, so nothing
is missed if rounds take longer than they should.
"""

import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from rolewatch.base import aws
from rolewatch.sources.delivery import BytesDelivery
from rolewatch.sources.live import DAY, Arrival, Memory
from rolewatch.sources.live_polled import Page, Polled, Round
from rolewatch.sources.live_time import Pace, Time, moment_of
from rolewatch.sources.live_trouble import Trouble, is_throttling, passes
from rolewatch.sources.window import Window

BACKLOG: Final = timedelta(days=1)  # what is read at the first start, where the window does not say
SLICE: Final = timedelta(hours=1)  # of time that is asked for at once: a failure costs no more than that
TOGETHER: Final = 10  # seconds, the shortest period of an alarm: what came within them is one delivery
RECENT: Final = (
    100_000  # ids of events that are remembered here, so that the state is not asked for each again and again
)

Event = Mapping[str, Any]


class Look(NamedTuple):
    """A kind of round: how often, in seconds, and by how much it looks back."""

    name: str
    every: float
    back: timedelta


class Answer(NamedTuple):
    """One page of events as AWS gave it, and the token of the next one."""

    events: Sequence[Event]
    token: str | None


class EventsSource(Polled[Event]):
    """Follows events that have ids.

    `looks`: the shortest look back first; `rate`: requests a second at most; `first`: the answer to a first request, if there
    was one, for the clock of AWS, which is trusted more than this machine's.
    """

    keep = 3 * DAY  # a look back after a stop of this length still knows what was done before it

    def __init__(
        self,
        word: str,
        memory: Memory,
        trouble: Trouble,
        looks: Sequence[Look],
        *,
        rate: float,
        window: Window,
        first: Mapping[str, Any] | None,
        time: Time | None = None,
    ) -> None:
        rounds = [Round(look.name, look.every) for look in looks]
        super().__init__(
            word, memory, trouble, rounds, first=rounds[0].name, nested=True, recent=RECENT, time=time
        )
        self._now = _clock(first or {}) or self.time.now()
        self._back = {look.name: look.back for look in looks}
        self._window = window
        self._pace = Pace(rate)

    @abstractmethod
    def ask(self, start: datetime, end: datetime | None, token: str | None) -> dict[str, Any]:
        """Make one request for the events from `start` to `end` (both included), and return boto3's answer."""

    @abstractmethod
    def answer(self, page: dict[str, Any]) -> Answer:
        """Read an answer."""

    @abstractmethod
    def mark(self, event: Event) -> str:
        """Return the mark of an event."""

    def came(self, event: Event) -> float | None:
        """Return when an event came to where it is asked for, in seconds since 1970; None if nothing tells."""
        del event
        return None

    @abstractmethod
    def content(self, events: Sequence[Event]) -> tuple[str, bytes]:
        """Return a name for some events, and their content as a delivery."""

    def listing(self, kind: str, cursor: datetime | None, place: str | None) -> Iterator[Page[Event]]:
        """Yield the pages of all events from the look back's beginning on; `place` is the time of a slice's beginning."""
        start = self._window.since or self._now - BACKLOG
        if place:
            start = datetime.fromisoformat(place)
        elif cursor:
            start = cursor - self._back[kind]
        while True:
            end = start + SLICE if start + SLICE < self._now else None
            yield from self._slice(start, end)
            if end is None:
                return
            yield Page(reached=end.isoformat())
            start = end

    def pack(self, found: list[tuple[str, Event]]) -> list[Arrival]:
        """Give the new events of a page as one delivery, or as several if they came at different times."""
        groups: dict[int, list[tuple[str, Event]]] = {}
        for mark, event in found:
            came = self.came(event)
            groups.setdefault(-1 if came is None else int(came) // TOGETHER, []).append((mark, event))
        return [self._arrival(groups[time]) for time in sorted(groups)]

    def _arrival(self, found: list[tuple[str, Event]]) -> Arrival:
        """Make one delivery of some events; it has come when the last of them had."""
        marks = tuple(mark for mark, _ in found)
        name, content = self.content([event for _, event in found])
        digest = hashlib.sha256("\n".join(marks).encode()).hexdigest()[:32]
        delivery = BytesDelivery(
            name=name,
            identity=f"{self.word}+{digest}",
            named=False,
            size=len(content),
            remote=False,
            content=content,
            at=max((came for _, event in found if (came := self.came(event)) is not None), default=None),
        )
        return Arrival(delivery, marks)

    def _slice(self, start: datetime, end: datetime | None) -> Iterator[Page[Event]]:
        token: str | None = None
        while True:
            self.wait(self._pace.delay(self.time.monotonic()))
            if self.closing.is_set():
                yield Page()
                continue
            self._pace.sent(self.time.monotonic())
            try:
                page = self.ask(start, end, token)
            except aws.errors() as error:
                if is_throttling(error):
                    self._pace.throttled()
                if not passes(error):
                    raise
                yield Page(error=error)
                continue
            events, token = self.answer(page)
            clock = _clock(page)
            self._now = clock or self._now
            yield Page([(self.mark(event), event) for event in events], clock)
            if not token:
                return


def encoded(key: str, events: Sequence[Event]) -> bytes:
    """Spell events as AWS's answer does."""
    return json.dumps({key: list(events)}, default=_spelled).encode()


def _spelled(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def _clock(page: Mapping[str, Any]) -> datetime | None:
    """Read the clock of AWS."""
    return moment_of(page.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date"))
