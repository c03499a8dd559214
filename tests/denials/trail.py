"""Records of CloudTrail for the tests of this folder, as JSON bytes."""

import json

ACCOUNT, OTHER = "111122223333", "444455556666"
SLR = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
TIME = "2026-03-01T10:00:00Z"
GUID = "0a1b2c3d-1111-2222-3333-444455556666"

LINKED = {
    "type": "AssumedRole",
    "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSServiceRoleForConfig/s",
    "accountId": ACCOUNT,
    "sessionContext": {"sessionIssuer": {"type": "Role", "arn": SLR}},
    "invokedBy": "config.amazonaws.com",
}
ROLE = {
    **LINKED,
    "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/delivery"}},
}
SERVICE = {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"}
USER = {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/ann", "accountId": ACCOUNT}
FOREIGN = {"type": "AWSAccount", "principalId": "AROAX:s", "accountId": ACCOUNT}
IDENTITIES = {"linked": LINKED, "role": ROLE, "service": SERVICE, "user": USER, "foreign": FOREIGN}
LEFT_OUT = object()


def item(**fields):
    """Make a record as a dict: Config reads the ACL of bucket `b`; LEFT_OUT removes a field."""
    record = {
        "eventVersion": "1.09",
        "userIdentity": LINKED,
        "eventTime": TIME,
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetBucketAcl",
        "awsRegion": "us-east-1",
        "requestParameters": {"bucketName": "b"},
        "responseElements": None,
        "eventID": GUID,
        "recipientAccountId": ACCOUNT,
    } | fields
    return {key: value for key, value in record.items() if value is not LEFT_OUT}


def raw(**fields):
    """Make a record as CloudTrail writes it."""
    return json.dumps(item(**fields), separators=(",", ":")).encode()


def denied(**fields):
    """Make a record of a bare refusal."""
    return raw(**({"errorCode": "AccessDenied", "errorMessage": "Access Denied"} | fields))
