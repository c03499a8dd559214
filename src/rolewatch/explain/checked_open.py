"""A policy in which some values cannot be told in; a policy whose statements are never certain where they hang on these, out.

An account that an Allow hands on to, and an organisation that a condition asks for, are taken for the resource owner's.

A value that cannot be told is a text with a mark in it (`mark`). What holds whatever it is stays as it is: a statement about other
actions, a condition that does not hold. The rest hangs on it, and the value's name is listed among what is missing.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from rolewatch.explain.lockout_owners import NOBODY, OPEN_ORGANIZATION, ORGANIZATION_KEYS
from rolewatch.policies.conditions import Held, Test, test_of
from rolewatch.policies.policy import Policy, Statement
from rolewatch.policies.reading import policy_of
from rolewatch.policies.request import Context
from rolewatch.policies.truth import Truth
from rolewatch.templates import nodes
from rolewatch.templates.nodes import Entry, Node, Scalar
from rolewatch.templates.source import Source

#: Characters of the private use area, which no template writes.
_PLACE_OF_ACCOUNT: Final = 4  # in an ARN
_OPEN, _CLOSE = "\ue0f0", "\ue0f1"
_Write = Callable[[str], str]
_MARK: Final = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")
#: Principals that are no service-linked role, by their kind.
_SOMEBODY: Final = {
    "Service": "example.amazonaws.com",
    "Federated": "accounts.google.com",
    "CanonicalUser": "0" * 64,
}
#: What matches no service-linked role, action or resource: a negated element then speaks of all of them.
_NOTHING: Final = {
    "NotPrincipal": "arn:aws:iam::000000000000:root",
    "NotAction": "none:None",
    "NotResource": "arn:aws:none:::none",
}
_ACCOUNT: Final = re.compile(f"(arn:aws[a-z-]*:iam::){_OPEN}[0-9]+{_CLOSE}(:root)")
_ELEMENTS: Final = ("Principal", "NotPrincipal", "Action", "NotAction", "NotResource")


class Marks:
    """The values that cannot be told, by the number in their mark."""

    def __init__(self) -> None:
        self._names: list[str] = []

    def mark(self, name: str) -> str:
        """Make the text that stands for a value; `name` says which, for people."""
        self._names.append(name)
        return f"{_OPEN}{len(self._names) - 1}{_CLOSE}"

    def names(self, node: Node | None) -> list[str]:
        """List the names of the values that cannot be told in a node."""
        return list(dict.fromkeys(self._in(node))) if node is not None else []

    def shown(self, text: str) -> str:
        """Write a text with names instead of marks."""
        return _MARK.sub(lambda found: f"({self._names[int(found[1])]})", text)

    def _in(self, node: Node) -> Iterator[str]:
        if isinstance(node, Scalar):
            yield from (self._names[int(found[1])] for found in _MARK.finditer(node.text))
            return
        for inner in node.items if isinstance(node, nodes.Sequence) else _values(node):
            yield from self._in(inner)


class Opened(NamedTuple):
    """A policy, and what of it could not be read at all: statements whose existence or effect cannot be told."""

    policy: Policy | None
    left_out: tuple[str, ...]


def open_policy(node: Node, source: Source, where: tuple[str, str], marks: Marks, resource: str) -> Opened:
    """Read a policy; None if it cannot be told as a whole. `where` is its name and path.

    `resource` is written where the beginning of an ARN is missing.
    """
    name, path = where
    if not marks.names(node) or not isinstance(node, nodes.Mapping):
        whole = marks.names(node) if isinstance(node, Scalar) else []
        if whole:
            return Opened(None, tuple(whole))
        return Opened(policy_of(node, source, name, path=path, principals=True), ())
    written = node.get("Statement")
    listed = written.items if isinstance(written, nodes.Sequence) else (written,) if written else ()
    kept, left_out = [], []
    for statement in listed:
        unreadable = marks.names(statement) if isinstance(statement, Scalar) else []
        if isinstance(statement, nodes.Mapping):
            unreadable = marks.names(statement.get("Effect"))
        if unreadable:
            left_out += unreadable
        else:
            kept.append(_own_account(statement, resource))
    start = written.start if written else node.start
    closed = nodes.Sequence(tuple(_closed(each, marks, resource) for each in kept), start)
    whole_node = _with(node, "Statement", closed)
    policy = policy_of(whole_node, source, name, path=path, principals=True)
    statements = tuple(
        _doubtful(statement, written, marks)
        for statement, written in zip(policy.statements, kept, strict=True)
    )
    return Opened(policy._replace(statements=statements), tuple(dict.fromkeys(left_out)))


def _own_account(statement: Node, resource: str) -> Node:
    """Take an account that an Allow hands on to, and that cannot be told, for the resource's own."""
    effect = statement.get("Effect") if isinstance(statement, nodes.Mapping) else None
    principal = statement.get("Principal") if isinstance(statement, nodes.Mapping) else None
    if not isinstance(statement, nodes.Mapping) or not isinstance(principal, nodes.Mapping):
        return statement
    entry = principal.entries.get("AWS")
    if entry is None or not isinstance(effect, Scalar) or effect.text != "Allow":
        return statement
    account = resource.split(":")[_PLACE_OF_ACCOUNT] or NOBODY
    own = _replaced(entry.value, lambda text: _ACCOUNT.sub(rf"\g<1>{account}\g<2>", text))
    return _with(statement, "Principal", _with(principal, "AWS", own))


