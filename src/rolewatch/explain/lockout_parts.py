"""A policy's resource in; the resources that it decides on, to ask about: itself, and examples of what is in it.

Names of examples are made from the patterns that the policy and the roles' own policies write, so that a rule for one folder of a
bucket is met.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from rolewatch.catalog.naming import named, templates
from rolewatch.catalog.policy_kinds import PolicyKind, kind_of_type, kinds
from rolewatch.explain.lockout_asks import Ask, role_resources
from rolewatch.policies.policy import Policy
from rolewatch.policies.wildcards import like, resource_like

EXAMPLE: Final = "example"
REGION: Final = "us-east-1"
PLACEHOLDER: Final = "a placeholder"  # how the origin of what is made up begins
_MOST: Final = 6  # examples from a policy
_GAP: Final = re.compile(r"\{(?:region|account|/|\*|)\}")
#: Origins of a resource whose ARN may be written with a placeholder's account.
TEMPLATE, PLAN = "the template", "the plan"
MADE_BY: Final = (TEMPLATE, PLAN)
_SEGMENTS: Final = 6  # of an ARN
_WILD: Final = re.compile(r"[*?]")
_VARIABLE: Final = re.compile(r"\$\{([*?$])\}|\$\{[^}]*\}")


def placeholder(kind: PolicyKind, partition: str, account: str, region: str = REGION) -> str:
    """Write the ARN of a resource of a kind that nothing is known of."""
    fixed = {"{region}": region, "{account}": account}
    form = templates(kind.type)[0]
    return f"arn:{partition}:{_GAP.sub(lambda gap: fixed.get(gap[0], EXAMPLE), form)}"


def resource_in(policy: Policy, account: str) -> str | None:
    """Give the resource that a policy's own Resource elements name, wildcards filled in; None where they name none."""
    for pattern in _patterns(policy):
        arn = _filled(_VARIABLE.sub(lambda found: found[1] or EXAMPLE, pattern), account)
        found = named(arn) if arn else None
        if found and found.known and kind_of_type(found.type):
            return found.arn
    return None


def names_others(policy: Policy, resource: str) -> str | None:
    """Give a resource that a policy names where it names only others than this one; None where it names this one, or any."""
    patterns = list(_patterns(policy))
    if not patterns or any(resource_like(pattern)(resource) for pattern in patterns):
        return None
    carriers = [resource_like(pattern.partition("/")[0])(resource.partition("/")[0]) for pattern in patterns]
    return None if any(carriers) else patterns[0]


def kind_in(policy: Policy) -> PolicyKind | None:
    """Guess a policy's kind by the prefix that most of its actions have; None where they have none, or it has several kinds."""
    prefixes: dict[str, int] = {}
    for statement in policy.statements:
        for pattern in statement.actions.patterns:
            prefix, colon, _ = pattern.lower().partition(":")
            if colon:
                prefixes[prefix] = prefixes.get(prefix, 0) + 1
    for prefix in sorted(prefixes, key=lambda each: -prefixes[each]):
        found = next((kind for kind in kinds() if prefix in kind.prefixes), None)
        if found:
            return found
    return None


class Parts:
    """Gives the resources to ask about, by part of the resource that carries the policy."""

    def __init__(self, policy: Policy, resource: str) -> None:
        self._resource = resource
        self._named = list(dict.fromkeys(self._in_policy(policy)))[:_MOST]

    def of(self, part: str, ask: Ask) -> list[str]:
        """List resources of a part: "" is the resource itself."""
        if not part:
            return [self._resource]
        pattern = f"{self._resource}{part}"
        fits = like(pattern)
        found = [pattern.replace("*", EXAMPLE), *self._named, *self._in_role(ask)]
        return list(dict.fromkeys(each for each in found if fits(each)))

    def _in_policy(self, policy: Policy) -> Iterator[str]:
        for pattern in _patterns(policy):
            if pattern.startswith(self._resource) and len(pattern) > len(self._resource):
                filled = _filled(pattern)
                if filled:
                    yield filled

    def _in_role(self, ask: Ask) -> Iterator[str]:
        """Yield the names that the role's policy confines it to in a resource of its own; a folder of any bucket is in few."""
        for pattern in role_resources(ask):
            head, slash, tail = pattern.partition("/")
            own = slash and tail and not head.endswith(":*")
            if own and "/" not in self._resource and like(head)(self._resource):
                filled = _filled(tail)
                if filled:
                    yield f"{self._resource}/{filled}"


def _patterns(policy: Policy) -> Iterable[str]:
    for statement in policy.statements:
        if statement.resources:
            yield from statement.resources.patterns


def _filled(pattern: str, account: str = "") -> str | None:
    """Fill in wildcards; None for a pattern with variables, and for one that is nothing else."""
    if pattern == "*" or any(not found[1] for found in _VARIABLE.finditer(pattern)):
        return None
    segments = _VARIABLE.sub(lambda found: found[1], pattern).split(":", _SEGMENTS - 1)
    if len(segments) == _SEGMENTS:
        for place, known in ((3, REGION), (4, account)):
            if account and _WILD.search(segments[place]):
                segments[place] = known
    return ":".join([*segments[:-1], segments[-1].replace("*", EXAMPLE).replace("?", EXAMPLE[:1])])
