"""One JSON value in, what it is out: a CloudTrail record, something that wraps records, or something else.

Recognised by its keys alone, never by where it came from (spec/cloudtrail.md §3-§7).
"""

import binascii
import json
from collections.abc import Mapping
from enum import Enum, auto
from typing import NamedTuple, NoReturn

import msgspec
import stringzilla as sz

from rolewatch.cloudtrail.tokens import BRACKET, Window

MAX_DEPTH = 200  # levels of brackets; real records have under 20, JSON decoders give up at about 1,000

LISTS = frozenset({"Records", "Events", "events", "logEvents", "Messages", "records"})
OURS = frozenset(
    {"Records", "Events", "logEvents"}
)  # names that show a list to be CloudTrail's, even if it breaks
UNMIXED = frozenset({"", "Records", "records", "Events"})  # lists whose every element should hold a record
RECORD_KEYS = frozenset({"eventVersion", "eventTime", "eventName", "eventSource", "eventID", "userIdentity"})
TELLING = RECORD_KEYS | {"digestStartTime", "messageType"}  # keys that show an object to be CloudTrail's
_INSIDE = (  # keys whose value is, or is a string that holds, a record or another envelope
    "CloudTrailEvent",  # LookupEvents, spec/cloudtrail.md §7
    "detail",  # EventBridge, §5
    "Sns",  # SNS to Lambda, §5
    "Message",  # SNS, §5
    "Body",  # SQS ReceiveMessage
    "body",  # SQS to Lambda
    "message",  # CloudWatch Logs, §6
)
_PACKED = (  # keys whose value is base64, or an object with it under `data`
    "awslogs",  # CloudWatch Logs to Lambda, §6.1
    "kinesis",  # Kinesis to Lambda
    "data",  # Firehose to Lambda
    "Data",  # Kinesis GetRecords
)
_CONFIRMATIONS = ("SubscriptionConfirmation", "UnsubscribeConfirmation")

KEYS = frozenset(
    {*RECORD_KEYS, *_INSIDE, *_PACKED, "eventType", "digestStartTime", "messageType", "Type"}
) | {
    *("s3Bucket", "s3ObjectKey", "source", "detail-type", "Event")
}  # all keys that `classify_members` looks at, lists aside

Raw = bytes | msgspec.Raw


class Kind(Enum):
    """What a JSON value is."""

    RECORD = auto()
    INSIGHT = auto()  # an Insights record: statistics about calls, not a call
    DIGEST = auto()  # a digest file's content
    NOTICE = auto()  # says that an object was written: the records are there, not here
    CONTROL = auto()  # a probe of a delivery path, or a subscription's confirmation
    WRAPPED = auto()  # the `content` is to be read instead
    CONTAINER = auto()  # an object with a list under one of LISTS
    OTHER = auto()  # AWS's own event of another kind: no damage where records are expected
    FOREIGN = auto()  # any other JSON
    DEEP = auto()  # nested deeper than MAX_DEPTH
    BROKEN = auto()  # no JSON


class Found(NamedTuple):
    """What a value is; for WRAPPED the content inside, which may be gzip."""

    kind: Kind
    content: bytes = b""


_FOUND = {kind: Found(kind) for kind in Kind}
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_VALUE = msgspec.json.Decoder(msgspec.Raw)
_STRING = msgspec.json.Decoder(str)


def repair(value: bytes) -> bytes:
    """Return JSON text with each invalid UTF-8 sequence replaced by U+FFFD, so that any decoder takes it."""
    if value.isascii():
        return value
    try:
        value.decode()
    except UnicodeDecodeError:
        return value.decode(errors="replace").encode()
    return value


def classify(value: bytes) -> Found:
    """Say what one complete JSON value of valid UTF-8 is; what is no JSON is BROKEN, never an exception."""
    if nesting(value, MAX_DEPTH) > MAX_DEPTH:
        return _FOUND[Kind.DEEP]
    if value[:1] != b"{":
        return (_inside(value) or _FOUND[Kind.FOREIGN]) if valid(value) else _FOUND[Kind.BROKEN]
    try:
        return classify_members(_OBJECT.decode(value))
    except (msgspec.DecodeError, RecursionError):
        return classify_members(members(value)) if valid(value) else _FOUND[Kind.BROKEN]


