r"""The fast path: find the few records that matter in the raw bytes of a CloudTrail log file, parse nothing else.

It takes only content in the very shape that CloudTrail writes, `{"Records":[{"eventVersion":…},…]}`: every record
starts with `eventVersion`, and there are as many `eventTime` keys as records. Anything else (another key order,
pretty-printed, a second document) is not `canonical` and goes the exact way through `split`, which parses everything.

Why the literals are safe: a quote inside a JSON string is escaped, so `"key"` and `},{"key":"` with bare quotes
cannot begin inside a string. Letters can only hide behind `\uXXXX` and slashes behind `\/`, so a record that
holds either is always handed out. What no literal can tell is depth: an array deep in a record may hold objects
that look like records. `stands_alone` decides that for a record that is about to count, from the text before it.

All literals are looked for when a part is made, in one pass by `_native` where that was built, else one after the
other. Only the bits that tell which of them a record holds go on from here.

What this way does not see, on purpose, because seeing it means to parse everything: bytes that are no JSON in a record
that nobody asks for, and several look-alikes in one array, which are counted as records. A record that is asked
for is always decoded, and whoever cannot decode it turns to the exact way.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import msgspec
import stringzilla as sz

from rolewatch.cloudtrail.minutes import Minutes, minutes_between

try:
    from rolewatch.cloudtrail import _native as native
except ImportError:  # it was not built, or the processor lacks what it needs
    native = None  # type: ignore[assignment] # it is optional

HEAD = b'{"Records":['
FIRST = b'{"Records":[{"eventVersion":"'
JOINT = b'},{"eventVersion":"'  # ends one record and begins the next
TIME = b'"eventTime"'  # every record has one such key
TAIL = b"}]}"
ESCAPES = (b"\\u", b"\\/")  # what may hide a letter or a slash of a literal
HIDING = 1  # the bit of ESCAPES; those of the literals asked for are the next higher ones
# An event has 256 KB at most (spec/cloudtrail.md §1.1), so a record that holds a look-alike in an array begins no
# further back than this.
REACH = 256 * 1024

PART = 384 * 1024  # bytes; fits into the second-level cache of most processors

_ESCAPE = re.compile(rb"\\[u/]").search
_raw = msgspec.json.Decoder(msgspec.Raw)
_list_of_raw = msgspec.json.Decoder(list[msgspec.Raw])

Buffer = bytes | bytearray
Boiled = bytes  # lines of boiled records and their times, as `_native.pyi` describes them
Marked = tuple[int, int, int]  # a record's start and end, and the bits of what it holds
Found = tuple[list[Marked], Boiled, Minutes]

Wanted = tuple[bytes | tuple[bytes, ...], ...]


class Literals(NamedTuple):
    """What records are marked for.

    `wanted` are the literals looked for, or several of which one is enough. A record is marked if it holds all bits of one of `needed`, or anything if there
    are none. It is boiled down instead, where that is possible, if it has exactly the bits `plain`. With `minutes` the
    records of each minute are counted, marked or not. With `every` one literal stands in every record that CloudTrail writes,
    and of records in any other shape all are marked, whether they hold it or not.
    """

    wanted: Wanted
    needed: tuple[int, ...] = ()
    plain: int = 0
    minutes: bool = False
    every: bool = False

    def needs(self, bits: int) -> bool:
        """Whether a record that holds this is to be marked."""
        return any(bits & all_of == all_of for all_of in self.needed) if self.needed else bits != 0


NONE = Literals(())


def by_deed(places: Iterable[tuple[int, Boiled]]) -> dict[bytes, tuple[list[int], list[bytes]]]:
    """Sort lines of boiled records by the deed that they tell: how they begin. Gives the numbers and the lines of each."""
    deeds: dict[bytes, tuple[list[int], list[bytes]]] = {}
    for number, lines in places:
        native.group(lines, number, deeds)  # which made them
    return deeds


@lru_cache(maxsize=256)
def _sought(wanted: Wanted) -> Wanted:
    """Give all that is looked for, as `_native` takes it."""
    return JOINT, TIME, ESCAPES, *wanted


def _asked(literals: Literals, minutes: Minutes) -> tuple[Wanted, tuple[int, ...], int, Minutes | None]:
    """Give the last arguments of `_native.survey`."""
    return _sought(literals.wanted), literals.needed, literals.plain, minutes if literals.minutes else None


def bit(number: int) -> int:
    """Give the bit of a literal, by its place among those asked for."""
    return 2 << number


class Carved:
    """Records of a buffer in CloudTrail's own shape, not parsed: `count` of them, between two places in it.

    `marked` are those that hold one of the literals asked for, or an escape that may hide one, in order; `boiled` are
    those left out there because they could be boiled down; `minutes` counts the records by the minute of their eventTime, if
    that was asked for, those whose time is not written as usual under an empty one. `proven` are starts known to be a record's, at depth one, in
    order; all parts of a buffer share them.
    """

    __slots__ = ("_begin", "_buffer", "_end", "_proven", "_view", "boiled", "count", "marked", "minutes")

    def __init__(
        self,
        buffer: Buffer,
        place: tuple[int, int],
        count: int,
        found: Found,
        proven: list[int],
    ) -> None:
        self._buffer = buffer
        self._view = memoryview(buffer)
        self._begin, self._end = (
            place  # the first record's opening brace, and just behind the last one's closing one
        )
        self._proven = proven
        self.count = count
        self.marked, self.boiled, self.minutes = found

    def holding(self, literal: bytes) -> Iterator[Buffer]:
        """Yield the bytes of each record that holds a literal."""
        for start, end in _spans(self._buffer, self._begin, self._end, literal):
            yield self._buffer[start:end]

    @property
    def buffer(self) -> Buffer:
        """What the places of records are places in."""
        return self._buffer

    def text(self, start: int, end: int) -> Buffer:
        """Return the bytes of one record."""
        return self._buffer[start:end]

    def view(self, start: int, end: int) -> memoryview:
        """Return the bytes of one record without copying them, for a decoder."""
        return self._view[start:end]

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
        proven = self._proven
        place = bisect_right(proven, start)
        if proven[place - 1] == start:
            return True
        if not self._follows_whole_records(start, proven[place - 1]):
            return False
        proven.insert(place, start)
        return True

    def ends_whole(self) -> bool:
        """Whether the buffer, a window cut out of a larger file, ends where a record of the file's own ends."""
        return self._follows_whole_records(self._end + 1, self._proven[-1])

    def _follows_whole_records(self, start: int, begin: int) -> bool:
        if start - begin > REACH:
            begin = sz.find(self._buffer, JOINT, start - REACH) + 2
        if not begin < start:
            return True
        joints = sz.count(self._buffer, JOINT, begin, start - 1)
        if native and native.objects(self._buffer, begin, start - 1) == joints + 1:
            return True
        try:
            objects = len(_list_of_raw.decode(b"[" + self._buffer[begin : start - 1] + b"]"))
        except (msgspec.DecodeError, RecursionError):
            return False
        return bool(objects == joints + 1)  # else there is a look-alike on the way

    def _around(self, position: int) -> tuple[int, int]:
        """Return the record that the byte at `position` is in."""
        start = sz.rfind(self._buffer, JOINT, self._begin, position + len(JOINT) - 1)
        end = sz.find(self._buffer, JOINT, position, self._end)
        return start + 2 if start >= 0 else self._begin, end + 1 if end >= 0 else self._end


