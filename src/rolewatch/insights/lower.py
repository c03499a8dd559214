"""Expressions of a query in, expressions of a plan out: every conversion spelled out. Rules: docs/insights.md."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from rolewatch.insights.errors import QueryError
from rolewatch.insights.names import canonical
from rolewatch.insights.primitives import PRIMITIVES, WITH_PERIOD
from rolewatch.insights.syntax import (
    Call,
    Expression,
    Field,
    List,
    Nested,
    Number,
    Period,
    Query,
    Regex,
    Span,
    Star,
    Text,
    Truth,
)
from rolewatch.patterns.regex import compiled
from rolewatch.plan import Aggregate, Apply, Column, Constant, Get, Type
from rolewatch.plan import Expression as Node

TEXT, NUMBER, TRUTH, TIME, STRUCTURE = Type.TEXT, Type.NUMBER, Type.TRUTH, Type.TIME, Type.STRUCTURE
TIMESTAMP: Final = Get(("@timestamp",), TIME)
MESSAGE: Final = Get(("@message",))
_REFERENCE: Final = re.compile(r"\\(\d)")
_REPLACEMENT: Final = re.compile(r"(?:[^\\]|\\[\d\\])*", re.DOTALL)
_ARITHMETIC: Final = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "%": "remainder",
    "^": "power",
}
_ORDER: Final = {"<": ("less", False), ">": ("less", True), "<=": ("up_to", False), ">=": ("up_to", True)}


class Moments(NamedTuple):
    """The range of time that a query is about, in milliseconds since 1970."""

    start: int
    end: int


#: What queries within a query gave, by where they stand.
Found = Mapping[Span, Sequence[Constant]]


class Lowering:
    """Translates expressions where `names` are the columns known so far, by their names."""

    def __init__(self, query: Query, moments: Moments, found: Found | None = None) -> None:
        self._query = query
        self._moments = moments
        self._found = found
        self.aliases: dict[str, Callable[[Field], Node]] = {}  # of the two sides of a join
        self.names: dict[str, Column] = {}
        self.offset = 0  # milliseconds by which bins are moved
        self.only_names = False  # after stats there are no fields of records any more
        self._special: dict[str, Callable[[Call], Node]] = {
            "and": self._joined,
            "or": self._joined,
            "not": lambda call: inverted(self.truth(call.arguments[0])),
            "negative": self._negative,
            **dict.fromkeys(_ARITHMETIC, self._arithmetic),
            "=": self._equal,
            "!=": lambda call: inverted(self._equal(call)),
            **dict.fromkeys(_ORDER, self._ordered),
            "like": self._like,
            "not-like": lambda call: inverted(self._like(call)),
            "in": self._in,
            "not-in": lambda call: inverted(self._in(call)),
            **dict.fromkeys(WITH_PERIOD, self._period),
            "ispresent": lambda call: Apply("present", (as_scalar(self.value(call.arguments[0])),), TRUTH),
            "isnumeric": lambda call: Apply("present", (as_number(self.value(call.arguments[0])),), TRUTH),
            **dict.fromkeys(("tonumber", "todouble"), lambda call: as_number(self.value(call.arguments[0]))),
            "frommillis": lambda call: as_time(as_number(self.value(call.arguments[0]))),
            "tomillis": lambda call: as_number(as_time(self.value(call.arguments[0]))),
            "coalesce": self._coalesce,
            "regexreplace": self._regex_replace,
            "if": self._case,
            "case": self._case,
            **dict.fromkeys(("now", "querystarttime", "queryendtime", "querytimerange"), self._clock),
            "messagesize": lambda _: Apply("bytes", (self._implied("@message", MESSAGE),), NUMBER),
            "unmask": lambda call: self.value(call.arguments[0]),
        }

    def value(self, expression: Expression) -> Node:
        """Translate an expression of whatever type."""
        match expression:
            case Number(value):
                return Constant(float(value), NUMBER)
            case Text(value):
                return Constant(value, TEXT)
            case Truth(value):
                return Constant(value, TRUTH)
            case Field():
                return self._field(expression)
            case Call():
                known = self.names.get(canonical(expression)) if self.only_names else None
                return known or self._function(expression)
            case _:
                raise self._error("this cannot stand here", expression)

    def truth(self, expression: Expression) -> Node:
        """Translate a condition."""
        return as_truth(self.value(expression))

    def aggregate(self, call: Call) -> Aggregate:
        """Translate a call of a function of several rows."""
        arguments = [self.value(each) for each in call.arguments if not isinstance(each, Star)]
        name = call.name
        if name == "count":
            return Aggregate("count", tuple(map(as_scalar, arguments)), NUMBER)
        if name == "count_distinct":
            return Aggregate(name, (as_text(arguments[0]),), NUMBER)
        if name == "pct":
            share = arguments[1]
            if (
                not isinstance(share, Constant)
                or not isinstance(share.value, float)
                or not 0 <= share.value <= 100
            ):
                raise self._error("pct takes a percentage from 0 to 100", call.arguments[1])
            return Aggregate(name, (as_number(arguments[0]), share), NUMBER)
        if name in ("sum", "avg", "stddev", "variance"):
            return Aggregate(name, (as_number(arguments[0]),), NUMBER)
        if name == "values":
            return Aggregate("values_text", (as_text(arguments[0]),), STRUCTURE)
        value = as_scalar(arguments[0])
        if name in ("earliest", "latest"):
            return Aggregate(name, (value, self._implied("@timestamp", TIMESTAMP)), value.type)
        ordered = "_text" if value.type is TEXT else ""
        kind = {"sortsfirst": "min", "sortslast": "max"}.get(name, name)
        return Aggregate(f"{kind}{ordered}", (value,), value.type)

    def _implied(self, name: str, record: Get) -> Node:
        return self.names.get(name, record)

    def _field(self, field: Field) -> Node:
        """Translate a field: a column by its whole name, what a column's structure holds, or a leaf of the record."""
        steps = field.steps
        side = self.aliases.get(str(steps[0])) if len(steps) > 1 else None
        if side:
            return side(field._replace(steps=steps[1:]))
        for size in range(len(steps), 0, -1):
            column = self.names.get(Field(steps[:size], field.span).name)
            if column and size == len(steps):
                return column
            if column and column.type is STRUCTURE:
                path = tuple(Constant(str(step), TEXT) for step in steps[size:])
                return Apply("inside", (column, *path), STRUCTURE)
        if self.only_names:
            return Constant(None, TEXT)
        if field.name == "@timestamp":
            return TIMESTAMP
        return Get(tuple(map(str, steps)))

    def _joined(self, call: Call) -> Node:
        return Apply(call.name, tuple(map(self.truth, call.arguments)), TRUTH)

    def _arithmetic(self, call: Call) -> Node:
        numbers = tuple(as_number(self.value(each)) for each in call.arguments)
        return Apply(_ARITHMETIC[call.name], numbers, NUMBER)

    def _negative(self, call: Call) -> Node:
        value = self.value(call.arguments[0])
        if isinstance(value, Constant) and isinstance(value.value, float):
            return Constant(-value.value, NUMBER)
        return Apply("negative", (as_number(value),), NUMBER)

    def _equal(self, call: Call) -> Node:
        return equal(self.value(call.arguments[0]), self.value(call.arguments[1]))

    def _ordered(self, call: Call) -> Node:
        primitive, swapped = _ORDER[call.name]
        left, right = (as_scalar(self.value(each)) for each in call.arguments)
        if swapped:
            left, right = right, left
        if left.type is TEXT and right.type is TEXT:
            return Apply(f"{primitive}_text", (left, right), TRUTH)
        return Apply(primitive, (as_number(left), as_number(right)), TRUTH)

    def _like(self, call: Call) -> Node:
        text, needle = as_text(self.value(call.arguments[0])), call.arguments[1]
        if isinstance(needle, Regex):
            return Apply("matches", (text, Constant(needle.source, TEXT)), TRUTH)
        return Apply("contains", (text, self.value(needle)), TRUTH)

    def _in(self, call: Call) -> Node:
        value, values = self.value(call.arguments[0]), call.arguments[1]
        items = self._items(values)
        if not items:
            return Constant(False, TRUTH)  # noqa: FBT003 - that is its value
        if as_scalar(value).type is TEXT and all(item.type is TEXT for item in items):
            return Apply("among", (as_scalar(value), *items), TRUTH)
        if len(items) > 1 and all(item.type is NUMBER for item in items):
            return Apply("among", (as_number(value), *items), TRUTH)
        found = tuple(equal(value, item) for item in items)
        return found[0] if len(found) == 1 else Apply("or", found, TRUTH)

    def _items(self, values: Expression) -> list[Node]:
        if isinstance(values, Nested):
            if self._found is None:
                raise self._error("a query within a query cannot stand here", values)
            return list(self._found.get(values.span, ()))
        assert isinstance(values, List)  # noqa: S101 - the parser lets nothing else through
        return [self.value(item) for item in values.items]

    def _function(self, call: Call) -> Node:
        special = self._special.get(call.name)
        if special:
            return special(call)
        primitive = PRIMITIVES[call.name]
        arguments = [self.value(each) for each in call.arguments]
        wanted = (*primitive.arguments, *primitive.optional)
        if primitive.more:
            wanted += (primitive.more,) * (len(arguments) - len(wanted))
        for number, given in enumerate(arguments):
            if number in primitive.constants and not isinstance(given, Constant):
                raise self._error(f"{call.name} takes a quoted text here", call.arguments[number])
        converted = (converter_of(kind)(given) for kind, given in zip(wanted, arguments, strict=False))
        return Apply(primitive.name, tuple(converted), primitive.type)

    def _period(self, call: Call) -> Node:
        period = call.arguments[-1]
        assert isinstance(period, Period)  # noqa: S101 - the parser lets nothing else through
        time = (
            self._implied("@timestamp", TIMESTAMP)
            if call.name == "bin"
            else as_time(self.value(call.arguments[0]))
        )
        if call.name == "bin" and self.offset:
            time = as_time(Apply("add", (as_number(time), Constant(float(self.offset), NUMBER)), NUMBER))
        up = "ceiling" if call.name == "dateceil" else "floor"
        if period.months:
            return Apply(f"{up}_months", (as_time(time), Constant(period.months, TIME)), TIME)
        return Apply(f"{up}_time", (as_time(time), Constant(period.milliseconds, TIME)), TIME)

    def _coalesce(self, call: Call) -> Node:
        return Apply("coalesce", *self._alike(call.arguments))

    def _case(self, call: Call) -> Node:
        """Translate `if(c, t, f)` and `case(c1, v1, …, default)`, whose default may be left out."""
        *pairs, last = call.arguments if len(call.arguments) % 2 else (*call.arguments, None)
        conditions = [self.truth(each) for each in pairs[::2] if each is not None]
        values, kind = self._alike([*pairs[1::2], last])
        arguments = [each for pair in zip(conditions, values, strict=False) for each in pair]
        return Apply("case", (*arguments, values[-1]), kind)

    def _alike(self, expressions: Sequence[Expression | None]) -> tuple[tuple[Node, ...], Type]:
        """Translate expressions to one type: their own if they share one, else texts."""
        found = [Constant(None, TEXT) if each is None else self.value(each) for each in expressions]
        types = {each.type for each in found if not (isinstance(each, Constant) and each.value is None)}
        if len(types) == 1:
            kind = types.pop()
            return tuple(Constant(None, kind) if isinstance(each, Constant) and each.value is None else each for each in found), kind  # fmt: skip
        return tuple(map(as_text, found)), TEXT

    def _regex_replace(self, call: Call) -> Node:
        """Translate a replacement, whose expression and references have to be right."""
        text, *written = call.arguments
        source, replacement = map(self._quoted, written)
        try:
            groups: int = compiled(source).groups
        except ValueError:
            raise self._error("not a regular expression that RE2 takes", written[0]) from None
        if not _REPLACEMENT.fullmatch(replacement) or any(
            int(number) > groups for number in _REFERENCE.findall(replacement)
        ):
            message = f"a replacement refers to the {groups} groups of its expression by \\1 and so on"
            raise self._error(message, written[1])
        arguments = (as_text(self.value(text)), Constant(source, TEXT), Constant(replacement, TEXT))
        return Apply("regexreplace", arguments, TEXT)

    def _quoted(self, expression: Expression) -> str:
        if not isinstance(expression, Text):
            raise self._error("regexReplace takes a quoted text here", expression)
        return expression.value

    def _clock(self, call: Call) -> Node:
        start, end = self._moments
        known = {
            "now": end // 1000, "querystarttime": start, "queryendtime": end, "querytimerange": end - start,
        }  # fmt: skip
        return Constant(float(known[call.name]), NUMBER)

    def _error(self, message: str, expression: Expression) -> QueryError:
        return QueryError(message, self._query.text, *expression.span)


