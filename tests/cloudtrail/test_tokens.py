"""The window over a stream finds where values end, in pieces of any size."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wrappings import pieces

from rolewatch.cloudtrail.tokens import Broken, Window

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def opened(content, size=1 << 20):
    """Open a window at the first byte of content that is no white space."""
    window = Window(pieces(content, size))
    window.peek()
    return window


@given(
    VALUES,
    st.sampled_from([None, 1, "\t"]),
    st.sampled_from([b"", b" ", b",1", b"]", b' "x"']),
    st.integers(1, 9),
)
def test_span_ends_where_the_value_ends(value, indent, rest, size):
    """Whatever the value, what follows it and the size of the pieces, `span` finds its end."""
    text = json.dumps(value, indent=indent).encode()
    window = opened(text + rest, size)
    end = window.span(1 << 20)
    assert text == window.buf[window.pos : end]


@pytest.mark.parametrize("size", [1, 2, 1 << 20])
@pytest.mark.parametrize(
    ("content", "place", "what", "cut"),
    [
        (b'{"a":[1', 7, "the content ends in the middle of a value", True),
        (b'{"a":"x', 7, "the content ends in the middle of a value", True),
        (b'"x\\"', 4, "the content ends in the middle of a value", True),
        (b'{"a":"x\n"}', 7, "a line ends inside a string", False),
        (b'"x\\\n"', 3, "a line ends inside a string", False),
        (b'{"a":1\n{"b":2}', 7, "a new value starts before the one on the line above is complete", False),
        (b"]", 0, "']' where a value should be", False),
        (b":1", 0, "':' where a value should be", False),
    ],
)
def test_span_of_what_has_no_end(content, place, what, cut, size):
    """A value without an end is broken at the byte where that shows."""
    with pytest.raises(Broken) as broken:
        opened(content, size).span(1 << 20)
    assert (place, what, cut) == (broken.value.at, broken.value.what, broken.value.cut)


@pytest.mark.parametrize("content", [b'{"a":\n{"b":2}}', b'[1,\n{"b":2}]', b'[\n{"b":2}\n,\n{"c":3}]'])
def test_lines_inside_a_value(content):
    """A brace at a line's start is part of a value where a value may stand."""
    window = opened(content)
    assert len(content) == window.span(1 << 20)


@pytest.mark.parametrize("size", [1, 1 << 20])
@pytest.mark.parametrize(
    "content",
    [b'{"a":"' + b"x" * 100 + b'"}', b'"' + b"x" * 100 + b'"', b"1" * 100, b"[" + b"1," * 50 + b"1]"],
)
def test_span_is_limited(content, size):
    """A value longer than the limit is too large, and its place is where it starts."""
    with pytest.raises(Broken) as broken:
        opened(b"  " + content + b" " * 100, size).span(50)
    assert (broken.value.at, broken.value.large) == (2, True)
    assert broken.value.reach > 50


def test_peek_and_second_skip_white_space():
    """The next byte and the one that follows it are found across pieces; at the end there is none."""
    window = Window([b" \r", b"\n", b"", b"{ ", b"\t", b'"', b" "])
    assert (ord("{"), ord('"'), 3) == (window.peek(), window.second(), window.offset)
    window.pos += 1
    assert (ord('"'), -1) == (window.peek(), window.second())
    window.pos += 1
    assert (window.peek(), window.peek()) == (-1, -1)


def test_key_is_unescaped():
    """A key is returned as what it says."""
    window = opened(b'"\\u0065vent" : 1', 1)
    assert (window.key(100), window.offset) == ("event", 12)


@pytest.mark.parametrize("size", [1, 3, 1 << 20])
def test_next_line(size):
    """The next line that starts a value, or a time stamp and a value, is found; others are passed over."""
    content = b'x\ny {\n {"a"\n{"b"\n2026-03-01T00:00:00Z no value\n2026-03-01T00:00:00Z s {"c"\n[1\n"d"'
    window = opened(content, size)
    found = []
    while window.next_line(window.offset):
        found.append(window.offset)
    assert [content.index(start) for start in (b'{"b"', b"2026-03-01T00:00:00Z s", b"[1")] == found
    assert (-1, len(content)) == (window.peek(), window.offset)


def test_next_line_may_be_here():
    """Beyond the byte that is asked for, the place itself is a line's start if it is one."""
    window = opened(b'x\n{"a"')
    window.pos = 2
    assert (window.next_line(0), window.offset) == (True, 2)
    assert window.next_line(2) is False


@pytest.mark.parametrize("size", [1, 5, 1 << 20])
def test_line(size):
    """A line is taken with its end, a long one in parts, the last without an end."""
    window = opened(b"ab\n\ncdefgh\ni", size)
    assert [window.line(4) for _ in range(6)] == [b"ab\n", b"\n", b"cdef", b"gh\n", b"i", b""]


@pytest.mark.parametrize(("content", "goes_on", "left"), [(b" ,1", True, 2), (b"]", False, 0)])
def test_goes_on(content, goes_on, left):
    """A comma is taken, the end of the list is left."""
    window = opened(content)
    assert (goes_on, left) == (window.goes_on(b"]", "list"), window.offset)


@pytest.mark.parametrize(
    ("content", "what", "cut"),
    [
        (b"}", "'}' where a comma or the end of the list should be", False),
        (b"\xff", "'\\xff' where a comma or the end of the list should be", False),
        (b" ", "the content ends where a comma or the end of the list should be", True),
    ],
)
def test_does_not_go_on(content, what, cut):
    """Anything else is broken, and said to be what it is."""
    with pytest.raises(Broken) as broken:
        opened(content).goes_on(b"]", "list")
    assert (what, cut) == (broken.value.what, broken.value.cut)


def test_failure_of_the_source_ends_the_stream():
    """What the source raises is kept, and what it gave before can be used."""

    def source():
        yield b"[1"
        raise OSError("gone")

    window = Window(source())
    with pytest.raises(Broken):
        opened_at_first(window).span(100)
    assert (window.buf, str(window.failure)) == (b"[1", "gone")


def opened_at_first(window):
    """Move a window to its first byte."""
    window.peek()
    return window


def test_offsets_of_a_part():
    """A window over a part of a content counts from that part's place."""
    window = Window([b"  1"], 100)
    window.peek()
    assert window.offset == 102
