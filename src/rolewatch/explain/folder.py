"""A folder of collected policies in; the policy of a resource, and what else was collected about it, out.

A file is named after the ARN of what it is about, with `:` and `/` as `%3A` and `%2F` (as they are is fine where a file name may hold
them), in any folder below; a VPC endpoint's may be named by its id. It holds what AWS's API returned, or the policy alone. Beside it
`ARN.grants.json` has a key's grants, as `aws kms list-grants` prints them. `organization.json` holds what `aws organizations
describe-organization` prints, `roles.json` (or `ACCOUNT.roles.json`) what `aws iam list-roles` does.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from rolewatch.base.errors import SourceError, UsageError
from rolewatch.catalog.policy_kinds import PolicyKind, kind, kind_of
from rolewatch.policies.policy import Policy
from rolewatch.policies.reading import read_policy
from rolewatch.templates.json_nodes import json_nodes
from rolewatch.templates.source import Source

LARGEST: Final = 4 * 1024 * 1024  # bytes of a file
_ENDS: Final = (".grants.json", ".json")
#: Where AWS's APIs put a policy in what they return, beside the place that the catalogue knows for its kind.
HOLDERS: Final = (
    "Policy",
    "PolicyDocument",
    "policyText",
    "policy",
    "ResourcePolicy",
    "resourcePolicy",
    "policyDocument",
)
_WRAPPERS: Final = ("Attributes", "VpcEndpoints", "Role")


class Collected(NamedTuple):
    """A policy that was collected: whose, from which file, as text (as it stands there, or set out anew), and read."""

    arn: str
    file: str
    text: str
    policy: Policy


class RoleKept(NamedTuple):
    """What was collected about a role: its unique id, "" if it is not there."""

    arn: str
    unique_id: str


class Folder:
    """Policies of a folder. A file that cannot be read raises where it is asked for."""

    def __init__(self, path: str) -> None:
        if not Path(path).is_dir():
            raise SourceError(
                f"{path} is no folder", remedy="name the folder that holds the collected policies"
            )
        self.path = path

    def policy(self, arn: str) -> Collected | None:
        """Give the policy of a resource; None where none was collected, or it has none. UsageError: it cannot be read."""
        file = self._files.get((arn, ".json"))
        if file is None:
            return None
        of = kind("endpoint") if arn.startswith("vpce-") else kind_of(arn)
        held = _policy_in(_read(file), file, of)
        if held is None:
            return None
        return Collected(arn, file, held.text, read_policy(held.text, arn, file=held.place, principals=True))

    def asked(self, arn: str) -> bool:
        """Whether something was collected about a resource, if only that it has no policy."""
        return (arn, ".json") in self._files

    def endpoints(self) -> Iterator[str]:
        """Yield the VPC endpoints that something was collected about, by ARN or id."""
        yield from (arn for arn in self.arns() if arn.startswith("vpce-") or ":vpc-endpoint/" in arn)

    def grants(self, arn: str) -> list[Mapping[str, Any]]:
        """Give a key's grants."""
        file = self._files.get((arn, ".grants.json"))
        if file is None:
            return []
        found = _json(_read(file), file)
        grants = found.get("Grants") if isinstance(found, dict) else found
        if not isinstance(grants, list) or not all(isinstance(each, dict) for each in grants):
            raise UsageError(f"{file} holds no grants", remedy="put there what `aws kms list-grants` prints")
        return grants

    def role(self, arn: str) -> RoleKept | None:
        """Give what is known of a role, as `aws iam get-role` or `aws iam list-roles` prints it."""
        file = self._files.get((arn, ".json"))
        if file is None:
            return self._roles.get(arn)
        found = _json(_read(file), file)
        role = found.get("Role", found) if isinstance(found, dict) else {}
        unique_id = role.get("RoleId") if isinstance(role, dict) else None
        return RoleKept(arn, unique_id if isinstance(unique_id, str) else "")

    @cached_property
    def _roles(self) -> dict[str, RoleKept]:
        """All roles of lists: `roles.json`, `ACCOUNT.roles.json`."""
        found = {}
        for place in sorted(Path(self.path).glob("*roles.json")):
            listed = _json(_read(str(place)), str(place))
            for role in (listed.get("Roles") or ()) if isinstance(listed, dict) else ():
                if isinstance(role, dict) and isinstance(role.get("Arn"), str):
                    unique_id = role.get("RoleId")
                    found[role["Arn"]] = RoleKept(
                        role["Arn"], unique_id if isinstance(unique_id, str) else ""
                    )
        return found

    def arns(self) -> Iterable[str]:
        """Yield everything that something was collected about, in order."""
        yield from sorted({arn for arn, _ in self._files})

    @cached_property
    def organization(self) -> str | None:
        """The organisation's id; "" if the account is in none; None where that was not collected."""
        file = Path(self.path, "organization.json")
        if not file.exists():
            return None
        found = _json(_read(str(file)), str(file))
        held = found.get("Organization") if isinstance(found, dict) else None
        identifier = held.get("Id") if isinstance(held, dict) else None
        return identifier if isinstance(identifier, str) else ""

    @cached_property
    def _files(self) -> dict[tuple[str, str], str]:
        """All files by ARN and ending."""
        found: dict[tuple[str, str], str] = {}
        for place, folders, names in os.walk(self.path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                end = next((each for each in _ENDS if name.endswith(each)), None)
                arn = unquote(name.removesuffix(end)) if end else ""
                if end and arn.startswith(("arn:", "vpce-")):
                    found.setdefault((arn, end), str(Path(place, name)))
        return found


def file_name(arn: str) -> str:
    """Give the name of a resource's file."""
    return arn.replace("%", "%25").replace(":", "%3A").replace("/", "%2F") + ".json"


def _read(file: str) -> str:
    path = Path(file)
    try:
        if not path.is_file():
            raise UsageError(f"{file} is no file", remedy="put there what AWS returned")
        if path.stat().st_size > LARGEST:
            raise UsageError(
                f"{file} is larger than {LARGEST // 1024 // 1024} MiB: no policy is", remedy="collect it anew"
            )
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8", remedy="save it as UTF-8") from None


def _json(text: str, file: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{file}:{error.lineno}:{error.colno}: this is no JSON: {error.msg}", remedy="collect it anew"
        ) from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} holds no JSON: {error}", remedy="collect it anew") from None


