"""A log alarm in; the plan of its query, one row for each contributor, out; AlarmError with the character that is wrong.

The AggregationExpression is `stats` behind the QueryString. What it may hold is documented: one value of a few functions, at
most five fields behind `by`, and a `sort`.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Final, NamedTuple

from rolewatch.alarms.errors import AlarmError
from rolewatch.insights.errors import QueryError
from rolewatch.insights.functions import AGGREGATES
from rolewatch.insights.lower import Moments, as_number, as_text
from rolewatch.insights.parse import parse_query
from rolewatch.insights.planner import plan_query
from rolewatch.insights.syntax import Call, Query, Sort, Span, Stats
from rolewatch.insights.syntax import Expression as Written
from rolewatch.plan import (
    Apply,
    Column,
    Constant,
    Expression,
    Extend,
    Group,
    Key,
    Limit,
    Order,
    Plan,
    Shown,
    Step,
    Type,
    Where,
)
from rolewatch.templates.definitions import LogAlarm, Place

_NEVER: Final = Moments(0, 0)
_ONCE: Final = Moments(86_400_000, 172_800_000)
#: `| sort desc`, by the only value there is.
_BY_VALUE: Final = re.compile(r"\|\s*sort\s+(asc|desc)\s*$", re.IGNORECASE)
FUNCTIONS: Final = ("count", "avg", "sum", "min", "max")
MOST_FIELDS: Final = 5


class Question(NamedTuple):
    """The plan of a log alarm's query: it shows the contributor's attributes, called `names`, as texts, and then its value.

    `lead` are its first steps, as far as they look at one record at a time and are the same at any time. A `timely` plan
    depends on when it is asked.
    """

    plan: Plan
    names: tuple[str, ...]
    lead: tuple[Step, ...]
    timely: bool

    @property
    def grouped(self) -> bool:
        """Whether there are contributors."""
        return bool(self.names)

    @property
    def keys(self) -> tuple[Expression, ...] | None:
        """What a record's contributor is told by; None where it cannot be told of a single record."""
        rest = self.plan.steps[len(self.lead) :]
        if not self.grouped or any(
            not isinstance(step, Order | Limit) for step in rest[: self.last_group - len(self.lead)]
        ):
            return None
        group = self.plan.steps[self.last_group]
        assert isinstance(group, Group)  # noqa: S101 - it is one
        return tuple(as_text(each) for _, each in group.keys)

    @property
    def last_group(self) -> int:
        """The place of the step that aggregates."""
        return max(place for place, step in enumerate(self.plan.steps) if isinstance(step, Group))


def question(alarm: LogAlarm, moments: Moments = _NEVER) -> Question:
    """Make the plan of a log alarm's query; AlarmError for what is none, or not supported."""
    return _Reader(alarm).question(moments)


def place_of(alarm: LogAlarm, error: AlarmError) -> Place:
    """Say where in a template an error is written, as far as that can be told."""
    if error.text is None:
        return alarm.place
    query = alarm.query
    written = query.written if error.text == query.text else query.aggregation_written
    return written.at(error.position)


class _Reader:
    def __init__(self, alarm: LogAlarm) -> None:
        self._query = alarm.query
        text, aggregation = self._query.text, self._query.aggregation
        self._sorted = _BY_VALUE.search(aggregation)
        if self._sorted:
            start, end = self._sorted.span()
            aggregation = f"{aggregation[:start]}{' ' * (end - start)}{aggregation[end:]}"
        self._whole = f"{text}\n| stats {aggregation}" if text.strip() else f"stats {aggregation}"
        self._begin = len(self._whole) - len(aggregation)

    def question(self, moments: Moments) -> Question:
        try:
            if self._query.text.strip():
                parse_query(self._query.text)
            query = parse_query(self._whole)
            self._check(query)
            plans = [self._plan(query, each) for each in (moments, _NEVER, _ONCE)]
        except QueryError as error:
            raise self._error(error) from None
        plan, one, other = plans
        steps = zip(one.steps, other.steps, strict=True)
        lead = takewhile(lambda pair: isinstance(pair[0], Where | Extend) and pair[0] == pair[1], steps)
        names = tuple(each.name for each in plan.shown[:-1])
        return Question(plan, names, tuple(step for step, _ in lead), one != other)

    def _error(self, error: QueryError) -> AlarmError:
        text, position = self._query.text, error.start
        if error.query != text and position >= self._begin:
            text, position = self._query.aggregation, position - self._begin
        return AlarmError(error.message, text, min(position, len(text)), remedy=error.remedy)

    def _check(self, query: Query) -> None:
        """Refuse what the service does not take in an AggregationExpression."""
        place = next(
            number
            for number, each in enumerate(query.commands)
            if each.span.start + len("stats ") >= self._begin
        )
        stats, *after = query.commands[place:]
        assert isinstance(stats, Stats)  # noqa: S101 - it is written so
        for command in after:
            if not isinstance(command, Sort):
                raise self._refused(
                    "only sort may follow the function of an AggregationExpression", command.span
                )
        if len(stats.aggregates) > 1:
            raise self._refused(
                "an AggregationExpression gives one value, and this has several", stats.aggregates[1].expression.span
            )  # fmt: skip

        for call in _calls(stats.aggregates[0].expression):
            if call.name in AGGREGATES and call.name not in FUNCTIONS:
                text = f"an AggregationExpression does not take {call.name}, but {', '.join(FUNCTIONS)}"
                raise self._refused(text, call.span, remedy="it may stand in a stats of the QueryString")
        if len(stats.groups) > MOST_FIELDS:
            text = f"an AggregationExpression has at most {MOST_FIELDS} fields behind by, not {len(stats.groups)}"
            raise self._refused(text, stats.groups[MOST_FIELDS].expression.span)
        for group in stats.groups:
            for call in _calls(group.expression):
                if call.name == "bin":
                    text = "bin cannot stand behind by in an AggregationExpression"
                    raise self._refused(text, call.span, remedy="it may stand in a stats of the QueryString")

    def _refused(self, message: str, span: Span, *, remedy: str | None = None) -> QueryError:
        return QueryError(message, self._whole, *span, remedy=remedy)

    def _plan(self, query: Query, moments: Moments) -> Plan:
        made = plan_query(query, moments)
        *keys, value = made.shown
        steps = list(made.steps)
        if self._sorted:
            place = max(number for number, step in enumerate(steps) if isinstance(step, Order))
            key = Key(value.expression, self._sorted[1].lower() == "desc")
            order = steps[place]
            assert isinstance(order, Order)  # noqa: S101 - it is the one
            steps[place] = Order((key, *(each for each in order.keys if each.expression != key.expression)))
        shown = [Shown(each.name, as_text(each.expression)) for each in keys]
        return Plan(tuple(steps), (*shown, Shown("", _result(steps, value.expression))))


def _result(steps: Sequence[Step], value: Expression) -> Expression:
    """Give a value as a number; a number of fields that are nowhere is missing, while one of records is 0."""
    last = [step for step in steps if isinstance(step, Group)][-1]
    of_field = any(
        value == Column(number, value.type) and each.primitive == "count" and each.arguments
        for number, each in last.aggregates
    )
    if not of_field:
        return as_number(value)
    nothing = Apply("equal", (value, Constant(0.0, Type.NUMBER)), Type.TRUTH)
    return Apply("case", (nothing, Constant(None, Type.NUMBER), value), Type.NUMBER)


def _calls(expression: Written) -> Iterator[Call]:
    """Yield all calls in an expression."""
    if isinstance(expression, Call):
        yield expression
        for argument in expression.arguments:
            yield from _calls(argument)
