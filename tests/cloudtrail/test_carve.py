"""The fast path takes what is CloudTrail's own shape and nothing else, and finds every record that matters."""

import json
from contextlib import suppress

import pytest
from wrappings import compact, dumps, record

from rolewatch.cloudtrail import carve
from rolewatch.cloudtrail.carve import HIDING, JOINT, Literals, bit, canonical, parts

RECORDS = [record(number) for number in range(4)]
CONTENT = compact({"Records": RECORDS})
LITERAL = b'rrorCode"'
EVERY = Literals((b'"eventTime"',))

pytestmark = pytest.mark.usefixtures("both_ways")


def numbers(carved, bits=~HIDING):
    """Return the numbers of the records that are marked with one of these bits."""
    return [
        int(json.loads(carved.text(start, end))["eventID"][-12:])
        for start, end, held in carved.marked
        if held & bits
    ]


def plain(number, **more):
    """Make a record without escapes."""
    return {"eventVersion": "1.08", "eventTime": "t", **more, "eventID": f"{number:012d}"}


def records_of(carved):
    """Parse the marked records."""
    return [json.loads(carved.text(start, end)) for start, end, _ in carved.marked]


def nested(*look_alikes, **more):
    """Make a record with an array that holds other objects and look-alikes."""
    return record(9, requestParameters={"list": [{"x": 1}, *look_alikes]}, **more)


@pytest.mark.parametrize("end", [b"", b"\n", b" \r\n\t"])
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_canonical(kind, end):
    """A log file as CloudTrail writes it is taken; white space behind it does not matter."""
    carved = canonical(kind(CONTENT + end), EVERY)
    assert carved.count == 4
    assert records_of(carved) == RECORDS
    assert (RECORDS[0], RECORDS[3]) == tuple(map(json.loads, carved.first_and_last()))


def test_a_single_record():
    """The first record may be the last."""
    carved = canonical(compact({"Records": RECORDS[:1]}))
    assert (RECORDS[0], RECORDS[0]) == tuple(map(json.loads, carved.first_and_last()))


ELSEWHERE = {
    "empty": b"",
    "no records": b'{"Records":[]}',
    "pretty": json.dumps({"Records": RECORDS}).encode(),
    "byte order mark": b"\xef\xbb\xbf" + CONTENT,
    "JSON lines": b"\n".join(map(compact, RECORDS)),
    "array": compact(RECORDS),
    "another key first": compact({"a": 1, "Records": RECORDS}),
    "another key last": compact({"Records": RECORDS, "a": 1}),
    "another key order": compact({"Records": [RECORDS[0], dict(reversed(RECORDS[1].items())), RECORDS[2]]}),
    "no version": compact({"Records": [RECORDS[0], {"eventTime": "t", "eventName": "n"}]}),
    "no time": compact({"Records": [RECORDS[0], {"eventVersion": "1.08"}]}),
    "white space between": CONTENT.replace(b"},{", b"}, {"),
    "white space in a record": CONTENT.replace(b'{"eventVersion"', b'{ "eventVersion"', 1),
    "escaped key": CONTENT.replace(b'"eventVersion"', b'"\\u0065ventVersion"', 1),
    "an escaped key later": CONTENT.replace(b',{"eventVersion"', b',{"\\u0065ventVersion"', 1),
    "a time twice": CONTENT.replace(b'"eventName":', b'"eventTime":"t","eventName":', 1),
    "garbage behind": CONTENT + b"x",
    "a form feed behind": CONTENT + b"\x0c",
    "another document behind": CONTENT + CONTENT,
    "another on the next line": CONTENT + b"\n" + CONTENT,
    "cut": CONTENT[:-1],
    "cut behind a list": CONTENT[: CONTENT.rindex(b"}]}", 0, -3) + 3],
    "another list behind": compact({"Records": RECORDS, "x": [{}]}),
    "look-alike in an object": compact({"Records": [record(9, requestParameters=RECORDS[0])]}),
    "look-alike first in an array": compact({"Records": [record(9, requestParameters=[RECORDS[0]])]}),
    "look-alike without a time": compact({"Records": [nested({"eventVersion": "1.08"})]}),
}  # fmt: skip


