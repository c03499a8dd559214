"""Conditions on a JSON object as the service decides them: recorded surprises included (spec/filter-pattern.md §5)."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any

from rolewatch.patterns import regex
from rolewatch.patterns.conditions import ORDER, Single, Test, compiled, ordered
from rolewatch.patterns.glob import glob
from rolewatch.patterns.numbers import JsonNumber, may_be_number, rendered, value_of
from rolewatch.patterns.syntax import ANY, Comparison, Condition, Is, NotExists, Number, Regex, Step, Value


class Missing(Enum):
    """What a path leads to that leads nowhere."""

    MISSING = "missing"


MISSING = Missing.MISSING
Node = Any  # of a parsed message: dict, list, str, a number as `Numeric`, bool or None; or MISSING
NUMBERS = frozenset((JsonNumber, int))  # and not bool, which is an int to Python alone
Get = Callable[[Any], Node]
# Makes a function of a path without wildcards that gives the node it leads to, of whatever stands for a message.
Reach = Callable[[tuple[Step, ...]], Get]


def json_test(condition: Condition, reach: Reach | None = None) -> Test:
    """Compile a condition to a test of a message's object, or of what `reach` knows to read."""
    reach = reach or reach_parsed
    return compiled(condition, lambda single: _single(single, reach))


def reach_parsed(steps: tuple[Step, ...]) -> Get:
    """Give the function that follows a path without wildcards through a parsed message."""

    def get(node: Node) -> Node:
        for step in steps:
            if type(node) is dict:
                node = node.get(step, MISSING)
            elif type(node) is list and type(step) is int and step < len(node):
                node = node[step]
            else:
                return MISSING
        return node

    return get


def _single(condition: Single, reach: Reach) -> Test:
    assert not isinstance(condition.subject, str)  # noqa: S101 - that is a field of a line
    steps = condition.subject.steps
    if ANY in steps:
        return _on_any(condition, reach(steps[: steps.index(ANY)]), steps[steps.index(ANY) :])
    get = reach(steps)
    if isinstance(condition, NotExists):
        return lambda message: get(message) is MISSING
    test = _is(condition.what) if isinstance(condition, Is) else _comparison(condition)
    return lambda message: test(get(message))


def _on_any(condition: Single, parent: Get, steps: Sequence[Step]) -> Test:
    """Compile a condition on what a path with a wildcard, which begins `steps`, leads to below a parent."""
    if isinstance(condition, NotExists):
        return lambda message: not select(parent(message), steps)
    if isinstance(condition, Is):
        what = condition.what
        return lambda message: any(node is what for node in select(parent(message), steps))
    if condition.operator == "!=":  # there is a parent, and nothing selected is equal
        equal = equals(condition.value)
        return lambda message: (
            (node := parent(message)) is not MISSING and not any(map(equal, select(node, steps)))
        )
    test = _comparison(condition)
    return lambda message: any(map(test, select(parent(message), steps)))


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


def _is(what: bool | None) -> Test:  # noqa: FBT001 - it is what the value has to be
    if what is not None:
        return lambda node: node is what
    # An array that directly contains a null counts as well (recorded case S11).
    return lambda node: node is None or (type(node) is list and any(item is None for item in node))


def _comparison(condition: Comparison) -> Test:
    if condition.operator in ORDER:
        return ordered(condition.operator, condition.value, _number)
    equal = equals(condition.value)
    if condition.operator == "=":
        return equal
    value = condition.value
    return lambda node: _can_differ(node, value) and not equal(node)


def _can_differ(node: Node, value: Value) -> bool:
    """Whether a node takes part in `!=` at all; a number beyond all doubles does not, compared with a number."""
    if type(node) is str:
        return True
    return type(node) in NUMBERS and not (isinstance(value, Number) and value_of(node) is None)


def equals(value: Value) -> Test:
    """Compile a value to a test of equality; booleans, null, objects and arrays equal nothing."""
    if isinstance(value, Number):
        text, exact = value
        return lambda node: (
            node == text if type(node) is str else type(node) in NUMBERS and value_of(node) == exact
        )
    if isinstance(value, Regex):
        matches = regex.search(value.source)
    elif "*" in value.text or may_be_number(value.text):
        matches = glob(value.text)
    else:
        word = value.text
        return lambda node: bool(node == word)
    return lambda node: (
        matches(node) if type(node) is str else type(node) in NUMBERS and matches(rendered(node))
    )


def _number(node: Node) -> Decimal | None:
    return value_of(node) if type(node) in NUMBERS else None
