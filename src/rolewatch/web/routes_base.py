"""Logging in and out, files, what is live, and the description of the API as a page."""

from typing import Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse, StreamingResponse

from rolewatch.store import finding_lists
from rolewatch.web import assets
from rolewatch.web.access import COOKIE, LASTS, TooManyError
from rolewatch.web.answers import Problem, ProblemError, page
from rolewatch.web.described import ANSWERS
from rolewatch.web.desk import OfDesk, Reader

api = APIRouter(prefix="/api/v1", responses=ANSWERS)
pages = APIRouter(include_in_schema=False)
_BODY: Final = 10_000  # bytes of a form


@pages.get("/login", name="login_page")
def login_page(request: Request, desk: OfDesk, back: str = "/") -> Response:
    """Ask for a token."""
    return page(request, "login.html", {"back": _own(back), "wrong": ""}, visitor=desk.gate.visitor(request))


@pages.post("/login")
async def login(request: Request, desk: OfDesk) -> Response:
    """Begin a session with a token, and go back to where somebody came from."""
    form = parse_qs((await request.body())[:_BODY].decode("utf-8", "replace"), keep_blank_values=True)
    back = _own(form.get("back", ["/"])[0])
    try:
        session = desk.gate.login(form.get("token", [""])[0], request.client.host if request.client else "")
    except TooManyError as error:
        raise ProblemError(
            Problem(
                429,
                "Too many attempts",
                f"Logging in has failed too often; try again in {error.seconds} seconds.",
            ),
            {"Retry-After": str(error.seconds)},
        ) from None
    if session is None:
        wrong = "No token that holds is like this. It may have ended."
        return page(request, "login.html", {"back": back, "wrong": wrong}, visitor=None, status=403)
    answer = RedirectResponse(back, 303, {"Cache-Control": "no-store"})
    answer.set_cookie(
        COOKIE, session, max_age=int(LASTS.total_seconds()), httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return answer


@pages.post("/logout")
def logout(request: Request, desk: OfDesk) -> Response:
    """End a session."""
    desk.gate.logout(request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/", 303, {"Cache-Control": "no-store"})
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


@pages.get("/static/{name}")
def static(request: Request, name: str) -> Response:
    """Give a file; one that is asked for by the mark of this version may be kept for ever."""
    found, mark = assets.found(name), f'"{assets.mark()}"'
    if found is None:
        raise ProblemError(Problem(404, "Not found", f"There is no file {name!r} here."))
    if mark in request.headers.get("if-none-match", ""):
        return Response(status_code=304)
    lasting = request.query_params.get("v") == assets.mark()
    caching = "public, max-age=31536000, immutable" if lasting else "no-cache"
    content, kind = found
    return Response(content, media_type=kind, headers={"Cache-Control": caching, "ETag": mark})


@pages.get("/healthz")
def healthz(desk: OfDesk) -> Response:
    """Say that the server answers, and the state as well; 503 if that does not. Nobody has to log in for it."""
    desk.read(finding_lists.newest)
    return Response("ok\n", media_type="text/plain", headers={"Cache-Control": "no-store"})


@api.get(
    "/events", tags=["live"], summary="What changes, as it does",
    responses={200: {"description": "Server-sent events: `changed` (findings, more, alarms) and `state` (ok, detail).", "content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)  # fmt: skip
async def events(request: Request, desk: OfDesk, _: Reader) -> Response:
    """Stream what changes: `changed` names findings that were written, `state` says whether the state answers."""
    if desk.live.full:
        raise ProblemError(
            Problem(503, "Too many streams", "Too many pages are open."), {"Retry-After": "30"}
        )
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    stream = desk.live.stream(lambda: desk.gate.visitor(request) is not None)
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


@pages.get("/api/docs")
def api_page(request: Request, visitor: Reader) -> Response:
    """Show the description of the API."""
    description = request.app.openapi()
    return page(request, "api.html", {"description": description}, visitor=visitor)


def _own(back: str) -> str:
    """Give a path of this server; anything else is none to go back to."""
    fine = back.startswith("/") and not back.startswith(("//", "/\\")) and "\\" not in back
    return back if fine and back.isprintable() else "/"
