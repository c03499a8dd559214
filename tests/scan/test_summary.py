"""The summary is a fold's value: however deliveries are shared out and merged, it says the same."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loads import ACCOUNT, DENIED, OTHER, ROLE, record

from rolewatch.denials.record import decode
from rolewatch.denials.rule import Rule, denials
from rolewatch.findings.build import Known, build
from rolewatch.findings.tally import finding_key
from rolewatch.scan.summary import EXAMPLES, Summary

EVERYBODY = Rule(frozenset(("slr", "all")))
ID = "00000000-0000-4000-8000-{:012x}"


def refused(**fields):
    """Return the denials of one record."""
    raw = json.dumps(record(**DENIED | fields)).encode()
    return denials(decode(raw), raw, EVERYBODY)


def summed(*records):
    """Sum up records, each given by its denials."""
    summary = Summary()
    for found in records:
        summary.counts["records"] += 1
        for denial in found:
            summary.add(denial)
    return summary


def told(summary):
    """Tell all that a summary says, in a form that can be compared."""
    known = Known(summary.copies, summary.examples, {}, {}, timedelta(days=7))
    findings = build(summary.denials.values(), known)
    return summary.totals(), summary.denials, summary.copies, summary.examples, findings


def copies_of_one():
    """Give records that share an identity, and differ in everything that decides which one is kept."""
    other_role = ROLE.replace("config", "macie")
    for fields in (
        {},
        {"eventID": ID.format(1)},
        {"eventID": ID.format(1), "recipientAccountId": OTHER},
        {
            "eventID": ID.format(2),
            "addendum": {"originalEventID": ID.format(0)},
            "errorCode": "AccessDeniedException",
        },
        {"eventID": ID.format(3), "userIdentity": {"type": "AWSAccount", "accountId": ACCOUNT}},
        {"eventTime": "2026-03-02T00:00:00Z"},  # same id and rank, other content
        {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": other_role}}}},
        {"requestParameters": {"bucketName": "c"}},
    ):
        yield refused(**{"sharedEventID": ID.format(0)} | fields)


LISTED = {
    "errorCode": None,
    "eventSource": "inspector2.amazonaws.com",
    "eventName": "Enable",
    "responseElements": {"failedAccounts": [{"errorCode": "ACCESS_DENIED"}, {"errorCode": "ACCESS_DENIED"}]},
}
OBJECT = 'User: x is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k{:02d}"'
POOL = [
    *copies_of_one(),
    *(refused(number=10 + number, time=f"2026-03-0{number + 1}T00:00:00Z") for number in range(3)),
    *(
        refused(number=20 + number, name="GetObject", errorMessage=OBJECT.format(number))
        for number in range(25)
    ),
    refused(number=50, **LISTED),
    refused(eventID=None),
    refused(eventID=None, eventTime=None),
]
RECORDS = st.lists(st.sampled_from(POOL), max_size=40)


@given(RECORDS, st.randoms(use_true_random=False))
def test_order_changes_nothing(records, rng):
    """Records in any order, shared out in any way and merged in any order, sum up to the same."""
    expected = told(summed(*records))
    shuffled = rng.sample(records, len(records))
    shares = [[] for _ in range(rng.randrange(1, 5))]
    for found in shuffled:
        rng.choice(shares).append(found)
    parts = [summed(*share) for share in shares]
    while len(parts) > 1:
        left, right = rng.sample(range(len(parts)), 2)
        parts[left].merge(parts[right])
        del parts[right]
    assert expected == told(parts[0])


@given(RECORDS)
def test_reconciliation(records):
    """Denials, duplicates and others add up to the records."""
    summary = summed(*records, [], [])
    totals = summary.totals()
    assert totals["records"] == len(records) + 2
    assert totals["denials"] + totals["duplicates"] + totals["others"] == totals["records"]
    assert totals["others"] == 2


def test_empty():
    """An empty summary is neutral."""
    summary = summed(*POOL)
    before = told(summary)
    summary.merge(Summary())
    assert told(summary) == before


KEPT = [
    ("an update replaces", 0, 3, 3),
    ("the role's own account before another one", 1, 2, 1),
    ("the copy that names the role, even before an update", 0, 4, 0),
    ("of equals the higher event id", 0, 1, 1),
]


@pytest.mark.parametrize(
    ("one", "other", "kept"), [case[1:] for case in KEPT], ids=[case[0] for case in KEPT]
)
def test_which_copy_is_kept(one, other, kept):
    """Of the copies of a denial the one that says most is kept, whichever came first."""
    copies = list(copies_of_one())
    for first, second in ((one, other), (other, one)):
        (denial,) = summed(copies[first], copies[second]).denials.values()
        assert [denial] == copies[kept]


def test_copies():
    """All event ids of a denial that came with several are kept, and only of such."""
    summary = summed(*list(copies_of_one())[:3], refused(number=7), refused(number=7))
    assert list(summary.copies.values()) == [{ID.format(0), ID.format(1)}]
    assert (summary.totals()["denials"], summary.totals()["duplicates"]) == (2, 3)


def test_a_response_with_several_refusals_is_one_record():
    """A record that lists two refusals counts as one denial of the totals, and its copy as one duplicate."""
    listed = refused(number=50, **LISTED)
    summary = summed(listed, listed)
    totals = summary.totals()
    assert (len(summary.denials), totals["denials"], totals["duplicates"], totals["others"]) == (2, 1, 1, 0)


def test_objects_are_not_held_by_name():
    """Of a bucket's objects the first twenty names of the alphabet are kept, and none with its denial."""
    found = [refused(number=n, name="GetObject", errorMessage=OBJECT.format(n)) for n in range(EXAMPLES + 10)]
    summary = summed(*reversed(found))
    key = finding_key(found[0][0].case)
    assert summary.examples == {key: {f"arn:aws:s3:::b/k{n:02d}" for n in range(EXAMPLES)}}
    assert {denial.original for denial in summary.denials.values()} == {None}
    assert len({id(denial.case) for denial in summary.denials.values()}) == 1
