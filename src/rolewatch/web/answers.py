"""Answers: pages by templates that escape everything, JSON, what went wrong as either, and 304 where nothing is new."""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import jinja2
import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from rolewatch.base.sanitise import encodable, terminal
from rolewatch.report import html_markup, words
from rolewatch.web import assets
from rolewatch.web.access import Visitor

API: Final = "/api/"
PROBLEM: Final = "application/problem+json"
#: Pages and their titles, in the order in which they are offered.
PAGES: Final = (
    ("/", "Blind spots"), ("/findings", "Findings"), ("/alarms", "Alarms"), ("/query", "Query"), ("/coverage", "Coverage"),
)  # fmt: skip


class Problem(NamedTuple):
    """What went wrong: a status of HTTP, what it is, what happened, and what to do."""

    status: int
    title: str
    detail: str
    remedy: str | None = None


class ProblemError(Exception):
    """Ends a request with a problem; `headers` go with the answer."""

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.headers = headers or {}


def page(
    request: Request, name: str, model: Mapping[str, Any], *, visitor: Visitor | None, status: int = 200
) -> Response:
    """Make a page by a template; a part of it, `part`, where only that is asked for again (`X-Part`)."""
    template = _templates().get_template(name)
    path = request.url.path
    values = {
        **model, "visitor": visitor, "pages": PAGES, "path": path, "request_path": _asked_for(request),
        "theme": _theme(request), "pulse": request.app.state.pulse() if visitor else None,
    }  # fmt: skip
    part = request.headers.get("x-part", "")
    if part in template.blocks:
        context = template.new_context(values)
        text = "".join(template.blocks[part](context))
    else:
        text = template.render(values)
    body = text.encode("utf-8", "replace")
    return fresh(
        request, Response(body, status, media_type="text/html"), vary="X-Part, Cookie, Accept-Encoding"
    )


def data(request: Request, value: Any, status: int = 200) -> Response:
    """Make an answer in JSON."""
    return fresh(request, Response(msgspec.json.encode(value), status, media_type="application/json"))


def fresh(
    request: Request, response: Response, vary: str = "Authorization, Cookie, Accept-Encoding"
) -> Response:
    """Give an answer a mark by its content (ETag); where the asker has the same, only that nothing is new."""
    mark = f'W/"{hashlib.sha256(bytes(response.body)).hexdigest()[:24]}"'
    headers = {"ETag": mark, "Cache-Control": "private, no-cache", "Vary": vary}
    known = [each.strip() for each in request.headers.get("if-none-match", "").split(",")]
    if response.status_code == 200 and (mark in known or "*" in known):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response


def problem_response(
    scope: Scope, accept: str, problem: Problem, headers: Mapping[str, str] | None = None
) -> Response:
    """Say what went wrong: to programs in JSON (RFC 9457), to people as a page."""
    said = {"Cache-Control": "no-store", **(headers or {})}
    if scope["path"].startswith(API) or PROBLEM in accept:
        body = {
            "type": "about:blank", "title": problem.title, "status": problem.status, "detail": problem.detail,
            "remedy": problem.remedy,
        }  # fmt: skip
        return Response(msgspec.json.encode(body), problem.status, said, media_type=PROBLEM)
    text = (
        _templates()
        .get_template("problem.html")
        .render(problem=problem, pages=PAGES, path=scope["path"], visitor=None)
    )
    return Response(text.encode("utf-8", "replace"), problem.status, said, media_type="text/html")


def _theme(request: Request) -> str:
    """Give the colours that somebody has chosen, "" for those of their system."""
    theme = request.cookies.get("rolewatch_theme", "")
    return theme if theme in ("light", "dark") else ""


def _asked_for(request: Request) -> str:
    """Give path and query of a request."""
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")


@cache
def _templates() -> jinja2.Environment:
    """Make the environment of the templates: what is not markup of ours is escaped, a name that is not there is an error."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("rolewatch.web"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False, finalize=_shown,
    )  # fmt: skip
    environment.filters |= {
        "ours": ours,
        "lines": lambda text: Markup("\n").join(terminal(line) for line in text.splitlines()),
        "diff": _diff,
        "pretty": lambda value: encodable(json.dumps(value, indent=2, ensure_ascii=False)),
        "number": lambda value: f"{value:,}",
        "count": words.count,
        "moment": words.moment,
        "minute": lambda time: words.moment(time)[:16],
        "instant": lambda time: ours(html_markup.instant(time)),
        "resource": lambda arn: ours(html_markup.resource(arn)),
        "json": lambda value: encodable(msgspec.json.encode(value).decode()),
    }
    environment.globals |= {"words": words, "asset": assets.mark}
    parts = environment.get_template("parts.html").module  # also where only a part of a page is made
    environment.globals |= {
        name: getattr(parts, name) for name in ("severity", "status", "service", "copied")
    }
    return environment


def ours(value: html_markup.Markup) -> Markup:
    """Take over what the written report is made of, which escapes by construction."""
    if not isinstance(value, html_markup.Markup):
        raise TypeError("this is not markup of ours")
    return Markup(value)  # noqa: S704 - see above


def _diff(text: str) -> Markup:
    """Mark the lines of a diff that go and come."""
    kinds = {"+": "added", "-": "removed", "@": "place"}
    return Markup("\n").join(
        Markup('<span class="{}">{}</span>').format(
            "place" if line[:3] in ("---", "+++") else kinds.get(line[:1], "same"), terminal(line)
        )
        for line in text.splitlines()
    )


def _shown(value: object) -> object:
    """Make visible what would steer a reader's eye in text of any origin; markup of ours stays as it is."""
    return terminal(value) if type(value) is str else value
