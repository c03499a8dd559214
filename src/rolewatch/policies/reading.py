"""The text of a policy in; a policy, with the place of each statement, out; or an error that names line, column and remedy.

Source: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

import json
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from rolewatch.policies.conditions import Test, test_of
from rolewatch.policies.policy import VARIABLES_SINCE, Actions, Policy, Resources, Statement
from rolewatch.policies.principals import Entry, Principals, entry_of
from rolewatch.templates import nodes
from rolewatch.templates.json_nodes import json_nodes
from rolewatch.templates.nodes import Node, Scalar, kind
from rolewatch.templates.source import Source

LARGEST: Final = 131_072  # characters; the largest that AWS takes anywhere are half of that
MOST_STATEMENTS: Final = 2000
VERSIONS: Final = ("2008-10-17", VARIABLES_SINCE)
_TOP: Final = ("Version", "Id", "Statement")
_PARTS: Final = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
_WRITTEN: Final = 'a policy of AWS is written {"Version": "2012-10-17", "Statement": […]}'
_ACTION: Final = re.compile(r"(?:\*|(?:\*|[A-Za-z0-9-]+):[A-Za-z0-9*?_-]+)\Z")
_RESOURCE: Final = re.compile(r"(?:arn:|\*|\$\{|\?)")


class _Element(NamedTuple):
    """An element of which there is a plain and a negated form."""

    node: Node | None
    negated: bool


def read_policy(text: str, name: str, *, file: str | None = None, principals: bool | None = None) -> Policy:
    """Read a policy from JSON text. `principals` says whether its statements must name principals (True) or must not (False)."""
    source = Source(file or name, text)
    if len(text) > LARGEST:
        raise source.error(
            f"a policy of {len(text):,} characters", remedy=f"AWS takes none of more than {LARGEST:,}"
        )
    if not text.strip():
        raise source.error("the policy is empty")
    return policy_of(json_nodes(source), source, name, principals=principals)


def policy_of(
    node: Node, source: Source, name: str, *, path: str = "", principals: bool | None = None
) -> Policy:
    """Read a policy from nodes; `path` says where in the file it stands."""
    if not isinstance(node, nodes.Mapping):
        raise source.error(
            f"a policy is wanted, an object with a Statement; this is {kind(node)}", node.start, path
        )
    reader = _Reader(source, principals=principals)
    if node.entries and not any(name in node.entries for name in _TOP):
        first = next(iter(node.entries.values()))
        raise source.error("this is no policy of AWS", first.key.start, path, remedy=_WRITTEN)
    reader.check_keys(node, _TOP, path, "a policy")
    version = reader.text(node, "Version", path) or VERSIONS[0]
    if version not in VERSIONS:
        at = node.entries["Version"].value.start
        raise source.error(f"Version {version!r} is none", at, path, remedy=f"write {VERSIONS[1]!r}")
    written = node.get("Statement")
    if written is None:
        raise source.error("a policy without a Statement", node.start, path, remedy=_WRITTEN)
    listed = written.items if isinstance(written, nodes.Sequence) else (written,)
    if len(listed) > MOST_STATEMENTS:
        raise source.error(f"more than {MOST_STATEMENTS:,} statements", written.start, path)
    reader.variables = version == VARIABLES_SINCE
    where = f"{path}.Statement" if path else "Statement"
    statements = tuple(
        reader.statement(each, number, f"{where}[{number - 1}]") for number, each in enumerate(listed, 1)
    )
    return Policy(name, version, statements, source.place(node.start, path), value_of(node))


def value_of(node: Node) -> Any:
    """Give what is written as JSON's values."""
    if isinstance(node, nodes.Mapping):
        return {key: value_of(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, nodes.Sequence):
        return [value_of(item) for item in node.items]
    if node.style != nodes.PLAIN:
        return node.text
    if node.is_null:
        return None
    try:
        return json.loads(node.text)
    except ValueError:
        return node.text


def texts_of(node: Node, source: Source, path: str, what: str) -> list[tuple[str, Node]]:
    """Read a text or a list of texts; numbers and booleans count as they are written, as AWS takes them."""
    items = node.items if isinstance(node, nodes.Sequence) else (node,)
    found: list[tuple[str, Node]] = []
    for item in items:
        if not isinstance(item, Scalar) or item.is_null:
            raise source.error(f"{what} is a text or a list of texts; this is {kind(item)}", item.start, path)
        found.append((item.text, item))
    return found


class _Reader:
    """Reads the parts of a policy; `variables` says whether `${…}` are variables in it."""

    def __init__(self, source: Source, *, principals: bool | None) -> None:
        self._source, self._principals = source, principals
        self.variables = False

    def statement(self, node: Node, number: int, path: str) -> Statement:
        """Read a statement."""
        source = self._source
        if not isinstance(node, nodes.Mapping):
            raise source.error(f"a statement is an object; this is {kind(node)}", node.start, path)
        self.check_keys(node, _PARTS, path, "a statement")
        effect = self.text(node, "Effect", path)
        if effect not in ("Allow", "Deny"):
            at = node.get("Effect") or node
            wrong = "a statement without an Effect" if effect is None else f"Effect {effect!r} is none"
            raise source.error(wrong, at.start, path, remedy='write "Allow" or "Deny"')
        principal = self._one_of(node, "Principal", path)
        if self._principals is not None and self._principals is (principal.node is None):
            text = (
                "a statement of a resource-based policy without Principal"
                if self._principals
                else "Principal in a policy that is attached to who asks"
            )
            raise source.error(text, (principal.node or node).start, path)
        resource = self._one_of(node, "Resource", path)
        if resource.node is None and self._principals is False:
            raise source.error("a statement without Resource or NotResource", node.start, path)
        return Statement(
            number=number,
            sid=self.text(node, "Sid", path),
            allows=effect == "Allow",
            principals=self._who(principal, path),
            actions=self._actions(self._one_of(node, "Action", path), node, path),
            resources=self._resources(resource, path),
            tests=tuple(self._tests(node, path)),
            place=source.place(node.start, path),
            raw=value_of(node),
        )

    def check_keys(self, node: nodes.Mapping, known: Sequence[str], path: str, what: str) -> None:
        """Refuse what is no element."""
        for name, entry in node.entries.items():
            if name not in known:
                close = [each for each in known if each.lower() == name.lower()]
                close = close or get_close_matches(name, known, 1, 0.7)
                remedy = f"did you mean {close[0]}?" if close else f"{what} has {', '.join(known)}"
                raise self._source.error(
                    f"{name[:100]!r} is no element of {what}", entry.key.start, path, remedy=remedy
                )

    def text(self, node: nodes.Mapping, name: str, path: str) -> str | None:
        """Read a text, if it is there."""
        found = node.get(name)
        if found is None:
            return None
        if not isinstance(found, Scalar) or found.is_null:
            raise self._source.error(f"{name} is a text; this is {kind(found)}", found.start, path)
        return found.text

    def _one_of(self, node: nodes.Mapping, name: str, path: str) -> _Element:
        plain, negated = node.get(name), node.get(f"Not{name}")
        if plain is not None and negated is not None:
            raise self._source.error(
                f"{name} and Not{name} in one statement",
                node.entries[f"Not{name}"].key.start,
                path,
                remedy="keep one of them",
            )
        return _Element(plain, negated=False) if negated is None else _Element(negated, negated=True)

    def _actions(self, element: _Element, statement: nodes.Mapping, path: str) -> Actions:
        if element.node is None:
            raise self._source.error("a statement without Action or NotAction", statement.start, path)
        found = texts_of(element.node, self._source, path, "Action")
        for text, item in found:
            if not _ACTION.match(text):
                remedy = "write it as service:Name, such as s3:GetObject, or *"
                raise self._source.error(f"{text[:100]!r} is no action", item.start, path, remedy=remedy)
        return Actions([text for text, _ in found], negated=element.negated)

    def _resources(self, element: _Element, path: str) -> Resources | None:
        if element.node is None:
            return None
        found = texts_of(element.node, self._source, path, "Resource")
        for text, item in found:
            if not _RESOURCE.match(text):
                raise self._source.error(
                    f"{text[:100]!r} is no resource", item.start, path, remedy="write an ARN, or *"
                )
        return Resources([text for text, _ in found], negated=element.negated, variables=self.variables)

    def _who(self, element: _Element, path: str) -> Principals | None:
        if element.node is None:
            return None
        return Principals(tuple(self._entries(element.node, path)), element.negated)

    def _entries(self, node: Node, path: str) -> Iterable[Entry]:
        if isinstance(node, Scalar):
            found = entry_of("*", node.text)
            if found is None:
                remedy = 'write "*", or an object such as {"AWS": "arn:…"}'
                raise self._source.error(
                    f"Principal {node.text[:100]!r} is none", node.start, path, remedy=remedy
                )
            yield found
            return
        if not isinstance(node, nodes.Mapping):
            raise self._source.error(f'Principal is "*" or an object; this is {kind(node)}', node.start, path)
        self.check_keys(node, ("AWS", "Service", "Federated", "CanonicalUser"), path, "Principal")
        for name, entry in node.entries.items():
            for text, item in texts_of(entry.value, self._source, path, f"Principal.{name}"):
                found = entry_of(name, text)
                if found is None:
                    raise self._source.error(
                        f"{text[:100]!r} is no principal of kind {name}",
                        item.start,
                        path,
                        remedy="write an account, or the ARN of a role, user or session; no part of one may be *",
                    )
                yield found

    def _tests(self, statement: nodes.Mapping, path: str) -> Iterable[Test]:
        condition = statement.get("Condition")
        if condition is None:
            return
        for operator, keys in self._entries_of(condition, "Condition is an object of operators", path):
            for key, value in self._entries_of(keys, f"{operator} is an object of keys", path):
                texts = [text for text, _ in texts_of(value, self._source, path, f"{operator} {key}")]
                yield test_of(operator, key, texts, variables=self.variables)

    def _entries_of(self, node: Node, what: str, path: str) -> Iterable[tuple[str, Node]]:
        if not isinstance(node, nodes.Mapping):
            raise self._source.error(f"{what}; this is {kind(node)}", node.start, path)
        for name, entry in node.entries.items():
            yield name, entry.value
