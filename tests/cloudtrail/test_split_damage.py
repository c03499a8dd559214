"""Damaged, hostile and half-written deliveries: what is whole is read, what is not is named with its place."""

import base64
import gzip
import json

import pytest
from wrappings import (
    SHAPES,
    base64_gzip,
    compact,
    dumps,
    event,
    lines,
    log_events,
    notification,
    parsed,
    read,
    record,
)

from rolewatch.cloudtrail.gunzip import Limits
from rolewatch.cloudtrail.split import Damaged, Skipped

A, B, C = (record(number) for number in range(3))
a, b, c = map(compact, (A, B, C))
DEEP = b"[" * 100_000 + b"]" * 100_000
SEPARATORS = b" \r\n,\xef\xbb\xbf"
UNCUT = (
    "gzip",
    "members",
    "Firehose",
    "UTF-",
    "tail",
    "marks",
)  # shapes whose cuts are damage of another kind


@pytest.mark.parametrize("shape", [name for name in SHAPES if not any(word in name for word in UNCUT)])
def test_cut_anywhere(shape):
    """Cut at any byte, a delivery gives what is whole, and never passes for whole when it is not."""
    content, first = SHAPES[shape]([A, B]), SHAPES[shape]([A]).rstrip(SEPARATORS)
    for cut in range(1, len(content.rstrip(SEPARATORS))):
        found, verdict = parsed(content[:cut])
        assert [A, B][: len(found)] == found, cut
        assert (verdict is None) == (content[:cut].rstrip(SEPARATORS) == first), cut


HALF = {
    name: SHAPES[name] for name in ("JSON lines", "EventBridge", "log files, a line each", "aws logs tail")
}


@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("shape", HALF)
def test_half_written_line(shape, which):
    """A line cut at any byte costs its own record alone, and is named."""
    rows = [HALF[shape]([item]).strip(b"\n") for item in (A, B, C)]
    others = [item for number, item in enumerate((A, B, C)) if number != which]
    for cut in range(5, len(rows[which])):
        content = b"\n".join([*rows[:which], rows[which][:cut], *rows[which + 1 :]])
        found, verdict = parsed(content)
        assert [item for item in found if item in others] == others, cut
        assert Damaged is type(verdict), cut


@pytest.mark.parametrize("which", range(3))
def test_half_written_pretty_value(which):
    """Of pretty-printed records one after another, one that breaks off at a line's end costs none of the others."""
    texts = [json.dumps(item, indent=2) for item in (A, B, C)]
    others = [item for number, item in enumerate((A, B, C)) if number != which]
    rows = texts[which].split("\n")
    for cut in range(1, len(rows) - 1):
        content = "\n".join([*texts[:which], *rows[:cut], *texts[which + 1 :]])
        found, verdict = parsed(content.encode())
        assert (others, Damaged) == (found, type(verdict)), cut


