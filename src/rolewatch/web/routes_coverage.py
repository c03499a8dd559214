"""Coverage: what is read, what could not be, and what cannot be seen. The page /coverage, and the API below /api/v1."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from rolewatch.web import coverage as views
from rolewatch.web.answers import data, page
from rolewatch.web.described import ANSWERS, array, json_of
from rolewatch.web.desk import OfDesk, Reader

api = APIRouter(prefix="/api/v1", tags=["coverage"], responses=ANSWERS)
pages = APIRouter(include_in_schema=False)
After = Annotated[str | None, Query(max_length=200, description="the `next` of the page before")]
_FIELDS = {
    "read": bool, "last_delivery": (str, None), "late": bool, "last_event": (str, None), "old": bool, "sources": array(),
    "totals": {"type": "object"}, "accounts": {"type": "object"}, "gaps": {"type": "object"}, "notifications": array(), "not_visible": array(),
}  # fmt: skip


@api.get("/coverage", summary="What is read, and what cannot be seen", responses=json_of(_FIELDS))
def show_coverage(
    request: Request, desk: OfDesk, _: Reader,
    accounts: Annotated[int, Query(ge=1, le=views.MOST_ACCOUNTS, description="accounts to list, the quietest first")] = views.ACCOUNTS,
) -> Response:  # fmt: skip
    """Give sources with their lag and alarms, totals, the quietest accounts, letters that wait, and known gaps."""
    return data(request, views.known(desk, accounts))


@api.get(
    "/coverage/failed",
    summary="List deliveries that could not be read",
    responses=json_of({"failed": array(), "total": int, "next": (str, None)}),
)
def list_failed(
    request: Request, desk: OfDesk, _: Reader, after: After = None,
    limit: Annotated[int, Query(ge=1, le=views.MOST)] = views.PAGE,
) -> Response:  # fmt: skip
    """Give a page of them, the latest first, each with its reason and the command that reads it again."""
    return data(request, views.failed(desk, after, limit))


@pages.get("/coverage")
def coverage_page(request: Request, desk: OfDesk, visitor: Reader, after: After = None) -> Response:
    """Show what is read."""
    model = {
        "VIEWS": views, "known": views.known(desk), "listed": views.failed(desk, after), "after": after,
        "retry_all": views.retrying(desk.state), "shared": desk.state.shared,
    }  # fmt: skip
    return page(request, "coverage.html", model, visitor=visitor)
