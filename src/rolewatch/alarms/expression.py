"""A metric math expression's text in, its tree out.

Source: "Metric math syntax and functions" of the CloudWatch guide. Weakest first, operators bind: OR, AND, comparisons,
+ and -, * and /, the sign, ^.
"""

import re
from typing import Final, NamedTuple

from rolewatch.alarms.errors import AlarmError

LONGEST: Final = 2048  # characters (API reference, MetricDataQuery)
_DEEPEST: Final = 20
_MOST: Final = 200  # tokens between operators of one level: the tree that they make is as deep


class Number(NamedTuple):
    """A number as it is written."""

    value: float
    at: int


class Text(NamedTuple):
    """A quoted text: the argument of METRICS."""

    value: str
    at: int


class Word(NamedTuple):
    """The id of a metric or expression, or a function's keyword such as REPEAT."""

    name: str
    at: int


class Call(NamedTuple):
    """A function, or an operator by its sign, with its arguments; a sign before a single value is `negative`."""

    name: str
    arguments: tuple["Node", ...]
    at: int


class Array(NamedTuple):
    """`[m1, m2]`: several series."""

    items: tuple["Node", ...]
    at: int


Node = Number | Text | Word | Call | Array

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![A-Za-z_0-9])
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<text>"[^"]*"|'[^']*')
    |(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/^<>()\[\],]))""",
    re.VERBOSE,
)
_LEVELS: Final = (
    {"OR": "OR", "||": "OR"},
    {"AND": "AND", "&&": "AND"},
    {sign: sign for sign in ("==", "!=", "<=", ">=", "<", ">")},
    {"+": "+", "-": "-"},
    {"*": "*", "/": "/"},
)


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse_expression(text: str) -> Node:
    """Parse an expression; AlarmError with the place if it is none."""
    if len(text) > LONGEST:
        raise AlarmError(f"an expression has at most {LONGEST} characters", text, LONGEST)
    parser = _Parser(text)
    node = parser.level(0, 0)
    parser.expect("", "an operator or the end")
    return node


class _Parser:
    """Reads tokens from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.at = 0

    @property
    def next(self) -> _Token:
        """The token that comes next; its text is "" at the end."""
        return self.tokens[self.at]

    def take(self, *texts: str) -> bool:
        """Go past a sign if it comes next."""
        if self.next.kind != "text" and self.next.text in texts:
            self.at += 1
            return True
        return False

    def expect(self, sign: str, wanted: str) -> None:
        """Go past a sign, or complain that something else stands there."""
        if self.next.text != sign or self.next.kind == "text":
            raise self.wrong(wanted)
        self.at += 1

    def wrong(self, wanted: str) -> AlarmError:
        """Make the error for the next token."""
        found = f"{self.next.text!r}" if self.next.text else "the end"
        return AlarmError(f"expected {wanted}, found {found}", self.text, self.next.at)

    def level(self, level: int, depth: int) -> Node:
        """Read operands of an operator that binds as strongly as `level` says, or more strongly."""
        if depth > _DEEPEST:
            raise AlarmError("the expression is nested too deeply", self.text, self.next.at)
        if level == len(_LEVELS):
            return self.signed(depth)
        node = self.level(level + 1, depth)
        start = self.at
        while self.next.kind != "text" and self.next.text in _LEVELS[level]:
            sign = self.next
            if self.at - start > _MOST:
                raise AlarmError("the expression has too many operators in a row", self.text, sign.at)
            self.at += 1
            node = Call(_LEVELS[level][sign.text], (node, self.level(level + 1, depth)), sign.at)
        return node

    def signed(self, depth: int) -> Node:
        """Read a sign and what it belongs to, or a power."""
        if depth > _DEEPEST:
            raise AlarmError("the expression is nested too deeply", self.text, self.next.at)
        sign = self.next
        if self.take("-"):
            return Call("negative", (self.signed(depth + 1),), sign.at)
        if self.take("+"):
            return self.signed(depth + 1)
        node = self.primary(depth)
        power = self.next
        if self.take("^"):
            return Call("^", (node, self.signed(depth + 1)), power.at)
        return node

    def primary(self, depth: int) -> Node:
        """Read a number, id, text, call, array or parentheses."""
        token = self.next
        if token.kind == "number":
            self.at += 1
            return Number(float(token.text), token.at)
        if token.kind == "text":
            self.at += 1
            return Text(token.text[1:-1], token.at)
        if self.take("("):
            node = self.level(0, depth + 1)
            self.expect(")", "')'")
            return node
        if self.take("["):
            return Array(self.items("]", depth), token.at)
        if token.kind != "word":
            raise self.wrong("a number, an id or a function")
        self.at += 1
        if self.take("("):
            return Call(token.text, self.items(")", depth), token.at)
        return Word(token.text, token.at)

    def items(self, close: str, depth: int) -> tuple[Node, ...]:
        """Read what stands between commas, up to the closing sign."""
        if self.take(close):
            return ()
        items = [self.level(0, depth + 1)]
        while self.take(","):
            items.append(self.level(0, depth + 1))
        self.expect(close, f"',' or '{close}'")
        return tuple(items)


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    end = len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if not found:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise AlarmError(f"{text[at]!r} cannot stand here", text, at)
        kind = found.lastgroup or ""
        tokens.append(_Token(kind, found[kind], found.start(kind)))
        at = found.end()
    return [*tokens, _Token("end", "", len(text))]
