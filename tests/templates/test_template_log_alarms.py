"""Log alarms: what is read, and what cannot be."""

import json

import pytest
from template_texts import alarm, read, template, told

from rolewatch.templates import combined
from rolewatch.templates.definitions import WarmUp
from rolewatch.templates.trials import read_trials

SCHEDULE = {"ScheduleExpression": "rate(5 minutes)", "StartTimeOffset": 900}
QUERY = {
    "QueryString": "filter errorCode = 'AccessDenied'",
    "LogGroupIdentifiers": ["trail"],
    "ScheduledQueryRoleARN": "arn:aws:iam::111122223333:role/query",
    "AggregationExpression": "count(*) by eventName | sort desc",
    "ScheduleConfiguration": SCHEDULE,
}
ALARM = {
    "ScheduledQueryConfiguration": QUERY,
    "QueryResultsToEvaluate": 12,
    "QueryResultsToAlarm": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
}


def changed(of, changes):
    """Give properties with changes; None takes one away."""
    return {name: value for name, value in {**of, **changes}.items() if value is not None}


def log_alarm(schedule=None, query=None, **changes):
    """Write a log alarm with changes to its schedule, its query and itself."""
    configuration = changed({**QUERY, "ScheduleConfiguration": changed(SCHEDULE, schedule or {})}, query or {})  # fmt: skip
    properties = changed(ALARM, {"ScheduledQueryConfiguration": configuration, **changes})
    return f"Type: AWS::CloudWatch::LogAlarm\nProperties: {json.dumps(properties)}\n"


def one(*words, **changes):
    """Read the only log alarm of a template without a notice."""
    found = read(template(L=log_alarm(*words, **changes)))
    assert found.notices == ()
    (each,) = found.log_alarms
    return each


def test_plain():
    """A log alarm has a generated name, its query and its schedule in seconds."""
    each = one()
    assert (each.logical_id, each.name, each.needed, each.evaluated, each.threshold) == ("L", "stack-L", 1, 12, 1.0)  # fmt: skip
    assert (each.treat_missing_data, each.lines, each.warm_up, each.actions.enabled) == ("missing", 0, None, True)  # fmt: skip
    query = each.query
    assert (query.text, query.aggregation) == (QUERY["QueryString"], QUERY["AggregationExpression"])
    assert (query.groups, query.every, query.start, query.end) == (("trail",), 300, 900, 0)
    assert str(query.written.at(7)) == f"t.yaml:4:{5 + template(L=log_alarm()).decode().splitlines()[3].index('filter') + 3}"  # fmt: skip


def test_all_settings():
    """Actions, log lines, a warm-up, and log groups by ARN."""
    arn = "arn:aws:logs:us-east-1:111122223333:log-group:CloudTrail/logs:*"
    each = one(
        {"ScheduleExpression": "rate(1 hour)", "StartTimeOffset": "7200", "EndTimeOffset": 60},
        {"LogGroupIdentifiers": [arn, "trail", "CloudTrail/logs"], "Tags": []},
        AlarmName="n", AlarmDescription="d", ActionLogLineCount=10, ActionLogLineRoleArn="arn:aws:iam::1:role/lines",
        TreatMissingData="notBreaching", AlarmActions=["arn:a"], OKActions=["arn:b"], InsufficientDataActions=["arn:c"],
        WarmUpConfiguration={"WarmUpPeriodDurationInMinutes": 30, "OnlyStartEvaluatingAfterWarmUpPeriodEnds": True},
        Tags=[],
    )  # fmt: skip
    assert (each.query.every, each.query.start, each.query.end) == (3600, 7200, 60)
    assert each.query.groups == ("CloudTrail/logs", "trail")
    assert (each.lines, each.warm_up) == (10, WarmUp(1800, strictly=True))
    assert (each.actions.alarm, each.actions.ok, each.actions.insufficient_data) == (("arn:a",), ("arn:b",), ("arn:c",))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("rate(1 minute)", 60), ("rate(2 hours)", 7200), ("rate(1 day)", 86_400), ("rate(1 minutes)", 60)],
)
def test_schedules(text, seconds):
    """A rate is read in seconds; a plural too many is let pass."""
    assert one({"ScheduleExpression": text}).query.every == seconds


def test_a_query_may_name_its_log_groups():
    """Without LogGroupIdentifiers it is the query's `SOURCE` that says where to look."""
    assert one(None, {"LogGroupIdentifiers": None}).query.groups == ()


