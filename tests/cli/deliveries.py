"""Small CloudTrail files: a story of five refused resources, each refused in a different way."""

import gzip
import json
from pathlib import Path
from typing import Any

HOME, OTHER = "111122223333", "444455556666"
DENY = "not authorized to perform: {} with an explicit deny in a resource-based policy"


def record(number: int, service: str = "config", resource: str = "seen", **more: Any) -> dict[str, Any]:
    """Return a record of a service's role reading a bucket's policy; `number` makes its id and its minute."""
    account = more.pop("account", HOME)
    role = f"arn:aws:iam::{account}:role/aws-service-role/{service}.amazonaws.com/AWSServiceRoleFor{service.title()}"
    return {
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "AssumedRole",
            "accountId": account,
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role, "accountId": account}},
            "invokedBy": f"{service}.amazonaws.com",
        },
        "eventTime": f"2026-03-01T10:{number:02}:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetBucketPolicy",
        "awsRegion": "us-east-1",
        "requestParameters": {"bucketName": resource},
        "eventID": f"00000000-0000-4000-8000-{number:012}",
        "eventCategory": "Management",
        "recipientAccountId": account,
    } | more


def denial(number: int, service: str = "config", resource: str = "blind", **more: Any) -> dict[str, Any]:
    """Return the same record, refused by the bucket's policy."""
    refused = {"errorCode": "AccessDenied", "errorMessage": DENY.format("s3:GetBucketPolicy")}
    return record(number, service, resource, **refused | more)


def story() -> list[dict[str, Any]]:
    """Return denials of every severity but `critical`, on the buckets blind, far and medium and on two services.

    The bucket `back` was reached again later.
    """
    far = {"account": OTHER, "awsRegion": "eu-west-1", "eventTime": "2026-03-05T10:00:00Z"}
    config = {
        "eventSource": "config.amazonaws.com",
        "eventName": "DescribeConfigRules",
        "requestParameters": None,
    }
    implicit = "not authorized to perform: config:DescribeConfigRules because no identity-based policy allows the config:DescribeConfigRules action"
    macie = {"eventSource": "macie2.amazonaws.com", "eventName": "GetMacieSession", "requestParameters": None}
    return [
        denial(1, "config", "blind"),
        denial(2, "macie", "far", **far),
        denial(3, "autoscaling", "medium"),
        denial(4, "config", "back"),
        record(5, "config", "back"),
        denial(6, "autoscaling", **config, errorMessage=implicit),
        denial(7, "config", **macie, errorMessage="Macie is not enabled."),
        record(8, "config", "seen"),
    ]


def service_principal(number: int) -> dict[str, Any]:
    """Return a denial of a service that uses no role."""
    return denial(
        number, "config", "direct", userIdentity={"type": "AWSService", "invokedBy": "config.amazonaws.com"}
    )


def write(path: Path, *records: dict[str, Any]) -> Path:
    """Write a delivery as CloudTrail does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"Records": records}, separators=(",", ":")).encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path
