"""Walks over JSON text of any of CloudTrail's shapes and hands each record to the tally.

A whole value is read at once where it fits; the elements of a list are read one after another, so that a
document of any size, or one whose end is missing, gives what is whole in it.
"""

import re
from collections.abc import Callable, Iterator

import msgspec

from rolewatch.cloudtrail import encoding
from rolewatch.cloudtrail.tally import Tally
from rolewatch.cloudtrail.tokens import Broken, Window
from rolewatch.cloudtrail.unwrap import (
    KEYS,
    LISTS,
    MAX_DEPTH,
    Found,
    Kind,
    classify,
    classify_members,
    describe,
    repair,
    valid,
)

WHOLE = 8 * 1024 * 1024  # bytes up to which a value at the top is read whole
ELEMENT = 32 * 1024 * 1024  # bytes of the longest element of a list; a record has 1 MB at most
AHEAD = 1024 * 1024  # bytes that are tried as many values at once
LINE = 1024 * 1024  # bytes of a line of text; also how much text is read before giving up on the content
MAX_WRAPPINGS = 8  # envelopes inside envelopes; three are usual (SQS, SNS, EventBridge)

_OPEN_LIST = re.compile(rb'\{\s*+"(?:' + b"|".join(sorted(key.encode() for key in LISTS)) + rb')"\s*+:\s*+\[')
_LEAD = re.compile(rb'\{\s*+"[^"\\\n]{1,80}+"')  # an object's start up to its first key
_TRACE = re.compile(
    rb"eventVersion|eventSource|eventName|eventTime|userIdentity"
)  # this was meant to be a record
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])
_VALUES = msgspec.json.Decoder(msgspec.Raw)
_END = -1

_COUNTED = {Kind.INSIGHT: "insights", Kind.DIGEST: "digests", Kind.NOTICE: "notices", Kind.CONTROL: "control"}


