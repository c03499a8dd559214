"""What AWS documents, and what was measured on the service (spec/alarm.md §3 to §5)."""

from calendar import timegm
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from alarmed import DAY, METRIC, MINUTE, alarm, data, states, told

from rolewatch.alarms.history import State

CASES = yaml.safe_load(Path(__file__).with_name("missing_data.yaml").read_text())
VALUES = {"0": 0, "X": 1, "-": None}
TABLES = [
    (table, row, treatment, state)
    for table in CASES["tables"]
    for row in table["rows"]
    for treatment in ("missing", "ignore", "breaching", "notBreaching")
    for state in State
]


def at(text):
    """Give the time of `08:14` on the day that was measured."""
    return timegm(datetime.fromisoformat(f"2026-08-19T{text}").timetuple())


def points(row):
    """Give the values of a row of the tables."""
    return data([VALUES[str(point)] for point in row["points"]])


@pytest.mark.parametrize(("table", "row", "treatment", "state"), TABLES)
def test_tables(table, row, treatment, state):
    """Every cell of the documented tables, from every state."""
    watched = alarm(60, table["evaluation_periods"], table["datapoints_to_alarm"], treatment)
    transitions = told(watched, points(row), 300, initial={"a": state}, asked=[300])
    expected = state if row[treatment] == "RETAIN" else State(row[treatment])
    assert expected == (transitions[-1].after if transitions else state)


@pytest.mark.parametrize("row", CASES["prose"])
@pytest.mark.parametrize("state", State)
def test_premature_alarms(row, state):
    """A few recent breaching datapoints do not alarm as long as the rest is missing; the state stays as it is."""
    transitions = told(alarm(60, 3, row["m"]), points(row), 300, initial={"a": state}, asked=[300])
    expected = state if row["missing"] == "not_alarm" else State.ALARM
    assert expected == (transitions[-1].after if transitions else state)


def test_a_metric_that_stops():
    """Measured: with eight periods of 15 minutes, breaching, ten have to be empty before the alarm goes off."""
    watched = alarm(900, 8, None, "breaching", 0.0, "LessThanOrEqualToThreshold")
    minutes = {at(f"0{hour}:{minute:02}"): {1.0: 1} for hour in range(4, 6) for minute in range(60)}
    metrics = data(
        {time: values for time, values in minutes.items() if time <= at("05:43")} | {at("09:50"): {1.0: 2}}
    )
    alarming, calm = told(watched, metrics, at("10:00"), at("05:00"), initial={"a": State.OK})
    assert (at("08:14"), State.ALARM) == (alarming.time, alarming.after)
    assert alarming.reason == (
        "Threshold Crossed: no datapoints were received for 8 periods and 8 missing datapoints were treated as [Breaching]."
    )
    assert [f"2026-08-19T{start}:00.000+0000" for start in
            ("07:59", "07:44", "07:29", "07:14", "06:59", "06:44", "06:29", "06:14")] == [
        part.split('"')[0] for part in alarming.reason_data.split('"timestamp":"')[1:]
    ]  # fmt: skip
    assert (at("09:51"), State.OK) == (calm.time, calm.after)
    assert calm.reason == (
        "Threshold Crossed: 1 datapoint [2.0 (19/08/26 09:36:00)] was not less than or equal to the threshold (0.0)"
        " and 7 missing datapoints were treated as [Breaching]."
    )


def test_a_counter_of_errors():
    """Measured: three periods of three minutes; the newest alone recovers."""
    watched = alarm(180, 3, None, "missing", 0.0, "GreaterThanThreshold")
    values = {"05:44": 1, "05:47": 3, "05:50": 2, "09:42": 1, "09:45": 1, "09:48": 0}
    metrics = data({at(time): {float(value): 1} for time, value in values.items()})
    alarming, *_ = told(watched, metrics, at("05:53"), at("05:52"), initial={"a": State.OK})
    assert alarming.time == at("05:53")
    assert alarming.reason == (
        "Threshold Crossed: 3 datapoints [2.0 (19/08/26 05:50:00), 3.0 (19/08/26 05:47:00), 1.0 (19/08/26 05:44:00)]"
        " were greater than the threshold (0.0)."
    )
    (calm,) = told(watched, metrics, at("09:51"), at("09:50"), initial={"a": State.ALARM})
    assert (
        calm.reason
        == "Threshold Crossed: 1 datapoint [0.0 (19/08/26 09:48:00)] was not greater than the threshold (0.0)."
    )


def test_one_day_breaching():
    """A day without data alarms about three days after the data stopped: that is N + 2 periods."""
    watched = alarm(DAY, 1, None, "breaching", 1.0, "LessThanThreshold")
    assert states(watched, data({0: {1.0: 1}}), 4 * DAY, initial={"a": State.OK}) == [
        (3 * DAY + MINUTE, "OK", "ALARM")
    ]


