"""Anomaly alarms: the band that we learn, and what is said when a value leaves it (spec/alarm.md §11 and §7)."""

import json

import numpy as np
import pytest
from alarmed import DAY, HOUR, alarm, complaint, data, expression, metric, states, told

from rolewatch.alarms.band import Band
from rolewatch.templates.definitions import Metric

M = Metric("N", "m1")
WEEK = 7 * DAY
BOTH, ABOVE, BELOW = (
    "LessThanLowerOrGreaterThanUpperThreshold",
    "GreaterThanUpperThreshold",
    "LessThanLowerThreshold",
)


def watching(text="ANOMALY_DETECTION_BAND(m1, 2)", compare=BOTH, period=300, **more):
    """Make an anomaly alarm."""
    queries = [metric("m1", period, returned=True), expression(text, "band", returned=True)]
    fields = {
        "n": 1,
        "m": 1,
        "threshold": None,
        "threshold_metric_id": "band",
        "compare": compare,
        "queries": queries,
    }
    return alarm(period, **{**fields, **more})


def test_the_band_of_an_hour():
    """It comes from the same hour of the week before: median, and deviations as of a normal distribution."""
    starts = np.arange(0, 2 * WEEK, 300)
    values = np.where(starts // HOUR % 168 == 10, 100.0 + starts // 300 % 12, 1.0 + starts // 300 % 2)
    band = Band(2.0, starts, values)
    known, lower, upper = band.at(np.array([[2 * WEEK + 10 * HOUR, 2 * WEEK + 11 * HOUR + 60]]))
    assert known.tolist() == [[True, True]]
    # 24 values, 100 to 111 twice: median 105.5, median absolute deviation 3.
    assert lower[0].tolist() == pytest.approx([105.5 - 2 * 1.4826 * 3, 1.5 - 2 * 1.4826 * 0.5])
    assert upper[0].tolist() == pytest.approx([105.5 + 2 * 1.4826 * 3, 1.5 + 2 * 1.4826 * 0.5])


def test_too_little_to_learn_from():
    """With less than eight values there is no band; until a week has passed, the hour of the day counts, or all hours."""
    starts = np.arange(0, 3 * DAY, HOUR)
    values = np.where(starts // HOUR % 24 == 5, 50.0, 2.0)
    assert Band(2.0, starts, values).at(np.array([7 * HOUR, 8 * HOUR]))[0].tolist() == [False, True]
    longer = np.arange(0, 10 * DAY, HOUR)
    known, lower, upper = Band(2.0, longer, np.where(longer // HOUR % 24 == 5, 50.0, 2.0)).at(
        np.array([10 * DAY + 5 * HOUR])
    )
    assert (known.tolist(), lower.tolist(), upper.tolist()) == ([True], [50.0], [50.0])


def test_equal_values():
    """Where more than half of the values are equal, the mean deviation makes the width; a band of counts is not negative."""
    starts = np.arange(0, WEEK, HOUR)
    values = np.where(starts // HOUR % 7 == 0, 7.0, 0.0)
    _, lower, upper = Band(3.0, starts, values).at(np.array([12 * HOUR]))
    assert (lower.tolist(), upper.tolist()) == ([0.0], pytest.approx([3 * 1.2533 * 14 / 12]))
    _, negative, _ = Band(3.0, starts, values - 1).at(np.array([12 * HOUR]))
    assert negative.tolist() == pytest.approx([-1 - 3 * 1.2533 * 14 / 12])


def test_only_the_past_is_known():
    """Values of the hour itself, and those older than two weeks, have no influence."""
    starts = np.arange(0, 3 * WEEK, HOUR)
    values = np.ones(len(starts))
    changed = np.where((starts < WEEK - HOUR) | (starts >= 3 * WEEK - HOUR), 1000.0, 1.0)
    at = np.array([3 * WEEK - HOUR + 60])
    assert [each.tolist() for each in Band(2.0, starts, values).at(at)] == [
        each.tolist() for each in Band(2.0, starts, changed).at(at)
    ]


NORMAL = {300 * i: {10.0 + i % 3: 1} for i in range(288)}


@pytest.mark.parametrize(("compare", "value", "expected"), [
    (BOTH, 100.0, True), (BOTH, 1.0, True), (ABOVE, 100.0, True), (ABOVE, 1.0, False), (BELOW, 1.0, True), (BELOW, 100.0, False),
])  # fmt: skip
def test_sides(compare, value, expected):
    """A value outside the band breaches on the side that the operator names."""
    metrics = data({**NORMAL, DAY: {value: 1}}, M)
    found = states(watching(compare=compare), metrics, DAY + 300, DAY, initial={"a": "OK"})
    assert expected == ((DAY + 60, "OK", "ALARM") in found)


def test_no_band_no_alarm():
    """A value counts as missing while nothing is known about what is normal."""
    assert states(watching(), data({0: {5.0: 1}}, M), 300) == []
    assert states(watching(treat="breaching"), data({0: {5.0: 1}}, M), 300) == [
        (60, "INSUFFICIENT_DATA", "ALARM")
    ]


def test_words_for_both_sides():
    """The reason lists the thresholds of both sides, the data too."""
    metrics = data({**NORMAL, DAY: {100.0: 1}}, M)
    (alarming,) = told(watching(), metrics, DAY + 60, DAY, initial={"a": "OK"})
    # Twelve values in the same hour of the days before, no: the first day, so all that are known.
    lower, upper = 11 - 2 * 1.4826, 11 + 2 * 1.4826
    assert alarming.reason == (
        f"Thresholds Crossed: 1 out of the last 1 datapoints [100.0 (02/01/70 00:00:00)] was less than the lower thresholds [{lower!r}]"
        f" or greater than the upper thresholds [{upper!r}] (minimum 1 datapoint for OK -> ALARM transition)."
    ).replace("(02/01/70 00:00:00)", "(01/01/70 23:56:00)")
    found = json.loads(alarming.reason_data)
    assert ([100.0], [lower], [upper]) == (
        found["recentDatapoints"],
        found["recentLowerThresholds"],
        found["recentUpperThresholds"],
    )
    assert {"threshold", "statistic"}.isdisjoint(found)


def test_words_for_one_side():
    """With one side only its thresholds are named, and each evaluated datapoint has its own."""
    metrics = data({**NORMAL, DAY: {100.0: 1}}, M)
    (alarming,) = told(watching(compare=ABOVE), metrics, DAY + 60, DAY, initial={"a": "OK"})
    upper = 11 + 2 * 1.4826
    assert f" was greater than the upper thresholds [{upper!r}] (minimum 1 " in alarming.reason
    found = json.loads(alarming.reason_data)
    assert "recentLowerThresholds" not in found
    assert found["evaluatedDatapoints"] == [
        {"timestamp": "1970-01-01T23:56:00.000+0000", "value": 100.0, "threshold": upper}
    ]


def test_words_for_many():
    """Seen on the service: from five datapoints on they are listed in a sentence of their own."""
    metrics = data({**NORMAL, **{DAY + 300 * i: {100.0: 1} for i in range(6)}}, M)
    (alarming,) = told(watching(n=10, m=6), metrics, DAY + 1800, DAY, asked=[DAY + 1800], initial={"a": "OK"})
    assert alarming.reason.startswith(
        "Thresholds Crossed: 6 out of the last 10 datapoints were less than the lower thresholds or greater than the upper thresholds."
        " Recent datapoints [100.0 (02/01/70 00:25:00), 100.0 (02/01/70 00:20:00), "
    )
    assert "] crossed the lower thresholds [" in alarming.reason
    assert "] or upper thresholds [" in alarming.reason
    assert alarming.reason.endswith("] (minimum 6 datapoints for OK -> ALARM transition).")


@pytest.mark.parametrize(("more", "message"), [
    ({"threshold_metric_id": "nothing", "queries": [metric("m1", returned=True)]}, "ThresholdMetricId is 'nothing', but no expression has this id"),
    ({"text": "m1 * 2"}, "the threshold is no ANOMALY_DETECTION_BAND of the watched metric with a width"),
    ({"text": "ANOMALY_DETECTION_BAND(m2, 2)"}, "the threshold is no ANOMALY_DETECTION_BAND"),
    ({"text": "ANOMALY_DETECTION_BAND(m1, 0)"}, "the threshold is no ANOMALY_DETECTION_BAND"),
    ({"compare": "GreaterThanThreshold"}, "ComparisonOperator is 'GreaterThanThreshold'"),
    ({"queries": [metric("m1"), expression("RATE(m1)"), expression("ANOMALY_DETECTION_BAND(e)", "band", returned=False)]},
     "a band of an expression that looks at several periods at once is not supported"),
])  # fmt: skip
def test_wrong_bands(more, message):
    """What is wrong is said."""
    assert message in complaint(watching(**more))


def test_default_width_and_expressions():
    """The width is two where none is written; an expression may be watched."""
    queries = [
        metric("m1", 300),
        expression("m1 * 2"),
        expression("ANOMALY_DETECTION_BAND(e)", "band", returned=False),
    ]
    metrics = data({**NORMAL, DAY: {100.0: 1}}, M)
    for delay, first in ((0, DAY + 60), (60, DAY + 120), (300, DAY + 360)):
        found = states(watching(queries=queries), metrics, DAY + 900, DAY, delay=delay, initial={"a": "OK"})
        assert (first, "OK", "ALARM") == found[0]
