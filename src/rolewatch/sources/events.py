"""The event that Lambda calls a function with in, arrivals out (spec/cloudtrail.md §5 and §6.1)."""

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from io import BytesIO
from typing import Any, Final

from rolewatch.cloudtrail.gunzip import GunzipError, Limits, stream
from rolewatch.sources.live import Arrival
from rolewatch.sources.live_logs import mark_of
from rolewatch.sources.live_time import instant, of_milliseconds
from rolewatch.sources.messages import arrivals_of, enclosed, sent_at
from rolewatch.sources.notices import Enclosed, Item, Refused, decode
from rolewatch.sources.s3_objects import Objects

LIMITS: Final = Limits(content=256 * 1024**2)  # an event of Lambda has 6 MB at most


def deliveries_of_event(event: Any, *, objects: Objects | None = None) -> list[Arrival]:
    """Return what an event holds or names, nothing for a test or control message.

    Understood are subscriptions of CloudWatch Logs, events of S3, SNS and EventBridge, and batches of SQS or Kinesis with any
    of these in them. `ticket` is what a partial batch response names (the message's id, or the sequence number), None where
    the event is no batch. What means nothing comes as a delivery that cannot be read. Raises CannotDo without the `aws` extra
    where objects are named, and botocore's error where S3 cannot be asked about them.
    """
    objects = objects or Objects()
    try:
        batch = _batch(event)
        if batch is not None:
            return list(_of_batch(batch, objects))
        if isinstance(event, dict) and isinstance(event.get("awslogs"), dict):
            return _of_subscription(event["awslogs"].get("data"), None, None)
        raw = json.dumps(event).encode()
        identity = event.get("id") if isinstance(event, dict) else None
        name = identity if isinstance(identity, str) else sha256(raw).hexdigest()[:32]
        sent = instant(event.get("time")) if isinstance(event, dict) else None  # as EventBridge says it
        arrivals = arrivals_of({name: decode(raw)}, "event", objects, {name: sent})[name]
        return [arrival._replace(ticket=None) for arrival in arrivals]
    finally:
        objects.close()


def _batch(event: Any) -> list[dict[str, Any]] | None:
    """Return the records of a batch that are not S3's own."""
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        return None
    return records if records and all(_origin(record) in _READERS for record in records) else None


def _origin(record: dict[str, Any]) -> str:
    return str(record.get("eventSource") or record.get("EventSource"))


def _of_batch(records: list[dict[str, Any]], objects: Objects) -> Iterator[Arrival]:
    decoded: dict[str, Sequence[Item]] = {}
    tickets: dict[str, str | None] = {}
    sent: dict[str, float | None] = {}
    for number, record in enumerate(records):
        read = _READERS[_origin(record)]
        try:
            name, ticket, at, item = read(record)
        except (KeyError, TypeError, AttributeError):
            raw = json.dumps(record).encode()
            name, ticket, at = sha256(raw).hexdigest()[:32], None, None
            item = [Refused("a record of a batch without its message", raw)]
        if isinstance(item, str):
            yield from _of_subscription(item, ticket, at)
            continue
        name = name if name not in decoded else f"{name}#{number}"
        decoded[name], tickets[name], sent[name] = item, ticket, at
    for name, arrivals in arrivals_of(decoded, "event", objects, sent).items():
        yield from (arrival._replace(ticket=tickets[name]) for arrival in arrivals)


_Read = tuple[
    str, str | None, float | None, Sequence[Item] | str
]  # id, ticket, when it was sent, what it says


def _of_sqs(record: dict[str, Any]) -> _Read:
    return record["messageId"], record["messageId"], sent_at(record.get("attributes")), decode(record["body"])


def _of_sns(record: dict[str, Any]) -> _Read:
    told = record["Sns"]
    return told["MessageId"], None, instant(told.get("Timestamp")), decode(told["Message"])


def _of_kinesis(record: dict[str, Any]) -> _Read:
    told = record["kinesis"]
    number, arrived = told["sequenceNumber"], told.get("approximateArrivalTimestamp")
    at = of_milliseconds(arrived * 1000) if isinstance(arrived, int | float) else None
    return number, number, at, str(told["data"])


_READERS: Final[dict[str, Callable[[dict[str, Any]], _Read]]] = {
    "aws:sqs": _of_sqs,
    "aws:sns": _of_sns,
    "aws:kinesis": _of_kinesis,
}


def _of_subscription(data: object, ticket: str | None, at: float | None) -> list[Arrival]:
    """Read base64 of gzip of log events, which came `at` a time; each has the mark that a source `logs://` gives it."""
    digest = sha256(str(data).encode("utf-8", "replace")).hexdigest()[:32]
    try:
        content = b"".join(stream(BytesIO(base64.b64decode(str(data), validate=True)).read, LIMITS))
        value = json.loads(content)
        if value["messageType"] == "CONTROL_MESSAGE":
            return []
        group, events = str(value["logGroup"]), value["logEvents"]
        marks = tuple(mark_of(group, str(event["id"])) for event in events)
    except (binascii.Error, GunzipError, ValueError, KeyError, TypeError, RecursionError):
        refused = Refused(
            "no log events of a subscription of CloudWatch Logs", str(data).encode("utf-8", "replace")
        )
        delivery = enclosed(refused, f"event#{digest}", f"event/{digest}", at)
        return [Arrival(delivery, (delivery.identity,), ticket)]
    name = f"logs://{group}#{value.get('logStream')}"
    delivery = enclosed(Enclosed(content), name, f"event/{digest}", at)
    return [Arrival(delivery, marks or (delivery.identity,), ticket)]
