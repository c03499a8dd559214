"""An explanation in; JSON or text out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rolewatch.base.sanitise import terminal
from rolewatch.base.wording import some
from rolewatch.explain.explanation import LAYERS, Explanation
from rolewatch.policies.layers import Deciding
from rolewatch.policies.request import Request
from rolewatch.policies.statements import why
from rolewatch.policies.truth import Truth
from rolewatch.report.decision import deciding_json

_LABEL: Final = 11  # columns before what a line says
_WORDS: Final = {
    "fix-your-policy": "a policy of yours keeps the role out",
    "aws-side": "only AWS can change it",
    "service-not-enabled": "the service is not enabled",
    "harmless": "the service works nevertheless",
    "unknown": "not known",
}
_EVIDENCE: Final = {
    "policy": "by the policies",
    "message": "by the message of the denial",
    "guess": "a guess: the message tells no reason",
}
_KINDS: Final = {"explicit": "denied by a statement of", "implicit": "allowed by no statement of"}
_TYPES: Final = {
    "identity-based": "the role's own policy",
    "resource-based": "the resource's policy",
    "vpc-endpoint": "a VPC endpoint's policy",
    "service-control": "a service control policy",
    "resource-control": "a resource control policy",
    "permissions-boundary": "a permissions boundary",
    "session": "a session policy",
    "role-trust": "a role's trust policy",
}


class Shown(NamedTuple):
    """What is shown beside an explanation: the file that its policy was written to, and the command that decodes a message."""

    written: str | None = None
    decode: str | None = None


def explanation_json(found: Explanation, shown: Shown = Shown()) -> dict[str, Any]:  # noqa: B008 - never changed
    """Give what `rolewatch explain --format json` prints (docs/explain.md)."""
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
        "fix": found.fix.to_json(shown.written or "policy.json") if found.fix else None,
        "no_fix": found.refused or None,
        "look_at": [dict(each) for each in found.look_at],
        "decoded": found.decoded.to_json() if found.decoded else None,
        "decode_command": shown.decode,
        "notes": list(found.notes),
    }


def explanation_text(found: Explanation, shown: Shown = Shown()) -> str:  # noqa: B008 - never changed
    """Give what people read."""
    return "\n".join(line.rstrip() for line in _lines(found, shown)) + "\n"


def _lines(found: Explanation, shown: Shown) -> Iterable[str]:
    incident, cause = found.incident, found.cause
    who = incident.service_name or incident.role_arn
    yield _flat(f"{who} is refused {some(list(incident.actions))} on {incident.resource}")
    yield _line("role", incident.role_arn)
    evidence = _EVIDENCE.get(str(cause.get("evidence")), str(cause.get("evidence")))
    yield _line("verdict", f"{found.verdict}: {_WORDS.get(found.verdict, found.verdict)} ({evidence})")
    yield from _cause(cause)
    if found.deciding:
        yield from _deciding(found.deciding, found.request)
    elif incident.explanation:
        yield _line("", incident.explanation)
    yield from _decoded(found, shown)
    for note in found.notes:
        yield _line("note", note)
    for number, each in enumerate(found.candidates, 1):
        yield _line("can be" if number == 1 else "", f"{number}. {each.get('cause')}: {each.get('why')}")
    if found.fix:
        yield from _fix(found, shown)
    elif found.refused:
        yield _line("no change", found.refused)
    for place in found.look_at:
        yield _line("look at", f"the {place['policy']} of {place['resource']}")
        if place["command"]:
            yield _line("", place["command"])


def _deciding(deciding: Deciding, request: Request | None) -> Iterable[str]:
    applied = deciding.applied
    if applied is None or deciding.policy is None:
        yield _line("decided", f"no statement of {LAYERS.get(deciding.layer, deciding.layer)} allows it")
        return
    statement = applied.statement
    label = "may be" if applied.truth is Truth.UNKNOWN else "decided"
    yield _line(label, f"by {statement.name} ({statement.effect}), {statement.place}")
    if request and applied.truth is Truth.UNKNOWN:
        yield _line("", why(applied, request))


def _cause(cause: Mapping[str, Any]) -> Iterable[str]:
    kind, type_, arn = (cause.get(part) for part in ("kind", "policy_type", "policy_arn"))
    if kind and type_:
        what = f"{_KINDS.get(kind, kind)} {_TYPES.get(type_, type_)}"
    else:
        what = _TYPES.get(str(type_), str(type_)) if type_ else ""
    more = [str(each) for each in (arn, cause.get("reason")) if each]
    if what or more:
        yield _line("cause", ", ".join([*([what] if what else []), *more]))


def _decoded(found: Explanation, shown: Shown) -> Iterable[str]:
    decoded = found.decoded
    if decoded:
        said = "a statement denies it" if decoded.explicit else "nothing allows it"
        yield _line("decoded", f"{said}: {decoded.action} on {decoded.resource}")
        for sid, effect in decoded.statements[:20]:
            yield _line("", f"matched {sid or 'a statement without Sid'} ({effect})")
    elif shown.decode:
        yield _line("encoded", "the message has more to say; `rolewatch explain --decode` asks STS, as does")
        yield _line("", shown.decode)


def _fix(found: Explanation, shown: Shown) -> Iterable[str]:
    fix = found.fix
    if fix is None:
        return
    yield ""
    if fix.operations:
        yield _flat(f"the change of the {fix.kind.name} of {fix.target}:")
        yield ""
        yield from (_flat(f"  {line}") for line in fix.diff.rstrip("\n").split("\n"))
        yield ""
    proof = fix.proof
    one = proof.allowed == 1
    if fix.operations:
        yield (
            f"proven: with it {'the denied request is' if one else f'all {proof.allowed} denied requests are'} allowed; "
            f"of {proof.compared:,} other decisions, with {proof.principals} principals, {proof.changed:,} changed, "
            f"all of them of whom it names"
        )
    else:
        yield _flat(
            f"the {fix.kind.name} of {fix.target} can stay as it is; what is missing is the grant below"
        )
    for name, keys in proof.provided.items():
        yield _flat(f"provided that {name} does not deny it too, which hangs on {some(list(keys))}")
    yield from _commands(fix.put_command(shown.written or "policy.json"), fix.also, shown)


def _commands(put: str | None, also: Sequence[str], shown: Shown) -> Iterable[str]:
    if put:
        yield ""
        if shown.written:
            yield _flat(f"the changed policy is in {shown.written}; to make the change:")
        else:
            yield "to make it, let `rolewatch explain … --write policy.json` write the changed policy, and then"
        yield _flat(f"  {put}")
    for command in also:
        yield ""
        yield "and" if put else "to make it:"
        yield _flat(f"  {command}")


def _line(label: str, text: object) -> str:
    return _flat(f"  {label:<{_LABEL}}{text}")


def _flat(text: str) -> str:
    """Keep a line one line, whatever is in it."""
    return terminal(text)
