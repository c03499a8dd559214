"""The report of `check` as a person reads it in a terminal: who would be shut out first, what was taken for granted last."""

from functools import partial
from typing import Any, Final, TextIO

from rich.text import Text

from rolewatch.base.sanitise import terminal
from rolewatch.report.drawing import draw
from rolewatch.report.lockouts_grouped import grouped, named_statement, place_of
from rolewatch.report.output import Options
from rolewatch.report.page import GAP, Page
from rolewatch.report.rows import SEVERITY_STYLES
from rolewatch.report.words import count

_SHOWN: Final = 6  # actions of a role
_LEFT: Final = 8  # columns of the severity
_INDENT: Final = 2
_LABEL: Final = "dim"


def write(report: dict[str, Any], out: TextIO, options: Options) -> None:
    """Write the report as text."""
    draw(out, options, partial(_draw, report=report))


def _draw(page: Page, report: dict[str, Any]) -> None:
    page.line(Text(_summary(report), "bold"))
    for group in grouped(report["lockouts"]):
        first = group.lockouts[0]
        page.line()
        name = named_statement(group.statement)
        page.line(Text(f"{terminal(first['resource'])}: {name} ({place_of(group.statement)})", "bold"))
        if first["address"]:
            page.line(Text(terminal(first["address"]), _LABEL), indent=_INDENT)
        for each in group.lockouts:
            _role(page, each)
    _doubts(page, report)
    _section(
        page, "Mistakes", [f"{place_of(note['statement'])}: {note['message']}" for note in report["notes"]]
    )
    _section(page, "Taken for granted", _granted(report))
    for title, key in (("Not checked", "unread"), ("Passed over", "passed_over")):
        _section(page, title, [terminal(f"{each['where']}: {each['reason']}") for each in report[key]])
    if report["unknown_roles"]:
        names = terminal(", ".join(report["unknown_roles"]))
        _section(page, "Roles that the catalogue does not have", [names])


def _summary(report: dict[str, Any]) -> str:
    checked, lockouts = report["checked"], report["lockouts"]
    policies = count(len(checked), "policy")
    if not checked:
        return "Nothing was checked: there is no resource-based policy in this input."
    as_of = f"role policies of {report['role_policies_date']}"
    if not lockouts:
        certain = " for certain" if report["depends"] else ""
        return f"No service-linked role would be shut out{certain} by {policies} ({as_of})."
    roles = count(len({each["role_arn"] for each in lockouts}), "service-linked role")
    resources = count(len({(each["resource"], each["address"]) for each in lockouts}), "resource")
    return f"{roles} would be shut out of {resources} ({policies} checked, {as_of})."


def _role(page: Page, lockout: dict[str, Any]) -> None:
    """Add a role: what stops working, and what it would be refused."""
    severity = lockout["severity"]
    lines = [
        Text.assemble((terminal(lockout["service_name"]), "bold"), f" ({terminal(lockout['role_name'])})"),
    ]
    if lockout["consequence_source"]:
        lines += [Text(lockout["consequence"]), Text(lockout["consequence_source"], _LABEL)]
    actions = lockout["actions"][:_SHOWN]
    more = lockout["action_count"] - len(actions)
    refused = ", ".join(map(terminal, actions)) + (f" and {more} more" if more else "")
    lines.append(Text(f"would be refused {refused}", _LABEL))
    others = [f"{named_statement(each)} ({place_of(each)})" for each in lockout["statements"][1:]]
    if others:
        lines.append(Text(f"also by {', '.join(others)}"))
    page.row(
        [[Text(severity, SEVERITY_STYLES[severity])], lines],
        [_LEFT, page.width - _INDENT - _LEFT - GAP],
        indent=_INDENT,
    )


def _doubts(page: Page, report: dict[str, Any]) -> None:
    lines = []
    for group in grouped(report["depends"]):
        names = ", ".join(dict.fromkeys(each["service_name"] for each in group.lockouts))
        reason = group.lockouts[0]["reason"]
        keys = ", ".join(map(terminal, group.missing))
        why = f" ({terminal(reason)})" if reason else ""
        lines.append(
            f"{place_of(group.statement)}: {named_statement(group.statement)} hangs on {keys}{why}: {terminal(names)}"
        )
    _section(page, "Depends on what nothing tells", lines)


def _granted(report: dict[str, Any]) -> list[str]:
    """Say what was taken for granted of the resources' owners, each once."""
    lines: dict[str, None] = {}
    for each in report["checked"]:
        if not each["lockouts"] and not each["depends"]:
            continue
        where = terminal(each["resource"])
        if each["resource_from"].startswith("a placeholder"):
            lines[f"the resource is {where} ({each['resource_from']}); --resource names it"] = None
        lines[f"{where} is in account {each['account']} ({each['account_from']})"] = None
        if each["organization"]:
            lines[
                f"{where} is in organization {terminal(each['organization'])} ({each['organization_from']})"
            ] = None
    return list(lines)


def _section(page: Page, title: str, lines: list[str]) -> None:
    if lines:
        page.line()
        page.line(Text(title, "bold"))
        for line in lines:
            page.line(Text(line), indent=_INDENT)
