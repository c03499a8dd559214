"""Test files: what is read, and that whatever is wrong in one has a place and a remedy."""

import pytest
from template_texts import told

from rolewatch.templates import TemplateError, read_trials
from rolewatch.templates.definitions import Metric
from rolewatch.templates.trials import Expectation, TrialMetric, WrongTrial

DESIGN = """\
template: slr-denied.template.yaml
parameters: {Threshold: 1, Name: ''}
tests:
  - name: one denial raises the alarm
    interval: 1m
    metrics: [{namespace: Local, name: Denied, values: "0 _ 1x3 _x2 5"}]
    initial_state: {DeniedAlarm: OK}
    evaluate: every
    expect: [{alarm: DeniedAlarm, at: 5m, state: ALARM}]
  - name: real records
    records: [denied.json]
    expect: [{alarm: DeniedAlarm, at: 2026-03-01T10:05:00Z, state: ALARM}]
"""
ALARMS = """\
alarms:
  - {AlarmName: a, Namespace: N, MetricName: M, Statistic: Sum, Period: 60, EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: GreaterThanThreshold}
  - {AlarmName: c, AlarmRule: ALARM(a)}
"""
TEST = """\
tests:
  - name: t
    metrics:
      - {namespace: N, name: M, dimensions: {d: 1}, unit: Count, values: 0}
    expect:
      - {alarm: a, at: 1h30m, state: OK}
      - {alarm: c, at: 90s, state: INSUFFICIENT_DATA}
"""


def trials(text):
    """Read a test file under the name t."""
    return read_trials(text.encode(), "t")


def refused(text):
    """Return what is wrong with the only test of a file."""
    (test,) = trials(text).tests
    assert isinstance(test, WrongTrial)
    return str(test.error)


def test_the_design():
    """The example of the design is read to the letter."""
    found = trials(DESIGN)
    assert found.template == ("slr-denied.template.yaml", ("t", 1, 11, "template"))
    assert found.parameters == {"Threshold": "1", "Name": ""}
    first, second = found.tests
    values = [0.0, None, 1.0, 1.0, 1.0, None, None, 5.0]
    assert first.name == "one denial raises the alarm"
    assert (first.interval, first.every, first.initial_state, first.records) == (
        60,
        True,
        {("DeniedAlarm", ("t", 7, 21, "tests[0].initial_state.DeniedAlarm")): "OK"},
        (),
    )
    place = ("t", 6, 40, "tests[0].metrics[0].name")
    assert first.metrics == (TrialMetric(Metric("Local", "Denied"), None, values, place),)
    assert first.expect == (Expectation("DeniedAlarm", 300, None, "ALARM", first.expect[0].place),)
    assert first.expect[0].place == ("t", 9, 14, "tests[0].expect[0]")
    assert first.place == ("t", 4, 5, "tests[0]")
    assert (second.metrics, second.every) == ((), True)
    assert second.records == (("denied.json", ("t", 11, 15, "tests[1].records[0]")),)
    assert second.expect[0][1:4] == (None, 1772359500, "ALARM")


def test_own_alarms():
    """Alarms that stand in the file itself are read like those of a template."""
    found = trials(ALARMS + TEST)
    assert found.template is None
    assert [(each.name, each.logical_id, each.threshold) for each in found.alarms.alarms] == [("a", "a", 1.0)]
    assert [each.rule for each in found.alarms.composites] == ["ALARM(a)"]
    (test,) = found.tests
    place = ("t", 7, 30, "tests[0].metrics[0].name")
    assert test.metrics == (TrialMetric(Metric("N", "M", (("d", "1"),)), "Count", [0.0], place),)
    assert [each.offset for each in test.expect] == [5400, 90]


def test_asked():
    """Alarms can be evaluated at the times of the expectations only."""
    assert trials(DESIGN.replace("every", "asked")).tests[0].every is False


def test_no_data():
    """A test without metrics and records is one of alarms that never get any."""
    text = (
        ALARMS
        + "tests:\n- {name: t, evaluate: every, expect: [{alarm: a, at: 10m, state: INSUFFICIENT_DATA}]}\n"
    )
    (test,) = trials(text).tests
    assert (test.metrics, test.records) == ((), ())


def test_json():
    """A test file may be JSON."""
    text = (
        '{"template": "t",\t"tests": [{"name": "n", "expect": [{"alarm": "a", "at": "1m", "state": "OK"}]}]}'
    )
    assert trials(text).tests[0].name == "n"


