"""Spans of time in queries: amounts and units (spec/insights-ql.md §6.1)."""

from typing import Final, NamedTuple


class _Unit(NamedTuple):
    names: tuple[str, ...]
    milliseconds: int
    months: int
    most: int | None  # of them count: `bin(300s)` means 60 seconds (documented)


_ROWS: Final = (
    _Unit(("ms", "msec", "millisecond"), 1, 0, 1000),
    _Unit(("s", "sec", "second"), 1000, 0, 60),
    _Unit(("m", "min", "minute"), 60_000, 0, 60),
    _Unit(("h", "hr", "hour"), 3_600_000, 0, 24),
    _Unit(("d", "day"), 86_400_000, 0, None),
    _Unit(("w", "week"), 604_800_000, 0, None),
    _Unit(("mo", "mon", "month"), 0, 1, None),
    _Unit(("q", "qtr", "quarter"), 0, 3, None),
    _Unit(("y", "yr", "year"), 0, 12, None),
)
#: By name; those longer than a letter have a plural.
UNITS: Final = {
    name: row for row in _ROWS for each in row.names for name in ((each, f"{each}s") if len(each) > 1 else (each,))
}  # fmt: skip
LARGEST: Final = 1_000_000  # of any unit


def period(amount: int, unit: str) -> tuple[int, int]:
    """Give (milliseconds, months); more of a unit than counts is cut. KeyError for a unit that does not exist."""
    found = UNITS[unit.lower()]
    counted = amount if found.most is None else min(amount, found.most)
    return found.milliseconds * counted, found.months * counted