def canonical(buffer: Buffer, literals: Literals = NONE) -> Carved | None:
    """Take a whole buffer as CloudTrail's own shape, or say None: then `split` has to read it."""
    if native and buffer.startswith(FIRST):
        minutes: Minutes = {}
        try:
            found = native.log_file(buffer, HEAD, TAIL[1:], *_asked(literals, minutes))
        except ValueError:
            found = None
        if found:
            end, count, marked, boiled = found
            return Carved(buffer, (len(HEAD), end), count, (marked, boiled, minutes), [len(HEAD)])
    end = end_of_records(buffer)
    return _part(buffer, len(HEAD), end, literals, [len(HEAD)]) if end else None


def parts(buffer: Buffer, literals: Literals) -> Iterator[Carved | None] | None:
    """Take a buffer as `canonical` does, but part by part; a part that is not of that shape is None.

    Parts are small enough for a processor's own cache, so that only the first search in each waits for memory.
    """
    end = end_of_records(buffer)
    return _parts(buffer, end, literals) if end else None


def _parts(buffer: Buffer, end: int, literals: Literals) -> Iterator[Carved | None]:
    begin, proven = len(HEAD), [len(HEAD)]
    while end - begin > PART:
        cut = sz.rfind(buffer, JOINT, begin, begin + PART)
        if cut < 0:
            cut = sz.find(buffer, JOINT, begin, end)
            if cut < 0:
                break
        yield _part(buffer, begin, cut + 1, literals, proven)
        begin = cut + 2
    yield _part(buffer, begin, end, literals, proven)


