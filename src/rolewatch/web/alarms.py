"""Alarms as pages and the API show them: the list with what each did today, one of them, and what they all did."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from rolewatch.alarms.errors import AlarmError
from rolewatch.alarms.rule import alarm_name, children, parse_rule
from rolewatch.base.cursors import marks_of, word_of
from rolewatch.report.replay_rule import COMPARISONS, looked_at, rule
from rolewatch.store import alarms as store
from rolewatch.store import log_alarms, outbox
from rolewatch.store.alarms import ITSELF, AlarmRow, TransitionRow
from rolewatch.templates.definitions import Alarm, CompositeAlarm, LogAlarm
from rolewatch.watch.alarm_definitions import Reach, reach_of
from rolewatch.watch.alarm_kept import Kept, read
from rolewatch.watch.alarm_picture import Window, metrics_in, picture
from rolewatch.watch.alarm_telling import spelled
from rolewatch.web.alarm_logs import contributors_of, log_drawn
from rolewatch.web.alarm_times import (
    Settings,
    Stay,
    Stretch,
    changed,
    drawn_of,
    numbers,
    spelled_stays,
    stays,
    thinned_stays,
    tried,
)
from rolewatch.web.answers import Problem, ProblemError
from rolewatch.web.desk import Desk

DAY: Final = 86_400
LATE: Final = 600  # seconds after which evaluation is said to be late
PAGE: Final = 50  # changes on a page
MOST: Final = 200  # alarms on a page
CHANGES: Final = 50_000  # of all alarms, that are looked at for the last day
COLUMNS: Final = 96  # parts of a time of which the gravest state is shown, where there are more changes …
WIDE: Final = 720  # … and in the graph of one alarm
POINTS: Final = 1500  # of a graph
STATES: Final = ("ALARM", "INSUFFICIENT_DATA", "OK")
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})*")


def listed(
    desk: Desk, state: str = "", text: str = "", number: int = MOST, after: str | None = None
) -> dict[str, Any]:
    """List alarms, those that ring first, with what each was in during the last 24 hours; and how many are in each state.

    `text` is sought in their names; `next` is the `after` of the page behind.
    """
    now = _seconds(desk)
    behind = None if after is None else _place(after)

    def work(connection: sa.Connection) -> tuple[list[AlarmRow], int | None, list[tuple[str, int, str, str]]]:
        changes = store.changes(connection, now - DAY, number=CHANGES)
        return store.alarm_states(connection), store.evaluated(connection), changes

    rows, evaluated, changes = desk.read(work)
    rows.sort(
        key=lambda row: (STATES.index(row.state), row.name)
    )  # as pages are cut, whatever the database's order
    by_name: dict[str, list[tuple[int, str, str]]] = {}
    for name, time, before, later in changes:
        by_name.setdefault(name, []).append((time, before, later))
    cut = min(time for _, time, *_ in changes) if len(changes) == CHANGES else 0  # nothing is known before
    over = Stretch(now - DAY, now, now if evaluated is None else min(evaluated, now))
    found = [row for row in rows if state in ("", row.state) and text.casefold() in row.name.casefold()]
    left = [row for row in found if behind is None or (STATES.index(row.state), row.name) > behind[:2]]
    shown = left[:number]
    return {
        "alarms": [
            {
                **_brief(row),
                "states": _few(stays(by_name.get(row.name, ()), row.state, max(row.created, cut), over)),
            }
            for row in shown
        ],
        "total": len(found),
        "next": _cursor(STATES.index(shown[-1].state), shown[-1].name) if len(left) > number else None,
        "counts": {each: sum(row.state == each for row in rows) for each in STATES},
        "evaluated": _when(evaluated),
        "late": evaluated is not None and evaluated < now - LATE,
        "since": spelled(over.since),
        "until": spelled(over.until),
    }


def stretch_of(desk: Desk, since: int | None, until: int | None, seconds: int) -> Stretch:
    """Say which time is meant: what is not given ends now, and is so many seconds long; what is not evaluated yet is not known."""
    now = _seconds(desk)
    evaluated = desk.read(store.evaluated)
    known = now if evaluated is None else min(evaluated, now)
    end = now if until is None else until
    return Stretch(end - seconds if since is None else since, end, known)


def one(desk: Desk, name: str, over: Stretch, settings: Settings) -> dict[str, Any]:
    """Give everything about an alarm: its definition, a graph, its states over a time, and who contributes to these.

    ProblemError 404 if there is none; AlarmError for settings that it cannot have.
    """
    return desk.read(lambda connection: _one(connection, name, over, settings))


def history(desk: Desk, name: str | None, number: int, after: str | None) -> dict[str, Any]:
    """Give a page of what alarms did, or one of them, the latest first, with the `next` of the page behind it."""
    place = None if after is None else _place(after)

    def work(connection: sa.Connection) -> dict[str, Any]:
        if name is not None:
            row_of(connection, name)
        found = store.history(connection, name, number + 1, place)
        last = found[number - 1] if len(found) > number else None
        told = outbox.fates(connection, [row.notification for row in found if row.notification])
        return {
            "changes": [_change(row, told) for row in found[:number]],
            "next": _cursor(last.time, last.alarm, last.contributor) if last else None,
        }

    return desk.read(work)


def _one(connection: sa.Connection, name: str, over: Stretch, settings: Settings) -> dict[str, Any]:
    row = row_of(connection, name)
    kept = read(row.kind, row.definition)
    found = _stays(connection, row, over)
    model = {
        **_brief(row),
        "reason_data": _json(row.reason_data),
        "created": spelled(row.created),
        "updated": spelled(row.updated),
        "evaluated": spelled(over.known),
        "since_shown": spelled(over.since),
        "until_shown": spelled(over.until),
        "definition": _defined(kept) if kept else None,
        "states": _few(found, WIDE),
        "graph": None,
        "numbers": [],
        "children": [],
        "contributors": [],
        "trial": None,
    }
    alarm = kept.alarm if kept else None
    if kept and isinstance(alarm, Alarm):
        model |= _measured(connection, alarm, kept, found, over, settings)
    elif isinstance(alarm, CompositeAlarm):
        model["children"] = [_child(connection, each, over) for each in depends_on(alarm)]
    elif isinstance(alarm, LogAlarm):
        memory = log_alarms.memories(connection).get(row.name)
        changes = store.history(connection, row.name, 1000)
        model["contributors"] = contributors_of(memory, alarm)
        model["graph"] = log_drawn(memory, changes, alarm, (over.since, over.until))
    if settings.given and not isinstance(alarm, Alarm):
        raise AlarmError(
            f"{name} is no alarm of a metric", remedy="replay its template over records: rolewatch replay"
        )
    return model


def _measured(
    connection: sa.Connection,
    alarm: Alarm,
    kept: Kept,
    found: Sequence[Stay],
    over: Stretch,
    settings: Settings,
) -> dict[str, Any]:
    """Give what an alarm of a metric saw, and what it would have done with other settings."""
    end = max(min(over.until, over.known), over.since)
    window = Window(over.since, end, POINTS)
    drawn = picture(connection, alarm, reach_of(alarm, kept.detectors), window, kept.detectors)
    model: dict[str, Any] = {
        "graph": drawn_of(drawn, COMPARISONS.get(alarm.comparison_operator, alarm.comparison_operator)),
        "numbers": numbers(drawn, found, over, alarm) if found else [],
    }
    if settings.given:
        other = changed(alarm, settings)
        reach: Reach = reach_of(other, kept.detectors)
        metrics = metrics_in(connection, reach, window)
        model["trial"] = tried(other, kept.detectors, metrics, found, over)
    return model


def _brief(row: AlarmRow) -> dict[str, Any]:
    _, _, _, region, account, *_ = (*row.arn.split(":"), "", "", "", "", "")
    return {
        "name": row.name, "kind": row.kind, "arn": row.arn, "account": account, "region": region,
        "description": row.description, "state": row.state, "since": spelled(row.since), "reason": row.reason, "open": row.open,
    }  # fmt: skip


def _defined(kept: Kept) -> dict[str, Any]:
    """Give a definition as far as people look at it."""
    alarm = kept.alarm
    actions = alarm.actions._asdict()
    model: dict[str, Any] = {
        "rule": rule(alarm),
        "looks_at": [] if isinstance(alarm, CompositeAlarm) else looked_at(alarm),
        "filters": [each._asdict() for each in kept.filters],
        "actions": {**actions, "enabled": alarm.actions.enabled},
    }
    if isinstance(alarm, Alarm):
        model |= {
            "threshold": alarm.threshold,
            "evaluation_periods": alarm.evaluation_periods,
            "datapoints_to_alarm": alarm.datapoints_to_alarm or alarm.evaluation_periods,
            "treat_missing_data": alarm.treat_missing_data,
        }
    elif isinstance(alarm, CompositeAlarm) and alarm.suppressor is not None:
        model |= {
            "suppressor": alarm_name(alarm.suppressor),
            "wait_period": alarm.wait_period,
            "extension_period": alarm.extension_period,
        }
    return model


def depends_on(alarm: CompositeAlarm) -> list[str]:
    """Name the alarms that a composite alarm depends on, each once, its suppressor last."""
    names = [child.name for child in children(parse_rule(alarm.rule))]
    if alarm.suppressor is not None:
        names.append(alarm_name(alarm.suppressor))
    return list(dict.fromkeys(names))


def _child(connection: sa.Connection, name: str, over: Stretch) -> dict[str, Any]:
    row = store.one(connection, name)
    if row is None:
        return {"name": name, "state": None, "since": None, "states": []}
    return {
        "name": row.name, "state": row.state, "since": spelled(row.since), "states": _few(_stays(connection, row, over)),
    }  # fmt: skip


def _stays(connection: sa.Connection, row: AlarmRow, over: Stretch) -> list[Stay]:
    changes = [each[1:] for each in store.changes(connection, over.since, row.name)]
    return stays(changes, row.state, row.created, over)


def row_of(connection: sa.Connection, name: str) -> AlarmRow:
    """Give the row of an alarm; ProblemError 404 if there is none."""
    row = store.one(connection, name)
    if row is None:
        raise ProblemError(
            Problem(404, "No such alarm", f"No alarm is called {name!r}.", "It may be in no template any more: look for it in the list.")
        )  # fmt: skip
    return row


def _change(row: TransitionRow, told: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, Any]:
    who = None
    if row.contributor != ITSELF:
        who = {"id": row.contributor.hex(), "attributes": dict(json.loads(row.attributes or "[]"))}
    return {
        "alarm": row.alarm, "time": spelled(row.time), "before": row.before, "after": row.after, "reason": row.reason,
        "reason_data": _json(row.reason_data), "actions": json.loads(row.actions), "acted": _when(row.acted),
        "suppressed_by": row.suppressed_by, "waiting": row.waiting, "notification": row.notification,
        "told": [{"target": name, "state": state} for name, state in told.get(row.notification or "", ())],
        "contributor": who, "lines": json.loads(row.lines or "[]"),
    }  # fmt: skip


def _few(found: Sequence[Stay], columns: int = COLUMNS) -> list[dict[str, Any]]:
    return spelled_stays(thinned_stays(found, columns))


def _cursor(first: int, name: str, contributor: bytes = ITSELF) -> str:
    return word_of((first, name, contributor.hex()))


def _place(after: str) -> tuple[int, str, bytes]:
    """Read the place behind which a page begins; ProblemError for what no page ends with."""
    match marks_of(after, (int, str, str)):
        case [int(first), str(name), str(contributor)] if abs(first) < 2**53 and _HEX.fullmatch(contributor):
            return first, name, bytes.fromhex(contributor)
    raise ProblemError(
        Problem(422, "No such page", "`after` is no word that a page ends with.", "Take the `next` of the page before.")
    )  # fmt: skip


def _json(text: str | None) -> Any:
    """Read JSON that the service's length may have cut short; what is cut is given as text."""
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text


def _when(time: int | None) -> str | None:
    return None if time is None else spelled(time)


def _seconds(desk: Desk) -> int:
    return int(desk.clock().timestamp())
