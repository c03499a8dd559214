"""Replays of alarms over the lake: beginning one, looking how far it is, cancelling. Its result is also a part of the alarm's page."""

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from rolewatch.report import replay_words
from rolewatch.web.alarm_replays import replaying, state_of
from rolewatch.web.alarm_times import Missing, Settings
from rolewatch.web.answers import Problem, ProblemError, data, page
from rolewatch.web.described import ANSWERS, json_of
from rolewatch.web.desk import OfDesk, Reader
from rolewatch.web.queries import queries_of
from rolewatch.web.query_views import window_of
from rolewatch.web.routes_alarms import LINKS

api = APIRouter(prefix="/api/v1/alarms", tags=["alarms"], responses=ANSWERS)
pages = APIRouter(include_in_schema=False)
Name = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{22}$", description="the id of a replay")]
_TIME: Final = Field(
    default="",
    max_length=100,
    description="how long ago (`30d`) or a moment in UTC; empty for all that there is",
)
_STATE: Final = {
    "id": str, "status": str, "alarm": str, "since": (str, None), "until": (str, None), "seconds": float,
    "progress": {"type": "object"}, "result": {"type": ["object", "null"]}, "problem": {"type": ["object", "null"]},
}  # fmt: skip


class NewReplay(BaseModel):
    """An alarm, from when until when it is replayed, and settings that are tried instead of its own."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=1024, description="the name of an alarm")
    since: str = _TIME
    until: str = _TIME
    threshold: float | None = Field(default=None, ge=-1e300, le=1e300, allow_inf_nan=False)
    periods: int | None = Field(default=None, ge=1, le=10_080)
    datapoints: int | None = Field(default=None, ge=1, le=10_080)
    missing: Missing | None = None


@api.post(
    "/replays", summary="Replay an alarm", status_code=202, responses=json_of({"id": str, "status": str}, 202)
)
def begin(request: Request, desk: OfDesk, visitor: Reader, new: NewReplay) -> Response:
    """Begin to replay an alarm over the records of the lake. It ends by itself after ten minutes; its result is kept for half an hour."""
    window = window_of(new.since, new.until, desk.clock())
    settings = Settings(new.threshold, new.periods, new.datapoints, new.missing)
    run = queries_of(request).start(replaying(desk, new.name, window, settings), visitor.name)
    return data(request, {"id": run.id, "status": run.status}, 202)


@api.get("/replays/{name}", summary="How far a replay is, and what it found", responses=json_of(_STATE))
def look(request: Request, _: Reader, name: Name) -> Response:
    """Give the state of a replay; its result has what the alarm would have done, when, and of which findings it would have told."""
    return data(request, state_of(queries_of(request).run(name, replay=True)))


@api.delete("/replays/{name}", summary="Cancel a replay", responses=json_of({"id": str, "status": str}))
def cancel(request: Request, _: Reader, name: Name) -> Response:
    """End a replay that is running; one that has ended stays as it is."""
    run = queries_of(request).run(name, replay=True)
    run.cancel()
    run.ended.wait(5)
    return data(request, {"id": run.id, "status": run.status})


@pages.get("/alarms/replays/{name}")
def part(request: Request, visitor: Reader, name: Name) -> Response:
    """Show what a replay found, as a part of the page of its alarm."""
    run = queries_of(request).run(name, replay=True)
    replay = run.wanted.replay
    if run.replayed is None:
        raise ProblemError(
            Problem(404, "No result", "The replay has not ended, or found nothing.", "Look how far it is.")
        )
    model = {
        "found": msgspec.json.decode(run.replayed.content),
        "alarm": replay,
        "tried": any(each is not None for each in replay.settings) if replay else False,
        "said": replay_words,
        **LINKS,
    }
    return page(request, "replay.html", model, visitor=visitor)