def as_scalar(value: Node) -> Node:
    """Give the text of what was reached in a structure, and all else as it is."""
    return Apply("leaf", (value,), TEXT) if value.type is STRUCTURE else value


def as_text(value: Node) -> Node:
    """Convert to a text."""
    value = as_scalar(value)
    return value if value.type is TEXT else Apply(f"text_of_{value.type.value}", (value,), TEXT)


def as_number(value: Node) -> Node:
    """Convert to a number."""
    value = as_scalar(value)
    return value if value.type is NUMBER else Apply(f"number_of_{value.type.value}", (value,), NUMBER)


def as_time(value: Node) -> Node:
    """Convert to a time; a number is taken for milliseconds."""
    return value if value.type is TIME else Apply("time_of_number", (as_number(value),), TIME)


def as_truth(value: Node) -> Node:
    """Convert to a truth."""
    value = as_scalar(value)
    return value if value.type is TRUTH else Apply(f"truth_of_{value.type.value}", (value,), TRUTH)


def as_structure(value: Node) -> Node:
    """Leave a structure as it is; nothing else is one."""
    return value if value.type is STRUCTURE else Constant(None, STRUCTURE)


def inverted(truth: Node) -> Node:
    """Give the opposite of a truth."""
    return Apply("not", (truth,), TRUTH)


def equal(left: Node, right: Node) -> Node:
    """Compare two values: as numbers if one of them is a number, a truth or a time, else as texts."""
    left, right = as_scalar(left), as_scalar(right)
    if left.type is TEXT and right.type is TEXT:
        return Apply("equal_text", (left, right), TRUTH)
    return Apply("equal", (as_number(left), as_number(right)), TRUTH)


def converter_of(kind: Type) -> Callable[[Node], Node]:
    """Give the conversion to a type."""
    return {TEXT: as_text, NUMBER: as_number, TIME: as_time, TRUTH: as_truth, STRUCTURE: as_structure}[kind]
