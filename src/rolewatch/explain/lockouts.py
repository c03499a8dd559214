"""One policy of a resource in; which service-linked roles it would shut out, of what, and by which statement, out.

A role is shut out if its own policy allows an action on the resource, and the decision with this policy is a refusal: by a statement
that denies, or, for a key, because none allows. What hangs on facts that nothing tells is listed apart.
Sources: as in `policies.evaluate` and `catalog.profile`; docs/check.md tells what is taken for granted.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from rolewatch.catalog.consequences import consequence_of
from rolewatch.catalog.naming import is_account
from rolewatch.catalog.policy_kinds import PolicyKind, kind_of, kinds
from rolewatch.catalog.profile import profile_of
from rolewatch.catalog.roles import SECURITY_SERVICES, service_name
from rolewatch.explain.lockout_asks import Ask, May, allowed, asks
from rolewatch.explain.lockout_doubts import worth_telling
from rolewatch.explain.lockout_found import Found, Lockout, Refusal, Subject
from rolewatch.explain.lockout_named import named_asks
from rolewatch.explain.lockout_owners import NOBODY, Given, Owner, owners, tells_owners_apart
from rolewatch.explain.lockout_parts import MADE_BY, PLACEHOLDER, Parts, placeholder, resource_in
from rolewatch.explain.lockout_requests import around, through
from rolewatch.explain.lockout_roles import Enabled, linked_arn
from rolewatch.explain.lockout_told import told
from rolewatch.policies.evaluate import Decision, evaluate
from rolewatch.policies.layers import ENDPOINT, RESOURCE, Policies, applied_of
from rolewatch.policies.policy import Policy, Statement
from rolewatch.policies.profiles import linked_request
from rolewatch.policies.reading import read_policy
from rolewatch.policies.request import Request
from rolewatch.policies.truth import Truth

_EVERYTHING: Final = (
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
)
#: Kinds whose policy has to allow; a role's trust policy does too, but is meant for whoever it names.
_MUST_ALLOW: Final = ("key",)
_ACCOUNT: Final = 4  # its place in an ARN
_ENDPOINT: Final = "endpoint"
_WAY: Final = ("aws:SourceVpce",)  # what it hangs on whether an endpoint's policy is asked
_WAY_REASON: Final = "an endpoint's policy decides only on what goes through it, and service-linked roles call from AWS's own network"


#: What is only asked of some resources of a kind, by what their ARN has to hold.
_ONLY_OF: Final = {"kms:SynchronizeMultiRegionKey": ":key/mrk-"}
_VALUE_REASON: Final = "the template does not tell this value; --parameter and --import give values"


def lockouts(subject: Subject, given: Given, now: datetime, enabled: Enabled | None = None) -> Found:
    """Check a policy against every role of the catalogue, or against those that are `enabled`.

    Where the resource's owner is not known, of those that the policy names the one counts that it shuts out least.
    """
    best: Found | None = None
    listed = owners(subject.policy, _with_account(subject, given))
    if subject.kind.kind not in _MUST_ALLOW and not tells_owners_apart(subject.policy):
        listed = listed[:1]
    for owner in listed:
        if subject.kind.kind == _ENDPOINT:
            found = _of_endpoint(subject, owner, now, enabled)
        else:
            found = _Examination(subject, owner, now, enabled).found()
        if best is None or _weight(found) < _weight(best):
            best = found
        if not best.lockouts and not best.depends:
            break
    assert best is not None  # noqa: S101 - there is always an owner
    return best


def _with_account(subject: Subject, given: Given) -> Given:
    """Add the account in the resource's ARN, unless it is a placeholder's."""
    account = subject.resource.split(":")[_ACCOUNT]
    made_up = account == NOBODY and subject.resource_from in MADE_BY
    known = is_account(account) and not made_up and not subject.resource_from.startswith(PLACEHOLDER)
    if given.account or not known:
        return given
    return given._replace(account=account, account_from="the resource's ARN")


def _of_endpoint(subject: Subject, owner: Owner, now: datetime, enabled: Enabled | None) -> Found:
    """Check what an endpoint's policy denies; whether it is asked at all, nothing tells."""
    partition = subject.resource.split(":", 2)[1]
    doubts: list[Lockout] = []
    for kind in _kinds_named(subject.policy, owner.account):
        resource = resource_in(subject.policy, owner.account)
        known = kind_of(resource) if resource else None
        if resource is None or known is not kind:
            resource = placeholder(kind, partition, owner.account)
        asked = Subject(subject.policy, kind, resource, subject.resource_from, subject.address)
        doubts += _Examination(asked, owner, now, enabled, endpoint=True).found().depends
    return Found(subject, owner, (), tuple(sorted(doubts, key=_rank)))


