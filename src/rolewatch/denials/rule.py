"""The denial rule: one decoded record in; a denial, proof of an access, or nothing out.

Everything here is a pure function of the record and the settings. Sources: DESIGN "Words" for a denial's identity,
research of peers §4 for what counts as denied, spec/cloudtrail.md §8 for what the message says.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import stringzilla as sz

from rolewatch.catalog.actions import iam_action
from rolewatch.catalog.codes import (
    AUTHORIZED_BUT_ABSENT,
    DELETE_NEEDLES,
    DELETES,
    LISTED_ERRORS,
    classify,
    means_gone,
)
from rolewatch.catalog.noise import noise
from rolewatch.cloudtrail.carve import HIDING, Literals, bit
from rolewatch.denials.denial import Case, Denial, Said, identity_of, part_of, unnamed
from rolewatch.denials.message import parse_message
from rolewatch.denials.principal import Principal, issuer_of, linked, nobody, partition_of, principal
from rolewatch.denials.record import Record, Success, value
from rolewatch.denials.resources import (
    REMEMBERED,
    Asked,
    Resource,
    listed_resource,
    may_name,
    named_resource,
    requested_resource,
    service_resource,
    sole_resource,
)

ERROR = (
    b'rrorCode"'  # ends the key of every errorCode, ErrorCode …; holds with white space before the colon too
)
LINKED = b":role/aws-service-role/"
# What each kind of principal leaves in a record, one of which it holds unless it is escaped.
TRACES = {
    "slr": (LINKED,),
    "service": (b'"AWSService"',),
    "service-role": (b'"invokedBy"', b":role/aws:"),
    "all": (b'"userIdentity"',),
}
ABSENCE = (
    b"NoSuch",
    b"NotFound",
    b"NonExist",
    b"NotExist",
)  # in the codes that say that something does not exist
_ABSENT = re.compile(rb'rrorCode"\s*:\s*"[^"]*(?:%b)' % b"|".join(ABSENCE)).match

SELECTED = "selected"  # stands for the class of a code where nothing was refused
SHORT = 1024  # bytes of a JSON value that is worth remembering
_LINKED_ONLY = frozenset(("slr",))


class Rule(NamedTuple):
    """What to watch: kinds of principals (`slr`, `service`, `service-role`, `all`) and classes of codes."""

    principals: frozenset[str] = frozenset(("slr",))
    authentication: bool = False


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


Fact = tuple[str, ...]  # an Access or a Gone: a key, and the time at its end


def search(rule: Rule, *, recovery: bool) -> Literals:
    """Say which records are marked for `worth` and `facts`; the literal of errors comes first.

    Without recovery it is those with an error, else also those with a trace of a principal or of a deletion. A record
    with nothing but the trace of a service-linked role is a success of one: it can only prove an access.
    """
    linked_only = rule.principals == _LINKED_ONLY
    traces = [trace for kind in sorted(rule.principals) for trace in TRACES[kind]]
    if not linked_only:
        return Literals((ERROR, tuple(traces), DELETE_NEEDLES)) if recovery else Literals((ERROR,))
    if not recovery:
        return Literals((ERROR, LINKED), needed=(HIDING, bit(0) | bit(1)))
    needed = (HIDING, bit(1), bit(0) | bit(2), bit(3))
    return Literals((ERROR, LINKED, ABSENCE, DELETE_NEEDLES), needed, plain=bit(1))


def worth(
    raw: bytes | bytearray, bits: int, rule: Rule, *, recovery: bool
) -> Literal["error", "success"] | None:
    """Say for what a record that `search` marked is worth decoding: a cheap test.

    An error matters for a service-linked role's sake, which may hide behind an escape; or, where recovery is followed,
    because it says that a resource does not exist. What is no such error may be a success: a deletion can look as if it
    had failed.
    """
    if bits & (HIDING | bit(0)):
        if bits & (HIDING | bit(1)) or rule.principals != _LINKED_ONLY:
            return "error"
        if recovery and tells_absence(raw):
            return "error"
    return "success" if recovery and bits >= bit(1) else None


def tells_absence(raw: bytes | bytearray) -> bool:
    """Whether an error code of a record without escapes may say that something does not exist."""
    place = sz.find(raw, ERROR)
    while place >= 0:
        if _ABSENT(raw, place):
            return True
        place = sz.find(raw, ERROR, place + 1)
    return False


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
    identity = identity_of(record, raw)
    return [_denial(record, who, identity, part, refusal) for part, refusal in enumerate(found)]


def selected(record: Record, raw: bytes | bytearray, rule: Rule) -> list[Denial]:
    """Return a record that was chosen by something other than this rule in the form of a denial; whose, says the rule."""
    who = principal(record, rule.principals) or nobody(record, rule.principals)
    if who is None:
        return []
    code = record.errorCode or ""
    refusal = _Refusal(code, classify(code) or SELECTED, record.errorMessage)
    return [_denial(record, who, identity_of(record, raw), 0, refusal)]


def facts(record: Record | Success, rule: Rule) -> list[Fact]:
    """Return what a record that is no denial proves about access and existence."""
    time, code = record.eventTime, record.errorCode
    source, name = record.eventSource or "", record.eventName or ""
    if not time:
        return []
    if code and code not in AUTHORIZED_BUT_ABSENT:
        return _absence(record, source, name, code, time)
    role = issuer_of(record.userIdentity)
    # What nearly all proofs come from, of which a scan sees millions: a service-linked role's call.
    done = deed(role, source, name) if role and len(role) + len(name) < SHORT else None
    who: str | None
    if done and "slr" in rule.principals:
        who, action, deletes = done
    else:
        watched = principal(record, rule.principals)
        who = key_of(watched) if watched else None
        action, deletes = action_key(source, name), (source, name) in DELETES
    if not who and not deletes:
        return []
    resource = resource_of(record)
    # As Access says it, but a tuple is made in a tenth of the time.
    found: list[Fact] = [(who, action, resource.arn, time)] if who else []
    if deletes and not code and resource.source != "service":
        found.append(Gone(resource.arn, time))
    return found


@lru_cache(maxsize=65536)
def deed(role: str, source: str, name: str) -> tuple[str, str, bool] | None:
    """Name a service-linked role and the action it took, and tell whether that deletes something; None for others."""
    found = linked(role)
    return (role, action_key(source, name), (source, name) in DELETES) if found else None


def _absence(record: Record | Success, source: str, name: str, code: str, time: str) -> list[Fact]:
    if not means_gone(source, code, name):
        return []
    resource = resource_of(record)
    told = resource.source != "service" and means_gone(source, code, name, resource.arn)
    return [Gone(resource.arn, time)] if told else []


def resource_of(record: Record | Success, named: str | None = None) -> Resource:
    """Name the resource a record is about, `named` being the one its message names.

    The request's parameters are decoded only where nothing else names it, and what they name is remembered by their
    bytes: the same calls on the same resources recur all day.
    """
    source, listed = record.eventSource or "", record.resources
    if listed and not named:
        entry = listed[0]
        arn = entry.get("ARN")
        if len(listed) == 1 and arn and len(arn) < SHORT:
            found = sole_resource(source, arn, entry.get("accountId"), entry.get("type"))
        else:
            found = listed_resource(source, listed)
        if found:
            return found
    parameters = bytes(record.requestParameters)
    if not named and not may_name(source, record.eventName or "", parameters):
        return service_resource(source)
    identity = record.userIdentity
    region = record.awsRegion or ""
    account = record.recipientAccountId or (identity.accountId if identity else None) or ""
    role = issuer_of(identity)
    partition = role[4 : role.find(":", 4)] if role and role.startswith("arn:aws") else partition_of(region)
    asked = Asked(source, record.eventName or "", region, account, partition)
    if named:
        found = named_resource(asked, named, listed)
        if found:
            return found
    return (_requested if len(parameters) <= SHORT else _requested.__wrapped__)(asked, parameters)


@lru_cache(maxsize=REMEMBERED)
def _requested(asked: Asked, parameters: bytes) -> Resource:
    """Name the resource that the request's parameters tell, the API itself if they tell none."""
    return requested_resource(asked, value(parameters))