@pytest.mark.parametrize("name", ELSEWHERE)
def test_not_canonical(name):
    """Everything else goes the exact way."""
    assert canonical(ELSEWHERE[name]) is None


def test_records_with_a_literal():
    """Records that hold one of the literals are handed out, others are not."""
    records = [
        record(0),
        record(1, errorCode="x"),
        record(2, ErrorCode="x"),
        record(3),
        record(4, a=[{"errorCode": 1}]),
    ]
    content = compact({"Records": records})
    assert numbers(canonical(content, Literals((LITERAL,)))) == [1, 2, 4]
    carved = canonical(content, Literals((b"zz", LITERAL, b"GetBucket")))
    assert [numbers(carved, bit(number)) for number in range(3)] == [[], [1, 2, 4], [0, 1, 2, 3, 4]]
    assert numbers(canonical(content, Literals((b"zz",)))) == []
    either = canonical(content, Literals((b"zz", (b'"ErrorCode"', b"-000000000003"))))
    assert numbers(either, bit(1)) == [2, 3]


def test_more_literals_than_fit_into_one_pass():
    """Any number of literals can be looked for."""
    literals = Literals(tuple(f"-{number:012d}".encode() for number in range(12)))
    carved = canonical(CONTENT, literals)
    assert [numbers(carved, bit(number)) for number in range(5)] == [[0], [1], [2], [3], []]


@pytest.mark.parametrize("literal", [b"x", b"ve", b'":"', JOINT[2:], b'"'])
def test_literals_that_do_not_fit_into_one_pass(literal):
    """A short literal, or one that every record begins with, is found as any other."""
    records = [plain(0), plain(1, a="x"), plain(2)]
    carved = canonical(compact({"Records": records}), Literals((literal,)))
    expected = [
        number for number, item in enumerate(records) if literal in compact(item) or literal == JOINT[2:]
    ]
    assert numbers(carved) == expected


def test_needed():
    """Records are left out that do not hold all of what is needed together."""
    records = [plain(0, a=1), plain(1, b=1), plain(2, a=1, b=1), plain(3, c="\\u"), plain(4, c=1)]
    content = compact({"Records": records}).replace(b"\\\\u", b"\\u0041")
    both = Literals((b'"a"', b'"b"', b'"c"'), needed=(HIDING, bit(0) | bit(1)))
    assert numbers(canonical(content, both)) == [2, 3]
    assert numbers(canonical(content, both._replace(needed=(bit(1), bit(2))))) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "hidden", [b'"error\\u0043ode":"x"', b'"\\u0065rrorCod\\u0065":"x"', b'"a":"\\/"', b'"a":"b\\\\\\/"']
)
def test_records_with_an_escape(hidden):
    """A record with an escape that may hide a literal is handed out; escaped quotes and backslashes hide nothing."""
    records = [record(number, requestParameters={"a": 'b "c" \\d'}, x=number) for number in range(5)]
    carved = canonical(compact({"Records": records}).replace(b'"x":3', hidden), EVERY)
    assert numbers(carved, HIDING) == [3]


def test_literals_in_strings_are_told_from_keys():
    """In a string the quotes are escaped, so neither a key nor the joint between records begins there."""
    text = dumps({"Records": [record(7, errorCode="x")]})
    content = compact({"Records": [record(0, x=text), record(1, errorCode=text)]})
    carved = canonical(content, Literals((b'"errorCode":',)))
    assert (carved.count, numbers(carved, bit(0))) == (2, [1])


def test_holds():
    """Whether a literal occurs anywhere."""
    assert [canonical(CONTENT).holds(literal) for literal in (b"GetBucketAcl", b"PutBucketAcl")] == [
        True,
        False,
    ]


def start_of(carved, content, number):
    """Return the start of the record with this number as the fast path hands it out."""
    place = content.index(f"-{number:012d}".encode())
    return next(start for start, end, _ in carved.marked if start < place < end)


@pytest.mark.parametrize("behind", [[], [{"y": 1}], [record(6)], [record(6), {"y": 1}]])
@pytest.mark.parametrize("before", [0, 1, 3])
def test_a_look_alike_does_not_stand_alone(before, behind):
    """A record in an array inside another is told from the file's own, whatever is around it."""
    content = compact({"Records": [*RECORDS[:before], nested(record(5), *behind), record(8)]})
    carved = canonical(content, EVERY)
    assert carved.stands_alone(start_of(carved, content, 5)) is False
    assert carved.stands_alone(start_of(carved, content, 8)) is False  # there is a look-alike on the way


