"""A query in segments, and a way to run its first plan, in; its rows out. The stages between plans are Python.

The first plan runs wherever the records are; the others are run by DuckDB in memory, over the rows that a stage made.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from typing import Final, NamedTuple, TypeVar

from rolewatch.base.errors import CannotDo
from rolewatch.engines.answers import Answer, Row
from rolewatch.engines.clusters import patterns
from rolewatch.engines.duckdb import Limits, rows_of
from rolewatch.plan import Constant, Get, Plan, Type
from rolewatch.plan.stages import Cluster, Joined, Match, Segment, renamed

ALL: Final = 2**31 - 2  # rows: as many as every engine can be asked for
_DIGITS: Final = 4  # of a share
MOST_JOINED: Final = 1_000_000  # rows of a join: beyond that it is a mistake, mostly
MOST_VALUES: Final = 50_000  # of a query behind `in`

#: Runs a plan over records of the time asked for, or of one before it, and takes so many rows.
Ask = Callable[[Plan, str | None, int], Answer]

K = TypeVar("K")  # where a query within a query stands


class Table(NamedTuple):
    """A table to look up in: the names of its columns, and its rows, which have a text for each."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def answer_query(
    plan: Callable[[Mapping[K, tuple[Constant, ...]]], Sequence[Segment]],
    nested: Mapping[K, Sequence[Segment]],
    ask: Ask,
    tables: Mapping[str, Table],
    *,
    most: int,
    threads: int,
    limits: Limits | None = None,
) -> Answer:
    """Run the queries within a query, then the query itself, which `plan` makes of the values that they gave."""
    first = {
        place: answer_of(parts, ask, tables, most=ALL, threads=threads, limits=limits)
        for place, parts in nested.items()
    }
    parts = plan({place: constants(found) for place, found in first.items()})
    found = answer_of(parts, ask, tables, most=most, threads=threads, limits=limits)
    return reduce(together, first.values(), found)


def answer_of(
    parts: Sequence[Segment], ask: Ask, tables: Mapping[str, Table], *, most: int, threads: int, limits: Limits | None = None
) -> Answer:  # fmt: skip
    """Run a query, and take `most` of its rows; `tables` has those that it looks up in."""
    first, *rest = parts
    found = ask(first.plan, None, ALL if rest else most)
    if not rest:
        return found
    rows, lots = found.rows, [found.rows]
    if isinstance(first.stage, Cluster) and first.stage.compared:
        earlier = ask(first.plan, first.stage.compared, ALL)
        lots.append(earlier.rows)
        found = together(found, earlier)
    for before, part in pairwise(parts):
        if isinstance(before.stage, Joined):
            other = answer_of(before.stage.other, ask, tables, most=ALL, threads=threads, limits=limits)
            lots.append(other.rows)
            found = together(found, other)
        made = _made(before, lots, tables)
        columns = (
            [list(column) for column in zip(*made, strict=True)] if made else [[] for _ in before.fields]
        )
        fields = dict(zip(map(_plain, before.fields), columns, strict=True))
        names = {get: _plain(get) for get in before.fields}
        wanted = ALL if part.stage else most + 1
        plan = renamed(part.plan, names)
        rows, _ = rows_of(plan, fields, len(made), most=wanted, threads=threads, limits=limits)
        lots = [rows]
    return found._replace(plan=parts[-1].plan, rows=rows[:most], more=len(rows) > most)


def _made(before: Segment, lots: Sequence[Sequence[Row]], tables: Mapping[str, Table]) -> list[Row]:
    """Give the rows of a stage, each with its place at the end."""
    match before.stage:
        case Match() as match:
            rows = matched(match, lots[0], tables[match.table])
        case Cluster() as cluster:
            rows = clustered(cluster, lots)
        case Joined() as join:
            rows = joined(join, *lots)
        case None:
            rows = []
    return [(*row, place) for place, row in enumerate(rows)]


def clustered(stage: Cluster, lots: Sequence[Sequence[Row]]) -> list[Row]:
    """Find the patterns of rows, whose first column is a text; a second lot of rows is what they are compared with."""
    texts = [[row[0] for row in lot] for lot in lots]
    total = sum(text is not None for text in texts[0])
    rows: list[Row] = []
    for pattern in patterns(texts):
        now, *then = pattern.counts
        row = (pattern.text, round(now / total, _DIGITS) if total else 0.0, float(now), pattern.level)
        rows.append((*row, float(now - then[0]), _described(now, then[0])) if stage.compared else row)
    return rows


def _described(now: int, then: int) -> str:
    """Say what became of a pattern."""
    if not then:
        return "new"
    if not now:
        return "gone"
    return "more" if now > then else "fewer" if now < then else "as many"


def matched(stage: Match, rows: Sequence[Row], table: Table) -> list[Row]:
    """Put the columns of a table before what is handed on of rows, whose first columns are the keys.

    Of several rows with the same keys in the table the first one counts; what is missing matches nothing.
    """
    keys = [table.columns.index(name) for name, _ in stage.keys]
    outputs = [table.columns.index(name) for name, _ in stage.outputs]
    known: dict[Row, Row] = {}
    for row in table.rows:
        known.setdefault(tuple(row[place] for place in keys), tuple(row[place] for place in outputs))
    none = (None,) * len(outputs)
    return [(*known.get(row[: len(keys)], none), *row[len(keys) :]) for row in rows]


def joined(stage: Joined, rows: Sequence[Row], others: Sequence[Row]) -> list[Row]:
    """Put the rows of another query, and their places, before what is handed on of rows; both begin with the keys."""
    number = len(stage.keys)
    known: dict[Row, list[Row]] = {}
    for row in others:
        if None not in row[:number]:
            known.setdefault(row[:number], []).append(row[number:])
    none: list[Row] = [] if stage.inner else [(None,) * len(stage.outputs)]
    made: list[Row] = []
    for row in rows:
        beside = known.get(row[:number], none)
        if len(made) + len(beside) > MOST_JOINED:
            raise CannotDo(f"the join makes more than {MOST_JOINED:,} rows", remedy="filter more on both sides, or join by more fields")  # fmt: skip
        made += ((*other, place, *row[number:]) for place, other in enumerate(beside))
    return made


def constants(answer: Answer) -> tuple[Constant, ...]:
    """Give the values of an answer's only column, each once, as a query writes them; CannotDo if there are too many."""
    kind = answer.plan.shown[0].expression.type
    number = Type.NUMBER if kind is Type.TIME else kind
    values = dict.fromkeys(
        float(value) if kind is Type.TIME else value for (value,) in answer.rows if value is not None
    )
    if len(values) > MOST_VALUES:
        raise CannotDo(
            f"the query behind in gives more than {MOST_VALUES:,} values",
            remedy="join finds the same records",
        )
    return tuple(Constant(value, number) for value in values)


def _plain(get: Get) -> Get:
    """Give the field as an engine takes it: structures are the texts that they are written as."""
    return get._replace(type=Type.TEXT) if get.type is Type.STRUCTURE else get


def together(found: Answer, earlier: Answer) -> Answer:
    """Add up what two answers rest on, and keep the rows of the first."""
    statistics = {
        name: round(value + earlier.statistics[name], 3) for name, value in found.statistics.items()
    }
    return found._replace(
        statistics=statistics,
        absent=tuple(dict.fromkeys((*found.absent, *earlier.absent)))
        if found.plan != earlier.plan
        else tuple(get for get in found.absent if get in earlier.absent),
        skipped=sorted({*found.skipped, *earlier.skipped}),
        unreadable=sorted({*found.unreadable, *earlier.unreadable}),
    )
