"""Clocks of live sources, and the pauses between their requests."""

import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_PAUSE: Final = 60.0  # seconds
SLOWEST: Final = 1 / 16  # of the first rate
RECOVERY: Final = 50  # requests without throttling after which a rate that was halved is whole again

_DIGITS: Final = 15  # of milliseconds that are a time


class Time:
    """The clocks that a source looks at, and how it waits; a test has its own."""

    def now(self) -> datetime:
        """Return the time of day."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that only ever go on."""
        return time.monotonic()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait until the event is set, `seconds` at most; returns whether it is."""
        return event.wait(max(seconds, 0.0))


def moment_of(date: str | None) -> datetime | None:
    """Read the `Date` of an answer, AWS's own clock; None if it says none."""
    try:
        moment = parsedate_to_datetime(date) if date else None
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None


def instant(text: object) -> float | None:
    """Read a time that a message tells (ISO 8601 with a zone), in seconds since 1970; None of what is none."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment.timestamp() if moment and moment.tzinfo else None


def of_milliseconds(number: object) -> float | None:
    """Read milliseconds since 1970, a number or its digits, as seconds; None of what cannot be a time."""
    if isinstance(number, str) and number.isascii() and number.isdecimal() and len(number) <= _DIGITS:
        number = int(number)
    if isinstance(number, int | float) and 0 <= number < 10**_DIGITS:  # not NaN either
        return number / 1000
    return None


class Backoff:
    """Pauses after failures, in seconds: each twice as long as the one before, up to LONGEST_PAUSE."""

    def __init__(self, first: float = 1.0) -> None:
        self._first = self._next = first

    def pause(self) -> float:
        """Return the pause after one more failure."""
        pause, self._next = self._next, min(self._next * 2, LONGEST_PAUSE)
        return pause

    def reset(self) -> None:
        """Note that it works again."""
        self._next = self._first


class Pace:
    """How far apart requests are kept: half the rate after each throttled one, and slowly back again.

    `rate` is requests a second at most. The limits of AWS hold for a whole account, so others may use them too.
    """

    def __init__(self, rate: float) -> None:
        self._most = self._rate = rate
        self._next = 0.0

    def delay(self, now: float) -> float:
        """Return how many seconds from `now` (a monotonic clock's) the next request has to wait."""
        return self._next - now

    def sent(self, now: float) -> None:
        """Note that a request was sent."""
        self._next = now + 1 / self._rate
        self._rate = min(self._most, self._rate + self._most / RECOVERY / 2)

    def throttled(self) -> None:
        """Note that AWS refused a request because there were too many."""
        self._rate = max(self._most * SLOWEST, self._rate / 2)
