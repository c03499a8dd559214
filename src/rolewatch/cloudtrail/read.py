"""A delivery's bytes in, batches of its records out: the fast path where it applies, the exact one elsewhere."""

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import BinaryIO

from rolewatch.cloudtrail.carve import (
    ESCAPES,
    FIRST,
    HEAD,
    HIDING,
    JOINT,
    NONE,
    Boiled,
    Buffer,
    Carved,
    Literals,
    Marked,
    each,
    parts,
)
from rolewatch.cloudtrail.gunzip import PIECE, GunzipError, Limits, inflate, is_gzip, stream
from rolewatch.cloudtrail.minutes import Minutes, minutes_of
from rolewatch.cloudtrail.split import Damaged, split


class Inexact(Exception):  # noqa: N818 - a turn in the road, not an error
    """A batch of the fast path turned out not to be what it looked like: read the delivery the exact way."""


def exactly(carved: Iterable[Carved | None]) -> Iterator[Carved]:
    """Pass on parts of a buffer; raises Inexact at the first one that is not what the buffer looked like."""
    for part in carved:
        if part is None:
            raise Inexact
        yield part


class Listed:
    """Records that were split exactly: a list of raw JSON objects. `marked` as of `Carved`, with indices as places."""

    __slots__ = ("_records", "boiled", "count", "marked", "minutes")

    def __init__(self, records: list[bytes], literals: Literals = NONE) -> None:
        self._records = records
        self.count = len(records)
        found = [(HIDING, escape) for escape in ESCAPES]
        found += each(literals)
        self.boiled: Boiled = b""  # none: a record of any shape has to be decoded
        self.minutes: Minutes = minutes_of(records) if literals.minutes else {}
        self.marked: list[Marked] = []
        for index, record in enumerate(records):
            bits = 0
            for value, literal in found:
                if literal in record:
                    bits |= value
            if literals.every or literals.needs(bits):
                self.marked.append((index, index, bits))

    def holding(self, literal: bytes) -> Iterator[Buffer]:
        """Yield the bytes of each record that holds a literal."""
        return (record for record in self._records if literal in record)

    def text(self, start: int, end: int) -> Buffer:
        """Return the bytes of one record."""
        del end
        return self._records[start]

    def view(self, start: int, end: int) -> Buffer:
        """Return the bytes of one record."""
        return self.text(start, end)

    def first_and_last(self) -> tuple[Buffer, Buffer]:
        """Return the first and the last record's bytes."""
        return self._records[0], self._records[-1]

    def holds(self, literal: bytes) -> bool:
        """Whether the literal occurs in any record."""
        return any(literal in record for record in self._records)

    def stands_alone(self, start: int) -> bool:
        """Whether the record is the file's own: split exactly, it is."""
        del start
        return True


Batch = Carved | Listed


class Content:
    """The content of one delivery, readable more than once.

    `open` returns a fresh stream of the delivery; `data` is given where it was read whole already.
    `bytes` counts the content bytes of the last reading.
    """

    def __init__(self, data: bytes | None, opener: Callable[[], BinaryIO], limits: Limits) -> None:
        self._data = data
        self._open = opener
        self._limits = limits
        self.bytes = 0

    def batches(self, literals: Literals, *, exact: bool = False) -> Iterable[Batch]:
        """Give the records in batches, those that hold one of the literals marked; `exact` keeps off the fast path.

        Raises Damaged after everything whole was given, Skipped for what is no CloudTrail log, and Inexact
        if a window of a large delivery leaves the fast path after others were given.
        """
        data = self._data
        if data is None or exact:
            return self._streamed(literals, exact=exact)
        whole = inflate(data, self._limits) if is_gzip(data) else data
        if whole is None or len(whole) > 4 * PIECE:
            return self._streamed(literals, exact=False)
        self.bytes = len(whole)
        carved = parts(whole, literals)
        return exactly(carved) if carved else _split([bytes(whole)], self._limits, literals)

    def _streamed(self, literals: Literals, *, exact: bool) -> Iterator[Batch]:
        self.bytes = 0
        pieces = self._pieces()
        head = b"" if exact else next(pieces, b"")
        if head.startswith(FIRST):
            yield from _windows(head, pieces, literals)
        else:
            yield from _split(_chain(head, pieces), self._limits, literals)

    def whole(self) -> bytes:
        """Return all the content at once, for a small delivery."""
        return b"".join(self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        with BytesIO(self._data) if self._data is not None else self._open() as file:
            head = file.read(2)
            rest = _Prefixed(head, file)
            source = stream(rest.read, self._limits) if is_gzip(head) else iter(lambda: rest.read(PIECE), b"")
            try:
                for piece in source:
                    self.bytes += len(piece)
                    yield piece
            except GunzipError as error:
                raise Damaged(error.reason) from None


class _Prefixed:
    """A stream with the bytes that were already taken from its start put back."""

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        self._head = head
        self._file = file

    def read(self, size: int) -> bytes:
        head, self._head = self._head, b""
        return head + self._file.read(size)


def _chain(head: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from pieces


def _split(pieces: Iterable[bytes], limits: Limits, literals: Literals) -> Iterator[Batch]:
    for records in split(pieces, limits):
        if records:
            yield Listed(records, literals)


def _windows(head: bytes, pieces: Iterator[bytes], literals: Literals) -> Iterator[Batch]:
    """Cut a large file in CloudTrail's shape into windows of whole records, each a small file of the same shape."""
    pending = head
    last = False
    while not last:
        try:
            piece = next(pieces, None)
        except Exception as error:  # the exact way yields what is whole before it raises the same again
            raise Inexact from error
        if piece is None:
            last, window = True, pending
        else:
            cut = pending.rfind(JOINT)
            if cut < 0:
                pending += piece
                if len(pending) > 8 * PIECE:  # one record this large is none of CloudTrail's
                    raise Inexact
                continue
            window, pending = pending[: cut + 1] + b"]}", HEAD + pending[cut + 2 :] + piece
        carved = parts(window, literals)
        if carved is None:
            raise Inexact
        for part in exactly(carved):
            yield part
        if not last and not part.ends_whole():
            raise Inexact
