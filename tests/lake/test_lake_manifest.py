"""The manifest says which files are the lake; what was one and is one no more stays for an hour."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.base.errors import CannotDo
from rolewatch.lake.manifest import GRACE, Head, Manifest, Part, Retired, decode, encode

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
A, B, C = (Part(f"records/day=2026-03-0{day}/part-{name}.parquet", f"2026-03-0{day}", 5, 100, 400, first=1, last=9) for day, name in ((1, "a"), (1, "b"), (2, "c")))  # fmt: skip
NUMBERS = st.integers(0, 2**53)
PARTS = st.builds(
    Part, st.text(), st.text(), NUMBERS, NUMBERS, NUMBERS, st.none() | NUMBERS, st.none() | NUMBERS
)
HEADS = st.builds(
    Head,
    revision=NUMBERS,
    ledgers=st.lists(st.text()).map(tuple),
    retired=st.lists(st.builds(Retired, st.text(), st.text())).map(tuple),
)


@given(HEADS, st.lists(PARTS).map(tuple))
def test_round(head, parts):
    """What was written is read again."""
    assert decode(encode(Manifest(head, parts)), "m") == Manifest(head, parts)


def test_lines():
    """The first line is about the lake and has no path; each other line is a part."""
    head, *parts = map(json.loads, encode(Manifest(Head(revision=3), (A, C))).splitlines())
    assert (head["rolewatch_lake"], head["revision"], head["parts"], "path" in head) == (1, 3, 2, False)
    assert [part["path"] for part in parts] == [A.path, C.path]


def test_changed():
    """Files come and go; those that go are retired, and the others are in the order of days."""
    first = Manifest().changed(NOW, added=[C, B, A], ledgers=["l1", "l2"])
    assert (first.parts, first.head.revision, first.head.retired) == ((A, B, C), 1, ())
    second = first.changed(NOW + timedelta(hours=2), removed=[B], ledgers=["l2", "l3"])
    assert (second.parts, second.head.ledgers, second.head.revision) == ((A, C), ("l2", "l3"), 2)
    since = "2026-03-01T12:00:00+00:00"
    assert second.head.retired == (Retired("l1", since), Retired(B.path, since))
    assert second.changed(NOW).head.ledgers == ("l2", "l3")


def test_expired():
    """A file that is not listed any more goes after an hour, not before."""
    manifest = Manifest().changed(NOW, added=[A, B]).changed(NOW, removed=[A])
    later = manifest.changed(NOW + timedelta(minutes=30), removed=[B])
    assert later.expired(NOW + GRACE - timedelta(seconds=1)) == ()
    assert [each.path for each in later.expired(NOW + GRACE)] == [A.path]
    assert [each.path for each in later.expired(NOW + GRACE + timedelta(minutes=30))] == [A.path, B.path]


WRITTEN = encode(Manifest(Head(), (A, B)))


@pytest.mark.parametrize("content", [b"", b"\n", b"hello", b"[]", b"{}", b"null", WRITTEN[:-20], WRITTEN + b"x", WRITTEN.replace(b'"rows":5', b'"rows":"5"'), WRITTEN.replace(b"part-a", b"part-\xff"), b"\xff"])  # fmt: skip
def test_damage(content):
    """What is no manifest is an error with a name; nothing is guessed."""
    with pytest.raises(CannotDo, match="lake/m: ") as caught:
        decode(content, "lake/m")
    assert caught.value.remedy


def test_missing_lines():
    """A manifest that lost its last lines is noticed, although each of the others is whole."""
    with pytest.raises(CannotDo, match="1 parts, and says 2"):
        decode(b"".join(WRITTEN.splitlines(keepends=True)[:-1]), "m")


def test_another_version():
    """A lake of a later version is not touched, and its number is told."""
    with pytest.raises(CannotDo, match="format 2, and this version of rolewatch knows 1"):
        decode(msgspec.json.encode({"rolewatch_lake": 2}), "m")
