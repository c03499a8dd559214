"""The report as a person on call reads it in a terminal: who is blind first, what could not be seen last."""

from io import StringIO
from typing import Any, TextIO

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from rolewatch.base.sanitise import terminal
from rolewatch.report import rows, words
from rolewatch.report.looked_at import looked_at, not_visible, unread
from rolewatch.report.order import Group, groups
from rolewatch.report.output import Options, emit

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
    console.width = max(console.width, NARROWEST)
    for part in _parts(report, console):
        console.print(part, crop=False)
    text = page.getvalue()
    # Rich fills lines up with blanks, which only disturb in a file.
    emit(
        out, text if color else "".join(line.rstrip() + "\n" for line in text.removesuffix("\n").split("\n"))
    )


def _columns(text: str) -> int | None:
    """Return COLUMNS if it is a usable width."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 and int(text) else None


def _parts(report: dict[str, Any], console: Console) -> list[RenderableType]:
    """Return what is printed, from top to bottom."""
    grouped = groups(report["findings"])
    blind = [group for group in grouped if group.section == "blind"]
    parts: list[RenderableType] = [Text(_summary(report, blind), "bold")]
    parts += [Text(line, "bold red") for line in _blindings(blind)]
    for group in blind:
        parts += ["", Text(words.heading(group), _style(group)), rows.drawn(group.findings, console)]
    for name, head in _HEADINGS.items():
        findings = [finding for group in grouped if group.section == name for finding in group.findings]
        if findings:
            parts += [
                "",
                Text(f"{head} ({len(findings):,})", "bold"),
                rows.drawn(findings, console, who=True),
            ]
    parts += ["", Text("Looked at", "bold"), *_indented(looked_at(report))]
    if lines := unread(report):
        parts += ["", Text("Not read, or only in part", "bold yellow"), *_indented(lines)]
    if lines := not_visible(report):
        parts += ["", Text("Not visible in this input", "bold"), *_indented(lines)]
    return parts


def _style(group: Group) -> str:
    """Return the style of a group's heading, by its worst finding."""
    return rows.SEVERITY_STYLES.get(group.findings[0]["severity"], "bold")


def _indented(lines: list[str]) -> list[RenderableType]:
    """Return lines set in a little, wrapped with it."""
    return [Padding(Text(line, overflow="fold"), (0, 0, 0, 2)) for line in lines]


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
        return (
            f"Nothing found: no watched principal was refused in {words.count(totals['records'], 'record')}."
        )
    as_of = f"as of {words.moment(coverage['last_record'])} UTC, the last record seen"
    if not blind:
        return f"No service is blocked ({as_of}); see below for what else was found."
    findings = [finding for group in blind for finding in group.findings]
    services = len({group.service for group in blind})
    resources = words.count(len({finding["resource"] for finding in findings}), "resource")
    accounts = words.count(len({finding["account"] for finding in findings}), "account")
    return f"{words.count(services, 'service')} cannot reach {resources} in {accounts} ({as_of})."
