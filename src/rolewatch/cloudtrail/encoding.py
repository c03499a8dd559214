"""The first bytes of a content decide how the rest becomes UTF-8 text."""

import codecs
from collections.abc import Callable, Iterable, Iterator

from rolewatch.cloudtrail.gunzip import MAGIC, Allowance, is_gzip
from rolewatch.cloudtrail.tally import Sort

UTF8_MARK = codecs.BOM_UTF8
_LONGEST = 4  # bytes of the longest mark
_MARKS = (  # first bytes, codec, whether they are a mark to drop
    (codecs.BOM_UTF32_LE, "utf-32-le", True),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32-be", True),
    (codecs.BOM_UTF16_LE, "utf-16-le", True),
    (codecs.BOM_UTF16_BE, "utf-16-be", True),
    (b"{\0", "utf-16-le", False),
    (b"\0{", "utf-16-be", False),
    (b"[\0", "utf-16-le", False),
    (b"\0[", "utf-16-be", False),
)
_MAGIC: tuple[
    tuple[bytes, str, Sort], ...
] = (  # first bytes of files that lie about in buckets, and what to call them
    (MAGIC, "gzip data inside gzip data", "binary"),
    (b"PAR1", "a Parquet file", "binary"),
    (b"Obj\x01", "an Avro file", "binary"),
    (b"ORC", "an ORC file", "binary"),
    (b"PK\x03\x04", "a zip archive: unpack it first", "binary"),
    (b"\x28\xb5\x2f\xfd", "zstd data: unpack it first", "binary"),
    (b"BZh", "bzip2 data: unpack it first", "binary"),
    (b"\xfd7zXZ", "xz data: unpack it first", "binary"),
    (b"%PDF", "a PDF file", "binary"),
    (b"\x89PNG", "a PNG image", "binary"),
)


def text(chunks: Iterable[bytes], allowance: Allowance, *, gunzip: bool = True) -> Iterator[bytes]:
    """Yield the content as UTF-8: gunzipped if it is gzip once more (Firehose over CloudWatch Logs), UTF-16 decoded.

    What no codec accepts becomes U+FFFD. Content without a mark of another encoding is passed on as it is, and so
    is gzip inside that gzip, which may go on without end.
    Raises GunzipError for damage in that gzip.
    """
    source = iter(chunks)
    head = b""
    for chunk in source:
        head = head + chunk if head else chunk
        if len(head) >= _LONGEST:
            break
    if gunzip and is_gzip(head):
        yield from text(allowance.stream(_reader(head, source)), allowance, gunzip=False)
        return
    for mark, codec, drop in _MARKS:
        if head.startswith(mark):
            yield from _decoded(head[len(mark) if drop else 0 :], source, codec)
            return
    yield head
    yield from source


def describe(head: bytes) -> tuple[str, Sort]:
    """Say what content that is no JSON looks like, by its first bytes, and whether that is text or binary."""
    for magic, what, sort in _MAGIC:
        if head.startswith(magic):
            return what, sort
    if any(byte < 32 and byte not in b"\t\r\n\f\x1b" for byte in head[:512]):
        return "binary data", "binary"
    return ("text, no JSON", "text") if head[:1] != b"<" else ("HTML or XML", "text")


def _decoded(head: bytes, source: Iterator[bytes], codec: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(codec)(errors="replace")
    yield decoder.decode(head).encode()
    for chunk in source:
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()


def _reader(head: bytes, source: Iterator[bytes]) -> Callable[[int], bytes]:
    """Return a function that reads on, a chunk at a time whatever the size asked for."""
    pending = [head]

    def read(_size: int) -> bytes:
        return pending.pop() if pending else next((chunk for chunk in source if chunk), b"")

    return read
