"""Resources, or conditions, in; an error if some depend on each other in a circle, which CloudFormation refuses."""

import re
from collections.abc import Iterator
from collections.abc import Mapping as Map

from rolewatch.templates.nodes import Mapping, Node, Scalar, Sequence
from rolewatch.templates.resolver import Resource
from rolewatch.templates.source import Source

_VARIABLE = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[^{}]*)?\}")


def check_circles(source: Source, resources: Map[str, Resource]) -> None:
    """Raise TemplateError, naming the resources, if there is a circle of Ref, Fn::GetAtt, Fn::Sub and DependsOn."""
    needs = {
        name: sorted(set(_needed(resource.body)) & resources.keys()) for name, resource in resources.items()
    }
    done: set[str] = set()
    for start in needs:
        circle = _circle(start, needs, done)
        if circle:
            text = f"Circular dependency between resources: [{', '.join(circle)}]"
            raise source.error(
                text,
                resources[circle[0]].key.start,
                f"Resources.{circle[0]}",
                remedy="break the circle of Ref, GetAtt, Sub and DependsOn",
            )


def check_conditions(source: Source, conditions: Mapping) -> None:
    """Raise TemplateError, naming the conditions, if there is a circle of them, whether or not a resource has one."""
    entries = conditions.entries
    needs = {name: sorted(set(_conditions(entry.value)) & entries.keys()) for name, entry in entries.items()}
    done: set[str] = set()
    for start in needs:
        circle = _circle(start, needs, done)
        if circle:
            names = " and ".join(circle if len(circle) > 1 else circle * 2)
            text = f"Template error: Found circular condition dependency between {names}"
            first = circle[0]
            raise source.error(
                text, entries[first].key.start, f"Conditions.{first}", remedy="break the circle"
            )


def _circle(start: str, needs: Map[str, list[str]], done: set[str]) -> list[str]:
    """Walk from a resource or condition to all that it needs; those without a circle are done."""
    if start in done:
        return []
    trail = [start]
    places = {start: 0}
    waiting = [iter(needs[start])]
    while trail:
        following = next(waiting[-1], None)
        if following is None:
            name = trail.pop()
            waiting.pop()
            del places[name]
            done.add(name)
        elif following in places:
            return trail[places[following] :]
        elif following not in done:
            places[following] = len(trail)
            trail.append(following)
            waiting.append(iter(needs[following]))
    return []


def _needed(node: Node) -> Iterator[str]:
    """Name what a resource refers to."""
    if isinstance(node, Sequence):
        for item in node.items:
            yield from _needed(item)
    if not isinstance(node, Mapping):
        return
    for key, entry in node.entries.items():
        value = entry.value
        if key in ("Ref", "DependsOn", "Fn::GetAtt", "Fn::Sub"):
            yield from _named(key, value)
        yield from _needed(value)


def _conditions(node: Node) -> Iterator[str]:
    """Name the conditions that a condition refers to."""
    if isinstance(node, Sequence):
        for item in node.items:
            yield from _conditions(item)
    if isinstance(node, Mapping):
        for key, entry in node.entries.items():
            if key == "Condition" and isinstance(entry.value, Scalar):
                yield entry.value.text
            yield from _conditions(entry.value)


def _named(key: str, value: Node) -> Iterator[str]:
    first = value.items[0] if isinstance(value, Sequence) and value.items else value
    names = value.items if key == "DependsOn" and isinstance(value, Sequence) else (first,)
    for name in names:
        if not isinstance(name, Scalar):
            continue
        if key == "Fn::Sub":
            own = value.items[1] if isinstance(value, Sequence) and len(value.items) > 1 else None
            known = own.entries.keys() if isinstance(own, Mapping) else ()
            yield from (found[1] for found in _VARIABLE.finditer(name.text) if found[1] not in known)
        else:
            yield name.text.partition(".")[0] if key == "Fn::GetAtt" else name.text
