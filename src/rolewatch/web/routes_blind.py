"""The start page: which services are blind, where, since when, and what has changed."""

import shlex
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from rolewatch.base.wording import some
from rolewatch.web import blind as views
from rolewatch.web.answers import data, page
from rolewatch.web.blind_counts import Overview
from rolewatch.web.described import ANSWERS, array, json_of
from rolewatch.web.desk import OfDesk, Reader

api = APIRouter(prefix="/api/v1", tags=["blind spots"], responses=ANSWERS)
pages = APIRouter(include_in_schema=False)

_FIELDS = {
    "answer": str, "as_of": (str, None), "last_delivery": (str, None), "late": bool, "blocked": int, "silent": int,
    "resources": (int, None), "services": array(), "accounts": array(), "cells": array(), "left_out": {"type": "object"},
    "days": array(), "changed": {"type": "object"},
}  # fmt: skip


@api.get("/blind-spots", summary="Who is blind, where, since when", responses=json_of(_FIELDS))
def blind_spots(
    request: Request, _: Reader,
    services: Annotated[int, Query(ge=1, le=views.MOST, description="services to list, security services first, then the worst")] = views.SERVICES,
    accounts: Annotated[int, Query(ge=1, le=views.MOST, description="accounts to list, the worst first")] = views.ACCOUNTS,
) -> Response:  # fmt: skip
    """Count what is blocked and silent by service and account, by day, and what has changed in a day."""
    counted = _overview(request).now()
    pulse = request.app.state.pulse()
    known = {"last_delivery": pulse.arrived or None, "late": pulse.late}
    return data(request, views.described(counted, views.matrix_of(counted, services, accounts)) | known)


@pages.get("/")
def blind_page(request: Request, desk: OfDesk, visitor: Reader) -> Response:
    """Show who is blind."""
    counted = _overview(request).now()
    matrix = views.matrix_of(counted)
    model = {
        "VIEWS": views, "SOME": some, "spots": views.described(counted, matrix), "matrix": matrix, "bars": views.bars(counted),
        "read": counted.read, "place": "" if desk.state.shared else shlex.quote(desk.state.name),
    }  # fmt: skip
    return page(request, "blind.html", model, visitor=visitor)


def _overview(request: Request) -> Overview:
    overview: Overview = request.app.state.overview
    return overview
