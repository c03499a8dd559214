"""A plan in, one SQL statement out. What differs between engines stands in a `Dialect`; nothing a user typed gets in unquoted.

Every expression is total: it gives a value or NULL, and never an error. A TRUTH is never NULL, except where nothing is
asked but whether it is true (`WHERE`), which leaves comparisons as plain as an engine's own statistics need them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple

from rolewatch.plan import (
    Aggregate,
    Apply,
    Column,
    Constant,
    Distinct,
    Expression,
    Extend,
    Get,
    Group,
    Key,
    Limit,
    Order,
    Plan,
    Shown,
    Step,
    Type,
    Unnest,
    Where,
    gets,
)

#: Comparisons are NULL where something is missing.
MAY_BE_NULL = frozenset(
    ("equal", "equal_text", "less", "up_to", "less_text", "up_to_text", "contains", "matches", "among")
)
FIELDS = (
    "records"  # the relation that the first step reads; its columns are f0, f1 … in the order of `gets(plan)`
)
_NAME = re.compile(r"[a-z][0-9]+")  # of a column


class Dialect(NamedTuple):
    """How an engine writes things. Templates have `{0}`, `{1}` … for arguments, `{rest}` for those from the second on."""

    templates: Mapping[str, str]
    aggregates: Mapping[str, str]
    literal: Callable[[str | float | bool | None, Type], str]
    once: (
        str | None
    )  # evaluates `{argument}` once, and gives `{body}`, which uses it by the name `{name}`; None: in a column
    unnest: str  # of `{structure}` into `{column}`, with `{place}`s from 1, of the rows of `{source}`: a statement
    order_key: str  # what texts `{0}` are sorted by
    special: Mapping[str, Callable[[Sequence[Expression]], str]]  # make a template for arguments


def statement(plan: Plan, dialect: Dialect, fields: Sequence[Get] | None = None) -> str:
    """Write a plan as a statement over `records`, whose columns are those of `gets(plan)`, or others that are given.

    The columns of the result are o0, o1 and so on.
    """
    return _Writer(dialect, gets(plan) if fields is None else fields).statement(plan)


def matching(plan: Plan) -> Plan:
    """Make the plan that counts the records which all filters at a plan's beginning let through."""
    count = Group((), ((0, Aggregate("count", (), Type.NUMBER)),))
    return Plan((*filters_of(plan), count), (Shown("", Column(0, Type.NUMBER)),))


def filters_of(plan: Plan) -> list[Step]:
    """Give the steps at a plan's beginning that look at one record at a time."""
    return list(takewhile(lambda step: isinstance(step, Where | Extend), plan.steps))


def surviving(plan: Plan, dialect: Dialect, most: int) -> tuple[str, str] | None:
    """Write two statements over some records: the places `n` of those that a plan may still need, and of those that match.

    Those match that its first filters let through; and needed are of these, where it takes only some in an order, as many
    of the first, at most `most`. None if it may need all records.
    """
    filters = steps = filters_of(plan)
    rest = plan.steps[len(filters) :]
    if rest and isinstance(rest[0], Order) and (len(rest) == 1 or isinstance(rest[1], Limit)):
        limit = rest[1] if len(rest) > 1 and isinstance(rest[1], Limit) else Limit(most, last=False)
        steps = [*filters, rest[0], limit]
    elif not any(isinstance(step, Where) for step in steps):
        return None
    needed, matched = (_Writer(dialect, gets(plan)).places(each) for each in (steps, filters))
    return needed, matched


