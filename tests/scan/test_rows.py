"""What a query reads of deliveries: each record once, its fields as text, whatever way it is written."""

import gzip
import json
from datetime import UTC, datetime
from functools import partial

import pytest
from loads import ACCOUNT, OTHER, content, delivery, logs, record

from rolewatch.patterns import compile_pattern
from rolewatch.plan import Get, Type
from rolewatch.scan import pool
from rolewatch.scan.pool import fold
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.rows import Rows, line
from rolewatch.sources import Window

TIMESTAMP, MESSAGE = Get(("@timestamp",), Type.TIME), Get(("@message",))
NAME, ID = Get(("eventName",)), Get(("eventID",))
WHOLE = {"separators": (",", ":")}


@pytest.fixture
def _always_a_pool(monkeypatch):
    """Let one delivery be a batch, and any work be worth a pool."""
    monkeypatch.setattr(pool, "SMALL", -1)
    monkeypatch.setattr(pool, "BATCH", 1)


def table(fields, *deliveries, pattern=None, jobs=1, **request):
    """Take fields out of deliveries, or of the bytes of some."""
    listed = [each if not isinstance(each, bytes) else delivery(each, f"{n}.json") for n, each in enumerate(deliveries)]  # fmt: skip
    with fold(listed, partial(Rows, fields, pattern, ScanRequest(**request)), jobs) as crew:
        return crew.summary


def rows(found):
    """Give the rows of a table, in an order of their own."""
    return sorted(zip(*found.columns, strict=True), key=repr)


def one(written, *paths):
    """Read fields of one record whose field `x` is written so."""
    text = content(record() | {"x": "@@"}).replace(b'"@@"', written)
    (row,) = rows(table([Get(path) for path in paths or (("x",),)], text))
    return row if paths else row[0]


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (b'"a b"', "a b"),
        (b'""', ""),
        (b'"\\u0041\\/\\n"', "A/\n"),
        (b'"\\ud83d\\udd12"', "\U0001f512"),
        (b'"\\ud800"', "\ufffd"),
        (b'"\xff"', "\ufffd"),
        (b"7", "7"),
        (b"-0", "0"),
        (b"-0.0", "-0.0"),
        (b"2.50", "2.50"),
        (b"1e3", "1e3"),
        (b"1E400", "1E400"),
        (b"123456789012345678901234567890", "123456789012345678901234567890"),
        (b"true", "1"),
        (b"false", "0"),
        *((written, None) for written in (b"null", b"[]", b'["a"]', b"{}", b'{"a":1}', b"[" * 150 + b"]" * 150)),
    ],
)  # fmt: skip
def test_a_field(written, expected):
    """A leaf is a text, as docs/insights.md says, alone and beside a field below it; anything else is missing."""
    assert one(written) == expected
    assert one(written, ("x",), ("x", "a", "b")) == (expected, None)
    assert one(b'{"y":' + written + b"}", ("x", "y")) == (expected,)
    assert one(b"[0," + written + b"]", ("x", "1"), ("x",)) == (expected, None)


@pytest.mark.parametrize(
    ("written", "steps", "expected"),
    [
        (b'[10,{"a":2.50}]', ("0",), "10"),
        (b'[10,{"a":2.50}]', ("1", "a"), "2.50"),
        (b'[10,{"a":2.50}]', ("01", "a"), "2.50"),
        (b'[10,{"a":2.50}]', ("2",), None),
        (b'[10,{"a":2.50}]', ("a",), None),
        (b'[10,{"a":2.50}]', ("\u00b2",), None),
        (b'[10,{"a":2.50}]', ("\u0661", "a"), None),
        (b"[10]", ("0" * 5000,), None),
        (b"[10]", ("0", "0"), None),
        (b'{"0":"zero"}', ("0",), "zero"),
        (b'{"0":["zero"]}', ("0", "0"), "zero"),
        (b'{"\\u00b2":"two"}', ("\u00b2",), "two"),
        (b'"text"', ("0",), None),
        (b"null", ("a",), None),
        (b"7", ("a", "b"), None),
    ],
)
def test_steps(written, steps, expected):
    """A number steps into an array, or to a member of that name; what a digit is to Unicode alone is a name."""
    assert one(written, ("x", *steps), ("x",))[0] == expected
    assert one(written, ("x", *steps)) == (expected,)


