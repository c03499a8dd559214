"""Instants in epoch seconds and a time zone in, what its clocks show out; and the way back."""

from datetime import UTC, datetime, tzinfo
from typing import Final

import numpy as np

from rolewatch.alarms.functions import Flags
from rolewatch.metrics.series import Times

_DAY: Final = 86_400
_SLOT: Final = 900  # seconds; clocks are put forward and back at full quarters of an hour


def offsets(zone: tzinfo, instants: Times) -> Times:
    """Give how many seconds clocks are ahead of UTC at each instant."""
    if zone is UTC:
        return np.zeros_like(instants)
    slots, places = np.unique(instants // _SLOT, return_inverse=True)
    ahead = np.array([_offset(zone, slot * _SLOT) for slot in slots.tolist()], np.int64)
    return ahead[places.reshape(instants.shape)]


def _offset(zone: tzinfo, instant: int) -> int:
    try:
        found = datetime.fromtimestamp(instant, zone).utcoffset()
    except (ValueError, OverflowError):  # on the first and the last day of the calendar
        return 0
    return 0 if found is None else int(found.total_seconds())


def instants(zone: tzinfo, shown: Times) -> tuple[Flags, Times]:
    """Give for what clocks show (as epoch seconds if it were UTC) whether they ever do, and when they do first.

    They never show the hour that is left out when they are put forward; the hour that comes twice when they are put back
    counts once.
    """
    found = np.zeros(shown.shape, np.bool_)
    result = shown.copy()
    # Clocks that are put back are further ahead before, and so come to the same time earlier by what was ahead the day before.
    for day in (_DAY, -_DAY):
        tried = shown - offsets(zone, shown + day)
        right = tried + offsets(zone, tried) == shown
        found |= right
        result = np.where(right, tried, result)
    return found, result
