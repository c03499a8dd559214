"""What a reader needs first comes first: sections, groups and ranks of findings."""

from typing import Any, Final, NamedTuple

Finding = dict[str, Any]

#: Sections in the order they are read; `blind` is what somebody has to act on.
SECTIONS: Final = ("blind", "silent", "harmless", "recovered", "gone")
SEVERITIES: Final = ("critical", "high", "medium", "low", "none")
#: Verdicts that leave nobody blind.
_BENIGN: Final = frozenset({"harmless", "service-not-enabled"})


class Group(NamedTuple):
    """The findings of one role (or of a service acting without one) in one section, worst first."""

    section: str
    service: str
    findings: list[Finding]


def section(finding: Finding) -> str:
    """Return which of `SECTIONS` a finding is read in: by its status, but what does no harm stands apart."""
    status = finding["status"]
    if status in {"recovered", "gone"}:
        return str(status)
    if finding["verdict"] in _BENIGN:
        return "harmless"
    return "silent" if status == "silent" else "blind"


def _rank(finding: Finding) -> int:
    """Return 0 for the worst severity; one that is not known here counts as harmless."""
    severity = finding["severity"]
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def groups(findings: list[Finding]) -> list[Group]:
    """Return findings by section and role: security services first, then by severity, then the latest denial."""
    # Sorted by one criterion after the other, the least important first: a sort keeps what it finds equal in order.
    found = sorted(findings, key=lambda finding: (finding["resource"], finding["id"]))
    found.sort(key=lambda finding: finding["last_denied"] or "", reverse=True)
    found.sort(key=_rank)
    members: dict[tuple[str, str, str | None], list[Finding]] = {}
    for finding in found:
        key = (section(finding), finding["service"], finding["role_name"])
        members.setdefault(key, []).append(finding)
    grouped = [Group(name, service, group) for (name, service, _), group in members.items()]
    grouped.sort(key=lambda group: max(f["last_denied"] or "" for f in group.findings), reverse=True)
    grouped.sort(
        key=lambda group: (
            SECTIONS.index(group.section),
            not any(f["security_service"] for f in group.findings),
            min(map(_rank, group.findings)),
        )
    )
    return grouped


def ranked(findings: list[Finding]) -> list[Finding]:
    """Return all findings in reading order, as a new list."""
    return [finding for group in groups(findings) for finding in group.findings]
