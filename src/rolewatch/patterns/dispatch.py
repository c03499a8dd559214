"""Conditions of many JSON patterns in; for each message only those worth testing, out.

A pattern can match only where a value that it selects is there, or is one of some texts: that decides for most patterns
of a message without looking at them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from rolewatch.patterns.conditions import Test
from rolewatch.patterns.match_json import MISSING, Get, json_test
from rolewatch.patterns.numbers import may_be_number
from rolewatch.patterns.selected import Path, Selected
from rolewatch.patterns.syntax import ANY, And, Comparison, Condition, NotExists, Or, Selector, Text

FEW = 3  # patterns that are quicker tested one by one

Row = tuple[int, Test]
Anchor = tuple[Path, frozenset[str] | None]  # there has to be a value at the path: any, or one of these texts
Anchors = tuple[Anchor, ...]  # one of them has to hold; with none there is nothing to go by


class Dispatch:
    """Tests messages against the conditions of patterns, each with a number."""

    def __init__(self, conditions: Sequence[tuple[int, Condition]], selected: Selected) -> None:
        self._always: list[Row] = []
        tables: dict[Path, _Table] = {}
        for number, condition in conditions:
            row = number, json_test(condition, selected.reach)
            found = anchors(condition) if len(conditions) > FEW else ()
            if not found:
                self._always.append(row)
            for path, texts in found:
                table = tables.setdefault(path, _Table(len(path) > 1, selected.reach(path), [], {}))
                if texts is None:
                    table.present.append(row)
                for text in texts or ():
                    table.by_text.setdefault(text, []).append(row)
        self._tables = list(tables.values())
        self._there = selected.presence(list(tables))

    def matching(self, read: Any) -> list[int]:
        """Give the numbers of the patterns that what was read of a message matches, each once, in no order."""
        matched = []
        for number, test in self._always:
            if test(read):
                matched.append(number)
        if not self._tables:
            return matched
        asked: set[int] = set()
        for there, (nested, get, present, by_text) in zip(self._there(read), self._tables, strict=True):
            if there is MISSING or (there is None and nested):
                continue
            rows = present
            if by_text:
                value = get(read)
                if type(value) is str and value in by_text:
                    rows = [*present, *by_text[value]]
            for number, test in rows:
                if number not in asked:
                    asked.add(number)
                    if test(read):
                        matched.append(number)
        return matched


class _Table(NamedTuple):
    """Patterns that need a value at a path: any value, or one of some texts."""

    nested: bool  # the path leads on from its first name
    get: Get
    present: list[Row]
    by_text: dict[str, list[Row]]


def anchors(condition: Condition) -> Anchors:
    """Give the anchors of a condition: if it holds, so does one of them."""
    if isinstance(condition, And):
        found = [each for part in condition.parts if (each := anchors(part))]
        return min(found, key=_cost, default=())
    if isinstance(condition, Or):
        parts = [anchors(part) for part in condition.parts]
        return _joined([each for part in parts for each in part]) if all(parts) else ()
    if isinstance(condition, NotExists) or not isinstance(condition.subject, Selector):
        return ()
    steps = condition.subject.steps
    if ANY in steps:  # its parent has to be there
        parent = steps[: steps.index(ANY)]
        return ((parent, None),) if parent else ()
    if isinstance(condition, Comparison) and condition.operator == "=" and isinstance(condition.value, Text):
        word = condition.value.text
        if "*" not in word and not may_be_number(word):
            return ((steps, frozenset((word,))),)
    return ((steps, None),)


def _joined(found: list[Anchor]) -> Anchors:
    """Join anchors of the same path."""
    texts: dict[Path, frozenset[str] | None] = {}
    for path, words in found:
        known = texts.get(path, frozenset())
        texts[path] = None if words is None or known is None else known | words
    return tuple(texts.items())


def _cost(found: Anchors) -> tuple[bool, int]:
    """Order anchors by how often they probably hold: texts before mere presence, few before many."""
    return any(texts is None for _, texts in found), sum(len(texts or ()) for _, texts in found) + len(found)
