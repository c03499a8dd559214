"""Findings: the list, one of them, and what people decide about them. Pages below /findings, the API below /api/v1."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Final, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from rolewatch.base.clock import spelled
from rolewatch.base.errors import UsageError
from rolewatch.findings.life import Life, acknowledge, assign
from rolewatch.findings.match import pattern_of
from rolewatch.findings.mutes import new_mute
from rolewatch.report.html_evidence import calls, events, facts, why
from rolewatch.report.html_markup import Markup
from rolewatch.watch import listing
from rolewatch.web import findings as views
from rolewatch.web.access import Visitor
from rolewatch.web.advice import advice, write_command
from rolewatch.web.answers import Problem, ProblemError, data, page
from rolewatch.web.described import ANSWERS, array, json_of
from rolewatch.web.desk import Desk, OfDesk, Reader, Writer
from rolewatch.web.desk import Note as Log
from rolewatch.web.exports import exported
from rolewatch.web.findings import MOST, PAGE, Asked, By, asked, choices, groups_of, one, page_of
from rolewatch.web.records import records_of

api = APIRouter(prefix="/api/v1", tags=["findings"], responses=ANSWERS)
pages = APIRouter(include_in_schema=False)
Which = Annotated[Asked, Depends(asked)]
After = Annotated[str | None, Query(max_length=10_000, description="the `next` of the page before")]
Name = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="the id of a finding")]
MOST_AT_ONCE: Final = 500  # findings that are muted at once


class NewMute(BaseModel):
    """What is to be muted, why, and until when: findings by their ids, or all that match."""

    model_config = ConfigDict(extra="forbid")
    ids: list[Annotated[str, Field(pattern="^[0-9a-f]{16}$")]] = Field(default=[], max_length=MOST_AT_ONCE)
    match: dict[str, Annotated[str, Field(max_length=2048)]] = Field(
        default={},
        description="patterns by key: service, role_name, account, resource, verdict …",
        max_length=9,
    )
    reason: str = Field(min_length=1, max_length=1000)
    until: datetime = Field(description="when it ends; UTC if it does not say otherwise")
    until_recovered: bool = Field(default=False, description="it also ends when its finding recovers")


class Note(BaseModel):
    """What there is to say."""

    model_config = ConfigDict(extra="forbid")
    note: str = Field(default="", max_length=1000)


class Owner(BaseModel):
    """Whose it is; nobody's if empty."""

    model_config = ConfigDict(extra="forbid")
    to: str = Field(default="", max_length=200)


@api.get(
    "/findings",
    summary="List findings",
    responses=json_of({"findings": array(), "total": int, "next": (str, None)}),
)
def list_findings(
    request: Request, desk: OfDesk, _: Reader, which: Which, after: After = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = PAGE,
) -> Response:  # fmt: skip
    """Give a page of findings, as `rolewatch findings list --format json` does."""
    return data(request, page_of(desk, which, after, limit))


@api.get("/groups", summary="Count findings in groups", responses=json_of({"groups": array()}))
def list_groups(request: Request, desk: OfDesk, _: Reader, which: Which, by: By = "service") -> Response:
    """Count findings by a key, the worst groups first."""
    return data(request, {"groups": groups_of(desk, which, by)})


@api.get("/findings/{name}", summary="One finding", responses=json_of({}))
def show_finding(request: Request, desk: OfDesk, _: Reader, name: Name) -> Response:
    """Give everything about a finding, as `rolewatch findings show` does."""
    return data(request, one(desk, name))


@api.get(
    "/findings/{name}/records", summary="The records of a finding", responses=json_of({"records": array()})
)
def show_records(request: Request, desk: OfDesk, _: Reader, name: Name) -> Response:
    """Give the latest records of a finding, whole, where a lake keeps them."""
    return data(request, {"records": records_of(desk, one(desk, name))})


@api.post("/findings/{name}/acknowledge", summary="Note that it was seen", responses=json_of({}))
def acknowledge_finding(request: Request, desk: OfDesk, visitor: Writer, name: Name, note: Note) -> Response:
    """Note who has seen a finding, when, and what they say."""
    seen = partial(acknowledge, by=visitor.name, at=desk.clock(), note=note.note)
    _change(desk, visitor, name, seen, "acknowledge", {"note": note.note})
    return data(request, one(desk, name))


@api.post("/findings/{name}/assign", summary="Note whose it is", responses=json_of({}))
def assign_finding(request: Request, desk: OfDesk, visitor: Writer, name: Name, owner: Owner) -> Response:
    """Note whose a finding is."""
    _change(desk, visitor, name, partial(assign, person=owner.to), "assign", {"to": owner.to})
    return data(request, one(desk, name))


@api.get("/mutes", summary="List mutes", responses=json_of({"mutes": array()}))
def list_mutes(request: Request, desk: OfDesk, _: Reader) -> Response:
    """List all mutes that are remembered, with `active`."""
    return data(request, {"mutes": listing.all_mutes(desk.state, now=desk.clock())})


