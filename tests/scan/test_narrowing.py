"""A request narrows what is counted: by time, account, region, and kind of principal."""

import json

import pytest
from loads import ACCOUNT, DENIED, OTHER, ROLE, USER, content, latest, linked, record, stepped

from rolewatch.cli.words import moment
from rolewatch.sources import Window

pytestmark = pytest.mark.usefixtures("both_ways")

BUCKET = "arn:aws:s3:::b"
TIMES = [
    "2026-03-01T00:00:00Z",
    "2026-03-01T23:59:59Z",
    "2026-03-02T00:00:00Z",
    "2026-03-03T00:00:00Z",
    None,
    "",
]
SPANS = [
    ({}, [0, 1, 2, 3, 4, 5]),
    ({"since": "2026-03-02"}, [2, 3, 4, 5]),
    ({"until": "2026-03-02"}, [0, 1, 4, 5]),
    ({"since": "2026-03-01T23:59:59", "until": "2026-03-02T00:00:01Z"}, [1, 2, 4, 5]),
    ({"since": "2026-03-02T01:00:00+01:00", "until": "2026-03-03T01:00:00+01:00"}, [2, 4, 5]),
    ({"since": "2027-01-01"}, [4, 5]),
]


def numbers(stepper):
    """Return the numbers of the denials that were kept."""
    return sorted(int(denial.event_id[-4:], 16) for denial in stepper.summary.denials.values())


@pytest.mark.parametrize(("ends", "expected"), SPANS)
def test_window(ends, expected):
    """A denial counts from `since` on, and before `until`; one without a time can be of any."""
    window = Window(**{name: moment(text) for name, text in ends.items()})
    stepper = stepped(
        content(*(record(time=time, number=n, **DENIED) for n, time in enumerate(TIMES))), window=window
    )
    assert expected == numbers(stepper)
    totals = stepper.summary.totals()
    assert (totals["records"], totals["denials"], totals["others"]) == (6, len(expected), 6 - len(expected))


@pytest.mark.parametrize(
    ("until", "expected"), [(None, "2026-03-05T00:00:00Z"), ("2026-03-05", "2026-03-04T00:00:00Z")]
)
def test_facts_end_with_the_window(until, expected):
    """What happened after the end of the window proves nothing within it."""
    window = Window(since=moment("2026-03-10") if until is None else None, until=until and moment(until))
    records = [record(time=f"2026-03-0{day}T00:00:00Z", number=day) for day in (4, 5)]
    gone = [
        record(time=f"2026-03-0{day}T00:00:00Z", number=day + 2, errorCode="NoSuchBucket") for day in (4, 5)
    ]
    stepper = stepped(content(*records, *gone), window=window)
    assert latest(stepper, (ROLE, "s3:listbucket", BUCKET)) == expected
    assert latest(stepper, (BUCKET,)) == expected


ELSEWHERE = ROLE.replace(ACCOUNT, OTHER)
PLACES = [
    ({}, [0, 1, 2, 3]),
    ({"regions": frozenset(("eu-west-1",))}, [1]),
    ({"regions": frozenset(("eu-west-1", "us-east-1"))}, [0, 1, 2]),
    ({"accounts": frozenset((ACCOUNT,))}, [0, 1, 3]),
    ({"accounts": frozenset((OTHER,))}, [2]),
    ({"accounts": frozenset((OTHER,)), "regions": frozenset(("eu-west-1",))}, []),
]


@pytest.mark.parametrize(("places", "expected"), PLACES)
def test_places(places, expected):
    """A denial counts if its region was asked for, and the account of its role, whoever recorded it."""
    stepper = stepped(
        content(
            record(number=0, **DENIED),
            record(number=1, awsRegion="eu-west-1", **DENIED),
            record(number=2, userIdentity=linked(ELSEWHERE), **DENIED),
            record(number=3, awsRegion=None, recipientAccountId=OTHER, **DENIED),
        ),
        window=Window(**places),
    )
    assert expected == numbers(stepper)


SERVICE = {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"}
USED = linked(f"arn:aws:iam::{ACCOUNT}:role/delivery") | {"invokedBy": "config.amazonaws.com"}
KINDS = [
    (("slr",), [0], [ROLE]),
    (("slr", "service"), [0, 1], [ROLE, f"{ACCOUNT} cloudtrail.amazonaws.com"]),
    (("slr", "service-role"), [0, 2], [ROLE, f"arn:aws:iam::{ACCOUNT}:role/delivery"]),
    (("slr", "all"), [0, 1, 2, 3], [ROLE, f"{ACCOUNT} cloudtrail.amazonaws.com", f"arn:aws:iam::{ACCOUNT}:role/delivery", USER["arn"]]),
]  # fmt: skip


@pytest.mark.parametrize("layout", [{}, {"indent": 1}], ids=["fast", "exact"])
@pytest.mark.parametrize(("kinds", "expected", "followed"), KINDS)
def test_principals(kinds, expected, followed, layout):
    """Denials and successes of the watched kinds of principals are found on the fast way and on the exact one."""
    identities = (linked(), SERVICE, USED, USER)
    denied = [record(number=n, userIdentity=identity, **DENIED) for n, identity in enumerate(identities)]
    allowed = [record(number=9 + n, userIdentity=identity) for n, identity in enumerate(identities)]
    stepper = stepped(content(*denied, *allowed, **layout), principals=frozenset(kinds))
    assert expected == numbers(stepper)
    names = [
        ROLE,
        f"{ACCOUNT} cloudtrail.amazonaws.com",
        f"arn:aws:iam::{ACCOUNT}:role/delivery",
        USER["arn"],
    ]
    assert followed == [name for name in names if latest(stepper, (name, "s3:listbucket", BUCKET))]


def test_without_recovery():
    """Without recovery nothing is followed, and denials are the same."""
    data = content(record(number=1, **DENIED), record(number=2), record(number=3, errorCode="NoSuchBucket"))
    stepper = stepped(data, recovery=False)
    assert numbers(stepper) == [1]
    assert latest(stepper, (ROLE, "s3:listbucket", BUCKET)) is None
    assert latest(stepper, (BUCKET,)) is None


def test_authentication():
    """Failed credentials are denials only if asked for."""
    data = content(record(errorCode="ExpiredToken"))
    assert (numbers(stepped(data)), numbers(stepped(data, authentication=True))) == ([], [0])


def test_a_deletion_that_looks_like_an_error():
    """A deletion by a person counts, although its record holds what records with an error do."""
    for fields in ({"errorCode": None}, {"requestParameters": {"bucketName": "b", "note": 'errorCode"'}}):
        stepper = stepped(content(record("DeleteBucket", userIdentity=USER, **fields)))
        assert latest(stepper, (BUCKET,)) == "2026-03-01T10:00:00Z"


def test_look_alikes_prove_nothing():
    """What looks like a success deep inside a person's record is no proof of one."""
    inner = record(number=9, time="2026-03-09T00:00:00Z")
    outer = record(number=2, userIdentity=USER, requestParameters={"list": [{"x": 1}, inner, {"y": 2}]})
    stepper = stepped(content(record(number=1, **DENIED), outer))
    assert latest(stepper, (ROLE, "s3:listbucket", BUCKET)) is None
    assert json.dumps(inner, separators=(",", ":")).encode() in content(outer)
