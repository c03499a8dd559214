"""Log alarms in; the records that the first steps of their queries let through, in the order in which windows hold them, out.

A replay and a watcher both read by this, so they cannot disagree on what an alarm sees.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from rolewatch.alarms.errors import AlarmError
from rolewatch.alarms.log_results import Attributes
from rolewatch.engines.answers import Row
from rolewatch.engines.deliveries import needed
from rolewatch.engines.duckdb import Sieve, rows_of
from rolewatch.insights.log_alarm import Question, place_of, question
from rolewatch.insights.log_behind import Kept
from rolewatch.insights.lower import MESSAGE, TIMESTAMP
from rolewatch.metrics.series import Times
from rolewatch.patterns.match import Pattern
from rolewatch.patterns.syntax import Json, Or
from rolewatch.plan import Get, Group, Key, Order, Plan, Shown, Step, Type, Where, gets
from rolewatch.scan.count import FIRST
from rolewatch.scan.rows import CHUNK, Collected, Rows, Value, moment
from rolewatch.sources import Delivery
from rolewatch.templates.definitions import LogAlarm, Notice

BEGIN: Final = moment(f"{FIRST}Z") or 0  # milliseconds; what is older was written by nobody
_EVERY: Final = 1 << 40  # rows: all of them
_PLACE: Final = Get(("@place",), Type.TIME)


class Asked(NamedTuple):
    """An alarm and its question. `first` is a plan of the question's first steps, which asks for all fields that it needs."""

    alarm: LogAlarm
    question: Question
    first: Plan

    @property
    def filtered(self) -> bool:
        """Whether the first steps leave records out."""
        return any(isinstance(step, Where) for step in self.first.steps)


def asked_of(alarm: LogAlarm) -> Asked:
    """Make the question of an alarm; AlarmError for a query that is none, or not supported."""
    found = question(alarm)
    of_nothing = any(isinstance(step, Group) and not step.keys for step in found.plan.steps)
    if found.grouped and of_nothing and every_row(found.plan, {}, 0):
        text = "a contributor that is there without any record is not supported"
        raise AlarmError(text, alarm.query.aggregation)
    filtered = any(isinstance(step, Where) for step in found.lead)
    wanted = (TIMESTAMP, *((MESSAGE,) if filtered else ()), *gets(found.plan))
    return Asked(alarm, found, Plan(found.lead, tuple(Shown("", get) for get in dict.fromkeys(wanted))))


def failure(alarm: LogAlarm, error: AlarmError) -> Notice:
    """Tell why an alarm cannot be evaluated, and where that is written."""
    return Notice("error", f"{alarm.name} cannot be evaluated: {error}", place_of(alarm, error))


class Repeats(Rows):
    """Rows of all records, those that were delivered more than once, too: CloudWatch keeps what it is sent."""

    def keep(self, delivery: Delivery, gathered: Collected) -> None:
        """Add the rows of a delivery."""
        del delivery
        for _, row in gathered.rows:
            self._summary.add(None, row)
        self._sift_beyond(CHUNK)


class Sift:
    """Says which rows any of several alarms needs; their columns are `fields`."""

    def __init__(self, fields: Sequence[Get], firsts: Iterable[Plan]) -> None:
        self._fields, self._firsts = fields, tuple(firsts)

    def __call__(self, columns: Sequence[Sequence[Any]], number: int) -> tuple[list[int], list[int]]:
        """Give the places of rows that are needed; none of them is counted otherwise."""
        named = dict(zip(self._fields, columns, strict=False))
        return sorted(set().union(*let_through(self._firsts, named, number))), []


class Reading(NamedTuple):
    """How records are read for several alarms at once: their fields, what they have to hold, and what needs rows of them."""

    fields: tuple[Get, ...]
    pattern: Pattern | None
    sift: Sift | None


