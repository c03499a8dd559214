"""Findings as rows: side by side where the terminal is wide, one below the other where it is not."""

from rich.text import Text

from rolewatch.base.sanitise import terminal
from rolewatch.report import words
from rolewatch.report.order import Finding, section
from rolewatch.report.page import GAP, Cells, Page

SEVERITY_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "none": "dim"}
_STATUS_STYLES = {"blocked": "bold", "silent": "yellow", "recovered": "green", "gone": "dim"}
_LABEL = "dim"
_GUESS = "bold yellow"

#: From this width on there is room for seven columns side by side.
SIDE_BY_SIDE = 160

INDENT = 2

#: Columns of a block: severity (or nothing), status (or a label), and the text, which takes the rest.
_LEFT, _MIDDLE = 8, 9

_HEADINGS = ("STATUS", "RESOURCE", "ACCOUNT", "DENIED ACTIONS", "DENIALS", "LAST DENIED (UTC)", "WHY")


def draw(page: Page, findings: list[Finding], *, who: bool = False) -> None:
    """Add findings to a page in the way that fits its width; `who` names service and role in each row."""
    if page.width >= SIDE_BY_SIDE:
        _columns(page, findings, who=who)
    else:
        for finding in findings:
            _stacked(page, finding, who=who)


def _columns(page: Page, findings: list[Finding], *, who: bool) -> None:
    """Add a row a finding, under a heading."""
    counts = [f"{finding['denials']:,}" for finding in findings]
    number = max(map(len, (_HEADINGS[4], *counts)))
    room = page.width - INDENT - 6 * GAP - (9 + 14 + number + 19)
    widths = (9, room * 3 // 10, 14, room * 3 // 10, number, 19, room * 4 // 10)
    page.row([[Text(name, _LABEL)] for name in _HEADINGS], widths, indent=INDENT)
    for finding, count in zip(findings, counts, strict=True):
        resource = [Text(terminal(finding["resource"]))]
        if who:
            resource.append(Text(_who(finding), _LABEL))
        more = (Text.assemble((f"{label}: ", _LABEL), text) for label, text in _more(finding))
        cells: Cells = (
            (_status(finding), _severity(finding)),
            resource,
            (Text(_account(finding)), Text(words.listed(finding["regions"]))),
            _actions(finding),
            (Text(count.rjust(number)),),
            (Text(words.moment(finding["last_denied"])),),
            (_why(finding), *more),
        )
        page.row(cells, widths, indent=INDENT)


def _stacked(page: Page, finding: Finding, *, who: bool) -> None:
    """Add a block: the resource, then what is known about it line by line."""
    regions, last = words.listed(finding["regions"]), words.moment(finding["last_denied"])
    lines = [
        ("account", Text(_account(finding) + (f", {regions}" if regions else ""))),
        ("denied", Text("; ").join(_actions(finding))),
        ("denials", Text(f"{finding['denials']:,}, the last at {last} UTC")),
        ("why", _why(finding)),
        *_more(finding),
    ]
    if who:
        lines.insert(0, ("who", Text(_who(finding))))
    widths = (_LEFT, _MIDDLE, page.width - INDENT - _LEFT - _MIDDLE - 2 * GAP)
    resource = Text(terminal(finding["resource"]), "bold")
    page.row(((_severity(finding),), (_status(finding),), (resource,)), widths, indent=INDENT)
    for label, text in lines:
        page.row(((), (Text(label, _LABEL),), (text,)), widths, indent=INDENT)


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
    """Return the denied IAM actions, those still open first and named so; what is gone is neither open nor closed."""
    known = words.actions(finding)
    if finding["status"] == "gone":
        return [Text(words.listed(known))]
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
    if blame := words.blame(finding):
        more.append(("changed", Text(f"the policy's last change before it began: {blame}")))
    if finding.get("fix"):
        target = terminal(finding["fix"]["target"])
        more.append(
            (
                "change",
                Text(f"there is a proven one of the policy of {target}: rolewatch explain, or --format html"),
            )
        )
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
