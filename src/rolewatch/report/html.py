"""The report as one HTML file that needs nothing else: no network, no other file, no script to be readable."""

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any, TextIO

from rolewatch.report.html_coverage import coverage
from rolewatch.report.html_days import scale
from rolewatch.report.html_findings import findings
from rolewatch.report.html_headline import answer, headline
from rolewatch.report.html_markup import Markup, el, instant, join
from rolewatch.report.html_matrix import matrix
from rolewatch.report.html_timeline import timeline
from rolewatch.report.output import emit


def write(report: dict[str, Any], out: TextIO) -> None:
    """Write the whole page at once. It is ASCII with character references: right in whatever encoding it is stored."""
    page = f"<!doctype html>\n{_page(report)}\n"
    emit(out, page.encode("ascii", "xmlcharrefreplace").decode("ascii"))


def _page(report: dict[str, Any]) -> Markup:
    """Return the html element."""
    axis = scale(report)
    overview = [part for part in (matrix(report), timeline(report, axis)) if part]
    style, script = _asset("report.css"), _asset("report.js")
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="referrer", content="no-referrer"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", f"{answer(report)} \N{EM DASH} rolewatch"),
        el("style", style),
    )
    body = el(
        "body",
        el("a", "Skip to the findings", href="#findings", class_="skip"),
        _banner(report),
        el(
            "main",
            headline(report),
            el("div", *overview, class_="overview") if overview else None,
            findings(report, axis),
            coverage(report),
        ),
        _footer(report),
        el("script", script),
    )
    return el("html", head, body, lang="en")


def _banner(report: dict[str, Any]) -> Markup:
    """Return the line above everything: what this is, of when, and the switch between light and dark."""
    return el(
        "header",
        el("span", "rolewatch", class_="brand"),
        el("span", "what AWS services could not reach", class_="claim"),
        el("span", instant(report["generated"]), " UTC", class_="generated"),
        el("button", "Dark", type="button", id="theme", hidden=True),
    )


def _footer(report: dict[str, Any]) -> Markup:
    """Return the line below everything."""
    made = join(["Made by rolewatch ", report["version"], " at ", instant(report["generated"]), "."])
    return el(
        "footer",
        el(
            "p",
            made,
            " All times are UTC. Resource and role names are as recorded; characters that would hide or reorder text are written out.",
        ),
    )


def _policy(style: str, script: str) -> str:
    """Return a policy that lets the page load nothing and run only its own style and script."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


@cache
def _asset(name: str) -> Markup:
    """Return a file of our own as it is; it holds ASCII only and nothing that would end its element."""
    return Markup(resources.files("rolewatch.report").joinpath("assets", name).read_text("ascii"))
