"""The values of a metric in, the band of what is normal in any hour out: an anomaly detector of our own.

CloudWatch does not document its model (spec/alarm.md §11). Ours is plain: for each hour the values of the two weeks before
it that fell into the same hour of the week, or if these are too few, the same hour of the day, or else all. Their median is
the middle of the band; half its width is `width` standard deviations, estimated from the median absolute deviation, or from
the mean one where more than half of the values are equal. A metric without negative values has a band without them.
"""

from typing import Final

import numpy as np

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


class Band:
    """What is normal: learned from values of periods with these starts, in ascending order."""

    def __init__(self, width: float, starts: Times, values: Floats) -> None:
        self._width = width
        self._starts = starts
        self._values = values
        self._hours: dict[int, tuple[bool, float, float]] = {}

    def at(self, starts: Times) -> tuple[Flags, Floats, Floats]:
        """Give for periods with these starts whether the band is known, its lower and its upper bound (0 where unknown)."""
        of_starts = starts // _HOUR
        hours = distinct(of_starts.ravel())
        rows = [self._hours.get(hour) or self._learn(hour) for hour in hours.tolist()]
        table = np.array(rows, np.float64).reshape(-1, 3)[np.searchsorted(hours, of_starts)]
        return table[..., 0] > 0, table[..., 1], table[..., 2]

    def _learn(self, hour: int) -> tuple[bool, float, float]:
        """Look at what is known when the hour begins."""
        low, high = np.searchsorted(self._starts, [hour * _HOUR - _LEARNED, hour * _HOUR])
        past, values = self._starts[low:high] // _HOUR, self._values[low:high]
        result = (False, 0.0, 0.0)
        for season in _SEASONS:
            alike = values[(hour - past) % season == 0]
            if len(alike) >= _FEWEST:
                middle = float(np.median(alike))
                away = np.abs(alike - middle)
                half = self._width * (_OF_MEDIAN * float(np.median(away)) or _OF_MEAN * float(away.mean()))
                lower = middle - half
                result = (True, max(lower, 0.0) if values.min() >= 0 else lower, middle + half)
                break
        self._hours[hour] = result
        return result
