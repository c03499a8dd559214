"""A policy before and after a change in; the proof that it lets in whom it should and nobody else, or what is wrong with it, out."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rolewatch.explain.changes import Admitted
from rolewatch.explain.grid import grid_of
from rolewatch.explain.setting import Setting, anything, provisos
from rolewatch.policies.evaluate import evaluate
from rolewatch.policies.layers import ENDPOINT
from rolewatch.policies.policy import Policy, Statement
from rolewatch.policies.request import Kind, Principal, Request
from rolewatch.policies.statements import apply
from rolewatch.policies.truth import Truth
from rolewatch.policies.wildcards import arn_like


class Proof(NamedTuple):
    """What was shown: the denied requests are allowed now; of so many other decisions, so many changed, all of them meant.

    `provided`: statements that are left as they are, with the keys they hang on, which the record does not tell; the requests are
    allowed unless one of these denies them too. `wrong` is "" or says what speaks against the change.
    """

    allowed: int
    compared: int
    changed: int
    principals: int
    wrong: str = ""
    provided: Mapping[str, Sequence[str]] = {}

    def to_json(self) -> dict[str, Any]:
        """Give it as reports print it."""
        return {
            "request_allowed": not self.wrong,
            "requests": self.allowed,
            "provided": [{"statement": name, "hangs_on": list(keys)} for name, keys in self.provided.items()],
            "decisions_compared": self.compared,
            "decisions_changed": self.changed,
            "principals_compared": self.principals,
            "statement": _STATEMENT,
        }


_STATEMENT = (
    "with the changed policy the denied requests are allowed; over the decisions compared, none changed "
    "but those of the principals and actions that the change names"
)


class Change(NamedTuple):
    """A change that is to be proven: the policy before (None where there was none) and after.

    `touched` are the statements that it made or changed, as they are after it.
    """

    before: Policy | None
    after: Policy
    touched: Sequence[Statement]


def prove(change: Change, requests: Sequence[Request], setting: Setting, who: Admitted) -> Proof:
    """Hold a changed policy against the denied requests, and both policies against a grid of others."""
    before, after, touched = change
    numbers = frozenset(each.number for each in touched)
    provided: dict[str, list[str]] = {}
    for number, request in enumerate(requests):
        maybe = provisos(request, after, setting, numbers)
        if maybe is None:
            outcome = setting.decide(request, after).outcome
            wrong = (
                "would still hang on what is not known"
                if outcome == "depends"
                else f"would still be an {outcome.replace('_', ' ')}"
            )
            return Proof(number, 0, 0, 0, f"{request.action} on {request.resource} {wrong}")
        for each in maybe:
            keys = provided.setdefault(each.statement.name, [])
            keys += [key for key in dict.fromkeys(each.missing) if key not in keys]
    differing = _differing(before, after)
    if not differing <= numbers:
        return Proof(
            len(requests), 0, 0, 0, "it changes more of the policy than the statements that it is about"
        )
    were = [each for each in before.statements if each.number in numbers] if before else []
    grid = grid_of([*([before] if before else []), after], requests, [*were, *touched])
    compared = changed = 0
    for request in grid.requests(requests[0].resource_account):
        compared += 1
        if _alike(were, touched, request):  # whatever the other statements say, they say the same
            continue
        if _decisions(before, request, setting) == _decisions(after, request, setting):
            continue
        changed += 1
        named = any(statement.actions.match(request.action) for statement in (*were, *touched))
        if not (named and _is_meant(request.principal, who)):
            wrong = f"it would also change {request.action} on {request.resource} for {request.principal.arn}"
            return Proof(len(requests), compared, changed, len(grid.principals), wrong)
    return Proof(len(requests), compared, changed, len(grid.principals), "", provided)


def _differing(before: Policy | None, after: Policy) -> frozenset[int]:
    """Give the numbers of the statements that are not the same before and after."""
    was = {each.number: each.raw for each in before.statements} if before else {}
    now = {each.number: each.raw for each in after.statements}
    if before and before.version != after.version:
        return frozenset(was | now)
    return frozenset(number for number in was | now if was.get(number) != now.get(number))


def _alike(were: Sequence[Statement], are: Sequence[Statement], request: Request) -> bool:
    """Whether the changed statements say the same of a request as before."""
    was, now = ({_said(each, request) for each in held} - {None} for held in (were, are))
    return was == now


def _said(statement: Statement, request: Request) -> tuple[object, ...] | None:
    """Give what a statement says of a request; None if it says nothing."""
    found = apply(statement, request)
    if found.truth is Truth.NO:
        return None
    return statement.number, statement.allows, found.truth, found.level, found.perhaps, found.missing


def _is_meant(principal: Principal, who: Admitted) -> bool:
    """Whether a change may change something for a principal: whom it lets in, and the deleted role in whose place that is named."""
    if principal.unique_id and principal.unique_id == who.former:
        return True
    return principal.kind in (Kind.ROLE, Kind.SESSION) and arn_like(who.pattern)(principal.role_arn)


def _decisions(policy: Policy | None, request: Request, setting: Setting) -> tuple[object, ...]:
    """Decide with a principal whose own policies allow everything, and with one whose own policies allow nothing.

    Of an endpoint's policy what it says itself counts, whatever the resource's policy would say.
    """
    found = [evaluate(request, setting.around(policy, own)) for own in ((anything(),), ())]
    denied = max((layer.deny for decision in found for layer in decision.layers), default=Truth.NO)
    said = [layer.outcome for layer in found[0].layers if layer.name == setting.layer == ENDPOINT]
    return (*(decision.outcome for decision in found), denied, *said)
