"""Every shape in which records are delivered gives exactly the records, in order."""

import gzip
import itertools
import json
import tracemalloc
from pathlib import Path

import pytest
from wrappings import (
    SHAPES,
    base64_gzip,
    compact,
    event,
    filtered,
    lines,
    log_events,
    notification,
    parsed,
    read,
    record,
)

from rolewatch.cloudtrail.split import Damaged, Skipped, split

ROOT = Path(__file__).resolve().parents[2]
RECORDS = [record(number) for number in range(5)]


@pytest.mark.parametrize("size", [1 << 23, 1000, 7, 1])
@pytest.mark.parametrize("shape", SHAPES)
def test_shape(shape, size):
    """A shape gives its records and no complaint, whatever the pieces it arrives in."""
    assert parsed(SHAPES[shape](RECORDS), size) == (RECORDS, None)


@pytest.mark.parametrize("shape", SHAPES)
def test_shape_of_a_single_record(shape):
    """A single record is read like many."""
    assert (RECORDS[:1], None) == parsed(SHAPES[shape](RECORDS[:1]))


def test_records_are_handed_on_as_they_were_written():
    """A record's bytes are the delivery's own: numbers, order of keys and escapes stay as they are."""
    text = b'{"eventVersion":"1.08", "eventTime" : 1e400,"b":1.000,"a":"\\u0041\\ud83d\\ude00","b":[ ]}'
    assert [text, text] == read(b'{"Records":[' + text + b",\n " + text + b"]}")[0]


@pytest.mark.parametrize("minor", range(12))
def test_every_event_version(minor):
    """Records of versions 1.0 to 1.11 are records."""
    item = record(1, eventVersion=f"1.{minor:02d}" if minor else "1.0")
    assert ([item], None) == parsed(compact({"Records": [item]}))


@pytest.mark.parametrize(
    "missing",
    [
        *itertools.combinations(("userIdentity", "eventID", "eventTime"), 1),
        *itertools.combinations(("userIdentity", "eventID", "eventTime"), 2),
        ("userIdentity", "eventID", "eventTime"),
        ("eventVersion", "eventTime"),
    ],
    ids=" ".join,
)
def test_records_without_usual_keys(missing):
    """A record is known by any of its keys, so none of them has to be there."""
    item = {key: value for key, value in RECORDS[0].items() if key not in missing}
    assert ([item], None) == parsed(compact({"Records": [item]}))


@pytest.mark.parametrize(
    "message", ["hello", "[INFO] {", "{x}", '{"level":"info"}', '{"half', "", "1", "null"]
)
def test_other_log_messages_are_no_damage(message):
    """In a log group that others write to as well, messages that are no records are passed over."""
    mixed = filtered(RECORDS)
    mixed["events"].insert(2, {"message": message})
    assert parsed(compact(mixed)) == (RECORDS, None)


def test_empty_lists():
    """A log file without records is read, and has none."""
    assert [parsed(compact(value)) for value in ({"Records": []}, {"Events": []}, {"events": []}, [])] == [
        ([], None)
    ] * 4


SKIPPED = [
    ({"awsAccountId": "1", "digestStartTime": "t", "logFiles": []}, "digest file", "digest"),
    ({"Records": [record(1, eventType="AwsCloudTrailInsight")]}, "Insights file", "Insights"),
    ({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "s3": {}}]}, "a notice that names objects", "notice"),
    ({"s3Bucket": "b", "s3ObjectKey": ["k"]}, "a notice that names objects", "notice"),
    (notification('{"s3Bucket":"b","s3ObjectKey":["k"]}'), "a notice that names objects", "notice"),
    ({"source": "aws.s3", "detail-type": "Object Created", "detail": {}}, "a notice that names objects", "notice"),
    ({"messageType": "CONTROL_MESSAGE", "logEvents": [{"message": "x"}]}, "control message", "control"),
    ({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}, "control message", "control"),
    ({"Type": "SubscriptionConfirmation", "Message": "x"}, "control message", "control"),
    ({"name": "x", "version": 1}, 'not CloudTrail: a JSON object with the keys "name", "version"', "JSON"),
    ({"Records": [{"eventSource": "aws:dynamodb"}]}, "not CloudTrail: a JSON object", "JSON"),
    (event({"state": "running"}), "not CloudTrail: a JSON object", "JSON"),
    (filtered([]) | {"events": [{"message": "hello"}]}, "not CloudTrail: messages that are no records", "JSON"),
    ([1, 2], "not CloudTrail: a single JSON value", "JSON"),
    ({}, "not CloudTrail: an empty JSON object", "JSON"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "reason", "sort"), SKIPPED, ids=[f"{reason[:30]} {number}" for number, (_, reason, _) in enumerate(SKIPPED)])  # fmt: skip
def test_what_holds_no_records_is_skipped_as_what_it_is(value, reason, sort):
    """Digests, Insights, notices, control messages and foreign JSON are recognised and named."""
    found, verdict = read(compact(value))
    assert ([], Skipped, sort) == (found, type(verdict), verdict.sort)
    assert verdict.reason.startswith(reason)


