"""Days as bars: one scale for all charts of a page, and what findings put on it."""

import re
from datetime import date
from typing import Any, Final, NamedTuple

from rolewatch.report.order import Finding

#: Bars that stay apart on a page; longer spans put more days into a bar.
MOST_BARS: Final = 120
_STEPS: Final = (1, 7, 30, 365)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Scale(NamedTuple):
    """Days as bars: `first` is a proleptic ordinal, `step` days a bar, `bars` how many."""

    first: int
    step: int
    bars: int

    def place(self, day: str) -> int | None:
        """Return the bar of a day; None if it is no day or lies outside."""
        number = _ordinal(day)
        if number is None:
            return None
        bar = (number - self.first) // self.step
        return bar if 0 <= bar < self.bars else None

    def label(self, bar: int) -> str:
        """Return the day, or the first and the last day, of a bar."""
        start = date.fromordinal(self.first + bar * self.step)
        if self.step == 1:
            return start.isoformat()
        end = min(self.first + (bar + 1) * self.step - 1, date.max.toordinal())
        return f"{start.isoformat()} to {date.fromordinal(end).isoformat()}"

    def tick(self, bar: int) -> str:
        """Return what stands below a bar: "Mar 1", or "Mar 2026" where bars are long."""
        start = date.fromordinal(self.first + bar * self.step)
        month = _MONTHS[start.month - 1]
        return f"{month} {start.day}" if self.step < _STEPS[2] else f"{month} {start.year}"


def scale(report: dict[str, Any]) -> Scale | None:
    """Return the scale all charts share: from the first to the last day of any finding, or of the input if that is near.

    None if no finding has a day.
    """
    found = [entry["day"] for finding in report["findings"] for entry in finding["timeline"]]
    days = [number for number in map(_ordinal, found) if number is not None]
    if not days:
        return None
    first, last = min(days), max(days)
    ends = [_ordinal(str(report["coverage"][key])[:10]) for key in ("first_record", "last_record")]
    known = [end for end in ends if end is not None]
    wide_first, wide_last = min([first, *known]), max([last, *known])
    if _step(wide_last - wide_first + 1) == _step(last - first + 1):
        first, last = wide_first, wide_last
    step = _step(last - first + 1)
    return Scale(first, step, -(-(last - first + 1) // step))


def bars(findings: list[Finding], axis: Scale) -> list[tuple[int, int, int]]:
    """Return (bar, denials, proofs of access) of findings, each bar once, in order."""
    sums: dict[int, tuple[int, int]] = {}
    for entry in (entry for finding in findings for entry in finding["timeline"]):
        bar = axis.place(entry["day"])
        if bar is not None:
            denied, passed = sums.get(bar, (0, 0))
            sums[bar] = denied + entry["denials"], passed + entry["allowed"]
    return [(bar, *sums[bar]) for bar in sorted(sums)]


def _ordinal(day: str) -> int | None:
    if not _DAY.fullmatch(day):
        return None
    try:
        return date.fromisoformat(day).toordinal()
    except ValueError:
        return None


def _step(days: int) -> int:
    return next((step for step in _STEPS if days <= step * MOST_BARS), -(-days // MOST_BARS))
