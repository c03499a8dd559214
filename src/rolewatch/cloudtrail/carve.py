r"""The fast path: find the few records that matter in the raw bytes of a CloudTrail log file, parse nothing else.

It takes only content in the very shape that CloudTrail writes, `{"Records":[{"eventVersion":…},…]}`: every record
starts with `eventVersion`, and there are as many `eventTime` keys as records. Anything else (another key order,
pretty-printed, a second document) is not `canonical` and goes the exact way through `split`, which parses everything.

Why the literals are safe: a quote inside a JSON string is escaped, so `"key"` and `},{"key":"` with bare quotes
cannot begin inside a string. Letters can only hide behind `\uXXXX` and slashes behind `\/`, so a record that
holds either is always handed out. What no literal can tell is depth: an array deep in a record may hold objects
that look like records. `stands_alone` decides that for a record that is about to count, from the text before it.

What this way does not see, on purpose, because seeing it means to parse everything: bytes that are no JSON in a record
that nobody asks for; several look-alikes in one array, which are counted as records; and, far into a file, a record
of another key order, which is counted with the one before. A record that is asked
for is always decoded, and whoever cannot decode it turns to the exact way.
"""

import re
from collections.abc import Sequence

import msgspec
import stringzilla as sz

HEAD = b'{"Records":['
FIRST = b'{"Records":[{"eventVersion":"'
JOINT = b'},{"eventVersion":"'  # ends one record and begins the next
TAIL = b"}]}"
# An event has 256 KB at most (spec/cloudtrail.md §1.1), so a record that holds a look-alike in an array begins no
# further back than this.
REACH = 256 * 1024

# Content that began as CloudTrail writes it is not doubted beyond this: the check costs a seventh of what gunzip does,
# and what it finds, records of several writers in one file, makes a difference to the number of records only.
DOUBTED = 2 * 1024 * 1024  # bytes

_ESCAPE = re.compile(rb"\\[u/]").search
_raw = msgspec.json.Decoder(msgspec.Raw)
_list_of_raw = msgspec.json.Decoder(list[msgspec.Raw])

Buffer = bytes | bytearray
Span = tuple[int, int]


class Carved:
    """The records of one buffer in CloudTrail's own shape, not parsed: `count` of them."""

    __slots__ = ("_buffer", "_end", "_proven", "count")

    def __init__(self, buffer: Buffer, end: int, count: int) -> None:
        self._buffer = buffer
        self._end = end  # just behind the last record's closing brace
        self._proven = len(HEAD)  # a start known to be a record's, at depth one
        self.count = count

    def spans(self, literals: Sequence[bytes]) -> list[Span]:
        """List (start, end) of each record that holds one of the literals.

        In order for each literal, not overall; a record that holds several comes several times.
        """
        buffer, find, rfind = self._buffer, sz.find, sz.rfind
        found: list[Span] = []
        for literal in literals:
            position = find(buffer, literal)
            while position >= 0:
                start, end = rfind(buffer, JOINT, 0, position), find(buffer, JOINT, position)
                end = end + 1 if end >= 0 else self._end
                found.append((start + 2 if start >= 0 else len(HEAD), end))
                position = find(buffer, literal, end)
        return found

    def escaped(self) -> list[Span]:
        """List (start, end) of each record that holds an escape which may hide a literal, in order."""
        buffer = self._buffer
        found: list[Span] = []
        position = buffer.find(b"\\")  # one byte: memchr, faster than any search for two
        while position >= 0:
            end = sz.find(buffer, JOINT, position)
            end = end + 1 if end >= 0 else self._end
            if _ESCAPE(buffer, position, end):
                found.append((self._around(position)[0], end))
            position = buffer.find(b"\\", end)
        return found

    def text(self, start: int, end: int) -> Buffer:
        """Return the bytes of one record."""
        return self._buffer[start:end]

    def first_and_last(self) -> tuple[Buffer, Buffer]:
        """Return the first and the last record's bytes, for what a delivery covers."""
        start, end = self._around(len(FIRST))
        last, _ = self._around(self._end - 1)
        return self._buffer[start:end], self._buffer[last : self._end]

    def holds(self, literal: bytes) -> bool:
        """Whether the literal occurs anywhere in the buffer."""
        return bool(sz.find(self._buffer, literal) >= 0)

    def stands_alone(self, start: int) -> bool:
        """Whether the record at `start` is one of the file's own, not an element of an array inside another.

        If it were inside, the stretch from that other record's start would not be a list of whole objects.
        Decoding the stretch therefore proves it. Proven starts are remembered, so a file is gone through at
        most once however many records are asked for in ascending order.
        """
        if start > self._proven:
            if not self._follows_whole_records(start):
                return False
            self._proven = start
        return True

    def ends_whole(self) -> bool:
        """Whether the buffer, a window cut out of a larger file, ends where a record of the file's own ends."""
        return self._follows_whole_records(self._end + 1)

    def is_closed(self) -> bool:
        """Whether the last record is whole; else the buffer was cut, and its end belongs to a list in that record."""
        start, _ = self._around(self._end - 1)
        try:
            _raw.decode(self._buffer[start : self._end])
        except (msgspec.DecodeError, RecursionError):
            return False
        return True

    def _follows_whole_records(self, start: int) -> bool:
        begin = self._proven
        if start - begin > REACH:
            begin = sz.find(self._buffer, JOINT, start - REACH) + 2
        if not begin < start:
            return True
        stretch = b"[" + self._buffer[begin : start - 1] + b"]"
        try:
            objects = len(_list_of_raw.decode(stretch))
        except (msgspec.DecodeError, RecursionError):
            return False
        return bool(objects == sz.count(stretch, JOINT) + 1)  # else there is a look-alike on the way

    def _around(self, position: int) -> Span:
        """Return the record that the byte at `position` is in."""
        start = sz.rfind(self._buffer, JOINT, 0, position + len(JOINT) - 1)
        end = sz.find(self._buffer, JOINT, position)
        return start + 2 if start >= 0 else len(HEAD), end + 1 if end >= 0 else self._end


def canonical(buffer: Buffer) -> Carved | None:
    """Take a whole buffer as CloudTrail's own shape, or say None: then `split` has to read it."""
    if not buffer.startswith(FIRST):
        return None
    end = len(buffer)
    if not buffer.endswith(TAIL):
        end = len(buffer.rstrip(b" \t\r\n"))
        if not buffer.endswith(TAIL, 0, end):
            return None
    count = sz.count(buffer, JOINT) + 1
    # A record that starts otherwise, or has no time, or something that looks like a record makes the numbers differ.
    cut = sz.rfind(buffer, JOINT, 0, DOUBTED) if len(buffer) > DOUBTED else -1
    doubted = sz.count(buffer, JOINT, 0, cut) + 1 if cut >= 0 else count
    if sz.count(buffer, b'"eventTime"', 0, cut if cut >= 0 else end) != doubted:
        return None
    carved = Carved(buffer, end - 2, count)
    return carved if carved.is_closed() else None
