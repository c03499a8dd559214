"""Gunzip within limits: bytes of a delivery in, pieces of its content out.

A delivery of one gzip member, which is what CloudTrail writes, is inflated in one call by libdeflate, the
fastest there is. libdeflate silently stops after the first member, so anything that could be a second one
sends the delivery to isal, which also streams: large deliveries never stand in memory whole.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import deflate
import stringzilla as sz
from isal import isal_zlib

MAGIC = b"\x1f\x8b"
MEMBER = b"\x1f\x8b\x08"  # magic and the only method there is
PIECE = 8 * 1024 * 1024  # bytes of content yielded at a time when streaming
WHOLE = 32 * 1024 * 1024  # content up to this size is inflated in one call
READ = 1024 * 1024  # compressed bytes read at a time when streaming
HELPING = 8 * 1024  # compressed bytes given to a member at first


class Limits(NamedTuple):
    """How far a delivery may inflate: `content` bytes in all, and `ratio`:1 once it is beyond `floor` bytes."""

    content: int = 4 * 1024**3
    ratio: int = 200
    floor: int = 64 * 1024**2


class Allowance:
    """Bounds what all the gzip data inside one delivery's content may inflate to, as Limits bound the delivery.

    The sums count, so that gzip inside gzip, or very many small bombs, get no further than a single one.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._taken = 0
        self._given = 0

    def counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass on the delivery's own content, against which the rest is measured."""
        for piece in pieces:
            self._taken += len(piece)
            yield piece

    def stream(self, read: Callable[[int], bytes]) -> Iterator[bytes]:
        """Inflate like `stream`; raises GunzipError when the sum of all that was inflated is beyond the limits."""
        for piece in stream(read, self._limits):
            self._given += len(piece)
            beyond = excess(self._given, self._taken, self._limits)
            if beyond:
                raise GunzipError(beyond)
            yield piece


