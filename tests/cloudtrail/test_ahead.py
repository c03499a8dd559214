"""Many values at once are the values one by one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wrappings import compact, lines, record

from rolewatch.cloudtrail.ahead import Ahead, elements, values
from rolewatch.cloudtrail.tokens import Window

RECORDS = [record(number) for number in range(20)]


def taken(content, decode):
    """Take what can be taken at once; returns the values, their places, and what is left."""
    window = Window([content])
    window.peek()
    found = Ahead(window, decode).take()
    return (
        [json.loads(value) for _, value in found],
        [offset for offset, _ in found],
        content[window.offset :],
    )


@pytest.mark.parametrize("end", [b"\n", b"\r\n\r\n", b"", b" "])
def test_values(end):
    """Values on lines or not are taken, all but the last, each with its place."""
    content = b" " + lines(RECORDS, end)
    found, places, rest = taken(content, values)
    assert (RECORDS[:-1], compact(RECORDS[-1]) + end) == (found, rest)
    assert all(
        content.startswith(compact(item), place) for item, place in zip(RECORDS[:-1], places, strict=True)
    )


@pytest.mark.parametrize("joint", [b",", b" ,\n  "])
def test_elements(joint):
    """Elements of a list are taken, all but the last, each with its place."""
    content = joint.join(map(compact, RECORDS)) + b"]}"
    found, places, rest = taken(content, elements)
    assert (RECORDS[:-1], compact(RECORDS[-1]) + b"]}") == (found, rest)
    assert all(
        content.startswith(compact(item), place) for item, place in zip(RECORDS[:-1], places, strict=True)
    )


@pytest.mark.parametrize(
    ("content", "decode"),
    [
        (b'{"a":1}{"a":2},{"a":3}', elements),  # a comma is missing
        (b'{"a":1},,{"a":2}', elements),  # one too many
        (b'{"a":1},2{"a":2}', elements),
        (b'{"a":1}]}\n{"a":2}', elements),  # the list ends before
        (b'{"a":1},{"a":2}', values),
        (b'{"a":[{"a":2}]}', values),  # what looks like another value is inside the first
        (b'{"a":1}\n{"b":2}', values),  # nothing looks like the first
        (b'{"a":tru}\n{"a":2}', values),
        (b"[1]\n[2]", values),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_at_once(content, decode):
    """Where anything is unusual or wrong, nothing is taken."""
    assert ([], [], content) == taken(content, decode)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from("ab"),
            st.integers()
            | st.text(max_size=3)
            | st.lists(st.dictionaries(st.just("a"), st.just(1)), max_size=2),
        ),
        min_size=1,
    )
)
def test_what_is_taken_is_right(items):
    """Whatever the values, those taken are the first of them, and the rest is left."""
    for content, decode in ((lines(items), values), (compact(items)[1:], elements)):
        found, _, rest = taken(content, decode)
        assert items[: len(found)] == found
        left = lines(items[len(found) :]) if decode is values else compact(items[len(found) :])[1:]
        assert left == rest
