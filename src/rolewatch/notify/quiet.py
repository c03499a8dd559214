"""Quiet times: when nobody wants to be told what can wait. Times of day are those that the clock on the wall shows."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from rolewatch.base.errors import UsageError
from rolewatch.base.sanitise import terminal
from rolewatch.findings.severity import LEVELS
from rolewatch.templates.timezones import TimezoneError, parse_timezone

URGENT: Final = "critical"  # the least severity that is told at any time
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = 24 * 60  # minutes
_WEEK: Final = 7 * _DAY
_MINUTE: Final = timedelta(minutes=1)
_ONE_DAY: Final = f"(?:{'|'.join(_DAYS)})"
_DAY_WORDS: Final = re.compile(rf"{_ONE_DAY}(?:-{_ONE_DAY})?(?:,{_ONE_DAY}(?:-{_ONE_DAY})?)*", re.IGNORECASE)
_TIME_WORDS: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")
_EXAMPLE: Final = "write such as 22:00-07:00 Europe/Vienna, Sat-Sun, or Mon-Thu 18:00-08:00"
#: A winter and a summer, to see whether times of several zones leave a gap.
_SEASONS: Final = (datetime(2026, 1, 12, tzinfo=UTC), datetime(2026, 7, 13, tzinfo=UTC))


class Quiet(NamedTuple):
    """Quiet times: by zone, a week of minutes from Monday 00:00 on, of which those that are not 0 are quiet."""

    weeks: Mapping[tzinfo, bytes] = {}
    urgent: str = URGENT

    def held_until(self, now: datetime, severity: str) -> datetime | None:
        """Say until when what has a severity is held back; None if it is told now."""
        if LEVELS.index(severity) >= LEVELS.index(self.urgent) or not self.covers(now):
            return None
        start = now.astimezone(UTC).replace(second=0, microsecond=0)
        # Minute by minute, since a clock that is put forward or back may skip or repeat the end. Three weeks are enough
        # for a gap of once a week that falls into the hour that a clock skips.
        return next(time for time in _minutes(start, 3 * _WEEK) if not self.covers(time))

    def covers(self, moment: datetime) -> bool:
        """Whether a moment is quiet."""
        for zone, week in self.weeks.items():
            shown = moment.astimezone(zone)
            if week[shown.weekday() * _DAY + shown.hour * 60 + shown.minute]:
                return True
        return False


def parse_quiet(
    times: Sequence[str], *, zone: str = "UTC", urgent: str = URGENT, place: str = "quiet times"
) -> Quiet:
    """Read quiet times such as `22:00-07:00 Europe/Vienna` or `Sat-Sun`; `zone` is that of those which name none.

    Days are those on which a quiet time begins. UsageError that names the place for what is no such time, and for times
    that never end.
    """
    usual = _zone(zone, place)
    weeks: dict[tzinfo, bytearray] = {}
    for text in times:
        words = text.split()
        days = _days(words.pop(0)) if words and _DAY_WORDS.fullmatch(words[0]) else range(7)
        start, length = _span(words.pop(0), place) if words and _TIME_WORDS.fullmatch(words[0]) else (0, _DAY)
        if len(words) > 1 or text.split() == words:  # neither days nor times of day
            raise UsageError(f"{place}: {terminal(text, 60)!r} is no quiet time", remedy=_EXAMPLE)
        week = weeks.setdefault(_zone(words[0], place) if words else usual, bytearray(_WEEK))
        for day in days:
            for minute in range(day * _DAY + start, day * _DAY + start + length):
                week[minute % _WEEK] = 1
    quiet = Quiet({own: bytes(week) for own, week in weeks.items()}, urgent)
    if any(all(map(quiet.covers, _minutes(season, _WEEK))) for season in _SEASONS):
        raise UsageError(f"{place} never end", remedy="leave a time in which what was held back can be told")
    return quiet


def _days(words: str) -> Iterable[int]:
    """Give the days of the week that are meant, 0 for Monday."""
    for part in words.lower().split(","):
        first, _, last = part.partition("-")
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        yield from (day % 7 for day in range(start, end + 1 + (7 if end < start else 0)))


def _span(words: str, place: str) -> tuple[int, int]:
    """Give the minute of the day at which a quiet time starts, and its length in minutes."""
    hour, minute, end_hour, end_minute = map(int, _TIME_WORDS.fullmatch(words).groups())  # type: ignore[union-attr]
    start, end = hour * 60 + minute, end_hour * 60 + end_minute
    if max(minute, end_minute) > 59 or start >= _DAY or end > _DAY:
        raise UsageError(f"{place}: {words} are no times of day", remedy="write them from 00:00 to 24:00")
    if start == end:
        raise UsageError(f"{place}: {words} ends when it begins", remedy="write 00:00-24:00 for a whole day")
    return start, end - start if end > start else end - start + _DAY


def _zone(name: str, place: str) -> tzinfo:
    try:
        return parse_timezone(name)
    except TimezoneError as error:
        raise UsageError(f"{place}: {error.message}", remedy=error.remedy) from None


def _minutes(start: datetime, number: int) -> Iterable[datetime]:
    return (start + _MINUTE * each for each in range(1, number + 1))