def reading(firsts: Sequence[Plan]) -> Reading:
    """Say how to read for plans of first steps."""
    fields = tuple(dict.fromkeys(get for first in firsts for get in gets(first)))
    patterns = [needed(first) for first in firsts]
    conditions = [each.parsed.condition for each in patterns if each and isinstance(each.parsed, Json)]
    pattern = Pattern("", Json(Or(tuple(conditions)))) if len(conditions) == len(firsts) else None
    filtered = all(_filters(first) for first in firsts)
    return Reading(fields, pattern, Sift(fields, firsts) if filtered else None)


def let_through(
    firsts: Iterable[Plan], columns: Mapping[Get, Sequence[Any]], number: int
) -> list[Sequence[int]]:
    """Give the places of the records, of so many, that plans of first steps let through; those with the same filters ask once."""
    known: dict[tuple[Step, ...], Sequence[int]] = {(): range(number)}
    found = []
    for first in firsts:
        filters = _filters(first)
        if filters not in known:
            plan = Plan(filters, ())
            sieve = Sieve.of(plan, 0)
            known[filters] = (
                sieve([columns[get] for get in gets(plan)], number)[0] if sieve else range(number)
            )
        found.append(known[filters])
    return found


def _filters(first: Plan) -> tuple[Step, ...]:
    """Give the first steps up to the last one that leaves records out."""
    places = [place for place, step in enumerate(first.steps) if isinstance(step, Where)]
    return first.steps[: places[-1] + 1] if places else ()


def in_order(
    asked: Asked, columns: Mapping[Get, Sequence[Value]], places: Iterable[int], latest: int
) -> Kept:
    """Put the records at some places that have a time, up to the `latest` (milliseconds), in order."""
    times, messages = columns[TIMESTAMP], columns.get(MESSAGE) if asked.filtered else None
    timed = [
        (time, mark(str(messages[place])) if messages else b"", place)
        for place in places
        if isinstance(time := times[place], int) and BEGIN <= time <= latest
    ]
    timed.sort()
    order = np.array([place for _, _, place in timed], np.int64)
    taken = {get: array(columns[get])[order] for get in gets(asked.first)}
    texts = tuple(str(messages[place]) for _, _, place in timed) if messages else None
    return Kept(np.array([time for time, _, _ in timed], np.int64), texts, taken)


def mark(message: str) -> bytes:
    """Give what orders records of the same time, 16 bytes: a digest, so that a watcher need not keep the text for that."""
    return hashlib.sha256(message.encode("utf-8", "replace")).digest()[:16]


def with_contributors(asked: Asked, kept: Kept) -> Kept:
    """Add whose each record is, where that can be told of a record."""
    keys = asked.question.keys
    if not keys or kept.messages is None:
        return kept
    by_place = Order((Key(_PLACE, descending=False),))
    told = Plan((*asked.question.lead, by_place), tuple(Shown("", key) for key in keys))
    number = len(kept.times)
    rows = every_row(told, {**kept.columns, _PLACE: range(number)}, number)
    return kept._replace(contributors=tuple(who(asked.question, row) for row in rows))


def who(asked: Question, keys: Iterable[Any]) -> Attributes:
    """Give the attributes of a contributor, as far as there are any."""
    pairs = zip(asked.names, keys, strict=True)
    return tuple((name, str(key)) for name, key in pairs if key is not None)


def every_row(plan: Plan, columns: Mapping[Get, Any], number: int, *, threads: int = 1) -> list[Row]:
    """Give all rows of a plan over columns of so many records."""
    given = {get: columns.get(get, ()) for get in gets(plan)}
    return rows_of(plan, given, number, most=_EVERY, threads=threads)[0]


def array(values: Sequence[Any]) -> Any:
    """Make an array of objects."""
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


def visible(seen: Times, run: int, begin: int, end: int) -> Times:
    """Give the places in `begin <= place < end` of what is seen at a run."""
    return np.flatnonzero(seen[begin:end] <= run) + begin
