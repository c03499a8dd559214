"""A scan from end to end: sources in, the report of the contract out."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from loads import ACCOUNT, DENIED, OTHER, ROLE, USER, content, linked, logs, record, write

from rolewatch import __version__
from rolewatch.base.errors import SourceError
from rolewatch.report import json_
from rolewatch.scan import pool
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.run import run
from rolewatch.sources import Window

NOW = datetime(2026, 4, 1, tzinfo=UTC)
BUCKET = "arn:aws:s3:::b"
DIGEST = {"digestStartTime": "2026-03-01T00:00:00Z", "digestEndTime": "2026-03-01T01:00:00Z", "logFiles": []}


def scanned(*sources, **request):
    """Scan; the time it took is left out of the report."""
    report = run([str(source) for source in sources], ScanRequest(**request), now=NOW)
    assert report["totals"].pop("seconds") >= 0
    return report


def test_the_whole_report(tmp_path):
    """A report has every part of the contract."""
    log = write(tmp_path, logs(1), record(number=1, **DENIED), record(number=1, **DENIED), record(number=2))
    (tmp_path / "README").write_text("Logs.\n")
    (tmp_path / "x.json").write_text("hello")
    report = scanned(tmp_path)
    (finding,) = report.pop("findings")
    assert (finding["role_arn"], finding["resource"], finding["denials"]) == (ROLE, BUCKET, 1)
    assert report.pop("coverage").keys() == {
        "first_record", "last_record", "first_day", "last_day", "accounts", "regions", "event_categories", "not_visible",
    }  # fmt: skip
    assert report == {
        "totals": {
            "deliveries": 3,
            "skipped": 1,
            "damaged": 0,
            "unreadable": 1,
            "records": 3,
            "denials": 1,
            "duplicates": 1,
            "others": 1,
            "bytes_compressed": log.stat().st_size + 6 + 5,
            "bytes": len(gzip.decompress(log.read_bytes())),
        },
        "skipped": [{"delivery": str(tmp_path / "README"), "reason": "not CloudTrail: text, no JSON"}],
        "unreadable": [{"delivery": str(tmp_path / "x.json"), "reason": "not CloudTrail: text, no JSON"}],
        "generated": "2026-04-01T00:00:00Z",
        "version": __version__,
        "sources": [str(tmp_path)],
        "notes": [],
    }


def test_no_source(tmp_path):
    """A source that does not exist is an error, not an empty report."""
    with pytest.raises(SourceError):
        scanned(tmp_path / "nothing")


def test_an_empty_folder(tmp_path):
    """An empty folder gives a report that claims to have seen nothing."""
    report = scanned(tmp_path)
    assert (report["findings"], report["totals"]["deliveries"]) == ([], 0)
    assert report["coverage"]["not_visible"] == ["anything: no CloudTrail record was read"]


def bucket(number):
    """Name a bucket of the trail in a request."""
    return {"requestParameters": {"bucketName": f"b{number}"}}


@pytest.fixture
def trail(tmp_path):
    """Write a trail of three weeks, with denials, copies, recoveries, odd shapes and damage."""
    for day in range(1, 21):
        for account, region in ((ACCOUNT, "us-east-1"), (ACCOUNT, "eu-west-1"), (OTHER, "us-east-1")):
            role = linked(ROLE.replace(ACCOUNT, account))
            where = {"userIdentity": role, "awsRegion": region, "recipientAccountId": account}
            for hour in (9, 10, 11):
                number = (
                    day * 1000 + hour * 10 + (account == OTHER) * 100_000 + (region == "eu-west-1") * 200_000
                )
                time = f"2026-03-{day:02d}T{hour:02d}:0{day % 5}:00Z"
                denied, asked = bucket(day), bucket(day - 1)
                records = [
                    record(time=time, number=number, **where, **denied, **DENIED),
                    record("GetBucketAcl", time, number + 1, **where, **denied, **DENIED),
                    record(
                        time=time,
                        number=day,
                        sharedEventID=f"00000000-0000-4000-8000-{day:012x}",
                        **where,
                        **DENIED,
                    ),
                ]
                if day % 4 == 0:  # what was denied yesterday works again
                    records += [
                        record("ListObjects", time, number + 2, **where, **asked),
                        record("GetBucketAcl", time, number + 3, **where, **asked),
                    ]
                if day == 15:  # or is gone
                    records.append(
                        record("DeleteBucket", time, number + 4, **where | {"userIdentity": USER}, **asked)
                    )
                if hour == 10 and day % 3 == 0:
                    records = [dict(reversed(item.items())) for item in records]
                path = write(tmp_path, logs(day, hour, account=account, region=region), *records)
                if hour == 11 and day % 8 == 0:
                    path.write_bytes(path.read_bytes()[:-20])
    write(tmp_path, f"AWSLogs/{ACCOUNT}/notes/x.json", record(number=9_999_999, eventTime=None, **DENIED))
    (tmp_path / "AWSLogs" / "README.md").write_text("Logs.\n")
    digest = tmp_path / logs(1, kind="CloudTrail-Digest")
    digest.parent.mkdir(parents=True)
    digest.write_bytes(gzip.compress(json.dumps(DIGEST).encode()))
    return tmp_path


@pytest.mark.parametrize("jobs", [2, 3])
def test_jobs_give_the_same_report(trail, jobs, monkeypatch):
    """However many processes share the work, the report is the same to the last letter."""
    monkeypatch.setattr(pool, "SMALL", -1)
    monkeypatch.setattr(pool, "BATCH", 2)
    alone = scanned(trail)
    assert {finding["status"] for finding in alone["findings"]} == {"blocked", "gone", "recovered", "silent"}
    totals = alone["totals"]
    assert (totals["damaged"], totals["unreadable"], totals["skipped"]) == (6, 6, 2)
    assert scanned(trail, jobs=jobs) == alone


def test_order_of_sources_changes_nothing(trail):
    """Folders scanned one by one, in any order, give what scanning all of them gives."""
    parts = sorted((trail / "AWSLogs").iterdir())
    reports = [scanned(*order) for order in (parts, parts[::-1])]
    for report in reports:
        del report["sources"]
    assert reports[0] == reports[1]
    assert reports[0]["findings"] == scanned(trail)["findings"]


SILENCE = [
    ({}, "silent"),
    ({"silent_after": timedelta(days=19)}, "silent"),
    ({"silent_after": timedelta(days=21)}, "blocked"),
    ({"window": Window(until=datetime(2026, 3, 9, tzinfo=UTC))}, "silent"),
    ({"window": Window(until=datetime(2026, 3, 8, 10, tzinfo=UTC))}, "blocked"),
]


@pytest.mark.parametrize(("request_", "status"), SILENCE)
def test_silence(request_, status, tmp_path):
    """Silence is measured to the last record of the account, no later than the end of the window; never to today."""
    write(tmp_path, logs(1), record(**DENIED))
    for day in (9, 21):
        write(
            tmp_path,
            logs(day),
            record("ListUsers", f"2026-03-{day:02d}T10:00:00Z", userIdentity=USER, number=day),
        )
    (finding,) = scanned(tmp_path, **request_)["findings"]
    assert status == finding["status"]


def test_another_account_goes_on(tmp_path):
    """That another account still has records makes a finding no more silent."""
    write(tmp_path, logs(1), record(**DENIED))
    write(tmp_path, logs(21, account=OTHER), record("ListUsers", "2026-03-21T10:00:00Z", userIdentity=USER, recipientAccountId=OTHER, number=1))  # fmt: skip
    (finding,) = scanned(tmp_path)["findings"]
    assert finding["status"] == "blocked"


def test_recovery_across_files(tmp_path):
    """A success in another file, under another name of the same action, ends a finding; without recovery it does not."""
    write(tmp_path, logs(1), record("ListObjects", **DENIED))
    write(tmp_path, logs(2), record("HeadBucket", "2026-03-02T00:00:00Z", number=1))
    (finding,) = scanned(tmp_path)["findings"]
    assert (finding["status"], finding["ended"]) == ("recovered", "2026-03-02T00:00:00Z")
    (finding,) = scanned(tmp_path, recovery=False)["findings"]
    assert (finding["status"], finding["actions"]["s3:ListObjects"]["last_allowed"]) == ("blocked", None)


def test_what_was_asked_for(tmp_path):
    """Coverage knows what the request left out."""
    write(tmp_path, logs(1), record(**DENIED))
    write(tmp_path, logs(1, region="eu-west-1"), record(awsRegion="eu-west-1", number=1, **DENIED))
    report = scanned(tmp_path, window=Window(regions=frozenset(("eu-west-1",))))
    assert (len(report["findings"]), report["findings"][0]["regions"]) == (1, ["eu-west-1"])
    assert "other regions than eu-west-1: left out, as asked" in report["coverage"]["not_visible"]
    assert report["coverage"]["regions"] == ["eu-west-1"]


EVIL = "\x00\x1b]0;x\x07\u202e\ud800\U0001f512=cmd|'<script>\n" + "x" * 2000
HOSTILE = [
    {"errorMessage": EVIL},
    {
        "errorMessage": f"User: {EVIL} is not authorized to perform: {EVIL} on resource: {EVIL} with an explicit deny in a {EVIL}"
    },
    {"requestParameters": {"bucketName": EVIL}},
    {"requestParameters": [EVIL]},
    {"resources": [{"ARN": f"arn:aws:s3:::{EVIL}", "accountId": EVIL, "type": EVIL}]},
    {"eventTime": EVIL},
    {"eventTime": "9999-99-99T99:99:99Z"},
    {"eventName": EVIL, "eventSource": EVIL},
    {"awsRegion": EVIL, "recipientAccountId": EVIL},
    {"eventID": EVIL, "sharedEventID": EVIL},
    {"userIdentity": linked(ROLE + EVIL)},
    {"addendum": {"originalEventID": EVIL}},
    {"vpcEndpointId": "vpce-" + EVIL, "vpcEndpointAccountId": ACCOUNT},
]


@pytest.mark.parametrize("fields", HOSTILE)
def test_hostile(fields, tmp_path):
    """Whatever an attacker writes into a record, the denial counts and the report can be written and read again."""
    path = tmp_path / "x.json"
    path.write_bytes(content(record(**DENIED | fields), record(number=1, **fields)))
    report = scanned(path)
    assert (len(report["findings"]), report["totals"]["records"]) == (1, 2)
    out = StringIO()
    json_.write(report, out)
    assert json.loads(out.getvalue())["totals"] == report["totals"]
