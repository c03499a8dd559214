"""Tests of alarms: values or records in, the expectations that do not hold out."""

import pytest
from loads import content, linked, record

from rolewatch.alarms.history import CREATED, State
from rolewatch.scan import trial
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.trial import Runner
from rolewatch.templates import read_template
from rolewatch.templates.trials import read_trials

ALARM = """
  - AlarmName: Rings
    Namespace: N
    MetricName: M
    Statistic: Sum
    Period: 60
    EvaluationPeriods: 1
    Threshold: 1
    ComparisonOperator: GreaterThanOrEqualToThreshold
    TreatMissingData: notBreaching
"""
BOTH = f"""alarms:{ALARM}
  - AlarmName: Both
    AlarmRule: ALARM(Rings) AND NOT ALARM(Other)
{ALARM.replace("Rings", "Other").replace("MetricName: M", "MetricName: Other")}
"""
TEMPLATE = """
Resources:
  Filter:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: trail
      FilterPattern: "{ $.errorCode = AccessDenied }"
      MetricTransformations: [{MetricNamespace: N, MetricName: M, MetricValue: "1", DefaultValue: 0}]
  Denied:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: denied
      Namespace: N
      MetricName: M
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 1
      Threshold: 1
      ComparisonOperator: GreaterThanOrEqualToThreshold
      TreatMissingData: notBreaching
"""


def verdicts(tests, alarms=f"alarms:{ALARM}", template=None, folder=None):
    """Run the tests of a file; return what each came to, and the errors of its alarms."""
    found = read_trials(f"{alarms}\ntests:\n{tests}".encode(), "x.test.yaml")
    runner = Runner(template or found.alarms, folder, ScanRequest())
    return [runner.run(test) for test in found.tests], runner.errors


def run(*words):
    """Run the tests of a file that are in order; return (alarm, state found, reason) of what fails in each."""
    found, _ = verdicts(*words)
    assert not any(each.errors for each in found)
    return [[(each.expected.alarm, each.actual, each.reason) for each in one.failures] for one in found]


def errors(*words):
    """Return the errors on account of which a test was not run."""
    ((failures, found),), _ = verdicts(*words)
    assert failures == ()
    return [str(error) for error in found]


def one(more, *expected, values="0 0 0 0 1"):
    """Return the text of a test with some values and what is expected."""
    states = ", ".join(f"{{alarm: {alarm}, at: {at}, state: {state}}}" for alarm, at, state in expected)
    metrics = f"metrics: [{{namespace: N, name: M, values: '{values}'}}], " if values else ""
    return f"  - {{name: it, {metrics}{more}expect: [{states}]}}\n"


@pytest.mark.parametrize(
    ("at", "state"), [("1m", "OK"), ("4m59s", "OK"), ("5m", "ALARM"), ("7m", "ALARM"), ("8m", "OK")]
)
def test_a_state_at_the_end_of_an_interval(at, state):
    """`5m` is the evaluation at the end of the fifth interval; evaluation goes on until all that is expected has been seen.

    Two more periods than the alarm needs are looked at (spec/alarm.md §4), so it stays in ALARM for as long.
    """
    assert run(one("", ("Rings", at, state))) == [[]]


def test_what_fails_is_told_with_what_was_found():
    """The state that the alarm was in, and its reason; before the first evaluation that it has just been created."""
    (failures,) = run(one("", ("Rings", "5m", "OK"), ("Rings", "0s", "OK"), ("Rings", "4m", "OK")))
    assert failures == [
        ("Rings", State.ALARM, "Threshold Crossed: 1 datapoint [1.0 (01/01/26 00:04:00)] was greater than or equal to the threshold (1.0)."),
        ("Rings", State.INSUFFICIENT_DATA, CREATED),
    ]  # fmt: skip


def test_an_alarm_can_begin_in_a_state():
    """It stays in it where nothing decides otherwise."""
    alarms = f"alarms:{ALARM}".replace("notBreaching", "ignore")
    begin = "initial_state: {Rings: ALARM}, "
    (failures,) = run(one(begin, ("Rings", "2m", "OK"), values="_"), alarms)
    assert failures == [("Rings", State.ALARM, "it began in this state, and nothing has changed it")]


