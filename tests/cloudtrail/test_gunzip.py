"""Gunzip: whole, streamed, in several members, damaged and explosive."""

import gzip
from io import BytesIO

import pytest

from rolewatch.cloudtrail.gunzip import GunzipError, Limits, inflate, is_gzip, stream

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
