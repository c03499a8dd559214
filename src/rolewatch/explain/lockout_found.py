"""What is checked, and what was found: data, and nothing else."""

from typing import Literal, NamedTuple

from rolewatch.catalog.policy_kinds import PolicyKind
from rolewatch.explain.lockout_owners import Owner
from rolewatch.explain.lockout_told import Told
from rolewatch.policies.grants import Grant
from rolewatch.policies.policy import Policy, Statement

Severity = Literal["high", "medium"]
HIGH = "high"  # of a security service: what it does not see goes unseen


class Subject(NamedTuple):
    """A policy to check, of which kind and resource, how that is known, and the address of its resource in a template or plan.

    `grants` are those of a key, where they were collected.
    """

    policy: Policy
    kind: PolicyKind
    resource: str
    resource_from: str
    address: str = ""
    grants: tuple[Grant, ...] = ()


class Refusal(NamedTuple):
    """One action that a role is refused, or may be; the statements that do it, and the keys that it hangs on, if it does."""

    action: str
    resource: str
    certain: bool
    statements: tuple[Statement, ...]
    missing: tuple[str, ...] = ()


class Lockout(NamedTuple):
    """What one role is refused by a policy, or may be (with the keys that this hangs on in `missing`, and why in `reason`).

    `statements` are those that deny, the one that denies most first; none where it is that nothing allows.
    """

    role_arn: str
    service: str
    service_name: str
    role_name: str
    severity: Severity
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    statements: tuple[Statement, ...]
    consequence: Told
    missing: tuple[str, ...] = ()
    reason: str = ""


class Found(NamedTuple):
    """What a policy does: whose resource it was taken to be, who is shut out, and who may be."""

    subject: Subject
    owner: Owner
    lockouts: tuple[Lockout, ...]
    depends: tuple[Lockout, ...]