class GunzipError(Exception):
    """What is wrong with the compressed bytes; raised after everything whole before it was yielded."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def is_gzip(head: bytes) -> bool:
    """Whether content that starts like this is gzip."""
    return head[:2] == MAGIC


class Shared(bytes):
    """The bytes of a delivery that several look through, by the same limits: `inflate` inflates them once."""

    inflated: tuple[bytes | bytearray | None] | None = None


def inflate(data: bytes, limits: Limits) -> bytes | bytearray | None:
    """Inflate one small single-member gzip file in one call; None if it has to be streamed.

    None is no verdict: damaged, large, multi-member and suspicious files are all left to `stream`, which
    yields what is whole and says what is wrong.
    """
    if not isinstance(data, Shared):
        return _inflate(data, limits)
    if data.inflated is None:
        data.inflated = (_inflate(data, limits),)
    return data.inflated[0]


def _inflate(data: bytes, limits: Limits) -> bytes | bytearray | None:
    if len(data) < 18:
        return None
    size = int.from_bytes(data[-4:], "little")  # ISIZE of the last member, RFC 1952
    if not 0 < size <= min(WHOLE, limits.content, limits.floor):
        return None
    if sz.find(data, MEMBER, 10) >= 0 and _may_go_on(data):
        return None
    try:
        content: bytearray = deflate.gzip_decompress(data, size)
    except (deflate.DeflateError, ValueError, MemoryError):
        return None
    return content if len(content) == size else None


def _may_go_on(data: bytes) -> bool:
    """Whether a second member may follow the first one, which then ends with the same ISIZE as the whole.

    Between the two there may be zero bytes, and an ISIZE ends with some.
    """
    position = sz.find(data, MEMBER, 10)
    while position >= 0:  # by chance in every sixteenth megabyte
        if data[:position].rstrip(b"\0").endswith(data[-4:].rstrip(b"\0")):
            return True
        position = sz.find(data, MEMBER, position + 1)
    return False


def stream(read: Callable[[int], bytes], limits: Limits) -> Iterator[bytes]:
    """Inflate gzip of any number of members, piece by piece.

    `read(n)` returns up to n compressed bytes, b"" at the end. Yields pieces of at most PIECE bytes. Raises
    GunzipError after everything that can be inflated for damage, trailing garbage, or content beyond the limits.
    """
    feed = _Feed(read)
    member = isal_zlib.decompressobj(wbits=31)
    before = taken = given = 0  # bytes of content before this member, compressed and content bytes in all
    while data := feed.helping():
        if member.eof:
            data = data.lstrip(b"\0")  # padding between members, as gzip allows
            if not data:
                continue
            if not data.startswith(MAGIC[: len(data)]):
                raise GunzipError(f"{len(data)} or more bytes after the gzip data that are no gzip")
            member = isal_zlib.decompressobj(wbits=31)
            before = given
        taken += len(data)
        feed.hold(data)
        while data:
            try:
                piece = member.decompress(data, PIECE)
            except isal_zlib.error as error:  # type: ignore[misc] # its stub has an instance for the class
                rest = _to_the_damage(feed.held, given - before)
                yield rest
                raise GunzipError(
                    f"the gzip data is broken after {given + len(rest):,} bytes of content ({error})"
                ) from None
            given += len(piece)
            beyond = excess(given, taken, limits)
            if beyond:
                raise GunzipError(beyond)
            if piece:
                yield piece
            data = b"" if member.eof else member.unconsumed_tail
        if member.eof:
            left = len(member.unused_data)
            taken -= left
            feed.give_back(left)
    if not member.eof:
        raise GunzipError(f"the gzip data ends early, after {given:,} bytes of content; fetch the file again")


class _Feed:
    """Compressed bytes in growing helpings: what a member leaves over is copied, so it must not be much.

    `held` are the bytes of the member that is being inflated, empty once they are too many to keep.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._block = b""
        self._at = 0
        self._size = HELPING
        self.held = bytearray()

    def helping(self) -> bytes:
        """Take the next bytes, b"" at the end."""
        if self._at == len(self._block):
            self._block, self._at = self._read(READ), 0
        data = self._block[self._at : self._at + self._size]
        self._at += len(data)
        self._size *= 2
        return data

    def hold(self, data: bytes) -> None:
        """Keep what was given to the member."""
        if len(self.held) + len(data) <= WHOLE:
            self.held += data
        else:
            self.held.clear()

    def give_back(self, left: int) -> None:
        """Put back the last bytes of the last helping, which the member did not need; the next one starts small."""
        self._at -= left
        self._size = HELPING
        self.held.clear()


def _to_the_damage(data: bytes | bytearray, skip: int) -> bytes:
    """Inflate a broken member once more, as far as it goes, and return what comes after `skip` bytes.

    isal gives nothing of a call that fails. zlib does not either, but its state can be copied, so that ever smaller
    steps lead to the very byte. It goes no further than one call of isal would have.
    """
    member = zlib.decompressobj(wbits=31)
    rest = bytes(data)
    content = bytearray()
    passed = 0
    step = PIECE
    while step and rest and passed + len(content) < skip + PIECE:
        saved = member.copy()
        try:
            content += member.decompress(rest, step)
        except zlib.error:
            member = saved
            step //= 2
            continue
        rest = member.unconsumed_tail
        dropped = min(len(content), skip - passed)
        del content[:dropped]
        passed += dropped
    return bytes(content)


def excess(given: int, taken: int, limits: Limits) -> str | None:
    """Say why `given` bytes out of `taken` compressed ones are too many, or None if they are not."""
    if given > limits.content:
        return f"its content is larger than {limits.content:,} bytes (raise --gunzip-limit if it is genuine)"
    if given > limits.floor and given > limits.ratio * taken:
        return f"its content is more than {limits.ratio} times its size: a gzip bomb? (raise --gunzip-ratio if it is genuine)"
    return None