def test_a_field_and_its_parent():
    """A field below another one is found beside it, and the parent is no leaf."""
    fields = [Get(("userIdentity",)), Get(("userIdentity", "type")), Get(("eventTime", "x")), TIMESTAMP, NAME]
    found = table(fields, content(record()))
    assert rows(found) == [(None, "AssumedRole", None, 1772359200000, "HeadBucket")]


@pytest.mark.parametrize("name", ["0", "a.b", 'a"b', "a\\b", "a\nb", "", "\0", "\u6f22", "f0", "__class__", "*", "@x"])  # fmt: skip
@pytest.mark.parametrize("written", [{}, {"indent": 1}], ids=["canonical", "exact"])
def test_names(name, written):
    """A name may hold any character, at any depth; one that begins with @ is called with two."""
    called = f"@{name}" if name.startswith("@") else name
    text = content(record() | {name: "v", "in": {name: {name: 7}, "l": [{name: True}]}}, **written)
    paths = [(called,), ("in", name, name), ("in", "l", "0", name), ("in", name), (called, "no")]
    assert rows(table([Get(path) for path in paths], text)) == [("v", "7", "1", None, None)]


@pytest.mark.parametrize("name", ["@x", "@", "@ptr", "@logStream"])
def test_unknown_names_of_the_service(name):
    """What the service calls with one @ is no field of the record, even if the record has one of that name."""
    text = content(record() | {name: "v", "@message": "m", "@timestamp": "t"})
    fields = [Get((name,)), Get(("@message", "x")), Get(("@@message",)), Get(("@@timestamp",))]
    assert rows(table(fields, text)) == [(None, None, "m", "t")]


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-03-01T10:00:00Z", 1772359200000),
        ("2026-03-01T10:00:00.250Z", 1772359200250),
        ("2026-03-01T12:00:00+02:00", 1772359200000),
        ("2026-03-01T10:00:00", 1772359200000),
        ("1969-12-31T23:59:59.999Z", -1),
        *((time, None) for time in ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-13-01T10:00:00Z", "", None, 7, [], {"a": 1})),
    ],
)  # fmt: skip
def test_times(time, expected):
    """A time is milliseconds, and missing where the record's is none, or is none of the calendar."""
    found = table([TIMESTAMP, NAME], content(record(time=time)))
    assert rows(found) == [(expected, "HeadBucket")]


LAYOUTS = [{"indent": 1}, {"indent": "\t"}, {"separators": (", ", ": ")}, {"separators": (", ", ":")}, {"separators": (",", " :\r")}]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS, ids=range(len(LAYOUTS)))
@pytest.mark.parametrize(
    "written", [b'"a b: {\\"c\\": [1, 2]}\\n \\\\"', b"2.50", b'"\\ud800  , "', b"[1e3,{}]"]
)
def test_messages(written, layout):
    """The record is shown as one line without white space between its parts, and otherwise as it is written."""
    put = record(x="@@", y=[1, "b  c", {}])
    expected = json.dumps(put, **WHOLE).encode().replace(b'"@@"', written)
    spaced = content(put, **layout).replace(b'"@@"', written)
    for text in (b'{"Records":[' + expected + b"]}", spaced):
        found = table([MESSAGE], text)
        assert (rows(found), found.unreadable) == ([(expected.decode(),)], [])