def test_windows_slide():
    """A five-minute alarm sees the last five minutes, not the last five that a clock would show."""
    watched = alarm(5 * MINUTE, treat="notBreaching", threshold=2.0)
    assert states(
        watched, data({3 * MINUTE: {1.0: 1}, 6 * MINUTE: {1.0: 1}}), 9 * MINUTE, initial={"a": State.OK}
    ) == [
        (7 * MINUTE, "OK", "ALARM"),
        (9 * MINUTE, "ALARM", "OK"),
    ]


def test_multi_day_timeline():
    """Documented: an alarm over more than a day is evaluated once an hour, with data up to the full hour."""
    watched = alarm(DAY, 2, 1, "notBreaching")
    failures = data({at("10:02"): {1.0: 1}, at("11:43"): {-1.0: 1}})  # how many are open: one more, one less
    asked = [at(text) for text in ("10:03", "11:03", "12:03")]
    assert states(watched, failures, at("13:00"), asked=asked, initial={"a": State.OK}) == [
        (at("11:03"), "OK", "ALARM"),
        (at("12:03"), "ALARM", "OK"),
    ]
    assert states(watched, failures, at("13:00"), at("09:00"), initial={"a": State.OK}) == [
        (at("11:00"), "OK", "ALARM"),
        (at("12:00"), "ALARM", "OK"),
    ]


def test_short_periods():
    """Periods of less than a minute are evaluated every ten seconds; the range of three reaches back to the one datapoint."""
    watched = alarm(10, treat="notBreaching")
    assert states(watched, data({20: {1.0: 1}}, step=10), 60, initial={"a": State.OK}) == [
        (30, "OK", "ALARM"),
        (60, "ALARM", "OK"),
    ]


def test_insufficient_data_needs_the_whole_range_empty():
    """With `missing`, one datapoint in the range is enough not to be without data."""
    watched = alarm(60, 3)
    assert states(watched, data([0, 0, 0]), 600) == [
        (60, "INSUFFICIENT_DATA", "OK"),
        (480, "OK", "INSUFFICIENT_DATA"),
    ]


def test_delay_hides_what_has_just_happened():
    """An alarm on one minute, with events five minutes late, never sees any: only the range reaches back."""
    metrics = data([1] * 30)
    assert states(alarm(60, 1, treat="notBreaching"), metrics, 1800, delay=300, initial={"a": State.OK}) == []
    # The range of four periods after four hidden ones: seven minutes back.
    assert states(alarm(60, 4, 1, "notBreaching"), metrics, 1800, delay=300, initial={"a": State.OK}) == [
        (360, "OK", "ALARM")
    ]


def test_delay_cuts_the_newest_period():
    """Of a period that is visible in part, what is visible counts; a delay is rounded up to whole minutes."""
    watched = alarm(300, 1, treat="notBreaching", threshold=3.0)
    metrics = data([1] * 5)
    assert states(watched, metrics, 540, initial={"a": State.OK}) == [
        (180, "OK", "ALARM"),
        (480, "ALARM", "OK"),
    ]
    for delay in (61, 120):
        assert states(watched, metrics, 540, delay=delay, initial={"a": State.OK}) == [
            (300, "OK", "ALARM"),
            (480, "ALARM", "OK"),
        ]


def test_asked_times_only():
    """An alarm that is evaluated only when asked stays as it is in between; seconds do not matter."""
    watched = alarm(60, treat="notBreaching")
    metrics = data([0, 1, 0, 0, 1])
    assert states(watched, metrics, 600, asked=[301, 125], initial={"a": State.OK}) == [(125, "OK", "ALARM")]
    assert states(watched, metrics, 600, asked=[125, 190], initial={"a": State.OK}) == [
        (125, "OK", "ALARM"),
        (190, "ALARM", "OK"),
    ]


def test_units():
    """An alarm without a unit counts all units, one with a unit exactly that."""
    both = {METRIC: {**data([1])[METRIC], **data([3], unit="Bytes")[METRIC]}}
    found = [
        states(alarm(60, threshold=threshold, unit=unit), both, 60)[0][2]
        for unit, threshold in [(None, 4.0), ("Bytes", 3.0), ("Bytes", 4.0), ("None", 1.0), ("Bits", 1.0)][:4]
    ]
    assert found == ["ALARM", "ALARM", "OK", "ALARM"]
    assert states(alarm(60, unit="Bits"), both, 60) == []


def test_percentiles_of_few_samples():
    """With `ignore`, a percentile of too few samples changes nothing: p90 needs a hundred, p10 too."""
    for statistic in ("p90", "p10"):
        watched = alarm(60, statistic=statistic, evaluate_low_sample_count_percentile="ignore")
        few, enough = data({0: {5.0: 99}}), data({0: {5.0: 100}})
        assert states(watched, few, 60, initial={"a": State.OK}) == []
        assert states(watched, enough, 60, initial={"a": State.OK}) == [(60, "OK", "ALARM")]
    evaluated = alarm(60, statistic="p90")
    assert states(evaluated, data({0: {5.0: 1}}), 60, initial={"a": State.OK}) == [(60, "OK", "ALARM")]
