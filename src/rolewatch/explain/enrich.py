"""Findings in; the same findings, with what the policies say of them, the change that ends each, and who caused it, out.

What is added: `decided_by`, `fix` (both null where there is none), `no_fix` (why not) and `blame`; `verdict`, `cause` and `severity`
become what the policies tell. Keys are those of `rolewatch explain` (docs/explain.md).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from rolewatch.base.errors import RolewatchError
from rolewatch.base.wording import some
from rolewatch.explain.blame import History
from rolewatch.explain.explanation import LAYERS, Asked, Explanation, explain
from rolewatch.explain.incident import incident_of
from rolewatch.findings.severity import raise_blindings, severity

Finding = dict[str, Any]
#: Of a fix: as large as a policy, and told by `rolewatch explain`.
_LEFT_OUT: Final = ("policy_after", "command_file")
_ENDED: Final = ("recovered", "gone")


#: Writes what decided as JSON.
Shown = Callable[[Explanation], Mapping[str, Any] | None]


class Enriching(NamedTuple):
    """What findings are enriched with; without a folder, or a history, that part is left out."""

    asked: Asked | None
    history: History | None
    shown: Shown


def enrich(findings: Iterable[Finding], by: Enriching) -> list[tuple[str, str]]:
    """Enrich findings; returns (resource, reason) of those whose policies could not be read."""
    failed: dict[str, str] = {}
    every = list(findings)
    for finding in every:
        if by.history:
            blame = by.history.blame(finding["resource"], finding["first_denied"])
            finding["blame"] = blame.to_json() if blame else None
        if by.asked and is_open(finding):
            try:
                finding.update(explained(finding, by.asked, by.shown))
            except RolewatchError as error:
                failed[finding["resource"]] = str(error)
    raise_blindings(every)
    return sorted(failed.items())


def is_open(finding: Mapping[str, Any]) -> bool:
    """Whether policies can say something of a finding: it has a role, and is not over."""
    return bool(finding["role_arn"]) and finding["status"] not in _ENDED


def explained(finding: Mapping[str, Any], asked: Asked, shown: Shown) -> Finding:
    """Give what the policies say of a finding, by the keys that it changes or adds; RolewatchError: they cannot be read."""
    found = explain(incident_of(finding), asked)
    level = severity(found.verdict, finding["service"], frozenset(finding["actions"]))
    written = found.fix.to_json() if found.fix else None
    return {
        "verdict": found.verdict,
        "cause": dict(found.cause),
        "candidates": [dict(each) for each in found.candidates],
        "decided_by": shown(found),
        "fix": written and {key: value for key, value in written.items() if key not in _LEFT_OUT},
        "no_fix": found.refused or None,
        # A blinding that is partly over was one: those that are over are not graded again.
        "severity": "critical" if (finding["severity"], level) == ("critical", "high") else level,
        "explanation": _sentence(finding, found) or finding["explanation"],
    }


def _sentence(finding: Mapping[str, Any], found: Explanation) -> str | None:
    """Say which statement keeps the role out; None where the policies do not tell."""
    if found.deciding is None or found.cause.get("evidence") != "policy":
        return None
    names = finding["open_actions"] or sorted({each["iam_action"] for each in finding["actions"].values()})
    what = f"{finding['service_name']} cannot {some(names)} on {finding['resource']}"
    applied = found.deciding.applied
    if applied is None:
        return f"{what}: no statement of {LAYERS.get(found.deciding.layer, 'these policies')} allows it."
    verb = "allows" if applied.statement.allows else "denies"
    place = f"{applied.statement.name} of its policy, in line {applied.statement.place.line}"
    return f"{what}: {place}, {verb} it."
