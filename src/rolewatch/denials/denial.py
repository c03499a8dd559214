"""One refusal, in the form a scan keeps: what many denials have in common is held once, in their `Case`.

A scan holds every denial until its end, so each costs what is its own: who, what and why recur thousands of times.
Source of the identity: DESIGN "Words".
"""

import hashlib
from typing import NamedTuple

import msgspec

from rolewatch.denials.principal import Principal
from rolewatch.denials.record import Record
from rolewatch.denials.resources import Resource

GUID = 36  # characters


class Said(NamedTuple):
    """What a record says about why: the message's words, the code's class, and the known-noise row that fits."""

    policy_type: str | None
    kind: str | None
    policy_arn: str | None
    not_enabled: bool
    code_kind: str
    known: str | None  # the verdict of a known-noise row
    consequence: str | None


class Case(NamedTuple):
    """Everything about a denial that others share: the principal, the call, the resource and the reason."""

    who: Principal
    resource: Resource  # its `original` is the ARN itself: a part's name is each denial's own
    call: str  # as recorded: `s3:HeadBucket`
    action: str  # IAM's name for it
    known_action: bool  # by the message or the catalogue; False is a guess from the API's name
    said: Said
    code: str
    region: str
    endpoint: bool  # came through a VPC endpoint of the customer's


class Denial(NamedTuple):
    """One record in which a watched principal was refused on one resource."""

    identity: bytes  # 16 bytes
    part: int  # of a response that lists several failures: 0, 1, …
    rank: int  # of two copies the higher one is kept
    case: Case
    time: str | None
    original: str | None  # what the record names, where that is a part of the case's resource
    named: str | None  # the event id if the identity does not spell it, "" if there is none

    @property
    def event_id(self) -> str | None:
        """The record's `eventID`."""
        return spelled(self.identity) if self.named is None else self.named or None


def identity_of(record: Record, raw: bytes | bytearray) -> bytes:
    """Name a denial in 16 bytes, the same for every copy of its record however often it is delivered."""
    name = (
        record.sharedEventID
        or (record.addendum.originalEventID if record.addendum else None)
        or record.eventID
    )
    if name:
        return _guid(name) or hashlib.sha256(name.encode("utf-8", "replace")).digest()[:16]
    try:
        raw = msgspec.json.encode(msgspec.json.decode(raw), order="deterministic")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raw = bytes(raw)  # not decodable as it stands: its own bytes are the canonical form
    return hashlib.sha256(raw).digest()[:16]


def part_of(identity: bytes, part: int) -> bytes:
    """Name one of several refusals that a record lists; the first has the record's identity."""
    return identity if not part else hashlib.sha256(identity + part.to_bytes(4, "big")).digest()[:16]


def unnamed(event_id: str | None, identity: bytes) -> str | None:
    """Return an event id in the form of `Denial.named`."""
    return None if event_id == spelled(identity) else event_id or ""


def _guid(name: str) -> bytes | None:
    if len(name) != GUID or name[8:24:5] != "----":
        return None
    try:
        digits = bytes.fromhex(name.replace("-", ""))
    except ValueError:
        return None
    return digits if len(digits) == 16 else None  # blanks between digits count for nothing


def spelled(identity: bytes) -> str:
    """Spell an identity as the event id that it mostly is."""
    digits = identity.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
