"""Records of the calls of a service-linked role, as CloudTrail writes them down."""

from datetime import UTC, datetime
from typing import Any

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"


def spelled(moment: datetime) -> str:
    """Spell a time as eventTime."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def call(
    number: int,
    moment: datetime,
    bucket: str,
    *,
    denied: bool = False,
    name: str = "GetBucketPolicy",
    role: str = ROLE,
    **fields: Any,
) -> dict[str, Any]:
    """Return the record of a call about a bucket, refused by the bucket's policy if it is denied; `number` makes its id."""
    made = {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "AssumedRole",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role}},
        },
        "eventTime": spelled(moment),
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "requestParameters": {"bucketName": bucket},
        "eventID": f"00000000-0000-4000-8000-{number:012d}",
        "recipientAccountId": ACCOUNT,
    }
    if denied:
        made |= {
            "errorCode": "AccessDenied",
            "errorMessage": f'User: {role} is not authorized to perform: s3:{name} on resource: "arn:aws:s3:::{bucket}"'
            " with an explicit deny in a resource-based policy",
        }
    return made | fields
