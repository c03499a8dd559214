"""What the tests of a bucket that is polled share."""

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from following import Later
from rolewatch.base import aws
from rolewatch.sources import Window
from rolewatch.sources.live_s3 import BucketSource
from rolewatch.sources.places import bucket_of

ACCOUNT = "111122223333"


_numbers = count()


def key(ago=timedelta(), *, region="us-east-1", account=ACCOUNT, kind="CloudTrail", before=""):
    """Spell the key of an object that was delivered a while ago."""
    when = datetime.now(UTC) - ago
    file = f"{account}_{kind}_{region}_{when:%Y%m%dT%H%MZ}_{next(_numbers):016}.json.gz"
    return f"{before}AWSLogs/{account}/{kind}/{region}/{when:%Y/%m/%d}/{file}"


def minutes(number):
    """Spell a span."""
    return timedelta(minutes=number)


@pytest.fixture
def follow(faults, bucket, memory, told):
    """Give a function that follows the bucket by clocks that wait for nobody."""
    del faults

    def make(prefix="AWSLogs/", *, memory=memory, window=Window(), time=None):  # noqa: B008 - a window is immutable
        place = bucket_of(f"s3://{bucket.name}/{prefix}")
        return BucketSource(*place, memory, told, window=window, interval=30, time=time or Later())

    return make


@pytest.fixture
def bucket(s3, make_bucket, monkeypatch):
    """Make a bucket that is reached through the proxy."""
    del s3
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    return make_bucket(f"polled-{next(_numbers)}")


@pytest.fixture
def once(monkeypatch):
    """Let boto3 try each request once."""
    monkeypatch.setattr(aws, "ATTEMPTS", 1)


def listed(faults):
    """Tell what was listed: (prefix, after which key, whether only one level)."""
    found = []
    for request in faults.requests:
        query = parse_qs(urlsplit(request.path).query)
        if "list-type" in query and query.get("max-keys") != ["1"]:
            found.append([query.get(name, [""])[0] for name in ("prefix", "start-after", "delimiter")])
    return found


def resident():
    """Return how many bytes of memory this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