class _Held(NamedTuple):
    """A policy's text, and where its lines are: in the file, or in what the file holds."""

    text: str
    place: str


def _policy_in(text: str, file: str, of: PolicyKind | None) -> _Held | None:
    """Find the policy in what an API returned; None where the resource has none."""
    if not text.strip():  # what a command prints that fails because there is none
        return None
    found = _json(text, file)
    if isinstance(found, dict) and "Statement" in found:
        return _Held(text, file)
    held = _answered(found, of.answer.split(".")) if of and of.answer else None
    held = _held(found) if held is None else held
    if isinstance(held, list):
        if len(held) > 1:
            raise UsageError(
                f"{file} holds {len(held)} policies, and nobody said which of them to look at",
                remedy="leave one of them in it",
            )
        held = held[0] if held else None
    inside = f"{file}:policy"
    if isinstance(held, str):
        if not held.strip():
            return None
        read_policy(held, inside)  # what is wrong with it is told of the text as it is
        held = _json(held, inside)
    elif held is not None:
        json_nodes(Source(file, text))  # names written twice would be lost when it is set out anew
    if held is None:
        return None
    if not isinstance(held, dict):
        raise UsageError(f"{file} holds no policy", remedy="put there what AWS returned, or the policy alone")
    return _Held(json.dumps(held, indent=2, ensure_ascii=False), inside)


def _answered(found: Any, path: list[str]) -> Any:
    """Follow a path in an answer; of the items of a list on the way those that lead somewhere."""
    for number, part in enumerate(path):
        if isinstance(found, list):
            items = [_answered(each, path[number:]) for each in found]
            return [item for item in items if item is not None] or None
        if not isinstance(found, dict):
            return None
        found = found.get(part)
    return found


def _held(found: Any) -> Any:
    if not isinstance(found, dict):
        return None if found in (None, [], "") else found
    for name in (*HOLDERS, "AssumeRolePolicyDocument"):
        if name in found:
            return found[name]
    for name in _WRAPPERS:
        inner = found.get(name)
        inner = inner[0] if isinstance(inner, list) and inner else inner
        if isinstance(inner, dict):
            return _held(inner)
    return None
