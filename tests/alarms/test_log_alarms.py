"""Log alarms: states, reasons, contributors, warm-up and graphs, from results made by hand."""

import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from literal import COMPARE
from log_alarmed import EVERY, grouped, log_alarm, single, transitions

from rolewatch.alarms.evaluate import replay
from rolewatch.alarms.history import State
from rolewatch.alarms.log_graph import log_graph
from rolewatch.alarms.log_results import ALL, LogResults, results_of
from rolewatch.templates.definitions import AlarmMuteRule, CompositeAlarm, WarmUp

TREATMENTS = ["missing", "ignore", "breaching", "notBreaching"]


def evaluated(alarm, results, runs, **more):
    """Replay one log alarm and give its history."""
    (history,), notices = replay(
        [], more.pop("composites", []), {},
        start=0, end=runs * EVERY, log_alarms=[alarm], results={alarm.name: results}, **more,
    )  # fmt: skip
    assert notices == ()
    return history


def states(alarm, results, runs, **more):
    """Give the state after each run, by its first letter."""
    history = evaluated(alarm, results, runs, **more)
    changes = {change.time: change.after for change in history.transitions}
    state, found = history.initial, ""
    for run in range(1, runs + 1):
        state = changes.get(run * EVERY, state)
        found += state[0]
    return found


CASES = [
    ("1 of 3: rings with one result, and ends when it is not among the latest three any more", (3, 1), "0 2 0 0 0 0", "IAAAOO"),
    ("2 of 3: two of the latest three", (3, 2), "2 0 2 0 0", "IIAOO"),
    ("all of 2", (2, 2), "2 2 0 2 2", "IAOOA"),
]  # fmt: skip


@pytest.mark.parametrize(("_", "numbers", "values", "expected"), CASES, ids=[case[0] for case in CASES])
def test_results_that_are_there(_, numbers, values, expected):
    """So many of the latest results have to breach; no result beyond those is looked at."""
    assert states(log_alarm(*numbers, treat="notBreaching"), single(values), len(expected)) == expected


MISSING = [
    ("notBreaching", "_ _ 1 _ _ _", "IIAAAO"),
    ("breaching", "_ _ 0 0 0 _", "AAAAOA"),
    ("missing", "_ _ 0 _ _ _", "IIOOOI"),
    ("ignore", "1 _ _ _ _ 0", "AAAAAO"),
]


@pytest.mark.parametrize(("treat", "values", "expected"), MISSING)
def test_results_that_are_missing(treat, values, expected):
    """They count as the alarm says, as with metric alarms, in a range of as many runs as the alarm looks at."""
    assert states(log_alarm(3, 1, treat), single(values), len(expected)) == expected


def test_a_value_without_records():
    """A run whose window is empty may have a value all the same, as `count(*)` has."""
    assert states(log_alarm(1, 1, "breaching"), single("_ 2 _", otherwise=0.0), 4) == "OAOO"


def test_a_new_alarm():
    """It is in INSUFFICIENT_DATA until its query has run as often as it looks back, unless enough results breach before."""
    assert states(log_alarm(3, 2, "notBreaching"), single("0 0 0 1"), 4) == "IIOO"
    assert states(log_alarm(3, 2, "notBreaching"), single("1 1 0"), 3) == "IAA"
    assert states(log_alarm(3, 2, "breaching"), single("_ _ 0"), 3) == "IAA"
    assert states(log_alarm(3, 2, "notBreaching"), single("0"), 3, initial={"l": State.ALARM}) == "OOO"


def test_contributors():
    """The alarm is in ALARM while any contributor is; one that gives no result any more is gone after as many runs."""
    results = grouped(ann="1 0 0 0 _ _", bob="_ _ 2 _ _ _")
    assert states(log_alarm(2, 1, "notBreaching"), results, 7) == "AAAAOOO"


def test_two_contributors_are_not_one():
    """Results of different contributors do not add up."""
    both = grouped(ann="1 _ 1 _ 1", bob="_ 1 _ 1 _")
    alarm = log_alarm(2, 2, "notBreaching")
    assert states(alarm, both, 5) == "IOOOO"
    assert states(alarm, grouped(ann="1 1 _ _ _"), 5) == "IAOOO"


def test_no_contributors_at_all():
    """Before there is any, all results are missing; one that disappears is OK, however missing data are treated."""
    for treat, first in {"missing": "I", "ignore": "I", "breaching": "A", "notBreaching": "O"}.items():
        assert states(log_alarm(1, 1, treat), grouped(ann="_ 1"), 4) == f"{first}AOO"


