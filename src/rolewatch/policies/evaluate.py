"""A request and the policies around it in; the decision out, with every layer and every statement.

Sources: IAM User Guide, "Policy evaluation logic" (single account, cross-account, "How AWS enforcement code logic evaluates requests");
KMS Developer Guide, "Key policies" and "Grants in AWS KMS"; Organizations User Guide on SCPs and RCPs, which restrict no service-linked
role.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from rolewatch.policies.layers import (
    NO_PERSON,
    RESOURCE,
    Deciding,
    Layer,
    Outcome,
    Policies,
    layers_of,
    outcome_of,
)
from rolewatch.policies.principals import Level
from rolewatch.policies.request import Kind, Request
from rolewatch.policies.statements import Applied
from rolewatch.policies.truth import Truth

_NO, _UNKNOWN, _YES = Truth.NO, Truth.UNKNOWN, Truth.YES
_NO_SESSION: Final = (
    "a session of a federated user without a session policy has only what is granted to the session itself"
)


class Decision(NamedTuple):
    """The decision, what made it, all layers, and the context keys it hangs on, if it does."""

    outcome: Outcome
    decided_by: Deciding
    layers: tuple[Layer, ...]
    missing: tuple[str, ...] = ()


def evaluate(request: Request, policies: Policies) -> Decision:
    """Decide a request."""
    layers = layers_of(request, policies)
    deny = max(layer.deny for layer in layers)
    granted, by_identity = _granted(layers, request)
    scps, rcps, endpoint = layers[:3]
    truth = min(granted, _limit(scps), _limit(rcps), _limit(endpoint), ~deny)
    outcome = outcome_of(truth, deny)
    missing = _missing(layers) if outcome == "depends" else ()
    return Decision(outcome, _deciding(outcome, layers, request, by_identity), layers, missing)


def _granted(layers: Sequence[Layer], request: Request) -> tuple[Truth, Truth]:
    """Say whether what grants allows a request, within its limits; and whether identity-based policies do."""
    resource, grants, identity, boundary, session = layers[3:]
    principal = request.principal
    limited = min(_limit(boundary), _limit(session))
    by_identity = min(_YES if principal.kind is Kind.ROOT else identity.allow, limited)
    delegated = _named(resource, Level.ACCOUNT)
    lent = min(_lent(grants, Level.ROLE), limited if principal.kind not in NO_PERSON else _YES)
    lent = max(_lent(grants, Level.EVERYONE), lent)
    if principal.kind in NO_PERSON:
        return max(delegated, lent), by_identity
    delegated = max(delegated, _lent(grants, Level.ACCOUNT))
    if principal.account != request.resource_account:
        return max(lent, min(by_identity, delegated)), by_identity
    direct = max(_named(resource, Level.EVERYONE), min(_named(resource, Level.ROLE), limited), lent)
    if _has_own_say(request):
        by_identity_too = min(by_identity, delegated)
        return max(direct, by_identity_too), by_identity_too
    return max(direct, by_identity), by_identity


def _missing(layers: Iterable[Layer]) -> tuple[str, ...]:
    """List what a decision hangs on; what is allowed or denied anyhow by the same policies hangs on nothing."""
    found: set[str] = set()
    for layer in layers:
        for _, each in layer.matching:
            if _UNKNOWN in (each.truth, each.closely) and not (
                each.statement.allows and _allowed_anyhow(layer, each)
            ):
                found.update(each.missing)
        for _, granted in layer.grants:
            if granted.truth is _UNKNOWN:
                found.update(granted.missing)
    return tuple(sorted(found, key=str.lower))


def _allowed_anyhow(layer: Layer, applied: Applied) -> bool:
    closest = max(applied.level, applied.perhaps)
    return layer.allow is _YES and (layer.name != RESOURCE or _named(layer, closest) is _YES)


def _limit(layer: Layer) -> Truth:
    return _YES if layer.applies else layer.allow


def _named(resource: Layer, least: Level) -> Truth:
    """Say whether an Allow of a resource-based policy names who asks that closely."""
    found = _NO
    for _, each in resource.matching:
        if each.statement.allows:
            if each.level >= least:
                found = max(found, each.truth)
            elif each.perhaps >= least:
                found = max(found, _UNKNOWN)
    return found


def _lent(grants: Layer, least: Level) -> Truth:
    """Say whether a grant names who asks that closely."""
    return max((granted.truth for _, granted in grants.grants if granted.level >= least), default=_NO)


def _has_own_say(request: Request) -> bool:
    """Whether the resource's policy has to allow too: only where it says so are identity-based policies heard.

    Source: "Policy evaluation logic": role trust policies and key policies have to allow explicitly.
    """
    service = request.action.partition(":")[0].lower()
    return (service == "sts" and ":role/" in request.resource) or (
        service == "kms" and ":key/" in request.resource
    )


def _deciding(outcome: Outcome, layers: Sequence[Layer], request: Request, by_identity: Truth) -> Deciding:
    """Say what made the decision: the first in the order in which AWS looks at the layers."""
    scps, rcps, endpoint, resource, grants, identity, boundary, session = layers
    if outcome == "explicit_deny":
        return _first(layers, allows=False, truth=_YES) or _nothing(identity.name, "")
    if outcome == "depends":
        found = _first(layers, allows=False, truth=_UNKNOWN) or _first(layers, allows=True, truth=_UNKNOWN)
        return found or _nothing(identity.name, "")
    if outcome == "allowed":
        direct = (resource, grants) if _named(resource, Level.ROLE) is _YES else (grants, resource)
        order = (identity, *direct) if by_identity is _YES else (*direct, identity)
        found = _first(order, allows=True, truth=_YES)
        return found or Deciding(identity.name, None, None, "the root user may do everything in its account")
    for layer in (scps, rcps, endpoint):
        if _limit(layer) is _NO:
            return _nothing(layer.name, _group_without(layer))
    root = request.principal.kind is Kind.ROOT
    allowed = identity.allow is not _NO or root or _named(resource, Level.ROLE) is not _NO
    for layer in (boundary, session):
        if _limit(layer) is _NO and (allowed or _lent(grants, Level.ROLE) is not _NO):
            if layer is session and not any(policies for _, policies in layer.groups):
                return Deciding(session.name, None, None, _NO_SESSION)
            return _nothing(layer.name, _group_without(layer))
    same = request.principal.account == request.resource_account
    if request.principal.kind in NO_PERSON:
        return _nothing(resource.name, "")
    if (not same or _has_own_say(request)) and (identity.allow is not _NO or root):
        return _nothing(resource.name, "")
    return _nothing(identity.name, "")


def _first(layers: Iterable[Layer], *, allows: bool, truth: Truth) -> Deciding | None:
    """Find what denies, or allows; of several that allow, what names who asks most closely."""
    for layer in layers:
        found = [
            (policy, each)
            for policy, each in layer.matching
            if each.statement.allows is allows and truth in (each.truth, each.closely)
        ]
        if found:
            policy, each = max(found, key=lambda pair: pair[1].level) if allows else found[0]
            return Deciding(layer.name, policy, each, "")
        for grant, granted in layer.grants:
            if allows and granted.truth is truth:
                return Deciding(layer.name, None, None, f"the grant {grant.name} allows it", grant)
    return None


def _group_without(layer: Layer) -> str:
    """Name the first level, or policy, of a layer that allows nothing."""
    for label, policies in layer.groups:
        if not any(
            each.truth is not _NO and each.statement.allows for _, found in policies for each in found
        ):
            return label
    return ""


def _nothing(layer: str, label: str) -> Deciding:
    return Deciding(layer, None, None, f"no statement of {label or layer.replace('_', ' ')} allows it")