WRONG = [
    ("tests: []", (1, 1), "there are neither template nor alarms (write one of them)"),
    ("template: a\nalarms: []\ntests: []", (2, 1), "there are both template and alarms (write one of them)"),
    ("template: a", (1, 1), "tests is missing (write tests: …)"),
    ("template: a\ntests: []", (2, 8), "there are no tests (write at least one)"),
    ("template: a\ntests: x", (2, 8), "a list is wanted here, this is a text (write each element after a hyphen, or […])"),
    ("template: a\ntest: []", (2, 1), "nothing is called 'test' here (did you mean tests?)"),
    ("template: a\nzzz: []", (2, 1), "nothing is called 'zzz' here (there are template, parameters, alarms, tests)"),
    ("template: [a]\ntests: [{name: n, expect: [{alarm: a, at: 1m, state: OK}]}]", (1, 11), "a text is wanted here, this is a list"),
    ("template: ''\ntests: [{name: n, expect: [{alarm: a, at: 1m, state: OK}]}]", (1, 11), "a text is wanted here, this is an empty one"),
    ("template: a\nparameters: [x]\ntests: [{name: n, expect: [{alarm: a, at: 1m, state: OK}]}]", (2, 13), "a mapping is wanted here, this is a list"),
    ("template: a\nparameters: {x: [1]}\ntests: [{name: n, expect: [{alarm: a, at: 1m, state: OK}]}]", (2, 17), "a text is wanted here, this is a list"),
    ("template: a\nparameters: {x: }\ntests: [{name: n, expect: [{alarm: a, at: 1m, state: OK}]}]", (2, 17), "a text is wanted here, this is null"),
    ("alarms: {}\ntests: []", (1, 9), "a list is wanted here, this is a mapping (write each element after a hyphen, or […])"),
    (ALARMS + "parameters: {}\n" + TEST, (4, 13), "parameters are for a template (write template: as well)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "message"), WRONG)
def test_wrong_files(text, place, message):
    """A file that makes no sense is refused, with line, column and what to write."""
    with pytest.raises(TemplateError) as caught:
        trials(text)
    assert str(caught.value) == f"t:{place[0]}:{place[1]}: {message}"


ALARMS_WRONG = [
    ("AlarmName: a, ", "", (2, 5), "required key [AlarmName] not found", "c"),
    ("Namespace: N, ", "", (2, 5), "required key [Namespace] not found", "c"),
    ("Period: 60", "Period: 7", (2, 73), "Period must be 10, 20, 30 or a multiple of 60, not 7", "c"),
    ("Period: 60", "Period: 60, Tresholds: 1", (2, 77), "extraneous key [Tresholds] is not permitted; did you mean Threshold?", "ac"),
    ("Period: 60", "Period: 60, Foo: 1", (2, 77), "Foo of AWS::CloudWatch::Alarm is not used here: a", "ac"),
    ("AlarmName: c", "AlarmName: a", (3, 5), "the alarm a already exists, defined in t:2:5; this one is left out", "a"),
    ("Period: 60", "Period: !Ref x", (2, 73), "Value of property Period must be of type String", "c"),
    ("{AlarmName: c, AlarmRule: ALARM(a)}", "c", (3, 5), "a mapping is wanted here, this is a text", "a"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "place", "message", "kept"), ALARMS_WRONG)
def test_wrong_alarms(old, new, place, message, kept):
    """An alarm that AWS would refuse, and what has no effect, are errors; the other alarms and the tests are read all the same."""
    found = trials(ALARMS.replace(old, new, 1) + TEST)
    assert told(found.alarms) == [(*place, message)]
    assert "".join(each.name for each in (*found.alarms.alarms, *found.alarms.composites)) == kept
    assert [each.name for each in found.tests] == ["t"]


def test_alarms_that_are_left_out():
    """They are known by name, with what is wrong."""
    found = trials(ALARMS.replace("Period: 60", "Period: 7").replace("ALARM(a)", "''") + TEST).alarms
    assert [(each.logical_id, each.name, each.notice) for each in found.left_out] == [
        ("a", "a", found.notices[0]),
        ("c", "c", found.notices[1]),
    ]


def swap(old, new):
    """Change a part of the own test, and find where the new text begins."""
    text = ALARMS + TEST.replace(old, new, 1)
    before = (ALARMS + TEST).index(old)
    return text, (text.count("\n", 0, before) + 1, before - text.rfind("\n", 0, before))


TESTS = [
    ("name: t", "name:", 5, "name is missing (write name: …)"),
    ("metrics:", "metric:", 0, "nothing is called 'metric' here (did you mean metrics?)"),
    ("values: 0", "values: ''", 8, "a text is wanted here, this is an empty one"),
    ("values: 0", "values: [0]", 8, "a text is wanted here, this is a list"),
    ("values: 0", "values: 0 x", 10, "'x' is no value (write a number, `_` for a gap, and 1x3 or _x2 to repeat)"),
    ("values: 0", "values: ' 1x2 1x0'", 14, "'1x0' comes no time at all (write x1 or more)"),
    ("values: 0", "values: 0 -1e109x3", 10, "'-1e109x3' is more than CloudWatch takes (write a value from -2^360 to 2^360)"),
    ("values: 0", 'values: "0\\t\\x20x"', 16, "'x' is no value (write a number, `_` for a gap, and 1x3 or _x2 to repeat)"),
    ("values: 0", "values: 1x0", 8, "'1x0' comes no time at all (write x1 or more)"),
    ("values: 0", "values: 1x999999999", 8, "more than 1,000,000 values"),
    ("values: 0", "value: 0", 0, "nothing is called 'value' here (did you mean values?)"),
    ("unit: Count", "unit: Counts", 6, "'Counts' is none of Seconds, "),
    ("dimensions: {d: 1}", "dimensions: [d]", 12, "a mapping is wanted here, this is a list"),
    ("at: 1h30m", "at: 90", 4, "'90' is no length of time (write 300s, 5m, 1h30m or 1d)"),
    ("at: 1h30m", "at: 30m1h", 4, "'30m1h' is no length of time (write 300s, 5m, 1h30m or 1d)"),
    ("at: 1h30m", "at: 400d", 4, "'400d' is longer than a year"),
    ("at: 1h30m", "at: 2026-03-01T10:00:00Z", 4, "a test without records has no dates (write how long after the start, as in 5m)"),
    ("state: OK", "state: ok", 7, "'ok' is none of OK, ALARM, INSUFFICIENT_DATA (there are OK, ALARM, INSUFFICIENT_DATA)"),
    ("state: OK", "state: ALARMS", 7, "'ALARMS' is none of OK, ALARM, INSUFFICIENT_DATA (did you mean ALARM?)"),
    ("metrics:", "interval: 45s\n    metrics:", 10, "'45s' is no interval (write 10s, 20s, 30s or whole minutes, as in 1m)"),
    ("metrics:", "interval: soon\n    metrics:", 10, "'soon' is no length of time (write 300s, 5m, 1h30m or 1d)"),
    ("metrics:", "evaluate: never\n    metrics:", 10, "'never' is none of every, asked (did you mean every?)"),
    ("metrics:", "records: [x]\n    metrics:", 0, "a test has either metrics or records (make two tests of it)"),
    ("metrics:", "initial_state: {a: bad}\n    metrics:", 19, "'bad' is none of OK, ALARM, INSUFFICIENT_DATA"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "behind", "message"), TESTS)
def test_wrong_tests(old, new, behind, message):
    """Whatever is wrong in a test is told with its line and column, and with what to write."""
    text, (line, column) = swap(old, new)
    if old == "name: t":
        behind = 0
    assert refused(text).startswith(f"t:{line}:{column + behind}: {message}")


OTHERS = [
    ("records: []\n    interval: 1m", "interval belongs to metrics; records have times of their own (remove it)"),
    ("records: x", "a list is wanted here, this is a text (write each element after a hyphen, or […])"),
    ("records: [[x]]", "a text is wanted here, this is a list"),
    ("expect: []\n    evaluate: every", "the test expects nothing (write what has to hold)"),
    ("metrics: [{namespace: N, name: M, values: 1}, {namespace: N, name: M, values: 2}]", "this metric is there already (write all its values in one text)"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "message"), OTHERS)
def test_what_does_not_go_together(lines, message):
    """Keys that exclude each other, or are empty, are told."""
    expect = "" if lines.startswith("expect") else "    expect: [{alarm: a, at: 1m, state: OK}]\n"
    assert refused(f"{ALARMS}tests:\n  - name: t\n    {lines}\n{expect}").endswith(f": {message}")


def test_other_tests_are_read():
    """A wrong test stands among the others under its name, or its number."""
    first, wrong, nameless, odd, last = trials(
        ALARMS + TEST + TEST.replace("tests:\n", "").replace("values: 0", "values: x").replace("name: t", "name: w")
        + "  - expect: []\n  - text\n" + TEST.replace("tests:\n", "").replace("name: t", "name: z")
    ).tests  # fmt: skip
    assert [each.name for each in (first, wrong, nameless, odd, last)] == [
        "t",
        "w",
        "tests[2]",
        "tests[3]",
        "z",
    ]
    assert [each.error.text for each in (nameless, odd)] == ["the test expects nothing", "a mapping is wanted here, this is a text"]  # fmt: skip
    assert (nameless.place, odd.place[:3]) == (("t", 17, 5, "tests[2]"), ("t", 18, 5))
