"""An explanation in; JSON or text out."""

from collections.abc import Iterable
from typing import Any

from rolewatch.base.sanitise import terminal
from rolewatch.explain.explanation import Explanation
from rolewatch.report.decision import deciding_json


def explanation_json(found: Explanation) -> dict[str, Any]:
    """Give what `rolewatch explain --format json` prints (DESIGN)."""
    incident = found.incident
    decided = None
    if found.deciding and found.request:
        decided = deciding_json(found.deciding, found.request)
    return {
        "id": incident.id,
        "service": incident.service,
        "role_arn": incident.role_arn,
        "resource": incident.resource,
        "actions": list(incident.actions),
        "verdict": found.verdict,
        "cause": dict(found.cause),
        "decided_by": decided,
        "explanation": incident.explanation,
        "candidates": [dict(each) for each in found.candidates],
        "fix": found.fix.to_json() if found.fix else None,
        "no_fix": found.refused or None,
        "look_at": [dict(each) for each in found.look_at],
        "notes": list(found.notes),
    }


def explanation_text(found: Explanation) -> str:
    """Give what people read."""
    return "\n".join(terminal(line, 4000) for line in _lines(found)) + "\n"


def _lines(found: Explanation) -> Iterable[str]:
    incident, cause = found.incident, found.cause
    yield f"{incident.service_name or incident.role_arn} is refused {', '.join(incident.actions)} on {incident.resource}"
    yield f"  role      {incident.role_arn}"
    yield f"  verdict   {found.verdict} (evidence: {cause.get('evidence')})"
    policy = " ".join(str(cause[part]) for part in ("policy_type", "kind") if cause.get(part))
    if policy:
        yield f"  cause     {policy}" + (f", {cause['reason']}" if cause.get("reason") else "")
    if found.deciding:
        applied = found.deciding.applied
        if applied and found.deciding.policy:
            yield f"  decided   by {applied.statement.name} ({applied.statement.effect}) at {applied.statement.place}"
        else:
            yield f"  decided   {found.deciding.reason}"
    elif incident.explanation:
        yield f"  {incident.explanation}"
    for note in found.notes:
        yield f"  note      {note}"
    for number, each in enumerate(found.candidates, 1):
        yield f"  {'can be' if number == 1 else '      '}    {number}. {each['cause']}: {each['why']}"
    if found.fix:
        yield from _fix(found)
    elif found.refused:
        yield f"  no change {found.refused}"
    for place in found.look_at:
        yield f"  look at   the {place['policy']} of {place['resource']}"
        if place["command"]:
            yield f"            {place['command']}"


def _fix(found: Explanation) -> Iterable[str]:
    fix = found.fix
    if fix is None:
        return
    yield ""
    yield f"the change of the {fix.kind.name} of {fix.target}:"
    yield ""
    yield from (f"  {line}" for line in fix.diff.splitlines())
    proof = fix.proof
    yield ""
    yield (
        f"proven: {proof.allowed} denied request{'s are' if proof.allowed != 1 else ' is'} allowed by the changed policy; of {proof.compared:,} other "
        f"decisions ({proof.principals} principals) {proof.changed:,} changed, all of them of whom the change names"
    )
    written = fix.to_json()
    for command in written["commands"]:
        yield ""
        yield "to make it: rolewatch explain … --format json has the changed policy as fix.command_file; then"
        yield f"  {command}"
