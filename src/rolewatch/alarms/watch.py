"""An alarm's definition and the datapoints of its metrics in; what the alarm sees in any period out.

A period is named by its end. With a delay, datapoints of the last seconds are not visible yet: periods lie wholly or partly
beyond what can be seen.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Final, NamedTuple

import numpy as np

from rolewatch.alarms.band import Band, band_width, within
from rolewatch.alarms.errors import AlarmError
from rolewatch.alarms.formula import Formula
from rolewatch.alarms.functions import Flags, Moment, Value, distinct
from rolewatch.metrics.combination import combined
from rolewatch.metrics.series import Floats, Series, Times, series_of
from rolewatch.metrics.statistics import sample_counts, windowed
from rolewatch.templates.definitions import Alarm, AnomalyDetector, Metric, MetricQuery, MetricStat
from rolewatch.templates.statistic import Statistic, parse_statistic
from rolewatch.templates.timezones import parse_timezone

Metrics = Mapping[Metric, Mapping[str, Series]]  # of each metric, by unit

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
_LONGEST: Final = 7 * _DAY  # an alarm looks back no further (spec/alarm.md §1)
_SHORT: Final = (10, 20, 30)  # periods of less than a minute
_TREATMENTS: Final = ("missing", "ignore", "breaching", "notBreaching")
#: What breaches a threshold.
STATIC: Final[dict[str, Callable[[Floats, float], Flags]]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_ANOMALY: Final[dict[str, Callable[[Floats, Floats, Floats], Flags]]] = {
    "LessThanLowerOrGreaterThanUpperThreshold": lambda value, lower, upper: (value < lower) | (value > upper),
    "LessThanLowerThreshold": lambda value, lower, _: value < lower,
    "GreaterThanUpperThreshold": lambda value, _, upper: value > upper,
}


class Points(NamedTuple):
    """What an alarm sees in some periods, all arrays of one shape; values are 0 where nothing is `present`.

    `samples` is the number of samples behind each value, None where an expression is watched. `lower` and `upper` are the
    bounds of an anomaly band.
    """

    present: Flags
    values: Floats
    samples: Floats | None
    lower: Floats | None = None
    upper: Floats | None = None


class _Source(NamedTuple):
    """A metric's datapoints and the statistic that is watched."""

    series: Series
    statistic: Statistic


