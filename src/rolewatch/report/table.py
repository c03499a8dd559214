"""The report as a person on call reads it in a terminal: who is blind first, what could not be seen last."""

from io import StringIO
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from rolewatch.base.sanitise import terminal
from rolewatch.report import rows, words
from rolewatch.report.looked_at import looked_at, not_visible, notes, unread
from rolewatch.report.order import Group, groups
from rolewatch.report.output import Options, emit
from rolewatch.report.page import Page

#: Columns of a stream that is no terminal and says nothing: wide enough for sentences, narrow enough for a mail.
PLAIN_WIDTH = 120

#: No line is folded to less, however small the terminal is: it would not be read, and a wide character has to fit.
NARROWEST = 40

#: What the groups below the blocked ones have in common.
_HEADINGS = {
    "silent": "Silent: no attempt since the last denial, which is no proof of recovery",
    "harmless": "Refused without harm",
    "recovered": "Recovered",
    "gone": "Gone: the resource no longer exists",
}


def write(report: dict[str, Any], out: TextIO, options: Options) -> None:
    """Write the report as text; with colours only to a terminal (or where asked), content is never cut off."""
    is_terminal = out.isatty()
    environ = options.environ
    color = options.color
    if color is None:
        color = is_terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    width = options.width or _columns(environ.get("COLUMNS", ""))
    page = StringIO()
    console = Console(
        file=page,
        width=width or (None if is_terminal else PLAIN_WIDTH),
        force_terminal=color,
        force_interactive=False,
        color_system="auto" if color else None,
        no_color=False,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
        # What rich would make of the rest, such as FORCE_COLOR, is settled above.
        _environ={name: environ[name] for name in ("TERM", "COLORTERM") if name in environ},
    )
    drawn = Page(max(console.width, NARROWEST))
    _draw(drawn, report)
    # Folded already: printed line by line, rich would fold it once more, and cut what it thinks is too long.
    console.print(drawn.text, no_wrap=True, overflow="ignore", crop=False, end="")
    emit(out, page.getvalue())


def _columns(text: str) -> int | None:
    """Return COLUMNS if it is a usable width."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 and int(text) else None


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
