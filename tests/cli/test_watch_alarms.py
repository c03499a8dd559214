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


LOG_ALARM = """\
Resources:
  Log:
    Type: AWS::CloudWatch::LogAlarm
    Properties:
      AlarmName: by-bucket
      ScheduledQueryConfiguration:
        QueryString: filter errorCode = 'AccessDenied'
        LogGroupIdentifiers: [trail]
        ScheduledQueryRoleARN: arn:aws:iam::111122223333:role/query
        AggregationExpression: count(*) by requestParameters.bucketName
        ScheduleConfiguration: {ScheduleExpression: rate(1 minutes), StartTimeOffset: 600}
      QueryResultsToEvaluate: 1
      QueryResultsToAlarm: 1
      Threshold: 1
      ComparisonOperator: GreaterThanOrEqualToThreshold
      ActionLogLineCount: 1
      ActionLogLineRoleArn: arn:aws:iam::111122223333:role/lines
      AlarmActions: [arn:aws:sns:us-east-1:111122223333:alerts]
"""


def told_of_logs(cli, *words):
    """Watch a log alarm twice, with a denial in between that came while nobody watched; returns what its action was told."""
    (cli.folder / "rolewatch.toml").write_text(SETTINGS)
    (cli.folder / "log.yaml").write_text(LOG_ALARM)
    (cli.folder / "trail").mkdir(exist_ok=True)

    def once():
        done = cli("watch", *words, "--once", "--state", "state", "--template", "log.yaml")
        assert done.returncode == 0, done.stderr

    once()
    away(cli.folder, 1800)
    arrive(cli.folder, 900)
    once()
    once()
    path = cli.folder / "told.jsonl"
    return [json.loads(line)["alarm"] for line in path.read_text().splitlines()] if path.exists() else []


def test_a_log_alarm(cli):
    """It rings for a contributor, with the log line, and is over when its window has passed; each is told once."""
    rings, = [each for each in told_of_logs(cli, "trail") if each["NewStateValue"] == "ALARM"]  # fmt: skip
    assert rings["AlarmName"] == "by-bucket"
    assert list(rings["AlarmContributorAttributes"]) == ["requestParameters.bucketName"]
    assert rings["Trigger"]["QueryString"] == "filter errorCode = 'AccessDenied'"
    assert json.loads(rings["LogLines"][0])["errorCode"] == "AccessDenied"


@pytest.mark.parametrize(("words", "rings"), [
    (("--log-group", "trail=trail"), True),
    (("empty", "--log-group", "trail=trail"), True),
    (("trail", "--log-group", "trail=empty"), False),
    (("trail", "--log-group", "trail=trail"), True),
    (("trail", "--log-group", "other=empty"), True),
])  # fmt: skip
def test_log_groups(cli, words, rings):
    """A log alarm sees the deliveries of its log group, if there is one, else all that are of no named one."""
    (cli.folder / "empty").mkdir()
    assert bool(told_of_logs(cli, *words)) is rings


def test_a_log_group_in_the_settings(cli):
    """Has a key and a variable, as other options have."""
    (cli.folder / "empty").mkdir()
    (cli.folder / "trail").mkdir()
    (cli.folder / "log.yaml").write_text(LOG_ALARM)
    words = ("watch", "empty", "--once", "--state", "state", "--template", "log.yaml")
    for environ, settings in (
        ({"ROLEWATCH_LOG_GROUP": "nobody=trail"}, ""),
        ({}, 'log-group = ["nobody=trail"]'),
    ):
        (cli.folder / "rolewatch.toml").write_text(settings)
        done = cli(*words, **environ)
        assert done.returncode == 0
        assert "no metric filter or log alarm is of the log group nobody; there are: trail" in done.stderr


@pytest.mark.parametrize(("words", "reason"), [
    (("trail", "--log-group", "a=trail/sub"), "have deliveries in common, and are different log groups"),
    (("--log-group", "a=trail", "--log-group", "b=./trail/"), "have deliveries in common"),
    (("--log-group", "a=trail/*.json", "--log-group", "b=trail"), "have deliveries in common"),
    (("--log-group", "a=s3://b/x", "s3://b/x/y"), "have deliveries in common"),
    (("--log-group", "trail"), "write NAME=SOURCE"),
    (("--log-group", "a=missing"), "no such file or folder"),
    ((), "SOURCE is missing"),
])  # fmt: skip
def test_log_groups_that_make_no_sense(cli, words, reason):
    """Are wrong usage, before anything is watched."""
    (cli.folder / "trail" / "sub").mkdir(parents=True)
    done = cli("watch", *words, "--once", "--state", "state")
    assert done.returncode == 2
    assert reason in done.stderr


def test_patterns_of_one_folder(cli):
    """May be different log groups."""
    (cli.folder / "trail").mkdir()
    words = ("--log-group", "a=trail/a*", "--log-group", "b=trail/b*")
    assert cli("watch", *words, "--once", "--state", "state").returncode == 0
