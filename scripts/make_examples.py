"""Write examples/deliveries and examples/expected.json: the story of example_story.py among real records.

Nothing is random and gzip carries no time, so the same files come out every time. Usage: make_examples.py [FOLDER]
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from example_records import (
    Record,
    background,
    compact,
    hexadecimal,
    look_alikes,
    name_id,
    policy_change,
    story,
    templates,
)
from example_story import CONFIG, PAYROLL, REGION

ROOT = Path(__file__).resolve().parent.parent


def other_account_copies(records: list[Record]) -> list[Record]:
    """Give each cross-account call its sharedEventID, and return the copies that the resource's account records."""
    copies = []
    for record in records:
        owner = record["requestParameters"]["topicArn"].split(":")[4]
        record["sharedEventID"] = name_id("sharedEventID", record["eventID"])
        copies.append(record | {"eventID": name_id("copy", record["eventID"]), "recipientAccountId": owner})
    return copies


def compressed(value: object) -> bytes:
    """Return gzip of `value` as JSON, the same bytes every time."""
    return gzip.compress(compact(value).encode(), 9, mtime=0)


def trail_files(records: list[Record]) -> dict[str, bytes]:
    """Return the log files of a trail, one per account, region and day, by their key in the bucket."""
    days: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        days.setdefault((record["recipientAccountId"], record["eventTime"][:10]), []).append(record)
    files = {}
    for (account, day), some in sorted(days.items()):
        some.sort(key=lambda record: (hashlib.sha256(record["eventID"].encode()).digest(), record["eventID"]))
        newest = datetime.fromisoformat(max(record["eventTime"] for record in some))
        delivered = newest + timedelta(minutes=10 - newest.minute % 5)
        region, mark = REGION[account], hexadecimal(16, account, day)
        name = f"{account}_CloudTrail_{region}_{delivered:%Y%m%dT%H%MZ}_{mark}.json.gz"
        files[f"AWSLogs/{account}/CloudTrail/{region}/{day.replace('-', '/')}/{name}"] = compressed(
            {"Records": some}
        )
    return files


def digest_file(files: dict[str, bytes], account: str, day: str) -> dict[str, bytes]:
    """Return the digest file of one account and day: it lists its log files, and one more that is not at hand."""
    region, ymd = REGION[account], day.replace("-", "")
    listed = []
    for key, content in files.items():
        if f"/{account}/" in key and f"/{day.replace('-', '/')}/" in key:
            plain = gzip.decompress(content)
            times = sorted(record["eventTime"] for record in json.loads(plain)["Records"])
            listed.append({
                "s3Bucket": "example-trail", "s3Object": key, "hashValue": hashlib.sha256(plain).hexdigest(), "hashAlgorithm": "SHA-256",
                "newestEventTime": times[-1], "oldestEventTime": times[0],
            })  # fmt: skip
    missing = f"AWSLogs/{account}/CloudTrail/{region}/{day.replace('-', '/')}/{account}_CloudTrail_{region}_{ymd}T2225Z_{hexadecimal(16, 'missing')}.json.gz"
    listed.append(
        listed[-1] | {"s3Object": missing, "hashValue": hashlib.sha256(missing.encode()).hexdigest()}
    )
    name = f"{account}_CloudTrail-Digest_{region}_example-trail_{region}_{ymd}T230000Z.json.gz"
    key = f"AWSLogs/{account}/CloudTrail-Digest/{region}/{day.replace('-', '/')}/{name}"
    digest = {
        "awsAccountId": account, "digestStartTime": f"{day}T22:00:00Z", "digestEndTime": f"{day}T23:00:00Z", "digestS3Bucket": "example-trail",
        "digestS3Object": key, "digestSignatureAlgorithm": "SHA256withRSA", "newestEventTime": listed[-1]["newestEventTime"],
        "oldestEventTime": listed[0]["oldestEventTime"], "previousDigestS3Bucket": None, "previousDigestS3Object": None,
        "previousDigestHashValue": None, "previousDigestHashAlgorithm": None, "previousDigestSignature": None, "logFiles": listed,
    }  # fmt: skip
    return {key: compressed(digest)}


def envelope(record: Record) -> Record:
    """Return `record` as EventBridge delivers it."""
    return {
        "version": "0", "id": name_id("envelope", record["eventID"]), "detail-type": "AWS API Call via CloudTrail",
        "source": "aws." + record["eventSource"].partition(".")[0], "account": record["recipientAccountId"], "time": record["eventTime"],
        "region": record["awsRegion"], "resources": [], "detail": record,
    }  # fmt: skip


def log_events(records: list[Record]) -> Record:
    """Return `records` as `aws logs filter-log-events` prints them: each a string in `message`."""
    events = []
    for record in sorted(records, key=lambda record: (record["eventTime"], record["eventID"])):
        milliseconds = (
            int(datetime.fromisoformat(record["eventTime"]).astimezone(UTC).timestamp() * 1000) + 180_000
        )
        events.append({
            "logStreamName": f"{record['recipientAccountId']}_CloudTrail_{record['awsRegion']}", "timestamp": milliseconds,
            "message": compact(record), "ingestionTime": milliseconds + 900, "eventId": str(uuid.UUID(record["eventID"]).int),
        })  # fmt: skip
    return {"events": events, "searchedLogStreams": []}


def make(folder: Path) -> None:
    """Write the deliveries and their labels below `folder`."""
    real = templates()
    places, labels = story(real)
    copies = other_account_copies(places["logs"])
    # the log group got Config's denials of the first morning too: they are in the trail as well, and count once
    again = [
        record
        for record in places["trail"]
        if record.get("errorCode")
        and record["userIdentity"].get("invokedBy") == CONFIG[0]
        and record["eventTime"].startswith("2026-03-16")
    ]
    trail = [*background(), policy_change(real), *places["trail"], *copies, *look_alikes(real)]
    logs = places["logs"] + again
    files = trail_files(trail)
    files |= digest_file(files, PAYROLL, "2026-03-16")
    files["eventbridge/2026-03-18.jsonl"] = "".join(
        compact(envelope(record)) + "\n" for record in places["eventbridge"]
    ).encode()
    files["cloudwatch-logs/filter-log-events.json"] = (json.dumps(log_events(logs), indent=1) + "\n").encode()
    for name, content in files.items():
        path = folder / "deliveries" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    denials, duplicates = sum(entry["denials"] for entry in labels.values()), len(copies) + len(again)
    records = len(trail) + len(logs) + len(places["eventbridge"])
    totals = {
        "records": records,
        "denials": denials,
        "duplicates": duplicates,
        "others": records - denials - duplicates,
    }
    (folder / "expected.json").write_text(json.dumps({"findings": labels, "totals": totals}, indent=1) + "\n")
    size = sum(map(len, files.values()))
    print(
        f"{folder}: {len(files)} deliveries, {size} bytes, {records} records, {denials} denials, {len(labels)} findings"
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "examples")
