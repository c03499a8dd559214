"""A policy in; the service-linked roles that it lets in by name out, with what it lets them do.

Whoever names a role means it to get in, whatever the role's own policy says: AWS Auto Scaling's has no action of KMS at all, since keys'
policies name it. A statement that denies the same is a mistake.
"""

import json
from collections.abc import Iterator
from functools import lru_cache

from rolewatch.catalog.policy_actions import policy_actions
from rolewatch.catalog.policy_kinds import PolicyKind
from rolewatch.catalog.profile import role_parts
from rolewatch.catalog.roles import ServiceRole, role
from rolewatch.explain.lockout_asks import Ask
from rolewatch.policies.policy import Policy, Statement
from rolewatch.policies.reading import read_policy


def named_asks(policy: Policy, kind: PolicyKind) -> Iterator[tuple[str, Ask]]:
    """Yield the ARN of each service-linked role that an Allow names, with what that statement lets it ask."""
    for statement in policy.statements:
        if not statement.allows or statement.actions.negated:
            continue
        for arn in dict.fromkeys(_named(statement)):
            parts = role_parts(arn)
            if parts is None:
                continue
            known = role(parts.principal, parts.name)
            own = ServiceRole(parts.principal, parts.name, known.policy if known else None, "", "")
            actions = {
                part: tuple(name for name in names if statement.actions.match(name))
                for part, names in policy_actions(kind.kind).items()
            }
            actions = {part: names for part, names in actions.items() if names}
            if actions:
                yield arn, Ask(own, actions, _everything(tuple(statement.actions.patterns)))


def _named(statement: Statement) -> Iterator[str]:
    if statement.principals and not statement.principals.negated:
        yield from (entry.text for entry in statement.principals.entries)
    for test in statement.tests:
        if test.key.lower() == "aws:principalarn" and "not" not in test.operator.lower():
            yield from test.values


@lru_cache(maxsize=256)
def _everything(actions: tuple[str, ...]) -> Policy:
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}}
    return read_policy(json.dumps(document), "what the policy lets it do", principals=False)
