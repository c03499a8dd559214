"""A statement that keeps a role out in; the smallest change of it that ends this, out.

Sources: IAM User Guide, "Condition operators" (several operators and keys of one Condition must all hold) and "AWS JSON policy
elements: Principal" (an identifier instead of an ARN: what it named was deleted, and no policy that names it can be saved).
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from rolewatch.catalog.profile import role_parts
from rolewatch.explain.json_patch import Operation, pointer
from rolewatch.policies.policy import Statement

KEY: Final = "aws:PrincipalArn"
_EXACT, _LIKE = "ArnNotEquals", "ArnNotLike"
#: Operators that a further value makes hold for fewer, without a set operator in front.
_NEGATED: Final = (
    "arnnotequals",
    "arnnotlike",
    "stringnotequals",
    "stringnotlike",
    "stringnotequalsignorecase",
)
_WILD: Final = ("arnnotequals", "arnnotlike", "stringnotlike")  # those that take `*`


class Admitted(NamedTuple):
    """Whom a change lets in: the ARN, or the pattern of ARNs, that is written into the policy.

    `former` is the identifier of a deleted role in whose place the role is named.
    """

    role_arn: str
    pattern: str
    former: str = ""

    @property
    def wild(self) -> bool:
        """Whether it is a pattern."""
        return "*" in self.pattern


def admitted(role_arn: str, *, all_slrs: bool) -> Admitted:
    """Say whom to let in: one role, or all service-linked roles of its account. ValueError: no such role's ARN."""
    role = role_parts(role_arn)
    if role is None:
        raise ValueError(f"not the ARN of a service-linked role: {role_arn[:200]!r}")
    every = f"arn:{role.partition}:iam::{role.account}:role/aws-service-role/*"
    return Admitted(role_arn, every if all_slrs else role_arn)


def exempt(document: Mapping[str, Any], statement: Statement, who: Admitted) -> list[Operation]:
    """Leave somebody out of a Deny: one more value where its Condition leaves out others already, else a condition more."""
    where = place_of(document, statement.number)
    condition = statement.raw.get("Condition")
    if not isinstance(condition, Mapping):
        return [Operation("add", pointer(*where, "Condition"), {_operator(who): {KEY: who.pattern}})]
    suitable = _WILD if who.wild else _NEGATED
    for operator, keys in condition.items():
        if operator.lower().removesuffix("ifexists") not in suitable:
            continue
        for key, values in keys.items():
            if key.lower() == KEY.lower():
                path = pointer(*where, "Condition", operator, key)
                if isinstance(values, list):
                    return [Operation("add", f"{path}/-", who.pattern)]
                return [Operation("replace", path, [values, who.pattern])]
    operator = _operator(who)
    written = next((name for name in condition if name.lower() == operator.lower()), None)
    if written is None:
        return [Operation("add", pointer(*where, "Condition", operator), {KEY: who.pattern})]
    return [Operation("add", pointer(*where, "Condition", written, KEY), who.pattern)]


def rename(document: Mapping[str, Any], number: int, who: Admitted) -> list[Operation]:
    """Name a role where a statement (its number from 1) names the identifier of the deleted one, which AWS would not save."""
    where = (*place_of(document, number), "Principal", "AWS")
    held: Any = document
    for part in where:
        held = held[part]
    if isinstance(held, list):
        return [Operation("replace", pointer(*where, held.index(who.former)), who.role_arn)]
    return [Operation("replace", pointer(*where), who.role_arn)]


def place_of(document: Mapping[str, Any], number: int) -> tuple[str | int, ...]:
    """Give the way to a statement, by its number from 1."""
    return ("Statement", number - 1) if isinstance(document.get("Statement"), list) else ("Statement",)


def _operator(who: Admitted) -> str:
    return _LIKE if who.wild else _EXACT
