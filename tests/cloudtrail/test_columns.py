"""What is written in C takes fields out of records as the reader of records does, or leaves them to it."""

import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostile import TIMES, records
from rolewatch.lake import table
from rolewatch.lake.schema import FIELDS, Field
from rolewatch.lake.table import _tree
from rolewatch.plan import Get
from rolewatch.scan.rows import Reader

READ = Reader([Get(field.steps) for field in FIELDS])
TREE = _tree(tuple(enumerate(FIELDS)))
PLAIN = {
    "eventVersion": "1.09",
    "userIdentity": {
        "type": "AssumedRole",
        "arn": "arn:aws:sts::111122223333:assumed-role/R/s",
        "sessionContext": {
            "sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/R"},
            "attributes": {"creationDate": "2026-03-01T09:00:00Z", "mfaAuthenticated": "false"},
        },
    },
    "eventTime": "2026-03-01T10:00:00Z",
    "eventName": "GetObject",
    "errorMessage": 'a "quoted" \\ \n text',
    "requestParameters": {"n": [1, -7, True, None, {"deep": [[{}]]}], "é": "ü"},
    "readOnly": True,
    "managementEvent": False,
    "resources": [{"ARN": "arn:aws:s3:::b", "type": "AWS::S3::Bucket"}, {"ARN": "other"}],
    "recipientAccountId": None,
}


def columns():
    """Make columns for the fields of a lake."""
    assert table.native is not None, "there is a C compiler on a machine that runs the tests"
    return table.native.Columns(TREE, len(FIELDS))


