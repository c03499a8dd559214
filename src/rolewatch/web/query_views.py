"""Queries as pages and the API show them: what is asked, checked before it runs, and how far it is."""

from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from rolewatch.base.clock import spelled
from rolewatch.base.errors import CannotDo, UsageError
from rolewatch.base.moments import counted, moment
from rolewatch.engines import windows
from rolewatch.insights import Moments, QueryError, parse_query, plan_nested, plan_segments
from rolewatch.insights.syntax import Lookup, Query
from rolewatch.lake.lake import Lake
from rolewatch.lake.parts import spell
from rolewatch.lake.place import place_of
from rolewatch.plan.stages import Match, stages_of
from rolewatch.report.query_chart_shape import shape_of
from rolewatch.sources.window import Window
from rolewatch.web import query_frames as frames
from rolewatch.web.answers import Problem, ProblemError
from rolewatch.web.desk import Desk
from rolewatch.web.queries import Run, Wanted

LONGEST: Final = 10_000  # characters of a query
ROWS: Final = 1000  # in one answer, if nothing else is asked for …
MOST_ROWS: Final = 10_000  # … and at most, of all that can be looked at here
EXPORTED: Final = 100_000  # rows of a file
#: Spans of time that the page offers.
PRESETS: Final = (("1h", "hour"), ("1d", "day"), ("7d", "7 days"), ("30d", "30 days"), ("", "all of it"))


class Spotted(NamedTuple):
    """What is wrong with a query: where, in characters from 0, in words, and drawn with carets below the place."""

    title: str
    detail: str
    remedy: str | None
    start: int
    end: int
    line: int
    column: int
    drawing: str


def window_of(since: str, until: str, now: datetime) -> Window:
    """Read from when until when; ProblemError 422 for what is no time, or for a time that is none."""
    found = []
    for name, text in (("since", since), ("until", until)):
        try:
            found.append(counted(moment(text), now) if text.strip() else None)
        except ValueError as error:
            raise ProblemError(Problem(422, "That is no time", f"{name}: {error}.")) from None
    begin, end = found
    if begin and begin >= (end or now):
        raise ProblemError(
            Problem(422, "That is no time", f"{spelled(begin)} is not before {spelled(end or now)}.", "Begin earlier.")
        )  # fmt: skip
    return Window(begin, end)


def checked(text: str, window: Window, now: datetime) -> bool:
    """Check all of a query that can be told before it runs; returns whether a chart can be drawn of what it gives.

    Raises QueryError, and UsageError for a `diff` without a beginning.
    """
    query = parse_query(text)
    moments = Moments(*windows.range_of(window, now))
    try:
        parts, nested = plan_segments(query, moments), plan_nested(query, moments)
    except RecursionError:
        raise QueryError("it is nested too deeply", text, 0, len(text)) from None
    windows.before(parts[0], windows.moved(window, query.offset, now), now)
    for stage in stages_of((*parts, *(part for each in nested.values() for part in each))):
        if isinstance(stage, Match):
            raise _no_table(query, stage)
    try:
        shape_of(parts[-1].plan)
    except UsageError:
        return False
    return True


def spotted(error: QueryError) -> Spotted:
    """Say where and what is wrong with a query."""
    line = error.query.count("\n", 0, error.start) + 1
    column = error.start - error.query.rfind("\n", 0, error.start)
    return Spotted(
        "The query is wrong",
        error.message,
        error.remedy,
        error.start,
        error.end,
        line,
        column,
        error.drawing(),
    )


def lake_of(desk: Desk) -> str:
    """Give the lake that queries ask; ProblemError 404 if there is none."""
    if not desk.lake:
        raise ProblemError(
            Problem(404, "There is no lake", "This server was started without a lake, and queries ask one.", "Start it with --lake DIR; `rolewatch ingest SOURCE --lake DIR` makes one.")
        )  # fmt: skip
    return desk.lake


def lake_info(desk: Desk) -> dict[str, Any]:
    """Say what the lake has: `records`, `files`, `first` and `last`, and why it has none (`missing`)."""
    found: dict[str, Any] = {"records": 0, "files": 0, "first": None, "last": None, "missing": None}
    try:
        place = place_of(lake_of(desk))
        parts = Lake(place, lambda _name, _reason: None).manifest().parts
    except (CannotDo, UsageError) as error:
        return found | {"missing": f"{error.message}. {error.remedy or ''}".strip()}
    first = min((part.first for part in parts if part.first is not None), default=None)
    last = max((part.last for part in parts if part.last is not None), default=None)
    return found | {
        "records": sum(part.rows for part in parts), "files": len(parts), "first": spell(first), "last": spell(last),
    }  # fmt: skip


def state_of(run: Run, *, rows: int, after: int) -> dict[str, Any]:
    """Say how far a query is, and what there is of its answer: so many rows after so many others."""
    wanted, answered, counted_ = run.wanted, run.answered, run.counted
    given: list[msgspec.Raw] | None = None
    if answered:
        given = [msgspec.Raw(row) for row in run.rows[after : after + rows]]
    behind = after + len(given or ())
    return {
        **progress_of(run),
        "query": wanted.query,
        "statistics": answered.statistics if answered else None,
        "columns": [{"name": name, "type": kind} for name, kind in answered.columns] if answered else None,
        "total": len(run.rows) if answered else None,
        "more": answered.more if answered else None,
        "rows": given,
        "next": behind if answered and rows and behind < len(run.rows) else None,
        "notes": _notes(run, answered) if answered else [],
        "chart": msgspec.Raw(answered.chart) if answered and answered.chart else None,
        "histogram": {"start": counted_.start, "step": counted_.step, "counts": counted_.counts} if counted_ else None,
    }  # fmt: skip


def progress_of(run: Run) -> dict[str, Any]:
    """Say how far a query or a replay is, and why it has failed if it has."""
    wanted = run.wanted
    return {
        "id": run.id,
        "status": run.status,
        "since": spelled(wanted.since) if wanted.since else None,
        "until": spelled(wanted.until) if wanted.until else None,
        "seconds": round(run.seconds, 1),
        "progress": {"doing": run.progress.doing, "share": run.progress.share},
        "problem": _problem(run.failed) if run.failed else None,
    }


def _notes(run: Run, answered: frames.Answered) -> list[str]:
    notes = list(answered.notes)
    if answered.cut:
        notes.append(
            f"The rows are so long that only {len(run.rows):,} are shown; show fewer fields of them."
        )
    return notes


def _problem(failed: frames.Failed) -> dict[str, Any]:
    return {
        "status": failed.status, "title": failed.title, "detail": failed.detail, "remedy": failed.remedy,
        "start": failed.start, "end": failed.end, "drawing": failed.drawing,
    }  # fmt: skip


def _no_table(query: Query, stage: Match) -> QueryError:
    """Say that there are no tables to look up in here."""
    start, end = next(
        (command.span for command in query.commands if isinstance(command, Lookup)), (0, len(query.text))
    )
    return QueryError(
        f"the query looks up in {stage.table}, and the dashboard has no tables", query.text, start, end,
        remedy=f"run it on a shell: `rolewatch query … --lookup {stage.table}=FILE.csv`",
    )  # fmt: skip


def wanted_of(desk: Desk, query: str, window: Window, most: int, form: str = "rows") -> Wanted:
    """Put together what is to be run."""
    return Wanted(query, lake_of(desk), window.since, window.until, desk.clock(), most, form)
