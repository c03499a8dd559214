"""`rolewatch watch --template`: what processes that end and begin again tell of alarms."""

import json
import os
import time
from datetime import UTC, datetime

import pytest
from deliveries import denial, write
from replayable import IMPORT, TEMPLATE

from rolewatch.store import alarms
from rolewatch.store.state import State

SETTINGS = """
[actions]
"arn:aws:sns:us-east-1:111122223333:alerts" = "exec:sh -c 'cat >> told.jsonl; echo >> told.jsonl'"
"""
BROKEN = TEMPLATE.replace("Period: 300", "Period: 61")


@pytest.fixture
def watch(cli):
    """Give a way to watch an empty folder once."""
    (cli.folder / "alarms.yaml").write_text(TEMPLATE)
    (cli.folder / "trail").mkdir()

    def once(*words, template="alarms.yaml"):
        return cli("watch", "trail", "--once", "--state", "state", "--template", template, *IMPORT, *words)

    return once


def ago(seconds):
    """Spell a time before now."""
    return datetime.fromtimestamp(time.time() - seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def away(folder, seconds):
    """Let so much time have passed since alarms were evaluated."""
    state = State(str(folder / "state"))

    def work(connection):
        until = alarms.evaluated(connection) - seconds
        alarms.keep_evaluated(connection, until)
        alarms.save(
            connection,
            [
                row._replace(created=until, updated=until, since=until)
                for row in alarms.alarm_states(connection)
            ],
        )

    state.write(work)
    state.close()


def arrive(folder, seconds):
    """Let a denial arrive that happened so many seconds ago, a minute later."""
    place = folder / "trail" / "denied.json.gz"
    write(place, denial(1, eventTime=ago(seconds)))
    moment = time.time() - seconds + 60
    os.utime(place, (moment, moment))


def test_an_alarm_that_rings_while_nobody_watches(watch, cli):
    """The next watcher tells of it, with the time at which it rang, through the action that the settings map."""
    (cli.folder / "rolewatch.toml").write_text(SETTINGS)
    first = watch()
    assert (first.returncode, first.stdout) == (0, "")
    away(cli.folder, 1800)
    arrive(cli.folder, 900)
    second = watch("--parameter", "AWS::AccountId=444455556666", "--parameter", "AWS::Region=eu-west-1")
    assert second.returncode == 0, second.stderr
    (told,) = map(json.loads, (cli.folder / "told.jsonl").read_text().splitlines())
    assert told["kind"] == "alarm"
    alarm = told["alarm"]
    assert (alarm["AlarmName"], alarm["NewStateValue"], alarm["OldStateValue"]) == ("denied", "ALARM", "OK")
    assert alarm["AlarmArn"] == "arn:aws:cloudwatch:eu-west-1:444455556666:alarm:denied"
    assert (alarm["AWSAccountId"], alarm["Region"]) == ("444455556666", "Europe (Ireland)")
    rang = datetime.fromisoformat(alarm["StateChangeTime"]).timestamp()
    assert 780 <= time.time() - rang <= 900 + SLACK
    third = watch("--parameter", "AWS::AccountId=444455556666", "--parameter", "AWS::Region=eu-west-1")
    assert third.returncode == 0
    assert len((cli.folder / "told.jsonl").read_text().splitlines()) == 1


SLACK = 60  # seconds that the commands may take


def test_notify_is_told_of_alarms_too(watch, cli):
    """Where the settings say nothing about actions."""
    target = ("--notify", "exec:sh -c 'cat >> told.jsonl; echo >> told.jsonl'")
    watch(*target)
    away(cli.folder, 1800)
    arrive(cli.folder, 900)
    watch(*target)
    told = [json.loads(line) for line in (cli.folder / "told.jsonl").read_text().splitlines()]
    assert sorted(each["kind"] for each in told) == ["alarm", "blocked"]


def test_a_template_that_is_invalid_in_part(watch, cli):
    """What AWS would refuse is told with its place, all else is watched, and a single run ends with 2."""
    (cli.folder / "broken.yaml").write_text(BROKEN)
    done = watch(template="broken.yaml")
    assert done.returncode == 2
    assert "broken.yaml:17:15" in done.stderr
    assert "61" in done.stderr


@pytest.mark.parametrize(("words", "reason"), [
    (("--template", "none.yaml"), "--template none.yaml: No such file"),
    (("--parameter", "AWS::AccountId=1"), "'1' is no account id"),
    (("--parameter", "AWS::Region=x"), "'x' is no region"),
    (("--keep-datapoints", "soon"), "'soon' is no length of time"),
    (("--parameter", "Nothing=1"), "Nothing"),
])  # fmt: skip
def test_wrong_usage(watch, words, reason):
    """It is told before anything is watched."""
    done = watch(*words)
    assert done.returncode == 2
    assert reason in done.stderr
