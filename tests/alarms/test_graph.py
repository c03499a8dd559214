"""What an alarm held against its threshold, as points to draw."""

import math

import numpy as np
import pytest
from alarmed import DAY, METRIC, alarm, data, expression, metric
from hypothesis import given, settings
from hypothesis import strategies as st

from rolewatch.alarms import graph as drawing
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


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.integers(0, 300), st.integers(-5, 5).map(float), max_size=6),
    st.sampled_from([(60, 1), (300, 2), (3600, 30)]),
    st.sampled_from([0, 60, 240, 300]),
    st.sampled_from(["m1", "DIFF(m1)", "FILL(m1, 3)"]),
    st.integers(2, 400),
)
def test_parts_make_the_whole(values, periods, delay, text, points):
    """It makes no difference how much is looked at together, or that only the changes are."""
    watched = alarm(n=periods[1], queries=[metric("m1", periods[0]), expression(text)])
    metrics = data({60 * minute: {value: 1} for minute, value in values.items()}, Metric("N", "m1"))
    found = []
    with pytest.MonkeyPatch.context() as patch:
        for at_once, sparse in ((500_000, 4), (500_000, 10**9), (37, 4), (37, 10**9)):
            patch.setattr(drawing, "_AT_ONCE", at_once)
            patch.setattr(drawing, "_SPARSE", sparse)
            drawn_ = graph(watched, metrics, 90, 90 + 300 * 60, delay=delay, points=points)
            found.append((drawn_.times.tolist(), drawn_.seconds, repr(drawn_.values.tolist())))
    assert found[1:] == found[:1] * 3


def test_years_of_silence_cost_little(monkeypatch):
    """Where there are few datapoints, only they are looked at."""
    looked, points = [], drawing.Watch.points
    monkeypatch.setattr(
        drawing.Watch,
        "points",
        lambda self, ends, hidden=0: looked.append(len(ends)) or points(self, ends, hidden),
    )
    found = graph(alarm(300), data({0: {1.0: 1}, 4000 * DAY: {1.0: 1}}), 0, 4001 * DAY, points=100)
    assert sum(looked) < 200
    assert np.nanmax(found.values) == 1


def test_the_greatest_values():
    """Values and a threshold whose difference no double can hold are drawn all the same."""
    watched = alarm(queries=[metric("m1"), expression("m1 * 1e200")], threshold=-1.7e308)
    found = graph(watched, data([1e108, -1e108] * 20, Metric("N", "m1")), 0, 2400, points=4)
    assert (found.values.max(), found.values.min()) == pytest.approx((1e308, -1e308))


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