def test_a_message_that_is_no_utf8():
    """What is wrong in a record is shown as such."""
    assert line(b'{"a": "\xff \\ud800"}') == '{"a":"\ufffd \\ud800"}'


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("pattern", [None, compile_pattern('{ $.eventName = "PutObject" }')], ids=["all", "search"])  # fmt: skip
@pytest.mark.parametrize("shape", ["reversed", "escaped", "indented", "lines", "gzip", "logs"])
def test_ways(pattern, shape):
    """Other orders of keys, escapes and white space give the rows that the usual way of writing gives."""
    names = ["PutObject", "GetObject", "Put\u00f6bject", "HeadBucket"]
    put = [record(names[n % 4], number=n, n=n / 4, l=[{"eventTime": "x"}, "a/b"]) for n in range(20)]
    odd = {
        "reversed": content(*({key: each[key] for key in reversed(each)} for each in put)),
        "escaped": content(*put).replace(b"PutO", b"\\u0050utO").replace(b"a/b", b"a\\/b"),
        "indented": content(*put, indent=2),
        "lines": b"\n".join(json.dumps(each).encode() for each in put),
        "gzip": gzip.compress(content(*put)),
        "logs": content(*put),
    }
    fields = [ID, NAME, Get(("n",)), Get(("l", "0", "eventTime")), Get(("l", "1")), TIMESTAMP]
    listed = [delivery(content(record(number=99)), logs(hour=9)), delivery(odd[shape], logs())]
    expected = rows(table(fields, content(*put), pattern=None))
    found = table(fields, *(listed if shape == "logs" else listed[1:]), pattern=pattern)
    told = [row for row in rows(found) if row[0] != record(number=99)["eventID"]]
    wanted = [row for row in told if row[1] == "PutObject"]
    assert wanted == [row for row in expected if row[1] == "PutObject"]
    assert found.counts["records"] == 20 + (shape == "logs")
    if not pattern:
        assert told == expected


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("layout", [WHOLE, {"indent": 1}], ids=["canonical", "exact"])
def test_records_without_a_time(layout):
    """A record counts without an eventTime too, even if another one holds two of them."""
    bare, twice = record("A", number=1), record("B", number=2, requestParameters={"eventTime": "x"})
    del bare["eventTime"]
    found = table([NAME, TIMESTAMP], content(twice, bare, record("C"), **layout))
    assert rows(found) == [("A", None), ("B", 1772359200000), ("C", 1772359200000)]


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("pattern", [None, compile_pattern('{ $.eventName = "Forged" }')], ids=["all", "search"])  # fmt: skip
def test_a_record_inside_of_another_one(pattern):
    """What somebody wrote into a list of a request is no record."""
    behind = [record("Forged", number=9), record("Other", number=8), {"y": 2}]
    outer = record("Outer", number=2, l=[{"x": 1}, *behind])
    found = table([NAME], content(record("First", number=1), outer, record("Last")), pattern=pattern)
    assert rows(found) == ([("Outer",)] if pattern else [("First",), ("Last",), ("Outer",)])


ONCE, ELSEWHERE = record(number=1), record(number=1, recipientAccountId=OTHER)
NOWHERE = {key: value for key, value in ONCE.items() if key != "recipientAccountId"}
NAMELESS = {key: value for key, value in ONCE.items() if key != "eventID"}


@pytest.mark.parametrize(
    ("deliveries", "number", "duplicates"),
    [
        ([[ONCE], [ONCE]], 1, 1),
        ([[ONCE, ONCE, ONCE]], 1, 2),
        ([[ONCE, ELSEWHERE], [ELSEWHERE, NOWHERE]], 3, 1),
        ([[NAMELESS, NAMELESS], [NAMELESS]], 3, 0),
        ([[record() | {"eventID": None}, record() | {"eventID": 7}, record() | {"eventID": ""}] * 2], 6, 0),
        ([[ONCE], [ONCE | {"recipientAccountId": 7}], [ONCE | {"recipientAccountId": []}]], 2, 1),
    ],
    ids=["two deliveries", "one delivery", "accounts", "no id", "no usable id", "no usable account"],
)
@pytest.mark.parametrize("fields", [(), (NAME,)], ids=["counted", "read"])
@pytest.mark.usefixtures("_always_a_pool")
@pytest.mark.parametrize("jobs", [1, 3])
def test_duplicates(deliveries, number, duplicates, fields, jobs):
    """An event counts once for each account; what has no id is never a copy. So it is over several processes."""
    found = table(fields, *(content(*each) for each in deliveries), jobs=jobs)
    assert (found.number, found.duplicates) == (number, duplicates)  # without fields it counts, too
    assert [len(column) for column in found.columns] == [number] * len(fields)
    assert found.counts["records"] == sum(map(len, deliveries))