@lru_cache(maxsize=65536)
def action_key(source: str, name: str) -> str:
    """Name the IAM action of an API call in the form that facts are compared in."""
    return iam_action(source, name)[0].lower()


class _Refusal(NamedTuple):
    code: str
    kind: str  # the code's class
    text: str | None  # the message
    resource: str | None = None  # named by the response


def _refusals(record: Record, rule: Rule) -> Iterator[_Refusal]:
    """Yield each refusal that a record reports."""
    code = record.errorCode
    if code:
        kind = classify(code)
        if kind and (kind != "authentication" or rule.authentication):
            yield _Refusal(code, kind, record.errorMessage)
        return
    for row in LISTED_ERRORS:
        if row.event_source == record.eventSource and row.event_name == record.eventName:
            for item in _items(value(record.responseElements), row.path):
                listed = item.get(row.code_key)
                if isinstance(listed, str) and listed in row.denied:
                    message = item.get(row.message_key) if row.message_key else None
                    named = item.get(row.resource_key) if row.resource_key else None
                    yield _Refusal(
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


def _denial(record: Record, who: Principal, identity: bytes, part: int, refusal: _Refusal) -> Denial:
    code, kind, text, listed = refusal
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
    updated = record.addendum is not None and bool(record.addendum.originalEventID)
    identity = part_of(identity, part)
    return Denial(
        identity=identity,
        part=part,
        # The copy that names the role is preferred, then the update, then the copy of the role's own account.
        rank=4 * bool(who.role_arn) + 2 * updated + (who.account == record.recipientAccountId),
        case=_case(
            who,
            resource._replace(original=resource.arn),
            f"{source.partition('.')[0]}:{name}",
            action,
            known,
            said,
            code,
            record.awsRegion or "",
            _customers_endpoint(record, who, resource),
        ),
        time=record.eventTime,
        original=resource.original if resource.original != resource.arn else None,
        named=unnamed(record.eventID, identity),
    )


@lru_cache(maxsize=4096)
def _said(*words: Any) -> Said:
    return Said(*words)  # a scan of a million denials holds each wording once


@lru_cache(maxsize=16384)
def _case(*parts: Any) -> Case:
    return Case(*parts)  # likewise


def _customers_endpoint(record: Record, who: Principal, resource: Resource) -> bool:
    """Whether the call came through a VPC endpoint that belongs to the customer, so that its policy could deny.

    Services call through endpoints of AWS's own; only an owner recorded as one of the accounts concerned counts.
    """
    owner = record.vpcEndpointAccountId
    return bool(
        (record.vpcEndpointId or "").startswith("vpce-")
        and owner
        and owner in {who.account, resource.account, record.recipientAccountId}
    )
