"""Log alarms and deliveries in, the results of all runs of their queries out.

Records are read once for all alarms, and only those are kept that the first filters of one of them let through. Then the
windows that hold such a record are asked, all in one statement where that says the same. All other runs are the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

import numpy as np

from rolewatch.alarms.errors import AlarmError
from rolewatch.alarms.log_results import ALL, Attributes, LogResults, results_of
from rolewatch.engines.answers import Row
from rolewatch.engines.deliveries import needed
from rolewatch.engines.duckdb import Sieve, rows_of
from rolewatch.insights.log_alarm import Question, place_of, question
from rolewatch.insights.log_behind import Kept, behind
from rolewatch.insights.log_windows import RUN, ManyRuns, many_runs, without_rows
from rolewatch.insights.lower import MESSAGE, TIMESTAMP, Moments
from rolewatch.metrics.series import Ints, Times
from rolewatch.patterns.match import Pattern
from rolewatch.patterns.syntax import Json, Or
from rolewatch.plan import Get, Key, Order, Plan, Shown, Type, Where, gets
from rolewatch.scan.count import FIRST
from rolewatch.scan.pool import fold
from rolewatch.scan.replayed import Answered, Asking, Logged, Named
from rolewatch.scan.rows import CHUNK, Collected, Rows, Table, moment
from rolewatch.scan.run import without_collector
from rolewatch.sources import Delivery, deliveries_of
from rolewatch.templates.definitions import LogAlarm, Notice

MOST_CONTRIBUTORS: Final = 500  # of a run; the service takes no more
_AT_ONCE: Final = 300_000  # rows of one statement
_SECOND: Final = 1000  # milliseconds
_PLACE: Final = Get(("@place",), Type.TIME)
_BEGIN: Final = moment(f"{FIRST}Z") or 0


class _Asked(NamedTuple):
    """An alarm and its question. `first` is a plan of the question's first steps, which asks for all fields that it needs."""

    alarm: LogAlarm
    question: Question
    first: Plan

    @property
    def filtered(self) -> bool:
        """Whether the first steps leave records out."""
        return any(isinstance(step, Where) for step in self.first.steps)


class Repeats(Rows):
    """Rows of all records, those that were delivered more than once, too: CloudWatch keeps what it is sent."""

    def keep(self, delivery: Delivery, gathered: Collected) -> None:
        """Add the rows of a delivery."""
        del delivery
        for _, row in gathered.rows:
            self._summary.add(None, row)
        self._sift_beyond(CHUNK)


def ask(alarms: Sequence[LogAlarm], asking: Asking) -> Answered:
    """Run the queries of log alarms; a query that is none, or not supported, is a notice."""
    asked: list[_Asked] = []
    notices: list[Notice] = []
    for alarm in alarms:
        try:
            asked.append(_asked(alarm))
        except AlarmError as error:
            notices.append(_failure(alarm, error))
    if not asked:
        return Answered({}, {}, tuple(notices))
    fields = tuple(dict.fromkeys(get for each in asked for get in gets(each.first)))
    columns = dict(zip(fields, _read(asked, fields, asking).columns, strict=True))
    findings: dict[str, Named] = {}
    logs: dict[str, Logged] = {}
    for each in asked:
        kept = _kept(each, columns, asking)
        answers = _Answers(each, kept, asking)
        logs[each.alarm.name] = Logged(answers.results(), *behind(kept, findings))
        if answers.cut:
            text = f"{each.alarm.name}: {answers.cut:,} of its runs gave more than {MOST_CONTRIBUTORS} contributors, of which the first count (PARTIAL_DATA)"
            notices.append(Notice("warning", text, each.alarm.place))
    return Answered(logs, findings, tuple(notices))


def _failure(alarm: LogAlarm, error: AlarmError) -> Notice:
    return Notice("error", f"{alarm.name} cannot be evaluated: {error}", place_of(alarm, error))


def _asked(alarm: LogAlarm) -> _Asked:
    found = question(alarm)
    if found.grouped and _rows(found.plan, {}, 0):
        text = "a contributor that is there without any record is not supported"
        raise AlarmError(text, alarm.query.aggregation)
    filtered = any(isinstance(step, Where) for step in found.lead)
    wanted = (TIMESTAMP, *((MESSAGE,) if filtered else ()), *gets(found.plan))
    return _Asked(alarm, found, Plan(found.lead, tuple(Shown("", get) for get in dict.fromkeys(wanted))))