def classify_members(keys: Mapping[str, Raw]) -> Found:
    """Say what an object with these members (raw JSON values by key) is."""
    if bytes(keys.get("eventSource", b"")).startswith(
        b'"aws:'
    ):  # no API host: Lambda's word for what invoked it
        return (
            _FOUND[Kind.NOTICE]
            if _says(keys, "eventSource", "aws:s3")
            else _unfold(keys) or _FOUND[Kind.OTHER]
        )
    if not RECORD_KEYS.isdisjoint(keys):
        return _FOUND[Kind.INSIGHT if _says(keys, "eventType", "AwsCloudTrailInsight") else Kind.RECORD]
    if "digestStartTime" in keys:
        return _FOUND[Kind.DIGEST]
    if _says(keys, "messageType", "CONTROL_MESSAGE") or any(
        _says(keys, "Type", word) for word in _CONFIRMATIONS
    ):
        return _FOUND[Kind.CONTROL]
    if any(bytes(keys[key])[:1] == b"[" for key in LISTS & keys.keys()):
        return _FOUND[Kind.CONTAINER]
    if "s3Bucket" in keys and "s3ObjectKey" in keys:  # CloudTrail to SNS
        return _FOUND[Kind.NOTICE]
    if _says(keys, "source", "aws.s3") and bytes(keys.get("detail-type", b"")).startswith(b'"Object '):
        return _FOUND[Kind.NOTICE]
    if _says(keys, "Event", "s3:TestEvent"):
        return _FOUND[Kind.CONTROL]
    return _unfold(keys) or _FOUND[Kind.FOREIGN]


def describe(value: bytes) -> str:
    """Say in a few words what a valid JSON value is that is none of CloudTrail's."""
    first = value[:1]
    if first != b"{":
        return {b"[": "a JSON array", b'"': "a JSON string"}.get(first, "a single JSON value")
    try:
        names = list(_OBJECT.decode(value))
    except (msgspec.DecodeError, RecursionError):
        names = list(members(value))
    if not names:
        return "an empty JSON object"
    shown = ", ".join(json.dumps(name[:40]) for name in names[:5])
    return f"a JSON object with {'the key' if len(names) == 1 else 'the keys'} {shown}{', …' if len(names) > 5 else ''}"


def members(value: bytes) -> dict[str, bytes]:
    """Return the members of one valid JSON object, raw, by key; of a key that occurs twice the last one."""
    window = Window([value])
    found: dict[str, bytes] = {}
    window.peek()
    window.pos += 1
    while window.peek() == ord('"'):
        key = window.key(len(value))
        window.peek()
        window.pos += 1  # the colon
        window.peek()
        end = window.span(len(value))
        found[key] = window.buf[window.pos : end]
        window.pos = end
        window.peek()
        window.pos += 1  # the comma, or the end
    return found


def nesting(value: bytes, enough: int) -> int:
    """Return how deep a complete JSON value nests, or the first depth above `enough`."""
    if sz.count(value, b"{") + sz.count(value, b"[") <= enough:
        return 0  # too few brackets to matter
    depth = deepest = 0
    for found in BRACKET.finditer(value):
        if value[found.end() - 1] in b"{[":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > enough:
                break
        else:
            depth -= 1
    return deepest


def _unfold(keys: Mapping[str, Raw]) -> Found | None:
    """Return what the members of an envelope hold, or None if they are no envelope's."""
    for key in _INSIDE:
        found = _inside(bytes(keys[key])) if key in keys else None
        if found:
            return found
    for key in _PACKED:
        found = _unpack(bytes(keys[key])) if key in keys else None
        if found:
            return found
    return None


def _inside(value: bytes) -> Found | None:
    """Return the content of a string, or an object or list as it stands; None for any other value."""
    first = value[:1]
    if first == b'"':
        return Found(Kind.WRAPPED, _unescape(value))
    return Found(Kind.WRAPPED, value) if first in (b"{", b"[") else None


def _unpack(value: bytes) -> Found | None:
    """Return the content of a base64 string; None if it is no base64."""
    if value[:1] == b"{":
        value = members(value).get("data", b"")
    if value[:1] != b'"':
        return None
    try:
        return Found(Kind.WRAPPED, binascii.a2b_base64(_unescape(value), strict_mode=True))
    except binascii.Error:
        return None


def _says(keys: Mapping[str, Raw], key: str, word: str) -> bool:
    """Whether the member is this string, however it is escaped."""
    if key not in keys:
        return False
    value = bytes(keys[key])
    return value == b'"%b"' % word.encode() or (
        value[:1] == b'"' and b"\\" in value and _unescape(value) == word.encode()
    )


def _unescape(value: bytes) -> bytes:
    """Return what a valid JSON string says; halves of surrogate pairs become U+FFFD."""
    try:
        return _STRING.decode(value).encode()
    except (msgspec.DecodeError, UnicodeError):
        text: str = json.loads(value.decode(errors="replace"), strict=False)
        return text.encode(errors="surrogatepass").decode(errors="replace").encode()


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)


# The patient decoder: takes lone surrogates, which msgspec refuses, and never converts a number.
_PATIENT = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse)


def valid(value: bytes) -> bool:
    """Whether this is one JSON value."""
    try:
        _VALUE.decode(value)
    except (msgspec.DecodeError, RecursionError):
        try:
            _PATIENT.decode(value.decode(errors="replace"))
        except (ValueError, RecursionError):
            return False
    return True
