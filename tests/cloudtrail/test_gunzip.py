"""Gunzip: whole, streamed, in several members, damaged and explosive."""

import gzip
import hashlib
import zlib
from io import BytesIO
from types import SimpleNamespace

import pytest
from isal import isal_zlib

from rolewatch.cloudtrail.gunzip import Allowance, GunzipError, Limits, inflate, is_gzip, stream

CONTENT = b'{"Records":[{"eventVersion":"1.08"}]}' * 50


def pour(data, limits=None):
    """Stream data, returning the content and what was wrong."""
    pieces = []
    try:
        pieces.extend(stream(BytesIO(data).read, limits or Limits()))
    except GunzipError as error:
        return b"".join(pieces), error.reason
    return b"".join(pieces), None


def test_single_member():
    """A file of one member is inflated in one call."""
    assert inflate(gzip.compress(CONTENT), Limits()) == CONTENT


def test_several_members_are_left_to_the_stream():
    """A second member is noticed, not silently dropped, and the stream reads both."""
    data = gzip.compress(CONTENT) + gzip.compress(b"second")
    assert inflate(data, Limits()) is None
    assert pour(data) == (CONTENT + b"second", None)


def test_same_member_twice():
    """Two equal members, whose trailers agree, still count twice."""
    data = gzip.compress(CONTENT) * 2
    assert inflate(data, Limits()) is None
    assert pour(data) == (CONTENT * 2, None)


def test_padding_between_members():
    """Zero bytes after a member are padding, as gzip allows."""
    assert pour(gzip.compress(CONTENT) + b"\0" * 512) == (CONTENT, None)


@pytest.mark.parametrize("padding", [b"", b"\0", b"\0" * 512])
def test_same_member_twice_with_padding(padding):
    """A second member is noticed behind padding too, even if it has the size of the first."""
    data = gzip.compress(CONTENT) + padding + gzip.compress(CONTENT)
    assert inflate(data, Limits()) is None
    assert pour(data) == (CONTENT * 2, None)


def test_a_member_that_only_seems_to_be_followed_by_another():
    """Bytes that look like the start of a member, in the middle of one, do not keep it from the fast way."""
    content = b"\x1f\x8b\x08" * 2 + bytes(range(256))
    data = gzip.compress(content, compresslevel=0)
    assert data.find(b"\x1f\x8b\x08", 10) > 0
    assert inflate(data, Limits()) == content


@pytest.mark.parametrize("cut", [1, 8, 20, 60])
def test_truncated(cut):
    """A file cut short is not inflated in one call; the stream says where it ends."""
    data = gzip.compress(CONTENT)[:-cut]
    assert inflate(data, Limits()) is None
    content, reason = pour(data)
    assert CONTENT.startswith(content)
    assert reason.startswith(("the gzip data ends early", "the gzip data is broken"))


def test_trailing_garbage():
    """What follows the gzip data and is no gzip is reported, after everything before it was read."""
    content, reason = pour(gzip.compress(CONTENT) + b"garbage")
    assert (content, reason) == (CONTENT, "7 or more bytes after the gzip data that are no gzip")


def test_wrong_checksum():
    """A member whose checksum is wrong is damage."""
    data = bytearray(gzip.compress(CONTENT))
    data[-6] ^= 1
    assert inflate(bytes(data), Limits()) is None
    assert pour(bytes(data))[1].startswith("the gzip data is broken")


def test_content_limit():
    """Content beyond the limit is refused, however it is read."""
    data = gzip.compress(CONTENT)
    assert inflate(data, Limits(content=100)) is None
    assert "--gunzip-limit" in pour(data, Limits(content=100))[1]


def test_bomb():
    """Content out of all proportion to its size is refused beyond the floor."""
    data = gzip.compress(bytes(2_000_000))
    limits = Limits(floor=1_000_000)
    assert inflate(data, limits) is None
    assert "gzip bomb" in pour(data, limits)[1]


def test_bomb_below_floor():
    """Below the floor any ratio is fine."""
    assert pour(gzip.compress(bytes(2_000_000)))[1] is None


def test_recognition():
    """Content is recognised as gzip by its first bytes."""
    assert [is_gzip(gzip.compress(b"")), is_gzip(b"{}"), is_gzip(b"")] == [True, False, False]


@pytest.mark.parametrize("place", [60, 200, 1000, 5000])
def test_everything_before_the_damage_is_given(place):
    """Of a broken member all is inflated that comes before the damage, to the byte."""
    content = b"".join(b'{"eventName":"%d"}' % (number * 7919 % 10007) for number in range(3000))
    data = bytearray(gzip.compress(content))
    data[place : place + 40] = b"\xff" * 40
    given, reason = pour(b"".join([gzip.compress(b"before"), bytes(data)]))
    assert given == b"before" + byte_by_byte(bytes(data))
    assert reason.startswith(f"the gzip data is broken after {len(given):,} bytes of content")


def byte_by_byte(data):
    """Inflate with zlib, one byte of content at a time, until it fails."""
    member, content = zlib.decompressobj(wbits=31), b""
    try:
        while data:
            content += member.decompress(data, 1)
            data = member.unconsumed_tail
    except zlib.error:
        pass
    return content


def test_damage_in_a_member_too_long_to_keep(monkeypatch):
    """Of a member too long to be inflated twice, what was given before the damage stays given."""
    monkeypatch.setattr("rolewatch.cloudtrail.gunzip.WHOLE", 9000)
    monkeypatch.setattr("rolewatch.cloudtrail.gunzip.PIECE", 1000)
    content = b"".join(hashlib.sha256(bytes([number % 251, number % 7])).digest() for number in range(1000))
    data = bytearray(gzip.compress(content))
    data[-6] ^= 1
    given, reason = pour(bytes(data))
    assert content.startswith(given)
    assert len(given) > 20_000
    assert reason.startswith("the gzip data is broken after ")


def test_very_many_small_members(monkeypatch):
    """Twice as many members cost twice as much: what one leaves over is not handed to the next in full."""
    given = []

    class Counting:
        def __init__(self, **options):
            self._member = isal_zlib.decompressobj(**options)

        def decompress(self, data, limit):
            given.append(len(data))
            return self._member.decompress(data, limit)

        def __getattr__(self, name):
            return getattr(self._member, name)

    monkeypatch.setattr(
        "rolewatch.cloudtrail.gunzip.isal_zlib",
        SimpleNamespace(decompressobj=Counting, error=isal_zlib.error),
    )
    costs = []
    for number in (1000, 2000):
        given.clear()
        assert pour(gzip.compress(b"x") * number) == (b"x" * number, None)
        costs.append(sum(given))
    assert costs[1] < 2.5 * costs[0]


def test_allowance_counts_in_all():
    """What several contents inflate to is held to the limits together, against the delivery's own bytes."""
    allowance = Allowance(Limits(ratio=10, floor=1000))
    assert b"".join(allowance.counted([b"x" * 100, b"y" * 100])) == b"x" * 100 + b"y" * 100
    packed = gzip.compress(bytes(900))
    assert [len(b"".join(allowance.stream(BytesIO(packed).read))) for _ in range(2)] == [900, 900]
    with pytest.raises(GunzipError, match="more than 10 times its size"):
        list(allowance.stream(BytesIO(packed).read))
