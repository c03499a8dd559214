"""The profile of a service-linked role's requests in; a context for the evaluator out."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from rolewatch.catalog.profile import Profile, may_be_foreign, profile_of
from rolewatch.policies.request import UNKNOWN, Context, Request, Unsure, Value, make_request, principal_of

_NOTHING: Mapping[str, tuple[str, ...]] = {}


def linked_request(
    role_arn: str,
    action: str,
    resource: str,
    *,
    resource_account: str | None = None,
    organization: str | None = None,
    role_id: str = "",
    known: Mapping[str, Sequence[str]] = _NOTHING,
) -> Request:
    """Make the request of a service-linked role; `known` has keys that are known of this one. ValueError: no such role's ARN.

    `organization` as in `catalog.profile`: None where it is not known, "" for an account that is in none.
    """
    principal = principal_of(role_arn, role_id)
    profile = profile_of(role_arn, action=action, organization=organization, role_id=role_id or None)
    if principal is None:
        raise ValueError(f"not the ARN of a service-linked role: {role_arn[:200]!r}")
    account = principal.account if resource_account is None else resource_account
    given = {key.lower(): tuple(values) for key, values in {**profile.known, **known}.items()}
    return make_request(principal, action, resource, account, Context(given, others=_others(profile)))


@lru_cache(maxsize=1024)
def _others(profile: Profile) -> "_Others":
    return _Others(profile)


class _Others:
    """Says what a profile knows of keys that have no certain value."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._known: dict[str, Value] = {}

    def __call__(self, key: str) -> Value:
        if key not in self._known:
            self._known[key] = self._of(key)
        return self._known[key]

    def _of(self, key: str) -> Value:
        state = self._profile.state(key)
        match state.kind:
            case "known":
                return tuple(state.values)
            case "absent":
                return None
            case "optional":
                return Unsure(values=tuple(state.values))
            case "begins":
                return Unsure(there=True, begins=tuple(state.values))
            case "present":
                return Unsure(there=True)
            case "foreign":
                return Unsure(may_be=lambda value: may_be_foreign(key, value))
        return UNKNOWN