def _part(buffer: Buffer, begin: int, end: int, literals: Literals, proven: list[int]) -> Carved | None:
    joints, times, found = _survey(buffer, begin, end, literals)
    if joints + 1 != times:
        return None  # a record starts otherwise, or has no time, or something looks like one
    return Carved(buffer, (begin, end), times, found, proven)


def _survey(buffer: Buffer, begin: int, end: int, literals: Literals) -> tuple[int, int, Found]:
    """Count joints and times, and list the records that are marked or boiled down, as `_native.survey` says."""
    minutes: Minutes = {}
    if native:
        try:
            joints, times, marked, boiled = native.survey(buffer, begin, end, *_asked(literals, minutes))
        except ValueError:
            pass  # there are literals that it does not take: many, and some short ones
        else:
            return joints, times, (marked, boiled, minutes)
    joints, times = sz.count(buffer, JOINT, begin, end), sz.count(buffer, TIME, begin, end)
    if joints + 1 != times:
        return joints, times, ([], b"", {})
    if literals.minutes:
        minutes = minutes_between(buffer, begin, end)
    return joints, times, (_marked(buffer, begin, end, literals), b"", minutes)


def each(literals: Literals) -> Iterator[tuple[int, bytes]]:
    """Yield each literal that is wanted, with its bit."""
    for number, wanted in enumerate(literals.wanted):
        for literal in wanted if isinstance(wanted, tuple) else (wanted,):
            yield bit(number), literal


def _marked(buffer: Buffer, begin: int, end: int, literals: Literals) -> list[Marked]:
    """List the records that hold a literal or an escape, as `_native.survey` does."""
    found: dict[tuple[int, int], int] = dict.fromkeys(_escaped(buffer, begin, end), HIDING)
    for value, literal in each(literals):
        for span in _spans(buffer, begin, end, literal):
            found[span] = found.get(span, 0) | value
    return [(*span, bits) for span, bits in sorted(found.items()) if literals.needs(bits)]


def _spans(buffer: Buffer, begin: int, last: int, literal: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of each record that holds a literal."""
    find, rfind = sz.find, sz.rfind
    position = find(buffer, literal, begin, last)
    while position >= 0:
        # The literal may lie in the head of its record, which is a part of the joint.
        start = rfind(buffer, JOINT, begin, min(position + len(JOINT) - 2, last))
        end = find(buffer, JOINT, position, last)
        end = end + 1 if end >= 0 else last
        yield start + 2 if start >= 0 else begin, end
        position = find(buffer, literal, end, last)


def _escaped(buffer: Buffer, begin: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of each record that holds an escape which may hide a literal."""
    position = buffer.find(b"\\", begin, last)  # one byte: memchr, faster than any search for two
    while position >= 0:
        end = sz.find(buffer, JOINT, position, last)
        end = end + 1 if end >= 0 else last
        if _ESCAPE(buffer, position, end):
            start = sz.rfind(buffer, JOINT, begin, position)
            yield start + 2 if start >= 0 else begin, end
        position = buffer.find(b"\\", end, last)


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
    start = max(sz.rfind(buffer, JOINT, 0, end) + 2, len(HEAD))
    if native and native.objects(buffer, start, end) == 1:
        return end
    try:
        _raw.decode(buffer[start:end])
    except (msgspec.DecodeError, RecursionError):
        return 0
    return end
