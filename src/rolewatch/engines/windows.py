"""The times that a query is about: its own as functions see it, moved by an offset of its bins, and the one it compares with."""

from calendar import monthrange
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from rolewatch.base.errors import UsageError
from rolewatch.plan.stages import Segment
from rolewatch.sources.window import Window

_BEFORE: Final = {"previousday": timedelta(days=1), "previousweek": timedelta(weeks=1)}


def range_of(window: Window, now: datetime) -> tuple[int, int]:
    """Give the range of time that a query is about, in milliseconds since 1970."""
    start, end = window.since or datetime(1970, 1, 1, tzinfo=UTC), window.until or now
    return int(start.timestamp() * 1000), int(end.timestamp() * 1000)


def moved(window: Window, offset: int, now: datetime) -> Window:
    """Give the time of the records whose bins lie in a time, once they are moved by so many milliseconds."""
    if not offset or not (window.since or window.until):
        return window
    span = timedelta(milliseconds=offset)
    try:
        since = window.since and window.since - span
        return replace(window, since=since, until=(window.until or now) - span)
    except OverflowError:
        raise UsageError("the offset of stats leads before the calendar") from None


def before(part: Segment, window: Window, now: datetime) -> Window | None:
    """Give the time that a query compares with; None if it compares nothing. UsageError where that time has no beginning."""
    compared = getattr(part.stage, "compared", None)
    if compared is None:
        return None
    if window.since is None:
        raise UsageError(
            "diff compares with the time before, and this one has no beginning",
            remedy="write --since, such as --since 1d",
        )
    until = window.until or now
    since = earlier(window.since, until - window.since, compared)
    return replace(window, since=since, until=since + (until - window.since))


def earlier(since: datetime, length: timedelta, compared: str) -> datetime:
    """Give the beginning of the time that `diff` compares with: just before, or a day, a week or a month before."""
    try:
        if compared == "previousmonth":
            year, month = divmod(since.year * 12 + since.month - 2, 12)
            day = min(since.day, monthrange(year, month + 1)[1])
            return since.replace(year=year, month=month + 1, day=day)
        return since - _BEFORE.get(compared, length)
    except (OverflowError, ValueError):
        raise UsageError("diff compares with a time before the calendar") from None
