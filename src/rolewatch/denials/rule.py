"""The denial rule: one decoded record in; a denial, proof of an access, or nothing out.

Everything here is a pure function of the record and the settings. Sources: DESIGN "Words" for a denial's identity,
research of peers §4 for what counts as denied, spec/cloudtrail.md §8 for what the message says.
"""

import hashlib
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any, NamedTuple

import msgspec

from rolewatch.catalog.actions import iam_action
from rolewatch.catalog.codes import AUTHORIZED_BUT_ABSENT, DELETES, LISTED_ERRORS, classify, means_gone
from rolewatch.catalog.noise import noise
from rolewatch.denials.message import parse_message
from rolewatch.denials.principal import Principal, partition_of, principal
from rolewatch.denials.record import Record, Success, value
from rolewatch.denials.resources import Resource, find_resource

ERROR = (
    b'rrorCode"'  # ends the key of every errorCode, ErrorCode …; holds with white space before the colon too
)
LINKED = b":role/aws-service-role/"
# A record with an error matters for a service-linked role's sake, or because it says that a resource does not exist;
# it may also hide either behind an escape.
TELLING = (LINKED, b"NoSuch", b"NotFound", b"NonExist", b"DoesNotExist", b"\\u", b"\\/")


_LINKED_ONLY = frozenset(("slr",))


class Rule(NamedTuple):
    """What to watch: kinds of principals (`slr`, `service`, `service-role`, `all`) and classes of codes."""

    principals: frozenset[str] = frozenset(("slr",))
    authentication: bool = False


class Said(NamedTuple):
    """What a record says about why: the message's words, the code's class, and the known-noise row that fits."""

    policy_type: str | None
    kind: str | None
    policy_arn: str | None
    not_enabled: bool
    code_kind: str
    known: str | None  # the verdict of a known-noise row
    consequence: str | None


class Denial(NamedTuple):
    """One record in which a watched principal was refused on one resource."""

    identity: bytes  # 16 bytes
    part: int  # of a response that lists several failures: 0, 1, …
    rank: tuple[int, str, str]  # of two copies the higher one is kept
    who: Principal
    resource: Resource
    call: str
    action: str
    known_action: bool  # by the message or the catalogue; False is a guess from the API's name
    said: Said
    code: str
    time: str | None
    region: str
    event_id: str | None
    endpoint: bool  # came through a VPC endpoint of the customer's


class Access(NamedTuple):
    """Proof that authorization passed: `who` did `action` on `resource` at `time`."""

    who: str
    action: str
    resource: str
    time: str


class Gone(NamedTuple):
    """The resource was deleted, or reported as not existing, at `time`."""

    resource: str
    time: str


Fact = Access | Gone


def needles(rule: Rule, *, recovery: bool) -> tuple[bytes, ...]:
    """Give the literals one of which every record of interest holds; none means that any record may be one."""
    if not recovery:
        return (ERROR,)
    if rule.principals != _LINKED_ONLY:
        return ()
    return (ERROR, LINKED, b'"Delete')


def worth(raw: bytes | bytearray, rule: Rule) -> bool:
    """Whether a record with an error has to be decoded: a cheap test that lets nothing slip."""
    return rule.principals != _LINKED_ONLY or any(literal in raw for literal in TELLING)


def key_of(who: Principal) -> str:
    """Name a principal the way facts are looked up: the role, or account and service."""
    return who.role_arn or f"{who.account} {who.service}"


def denials(record: Record, raw: bytes | bytearray, rule: Rule) -> list[Denial]:
    """Return the denials that a record stands for: none, one, or one for each failure its response lists."""
    who = principal(record, rule.principals)
    if who is None:
        return []
    found = list(_refusals(record, rule))
    if not found:
        return []
    identity = _identity(record, raw)
    return [_denial(record, who, identity, part, *refusal) for part, refusal in enumerate(found)]


def facts(record: Record | Success, rule: Rule) -> list[Fact]:
    """Return what a record that is no denial proves about access and existence."""
    time = record.eventTime
    if not time:
        return []
    source, name, code = record.eventSource or "", record.eventName or "", record.errorCode
    found: list[Fact] = []
    if code and means_gone(source, code):
        return [Gone(resource_of(record).arn, time)]
    if code and code not in AUTHORIZED_BUT_ABSENT:
        return []
    if not code and (source, name) in DELETES:
        found.append(Gone(resource_of(record).arn, time))
    who = principal(record, rule.principals)
    if who:
        found.append(Access(key_of(who), action_key(source, name), resource_of(record).arn, time))
    return found


