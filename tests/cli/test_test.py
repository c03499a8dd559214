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
    assert found["not_run"] == 0
    assert found["tests"][0] == {"file": "a.test.yaml", "name": "it rings", "place": "a.test.yaml:11:5", "passed": True, "failures": [], "errors": []}  # fmt: skip
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
    (ALARMS, "tests"),
    ("template: none.yaml\n" + TESTS, "a.test.yaml:1:11: template none.yaml: No such file"),
    ("[", "a.test.yaml:1:"),
]


@pytest.mark.parametrize(("text", "reason"), INVALID)
def test_an_invalid_file(run, text, reason):
    """It ends with 2, and says where and why."""
    status, out, err = run(text)
    assert (status, out) == (2, "")
    assert reason in err


FIRST = TESTS.partition("  - name: it does")[0]
WRONG_TESTS = [
    ("alarm: Rings, at: 1m", "alarm: Ring, at: 1m", "a.test.yaml:13:14: there is no alarm 'Ring' (did you mean Rings?)"),
    ("at: 1m", "at: 2026-03-01", "a.test.yaml:13:33: a test without records has no dates (write how long after the start, as in 5m)"),
    ("name: M", "name: X", "a.test.yaml:12:36: no alarm looks at the metric N/X (did you mean N/M?)"),
    ("values: 0 1", "values: 0 x", "a.test.yaml:12:49: 'x' is no value (write a number, `_` for a gap, and 1x3 or _x2 to repeat)"),
    ("metrics: [{namespace: N, name: M, values: 0 1}]", "records: [none.json]", "a.test.yaml:12:15: none.json: no such file or folder"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), WRONG_TESTS)
def test_an_invalid_test(run, old, new, message):
    """It is not run and says why, on stderr as well; the others are run, and the status is 2."""
    text = ALARMS + FIRST.replace(old, new, 1) + FIRST.partition("\n")[2].replace("it rings", "another")
    status, out, err = run(text, words=("--format", "json"))
    assert (status, err) == (2, f"rolewatch: {message}\n")
    content = json.loads(out)
    wrong, right = content["tests"]
    (error,) = wrong["errors"]
    assert f"{error['place']}: {error['message']}" == message
    assert (wrong["name"], wrong["passed"], right["passed"]) == ("it rings", False, True)
    assert [content[key] for key in ("passed", "failed", "not_run")] == [1, 0, 1]


NOT_RUN = """\
ERROR     it rings
          there is no alarm 'Ring' (did you mean Rings?)
          a.test.yaml:13:14
1 test: 0 ok, 0 failed, 1 not run
"""


def test_an_invalid_test_in_a_table(run):
    """It is marked as such, with the reason and the place."""
    assert run(ALARMS + FIRST.replace("Rings, at: 1m", "Ring, at: 1m"))[1] == NOT_RUN


BROKEN = """\
ok        it rings
FAILED    it does not ring
          Broken at 1m: expected OK, but it cannot be evaluated
          a.test.yaml:11:22: Broken cannot be evaluated: expected an alarm's
          name or ARN, found the end, at character 7 of 'ALARM('
          a.test.yaml:19:9
          Rings at 2m: expected OK, was ALARM
          Threshold Crossed: 1 datapoint [1.0 (01/01/26 00:01:00)] was greater
          than or equal to the threshold (1.0).
          a.test.yaml:20:9
2 tests: 1 ok, 1 failed
"""


def test_an_alarm_that_cannot_be_evaluated(run):
    """What is expected of it fails, the rest is tested, and the error is told; the status is 2."""
    broken = ALARMS + "  - AlarmName: Broken\n    AlarmRule: ALARM(\n"
    said = "a.test.yaml:11:22: Broken cannot be evaluated: expected an alarm's name or ARN, found the end, at character 7 of 'ALARM('"
    named = TESTS.replace("      - {alarm: Rings, at: 1m", "      - {alarm: Broken, at: 1m")
    assert run(broken + named) == (2, BROKEN, f"rolewatch: {said}\n")
    (failure, _) = json.loads(run(broken + named, words=("--format", "json"))[1])["tests"][1]["failures"]
    assert (failure["actual"], failure["reason"]) == (None, said)
    assert run(broken + FIRST)[:2] == (2, "ok        it rings\n1 test: 1 ok, 0 failed\n")


def test_the_other_files_go_on(run):
    """A file that cannot be read, or makes no sense, does not keep others from being tested."""
    status, out, err = run("[", ALARMS + FIRST, words=("none.yaml",))
    assert (status, out) == (2, "ok        it rings\n1 test: 1 ok, 0 failed\n")
    first, second = err.splitlines()
    assert first.startswith("rolewatch: a.test.yaml:1:")
    assert second == "rolewatch: FILE none.yaml: No such file or directory"


def test_an_invalid_template(of_template, call):
    """Alarms that AWS would refuse are told once, and fail what is expected of them; alarms that it does not have are errors."""
    (of_template / "alarms.yaml").write_text(TEMPLATE.replace("Period: 60", "Period: 61"))
    second = of_template / "tests" / "y.test.yaml"
    second.write_text(OF_TEMPLATE)
    status, out, err = call("test", "tests/x.test.yaml", str(second.relative_to(of_template)))
    assert (status, " ".join(out.split()).count("but it cannot be evaluated")) == (2, 4)
    assert (
        err
        == "rolewatch: tests/../alarms.yaml:12:90: Period must be 10, 20, 30 or a multiple of 60, not 61\n"
    )
    (of_template / "alarms.yaml").write_text(TEMPLATE.replace("AlarmName: denied", "AlarmName: other"))
    assert "there is no alarm 'denied'" in call("test", "tests/x.test.yaml")[2]


def test_a_useless_template(of_template, call):
    """It is told, and nothing is tested."""
    (of_template / "alarms.yaml").write_text("Resources: []\n")
    status, out, err = call("test", "tests/x.test.yaml")
    assert (status, out) == (2, "")
    assert err == "rolewatch: tests/../alarms.yaml:1:12: Resources has to be a mapping, this is a list\n"


@pytest.mark.parametrize(
    ("start", "megabytes", "message"),
    [
        ('{"Resources": {"A": {"Type": "AWS::SNS::Topic"}}, "Metadata": "', 5, "x.test.yaml:6:14: there is no alarm 'denied'"),
        ("Resources: {A: {Type: AWS::SNS::Topic}}\nMetadata: '", 5, "alarms.yaml:1:1: larger than 4 MiB, which no YAML file should be"),
        ('{"Resources": {"A": {"Type": "AWS::SNS::Topic"}}, "Metadata": "', 17, "x.test.yaml:1:11: template tests/../alarms.yaml: larger than 16 MiB"),
    ],
    ids=["JSON", "YAML", "JSON without end"],
)  # fmt: skip
def test_large_templates(of_template, call, start, megabytes, message):
    """JSON may have 16 MiB, YAML 4."""
    close = '"}' if start[0] == "{" else "'"
    (of_template / "alarms.yaml").write_text(f"{start}{'x' * megabytes * 1024**2}{close}")
    (of_template / "tests" / "x.test.yaml").write_text(OF_TEMPLATE.replace("parameters:", "parameters: {} #"))
    status, _, err = call("test", "tests/x.test.yaml")
    assert (status, message in err) == (2, True)


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
