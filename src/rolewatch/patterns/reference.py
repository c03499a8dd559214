"""What a metric transformation refers to, in; where to find it in a message, out (spec/metric-filter.md §2)."""

import re
from typing import NamedTuple

from rolewatch.base.errors import UsageError
from rolewatch.patterns.errors import PatternError
from rolewatch.patterns.match import Pattern
from rolewatch.patterns.parse_json import parse_selector
from rolewatch.patterns.selected import Path
from rolewatch.patterns.syntax import ANY, Json, Line

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_NUMBER_ONLY = "write a number: only JSON and space-delimited patterns have values to refer to"
_NO_DIMENSION = "remove the dimension: only JSON and space-delimited patterns have values to refer to"


class Field(NamedTuple):
    """A field of a line, by the key under which a space-delimited pattern extracts it: `$size`, `$3`."""

    key: str


Reference = Path | Field


class ReferenceError_(UsageError):  # noqa: N801, N818 - ReferenceError is Python's own
    """A metric transformation refers to what its pattern cannot give."""


def parse_number(text: str) -> float | None:
    """Read a metric value that is a number, such as `1` or `0.5`; None if it is anything else, or beyond all doubles."""
    number = float(text) if _NUMBER.fullmatch(text) else None
    return None if number in (float("inf"), float("-inf")) else number


def parse_value(text: str, pattern: Pattern) -> float | Reference:
    """Read a transformation's `metricValue`: a number, or what the pattern's kind can refer to."""
    number = parse_number(text)
    if number is not None:
        return number
    found = _reference(text, pattern)
    if found is None:
        raise ReferenceError_(
            f"Invalid metric transformation: metric value {text} must be a valid number",
            remedy=f"write a number, or {_given(pattern)}" if _given(pattern) else _NUMBER_ONLY,
        )
    return found


def parse_dimension(text: str, pattern: Pattern) -> Reference:
    """Read the value of one of a transformation's dimensions."""
    found = _reference(text, pattern)
    if found is None:
        raise ReferenceError_(
            f"Invalid metric transformation: dimension value {text} refers to nothing that the pattern gives",
            remedy=f"write {_given(pattern)}" if _given(pattern) else _NO_DIMENSION,
        )
    return found


def _reference(text: str, pattern: Pattern) -> Reference | None:
    parsed = pattern.parsed
    if isinstance(parsed, Json):
        try:
            path = parse_selector(text).steps
        except PatternError:
            return None
        return None if ANY in path else path
    if isinstance(parsed, Line) and text.startswith("$"):
        names = {field.name for field in parsed.fields if field.name}
        if text[1:] in names or re.fullmatch(r"\$[1-9][0-9]{0,3}", text):
            return Field(text)
    return None


def _given(pattern: Pattern) -> str | None:
    """Say what can be referred to."""
    if isinstance(pattern.parsed, Json):
        return "a selector without wildcard such as $.latency"
    return "a field of the pattern such as $size" if isinstance(pattern.parsed, Line) else None
