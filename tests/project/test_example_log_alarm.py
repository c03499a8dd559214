"""The log alarm in examples/: its query lets through what its metric filter matches, and lint has nothing to say of it."""

import json
from pathlib import Path

import pytest
from test_example_templates import DENIALS, NO_ROLES, OTHERS, PARTITIONS, ROLE, record, template

from rolewatch.cli.main import main
from rolewatch.engines.duckdb import Sieve
from rolewatch.insights.log_alarm import question
from rolewatch.lint.run import lint_template
from rolewatch.plan import Plan, Shown, gets
from rolewatch.scan.rows import Reader

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def let_through(messages):
    """Say of each record whether the query's filters let it through."""
    (alarm,) = template("slr-denied-log-alarm").log_alarms
    found = question(alarm)
    fields = gets(found.plan)
    sieve = Sieve.of(Plan(found.lead, tuple(Shown("", get) for get in fields)), 0)
    rows = [Reader(fields)(message.encode()) for message in messages]
    kept = set(sieve(list(zip(*rows, strict=True)), len(rows))[0])
    return [place in kept for place in range(len(rows))]


def test_read_without_a_word():
    """The template is understood as a whole, and lint finds nothing to advise."""
    found = template("slr-denied-log-alarm")
    assert lint_template(found) == []
    assert {notice.level for notice in found.notices} == {"unused"}  # the roles
    (alarm,) = found.log_alarms
    assert alarm.actions.alarm == (found.topics[0].arn,)
    assert (alarm.needed, alarm.evaluated, alarm.query.every, alarm.lines) == (1, 12, 300, 10)
    assert alarm.query.groups == ("CloudTrail/logs",)


def test_every_refusal_and_nothing_else():
    """Every spelling of a refusal is let through, for a role of any partition; nothing else is, and nobody else."""
    refusals = [record(ROLE.format(partition), code) for partition in PARTITIONS for code in DENIALS]
    assert all(let_through(refusals))
    others = [record(ROLE.format("aws"), code) for code in (None, *OTHERS)]
    assert not any(let_through([*others, *(record(role, "AccessDenied") for role in NO_ROLES)]))


@pytest.fixture(scope="module")
def replays(tmp_path_factory):
    """Replay both of our templates over the example deliveries."""
    found = {}
    for name in ("slr-denied", "slr-denied-log-alarm"):
        out = tmp_path_factory.mktemp("replays") / f"{name}.json"
        words = ["replay", str(EXAMPLES / f"{name}.template.yaml"), str(EXAMPLES / "deliveries"), "--format", "json", "--output", str(out)]  # fmt: skip
        assert main(words) == 0
        (found[name],) = json.loads(out.read_text())["alarms"]
    return found


def test_it_tells_of_all_findings(replays):
    """It sees the same findings as the metric filter's alarm; and as each contributor notifies, somebody is told of all of them."""
    plain, log = replays["slr-denied"], replays["slr-denied-log-alarm"]
    assert log["type"] == "log"
    assert sorted(log["findings"]["told"]) == sorted(plain["findings"]["told"] + plain["findings"]["meanwhile"])  # fmt: skip
    assert (len(log["findings"]["told"]), log["findings"]["meanwhile"], log["findings"]["unraised"]) == (19, [], [])  # fmt: skip


def test_it_says_who_and_where(replays):
    """Each change into ALARM names the role and the bucket, and has log lines; so does its data."""
    changes = [each for each in replays["slr-denied-log-alarm"]["transitions"] if each["to"] == "ALARM"]
    assert all(" contributors evaluated to ALARM: userIdentity.sessionContext.sessionIssuer.arn=" in each["reason"] for each in changes)  # fmt: skip
    assert sum("requestParameters.bucketName=" in each["reason"] for each in changes) > 5
    assert all(1 <= len(each["log_lines"]) <= 10 for each in changes)
    assert all(json.loads(each["reason_data"])["contributors"] for each in changes)


def test_its_tests_pass(capsys):
    """The test file beside it holds."""
    assert main(["test", str(EXAMPLES / "slr-denied-log-alarm.test.yaml")]) == 0
    assert "6 tests: 6 ok, 0 failed" in capsys.readouterr().out
