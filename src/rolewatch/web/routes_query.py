"""Queries over a lake: asking, looking how far it is, cancelling, exporting, and those with names. The page is /query."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from rolewatch.base.errors import UsageError
from rolewatch.insights import QueryError
from rolewatch.sources.window import Window
from rolewatch.web import saved
from rolewatch.web.answers import PROBLEM, Problem, ProblemError, data, page
from rolewatch.web.described import ANSWERS, Responses, array, json_of
from rolewatch.web.desk import OfDesk, Reader, Writer
from rolewatch.web.queries import Run, queries_of
from rolewatch.web.query_language import vocabulary
from rolewatch.web.query_views import (
    EXPORTED,
    LONGEST,
    MOST_ROWS,
    PRESETS,
    ROWS,
    checked,
    lake_info,
    lake_of,
    spotted,
    state_of,
    wanted_of,
    window_of,
)

_ANSWERS: Final[Responses] = {
    **ANSWERS,
    400: ANSWERS[400] | {"description": "The query is wrong; `start` and `end` say where."},
    409: ANSWERS[400] | {"description": "Another query has that name, or there are too many."},
    429: ANSWERS[400] | {"description": "Too many queries are running."},
}
api = APIRouter(prefix="/api/v1", tags=["queries"], responses=_ANSWERS)
pages = APIRouter(include_in_schema=False)
_PIECE: Final = 256 * 1024
_TEXT: Final = Field(
    min_length=1, max_length=LONGEST, description="a query in the language of CloudWatch Logs Insights"
)
_TIME: Final = Field(
    default="", max_length=40, description="ISO 8601 in UTC, or how long ago (7d, 6h); all there is if empty"
)
Name = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{22}$", description="the id of a query")]
_STATE: Final = {
    "id": str, "status": {"type": "string", "enum": ["running", "done", "failed", "cancelled"]}, "query": str,
    "since": (str, None), "until": (str, None), "seconds": float,
    "progress": {"type": "object", "required": ["doing", "share"], "properties": {"doing": {"type": "string"}, "share": {"type": ["number", "null"]}}},
    "statistics": {"type": ["object", "null"]}, "columns": {"type": ["array", "null"], "items": {"type": "object"}},
    "total": (int, None), "more": (bool, None),
    "rows": {"type": ["array", "null"], "items": {"type": "array", "items": {"type": ["string", "null"]}}},
    "next": (int, None), "notes": array({"type": "string"}), "chart": {"type": ["object", "null"]},
    "histogram": {"type": ["object", "null"]}, "problem": {"type": ["object", "null"]},
}  # fmt: skip


class Unchecked(BaseModel):
    """A query that may be wrong, and from when until when it asks."""

    model_config = ConfigDict(extra="forbid")
    query: str = _TEXT
    since: str = _TIME
    until: str = _TIME


class NewQuery(Unchecked):
    """A query that is to be run, and how many rows of it are wanted."""

    limit: int = Field(default=ROWS, ge=1, le=MOST_ROWS)


class SavedQuery(BaseModel):
    """A query and the name that it is to have; slashes in it make folders."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=255)
    query: str = _TEXT
    replace: bool = Field(default=False, description="another query of that name goes")


@api.post(
    "/query", summary="Ask a query", status_code=202, responses=json_of({"id": str, "status": str}, 202)
)
def ask(request: Request, desk: OfDesk, visitor: Reader, new: NewQuery) -> Response:
    """Begin to run a query over the lake. It ends by itself after a minute, and its result is kept for half an hour."""
    window = window_of(new.since, new.until, desk.clock())
    wanted = wanted_of(desk, new.query, window, new.limit)
    wrong = _wrong(new.query, window, desk.clock())
    if wrong:
        return wrong
    run = queries_of(request).start(wanted, visitor.name)
    queries_of(request).warm()
    return data(request, {"id": run.id, "status": run.status}, 202)


@api.get(
    "/query/fields", summary="What can be written in a query",
    responses=json_of({"commands": array(), "functions": array(), "fields": array(), "lake": {"type": "object"}}),
)  # fmt: skip
def fields(request: Request, desk: OfDesk, _: Reader) -> Response:
    """Give the commands and functions of the language, the fields of records, and what the lake has."""
    return data(request, {**vocabulary(), "lake": lake_info(desk)})


@api.post(
    "/query/check", summary="Check a query",
    responses=json_of({"ok": bool, "chart": bool, "problem": {"type": ["object", "null"]}}),
)  # fmt: skip
def check(request: Request, desk: OfDesk, _: Reader, asked: Unchecked) -> Response:
    """Say what is wrong with a query, and where, without running it; `chart`: what it gives can be drawn."""
    now = desk.clock()
    window = window_of(asked.since, asked.until, now)
    try:
        chart = checked(asked.query, window, now)
    except QueryError as error:
        return data(request, {"ok": False, "chart": False, "problem": spotted(error)._asdict()})
    except UsageError as error:
        problem = {"title": "That makes no sense", "detail": error.message, "remedy": error.remedy}
        return data(request, {"ok": False, "chart": False, "problem": problem})
    return data(request, {"ok": True, "chart": chart, "problem": None})


