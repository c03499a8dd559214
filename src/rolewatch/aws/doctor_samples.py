"""Records of CloudTrail to try a set-up on: denials of service-linked roles of several kinds, and what is none.

The account and partition are those that are examined; all other names are made up. The forms are those of real records
(spec/cloudtrail.md §1, §2 and §8.3).
"""

import json
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

_DENY: Final = "with an explicit deny in a resource-based policy"
_NO_ALLOW: Final = "because no identity-based policy allows the {action} action"


class Sample(NamedTuple):
    """A record, and in a few words what it is of."""

    id: str
    title: str
    record: Mapping[str, Any]

    @property
    def message(self) -> str:
        """The record as CloudTrail writes it to a log group."""
        return json.dumps(self.record, separators=(",", ":"))


class _Row(NamedTuple):
    id: str
    title: str
    role: tuple[str, str]  # service principal and name
    source: str
    event: str
    code: str
    message: str
    access: Literal["read", "write"]
    request: Mapping[str, Any]


_CONFIG: Final = ("config.amazonaws.com", "AWSServiceRoleForConfig")
_MACIE: Final = ("macie.amazonaws.com", "AWSServiceRoleForAmazonMacie")
_SCALING: Final = ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling")
_BUCKET: Final = {"bucketName": "example-bucket"}
_ROWS: Final = (
    _Row("bucket-read", "Config is refused GetBucketPolicy by a bucket policy", _CONFIG, "s3", "GetBucketPolicy", "AccessDenied",
         'User: {session} is not authorized to perform: s3:GetBucketPolicy on resource: "arn:{partition}:s3:::example-bucket" ' + _DENY,
         "read", _BUCKET),
    _Row("bucket-head", 'Macie is refused HeadBucket, with no more than "Access Denied"', _MACIE, "s3", "HeadBucket", "AccessDenied",
         "Access Denied", "read", _BUCKET),
    _Row("launch", "Auto Scaling is refused RunInstances", _SCALING, "ec2", "RunInstances", "Client.UnauthorizedOperation",
         "You are not authorized to perform this operation. User: {session} is not authorized to perform: ec2:RunInstances on resource: "
         "arn:{partition}:ec2:{region}:{account}:instance/* " + _NO_ALLOW.format(action="ec2:RunInstances"), "write", {}),
    _Row("key", "Auto Scaling is refused CreateGrant by a key policy", _SCALING, "kms", "CreateGrant", "AccessDenied",
         "User: {session} is not authorized to perform: kms:CreateGrant on resource: "
         "arn:{partition}:kms:{region}:{account}:key/00000000-0000-4000-8000-000000000000 "
         "because no resource-based policy allows the kms:CreateGrant action", "write", {"keyId": "00000000-0000-4000-8000-000000000000"}),
    _Row("queue", "Access Analyzer is refused GetQueueAttributes by a queue policy", ("access-analyzer.amazonaws.com", "AWSServiceRoleForAccessAnalyzer"),
         "sqs", "GetQueueAttributes", "AccessDenied", "User: {session} is not authorized to perform: sqs:getqueueattributes on resource: "
         "arn:{partition}:sqs:{region}:{account}:example " + _DENY, "read", {"queueUrl": "https://sqs.example/example"}),
    _Row("topic", "Trusted Advisor is refused GetTopicAttributes", ("trustedadvisor.amazonaws.com", "AWSServiceRoleForTrustedAdvisor"),
         "sns", "GetTopicAttributes", "AuthorizationError", "User: {session} is not authorized to perform: SNS:GetTopicAttributes on resource: "
         "arn:{partition}:sns:{region}:{account}:example " + _DENY, "read", {"topicArn": "arn:aws:sns:us-east-1:111122223333:example"}),
    _Row("function", "Access Analyzer is refused GetPolicy of a function", ("access-analyzer.amazonaws.com", "AWSServiceRoleForAccessAnalyzer"),
         "lambda", "GetPolicy20150331v2", "AccessDeniedException", "User: {session} is not authorized to perform: lambda:GetPolicy on resource: "
         "arn:{partition}:lambda:{region}:{account}:function:example " + _NO_ALLOW.format(action="lambda:GetPolicy"), "read",
         {"functionName": "example"}),
    _Row("image", "Inspector is refused BatchGetImage by a repository policy", ("inspector2.amazonaws.com", "AWSServiceRoleForAmazonInspector2"),
         "ecr", "BatchGetImage", "AccessDeniedException", "User: {session} is not authorized to perform: ecr:BatchGetImage on resource: "
         "arn:{partition}:ecr:{region}:{account}:repository/example " + _DENY, "read", {"repositoryName": "example"}),
)  # fmt: skip