def test_changes_of_contributors():
    """Each contributor has changes of its own, which invoke the actions while the alarm stays in ALARM."""
    results = grouped(ann="1 _ _ _", bob="_ 2 _ 0")._replace(lines={2 * EVERY: ("line",)})
    alarm = log_alarm(2, 1, "notBreaching")
    alarm = alarm._replace(
        actions=alarm.actions._replace(alarm=("topic", "arn:aws:ssm:us-east-1:1:opsitem:1"))
    )
    history = evaluated(alarm, results, 6)
    found = [(dict(who)["user"], change.time // EVERY, str(change.after), change.actions) for who, change in history.contributors]  # fmt: skip
    assert found == [
        ("ann", 1, "ALARM", ("topic",)),
        ("bob", 2, "ALARM", ("topic",)),
        ("ann", 3, "OK", ("calm",)),
        ("bob", 4, "OK", ("calm",)),
    ]
    assert history.contributors[1].change.lines == ("line",)
    assert [(change.time // EVERY, change.actions) for change in history.transitions] == [
        (1, ("arn:aws:ssm:us-east-1:1:opsitem:1",)),
        (4, ()),
    ]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_agreement(seed):
    """The fast evaluator and the literal one change at the same runs to the same states."""
    rng = random.Random(seed)
    n = rng.choice([1, 2, 3, 5, 12])
    alarm = log_alarm(
        n, rng.randint(1, n), rng.choice(TREATMENTS), rng.choice([0.0, 1.0, 2.0]), rng.choice(list(COMPARE))
    )
    runs, density = rng.choice([1, 10, 60]), rng.choice([0.02, 0.2, 0.7, 1.0])

    def series():
        return results_of({EVERY * run: float(rng.randrange(4)) for run in range(1, runs + 1) if rng.random() < density})  # fmt: skip

    if rng.random() < 0.5:
        results = LogResults(
            grouped=True, contributors={(("user", str(each)),): series() for each in range(rng.randrange(4))}
        )
    else:
        results = LogResults(
            grouped=False, contributors={ALL: series()}, otherwise=rng.choice([None, 0.0, 2.0])
        )
    initial = rng.choice([None, None, *State])
    history = evaluated(alarm, results, runs, initial={alarm.name: initial} if initial else {})
    assert transitions(alarm, results, runs, initial) == [
        (change.time, change.before, change.after) for change in history.transitions
    ]


def test_reason_of_one_series():
    """It is worded as AWS's example is, and the data has all results that were looked at, newest first."""
    history = evaluated(log_alarm(3, 1, "notBreaching"), single("0 0 2"), 3)
    change = history.transitions[-1]
    assert change.reason == (
        "Threshold Crossed: 1 out of the last 3 query results [2.0 (01/01/70 00:15:00)] was greater than or equal to the threshold (1.0) "
        "(minimum 1 datapoint for OK -> ALARM transition)."
    )
    data = json.loads(change.reason_data)
    assert data["results"][0] == {
        "status": "COMPLETE",
        "timestamp": "1970-01-01T00:15:00.000+0000",
        "value": 2.0,
    }
    assert [each["value"] for each in data.pop("results")] == [2.0, 0.0, 0.0]
    assert data == {
        "version": "1.0",
        "queryDate": "1970-01-01T00:15:00.000+0000",
        "threshold": 1.0,
        "queryResultsToEvaluate": 3,
        "queryResultsToAlarm": 1,
    }


def test_reason_of_contributors():
    """It says how many contributors are in ALARM, in the service's words, and then which; the data has the results of each."""
    results = grouped(ann="2 _ _", bob="1 0 _", eve="0 0 _")
    into, out = evaluated(log_alarm(2, 1, "notBreaching"), results, 4).transitions
    assert into.reason == (
        "2 out of 3 contributors evaluated to ALARM: user=ann [2.0 (01/01/70 00:05:00)]; user=bob [1.0 (01/01/70 00:05:00)]"
    )
    told = json.loads(into.reason_data)["contributors"]
    assert [each["attributes"] for each in told] == [{"user": "ann"}, {"user": "bob"}]
    assert [each["value"] for each in told[0]["results"]] == [2.0]
    assert (out.time, out.reason) == (3 * EVERY, "0 out of 2 contributors evaluated to ALARM")


def test_reason_of_missing_results():
    """Where all are missing it says so, as that of a metric alarm does."""
    history = evaluated(log_alarm(1, 1, "missing"), single("2"), 2)
    assert history.transitions[-1].reason == "Insufficient Data: 1 query result was unknown."


def test_long_reasons():
    """Reason and data keep to the service's lengths however many contributors there are, and the data stays JSON."""
    results = grouped(**{f"user-{number}": "1" for number in range(300)})
    (change,) = evaluated(log_alarm(1, 1, "ignore"), results, 1).transitions
    assert len(change.reason) == 1023
    assert 3800 < len(change.reason_data) <= 4000
    assert len(json.loads(change.reason_data)["contributors"]) > 20


def test_actions_and_lines():
    """A change invokes the actions of the state that is entered, and has the log lines of its run."""
    results = single("1 _")._replace(lines={EVERY: ("newest", "older")})
    changes = evaluated(log_alarm(1, 1, "notBreaching"), results, 2).transitions
    assert [(change.actions, change.lines) for change in changes] == [
        (("page",), ("newest", "older")),
        (("calm",), ()),
    ]


def test_warm_up():
    """A new alarm stays in INSUFFICIENT_DATA while it warms up, or until there are as many results as it looks at."""
    ten = WarmUp(600, strictly=True)
    assert states(log_alarm(1, 1, warm_up=ten), single("1 1 1"), 3) == "IAA"
    early = ten._replace(strictly=False, seconds=3600)
    assert states(log_alarm(2, 1, warm_up=early), single("1 _ 1 1 1"), 5) == "IIIAA"
    assert states(log_alarm(1, 1, warm_up=ten), grouped(ann="1 1 1"), 3) == "IAA"
    assert states(log_alarm(1, 1, warm_up=ten), single("1 1 1"), 3, initial={"l": State.OK}) == "AAA"


def test_asked_times():
    """Evaluated only when asked, an alarm sees the latest runs up to then; before the first run there is nothing to see."""
    history = evaluated(log_alarm(1, 1, "notBreaching"), single("1 0 1 0"), 4, asked=[60, 700, 1000])
    assert [(change.time, change.after) for change in history.transitions] == [
        (700, State.OK),
        (1000, State.ALARM),
    ]


def test_composite_and_mute_rule():
    """Composite alarms may name log alarms, and mute rules may mute them; an alarm without results takes its composite along."""
    composite = CompositeAlarm("C", "c", None, "ALARM(l)", log_alarm().actions, None, 0, 0, log_alarm().place)
    rule = AlarmMuteRule(
        "M", "nights", "at(1970-01-01T00:00)", 3600, "UTC", ("l",), None, None, log_alarm().place
    )
    histories, notices = replay(
        [], [composite], {},
        start=0, end=2 * EVERY, log_alarms=[log_alarm()], results={"l": single("1 1")}, mute_rules=[rule],
    )  # fmt: skip
    assert notices == ()
    assert [(history.alarm.name, history.final) for history in histories] == [("l", "ALARM"), ("c", "ALARM")]
    assert histories[0].transitions[0].suppressed_by == "AlarmMuteRule nights"
    histories, (notice,) = replay([], [composite], {}, start=0, end=600, log_alarms=[log_alarm()])
    assert histories == ()
    assert "its AlarmRule refers to l, which cannot be evaluated" in notice.message


def test_graph():
    """It has a value for each run: of several contributors the one that is nearest to breaching."""
    drawn = log_graph(log_alarm(), grouped(ann="1 _ 3", bob="2 _ _"), 0, 3 * EVERY)
    assert drawn.times.tolist() == [300, 600, 900]
    assert np.array_equal(drawn.values, [2, np.nan, 3], equal_nan=True)
    assert (drawn.seconds, drawn.lower, drawn.upper) == (300, None, 1.0)
    few = log_alarm(compare="LessThanThreshold")
    assert log_graph(few, grouped(ann="1", bob="2"), 0, EVERY)[1:] == (np.array([1.0]), 300, 1.0, None)


def test_thinned_graph():
    """Of many runs the lowest and the highest value of each group stay."""
    values = " ".join("7" if run == 50 else "0" for run in range(100))
    drawn = log_graph(log_alarm(), single(values), 0, 100 * EVERY, points=20)
    assert len(drawn.times) == 20
    assert drawn.values.tolist() == [7.0 if place == 11 else 0.0 for place in range(20)]
    assert drawn.seconds == 10 * EVERY
