"""A Terraform plan, as `terraform show -json` prints it, in; the resource-based policies that it would set out.

A policy that is known only after apply is told, not guessed. Source: HashiCorp, "JSON output format", planned values and resource changes.
"""

from collections.abc import Iterator
from typing import Final

from rolewatch.catalog.naming import Place as Where
from rolewatch.catalog.policy_kinds import PolicyKind, Written, written_as
from rolewatch.explain.checked_read import Read, Unread, found_resource
from rolewatch.explain.checked_template import arn_of
from rolewatch.explain.checked_text import at_path, policy_within
from rolewatch.explain.lockout_found import Subject
from rolewatch.explain.lockout_owners import NOBODY, Given
from rolewatch.explain.lockout_parts import PLAN, REGION, kind_in
from rolewatch.policies.policy import Policy
from rolewatch.policies.reading import policy_of
from rolewatch.templates.document import Document
from rolewatch.templates.errors import TemplateError
from rolewatch.templates.nodes import Mapping, Node, Scalar, Sequence
from rolewatch.templates.source import Source

_CALLER: Final = "aws_caller_identity"  # a data source: the account that Terraform works in
_DEEPEST: Final = 50  # modules in modules
_UNKNOWN: Final = "its policy is known only after apply, so it was not checked"


def read_plan(document: Document, given: Given) -> Read:
    """Read all policies of a plan."""
    root, source = document.root, document.source
    if not given.account:
        account = _account(root)
        if account:
            given = given._replace(account=account, account_from=f"{_CALLER} of the plan")
    later = _known_later(root)
    subjects: list[Subject] = []
    unread: list[Unread] = []
    for resource, values, path in _planned(root):
        address = _text(resource, "address")
        rows = written_as(_text(resource, "type"))
        for written_policy in dict.fromkeys(each.policy for _, each in rows if each.form == "policy"):
            own = [(kind, each) for kind, each in rows if each.policy == written_policy]
            found = [(node, at) for node, at in at_path(values, written_policy) if not _is_null(node)]
            if not found and later.get(address) is not None:
                unknown = [node for node, _ in at_path(later[address], written_policy)]
                if any(isinstance(node, Scalar) and node.text == "true" for node in unknown):
                    where = f"{source.place(resource.start)} ({address})"
                    unread.append(Unread(where, _UNKNOWN))
            for node, at in found:
                try:
                    policy = _policy(node, source, f"{path}.{at}", address)
                    subjects.append(_subject(policy, own, values, address, given))
                except TemplateError as error:
                    unread.append(Unread(f"{error.place} ({address})", error.text, invalid=True))
    return Read(tuple(subjects), tuple(unread), given)


def _planned(root: Mapping) -> Iterator[tuple[Mapping, Node | None, str]]:
    """Yield each resource with its values as planned, and where they stand; without planned values, as changes say."""
    module = _at(root, "planned_values", "root_module")
    if module is not None:
        for resource, path in _modules(module, "planned_values.root_module", 0):
            yield resource, resource.get("values"), f"{path}.values"
        return
    listed = root.get("resource_changes")
    for number, item in enumerate(listed.items if isinstance(listed, Sequence) else ()):
        if isinstance(item, Mapping):
            yield item, _at(item, "change", "after"), f"resource_changes[{number}].change.after"


def _policy(node: Node, source: Source, path: str, address: str) -> Policy:
    if isinstance(node, Scalar):
        return policy_within(node, source, path, address, principals=True)
    return policy_of(node, source, address, path=path, principals=True)


def _subject(
    policy: Policy, rows: list[tuple[PolicyKind, Written]], values: Node | None, address: str, given: Given
) -> Subject:
    """Say which resource a policy is of: as its Resource elements say, else as the plan names it, else a placeholder."""
    kind, written = rows[0]
    wanted = kind_in(policy)
    if wanted:
        kind, written = next(((each, row) for each, row in rows if each is wanted), (kind, written))
    found = found_resource(policy, given, kind) or (kind, "", "")
    if found[2].startswith("the policy"):
        return Subject(policy, *found, address)
    named = [node for node, _ in at_path(values, written.resource)] if written.resource else []
    where = Where(found[1].split(":")[1], REGION, given.account or NOBODY)
    if named and isinstance(named[0], Scalar) and not named[0].is_null:
        arn = arn_of(kind, named[0].text, where)
        if arn:
            return Subject(policy, kind, arn, PLAN, address)
    return Subject(policy, *found, address)


def _modules(module: Node | None, path: str, depth: int) -> Iterator[tuple[Mapping, str]]:
    """Yield the resources of a module and of those in it, with their place."""
    if not isinstance(module, Mapping) or depth > _DEEPEST:
        return
    for name in ("resources", "child_modules"):
        listed = module.get(name)
        for number, item in enumerate(listed.items if isinstance(listed, Sequence) else ()):
            at = f"{path}.{name}[{number}]"
            if name == "child_modules":
                yield from _modules(item, at, depth + 1)
            elif isinstance(item, Mapping):
                yield item, at


def _known_later(root: Mapping) -> dict[str, Node]:
    """Give what is known only after apply, by address."""
    listed = root.get("resource_changes")
    found: dict[str, Node] = {}
    for item in listed.items if isinstance(listed, Sequence) else ():
        unknown = _at(item, "change", "after_unknown")
        if isinstance(item, Mapping) and unknown is not None:
            found[_text(item, "address")] = unknown
    return found


def _account(root: Mapping) -> str:
    """Give the account that a plan was made in, "" where it did not ask."""
    for module in (
        _at(root, "prior_state", "values", "root_module"),
        _at(root, "planned_values", "root_module"),
    ):
        for resource, _ in _modules(module, "", 0):
            if _text(resource, "type") == _CALLER:
                values = resource.get("values")
                return _text(values, "account_id") if isinstance(values, Mapping) else ""
    return ""


def _at(node: Node | None, *path: str) -> Node | None:
    for step in path:
        node = node.get(step) if isinstance(node, Mapping) else None
    return node


def _text(node: Mapping, key: str) -> str:
    found = node.get(key)
    return found.text if isinstance(found, Scalar) and not found.is_null else ""


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and (node.is_null or not node.text.strip())
