"""An account's set-up as AWS describes it, healthy; and the ways in which it can be broken, one for each check at least."""

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from rolewatch.aws.checks_fix import pattern
from rolewatch.aws.doctor_setup import (
    Group,
    GroupId,
    Key,
    Region,
    Role,
    Setup,
    Topic,
    Trail,
    Unseen,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ACCOUNT, REGION, NAME = "111122223333", "us-east-1", "CloudTrail/logs"
GROUP_ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{NAME}:*"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/delivers"
TOPIC_ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-4000-8000-000000000000"
STREAMS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{NAME}:log-stream:"
ADVANCED_MANAGEMENT = {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}
ADVANCED_OBJECTS = {
    "FieldSelectors": [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
    ]
}
World = dict[str, Any]


def policy(*statements: dict[str, Any]) -> str:
    """Write a policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allow(
    action: str | list[str], *, service: str = "", resource: str = "*", **condition: Any
) -> dict[str, Any]:
    """Write a statement that allows; of a resource's policy with the service that it names."""
    made: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": resource}
    if service:
        made["Principal"] = {"Service": service}
    return {**made, "Condition": condition} if condition else made


def trust(service: str) -> str:
    """Write the trust policy of a role for a service."""
    statement = allow("sts:AssumeRole", service=service)
    del statement["Resource"]
    return policy(statement)


def metric_filter(name: str = "denied", text: str | None = None, **made: Any) -> dict[str, Any]:
    """Describe a metric filter; with our pattern unless another is given."""
    transformation = {"metricNamespace": "Local", "metricName": "Denied", "metricValue": "1", **made}
    return {
        "filterName": name,
        "filterPattern": pattern() if text is None else text,
        "metricTransformations": [transformation],
        "creationTime": 1767225600000,
        "logGroupName": NAME,
        "applyOnTransformedLogs": False,
    }


def alarm(name: str = "denied", **changes: Any) -> dict[str, Any]:
    """Describe an alarm: that on denials unless it is changed."""
    return {
        "AlarmName": name,
        "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}",
        "ActionsEnabled": True,
        "OKActions": [],
        "AlarmActions": [TOPIC_ARN],
        "InsufficientDataActions": [],
        "StateValue": "OK",
        "StateReason": "Threshold Crossed",
        "StateUpdatedTimestamp": NOW - timedelta(days=20),
        "StateTransitionedTimestamp": NOW - timedelta(days=20),
        "MetricName": "Denied",
        "Namespace": "Local",
        "Statistic": "Sum",
        "Dimensions": [],
        "Period": 300,
        "EvaluationPeriods": 12,
        "DatapointsToAlarm": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        **changes,
    }


def silence() -> dict[str, Any]:
    """Describe the alarm on a log group into which nothing comes."""
    return alarm(
        "silent",
        Namespace="AWS/Logs",
        MetricName="IncomingLogEvents",
        Dimensions=[{"Name": "LogGroupName", "Value": NAME}],
        EvaluationPeriods=3,
        DatapointsToAlarm=3,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
    )


def log_alarm(query: str, **changes: Any) -> dict[str, Any]:
    """Describe a log alarm that counts what a query finds."""
    return {
        "AlarmName": "queried",
        "ActionsEnabled": True,
        "AlarmActions": [TOPIC_ARN],
        "StateValue": "OK",
        "ScheduledQueryConfiguration": {
            "QueryString": query,
            "LogGroupIdentifiers": [NAME],
            "ScheduledQueryRoleARN": f"arn:aws:iam::{ACCOUNT}:role/queries",
            "AggregationExpression": "count(*) by userIdentity.sessionContext.sessionIssuer.arn",
            "ScheduleConfiguration": {"ScheduleExpression": "rate(5 minutes)", "StartTimeOffset": 900},
        },
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 1.0,
        "QueryResultsToEvaluate": 12,
        "QueryResultsToAlarm": 1,
        "TreatMissingData": "notBreaching",
        **changes,
    }


def trail() -> dict[str, Any]:
    """Describe a trail, with its status, selectors and role."""
    return {
        "described": {
            "Name": "management-events",
            "TrailARN": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/management-events",
            "HomeRegion": REGION,
            "S3BucketName": "trail-bucket",
            "IncludeGlobalServiceEvents": True,
            "IsMultiRegionTrail": True,
            "IsOrganizationTrail": False,
            "CloudWatchLogsLogGroupArn": GROUP_ARN,
            "CloudWatchLogsRoleArn": ROLE_ARN,
        },
        "status": {
            "IsLogging": True,
            "LatestDeliveryTime": NOW - timedelta(minutes=4),
            "LatestCloudWatchLogsDeliveryTime": NOW - timedelta(minutes=5),
            "StartLoggingTime": NOW - timedelta(days=90),
        },
        "selectors": {
            "EventSelectors": [
                {
                    "ReadWriteType": "All",
                    "IncludeManagementEvents": True,
                    "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
                    "ExcludeManagementEventSources": [],
                }
            ]
        },
        "role": {
            "trust": trust("cloudtrail.amazonaws.com"),
            "policies": {
                "deliver": policy(
                    allow(
                        ["logs:CreateLogStream", "logs:PutLogEvents"],
                        resource=f"{STREAMS}{ACCOUNT}_CloudTrail_{REGION}*",
                    )
                )
            },
        },
    }


def healthy() -> World:
    """Describe a set-up in which nothing is wrong."""
    return deepcopy(
        {
            "trails": [trail()],
            "organization": "",
            "group": {"logGroupName": NAME, "retentionInDays": 90, "logGroupClass": "STANDARD"},
            "filters": [metric_filter()],
            "subscriptions": [],
            "transformer": None,
            "stream": {
                "logStreamName": f"{ACCOUNT}_CloudTrail_{REGION}",
                "lastEventTimestamp": (NOW - timedelta(minutes=5)).timestamp() * 1000,
                "lastIngestionTime": (NOW - timedelta(minutes=5)).timestamp() * 1000,
            },
            "alarms": {"MetricAlarms": [alarm(), silence()], "CompositeAlarms": [], "LogAlarms": []},
            "published": False,
            "topic": {
                "Policy": policy(
                    allow("sns:Publish", service="cloudwatch.amazonaws.com", resource=TOPIC_ARN, StringEquals={"aws:SourceAccount": ACCOUNT})
                ),
                "KmsMasterKeyId": KEY_ARN,
            },
            "subscribed": [{"Protocol": "email", "Endpoint": "alice@example.com", "SubscriptionArn": f"{TOPIC_ARN}:1"}],
            "key": {
                "KeyId": KEY_ARN.rpartition("/")[2],
                "Arn": KEY_ARN,
                "KeyManager": "CUSTOMER",
                "KeyState": "Enabled",
            },
            "key_policy": policy(
                allow("kms:*", service="iam.amazonaws.com"),
                allow(["kms:Decrypt", "kms:GenerateDataKey*"], service="cloudwatch.amazonaws.com", StringEquals={"aws:SourceAccount": ACCOUNT}),
            ),
        }
    )  # fmt: skip


def setup_of(world: World) -> Setup:
    """Make of a description what the collector would have made of the account."""
    trails = world["trails"]
    found = trails if isinstance(trails, Unseen) else tuple(map(_trail, trails))
    identity = GroupId(ACCOUNT, REGION, NAME)
    attached = not isinstance(trails, Unseen) and any(each.log_group == identity for each in found)
    group = Group(
        identity,
        world["group"],
        world["filters"],
        world["subscriptions"],
        world["transformer"],
        world["stream"],
    )
    groups = (group,) if attached or world.get("named") else ()
    filters = [] if isinstance(world["filters"], Unseen) else world["filters"]
    metrics = {
        (made["metricNamespace"], made["metricName"]): world["published"]
        for each in filters
        for made in each["metricTransformations"]
    }
    return Setup(
        ACCOUNT,
        "aws",
        (REGION,),
        NOW,
        found,
        world["organization"],
        groups,
        {REGION: Region(REGION, world["alarms"], metrics)} if groups else {},
        {TOPIC_ARN: _topic(world)},
    )


def _trail(described: dict[str, Any]) -> Trail:
    role = described["role"]
    if isinstance(role, dict):
        role = Role(ROLE_ARN, role["trust"], tuple(role["policies"].items()), role.get("boundary"))
    return Trail(described["described"], described["status"], described["selectors"], role)


def _topic(world: World) -> Topic:
    attributes = world["topic"]
    encrypted = isinstance(attributes, dict) and attributes.get("KmsMasterKeyId")
    key = Key(attributes["KmsMasterKeyId"], world["key"], world["key_policy"]) if encrypted else None
    return Topic(TOPIC_ARN, attributes, world["subscribed"], key)
