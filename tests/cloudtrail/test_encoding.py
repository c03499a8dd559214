"""The first bytes decide how content becomes UTF-8."""

import codecs
import gzip

import pytest
from wrappings import pieces

from rolewatch.cloudtrail.encoding import describe, text
from rolewatch.cloudtrail.gunzip import Allowance, GunzipError, Limits

TEXT = '{"a":"é\U0001f512"}' * 20


def decoded(content, size=1 << 20, limits=None):
    """Return content as UTF-8."""
    allowance = Allowance(limits or Limits())
    return b"".join(text(allowance.counted(pieces(content, size)), allowance))


@pytest.mark.parametrize("size", [1, 3, 1 << 20])
@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_encodings(codec, mark, size):
    """UTF-16 and UTF-32 are decoded by their mark; UTF-16 also by a brace or bracket that starts it."""
    marks = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE, "utf-32-le": codecs.BOM_UTF32_LE, "utf-32-be": codecs.BOM_UTF32_BE}  # fmt: skip
    if mark:
        assert TEXT.encode() == decoded(marks[codec] + TEXT.encode(codec), size)
    elif codec.startswith("utf-16"):
        assert f"[{TEXT}]".encode() == decoded(f"[{TEXT}]".encode(codec), size)
        assert TEXT.encode() == decoded(TEXT.encode(codec), size)


@pytest.mark.parametrize("size", [1, 1 << 20])
@pytest.mark.parametrize("content", [b"", b"{", TEXT.encode(), b"\xef\xbb\xbf{}", b"\xff", b"caf\xe9"])
def test_other_content_is_passed_on(content, size):
    """Content without a mark of another encoding stays as it is."""
    assert content == decoded(content, size)


def test_broken_wide_characters_become_replacement_characters():
    """Half a character at the end, or half a surrogate pair, becomes U+FFFD."""
    assert '{"a"\ufffd'.encode() == decoded('{"a"'.encode("utf-16-le") + b"\x00")
    assert '{"\ufffda'.encode() == decoded('{"'.encode("utf-16-le") + b"\x00\xd8" + "a".encode("utf-16-le"))


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_gzip_is_inflated_once(size):
    """Gzip is inflated, its content decoded; gzip inside it is passed on."""
    assert TEXT.encode() == decoded(gzip.compress(TEXT.encode("utf-16")) + gzip.compress(b""), size)
    inner = gzip.compress(TEXT.encode())
    assert inner == decoded(gzip.compress(inner), size)


def test_gzip_is_limited():
    """Gzip inside a delivery is held to the limits of the whole."""
    with pytest.raises(GunzipError, match="a gzip bomb"):
        decoded(gzip.compress(bytes(100_000)), limits=Limits(ratio=10, floor=1000))


@pytest.mark.parametrize(
    ("head", "what", "sort"),
    [
        (b"hello", "text, no JSON", "text"),
        (b"", "text, no JSON", "text"),
        ("é\t\r\n\x1b[0m".encode(), "text, no JSON", "text"),
        (b"<?xml", "HTML or XML", "text"),
        (b"a\0b", "binary data", "binary"),
        (b"PK\x03\x04", "a zip archive: unpack it first", "binary"),
        (b"\x28\xb5\x2f\xfd", "zstd data: unpack it first", "binary"),
        (b"\x1f\x8b\x08", "gzip data inside gzip data", "binary"),
    ],
)
def test_describe(head, what, sort):
    """Content that is no JSON is described by its first bytes."""
    assert (what, sort) == describe(head)