def denials(account: str, partition: str = "aws", region: str = "us-east-1") -> tuple[Sample, ...]:
    """Give one denial of each kind."""
    return tuple(Sample(row.id, row.title, _record(row, account, partition, region)) for row in _ROWS)


def others(account: str, partition: str = "aws", region: str = "us-east-1") -> tuple[Sample, ...]:
    """Give what is no denial of a service-linked role: a call of one that is answered, and a person who is refused."""
    row = _ROWS[0]
    answered = dict(_record(row, account, partition, region))
    for name in ("errorCode", "errorMessage"):
        del answered[name]
    person = dict(_record(row, account, partition, region))
    arn = f"arn:{partition}:iam::{account}:user/alice"
    person["userIdentity"] = {
        "type": "IAMUser", "principalId": "AIDAEXAMPLEEXAMPLE000", "arn": arn, "accountId": account, "accessKeyId": "AKIAEXAMPLEEXAMPLE00",
        "userName": "alice",
    }  # fmt: skip
    person["sourceIPAddress"] = "192.0.2.1"
    person["errorMessage"] = str(person["errorMessage"]).replace(_session(row, account, partition), arn)
    return (
        Sample("answered", "a call of a service-linked role that is answered", answered),
        Sample("person", "a person who is refused", person),
    )


def data_event(account: str, partition: str = "aws", region: str = "us-east-1") -> Sample:
    """Give a denial that only data events show: GetObject."""
    row = _Row(
        "object", "Macie is refused GetObject", _MACIE, "s3", "GetObject", "AccessDenied",
        'User: {session} is not authorized to perform: s3:GetObject on resource: "arn:{partition}:s3:::example-bucket/example" ' + _DENY,
        "read", {**_BUCKET, "key": "example"},
    )  # fmt: skip
    resources = [
        {"type": "AWS::S3::Object", "ARN": f"arn:{partition}:s3:::example-bucket/example"},
        {"type": "AWS::S3::Bucket", "ARN": f"arn:{partition}:s3:::example-bucket", "accountId": account},
    ]
    made = {**_record(row, account, partition, region), "eventCategory": "Data", "managementEvent": False}
    return Sample(row.id, row.title, {**made, "resources": resources})


def _session(row: _Row, account: str, partition: str) -> str:
    return f"arn:{partition}:sts::{account}:assumed-role/{row.role[1]}/rolewatch"


def _record(row: _Row, account: str, partition: str, region: str) -> dict[str, Any]:
    service, name = row.role
    session = _session(row, account, partition)
    issuer = {
        "type": "Role",
        "principalId": "AROAEXAMPLEEXAMPLE000",
        "arn": f"arn:{partition}:iam::{account}:role/aws-service-role/{service}/{name}",
        "accountId": account,
        "userName": name,
    }
    return {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLEEXAMPLE000:rolewatch",
            "arn": session,
            "accountId": account,
            "sessionContext": {
                "sessionIssuer": issuer,
                "attributes": {"creationDate": "2026-01-01T00:00:00Z", "mfaAuthenticated": "false"},
            },
            "invokedBy": service,
        },
        "eventTime": "2026-01-01T00:00:00Z",
        "eventSource": f"{row.source}.amazonaws.com",
        "eventName": row.event,
        "awsRegion": region,
        "sourceIPAddress": service,
        "userAgent": service,
        "errorCode": row.code,
        "errorMessage": row.message.format(
            session=session, partition=partition, region=region, account=account
        ),
        "requestParameters": row.request or None,
        "responseElements": None,
        "requestID": "00000000-0000-4000-8000-000000000001",
        "eventID": "00000000-0000-4000-8000-000000000002",
        "readOnly": row.access == "read",
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
