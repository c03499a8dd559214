"""CloudFormation's intrinsic functions: a call in, the node that it gives out. `Ref` is in resolver.py.

Source: CloudFormation's intrinsic function reference; messages are the service's where they are known.
"""

import base64
import ipaddress
import re
from collections.abc import Callable

from rolewatch.templates.nodes import GIVEN, Mapping, Node, Scalar, Sequence, kind
from rolewatch.templates.numerals import whole
from rolewatch.templates.resolver import LONGEST, Call, Resolver

_VARIABLE = re.compile(r"\$\{(!?)([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z0-9_.:]+")
_ZONES = "abc"
_MOST_SUBNETS = 256


def _arguments(resolver: Resolver, call: Call, counts: tuple[int, ...]) -> tuple[Node, ...]:
    """Take a list of as many arguments as the function has."""
    argument = call.argument
    if not isinstance(argument, Sequence) or len(argument.items) not in counts:
        wanted = " or ".join(map(str, counts))
        this = f"{len(argument.items)}" if isinstance(argument, Sequence) else kind(argument)
        raise resolver.error(
            f"Template error: {call.name} takes a list of {wanted} arguments, this is {this}",
            argument.start,
            call.path,
        )
    return argument.items


def _texts(resolver: Resolver, call: Call, node: Node) -> list[Scalar]:
    """Resolve an argument that has to be a list of texts."""
    found = resolver.resolve(node, call.path)
    if not isinstance(found, Sequence):
        what = "AWS::NoValue" if found is None else kind(found)
        raise resolver.error(
            f"Template error: {call.name} takes a list here, this is {what}", node.start, call.path
        )
    for item in found.items:
        if not isinstance(item, Scalar):
            raise resolver.error(
                f"Template error: {call.name} takes a list of texts, this is {kind(item)}",
                item.start,
                call.path,
            )
    return [item for item in found.items if isinstance(item, Scalar)]


def _sub(resolver: Resolver, call: Call) -> Node:
    variables = Mapping({}, call.start)
    template = call.argument
    if isinstance(template, Sequence):
        template, given = _arguments(resolver, call, (2,))
        if not isinstance(given, Mapping):
            raise resolver.error(
                f"Template error: {call.name} takes a mapping of variables, this is {kind(given)}",
                given.start,
                call.path,
            )
        variables = given
    if not isinstance(template, Scalar) or template.is_null:
        raise resolver.error(
            f"Template error: {call.name} takes a text, this is {kind(template)}", template.start, call.path
        )
    pieces: list[str] = []
    length, at, secret = 0, 0, False
    for found in _VARIABLE.finditer(template.text):
        pieces.append(template.text[at : found.start()])
        at = found.end()
        if found[1]:
            pieces.append(f"${{{found[2]}}}")
        else:
            value = _variable(resolver, call, variables, found[2].strip())
            secret = secret or value.secret
            pieces.append(value.text)
        length += len(pieces[-1]) + len(pieces[-2])
        if length > LONGEST:
            break
    text = "".join([*pieces, template.text[at:]])
    resolver.made(text, call)  # is it too long?
    return template._replace(
        text=text, secret=secret
    )  # keeps its place: what is before the first variable stands there


def _variable(resolver: Resolver, call: Call, variables: Mapping, name: str) -> Scalar:
    node = variables.get(name)
    if node is not None:
        return resolver.text(call, node)
    if not _NAME.fullmatch(name):
        text = "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons"
        raise resolver.error(
            f"{text}: {name!r}", call.start, call.path, remedy="write ${!name} for a dollar sign and braces"
        )
    if "." in name:
        resource, _, attribute = name.partition(".")
        return resolver.attribute(resource, attribute, call)
    found = resolver.ref(name, call)
    if isinstance(found, Sequence) and all(isinstance(item, Scalar) for item in found.items):
        items = [item for item in found.items if isinstance(item, Scalar)]
        return resolver.made(",".join(item.text for item in items), call, tuple(items))
    if not isinstance(found, Scalar):
        raise resolver.error(
            f"Template error: {name} is no text that {call.name} could use", call.start, call.path
        )
    return found


def _get_att(resolver: Resolver, call: Call) -> Node:
    argument = call.argument
    if isinstance(argument, Scalar):
        resource, dot, attribute = argument.text.partition(".")
        if not dot or not attribute:
            raise resolver.error(
                "Template error: Fn::GetAtt takes Resource.Attribute", argument.start, call.path
            )
        return resolver.attribute(resource, attribute, call)
    resource_node, attribute_node = _arguments(resolver, call, (2,))
    return resolver.attribute(
        resolver.literal(call, resource_node), resolver.text(call, attribute_node).text, call
    )


def _join(resolver: Resolver, call: Call) -> Node:
    delimiter_node, list_node = _arguments(resolver, call, (2,))
    delimiter = resolver.text(call, delimiter_node)
    parts = _texts(resolver, call, list_node)
    if sum(len(part.text) + len(delimiter.text) for part in parts) > LONGEST:
        raise resolver.error(
            f"Fn::Join makes a text of more than {LONGEST:,} characters", call.start, call.path
        )
    return resolver.made(delimiter.text.join(part.text for part in parts), call, (delimiter, *parts))


