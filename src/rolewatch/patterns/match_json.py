"""Conditions on a JSON object as the service decides them: recorded surprises included (spec/filter-pattern.md §5)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rolewatch.patterns import regex
from rolewatch.patterns.conditions import ORDER, Single, Test, compiled, ordered
from rolewatch.patterns.glob import glob
from rolewatch.patterns.numbers import JsonNumber, rendered, value_of
from rolewatch.patterns.syntax import ANY, Comparison, Condition, Is, NotExists, Number, Regex, Step, Value

Node = Any  # of a parsed message: dict, list, str, JsonNumber, bool or None


def json_test(condition: Condition) -> Test:
    """Compile a condition to a test of a message's object."""
    return compiled(condition, _single)


def _single(condition: Single) -> Test:
    assert not isinstance(condition.subject, str)  # noqa: S101 - that is a field of a line
    steps = condition.subject.steps
    if isinstance(condition, NotExists):
        return lambda message: not select(message, steps)
    if isinstance(condition, Is):
        return _is(condition, steps)
    return _comparison(condition, steps)


def select(node: Node, steps: Sequence[Step]) -> list[Node]:
    """Return all nodes that a path leads to: none, one, or with a wildcard any number."""
    nodes = [node]
    for step in steps:
        if step is ANY:
            nodes = [child for node in nodes for child in _children(node)]
        elif isinstance(step, int):
            nodes = [node[step] for node in nodes if type(node) is list and step < len(node)]
        else:
            nodes = [node[step] for node in nodes if type(node) is dict and step in node]
        if not nodes:
            break
    return nodes


def _children(node: Node) -> list[Node]:
    if type(node) is dict:
        return list(node.values())
    return node if type(node) is list else []


def _is(condition: Is, steps: Sequence[Step]) -> Test:
    what = condition.what
    if what is not None:
        return lambda message: any(node is what for node in select(message, steps))
    if ANY in steps:
        return lambda message: any(node is None for node in select(message, steps))
    # Without a wildcard an array that directly contains a null counts as well (recorded case S11).
    return lambda message: any(
        node is None or (type(node) is list and any(item is None for item in node))
        for node in select(message, steps)
    )


def _comparison(condition: Comparison, steps: Sequence[Step]) -> Test:
    if condition.operator in ORDER:
        test = ordered(condition.operator, condition.value, _number)
    elif condition.operator == "=":
        test = equals(condition.value)
    else:
        return _differs(condition.value, steps)
    return lambda message: any(test(node) for node in select(message, steps))


def _differs(value: Value, steps: Sequence[Step]) -> Test:
    """`!=`: a string or number that is not equal. With a wildcard: there is a parent, and nothing selected is equal."""
    equal = equals(value)
    if ANY not in steps:
        return lambda message: any(
            _can_differ(node, value) and not equal(node) for node in select(message, steps)
        )
    parent = steps[: steps.index(ANY)]
    return lambda message: (
        bool(select(message, parent)) and not any(equal(node) for node in select(message, steps))
    )


def _can_differ(node: Node, value: Value) -> bool:
    """Whether a node takes part in `!=` at all; a number beyond all doubles does not, compared with a number."""
    if type(node) is str:
        return True
    return type(node) is JsonNumber and not (isinstance(value, Number) and value_of(node) is None)


def equals(value: Value) -> Test:
    """Compile a value to a test of equality; booleans, null, objects and arrays equal nothing."""
    if isinstance(value, Number):
        text, exact = value
        return lambda node: (
            (type(node) is str and node == text) or (type(node) is JsonNumber and value_of(node) == exact)
        )
    if isinstance(value, Regex):
        search = regex.search(value.source)
        return lambda node: (
            (type(node) is str and search(node)) or (type(node) is JsonNumber and search(rendered(node)))
        )
    word = value.text
    matches = glob(word)
    if "*" in word or _may_be_number(word):
        return lambda node: (
            (type(node) is str and matches(node)) or (type(node) is JsonNumber and matches(rendered(node)))
        )
    return lambda node: type(node) is str and node == word


def _may_be_number(word: str) -> bool:
    """Whether a quoted text can be how a number is written: `"1"` equals 1."""
    return word[-1:].isdigit() or word.endswith("Infinity")


def _number(node: Node) -> Decimal | None:
    return value_of(node) if type(node) is JsonNumber else None
