"""Rules about what an alarm makes of a metric filter's values: statistics and thresholds."""

import operator
from collections.abc import Callable, Iterator
from math import inf
from typing import NamedTuple

from rolewatch.lint.advice import Rule, Said, Severity
from rolewatch.lint.setup import AlarmCase, constant, shown

COMPARE: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
SIGNS = dict(zip(COMPARE, (">", "≥", "<", "≤"), strict=True))
_DRAGGED = ("Average", "Minimum", "SampleCount")


class Values(NamedTuple):
    """What the filters of a metric publish: constants for matches and, where there are any, defaults for the rest."""

    matches: tuple[float, ...]
    defaults: tuple[float, ...]

    def reach(self, statistic: str) -> tuple[float, float] | None:
        """Return the least and the greatest value of a statistic over a period with data; None where that is not known."""
        every = (*self.matches, *self.defaults)
        if statistic == "SampleCount":
            return 1, inf
        if statistic == "Sum":
            return min(every) if min(every) >= 0 else -inf, max(every) if max(every) <= 0 else inf
        if statistic in ("Average", "Minimum", "Maximum") or is_percentile(statistic):
            return min(every), max(every)
        return None


def values_of(case: AlarmCase) -> Values | None:
    """Return what the filters publish that an alarm watches; None if that is read from events, or there is no filter."""
    matches = [constant(each) for each in case.filters]
    known = tuple(value for value in matches if value is not None)
    if not known or len(known) < len(matches):
        return None
    defaults = [each.transformation.default for each in case.filters]
    return Values(known, tuple(value for value in defaults if value is not None))


def is_percentile(statistic: str) -> bool:
    """Whether a statistic lies between the least and the greatest value: a percentile, or a trimmed mean."""
    return statistic[:1] == "p" or statistic[:2] in ("tm", "wm", "TM", "WM") or statistic == "IQM"


def _average_of_count(case: AlarmCase) -> Iterator[Said]:
    stat, values = case.alarm.stat, values_of(case)
    if stat is None or values is None or not values.defaults:
        return
    if stat.statistic not in _DRAGGED and not is_percentile(stat.statistic):
        return
    told = (
        "counts all events, those that do not match as well"
        if stat.statistic == "SampleCount"
        else f"is drawn to the default, {shown(min(values.defaults))}, by every event that does not match"
    )
    yield Said(
        Severity.ERROR,
        f"{stat.statistic} of a filter that publishes a default {told}: it tells nothing about the number of matches.",
        property=_property(stat.statistic),
        old=f"{_property(stat.statistic)}: {stat.statistic}",
        fix="Statistic: Sum",
    )


def _percentile_of_constant(case: AlarmCase) -> Iterator[Said]:
    stat, values = case.alarm.stat, values_of(case)
    if stat is None or values is None or values.defaults or not is_percentile(stat.statistic):
        return
    if len(set(values.matches)) == 1:
        yield Said(
            Severity.WARNING,
            f"{stat.statistic} of a filter that publishes nothing but {shown(values.matches[0])} is always {shown(values.matches[0])}.",
            property=_property(stat.statistic),
            old=f"{_property(stat.statistic)}: {stat.statistic}",
            fix="Statistic: Sum",
        )


def _unreachable_threshold(case: AlarmCase) -> Iterator[Said]:
    alarm, ends = case.alarm, _ends(case)
    if ends is None or any(ends.breaching) or alarm.treat_missing_data == "breaching":
        return
    least, greatest = ends.reach
    bounded = greatest != inf and ends.values.matches[0] > 0 and SIGNS[alarm.comparison_operator] in ">≥"
    yield Said(
        Severity.ERROR,
        f"{ends.statistic} {SIGNS[alarm.comparison_operator]} {shown(ends.threshold)} never comes true: where there is data it is "
        f"{_reach_told(least, greatest)}, whatever happens."
        + (" Sum grows with the number of matches." if bounded else ""),
        property=_property(ends.statistic) if bounded else "Threshold",
        old=f"{_property(ends.statistic)}: {ends.statistic}"
        if bounded
        else f"Threshold: {shown(ends.threshold)}",
        fix="Statistic: Sum" if bounded else None,
    )


def _reach_told(least: float, greatest: float) -> str:
    if greatest == inf:
        return f"at least {shown(least)}"
    if least == -inf:
        return f"at most {shown(greatest)}"
    return shown(least) if least == greatest else f"between {shown(least)} and {shown(greatest)}"


def _always_breaching(case: AlarmCase) -> Iterator[Said]:
    ends = _ends(case)
    if ends is None or not all(ends.breaching) or not ends.values.defaults:
        return
    zero = all(value == 0 for value in ends.values.defaults)
    counts = any(value > 0 for value in ends.values.matches)
    yield Said(
        Severity.ERROR,
        f"{ends.statistic} {SIGNS[case.alarm.comparison_operator]} {shown(ends.threshold)} is true of every period with any event at all, "
        f"for one that does not match is published as the default, {shown(ends.values.defaults[0])}: "
        "the alarm rings at the first and stays in ALARM.",
        property="Threshold",
        old=f"Threshold: {shown(ends.threshold)}",
        fix="Threshold: 1" if zero and counts and ends.statistic == "Sum" and ends.threshold < 1 else None,
    )


class _Ends(NamedTuple):
    statistic: str
    threshold: float
    values: Values
    reach: tuple[float, float]
    breaching: tuple[bool, bool]  # at the least and at the greatest value


def _ends(case: AlarmCase) -> _Ends | None:
    """Return how far a statistic goes and whether its ends breach; a comparison that neither breaches never comes true."""
    alarm, values = case.alarm, values_of(case)
    compare = COMPARE.get(alarm.comparison_operator)
    if alarm.stat is None or values is None or compare is None or alarm.threshold is None:
        return None
    reach = values.reach(alarm.stat.statistic)
    if reach is None:
        return None
    breaching = (compare(reach[0], alarm.threshold), compare(reach[1], alarm.threshold))
    return _Ends(alarm.stat.statistic, alarm.threshold, values, reach, breaching)


def _property(statistic: str) -> str:
    return "ExtendedStatistic" if statistic not in (*_DRAGGED, "Sum", "Maximum") else "Statistic"


RULES: tuple[Rule[AlarmCase], ...] = (
    Rule(
        "average-of-count",
        "an average, a minimum or a number of samples where a default is published",
        _average_of_count,
    ),
    Rule("percentile-of-constant", "a percentile of a constant", _percentile_of_constant),
    Rule("unreachable-threshold", "a threshold that the statistic never reaches", _unreachable_threshold),
    Rule("always-breaching", "a threshold that any event reaches", _always_breaching),
)
