"""The values of a metric in, the band of what is normal in any hour out: an anomaly detector of our own.

CloudWatch does not document its model (spec/alarm.md §11). Ours is plain: for each hour the values of the two weeks before
it that fell into the same hour of the week, or if these are too few, the same hour of the day, or else all. Their median is
the middle of the band; half its width is `width` standard deviations, estimated from the median absolute deviation, or from
the mean one where more than half of the values are equal. A metric without negative values has a band without them. Hours are
those that clocks show in the detector's time zone, so that an hour of the week stays what it is when they are put forward.
"""

import math
from collections.abc import Iterable
from datetime import UTC, tzinfo
from typing import Final

import numpy as np

from rolewatch.alarms.clock import offsets
from rolewatch.alarms.errors import AlarmError
from rolewatch.alarms.expression import Call, Number, Word, parse_expression
from rolewatch.alarms.functions import Flags, distinct
from rolewatch.metrics.series import Floats, Times
from rolewatch.templates.definitions import Alarm

_HOUR: Final = 3600
_LEARNED: Final = 14 * 86_400  # seconds before the hour
_FEWEST: Final = 8  # values; from fewer nothing is concluded
_SEASONS: Final = (168, 24, 1)  # hours after which the same is expected
_WIDTH: Final = 2.0  # standard deviations, where none are given
_OF_MEDIAN, _OF_MEAN = 1.4826, 1.2533  # a normal distribution's standard deviation, in absolute deviations


def band_width(alarm: Alarm, threshold_metric_id: str, watched: str) -> float:
    """Read how many standard deviations the band of the watched series reaches to either side."""
    text = next((query.expression for query in alarm.queries if query.id == threshold_metric_id), None)
    if text is None:
        raise AlarmError(f"ThresholdMetricId is {threshold_metric_id!r}, but no expression has this id")
    match parse_expression(text):
        case Call("ANOMALY_DETECTION_BAND", (Word(name),)) if name == watched:
            return _WIDTH
        case Call("ANOMALY_DETECTION_BAND", (Word(name), Number(width))) if name == watched and width > 0:
            return width
    raise AlarmError("the threshold is no ANOMALY_DETECTION_BAND of the watched metric with a width", text)


def within(ranges: Iterable[tuple[int, int]], starts: Times, period: int) -> Flags:
    """Say of periods with these starts whether any part of them lies in one of the ranges (end excluded; epoch seconds)."""
    found = np.zeros(starts.shape, np.bool_)
    for first, stop in ranges:
        found |= (starts < stop) & (starts + period > first)
    return found


class Band:
    """What is normal: learned from values of periods with these starts, in ascending order."""

    def __init__(self, width: float, starts: Times, values: Floats, zone: tzinfo = UTC) -> None:
        self._width = width
        self._starts = starts
        self._values = values
        self._zone = zone
        self._shown = (starts + offsets(zone, starts)) // _HOUR
        self._hours: dict[int, tuple[bool, float, float]] = {}

    def at(self, starts: Times) -> tuple[Flags, Floats, Floats]:
        """Give for periods with these starts whether the band is known, its lower and its upper bound (0 where unknown)."""
        ahead = offsets(self._zone, starts)
        of_starts = (starts + ahead) // _HOUR * _HOUR - ahead
        hours = distinct(of_starts.ravel())
        shown = (hours + offsets(self._zone, hours)) // _HOUR
        rows = [
            self._hours.get(hour) or self._learn(hour, shown_there)
            for hour, shown_there in zip(hours.tolist(), shown.tolist(), strict=True)
        ]
        table = np.array(rows, np.float64).reshape(-1, 3)[np.searchsorted(hours, of_starts)]
        return table[..., 0] > 0, table[..., 1], table[..., 2]

    def _learn(self, hour: int, shown: int) -> tuple[bool, float, float]:
        """Look at what is known when the hour begins (epoch seconds) that clocks show as `shown` (counted in hours)."""
        low, high = np.searchsorted(self._starts, [hour - _LEARNED, hour])
        past, values = self._shown[low:high], self._values[low:high]
        result = (False, 0.0, 0.0)
        for season in _SEASONS:
            alike = values[(shown - past) % season == 0]
            if len(alike) >= _FEWEST:
                lower, upper = self._around(alike)
                if math.isfinite(lower) and math.isfinite(upper):
                    result = (True, max(lower, 0.0) if values.min() >= 0 else lower, upper)
                break
        self._hours[hour] = result
        return result

    def _around(self, values: Floats) -> tuple[float, float]:
        """Give the bounds around some values; not finite where these are too great to compute with."""
        with np.errstate(all="ignore"):
            middle = float(np.median(values))
            away = np.abs(values - middle)
            half = self._width * (_OF_MEDIAN * float(np.median(away)) or _OF_MEAN * float(away.mean()))
        return middle - half, middle + half
