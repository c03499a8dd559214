"""What is described and what has to change in; the AWS CLI's command that changes it, ready to be pasted into a shell, out."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rolewatch.aws.pipeline import document

#: What PutMetricAlarm, PutCompositeAlarm and PutLogAlarm take of what DescribeAlarms gives.
_OF_ALARM: Final = (
    "AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions", "MetricName", "Namespace",
    "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit", "EvaluationPeriods", "DatapointsToAlarm", "Threshold",
    "ComparisonOperator", "TreatMissingData", "EvaluateLowSampleCountPercentile", "Metrics", "ThresholdMetricId", "AlarmRule",
    "ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod", "ScheduledQueryConfiguration",
    "QueryResultsToEvaluate", "QueryResultsToAlarm", "ActionLogLineCount", "ActionLogLineRoleArn", "WarmUpConfiguration",
)  # fmt: skip
_COMMANDS: Final = {"AlarmRule": "put-composite-alarm", "ScheduledQueryConfiguration": "put-log-alarm"}
#: What else a filter has, which would be lost if it were written anew without.
_OF_FILTER: Final = {
    "fieldSelectionCriteria": "--field-selection-criteria",
    "emitSystemFieldDimensions": "--emit-system-field-dimensions",
}
DEPLOY: Final = "rolewatch aws deploy"


def pattern() -> str:
    """Give the pattern for denials of service-linked roles that `rolewatch aws deploy` ships."""
    found = document()["Resources"]["DeniedFilter"]["Properties"]["FilterPattern"]
    return str(found)


def command(service: str, operation: str, *words: str, region: str = "") -> str:
    """Write a command; each word is quoted where a shell needs that."""
    where = ("--region", region) if region else ()
    return shlex.join(("aws", service, operation, *words, *where))


def written(value: Any) -> str:
    """Write JSON as an argument."""
    return json.dumps(value, separators=(",", ":"), default=str)


def put_filter(
    described: Mapping[str, Any], group: str, region: str, *, text: str | None = None, **changes: Any
) -> str:
    """Write a metric filter anew, with another pattern, or with other values in its transformation (None removes one)."""
    made = {**described["metricTransformations"][0], **changes}
    words = [
        "--log-group-name", group,
        "--filter-name", described["filterName"],
        "--filter-pattern", described.get("filterPattern", "") if text is None else text,
        "--metric-transformations", written([{name: value for name, value in made.items() if value is not None}]),
    ]  # fmt: skip
    for name, flag in _OF_FILTER.items():
        value = described.get(name)
        if value:
            words += [flag, *([value] if isinstance(value, str) else value)]
    return command("logs", "put-metric-filter", *words, region=region)


def new_filter(group: str, region: str) -> str:
    """Write a metric filter for denials, of our pattern."""
    made = {"metricNamespace": "ServiceLinkedRoles", "metricName": "Denied", "metricValue": "1"}
    described = {"filterName": "denied-service-linked-roles", "metricTransformations": [made]}
    return put_filter(described, group, region, text=pattern())


def put_alarm(described: Mapping[str, Any], region: str, **changes: Any) -> str:
    """Write an alarm of any kind anew, with other values (None removes one); its state stays."""
    whole = {**described, **changes}
    kept = {name: whole[name] for name in _OF_ALARM if whole.get(name) not in (None, [], "")}
    operation = next((found for key, found in _COMMANDS.items() if key in kept), "put-metric-alarm")
    return command("cloudwatch", operation, "--cli-input-json", written(kept), region=region)


def new_alarm(metric: tuple[str, str], region: str, topic: str) -> str:
    """Write the alarm on a metric of denials: once is enough, and it lasts an hour."""
    namespace, name = metric
    described = {
        "AlarmName": f"{name}-denied", "Namespace": namespace, "MetricName": name, "Statistic": "Sum", "Period": 300,
        "EvaluationPeriods": 12, "DatapointsToAlarm": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching", "AlarmActions": [topic],
    }  # fmt: skip
    return put_alarm(described, region)


def silence_alarm(group: str, region: str, topic: str) -> str:
    """Write the alarm on a log group into which nothing comes."""
    described = {
        "AlarmName": f"{group.strip('/').replace('/', '-')}-silent", "Namespace": "AWS/Logs", "MetricName": "IncomingLogEvents",
        "Dimensions": [{"Name": "LogGroupName", "Value": group}], "Statistic": "Sum", "Period": 300, "EvaluationPeriods": 3,
        "Threshold": 1, "ComparisonOperator": "LessThanThreshold", "TreatMissingData": "breaching", "AlarmActions": [topic],
    }  # fmt: skip
    return put_alarm(described, region)


def with_statement(policy: str | None, statement: Mapping[str, Any]) -> str:
    """Add a statement to a policy; one with its Sid is replaced. Without a policy, or one that is none, make one."""
    try:
        found = json.loads(policy or "{}")
    except ValueError:
        found = {}
    whole = found if isinstance(found, dict) else {}
    old: Any = whole.get("Statement", [])
    listed: Sequence[Any] = old if isinstance(old, list) else [old]
    kept = [each for each in listed if not isinstance(each, dict) or each.get("Sid") != statement["Sid"]]
    return written({"Version": "2012-10-17", **whole, "Statement": [*kept, statement]})