def test_merge():
    """Tables are merged in any order to the same rows, and know then what is in them."""
    texts = [content(*(record(number=n) for n in numbers), NAMELESS) for numbers in ((0, 1, 2), (2, 3, 3), (3, 0, 4, 4))]  # fmt: skip
    found = []
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        first, *others = (table([ID], texts[n]) for n in order)
        for other in others:
            first.merge(other)
        found.append((rows(first), first.number, first.duplicates, first.counts["records"]))
    assert found[0] == found[1] == found[2]
    assert found[0][1:] == (8, 5, 13)


SOON = datetime(2026, 3, 1, 10, 0, 5, tzinfo=UTC)


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("layout", [WHOLE, {"indent": 1}], ids=["canonical", "exact"])
@pytest.mark.parametrize("pattern", [None, compile_pattern('{ $.eventName = "HeadBucket" }')], ids=["all", "search"])  # fmt: skip
@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Window(since=SOON), [5, 6, 7, 8, 9]),
        (Window(until=SOON), [0, 1, 2, 3, 4, 10, 11]),
        (Window(accounts=frozenset([OTHER])), [3]),
        (Window(accounts=frozenset([ACCOUNT, OTHER])), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11]),
        (Window(regions=frozenset(["eu-west-1"])), [4, 6]),
        (Window(since=SOON, regions=frozenset(["eu-west-1"])), [6]),
    ],
    ids=["since", "until", "account", "accounts", "region", "both"],
)
def test_window(window, expected, pattern, layout):
    """Only records of the window are rows; a time, an account or a region that is no text lies in none."""
    put = [record(number=n, time=f"2026-03-01T10:00:{n:02}Z", n=n) for n in range(10)]
    put[3]["recipientAccountId"] = OTHER
    put[4]["awsRegion"] = put[6]["awsRegion"] = "eu-west-1"
    put += [record(number=n, n=n, time=None, awsRegion={}, recipientAccountId=account) for n, account in ((10, [OTHER]), (11, ACCOUNT))]  # fmt: skip
    found = table([Get(("n",))], content(*put, **layout), pattern=pattern, window=window)
    assert sorted(int(n) for (n,) in rows(found)) == expected


def test_damage():
    """What is broken is named, and all that is whole around it is kept."""
    put = [record(number=n, x="y" * 50 + str(n)) for n in range(200)]
    packed = gzip.compress(content(*put))
    cut = delivery(packed[: len(packed) // 2], "cut.json.gz")
    broken = delivery(content(record(number=300), record(number=301, x="@@")).replace(b'"@@"', b"nope"), "b.json")  # fmt: skip
    last = delivery(content(record(number=400)), "c.json")
    found = table([ID], cut, broken, delivery(b"hello", "d.json"), last, delivery(b"hi", "README"))
    assert [name for name, _ in sorted(found.unreadable)] == ["b.json", "cut.json.gz", "d.json"]
    assert [name for name, _ in found.skipped] == ["README"]
    ids = {identity for (identity,) in rows(found)}
    assert {record(number=n)["eventID"] for n in (0, 300, 400)} <= ids
    assert len(ids) == found.number == found.counts["records"]
    assert found.counts["damaged"] == 2
