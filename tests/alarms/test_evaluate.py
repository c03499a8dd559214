"""Replays as a whole: many alarms, wrong ones among them."""

import pickle

import pytest
from alarmed import PLACE, alarm, complaint, composite, data

from rolewatch.alarms.errors import AlarmError
from rolewatch.alarms.evaluate import evaluations, replay
from rolewatch.alarms.history import State
from rolewatch.alarms.tally import tallies
from rolewatch.alarms.watch import Watch


@pytest.mark.parametrize(("watched", "message"), [
    (alarm(45), "a cannot be evaluated: Period is 45 (write 10, 20, 30 or a multiple of 60)"),
    (alarm(0), "Period is 0"),
    (alarm(n=2, m=3), "DatapointsToAlarm is 3, but has to lie between 1 and EvaluationPeriods (2)"),
    (alarm(n=0), "DatapointsToAlarm is 0"),
    (alarm(treat="maybe"), "TreatMissingData is 'maybe' (write missing, ignore, breaching, notBreaching)"),
    (alarm(compare="Equal"), "ComparisonOperator is 'Equal'"),
    (alarm(threshold=None), "the alarm has neither Threshold nor ThresholdMetricId"),
    (alarm(86_400, 8), "EvaluationPeriods times Period is more than seven days"),
    (alarm(statistic="p101"), "'p101' is no statistic of CloudWatch"),
    (alarm(stat=None), "exactly one metric or expression of an alarm has ReturnData true"),
])  # fmt: skip
def test_wrong_alarms(watched, message):
    """An alarm that cannot be evaluated is reported with its place."""
    assert message in complaint(watched)


def test_the_others_go_on():
    """One wrong alarm leaves the histories of the others as they are, in their order."""
    alarms = [alarm(name="one"), alarm(45, name="two"), alarm(name="three", compare="LessThanThreshold")]
    histories, notices = replay(alarms, [composite("ALARM(three)")], data([0]), start=0, end=180)
    assert [history.alarm.name for history in histories] == ["one", "three", "c"]
    assert [notice.place for notice in notices] == [PLACE]
    assert [history.final for history in histories] == [State.OK, State.ALARM, State.ALARM]
    assert {(0, 180)} == {(history.start, history.end) for history in histories}


def test_initial_states():
    """An alarm begins with the state given, or INSUFFICIENT_DATA."""
    histories, _ = replay(
        [alarm(name="x"), alarm(name="y")], [], {}, start=0, end=60, initial={"x": State.ALARM}
    )
    assert [history.initial for history in histories] == [State.ALARM, State.INSUFFICIENT_DATA]


def test_no_time():
    """Where there is nothing to evaluate, nothing changes."""
    for span in ((60, 60), (60, 61), (100, 50)):
        (history,), _ = replay([alarm(treat="breaching")], [], data([1]), start=span[0], end=span[1])
        assert history.transitions == ()
    (history,), _ = replay([alarm(treat="breaching")], [], data([1]), start=0, end=600, asked=[])
    assert history.transitions == ()


def test_a_long_delay():
    """A delay that hides the whole range leaves an alarm without data."""
    histories, _ = replay(
        [alarm(treat="breaching", threshold=9.0)], [], data([1] * 60), start=0, end=3600, delay=86_400
    )
    assert [(change.time, change.after) for change in histories[0].transitions] == [(60, State.ALARM)]


def test_suppressor_from_elsewhere():
    """A suppressor that is not here suppresses nothing, and that is said."""
    alarms = [composite("ALARM(a)", suppressor="elsewhere", wait_period=60, extension_period=60)]
    (_, followed), (notice,) = replay([alarm()], alarms, data([1]), start=0, end=60)
    assert "its ActionsSuppressor elsewhere has no history here" in notice.message
    assert notice.level == "warning"
    assert [change.actions for change in followed.transitions] == [("page",)]


def test_suppressor():
    """A suppressor by name or ARN holds actions back."""
    silencing = {"threshold": 0.0, "name": "quiet"}
    for name in ("quiet", "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:quiet"):
        alarms = [composite("ALARM(a)", suppressor=name, wait_period=60, extension_period=60)]
        (_, _, followed), notices = replay([alarm(), alarm(**silencing)], alarms, data([1]), start=0, end=60)
        assert (
            notices,
            [(change.actions, change.suppressed_by) for change in followed.transitions],
        ) == ((), [((), "Alarm")])


def test_errors_travel():
    """An error keeps its place on its way between processes."""
    error = pickle.loads(pickle.dumps(AlarmError("no", "m1 + m2", 3, remedy="yes")))  # noqa: S301 - our own
    assert (str(error), error.position) == ("no (yes), at character 4 of 'm1 + m2'", 3)
    assert "…'" in str(AlarmError("no", "m" * 200))


def test_year_long_gaps_cost_nothing():
    """Two datapoints a year apart are evaluated where they matter, and not in the minutes between."""
    year = 365 * 86_400
    watched, metrics = alarm(treat="notBreaching"), data({0: {1.0: 1}, year: {1.0: 1}})
    histories, _ = replay([watched], [], metrics, start=0, end=year + 600)
    assert [change.time for change in histories[0].transitions] == [60, 240, year + 60, year + 240]
    parts = tallies(Watch(watched, metrics), evaluations(0, year + 600, 60), 0, every_end=False)
    assert (
        sum(len(part.ends) for part in parts) == 2 * 4
    )  # each datapoint comes into three periods, and leaves the last
