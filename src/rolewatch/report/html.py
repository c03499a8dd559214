"""The report as one HTML file that needs nothing else: no network, no other file, no script to be readable."""

from typing import Any, TextIO

from rolewatch.report.html_coverage import coverage
from rolewatch.report.html_days import scale
from rolewatch.report.html_findings import findings
from rolewatch.report.html_headline import answer, headline
from rolewatch.report.html_markup import Markup, el, instant, join
from rolewatch.report.html_matrix import matrix
from rolewatch.report.html_shell import document
from rolewatch.report.html_timeline import timeline
from rolewatch.report.output import emit


def write(report: dict[str, Any], out: TextIO) -> None:
    """Write the whole page at once."""
    axis = scale(report)
    overview = [part for part in (matrix(report), timeline(report, axis)) if part]
    page = document(
        answer(report),
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
    )
    emit(out, page)


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
