"""Reading is linear, whatever is read: each byte is looked at a bounded number of times."""

import re

import pytest
from wrappings import compact, dumps, read, record

from rolewatch.cloudtrail import ahead, tokens, unwrap, walk

SIZE = 15_000
# How far a pattern that does not match has looked: as far as this one matches.
FAILED = {
    "BRACKET": re.compile(tokens._BETWEEN + b"(?:" + tokens._INSIDE + rb"\\?)?"),
    "_STRING": tokens._UNFINISHED,
    "_LEAD": re.compile(rb'\{?\s*"?[^"\\\n]{0,80}'),
    "_OPEN_LIST": re.compile(rb'\{?\s*"?[A-Za-z]*"?\s*:?\s*'),
    "_STAMP": re.compile(rb"[^\n]{0,520}"),
}


class Looked:
    """Counts the bytes that patterns and decoders look at."""

    def __init__(self, monkeypatch):
        self.bytes = 0
        for module in (tokens, unwrap, walk, ahead):
            for name, value in vars(module).copy().items():
                if isinstance(value, re.Pattern):
                    monkeypatch.setattr(module, name, Pattern(name, value, self))
        for module, name in [
            *((walk, name) for name in ("classify", "repair", "values", "elements")),
            *((unwrap, name) for name in ("valid", "nesting")),
        ]:
            monkeypatch.setattr(module, name, self.counting(getattr(module, name)))
        more, take = tokens.Window.more, ahead.Ahead.take

        def counted_more(window):
            gained = more(window)
            self.bytes += len(window.buf)
            return gained

        def counted_take(reader):
            window = reader._window
            if window.offset >= reader._vain:
                self.bytes += min(len(window.buf) - window.pos, ahead.AHEAD)
            return take(reader)

        monkeypatch.setattr(tokens.Window, "more", counted_more)
        monkeypatch.setattr(ahead.Ahead, "take", counted_take)

    def counting(self, function):
        """Wrap a function whose first argument is text that it goes through."""

        def counted(text, *rest):
            self.bytes += len(text)
            return function(text, *rest)

        return counted


class Pattern:
    """A compiled pattern that reports how far it looked."""

    def __init__(self, name, pattern, looked):
        self._name, self._pattern, self._looked = name, pattern, looked

    def match(self, text, start=0):
        """Match, and count."""
        found = self._pattern.match(text, start)
        seen = found or FAILED[self._name].match(text, start)
        self._looked.bytes += seen.end() - start
        return found

    def search(self, text, start=0, end=1 << 62):
        """Search, and count."""
        found = self._pattern.search(text, start, end)
        self._looked.bytes += max((found.end() if found else min(end, len(text))) - start, 0)
        return found

    def finditer(self, text):
        """Find all, and count."""
        self._looked.bytes += len(text)
        return self._pattern.finditer(text)


def repeated(unit, head=b"", tail=b""):
    """Make content of any size from a unit."""
    return lambda size: head + unit * (size // len(unit)) + tail


HOSTILE = {
    "open lists, a line each": repeated(b'{"a":[\n'),
    "open log events, a line each": repeated(b'{"logEvents":[\n'),
    "open records, a line each": repeated(b'{"Records":[{"a":[\n'),
    "open objects, a line each": repeated(b'{"a":\n'),
    "braces, a line each": repeated(b"{\n"),
    "brackets, a line each": repeated(b"[\n"),
    "brackets": repeated(b"["),
    "objects in objects": repeated(b'{"a":'),
    "records in records": repeated(b'{"Records":['),
    "quotes": repeated(b'"'),
    "keys": repeated(b'{"'),
    "half strings, a line each": repeated(b'{"a":"\n'),
    "backslashes in a string": repeated(b"\\", b'{"a":"'),
    "escaped quotes in a string": repeated(b'\\"', b'{"a":"'),
    "half records": repeated(b'{"eventVersion":"1.08","a":[1,2\n'),
    "half lines in a list": repeated(b'{"x":1},\n{"y":[', b'{"Records":['),
    "commas": repeated(b","),
    "stamps": repeated(b'2026-03-01T00:00:00Z s {"a":[\n'),
    "stamps without a message": repeated(b"2026-03-01T00:00:00Z "),
    "text": repeated(b"hello\n"),
    "one line of text": repeated(b"hello "),
    "elements with a key each": lambda size: b'{"Records":[' + b",".join(b'{"k%d":1}' % n for n in range(size // 12)) + b"]}",
    "elements with a key a pair": lambda size: b'{"Records":[' + b",".join(b'{"k%d":1}' % (n // 2) for n in range(size // 12)) + b"]}",
    "members": repeated(b'"a":1,', b"{", b'"b":2}'),
    "record of one string": repeated(b"x", b'{"eventName":"', b'"}'),
    "elements deep in containers": repeated(b'{"eventName":1},', b'{"Records":[' * 90, b"{}" + b"]}" * 90),
    "containers in a container": repeated(b'{"Records":[{}]},', b'{"Records":[', b"{}]}"),
    "strings in strings": lambda size: compact({"message": dumps({"message": '{"a":[\n' * (size // 8)})}),
    "good lines": lambda size: (compact(record(1)) + b"\n") * (size // 300),
    "good elements": lambda size: b'{"Records":[' + (compact(record(1)) + b",") * (size // 300) + b"{}]}",
}  # fmt: skip


@pytest.mark.parametrize("size", [500, 1 << 23], ids=["small pieces", "one piece"])
@pytest.mark.parametrize("name", HOSTILE)
def test_twice_the_content_costs_twice(name, size, monkeypatch):
    """Doubling the content doubles the bytes looked at, give or take; it does not quadruple them."""
    monkeypatch.setattr("rolewatch.cloudtrail.ahead.AHEAD", 2000)
    looked = Looked(monkeypatch)
    costs = []
    for length in (SIZE, 2 * SIZE):
        looked.bytes = 0
        read(HOSTILE[name](length), size)
        costs.append(looked.bytes)
    assert costs[1] < 2.5 * costs[0]
    assert costs[1] < 60 * 2 * SIZE


def test_the_measure_tells_quadratic_from_linear(monkeypatch):
    """The count of bytes looked at would show a reader that starts over at each line."""
    looked = Looked(monkeypatch)
    costs = []
    for length in (SIZE, 2 * SIZE):
        looked.bytes = 0
        text = HOSTILE["open lists, a line each"](length)
        for start in range(0, length, 7 * 100):
            window = tokens.Window([text[start:]])
            window.peek()
            with pytest.raises(tokens.Broken):
                window.span(1 << 30)
        costs.append(looked.bytes)
    assert costs[1] > 3.5 * costs[0]
