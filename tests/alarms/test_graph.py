"""What an alarm held against its threshold, as points to draw."""

import math

import pytest
from alarmed import DAY, METRIC, alarm, data, expression, metric

from rolewatch.alarms.graph import graph
from rolewatch.base.errors import UsageError
from rolewatch.templates.definitions import Metric


def drawn(found):
    """Give times and values, None for a gap."""
    return [
        (time, None if math.isnan(value) else value)
        for time, value in zip(found.times.tolist(), found.values.tolist(), strict=True)
    ]


def test_what_each_evaluation_saw():
    """There is a value for each evaluation, of the period that ends there."""
    found = graph(alarm(120), data([1, 2, None, None, 5]), 0, 420)
    assert drawn(found) == [(60, 1), (120, 3), (180, 2), (240, None), (300, 5), (360, 5), (420, None)]
    assert (found.seconds, found.lower, found.upper) == (60, None, 1.0)


def test_thresholds_below():
    """A threshold that values must not fall below is the lower bound."""
    found = graph(alarm(compare="LessThanThreshold", threshold=3.0), {}, 0, 60)
    assert (found.lower, found.upper) == (3.0, None)


def test_delay():
    """With a delay it is the newest period of which something is visible."""
    found = graph(alarm(60), data([1, 2, 3, 4]), 0, 300, delay=120)
    assert drawn(found) == [(60, None), (120, None), (180, 1), (240, 2), (300, 3)]
    cut = graph(alarm(120), data([1, 2, 3, 4]), 0, 300, delay=60)
    assert drawn(cut) == [(60, None), (120, 1), (180, 2), (240, 3), (300, 4)]


@pytest.mark.parametrize("points", [10, 100, 999])
def test_thinning_keeps_peaks(points):
    """However few points there are, the lowest and the highest value are among them, in their time."""
    values = [10 + minute % 7 for minute in range(3000)]
    values[1234], values[2500] = 500, -500
    found = graph(alarm(60), data(values), 0, 3000 * 60, points=points)
    assert len(found.times) <= points + 2
    high, low = (drawn(found)[i] for i in (found.values.argmax(), found.values.argmin()))
    for (time, value), (minute, expected) in ((high, (1234, 500)), (low, (2500, -500))):
        assert expected == value
        assert time - 60 <= minute * 60 < time + found.seconds


def test_expressions_that_look_along():
    """Expressions over several periods are drawn too."""
    watched = alarm(queries=[metric("m1"), expression("DIFF(m1)")])
    found = graph(watched, data([1, 4, 4], Metric("N", "m1")), 0, 240)
    assert drawn(found) == [(60, None), (120, 3), (180, 0), (240, None)]


def test_bands():
    """An anomaly alarm has bounds for every value, and a value far outside the band is kept."""
    queries = [
        metric("m1", 300, returned=True),
        expression("ANOMALY_DETECTION_BAND(m1)", "b", returned=False),
    ]
    watched = alarm(
        queries=queries, threshold=None, threshold_metric_id="b", compare="GreaterThanUpperThreshold"
    )
    values = {300 * i: {10.0 + i % 3: 1} for i in range(2 * 288)} | {DAY: {99.0: 1}}
    found = graph(watched, data(values, Metric("N", "m1")), 0, 2 * DAY, points=50)
    peak = found.values.argmax()
    assert found.values[peak] == 99
    assert found.values[peak] > found.upper[peak] > found.lower[peak]
    assert len(found.upper) == len(found.lower) == len(found.values)


def test_nothing_to_draw():
    """No time, no points; an alarm that cannot be evaluated is an error."""
    assert drawn(graph(alarm(), {METRIC: {}}, 0, 0)) == []
    with pytest.raises(UsageError, match="Period is 7"):
        graph(alarm(7), {}, 0, 60)