@api.post("/mutes", summary="Mute findings", status_code=201, responses=json_of({"mutes": array()}, 201))
def add_mutes(request: Request, desk: OfDesk, visitor: Writer, wanted: NewMute) -> Response:
    """Mute findings by their ids, one mute each, or all that match."""
    if bool(wanted.ids) == bool(wanted.match):
        raise ProblemError(
            Problem(422, "That makes no sense", "A mute is for `ids` or for a `match`, one of them.")
        )
    until = wanted.until if wanted.until.tzinfo else wanted.until.replace(tzinfo=UTC)
    now = desk.clock()
    match = dict(pattern_of(key, value, "match") for key, value in wanted.match.items())
    targets: list[tuple[dict[str, str], str | None]] = [(match, None)] if match else []
    targets += [({"id": name}, one(desk, name)["severity"]) for name in dict.fromkeys(wanted.ids)]
    made = [
        new_mute(
            match, reason=wanted.reason, by=visitor.name, until=until, now=now,
            until_recovered=wanted.until_recovered, severity=severity,
        )
        for match, severity in targets
    ]  # fmt: skip

    def work(connection: sa.Connection, note: Log) -> None:
        for mute in made:
            listing.keep_mute(connection, mute)
            note("mute", mute.id, {"match": mute.match, "until": spelled(mute.end), "reason": mute.reason})

    desk.change(visitor, work)
    return data(request, {"mutes": [{"id": mute.id, "until": mute.until.isoformat()} for mute in made]}, 201)


@api.delete("/mutes/{name}", summary="End a mute", responses=json_of({"ended": array()}))
def end_mute(
    request: Request, desk: OfDesk, visitor: Writer, name: Annotated[str, Path(pattern="^[0-9a-f]{12,16}$")]
) -> Response:
    """End a mute, or all mutes of one finding, by its id."""

    def work(connection: sa.Connection, note: Log) -> list[str]:
        ended = listing.end_mutes(connection, name, by=visitor.name, now=desk.clock())
        note("unmute", name, {"ended": ended})
        return ended

    try:
        return data(request, {"ended": desk.change(visitor, work)})
    except UsageError as error:
        raise ProblemError(Problem(404, "No such mute", f"{error.message}.")) from error


@pages.get("/findings")
def findings_page(
    request: Request, desk: OfDesk, visitor: Reader, which: Which, after: After = None,
    group: Annotated[By | Literal[""], Query()] = "",
) -> Response:  # fmt: skip
    """Show findings, or how many there are in groups."""
    model: dict[str, Any] = {
        "which": which,
        "choices": choices(desk),
        "group": group,
        "after": after,
        "VIEWS": views,
    }
    if group:
        model["groups"] = groups_of(desk, which, group)
    else:
        model["listed"] = page_of(desk, which, after, PAGE)
    return page(request, "findings.html", model, visitor=visitor)


@pages.get("/findings/{name}")
def finding_page(request: Request, desk: OfDesk, visitor: Reader, name: Name) -> Response:
    """Show everything about a finding."""
    return page(request, "finding.html", _about(desk, name), visitor=visitor)


@pages.get("/findings.{form}")
def export(
    request: Request,
    desk: OfDesk,
    _: Reader,
    which: Which,
    form: Annotated[str, Path(pattern="^(csv|json)$")],
) -> Response:
    """Give all findings of a list as a file."""
    return exported(request, desk, which, form)


@pages.get("/findings/{name}/records")
def records_part(request: Request, desk: OfDesk, visitor: Reader, name: Name) -> Response:
    """Show the records of a finding, as a part of its page."""
    records = [defaultdict(lambda: None, record) for record in records_of(desk, one(desk, name))]
    return page(request, "records.html", {"records": records}, visitor=visitor)


@pages.get("/mutes")
def mutes_page(request: Request, desk: OfDesk, visitor: Reader) -> Response:
    """Show the mutes."""
    return page(
        request, "mutes.html", {"mutes": listing.all_mutes(desk.state, now=desk.clock())}, visitor=visitor
    )


def _change(
    desk: Desk,
    visitor: Visitor,
    name: str,
    change: Callable[[Life], Life],
    action: str,
    details: dict[str, Any],
) -> None:
    one(desk, name)  # which says where there is none of that name

    def work(connection: sa.Connection, note: Log) -> None:
        listing.change_life(connection, name, change)
        note(action, name, details)

    desk.change(visitor, work)


def _about(desk: Desk, name: str) -> dict[str, Any]:
    finding = one(desk, name)
    most = max((day["denials"] for day in finding["timeline"]), default=0)
    parts = {
        "why": why(finding, level=3), "facts": facts(finding), "calls": calls(finding, level=2),
        "events": events(finding, level=3) or Markup(),
    }  # fmt: skip
    return {
        "finding": defaultdict(lambda: None, finding),
        "most": most,
        "lake": bool(desk.lake),
        "advice": advice(desk, finding),
        "write": write_command(desk, finding),
        **parts,
    }