def test_digest_reason_is_exact():
    """The reason for a digest file is the one that the report's contract names."""
    assert read(gzip.compress(compact(SKIPPED[0][0])))[1].reason == "digest file"


@pytest.mark.parametrize(
    ("content", "reason", "sort"),
    [
        (b"hello\n", "text, no JSON", "text"),
        (b"# Notes\n\nThe `eventName` is [here](there).\n", "text, no JSON", "text"),
        (b"[2026-03-01 10:00] started\n[2026-03-01 10:01] {stopped}\n", "text, no JSON", "text"),
        (b'"time","name"\n"1","2"\n', "text, no JSON", "text"),
        (b"<html></html>", "HTML or XML", "text"),
        (b"\0\1garbage", "binary data", "binary"),
        (b"PAR1\x15\x04", "a Parquet file", "binary"),
        (gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0), "gzip data inside gzip data", "binary"),
    ],
)
def test_what_is_no_json_is_skipped_as_what_it_looks_like(content, reason, sort):
    """Text and binary data are told apart, and the commonest formats are named."""
    found, verdict = read(content)
    assert ([], f"not CloudTrail: {reason}", sort) == (found, verdict.reason, verdict.sort)


def test_records_beside_other_kinds():
    """Insights, notices and control messages among records are no damage."""
    beside = [value for value, _, sort in SKIPPED[:-2] if sort != "JSON"]
    assert parsed(lines([*beside, *RECORDS])) == (RECORDS, None)


def test_long_lists_come_in_batches_of_bounded_size(monkeypatch):
    """A long delivery is handed on in lists, not at once."""
    monkeypatch.setattr("rolewatch.cloudtrail.tally.BATCH", 10_000)
    records = [record(number) for number in range(500)]
    batches = list(split([compact({"Records": records})]))
    assert records == [json.loads(item) for batch in batches for item in batch]
    assert max(len(batch) for batch in batches) < 40


BLOCK = [record(number, note="x" * 2000) for number in range(200)]
STREAMS = {
    "log file": lambda times: [b'{"Records":[', *[compact(BLOCK)[1:-1] + b","] * times, b"{}]}"],
    "JSON lines": lambda times: [lines(BLOCK)] * times,
    "log events": lambda times: [compact({"data": base64_gzip(compact(log_events(BLOCK)))})] * times,
}


@pytest.mark.parametrize("shape", STREAMS)
def test_memory_does_not_grow_with_the_content(shape, monkeypatch):
    """Three times the content takes no more memory."""
    monkeypatch.setattr("rolewatch.cloudtrail.tally.BATCH", 500_000)
    peaks = []
    for times in (8, 24):
        stream = STREAMS[shape](times)
        tracemalloc.start()
        count, _ = counted(split(stream))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert count == 200 * times
    assert peaks[1] < 1.1 * peaks[0]


def counted(batches):
    """Count records without keeping them; returns the number, and what was wrong or None."""
    count = 0
    try:
        for batch in batches:
            count += len(batch)
    except (Damaged, Skipped) as verdict:
        return count, verdict
    return count, None


def test_a_failing_source_fails_after_what_is_whole():
    """What the source raises surfaces as it is, after the records before it."""

    def source():
        yield compact(RECORDS[0]) + b"\n" + compact(RECORDS[1])[:-20]
        raise OSError("the disk is gone")

    found, error = parsed(source())
    assert (RECORDS[:1], OSError, "the disk is gone") == (found, type(error), str(error))


def test_a_damaged_source_is_damage_after_what_is_whole():
    """Damage that the source reports is the reason, not the cut that it caused."""

    def source():
        yield b'{"Records":[' + compact(RECORDS[0]) + b"," + compact(RECORDS[1])[:-20]
        raise Damaged("the gzip data ends early")

    found, damage = parsed(source())
    assert (RECORDS[:1], "the gzip data ends early") == (found, damage.reason)


def real_deliveries():
    """List (file, number of records) of the real deliveries: those beside the checkout if there are any, else ours."""
    shared = ROOT.parent / "shared" / "deliveries"
    if shared.is_dir():
        rows = [line.split("\t") for line in (shared / "MANIFEST.tsv").read_text().splitlines()[1:]]
        return [(shared / row[0], int(row[4])) for row in rows]
    real = ROOT / "tests" / "data" / "real"
    sizes = {"samples.json.gz": 50}
    logs = {path: len(json.loads(gzip.decompress(path.read_bytes()))["Records"]) for path in real.glob("*/*_CloudTrail_*.gz")}  # fmt: skip
    return [*logs.items(), *((path, sizes[path.name]) for path in real.glob("*/samples.json.gz"))]


@pytest.mark.parametrize(("path", "count"), real_deliveries(), ids=lambda value: getattr(value, "name", None))
def test_real_deliveries(path, count):
    """Real deliveries are read whole: as many records as their origin says, each one JSON object."""
    found, verdict = read(path.read_bytes())
    assert (count, None) == (len(found), verdict)
    assert {dict} == {type(json.loads(item)) for item in found}