WRONG = [
    ({}, {}, {"QueryResultsToAlarm": 13}, "QueryResultsToAlarm must be between 1 and QueryResultsToEvaluate (12), not 13"),
    ({}, {}, {"QueryResultsToAlarm": 0}, "QueryResultsToAlarm must be between 1 and QueryResultsToEvaluate (12), not 0"),
    ({}, {}, {"QueryResultsToEvaluate": 101}, "QueryResultsToEvaluate must be between 1 and 100, not 101"),
    ({}, {}, {"QueryResultsToAlarm": None}, "required key [QueryResultsToAlarm] not found"),
    ({}, {}, {"Threshold": None}, "required key [Threshold] not found"),
    ({}, {}, {"ComparisonOperator": "GreaterThanUpperThreshold"}, "ComparisonOperator GreaterThanUpperThreshold is not for a log alarm (use GreaterThanOrEqualToThreshold"),
    ({}, {}, {"ComparisonOperator": "More"}, "1 validation error detected: Value 'More' at 'comparisonOperator'"),
    ({}, {}, {"TreatMissingData": "fine"}, "1 validation error detected: Value 'fine' at 'treatMissingData'"),
    ({}, {}, {"ActionLogLineCount": 51}, "ActionLogLineCount must be between 0 and 50, not 51"),
    ({}, {}, {"ActionLogLineCount": 5}, "required key [ActionLogLineRoleArn] not found (ActionLogLineCount needs it above 0)"),
    ({}, {}, {"WarmUpConfiguration": {}}, "required key [WarmUpPeriodDurationInMinutes] not found"),
    ({}, {}, {"WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 2881}}, "WarmUpPeriodDurationInMinutes must be between 1 and 2880, not 2881"),
    ({}, {"QueryString": None}, {}, "required key [QueryString] not found"),
    ({}, {"QueryString": "x" * 10_001}, {}, "1 validation error detected: Value '"),
    ({}, {"AggregationExpression": ""}, {}, "1 validation error detected: Value '' at 'aggregationExpression'"),
    ({}, {"ScheduledQueryRoleARN": None}, {}, "required key [ScheduledQueryRoleARN] not found"),
    ({}, {"LogGroupIdentifiers": []}, {}, "LogGroupIdentifiers holds 0 log groups, 1 to 50 are possible"),
    ({}, {"LogGroupIdentifiers": [""]}, {}, "1 validation error detected: Value '' at 'logGroupIdentifiers'"),
    ({}, {"ScheduleConfiguration": None}, {}, "required key [ScheduleConfiguration] not found"),
    ({"ScheduleExpression": "cron(0 * * * *)"}, {}, {}, "'cron(0 * * * *)' is no schedule of a log alarm (write it as in rate(5 minutes))"),
    ({"ScheduleExpression": "rate(0 minutes)"}, {}, {}, "'rate(0 minutes)' is no schedule of a log alarm"),
    ({"StartTimeOffset": None}, {}, {}, "required key [StartTimeOffset] not found"),
    ({"StartTimeOffset": 2_592_001}, {}, {}, "StartTimeOffset must be between 1 and 2592000, not 2592001"),
    ({"EndTimeOffset": 900}, {}, {}, "EndTimeOffset must be at least 0 and less than StartTimeOffset (900), not 900"),
    ({"EndTimeOffset": -1}, {}, {}, "EndTimeOffset must be at least 0 and less than StartTimeOffset (900), not -1"),
]  # fmt: skip


@pytest.mark.parametrize(("schedule", "query", "changes", "message"), WRONG)
def test_what_aws_would_refuse(schedule, query, changes, message):
    """It is left out with an error, and the others go on."""
    found = read(template(L=log_alarm(schedule, query, **changes), A=alarm()))
    assert [each.name for each in found.alarms] == ["stack-A"]
    assert (found.log_alarms, [each.name for each in found.left_out]) == ((), ["stack-L"])
    ((_, _, said),) = told(found)
    assert said.startswith(message)


def test_unknown_properties():
    """One that looks misspelled is a warning, and another one has no effect."""
    found = read(template(L=log_alarm(None, {"LogGroupIdentifier": ["x"]}, Unknown=1)))
    assert [said for *_, said in told(found, "warning")] == [
        "extraneous key [LogGroupIdentifier] is not permitted; did you mean LogGroupIdentifiers?"
    ]
    assert [said for *_, said in told(found, "unused")] == ["Unknown of AWS::CloudWatch::LogAlarm is not used here: L"]  # fmt: skip


def test_names_are_shared():
    """A log alarm cannot have the name of another alarm; several templates keep all of theirs."""
    same = read(template(A=alarm(AlarmName="n"), L=log_alarm(AlarmName="n")))
    assert [said for *_, said in told(same)] == ["the alarm n already exists, defined in t.yaml:2:3; this one is left out"]  # fmt: skip
    both = combined([read(template(L=log_alarm(AlarmName="a"))), read(template(L=log_alarm(AlarmName="b")))])
    assert [each.name for each in both.log_alarms] == ["a", "b"]


def test_references():
    """`Ref` gives its name, and `Fn::GetAtt` its ARN."""
    text = template(L=log_alarm(AlarmName="n"), A=alarm(AlarmName="!Sub '${L} ${L.Arn}'"))
    assert read(text).alarms[0].name == "n arn:aws:cloudwatch:us-east-1:123456789012:alarm:n"


def test_described():
    """What `describe-alarms` prints of log alarms is read, with its present state left aside."""
    state = {"StateValue": "OK", "StateReason": "r", "AlarmArn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:n"}  # fmt: skip
    configuration = {**QUERY, "QueryARN": "arn:aws:logs:eu-west-1:111122223333:scheduled-query:x"}
    described = {**ALARM, "AlarmName": "n", **state, "ScheduledQueryConfiguration": configuration}
    found = read(json.dumps({"MetricAlarms": [], "LogAlarms": [described]}))
    assert found.notices == ()
    assert [each.name for each in found.log_alarms] == ["n"]
    assert found.arn_prefix == "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:"


def test_in_a_test_file():
    """An alarm with a scheduled query is a log alarm."""
    file = {
        "alarms": [{**ALARM, "AlarmName": "n"}],
        "tests": [{"name": "t", "expect": [{"alarm": "n", "at": "5m", "state": "OK"}]}],
    }
    found = read_trials(json.dumps(file).encode(), "x.test.json")
    assert found.alarms.notices == ()
    assert [each.name for each in found.alarms.log_alarms] == ["n"]
