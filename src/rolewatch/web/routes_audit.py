"""The audit log: who changed what here, and when."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from rolewatch.base.clock import spelled
from rolewatch.store import audit
from rolewatch.web.answers import data, page
from rolewatch.web.described import ANSWERS, array, json_of
from rolewatch.web.desk import Desk, OfDesk, Reader

api = APIRouter(prefix="/api/v1", tags=["audit"], responses=ANSWERS)
pages = APIRouter(include_in_schema=False)
Before = Annotated[int | None, Query(ge=1, le=2**53, description="the `next` of the page before")]
PAGE: Final = 100  # entries
MOST: Final = 1000  # … in one answer

#: What people did, as the page says it.
DEEDS: Final = {
    "mute": "muted", "unmute": "ended the mute", "acknowledge": "has seen", "assign": "assigned", "save-query": "saved the query",
    "delete-query": "deleted the query",
}  # fmt: skip


@api.get("/audit", summary="Who changed what", responses=json_of({"entries": array(), "next": (int, None)}))
def audit_log(
    request: Request, desk: OfDesk, _: Reader, limit: Annotated[int, Query(ge=1, le=MOST)] = PAGE, before: Before = None
) -> Response:  # fmt: skip
    """List changes that people made here, the latest first."""
    return data(request, _entries(desk, limit, before))


@pages.get("/audit")
def audit_page(request: Request, desk: OfDesk, visitor: Reader, before: Before = None) -> Response:
    """Show what people changed here."""
    model = {"log": _entries(desk, PAGE, before), "before": before, "DEEDS": DEEDS}
    return page(request, "audit.html", model, visitor=visitor)


def _entries(desk: Desk, number: int, before: int | None) -> dict[str, Any]:
    found = desk.read(lambda connection: audit.latest(connection, number + 1, before))
    entries = [{"id": key, **entry._asdict(), "at": spelled(entry.at)} for key, entry in found[:number]]
    return {"entries": entries, "next": entries[-1]["id"] if len(found) > number else None}