def compact(value):
    """Write JSON as CloudTrail does."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def taken(made):
    """Empty columns; gives for each row the values of its fields, its record, and whether it is inexact."""
    rows, found, flags = made.take()
    decoded = [_texts(rows, *each) for each in found]
    assert len(flags) == (rows + 7) // 8
    marks = [bool(flags[row // 8] >> row % 8 & 1) for row in range(rows)]
    return [(list(values), record, mark) for *values, record, mark in zip(*decoded, marks, strict=True)]


def _texts(rows, missing, there, ends, data):
    """Read a column as Arrow lays it out."""
    places, data = struct.unpack(f"<{rows + 1}i", ends), bytes(data)
    assert (places[0], places[-1]) == (0, len(data))
    present = [there is None or bool(there[row // 8] >> row % 8 & 1) for row in range(rows)]
    assert present.count(False) == missing
    return [data[places[row] : places[row + 1]].decode() if present[row] else None for row in range(rows)]


def add(made, *texts):
    """Add records that lie one behind the other; gives those that were not taken, by their number."""
    spans, at = [], 1
    for number, text in enumerate(texts):
        spans.append((at, at + len(text), number))
        at += len(text) + 1
    left = made.add(b"[" + b",".join(texts) + b"]", spans)
    assert set(left) <= set(spans)
    return [number for _, _, number in left]


def one(text):
    """Give the row of a record; None if it was not taken."""
    made = columns()
    return None if add(made, text) else taken(made)[0]


def unusual(text):
    """Whether a record holds a number that readers spell in several ways, or a name twice."""
    odd = []

    def number(spelled):
        odd.append(spelled)
        return 0.0

    def pairs(found):
        odd.extend(["twice"] if len(dict(found)) < len(found) else [])
        return dict(found)

    json.loads(text, parse_float=number, object_pairs_hook=pairs, parse_int=lambda digits: odd.append(digits) if digits == "-0" else 0)  # fmt: skip
    return bool(odd)


@settings(max_examples=400)
@given(st.lists(records().map(lambda text: text.encode("utf-8", "surrogatepass")), min_size=1, max_size=6))
def test_the_same_as_the_reader(texts):
    """What is taken has the values that the reader of records finds; what readers may differ on is told."""
    made = columns()
    left = add(made, *texts)
    rows = taken(made)
    whole = [text for number, text in enumerate(texts) if number not in left]
    assert len(rows) == len(whole)
    for (values, record, inexact), text in zip(rows, whole, strict=True):
        assert (values, record) == (list(READ(text)), text.decode())
        assert inexact or not unusual(text)


@settings(max_examples=200)
@given(st.binary(max_size=6), st.integers(0, 700), st.integers(0, 6))
def test_damage(garbage, place, cut):
    """Whatever stands in a record, or is missing in it: only what the reader reads alike is taken."""
    text = compact(PLAIN)
    place = min(place, len(text))
    broken = text[:place] + garbage + text[place + cut :]
    row = one(broken)
    if row:
        assert row[0] == list(READ(broken))
        json.loads(broken)


def test_what_was_cut_off():
    """A record without its end is not taken, wherever that is, and nothing behind it is read."""
    text = compact(PLAIN)
    assert [place for place in range(len(text) + 1) if one(text[:place])] == [len(text)]


def test_a_plain_record():
    """A record as CloudTrail writes it is taken, with every field in its place."""
    values, record, inexact = one(compact(PLAIN))
    found = {field.column: value for field, value in zip(FIELDS, values, strict=True) if value is not None}
    assert found == {
        "eventVersion": "1.09", "eventTime": "2026-03-01T10:00:00Z", "eventName": "GetObject", "errorMessage": 'a "quoted" \\ \n text', "readOnly": "1",
        "managementEvent": "0", "userIdentity_type": "AssumedRole", "userIdentity_arn": "arn:aws:sts::111122223333:assumed-role/R/s",
        "userIdentity_sessionContext_sessionIssuer_type": "Role", "userIdentity_sessionContext_sessionIssuer_arn": "arn:aws:iam::111122223333:role/R",
        "userIdentity_sessionContext_attributes_creationDate": "2026-03-01T09:00:00Z", "userIdentity_sessionContext_attributes_mfaAuthenticated": "false",
        "resources_0_ARN": "arn:aws:s3:::b",
    }  # fmt: skip
    assert (record, inexact) == (compact(PLAIN).decode(), False)


TAKEN = {
    "an empty object": b"{}",
    "fields in another order": compact(dict(reversed(PLAIN.items()))),
    "an escaped slash": compact(PLAIN).replace(b"GetObject", rb"Get\/Object"),
    "a letter escaped where no column is": compact(PLAIN).replace("ü".encode(), rb"\u00fc\ud83d\\"[:6]),
    "an object where a text belongs": compact(PLAIN | {"eventName": {"a": 1}}),
    "a text where an object belongs": compact(PLAIN | {"userIdentity": "x"}),
    "no object in an array": compact(PLAIN | {"resources": [1, {"ARN": "x"}]}),
    "an empty array": compact(PLAIN | {"resources": []}),
    "fifteen digits": compact(PLAIN | {"n": 123456789012345}),
    "as deep as can be": b'{"n":' + b"[" * 64 + b"0" + b"]" * 64 + b"}",
    "many names": compact({f"name {number}": number for number in range(250)}),
    "the same name in several objects": compact({"a": {"b": 1, "c": {"a": 2}}, "b": [{"a": 1}, {"a": 1}], "c": 1}),
}  # fmt: skip
INEXACT = {
    "a fraction": compact(PLAIN | {"n": 1.5}),
    "no integer": b'{"n":-0}',
    "a name twice": b'{"n":1,"n":1}',
    "a name twice further in": b'{"a":[{"n":{"b":1},"m":2,"n":{}}]}',
    "a name twice in the user's identity": b'{"userIdentity":{"x":1,"type":"y","x":2}}',
}
LEFT = {
    "a name with an escape": rb'{"x":{"\u006e":1}}',
    "more names than are kept": compact({f"name {number}": number for number in range(257)}),
    "no object": b'["eventName"]',
    "white space": b'{"eventName": "x"}',
    "something behind": b'{"eventName":"x"}1',
    "no UTF-8": b'{"n":"\xff"}',
    "half a letter, encoded": b'{"n":"\xed\xa0\x80"}',
    "half a letter, escaped": rb'{"n":"\ud800"}',
    "a field's letter escaped": rb'{"eventName":"\u0041"}',
    "a field's name escaped": rb'{"\u0065ventName":"A"}',
    "a field twice": b'{"eventName":"A","x":1,"eventName":"B"}',
    "a field twice, in an object": b'{"userIdentity":{"type":"A","type":"B"}}',
    "an object twice": b'{"userIdentity":{"type":"A"},"userIdentity":{"arn":"B"}}',
    "a number where a text belongs": b'{"eventName":1}',
    "a truth where a text belongs": b'{"eventName":true}',
    "a text where a truth belongs": b'{"readOnly":"true"}',
    "a time of another spelling": b'{"eventTime":"2026-03-01T10:00:00.000Z"}',
    "the year 0": b'{"eventTime":"0000-03-01T10:00:00Z"}',
    "an hour that not everybody knows": b'{"eventTime":"2026-03-01T24:00:00Z"}',
    "sixteen digits": b'{"n":1234567890123456}',
    "an exponent": b'{"n":1e3}',
    "a leading zero": b'{"n":01}',
    "too deep": b'{"n":' + b"[" * 65 + b"0" + b"]" * 65 + b"}",
    "brackets that do not fit": b'{"n":[0}}',
    "a control character": b'{"n":"a\nb"}',
    "an object for an array": b'{"resources":{"0":{"ARN":"x"}}}',
    "a comma too many": b'{"n":1,}',
}


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN)
def test_what_is_taken(text):
    """What all readers read alike is taken, and told to be exact."""
    values, record, inexact = one(text)
    assert (values, record, inexact) == (list(READ(text)), text.decode(), False)


@pytest.mark.parametrize("text", INEXACT.values(), ids=INEXACT)
def test_what_is_inexact(text):
    """What some readers read otherwise is told."""
    values, record, inexact = one(text)
    assert (values, record, inexact) == (list(READ(text)), text.decode(), True)


@pytest.mark.parametrize("text", LEFT.values(), ids=LEFT)
def test_what_is_left(text):
    """What is unusual is left to the reader, and the records around it are taken."""
    made = columns()
    assert add(made, compact(PLAIN), text, b"{}") == [1]
    assert [record for _, record, _ in taken(made)] == [compact(PLAIN).decode(), "{}"]


@settings(max_examples=100)
@given(st.lists(st.sampled_from([*TAKEN.values(), *INEXACT.values()]), max_size=20), st.data())
def test_cut(texts, data):
    """Rows beyond a number go as if they had not been added, and others can follow."""
    made = columns()
    add(made, *texts)
    number = data.draw(st.integers(0, len(texts)))
    made.cut(number)
    assert (made.rows, made.size) == (number, sum(map(len, texts[:number])))
    add(made, compact(PLAIN))
    again = columns()
    add(again, *texts[:number], compact(PLAIN))
    assert taken(made) == taken(again)


def test_take():
    """What was taken is gone; thousands of rows, which take more room than there was, keep their places."""
    made = columns()
    assert taken(made) == []
    for start in range(0, 5000, 1000):
        texts = [compact({"eventName": f"{number}", "x": "y" * (number % 50)} if number % 3 else {}) for number in range(start, start + 1000)]  # fmt: skip
        assert add(made, *texts) == []
    assert made.rows == 5000
    name = [field.column for field in FIELDS].index("eventName")
    found = [values[name] for values, _, _ in taken(made)]
    assert found == [str(number) if number % 3 else None for number in range(5000)]
    assert (made.rows, made.size, taken(made)) == (0, 0, [])


def test_what_was_taken_stays():
    """Texts that were taken are what they were, whatever is added or dropped after them, and in whatever order."""
    kept, made = [], columns()
    for number in range(40):
        texts = [
            compact({"eventName": f"{number}-{row}", "x": "y" * (100 * (number % 7))}) for row in range(20)
        ]
        assert add(made, *texts) == []
        rows, found, _ = made.take()
        kept.append((rows, found, texts))
        if number % 3 == 2:
            del kept[number % len(kept)]
    del made
    for rows, found, texts in kept:
        assert _texts(rows, *found[-1]) == [text.decode() for text in texts]
        assert memoryview(found[-1][3]).readonly


def test_no_block_is_made_by_hand():
    """Only columns give blocks."""
    _, found, _ = columns().take()
    with pytest.raises(TypeError, match="cannot create"):
        type(found[0][3])()


def test_times():
    """Times in the usual spelling are taken as they are spelled, whether the calendar has them or not."""
    where = [field.column for field in FIELDS].index("eventTime")
    for time in [*TIMES, "2026-02-30T23:59:60Z"]:
        assert one(compact({"eventTime": time}))[0][where] == time


@pytest.mark.parametrize("span", [(-1, 2, 0), (2, 1, 0), (0, 4, 0), (0, 2), ("0", 1, 0), [0, 1, 0], None])
def test_spans_that_cannot_be(span):
    """Nothing outside of the buffer is read."""
    with pytest.raises((ValueError, TypeError)):
        columns().add(b"abc", [span])


@pytest.mark.parametrize("rows", [-1, 1])
def test_cuts_that_cannot_be(rows):
    """There are no more rows than there are."""
    with pytest.raises(ValueError, match="rows"):
        columns().cut(rows)


@pytest.mark.parametrize(
    ("tree", "width"),
    [
        (((b"a", 5, 0, ()),), 1),
        (((b"a", 0, 1, ()),), 1),
        (((b"a", 0, -1, ()),), 1),
        (((b"a", 0, 0, []),), 1),
        ((b"a",), 1),
        ((), -1),
        ((), 5000),
    ],
)
def test_fields_that_cannot_be(tree, width):
    """A column that is none, or what is no field, is refused."""
    with pytest.raises((ValueError, TypeError)):
        table.native.Columns(tree, width)


def test_fields_nested_too_deep():
    """Fields nest 16 deep at most, which no field of a record does."""
    tree = ((b"a", 0, 0, ()),)
    for _ in range(17):
        tree = ((b"a", 3, 0, tree),)
    with pytest.raises(ValueError, match="nested"):
        table.native.Columns(tree, 1)


def test_other_fields():
    """Which fields there are is up to the caller; none at all give whole records alone."""
    made = table.native.Columns(_tree(((0, Field(("a", "b"))), (1, Field(("c",))))), 2)
    add(made, b'{"c":"x","a":{"b":"y"}}')
    assert taken(made) == [(["y", "x"], '{"c":"x","a":{"b":"y"}}', False)]
    bare = table.native.Columns((), 0)
    add(bare, b'{"c":"x"}')
    assert taken(bare) == [([], '{"c":"x"}', False)]
