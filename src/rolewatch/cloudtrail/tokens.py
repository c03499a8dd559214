"""A window over a stream of JSON text that finds where values end, without decoding them.

It is tolerant on purpose: it knows strings and brackets only. Whether what it cut out is JSON is checked by
the decoder that reads it next (`unwrap.classify`).
"""

import json
import re
from collections.abc import Iterable, Iterator

_SPACE = re.compile(rb"[ \t\r\n]*+")
_INSIDE = rb'"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+'  # a string without its last quote; no line ends inside one
_STRING = re.compile(_INSIDE + rb'"')
_UNFINISHED = re.compile(_INSIDE + rb"\\?")
_BETWEEN = rb'[^"{}\[\]]*+(?:' + _INSIDE + rb'"[^"{}\[\]]*+)*+'  # all that does not change the depth
_PLAIN = re.compile(_BETWEEN)
BRACKET = re.compile(_BETWEEN + rb"[{}\[\]]")  # up to the next change of depth
_SCALAR = re.compile(rb'[^\s,:"{}\[\]]*+')
_BEFORE_MESSAGE = rb'[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][^{\n]{1,500}+(?=\{\s*+")'  # as `aws logs tail` prints it
_STAMP = re.compile(_BEFORE_MESSAGE)
_LINE = re.compile(rb"\n(?:[{\[]|" + _BEFORE_MESSAGE + rb")")  # the start of a line that starts a value
_LONGEST_STAMP = 1024  # more bytes than a stamp has, and the start of what follows
_BLANKS = b" \t\r\n"
_BEFORE_VALUE = b"[,:"  # what a value inside another one can come after


class Broken(Exception):  # noqa: N818 - damage found at a place; split's Damaged is the error users see
    """Damage at a byte of the content: `at` is its offset and `what` says what is wrong.

    `reach` is how far the content was looked at, `cut` says that its end is missing, `large` that there is nothing
    wrong but the size.
    """

    def __init__(self, at: int, what: str, *, reach: int = 0, cut: bool = False, large: bool = False) -> None:
        super().__init__(at, what)
        self.at = at
        self.what = what
        self.reach = reach or at
        self.cut = cut
        self.large = large


