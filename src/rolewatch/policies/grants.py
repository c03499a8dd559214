"""Grants of a KMS key in, as `aws kms list-grants` returns them; whether one allows a request, out.

Sources: KMS Developer Guide, "Grants in AWS KMS"; KMS API Reference, GrantListEntry and GrantConstraints: constraints bind only what has an
encryption context, their keys are compared in any case, their values exactly.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from rolewatch.policies.principals import Level, entry_of
from rolewatch.policies.request import Context, Kind, Request, Unsure, principal_of
from rolewatch.policies.truth import Truth
from rolewatch.policies.wildcards import like
from rolewatch.templates import nodes
from rolewatch.templates.definitions import Place
from rolewatch.templates.nodes import Node, Scalar, kind
from rolewatch.templates.source import Source

_CONTEXT: Final = "kms:encryptioncontext:"
_KEYS: Final = "kms:encryptioncontextkeys"
_EQUALS, _SUBSET = "EncryptionContextEquals", "EncryptionContextSubset"
#: Operations that take an encryption context; a grant's constraint says nothing of others.
_WITH_CONTEXT: Final = frozenset({
    "decrypt", "encrypt", "generatedatakey", "generatedatakeywithoutplaintext", "generatedatakeypair",
    "generatedatakeypairwithoutplaintext", "reencryptfrom", "reencryptto",
})  # fmt: skip
_CREATE: Final = "creategrant"
_GRANTEES: Final = ("GranteePrincipal", "GranteeServicePrincipal")
_CONSTRAINTS: Final = (_EQUALS, _SUBSET, "SourceArn")


class Granted(NamedTuple):
    """Whether a grant allows a request, how closely it names who asks, and what that hangs on; `why` in words where it does not."""

    truth: Truth
    level: Level = Level.NOBODY
    missing: tuple[str, ...] = ()
    why: str = ""


class Grant(NamedTuple):
    """One grant. `operations` in lower case; `constraint` by key in lower case, `exact` if nothing may be beside; `key` "" for any."""

    name: str
    kind: str
    grantee: str
    operations: frozenset[str]
    constraint: Mapping[str, str]
    exact: bool
    key: str
    source_arn: str
    place: Place

    def allows(self, request: Request) -> Granted:
        """Hold a request against it."""
        prefix, _, operation = request.action.lower().partition(":")
        if prefix != "kms" or operation not in self.operations:
            return Granted(Truth.NO, why=f"it does not grant {request.action}")
        if self.key and not like(f"*{self.key}")(request.resource):
            return Granted(Truth.NO, why=f"it is for the key {self.key}")
        entry = entry_of(self.kind, self.grantee)
        if entry is None:  # an identifier of something deleted, or a kind of principal that is not known
            return Granted(Truth.NO, why=f"{self.grantee} is nobody")
        truth, level, hangs_on, _ = entry.match(request.principal)
        if truth is Truth.NO:
            return Granted(truth, why=f"it is for {self.grantee}")
        missing = [hangs_on] if truth is Truth.UNKNOWN else []
        for holds, key in (*self._bound(operation, request.context), *self._sourced(request.context)):
            if holds is Truth.NO:
                return Granted(Truth.NO, why=f"its constraint does not hold: {key}")
            if holds is Truth.UNKNOWN:
                missing.append(key)
            truth = min(truth, holds)
        return Granted(truth, level, tuple(missing))

    def _bound(self, operation: str, context: Context) -> Iterator[tuple[Truth, str]]:
        if not self.constraint or operation not in (*_WITH_CONTEXT, _CREATE):
            return
        if operation == _CREATE:  # what it creates has to be as strict; that is no context key
            yield Truth.UNKNOWN, "the constraint of the grant that is created"
            return
        for key, wanted in self.constraint.items():
            yield _is(context, f"{_CONTEXT}{key}", wanted)
        if self.exact:
            yield _nothing_beside(context, self.constraint)

    def _sourced(self, context: Context) -> Iterator[tuple[Truth, str]]:
        if self.source_arn:
            yield _is(context, "aws:sourcearn", self.source_arn, like)


def grant_why(granted: Granted) -> str:
    """Say in words why a grant allows a request, does not, or hangs on something."""
    if granted.truth is Truth.UNKNOWN:
        return f"hangs on {', '.join(dict.fromkeys(granted.missing))}"
    return granted.why or "it allows this"


def _is(
    context: Context, key: str, wanted: str, test: Callable[[str], Callable[[str], bool]] | None = None
) -> tuple[Truth, str]:
    value = context.of(key)
    if isinstance(value, Unsure):
        return Truth.UNKNOWN, key
    matches = test(wanted) if test else wanted.__eq__
    return Truth.of(value is not None and any(map(matches, value))), key


def _nothing_beside(context: Context, constraint: Mapping[str, str]) -> tuple[Truth, str]:
    """Say whether the request's encryption context has no key but these."""
    value = context.of(_KEYS)
    if isinstance(value, Unsure):
        return Truth.UNKNOWN, _KEYS
    given = {key.removeprefix(_CONTEXT) for key in context.known if key.startswith(_CONTEXT)}
    given |= {key.lower() for key in value or ()}
    return Truth.of(given <= set(constraint)), _KEYS


