"""Alarms of templates: the list, one of them over a time, what they did. Pages below /alarms, the API below /api/v1/alarms.

Names of alarms hold any characters, `/` and `..` among them: they are parameters, not part of a path.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from rolewatch.report import replay_words
from rolewatch.watch.alarm_telling import spelled
from rolewatch.web.alarm_times import Missing, Settings, Stretch
from rolewatch.web.alarms import DAY, MOST, PAGE, STATES, history, listed, one, stretch_of
from rolewatch.web.answers import Problem, ProblemError, data, page
from rolewatch.web.described import ANSWERS, array, json_of
from rolewatch.web.desk import Desk, OfDesk, Reader

api = APIRouter(prefix="/api/v1", tags=["alarms"], responses=ANSWERS)
pages = APIRouter(include_in_schema=False)

LONGEST: Final = 31 * DAY  # seconds that are looked at at once
#: Lengths of time that a page offers, in seconds.
SPANS: Final[Mapping[str, int]] = {
    "3h": 3 * 3600, "1d": DAY, "3d": 3 * DAY, "7d": 7 * DAY, "14d": 14 * DAY,
}  # fmt: skip
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_OBJECT: Final = {"type": ["object", "null"]}
_ALARM: Final = {
    "name": str, "kind": str, "arn": str, "account": str, "region": str, "description": (str, None), "state": str,
    "since": str, "reason": str, "open": bool,
}  # fmt: skip

Which = Annotated[Literal["", "ALARM", "INSUFFICIENT_DATA", "OK"], Query(description="alarms in this state")]
Text = Annotated[str, Query(max_length=300, description="part of the name")]
Span = Literal["3h", "1d", "3d", "7d", "14d"]
Name = Annotated[str, Query(min_length=1, max_length=1024, description="the name of an alarm")]
After = Annotated[str | None, Query(max_length=10_000, description="the `next` of the page before")]
Moment = Annotated[datetime | None, Query(description="UTC if it does not say otherwise")]
Number = Annotated[int | None, Query(ge=1, le=10_080)]


def _settings(
    threshold: Annotated[float | None, Query(ge=-1e300, le=1e300, allow_inf_nan=False)] = None,
    periods: Number = None,
    datapoints: Number = None,
    missing: Annotated[Missing | None, Query()] = None,
) -> Settings:
    """Read which settings are tried."""
    return Settings(threshold, periods, datapoints, missing)


Tried = Annotated[Settings, Depends(_settings)]


@api.get(
    "/alarms",
    summary="List alarms",
    responses=json_of(
        {
            "alarms": array(), "total": int, "next": (str, None), "counts": {"type": "object"}, "evaluated": (str, None),
            "late": bool, "since": str, "until": str,
        }
    ),
)  # fmt: skip
def list_alarms(
    request: Request, desk: OfDesk, _: Reader, state: Which = "", q: Text = "", after: After = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = MOST,
) -> Response:  # fmt: skip
    """Give the alarms, those that ring first, with the `states` that each was in during the last 24 hours."""
    return data(request, listed(desk, state, q, limit, after))


@api.get(
    "/alarms/one",
    summary="One alarm over a time",
    responses=json_of(
        {
            **_ALARM, "created": str, "updated": str, "evaluated": str, "since_shown": str, "until_shown": str,
            "definition": _OBJECT, "graph": _OBJECT, "states": array(), "numbers": array(), "children": array(),
            "contributors": array(), "trial": _OBJECT,
        }
    ),
)  # fmt: skip
def show_alarm(
    request: Request, desk: OfDesk, _: Reader, name: Name, settings: Tried, since: Moment = None, until: Moment = None
) -> Response:  # fmt: skip
    """Give an alarm, its metric against the threshold or band, and its states over a time: the last 24 hours, if none is given.

    `threshold`, `periods`, `datapoints` and `missing` (TreatMissingData) try other settings over the datapoints of this time.
    """
    return data(request, one(desk, name, _over(desk, since, until, DAY), settings))


@api.get(
    "/alarms/history",
    summary="What alarms did",
    responses=json_of({"changes": array(), "next": (str, None)}),
)
def show_history(
    request: Request, desk: OfDesk, _: Reader,
    name: Annotated[str | None, Query(min_length=1, max_length=1024, description="the name of an alarm; all if it is left out")] = None,
    after: After = None, limit: Annotated[int, Query(ge=1, le=500)] = PAGE,
) -> Response:  # fmt: skip
    """Give changes of state with their reasons and who was told, the latest first; those of contributors of log alarms among them."""
    return data(request, history(desk, name, limit, after))


@pages.get("/alarms")
def alarms_page(
    request: Request, desk: OfDesk, visitor: Reader, state: Which = "", q: Text = "", after: After = None
) -> Response:
    """Show all alarms."""
    chosen = {key: value for key, value in (("state", state), ("q", q)) if value}
    model = {
        "listed": listed(desk, state, q, after=after), "state": state, "q": q, "after": after, "STATES": STATES, "said": replay_words,
        "these": lambda **more: f"/alarms?{urlencode({**chosen, **more}, errors='replace')}", **LINKS,
    }  # fmt: skip
    return page(request, "alarms.html", model, visitor=visitor)


@pages.get("/alarms/one")
def alarm_page(
    request: Request, desk: OfDesk, visitor: Reader, name: Name, settings: Tried, span: Span = "1d", until: Moment = None,
    after: After = None,
) -> Response:  # fmt: skip
    """Show everything about an alarm."""
    over = _over(desk, None, until, SPANS[span])
    later = over.until + SPANS[span]
    model = {
        "alarm": one(desk, name, over, settings), "history": history(desk, name, PAGE, after), "after": after, "settings": settings,
        "lake": bool(desk.lake), "span": span, "SPANS": SPANS, "until": None if until is None else spelled(over.until), "earlier": spelled(over.since),
        "later": spelled(later) if later < desk.clock().timestamp() else None, "said": replay_words, **LINKS,
    }  # fmt: skip
    return page(request, "alarm.html", model, visitor=visitor)


def link(name: str, **more: Any) -> str:
    """Give the address of an alarm's page."""
    given = {key: value for key, value in more.items() if value is not None}
    return f"/alarms/one?{urlencode({'name': name, **given}, errors='replace')}"


#: What templates make addresses and bands with.
LINKS: Final[Mapping[str, Any]] = {
    "link": link,
    "seconds": lambda text: int(datetime.fromisoformat(text).timestamp()),
    "settings_of": lambda settings: {
        key: value for key, value in settings._asdict().items() if value is not None
    },
}


def _over(desk: Desk, since: datetime | None, until: datetime | None, seconds: int) -> Stretch:
    """Read which time is meant; ProblemError for one that makes no sense."""
    begin, end = (None if each is None else _seconds(each) for each in (since, until))
    over = stretch_of(desk, begin, end, seconds)
    if over.since >= over.until:
        raise _wrong("a time has to begin before it ends")
    if over.until - over.since > LONGEST:
        raise _wrong(f"at most {LONGEST // DAY} days are looked at at once")
    return over


def _seconds(moment: datetime) -> int:
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not _FIRST <= moment <= _LAST:
        raise _wrong("it has to lie between 2000 and 2100")
    return int(moment.timestamp())


def _wrong(detail: str) -> ProblemError:
    return ProblemError(Problem(422, "No such time", f"That makes no sense: {detail}.", "Name another time."))
