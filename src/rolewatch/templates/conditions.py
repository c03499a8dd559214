"""The functions of conditions: what stands under `Conditions` in, true or false out."""

from rolewatch.templates.nodes import Mapping, Node, Scalar, Sequence, kind
from rolewatch.templates.resolver import Resolver

_MOST = 10  # conditions of Fn::And and Fn::Or
_KNOWN = "Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition"


def decide(resolver: Resolver, node: Node, path: str) -> bool:
    """Decide a condition; TemplateError for what is none."""
    if not isinstance(node, Mapping) or len(node.entries) != 1:
        raise resolver.error(f"a condition is one of {_KNOWN}, this is {kind(node)}", node.start, path)
    name, entry = next(iter(node.entries.items()))
    argument = entry.value
    if name == "Condition":
        if not isinstance(argument, Scalar):
            raise resolver.error(
                f"Condition takes a condition's name, this is {kind(argument)}", argument.start, path
            )
        return resolver.condition(argument.text, argument.start, path)
    counts = _COUNTS.get(name)
    if counts is None:
        raise resolver.error(f"Template error: {name} is none of {_KNOWN}", node.start, path)
    least, most = counts
    if not isinstance(argument, Sequence) or not least <= len(argument.items) <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        raise resolver.error(f"Template error: {name} takes a list of {wanted}", argument.start, path)
    if name == "Fn::Equals":
        first, second = (_plain(resolver.resolve(item, path)) for item in argument.items)
        return first == second
    held = (decide(resolver, item, path) for item in argument.items)
    if name == "Fn::Not":
        return not next(held)
    return all(held) if name == "Fn::And" else any(held)


_COUNTS = {"Fn::Equals": (2, 2), "Fn::Not": (1, 1), "Fn::And": (2, _MOST), "Fn::Or": (2, _MOST)}


def _plain(node: Node | None) -> object:
    """Give what a node says, without its place."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    return None if node is None else {name: _plain(entry.value) for name, entry in node.entries.items()}
