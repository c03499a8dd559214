"""What stands around a policy that is looked at: the other policies that bear on the same requests."""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from rolewatch.policies.evaluate import Decision, evaluate
from rolewatch.policies.grants import Grant
from rolewatch.policies.layers import ENDPOINT, IDENTITY, RESOURCE, Policies, applied_of
from rolewatch.policies.policy import Policy
from rolewatch.policies.reading import read_policy
from rolewatch.policies.request import Request
from rolewatch.policies.statements import Applied
from rolewatch.policies.truth import Truth


class Setting(NamedTuple):
    """The layer of the policy that is looked at, the role's own policies, and the grants of the key, if it is one."""

    layer: str
    own: Sequence[Policy]
    grants: Sequence[Grant] = ()

    def around(self, policy: Policy | None, own: Sequence[Policy] | None = None) -> Policies:
        """Put a policy into its place; `own` instead of the role's policies."""
        identity = self.own if own is None else own
        if self.layer == ENDPOINT:
            return Policies(identity=identity, endpoint=(policy,) if policy else None)
        return Policies(identity=identity, resource=policy, grants=self.grants)

    def decide(self, request: Request, policy: Policy | None) -> Decision:
        """Decide a request with a policy in its place."""
        return evaluate(request, self.around(policy))

    def denying(self, decision: Decision) -> list[Applied]:
        """List the statements of the policy that deny a request, or may."""
        return [each for each in _said(decision, self.layer) if not each.statement.allows]

    def allowing(self, decision: Decision) -> list[Applied]:
        """List the statements of the policy that allow a request, or may."""
        return [each for each in _said(decision, self.layer) if each.statement.allows]


def for_resource(own: Sequence[Policy], grants: Sequence[Grant] = ()) -> Setting:
    """Look at the policy of a resource."""
    return Setting(RESOURCE, own, grants)


def for_endpoint() -> Setting:
    """Look at the policy of a VPC endpoint, with everything else taken to allow."""
    return Setting(ENDPOINT, (anything(),))


def provisos(
    request: Request, policy: Policy, setting: Setting, touched: frozenset[int]
) -> list[Applied] | None:
    """Say under which provisos a policy allows a request: none of these statements, which hang on what is not known, denies it.

    They are none that a change touched. None where the request is not allowed even so.
    """
    decision = setting.decide(request, policy)
    if decision.outcome == "allowed":
        return []
    if decision.outcome != "depends":
        return None
    maybe = [each for each in setting.denying(decision) if each.statement.number not in touched]
    rest = _without(policy, maybe)
    of_own = [each for each in _said(decision, IDENTITY) if not each.statement.allows]
    own = [_without(each, of_own) for each in setting.own]
    outcome = evaluate(request, setting.around(rest, own)).outcome
    return [*maybe, *of_own] if outcome == "allowed" and (maybe or of_own) else None


def _without(policy: Policy, statements: Iterable[Applied]) -> Policy:
    left = [each.statement for each in statements]
    kept = tuple(each for each in policy.statements if not any(each is other for other in left))
    return policy._replace(statements=kept)


def _said(decision: Decision, name: str) -> Iterable[Applied]:
    """Yield the statements of a layer that match, or may."""
    for layer in decision.layers:
        if layer.name == name:
            yield from (each for each in applied_of(layer) if each.truth is not Truth.NO)


@lru_cache(maxsize=1)
def anything() -> Policy:
    """Give what stands for a role's own policy where that is not known."""
    text = json.dumps({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
    return read_policy(text, "the role's own policy (not known; taken to allow)", principals=False)
