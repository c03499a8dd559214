"""Moments of the clock in the forms in which they are kept and shown."""

from datetime import UTC, datetime


def spelled(moment: datetime) -> str:
    """Spell a moment as eventTime does, so that the two compare as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(moment: datetime) -> int:
    """Give a moment in milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def moment_of(since_1970: float) -> datetime:
    """Give the moment of so many milliseconds since 1970, in UTC."""
    return datetime.fromtimestamp(since_1970 / 1000, UTC)
