"""Walks over JSON text of any of CloudTrail's shapes and hands each record to the tally.

A whole value is read at once where it fits; the elements of a list are read one after another, so that a
document of any size, or one whose end is missing, gives what is whole in it. Where all goes well, many values
are decoded at once. Where something is broken, reading goes on at the next line that starts a value.
"""

import re
from collections.abc import Generator, Iterator
from contextlib import suppress

from rolewatch.cloudtrail import encoding, unwrap
from rolewatch.cloudtrail.ahead import Ahead, Values, elements, values
from rolewatch.cloudtrail.gunzip import Allowance, GunzipError
from rolewatch.cloudtrail.tally import Damaged, Tally
from rolewatch.cloudtrail.tokens import Broken, Window
from rolewatch.cloudtrail.unwrap import KEYS, LISTS, Found, Kind, classify, repair

WHOLE = 8 * 1024 * 1024  # bytes up to which a value at the top is read whole, and of a line of text
ELEMENT = 16 * 1024 * 1024  # bytes of the longest element of a list; a record has 1 MB at most
MAX_WRAPPINGS = 8  # envelopes inside envelopes; three are usual (SQS, SNS, EventBridge)

_OPEN_LIST = re.compile(rb'\{\s*+"(?:' + "|".join(sorted(LISTS)).encode() + rb')"\s*+:\s*+\[')
# A key that shows text to be part of a record.
_TRACE = re.compile(rb'"(?:eventVersion|eventSource|eventName|eventTime|userIdentity)\\*+"\s*+:')
_SPACE = b" \t\r\n"
_END = -1

_COUNTED = {Kind.INSIGHT: "insights", Kind.DIGEST: "digests", Kind.NOTICE: "notices", Kind.CONTROL: "control"}


