"""What a metric transformation can refer to depends on the kind of its pattern."""

import pytest

from rolewatch.patterns import compile_pattern
from rolewatch.patterns.reference import (
    Field,
    ReferenceError_,
    parse_dimension,
    parse_number,
    parse_value,
)

NUMBERS = [("1", 1.0), ("0.5", 0.5), (".5", 0.5), ("5.", 5.0), ("-3", -3.0), ("+3", 3.0), ("1e3", 1000.0), ("1e999", None), ("", None), ("1x", None), ("nan", None), ("0x1", None), ("\uff11", None)]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), NUMBERS)
def test_numbers(text, expected):
    """A number is one that a double can hold."""
    assert parse_number(text) == expected


REFERENCES = [
    ("{ $.a = * }", "$.latency", ("latency",)),
    ("{ $.a = * }", "$.a.b[0].['k.k']", ("a", "b", 0, "k.k")),
    ("[ip, size]", "$size", Field("$size")),
    ("[ip, size]", "$2", Field("$2")),
    ("[ip, ..., size]", "$7", Field("$7")),
    ("ERROR", "5", 5.0),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), REFERENCES)
def test_references(pattern, text, expected):
    """JSON patterns have paths, space-delimited ones fields, all have numbers."""
    assert parse_value(text, compile_pattern(pattern)) == expected


WRONG = [
    ("{ $.a = * }", "$.values[*]"),
    ("{ $.a = * }", "$size"),
    ("{ $.a = * }", "$.a b"),
    ("[ip, size]", "$bytes"),
    ("[ip, size]", "$.size"),
    ("[ip, size]", "size"),
    ("ERROR", "$1"),
    ("%x%", "$.a"),
    ("", "x"),
]


@pytest.mark.parametrize(("pattern", "text"), WRONG)
def test_references_to_nothing(pattern, text):
    """The service's words for a value, and what to write instead."""
    compiled = compile_pattern(pattern)
    with pytest.raises(
        ReferenceError_, match=r"Invalid metric transformation: metric value .* must be a valid number"
    ):
        parse_value(text, compiled)
    remedy = {"{": "write a selector", "[": "write a field"}.get(pattern[:1], "remove the dimension")
    with pytest.raises(ReferenceError_, match=rf"dimension value .*\({remedy}"):
        parse_dimension(text, compiled)


def test_a_dimension_is_no_number():
    """A dimension refers to something in the record."""
    with pytest.raises(ReferenceError_):
        parse_dimension("5", compile_pattern("ERROR"))
