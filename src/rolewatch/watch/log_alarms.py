"""Log alarms on the wall clock: the records that their queries look at are kept, and each run is asked and evaluated once.

A run sees the records of its window that had arrived by then, whenever it is made. Times are in seconds since 1970.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec
import numpy as np
import sqlalchemy as sa

from rolewatch.alarms.history import History, State
from rolewatch.alarms.log_evaluate import watched
from rolewatch.alarms.log_results import ALL, Attributes, LogResults
from rolewatch.alarms.log_watch import LogWatch
from rolewatch.insights.log_alarm import Question
from rolewatch.insights.log_behind import Kept
from rolewatch.insights.log_runs import MOST_CONTRIBUTORS, Answers, Blank, blank
from rolewatch.insights.log_sieve import Asked, array
from rolewatch.insights.log_windows import many_runs
from rolewatch.store import log_alarms as store
from rolewatch.store.log_alarms import LogAlarmRow, Record
from rolewatch.watch.alarm_groups import Groups, seen_by_query
from rolewatch.watch.alarm_telling import spelled
from rolewatch.watch.log_alarm_memory import Memory, decode, left
from rolewatch.watch.log_alarm_records import Records, Sought, columns_of, sought

BACKLOG: Final = 7200  # before now, in which the first evaluation may begin
_STATEMENT: Final = (
    80  # evaluations of other alarms, of half a millisecond, that take as long as a statement of the engine
)
_SECOND: Final = 1000  # milliseconds
_EVER: Final = 1 << 62


class _Live(NamedTuple):
    """An alarm with its query; `digest` is that of what its results depend on."""

    asked: Asked
    sought: Sought
    digest: bytes


class LogStep(NamedTuple):
    """What log alarms did in a stretch of time: histories and results by name, and what there is to remember.

    `told` may be changed: by name, the contributors of which people know that they are in ALARM. `partial` names alarms of
    which not all contributors count.
    """

    histories: Mapping[str, History]
    results: Mapping[str, LogResults]
    memories: Mapping[str, Memory]
    told: Mapping[str, set[Attributes]]
    partial: frozenset[str]

    def tell(self, name: str, contributor: Attributes, *, is_open: bool) -> None:
        """Note whether people know that a contributor is in ALARM."""
        known = self.told[name]
        known.add(contributor) if is_open else known.discard(contributor)

    def picture(self, name: str, contributor: Attributes | None, time: int) -> list[dict[str, object]]:
        """Give the results that an alarm without contributors, or one of these, has had up to a time, to be drawn."""
        found = self.results.get(name)
        if found is None or (found.grouped and contributor is None):
            return []
        each = found.contributors.get(contributor or ALL)
        pairs = zip(each.runs.tolist(), each.values.tolist(), strict=True) if each else ()
        return [
            {"timestamp": spelled(run), "value": value}
            for run, value in pairs
            if run <= time and not np.isnan(value)
        ]


class LogAlarms:
    """Keeps records and evaluates log alarms; `groups` says which deliveries belong to which log group."""

    def __init__(self, alarms: Sequence[Asked], groups: Groups) -> None:
        self._alarms = {asked.alarm.name: _live(asked, groups) for asked in alarms}
        own: dict[bytes, Sought] = {}
        for each in self._alarms.values():
            key, wanted = each.sought.key, each.sought
            known = own.get(key, wanted)
            own[key] = wanted._replace(seconds=max(known.seconds, wanted.seconds))
        self._queries = own
        self._blanks: dict[str, Blank | None] = {}

    @property
    def queries(self) -> tuple[Sought, ...]:
        """What is kept."""
        return tuple(self._queries.values())

    @property
    def cost(self) -> int:
        """Say how many evaluations of other alarms would take as long as the runs of a minute which are asked one by one."""
        alone = (
            live.asked.alarm.query.every
            for live in self._alarms.values()
            if (many := many_runs(live.asked.question)) is None or many.most is not None
        )
        return sum(_STATEMENT * 60 // every for every in alone)

    def keep(
        self,
        connection: sa.Connection,
        records: Records,
        since: int,
        seen: Callable[[int | None], int],
    ) -> None:
        """Add records to those that are kept, as far as runs after `since` look at them.

        `seen` gives by the time of arrival from which evaluation on something is seen; 0 from the next one.
        """
        counted: Counter[Record] = Counter()
        for key, found in records.items():
            query = self._queries.get(key)
            first = _EVER if query is None else (since - query.seconds) * _SECOND
            for each in found:
                if each.time >= first:
                    shown = seen(each.arrived)
                    counted[Record(key, each.time, each.digest, shown, 1, each.fields, each.message)] += 1
        store.add(connection, (each._replace(number=number) for each, number in counted.items()))

    def evaluate(
        self, connection: sa.Connection, states: Mapping[str, State], start: int, end: int
    ) -> LogStep:
        """Evaluate the alarms that have a state over `start < time <= end`."""
        histories: dict[str, History] = {}
        results: dict[str, LogResults] = {}
        partial: set[str] = set()
        memories = self._memories(connection, states, start)
        for name in memories:
            live = self._alarms[name]
            memory, every = memories[name], live.asked.alarm.query.every
            if start // every == end // every:
                histories[name] = History(live.asked.alarm, start, end, states[name], ())
                continue
            answers = self._answers(connection, live, start, end)
            results[name] = memory.with_earlier(answers.results())
            watch = LogWatch(live.asked.alarm, results[name], start, end, earlier=memory.earlier())
            histories[name] = self._with_lines(connection, live, watched(watch, states[name]))
            memories[name] = left(watch, memory)
            if answers.cut:
                partial.add(name)
        told = {name: set(memory.told) for name, memory in memories.items()}
        return LogStep(histories, results, memories, told, frozenset(partial))

    def finish(self, connection: sa.Connection, step: LogStep, end: int) -> None:
        """Remember what evaluation has left, and forget the records that no run after `end` looks at."""
        known = store.memories(connection)
        rows = []
        for name, memory in step.memories.items():
            told = tuple(sorted(step.told[name]))
            row = LogAlarmRow(
                name, self._alarms[name].digest, msgspec.structs.replace(memory, told=told).encode()
            )
            if row != known.get(name):
                rows.append(row)
        store.save(connection, rows)
        bounds: dict[bytes, int] = {}
        for live in self._alarms.values():
            query, key = live.asked.alarm.query, live.sought.key
            first = ((end // query.every + 1) * query.every - query.start) * _SECOND
            bounds[key] = min(first, bounds.get(key, first))
        store.expire(connection, bounds)

    def forget_others(self, connection: sa.Connection) -> None:
        """Forget what was kept for queries of other templates."""
        store.forget(connection, self._queries)

    def _memories(self, connection: sa.Connection, states: Collection[str], start: int) -> dict[str, Memory]:
        """Give what is known of each alarm that has a state; what is new begins now."""
        rows = store.memories(connection)
        found: dict[str, Memory] = {}
        for name, live in self._alarms.items():
            if name not in states:
                continue
            row = rows.get(name)
            memory = decode(row.memory) if row else None
            if row is None or memory is None:
                memory = Memory(start)
            elif row.digest != live.digest:
                memory = memory.of_another_query(start)
            found[name] = memory.before(start)
        return found

    def _answers(self, connection: sa.Connection, live: _Live, start: int, end: int) -> Answers:
        """Ask the query in all runs of a stretch of time."""
        query = live.asked.alarm.query
        first, last = (start // query.every + 1) * query.every, end // query.every * query.every
        since, before = (first - query.start) * _SECOND, (last - query.end) * _SECOND
        rows = [
            row for row in store.load(connection, live.sought.key, since, before) for _ in range(row.number)
        ]
        columns = columns_of(live.sought.fields, [row.fields for row in rows])
        kept = Kept(
            np.array([row.time for row in rows], np.int64),
            None,
            {get: array(values) for get, values in columns.items()},
            seen=np.array([row.seen for row in rows], np.int64),
        )
        return Answers(live.asked, kept, span=(start, end), blank_of=self._blank(live))

    def _with_lines(self, connection: sa.Connection, live: _Live, history: History) -> History:
        """Add the newest log lines to each change, as many as the alarm asks for."""
        query, most = live.asked.alarm.query, live.asked.alarm.lines
        if not live.sought.lines:
            return history

        @lru_cache
        def lines(run: int) -> tuple[str, ...]:
            within = (run - query.start) * _SECOND, (run - query.end) * _SECOND
            found = store.newest(connection, live.sought.key, within, run, most)
            return tuple(message.decode() for message in found)

        return history._replace(
            transitions=tuple(each._replace(lines=lines(each.time)) for each in history.transitions),
            contributors=tuple(
                each._replace(change=each.change._replace(lines=lines(each.change.time)))
                for each in history.contributors
            ),
        )

    def _blank(self, live: _Live) -> Callable[[Question], Blank | None]:
        """Ask what a query gives of nothing only once."""

        def asked(question: Question) -> Blank | None:
            name = live.asked.alarm.name
            if name not in self._blanks:
                self._blanks[name] = blank(question)
            return self._blanks[name]

        return asked


def partial_data(name: str) -> str:
    """Say that not all contributors count."""
    return f"{name}: a run of its query gave more than {MOST_CONTRIBUTORS} contributors, of which the first count (PARTIAL_DATA)"


def _live(asked: Asked, groups: Groups) -> _Live:
    alarm, query = asked.alarm, asked.alarm.query
    wanted = sought(asked, seen_by_query(alarm, groups))
    text = json.dumps(
        [
            wanted.key.hex(),
            query.text,
            query.aggregation,
            query.every,
            query.start,
            query.end,
            alarm.evaluated,
        ]
    )
    return _Live(asked, wanted, hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16])