def read_grants(node: Node, source: Source, path: str) -> Sequence[Grant]:
    """Read a list of grants, or the object with `Grants` that AWS returns; TemplateError with the place of what is wrong."""
    if isinstance(node, nodes.Mapping):
        listed = node.get("Grants")
        if listed is None:
            raise source.error("an object without Grants", node.start, path, remedy='write {"Grants": […]}')
        node, path = listed, f"{path}.Grants"
    if not isinstance(node, nodes.Sequence):
        raise source.error(f"{path} is a list of grants; this is {kind(node)}", node.start, path)
    return [_grant(item, source, f"{path}[{number}]") for number, item in enumerate(node.items)]


def _grant(node: Node, source: Source, path: str) -> Grant:
    found = _object(node, source, path, "a grant")
    grantee = next((name for name in _GRANTEES if found.get(name) is not None), None)
    operations = found.get("Operations")
    if grantee is None or not isinstance(operations, nodes.Sequence):
        wanted = "Operations, a list" if grantee else " or ".join(_GRANTEES)
        raise source.error(f"a grant without {wanted}", found.start, path)
    constraint, exact, source_arn = _constraints(found, source, path)
    key = _text(found.get("KeyId"), source, path, "KeyId")
    word = _text(found.get(grantee), source, path, grantee)
    who = principal_of(word)
    return Grant(
        name=_text(found.get("Name"), source, path, "Name")
        or _text(found.get("GrantId"), source, path, "GrantId")
        or path,
        # When the grantee is a service, GranteePrincipal holds that, says the API Reference of GrantListEntry.
        kind="Service" if who and who.kind is Kind.SERVICE else "AWS",
        grantee=word,
        operations=frozenset(_text(item, source, path, "an operation").lower() for item in operations.items),
        constraint=constraint,
        exact=exact,
        key=key if key.startswith("arn:") or not key else f":key/{key}",
        source_arn=source_arn,
        place=source.place(found.start, path),
    )


def _constraints(grant: nodes.Mapping, source: Source, path: str) -> tuple[dict[str, str], bool, str]:
    written = grant.get("Constraints")
    if written is None:
        return {}, False, ""
    path = f"{path}.Constraints"
    found = _object(written, source, path, "Constraints", _CONSTRAINTS)
    pairs: dict[str, str] = {}
    for name in (_EQUALS, _SUBSET):
        value = found.get(name)
        if value is not None:
            for key, entry in _object(value, source, path, name).entries.items():
                pairs[key.lower()] = _text(entry.value, source, path, key)
    return pairs, found.get(_EQUALS) is not None, _text(found.get("SourceArn"), source, path, "SourceArn")


def _object(
    node: Node, source: Source, path: str, what: str, known: Sequence[str] | None = None
) -> nodes.Mapping:
    if not isinstance(node, nodes.Mapping):
        raise source.error(f"{what} is an object; this is {kind(node)}", node.start, path)
    for name, entry in node.entries.items():
        if known is not None and name not in known:
            raise source.error(
                f"{name[:100]!r} is no part of {what}",
                entry.key.start,
                path,
                remedy=f"it has {', '.join(known)}",
            )
    return node


def _text(node: Node | None, source: Source, path: str, what: str) -> str:
    if node is None:
        return ""
    if not isinstance(node, Scalar) or node.is_null:
        raise source.error(f"{what} is a text; this is {kind(node)}", node.start, path)
    return node.text