CASES = {  # name: content, records, how the reason starts
    "record cut in the middle": (b'{"Records":[' + a + b"," + b[:90], [A], "damaged at byte END: the content ends in the middle"),
    "cut after a comma": (b'{"Records":[' + a + b",", [A], "damaged at byte END: the content ends where an element"),
    "only the end is missing": (b'{"Records":[' + a, [A], "damaged at byte END: the content ends where a comma"),
    "cut before the first record": (b'{"Records":[', [], "damaged at byte 12: the content ends where an element"),
    "start missing": (a[40:] + b"\n" + b, [B], "damaged at byte 0: text that is no JSON, but names keys of a record"),
    "garbage behind": (b'{"Records":[' + a + b"]}garbage", [A], "1 lines are no JSON, the first is at byte 338"),
    "zero bytes behind": (a + b"\n" + bytes(5000), [A], "1 lines are no JSON, the first is at byte 325"),
    "text between": (a + b"\nhello\nworld\n" + b, [A, B], "2 lines are no JSON, the first is at byte 325"),
    "text element": (b'{"Records":[' + a + b",oops," + b + b"]}", [A, B], "damaged at byte 337: a value that is no JSON"),
    "broken element": (b'{"Records":[' + a + b',{"eventName":tru},' + b + b"]}", [A, B], "damaged at byte 337: a value that is no JSON"),
    "other elements": (compact({"Records": [A, 5, {"a": 1}, B]}), [A, B], "2 elements among the records are no CloudTrail records, the first is at byte 337"),
    "comma missing": (b'{"Records":[' + a + b + b"]}", [A], "damaged at byte 336: '{' where a comma or the end of the list should be; nothing"),
    "comma too many": (b'{"Records":[' + a + b",]}", [A], "damaged at byte 337: ']' where a value should be"),
    "comma too many in a record": (b'{"eventName":"x",}\n' + a, [A], "damaged at byte 17: '}' where the key of an object should be; the lines"),
    "colon missing": (b'{"eventName" "x"}\n' + a, [A], "damaged at byte 13: '\"' where a colon after a key should be"),
    "key no string": (b'{"eventName":1,"\\x":2}\n' + a, [A], "damaged at byte 15: a key that is no JSON string"),
    "no number": (b'{"eventName":"x","n":NaN}\n' + a, [A], "damaged at byte 21: a value that is no JSON"),
    "control character": (b'{"eventName":"\x01"}\n' + a, [A], "damaged at byte 13: a value that is no JSON"),
    "line end in a string": (b'{"eventName":"a\nb"}\n' + a, [A], "damaged at byte 15: a line ends inside a string; the lines after it were read"),
    "deep": (b'{"Records":[' + a + b',{"eventName":"x","n":' + DEEP + b"}," + b + b"]}", [A, B], "damaged at byte 337: a value nested deeper than 200 levels"),
    "deep, open": (a + b'\n{"eventName":' + b"[" * 100_000 + b"\n" + b, [A, B], "damaged at byte"),
    "envelope cut behind its content": (compact(event(A))[:-1] + b"\n" + compact(event(B)), [A, B], "damaged at byte"),
    "message is half a record": (compact({"events": [{"message": dumps(A)[:90]}, {"message": dumps(B)}]}), [B], "inside the envelope at byte 11: damaged at byte 90: the content ends"),
    "packed gzip cut": (compact({"data": base64.b64encode(gzip.compress(lines([A, B]))[:-9]).decode()}), [A, B], "inside the envelope at byte 0: the gzip data ends early"),
    "UTF-16 cut": (json.dumps({"Records": [A, B]}).encode("utf-16")[:900], [A], "damaged at byte"),
    "empty": (b"", [], "empty: there is nothing in it"),
    "white space": (b" \r\n\t\n", [], "empty: there is nothing in it"),
    "gzip of nothing": (gzip.compress(b""), [], "empty: there is nothing in it"),
}  # fmt: skip


@pytest.mark.parametrize("size", [1 << 23, 13])
@pytest.mark.parametrize("name", CASES)
def test_damage(name, size):
    """Each kind of damage is named with its place, and all whole records are read."""
    content, records, reason = CASES[name]
    found, verdict = parsed(content, size)
    assert (records, Damaged) == (found, type(verdict))
    assert verdict.reason.startswith(reason.replace("END", f"{len(content):,}"))


def test_several_places():
    """The first damage is described, the others are counted."""
    found, verdict = parsed(b"\n".join([a[:100], b, a[:100], a[:150], c, b"text", b"more text"]))
    assert found == [B, C]
    assert verdict.reason == (
        "damaged at byte 100: a line ends inside a string; the lines after it were "
        "read (and 2 more such places); 2 lines are no JSON, the first is at byte 1,003"
    )


def test_invalid_utf8_is_read_as_replacement_characters():
    """Bytes that are no UTF-8 do not hide a record: they become U+FFFD, and the record valid UTF-8."""
    found, verdict = read(b'{"eventName":"caf\xe9"}\n' + a)
    assert (['{"eventName":"caf\ufffd"}'.encode(), a], None) == (found, verdict)


def test_lone_surrogates():
    """Escaped halves of surrogate pairs, which some decoders refuse, hide no record, not even in a key or an envelope."""
    half = b'{"eventName":"\\ud800","\\udc00":1}'
    packed = compact({"detail-type": "x", "message": half.decode()})
    found, verdict = read(half + b"\n" + a + b"\n" + packed)
    assert ([half, a, half], None) == (found, verdict)


def test_gigantic_numbers():
    """A number of a hundred thousand digits is handed on as it is."""
    huge = b'{"eventName":"x","n":[' + b"9" * 100_000 + b",1e999999,-0.1e-99]}"
    found, verdict = read(b'{"Records":[' + huge + b"," + a + b"]}")
    assert ([huge, a], None) == (found, verdict)


@pytest.mark.parametrize("text", [DEEP, b'{"a":' * 1000 + b"1" + b"}" * 1000])
def test_deep_nesting_that_is_not_ours(text):
    """JSON nested too deep to be read, without a trace of CloudTrail, is foreign JSON."""
    assert read(text)[1].args == ("not CloudTrail: JSON nested deeper than 200 levels", "JSON")