class Window:
    """The part of a stream that is being looked at: `buf[pos:]` is unread, `buf[0]` is byte `base` of the content.

    Positions are indices into `buf`; anything that may read on (`more`) first drops what lies before `pos`, all but
    one byte.
    Whatever the source raises ends the stream and is kept in `failure`, so that what is whole can be used first.
    """

    __slots__ = ("_chunks", "base", "buf", "ended", "failure", "pos")

    def __init__(self, chunks: Iterable[bytes], base: int = 0) -> None:
        self._chunks: Iterator[bytes] = iter(chunks)
        self.base = base
        self.buf = b""
        self.ended = False
        self.failure: Exception | None = None
        self.pos = 0

    @property
    def offset(self) -> int:
        """The offset in the content of the next unread byte."""
        return self.base + self.pos

    def more(self) -> bool:
        """Read on until the unread part has doubled (so that looking again costs no more than twice); False at the end."""
        if self.ended:
            return False
        start = max(self.pos - 1, 0)
        left = self.buf[start:]
        parts = [left] if left else []
        gained = 0
        while gained <= len(left):
            try:
                chunk = next(self._chunks, None)
            except Exception as error:  # noqa: BLE001 - raised by split after everything whole was yielded
                self.failure = error
                chunk = None
            if chunk is None:
                self.ended = True
                break
            if chunk:
                parts.append(chunk)
                gained += len(chunk)
        self.base += start
        self.pos -= start
        self.buf = bytes(parts[0]) if len(parts) == 1 else b"".join(parts)
        return gained > 0

    def peek(self) -> int:
        """Skip white space and return the next byte, or -1 at the end of the content."""
        while True:
            self.pos = _end(_SPACE, self.buf, self.pos)
            if self.pos < len(self.buf):
                return self.buf[self.pos]
            if not self.more():
                return -1

    def second(self) -> int:
        """Return the byte that follows the next one, white space aside, or -1 at the end; nothing is taken."""
        while True:
            end = _end(_SPACE, self.buf, self.pos + 1)
            if end < len(self.buf):
                return self.buf[end]
            if not self.more():
                return -1

    def fill(self, size: int) -> None:
        """Read on until this many bytes are unread, or the content ends."""
        while len(self.buf) - self.pos < size and self.more():
            pass

    def skip(self, word: bytes) -> bool:
        """Take these bytes if they are next."""
        self.fill(len(word))
        if not self.buf.startswith(word, self.pos):
            return False
        self.pos += len(word)
        return True

    def goes_on(self, closer: bytes, what: str) -> bool:
        """Take the comma after a part of a list or object; False, taking nothing, at its end."""
        byte = self.peek()
        if byte == ord(","):
            self.pos += 1
        elif byte != ord(closer):
            raise self.unexpected(f"a comma or the end of the {what}")
        return byte == ord(",")

    def unexpected(self, expected: str) -> Broken:
        """Return the error that says what is at `pos` instead of what should be."""
        if self.peek() < 0:
            return Broken(self.offset, f"the content ends where {expected} should be", cut=True)
        return Broken(self.offset, f"{_shown(self.buf, self.pos)} where {expected} should be")

    def key(self, limit: int) -> str:
        """Take the string that starts at `pos`, a key of an object, and return what it says."""
        end = self._string(limit)
        try:
            name = json.loads(self.buf[self.pos : end].decode(errors="replace"))
        except ValueError:
            raise Broken(self.offset, "a key that is no JSON string") from None
        self.pos = end
        return str(name)

    def span(self, limit: int) -> int:
        """Return where the value ends that starts at `pos`, which stays.

        Raises Broken if it is cut off, longer than `limit` bytes, or another line's value starts inside it.
        """
        first = self.buf[self.pos]
        if first == ord('"'):
            end = self._string(limit)
        elif first in b"{[":
            end = self._nested(limit)
        else:
            end = self._scalar(limit)
        if end - self.pos > limit:
            raise self._too_large(limit)
        return end

    def line(self, limit: int) -> bytes:
        """Take the rest of the line, its end included, or `limit` bytes of a longer one."""
        while True:
            end = self.buf.find(b"\n", self.pos, self.pos + limit)
            if end < 0 and len(self.buf) - self.pos < limit and self.more():
                continue
            end = end + 1 if end >= 0 else min(len(self.buf), self.pos + limit)
            text = self.buf[self.pos : end]
            self.pos = end
            return text

    def stamp(self) -> bool:
        """Take the time and name that an export of a log group has before each message, if they are next."""
        self.fill(_LONGEST_STAMP)
        found = _STAMP.match(self.buf, self.pos)
        if found:
            self.pos = found.end()
        return found is not None

    def prose(self) -> bytes:
        """Take the lines up to the next one that starts a value, as far as they are in `buf`."""
        found = _LINE.search(self.buf, max(self.pos - 1, 0))
        end = found.start() + 1 if found else self.buf.rfind(b"\n", self.pos) + 1
        text = self.buf[self.pos : end]
        self.pos = max(self.pos, end)
        return text

    def next_line(self, after: int) -> bool:
        """Move to the next line that starts a value, beyond byte `after` of the content; False if there is none."""
        while True:
            found = _LINE.search(self.buf, self.pos - (self.pos > 0 and self.offset > after))
            if found:
                self.pos = found.start() + 1
                return True
            self.pos = max(self.pos, len(self.buf) - _LONGEST_STAMP)
            if not self.more():
                self.pos = len(self.buf)
                return False

    def line_start(self, reach: int) -> int:
        """Return where in `buf` the next line starts that starts a value, up to byte `reach` of the content; -1 if none."""
        found = _LINE.search(self.buf, self.pos, max(reach - self.base + 1, 0))
        return found.start() + 1 if found else -1

    def _nested(self, limit: int) -> int:
        depth = 0
        at = 0  # relative to pos: reading on moves pos
        while True:
            found = BRACKET.match(self.buf, self.pos + at)
            if found is None:
                at = self._stuck(_end(_PLAIN, self.buf, self.pos + at), limit)
                continue
            end = found.end()
            bracket = self.buf[end - 1]
            at = end - self.pos
            if bracket in b"{[":
                depth += 1
                if bracket == ord("{") and self.buf[end - 2] == ord("\n") and depth > 1:
                    self._check_line(end - 1)
            else:
                depth -= 1
                if not depth:
                    return end

    def _stuck(self, end: int, limit: int) -> int:
        """Read on where no bracket was found up to `end`, and return how far the value was understood."""
        if end < len(self.buf):  # a quote without its partner
            self._check_string(end)
        at = end - self.pos
        self._grow(limit)
        return at

    def _grow(self, limit: int) -> None:
        if len(self.buf) - self.pos > limit:
            raise self._too_large(limit)
        if not self.more():
            raise Broken(self.base + len(self.buf), "the content ends in the middle of a value", cut=True)

    def _too_large(self, limit: int) -> Broken:
        what = f"a value that is longer than {limit:,} bytes, which CloudTrail never writes"
        return Broken(self.offset, what, reach=self.base + len(self.buf), large=True)

    def _check_string(self, start: int) -> None:
        end = _end(_UNFINISHED, self.buf, start)
        if end < len(self.buf):
            raise Broken(self.base + end, "a line ends inside a string")

    def _check_line(self, start: int) -> None:
        """Raise Broken if a `{` at a line's start cannot belong to the value before it (a half-written line)."""
        before = start - 1
        while self.buf[before] in _BLANKS:
            before -= 1
        if self.buf[before] not in _BEFORE_VALUE:
            raise Broken(self.base + start, "a new value starts before the one on the line above is complete")

    def _string(self, limit: int) -> int:
        while True:
            found = _STRING.match(self.buf, self.pos)
            if found:
                return found.end()
            self._check_string(self.pos)
            self._grow(limit)

    def _scalar(self, limit: int) -> int:
        while True:
            end = _end(_SCALAR, self.buf, self.pos)
            if end == self.pos:
                raise Broken(self.offset, f"{_shown(self.buf, end)} where a value should be")
            if end < len(self.buf) or end - self.pos > limit or not self.more():
                return end


def _shown(buf: bytes, at: int) -> str:
    """Quote one byte for a message."""
    return repr(buf[at : at + 1])[1:]


def _end(pattern: re.Pattern[bytes], buf: bytes, at: int) -> int:
    """Return where a pattern that also matches nothing stops."""
    found = pattern.match(buf, at)
    return found.end() if found else at