def _if(resolver: Resolver, call: Call) -> Node | None:
    name, true, false = _arguments(resolver, call, (3,))
    holds = resolver.condition(resolver.literal(call, name), name.start, call.path)
    return resolver.resolve(true if holds else false, call.path)


def _find_in_map(resolver: Resolver, call: Call) -> Node | None:
    arguments = _arguments(resolver, call, (3, 4))
    keys = [resolver.text(call, node).text for node in arguments[:3]]
    found: Node | None = resolver.mappings
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    if found is not None:
        return _literal(resolver, call, found)
    otherwise = (
        arguments[3].get("DefaultValue")
        if len(arguments) == 4 and isinstance(arguments[3], Mapping)
        else None
    )
    if otherwise is not None:
        return resolver.resolve(otherwise, call.path)
    raise resolver.error(
        f"Template error: Unable to get mapping for {'::'.join(keys)}", call.start, call.path
    )


def _literal(resolver: Resolver, call: Call, found: Node) -> Node:
    """Take what a mapping holds; functions are not allowed there, so nothing is resolved, and nothing goes in circles."""
    parts = found.items if isinstance(found, Sequence) else (found,)
    if not all(isinstance(part, Scalar) and not part.is_null for part in parts):
        raise resolver.error(
            "Template format error: every Mappings attribute must be a String or a List",
            found.start,
            call.path,
        )
    return resolver.copied(found, call)


def _select(resolver: Resolver, call: Call) -> Node:
    index_node, list_node = _arguments(resolver, call, (2,))
    index = resolver.text(call, index_node)
    items = _texts(resolver, call, list_node)
    place = whole(index.text)
    if place is None or not 0 <= place < len(items):
        raise resolver.error(
            f"Template error: Fn::Select cannot select nonexistent value at index {index.shown}",
            call.start,
            call.path,
        )
    return items[place]


def _split(resolver: Resolver, call: Call) -> Node:
    delimiter_node, text_node = _arguments(resolver, call, (2,))
    delimiter, text = resolver.text(call, delimiter_node), resolver.text(call, text_node)
    if not delimiter.text:
        raise resolver.error(
            "Template error: Fn::Split takes a delimiter that is not empty", call.start, call.path
        )
    pieces = text.text.split(delimiter.text)
    return Sequence(tuple(resolver.made(piece, call, (text, delimiter)) for piece in pieces), call.start)


def _import_value(resolver: Resolver, call: Call) -> Node:
    name = resolver.text(call, call.argument)
    value = resolver.imports.get(name.text)
    if value is None:
        raise resolver.error(
            f"No export named {name.shown} found",
            call.start,
            call.path,
            remedy=f"give --import {name.shown}=VALUE",
        )
    return resolver.made(value, call)


def _base64(resolver: Resolver, call: Call) -> Node:
    text = resolver.text(call, call.argument)
    return resolver.made(base64.b64encode(text.text.encode("utf-8", "replace")).decode(), call, (text,))


def _get_azs(resolver: Resolver, call: Call) -> Node:
    region = resolver.text(call, call.argument).text or resolver.world.region
    return Sequence(tuple(resolver.made(f"{region}{zone}", call) for zone in _ZONES), call.start)


def _cidr(resolver: Resolver, call: Call) -> Node:
    arguments = [resolver.text(call, node) for node in _arguments(resolver, call, (2, 3))]
    count, bits = whole(arguments[1].text), whole(arguments[2].text) if len(arguments) == 3 else 8
    try:
        block = ipaddress.ip_network(arguments[0].text, strict=False)
    except ValueError as error:
        raise resolver.error(f"Template error: Fn::Cidr: {error}", call.start, call.path) from None
    most = (
        min(_MOST_SUBNETS, block.num_addresses >> bits)
        if bits is not None and 1 <= bits <= block.max_prefixlen
        else 0
    )
    if count is None or bits is None or not 1 <= count <= most:
        text = f"Template error: Fn::Cidr: {block} has {most} blocks of that size"
        raise resolver.error(text, call.start, call.path)
    first, kind_ = int(block.network_address), type(block.network_address)
    blocks = [f"{kind_(first + (number << bits))}/{block.max_prefixlen - bits}" for number in range(count)]
    return Sequence(tuple(resolver.made(text, call) for text in blocks), call.start)


def _length(resolver: Resolver, call: Call) -> Node:
    found = resolver.resolve(call.argument, call.path)
    if not isinstance(found, Sequence):
        raise resolver.error("Template error: Fn::Length takes a list", call.argument.start, call.path)
    return Scalar(str(len(found.items)), call.start, call.start, GIVEN)


FUNCTIONS: dict[str, Callable[[Resolver, Call], Node | None]] = {
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": _get_azs,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Length": _length,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
}
