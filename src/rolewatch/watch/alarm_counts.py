"""Deliveries in; what metric filters publish of their records out, apart by when they arrived.

An evaluation of alarms sees what had arrived by its time, also if it takes place much later because nobody watched. So
datapoints are counted apart for each time of arrival, as far as a delivery tells it.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rolewatch.cloudtrail.layout import parse
from rolewatch.patterns.selected import Message
from rolewatch.scan.count import Counted, Counting
from rolewatch.scan.replayed import UNIT
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.tally import Tallies, Values
from rolewatch.sources import Delivery, FileDelivery
from rolewatch.sources.files import modified
from rolewatch.store.datapoints import Named
from rolewatch.templates.definitions import MetricFilter

#: Datapoints of metrics by when their deliveries arrived (seconds since 1970), None where nothing tells.
Counts = Mapping[int | None, Mapping[Named, Values]]


class Filters(NamedTuple):
    """Metric filters, and how they count.

    Times of arrival are rounded down to a multiple of `step` seconds; minutes after `latest`, spelled as eventTime does, are
    taken for nonsense.
    """

    filters: Sequence[MetricFilter]
    step: int
    latest: str


class Counter(Counting):
    """Counts what filters publish; only that, and not which records and findings are behind it."""

    def __init__(self, filters: Filters, request: ScanRequest) -> None:
        super().__init__(filters.filters, request, filters.latest)
        self._filters = filters
        self._parts: dict[int | None, Tallies] = {}

    def keep(self, delivery: Delivery, gathered: Counted) -> None:
        """Add up what filters counted, with what arrived at the same time."""
        moment = arrived(delivery)
        part = None if moment is None else int(moment) // self._filters.step * self._filters.step
        whole = self._summary
        self._summary = self._parts.setdefault(part, Tallies(len(self._filters.filters)))
        try:
            super().keep(delivery, gathered)
        finally:
            self._summary = whole

    @property
    def counts(self) -> Counts:
        """The datapoints of all metrics."""
        return {part: self._published(tallies) for part, tallies in self._parts.items()}

    def _published(self, tallies: Tallies) -> dict[Named, Values]:
        found: dict[Named, Values] = {}
        for each, publisher, tally in zip(
            self._filters.filters, self._publishers, tallies.tallies, strict=True
        ):
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


def arrived(delivery: Delivery) -> float | None:
    """Say when a delivery arrived where it lies, in seconds since 1970: a file's last change, or what CloudTrail's name says."""
    if isinstance(delivery, FileDelivery):
        try:
            return modified(delivery)
        except (ValueError, IndexError):  # a stream has no such time
            return None
    layout = parse(delivery.name)
    return layout.delivered.timestamp() if layout and layout.delivered else None
