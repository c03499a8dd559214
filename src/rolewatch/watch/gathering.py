"""Deliveries in; beside the denials in them what else a watcher wants of them out, by further folds over what was read once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rolewatch.explain.blame import PolicyChange
from rolewatch.scan.detect import Detector
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import Delivery
from rolewatch.watch.intake import Beside, read
from rolewatch.watch.policy_changes import Collector

if TYPE_CHECKING:
    from rolewatch.watch.alarm_counts import Counters, Counts, Filters


class Wanted(NamedTuple):
    """What is wanted beside denials: what `filters` and queries of log alarms count, and the `changes` of policies.

    It travels to processes that read.
    """

    filters: "Filters | None" = None
    changes: bool = False


NOTHING = Wanted()


class Reading(NamedTuple):
    """What was read: the denials, what there is for alarms, and the changes of policies; the latter as far as they were wanted."""

    detector: Detector
    counts: "Counts | None" = None
    changes: Sequence[PolicyChange] = ()


def gather(
    deliveries: Sequence[Delivery], words: Sequence[str], request: ScanRequest, wanted: Wanted
) -> Reading:
    """Read a batch for denials and all that is wanted; `words` are the SOURCEs that the deliveries came from."""
    counters = _counters(wanted.filters, request, deliveries, words) if wanted.filters else None
    collector = Collector(request) if wanted.changes else None
    beside = list(counters.beside) if counters else []
    if collector:
        beside.append(Beside(collector))
    detector = read(deliveries, request, beside)
    return Reading(
        detector, counters.counts if counters else None, collector.summary.changes if collector else ()
    )


def _counters(
    filters: "Filters", request: ScanRequest, deliveries: Sequence[Delivery], words: Sequence[str]
) -> "Counters":
    from rolewatch.watch.alarm_counts import Counters  # noqa: PLC0415 - only where there are templates

    return Counters(filters, request, deliveries, words)
