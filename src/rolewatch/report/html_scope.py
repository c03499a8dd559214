"""What the parts of the page call things: the key and name of a service, of an account, of a status."""

from collections import Counter
from typing import Final, NamedTuple

from rolewatch.base.sanitise import terminal
from rolewatch.report.order import SEVERITIES, Finding, section

#: The statuses a reader tells apart: name, and what it means in a sentence.
STATUSES: Final = {
    "blind": ("blocked", "refused, and nothing since shows that access works again"),
    "silent": ("silent", "no attempt since the last denial: not proof of recovery"),
    "harmless": ("no harm", "refused, but no policy keeps a service from its work"),
    "recovered": ("recovered", "every denied action was allowed again later"),
    "gone": ("gone", "the resource no longer exists"),
}


class Place(NamedTuple):
    """Where in the matrix a finding belongs, and what the filter compares."""

    service: str
    account: str
    status: str  # of STATUSES
    severity: str  # of SEVERITIES


def place(finding: Finding) -> Place:
    """Return where a finding belongs; a service or account that is not known is called unknown."""
    severity = finding["severity"]
    return Place(
        terminal(finding["service"] or finding["role_name"] or "unknown"),
        terminal(finding["account"] or "unknown"),
        section(finding),
        severity if severity in SEVERITIES else "none",
    )


def worst(findings: list[Finding]) -> str:
    """Return the worst severity among findings."""
    return min((place(finding).severity for finding in findings), key=SEVERITIES.index)


def names(findings: list[Finding]) -> dict[str, str]:
    """Return what people call each service, by its key; where two are called the same, the key is told too."""
    called: dict[str, str] = {}
    for finding in findings:
        key = place(finding).service
        called.setdefault(key, terminal(finding["service_name"] or key))
    known = Counter(called.values())
    return {key: f"{name} ({key})" if known[name] > 1 else name for key, name in called.items()}


def anchor(finding: Finding) -> str:
    """Return the name under which the page can be opened at a finding: the same in every report of it."""
    return f"f-{terminal(finding['id'])}"
