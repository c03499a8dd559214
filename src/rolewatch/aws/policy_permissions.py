"""What would be collected in; the IAM policy that allows the calls it takes, and nothing else, out."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from rolewatch.aws import policy_organization, policy_roles
from rolewatch.aws.accounts import assuming
from rolewatch.aws.calls import action_of, call_of, service_model
from rolewatch.aws.policies import Scope
from rolewatch.aws.policy_fetch import ALIAS, GRANTS
from rolewatch.aws.policy_lists import kind_of_listing
from rolewatch.aws.policy_targets import Wanted
from rolewatch.catalog.naming import service_of
from rolewatch.catalog.policy_kinds import PolicyKind, kinds
from rolewatch.catalog.policy_lists import LISTINGS, MULTI_REGION

_OF_KIND: Final = {
    "key": (GRANTS, ALIAS),
    "multi-region-access-point": (MULTI_REGION,),
    "role-trust": (policy_roles.ATTACHED, policy_roles.POLICY, policy_roles.VERSION),
}  # what is asked for beside a policy of the kind
_SURROUNDINGS: Final = (policy_roles.LIST, policy_organization.DESCRIBE)
_ORGANIZATION: Final = (
    policy_organization.ACCOUNTS,
    policy_organization.PARENTS,
    policy_organization.ATTACHED,
    policy_organization.POLICY,
)


def permissions(
    wanted: Wanted | None, scope: Scope, *, role_name: str | None = None, partition: str = "aws"
) -> dict[str, Any]:
    """Write the policy; without `wanted`, resources of all kinds may be asked for. CannotDo without the `aws` extra."""
    statements: list[dict[str, Any]] = [
        {
            "Sid": "CollectPolicies",
            "Effect": "Allow",
            "Action": sorted(set(_actions(wanted, scope))),
            "Resource": "*",
        }
    ]
    if role_name:
        statements.append(assuming(role_name, partition))
    return {"Version": "2012-10-17", "Statement": statements}


def _actions(wanted: Wanted | None, scope: Scope) -> Iterator[str]:
    whole = bool(scope.accounts) or scope.all_accounts
    listings = [*(scope.listings if whole else ())]
    if wanted is None or wanted.endpoints:
        listings += [each for each in LISTINGS if each.kind == "endpoint"]
    of: dict[str, PolicyKind] = {each.kind: each for each in map(kind_of_listing, listings)}
    for each in kinds() if wanted is None else (target.kind for target in wanted.targets):
        of[each.kind] = each
    for each in of.values():
        yield _action(each.fetch, service_of(each.type))
        yield from map(_action, _OF_KIND.get(each.kind, ()))
    for listing in listings:
        commands = [listing.command, listing.above.command if listing.above else ""]
        yield from (_action(each, service_of(of[listing.kind].type)) for each in commands if each)
    yield from map(_action, _extra(scope))


def _extra(scope: Scope) -> Iterable[str]:
    return (*(_SURROUNDINGS if scope.surroundings else ()), *(_ORGANIZATION if scope.all_accounts else ()))


def _action(command: str, arn_service: str = "") -> str:
    call = call_of(command)
    return action_of(call, service_model(call.service), arn_service)