class Walk:
    """Reads one content: the delivery itself (level 0), or what an envelope in it holds (`place` says which)."""

    def __init__(self, window: Window, tally: Tally, level: int = 0, place: str = "") -> None:
        self._window = window
        self._tally = tally
        self._level = level
        self._place = place
        self._singly = 0  # offset up to which values are read one by one, as reading ahead failed
        self._listed = False  # inside the list of a document
        self._lines = False  # ... that spans lines

    def run(self) -> Iterator[None]:
        """Read everything; yields nothing, now and then, so that the tally can be emptied."""
        window = self._window
        while (byte := window.peek()) != _END:
            start = window.offset
            self._listed = self._lines = False
            try:
                yield from self._value(byte)
            except Broken as broken:
                goes_on = not (self._listed and self._lines) and window.next_line(start)
                self._damage(
                    broken, "the lines after it were read" if goes_on else "nothing after it was read"
                )
                if not goes_on:
                    return
            if window.offset > LINE and self._tally.hopeless:
                return
            yield

    def members(self) -> Iterator[None]:
        """Read one object member by member, its lists element by element."""
        self._window.peek()
        kept: dict[str, bytes] = {}
        try:
            yield from self._members(kept)
        except Broken:
            found = classify_members(kept)
            if found.kind is Kind.WRAPPED:  # the envelope is damaged, its content is whole
                self._take(found, b"")
            raise
        found = classify_members(kept)
        if found.kind in {Kind.RECORD, Kind.INSIGHT}:
            self._tally.damage(
                f"{self._place}a record longer than {WHOLE:,} bytes, which CloudTrail never writes"
            )
        elif found.kind is not Kind.FOREIGN or not self._listed:
            self._take(found, b"{}")

    def _value(self, byte: int) -> Iterator[None]:
        """Read one value at the top, or many of them at once."""
        window = self._window
        if byte == encoding.UTF8_MARK[0] and window.skip(encoding.UTF8_MARK):
            return
        if byte == ord("{") and window.second() in (ord('"'), ord("}"), _END):
            yield from self._object()
        elif byte == ord("[") and (window.second() in (*b'{["]', _END) or self._is_whole()):
            yield from self._list("")
        elif byte == ord('"') and self._is_whole():
            self._whole(WHOLE)
        else:
            self._text()

    def _object(self) -> Iterator[None]:
        window = self._window
        if _OPEN_LIST.match(window.buf, window.pos):
            yield from self.members()
            return
        values = self._ahead(_VALUES.decode_lines)
        if values:
            for value in values:
                self._take_raw(bytes(value))
            return
        try:
            self._whole(WHOLE)
        except Broken as broken:
            yield from self._salvage(broken)

    def _whole(self, limit: int) -> None:
        window = self._window
        end = window.span(limit)
        value = repair(window.buf[window.pos : end])
        found = classify(value)
        if found.kind is Kind.BROKEN:
            raise Broken(window.base + end, f"the value that starts at byte {window.offset:,} is no JSON")
        window.pos = end
        self._take(found, value)

    def _salvage(self, broken: Broken) -> Iterator[None]:
        """Take what is whole in a damaged or long object, and go on behind it.

        Where the damage reaches into later lines that start a value of their own, only the first line is the
        object's: the others are read again.
        """
        window = self._window
        if broken.large:
            yield from self.members()
            return
        line = window.buf.find(b"\n{", window.pos, broken.at - window.base + 2)
        if line < 0:
            try:
                yield from self.members()
            except Broken:
                raise broken from None
        else:
            first = Walk(Window([window.buf[window.pos : line]]), self._tally, self._level, self._place)
            try:
                for _ in first.members():
                    pass
            except Broken:
                pass
            window.pos = line + 1
        self._damage(broken, "the lines after it were read")

    def _members(self, kept: dict[str, bytes]) -> Iterator[None]:
        window = self._window
        window.pos += 1
        byte = window.peek()
        if byte == ord("}"):
            window.pos += 1
            return
        while True:
            if byte != ord('"'):
                raise self._unexpected("the key of an object")
            key = window.key(ELEMENT)
            if window.peek() != ord(":"):
                raise self._unexpected("a colon after a key")
            window.pos += 1
            byte = window.peek()
            if byte == ord("[") and key in LISTS:
                yield from self._list(key)
            elif byte == _END:
                raise self._unexpected("a value")
            else:
                end = window.span(ELEMENT)
                value = repair(window.buf[window.pos : end])
                if not valid(value):
                    raise Broken(window.offset, "a value that is no JSON")
                if key in KEYS:
                    kept[key] = value
                window.pos = end
            byte = window.peek()
            if byte not in b",}":
                raise self._unexpected("a comma or the end of an object")
            window.pos += 1
            if byte == ord("}"):
                return
            byte = window.peek()

    def _list(self, key: str) -> Iterator[None]:
        """Read the list at `pos`, the value of `key`, or of no key if that is empty."""
        self._listed = True
        odd = _Odd(self._tally, key)
        try:
            yield from self._elements(odd)
        finally:
            odd.report(self._place)

    def _elements(self, odd: "_Odd") -> Iterator[None]:
        window = self._window
        window.pos += 1
        if self._step() == ord("]"):
            window.pos += 1
            self._tally.counts["empty"] += 1
            return
        ordinal = 0
        while True:
            values = self._ahead(_elements)
            if values:
                for value in values:
                    ordinal += 1
                    self._take_raw(bytes(value), ordinal, odd)
                yield
                continue
            if window.pos >= len(window.buf) and window.peek() == _END:
                raise self._unexpected("an element of a list")
            ordinal += 1
            end = window.span(ELEMENT)
            value = repair(window.buf[window.pos : end])
            found = classify(value)
            if found.kind is Kind.BROKEN:
                raise Broken(window.offset, f"element {ordinal:,} is no JSON")
            window.pos = end
            self._take(found, value, ordinal, odd)
            byte = self._step()
            if byte not in b",]":
                raise self._unexpected(f"a comma or the end of the list after element {ordinal:,}")
            window.pos += 1
            if byte == ord("]"):
                return
            self._step()
            yield
