"""Anomaly alarms: the band that we learn, and what is said when a value leaves it (spec/alarm.md §11 and §7)."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from alarmed import DAY, HOUR, PLACE, alarm, complaint, data, expression, metric, states, told

from rolewatch.alarms.band import Band
from rolewatch.alarms.graph import graph
from rolewatch.templates.definitions import AnomalyDetector, Metric

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


@pytest.mark.parametrize(
    ("width", "greatest", "known"),
    [(2.0, 2.0**360, True), (2.0, 1.7e308, False), (1e308, 1e9, False)],
    ids=["great values", "greater ones", "a width without measure"],
)
def test_a_band_without_measure(width, greatest, known):
    """Bounds that no double can hold are no band."""
    starts = np.arange(0, WEEK, HOUR)
    values = np.where(starts // HOUR % 2 == 0, greatest, -greatest)
    found, lower, upper = Band(width, starts, values).at(np.array([12 * HOUR]))
    assert found.tolist() == [known]
    assert np.isfinite([lower, upper]).all()


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


def shifting(zone):
    """Give starts of four weeks of hours around a change of clocks, with values that stand out at 9 o'clock."""
    begin = int(datetime(2026, 3, 16, tzinfo=UTC).timestamp())
    starts = np.arange(begin, begin + 4 * WEEK, 300)
    shown = [datetime.fromtimestamp(start, ZoneInfo(zone)).hour for start in starts.tolist()]
    return starts, np.where(np.array(shown) == 9, 50.0, 2.0)


def test_hours_of_the_detectors_time_zone():
    """An hour of the week is what clocks show, also after they were put forward; in UTC it would be another hour."""
    starts, values = shifting("Europe/Berlin")
    nine = int(datetime(2026, 4, 6, 9, tzinfo=ZoneInfo("Europe/Berlin")).timestamp())
    at = np.array([nine, nine + HOUR])
    own = Band(2.0, starts, values, ZoneInfo("Europe/Berlin"))
    assert [each.tolist() for each in own.at(at)] == [[True, True], [50.0, 2.0], [50.0, 2.0]]
    lower, upper = Band(2.0, starts, values).at(at)[1:]
    assert not (lower == upper).any()


def test_hours_that_begin_at_half_past():
    """Where clocks are half an hour apart from UTC, so are the hours."""
    starts, values = shifting("Asia/Kolkata")
    half_past = int(datetime(2026, 4, 6, 3, 30, tzinfo=UTC).timestamp())
    band = Band(2.0, starts, values, ZoneInfo("Asia/Kolkata"))
    assert band.at(half_past + np.array([-1, 0, 3599, 3600]))[1].tolist() == [2.0, 50.0, 50.0, 2.0]


def detector(**fields):
    """Make the detector of M."""
    plain = {"logical_id": "D", "metric": M, "statistic": "Sum", "excluded": (), "timezone": None, "place": PLACE}  # fmt: skip
    return AnomalyDetector(**plain | fields)


def test_excluded_ranges():
    """Nothing is learned from a period any part of which is excluded, by the detector of this metric and statistic."""
    noisy = {**NORMAL, **{HOUR * 5 + 300 * i: {float(i): 1} for i in range(1, 200)}}
    metrics = data({**noisy, DAY: {100.0: 1}}, M)
    stop = HOUR * 5 + 300 * 199 + 1  # of the last noisy period one second is enough
    right = detector(excluded=((0, 1), (HOUR * 5 + 599, stop)))
    wrong = [detector(statistic="Average", excluded=right.excluded), detector(metric=Metric("N", "m2"), excluded=right.excluded)]  # fmt: skip
    first = [
        states(watching(), metrics, DAY + 60, DAY, initial={"a": "OK"}, detectors=detectors)
        for detectors in ([], wrong, [*wrong, right])
    ]
    assert first == [[], [], [(DAY + 60, "OK", "ALARM")]]


def test_a_detector_has_no_say_in_expressions():
    """A band of an expression is learned from all of its values, in UTC."""
    queries = [
        metric("m1", 300),
        expression("m1 * 2"),
        expression("ANOMALY_DETECTION_BAND(e)", "band", returned=False),
    ]
    metrics, whole = data({**NORMAL, DAY: {100.0: 1}}, M), detector(excluded=((0, DAY),))
    found = states(watching(queries=queries), metrics, DAY + 300, DAY, initial={"a": "OK"}, detectors=[whole])
    assert found[0] == (DAY + 60, "OK", "ALARM")
    alone = states(watching(), metrics, DAY + 300, DAY, initial={"a": "OK"}, detectors=[whole])
    assert alone[0] == (DAY + 60, "OK", "INSUFFICIENT_DATA")


def test_the_band_that_is_drawn_is_the_detectors():
    """A graph shows what the alarm was held against."""
    noisy = {**NORMAL, **{300 * i: {1000.0: 1} for i in range(0, 288, 2)}}
    metrics, calm = data({**noisy, DAY: {10.0: 1}}, M), {300 * i: {10.0 + i % 3: 1} for i in range(1, 288, 2)}  # fmt: skip
    only_noise = detector(excluded=tuple((300 * i + 299, 300 * i + 300) for i in range(0, 288, 2)))
    drawn = graph(watching(), metrics, DAY, DAY + 300, detectors=[only_noise])
    expected = graph(watching(), data({**calm, DAY: {10.0: 1}}, M), DAY, DAY + 300)
    assert drawn.upper.tolist() == expected.upper.tolist()
    assert drawn.upper.tolist() != graph(watching(), metrics, DAY, DAY + 300).upper.tolist()


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