def test_evaluated_only_when_asked():
    """Between the times under `expect` nothing is evaluated: a value that no evaluation sees changes nothing."""
    alarms = f"alarms:{ALARM}".replace("notBreaching", "ignore")
    values = "1 _ _ _ _ _"
    assert run(one("", ("Rings", "6m", "ALARM"), values=values), alarms) == [[]]
    asked = "evaluate: asked, initial_state: {Rings: OK}, "
    assert run(one(asked, ("Rings", "6m", "OK"), values=values), alarms) == [[]]
    assert run(one(asked, ("Rings", "1m", "ALARM"), ("Rings", "6m", "ALARM"), values=values), alarms) == [[]]


def test_evaluated_after_each_interval():
    """With an interval of five minutes nothing is evaluated in between, nor with one of ten seconds only at full minutes."""
    assert run(one("interval: 5m, ", ("Rings", "9m", "OK"), ("Rings", "10m", "OK"), values="0 1")) == [[]]
    short = f"alarms:{ALARM}".replace("Period: 60", "Period: 10")
    assert run(
        one("interval: 10s, ", ("Rings", "20s", "ALARM"), ("Rings", "30s", "OK"), values="0 1 0"), short
    ) == [[]]


def test_composite_alarms():
    """They follow the alarms of their rule, whether or not anything is expected of those."""
    assert run(one("", ("Both", "4m", "OK"), ("Both", "5m", "ALARM")), BOTH) == [[]]


def test_an_alarm_that_cannot_be_evaluated():
    """What is expected of it fails, and says why; it is an error whether or not a test needs it, and others are tested all the same."""
    template = read_template(TEMPLATE.encode(), "t.yaml")
    (good,) = template.alarms
    bad = good._replace(name="bad", logical_id="Bad", stat=good.stat._replace(period=61))
    both = template._replace(alarms=(good, bad))
    expect = one("", ("denied", "5m", "ALARM"))
    assert run(expect, "template: t.yaml", both) == [[]]
    (_, found), told = verdicts(
        expect + one("", ("Bad", "5m", "ALARM"), ("denied", "5m", "OK")), "template: t.yaml", both
    )
    said = "bad cannot be evaluated: Period is 61 (write 10, 20, 30 or a multiple of 60)"
    assert [(str(notice.place), notice.message) for notice in told] == [("t.yaml:9:3", said)]
    first, second = found.failures
    assert (first.expected.alarm, first.actual, first.reason) == ("Bad", None, f"t.yaml:9:3: {said}")
    assert (second.expected.alarm, second.actual) == ("denied", State.ALARM)


WRONG_RULES = [
    ("ALARM(Rings) AND", ["x.test.yaml:13:32: Both cannot be evaluated: expected ALARM(…), OK(…)"]),
    ("ALARM(Both)", ["x.test.yaml:13:16: Both cannot be evaluated: its AlarmRule depends on itself"]),
    ("ALARM(Nobody)", ["x.test.yaml:13:22: Both cannot be evaluated: its AlarmRule refers to Nobody, which is no alarm here"]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "messages"), WRONG_RULES)
def test_rules_that_make_no_sense(rule, messages):
    """They are errors even if nothing is expected of the composite alarm."""
    alarms = BOTH.replace("ALARM(Rings) AND NOT ALARM(Other)", rule)
    ((verdict,), told) = verdicts(one("", ("Rings", "5m", "ALARM")), alarms)
    assert verdict == ([], ())
    assert [f"{notice.place}: {notice.message}"[: len(messages[0])] for notice in told] == messages


def test_an_alarm_that_was_left_out():
    """What is expected of it fails with what AWS would say; it may begin in a state, and metrics may be its own."""
    alarms = BOTH.replace("MetricName: Other", "MetricName: Other\n    Unit: Feet")
    more = "initial_state: {Other: OK, Rings: OK}, "
    ((verdict,), _) = verdicts(one(more, ("Other", "5m", "OK"), ("Rings", "4m", "OK")), alarms)
    (failure,) = verdict.failures
    assert (failure.expected.alarm, failure.actual) == ("Other", None)
    assert failure.reason.startswith("x.test.yaml:18:11: 1 validation error detected: Value 'Feet' at 'unit'")


