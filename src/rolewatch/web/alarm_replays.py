"""Replays of an alarm over the lake, as pages and the API show them: what is asked, and how far it is."""

from typing import Any

import msgspec
import sqlalchemy as sa

from rolewatch.sources.window import Window
from rolewatch.store import alarms as store
from rolewatch.templates.definitions import Alarm, CompositeAlarm
from rolewatch.watch.alarm_kept import read
from rolewatch.web import query_frames as frames
from rolewatch.web.alarm_times import Settings, changed
from rolewatch.web.alarms import depends_on, row_of
from rolewatch.web.answers import Problem, ProblemError
from rolewatch.web.desk import Desk
from rolewatch.web.queries import Run, Wanted
from rolewatch.web.query_views import lake_of, progress_of


def replaying(desk: Desk, name: str, window: Window, settings: Settings) -> Wanted:
    """Put together the replay of an alarm over a time.

    ProblemError 404 if there is no such alarm or no lake, 400 for an alarm that cannot be replayed here; AlarmError for settings
    that it cannot have.
    """
    lake = lake_of(desk)
    arn, alarms = desk.read(lambda connection: _with_others(connection, name))
    own = read(*alarms[0])
    if settings.given and own and isinstance(own.alarm, Alarm):
        changed(own.alarm, settings)
    replay = frames.Replaying(
        name, arn, alarms, (settings.threshold, settings.periods, settings.datapoints, settings.missing)
    )
    return Wanted("", lake, window.since, window.until, desk.clock(), 0, replay=replay)


def state_of(run: Run) -> dict[str, Any]:
    """Say how far a replay is, and what it found (`replay_worker.told`)."""
    return {
        **progress_of(run),
        "alarm": run.wanted.replay.name if run.wanted.replay else "",
        "result": msgspec.Raw(run.replayed.content) if run.replayed else None,
    }


def _with_others(connection: sa.Connection, name: str) -> tuple[str, list[tuple[str, str]]]:
    """Give an alarm's ARN, and the kinds and definitions of it and of those that it depends on, its own first."""
    arn = row_of(connection, name).arn
    found: dict[str, tuple[str, str]] = {}
    wanted = [name]
    while wanted:
        each = wanted.pop()
        if each in found:
            continue
        row = store.one(connection, each)
        if row is None:
            continue  # nothing is known of it: the replay says what comes of that
        kept = read(row.kind, row.definition)
        if kept is None or row.definition is None:
            raise _impossible(
                f"The definition of {each} is not kept in a form that this version knows.",
                "Start the watcher again.",
            )
        if not isinstance(kept.alarm, Alarm | CompositeAlarm):
            raise _impossible(
                f"{each} runs a query over log groups, which is not replayed here.", "Replay its template on a shell: rolewatch replay.",
            )  # fmt: skip
        found[each] = row.kind, row.definition
        if isinstance(kept.alarm, CompositeAlarm):
            wanted += depends_on(kept.alarm)
    return arn, list(found.values())


def _impossible(detail: str, remedy: str) -> ProblemError:
    return ProblemError(Problem(400, "Not possible here", detail, remedy))
