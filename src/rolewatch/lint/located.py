"""A pattern that parses in; its conditions, each with its place in the text, out.

The parser keeps no places, for it has no use for them. Single conditions stand in the text in the order of the parsed
tree, so it is enough to find where each begins and ends; `&&`, `||` and parentheses are read once more around them.
"""

import re
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from rolewatch.lint.advice import Span
from rolewatch.patterns import Pattern
from rolewatch.patterns.syntax import (
    And,
    Comparison,
    Condition,
    Is,
    Json,
    Line,
    NotExists,
    Or,
    Selector,
    Step,
)

Single = Comparison | Is | NotExists
Path = tuple[Step, ...]
_TOKEN = re.compile(
    r"""(?P<value>"[^"]*"|%[^%]*%|\.\['.*?'\])|(?P<mark>&&|\|\||[(),])|(?P<space>\s+)|(?P<other>.)""",
    re.DOTALL,
)


class Leaf(NamedTuple):
    """A single condition: `text` as written at `span`, `outer` with the parentheses around it alone."""

    condition: Single
    text: str
    span: Span
    outer: Span

    @property
    def path(self) -> Path:
        """What is tested: the steps of a selector, or a field of a line."""
        subject = self.condition.subject
        return subject.steps if isinstance(subject, Selector) else (subject,)


class Branch(NamedTuple):
    """Conditions with `&&` or `||` between them; `enclosed` says whether parentheses stand around them."""

    kind: Literal["&&", "||"]
    parts: "tuple[Node, ...]"
    span: Span
    outer: Span
    enclosed: bool


Node = Leaf | Branch


def located(pattern: Pattern) -> Node | None:
    """Locate the conditions of a JSON pattern; None for other kinds."""
    parsed = pattern.parsed
    if not isinstance(parsed, Json):
        return None
    text = pattern.text
    start, end = text.index("{") + 1, text.rindex("}")
    return _Reader(text, _pieces(text, start, end), iter(singles(parsed.condition))).any_of()


def fields(pattern: Pattern) -> list[tuple[Span, Node | None]]:
    """Locate the fields of a space-delimited pattern with their conditions; an ellipsis is left out."""
    parsed = pattern.parsed
    if not isinstance(parsed, Line):
        return []
    text = pattern.text
    start, end = text.index("[") + 1, text.rindex("]")
    parts: list[list[_Piece]] = [[]]
    for piece in _pieces(text, start, end):
        if piece.text == ",":
            parts.append([])
        else:
            parts[-1].append(piece)
    written = [part for part in parts if "".join(piece.text for piece in part) != "..."]
    found: list[tuple[Span, Node | None]] = []
    for field, part in zip(parsed.fields, written, strict=False):
        span = (part[0].span[0], part[-1].span[1]) if part else (end, end)
        condition = field.condition
        node = _Reader(text, part, iter(singles(condition))).any_of() if condition else None
        found.append((span, node))
    return found


def leaves(node: Node) -> Iterator[Leaf]:
    """Yield the single conditions of a tree in the order of the text."""
    if isinstance(node, Leaf):
        yield node
    else:
        for part in node.parts:
            yield from leaves(part)


def branches(node: Node) -> Iterator[Branch]:
    """Yield the branches of a tree, an outer one before those in it."""
    if isinstance(node, Branch):
        yield node
        for part in node.parts:
            yield from branches(part)


def singles(condition: Condition) -> Iterator[Single]:
    """Yield the single conditions of a parsed tree in the order of the text."""
    if isinstance(condition, And | Or):
        for part in condition.parts:
            yield from singles(part)
    else:
        yield condition


def replaced(text: str, span: Span, new: str) -> str:
    """Put `new` in the place of a span."""
    return text[: span[0]] + new + text[span[1] :]


def without(text: str, branch: Branch, number: int) -> str:
    """Leave out a part of a branch that has others, with the operator beside it."""
    parts = branch.parts
    if number:
        return replaced(text, (parts[number - 1].outer[1], parts[number].outer[1]), "")
    return replaced(text, (parts[0].outer[0], parts[1].outer[0]), "")


class _Piece(NamedTuple):
    text: str  # an operator, a parenthesis, a comma, or a single condition
    span: Span
    mark: bool


def _pieces(text: str, start: int, end: int) -> list[_Piece]:
    """Cut what stands between braces or brackets into marks and what is between them."""
    found: list[_Piece] = []
    begin = last = None
    for token in _TOKEN.finditer(text, start, end):
        if token["mark"]:
            if begin is not None and last is not None:
                found.append(_Piece(text[begin:last], (begin, last), mark=False))
            begin = None
            found.append(_Piece(token[0], token.span(), mark=True))
        elif not token["space"]:
            begin, last = token.start() if begin is None else begin, token.end()
    if begin is not None and last is not None:
        found.append(_Piece(text[begin:last], (begin, last), mark=False))
    return found


class _Reader:
    def __init__(self, text: str, pieces: list[_Piece], conditions: Iterator[Single]) -> None:
        self._text = text
        self._pieces = pieces
        self._at = 0
        self._conditions = conditions

    def any_of(self) -> Node:
        return self._joined("||", lambda: self._joined("&&", self._one))

    def _joined(self, kind: Literal["&&", "||"], part: Callable[[], "Node"]) -> Node:
        parts = [part()]
        while self._next() == kind:
            self._at += 1
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        span = (parts[0].outer[0], parts[-1].outer[1])
        return Branch(kind, tuple(parts), span, span, enclosed=False)

    def _one(self) -> Node:
        # `a (= 1 || = 2)`: the name of a line's field before the parenthesis belongs to none of the conditions.
        if not self._pieces[self._at].mark and self._next(1) == "(":
            self._at += 1
        piece = self._pieces[self._at]
        self._at += 1
        if piece.text != "(":
            return Leaf(next(self._conditions), piece.text, piece.span, piece.span)
        node = self.any_of()
        outer = (piece.span[0], self._pieces[self._at].span[1])
        self._at += 1
        if isinstance(node, Leaf):
            return node._replace(outer=outer)
        return node._replace(outer=outer, enclosed=True)

    def _next(self, further: int = 0) -> str:
        at = self._at + further
        return self._pieces[at].text if at < len(self._pieces) else ""
