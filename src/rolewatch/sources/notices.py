"""A message in, the objects that it names out: S3's event notices, CloudTrail's own, SNS's and EventBridge's envelopes.

spec/cloudtrail.md §5 has the shapes. Whoever may send to a queue writes its messages: nothing in them is believed further than
it has to be.
"""

import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_plus

import msgspec

from rolewatch.base.sanitise import terminal
from rolewatch.cloudtrail.gunzip import is_gzip
from rolewatch.cloudtrail.unwrap import Found, Kind, classify, describe, repair
from rolewatch.sources.live_time import instant

WRAPPINGS: Final = 8  # envelopes inside envelopes
EXCERPT: Final = 80  # characters of a message that a reason shows
CREATED: Final = "ObjectCreated:"
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,254}")
_REGION: Final = re.compile(r"[a-z]{2}[a-z0-9-]{3,30}")
_TAG: Final = re.compile(r'"?([A-Za-z0-9+/=._-]{1,200})"?')
_KEY_BYTES: Final = 1024
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_HOLDS_RECORDS: Final = {Kind.RECORD, Kind.CONTAINER, Kind.INSIGHT, Kind.DIGEST}
_CONFIRMATIONS: Final = ("SubscriptionConfirmation", "UnsubscribeConfirmation")


class Noticed(NamedTuple):
    """An object that was written; `size` is -1, and the others are empty, where the notice does not say.

    `at` is when it was written, in seconds since 1970.
    """

    bucket: str
    key: str
    size: int = -1
    etag: str = ""
    version: str = ""
    region: str = ""
    at: float | None = None


class Enclosed(NamedTuple):
    """A message that holds records itself."""

    content: bytes


class Refused(NamedTuple):
    """A message, or a part of one, that means nothing here; `content` is the message."""

    reason: str
    content: bytes = b""


Item = Noticed | Enclosed | Refused


def decode(message: str | bytes) -> list[Item]:
    """Read one message; nothing comes out of S3's test messages and of notices about anything else than new objects."""
    raw = message.encode("utf-8", "replace") if isinstance(message, str) else message
    items = _decode(repair(raw), WRAPPINGS)
    return [item._replace(content=raw) if isinstance(item, Refused) else item for item in items]


def _decode(raw: bytes, deep: int) -> list[Item]:
    found = classify(raw)
    if found.kind is Kind.BROKEN:
        return [Refused(f"no JSON: {terminal(raw[:400].decode(errors='replace'), EXCERPT)}")]
    if found.kind is Kind.DEEP or deep == 0:
        return [Refused("nested too deep")]
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):  # lone surrogates, which a record may hold but no notice
        value = None
    if isinstance(value, dict):
        items = _notice(value, deep)
        if items is not None:
            return items
    return _records(raw, found, deep)


def _notice(value: dict[str, Any], deep: int) -> list[Item] | None:
    """Read a notice or an envelope around one; None for anything else."""
    if value.get("Type") in _CONFIRMATIONS:
        topic = terminal(str(value.get("TopicArn")), EXCERPT)
        return [
            Refused(f"SNS asks to confirm that {topic} may send here: confirm it in the console if it may")
        ]
    if isinstance(value.get("Message"), str) and (value.get("Type") == "Notification" or "TopicArn" in value):
        return _decode(repair(value["Message"].encode("utf-8", "replace")), deep - 1)
    if value.get("Event") == "s3:TestEvent":
        return []
    if "s3Bucket" in value and "s3ObjectKey" in value:
        keys = value["s3ObjectKey"]
        return [_object(value["s3Bucket"], key) for key in (keys if isinstance(keys, list) else [keys])]
    records = value.get("Records")
    if isinstance(records, list) and any(_is_from_s3(record) for record in records):
        return list(_of_s3(records))
    if value.get("source") == "aws.s3" and str(value.get("detail-type")).startswith("Object "):
        return _of_eventbridge(value)
    return None


def _records(raw: bytes, found: Found, deep: int) -> list[Item]:
    """Keep a message that holds records, however they are wrapped."""
    inner, value = found, raw
    for _ in range(deep):
        if inner.kind is not Kind.WRAPPED:
            break
        if is_gzip(inner.content):
            return [Enclosed(raw)]
        value = _first(repair(inner.content.strip()))
        inner = classify(value)
    if inner.kind in _HOLDS_RECORDS:
        return [Enclosed(raw)]
    if inner.kind is Kind.CONTROL:
        return []
    if inner.kind in {Kind.BROKEN, Kind.DEEP, Kind.WRAPPED}:
        return [Refused("an envelope without JSON in it")]
    return [Refused(f"neither a notice nor records: {terminal(describe(value), 300)}")]


def _first(value: bytes) -> bytes:
    """Return the first element of a JSON array, which speaks for the others; any other value, and an empty one, as it is."""
    if value[:1] != b"[":
        return value
    try:
        return bytes(next(iter(_LIST.decode(value)), b"null"))
    except (msgspec.DecodeError, RecursionError):
        return value


def _is_from_s3(record: object) -> bool:
    return isinstance(record, dict) and record.get("eventSource") == "aws:s3"


def _of_s3(records: Iterable[Any]) -> Iterable[Item]:
    for record in records:
        if not _is_from_s3(record):
            yield Refused("a record among S3's that is none of them")
            continue
        if not str(record.get("eventName")).removeprefix("s3:").startswith(CREATED):
            continue
        try:
            about = record["s3"]
            found = about["object"]
            key = unquote_plus(found["key"])
            yield _object(
                about["bucket"]["name"],
                key,
                size=found.get("size"),
                etag=found.get("eTag"),
                version=found.get("versionId"),
                region=record.get("awsRegion"),
                at=record.get("eventTime"),
            )
        except (KeyError, TypeError, AttributeError):
            yield Refused("an S3 event that names no object")


def _of_eventbridge(value: dict[str, Any]) -> list[Item]:
    if value["detail-type"] != "Object Created":
        return []
    try:
        found = value["detail"]["object"]
        return [
            _object(
                value["detail"]["bucket"]["name"],
                found["key"],
                size=found.get("size"),
                etag=found.get("etag"),
                version=found.get("version-id"),
                region=value.get("region"),
                at=value.get("time"),
            )
        ]
    except (KeyError, TypeError, AttributeError):
        return [Refused("an S3 event that names no object")]


def _object(
    bucket: object,
    key: object,
    *,
    size: object = None,
    etag: object = None,
    version: object = None,
    region: object = None,
    at: object = None,
) -> Item:
    """Take what a notice says, as far as it can be true."""
    if not isinstance(bucket, str) or not _BUCKET.fullmatch(bucket):
        return Refused(f"names a bucket that there cannot be: {terminal(str(bucket), EXCERPT)}")
    if not isinstance(key, str) or not 0 < len(key.encode("utf-8", "replace")) <= _KEY_BYTES:
        return Refused(f"names a key that there cannot be: {terminal(str(key), EXCERPT)}")
    tag = _TAG.fullmatch(etag) if isinstance(etag, str) else None
    return Noticed(
        bucket,
        key,
        size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else -1,
        f'"{tag[1]}"' if tag else "",  # as a listing spells it
        version if isinstance(version, str) and version.isprintable() and version != "null" else "",
        region if isinstance(region, str) and _REGION.fullmatch(region) else "",
        instant(at),
    )
