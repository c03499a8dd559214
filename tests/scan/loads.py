"""Records and deliveries for the tests of this folder."""

import gzip
import json

from rolewatch.scan import detect
from rolewatch.scan.detect import Detector
from rolewatch.scan.pool import Alone
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import BytesDelivery

ACCOUNT, OTHER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
TIME = "2026-03-01T10:00:00Z"
USER = {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/ann", "accountId": ACCOUNT}
DENIED = {"errorCode": "AccessDenied", "errorMessage": "Access Denied"}


def linked(role=ROLE):
    """Make the userIdentity of a session of a role."""
    return {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role}}}


def record(name="HeadBucket", time=TIME, number=0, **fields):
    """Make a record: Config asks for bucket `b`; `number` makes its event id."""
    return {
        "eventVersion": "1.09",
        "userIdentity": linked(),
        "eventTime": time,
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "requestParameters": {"bucketName": "b"},
        "eventID": f"00000000-0000-4000-8000-{number:012x}",
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    } | fields


def content(*records, **layout):
    """Write records as CloudTrail does, or as json.dumps is told to."""
    return json.dumps({"Records": records}, **(layout or {"separators": (",", ":")})).encode()


def delivery(data, name="x.json", *, named=False, size=None, kind=BytesDelivery):
    """Make a delivery of some bytes."""
    size = len(data) if size is None else size
    return kind(name=name, identity=name, named=named, size=size, remote=False, content=data)


def logs(day=1, hour=10, *, account=ACCOUNT, region="us-east-1", kind="CloudTrail", suffix=""):
    """Name a log file as CloudTrail does, delivered in March 2026."""
    folder = f"AWSLogs/{account}/{kind}/{region}/2026/03/{day:02d}"
    return (
        f"{folder}/{account}_{kind}_{region}{suffix}_202603{day:02d}T{hour:02d}05Z_abcdefgh12345678.json.gz"
    )


def stepped(*deliveries, **request):
    """Step deliveries (bytes, or deliveries) one after another."""
    stepper = Detector(ScanRequest(**request))
    for item in deliveries:
        stepper.step(item if isinstance(item, BytesDelivery) else delivery(item))
    return stepper


def latest(stepper, key):
    """Return the proven latest time of a fact; None if there is none."""
    return detect.latest(Alone(stepper), {key: ""}).get(key)


def write(folder, name, *records):
    """Write a log file below a folder, as CloudTrail does."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content(*records), mtime=0))
    return path
