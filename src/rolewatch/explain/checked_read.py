"""What is read of a file that `rolewatch check` is given, and which resource a policy in it is of."""

from collections.abc import Mapping
from typing import NamedTuple

from rolewatch.catalog.naming import named
from rolewatch.catalog.policy_kinds import PolicyKind, kind_of_type
from rolewatch.explain.lockout_found import Subject
from rolewatch.explain.lockout_owners import NOBODY, Given, owners, partition_of
from rolewatch.explain.lockout_parts import PLACEHOLDER, placeholder, resource_in
from rolewatch.policies.policy import Policy


class Unread(NamedTuple):
    """A policy that could not be checked: where it is, and why not; an `invalid` one AWS would refuse."""

    where: str
    reason: str
    invalid: bool = False


class Read(NamedTuple):
    """The policies of a file or folder, what could not be read of it, and what it tells of the account.

    `passed_over` are policies that bear on no service-linked role.
    """

    subjects: tuple[Subject, ...]
    unread: tuple[Unread, ...] = ()
    given: Given = Given()
    passed_over: tuple[Unread, ...] = ()


class Wanted(NamedTuple):
    """What was typed beside the file: the resource's ARN, the account and organisation, and values for a template."""

    resource: str | None = None
    given: Given = Given()
    parameters: Mapping[str, str] = {}
    imports: Mapping[str, str] = {}


def found_resource(
    policy: Policy, given: Given, known: PolicyKind | None
) -> tuple[PolicyKind, str, str] | None:
    """Say which resource a policy is of, and how that is known; `known` is its kind where something tells; None if nothing does."""
    account = given.account or owners(policy, given)[0].account or NOBODY
    arn = resource_in(policy, account)
    if arn:
        found = named(arn)
        own = kind_of_type(found.type) if found else None
        if own and (known is None or own is known or set(own.prefixes) & set(known.prefixes)):
            return own, arn, "the policy's Resource elements"
    if known is None:
        return None
    return (
        known,
        placeholder(known, partition_of(policy), account),
        f"{PLACEHOLDER}: nothing names the resource",
    )
