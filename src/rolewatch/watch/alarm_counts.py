"""Deliveries in; what metric filters publish of their records, and what queries of log alarms look at, out, by when they arrived.

An evaluation of alarms sees what had arrived by its time, also if it takes place much later because nobody watched. So
datapoints are counted apart for each time of arrival, as far as a delivery tells it, and records keep theirs.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from rolewatch.patterns.selected import Message
from rolewatch.scan.count import Counted, Counting
from rolewatch.scan.replayed import UNIT
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.tally import Tallies, Values
from rolewatch.sources import Delivery
from rolewatch.store.datapoints import Named
from rolewatch.templates.definitions import MetricFilter
from rolewatch.watch.alarm_groups import NO_GROUPS, OTHERS, Groups, groups_of, seen_by
from rolewatch.watch.intake import Beside
from rolewatch.watch.log_alarm_records import NO_RECORDS, Collector, Records, Sought, arrival

#: Datapoints of metrics by when their deliveries arrived (seconds since 1970), None where nothing tells.
Datapoints = Mapping[int | None, Mapping[Named, Values]]
_NO_QUERIES: Final[tuple[Sought, ...]] = ()


class Counts(NamedTuple):
    """What some deliveries hold for alarms."""

    datapoints: Datapoints
    records: Records = NO_RECORDS


class Filters(NamedTuple):
    """Metric filters and queries of log alarms, and how they count; `groups` are those of the deliveries of each SOURCE.

    Times of arrival are rounded down to a multiple of `step` seconds; minutes after `latest`, spelled as eventTime does, are
    taken for nonsense. `first` is a time (seconds since 1970) since which alarms have been evaluated for sure.
    """

    filters: Sequence[MetricFilter]
    step: int
    latest: str
    queries: Sequence[Sought] = _NO_QUERIES
    first: int = 0
    groups: Groups = NO_GROUPS


class Counters:
    """Counts in some deliveries, each of which came from a SOURCE, all that has to be counted."""

    def __init__(
        self, filters: Filters, request: ScanRequest, deliveries: Sequence[Delivery], words: Sequence[str]
    ) -> None:
        groups = [groups_of(word, filters.groups) for word in words] or [OTHERS] * len(deliveries)
        self._groups = {id(each): own for each, own in zip(deliveries, groups, strict=True)}
        there = frozenset[str | None]().union(*groups)
        self._counters = [
            (group, Counter(own, filters, request))
            for group in there
            if (own := [each for each in filters.filters if seen_by(each, filters.groups) == group])
        ]
        together: dict[frozenset[str | None], list[Sought]] = {}
        for each in filters.queries:
            if each.groups & there:
                together.setdefault(each.groups, []).append(each)
        self._collectors = [
            (own, Collector(queries, filters.step, filters.first, request))
            for own, queries in together.items()
        ]
        self._latest = filters.latest

    @property
    def beside(self) -> list[Beside]:
        """Give what steps through the deliveries, each with those that it is to see."""
        counters = [Beside(each, self._sees(frozenset((group,)))) for group, each in self._counters]
        return [*counters, *(Beside(each, self._sees(own)) for own, each in self._collectors)]

    @property
    def counts(self) -> Counts:
        """What was counted."""
        found: dict[int | None, dict[Named, Values]] = {}
        for _, each in self._counters:
            for part, published in each.counts.items():
                kept = found.setdefault(part, {})
                for named, values in published.items():
                    add(kept.setdefault(named, {}), values)
        records = {
            key: rows for _, each in self._collectors for key, rows in each.found(self._latest).items()
        }
        return Counts(found, records)

    def _sees(self, groups: frozenset[str | None]) -> Callable[[Delivery], bool]:
        return lambda delivery: not groups.isdisjoint(self._groups[id(delivery)])


class Counter(Counting):
    """Counts what filters publish; only that, and not which records and findings are behind it."""

    def __init__(self, own: Sequence[MetricFilter], filters: Filters, request: ScanRequest) -> None:
        super().__init__(own, request, filters.latest)
        self._own, self._step = own, filters.step
        self._parts: dict[int | None, Tallies] = {}

    def keep(self, delivery: Delivery, gathered: Counted) -> None:
        """Add up what filters counted, with what arrived at the same time."""
        whole = self._summary
        part = arrival(delivery, self._step)
        self._summary = self._parts.setdefault(part, Tallies(len(self._own)))
        try:
            super().keep(delivery, gathered)
        finally:
            self._summary = whole

    @property
    def counts(self) -> Datapoints:
        """The datapoints of all metrics."""
        return {part: self._published(tallies) for part, tallies in self._parts.items()}

    def _published(self, tallies: Tallies) -> dict[Named, Values]:
        found: dict[Named, Values] = {}
        for each, publisher, tally in zip(self._own, self._publishers, tallies.tallies, strict=True):
            told = each.transformation
            series = tally.values(publisher.constant, told.default, tallies.minutes)
            for dimensions, values in series.items():
                named = Named(told.namespace, told.name, dimensions, told.unit or UNIT)
                add(found.setdefault(named, {}), values)
        return found

    def _look(
        self, time: str, raw: Message, numbers: tuple[int, ...], gathered: Counted, *, error: bool
    ) -> None:
        """Look no further: nobody asks what is behind a datapoint, and a watcher reads for years."""


def add(values: Values, more: Mapping[int, Mapping[float, int]]) -> None:
    """Add to datapoints of one metric."""
    for minute, numbers in more.items():
        kept = values.setdefault(minute, {})
        for value, number in numbers.items():
            kept[value] = kept.get(value, 0) + number