def test_own_records_stand_alone():
    """The file's own records do, in ascending order, each proven once."""
    carved = canonical(CONTENT, EVERY)
    starts = [start for start, _, _ in carved.marked]
    assert [carved.stands_alone(start) for start in starts] == [True] * 4
    assert carved.stands_alone(starts[0])


@pytest.mark.parametrize("distance", [100_000, 200_000, 262_000])
def test_a_look_alike_far_into_a_record(distance):
    """In a record as long as CloudTrail writes them, even the last object of an array is told from a record."""
    filler = [{"eventVersion": "1.08", "eventTime": "t", "a": "x" * 900}] * (distance // 950)
    content = compact({"Records": [record(0), nested(*filler, record(5), {"y": 1}), record(8)]})
    carved = canonical(content, EVERY)
    assert carved.stands_alone(start_of(carved, content, 5)) is False


def test_proof_goes_back_no_further_than_a_record_can(monkeypatch):
    """A record far into a file is proven from the records before it, whatever is at the file's start."""
    monkeypatch.setattr(carve, "REACH", 2000)
    content = compact({"Records": [nested(record(5), record(6)), *map(record, range(10, 60))]})
    carved = canonical(content, EVERY)
    assert [carved.stands_alone(start_of(carved, content, number)) for number in (6, 59)] == [False, True]


CUT = compact({"Records": [record(0), nested(record(5), record(6), record(7))]})


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (CONTENT, True),
        (CONTENT[: CONTENT.rindex(b',{"eventVersion"')] + b"]}", True),
        (CUT[: CUT.rindex(b',{"eventVersion"')] + b"]}", False),
    ],
)
def test_ends_whole(content, whole):
    """A window cut inside a record's array is told from one cut between records."""
    assert canonical(content).ends_whole() == whole


@pytest.mark.parametrize("size", [1, 300, 340, 700, 1000, 100_000])
def test_parts(monkeypatch, size):
    """A buffer taken part by part gives the same records, each in one part, whatever the size of the parts."""
    monkeypatch.setattr(carve, "PART", size)
    carved = list(parts(CONTENT, EVERY))
    found = [item for part in carved for item in records_of(part)]
    assert (found, sum(part.count for part in carved)) == (RECORDS, 4)
    assert [json.loads(text) for text in (carved[0].first_and_last()[0], carved[-1].first_and_last()[1])] == [
        RECORDS[0],
        RECORDS[3],
    ]
    assert [part.holds(b"000000000003") for part in carved] == [False] * (len(carved) - 1) + [True]
    assert all(part.stands_alone(start) for part in carved for start, _, _ in part.marked)


def test_a_part_that_is_not_canonical(monkeypatch):
    """Only the part that holds a record of another key order is not of the shape."""
    monkeypatch.setattr(carve, "PART", 400)
    content = compact({"Records": [*RECORDS, dict(sorted(RECORDS[0].items(), reverse=True)), *RECORDS]})
    assert [part is None for part in parts(content, EVERY)].count(True) == 1


@pytest.mark.parametrize("size", range(100, 1500, 50))
def test_a_look_alike_in_another_part(monkeypatch, size):
    """Where parts are cut makes no difference to whether a record stands alone."""
    monkeypatch.setattr(carve, "PART", size)
    content = compact({"Records": [record(0), nested(record(5), record(6)), record(8)]})
    alone = {}
    for part in parts(content, EVERY):
        for number in (0, 5, 6):
            with suppress(StopIteration):
                alone[number] = part.stands_alone(start_of(part, content, number))
    assert alone == {0: True, 5: False, 6: False}


def test_deep_nesting_is_no_proof():
    """What the decoder gives up on is not taken for a record of the file's own."""
    deep = b"[" * 100_000 + b"]" * 100_000
    content = CONTENT.replace(b'"requestParameters":', b'"x":' + deep + b',"requestParameters":', 1)
    carved = canonical(content, EVERY)
    assert carved.stands_alone(start_of(carved, content, 3)) is False
