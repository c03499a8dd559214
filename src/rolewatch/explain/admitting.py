"""Denied actions in; the statements that a policy lacks to allow them, and nothing else, out.

Sources: Auto Scaling User Guide, "Required KMS key policy for use with encrypted volumes"; KMS Developer Guide,
"kms:GrantIsForAWSResource"; ECR User Guide, "Repository policies" (no Resource); VPC User Guide, "Control access to VPC endpoints using
endpoint policies" (a gateway endpoint's policy names principals in a condition).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from rolewatch.catalog.documented_access import documented_access
from rolewatch.catalog.policy_kinds import PolicyKind
from rolewatch.catalog.profile import role_parts
from rolewatch.explain.asking import part_of
from rolewatch.explain.changes import KEY, Admitted
from rolewatch.explain.json_patch import Operation, pointer
from rolewatch.policies.wildcards import like

_WORD: Final = re.compile(r"[^0-9A-Za-z]+")
_GRANT: Final = "kms:creategrant"
_FOR_RESOURCES: Final = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
_WITHOUT_RESOURCE: Final = ("repository", "public-repository")
_WHOLE: Final = ("key", "secret")  # in their policies `*` is the key, or the secret, itself

Document = Mapping[str, Any]


class Wanted(NamedTuple):
    """What has to be allowed: actions on a resource, in a policy of a kind; `parts` is the kind that tells the resource's parts."""

    kind: PolicyKind
    arn: str
    actions: Sequence[str]
    parts: PolicyKind


def admit(document: Document | None, who: Admitted, wanted: Wanted) -> list[Operation]:
    """Let a role in by statements of its own. `document` is None where there is no policy yet."""
    made = _with_sids(document, who, _statements(who, wanted))
    if document is None:
        return [Operation("replace", "", {"Version": "2012-10-17", "Statement": made})]
    if isinstance(document.get("Statement"), list):
        return [Operation("add", pointer("Statement", "-"), each) for each in made]
    return [Operation("replace", pointer("Statement"), [document["Statement"], *made])]


def _statements(who: Admitted, wanted: Wanted) -> list[tuple[str, dict[str, Any]]]:
    """Write the statements, each with what to add to its Sid."""
    found, actions = [], sorted(set(wanted.actions))
    role = role_parts(who.role_arn)
    access = documented_access(role.principal, wanted.kind.kind) if role else None
    region = (wanted.arn.split(":") + [""] * 4)[3]
    sets = access.allowed if access else ()
    covered = [pattern for each in sets for pattern in each.actions]
    if any(_matches(covered, action) for action in actions):
        # The service needs all that its documentation names: what was denied first is only where it stopped.
        actions = [action for action in actions if not _matches(covered, action)]
        for each in sets:
            made = each.statement(who.role_arn, "", region=region)
            found.append(("Grants" if _GRANT in map(str.lower, each.actions) else "", made))
    by_part: dict[str, list[str]] = {}
    for action in actions:
        by_part.setdefault("grant" if action.lower() == _GRANT else part_of(wanted.parts, action), []).append(
            action
        )
    for part, names in by_part.items():
        if part == "grant":
            made = _allow(who, wanted, names, "") | {"Condition": dict(_FOR_RESOURCES)}
            found.append(("Grants", made))
        else:
            found.append(("Parts" if part and len(by_part) > 1 else "", _allow(who, wanted, names, part)))
    return found


def _allow(who: Admitted, wanted: Wanted, actions: Sequence[str], part: str) -> dict[str, Any]:
    endpoint = wanted.kind.rule == "both" and "*" in wanted.kind.prefixes
    made: dict[str, Any] = {
        "Sid": "",
        "Effect": "Allow",
        "Principal": "*" if endpoint else {"AWS": who.role_arn},
        "Action": actions[0] if len(actions) == 1 else list(actions),
    }
    if wanted.kind.kind not in _WITHOUT_RESOURCE:
        made["Resource"] = "*" if wanted.kind.kind in _WHOLE else wanted.arn + part
    if endpoint:
        made["Condition"] = {"ArnLike" if who.wild else "ArnEquals": {KEY: who.pattern}}
    return made


def _with_sids(
    document: Document | None, who: Admitted, made: Sequence[tuple[str, dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Name each statement so that no other one has its name."""
    role = role_parts(who.role_arn)
    name = f"Allow{_WORD.sub('', role.name) if role else 'Role'}"
    held = document.get("Statement", []) if document else []
    taken = {
        str(each.get("Sid"))
        for each in (held if isinstance(held, list) else [held])
        if isinstance(each, Mapping)
    }
    return [each | {"Sid": _free(name + more, taken)} for more, each in made]


def _free(sid: str, taken: set[str]) -> str:
    number, found = 2, sid
    while found in taken:
        found = f"{sid}{number}"
        number += 1
    taken.add(found)
    return found


def _matches(patterns: Sequence[str], action: str) -> bool:
    return any(like(pattern.lower())(action.lower()) for pattern in patterns)
