"""A range of days in, the fewest key prefixes that hold exactly those days out."""

from calendar import monthrange
from collections.abc import Iterator


def cover(first: str, last: str) -> Iterator[str]:
    """Yield prefixes of `YYYY/MM/DD/` that together cover the days from `first` to `last` (`YYYY-MM-DD`), in order.

    Whole years (`2025/`), whole months (`2025/11/`) and whole tens of days (`2025/11/2`) take one prefix each,
    so that a listing of three months takes two dozen requests at most.
    """
    for year in range(int(first[:4]), int(last[:4]) + 1):
        if first <= f"{year:04}-01-01" and f"{year:04}-12-31" <= last:
            yield f"{year:04}/"
            continue
        for month in range(1, 13):
            yield from _in_month(year, month, first, last)


def _in_month(year: int, month: int, first: str, last: str) -> Iterator[str]:
    here = f"{year:04}/{month:02}/"
    key = f"{year:04}-{month:02}-"
    end = monthrange(year, month)[1]
    if first <= f"{key}01" and f"{key}{end}" <= last:
        yield here
        return
    for tens in range(4):
        days = range(max(1, tens * 10), min(end, tens * 10 + 9) + 1)
        asked = [day for day in days if first <= f"{key}{day:02}" <= last]
        if len(asked) == len(days) > 2:
            yield f"{here}{tens}"
        else:
            yield from (f"{here}{day:02}/" for day in asked)
