"""A kind of resource in; which actions each service-linked role of the catalogue may take on it out, by its managed policy.

What a role's policy says of tags is held against a resource without tags of its owner's. What it says of the request (the service
it comes through) counts as fulfilled, since the service asks in the way its policy allows; but what confines it to data of its own
(a folder, the context of one service's encryption) does not: other resources hold none.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from rolewatch.catalog.policy_actions import policy_actions
from rolewatch.catalog.policy_kinds import PolicyKind
from rolewatch.catalog.role_policies import policy_of, roles_with_policies
from rolewatch.catalog.roles import ServiceRole
from rolewatch.policies.policy import VARIABLES_SINCE, Policy
from rolewatch.policies.reading import read_policy
from rolewatch.policies.request import UNKNOWN, Context, Request, Value
from rolewatch.policies.statements import apply
from rolewatch.policies.truth import Truth
from rolewatch.policies.wildcards import like

_TAGS: Final = "resourcetag/"
#: Tags that AWS sets: on a resource with a name that the service gives, the service's tag is there.
_GIVEN_TAGS: Final = ("secretsmanager:resourcetag/aws:secretsmanager:owningservice",)
#: Keys that say which data is asked for; the one for volumes is about every key that encrypts some.
_OF_DATA: Final = ("s3:prefix", "kms:encryptioncontext:")
_OF_ALL_DATA: Final = ("kms:encryptioncontext:aws:ebs:id",)
_AWS_TAGS: Final = "resourcetag/aws:"


class Ask(NamedTuple):
    """What a role may ask of a kind of resource: its actions, by part of the resource, and its policy on them."""

    role: ServiceRole
    actions: Mapping[str, tuple[str, ...]]
    policy: Policy


@lru_cache(maxsize=64)
def asks(kind: PolicyKind, partition: str) -> tuple[Ask, ...]:
    """List what every role of the catalogue may ask, by name of service and role; roles that may nothing are left out."""
    by_role: dict[ServiceRole, list[Mapping[str, Any]]] = {}
    for prefix in kind.prefixes:
        for role, statement in _statements(partition).get(prefix, ()):
            by_role.setdefault(role, []).append(statement)
    found = (_ask(role, by_role[role], kind) for role in sorted(by_role))
    return tuple(ask for ask in found if ask)


@lru_cache(maxsize=8)
def _statements(partition: str) -> Mapping[str, list[tuple[ServiceRole, Mapping[str, Any]]]]:
    """Sort the statements of all managed policies by the prefix of their actions, each with the actions of that prefix only."""
    found: dict[str, list[tuple[ServiceRole, Mapping[str, Any]]]] = {}
    for role in roles_with_policies():
        managed = policy_of(role.principal, role.role, partition=partition)
        for statement in managed.statements if managed else ():
            by_prefix: dict[str, list[str]] = {}
            for pattern in _patterns(statement):
                by_prefix.setdefault(pattern.partition(":")[0], []).append(pattern)
            for prefix, patterns in by_prefix.items():
                found.setdefault(prefix, []).append((role, {**statement, "Action": patterns}))
    return found


def _ask(role: ServiceRole, statements: Sequence[Mapping[str, Any]], kind: PolicyKind) -> Ask | None:
    allowing = [
        like(pattern) for each in statements if each["Effect"] == "Allow" for pattern in _patterns(each)
    ]
    actions = {
        part: tuple(name for name in names if any(test(name.lower()) for test in allowing))
        for part, names in policy_actions(kind.kind).items()
    }
    actions = {part: names for part, names in actions.items() if names}
    if not actions:
        return None
    document = {"Version": VARIABLES_SINCE, "Statement": statements}
    return Ask(role, actions, read_policy(json.dumps(document), role.policy or role.role, principals=False))


class May(NamedTuple):
    """Whether a role's own policy allows a request, which keys that hangs on (tags that AWS sets), and what was taken for fulfilled."""

    truth: Truth
    missing: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()


_MAY_NOT: Final = May(Truth.NO)


def allowed(ask: Ask, request: Request) -> May:
    """Say whether a role's own policy allows a request."""
    context = request.context
    asked = request._replace(context=Context(context.known, context.absent, others=_Tags(context)))
    best = _MAY_NOT
    for statement in ask.policy.statements:
        applied = apply(statement, asked)
        if applied.truth is Truth.YES and not statement.allows:
            return _MAY_NOT
        if applied.truth is Truth.NO or not statement.allows or any(map(_is_of_data, applied.missing)):
            continue
        tags = tuple(key for key in applied.missing if _is_tag_of_aws(key))
        found = May(Truth.UNKNOWN, tags) if tags else May(Truth.YES, (), applied.missing)
        if (found.truth, not found.assumed) > (best.truth, not best.assumed):
            best = found
    return best


def role_resources(ask: Ask) -> Iterable[str]:
    """Yield the ARNs, with wildcards, that a role's policy allows something on."""
    for statement in ask.policy.statements:
        if statement.allows and statement.resources and not statement.resources.negated:
            yield from statement.resources.patterns


def _is_tag_of_aws(key: str) -> bool:
    lower = key.lower()
    return _AWS_TAGS in lower and lower not in _GIVEN_TAGS


def _is_of_data(key: str) -> bool:
    lower = key.lower()
    return lower.startswith(_OF_DATA) and lower not in _OF_ALL_DATA


class _Tags:
    """Knows no tag of the owner's on the resource, and asks the profile for the rest."""

    def __init__(self, context: Context) -> None:
        self._others = context.others

    def __call__(self, key: str) -> Value:
        if _TAGS in key:
            return UNKNOWN if _AWS_TAGS in key else None
        return self._others(key) if self._others else UNKNOWN


def _patterns(statement: Mapping[str, Any]) -> list[str]:
    """List a statement's actions in lower case; none where it has NotAction."""
    written = statement.get("Action", ())
    return [each.lower() for each in ((written,) if isinstance(written, str) else written)]