class _Writer:
    def __init__(self, dialect: Dialect, fields: Sequence[Get]) -> None:
        self._dialect = dialect
        self._fields = {get: f"f{number}" for number, get in enumerate(fields)}
        self._parts: list[str] = []
        self._order: list[tuple[str, bool]] = []
        self._pending: list[
            tuple[str, str]
        ] = []  # columns that what is being written needs, and what they hold
        self._made = 0

    def statement(self, plan: Plan) -> str:
        for step in plan.steps:
            self._step(step)
        shown = [f"{self.expression(each.expression)} AS o{number}" for number, each in enumerate(plan.shown)]
        self._prepare()
        last = f"SELECT {', '.join(shown) or 'NULL AS o0'} FROM {self._source}{self._order_by()}"
        return f"WITH {self._named_parts}\n{last}" if self._parts else last

    def places(self, steps: Sequence[Step]) -> str:
        for step in steps:
            self._step(step)
        self._prepare()
        parts = f"WITH {self._named_parts}\n" if self._parts else ""
        return f"{parts}SELECT n FROM {self._source} ORDER BY n"

    @property
    def _named_parts(self) -> str:
        return ",\n".join(f"s{number} AS ({part})" for number, part in enumerate(self._parts))

    @property
    def _source(self) -> str:
        return f"s{len(self._parts) - 1}" if self._parts else FIELDS

    def _select(self, made: str, tail: str = "") -> None:
        """Add a part that makes something of the rows at hand."""
        self._prepare()
        self._parts.append(f"SELECT {made} FROM {self._source}{tail}")

    def _prepare(self) -> None:
        """Add the part that makes the columns which the next one needs; each may be made of those before it."""
        if self._pending:
            made = "".join(f", {written} AS {name}" for name, written in self._pending)
            self._parts.append(f"SELECT *{made} FROM {self._source}")
            self._pending = []

    def _step(self, step: Step) -> None:
        match step:
            case Where(condition):
                self._select("*", f" WHERE {self.condition(condition)}")
            case Extend(columns):
                self._select(
                    "*" + "".join(f", {self.expression(each)} AS c{number}" for number, each in columns)
                )
            case Group(keys, aggregates):
                self._group(keys, aggregates)
            case Order(keys):
                self._set_order(keys)
            case Limit(number, last):
                self._select("*", f"{self._order_by(reverse=last)} LIMIT {number:d}")
            case Distinct(expressions):
                self._distinct(expressions)
            case Unnest(number, place, structure):
                written = self.expression(structure)
                self._prepare()
                names = {"column": f"c{number}", "place": f"c{place}", "source": self._source}
                self._parts.append(self._dialect.unnest.format(structure=written, **names))

    def _group(
        self, keys: Sequence[tuple[int, Expression]], aggregates: Sequence[tuple[int, Aggregate]]
    ) -> None:
        made = "".join(f", {self.expression(each)} AS c{number}" for number, each in keys)
        if made:
            self._select(f"*{made}")
        columns = [f"c{number}" for number, _ in keys]
        by = f" GROUP BY {', '.join(columns)}" if keys else ""
        columns += [f"{self._aggregate(aggregate)} AS c{number}" for number, aggregate in aggregates]
        self._select(", ".join(columns), by)
        self._order = []

    def _aggregate(self, aggregate: Aggregate) -> str:
        primitive, arguments, _ = aggregate
        template = self._dialect.aggregates[f"{primitive}{'' if arguments else '_rows'}"]
        written = [self._column(each, self.expression(each)) for each in arguments]
        key = [self._key(arguments[0], written[0])] if primitive.endswith("_text") else []
        return template.format(*written, *key)

    def _column(self, expression: Expression, written: str) -> str:
        """Give the name of a column with a value, where that is how the engine evaluates something once."""
        if self._dialect.once is not None or not _is_more(expression, written):
            return written
        self._made += 1
        self._pending.append((f"x{self._made}", written))
        return f"x{self._made}"

    def _set_order(self, keys: Sequence[Key]) -> None:
        """Make a column of each key that is none yet, so that it can be sorted by later as well."""
        made, order = [], []
        for expression, descending in keys:
            written = self._key(expression, self.expression(expression))
            if isinstance(expression, Get | Column) and expression.type is not Type.TEXT:
                order.append((written, descending))
                continue
            self._made += 1
            made.append(f", {written} AS k{self._made}")
            order.append((f"k{self._made}", descending))
        if made:
            self._select(f"*{''.join(made)}")
        self._order = order

    def _key(self, expression: Expression, written: str) -> str:
        """Write what values are sorted by; the text of a whole record, which only decides between equals, as it is."""
        if expression.type is not Type.TEXT or expression == Get(("@message",)):
            return written
        return self._once([(expression, written)], self._dialect.order_key)

    def _order_by(self, *, reverse: bool = False) -> str:
        keys = (
            f"{key} {'DESC NULLS LAST' if descending != reverse else 'ASC NULLS FIRST'}"
            for key, descending in self._order
        )
        written = ", ".join(keys)
        return f" ORDER BY {written}" if written else ""

    def _distinct(self, expressions: Sequence[Expression]) -> None:
        written = [self._column(each, self.expression(each)) for each in expressions]
        self._made += 1
        place = f"row_number() OVER (PARTITION BY {', '.join(written)}{self._order_by() or ' ORDER BY NULL'})"
        self._select(f"*, {place} AS r{self._made}")
        missing = " OR ".join(f"{each} IS NULL" for each in written)
        self._select("*", f" WHERE r{self._made} = 1 OR {missing}")

    def condition(self, expression: Expression) -> str:
        """Write a TRUTH of which only matters whether it is true, so that it may be NULL instead of false."""
        if isinstance(expression, Apply) and expression.primitive in ("and", "or"):
            word = f" {expression.primitive.upper()} "
            return f"({word.join(map(self.condition, expression.arguments))})"
        return self.expression(expression, may_be_null=True)

    def expression(self, expression: Expression, *, may_be_null: bool = False) -> str:
        """Write an expression."""
        match expression:
            case Column(number):
                return f"c{number}"
            case Get():
                return self._fields[expression]
            case Constant(value, type_):
                return self._dialect.literal(value, type_)
            case Apply(primitive, arguments):
                written = self._apply(primitive, arguments)
                null = primitive in MAY_BE_NULL and not may_be_null
                return f"coalesce({written}, FALSE)" if null else written

    def _apply(self, primitive: str, arguments: Sequence[Expression]) -> str:
        pairs = [(each, self.expression(each)) for each in arguments]
        if primitive in ("and", "or"):
            return f"({f' {primitive.upper()} '.join(written for _, written in pairs)})"
        if primitive == "case":
            return _case([written for _, written in pairs])
        special = self._dialect.special.get(primitive)
        if special:
            return self._once(pairs, special(arguments))
        templates = self._dialect.templates
        return self._once(pairs, templates.get(f"{primitive}_{len(arguments)}") or templates[primitive])

    def _once(self, pairs: Sequence[tuple[Expression, str]], template: str) -> str:
        """Fill in a template, so that no argument is written out twice that is more than a column or a constant."""
        names, wrapped = [], []
        for number, (expression, written) in enumerate(pairs):
            if _is_more(expression, written) and template.count(f"{{{number}}}") > 1:
                self._made += 1
                names.append(f"x{self._made}")
                wrapped.append((names[-1], written))
            else:
                names.append(written)
        body = template.format(*names, rest=", ".join(names[1:]), all=", ".join(names))
        if self._dialect.once is None:
            self._pending += wrapped
            return body
        for name, written in reversed(wrapped):
            body = self._dialect.once.format(name=name, argument=written, body=body)
        return body


def _is_more(expression: Expression, written: str) -> bool:
    """Whether what was written is more than a column or a constant, and so takes work each time it is evaluated."""
    return isinstance(expression, Apply) and not _NAME.fullmatch(written)


def _case(written: Sequence[str]) -> str:
    *pairs, default = written
    branches = " ".join(
        f"WHEN {condition} THEN {value}" for condition, value in zip(pairs[::2], pairs[1::2], strict=True)
    )
    return f"CASE {branches} ELSE {default} END"