@api.get("/query/{name}", summary="How far a query is, and its rows", responses=json_of(_STATE))
def look(
    request: Request, _: Reader, name: Name,
    rows: Annotated[int, Query(ge=0, le=MOST_ROWS, description="how many rows to give")] = ROWS,
    after: Annotated[int, Query(ge=0, le=MOST_ROWS, description="the `next` of the rows before")] = 0,
) -> Response:  # fmt: skip
    """Give the state of a query; rows, statistics and chart as soon as there are some, which is before the histogram."""
    return data(request, state_of(queries_of(request).run(name), rows=rows, after=after))


@api.delete("/query/{name}", summary="Cancel a query", responses=json_of({"id": str, "status": str}))
def cancel(request: Request, _: Reader, name: Name) -> Response:
    """End a query that is running; one that has ended stays as it is."""
    run = queries_of(request).run(name)
    run.cancel()
    run.ended.wait(5)
    return data(request, {"id": run.id, "status": run.status})


@api.get(
    "/query/{name}/export", summary="All rows as a file",
    responses={200: {"description": "The rows, as `rolewatch query --format` writes them.", "content": {"text/csv": {"schema": {"type": "string"}}, "application/json": {"schema": {"type": "object"}}}}},
)  # fmt: skip
def export(
    request: Request, desk: OfDesk, visitor: Reader, name: Name,
    form: Annotated[Literal["csv", "json"], Query(alias="format")] = "csv",
) -> Response:  # fmt: skip
    """Run a query that was asked once more, for a file of up to 100,000 rows."""
    before = queries_of(request).run(name).wanted
    wanted = before._replace(most=EXPORTED, form=form, until=before.until or before.now, lake=lake_of(desk))
    run = queries_of(request).start(wanted, visitor.name)
    run.ended.wait(queries_of(request).limits.seconds + 10)
    if run.status != "done":
        run.forget()
        raise _not_exported(run)
    kind = "text/csv" if form == "csv" else "application/json"
    headers = {"Content-Disposition": f"attachment; filename=query.{form}", "Cache-Control": "no-store"}
    return StreamingResponse(_pieces(run), media_type=kind, headers=headers)


@api.get("/queries", summary="List queries with names", responses=json_of({"queries": array()}))
def list_queries(request: Request, desk: OfDesk, _: Reader) -> Response:
    """List the queries that people saved here, and those that come with rolewatch."""
    return data(request, {"queries": saved.all_queries(desk)})


@api.post(
    "/queries", summary="Save a query", status_code=201, responses=json_of({"name": str, "query": str}, 201)
)
def save_query(request: Request, desk: OfDesk, visitor: Writer, new: SavedQuery) -> Response:
    """Save a query under a name."""
    now = desk.clock()
    wrong = _wrong(new.query, Window(now - timedelta(days=1), now), now)  # any time that has a beginning
    if wrong:
        return wrong
    row = saved.save(desk, visitor, new.name, new.query, replace=new.replace)
    return data(request, {"name": row.name, "query": row.query}, 201)


@api.delete("/queries", summary="Delete a saved query", responses=json_of({"deleted": str}))
def delete_query(
    request: Request, desk: OfDesk, visitor: Writer, name: Annotated[str, Query(min_length=1, max_length=255)]
) -> Response:  # fmt: skip
    """Delete a query that was saved here."""
    saved.remove(desk, visitor, name)
    return data(request, {"deleted": name})


@pages.get("/query")
def query_page(
    request: Request, desk: OfDesk, visitor: Reader,
    query: Annotated[str, Query(max_length=LONGEST)] = "", since: Annotated[str, Query(max_length=40)] = "",
    until: Annotated[str, Query(max_length=40)] = "",
) -> Response:  # fmt: skip
    """Show the page on which queries are written and run."""
    if desk.lake:
        queries_of(request).warm()
    model: dict[str, Any] = {
        "query": query, "since": since, "until": until, "lake": desk.lake, "presets": PRESETS,
        "folders": saved.in_folders(saved.all_queries(desk)), "longest": LONGEST, "most": MOST_ROWS,
    }  # fmt: skip
    return page(request, "query.html", model, visitor=visitor)


def _wrong(text: str, window: Window, now: datetime) -> Response | None:
    """Answer with what is wrong with a query, and where; None if nothing is."""
    try:
        checked(text, window, now)
    except QueryError as error:
        body = {"type": "about:blank", "status": 400, **spotted(error)._asdict()}
        return Response(msgspec.json.encode(body), 400, {"Cache-Control": "no-store"}, media_type=PROBLEM)
    return None


def _pieces(run: Run) -> Iterator[bytes]:
    """Read the file of an export, which goes afterwards."""
    try:
        with (run.folder / f"rows.{run.wanted.form}").open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
    finally:
        shutil.rmtree(run.folder, ignore_errors=True)


def _not_exported(run: Run) -> ProblemError:
    failed = run.failed
    if failed is None:
        return ProblemError(Problem(400, "No file", "The query was cancelled.", "Ask for it again."))
    return ProblemError(Problem(failed.status, failed.title, failed.detail, failed.remedy))
