"""Findings as rows: side by side where the terminal is wide, one below the other where it is not."""

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rolewatch.base.sanitise import terminal
from rolewatch.report import words
from rolewatch.report.order import Finding, section

SEVERITY_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "none": "dim"}
_STATUS_STYLES = {"blocked": "bold", "silent": "yellow", "recovered": "green", "gone": "dim"}
_LABEL = "dim"
_GUESS = "bold yellow"

#: From this width on there is room for seven columns side by side.
SIDE_BY_SIDE = 160


#: Where the text of a block begins: behind severity (or nothing) and status (or a label), and two blanks after each.
_INDENT, _LEFT, _RIGHT = 2, 10, 11


def drawn(findings: list[Finding], console: Console, *, who: bool = False) -> RenderableType:
    """Return findings as rows that fit the console; `who` names service and role in each row."""
    if console.width >= SIDE_BY_SIDE:
        return Padding(_columns(findings, who=who), (0, 0, 0, _INDENT))
    return Group(*(_stacked(finding, console, who=who) for finding in findings))


def _columns(findings: list[Finding], *, who: bool) -> Table:
    """Return a row a finding."""
    table = Table(box=None, expand=True, padding=(0, 2, 0, 0), pad_edge=False, header_style=_LABEL)
    table.add_column("STATUS", width=9)
    table.add_column("RESOURCE", ratio=3, overflow="fold")
    table.add_column("ACCOUNT", width=14, overflow="fold")
    table.add_column("DENIED ACTIONS", ratio=3, overflow="fold")
    table.add_column("DENIALS", width=7, justify="right", overflow="fold")
    table.add_column("LAST DENIED (UTC)", width=19, overflow="fold")
    table.add_column("WHY", ratio=4, overflow="fold")
    for finding in findings:
        resource = Text(terminal(finding["resource"]))
        if who:
            resource.append(f"\n{_who(finding)}", _LABEL)
        table.add_row(
            Text("\n").join([_status(finding), _severity(finding)]),
            resource,
            Text("\n".join([_account(finding), words.listed(finding["regions"])])),
            Text("\n").join(_actions(finding)),
            Text(f"{finding['denials']:,}"),
            Text(words.moment(finding["last_denied"])),
            Text("\n").join(
                [
                    _why(finding),
                    *(Text.assemble((f"{label}: ", _LABEL), text) for label, text in _more(finding)),
                ]
            ),
        )
    return table


def _stacked(finding: Finding, console: Console, *, who: bool) -> Text:
    """Return a block: the resource, then what is known about it line by line.

    Wrapped here and not by a table, which takes a millisecond a finding to do the same.
    """
    regions, last = words.listed(finding["regions"]), words.moment(finding["last_denied"])
    lines = [
        (_severity(finding), _status(finding), Text(terminal(finding["resource"]), "bold")),
        ("", "account", Text(_account(finding) + (f", {regions}" if regions else ""))),
        ("", "denied", Text("; ").join(_actions(finding))),
        ("", "denials", Text(f"{finding['denials']:,}, the last at {last} UTC")),
        ("", "why", _why(finding)),
        *(("", label, text) for label, text in _more(finding)),
    ]
    if who:
        lines.insert(1, ("", "who", Text(_who(finding))))
    block = Text(no_wrap=True, overflow="ignore", end="")
    for left, right, text in lines:
        margin = Text.assemble(" " * _INDENT, _filled(left, _LEFT), _filled(right, _RIGHT))
        room = max(console.width - len(margin), 1)
        for line in text.wrap(console, room, overflow="fold") or [Text()]:
            block.append_text(margin).append_text(line).append("\n")
            margin = Text(" " * len(margin))
    return block


def _filled(label: Text | str, width: int) -> Text:
    """Return a label at the left of a margin, with at least one blank behind it."""
    text = label if isinstance(label, Text) else Text(label, _LABEL)
    return Text.assemble(text, " " * max(width - len(text), 1))


def _severity(finding: Finding) -> Text:
    return Text(terminal(finding["severity"]), SEVERITY_STYLES.get(finding["severity"], ""))


def _status(finding: Finding) -> Text:
    return Text(terminal(finding["status"]), _STATUS_STYLES.get(finding["status"], ""))


def _who(finding: Finding) -> str:
    return f"{terminal(finding['service_name'] or finding['service'])}, {words.principal(finding)}"


def _account(finding: Finding) -> str:
    """Return the role's account, and the resource's where it is another."""
    own, other = finding["account"], finding["resource_account"]
    account = terminal(own or "unknown")
    return f"{account} (resource in {terminal(other)})" if other and other != own else account


def _actions(finding: Finding) -> list[Text]:
    """Return the denied IAM actions, those still open first and named so."""
    known = words.actions(finding)
    still_open = [name for name, is_open in known.items() if is_open]
    closed = [name for name, is_open in known.items() if not is_open]
    texts = []
    if still_open:
        texts.append(Text.assemble(("open: ", _LABEL), (words.listed(still_open), "bold")))
    if closed:
        texts.append(Text.assemble(("closed: ", _LABEL), words.listed(closed)))
    return texts


def _why(finding: Finding) -> Text:
    """Return verdict, evidence and cause; a guess stands out."""
    return Text.assemble(
        (terminal(finding["verdict"]), "bold"), *_mark(words.evidence(finding)), words.reason(finding)
    )


def _mark(evidence: str) -> tuple[str, tuple[str, str], str]:
    """Return the words that say how sure the sentence before and after them is."""
    return " [", (evidence, _GUESS if evidence == "GUESS" else _LABEL), "]: "


def _more(finding: Finding) -> list[tuple[str, Text]]:
    """Return, labelled, what else is known: the likeliest candidate, the consequence, how it ended."""
    more = []
    if finding["candidates"]:
        top = finding["candidates"][0]
        mark = "GUESS" if top["evidence"] == "guess" else f"by {terminal(top['evidence'])}"
        more.append(("likely", Text.assemble(terminal(top["cause"]), *_mark(mark), terminal(top["why"]))))
    if finding["consequence"] and finding["consequence"] not in (finding["explanation"] or ""):
        more.append(("effect", Text(terminal(finding["consequence"]))))
    if ended := _ended(finding):
        more.append(("now", Text(ended)))
    return more


def _ended(finding: Finding) -> str:
    """Return how a finding that is no longer blocked stands; silence is never good news."""
    match section(finding), finding["status"]:
        case "recovered", _:
            return f"recovered: every denied action was allowed again, the last at {words.moment(finding['ended'])} UTC"
        case "gone", _:
            return f"the resource no longer exists, as seen at {words.moment(finding['ended'])} UTC"
        case _, "silent":
            return f"no attempt since {words.moment(finding['last_denied'])} UTC: not proof of recovery"
        case _:
            return ""