def test_names_that_are_not_there():
    """A test of an alarm or metric that there is not is not run, and says so."""
    tests = one("", ("Ring", "5m", "ALARM")).replace("name: M", "name: O")
    assert errors(tests) == [
        "x.test.yaml:13:82: there is no alarm 'Ring' (did you mean Rings?)",
        "x.test.yaml:13:47: no alarm looks at the metric N/O (did you mean N/M?)",
    ]


@pytest.fixture
def records(tmp_path):
    """Write records beside the test: a success, two minutes later a denial, the first at 10:00."""
    denied = {"errorCode": "AccessDenied", "errorMessage": "Access Denied"}
    some = (
        record(time="2026-03-01T10:00:30Z"),
        record(time="2026-03-01T10:02:05Z", number=1, userIdentity=linked(), **denied),
    )
    (tmp_path / "records.json").write_bytes(content(*some))
    return tmp_path


def test_records(records):
    """The template's filters count them; times are absolute, or count from the minute of the first record."""
    expect = [
        ("denied", "2026-03-01T10:02:00Z", "OK"),
        ("denied", "2026-03-01T10:03:00Z", "ALARM"),
        ("denied", "3m", "ALARM"),
        ("denied", "2026-03-01T11:05:00+01:00", "ALARM"),
        ("denied", "6m", "OK"),
        ("Denied", "1d", "OK"),
    ]
    template = read_template(TEMPLATE.encode(), "t.yaml")
    assert run(
        one("records: [records.json], ", *expect, values=""), "template: t.yaml", template, records
    ) == [[]]
    asked = one("evaluate: asked, records: [records.json], ", expect[1], values="")
    assert run(asked, "template: t.yaml", template, records) == [[]]


def test_records_are_read_once(records, monkeypatch):
    """However many tests use them."""
    read = []
    monkeypatch.setattr(
        trial,
        "replay",
        lambda *words, real=trial.replay, **more: read.append(words[0]) or real(*words, **more),
    )
    tests = one("records: [records.json], ", ("denied", "3m", "ALARM"), values="") * 3
    assert run(tests, "template: t.yaml", read_template(TEMPLATE.encode(), "t.yaml"), records) == [[], [], []]
    assert read == [[str(records / "records.json")]]


def test_records_that_are_not_there(tmp_path):
    """They are an error of the test, at the first of them that is missing."""
    (tmp_path / "some.json").write_bytes(content(record()))
    tests = one("records: [some.json, none.json], ", ("denied", "3m", "ALARM"), values="")
    assert errors(tests, "template: t.yaml", read_template(TEMPLATE.encode(), "t.yaml"), tmp_path) == [
        f"x.test.yaml:3:37: {tmp_path / 'none.json'}: no such file or folder"
    ]


def test_records_that_cannot_be_read(records):
    """Those of a damaged delivery are named."""
    (records / "records.json").write_bytes((records / "records.json").read_bytes()[:-20])
    found = read_trials(
        f"template: t\ntests:\n{one('records: [records.json], ', ('denied', '3m', 'OK'), values='')}".encode(),
        "x",
    )
    runner = Runner(read_template(TEMPLATE.encode(), "t.yaml"), records, ScanRequest())
    runner.run(found.tests[0])
    assert [name for name, _ in runner.unreadable] == [str(records / "records.json")]


def test_a_filter_that_cannot_count(records):
    """It makes the test an error, with the filter's place."""
    template = read_template(TEMPLATE.encode(), "t.yaml")
    (counts,) = template.filters
    wrong = counts._replace(transformation=counts.transformation._replace(value="$ip"))
    tests = one("records: [records.json], ", ("denied", "3m", "OK"), values="")
    (error,) = errors(tests, "template: t.yaml", template._replace(filters=(wrong,)), records)
    assert error.startswith("t.yaml:3:3: ")
