"""A denial's identity is the same however often and however written its record is delivered."""

import hashlib
import json

import pytest
from trail import GUID, LEFT_OUT, TIME, denied, item

from rolewatch.denials.denial import part_of
from rolewatch.denials.record import decode
from rolewatch.denials.rule import Rule, denials

OTHER_GUID, THIRD_GUID = "ffffffff-0000-4000-8000-000000000001", "ffffffff-0000-4000-8000-000000000002"


def found(raw):
    """Return the only denial of a record."""
    (denial,) = denials(decode(raw), raw, Rule())
    return denial


def plain(guid):
    """Return the bytes that a GUID spells."""
    return bytes.fromhex(guid.replace("-", ""))


def hashed(text):
    """Return the identity of what is no GUID."""
    return hashlib.sha256(text.encode()).digest()[:16]


UPDATE = {"reason": "UPDATED_DATA", "updatedFields": "errorCode", "originalEventID": OTHER_GUID}
IDENTITIES = [
    ("eventID", {}, plain(GUID)),
    ("eventID in capitals", {"eventID": GUID.upper()}, plain(GUID)),
    ("the shared id comes first", {"sharedEventID": OTHER_GUID, "addendum": UPDATE}, plain(OTHER_GUID)),
    ("a shared id that is empty is none", {"sharedEventID": ""}, plain(GUID)),
    ("an update has the identity of what it updates", {"addendum": UPDATE}, plain(OTHER_GUID)),
    ("an addendum without an original", {"addendum": {"reason": "DELIVERY_DELAY"}}, plain(GUID)),
    ("an id that is no GUID", {"eventID": "event-7"}, hashed("event-7")),
    ("as long as a GUID, but no digits", {"eventID": "g" + GUID[1:]}, hashed("g" + GUID[1:])),
    ("dashes elsewhere", {"eventID": GUID.replace("-", "") + "----"}, hashed(GUID.replace("-", "") + "----")),
    ("blanks among the digits", {"eventID": "  1b2c3d" + GUID[8:]}, hashed("  1b2c3d" + GUID[8:])),
    ("an id that is no text", {"eventID": "a\ud800"}, hashed("a?")),
]


@pytest.mark.parametrize(
    ("fields", "identity"), [case[1:] for case in IDENTITIES], ids=[case[0] for case in IDENTITIES]
)
def test_identity(fields, identity):
    """Shared id, original id, event id: the first that is there names the denial in 16 bytes."""
    assert identity == found(denied(**fields)).identity


@pytest.mark.parametrize("event_id", [GUID, GUID.upper(), "event-7", ""])
@pytest.mark.parametrize("more", [{}, {"sharedEventID": OTHER_GUID}, {"addendum": UPDATE}])
def test_event_id(event_id, more):
    """The event id is kept as it stands in the record, whatever the identity is made of; an empty one is none."""
    assert (event_id or None) == found(denied(eventID=event_id, **more)).event_id


def test_no_id_at_all():
    """Without any id the record's content is the identity, however it is laid out; other content is another one."""
    record = item(errorCode="AccessDenied", eventID=LEFT_OUT)
    layouts = [
        json.dumps(record),
        json.dumps(record, indent=1),
        json.dumps(dict(reversed(record.items()))),
        json.dumps(record).replace("AccessDenied", "Access\\u0044enied"),
    ]
    assert len({found(layout.encode()).identity for layout in layouts}) == 1
    assert found(layouts[0].encode()).event_id is None
    assert found(json.dumps(record | {"eventTime": "2026-03-02T00:00:00Z"}).encode()).identity != (
        found(layouts[0].encode()).identity
    )


def test_no_id_and_no_json_that_decodes():
    """A record that only the patient decoder can read is its own canonical form."""
    text = json.dumps(item(errorCode="AccessDenied", eventID=LEFT_OUT, userAgent="\ud800")).encode()
    assert hashlib.sha256(text).digest()[:16] == found(text).identity


def test_parts():
    """Of several refusals of one record the first has the record's identity, and each other one its own."""
    identity = plain(GUID)
    parts = [part_of(identity, number) for number in range(1000)]
    assert (parts[0], len(set(parts)), {len(part) for part in parts}) == (identity, 1000, {16})


PREFERENCES = [
    ("in the role's own account", {}, 5),
    ("in another account", {"recipientAccountId": "444455556666"}, 4),
    ("an update", {"addendum": UPDATE}, 7),
    ("an update in another account", {"addendum": UPDATE, "recipientAccountId": "444455556666"}, 6),
]


@pytest.mark.parametrize(
    ("fields", "rank"), [case[1:] for case in PREFERENCES], ids=[case[0] for case in PREFERENCES]
)
def test_rank(fields, rank):
    """An update outranks what it updates, and the copy of the role's own account the other one."""
    assert rank == found(denied(**fields)).rank


def test_the_copy_that_names_the_role_is_preferred():
    """A copy that hides the role ranks below one that names it, even as an update."""
    everybody = Rule(frozenset(("slr", "all")))
    hidden = denied(userIdentity={"type": "AWSAccount", "accountId": "111122223333"}, addendum=UPDATE)
    (copy,) = denials(decode(hidden), hidden, everybody)
    assert copy.rank < found(denied(recipientAccountId="444455556666")).rank


def test_cases_are_shared():
    """Denials that differ in nothing but id and time hold one case in memory."""
    first, second = found(denied()), found(denied(eventID=THIRD_GUID, eventTime="2026-03-05T00:00:00Z"))
    assert first.case is second.case
    assert (first.time, second.time) == (TIME, "2026-03-05T00:00:00Z")


def test_a_part_of_the_resource():
    """The object that was asked for is the denial's own; the case has the bucket only."""
    named = "arn:aws:s3:::b/secret/a.txt"
    message = f'User: x is not authorized to perform: s3:GetObject on resource: "{named}"'
    first = found(denied(errorMessage=message, eventName="GetObject"))
    second = found(denied(errorMessage=message.replace("a.txt", "b.txt"), eventName="GetObject"))
    assert (first.original, second.original) == (named, "arn:aws:s3:::b/secret/b.txt")
    assert first.case is second.case
    assert first.case.resource.original == first.case.resource.arn == "arn:aws:s3:::b"
