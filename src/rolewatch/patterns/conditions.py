"""What JSON patterns and those of lines have in common: `&&`, `||` and parentheses, and what is more or less."""

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from rolewatch.patterns.scanner import Scanner
from rolewatch.patterns.syntax import And, Comparison, Condition, Is, NotExists, Number, Or, Value

DEEPEST = 64  # parentheses

Test = Callable[[Any], bool]  # whose result is True or False, nothing that only counts as such
Single = Comparison | Is | NotExists

ORDER: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Conditions:
    """Reads conditions, each by `one`, with `&&` and `||` between them and parentheses around them."""

    def __init__(self, scanner: Scanner, one: Callable[[], Condition]) -> None:
        self._scanner = scanner
        self._single = one

    def any_of(self, depth: int = 0) -> Condition:
        """Parse conditions with `||` between them, which binds less than `&&`."""
        parts = [self._all_of(depth)]
        while self._next("||"):
            parts.append(self._all_of(depth))
        return Or(tuple(parts)) if len(parts) > 1 else parts[0]

    def _all_of(self, depth: int) -> Condition:
        parts = [self._one(depth)]
        while self._next("&&"):
            parts.append(self._one(depth))
        return And(tuple(parts)) if len(parts) > 1 else parts[0]

    def _one(self, depth: int) -> Condition:
        if not self._next("("):
            return self._single()
        if depth == DEEPEST:
            raise self._scanner.error()
        condition = self.any_of(depth + 1)
        if not self._next(")"):
            raise self._scanner.error()
        return condition

    def _next(self, text: str) -> bool:
        self._scanner.skip_space()
        return self._scanner.take(text)


def compiled(condition: Condition, single: Callable[[Single], Test]) -> Test:
    """Compile a condition to a test; `single` compiles what is neither And nor Or."""
    if not isinstance(condition, And | Or):
        return single(condition)
    parts = [compiled(part, single) for part in condition.parts]
    decisive = isinstance(condition, Or)  # the first part that is so decides

    def test(subject: Any) -> bool:
        for part in parts:  # a loop takes a third of the time of any() or all() with a generator
            if part(subject) is decisive:
                return decisive
        return not decisive

    return test


def ordered(sign: str, value: Value, number_of: Callable[[Any], Decimal | None]) -> Test:
    """Compile a comparison by size; `number_of` gives a subject's number, None where it has none."""
    assert isinstance(value, Number)  # noqa: S101 - the parser lets nothing else through
    compare, exact = ORDER[sign], value.value

    def test(subject: Any) -> bool:
        found = number_of(subject)
        return found is not None and compare(found, exact)

    return test
