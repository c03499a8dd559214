"""Findings as rows: side by side where the terminal is wide, one below the other where it is not."""

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


def drawn(findings: list[Finding], width: int, *, who: bool = False) -> Padding:
    """Return findings as a table for a terminal of that width; `who` names service and role in each row."""
    table = _columns(findings, who=who) if width >= SIDE_BY_SIDE else _stacked(findings, who=who)
    return Padding(table, (0, 0, 0, 2))


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


def _stacked(findings: list[Finding], *, who: bool) -> Table:
    """Return a block a finding: the resource, then what is known about it line by line."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=8)
    table.add_column(width=9)
    table.add_column(ratio=1, overflow="fold")
    for finding in findings:
        table.add_row(_severity(finding), _status(finding), Text(terminal(finding["resource"]), "bold"))
        lines = [("who", Text(_who(finding)))] if who else []
        regions = words.listed(finding["regions"])
        lines.append(("account", Text(_account(finding) + (f", {regions}" if regions else ""))))
        lines.append(("denied", Text("; ").join(_actions(finding))))
        last = words.moment(finding["last_denied"])
        lines.append(("denials", Text(f"{finding['denials']:,}, the last at {last} UTC")))
        lines.append(("why", _why(finding)))
        lines += _more(finding)
        for label, text in lines:
            table.add_row("", Text(label, _LABEL), text)
    return table


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
