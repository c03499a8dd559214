"""The plan of one run of a log alarm's query in; the plan of many runs at once, over records that know their run, out.

A run is one more key of every group. A `limit` takes so many rows of each run, which no step of a plan can say; but it does
nothing where a run has no more records than that.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from rolewatch.insights.log_alarm import Question
from rolewatch.plan import (
    Column,
    Constant,
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
)

#: The run that a record belongs to; one of several windows makes a row of each.
RUN: Final = Get(("@run",), Type.TIME)


class ManyRuns(NamedTuple):
    """A plan whose first column is the run, in ascending order; right for runs of at most `most` records (None: of any number)."""

    plan: Plan
    most: int | None


def many_runs(question: Question) -> ManyRuns | None:
    """Make the plan of many runs; None where each has to be asked on its own."""
    if question.timely:
        return None
    steps, lead = list(question.plan.steps), len(question.lead)
    most = None
    for place in (lead, lead + 1):
        if place < len(steps) - 1 and isinstance(found := steps[place], Limit):
            most = found.number
            del steps[place]
            break
    made = _with_run(steps, lead)
    if made is None:
        return None
    run, written = made
    if not any(isinstance(step, Order) for step in written[-1:]):
        written.append(Order((Key(run, descending=False),)))
    return ManyRuns(Plan(tuple(written), (Shown("", run), *question.plan.shown)), most)


def _with_run(steps: Sequence[Step], lead: int) -> tuple[Expression, list[Step]] | None:
    """Make the run a part of each step; None where that would say something else."""
    last = max(place for place, step in enumerate(steps) if isinstance(step, Group))
    run: Expression = RUN
    number = 1 + max(_numbers(steps), default=0)
    certain = True  # each run that has a record still has a row
    written: list[Step] = []
    for place, step in enumerate(steps):
        match step:
            case Group(keys, aggregates):
                if not keys and place < last and not certain:
                    return None  # it gives a row to runs without any
                written.append(Group(((number, run), *keys), aggregates))
                run = Column(number, Type.TIME)
                number += 1
            case Order(keys):
                written.append(Order((Key(run, descending=False), *keys)))
            case Where() | Extend() | Unnest():
                certain = certain and (place < lead or not isinstance(step, Where))
                written.append(step)
            case _:
                return None
    return run, written


def _numbers(steps: Sequence[Step]) -> Iterator[int]:
    """Yield the numbers of the columns that steps make."""
    for step in steps:
        match step:
            case Extend(columns):
                yield from (number for number, _ in columns)
            case Group(keys, aggregates):
                yield from (number for number, _ in (*keys, *aggregates))
            case Unnest(number, place):
                yield from (number, place)


def without_rows(question: Question) -> Plan:
    """Make the plan of a run in which no row comes to the last `stats`."""
    steps, place = question.plan.steps, question.last_group
    nothing = Where(Constant(value=False, type=Type.TRUTH))
    return question.plan._replace(steps=(*steps[:place], nothing, *steps[place:]))
