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
        self._tests = [
            (number, line_test(field.condition))
            for number, field in enumerate(line.fields)
            if field.condition
        ]
        self._ellipsis = line.ellipsis
        self._whole = len(self._names) == 1 and line.ellipsis is None  # the one field is the line
        # How many tokens are enough, where they may be anything.
        self.least = None if self._tests else 0 if self._whole else len(self._names)

    def match(self, message: str) -> Mapping[str, str] | None:
        """Return the values of a message's fields by `$name` or `$position`; None if it does not match."""
        cut = tokens(message)
        if not self.matches(message, cut):
            return None
        values: dict[str, str] = {}
        if self._ellipsis is not None or not self._names:
            values = {f"${place}": text for place, (text, _) in enumerate(cut, 1)}
        for number, name in enumerate(self._names):
            place = self._place(number, len(cut))
            if name:
                values.pop(f"${place + 1}", None)
            values[f"${name or place + 1}"] = self._text(message, cut, number)
        return values

    def matches(self, message: str, cut: list[Token]) -> bool:
        """Tell whether a message matches, of which the tokens are given."""
        if len(cut) < len(self._names) and not self._whole:
            return False
        for number, test in self._tests:  # noqa: SIM110 - all() with a generator takes three times as long
            if not test(self._text(message, cut, number)):
                return False
        return True

    def _place(self, number: int, found: int) -> int:
        """Tell which of as many tokens as were found is a field: those behind an ellipsis are counted from the end."""
        behind = self._ellipsis is not None and number >= self._ellipsis
        return found - len(self._names) + number if behind else number

    def _text(self, message: str, cut: list[Token], number: int) -> str:
        """Give the text of a field; where there are more tokens, the last one is the rest of the line as it is."""
        if self._whole:
            return message
        if self._ellipsis is None and number == len(self._names) - 1 and len(cut) > len(self._names):
            return message[cut[number][1] :]
        return cut[self._place(number, len(cut))][0]


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
