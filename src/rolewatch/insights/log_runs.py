"""Log alarms and deliveries in, the results of all runs of their queries out.

Records are read once for all alarms, and only those are kept that the first filters of one of them let through. Then the
windows that hold such a record are asked, all in one statement where that says the same. All other runs are the same.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

import numpy as np

from rolewatch.alarms.errors import AlarmError
from rolewatch.alarms.log_results import ALL, Attributes, LogResults, results_of
from rolewatch.engines.answers import Row
from rolewatch.insights.log_alarm import Question, question
from rolewatch.insights.log_behind import Kept, behind
from rolewatch.insights.log_sieve import (
    Asked,
    Reading,
    Repeats,
    asked_of,
    every_row,
    failure,
    in_order,
    let_through,
    reading,
    visible,
    who,
    with_contributors,
)
from rolewatch.insights.log_windows import RUN, ManyRuns, many_runs, without_rows
from rolewatch.insights.lower import TIMESTAMP, Moments
from rolewatch.metrics.series import Ints, Times
from rolewatch.plan import Get
from rolewatch.scan.pool import fold
from rolewatch.scan.replayed import Answered, Asking, Logged, Named
from rolewatch.scan.rows import Table
from rolewatch.scan.run import without_collector
from rolewatch.sources import deliveries_of
from rolewatch.templates.definitions import LogAlarm, Notice

MOST_CONTRIBUTORS: Final = 500  # of a run; the service takes no more
_AT_ONCE: Final = 300_000  # rows of one statement
_SECOND: Final = 1000  # milliseconds


class Windows(NamedTuple):
    """Runs (epoch seconds), and the places in time of the first record in the window of each, and behind the last one."""

    runs: Times
    first: Ints
    last: Ints

    def chosen(self, which: Any) -> "Windows":
        """Take some of them, by an index."""
        return Windows(self.runs[which], self.first[which], self.last[which])


def ask(alarms: Sequence[LogAlarm], asking: Asking) -> Answered:
    """Run the queries of log alarms; a query that is none, or not supported, is a notice."""
    asked: list[Asked] = []
    notices: list[Notice] = []
    for alarm in alarms:
        try:
            asked.append(asked_of(alarm))
        except AlarmError as error:
            notices.append(failure(alarm, error))
    if not asked:
        return Answered({}, {}, tuple(notices))
    how = reading([each.first for each in asked])
    columns = dict(zip(how.fields, _read(how, asking).columns, strict=True))
    findings: dict[str, Named] = {}
    logs: dict[str, Logged] = {}
    for each in asked:
        kept = _kept(each, columns, asking)
        answers = Answers(each, kept, delay=asking.delay, threads=asking.request.jobs)
        logs[each.alarm.name] = Logged(answers.results(), *behind(kept, findings))
        if answers.cut:
            notices.append(Notice("warning", partial_data(each.alarm, answers.cut), each.alarm.place))
    return Answered(logs, findings, tuple(notices))


def partial_data(alarm: LogAlarm, runs: int) -> str:
    """Say that not all contributors count of some runs."""
    return f"{alarm.name}: {runs:,} of its runs gave more than {MOST_CONTRIBUTORS} contributors, of which the first count (PARTIAL_DATA)"


def _read(how: Reading, asking: Asking) -> Table:
    """Read the records that matter to any of the alarms."""
    listed = deliveries_of(asking.sources, asking.request.window, [])
    make = partial(Repeats, how.fields, how.pattern, asking.request, how.sift)
    with without_collector(), fold(listed, make, asking.request.jobs, asking.progress) as crew:
        table: Table = crew.summary
    return table


def _kept(asked: Asked, columns: dict[Get, list[Any]], asking: Asking) -> Kept:
    """Take the records that an alarm's first steps let through and that have a time, in its order."""
    (places,) = let_through([asked.first], columns, len(columns[TIMESTAMP]))
    latest = int(asking.latest.timestamp()) * _SECOND
    return with_contributors(asked, in_order(asked, columns, places, latest))


class Blank(NamedTuple):
    """What a query without contributors gives where no row comes to its last `stats`, and of no records at all; NaN is missing."""

    nothing: float
    none: float


def blank(asked: Question) -> Blank | None:
    """Ask that; None of a query with contributors, which has none then."""
    if asked.grouped:
        return None
    return Blank(*(_value(every_row(plan, {}, 0)) for plan in (without_rows(asked), asked.plan)))


