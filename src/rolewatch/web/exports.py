"""A list of findings as a file, however long it is: JSON as the API has it, or CSV."""

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from rolewatch.base.sanitise import csv_cell
from rolewatch.web.desk import Desk
from rolewatch.web.findings import MOST, Asked, page_of

_COLUMNS: Final = (
    "id", "severity", "status", "verdict", "service", "service_name", "role_arn", "account", "resource", "resource_type",
    "denials", "first_denied", "last_denied", "explanation", "muted",
)  # fmt: skip


def exported(request: Request, desk: Desk, which: Asked, form: str) -> Response:
    """Give all findings of a list, read a page at a time."""
    del request
    pages = _pages(desk, which)
    first = next(pages)  # what goes wrong at once is told as such
    make, kind = (_csv, "text/csv") if form == "csv" else (_json, "application/json")
    headers = {"Content-Disposition": f"attachment; filename=findings.{form}", "Cache-Control": "no-store"}
    return StreamingResponse(make(first, pages), media_type=kind, headers=headers)


def _pages(desk: Desk, which: Asked) -> Iterator[list[dict[str, Any]]]:
    after = None
    while True:
        page = page_of(desk, which, after, MOST)
        yield page["findings"]
        after = page["next"]
        if after is None:
            return


def _json(first: list[dict[str, Any]], pages: Iterator[list[dict[str, Any]]]) -> Iterator[bytes]:
    between = b'{"findings":[\n'
    for page in (first, *pages):
        for finding in page:
            yield between + msgspec.json.encode(finding)
            between = b",\n"
    yield b'{"findings":[]}\n' if between != b",\n" else b"\n]}\n"


def _csv(first: list[dict[str, Any]], pages: Iterator[list[dict[str, Any]]]) -> Iterator[str]:
    yield ",".join(_COLUMNS) + "\r\n"
    for page in (first, *pages):
        out = io.StringIO()
        rows = csv.writer(out)
        for finding in page:
            rows.writerow(
                [csv_cell("" if finding[name] is None else str(finding[name])) for name in _COLUMNS]
            )
        yield out.getvalue()
