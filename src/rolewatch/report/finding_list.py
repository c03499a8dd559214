"""Kept findings as a person asks for them: a list with ids to go on with, and everything about one."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TextIO

from rich.cells import cell_len
from rich.text import Text

from rolewatch.base.sanitise import terminal
from rolewatch.report import words
from rolewatch.report.drawing import draw
from rolewatch.report.output import Options
from rolewatch.report.page import GAP, Cells, Page
from rolewatch.report.rows import SEVERITY_STYLES
from rolewatch.report.rows import draw as draw_rows

Finding = Mapping[str, Any]
_HEADINGS: Final = ("ID", "SEVERITY", "STATUS", "SERVICE", "RESOURCE", "DENIALS", "LAST (UTC)")
_LABEL: Final = "dim"
_MINUTE: Final = 16  # characters of a time that are shown: 2026-03-01 10:05


def write_list(listed: Mapping[str, Any], out: TextIO, options: Options) -> None:
    """Write a line a finding, the worst first; `listed` has `findings`, `total` and `next`."""
    draw(out, options, lambda page: _list(page, listed))


def write_one(finding: Finding, out: TextIO, options: Options) -> None:
    """Write all that is known of a finding, and why people were told of it or not."""
    draw(out, options, lambda page: _one(page, finding))


def _list(page: Page, listed: Mapping[str, Any]) -> None:
    findings: Sequence[Finding] = listed["findings"]
    if not findings:
        page.line(Text("no findings"))
        return
    rows = [_cells(finding) for finding in findings]
    widths = [max(map(cell_len, column)) for column in zip(_HEADINGS, *rows, strict=True)]
    rest = page.width - sum(widths) - GAP * (len(widths) - 1)
    if rest < 0:  # the resource's column is folded
        widths[4] = max(widths[4] + rest, 24)
    page.row([[Text(name, _LABEL)] for name in _HEADINGS], widths, indent=0)
    for finding, row in zip(findings, rows, strict=True):
        cells: Cells = [[Text(text)] for text in row]
        cells[1][0].stylize(SEVERITY_STYLES.get(finding["severity"], ""))  # type: ignore[index]
        page.row(cells, widths, indent=0)
    page.line()
    shown = len(findings)
    more = f"; more with --after {listed['next']}" if listed["next"] else ""
    page.line(Text(f"{shown:,} of {words.count(listed['total'], 'finding')}{more}", _LABEL))


def _cells(finding: Finding) -> list[str]:
    status = finding["status"] + (", muted" if finding["muted"] else "")
    return [
        finding["id"],
        finding["severity"],
        status,
        terminal(finding["service_name"]),
        terminal(finding["resource"]),
        f"{finding['denials']:,}",
        words.moment(finding["last_denied"])[:_MINUTE],
    ]


def _one(page: Page, finding: Finding) -> None:
    page.line(Text(f"Finding {finding['id']}", "bold"))
    draw_rows(page, [{**finding, "fix": None}], who=True)  # the change follows as a whole
    for proof in finding.get("proof") or ():
        text = f"{proof['iam_action']} was allowed at {words.moment(proof['event_time'])} UTC, event {proof['event_id']}"
        _labelled(page, "proof", text)
    fix = finding.get("fix")
    if fix:
        _labelled(page, "change", f"of the {fix.get('policy') or 'policy'} of {fix['target']}, proven:")
        for line in (*fix["diff"].splitlines(), *fix["commands"]):
            _labelled(page, "", line)
    for probe in finding.get("probes") or ():
        _labelled(page, "look", f"{probe['shows']}: {probe['command']}")
    if finding.get("settling"):
        _labelled(
            page,
            "settling",
            f"access was seen at {words.moment(finding['settling'])} UTC; later events have to confirm it",
        )
    if finding.get("late"):
        _labelled(page, "late", f"{finding['late']:,} denials came too late to be told from repeats")
    _labelled(
        page, "events", ", ".join(finding["event_ids"][:3]) + (" …" if len(finding["event_ids"]) > 3 else "")
    )
    mute = finding["mute"]
    if mute:
        _labelled(
            page,
            "muted",
            f"by {mute['by']} until {words.moment(mute['until'])} UTC: {mute['reason']} (mute {mute['id']})",
        )
    life = finding["life"]
    if life["acknowledged"]:
        seen = life["acknowledged"]
        _labelled(
            page,
            "seen",
            f"by {seen['by']} at {words.moment(seen['at'])} UTC"
            + (f": {seen['note']}" if seen["note"] else ""),
        )
    if life["assigned"]:
        _labelled(page, "assigned", f"to {life['assigned']}")
    page.line()
    page.line(Text("Told, and not told", "bold"))
    for decision in life["decisions"]:
        what = f"told: {decision['kind']}" if decision["told"] else "not told"
        text = f"{what}; {decision['sentence']}"
        if decision["detail"]:
            text += f" ({decision['detail']})"
        if decision["notification"]:
            text += f" [notification {decision['notification']}]"
        page.row(
            [[Text(words.moment(decision["at"]), _LABEL)], [Text(terminal(text))]],
            [19, page.width - 19 - GAP - 2],
            indent=2,
        )


def _labelled(page: Page, label: str, text: str) -> None:
    page.row(
        [[Text("")], [Text(label, _LABEL)], [Text(terminal(text))]],
        [8, 9, page.width - 2 - 8 - 9 - 2 * GAP],
        indent=2,
    )