class Answers:
    """Asks the windows of one alarm's runs, or only of those in a `span`, `start < time <= end` (epoch seconds).

    Records arrive `delay` seconds after they happen, or where it is known when each is `seen`, then. `cut` counts the runs of which not
    all contributors count.
    """

    def __init__(
        self,
        asked: Asked,
        kept: Kept,
        *,
        delay: int = 0,
        threads: int = 1,
        span: tuple[int, int] | None = None,
        blank_of: Callable[[Question], Blank | None] = blank,
    ) -> None:
        self._alarm, self._question, _ = asked
        self._kept = kept
        self._threads, self._blank = threads, blank_of
        query = self._alarm.query
        found = windows(kept.times, query.every, query.start, max(query.end, delay))
        self._windows = found if span is None else _within(found, span)
        self._sizes = self._windows.last - self._windows.first
        if kept.seen is not None:
            numbers = (len(self._places(*window)) for window in zip(*self._windows, strict=True))
            self._sizes = np.fromiter(numbers, np.int64, len(self._sizes))
            there = self._sizes > 0
            self._windows, self._sizes = self._windows.chosen(there), self._sizes[there]
        self._values: defaultdict[Attributes, dict[int, float]] = defaultdict(dict)
        self.cut = 0

    def results(self) -> LogResults:
        """Give the results of all runs."""
        many = many_runs(self._question)
        at_once = np.zeros(len(self._sizes), np.bool_)
        if many is not None:
            at_once[:] = True if many.most is None else self._sizes <= many.most
            self._ask_together(many, self._windows.chosen(at_once), self._sizes[at_once])
        self._ask_each(self._windows.chosen(~at_once))
        lines = self._lines()
        given = self._blank(self._question)
        if given is None:
            return LogResults(
                grouped=True,
                contributors={who: results_of(values) for who, values in sorted(self._values.items())},
                lines=lines,
            )
        found = self._values[ALL]
        filled = {run: found.get(run, given.nothing) for run in self._windows.runs.tolist()}
        return LogResults(
            grouped=False,
            contributors={ALL: results_of(filled)},
            otherwise=None if np.isnan(given.none) else given.none,
            lines=lines,
        )

    def _lines(self) -> dict[int, tuple[str, ...]]:
        """Give the newest log lines of each run, the newest first, if the alarm asks for some."""
        messages, most = self._kept.messages, self._alarm.lines
        if not most or messages is None:
            return {}
        first, last = np.maximum(self._windows.first, self._windows.last - most), self._windows.last
        bounds = zip(self._windows.runs.tolist(), first.tolist(), last.tolist(), strict=True)
        return {run: messages[begin:end][::-1] for run, begin, end in bounds}

    def _places(self, run: int, begin: int, end: int) -> Ints:
        """Give the places of the records that a run sees."""
        return np.arange(begin, end) if self._kept.seen is None else visible(self._kept.seen, run, begin, end)

    def _ask_together(self, many: ManyRuns, asked: Windows, sizes: Ints) -> None:
        """Ask many runs in one statement, as far as their rows are not too many at once."""
        ends = np.cumsum(sizes)
        begin = 0
        while begin < len(sizes):
            before = int(ends[begin - 1]) if begin else 0
            end = max(int(np.searchsorted(ends, before + _AT_ONCE, "right")), begin + 1)
            part = slice(begin, end)
            places, columns = self._records(asked.chosen(part))
            for run, rows in _by_run(every_row(many.plan, columns, len(places), threads=self._threads)):
                self._take(run, rows)
            begin = end

    def _records(self, asked: Windows) -> tuple[Ints, dict[Get, Any]]:
        """Give the places of all records that some runs see, one after the other, and their fields with the run."""
        sizes = asked.last - asked.first
        nth = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        places, runs = np.repeat(asked.first, sizes) + nth, np.repeat(asked.runs, sizes)
        if self._kept.seen is not None:
            there = self._kept.seen[places] <= runs
            places, runs = places[there], runs[there]
        return places, {RUN: runs} | {get: values[places] for get, values in self._kept.columns.items()}

    def _ask_each(self, asked: Windows) -> None:
        """Ask runs one by one."""
        query = self._alarm.query
        for run, begin, end in zip(*(each.tolist() for each in asked), strict=True):
            moments = Moments((run - query.start) * _SECOND, (run - query.end) * _SECOND)
            plan = question(self._alarm, moments).plan if self._question.timely else self._question.plan
            places = self._places(run, begin, end)
            columns = {get: values[places] for get, values in self._kept.columns.items()}
            self._take(run, every_row(plan, columns, len(places), threads=self._threads))

    def _take(self, run: int, rows: Sequence[Row]) -> None:
        """Take the rows of one run: the attributes of each contributor, and its value."""
        self.cut += len(rows) > MOST_CONTRIBUTORS
        for *keys, value in rows[:MOST_CONTRIBUTORS]:
            found = who(self._question, keys)
            self._values[found][run] = np.nan if value is None else float(value)


def _by_run(rows: Iterable[Row]) -> Iterator[tuple[int, list[Row]]]:
    """Yield each run with its rows, without the run."""
    for run, group in groupby(rows, key=itemgetter(0)):
        yield int(run), [row[1:] for row in group]


def _value(rows: Sequence[Row]) -> float:
    """Give the value of a query without contributors; NaN where it is missing."""
    return float(rows[0][-1]) if rows and rows[0][-1] is not None else np.nan


def _within(found: Windows, span: tuple[int, int]) -> Windows:
    """Take the runs in `start < time <= end`."""
    start, end = span
    return found.chosen((found.runs > start) & (found.runs <= end))


def windows(times: Times, every: int, start: int, end: int) -> Windows:
    """Give the runs whose windows hold a record.

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
    return Windows(runs, begins, ends)
