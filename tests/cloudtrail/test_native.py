"""What is written in C says what its Python says, knows less where it must, and never more."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolewatch.cloudtrail import carve
from rolewatch.cloudtrail.carve import ESCAPES, HIDING, JOINT, TIME, Literals, bit
from rolewatch.cloudtrail.minutes import minutes_between
from rolewatch.denials.record import decode_success
from rolewatch.denials.rule import LINKED, Rule, facts

WANTED = (b'rrorCode"', LINKED, (b'"Delete', b"NoSuch", b"NotFound"))
PIECES = [
    JOINT, TIME, *ESCAPES, *WANTED[:2], *WANTED[2], b'"', b"\\", b"NotF", b"oS", b"{", b"},{", b"rrorCod", b":role/aws-service-rol", b"\\\\", b"e", b"v",
    TIME + b':"2026-03-01T10:05:00Z"', TIME + b':"2026-03-01T10:06', b"x" * 31, b"y" * 64, b"\xc3\xbc", b"",
]  # fmt: skip
BUFFERS = st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)


def native():
    """Return the part in C."""
    assert carve.native is not None, "there is a C compiler on a machine that runs the tests"
    return carve.native


@settings(max_examples=1500)
@given(
    BUFFERS,
    st.integers(0, 70),
    st.integers(0, 70),
    st.sampled_from([(), (HIDING,), (bit(0) | bit(1), bit(2))]),
)
def test_survey(buffer, begin, behind, needed):
    """Counts and marked records are those that one search after the other gives, wherever the stretch lies."""
    begin, end = min(begin, len(buffer)), max(len(buffer) - behind, min(begin, len(buffer)))
    literals = Literals(WANTED, needed=needed)
    minutes = {}
    joints, times, marked, boiled = native().survey(
        buffer, begin, end, (JOINT, TIME, ESCAPES, *WANTED), (), 0, minutes
    )
    assert minutes == minutes_between(buffer, begin, end)
    assert (joints, times) == (buffer.count(JOINT, begin, end), buffer.count(TIME, begin, end))
    expected = carve._marked(buffer, begin, end, literals._replace(needed=()))
    assert marked == expected
    assert boiled == b""
    chosen = native().survey(buffer, begin, end, (JOINT, TIME, ESCAPES, *WANTED), needed, 0, None)[2]
    assert chosen == [row for row in marked if literals.needs(row[2])]


@pytest.mark.parametrize("literals", [(JOINT,), (JOINT, b"x"), (JOINT, TIME, (b"ab",) * 39), (JOINT, b"xy", b"{", b"ab"), (b'"eventQQ', TIME, b"vent"), (b"ab",) * 9, [JOINT, TIME]])  # fmt: skip
def test_literals_that_cannot_be(literals):
    """What could be overlooked is refused."""
    with pytest.raises(ValueError, match="literal"):
        native().survey(b"", 0, 0, literals, (), 0, None)


@pytest.mark.parametrize("stretch", [(-1, 2), (2, 1), (0, 4)])
def test_stretches_that_cannot_be(stretch):
    """Nothing outside of the buffer is read."""
    with pytest.raises(ValueError, match="stretch"):
        native().survey(b"abc", *stretch, (JOINT, TIME), (), 0, None)
    with pytest.raises(ValueError, match="stretch"):
        native().objects(b"abc", *stretch)


ROLE = "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
SUCCESS = {
    "eventVersion": "1.09",
    "userIdentity": {
        "type": "AssumedRole",
        "accountId": "111122223333",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE}, "attributes": {}},
    },
    "eventTime": "2026-03-01T00:00:00Z",
    "eventSource": "s3.amazonaws.com",
    "eventName": "GetBucketAcl",
    "awsRegion": "us-east-1",
    "requestParameters": {"bucketName": "b", "n": [1, -2.5, 0, True, None, "a\\b", {}], "x": {"y": []}},
    "resources": [{"ARN": "arn:aws:s3:::b", "accountId": "111122223333", "type": "AWS::S3::Bucket"}],
    "recipientAccountId": "111122223333",
}
KEYS = [*SUCCESS, "sessionContext", "sessionIssuer", "arn", "accountId", "errorMessage"]
SCALARS = (
    st.sampled_from([None, True, 0, 1.5, -1e300, "", "b", "ü", '"', "a/b", ROLE, "x" * 40]) | st.floats()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3), max_leaves=6
)  # fmt: skip


def boiled(raw):
    """Boil down one record; returns the record and its time, None if it has to be decoded or looks like several."""
    marked, lines = native().survey(raw, 0, len(raw), (JOINT, TIME, ESCAPES, LINKED), (), bit(0), None)[2:]
    if JOINT in raw:
        return None
    assert len(marked) + lines.count(b"\n") <= 1
    if not lines:
        return None
    record, _, time = lines.removesuffix(b"\n").rpartition(b"\t")
    return record, time.decode()


def write(pairs, separators):
    """Write pairs as an object, so that keys can repeat."""
    body = separators[0].join(f"{json.dumps(key)}{separators[1]}{json.dumps(value, ensure_ascii=False, separators=tuple(separators))}" for key, value in pairs)  # fmt: skip
    return f"{{{body}}}".encode()


def test_boil():
    """A plain success is boiled down to the fields that name the access; the time is apart."""
    record, time = boiled(write(SUCCESS.items(), ",:"))
    assert time == SUCCESS["eventTime"]
    issuer = {"sessionIssuer": {"arn": ROLE}}
    kept = ("eventSource", "eventName", "awsRegion", "recipientAccountId", "requestParameters", "resources")
    expected = {name: SUCCESS[name] for name in kept}
    assert json.loads(record) == expected | {"userIdentity": {"sessionContext": issuer, "accountId": "111122223333"}}  # fmt: skip
    assert record.startswith(
        b'{"eventSource":"s3.amazonaws.com","eventName":"GetBucketAcl","userIdentity":{"sessionContext":{"sessionIssuer":{"arn":"arn'
    )


def test_boiled_records_of_one_access_are_alike():
    """Time, event id and the like make no difference."""
    other = SUCCESS | {"eventTime": "2026-03-02T00:00:00Z", "eventID": "1", "userAgent": "x", "sourceIPAddress": "y"}  # fmt: skip
    first, second = boiled(write(SUCCESS.items(), ",:")), boiled(write(other.items(), ",:"))
    assert first[0] == second[0]
    assert (first[1], second[1]) == (SUCCESS["eventTime"], other["eventTime"])


@settings(max_examples=1500)
@given(st.lists(st.tuples(st.sampled_from(KEYS), VALUES), max_size=5), st.randoms(), st.sampled_from([",:", ",:", (", ", ": ")]))  # fmt: skip
def test_boiled_records_prove_what_they_did_before(more, random, separators):
    """Whatever else is in a record, in any order, repeated or of a wrong type: it proves the same, or is decoded."""
    pairs = [*SUCCESS.items(), *more]
    random.shuffle(pairs)
    raw = write(pairs, separators)
    found = boiled(raw)
    if found:
        record, time = found
        success = decode_success(record)
        success.eventTime = time
        whole = decode_success(raw)
        assert (success.eventTime, facts(success, Rule())) == (whole.eventTime, facts(whole, Rule()))


NOT_BOILED = {
    "no object": b'["' + LINKED + b'"]',
    "cut": write(SUCCESS.items(), ",:")[:-1],
    "white space": write(SUCCESS.items(), (", ", ":")),
    "not ASCII": write((SUCCESS | {"userAgent": "ü"}).items(), ",:"),
    "garbage": write(SUCCESS.items(), ",:").replace(b"true", b"tru"),
    "a number nobody agrees on": write((SUCCESS | {"n": 1e300}).items(), ",:"),
    "a control character": write((SUCCESS | {"n": "zz"}).items(), ",:").replace(b"zz", b"z\nz"),
    "deep": write((SUCCESS | {"n": 0}).items(), ",:").replace(b'"n":0', b'"n":' + b"[" * 70 + b"]" * 70),
    "brackets that do not fit": write((SUCCESS | {"n": [0]}).items(), ",:").replace(b"[0]", b"[0}"),
    "no time": write((SUCCESS | {"eventTime": None}).items(), ",:"),
    "no issuer": write((SUCCESS | {"userIdentity": {"arn": ROLE, "type": "Role"}}).items(), ",:"),
    "an escaped name": write((SUCCESS | {"eventName": "zz"}).items(), ",:").replace(b"zz", b"z\\nz"),
    "long": write((SUCCESS | {"requestParameters": {"a": "x" * 3000}}).items(), ",:"),
}


@pytest.mark.parametrize("raw", NOT_BOILED.values(), ids=NOT_BOILED)
def test_what_is_not_boiled(raw):
    """What is the least unusual is marked instead, and decoded."""
    assert boiled(raw) is None
    assert native().survey(raw, 0, len(raw), (JOINT, TIME, ESCAPES, LINKED), (), bit(0), None)[2]


TEXTS = st.text(alphabet='{}[]",:\\ntrueafls0123.-eE /u\x00ü', max_size=40)


@settings(max_examples=2000)
@given(st.lists(VALUES | TEXTS, max_size=4), st.integers(0, 200), TEXTS)
def test_objects(values, place, garbage):
    """A stretch is only called a list of objects if it is one, by `json`; damage anywhere is seen."""
    text = ",".join(json.dumps(value, separators=(",", ":"), ensure_ascii=False) for value in values)
    for content in (text, text[:place] + garbage + text[place + len(garbage) :]):
        raw = content.encode()
        number = native().objects(raw, 0, len(raw))
        if number:
            parsed = json.loads(f"[{content}]")
            assert number == len(parsed)
            assert all(isinstance(item, dict) for item in parsed)


def test_objects_of_a_list():
    """Whole objects are counted, of any size and in any number."""
    for size in range(70):
        raw = ",".join([json.dumps({"a": "x" * size, "b": [{}, "\u00fc\\/", {"c": None}]}, separators=(",", ":"))] * 3).encode()  # fmt: skip
        assert native().objects(raw, 0, len(raw)) == 3
        assert native().objects(b"," + raw + b",", 1, len(raw) + 1) == 3
        assert native().objects(raw, 0, len(raw) - 1) == 0


def test_group():
    """Lines are sorted by how they begin, in order, each with its number; a line without a deed is left out."""
    deeds = {}
    native().group(b'{"a":1"}}x\n{"b"}}\nzz\n{"a":1"}},2\n', 7, deeds)
    native().group(b'{"b"}}y', 8, deeds)
    native().group(b"", 9, deeds)
    assert deeds == {
        b'{"a":1': ([7, 7], [b'{"a":1"}}x', b'{"a":1"}},2']),
        b'{"b': ([7, 8], [b'{"b"}}', b'{"b"}}y']),
    }
