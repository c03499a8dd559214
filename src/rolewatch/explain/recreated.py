"""Principals that are stored as identifiers: whom AWS still means by them, when the role was deleted and made again.

Source: IAM User Guide, "AWS JSON policy elements: Principal": an ARN of a role is stored as its unique id, which is shown once the role
is deleted; a new role of the same name has another one, and is not meant.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from rolewatch.policies.policy import Policy, Statement
from rolewatch.policies.principals import is_unique_id

_ROLE: Final = "AROA"


class Former(NamedTuple):
    """An identifier of a deleted role, and the statement that names it."""

    identifier: str
    statement: Statement

    @property
    def narrow(self) -> bool:
        """Whether the statement allows named actions only: then naming the role there lets it in for what was meant."""
        actions = self.statement.actions
        return not actions.negated and not any(
            pattern.rpartition(":")[2].strip("*") == "" for pattern in actions.patterns
        )


def formers(policy: Policy | None, unique_id: str) -> Iterator[Former]:
    """Find identifiers of roles in what a policy allows that are not a role's own one ("" where that is not known).

    A NotPrincipal is no such place: it leaves out a role's sessions only if it names each of them.
    """
    for statement in policy.statements if policy else ():
        if not statement.allows or statement.principals is None or statement.principals.negated:
            continue
        for entry in statement.principals.entries:
            is_role = entry.kind == "AWS" and entry.text.startswith(_ROLE) and is_unique_id(entry.text)
            if is_role and entry.text != unique_id:
                yield Former(entry.text, statement)


def deleted(policy: Policy | None, but: Iterable[str]) -> list[str]:
    """List identifiers in a policy's principals: what they name was deleted, and AWS saves no policy that names it."""
    left = {*but}
    return list(
        dict.fromkeys(
            entry.text
            for statement in (policy.statements if policy else ())
            for entry in (statement.principals.entries if statement.principals else ())
            if is_unique_id(entry.text) and entry.text not in left
        )
    )
