"""Alarms of templates on the wall clock: what filters publish is kept with the deliveries, and each minute is evaluated once.

All times are in seconds since 1970, unless they are said to be moments (`datetime`) or milliseconds.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import sqlalchemy as sa

from rolewatch.alarms.history import CREATED, History, State, Transition
from rolewatch.base.clock import milliseconds
from rolewatch.sources.live import Told
from rolewatch.store import alarms as store
from rolewatch.store import datapoints, deliveries, log_alarms
from rolewatch.store.alarms import AlarmRow, TransitionRow
from rolewatch.store.datapoints import Named, Point
from rolewatch.store.state import State as Store
from rolewatch.watch.alarm_actions import Acted, acted
from rolewatch.watch.alarm_counts import Counts, Filters
from rolewatch.watch.alarm_definitions import Definitions, digest_of, kind_of
from rolewatch.watch.alarm_evaluation import Known, evaluated
from rolewatch.watch.alarm_groups import NO_GROUPS, Groups
from rolewatch.watch.alarm_kept import written
from rolewatch.watch.alarm_notification import Notifier
from rolewatch.watch.alarm_rows import contributor_of, row_of, transition_of
from rolewatch.watch.alarm_telling import AlarmTeller, spelled
from rolewatch.watch.log_alarms import BACKLOG, LogAlarms, LogStep, partial_data

if TYPE_CHECKING:
    from rolewatch.notify.notification import Notification
    from rolewatch.templates.definitions import Metric

GRACE: Final = 5  # seconds after a minute until it is evaluated: what had arrived is committed by then
STRETCH: Final = 3600  # of missed time that is evaluated in one transaction, at most …
AT_ONCE: Final = 2000  # … in so many evaluations: others wait for a second meanwhile
MISSED: Final = 14 * 86_400  # of missed time that is evaluated at all
BACK: Final = 300  # by so much a clock may go back, and evaluation waits; by more it goes on from there
AHEAD: Final = timedelta(hours=2)  # CloudWatch Logs takes no later events
KEPT: Final = timedelta(days=15)  # as long as CloudWatch keeps datapoints of one minute
_NAME: Final = "alarms"


class _Step(NamedTuple):
    """What one transaction did: until when alarms are evaluated now, how many notifications it made, what there is to say.

    `partial` names log alarms of which not all contributors count.
    """

    until: int
    notifications: int
    notes: tuple[str, ...]
    partial: frozenset[str] = frozenset()


class Alarms:
    """Keeps datapoints and evaluates alarms. `kept` is how long datapoints are remembered, at least as long as alarms look back.

    `groups` are the log groups of SOURCEs.
    """

    def __init__(
        self,
        definitions: Definitions,
        teller: AlarmTeller,
        told: Told,
        *,
        kept: timedelta = KEPT,
        groups: Groups = NO_GROUPS,
    ) -> None:
        self._definitions, self._teller, self._told = definitions, teller, told
        self._alarms, self._notifier = definitions.all, Notifier(definitions)
        self._digests = {name: digest_of(alarm) for name, alarm in self._alarms.items()}
        self._written = {name: written(alarm, definitions) for name, alarm in self._alarms.items()}
        self._groups, self._logs = groups, LogAlarms(definitions.log_alarms, groups)
        minutes = max(1, AT_ONCE // max(1, len(self._alarms) + self._logs.cost))
        self._stretch = min(STRETCH, minutes * 60)
        self.kept = max(kept, timedelta(seconds=definitions.seconds))
        self._partial: set[str] = set()  # log alarms of which that was told
        self._evaluated: int | None = None  # as far as this process knows
        self._next = 0  # milliseconds; what is told next is sent after what was told before

    def filters(self, now: datetime) -> Filters | None:
        """Give what counts in deliveries that are read at a moment, if there is anything to count."""
        filters, queries = self._definitions.filters, self._logs.queries
        if not filters and not queries:
            return None
        latest = (now + AHEAD).strftime("%Y-%m-%dT%H:%M")
        first = _begin(self._evaluated, _seconds(now), MISSED) - BACK
        return Filters(filters, self._definitions.step, latest, queries, first, self._groups)

    def keep(self, connection: sa.Connection, counts: Counts, now: datetime) -> int:
        """Add to datapoints and records what a batch of deliveries holds; returns how many values were published."""
        names = {named for part in counts.datapoints.values() for named in part}
        if not names and not counts.records:
            return 0
        evaluated = store.evaluated(connection)

        def seen_from(arrived: int | None) -> int:
            seen = self._seen(arrived, now)
            return seen if evaluated is not None and seen > evaluated else 0

        begin = _begin(evaluated, _seconds(now), BACKLOG)
        self._logs.keep(connection, counts.records, begin, seen_from)
        if not names:
            return 0
        numbers = datapoints.number(connection, names)
        first = _seconds(now - self.kept)
        sums: dict[
            int, Counter[tuple[int, int, float]]
        ] = {}  # by the time from which on they are seen; 0: at once
        for arrived, part in counts.datapoints.items():
            own = sums.setdefault(seen_from(arrived), Counter())
            for point in _points(part, numbers, first):
                own[point[:3]] += point.number
        points = {seen: [Point(*key, number) for key, number in own.items()] for seen, own in sums.items()}
        datapoints.add(connection, points.pop(0, ()))
        datapoints.announce(connection, points)
        return sum(own.total() for own in sums.values())

    def tick(
        self, state: Store, now: datetime, complete: datetime, stop: Callable[[], bool] = lambda: False
    ) -> int:
        """Evaluate what is due, or as much of it as there is time for until `stop`; returns how many notifications that made.

        All deliveries that had arrived before `complete` are committed, as far as anybody knows. To be called about once a second.
        """
        due = self._floor(_seconds(min(now, complete)) - GRACE)
        told = 0
        while self._evaluated is None or due > self._evaluated or self._is_ahead(now):
            step = state.write(partial(self._step, due=due, now=now))
            if step is None:
                break  # another watcher is at it
            for note in step.notes:
                self._told(_NAME, note)
            for name in sorted(step.partial - self._partial):
                self._told(_NAME, partial_data(name))
            self._partial |= step.partial
            told += step.notifications
            self._next = max(self._next, milliseconds(now)) + step.notifications
            self._evaluated = step.until
            if step.until >= due or stop():
                break
        return told

    def _step(self, connection: sa.Connection, due: int, now: datetime) -> _Step | None:
        """Evaluate the next stretch of time, in one transaction; None if another watcher is doing that."""
        if not store.claim(connection):
            return None
        until, notes = store.evaluated(connection), list[str]()
        if until is not None and until > _seconds(now) + BACK:
            notes.append(
                f"the clock went back: alarms were evaluated until {spelled(until)}, and go on from {spelled(due)}"
            )
            for points in datapoints.take(connection, None).values():
                datapoints.add(connection, points)
            log_alarms.show(connection, due)
            until = None
        if until is None:
            store.keep_evaluated(connection, due)
            until = due
        if until < due - MISSED:
            until = due - MISSED
            notes.append(
                f"alarms are not evaluated for the time before {spelled(until)}: that is too long ago"
            )
        rows = self._known_rows(connection, max(until, due), notes)
        if due <= until:
            return _Step(until, 0, tuple(notes))
        # Alarms that are new begin in between two stretches.
        ends = [row.created for row in rows.values() if until < row.created < due]
        end = min([due, until + self._stretch, *ends])
        told, partial = self._evaluate(connection, rows, until, end, now)
        store.keep_evaluated(connection, end)
        return _Step(end, told, tuple(notes), partial)

    def _known_rows(self, connection: sa.Connection, now: int, notes: list[str]) -> dict[str, AlarmRow]:
        """Bring the alarms that are kept in line with the templates."""
        rows = {row.name: row for row in store.alarm_states(connection)}
        if self._evaluated is None:  # another template may be in use since this process began
            gone = sorted(rows.keys() - self._alarms.keys())
            store.forget(connection, gone)
            self._logs.forget_others(connection)
            notes += [f"{name} is in no template any more, and forgotten" for name in gone]
        changed = []
        for name, alarm in self._alarms.items():
            row, digest, kind = rows.get(name), self._digests[name], kind_of(alarm)
            if row is not None and row.kind != kind:
                store.forget(connection, [name])
                row = None
            if row is None:
                row = AlarmRow(
                    name, kind, self._definitions.arn(name), alarm.description, digest, now, now,
                    str(State.INSUFFICIENT_DATA), now, CREATED, None, open=False,
                )  # fmt: skip
            elif row.digest != digest or row.arn != self._definitions.arn(name):
                row = row._replace(
                    arn=self._definitions.arn(name), description=alarm.description, digest=digest, updated=now
                )
            created = min(row.created, now)  # if the clock went back
            row = row._replace(created=created, definition=self._written[name])
            if row != rows.get(name):
                changed.append(row)
            rows[name] = row
        store.save(connection, changed)
        return {name: rows[name] for name in self._alarms}

    def _evaluate(
        self, connection: sa.Connection, rows: Mapping[str, AlarmRow], start: int, end: int, now: datetime
    ) -> tuple[int, frozenset[str]]:
        """Evaluate a stretch of time and commit all that follows from it.

        Returns how many notifications were made, and the log alarms of which not all contributors count.
        """
        arriving = datapoints.take(connection, end)
        states = {name: State(row.state) for name, row in rows.items() if row.created <= start}
        known = self._load(connection, states, start, end, arriving)
        logs = self._logs.evaluate(connection, states, start, end)
        histories = evaluated(self._definitions, states, known, start, end, logs=logs.histories)
        for points in arriving.values():
            datapoints.add(connection, points)
        waiting = {(row.alarm, contributor_of(row)): transition_of(row) for row in store.waiting(connection)}

        def since(name: str, time: int) -> list[Transition]:
            return [transition_of(row) for row in store.since(connection, name, time)]

        found = acted(self._definitions, histories, waiting, since)
        told = self._commit(connection, rows, found, now, histories=histories, logs=logs)
        self._logs.finish(connection, logs, end)
        return told, logs.partial

    def _load(
        self,
        connection: sa.Connection,
        states: Mapping[str, State],
        start: int,
        end: int,
        arriving: Mapping[int, Sequence[Point]],
    ) -> Known:
        """Load the datapoints that the alarms look at which are due."""
        since: dict[Metric, int] = {}
        for name, reach in self._definitions.reaches.items():
            if name in states and start // reach.every < end // reach.every:
                for metric in reach.metrics:
                    since[metric] = min(start - reach.seconds, since.get(metric, start))
        series = {metric: datapoints.units(connection, *metric) for metric in since}
        alike: dict[int, list[int]] = {}
        for metric, units in series.items():
            alike.setdefault(since[metric], []).extend(units.values())
        values: dict[int, datapoints.Values] = {}
        for first, numbers in alike.items():
            values |= datapoints.load(connection, numbers, first)
        return Known(series, values, arriving)

    def _commit(
        self,
        connection: sa.Connection,
        rows: Mapping[str, AlarmRow],
        found: Sequence[Acted],
        now: datetime,
        *,
        histories: Mapping[str, History],
        logs: LogStep,
    ) -> int:
        """Write down what alarms did, and tell of it."""
        current = dict(rows)
        for name, history in histories.items():
            if history.transitions:
                last = history.transitions[-1]
                current[name] = current[name]._replace(
                    state=str(last.after), since=last.time, reason=last.reason, reason_data=last.reason_data
                )
        told: list[tuple[Notification, Sequence[str]]] = []
        kept: list[TransitionRow] = []
        for each in found:
            row = current[each.alarm]
            account = row.arn.split(":")[4]
            audience = self._teller.audience(each, account, is_open=_is_open(each, row, logs))
            if each.contributor is None:
                current[each.alarm] = row._replace(open=audience.open)
            else:
                logs.tell(each.alarm, each.contributor, is_open=audience.open)
            notification = (
                self._notifier.notification(connection, each, row, logs) if audience.targets else None
            )
            if notification:
                told.append((notification, audience.targets))
            kept.append(row_of(each, notification.id if notification else None))
        store.save(connection, [row for name, row in current.items() if row != rows[name]])
        store.record(connection, kept)
        self._teller.tell(connection, told, max(self._next, milliseconds(now)))
        changes = sum(len(history.transitions) for history in histories.values())
        deliveries.count(connection, {"alarm_changes": changes})
        return len(told)

    def _seen(self, arrived: int | None, now: datetime) -> int:
        """Say from which evaluation on something is seen; 0 if nothing tells. Nothing arrives later than it is read."""
        if arrived is None:
            return 0
        return min(arrived, self._floor(_seconds(now))) + self._definitions.step

    def _floor(self, time: int) -> int:
        return time // self._definitions.step * self._definitions.step

    def _is_ahead(self, now: datetime) -> bool:
        return self._evaluated is not None and self._evaluated > _seconds(now) + BACK


def _points(
    part: Mapping[Named, datapoints.Values], numbers: Mapping[Named, int], first: int
) -> Iterable[Point]:
    """Give the datapoints of some series, without those that are too old."""
    for named, values in part.items():
        for minute, counted in values.items():
            if minute >= first:
                yield from (Point(numbers[named], minute, value, number) for value, number in counted.items())


def _is_open(each: Acted, row: AlarmRow, logs: LogStep) -> bool:
    """Say whether people know that an alarm, or a contributor of it, is in ALARM."""
    return row.open if each.contributor is None else each.contributor in logs.told[each.alarm]


def _begin(evaluated: int | None, now: int, before: int) -> int:
    """Say since when alarms may still be evaluated; where nothing tells, so many seconds before now."""
    return now - before if evaluated is None else max(min(evaluated, now), now - MISSED)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
