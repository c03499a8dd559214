"""What metric filters counted: a fold's value, with a merge that is associative and commutative."""

from bisect import insort
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Self

from rolewatch.metrics.publish import NO_DIMENSIONS, Dimensions, Published
from rolewatch.scan.replayed import Behind, Match, Named
from rolewatch.scan.summary import Reading

EXAMPLES = 20  # records kept of those that a filter matched within an hour
HOUR, MINUTE = len("2026-03-01T10"), len("2026-03-01T10:05")

Values = dict[int, dict[float, int]]  # start of the minute in epoch seconds → value → number of occurrences


class Tally:
    """What one metric filter counted, by minutes as eventTime spells them."""

    def __init__(self) -> None:
        self.matched: Counter[str] = Counter()
        self.series: dict[Dimensions, dict[str, Counter[float]]] = {}  # empty where all values are the same
        self.findings: dict[str, set[str]] = {}
        self.examples: dict[str, list[Match]] = {}  # by hour, the first ones in their order

    def publish(self, minute: str, published: Published) -> None:
        """Add a value to one of the series."""
        values = self.series.setdefault(published.dimensions, {})
        values.setdefault(minute, Counter())[published.value] += 1

    def wants(self, time: str) -> bool:
        """Whether a record of this time can be among the first of its hour so far."""
        kept = self.examples.get(time[:HOUR])
        return kept is None or len(kept) < EXAMPLES or time <= kept[-1].time

    def keep(self, match: Match) -> None:
        """Keep a record if it is among the first of its hour."""
        kept = self.examples.setdefault(match.time[:HOUR], [])
        insort(kept, match, key=_order)
        del kept[EXAMPLES:]

    def merge(self, other: "Tally") -> None:
        """Take in what the filter counted elsewhere."""
        self.matched.update(other.matched)
        for dimensions, minutes in other.series.items():
            kept = self.series.setdefault(dimensions, {})
            for minute, values in minutes.items():
                kept.setdefault(minute, Counter()).update(values)
        for minute, ids in other.findings.items():
            self.findings.setdefault(minute, set()).update(ids)
        for matches in other.examples.values():
            for match in matches:
                self.keep(match)

    def values(
        self, constant: float | None, default: float | None, records: Counter[str]
    ) -> dict[Dimensions, Values]:
        """Give the values of each series: `constant` for each match, `default` for each of the `records` that did not match."""
        found = {dimensions: _timed(minutes) for dimensions, minutes in self.series.items()}
        plain = found.setdefault(NO_DIMENSIONS, {})
        if constant is not None:
            _add(plain, constant, self.matched)
        if default is not None:
            _add(plain, default, records - self.matched)
        return {dimensions: values for dimensions, values in found.items() if values}

    def behind(self, default: float | None, records: Counter[str]) -> dict[int, Behind]:
        """Give the records behind each minute that has a datapoint, by its start in epoch seconds."""
        examples: dict[str, list[Match]] = {}
        for hour in self.examples.values():
            for match in hour:
                examples.setdefault(match.time[:MINUTE], []).append(match)
        missed = Counter[str]() if default is None else records - self.matched
        found: dict[int, Behind] = {}
        for minute in sorted(self.matched.keys() | missed.keys()):
            time = epoch(minute)
            if time is not None:
                ids, kept = sorted(self.findings.get(minute, ())), examples.get(minute, ())
                found[time] = Behind(self.matched[minute], missed[minute], tuple(ids), tuple(kept))
        return found


class Tallies(Reading):
    """Beside what was read, the records of each minute, and what each of several metric filters counted."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.minutes: Counter[str] = Counter()
        self.untimed = 0  # records whose eventTime is no time
        self.tallies = [Tally() for _ in range(filters)]
        self.named: dict[str, Named] = {}

    def merge(self, other: Self) -> None:
        """Take in the tallies of other deliveries."""
        super().merge(other)
        self.minutes.update(other.minutes)
        self.untimed += other.untimed
        for mine, theirs in zip(self.tallies, other.tallies, strict=True):
            mine.merge(theirs)
        self.named |= other.named


@lru_cache(maxsize=1 << 16)
def epoch(minute: str) -> int | None:
    """Give the start of a minute in epoch seconds; None where the calendar has no such minute."""
    try:
        return int(datetime.strptime(minute, "%Y-%m-%dT%H:%M").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None


def _order(match: Match) -> tuple[str, str]:
    return match.time, match.event_id or ""


def _timed(minutes: Mapping[str, Counter[float]]) -> Values:
    return {time: dict(values) for minute, values in minutes.items() if (time := epoch(minute)) is not None}


def _add(plain: Values, value: float, records: Mapping[str, int]) -> None:
    """Add a value to a series, as often as there are records in each minute."""
    for minute, number in records.items():
        time = epoch(minute)
        if time is not None:
            values = plain.setdefault(time, {})
            values[value] = values.get(value, 0) + number
