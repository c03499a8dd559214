"""The picture of an alarm's metric: its datapoints and threshold as PNG, drawn as the charts of queries are."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from math import isfinite
from typing import Any, Final

from rolewatch.base.errors import CannotDo
from rolewatch.base.sanitise import terminal
from rolewatch.notify.notification import Notification

#: Columns of a picture at most: with more, the oldest datapoints are left out.
_MOST: Final = 1440
_LABEL: Final = 60
_GREATEST: Final = 1e300  # a greater value is drawn as this one: differences stay finite


def picture(notification: Notification) -> bytes | None:
    """Draw an alarm's datapoints as PNG; None without any, and where the extra `web` is not installed."""
    points = _points(notification.datapoints)
    if notification.kind != "alarm" or not points:
        return None
    from rolewatch.report.query_chart_picture import available, png  # noqa: PLC0415 - only alarms have pictures

    try:
        available()
    except CannotDo:
        return None
    try:
        return png(_chart(notification, points))
    except (
        ValueError
    ):  # what vl-convert says of a drawing that fails: the message matters more than its picture
        return None


def _chart(notification: Notification, points: dict[int, float]) -> Any:
    """Lay values out in columns of the shortest distance between two of them; a column without one is a gap."""
    from rolewatch.report.query_chart import Chart, Panel, Series  # noqa: PLC0415 - as above
    from rolewatch.report.query_chart_shape import Measure  # noqa: PLC0415 - as above

    times = sorted(points)
    period = min((after - before for before, after in pairwise(times)), default=60_000)
    first = max(times[0], times[-1] - (_MOST - 1) * period)
    values: list[float | None] = [None] * ((times[-1] - first) // period + 1)
    for time in times:
        if time >= first:
            values[(time - first) // period] = points[time]
    alarm = notification.alarm or {}
    trigger = alarm.get("Trigger")
    name = trigger.get("MetricName") if isinstance(trigger, dict) else None
    label = terminal(str(name or "value"), _LABEL)
    series = [Series(label, tuple(values))]
    if notification.threshold is not None and isfinite(notification.threshold):
        series.append(Series("threshold", (_bounded(notification.threshold),) * len(values)))
    return Chart(
        title=terminal(str(alarm.get("AlarmName") or "alarm"), _LABEL),
        times=tuple(first + column * period for column in range(len(values) + 1)),
        labels=(),
        panels=(Panel(Measure(0, label, ""), tuple(series), ""),),
        per="",
        notes=(),
    )


def _points(datapoints: Iterable[dict[str, Any]]) -> dict[int, float]:
    """Give the values by time in milliseconds since 1970; what is no number, or has no time, is left out."""
    found: dict[int, float] = {}
    for point in datapoints:
        time, value = _milliseconds(point.get("timestamp")), point.get("value")
        if time is not None and isinstance(value, (int, float)) and isfinite(value):
            found[time] = _bounded(float(value))
    return found


def _bounded(value: float) -> float:
    return min(max(value, -_GREATEST), _GREATEST)


def _milliseconds(time: Any) -> int | None:
    """Read an ISO time, UTC unless it says otherwise, or seconds since 1970."""
    try:
        if isinstance(time, (int, float)):
            return int(time * 1000)
        moment = datetime.fromisoformat(str(time))
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