class Watch:
    """An alarm, ready to be evaluated. Times are in epoch seconds, durations in seconds.

    `step` divides all ends of periods; `every` is the time between evaluations: a minute, ten seconds for periods of less
    than a minute, an hour where the alarm looks back more than a day (spec/alarm.md §3). `reach` is the number of periods
    that are looked at, two more than have to be there (§4).
    """

    def __init__(self, alarm: Alarm, metrics: Metrics, detectors: Sequence[AnomalyDetector] = ()) -> None:
        self.alarm = alarm
        self.wanted = alarm.evaluation_periods
        self.needed = (
            alarm.evaluation_periods if alarm.datapoints_to_alarm is None else alarm.datapoints_to_alarm
        )
        self.reach = self.wanted + 2
        self._formula: Formula | None = None
        self._sources: dict[str, _Source] = {}
        self.band: Band | None = None
        self._watched = ""
        stats = {"": alarm.stat} if alarm.stat is not None else self._read_queries(alarm.queries)
        _check(alarm, self.needed, stats)
        self.period = next(iter(stats.values())).period
        self.step = 10 if self.period < _MINUTE else _MINUTE
        self.every = _HOUR if self.wanted * self.period > _DAY else self.step
        for name, stat in stats.items():
            self._sources[name] = _Source(_series(stat, metrics), parse_statistic(stat.statistic))
        self.fewest = self._fewest_samples()
        if alarm.threshold_metric_id is not None:
            self.band = self._learned(
                alarm.threshold_metric_id, _detector(stats.get(self._watched), detectors)
            )

    def _read_queries(self, queries: tuple[MetricQuery, ...]) -> dict[str, MetricStat]:
        """Find out which series is watched, and which metrics it needs."""
        returned = [
            query.id for query in queries if query.returned and query.id != self.alarm.threshold_metric_id
        ]
        if len(returned) != 1:
            raise AlarmError("exactly one metric or expression of an alarm has ReturnData true")
        self._watched = returned[0]
        by_id = {query.id: query for query in queries}
        if by_id[self._watched].expression is not None:
            self._formula = Formula(queries, self._watched)
        names = {self._watched} if self._formula is None else self._formula.metrics
        stats = {query.id: query.stat for query in queries if query.id in names and query.stat is not None}
        if not stats:
            raise AlarmError("the expression refers to no metric", by_id[self._watched].expression)
        return stats

    def _learned(self, threshold_metric_id: str, detector: AnomalyDetector | None) -> Band:
        """Make the anomaly band from all periods that follow each other without overlap, but for those that are excluded."""
        width = band_width(self.alarm, threshold_metric_id, self._watched)
        if self.along:
            raise AlarmError("a band of an expression that looks at several periods at once is not supported")
        times = np.concatenate([source.series.times for source in self._sources.values()])
        if not len(times):
            return Band(width, times, np.empty(0))
        excluded = () if detector is None else detector.excluded
        zone = parse_timezone(detector.timezone) if detector is not None and detector.timezone else UTC
        first, last = int(times.min()) // self.period, int(times.max()) // self.period
        starts = np.arange(first, last + 1) * self.period
        points = self.points(starts + self.period)
        learned = points.present & ~within(excluded, starts, self.period)
        return Band(width, starts[learned], points.values[learned], zone)

    @property
    def along(self) -> bool:
        """Whether a period's value depends on the other periods that are looked at."""
        return self._formula is not None and self._formula.along

    def _fewest_samples(self) -> float | None:
        """Give the samples that a period needs for a percentile to count (spec/alarm.md §5.2); None if any number will do."""
        source = next(iter(self._sources.values()))
        part = source.statistic.upper
        ignored = self.alarm.evaluate_low_sample_count_percentile == "ignore" and self._formula is None
        if not ignored or source.statistic.kind != "p" or part is None or part in (0, 1):
            return None
        return float(10 / min(part, 1 - part))

    def changes(self, after: int, until: int, hidden: int = 0) -> Times | None:
        """Give the ends (`after < end <= until`) at which a period's value may differ from that of one step earlier.

        `hidden` seconds at the end of each period are not visible. None: it may differ everywhere.
        """
        if self.band is not None or (self._formula is not None and self._formula.timely):
            return None
        edges = []
        for times in self._times(after, until):
            edges += [times + hidden, times + self.period]
        # The first end on the grid from which a datapoint counts, and the first from which it does not any more.
        ends = distinct((np.concatenate(edges) // self.step + 1) * self.step)
        return ends[(ends > after) & (ends <= until)]

    def most_changes(self, after: int, until: int) -> int | None:
        """Give at least the number of these changes, at less cost; None as there."""
        if self.band is not None or (self._formula is not None and self._formula.timely):
            return None
        return 2 * sum(map(len, self._times(after, until)))

    def _times(self, after: int, until: int) -> list[Times]:
        """Give the times of each metric's datapoints that a period with an end in between may count."""
        parts = []
        for source in self._sources.values():
            times = source.series.times
            low, high = np.searchsorted(times, [after - self.period - self.step, until])
            parts.append(times[low:high])
        return parts

    def points(self, ends: Times, hidden: int = 0) -> Points:
        """Give what is seen in the periods with these ends, each on its own (not if `along`)."""
        flat = ends.reshape(-1, 1)
        seen = self._seen(
            flat, {name: self._value(source, flat, hidden) for name, source in self._sources.items()}
        )
        present, values = seen.present.reshape(ends.shape), seen.values.reshape(ends.shape)
        samples = None if self._formula else self._samples(ends, hidden)
        return self._bounded(Points(present, values, samples), ends)

    def ranges(self, ends: Times, delay: int) -> Points:
        """Give what an evaluation at each end sees: a row of `reach` periods, from the oldest to the newest."""
        columns = ends[:, None] - np.arange(self.reach - 1, -1, -1) * self.period
        whole, hidden = divmod(delay, self.period)
        # The newest `whole` periods cannot be seen at all, the one before them lacks its last `hidden` seconds.
        seen = max(self.reach - whole, 0)
        cut = np.zeros(self.reach, np.int64)
        cut[seen:] = self.period
        cut[seen - 1 : seen] = hidden
        values = {name: self._value(source, columns, cut) for name, source in self._sources.items()}
        result = self._seen(columns, values)
        samples = None if self._formula else self._samples(columns, cut)
        return self._bounded(Points(result.present, result.values, samples), columns)

    def unseen(self) -> Points:
        """Give what is seen in a period of which nothing is visible (not if `along`, or where it depends on the time)."""
        return self.points(np.zeros(1, np.int64), self.period)

    def breaching(self, points: Points) -> Flags:
        """Say which periods breach the threshold (spec/alarm.md §2)."""
        name = self.alarm.comparison_operator
        if points.lower is not None and points.upper is not None:
            return points.present & _ANOMALY[name](points.values, points.lower, points.upper)
        assert self.alarm.threshold is not None  # noqa: S101 - checked at the start
        return points.present & STATIC[name](points.values, self.alarm.threshold)

    def insignificant(self, points: Points) -> Flags:
        """Say which periods have too few samples for their percentile."""
        if self.fewest is None or points.samples is None:
            return np.zeros_like(points.present)
        return points.present & (points.samples < self.fewest)

    def _value(self, source: _Source, ends: Times, hidden: int | Times) -> Value:
        return Value(*windowed(source.series, ends - self.period, ends - hidden, source.statistic))

    def _samples(self, ends: Times, hidden: int | Times) -> Floats:
        series = next(iter(self._sources.values())).series
        return sample_counts(series, ends - self.period, ends - hidden)

    def _seen(self, ends: Times, values: dict[str, Value]) -> Value:
        if self._formula is None:
            return values[self._watched]
        with np.errstate(all="ignore"):  # what is not finite is missing
            return self._formula.compute(self._watched, values, Moment(ends, self.period))

    def _bounded(self, points: Points, ends: Times) -> Points:
        if self.band is None:
            return points
        known, lower, upper = self.band.at(ends - self.period)
        present = points.present & known
        return Points(present, np.where(present, points.values, 0.0), points.samples, lower, upper)


def _detector(stat: MetricStat | None, detectors: Sequence[AnomalyDetector]) -> AnomalyDetector | None:
    """Find the detector of a metric and statistic; there is none of an expression."""
    if stat is None:
        return None
    wanted = stat.metric, stat.statistic
    return next((each for each in detectors if (each.metric, each.statistic) == wanted), None)


def _series(stat: MetricStat, metrics: Metrics) -> Series:
    """Find the datapoints: of all units, or of the one that is named."""
    units = metrics.get(stat.metric, {})
    if stat.unit is None:
        return combined(units.values())
    return units.get(stat.unit, series_of({}))


def _check(alarm: Alarm, needed: int, stats: Mapping[str, MetricStat]) -> None:
    """Refuse what cannot be evaluated; templates are checked more closely where they are read."""
    if not 1 <= needed <= alarm.evaluation_periods:
        raise AlarmError(
            f"DatapointsToAlarm is {needed}, but has to lie between 1 and EvaluationPeriods ({alarm.evaluation_periods})"
        )
    if alarm.treat_missing_data not in _TREATMENTS:
        raise AlarmError(
            f"TreatMissingData is {alarm.treat_missing_data!r}", remedy=f"write {', '.join(_TREATMENTS)}"
        )
    known = _ANOMALY if alarm.threshold_metric_id is not None else STATIC
    if alarm.comparison_operator not in known:
        raise AlarmError(
            f"ComparisonOperator is {alarm.comparison_operator!r}", remedy=f"write {', '.join(known)}"
        )
    if alarm.threshold_metric_id is None and alarm.threshold is None:
        raise AlarmError("the alarm has neither Threshold nor ThresholdMetricId")
    periods = {stat.period for stat in stats.values()}
    if len(periods) > 1:
        raise AlarmError(
            f"the metrics of the expression have the periods {', '.join(map(str, sorted(periods)))}",
            remedy="give all of them the same Period",
        )
    period = periods.pop()
    if period not in _SHORT and (period < _MINUTE or period % _MINUTE):
        raise AlarmError(f"Period is {period}", remedy="write 10, 20, 30 or a multiple of 60")
    if period * alarm.evaluation_periods > _LONGEST:
        raise AlarmError("EvaluationPeriods times Period is more than seven days")
