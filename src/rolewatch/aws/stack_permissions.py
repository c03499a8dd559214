"""A pipeline's parameters in; the IAM policy that deploying it, or taking it down, needs, out.

CloudFormation makes what is in a stack with the permissions of who asks. What each type takes is from the schemas of
CloudFormation's registry, as far as the template uses it; a test holds the table against them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from rolewatch.aws.pipeline import SLOTS

Values = Mapping[str, str]
_LONGEST: Final = (
    24  # characters of a stack's name that CloudFormation puts into the name of a role, at least
)
_PREFIX: Final = "iam:"


class _Type(NamedTuple):
    """A type of resource: whether a stack has it, and the actions that make or change it, that read it, and that remove it.

    Actions are words, of which the first of each service has its prefix.
    """

    wanted: Callable[[Values], bool]
    make: str
    read: str
    remove: str


def _watching(values: Values) -> bool:
    return values["Parts"] == "all"


def _new_trail(values: Values) -> bool:
    return values["Trail"] == "new"


def _function(values: Values) -> bool:
    return _watching(values) and bool(values["FunctionCode"] or values["FunctionImage"])


def _counting(values: Values) -> bool:
    return _watching(values) and values["Alarm"] != "log"


_READS_BUCKET: Final = (
    "s3:GetAccelerateConfiguration GetAnalyticsConfiguration GetBucketAbac GetBucketCORS GetBucketLogging "
    "GetBucketMetadataTableConfiguration GetBucketNotification GetBucketObjectLockConfiguration GetBucketOwnershipControls "
    "GetBucketPublicAccessBlock GetBucketTagging GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration "
    "GetIntelligentTieringConfiguration GetInventoryConfiguration GetLifecycleConfiguration GetMetricsConfiguration "
    "GetReplicationConfiguration ListBucket ListTagsForResource"
)
_TAGS: Final = "cloudwatch:DescribeAlarms ListTagsForResource"
TYPES: Final[Mapping[str, _Type]] = {
    "AWS::CloudTrail::Trail": _Type(
        _new_trail,
        "cloudtrail:AddTags CreateTrail PutEventSelectors RemoveTags StartLogging StopLogging UpdateTrail iam:GetRole PassRole",
        "cloudtrail:DescribeTrails GetEventConfiguration GetEventSelectors GetInsightSelectors GetTrail GetTrailStatus ListTags",
        "cloudtrail:DeleteTrail",
    ),
    "AWS::S3::Bucket": _Type(
        _new_trail,
        "s3:CreateBucket PutBucketOwnershipControls PutBucketPublicAccessBlock PutBucketTagging PutBucketVersioning "
        "PutEncryptionConfiguration TagResource UntagResource",
        _READS_BUCKET,
        "s3:DeleteBucket ListBucket",
    ),
    "AWS::S3::BucketPolicy": _Type(
        _new_trail, "s3:PutBucketPolicy", "s3:GetBucketPolicy", "s3:DeleteBucketPolicy"
    ),
    "AWS::KMS::Key": _Type(
        lambda values: (_watching(values) and values["Key"] == "new")
        or (_new_trail(values) and values["TrailKey"] == "new"),
        "kms:CreateKey EnableKeyRotation PutKeyPolicy TagResource UntagResource UpdateKeyDescription",
        "kms:DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags",
        "kms:ScheduleKeyDeletion",
    ),
    "AWS::Logs::LogGroup": _Type(
        lambda values: _watching(values) and (not values["ExistingLogGroup"] or _function(values)),
        "logs:AssociateKmsKey CreateLogGroup DeleteRetentionPolicy DisassociateKmsKey PutRetentionPolicy TagResource UntagResource",
        "logs:DescribeIndexPolicies DescribeLogGroups DescribeResourcePolicies GetDataProtectionPolicy ListTagsForResource",
        "logs:DeleteLogGroup",
    ),
    "AWS::IAM::Role": _Type(
        lambda values: _watching(values)
        and (_new_trail(values) or not values["ExistingLogGroup"] or _function(values) or values["Alarm"] == "log"),
        "iam:CreateRole PutRolePolicy TagRole UntagRole UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription",
        "iam:GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies",
        "iam:DeleteRole DeleteRolePolicy DetachRolePolicy",
    ),
    "AWS::Logs::MetricFilter": _Type(
        _counting, "logs:PutMetricFilter", "logs:DescribeMetricFilters", "logs:DeleteMetricFilter"
    ),
    "AWS::CloudWatch::Alarm": _Type(
        _watching, "cloudwatch:PutMetricAlarm TagResource UntagResource", _TAGS, "cloudwatch:DeleteAlarms"
    ),
    "AWS::CloudWatch::CompositeAlarm": _Type(
        _counting, "cloudwatch:PutCompositeAlarm TagResource UntagResource", _TAGS, "cloudwatch:DeleteAlarms"
    ),
    "AWS::CloudWatch::LogAlarm": _Type(
        lambda values: _watching(values) and values["Alarm"] == "log",
        "cloudwatch:PutLogAlarm TagResource UntagResource logs:CreateScheduledQuery GetScheduledQuery TagResource UntagResource "
        "UpdateScheduledQuery iam:PassRole",
        f"{_TAGS} logs:ListTagsForResource",
        "cloudwatch:DeleteAlarms logs:DeleteScheduledQuery GetScheduledQuery",
    ),
    "AWS::SNS::Topic": _Type(
        _watching,
        "sns:CreateTopic SetTopicAttributes TagResource UntagResource",
        "sns:GetDataProtectionPolicy GetTopicAttributes ListSubscriptionsByTopic ListTagsForResource",
        "sns:DeleteTopic",
    ),
    "AWS::SNS::TopicPolicy": _Type(_watching, "sns:SetTopicAttributes", "", "sns:SetTopicAttributes"),
    "AWS::SNS::Subscription": _Type(
        lambda values: _watching(values) and any(values[slot] for slot in SLOTS),
        "sns:Subscribe",
        "sns:GetSubscriptionAttributes",
        "sns:Unsubscribe",
    ),
    "AWS::Logs::QueryDefinition": _Type(
        _watching, "logs:PutQueryDefinition", "logs:DescribeQueryDefinitions", "logs:DeleteQueryDefinition"
    ),
    "AWS::CloudWatch::Dashboard": _Type(
        lambda values: _watching(values) and values["Dashboard"] == "yes",
        "cloudwatch:PutDashboard TagResource UntagResource",
        "cloudwatch:GetDashboard ListTagsForResource",
        "cloudwatch:DeleteDashboards",
    ),
    "AWS::Lambda::Function": _Type(
        _function,
        "lambda:CreateFunction DeleteFunctionConcurrency PutFunctionConcurrency TagResource UntagResource UpdateFunctionCode "
        "UpdateFunctionConfiguration ec2:DescribeSecurityGroups DescribeSubnets DescribeVpcs elasticfilesystem:DescribeMountTargets "
        "s3:GetObject iam:PassRole",
        "lambda:GetFunction GetFunctionCodeSigningConfig GetFunctionRecursionConfig GetFunctionScalingConfig GetRuntimeManagementConfig",
        "lambda:DeleteFunction ec2:DescribeNetworkInterfaces",
    ),
    "AWS::Lambda::Permission": _Type(
        _function, "lambda:AddPermission", "lambda:GetPolicy", "lambda:RemovePermission"
    ),
    "AWS::Logs::SubscriptionFilter": _Type(
        _function, "logs:PutSubscriptionFilter", "logs:DescribeSubscriptionFilters", "logs:DeleteSubscriptionFilter"
    ),
}  # fmt: skip
"""All types of the template."""

_STACK: Final = (
    "cloudformation:CreateChangeSet DeleteChangeSet DeleteStack DescribeChangeSet DescribeStackEvents DescribeStacks ExecuteChangeSet "
    "ListChangeSets cloudtrail:DescribeTrails GetEventSelectors GetTrailStatus"
)
_LOOK_UP: Final = "cloudwatch:DescribeAlarms GetDashboard logs:DescribeLogGroups sns:GetTopicAttributes"
_IMAGE: Final = "ecr:BatchGetImage GetDownloadUrlForLayer GetRepositoryPolicy SetRepositoryPolicy"
_LOGS: Final = (
    "kms:ScheduleKeyDeletion s3:AbortMultipartUpload DeleteBucket DeleteObject DeleteObjectVersion GetBucketTagging "
    "ListBucketMultipartUploads ListBucketVersions"
)
_KEPT: Final = ("AWS::CloudTrail::Trail", "AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::KMS::Key")


def of_deploy(stack: str, values: Values, *, attach: bool, partition: str = "aws") -> dict[str, Any]:
    """Write the policy for `aws deploy`: to make, to change, and to take back; `attach` also changes a trail that is there."""
    own = [_STACK, _LOOK_UP]
    if values["BucketName"] and _new_trail(values):
        own.append("s3:ListBucket")
    if attach:
        own.append("cloudtrail:UpdateTrail iam:PassRole")
    if values["OrganizationId"]:
        own.append("organizations:DescribeOrganization ListAWSServiceAccessForOrganization")
    if values["FunctionImage"]:
        own.append(_IMAGE)
    if "{{resolve:secretsmanager:" in values["FunctionState"]:
        own.append("secretsmanager:GetSecretValue")
    types = [each for each in TYPES.values() if each.wanted(values)]
    made = [text for each in types for text in (each.make, each.read, each.remove)]
    found = _policy(stack, own, made, partition)
    if values["OrganizationId"]:
        roles = f"arn:{partition}:iam::*:role/aws-service-role/cloudtrail.amazonaws.com/*"
        found["Statement"].append(
            {
                "Sid": "TrailOfAnOrganization",
                "Effect": "Allow",
                "Action": "iam:CreateServiceLinkedRole",
                "Resource": roles,
            }
        )
    return found


def of_destroy(stack: str, *, logs: bool, partition: str = "aws") -> dict[str, Any]:
    """Write the policy for `aws destroy`, whatever the stack has; where its trail is the last one, the stack shrinks to that."""
    own = [_STACK, "cloudformation:ListStackResources cloudtrail:UpdateTrail", *([_LOGS] if logs else ())]
    made = [text for each in TYPES.values() for text in (each.read, each.remove)]
    made += [TYPES[each].make for each in _KEPT]
    return _policy(stack, own, made, partition)


def _policy(stack: str, own: Iterable[str], made: Iterable[str], partition: str) -> dict[str, Any]:
    """Put it together; what may be done to roles is for those of the stack only."""
    run, parts = set(_actions(own)), set(_actions(made))
    roles = {each for each in run | parts if each.startswith(_PREFIX)}
    statements = [
        _statement("RunTheStack", run - roles, "*"),
        _statement("WhatIsInTheStack", parts - roles - run, "*"),
        _statement("RolesOfTheStack", roles, f"arn:{partition}:iam::*:role/{stack[:_LONGEST]}*"),
    ]
    return {"Version": "2012-10-17", "Statement": [each for each in statements if each["Action"]]}


def _statement(sid: str, actions: Iterable[str], resource: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resource}


def _actions(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        service = ""
        for word in text.split():
            prefix, colon, name = word.rpartition(":")
            service = prefix if colon else service
            yield f"{service}:{name}"
