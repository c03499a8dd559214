"""Calls that change policies, as CloudTrail records them, for stories of who shut a service out."""

from datetime import timedelta
from itertools import count

from stories import NOON

import calls

ANN = "arn:aws:sts::111122223333:assumed-role/admin/ann"
TLS = {"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
VPC = TLS | {"Sid": "VpcOnly"}
_ids = count(1)


def put(minute, bucket="b", *statements, event=None, **fields):
    """Make the record of a bucket's new policy, some minutes from noon on."""
    policy = {"Version": "2012-10-17", "Statement": list(statements or (VPC,))}
    record = calls.call(0, NOON + timedelta(minutes=minute), bucket, name="PutBucketPolicy")
    return record | {
        "userIdentity": {"type": "AssumedRole", "arn": ANN},
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-cli/2",
        "requestParameters": {"bucketName": bucket, "bucketPolicy": policy},
        "eventID": event or f"10000000-0000-4000-8000-{next(_ids):012d}",
        **fields,
    }