@pytest.mark.parametrize(
    "text", [b"[" * 100_000, b'{"a":' * 100_000, b'{"Rec', b"{", b'{"foo": [1, 2', b"]}" * 1000]
)
def test_broken_json_that_is_not_ours(text):
    """Broken JSON without a trace of CloudTrail is text, as far as anybody can tell."""
    assert (Skipped, "text") == (type(read(text)[1]), read(text)[1].sort)


BOMB = gzip.compress(bytes(3_000_000))


@pytest.mark.parametrize(
    "bomb",
    [
        {"awslogs": {"data": base64.b64encode(BOMB).decode()}},
        {"data": base64_gzip(lines([{"data": base64_gzip(bytes(900_000))}] * 50))},  # many that are small
        {"Records": [{"Data": base64_gzip(bytes(900_000))}] * 50},
    ],
)
def test_gzip_bomb_in_an_envelope(bomb):
    """What gzip inside a delivery inflates to is bounded in all; the rest of the delivery is read."""
    found, verdict = parsed(lines([A, bomb, B]), limits=Limits(floor=1_000_000, ratio=20))
    assert ([A, B], Damaged) == (found, type(verdict))
    assert verdict.reason.startswith("inside the envelope at byte ")
    assert "a gzip bomb?" in verdict.reason


def test_packed_content_within_the_limits():
    """Ordinary packed log events are far from the limits."""
    assert parsed(
        compact({"data": base64_gzip(compact(log_events([A, B])))}), limits=Limits(floor=100, ratio=20)
    ) == ([A, B], None)


def test_envelopes_without_end():
    """Envelopes nested deeper than anybody nests them are given up, and said to be."""
    item = A
    for _ in range(12):
        item = notification(dumps(item))
    found, verdict = parsed(lines([item, B]))
    assert (found, verdict.reason) == ([B], "inside the envelope at byte 0: an envelope inside 8 others")


@pytest.mark.parametrize("size", [1 << 23, 100])
def test_too_large_a_record(monkeypatch, size):
    """A record far beyond CloudTrail's limits is named and passed over, wherever it stands."""
    monkeypatch.setattr("rolewatch.cloudtrail.walk.WHOLE", 5000)
    monkeypatch.setattr("rolewatch.cloudtrail.walk.ELEMENT", 5000)
    monkeypatch.setattr("rolewatch.cloudtrail.ahead.AHEAD", 1000)
    large = compact(record(9, note="x" * 3000, more="x" * 3000))
    what = "a value that is longer than 5,000 bytes, which CloudTrail never writes"
    assert parsed(a + b"\n" + large + b"\n" + b, size)[0] == [A, B]
    assert parsed(a + b"\n" + large + b"\n" + b, size)[1].reason.startswith(f"damaged at byte 325: {what}")
    found, verdict = parsed(b'{"Records":[' + a + b"," + large + b"]}\n" + b, size)
    assert ([A, B], f"damaged at byte 337: {what}; the lines after it were read") == (found, verdict.reason)


@pytest.mark.parametrize(
    "shape", ["log file", "other keys first", "FilterLogEvents, streams first", "pretty"]
)
def test_a_document_larger_than_is_read_whole(shape, monkeypatch):
    """A document of any size is read, member by member and element by element."""
    monkeypatch.setattr("rolewatch.cloudtrail.walk.WHOLE", 500)
    records = [record(number, note="x" * 200) for number in range(20)]
    assert (records, None) == parsed(SHAPES[shape](records))


def test_a_large_foreign_object(monkeypatch):
    """A large object that is not CloudTrail's is foreign, though it was never seen whole."""
    monkeypatch.setattr("rolewatch.cloudtrail.walk.WHOLE", 500)
    assert read(compact({"a": 1, "b": "x" * 1000}))[1].args == ("not CloudTrail: a large JSON object", "JSON")


def test_reading_stops_where_almost_nothing_is_json(monkeypatch):
    """Broken values without end are given up, and the place is named."""
    monkeypatch.setattr("rolewatch.cloudtrail.tally._PATIENCE", 50)
    found, verdict = parsed(a + b"\n" + b'{"eventName":1\n' * 100 + b)
    assert found == [A]
    assert verdict.reason.endswith("; so little of it is JSON that nothing after byte 1,240 was read")
