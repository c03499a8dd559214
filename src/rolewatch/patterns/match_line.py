"""Space-delimited patterns on a line: which token is which field, conditions on them, what is extracted (§6)."""

import re
from collections.abc import Mapping
from decimal import Decimal

from rolewatch.patterns import regex
from rolewatch.patterns.conditions import ORDER, Single, Test, compiled, ordered
from rolewatch.patterns.glob import glob
from rolewatch.patterns.messages import Token, tokens
from rolewatch.patterns.syntax import Comparison, Condition, Line, Number, Regex

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,9})?")


class LineMatcher:
    """Matches lines against the fields of a pattern."""

    def __init__(self, line: Line) -> None:
        self._names = [field.name for field in line.fields]
        self._tests = [field.condition and line_test(field.condition) for field in line.fields]
        self._ellipsis = line.ellipsis

    def match(self, message: str, cut: list[Token] | None = None) -> Mapping[str, str] | None:
        """Return the values of a message's fields by `$name` or `$position`; None if it does not match.

        `cut` are the message's tokens, if the caller has them.
        """
        whole = len(self._names) == 1 and self._ellipsis is None  # the one field is the line
        found = [Token(message, 0)] if whole else tokens(message) if cut is None else cut
        fields = self._fields(message, found)
        if fields is None:
            return None
        for (_, text), test in zip(fields, self._tests, strict=False):
            if test and not test(text):
                return None
        return self._extracted(found, fields)

    def _fields(self, message: str, found: list[Token]) -> list[tuple[int, str]] | None:
        """Give position and text of each field of the pattern."""
        count = len(self._names)
        if len(found) < count:
            return None
        if self._ellipsis is not None:
            behind = count - self._ellipsis
            places = [*range(self._ellipsis), *range(len(found) - behind, len(found))]
            return [(place + 1, found[place].text) for place in places]
        return [(place + 1, text) for place, text in enumerate(_texts(message, found, count))]

    def _extracted(self, found: list[Token], fields: list[tuple[int, str]]) -> dict[str, str]:
        values: dict[str, str] = {}
        if self._ellipsis is not None or not self._names:
            values = {f"${place}": token.text for place, token in enumerate(found, 1)}
        for (place, text), name in zip(fields, self._names, strict=False):
            if name:
                values.pop(f"${place}", None)
            values[f"${name or place}"] = text
        return values


def _texts(message: str, found: list[Token], count: int) -> list[str]:
    """Give a text for each field; where there are more tokens, the last field is the rest of the line as it is."""
    texts = [token.text for token in found[:count]]
    if count and len(found) > count:
        texts[-1] = message[found[count - 1].start :]
    return texts


def line_test(condition: Condition) -> Test:
    """Compile the condition on a field to a test of its text."""
    return compiled(condition, _single)


def _single(condition: Single) -> Test:
    assert isinstance(condition, Comparison)  # noqa: S101 - a field has no other conditions
    if condition.operator in ORDER:
        return ordered(condition.operator, condition.value, _number)
    equal = _equals(condition)
    return equal if condition.operator == "=" else lambda text: not equal(text)


def _equals(condition: Comparison) -> Test:
    value = condition.value
    if isinstance(value, Number):
        return lambda text: _number(text) == value.value
    if isinstance(value, Regex):
        return regex.search(value.source)
    return glob(value.text)


def _number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None
