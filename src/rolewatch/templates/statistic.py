"""A statistic's text in (`Sum`, `p99.9`, `TM(10%:90%)`), its parts out.

Sources: spec/alarm.md §1, and the definitions page of the CloudWatch guide ("CloudWatch statistics definitions").
"""

import re
from fractions import Fraction
from typing import Final, NamedTuple

from rolewatch.base.errors import UsageError

SIMPLE: Final = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
#: How the others are written.
SHOWN: Final = (
    "p90, tm90, tc90, ts90, wm90, IQM, PR(1:10), TC(10%:90%), TM(10%:90%), TS(10%:90%) or WM(10%:90%)"
)
_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,10})?"
_ONE = re.compile(rf"(p|tm|tc|ts|wm)({_NUMBER})")
_PARTS = re.compile(rf"(TM|TC|TS|WM)\((?:({_NUMBER})%)?:(?:({_NUMBER})%)?\)")
_VALUES = re.compile(rf"(PR|TM|TC|TS|WM)\(({_NUMBER})?:({_NUMBER})?\)")
_LEAST, _MOST = Fraction(1, 10), Fraction(9, 10)  # the bounds of parts that the API names for alarms


class StatisticError(UsageError):
    """A text that names no statistic of CloudWatch."""


class Statistic(NamedTuple):
    """A statistic: `kind` is one of SIMPLE, or `p`, `tm`, `tc`, `ts`, `wm`, `pr`.

    `lower` and `upper` bound what is looked at, None where there is no bound; they are parts of 1 (`percent`) or values.
    A percentile has its part of 1 in `upper`.
    """

    text: str
    kind: str
    lower: Fraction | None = None
    upper: Fraction | None = None
    percent: bool = False

    @property
    def simple(self) -> bool:
        """Whether a statistic set is enough to compute it; others need the values themselves."""
        return self.kind in SIMPLE

    @property
    def beyond_alarms(self) -> bool:
        """Whether it is a range of parts that reaches beyond the 10 to 90 % that the API names for alarms."""
        if not self.percent or not self.text.endswith(")"):
            return False
        return any(bound is not None and not _LEAST <= bound <= _MOST for bound in (self.lower, self.upper))


def parse_statistic(text: str) -> Statistic:
    """Parse a statistic as an alarm names it; StatisticError if it is none. Capitals matter, as in the service."""
    found = _read(text)
    if found is None or not _sensible(found):
        raise StatisticError(
            f"{text[:100]!r} is no statistic of CloudWatch", remedy=f"write {', '.join(SIMPLE)}, {SHOWN}"
        )
    return found


def is_extended(text: str) -> bool:
    """Whether a text is one of the statistics that need the values themselves."""
    found = _read(text)
    return found is not None and not found.simple and _sensible(found)


def _read(text: str) -> Statistic | None:
    if text in SIMPLE:
        return Statistic(text, text)
    if text == "IQM":
        return Statistic(text, "tm", Fraction(1, 4), Fraction(3, 4), percent=True)
    if one := _ONE.fullmatch(text):
        return Statistic(text, one[1], None, Fraction(one[2]) / 100, percent=True)
    if parts := _PARTS.fullmatch(text):
        lower, upper = (None if bound is None else Fraction(bound) / 100 for bound in parts.groups()[1:])
        return Statistic(text, parts[1].lower(), lower, upper, percent=True)
    if values := _VALUES.fullmatch(text):
        lower, upper = (None if bound is None else Fraction(bound) for bound in values.groups()[1:])
        return Statistic(text, values[1].lower(), lower, upper)
    return None


def _sensible(statistic: Statistic) -> bool:
    """Whether something may lie between the bounds, and no part is more than the whole."""
    if statistic.simple:
        return True
    lower, upper = statistic.lower, statistic.upper
    bounds = [bound for bound in (lower, upper) if bound is not None]
    if not bounds or (statistic.percent and max(bounds) > 1):
        return False
    return lower is None or upper is None or lower < upper