def resource_of(record: Record | Success, named: str | None = None) -> Resource:
    """Name the resource a record is about, `named` being the one its message names."""
    identity = record.userIdentity
    region = record.awsRegion or ""
    account = record.recipientAccountId or (identity.accountId if identity else None) or ""
    issuer = identity.sessionContext.sessionIssuer if identity and identity.sessionContext else None
    role = issuer.arn if issuer else None
    find = partial(
        find_resource,
        event_source=record.eventSource or "",
        event_name=record.eventName or "",
        region=region,
        account=account,
        partition=role[4 : role.find(":", 4)]
        if role and role.startswith("arn:aws")
        else partition_of(region),
        message_resource=named,
        resources=record.resources,
    )
    if named or record.resources:
        found = find(request_parameters=None)
        if found.source != "service":
            return found  # without decoding the request's parameters, which come last
    return find(request_parameters=value(record.requestParameters))


@lru_cache(maxsize=65536)
def action_key(source: str, name: str) -> str:
    """Name the IAM action of an API call in the form that facts are compared in."""
    return iam_action(source, name)[0].lower()


def _refusals(record: Record, rule: Rule) -> Iterator[tuple[str, str, str | None, str | None]]:
    """Yield (code, class, message, resource named by the response) for each refusal a record reports."""
    code = record.errorCode
    if code:
        kind = classify(code)
        if kind and (kind != "authentication" or rule.authentication):
            yield code, kind, record.errorMessage, None
        return
    for row in LISTED_ERRORS:
        if row.event_source == record.eventSource and row.event_name == record.eventName:
            for item in _items(value(record.responseElements), row.path):
                listed = item.get(row.code_key)
                if isinstance(listed, str) and listed in row.denied:
                    message = item.get(row.message_key) if row.message_key else None
                    named = item.get(row.resource_key) if row.resource_key else None
                    yield (
                        listed,
                        "authorization",
                        message if isinstance(message, str) else None,
                        named if isinstance(named, str) else None,
                    )


def _items(node: Any, path: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    if not path:
        if isinstance(node, dict):
            yield node
    elif path[0] == "*":
        if isinstance(node, list):
            for item in node:
                yield from _items(item, path[1:])
    elif isinstance(node, dict):
        yield from _items(node.get(path[0]), path[1:])


def _denial(
    record: Record,
    who: Principal,
    identity: bytes,
    part: int,
    code: str,
    kind: str,
    text: str | None,
    listed: str | None,
) -> Denial:
    source, name = record.eventSource or "unknown", record.eventName or "unknown"
    message = parse_message(text)
    resource = resource_of(record, message.resource or listed)
    if message.action and ":" in message.action:
        action, known = message.action, True
    else:
        action, known = iam_action(source, name)
    row = noise(
        service=who.service, event_source=source, event_name=name, code=code, message=text or "", resource=resource.arn,
    )  # fmt: skip
    said = _said(
        message.policy_type or ("vpc-endpoint" if kind == "vpc-endpoint" else None),
        message.kind, message.policy_arn, message.not_enabled, kind,
        row.verdict if row else None, row.consequence if row else None,
    )  # fmt: skip
    updated = 1 if record.addendum and record.addendum.originalEventID else 0
    return Denial(
        identity=identity if not part else hashlib.sha256(identity + part.to_bytes(4, "big")).digest()[:16],
        part=part,
        rank=(updated, "1" if who.account == record.recipientAccountId else "0", record.eventID or ""),
        who=who,
        resource=resource,
        call=f"{source.partition('.')[0]}:{name}",
        action=action,
        known_action=known,
        said=said,
        code=code,
        time=record.eventTime,
        region=record.awsRegion or "",
        event_id=record.eventID,
        endpoint=_customers_endpoint(record, who, resource),
    )


@lru_cache(maxsize=4096)
def _said(*words: Any) -> Said:
    return Said(*words)  # a scan of a million denials holds each wording once


def _identity(record: Record, raw: bytes | bytearray) -> bytes:
    name = (
        record.sharedEventID
        or (record.addendum.originalEventID if record.addendum else None)
        or record.eventID
    )
    if name:
        digits = name.replace("-", "")
        if len(name) == 36 and len(digits) == 32:
            try:
                return bytes.fromhex(digits)
            except ValueError:
                pass
        return hashlib.sha256(name.encode("utf-8", "replace")).digest()[:16]
    try:
        raw = msgspec.json.encode(msgspec.json.decode(raw), order="deterministic")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raw = bytes(raw)  # not decodable as it stands: its own bytes are the canonical form
    return hashlib.sha256(raw).digest()[:16]


def _customers_endpoint(record: Record, who: Principal, resource: Resource) -> bool:
    """Whether the call came through a VPC endpoint that belongs to the customer, so that its policy could deny.

    Services call through endpoints of AWS's own; only an owner recorded as one of the accounts concerned counts.
    """
    owner = record.vpcEndpointAccountId
    return bool(
        record.vpcEndpointId and owner and owner in {who.account, resource.account, record.recipientAccountId}
    )
