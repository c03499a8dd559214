"""The list of findings: a filter, groups by status and role, and a row per finding that opens to its evidence."""

from typing import Any, Final

from rolewatch.report import words
from rolewatch.report.html_days import Scale
from rolewatch.report.html_evidence import evidence, tier
from rolewatch.report.html_markup import Markup, el, instant, join, resource
from rolewatch.report.html_scope import STATUSES, anchor, names, place
from rolewatch.report.html_timeline import spark
from rolewatch.report.order import SECTIONS, SEVERITIES, Finding, Group, groups

#: With more findings than this, a browser lays out only what it shows.
EAGER: Final = 200


def findings(report: dict[str, Any], axis: Scale | None) -> Markup:
    """Return the section with every finding; without findings, a sentence that says what this does not prove."""
    found = report["findings"]
    if not found:
        said = (
            "A filter, a baseline or an ignore file has left out every finding."
            if report["totals"]["denials"]
            else "No findings. That is good news only as far as the input reaches: see below."
        )
        body = [el("p", said, class_="hint")]
    else:
        body = [_filter(found), *_sections(found, axis)]
    return el(
        "section",
        el("h2", "Findings", id="findings", tabindex=-1),
        *body,
        class_="panel findings long" if len(found) > EAGER else "panel findings",
        aria_labelledby="findings",
    )


def _filter(found: list[Finding]) -> Markup:
    """Return the filter; it is hidden until the script is there to serve it."""
    places = [place(finding) for finding in found]
    called = sorted(names(found).items(), key=lambda item: (item[1].casefold(), item[0]))
    statuses = [(key, STATUSES[key][0]) for key in STATUSES if any(at.status == key for at in places)]
    levels = [(level, level) for level in SEVERITIES if any(at.severity == level for at in places)]
    accounts = [(account, account) for account in sorted({at.account for at in places})]
    number = words.count(len(found), "finding")
    return el(
        "form",
        el(
            "label",
            el("span", "Search"),
            el(
                "input",
                type="search",
                name="text",
                placeholder="bucket, role, action, event ID \N{HORIZONTAL ELLIPSIS}",
                autocomplete="off",
                spellcheck="false",
            ),
            class_="wide",
        ),
        _select("Service", "service", called),
        _select("Account", "account", accounts),
        _select("Status", "status", statuses),
        _select("Severity", "severity", levels),
        el(
            "div",
            el("output", number, name="count", aria_live="polite"),
            el("button", "Clear", type="reset", disabled=True),
            el("button", "Open all", type="button", data_open=True),
            el("button", "Close all", type="button", data_close=True),
            class_="actions",
        ),
        id="filter",
        role="search",
        aria_label="Filter the findings",
        hidden=True,
    )


def _select(label: str, name: str, options: list[tuple[str, str]]) -> Markup:
    choices = [el("option", "all", value=""), *(el("option", shown, value=key) for key, shown in options)]
    return el("label", el("span", label), el("select", *choices, name=name))


def _sections(found: list[Finding], axis: Scale | None) -> list[Markup]:
    """Return the groups under a heading for each status."""
    grouped = groups(found)
    sections = []
    for key in SECTIONS:
        here = [group for group in grouped if group.section == key]
        if here:
            name, meaning = STATUSES[key]
            head = el(
                "h3",
                el("span", name, class_=f"status st-{key}"),
                " ",
                el("small", meaning),
                id=f"section-{key}",
            )
            sections.append(el("section", head, *(_group(group, axis) for group in here), class_="by-status"))
    sections.append(el("p", "Nothing matches the filter.", class_="no-match", hidden=True))
    return sections


def _group(group: Group, axis: Scale | None) -> Markup:
    """Return the findings of one role under their heading."""
    worst = group.findings[0]
    name = place(worst).service
    called = names([worst])[name]
    head = join(
        [
            el("span", called, class_="service"),
            el("span", "security", class_="watcher") if worst["security_service"] else None,
            el("span", words.principal(worst), class_="principal"),
            el("span", words.nouns(group.findings), class_="number"),
        ],
        " ",
    )
    return el(
        "section",
        el("h4", head),
        *(_row(finding, axis) for finding in group.findings),
        class_="group",
    )


def _row(finding: Finding, axis: Scale | None) -> Markup:
    """Return a finding: one line that tells it, and behind it the evidence."""
    at = place(finding)
    line = el(
        "summary",
        el(
            "span",
            el("span", at.severity, class_=f"severity lv-{at.severity}"),
            el("span", finding["status"], class_=f"status st-{at.status}"),
            class_="marks",
        ),
        el(
            "span",
            el("span", resource(finding["resource"]), class_="resource"),
            el("span", _brief(finding), class_="brief"),
            class_="what",
        ),
        spark([finding], axis),
        el("span", el("b", f"{finding['denials']:,}"), el("span", _noun(finding)), class_="number"),
        el("span", el("span", "last denied"), instant(finding["last_denied"]), class_="last"),
    )
    return el(
        "details",
        line,
        evidence(finding),
        id=anchor(finding),
        class_=f"finding lv-{at.severity} st-{at.status}",
        data_service=at.service,
        data_account=at.account,
        data_status=at.status,
        data_severity=at.severity,
    )


def _noun(finding: Finding) -> str:
    return "denial" if finding["denials"] == 1 else "denials"


def _brief(finding: Finding) -> Markup:
    """Return where, what is refused and what the verdict is, in one line."""
    known = words.actions(finding)
    still_open = [name for name, is_open in known.items() if is_open] or list(known)
    shown = words.listed(still_open[:3]) + (f" +{len(still_open) - 3}" if len(still_open) > 3 else "")
    return join(
        [
            el("span", place(finding).account, class_="account"),
            words.listed(finding["regions"]),
            el("span", shown, class_="denied"),
            el("span", finding["verdict"], " ", tier(finding["cause"]["evidence"]), class_="verdict"),
        ],
        " \N{MIDDLE DOT} ",
    )
