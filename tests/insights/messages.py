"""Records for queries: every field is there, missing, null and of another type in some of them."""

import json

NAMES = [
    "GetObject",
    "HeadBucket",
    "Decrypt",
    "PutObject",
    "get*[x",
    "",
    "10",
    "9",
    "1e3",
    "naïve 漢",
    "a'b\"c\\d",
    "%_{0}",
    "09",
    "x" * 30,
]
SIZES = [1, 2.5, 10, -3, "7", "7.0", "1e2", "abc", None, True, False, [1, 2], {"a": 1}, 0]


def record(number):
    """Return one of a story of calls, a minute apart."""
    return {
        "eventTime": f"2026-03-01T{10 + number // 60:02}:{number % 60:02}:00Z",
        "eventName": NAMES[number % len(NAMES)],
        "awsRegion": ["us-east-1", "eu-west-1", None][number % 3],
        "readOnly": number % 2 == 0,
        "size": SIZES[number % len(SIZES)],
        "sourceIPAddress": ["10.0.0.1", "192.0.2.7", "2001:db8::1", "config.amazonaws.com"][number % 4],
        "userIdentity": {"type": "AssumedRole", "accountId": str(number % 4), "arn": f"arn:aws:sts::{number % 4}:role/R{number % 5}"},
        "resources": [{"ARN": f"arn:aws:s3:::b{number % 3}"}, {"ARN": "arn:aws:s3:::c", "type": "AWS::S3::Bucket"}][: number % 3],
        "text": json.dumps({"a": [number, "x", None, True], "b": {"c": number / 4}}) if number % 5 else "no json",
    } | ({"errorCode": "AccessDenied"} if number % 7 == 0 else {})  # fmt: skip


MESSAGES = [json.dumps(record(number), separators=(",", ":"), ensure_ascii=False) for number in range(90)]
