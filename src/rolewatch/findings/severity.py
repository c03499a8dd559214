"""How bad a finding is (DESIGN "severity")."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rolewatch.catalog.codes import LAUNCHES
from rolewatch.catalog.roles import SECURITY_SERVICES

LEVELS = ("none", "low", "medium", "high", "critical")
SEVERAL = 3  # resources of one security service that became blocked within an hour: possible blinding
HOUR = 3600.0


def severity(verdict: str, service: str, calls: frozenset[str]) -> str:
    """Grade one finding by itself; `calls` are keys such as `ec2:RunInstances`."""
    if verdict in ("harmless", "service-not-enabled"):
        return "none"
    if verdict in ("aws-side", "unknown"):
        return "low"
    if service in SECURITY_SERVICES or calls & LAUNCHES:
        return "high"
    return "medium"


def raise_blindings(findings: Sequence[dict[str, Any]]) -> None:
    """Raise to critical the findings of a security service that lost several resources of an account within an hour."""
    groups: dict[tuple[str, str], list[tuple[float, dict[str, Any]]]] = {}
    for finding in findings:
        if finding["security_service"] and finding["severity"] == "high" and finding["first_denied"]:
            try:
                moment = datetime.fromisoformat(finding["first_denied"])
            except ValueError:
                continue
            start = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
            groups.setdefault((finding["account"], finding["service"]), []).append((start, finding))
    for group in groups.values():
        group.sort(key=lambda pair: pair[0])
        first = raised = 0  # those before `raised` have been looked at: a blinding may be very large
        for index, (start, _) in enumerate(group):
            while start - group[first][0] > HOUR:
                first += 1
            if index - first + 1 >= SEVERAL:
                for _, finding in group[max(first, raised) : index + 1]:
                    finding["severity"] = "critical"
                raised = index + 1
