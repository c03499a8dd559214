"""An incident with the policies that bear on it in; the verdict, the change and what else is to be said of it, out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rolewatch.catalog.policy_kinds import PolicyKind, kind_of
from rolewatch.explain.asking import lacking, told_lacking
from rolewatch.explain.changes import Admitted, admitted
from rolewatch.explain.fix import Fix, Refused, Target, Told, propose
from rolewatch.explain.folder import Collected
from rolewatch.explain.grants import NewGrant, grant_for
from rolewatch.explain.incident import Incident
from rolewatch.explain.recreated import Former, deleted, formers
from rolewatch.explain.setting import Setting
from rolewatch.policies.evaluate import Decision
from rolewatch.policies.layers import ENDPOINT, IDENTITY, RESOURCE, Deciding
from rolewatch.policies.policy import Policy
from rolewatch.policies.principals import Level
from rolewatch.policies.request import Principal, Request, principal_of
from rolewatch.policies.truth import Truth

UNMENDED: Final = ("harmless", "service-not-enabled")
_TYPES: Final = {RESOURCE: "resource-based", IDENTITY: "identity-based", ENDPOINT: "vpc-endpoint"}
_ORDER: Final = ("explicit_deny", "implicit_deny", "depends", "allowed")
AWS_SIDE: Final = (
    "only AWS can change this: the role's own policy is AWS's, and this kind of resource takes no policy"
)
_OWN_LACKS: Final = (
    "only AWS can change this: the role's own policy is AWS's, and what it lacks no {} can allow"
)
_FETCH_ORGANIZATION: Final = (
    "put what `aws organizations describe-organization` prints into {}/organization.json"
)


def behind(incident: Incident) -> Iterator[str]:
    """Say that it is a key, where the call was about something that is encrypted with it."""
    kind = kind_of(incident.resource)
    calls = [call for call in incident.calls if not call.lower().startswith("kms:")]
    if kind and kind.kind == "key" and calls:
        yield f"{', '.join(calls)} was refused for the sake of this key: it encrypts what was asked for"


class Place(NamedTuple):
    """A policy that is looked at: of which kind (None: of none), whose, as collected (None: there is none), and what is around it."""

    kind: PolicyKind | None
    arn: str
    collected: Collected | None
    setting: Setting


class Said(NamedTuple):
    """What else was collected, and told: the role's unique id ("" if it is not known), the organisation.

    `known` is the role's own policy, None for a role that is not in the catalogue.
    """

    role_id: str
    organization: str | None
    known: Policy | None


class Case:
    """An incident with the policies that bear on it: the role's own, and the one that is looked at."""

    def __init__(self, incident: Incident, place: Place, requests: Sequence[Request], said: Said) -> None:
        self.incident, self._place, self._requests, self._said = incident, place, requests, said
        self._policy = place.collected.policy if place.collected else None
        self.request, self.decision = self._worst()
        self._former = self._find_former()

    def judged(self) -> tuple[str, Mapping[str, Any]]:
        """Give the verdict and the cause, by the policies if they tell, else as the message did."""
        cause, outcome = {**self.incident.cause}, self.decision.outcome
        # What is documented as harmless is a permission that is missing; a Deny is somebody's decision (catalog/noise.py).
        if self.incident.verdict in UNMENDED and (self.incident.verdict, outcome) != (
            "harmless",
            "explicit_deny",
        ):
            return self.incident.verdict, cause
        layer = self.decision.decided_by.layer
        told = {"policy_type": _TYPES.get(layer, layer), "evidence": "policy"}
        if self._former:
            told["reason"] = "role-recreated"
        if outcome == "explicit_deny":
            verdict = "aws-side" if layer == IDENTITY else "fix-your-policy"
            return verdict, {**cause, **told, "kind": "explicit"}
        if outcome == "implicit_deny" or (outcome == "depends" and self._nothing_allowed):
            if outcome == "depends":
                told["policy_type"] = "resource-based"
            return self._without_allow, {**cause, **told, "kind": "implicit"}
        if outcome == "depends" and layer in (RESOURCE, ENDPOINT) and self._denied:
            return "fix-your-policy", {**cause, "evidence": "policy"}
        return self.incident.verdict, cause

    def mended(self, verdict: str, *, all_slrs: bool) -> tuple[Fix | None, str]:
        """Find a change, or say why there is none."""
        place = self._place
        if verdict in UNMENDED:
            return None, f"nothing has to be changed: {verdict}"
        if place.kind is None:
            return None, AWS_SIDE if verdict == "aws-side" else "no policy that could be changed is known"
        if verdict == "aws-side":
            return None, _OWN_LACKS.format(place.kind.name)
        grant = self._grant
        if self.decision.outcome == "allowed":
            return (
                None,
                "a change of the policies that were collected would change nothing: they allow the request",
            )
        collected = place.collected
        text, name = (collected.text, collected.file) if collected else ("", place.arn)
        setting = place.setting._replace(own=(*place.setting.own, grant.policy)) if grant else place.setting
        told = Told(self._denied, self._nothing_allowed, self._former, (grant.command,) if grant else ())
        about = "" if place.arn == self.incident.resource else self.incident.resource
        target = Target(place.arn, place.kind, text, name, about, kind_of(about) if about else None)
        found = propose(target, self._requests, setting, self._who(all_slrs=all_slrs), told)
        return (None, found.reason) if isinstance(found, Refused) else (found, "")

    @property
    def deciding(self) -> Deciding | None:
        """What decided, as far as that is known: where nothing allowed, a statement that would have, had its condition held."""
        decision, setting = self.decision, self._place.setting
        if decision.outcome == "allowed":
            return None
        if decision.outcome == "depends" and self._nothing_allowed:
            may = setting.allowing(decision)
            return Deciding(
                setting.layer,
                self._policy if may else None,
                may[0] if may else None,
                f"no statement of {setting.layer.replace('_', ' ')} allows it",
            )
        return decision.decided_by

    def is_lacking(self) -> bool:
        """Whether the role's own policy is certain to refuse what was asked for.

        The resource may be folded, or none at all: then only an action that is nowhere in it is certain.
        """
        if self.decision.outcome == "explicit_deny" and self.decision.decided_by.layer == IDENTITY:
            return self.incident.resource.startswith("arn:")
        return bool(self._said.known and lacking(self._said.known, [self.request.action]))

    def notes(self, fix: Fix | None) -> Iterator[str]:
        """Yield what else is to be said, in sentences for people."""
        decision, place = self.decision, self._place
        if self._said.known is None and place.setting.layer == RESOURCE:
            yield "the role is not in the catalogue: its own policy is not known, and taken to allow the request"
        if self._former:
            yield (
                f"{self._former.statement.name} names {self._former.identifier}, the identifier of a role that was deleted. A role that is "
                f"made again is another one to AWS: the policy has to name {self.incident.role_arn} anew"
            )
        left = deleted(
            self._policy, [self._former.identifier] if self._former and self._former.narrow else ()
        )
        if fix and fix.operations and left:
            yield (
                f"the policy names {', '.join(left)}, which AWS shows for what was deleted: it saves no policy that names it, so take "
                "it out first"
            )
        yield from behind(self.incident)
        if self.decision.outcome == "implicit_deny" and self.decision.decided_by.layer == IDENTITY:
            yield from told_lacking(self._said.known, [self.request.action])
        yield from self._on_decision()
        if decision.outcome != "allowed" and self._contradicted:
            yield (
                f"the message blamed {self._blamed}; the policies that were collected say something else, and may have "
                "changed since"
            )
        if fix and fix.also:
            yield (
                "a grant is made by somebody whom the key's policy allows kms:CreateGrant: an administrator of the key, with "
                "credentials of its account"
            )

    def _on_decision(self) -> Iterator[str]:
        decision = self.decision
        held = [
            grant.name
            for layer in decision.layers
            for grant, found in layer.grants
            if found.truth is not Truth.NO
        ]
        if held:
            yield f"the key has a grant that may let the role in ({', '.join(held[:3])}), as of when it was collected"
        if decision.outcome == "allowed":
            yield (
                "the policies that were collected allow the request: what denied it has changed since, or is elsewhere "
                "(an endpoint policy, the key behind the resource, a policy that is not evaluated here)"
            )
        if decision.outcome == "depends":
            yield f"by the policies alone it hangs on {', '.join(decision.missing)}, which the record does not tell"
            if self._said.organization is None and any(
                key.lower().startswith("aws:principalorg") for key in decision.missing
            ):
                yield "which organisation the account is in is not known: " + _FETCH_ORGANIZATION.format(
                    "the folder of policies"
                )

    def _worst(self) -> tuple[Request, Decision]:
        """Evaluate all requests: the first that is denied for certain, else the first that may be, else the first."""
        setting = self._place.setting
        found = [(request, setting.decide(request, self._policy)) for request in self._requests]
        return min(found, key=lambda pair: _ORDER.index(pair[1].outcome))

    def _find_former(self) -> Former | None:
        """Find the identifier that, were it the role's, would let the role in: that by which the policy named it once."""
        if self.decision.outcome not in ("implicit_deny", "depends"):
            return None
        for former in formers(self._policy, self._said.role_id):
            asks = principal_of(self.incident.role_arn, former.identifier)
            if asks and self._lets_in(former, asks):
                return former
        return None

    def _lets_in(self, former: Former, asks: Principal) -> bool:
        """Whether the statement with the identifier would let the role in."""
        principals = former.statement.principals
        request = self.request._replace(principal=asks)
        allowed = self._place.setting.decide(request, self._policy).outcome == "allowed"
        return principals is not None and principals.names(asks).level is Level.ROLE and allowed

    def _who(self, *, all_slrs: bool) -> Admitted:
        who = admitted(self.incident.role_arn, all_slrs=all_slrs)
        return who._replace(former=self._former.identifier) if self._former and self._former.narrow else who

    @property
    def _crosses(self) -> bool:
        return self.request.principal.account != self.request.resource_account

    @property
    def _own_allows(self) -> bool:
        return any(layer.allow is not Truth.NO for layer in self.decision.layers if layer.name == IDENTITY)

    @property
    def _grant(self) -> NewGrant | None:
        """The grant without which a role cannot use a key of another account: its own policy does not allow that."""
        kind = self._place.kind
        if kind is None or kind.kind != "key" or not self._crosses or self._own_allows:
            return None
        return grant_for(self.incident)

    @property
    def _without_allow(self) -> str:
        """The verdict where nothing allows the request."""
        if self._place.kind is None:
            return "aws-side"
        if (
            self._crosses
            and not self._own_allows
            and self._place.setting.layer == RESOURCE
            and not self._grant
        ):
            return "aws-side"
        return "fix-your-policy"

    @property
    def _denied(self) -> bool:
        """Whether the message says that a statement of the policy denied."""
        cause = self.incident.cause
        type_ = _TYPES[self._place.setting.layer]
        return (cause.get("policy_type"), cause.get("kind")) == (type_, "explicit")

    @property
    def _nothing_allowed(self) -> bool:
        """Whether it is certain that no statement allowed: the message says so, or nothing else can have denied."""
        kind, denying = self._place.kind, self._place.setting.denying(self.decision)
        if denying or self.decision.outcome not in ("implicit_deny", "depends"):
            return False
        return self.incident.cause.get("kind") == "implicit" or bool(kind and kind.rule == "policy")

    @property
    def _blamed(self) -> str:
        cause = self.incident.cause
        words = {"explicit": "a statement that denies, in a", "implicit": "that nothing allows it in a"}
        return f"{words[cause['kind']]} policy of type {cause['policy_type']}"

    @property
    def _contradicted(self) -> bool:
        """Whether the message says something else than the policies do."""
        cause, outcome = self.incident.cause, self.decision.outcome
        if not cause.get("policy_type") or not cause.get("kind"):
            return False
        if outcome == "explicit_deny":
            return not self._denied
        return outcome == "implicit_deny" and cause["kind"] == "explicit"
