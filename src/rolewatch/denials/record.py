"""The fields of a CloudTrail record that detection needs, decoded and nothing else.

Most records decode straight into `Record` (msgspec, typed and partial). A record with a value of the wrong type
goes the long way through `json`, where what is not as documented becomes None: a bad field never hides a denial.
Source: spec/cloudtrail.md §1 and §2.
"""

import json
from typing import Any, TypedDict

import msgspec


class Issuer(msgspec.Struct, gc=False):
    """`sessionContext.sessionIssuer`: the role behind an assumed-role session."""

    arn: str | None = None


class SessionContext(msgspec.Struct, gc=False):
    """`userIdentity.sessionContext`."""

    sessionIssuer: Issuer | None = None  # noqa: N815 - CloudTrail's own field names throughout


class UserIdentity(msgspec.Struct, gc=False):
    """`userIdentity`: who made the call."""

    type: str | None = None
    arn: str | None = None
    accountId: str | None = None  # noqa: N815
    invokedBy: str | None = None  # noqa: N815
    sessionContext: SessionContext | None = None  # noqa: N815


class Addendum(msgspec.Struct, gc=False):
    """`addendum`: this record updates an earlier one."""

    reason: str | None = None
    originalEventID: str | None = None  # noqa: N815


class Entry(TypedDict, total=False):
    """One of `resources`: a resource the call concerned."""

    ARN: str | None
    accountId: str | None
    type: str | None


class Record(msgspec.Struct, gc=False):
    """One CloudTrail record, as far as detection looks; JSON values of free shape stay raw."""

    userIdentity: UserIdentity | None = None  # noqa: N815
    eventTime: str | None = None  # noqa: N815
    eventSource: str | None = None  # noqa: N815
    eventName: str | None = None  # noqa: N815
    awsRegion: str | None = None  # noqa: N815
    errorCode: str | None = None  # noqa: N815
    errorMessage: str | None = None  # noqa: N815
    eventID: str | None = None  # noqa: N815
    sharedEventID: str | None = None  # noqa: N815
    recipientAccountId: str | None = None  # noqa: N815
    eventCategory: str | None = None  # noqa: N815
    vpcEndpointId: str | None = None  # noqa: N815
    vpcEndpointAccountId: str | None = None  # noqa: N815
    addendum: Addendum | None = None
    requestParameters: msgspec.Raw = msgspec.Raw(b"null")  # noqa: N815
    responseElements: msgspec.Raw = msgspec.Raw(b"null")  # noqa: N815
    resources: list[Entry] | None = None


class Success(msgspec.Struct, gc=False):
    """The fields that prove an access: fewer, because every successful call of a watched role is decoded."""

    userIdentity: UserIdentity | None = None  # noqa: N815
    eventTime: str | None = None  # noqa: N815
    eventSource: str | None = None  # noqa: N815
    eventName: str | None = None  # noqa: N815
    awsRegion: str | None = None  # noqa: N815
    errorCode: str | None = None  # noqa: N815
    recipientAccountId: str | None = None  # noqa: N815
    requestParameters: msgspec.Raw = msgspec.Raw(b"null")  # noqa: N815
    resources: list[Entry] | None = None


class Unparsable(Exception):  # noqa: N818 - named for what it says of the record
    """The bytes are not one JSON object."""


_record = msgspec.json.Decoder(Record)
_success = msgspec.json.Decoder(Success)
_any = msgspec.json.Decoder()


def decode(raw: bytes | bytearray) -> Record:
    """Decode one record; raises Unparsable if the bytes are not one JSON object."""
    try:
        return _record.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _loose(raw)


def decode_success(raw: bytes | bytearray) -> "Success | Record":
    """Decode the fields of `Success` only; raises Unparsable if the bytes are not one JSON object."""
    try:
        return _success.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _loose(raw)


def value(raw: msgspec.Raw | bytes) -> Any:
    """Decode a JSON value; None where it is absent, too deep or otherwise beyond decoding."""
    data = bytes(raw)
    if not data or data == b"null":
        return None
    try:
        return _any.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        try:
            return json.loads(data.decode("utf-8", "replace"), parse_int=_integer)
        except (ValueError, RecursionError):
            return None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 4000 else float("inf")  # longer ones are refused by int()


def _loose(raw: bytes | bytearray) -> Record:
    try:
        whole = json.loads(bytes(raw).decode("utf-8", "replace"), parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise Unparsable(str(error) or type(error).__name__) from None
    if not isinstance(whole, dict):
        raise Unparsable("not an object")
    fields: dict[str, Any] = {}
    for name in Record.__struct_fields__:
        item = whole.get(name)
        if name in ("requestParameters", "responseElements"):
            fields[name] = _raw(item)
        elif name == "resources":
            fields[name] = _entries(item)
        elif name == "userIdentity":
            fields[name] = _identity(item)
        elif name == "addendum":
            fields[name] = (
                Addendum(_text(item.get("reason")), _text(item.get("originalEventID")))
                if isinstance(item, dict)
                else None
            )
        else:
            fields[name] = _text(item)
    return Record(**fields)


def _identity(item: Any) -> UserIdentity | None:
    if not isinstance(item, dict):
        return None
    context = item.get("sessionContext")
    issuer = context.get("sessionIssuer") if isinstance(context, dict) else None
    session = SessionContext(Issuer(_text(issuer.get("arn")))) if isinstance(issuer, dict) else None
    texts = {name: _text(item.get(name)) for name in ("type", "arn", "accountId", "invokedBy")}
    return UserIdentity(**texts, sessionContext=session)


def _entries(items: Any) -> list[Entry]:
    return [
        Entry(
            ARN=_text(item.get("ARN")), accountId=_text(item.get("accountId")), type=_text(item.get("type"))
        )
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, dict)
    ]


def _text(item: Any) -> str | None:
    return item.encode("utf-8", "replace").decode() if isinstance(item, str) else None


def _raw(item: Any) -> msgspec.Raw:
    try:
        return msgspec.Raw(json.dumps(item).encode())
    except (ValueError, RecursionError):
        return msgspec.Raw(b"null")
