"""Moments of the clock in the forms in which they are kept and shown."""

from datetime import UTC, datetime, timedelta
from typing import Final

LONGEST: Final = 20_000  # days between two days that are listed; folder names can lie


def spelled(moment: datetime) -> str:
    """Spell a moment as eventTime does, so that the two compare as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(moment: datetime) -> int:
    """Give a moment in milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def moment_of(since_1970: float) -> datetime:
    """Give the moment of so many milliseconds since 1970, in UTC."""
    return datetime.fromtimestamp(since_1970 / 1000, UTC)


def days_between(first: str, last: str) -> list[str]:
    """List the days from one to another (`YYYY-MM-DD`), both among them; none where one is no day, or for more than LONGEST."""
    try:
        day, end = (datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) for text in (first, last))
    except ValueError:
        return []
    span = (end - day).days + 1
    return [(day + timedelta(days=n)).strftime("%Y-%m-%d") for n in range(span)] if span <= LONGEST else []
