"""Policies of every kind and a request in; what each layer of them says, out.

Sources: IAM User Guide, "Policy evaluation logic"; Organizations User Guide on SCPs and RCPs, which restrict no service-linked role.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from rolewatch.policies.grants import Grant, Granted
from rolewatch.policies.policy import Policy
from rolewatch.policies.request import Kind, Request
from rolewatch.policies.statements import Applied, apply
from rolewatch.policies.truth import Truth

Outcome = Literal["allowed", "explicit_deny", "implicit_deny", "depends"]
_NO, _UNKNOWN, _YES = Truth.NO, Truth.UNKNOWN, Truth.YES
NO_PERSON: Final = (Kind.SERVICE, Kind.FEDERATED, Kind.ANONYMOUS)  # no identity of an account


class Organisation(NamedTuple):
    """The policies of one level: the root, an organisational unit, the account."""

    level: str
    policies: Sequence[Policy]


class Policies(NamedTuple):
    """All policies that bear on a request; None where there is none of a kind.

    A boundary, a session and an endpoint limit what the others allow: of session policies one that allows is enough, of the others
    each has to. `grants` are those of the key that is asked for.
    """

    identity: Sequence[Policy] = ()
    resource: Policy | None = None
    boundaries: Sequence[Policy] | None = None
    session: Sequence[Policy] | None = None
    scps: Sequence[Organisation] | None = None
    rcps: Sequence[Organisation] | None = None
    endpoint: Sequence[Policy] | None = None
    grants: Sequence[Grant] = ()


class Layer(NamedTuple):
    """What the policies of one kind say: `name` as in the question's file; `applies` is "" or says why they do not.

    `allow` and `deny` say whether one of their statements allows, and denies; `groups` are what must allow each by itself; `grants`
    what grants say; `matching` are the statements that speak of the request, or may.
    """

    name: str
    groups: tuple[tuple[str, tuple[tuple[Policy, tuple[Applied, ...]], ...]], ...]
    allow: Truth
    deny: Truth
    applies: str = ""
    grants: tuple[tuple[Grant, Granted], ...] = ()
    matching: tuple[tuple[Policy, Applied], ...] = ()

    @property
    def outcome(self) -> Outcome | Literal["not_applicable"]:
        """What the layer alone decides."""
        if self.applies:
            return "not_applicable"
        return outcome_of(min(self.allow, ~self.deny), self.deny)


class Deciding(NamedTuple):
    """What decided: a layer, and its policy and statement, or its grant, where one did; else what is missing."""

    layer: str
    policy: Policy | None
    applied: Applied | None
    reason: str
    grant: Grant | None = None


IDENTITY, RESOURCE, BOUNDARY = "identity_policies", "resource_policy", "permission_boundaries"
SESSION, SCP, RCP, ENDPOINT = (
    "session_policies",
    "service_control_policies",
    "resource_control_policies",
    "vpc_endpoint_policies",
)
GRANTS: Final = "grants"
_ABSENT: Final = "there is none"
_LINKED: Final = "a service-linked role is not restricted by them"


def layers_of(request: Request, policies: Policies) -> tuple[Layer, ...]:
    """Hold a request against the policies of every kind, in the order in which AWS looks at them."""
    principal = request.principal
    linked = principal.service_linked
    nobody = f"a {principal.kind.value} principal has none" if principal.kind in NO_PERSON else ""
    limits = "a service-linked role has none" if linked else nobody
    unbound = _LINKED if linked else nobody
    unlimited = limits or ("the root user has none" if principal.kind is Kind.ROOT else "")
    bounded = bool(policies.boundaries) and not unlimited
    resource = _layer(
        RESOURCE,
        [("", (policies.resource,) if policies.resource else ())],
        request,
        "" if policies.resource else _ABSENT,
        bounded=bounded,
    )
    session = _layer(
        SESSION, [("", policies.session or ())], request, limits or ("" if policies.session else _ABSENT)
    )
    if principal.kind is Kind.FEDERATED_USER and not policies.session:
        session = session._replace(applies="", groups=(("", ()),))
    return (
        _layer(SCP, _levels(policies.scps), request, unbound or ("" if policies.scps else _ABSENT)),
        _layer(
            RCP,
            _levels(policies.rcps),
            request,
            _LINKED if linked else "" if policies.rcps else _ABSENT,
            allowing=True,
        ),
        _layer(
            ENDPOINT,
            _each(policies.endpoint),
            request,
            "" if policies.endpoint else _ABSENT,
            bounded=bounded,
        ),
        resource,
        _grants(policies.grants, request),
        _layer(IDENTITY, [("", policies.identity)], request, nobody),
        _layer(BOUNDARY, _each(policies.boundaries), request, unlimited or ("" if bounded else _ABSENT)),
        session,
    )


def applied_of(layer: Layer) -> Iterable[Applied]:
    """Yield what the statements of a layer say."""
    for _, policies in layer.groups:
        for _, found in policies:
            yield from found


def _layer(
    name: str,
    groups: Iterable[tuple[str, Sequence[Policy]]],
    request: Request,
    applies: str,
    *,
    allowing: bool = False,
    bounded: bool = False,
) -> Layer:
    """Hold a request against the policies of a layer. With `allowing` what is not denied is allowed; `bounded` as in `apply`."""
    if applies:
        return Layer(name, (), _NO, _NO, applies)
    made, allows, matching, deny = [], [], [], _NO
    for label, policies in groups:
        allow = _YES if allowing else _NO
        found = []
        for policy in policies:
            applied = tuple([apply(statement, request, bounded=bounded) for statement in policy.statements])
            found.append((policy, applied))
            for each in applied:
                if each.truth is not _NO:
                    matching.append((policy, each))
                    if each.statement.allows:
                        allow = max(allow, each.truth)
                    else:
                        deny = max(deny, each.truth)
        allows.append(allow)
        made.append((label, tuple(found)))
    return Layer(name, tuple(made), min(allows, default=_NO), deny, matching=tuple(matching))


def _grants(grants: Sequence[Grant], request: Request) -> Layer:
    found = tuple((grant, grant.allows(request)) for grant in grants)
    allow = max((granted.truth for _, granted in found), default=_NO)
    return Layer(GRANTS, (), allow, _NO, "" if grants else _ABSENT, found)


def _each(policies: Sequence[Policy] | None) -> list[tuple[str, Sequence[Policy]]]:
    return [(policy.name, (policy,)) for policy in policies or ()]


def _levels(levels: Sequence[Organisation] | None) -> list[tuple[str, Sequence[Policy]]]:
    return [(each.level, each.policies) for each in levels or ()]


def outcome_of(truth: Truth, deny: Truth) -> Outcome:
    """Say what it comes to that something is allowed, and that something denies it."""
    if truth is _YES:
        return "allowed"
    if truth is _UNKNOWN:
        return "depends"
    return "explicit_deny" if deny is _YES else "implicit_deny"
