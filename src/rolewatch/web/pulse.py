"""How the watcher is: when a delivery came last, and whether that is long ago."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final, NamedTuple

from rolewatch.base.clock import moment_of, spelled
from rolewatch.base.errors import RolewatchError
from rolewatch.store import sources
from rolewatch.web.answers import ProblemError
from rolewatch.web.desk import Desk

LATE: Final = timedelta(hours=1)  # CloudTrail delivers every few minutes where anything happens
FRESH: Final = 2.0  # seconds for which it need not be asked again


class Pulse(NamedTuple):
    """When the last delivery came, "" if none did, and whether that is too long ago."""

    arrived: str = ""
    late: bool = False


def pulse_of(desk: Desk, monotonic: Callable[[], float] = time.monotonic) -> Callable[[], Pulse]:
    """Make what says how the watcher is, from any thread."""
    known: tuple[float, Pulse] = (-FRESH, Pulse())

    def pulse() -> Pulse:
        nonlocal known
        now = monotonic()
        if now - known[0] >= FRESH:
            known = now, _asked(desk)
        return known[1]

    return pulse


def _asked(desk: Desk) -> Pulse:
    try:
        rows = desk.read(sources.rows)
    except (RolewatchError, ProblemError):
        return Pulse()
    arrived = max((row.arrived for row in rows if row.arrived), default=None)
    if arrived is None:
        return Pulse()
    moment = moment_of(arrived)
    return Pulse(spelled(moment), desk.clock() - moment > LATE)
