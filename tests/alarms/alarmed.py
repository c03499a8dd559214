"""Alarms for tests, with as little written as possible."""

from rolewatch.alarms.evaluate import replay
from rolewatch.metrics.series import series_of
from rolewatch.templates.definitions import (
    Actions,
    Alarm,
    CompositeAlarm,
    Metric,
    MetricQuery,
    MetricStat,
    Place,
)

PLACE = Place("alarms.yaml", 3, 5, "Resources.A")
METRIC = Metric("N", "m")
MINUTE, HOUR, DAY = 60, 3600, 86400


def alarm(  # noqa: PLR0917 - most tests give the first few
    period=60,
    n=1,
    m=None,
    treat="missing",
    threshold=1.0,
    compare="GreaterThanOrEqualToThreshold",
    statistic="Sum",
    **more,
):
    """Make an alarm on METRIC, or with `queries` on an expression."""
    queries = tuple(more.pop("queries", ()))
    stat = (
        None if queries else MetricStat(more.pop("metric", METRIC), period, statistic, more.pop("unit", None))
    )
    fields = {
        "logical_id": "A", "name": "a", "description": None, "stat": stat, "queries": queries, "evaluation_periods": n,
        "datapoints_to_alarm": m, "threshold": threshold, "threshold_metric_id": None, "comparison_operator": compare,
        "treat_missing_data": treat, "evaluate_low_sample_count_percentile": "evaluate",
        "actions": Actions(alarm=("page",), ok=("calm",), insufficient_data=("hm",)), "place": PLACE,
    }  # fmt: skip
    return Alarm(**{**fields, **more})


def metric(name, period=60, statistic="Sum", *, returned=False):
    """Make a query of a metric's statistic; the metric has the query's name."""
    return MetricQuery(name, MetricStat(Metric("N", name), period, statistic), None, None, None, returned)


def expression(text, name="e", *, returned=True):
    """Make a query with an expression."""
    return MetricQuery(name, None, text, None, None, returned)


def composite(rule, name="c", **more):
    """Make a composite alarm."""
    actions = Actions(alarm=("page",), ok=("calm",))
    fields = {"logical_id": "C", "name": name, "description": None, "rule": rule, "actions": actions, "suppressor": None, "wait_period": 0, "extension_period": 0, "place": PLACE}  # fmt: skip
    return CompositeAlarm(**{**fields, **more})


def data(values, of=METRIC, unit="None", step=60, start=0):
    """Make metrics from values one step apart (None for a gap), or from time → value → occurrences."""
    if not isinstance(values, dict):
        values = {start + step * i: {float(value): 1} for i, value in enumerate(values) if value is not None}
    return {of: {unit: series_of(values)}}


def states(watched, metrics, end, start=0, **more):
    """Replay one alarm and give its changes as (time, before, after)."""
    (history,), notices = replay([watched], [], metrics, start=start, end=end, **more)
    assert notices == ()
    return [(change.time, str(change.before), str(change.after)) for change in history.transitions]


def told(watched, metrics, end, start=0, **more):
    """Replay one alarm and give the transitions."""
    (history,), notices = replay([watched], [], metrics, start=start, end=end, **more)
    assert notices == ()
    return history.transitions


def complaint(watched, metrics=None):
    """Replay an alarm that cannot be evaluated and give what is said about it."""
    histories, (notice,) = replay([watched], [], metrics or {}, start=0, end=600)
    assert (histories, notice.level, notice.place) == ((), "error", PLACE)
    return notice.message
