"""Errors as answers: those of the product, of a request that makes no sense, and bugs."""

import logging
import traceback
from collections.abc import Mapping
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from rolewatch.base.errors import CannotDo, RolewatchError, UsageError
from rolewatch.web.answers import API, Problem, ProblemError, problem_response

_LOG: Final = logging.getLogger("rolewatch.web")
_WORDS: Final = {404: ("Not found", "There is nothing here.", "Go back to the start page."), 405: ("Not so", "This cannot be asked in this way.", None)}  # fmt: skip


def answer_errors(app: FastAPI) -> None:
    """Have an application answer what goes wrong."""

    @app.exception_handler(ProblemError)
    def problem(request: Request, error: ProblemError) -> Response:
        if (
            error.problem.status == 401
            and not request.url.path.startswith(API)
            and request.method in ("GET", "HEAD")
        ):
            back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(
                str(
                    request.url_for("login_page")
                    .include_query_params(back=back)
                    .replace(scheme="", netloc="")
                ),
                303,
            )
        return _said(request, error.problem, error.headers)

    @app.exception_handler(RolewatchError)
    def known(request: Request, error: RolewatchError) -> Response:
        if isinstance(error, UsageError):
            return _said(request, Problem(400, "That makes no sense", error.message, error.remedy))
        title = "Not possible now" if isinstance(error, CannotDo) else "Not possible"
        return _said(request, Problem(503, title, error.message, error.remedy), {"Retry-After": "5"})

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        places = [".".join(map(str, each["loc"][1:])) or "the body" for each in error.errors()]
        said = "; ".join(
            f"{place}: {each['msg']}" for place, each in zip(places, error.errors(), strict=True)
        )
        return _said(
            request,
            Problem(422, "That makes no sense", said, "The description of the API says what is taken."),
        )

    @app.exception_handler(HTTPException)
    def of_http(request: Request, error: HTTPException) -> Response:
        title, detail, remedy = _WORDS.get(error.status_code, ("Not possible", str(error.detail), None))
        return _said(request, Problem(error.status_code, title, detail, remedy), dict(error.headers or {}))


def bug(scope: Scope, accept: str, error: Exception) -> Response:
    """Answer what nobody thought of: say what to report, and leave the rest to the log."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename.rpartition('rolewatch/')[2]}:{frame.lineno}"
    _LOG.error("internal error: %s at %s, for %s", type(error).__name__, place, scope["path"], exc_info=error)
    detail = f"{type(error).__name__} at {place}. What it was about is in the log."
    return problem_response(
        scope, accept, Problem(500, "A mistake of rolewatch", detail, "Please report this line.")
    )


def _said(request: Request, problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    return problem_response(request.scope, request.headers.get("accept", ""), problem, headers)