def _closed(statement: Node, marks: Marks, resource: str) -> Node:
    """Write valid values where marks are, so that the statement can be read."""
    if not isinstance(statement, nodes.Mapping):
        return statement
    found = statement
    for element in statement.entries:
        value = statement.entries[element].value
        if not marks.names(value):
            continue
        if element == "Principal":
            found = _with(found, element, _anybody(value))
        elif element in _NOTHING:
            found = _with(found, element, _replaced(value, _always(_NOTHING[element])))
        elif element == "Action":
            found = _with(found, element, _replaced(value, _always("*")))
        elif element == "Resource":
            found = _with(found, element, _replaced(value, lambda text: _whole_arn(text, resource)))
        elif element != "Condition":
            found = _with(found, element, _replaced(value, marks.shown))
    return found


def _always(text: str) -> _Write:
    """Write the same text, whatever was there."""

    def write(old: str) -> str:
        del old
        return text

    return write


def _anybody(value: Node) -> Node:
    """Name everybody where a principal cannot be told; services and federated identities stay of their kind."""
    if not isinstance(value, nodes.Mapping):
        return _replaced(value, _always("*"))
    found = value
    for kind, entry in value.entries.items():
        found = _with(found, kind, _replaced(entry.value, _always(_SOMEBODY.get(kind, "*"))))
    return found


def _whole_arn(text: str, resource: str) -> str:
    """Complete an ARN: its beginning with the resource's, a name in it with one that is none."""
    first = _MARK.match(text)
    if first:
        text = resource + text[first.end() :]
    return _MARK.sub("example", text)


def _replaced(node: Node, write: _Write) -> Node:
    if isinstance(node, nodes.Sequence):
        return nodes.Sequence(tuple(_replaced(item, write) for item in node.items), node.start)
    if isinstance(node, nodes.Mapping):
        changed = {
            key: Entry(entry.key, _replaced(entry.value, write)) for key, entry in node.entries.items()
        }
        return nodes.Mapping(changed, node.start)
    if isinstance(node, Scalar) and _MARK.search(node.text):
        return node._replace(text=write(node.text))
    return node


def _with(node: nodes.Mapping, key: str, value: Node) -> nodes.Mapping:
    return nodes.Mapping({**node.entries, key: Entry(node.entries[key].key, value)}, node.start)


def _values(node: nodes.Mapping) -> Iterator[Node]:
    for entry in node.entries.values():
        yield entry.value


def _doubtful(statement: Statement, written: Node, marks: Marks) -> Statement:
    """Let a statement hang on the values that cannot be told."""
    if not isinstance(written, nodes.Mapping) or not marks.names(written):
        return statement
    tests = tuple(_open_test(test, marks) for test in statement.tests)
    names = [name for element in _ELEMENTS for name in marks.names(written.get(element))]
    if names:
        tests = (*tests, _unknown("", names[0], (), names))
    return statement._replace(tests=tests)


def _open_test(test: Test, marks: Marks) -> Test:
    names = [name for value in test.values for name in marks.names(Scalar(value, 0, 0, nodes.GIVEN))]
    if not names:
        return test
    if test.key.lower() in ORGANIZATION_KEYS:
        return _own_organization(test, names)
    return _unknown(test.operator, test.key, tuple(map(marks.shown, test.values)), names)


def _own_organization(test: Test, names: list[str]) -> Test:
    """Take an organisation that cannot be told for that of the resource's account, as one that is written out is taken."""
    values = tuple(_MARK.sub(OPEN_ORGANIZATION, value) for value in test.values)
    own = test_of(test.operator, test.key, values, variables=False)
    unknown = Held(Truth.UNKNOWN, tuple(dict.fromkeys(names)))

    def decide(context: Context) -> Held:
        return own.decide(context) if context.of("aws:principalorgid") == (OPEN_ORGANIZATION,) else unknown

    return Test(test.operator, test.key, values, decide)


def _unknown(operator: str, key: str, values: tuple[str, ...], names: list[str]) -> Test:
    held = Held(Truth.UNKNOWN, tuple(dict.fromkeys(names)))

    def decide(context: Context) -> Held:
        del context
        return held

    return Test(operator, key, values, decide)
