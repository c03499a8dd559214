"""Policies within other files: as text in a string, or below a key of what an API returned."""

from typing import Final

from rolewatch.explain.folder import HOLDERS
from rolewatch.policies.policy import Policy
from rolewatch.policies.reading import read_policy
from rolewatch.templates.errors import TemplateError
from rolewatch.templates.nodes import Mapping, Node, Scalar, Sequence
from rolewatch.templates.source import Source

_HOLDERS: Final = (*HOLDERS, "PolicyInJson", "AccessPolicies")
_OUTER: Final = ("Attributes", "VpcEndpoints", "DomainConfig")


def policy_node(root: Mapping) -> tuple[Mapping | Scalar, str]:
    """Find the policy in a file: the whole, or what stands below a key of an answer of an API; with its path."""
    if "Statement" in root.entries:
        return root, ""
    for outer in ("", *_OUTER):
        node: Node | None = root.get(outer) if outer else root
        if isinstance(node, Sequence) and node.items:
            node = node.items[0]
        if not isinstance(node, Mapping):
            continue
        for name in _HOLDERS:
            held = node.get(name)
            if isinstance(held, (Mapping, Scalar)) and not (isinstance(held, Scalar) and held.is_null):
                return held, f"{outer}.{name}" if outer else name
    return root, ""


def policy_within(
    node: Scalar, source: Source, path: str, name: str, *, principals: bool | None = None
) -> Policy:
    """Read a policy that is the text of a string; its statements are where the string begins, TemplateError likewise."""
    try:
        policy = read_policy(node.text, name, file=source.name, principals=principals)
    except TemplateError as error:
        at = f" (line {error.place.line}, column {error.place.column} of the policy's text)"
        raise source.error(f"{error.text}{at}", node.start, path, remedy=error.remedy) from None
    return moved(policy, node, source, path)


def moved(policy: Policy, node: Scalar, source: Source, path: str) -> Policy:
    """Say of a policy's statements that they are where the string begins that holds them."""
    statements = tuple(
        each._replace(place=source.place(node.start, f"{path}.Statement[{each.number - 1}]"))
        for each in policy.statements
    )
    return policy._replace(statements=statements, place=source.place(node.start, path))


def at_path(node: Node | None, path: str) -> list[tuple[Node, str]]:
    """List what is at a path such as `a.b`, of each item of a list on the way, with the place that it has there."""
    found: list[tuple[Node, str]] = [(node, "")] if node is not None else []
    for step in path.split(".") if path else ():
        following: list[tuple[Node, str]] = []
        for each, where in found:
            items = (
                [(item, f"{where}[{number}]") for number, item in enumerate(each.items)]
                if isinstance(each, Sequence)
                else [(each, where)]
            )
            for item, at in items:
                inner = item.get(step) if isinstance(item, Mapping) else None
                if inner is not None:
                    following.append((inner, f"{at}.{step}" if at else step))
        found = following
    return found
