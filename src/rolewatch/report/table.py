"""The report as a person on call reads it in a terminal: who is blind first, what could not be seen last."""

from functools import partial
from typing import Any, TextIO

from rich.text import Text

from rolewatch.base.sanitise import terminal
from rolewatch.report import rows, words
from rolewatch.report.drawing import draw
from rolewatch.report.looked_at import looked_at, not_visible, notes, unread
from rolewatch.report.order import Group, groups
from rolewatch.report.output import Options
from rolewatch.report.page import Page

#: What the groups below the blocked ones have in common.
_HEADINGS = {
    "silent": "Silent: no attempt since the last denial, which is no proof of recovery",
    "harmless": "Refused without harm",
    "recovered": "Recovered",
    "gone": "Gone: the resource no longer exists",
}


def write(report: dict[str, Any], out: TextIO, options: Options) -> None:
    """Write the report as text; with colours only to a terminal (or where asked), content is never cut off."""
    draw(out, options, partial(_draw, report=report))


def _draw(page: Page, report: dict[str, Any]) -> None:
    """Add what is printed, from top to bottom."""
    grouped = groups(report["findings"])
    blind = [group for group in grouped if group.section == "blind"]
    page.line(Text(_summary(report, blind), "bold"))
    for warning in _blindings(blind):
        page.line(Text(warning, "bold red"))
    for group in blind:
        page.line()
        page.line(Text(words.heading(group), _style(group)))
        rows.draw(page, group.findings)
    for name, head in _HEADINGS.items():
        findings = [finding for group in grouped if group.section == name for finding in group.findings]
        if findings:
            page.line()
            page.line(Text(f"{head} ({len(findings):,})", "bold"))
            rows.draw(page, findings, who=True)
    for head, style, lines in (
        ("Looked at", "bold", looked_at(report)),
        ("Not read, or only in part", "bold yellow", unread(report)),
        ("Not visible in this input", "bold", not_visible(report)),
        ("Notes", "bold", notes(report)),
    ):
        if lines:
            page.line()
            page.line(Text(head, style))
            for line in lines:
                page.line(Text(line), indent=rows.INDENT)


def _style(group: Group) -> str:
    """Return the style of a group's heading, by its worst finding."""
    return rows.SEVERITY_STYLES.get(group.findings[0]["severity"], "bold")


def _blindings(blind: list[Group]) -> list[str]:
    """Return a warning for each service that lost several resources at once, which is what `critical` means."""
    names = {
        group.findings[0]["service_name"] or group.service: None for group in blind if _is_critical(group)
    }
    return [
        f"Possible blinding: {terminal(name)} lost access to several resources within an hour."
        for name in names
    ]


def _is_critical(group: Group) -> bool:
    return any(finding["severity"] == "critical" for finding in group.findings)


def _summary(report: dict[str, Any], blind: list[Group]) -> str:
    """Return the first line: the answer."""
    totals, coverage = report["totals"], report["coverage"]
    if not totals["records"]:
        return "Nothing was looked at: there is no CloudTrail record in this input."
    if not report["findings"]:
        return words.nothing_found(totals)
    last = coverage["last_record"]
    as_of = f" (as of {words.moment(last)} UTC, the last record seen)" if last else ""
    if not blind:
        return f"No service is blocked{as_of}; see below for what else was found."
    findings = [finding for group in blind for finding in group.findings]
    services = len({finding["service"] or finding["role_name"] for finding in findings})
    noun = "service" if all(finding["service"] for finding in findings) else "principal"
    resources = words.count(len({finding["resource"] for finding in findings}), "resource")
    accounts = words.count(len({finding["account"] for finding in findings}), "account")
    return f"{words.count(services, noun)} cannot reach {resources} in {accounts}{as_of}."
