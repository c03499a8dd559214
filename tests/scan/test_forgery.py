"""A record that somebody writes into a list in another one's request proves nothing."""

import gzip
import json
import os
import threading
from datetime import UTC, datetime

import pytest

from rolewatch.scan.origins import Origins
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.run import run
from rolewatch.sources import FileDelivery

ROLE = "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
pytestmark = pytest.mark.usefixtures("both_ways")

NOW = datetime(2026, 3, 9, tzinfo=UTC)
FOLDER = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/0{day}"


def call(time, number, **more):
    """Make a call of Config's role on a bucket, in CloudTrail's order."""
    return {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "AssumedRole",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE}},
        },
        "eventTime": time,
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetBucketAcl",
        "awsRegion": "us-east-1",
        **more,
        "requestParameters": {"bucketName": "b"},
        "eventID": f"00000000-0000-0000-0000-{number:012}",
        "recipientAccountId": "111122223333",
    }


def forgery(time, number):
    """Make a person's record whose request holds a list with a success of the role, and fillers around it."""
    filler = {"eventVersion": "1.09", "eventTime": time}
    person = {"type": "IAMUser", "accountId": "111122223333"}
    record = call(time, number) | {"userIdentity": person, "eventName": "PutBucketPolicy"}
    return record | {"requestParameters": {"list": [{"x": 1}, call(time, 99), filler, {"y": 1}]}}


def deliver(tmp_path, *files):
    """Write log files of one folder, the first of which is looked at by itself anyway."""
    place = tmp_path / FOLDER.format(day=1)
    place.mkdir(parents=True)
    for number, records in enumerate(
        [[call("2026-03-01T00:00:00Z", 50, errorCode="ThrottlingException")], *files]
    ):
        name = f"111122223333_CloudTrail_us-east-1_20260301T00{number:02}Z_{number:016}.json.gz"
        place.joinpath(name).write_bytes(
            gzip.compress(json.dumps({"Records": records}, separators=(",", ":")).encode(), mtime=0)
        )
    return str(tmp_path)


LAST = call(
    "2026-03-01T00:00:00Z", 51, errorCode="ThrottlingException"
)  # makes the file one that is not parsed
DENIED = call("2026-03-02T00:00:00Z", 1, errorCode="AccessDenied", errorMessage="Access Denied")
ALLOWED = call("2026-03-03T00:00:00Z", 2)


def judged(tmp_path, *files):
    """Scan log files and return status and last access of the one finding."""
    report = run([deliver(tmp_path, *files)], ScanRequest(), now=NOW)
    (finding,) = report["findings"]
    return finding["status"], finding["actions"]["s3:GetBucketAcl"]["last_allowed"], report["unreadable"]


@pytest.mark.parametrize("behind", [[], [LAST]], ids=["parsed", "searched"])
def test_a_forged_success_does_not_end_a_finding(tmp_path, behind):
    """What stands in a list inside a request is no call of the role, however much it looks like one."""
    forged = [forgery("2026-03-04T00:00:00Z", 3), *behind]
    assert judged(tmp_path, [DENIED], forged) == ("blocked", None, [])


@pytest.mark.parametrize("behind", [[], [LAST]], ids=["parsed", "searched"])
def test_a_forgery_hides_no_real_success(tmp_path, behind):
    """A real success counts with its own time, though a later forged one was seen."""
    found = judged(tmp_path, [DENIED], [ALLOWED], [forgery("2026-03-04T00:00:00Z", 3), *behind])
    assert found == ("recovered", "2026-03-03T00:00:00Z", [])


@pytest.mark.parametrize("files", [[[DENIED], [ALLOWED]], [[DENIED, ALLOWED]], [[ALLOWED], [DENIED]]])
def test_a_real_success_is_proven_where_it_was_read(tmp_path, files):
    """Without a forgery the success ends the finding, in whichever file and order it comes."""
    assert judged(tmp_path, *files) == ("recovered", "2026-03-03T00:00:00Z", [])


def test_a_forgery_in_what_can_be_read_once(tmp_path):
    """What comes through a pipe cannot be looked at again: a forged success in it is told apart on the spot."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    records = [DENIED, forgery("2026-03-04T00:00:00Z", 3), LAST]
    content = json.dumps({"Records": records}, separators=(",", ":")).encode()
    writer = threading.Thread(target=lambda: pipe.write_bytes(content))
    writer.start()
    (finding,) = run([str(pipe)], ScanRequest(), now=NOW)["findings"]
    writer.join()
    assert (finding["status"], finding["actions"]["s3:GetBucketAcl"]["last_allowed"]) == ("blocked", None)


@pytest.mark.parametrize("group", [1, 3, 8192])
def test_origins(monkeypatch, group):
    """Deliveries come back by their number, in memory or written down, and all of them in order."""
    monkeypatch.setattr("rolewatch.scan.origins.GROUP", group)
    deliveries = [FileDelivery(f"{n}", "x" * n, named=False, size=n, remote=False) for n in range(10)]
    origins = Origins()
    numbers = [origins.keep(delivery) for delivery in deliveries]
    assert len(set(numbers)) == 10
    assert min(numbers) > 0
    assert [origins.delivery(number) for number in numbers[::-1]] == deliveries[::-1]
    assert list(origins.numbered()) == list(zip(numbers, deliveries, strict=True))
    assert list(Origins().numbered()) == []