class Walk:
    """Reads one content: the delivery itself (level 0), or what an envelope in it holds (`place` says which)."""

    def __init__(
        self, window: Window, tally: Tally, allowance: Allowance, level: int = 0, place: str = ""
    ) -> None:
        self._window = window
        self._tally = tally
        self._allowance = allowance
        self._level = level
        self._place = place
        self._values = Ahead(window, values)
        self._elements = Ahead(window, elements)
        self._ours = False  # what is being read is CloudTrail's, by the keys seen so far

    def run(self) -> Iterator[None]:
        """Read everything; yields nothing, now and then, so that the tally can be emptied.

        Damage is noted in the tally. Raises only what the source of the window raised, if that is no damage.
        """
        window = self._window
        while (byte := window.peek()) != _END:
            start = window.offset
            if self._tally.hopeless:
                self._tally.stop(f"{self._place}byte {start:,}")
                return
            self._ours = False
            try:
                yield from self._value(byte)
            except Broken as broken:
                yield from self._recover(start, broken)
            yield
        failure = window.failure
        if isinstance(failure, Damaged | GunzipError):
            self._tally.damage(self._place + failure.reason)
        elif failure:
            self._tally.flush()
            yield
            raise failure

    def members(self) -> Generator[None, None, Found]:
        """Read one object member by member, its lists element by element; returns what it is apart from those.

        Raises Broken, after taking what is whole in it.
        """
        self._window.peek()
        start = self._window.offset
        kept: dict[str, bytes] = {}
        try:
            yield from self._members(kept)
        except Broken:
            found = unwrap.classify_members(kept)
            if found.kind is Kind.WRAPPED:  # the envelope is damaged, its content is whole
                yield from self.take(found, b"", start)
            raise
        return unwrap.classify_members(kept)

    def _value(self, byte: int) -> Iterator[None]:
        """Read one value at the top, or many of them at once."""
        window = self._window
        if byte == ord("{") and window.second() in (ord('"'), ord("}"), _END):
            yield from self._object()
        elif byte == ord("["):
            yield from self._list("")
        elif byte == ord(","):  # between values, as in a list without its brackets
            window.pos += 1
        elif not (byte == encoding.UTF8_MARK[0] and window.skip(encoding.UTF8_MARK)):
            yield from self._text()

    def _object(self) -> Iterator[None]:
        window = self._window
        many = self._values.take()
        if many:
            yield from self._take_all(many, None)
        elif _OPEN_LIST.match(window.buf, window.pos):
            yield from self.members()
        else:
            try:
                yield from self._whole(WHOLE, None)
            except Broken as broken:
                yield from self._salvage(broken)

    def _whole(self, limit: int, key: str | None) -> Iterator[None]:
        """Read one value whole: one at the top, or an element of the list under a key."""
        window = self._window
        start = window.offset
        end = window.span(limit)
        value = repair(window.buf[window.pos : end])
        found = classify(value)
        if found.kind is Kind.BROKEN:
            broken = Broken(start, "a value that is no JSON", reach=window.base + end)
            if key is None:
                raise broken
            self._lose(broken, value)
        window.pos = end
        yield from self.take(found, value, start, key)

    def _salvage(self, broken: Broken) -> Iterator[None]:
        """Take what is whole in a damaged or long object.

        Where the damage reaches into later lines that start a value of their own, only the first line is the
        object's; `_recover` sees to the others.
        """
        window = self._window
        start = window.offset
        line = -1 if broken.large else window.line_start(broken.reach)
        if line >= 0:
            first = self._inner(Window([window.buf[window.pos : line]], start), self._place, deeper=0)
            with suppress(Broken):
                yield from first.members()
            raise broken
        found = yield from self.members()
        if broken.large and found.kind is Kind.RECORD:
            self._lose(broken, b"")
        elif broken.large and found.kind is Kind.FOREIGN:
            self._tally.foreign("a large JSON object", "JSON")
        elif broken.large or found.kind is Kind.WRAPPED:
            yield from self.take(found, b"", start)

    def _recover(self, start: int, broken: Broken) -> Iterator[None]:
        """Note the damage in the value that began at `start`, and go on at the next line that starts a value.

        Lines before the place where the damage showed may have been taken for parts of the broken value. Each of
        them is read for itself: another attempt that might reach as far would take quadratic time.
        """
        window = self._window
        text = window.buf[window.pos : max(broken.reach - window.base, 0)]
        goes_on = window.next_line(start if broken.reach == window.offset else window.offset)
        lost = "" if broken.cut else "; nothing after it was read"
        self._lose(broken, text, "; the lines after it were read" if goes_on else lost)
        while (line := window.line_start(broken.reach)) >= 0 and not self._tally.hopeless:
            inner = Window([window.buf[window.pos : line]], window.offset)
            yield from self._inner(inner, self._place, deeper=0).run()
            window.pos = line

    def _members(self, kept: dict[str, bytes]) -> Iterator[None]:
        """Read an object, keeping the members that tell what it is."""
        window = self._window
        room = WHOLE
        window.pos += 1
        byte = window.peek()
        more = byte != ord("}")
        while more:
            if byte != ord('"'):
                raise window.unexpected("the key of an object")
            key = window.key(WHOLE)
            self._ours = self._ours or key in unwrap.TELLING
            if window.peek() != ord(":"):
                raise window.unexpected("a colon after a key")
            window.pos += 1
            byte = window.peek()
            if byte == ord("[") and key in LISTS:
                yield from self._list(key)
            elif byte == _END:
                raise window.unexpected("a value")
            else:
                end = window.span(room if key in KEYS else ELEMENT)
                value = repair(window.buf[window.pos : end])
                if not unwrap.valid(value):
                    self._lose(Broken(window.offset, "a value that is no JSON"), value)
                elif key in KEYS:
                    kept[key] = value
                    room -= len(value)
                window.pos = end
            more = window.goes_on(b"}", "object")
            byte = window.peek()
        window.pos += 1

    def _list(self, key: str) -> Iterator[None]:
        """Read the list at `pos`, the value of `key`, or of no key if that is empty."""
        window = self._window
        self._ours = self._ours or key in unwrap.OURS
        window.pos += 1
        byte = window.peek()
        if byte == ord("]"):
            self._tally.counts["empty"] += 1
        more = byte != ord("]")
        while more:
            many = self._elements.take()
            if many:
                yield from self._take_all(many, key)
                continue
            if window.peek() == _END:
                raise window.unexpected("an element of a list")
            yield from self._whole(ELEMENT, key)
            more = window.goes_on(b"]", "list")
            window.peek()
            yield
        window.pos += 1

    def _text(self) -> Iterator[None]:
        """Read a line that starts like no list or object, and all like it that follow if it is no JSON."""
        window = self._window
        if window.stamp():
            return
        start = window.offset
        line = window.line(WHOLE).strip(_SPACE)
        found = classify(repair(line))
        if found.kind is not Kind.BROKEN:
            yield from self.take(found, line, start)
            return
        self._lose(Broken(start, "text that is no JSON, but names keys of a record"), line + window.prose())

    def _take_all(self, many: Values, key: str | None) -> Iterator[None]:
        for offset, raw in many:
            value = repair(raw)
            found = classify(value)
            if found.kind is Kind.RECORD:
                self._tally.record(value)
            else:
                yield from self.take(found, value, offset, key)
        yield

    def take(self, found: Found, value: bytes, start: int, key: str | None = None) -> Iterator[None]:
        """Take one value for what it is; `key` is the list's that it is an element of."""
        tally, kind = self._tally, found.kind
        if kind is Kind.RECORD:
            tally.record(value)
        elif kind in _COUNTED:
            tally.counts[_COUNTED[kind]] += 1
        elif kind is Kind.DEEP and self._is_ours(value):
            self._lose(Broken(start, f"a value nested deeper than {unwrap.MAX_DEPTH} levels"), value)
        elif kind in {Kind.WRAPPED, Kind.CONTAINER}:
            if self._level == MAX_WRAPPINGS:
                tally.damage(f"{self._place}an envelope inside {MAX_WRAPPINGS} others")
            elif kind is Kind.CONTAINER:
                yield from self._inner(Window([value], start), self._place).members()
            else:
                yield from self._open(
                    found.content, self._place or f"inside the envelope at byte {start:,}: "
                )
        elif kind is Kind.DEEP:
            tally.foreign(f"JSON nested deeper than {unwrap.MAX_DEPTH} levels", "JSON")
        elif kind is not Kind.BROKEN:
            if kind is Kind.FOREIGN and key in unwrap.UNMIXED:
                tally.odd(f"{self._place}at byte {start:,}")
            tally.foreign(unwrap.describe(value), "JSON")

    def _open(self, content: bytes, place: str) -> Iterator[None]:
        """Read what an envelope holds, mostly a single value."""
        content = content.strip(_SPACE)
        value = repair(content) if content[:1] == b"{" else b""
        found = classify(value)
        if found.kind is Kind.RECORD:
            self._tally.record(value)
        elif found.kind is Kind.BROKEN:
            yield from self._inner(Window(encoding.text([content], self._allowance)), place).run()
        else:
            yield from self._inner(Window([]), place).take(found, value, 0)

    def _inner(self, window: Window, place: str, *, deeper: int = 1) -> "Walk":
        return Walk(window, self._tally, self._allowance, self._level + deeper, place)

    def _is_ours(self, text: bytes) -> bool:
        """Whether text that is no record is part of one."""
        return self._ours or _TRACE.search(text) is not None

    def _lose(self, broken: Broken, text: bytes, sequel: str = "") -> None:
        """Note damage in a piece of text; where nothing shows that it is CloudTrail's, it is no loss."""
        tally = self._tally
        tally.counts["broken"] += 1
        if self._is_ours(text):
            if not (broken.cut and self._window.failure):  # the failure says why the end is missing
                tally.damage(f"{self._place}damaged at byte {broken.at:,}: {broken.what}{sequel}")
        elif self._level:
            tally.foreign("messages that are no records", "JSON")
        else:
            tally.text(f"at byte {broken.at:,}", *encoding.describe(text), lines=text.count(b"\n") + 1)
