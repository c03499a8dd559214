"""The sieve finds in boiled records what naming every one of them finds, and names few."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_resources import CASES
from trail import LINKED, item

from rolewatch.cloudtrail import carve
from rolewatch.cloudtrail.carve import ESCAPES, JOINT, TIME, bit
from rolewatch.denials import rule, sieve
from rolewatch.denials.record import decode
from rolewatch.denials.rule import Rule, facts
from rolewatch.denials.sieve import Sieve, deeds_of

OTHER_ROLE = (
    LINKED["sessionContext"]["sessionIssuer"]["arn"].replace("config", "macie").replace("Config", "Macie")
)
OTHER = LINKED | {"sessionContext": {"sessionIssuer": {"type": "Role", "arn": OTHER_ROLE}}}


def boiled(*records):
    """Boil records down, as the fast path does."""
    assert carve.native is not None, "there is a C compiler on a machine that runs the tests"
    lines = b""
    for record in records:
        raw = json.dumps(record, separators=(",", ":")).encode()
        found = carve.native.survey(raw, 0, len(raw), (JOINT, TIME, ESCAPES, rule.LINKED), (), bit(0), None)
        assert found[2] == []
        lines += found[3]
    return lines


def named(records):
    """Name every record: the latest time of each access, and where it was."""
    found = {}
    for number, group in records:
        for record in group:
            for fact in facts(decode(json.dumps(record).encode()), Rule()):
                if fact[-1] > found.get(fact[:-1], ("", 0))[0]:
                    found[fact[:-1]] = fact[-1], number
    return found


RECORDS = st.builds(
    lambda call, name, second, identity: item(
        eventSource=call[0], eventName=call[1], requestParameters=call[2](name), userIdentity=identity, eventTime=f"2026-03-01T00:00:{second:02d}Z",
    ),
    st.sampled_from([
        ("s3.amazonaws.com", "GetBucketAcl", lambda name: {"bucketName": name}),
        ("s3.amazonaws.com", "HeadBucket", lambda name: {"bucketName": name}),
        ("s3.amazonaws.com", "ListObjects", lambda name: {"bucketName": name, "prefix": "data-1"}),
        ("ec2.amazonaws.com", "DescribeInstances", lambda name: {"filterSet": {"items": [{"name": name}]}}),
        ("kms.amazonaws.com", "DescribeKey", lambda name: {"keyId": f"arn:aws:kms:us-east-1:111122223333:key/{name}"}),
        ("glue.amazonaws.com", "GetDatabases", lambda name: {"nextToken": name}),
        ("lambda.amazonaws.com", "GetPolicy20150331v2", lambda name: {"functionName": name}),
    ]),
    st.sampled_from(["data", "data-1", "data-10", "b", "no name", "*", "2026-03-01"]),
    st.integers(0, 59),
    st.sampled_from([LINKED, OTHER]),
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.lists(RECORDS, max_size=5), max_size=6), st.randoms())
def test_sift(groups, random):
    """For any accesses that are asked for, the latest time is the one that naming every record gives."""
    places = [(number, group) for number, group in enumerate(groups, 1) if group]
    expected = named(places)
    asked = random.sample(sorted(expected), random.randint(0, len(expected)))
    found = {}
    for part in (places[::2], places[1::2]):
        Sieve(deeds_of(asked), found, Rule()).sift((number, boiled(*group)) for number, group in part)
    assert {key: time for key, (time, _) in found.items()} == {key: expected[key][0] for key in asked}
    for key, (time, number) in found.items():
        assert (*key, time) in {fact for record in groups[number - 1] for fact in facts(decode(json.dumps(record).encode()), Rule())}  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.lists(RECORDS, max_size=5), max_size=6), st.integers(0, 59), st.randoms())
def test_sift_for_the_first(groups, second, random):
    """With `after`, what is found is the first of each access that is later, and nothing where none is."""
    places = [(number, group) for number, group in enumerate(groups, 1) if group]
    asked = sorted(named(places))
    after = {key: f"2026-03-01T00:00:{random.choice((second, 0, 59)):02d}Z" for key in asked}
    expected = {}
    for _, group in places:
        for record in group:
            for *key, time in facts(decode(json.dumps(record).encode()), Rule()):
                if time > after[tuple(key)]:
                    expected[tuple(key)] = min(time, expected.get(tuple(key), time))
    found = {}
    for part in (places[::2], places[1::2]):
        Sieve(deeds_of(asked), found, Rule(), after).sift((number, boiled(*group)) for number, group in part)
    assert {key: time for key, (time, _) in found.items()} == expected
    for key, (time, number) in found.items():
        assert (*key, time) in {fact for record in groups[number - 1] for fact in facts(decode(json.dumps(record).encode()), Rule())}  # fmt: skip


def test_what_is_known_is_kept():
    """An access that is known to be later stays as it is."""
    record = item()
    ((key, _),) = named([(1, [record])]).items()
    for known, expected in (("2026-03-02", ("2026-03-02", 9)), ("2026-02-01", (record["eventTime"], 1))):
        found = {key: (known, 9)}
        Sieve(deeds_of([key]), found, Rule()).sift([(1, boiled(record))])
        assert found == {key: expected}


@pytest.mark.parametrize(("source", "call", "case"), CASES, ids=[f"{row[0]}-{row[1]}" for row in CASES])
def test_every_resource_is_found(source, call, case):
    """Whatever a call's resource is named by, a record about it is not passed over."""
    record = item(eventSource=f"{source}.amazonaws.com", eventName=call, requestParameters=json.loads(case.partition(" -> ")[0]))  # fmt: skip
    expected = {key: value for key, value in named([(1, [record])]).items() if len(key) == 3}
    assert len(expected) == 1
    found = {}
    Sieve(deeds_of(expected), found, Rule()).sift([(1, boiled(record))])
    assert found == expected


def test_few_records_are_named(monkeypatch):
    """Of a thousand calls only those are named that are about what is asked for, and each once."""
    count = []
    monkeypatch.setattr(sieve, "facts", lambda record, rule: count.append(1) or facts(record, rule))
    calls = [item(requestParameters={"bucketName": f"data-{n:04d}"}, eventTime=f"2026-03-01T00:{n % 60:02d}:00Z") for n in range(1000)]  # fmt: skip
    again = [item(requestParameters={"bucketName": "data-0007"}, eventTime=f"2026-03-02T00:{n:02d}:00Z") for n in range(60)]  # fmt: skip
    key = next(iter(named([(1, [calls[7]])])))
    found = {}
    Sieve(deeds_of([key]), found, Rule()).sift([(1, boiled(*calls)), (2, boiled(*again))])
    assert found == {key: ("2026-03-02T00:59:00Z", 2)}
    assert len(count) == 1