def _read(asked: Sequence[_Asked], fields: Sequence[Get], asking: Asking) -> Table:
    """Read the records that matter to any of the alarms."""
    patterns = [needed(each.first) for each in asked]
    conditions = [each.parsed.condition for each in patterns if each and isinstance(each.parsed, Json)]
    pattern = Pattern("", Json(Or(tuple(conditions)))) if len(conditions) == len(asked) else None
    sieves = [Sieve.of(each.first, 0) if each.filtered else None for each in asked]
    sift = _Sift(fields, [(gets(each.first), sieve) for each, sieve in zip(asked, sieves, strict=True)])
    listed = deliveries_of(asking.sources, asking.request.window, [])
    make = partial(Repeats, fields, pattern, asking.request, sift if all(sieves) else None)
    with without_collector(), fold(listed, make, asking.request.jobs, asking.progress) as crew:
        table: Table = crew.summary
    return table


class _Sift:
    """Says which rows any of several alarms needs."""

    def __init__(self, fields: Sequence[Get], sieves: Iterable[tuple[Sequence[Get], Sieve | None]]) -> None:
        self._sieves = [(tuple(map(fields.index, own)), sieve) for own, sieve in sieves if sieve]

    def __call__(self, columns: Sequence[Sequence[Any]], number: int) -> tuple[list[int], list[int]]:
        """Give the places of rows that are needed; none of them is counted otherwise."""
        found: set[int] = set()
        for own, sieve in self._sieves:
            found.update(sieve([columns[place] for place in own], number)[0])
        return sorted(found), []


def _kept(asked: _Asked, columns: dict[Get, list[Any]], asking: Asking) -> Kept:
    """Take the records that an alarm's first steps let through and that have a time, in its order."""
    own = gets(asked.first)
    number = len(columns[TIMESTAMP])
    sieve = Sieve.of(asked.first, 0) if asked.filtered else None
    places = range(number) if sieve is None else sieve([columns[get] for get in own], number)[0]
    times, messages = columns[TIMESTAMP], columns.get(MESSAGE) if asked.filtered else None
    latest = int(asking.latest.timestamp()) * _SECOND
    timed = [
        (time, messages[place] if messages else "", place)
        for place in places
        if (time := times[place]) is not None and _BEGIN <= time <= latest
    ]
    timed.sort()
    order = np.array([place for _, _, place in timed], np.int64)
    taken = {get: _array(columns[get])[order] for get in own}
    texts = tuple(message for _, message, _ in timed) if messages else None
    kept = Kept(np.array([time for time, _, _ in timed], np.int64), texts, taken)
    keys = asked.question.keys
    if not keys or texts is None:
        return kept
    by_place = Order((Key(_PLACE, descending=False),))
    told = Plan((*asked.question.lead, by_place), tuple(Shown("", key) for key in keys))
    rows = _rows(told, taken | {_PLACE: range(len(timed))}, len(timed))
    return kept._replace(contributors=tuple(_who(asked.question, row) for row in rows))


def _array(values: Sequence[Any]) -> Any:
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


