"""How far behind the clock what arrives is: the newest event in the deliveries of each source."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from rolewatch.base.clock import milliseconds
from rolewatch.cloudtrail.layout import parse
from rolewatch.sources.delivery import Delivery, FileDelivery
from rolewatch.sources.live import LiveSource
from rolewatch.store.schema import storable
from rolewatch.store.sources import Came
from rolewatch.watch.feed import Given

_STAMP: Final = re.compile(r"#([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)\Z")


class Lateness:
    """Says what a commit tells of its sources, and which of them have caught up with what was there at the start.

    How late a delivery is says something only of what comes live. Of a backlog it does as well once reading it takes longer
    than `patience` seconds: then it is no news that is late, but the watcher.
    """

    def __init__(
        self,
        sources: Iterable[LiveSource],
        monotonic: Callable[[], float],
        patience: float,
    ) -> None:
        self._monotonic = monotonic
        self._patient = monotonic() + patience
        self._behind = {word_of(source) for source in sources}

    def caught_up(self, source: str) -> bool:
        """Whether all that was there of a source is done."""
        return source not in self._behind

    def catch_up(self, sources: Iterable[LiveSource]) -> list[str]:
        """Note the sources of which everything given is done; returns those that were behind until now."""
        caught = sorted(self._behind.intersection(map(word_of, sources)))
        self._behind.difference_update(caught)
        return caught

    def came(self, given: Sequence[Given], last_seen: Mapping[str, str], at: int) -> list[Came]:
        """Say what a batch tells of each of its sources; `last_seen` are the latest events of the batch by account."""
        overdue = self._monotonic() >= self._patient
        found = {}
        for source, newest in newest_of(given, last_seen).items():
            word = word_of(source)
            moment = None if newest is None else min(milliseconds(newest), at)
            found[word] = Came(word, at, moment, live=word not in self._behind or overdue)
        return list(found.values())


def word_of(source: LiveSource) -> str:
    """Name a source as the state does."""
    return storable(source.word)


def newest_of(given: Sequence[Given], last_seen: Mapping[str, str]) -> dict[LiveSource, datetime | None]:
    """Give for each source of a batch the time of its newest event, as far as that is known.

    Of a batch of one source it is the latest event that was seen. Where several share a batch, names and files tell: the
    minute in the name of an object, the first event of a batch of log events, the time at which a file was written.
    """
    by_source: dict[LiveSource, list[Delivery]] = {}
    for each in given:
        by_source.setdefault(each.source, []).append(each.arrival.delivery)
    if len(by_source) == 1:
        times = [time for text in last_seen.values() if (time := _time(text))]
        if times:
            return dict.fromkeys(by_source, max(times))
    return {
        source: max((time for delivery in found if (time := stamp_of(delivery))), default=None)
        for source, found in by_source.items()
    }


def stamp_of(delivery: Delivery) -> datetime | None:
    """Give the time that a delivery's name or file tells; None if neither does."""
    layout = parse(delivery.name)
    if layout and layout.delivered:
        return layout.delivered
    stamp = _STAMP.search(delivery.name)
    if stamp:
        return _time(stamp[1])
    if isinstance(delivery, FileDelivery) and delivery.size >= 0:
        return datetime.fromtimestamp(delivery.modified(), UTC)
    return None


def _time(text: str) -> datetime | None:
    """Read the time of an event; None of what is none."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found
    except ValueError:
        return None
