"""`rolewatch test`: test files in, what holds and what does not out, and how it ends."""

import json
import re
from pathlib import Path

import pytest
from deliveries import denial, record, write

from rolewatch.templates.trials import read_trials

ALARMS = """\
alarms:
  - AlarmName: Rings
    Namespace: N
    MetricName: M
    Statistic: Sum
    Period: 60
    EvaluationPeriods: 1
    Threshold: 1
    ComparisonOperator: GreaterThanOrEqualToThreshold
"""
TESTS = """\
tests:
  - name: it rings
    metrics: [{namespace: N, name: M, values: 0 1}]
    expect: [{alarm: Rings, at: 1m, state: OK}, {alarm: Rings, at: 2m, state: ALARM}]
  - name: it does not ring
    metrics: [{namespace: N, name: M, values: 0 1}]
    expect:
      - {alarm: Rings, at: 1m, state: OK}
      - {alarm: Rings, at: 2m, state: OK}
"""
FAILED = """\
ok        it rings
FAILED    it does not ring
          Rings at 2m: expected OK, was ALARM
          Threshold Crossed: 1 datapoint [1.0 (01/01/26 00:01:00)] was greater
          than or equal to the threshold (1.0).
          a.test.yaml:18:9
2 tests: 1 ok, 1 failed
"""
TEMPLATE = """\
Parameters:
  Threshold: {Type: Number}
Resources:
  Filter:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: trail
      FilterPattern: "{ $.errorCode = AccessDenied }"
      MetricTransformations: [{MetricNamespace: N, MetricName: M, MetricValue: "1", DefaultValue: 0}]
  Denied:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: denied, Namespace: N, MetricName: M, Statistic: Sum, Period: 60, EvaluationPeriods: 1, Threshold: !Ref Threshold, ComparisonOperator: GreaterThanOrEqualToThreshold}
"""
OF_TEMPLATE = """\
template: ../alarms.yaml
parameters: {Threshold: "1"}
tests:
  - name: a denial rings
    records: [records.json]
    expect: [{alarm: denied, at: 2026-03-01T10:02:00Z, state: OK}, {alarm: Denied, at: 2026-03-01T10:03:00Z, state: ALARM}]
"""


@pytest.fixture
def run(call, here, monkeypatch):
    """Give a way to run test files given as text: a.test.yaml, b.test.yaml …; status, stdout and stderr out."""
    monkeypatch.setenv("COLUMNS", "80")

    def ran(*texts, words=()):
        names = [f"{name}.test.yaml" for name in "abc"[: len(texts)]]
        for name, text in zip(names, texts, strict=True):
            (here / name).write_text(text)
        return call("test", *names, *words)

    return ran


def test_a_line_for_each_test(run):
    """What failed is told with the state found, the alarm's reason and the place; the status is 1."""
    assert run(ALARMS + TESTS) == (1, FAILED, "")


def test_all_hold(run):
    """The status is 0."""
    assert run(ALARMS + TESTS.partition("  - name: it does")[0]) == (
        0,
        "ok        it rings\n1 test: 1 ok, 0 failed\n",
        "",
    )


def test_json(run):
    """The contract's keys, of all files in order."""
    status, out, _ = run(ALARMS + TESTS, ALARMS + TESTS, words=("--format", "json"))
    found = json.loads(out)
    assert (status, found["passed"], found["failed"]) == (1, 2, 2)
    assert [(each["file"], each["name"], each["passed"]) for each in found["tests"]] == [
        (file, name, passed)
        for file in ("a.test.yaml", "b.test.yaml")
        for name, passed in (("it rings", True), ("it does not ring", False))
    ]
    assert found["tests"][0] == {"file": "a.test.yaml", "name": "it rings", "place": "a.test.yaml:11:5", "passed": True, "failures": []}  # fmt: skip
    (failure,) = found["tests"][1]["failures"]
    assert failure.pop("reason").startswith("Threshold Crossed: 1 datapoint")
    assert failure == {
        "alarm": "Rings",
        "at": "2m",
        "expected": "OK",
        "actual": "ALARM",
        "place": "a.test.yaml:18:9",
    }


@pytest.fixture
def of_template(here):
    """Write a test of a template with records, in a folder of its own."""
    write(here / "tests" / "records.json", record(1), denial(2), record(3))
    (here / "alarms.yaml").write_text(TEMPLATE)
    (here / "tests" / "x.test.yaml").write_text(OF_TEMPLATE)
    return here


def test_template_and_records_stand_beside_the_test(of_template, call):
    """Both are found from the test file's folder, wherever the command is called."""
    assert of_template
    assert call("test", "tests/x.test.yaml") == (0, "ok        a denial rings\n1 test: 1 ok, 0 failed\n", "")


def test_absolute_times_are_told_as_such(of_template, call):
    """A failure at a date says the date."""
    path = of_template / "tests" / "x.test.yaml"
    path.write_text(OF_TEMPLATE.replace("state: ALARM", "state: OK"))
    status, out, _ = call("test", str(path), "--format", "json")
    assert (status, json.loads(out)["tests"][0]["failures"][0]["at"]) == (1, "2026-03-01T10:03:00Z")


def test_records_that_cannot_be_read(of_template, call):
    """They are named, and the status is 3 if no expectation fails."""
    path = of_template / "tests" / "records.json"
    path.write_bytes(path.read_bytes()[:-3])
    status, _, err = call("test", "tests/x.test.yaml")
    assert status == 3
    assert err.startswith("rolewatch: cannot read tests/records.json: ")


INVALID = [
    (ALARMS + TESTS.replace("alarm: Rings, at: 1m", "alarm: Ring, at: 1m"), "there is no alarm 'Ring'"),
    (ALARMS + TESTS.replace("at: 1m", "at: 2026-03-01"), "without records has no dates"),
    (ALARMS, "tests"),
    ("template: none.yaml\n" + TESTS, "template none.yaml: No such file"),
    ("[", "a.test.yaml:1:"),
]


@pytest.mark.parametrize(("text", "reason"), INVALID)
def test_an_invalid_file(run, text, reason):
    """It ends with 2, and says where and why."""
    status, out, err = run(text)
    assert (status, out) == (2, "")
    assert reason in err


def test_an_invalid_template(of_template, call):
    """One with a resource that AWS would refuse is not tested; nor are alarms that it does not have."""
    (of_template / "alarms.yaml").write_text(TEMPLATE.replace("Period: 60", "Period: 61"))
    status, _, err = call("test", "tests/x.test.yaml")
    assert status == 2
    assert "alarms.yaml:" in err
    (of_template / "alarms.yaml").write_text(TEMPLATE.replace("AlarmName: denied", "AlarmName: other"))
    assert "there is no alarm 'denied'" in call("test", "tests/x.test.yaml")[2]


def test_a_file_that_is_not_there(call):
    """It is wrong usage."""
    assert call("test", "none.yaml") == (2, "", "rolewatch: FILE none.yaml: No such file or directory\n")


def test_hostile_names(run):
    """What stands in a test file does nothing to a terminal."""
    out = run(ALARMS + TESTS.replace("it rings", '"\\e[2J it rings"'))[1]
    assert "\x1b" not in out


def test_the_example_of_the_documentation_is_one():
    """It can be read, with both of its tests."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "replay.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    found = read_trials(example.encode(), "example")
    assert [each.name for each in found.tests] == ["one denial raises the alarm", "real records"]


def test_output(run, here):
    """Results can go to a file."""
    assert run(ALARMS + TESTS, words=("--output", "out.txt"))[:2] == (1, "")
    assert (here / "out.txt").read_text() == FAILED
