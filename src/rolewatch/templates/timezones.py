"""The name of a time zone in (`Europe/London`), the zone out."""

from datetime import UTC, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from rolewatch.base.errors import UsageError

_UTC: Final = ("UTC", "Etc/UTC")  # known wherever there is no database of zones, too


class TimezoneError(UsageError):
    """A text that names no time zone."""


def parse_timezone(name: str) -> tzinfo:
    """Find a zone in the system's database; TimezoneError if there is none of this name."""
    if name in _UTC:
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # KeyError: there is none. The others: a path that leads out of the database, a folder, a file that is no zone.
        raise TimezoneError(
            f"{name[:60]!r} is no time zone known here", remedy="write one such as Europe/London, or UTC"
        ) from None
