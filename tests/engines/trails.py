"""Records and deliveries for the tests of this folder."""

import gzip
import json

from rolewatch.engines.deliveries import answer
from rolewatch.insights import Moments, parse_query, plan_query
from rolewatch.scan.request import ScanRequest

ACCOUNT = "111122223333"
CODES = ["AccessDenied", None, "NoSuchBucket", "", "Access\u00e9 \U0001f512", 'a"b\\c', "1", "true"]
SIZES = [1, 2.5, "7", "7.0", True, None, [1], {"a": 1}, 1e3, "a*b"]


def record(number=0, **fields):
    """Make a record in CloudTrail's order of keys; its code and its size go through all that a field may hold."""
    code = CODES[number % len(CODES)]
    return {
        "eventVersion": "1.09",
        "userIdentity": {"type": "AssumedRole", "accountId": ACCOUNT, "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/R{number % 3}/s"},
        "eventTime": f"2026-03-{1 + number // 1440 % 28:02}T{number // 60 % 24:02}:{number % 60:02}:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": ["GetObject", "PutObject", "HeadBucket"][number % 3],
        "awsRegion": "us-east-1",
        "requestParameters": {"size": SIZES[number % len(SIZES)], "list": ["GetObject", number]},
        "eventID": f"00000000-0000-4000-8000-{number:012x}",
        "recipientAccountId": ACCOUNT,
    } | ({} if code is None else {"errorCode": code}) | fields  # fmt: skip


def content(*records, **layout):
    """Write records as CloudTrail does, or as json.dumps is told to."""
    layout = layout or {"separators": (",", ":"), "ensure_ascii": False}
    return json.dumps({"Records": records}, **layout).encode("utf-8", "surrogatepass")


def planned(query):
    """Make the plan of a query."""
    return plan_query(parse_query(query), Moments(0, 0))


def write(folder, name, data):
    """Write a delivery; returns the size of its content."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
    return len(data)


def asked(query, folder, *, most=10_000, **request):
    """Answer a query over a folder."""
    return answer(planned(query), [str(folder)], ScanRequest(**request), most=most)