def _kinds_named(policy: Policy, account: str) -> list[PolicyKind]:
    """List the first kind of resource of each service whose actions a policy denies."""
    denied = [
        pattern.lower().partition(":")[0]
        for statement in policy.statements
        if not statement.allows
        for pattern in statement.actions.patterns
    ]
    if "*" in denied:
        named = resource_in(policy, account)
        known = kind_of(named) if named else None
        return [known] if known else []
    found = (next((kind for kind in kinds() if prefix in kind.prefixes), None) for prefix in denied)
    return [kind for kind in dict.fromkeys(found) if kind]


def _weight(found: Found) -> tuple[int, int]:
    return sum(len(each.actions) for each in found.lockouts), len(found.depends)


class _Examination:
    """Holds the requests of all roles against a policy."""

    def __init__(
        self,
        subject: Subject,
        owner: Owner,
        now: datetime,
        enabled: Enabled | None,
        *,
        endpoint: bool = False,
    ) -> None:
        self._subject, self._owner, self._enabled, self._endpoint = subject, owner, enabled, endpoint
        self._parts = Parts(subject.policy, subject.resource)
        self._partition = subject.resource.split(":", 2)[1]
        self._named: dict[str, tuple[bool, ...]] = {}
        self._decided: dict[tuple[object, ...], Decision] = {}
        self._around = around(subject, owner, now)
        everything = (read_policy(_EVERYTHING, "allows everything"),)
        if endpoint:
            self._policies = Policies(identity=everything, endpoint=(subject.policy,))
        else:
            self._policies = Policies(identity=everything, resource=subject.policy, grants=subject.grants)

    def found(self) -> Found:
        """Ask for everything, and put together what each role is refused."""
        refused: dict[tuple[str, str], list[Refusal]] = {}
        for role_arn, role_id, ask in self._asking():
            found = refused.setdefault((role_arn, ask.role.principal), [])
            found += self._refusals(role_arn, role_id, ask)
        listed = {
            certain: sorted(
                (
                    self._lockout(*role, [each for each in found if each.certain is certain])
                    for role, found in refused.items()
                    if any(each.certain is certain for each in found)
                ),
                key=_rank,
            )
            for certain in (True, False)
        }
        return Found(self._subject, self._owner, tuple(listed[True]), tuple(listed[False]))

    def _asking(self) -> Iterator[tuple[str, str, Ask]]:
        for ask in asks(self._subject.kind, self._partition):
            role = ask.role
            if self._enabled is None:
                yield linked_arn(self._partition, self._owner.account, role), "", ask
                continue
            for own in self._enabled.of(role):
                called = role._replace(role=own.name)  # with its suffix
                arn = own.arn or linked_arn(self._partition, self._owner.account, called)
                yield arn, own.unique_id, ask
        for role_arn, ask in named_asks(self._subject.policy, self._subject.kind):
            if self._enabled is None or self._enabled.has(role_arn):
                yield role_arn, "", ask

    def _refusals(self, role_arn: str, role_id: str, ask: Ask) -> Iterator[Refusal]:
        for part, actions in ask.actions.items():
            resources = self._parts.of(part, ask)
            for action in actions:
                if _ONLY_OF.get(action, "") not in self._subject.resource:
                    continue
                best: Refusal | None = None
                for resource in resources:
                    found = self._refusal(role_arn, role_id, ask, action, resource)
                    if found and (best is None or found.certain > best.certain):
                        best = found
                if best:
                    yield best

    def _refusal(self, role_arn: str, role_id: str, ask: Ask, action: str, resource: str) -> Refusal | None:
        request = linked_request(
            role_arn,
            action,
            resource,
            resource_account=self._owner.account,
            organization=self._owner.organization,
            role_id=role_id,
            known=self._around,
        )
        may = allowed(ask, request)
        if may.truth is Truth.NO:
            return None
        decision = self._decision(through(request, ask))
        if decision.outcome == "allowed":
            return None
        if self._subject.kind.kind not in _MUST_ALLOW:
            if decision.outcome == "implicit_deny":
                return None
        elif not self._is_missed(ask, action, may):
            return None
        missing = tuple(dict.fromkeys((*may.missing, *decision.missing)))
        certain = decision.outcome != "depends" and may.truth is Truth.YES
        if not certain and (self._endpoint or not worth_telling(missing)):
            return None
        statements = _statements(decision, ENDPOINT if self._endpoint else RESOURCE)
        if self._endpoint:
            return Refusal(action, resource, certain=False, statements=statements, missing=_WAY)
        return Refusal(action, resource, certain, statements, () if certain else missing)

    def _decision(self, request: Request) -> Decision:
        """Decide a request; actions that the same statements name, of one role on one resource, are decided alike."""
        if self._subject.grants:  # they name actions, too
            return evaluate(request, self._policies)
        named = self._named.get(request.action)
        if named is None:
            named = tuple(each.actions.match(request.action) for each in self._subject.policy.statements)
            self._named[request.action] = named
        service = request.action.partition(":")[0]
        key = (
            request.principal.arn,
            request.resource,
            service,
            named,
            request.context.known.get("kms:viaservice"),
        )
        if key not in self._decided:
            self._decided[key] = evaluate(request, self._policies)
        return self._decided[key]

    def _is_missed(self, ask: Ask, action: str, may: May) -> bool:
        """Whether it is a loss that a key refuses an action.

        Who uses keys only in some setting (a stream that delivers logs) does not miss a key that is not set up for that, unless
        a page says what is lost.
        """
        return not may.assumed or bool(consequence_of(ask.role.principal, self._subject.kind.type, action))

    def _lockout(self, role_arn: str, service: str, refusals: Sequence[Refusal]) -> Lockout:
        name = service_name(service)
        actions = tuple(sorted({each.action for each in refusals}))
        missing = tuple(sorted({key for each in refusals for key in each.missing}, key=str.lower))
        return Lockout(
            role_arn=role_arn,
            service=service,
            service_name=name,
            role_name=role_arn.rpartition("/")[2],
            severity="high" if service in SECURITY_SERVICES else "medium",
            actions=actions,
            resources=tuple(dict.fromkeys(each.resource for each in refusals)),
            statements=_most_frequent(refusals),
            consequence=told(service, name, self._subject.kind, actions),
            missing=missing,
            reason=self._reason(role_arn, actions[0], missing),
        )

    def _reason(self, role_arn: str, action: str, missing: Sequence[str]) -> str:
        """Say what is known of the first key that it hangs on."""
        if self._endpoint:
            return _WAY_REASON
        if missing and missing[0].startswith("value of "):
            return _VALUE_REASON
        if not missing or ":" not in missing[0] or " " in missing[0]:
            return ""
        profile = profile_of(role_arn, action=action, organization=self._owner.organization)
        return profile.state(missing[0]).reason


def _statements(decision: Decision, name: str) -> tuple[Statement, ...]:
    """List the statements that deny, or may; where none does, those whose Allow is in doubt."""
    layer = next(layer for layer in decision.layers if layer.name == name)
    sought = Truth.UNKNOWN if decision.outcome == "depends" else Truth.YES
    applied = [each for each in applied_of(layer) if each.truth is sought]
    denying = tuple(each.statement for each in applied if not each.statement.allows)
    if denying or decision.outcome != "depends":
        return denying
    return tuple(each.statement for each in applied)


def _most_frequent(refusals: Iterable[Refusal]) -> tuple[Statement, ...]:
    counts: dict[int, int] = {}
    by_number: dict[int, Statement] = {}
    for refusal in refusals:
        for statement in refusal.statements:
            by_number[statement.number] = statement
            counts[statement.number] = counts.get(statement.number, 0) + 1
    return tuple(by_number[number] for number in sorted(counts, key=lambda each: (-counts[each], each)))


def _rank(lockout: Lockout) -> tuple[bool, str, str]:
    return lockout.severity != "high", lockout.service_name.lower(), lockout.role_name
