r"""The fast path: find the few records that matter in the raw bytes of a CloudTrail log file, parse nothing else.

It takes only content in the very shape that CloudTrail writes, `{"Records":[{"eventVersion":…},…]}`: every record
starts with `eventVersion`, and there are as many `eventTime` keys as records. Anything else (another key order,
pretty-printed, a second document) is not `canonical` and goes the exact way through `split`, which parses everything.

Why the literals are safe: a quote inside a JSON string is escaped, so `"key"` and `},{"key":"` with bare quotes
cannot begin inside a string. Letters can only hide behind `\uXXXX` and slashes behind `\/`, so a record that
holds either is always handed out. What no literal can tell is depth: an array deep in a record may hold objects
that look like records. `stands_alone` decides that for a record that is about to count, from the text before it.

What this way does not see, on purpose, because seeing it means to parse everything: bytes that are no JSON in a record
that nobody asks for, and several look-alikes in one array, which are counted as records. A record that is asked
for is always decoded, and whoever cannot decode it turns to the exact way.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec
import stringzilla as sz

HEAD = b'{"Records":['
FIRST = b'{"Records":[{"eventVersion":"'
JOINT = b'},{"eventVersion":"'  # ends one record and begins the next
TAIL = b"}]}"
# An event has 256 KB at most (spec/cloudtrail.md §1.1), so a record that holds a look-alike in an array begins no
# further back than this.
REACH = 256 * 1024

PART = 384 * 1024  # bytes; fits into the second-level cache of most processors

_ESCAPE = re.compile(rb"\\[u/]").search
_raw = msgspec.json.Decoder(msgspec.Raw)
_list_of_raw = msgspec.json.Decoder(list[msgspec.Raw])

Buffer = bytes | bytearray
Span = tuple[int, int]


class Carved:
    """Records of a buffer in CloudTrail's own shape, not parsed: `count` of them, between two places in it.

    `proven` is a start known to be a record's, at depth one; all parts of a buffer share it.
    """

    __slots__ = ("_begin", "_buffer", "_end", "_proven", "count")

    def __init__(self, buffer: Buffer, begin: int, end: int, count: int, proven: list[int]) -> None:
        self._buffer = buffer
        self._begin = begin  # the first record's opening brace
        self._end = end  # just behind the last record's closing brace
        self._proven = proven
        self.count = count

    def spans(self, literals: Sequence[bytes]) -> list[Span]:
        """List (start, end) of each record that holds one of the literals.

        In order for each literal, not overall; a record that holds several comes several times.
        """
        buffer, begin, last, find, rfind = self._buffer, self._begin, self._end, sz.find, sz.rfind
        found: list[Span] = []
        for literal in literals:
            position = find(buffer, literal, begin, last)
            while position >= 0:
                start, end = rfind(buffer, JOINT, begin, position), find(buffer, JOINT, position, last)
                end = end + 1 if end >= 0 else last
                found.append((start + 2 if start >= 0 else begin, end))
                position = find(buffer, literal, end, last)
        return found

    def escaped(self) -> list[Span]:
        """List (start, end) of each record that holds an escape which may hide a literal, in order."""
        buffer, last = self._buffer, self._end
        found: list[Span] = []
        position = buffer.find(b"\\", self._begin, last)  # one byte: memchr, faster than any search for two
        while position >= 0:
            end = sz.find(buffer, JOINT, position, last)
            end = end + 1 if end >= 0 else last
            if _ESCAPE(buffer, position, end):
                found.append((self._around(position)[0], end))
            position = buffer.find(b"\\", end, last)
        return found

    def text(self, start: int, end: int) -> Buffer:
        """Return the bytes of one record."""
        return self._buffer[start:end]

    def first_and_last(self) -> tuple[Buffer, Buffer]:
        """Return the first and the last record's bytes, for what a delivery covers."""
        start, end = self._around(self._begin)
        last, _ = self._around(self._end - 1)
        return self._buffer[start:end], self._buffer[last : self._end]

    def holds(self, literal: bytes) -> bool:
        """Whether the literal occurs anywhere in the records."""
        return bool(sz.find(self._buffer, literal, self._begin, self._end) >= 0)

    def stands_alone(self, start: int) -> bool:
        """Whether the record at `start` is one of the file's own, not an element of an array inside another.

        If it were inside, the stretch from that other record's start would not be a list of whole objects.
        Decoding the stretch therefore proves it. Proven starts are remembered, so a file is gone through at
        most once however many records are asked for in ascending order.
        """
        if start > self._proven[0]:
            if not self._follows_whole_records(start):
                return False
            self._proven[0] = start
        return True

    def ends_whole(self) -> bool:
        """Whether the buffer, a window cut out of a larger file, ends where a record of the file's own ends."""
        return self._follows_whole_records(self._end + 1)

    def _follows_whole_records(self, start: int) -> bool:
        begin = self._proven[0]
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
        start = sz.rfind(self._buffer, JOINT, self._begin, position + len(JOINT) - 1)
        end = sz.find(self._buffer, JOINT, position, self._end)
        return start + 2 if start >= 0 else self._begin, end + 1 if end >= 0 else self._end


def canonical(buffer: Buffer) -> Carved | None:
    """Take a whole buffer as CloudTrail's own shape, or say None: then `split` has to read it."""
    end = end_of_records(buffer)
    return _part(buffer, len(HEAD), end, [len(HEAD)]) if end else None


def parts(buffer: Buffer) -> Iterator[Carved | None] | None:
    """Take a buffer as `canonical` does, but part by part; a part that is not of that shape is None.

    Parts are small enough for a processor's own cache, so that only the first search in each waits for memory.
    """
    end = end_of_records(buffer)
    return _parts(buffer, end) if end else None


def _parts(buffer: Buffer, end: int) -> Iterator[Carved | None]:
    begin, proven = len(HEAD), [len(HEAD)]
    while end - begin > PART:
        cut = sz.rfind(buffer, JOINT, begin, begin + PART)
        if cut < 0:
            cut = sz.find(buffer, JOINT, begin, end)
            if cut < 0:
                break
        yield _part(buffer, begin, cut + 1, proven)
        begin = cut + 2
    yield _part(buffer, begin, end, proven)


def _part(buffer: Buffer, begin: int, end: int, proven: list[int]) -> Carved | None:
    count = sz.count(buffer, JOINT, begin, end) + 1
    if sz.count(buffer, b'"eventTime"', begin, end) != count:
        return None  # a record starts otherwise, or has no time, or something looks like one
    return Carved(buffer, begin, end, count, proven)


def end_of_records(buffer: Buffer) -> int:
    """Return where the last record ends in content that begins and ends as CloudTrail writes it, 0 in any other.

    The last record has to be whole: else the content was cut, and its end belongs to a list in that record.
    """
    if not buffer.startswith(FIRST):
        return 0
    end = len(buffer)
    if not buffer.endswith(TAIL):
        end = len(buffer.rstrip(b" \t\r\n"))
        if not buffer.endswith(TAIL, 0, end):
            return 0
    end -= len(TAIL) - 1
    start = sz.rfind(buffer, JOINT, 0, end) + 2
    try:
        _raw.decode(buffer[start if start > 1 else len(HEAD) : end])
    except (msgspec.DecodeError, RecursionError):
        return 0
    return end
