"""The findings as CSV: a row each, safe to open in a spreadsheet."""

import csv
from collections.abc import Callable
from io import StringIO
from typing import Any, Final, TextIO

from rolewatch.report import words
from rolewatch.report.cells import cell
from rolewatch.report.order import Finding, ranked
from rolewatch.report.output import emit


def _field(name: str) -> tuple[str, Callable[[Finding], Any]]:
    """Return a column that holds a field of the finding as it is."""
    return name, lambda finding: finding[name]


def _cause(name: str) -> tuple[str, Callable[[Finding], Any]]:
    """Return a column that holds a field of the finding's cause."""
    return name, lambda finding: finding["cause"][name]


def _iam_actions(finding: Finding) -> list[str]:
    return sorted({action["iam_action"] for action in finding["actions"].values()})


def _error_codes(finding: Finding) -> list[str]:
    return [f"{code}={number}" for code, number in finding["error_codes"].items()]


def _candidates(finding: Finding) -> list[str]:
    return [f"{candidate['cause']} ({candidate['evidence']})" for candidate in finding["candidates"]]


def _fix(finding: Finding) -> str | None:
    fix = finding.get("fix")
    return fix["diff"] if fix else None


#: The columns in their order; lists are joined with "; ".
COLUMNS: Final[tuple[tuple[str, Callable[[Finding], Any]], ...]] = (
    _field("id"),
    _field("status"),
    _field("severity"),
    _field("verdict"),
    _field("service_name"),
    _field("service"),
    _field("security_service"),
    _field("account"),
    _field("role_name"),
    _field("role_arn"),
    _field("resource"),
    _field("resource_type"),
    _field("resource_account"),
    _field("regions"),
    ("denied_actions", _iam_actions),
    _field("open_actions"),
    ("api_calls", lambda finding: sorted(finding["actions"])),
    ("error_codes", _error_codes),
    _field("denials"),
    _field("first_denied"),
    _field("last_denied"),
    _field("ended"),
    _cause("policy_type"),
    _cause("kind"),
    _cause("evidence"),
    _field("explanation"),
    _field("consequence"),
    ("candidates", _candidates),
    ("changed_by", words.blame),
    ("change", _fix),
    _field("resource_examples"),
    ("first_event_id", lambda finding: next(iter(finding["event_ids"]), None)),
)


def write(report: dict[str, Any], out: TextIO) -> None:
    """Write a header and a row a finding, in reading order; what is null is an empty cell."""
    page = StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow([name for name, _ in COLUMNS])
    for finding in ranked(report["findings"]):
        writer.writerow([_cell(value(finding)) for _, value in COLUMNS])
    emit(out, page.getvalue())


def _cell(value: Any) -> str | int:
    """Return a value as a cell: text made harmless, lists joined, true and false as JSON writes them."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return value
        case list():
            text = "; ".join(map(str, value))
        case _:
            text = str(value)
    return cell(text)