class _Answers:
    """Asks all windows of one alarm; `cut` counts the runs of which not all contributors count."""

    def __init__(self, asked: _Asked, kept: Kept, asking: Asking) -> None:
        self._alarm, self._question, _ = asked
        self._kept = kept
        self._threads = asking.request.jobs
        query = self._alarm.query
        self._windows = windows(kept.times, query.every, query.start, max(query.end, asking.delay))
        self._values: defaultdict[Attributes, dict[int, float]] = defaultdict(dict)
        self.cut = 0

    def results(self) -> LogResults:
        """Give the results of all runs."""
        runs, first, last = self._windows
        many = many_runs(self._question)
        at_once = np.zeros(len(runs), np.bool_)
        if many is not None:
            at_once[:] = True if many.most is None else last - first <= many.most
            self._ask_together(many, *(each[at_once] for each in self._windows))
        self._ask_each(*(each[~at_once] for each in self._windows))
        lines = {}
        if self._alarm.lines and self._kept.messages is not None:
            least = np.maximum(first, last - self._alarm.lines)
            bounds = zip(runs.tolist(), least.tolist(), last.tolist(), strict=True)
            lines = {run: self._kept.messages[begin:end][::-1] for run, begin, end in bounds}
        if self._question.grouped:
            return LogResults(
                grouped=True,
                contributors={who: results_of(values) for who, values in sorted(self._values.items())},
                lines=lines,
            )
        nothing, none = (
            _value(_rows(plan, {}, 0)) for plan in (without_rows(self._question), self._question.plan)
        )
        found = self._values[ALL]
        filled = {run: found.get(run, nothing) for run in runs.tolist()}
        return LogResults(
            grouped=False,
            contributors={ALL: results_of(filled)},
            otherwise=None if np.isnan(none) else none,
            lines=lines,
        )

    def _ask_together(self, many: ManyRuns, runs: Times, first: Ints, last: Ints) -> None:
        """Ask many runs in one statement, as far as their rows are not too many at once."""
        sizes = last - first
        ends = np.cumsum(sizes)
        begin = 0
        while begin < len(runs):
            before = int(ends[begin - 1]) if begin else 0
            end = max(int(np.searchsorted(ends, before + _AT_ONCE, "right")), begin + 1)
            part = slice(begin, end)
            total = int(sizes[part].sum())
            nth = np.arange(total) - np.repeat(ends[part] - sizes[part] - before, sizes[part])
            places = np.repeat(first[part], sizes[part]) + nth
            columns = {get: values[places] for get, values in self._kept.columns.items()}
            columns[RUN] = np.repeat(runs[part], sizes[part])
            for run, rows in _by_run(_rows(many.plan, columns, total, threads=self._threads)):
                self._take(run, rows)
            begin = end

    def _ask_each(self, runs: Times, first: Ints, last: Ints) -> None:
        """Ask runs one by one."""
        query = self._alarm.query
        for run, begin, end in zip(runs.tolist(), first.tolist(), last.tolist(), strict=True):
            moments = Moments((run - query.start) * _SECOND, (run - query.end) * _SECOND)
            plan = question(self._alarm, moments).plan if self._question.timely else self._question.plan
            columns = {get: values[begin:end] for get, values in self._kept.columns.items()}
            self._take(run, _rows(plan, columns, end - begin, threads=self._threads))

    def _take(self, run: int, rows: Sequence[Row]) -> None:
        """Take the rows of one run: the attributes of each contributor, and its value."""
        self.cut += len(rows) > MOST_CONTRIBUTORS
        for *keys, value in rows[:MOST_CONTRIBUTORS]:
            who = _who(self._question, keys)
            self._values[who][run] = np.nan if value is None else float(value)


def _who(asked: Question, keys: Iterable[Any]) -> Attributes:
    """Give the attributes of a contributor, as far as there are any."""
    pairs = zip(asked.names, keys, strict=True)
    return tuple((name, str(key)) for name, key in pairs if key is not None)


def _rows(plan: Plan, columns: dict[Get, Any], number: int, *, threads: int = 1) -> list[Row]:
    given = {get: columns.get(get, ()) for get in gets(plan)}
    return rows_of(plan, given, number, most=_EVERY, threads=threads)[0]


_EVERY: Final = 1 << 40  # rows: all of them


def _by_run(rows: Iterable[Row]) -> Iterator[tuple[int, list[Row]]]:
    """Yield each run with its rows, without the run."""
    for run, group in groupby(rows, key=itemgetter(0)):
        yield int(run), [row[1:] for row in group]


def _value(rows: Sequence[Row]) -> float:
    """Give the value of a query without contributors; NaN where it is missing."""
    return float(rows[0][-1]) if rows and rows[0][-1] is not None else np.nan


def windows(times: Times, every: int, start: int, end: int) -> tuple[Times, Ints, Ints]:
    """Give the runs (epoch seconds) whose windows hold a record, and the places of the first one and behind the last one.

    `times` of records are in milliseconds, ascending. The window of a run at t goes from t - `start` to before t - `end`.
    """
    # A record is in the windows of the runs `first <= run <= last`, numbers that never fall from record to record.
    first = (times + end * _SECOND) // (every * _SECOND) + 1
    last = (times + start * _SECOND) // (every * _SECOND)
    first = np.maximum(first, np.append(np.iinfo(np.int64).min, last[:-1] + 1)[: len(first)])
    sizes = np.maximum(last - first + 1, 0)
    nth = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    runs = (np.repeat(first, sizes) + nth) * every
    begins, ends = (np.searchsorted(times, (runs - offset) * _SECOND) for offset in (start, end))
    return runs, begins, ends
