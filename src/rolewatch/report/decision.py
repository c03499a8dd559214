"""A decision about a request in; JSON or text out, with the place of each statement in its file."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from rolewatch.base.sanitise import terminal
from rolewatch.policies.evaluate import Decision
from rolewatch.policies.grants import grant_why
from rolewatch.policies.layers import Deciding, Layer, applied_of
from rolewatch.policies.policy import Policy
from rolewatch.policies.request import Request
from rolewatch.policies.statements import Applied, why
from rolewatch.policies.truth import Truth

_WORDS: Final = {
    "allowed": "allowed",
    "explicit_deny": "denied, by a statement that denies it",
    "implicit_deny": "denied, because nothing allows it",
    "depends": "not decided: it hangs on what is not known",
    "not_applicable": "not applicable",
}
_MARKS: Final = {Truth.YES: "+", Truth.NO: "-", Truth.UNKNOWN: "?"}


def decision_json(decision: Decision, request: Request) -> dict[str, Any]:
    """Give what `rolewatch policy evaluate --format json` prints."""
    return {
        "decision": decision.outcome,
        "decided_by": deciding_json(decision.decided_by, request),
        "layers": {layer.name: _layer_json(layer, request) for layer in decision.layers},
        "missing_context": list(decision.missing),
    }


def deciding_json(deciding: Deciding, request: Request) -> dict[str, Any]:
    """Give what decided: the layer, and the statement with its place, or what is missing."""
    found: dict[str, Any] = {
        "layer": deciding.layer,
        "policy": deciding.policy.name if deciding.policy else None,
    }
    if deciding.applied is None:
        grant = {"grant": deciding.grant.name} if deciding.grant else {}
        place = deciding.grant.place.line if deciding.grant else None
        return {
            **found,
            "sid": None,
            "statement": None,
            "line": place,
            **grant,
            "reason": deciding.reason,
        }
    return {**found, **_statement_json(deciding.applied, request)}


def _layer_json(layer: Layer, request: Request) -> dict[str, Any]:
    if layer.applies:
        return {"decision": layer.outcome, "reason": layer.applies, "statements": []}
    statements = [
        {
            **({"level": label} if layer.name.endswith("control_policies") else {}),
            "policy": policy.name,
            **_statement_json(each, request),
        }
        for label, policy, each in _statements(layer)
    ]
    found: dict[str, Any] = {"decision": layer.outcome, "reason": None, "statements": statements}
    if layer.grants:
        found["grants"] = [
            {
                "grant": grant.name,
                "line": grant.place.line,
                "allows": granted.truth.known,
                "reason": grant_why(granted),
            }
            for grant, granted in layer.grants
        ]
    return found


def _statement_json(applied: Applied, request: Request) -> dict[str, Any]:
    statement = applied.statement
    return {
        "sid": statement.sid,
        "statement": statement.number,
        "file": statement.place.file,
        "line": statement.place.line,
        "column": statement.place.column,
        "effect": statement.effect,
        "matches": applied.truth.known,
        "reason": why(applied, request),
    }


def _statements(layer: Layer) -> Iterator[tuple[str, Policy, Applied]]:
    for label, policies in layer.groups:
        for policy, found in policies:
            for each in found:
                yield label, policy, each


def decision_text(decision: Decision, request: Request) -> str:
    """Give what people read: the decision, what made it, and every statement that was looked at."""
    return "\n".join(terminal(line, 2000) for line in _lines(decision, request)) + "\n"


def _lines(decision: Decision, request: Request) -> Iterable[str]:
    yield f"{request.principal.arn} {request.action} {request.resource}"
    yield f"{decision.outcome.replace('_', ' ')}: {_WORDS[decision.outcome]}"
    yield f"  {_decided(decision.decided_by)}"
    if decision.missing:
        yield f"  not known: {', '.join(decision.missing)}"
    for layer in decision.layers:
        if layer.applies:
            continue
        yield ""
        yield f"{layer.name}: {_WORDS[layer.outcome]}"
        if not layer.grants and not any(True for _ in applied_of(layer)):
            yield "  no statement"
        for grant, granted in layer.grants:
            yield f"  {_MARKS[granted.truth]} grant {grant.name} ({grant.place})"
            yield f"          {grant_why(granted)}"
        for label, policy, each in _statements(layer):
            statement = each.statement
            name = " / ".join(
                part for part in (label if label != policy.name else "", policy.name, statement.name) if part
            )
            yield f"  {_MARKS[each.truth]} {statement.effect:5} {name} ({statement.place})"
            yield f"          {why(each, request)}"
    left = [
        f"{layer.name} ({layer.applies})"
        for layer in decision.layers
        if layer.applies and layer.applies != "there is none"
    ]
    if left:
        yield ""
        yield f"not asked: {', '.join(left)}"


def _decided(deciding: Deciding) -> str:
    if deciding.applied is None or deciding.policy is None:
        return f"by {deciding.layer}: {deciding.reason}"
    statement = deciding.applied.statement
    return f"by {deciding.layer}: {deciding.policy.name}, {statement.name}, at {statement.place}"
