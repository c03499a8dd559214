"""Times as people write them: a point in time, or how long ago. Each raises ValueError that says what is wanted."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

OLDEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SPAN: Final = re.compile(r"(\d{1,9})\s*(s|m|h|d|w)")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def span(text: str, examples: str = "90s, 15m, 6h, 2d or 1w") -> timedelta:
    """Read a length of time: `90s`, `15m`, `6h`, `2d`, `1w`; the error advises to write one of the examples."""
    found = _SPAN.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no length of time; write {examples}")
    try:
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    except OverflowError:
        raise ValueError(f"{text!r} is longer than the calendar") from None


def moment(text: str) -> datetime | timedelta:
    """Read a point in time: ISO 8601 (UTC unless it says otherwise), or a span, which counts back from now."""
    text = text.strip()
    if _SPAN.fullmatch(text):
        return span(text)
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is no time; write 2026-03-01, 2026-03-01T10:00:00Z, or how long ago: 2d, 6h"
        ) from None


def counted(value: datetime | timedelta, now: datetime) -> datetime:
    """Count a span back from now; the result has whole seconds, as eventTime has, and no record is lost by that."""
    try:
        found = now - value if isinstance(value, timedelta) else value
        if found.microsecond:
            found = found.replace(microsecond=0) + timedelta(seconds=1)
    except OverflowError:
        found = OLDEST - timedelta(days=1)
    if found < OLDEST:
        raise ValueError(f"that is before {OLDEST.year}, and CloudTrail began in 2013")
    return found
