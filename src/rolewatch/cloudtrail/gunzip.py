"""Gunzip within limits: bytes of a delivery in, pieces of its content out.

A delivery of one gzip member, which is what CloudTrail writes, is inflated in one call by libdeflate, the
fastest there is. libdeflate silently stops after the first member, so anything that could be a second one
sends the delivery to isal, which also streams: large deliveries never stand in memory whole.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import deflate
import stringzilla as sz
from isal import isal_zlib

MAGIC = b"\x1f\x8b"
MEMBER = b"\x1f\x8b\x08"  # magic and the only method there is
PIECE = 8 * 1024 * 1024  # bytes of content yielded at a time when streaming
WHOLE = 32 * 1024 * 1024  # content up to this size is inflated in one call
READ = 1024 * 1024  # compressed bytes read at a time when streaming


class Limits(NamedTuple):
    """How far a delivery may inflate: `content` bytes in all, and `ratio`:1 once it is beyond `floor` bytes."""

    content: int = 4 * 1024**3
    ratio: int = 200
    floor: int = 64 * 1024**2


class GunzipError(Exception):
    """What is wrong with the compressed bytes; raised after everything whole before it was yielded."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def is_gzip(head: bytes) -> bool:
    """Whether content that starts like this is gzip."""
    return head[:2] == MAGIC


def inflate(data: bytes, limits: Limits) -> bytes | bytearray | None:
    """Inflate one small single-member gzip file in one call; None if it has to be streamed.

    None is no verdict: damaged, large, multi-member and suspicious files are all left to `stream`, which
    yields what is whole and says what is wrong.
    """
    if len(data) < 18:
        return None
    size = int.from_bytes(data[-4:], "little")  # ISIZE of the last member, RFC 1952
    if not 0 < size <= min(WHOLE, limits.content, limits.floor) or sz.find(data, MEMBER, 10) >= 0:
        return None
    try:
        content: bytearray = deflate.gzip_decompress(data, size)
    except (deflate.DeflateError, ValueError, MemoryError):
        return None
    return content if len(content) == size else None


def stream(read: Callable[[int], bytes], limits: Limits) -> Iterator[bytes]:
    """Inflate gzip of any number of members, piece by piece.

    `read(n)` returns up to n compressed bytes, b"" at the end. Yields pieces of at most PIECE bytes. Raises
    GunzipError after the last whole piece for damage, trailing garbage, or content beyond the limits.
    """
    member = isal_zlib.decompressobj(wbits=31)
    taken = given = 0
    pending = b""
    while True:
        data = pending or read(READ)
        pending = b""
        if not data:
            break
        if member.eof:
            data = (
                data.lstrip(b"\0") if not data.startswith(MAGIC) else data
            )  # padding between members, as gzip allows
            if not data:
                continue
            if not data.startswith(MAGIC[: len(data)]):
                raise GunzipError(f"{len(data)} or more bytes after the gzip data that are no gzip")
            member = isal_zlib.decompressobj(wbits=31)
        taken += len(data)
        while data:
            try:
                piece = member.decompress(data, PIECE)
            except isal_zlib.error as error:  # type: ignore[misc] # its stub has an instance for the class
                raise GunzipError(
                    f"the gzip data is broken after {given:,} bytes of content ({error})"
                ) from None
            given += len(piece)
            beyond = excess(given, taken, limits)
            if beyond:
                raise GunzipError(beyond)
            if piece:
                yield piece
            data = b"" if member.eof else member.unconsumed_tail
        pending = member.unused_data if member.eof else b""
        taken -= len(pending)
    if not member.eof:
        raise GunzipError(f"the gzip data ends early, after {given:,} bytes of content; fetch the file again")


def excess(given: int, taken: int, limits: Limits) -> str | None:
    """Say why `given` bytes out of `taken` compressed ones are too many, or None if they are not."""
    if given > limits.content:
        return f"its content is larger than {limits.content:,} bytes (raise --gunzip-limit if it is genuine)"
    if given > limits.floor and given > limits.ratio * taken:
        return f"its content is more than {limits.ratio} times its size: a gzip bomb? (raise --gunzip-ratio if it is genuine)"
    return None
