"""An incident in; the requests that were denied, and the role's own policy, for the evaluator, out."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from rolewatch.catalog.documented_access import documented_access
from rolewatch.catalog.policy_actions import policy_actions
from rolewatch.catalog.policy_kinds import PolicyKind
from rolewatch.catalog.profile import role_parts
from rolewatch.catalog.role_policies import policies_date, policy_of
from rolewatch.explain.incident import Incident
from rolewatch.policies.policy import Policy
from rolewatch.policies.profiles import linked_request
from rolewatch.policies.reading import policy_of as policy_read
from rolewatch.policies.request import Request
from rolewatch.policies.wildcards import like
from rolewatch.templates.json_nodes import json_nodes
from rolewatch.templates.source import Source

MOST_PARTS: Final = 5  # parts of a resource that are asked for
PART: Final = "rolewatch-example"  # stands for a part whose name is not known
_OBJECTS: Final = re.compile(
    r"s3(?:-\w+)?:(?:(?!.*bucket)\w*object\w*|abortmultipartupload|listmultipartuploadparts)\Z", re.IGNORECASE
)
Known = Mapping[str, Sequence[str]]
#: What a service says when it asks for a grant of its own (KMS Developer Guide, "kms:GrantIsForAWSResource").
_KNOWN: Final[Mapping[str, Known]] = {"kms:creategrant": {"kms:GrantIsForAWSResource": ("true",)}}
_NOTHING: Final[Known] = {}


def requests_of(
    incident: Incident,
    kind: PolicyKind | None,
    *,
    account: str | None = None,
    organization: str | None = None,
    role_id: str = "",
    known: Known = _NOTHING,
) -> list[Request]:
    """Make the requests that were denied: each open action on the resource, or on its parts. `known` are context keys that were told."""
    return [
        linked_request(
            incident.role_arn,
            action,
            resource,
            resource_account=incident.owner if account is None else account,
            organization=organization,
            role_id=role_id,
            known={**_documented(incident, kind, action), **known},
        )
        for action in incident.actions
        for resource in _resources(incident, kind, action)
    ]


def part_of(kind: PolicyKind | None, action: str) -> str:
    """Say on which part of a resource a policy has to allow an action: "" for the resource itself, `/*` for what is in it."""
    if kind is None:
        return ""
    about = [
        part for part, names in policy_actions(kind.kind).items() if action.lower() in map(str.lower, names)
    ]
    if about:
        return "" if "" in about else about[0]
    if _OBJECTS.match(action) or "" not in kind.parts:
        return next((part for part in kind.parts if part), "")
    return ""


def decides(kind: PolicyKind, action: str) -> bool:
    """Whether a kind of policy can allow an action at all, as far as the catalogue knows."""
    prefix = action.partition(":")[0].lower()
    if "*" in kind.prefixes:
        return True
    listed = [each.lower() for names in policy_actions(kind.kind).values() for each in names]
    return prefix in kind.prefixes and (not listed or action.lower() in listed)


def _resources(incident: Incident, kind: PolicyKind | None, action: str) -> Sequence[str]:
    part = part_of(kind, action)
    if not part:
        return (incident.resource,)
    start = incident.resource + part.partition("*")[0]
    named = [each for each in incident.examples if each.startswith(start) and len(each) > len(start)]
    return named[:MOST_PARTS] or (incident.resource + part.replace("*", PART),)


def _documented(incident: Incident, kind: PolicyKind | None, action: str) -> Known:
    """Give the context keys that a service is documented to send with an action."""
    known = dict(_KNOWN.get(action.lower(), {}))
    role = role_parts(incident.role_arn)
    access = documented_access(role.principal, kind.kind) if role and kind else None
    if access is None or role is None:
        return known
    region = (incident.resource.split(":") + [""] * 4)[3]
    for allowed in access.allowed:
        if any(like(pattern.lower())(action.lower()) for pattern in allowed.actions):
            known |= {
                key: (value.format(account=role.account, region=region),)
                for _, key, value in allowed.conditions
            }
    return known


def own_policy(role_arn: str) -> Policy | None:
    """Read the policy that AWS gives a service-linked role; None for one that is not in the catalogue."""
    role = role_parts(role_arn)
    return _own_policy(role.partition, role.principal, role.name) if role else None


@lru_cache(maxsize=512)
def _own_policy(partition: str, principal: str, name: str) -> Policy | None:
    found = policy_of(principal, name, partition=partition)
    if found is None:
        return None
    label = f"{found.name} ({found.version} of {found.date})"
    # AWS's own policies may be larger than those that it takes from others.
    source = Source(label, json.dumps(found.document))
    return policy_read(json_nodes(source), source, label, principals=False)


def lacking(own: Policy, actions: Sequence[str]) -> list[str]:
    """List the actions that a role's own policy does not allow on any resource."""
    return [
        action
        for action in actions
        if not any(each.allows and each.actions.match(action) for each in own.statements)
    ]


def told_lacking(own: Policy | None, actions: Sequence[str]) -> Iterator[str]:
    """Say in words which actions the role's own policy lacks."""
    missing = lacking(own, actions) if own else []
    if own and missing:
        yield (
            f"the role's own policy, {own.name}, does not allow {', '.join(missing)}; that is AWS's policy as of "
            f"{policies_date()}, which AWS may have changed since"
        )
