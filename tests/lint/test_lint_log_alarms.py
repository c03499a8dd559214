"""What lint says of log alarms: their queries, schedules, thresholds, and whom they tell."""

import json

import pytest

from rolewatch.lint.advice import Severity
from rolewatch.lint.denials import SPELLINGS
from rolewatch.lint.run import LOG_RULES, lint_template
from rolewatch.templates import read_template

FILTER = 'filter userIdentity.sessionContext.sessionIssuer.arn like "aws-service-role" and '
DENIED = (
    FILTER
    + "(errorCode like /AccessDenied|Unauthorized|^NotAuthorized|NoAuthorization|^AuthorizationE|OperationNotPermitted|Insufficient.*Permission/ "
    "or errorCode like /^InsufficientPrivileges|^AccessForbidden|^ForbiddenE|^AccessTo.*Denied$|^IamRoleMissingPermissions$|^LogDestinationPermission/)"
)
ALARM = {
    "AlarmName": "denied",
    "ScheduledQueryConfiguration": {
        "QueryString": DENIED,
        "AggregationExpression": "count(*)",
        "LogGroupIdentifiers": ["trail"],
        "ScheduledQueryRoleARN": "arn:aws:iam::111122223333:role/query",
        "ScheduleConfiguration": {"ScheduleExpression": "rate(5 minutes)", "StartTimeOffset": 900},
    },
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "Threshold": 1,
    "QueryResultsToEvaluate": 12,
    "QueryResultsToAlarm": 1,
    "TreatMissingData": "notBreaching",
    "AlarmActions": ["arn:aws:sns:us-east-1:111122223333:topic"],
}


def advice_on(query=None, schedule=None, **changes):
    """Lint a template with one log alarm, changed: in its query, its schedule, and itself; None takes a property away."""
    alarm = json.loads(json.dumps(ALARM))
    configuration = alarm["ScheduledQueryConfiguration"]
    configuration |= query or {}
    configuration["ScheduleConfiguration"] |= schedule or {}
    properties = {key: value for key, value in (alarm | changes).items() if value is not None}
    text = json.dumps({"Resources": {"L": {"Type": "AWS::CloudWatch::LogAlarm", "Properties": properties}}})
    return lint_template(read_template(text.encode(), "t.json"))


BY = {"AggregationExpression": "count(*) by userIdentity.sessionContext.sessionIssuer.arn"}
AVERAGE = {"QueryString": "fields latency", "AggregationExpression": "avg(latency)"}
LESS = {"ComparisonOperator": "LessThanThreshold"}
# What is changed in the query, in the schedule, in the alarm; the rules of the advice, and the fix of the first.
CASES = [
    ({}, {}, {}, "", None),
    (BY, {}, {}, "", None),
    ({"QueryString": "fields @message | pattern @message"}, {}, {}, "wrong-query", None),
    ({"AggregationExpression": "count(*), max(size)"}, {}, {}, "wrong-query", None),
    ({"QueryString": "filter errorcode = 'AccessDenied' and eventName = 'x'"}, {}, {}, "unknown-field", None),
    ({"QueryString": "filter errorcode = 'AccessDenied'"}, {}, {}, "", None),
    ({"QueryString": FILTER + "errorCode = 'AccessDenied'"}, {}, {}, "forgotten-codes", None),
    ({"QueryString": "filter errorCode = 'AccessDenied' and eventName = 'GetObject'"}, {}, {}, "", None),
    ({"QueryString": "filter ispresent(errorCode)"}, {}, {}, "", None),
    ({}, {"StartTimeOffset": 120}, {}, "gaps", "StartTimeOffset: 300"),
    ({}, {"EndTimeOffset": 700}, {}, "gaps", "StartTimeOffset: 1000"),
    ({}, {"StartTimeOffset": 300}, {}, "short-window", "StartTimeOffset: 600"),
    ({"QueryString": "filter level = 'ERROR'"}, {"StartTimeOffset": 300}, {}, "", None),
    ({}, {}, {"Threshold": 0}, "always-breaching", "Threshold: 1"),
    (BY, {}, {"Threshold": 0}, "", None),
    ({}, {}, {"Threshold": 0, **LESS}, "unreachable-threshold", None),
    ({}, {}, {"Threshold": 1, **LESS}, "", None),
    (BY, {}, {"Threshold": 1, **LESS, "TreatMissingData": "breaching"}, "missing-data", None),
    (AVERAGE, {}, {**LESS, "TreatMissingData": "missing"}, "missing-data", "TreatMissingData: breaching"),
    (BY, {}, {"Threshold": 1, **LESS, "TreatMissingData": "missing"}, "missing-data unreachable-threshold", None),
    (BY, {}, {"TreatMissingData": None}, "missing-data", "TreatMissingData: notBreaching"),
    (BY, {}, {"TreatMissingData": "ignore"}, "missing-data", "TreatMissingData: notBreaching"),
    (AVERAGE, {}, {"TreatMissingData": "breaching"}, "missing-data", "TreatMissingData: notBreaching"),
    ({}, {}, {"TreatMissingData": None}, "", None),
    ({}, {}, {"AlarmActions": None}, "no-action", None),
    ({}, {}, {"ActionsEnabled": False}, "no-action", "ActionsEnabled: true"),
    ({}, {}, {"QueryResultsToAlarm": 13}, "refused", None),
]  # fmt: skip


@pytest.mark.parametrize(("query", "schedule", "changes", "rules", "fix"), CASES)
def test_advice(query, schedule, changes, rules, fix):
    """Each mistake gets the advice of its rules, and a corrected line where one would put it right."""
    found = advice_on(query, schedule, **changes)
    assert sorted(each.rule for each in found) == sorted(rules.split())
    assert fix in [None, *(each.fix for each in found)]


def test_every_rule_has_a_case():
    """No rule of log alarms is without a test that it speaks up."""
    assert {rule.id for rule in LOG_RULES} <= {rule for *_, rules, _ in CASES for rule in rules.split()}


def test_what_is_said():
    """Advice names the property, the codes that a query misses, and what was meant."""
    (forgotten,) = advice_on({"QueryString": FILTER + "errorCode like 'Denied'"})
    assert (forgotten.severity, forgotten.place.path) == (Severity.WARNING, "Resources.L.Properties.ScheduledQueryConfiguration.QueryString")  # fmt: skip
    missed = [code for code in SPELLINGS if "Denied" not in code]
    assert forgotten.message.endswith(f"misses {len(missed)} of the {len(SPELLINGS)} known ones: {', '.join(missed)}.")  # fmt: skip
    (wrong,) = advice_on({"QueryString": "filter errorCode = 'x"})
    assert wrong.message == "The query cannot be run: nothing closes this ', at character 20 of \"filter errorCode = 'x\"."  # fmt: skip


def test_a_composite_alarm_may_tell():
    """A log alarm without actions is fine where a composite alarm looks at it, which may name it."""
    composite = {"AlarmRule": "ALARM(denied)", "AlarmName": "c", "AlarmActions": ALARM["AlarmActions"]}
    properties = {key: value for key, value in ALARM.items() if key != "AlarmActions"}
    resources = {
        "L": {"Type": "AWS::CloudWatch::LogAlarm", "Properties": properties},
        "C": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": composite},
    }
    assert lint_template(read_template(json.dumps({"Resources": resources}).encode(), "t.json")) == []
