"""What a pipeline costs in a month, by a dated price file."""

from datetime import date

import pytest

from rolewatch.aws import cost, pipeline
from rolewatch.aws.cost import estimate


def lines(given=None, **more):
    """Return the lines of an estimate as dollars by what they are for."""
    found = estimate(pipeline.effective(given or {}, {}), **more)
    return {line.what: round(line.dollars, 2) for line in found.lines}


def test_prices_are_dated():
    """Each price has a unit and where it was read, and the file a date, a Region and a currency."""
    found = cost.prices()
    assert date(2026, 1, 1) < date.fromisoformat(found["as_of"]) < date(2026, 11, 28)
    assert (found["region"], found["currency"]) == ("us-east-1", "USD")
    for name, row in found["prices"].items():
        assert row["price"] > 0, name
        assert row["unit"], name
        assert row["source"].startswith("aws.amazon.com/"), name


def test_a_new_pipeline():
    """Of 100,000 events a day: 3.9 GB of them into the log group, six metrics, two alarms, one composite, one key, one dashboard."""
    found = lines()
    assert found["events into the log group"] == 1.95
    assert found["metrics: all denials, and those of each role"] == 1.8
    assert (found["the alarm on denials"], found["the alarm on silence"], found["the composite alarm"]) == (0.1, 0.1, 0.5)  # fmt: skip
    assert (found["the key of topic and log group"], found["the dashboard"]) == (1.0, 3.0)


@pytest.mark.parametrize(
    ("given", "has", "lacks"),
    [
        ({"Trail": "existing", "ExistingLogGroup": "g"}, "the composite alarm", "events into the log group"),
        ({"Trail": "existing"}, "events into the log group", "log files, of the first month"),
        ({"Key": "none"}, "the dashboard", "the key of topic and log group"),
        ({"Dashboard": "no"}, "the key of topic and log group", "the dashboard"),
        ({"TrailKey": "new"}, "the key of the log files", "calls of the function"),
        ({"Alarm": "log"}, "what the log alarm scans", "the composite alarm"),
        ({"FunctionImage": "i"}, "calls of the function", "the key of the log files"),
        ({"Parts": "trail"}, "log files, of the first month", "the alarm on silence"),
    ],
)
def test_only_what_there_is_costs(given, has, lacks):
    """A line is there where its part is, and not where it is not."""
    found = lines(given)
    assert (has in found, lacks in found) == (True, False)


def test_costs_follow_events():
    """What depends on events grows with them, and nothing else."""
    one, ten = lines(events=100_000), lines(events=1_000_000)
    grown = {what for what in one if ten[what] > one[what]}
    assert grown == {"events into the log group", "events of 90 days in it", "log files, of the first month"}
    assert ten["events into the log group"] == 19.5


def test_a_further_copy_of_events():
    """Only the first copy of management events is free, and the assumption says how many there are."""
    assert lines(copies=1)["a further copy of all management events"] == 60.0
    said = estimate(pipeline.effective({}, {}), copies=2).assumptions
    assert any("2 other trails record management events already" in each for each in said)
    assert not lines({"Trail": "existing"}, copies=1).get("a further copy of all management events")


def test_data_events_are_charged_for_each():
    """They cost by themselves, and as events in the log group and the bucket; without them, how many there would be is no matter."""
    found, without = lines({"DataEvents": "objects"}, data=1_000_000), lines(data=1_000_000)
    assert (found["data events"], "data events" in without) == (30.0, False)
    assert found["events into the log group"] == pytest.approx(without["events into the log group"] * 11)
    said = " ".join(estimate(pipeline.effective({"DataEvents": "objects"}, {})).assumptions)
    assert "10,000 data events a day (--data-events-per-day)" in said
    assert "data events" not in lines({"DataEvents": "objects", "Trail": "existing"})


def test_an_anomaly_alarm_is_three_metrics():
    """CloudWatch charges for the metric and both sides of the band."""
    assert lines({"Alarm": "anomaly"})["the alarm on denials"] == 0.3


def test_what_is_not_known_is_said():
    """The price of a log alarm, of a database and of SMS are no lines, but among the assumptions."""
    said = " ".join(estimate(pipeline.effective({"Alarm": "log", "FunctionImage": "i"}, {})).assumptions)
    assert all(words in said for words in ("the log alarm itself is not in it", "its database or EFS is not in it", "SMS"))  # fmt: skip
