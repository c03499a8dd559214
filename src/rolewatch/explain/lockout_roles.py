"""The list of an account's service-linked roles in; which of the catalogue's they are out."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from rolewatch.base.errors import UsageError
from rolewatch.catalog.profile import role_parts
from rolewatch.catalog.roles import ServiceRole, known_roles, role

_REMEDY: Final = "give what `aws iam list-roles --path-prefix /aws-service-role/` prints, or one name or ARN of a role a line"
_NAME: Final = re.compile(r"[\w+=,.@-]{1,64}")


class EnabledRole(NamedTuple):
    """A role of the account; `arn` and `unique_id` are "" where the list does not tell."""

    name: str
    arn: str = ""
    unique_id: str = ""


class Enabled:
    """The service-linked roles of an account; `unknown` are those that the catalogue does not have."""

    def __init__(self, roles: Iterable[EnabledRole]) -> None:
        self._arns: set[str] = set()
        self._roles: dict[tuple[str, str], list[EnabledRole]] = {}
        self.unknown: list[str] = []
        for own in dict.fromkeys(roles):
            known = list(_known(own))
            self._arns.add(own.arn)
            for each in known:
                self._roles.setdefault((each.principal, each.role), []).append(own)
            if not known:
                self.unknown.append(own.name)

    def of(self, known: ServiceRole) -> list[EnabledRole]:
        """Give the account's roles that are a role of the catalogue: none, one, or one for each suffix."""
        return self._roles.get((known.principal, known.role), [])

    def has(self, role_arn: str) -> bool:
        """Whether a role is on the list."""
        return role_arn in self._arns or any(
            role_arn.endswith(f"/{own.name}")
            for listed in self._roles.values()
            for own in listed
            if not own.arn
        )

    @property
    def accounts(self) -> set[str]:
        """The accounts of the roles, where the list tells."""
        return {parts.account for arn in self._arns if (parts := role_parts(arn))}

    def __len__(self) -> int:
        """Count the roles that the catalogue has."""
        return sum(map(len, self._roles.values()))


def linked_arn(partition: str, account: str, known: ServiceRole) -> str:
    """Write the ARN of a role in an account."""
    return f"arn:{partition}:iam::{account}:role/aws-service-role/{known.principal}/{known.role}"


def read_enabled(content: bytes, name: str) -> Enabled:
    """Read the list, as JSON of IAM, as a JSON list, or a role a line; UsageError for anything else."""
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise UsageError(f"{name} is not UTF-8", remedy="save it as UTF-8") from None
    if text[:1] not in ("{", "["):
        return Enabled(_role(line.strip(), name) for line in text.splitlines() if line.strip())
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} holds no JSON: {error}", remedy=_REMEDY) from None
    listed = found.get("Roles") if isinstance(found, dict) else found
    if not isinstance(listed, list):
        raise UsageError(f"{name} holds no list of roles", remedy=_REMEDY)
    roles = (_role(each, name) for each in listed)
    return Enabled(own for own in roles if not own.arn or role_parts(own.arn))


def _role(written: Any, name: str) -> EnabledRole:
    unique_id = ""
    if isinstance(written, Mapping):
        unique_id = str(written.get("RoleId") or "")
        written = written.get("Arn") or written.get("RoleName")
    if isinstance(written, str):
        if written.startswith("arn:"):
            return EnabledRole(written.rpartition("/")[2], written, unique_id)
        if _NAME.fullmatch(written):
            return EnabledRole(written, "", unique_id)
    raise UsageError(f"{name}: {str(written)[:100]!r} is no role", remedy=_REMEDY)


def _known(own: EnabledRole) -> Iterator[ServiceRole]:
    """Yield the catalogue's roles that a role may be; several services may have roles of one name."""
    parts = role_parts(own.arn)
    if parts:
        found = role(parts.principal, parts.name)
        if found:
            yield found
        return
    yield from (each for each in known_roles() if role(each.principal, own.name) == each)
