"""The file of `rolewatch policy evaluate` in; a request and the policies around it out.

Source: DESIGN and the documentation of the command (docs/policies.md). A policy may stand there as an object, or as text, as AWS's
APIs return it; with a name beside it, or on its own.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from rolewatch.policies.grants import Grant, read_grants
from rolewatch.policies.layers import (
    BOUNDARY,
    ENDPOINT,
    GRANTS,
    IDENTITY,
    RCP,
    RESOURCE,
    SCP,
    SESSION,
    Organisation,
    Policies,
)
from rolewatch.policies.operators import moment
from rolewatch.policies.policy import Policy
from rolewatch.policies.reading import policy_of, read_policy, texts_of
from rolewatch.policies.request import (
    Context,
    Kind,
    Principal,
    Request,
    context_of,
    make_request,
    principal_of,
)
from rolewatch.templates import nodes
from rolewatch.templates.errors import TemplateError
from rolewatch.templates.json_nodes import json_nodes
from rolewatch.templates.nodes import Node, Scalar, kind
from rolewatch.templates.source import Source, decoded

_KEYS: Final = ("request", IDENTITY, RESOURCE, BOUNDARY, SESSION, SCP, RCP, ENDPOINT, GRANTS)
_REQUEST: Final = (
    "principal",
    "principal_id",
    "federated_by",
    "action",
    "resource",
    "resource_account",
    "context",
    "absent",
    "context_complete",
)
_POLICY: Final = ("Version", "Id", "Statement")
_TIME, _SECONDS = "aws:CurrentTime", "aws:EpochTime"
LONGEST: Final = 131_072  # characters of what a request gives: AWS's own limits are far below


class Question(NamedTuple):
    """A request, and the policies that bear on it."""

    request: Request
    policies: Policies


def read_question(content: bytes, name: str, now: str | None = None) -> Question:
    """Read a file; TemplateError with the place of what is wrong. `now` is the request's time, if it names none."""
    source = decoded(content, name)
    return _Reader(source, now).question(json_nodes(source))


class _Reader:
    def __init__(self, source: Source, now: str | None) -> None:
        self._source, self._now = source, now

    def question(self, root: Node) -> Question:
        """Read the whole file."""
        top = self._mapping(root, "", "the file", _KEYS)
        request = top.get("request")
        if request is None:
            raise self._source.error(
                "the file names no request",
                top.start,
                remedy='add "request": {"principal": …, "action": …, "resource": …}',
            )
        return Question(
            self._request(self._mapping(request, "request", "request", _REQUEST)),
            Policies(
                identity=self._policies(top, IDENTITY, principals=False) or (),
                resource=self._resource(top),
                boundaries=self._policies(top, BOUNDARY, principals=False),
                session=self._policies(top, SESSION, principals=False),
                scps=self._levels(top, SCP, principals=False),
                rcps=self._levels(top, RCP, principals=True),
                endpoint=self._policies(top, ENDPOINT, principals=True),
                grants=self._grants(top),
            ),
        )  # fmt: skip

    def _request(self, node: nodes.Mapping) -> Request:
        where = {name: self._text(node, name, "request") for name in _REQUEST[:6]}
        for name in ("principal", "action", "resource"):
            if not where[name]:
                raise self._source.error(
                    f"the request has no {name}", node.start, "request", remedy=f'add "{name}"'
                )
        principal = self._principal(node, where["principal"] or "", where["principal_id"] or "")
        if where["federated_by"]:
            principal = self._federated(node, principal, where["federated_by"])
        action = where["action"] or ""
        if ":" not in action or "*" in action or "?" in action:
            raise self._error(
                node,
                "action",
                f"{action!r} is no action of a request",
                "write service:Name, such as s3:GetObject",
            )
        account = where["resource_account"]
        if account is None:
            account = principal.account
        return make_request(principal, action, where["resource"] or "", account, self._context(node))

    def _principal(self, node: nodes.Mapping, word: str, unique_id: str) -> Principal:
        principal = principal_of(word, unique_id)
        if principal is None:
            remedy = "write the ARN of a role, user or session, an account, a service such as cloudtrail.amazonaws.com, or *"
            raise self._error(node, "principal", f"{word[:200]!r} is no principal", remedy)
        return principal

    def _federated(self, node: nodes.Mapping, principal: Principal, word: str) -> Principal:
        user = principal_of(word)
        if principal.kind is not Kind.FEDERATED_USER or user is None or user.kind is not Kind.USER:
            raise self._error(
                node,
                "federated_by",
                f"{word[:200]!r} is no user whose session this is",
                "write the ARN of the user who called GetFederationToken, for a principal …:federated-user/… only",
            )
        return principal._replace(federated_by=word)

    def _context(self, node: nodes.Mapping) -> Context:
        given: dict[str, list[str]] = {}
        lower: set[str] = set()
        written = node.get("context")
        if written is not None and not _is_null(written):
            for key, entry in self._mapping(written, "request.context", "context").entries.items():
                if _is_null(entry.value):
                    raise self._source.error(
                        f"{key} has no value",
                        entry.value.start,
                        "request.context",
                        remedy='list it under "absent"',
                    )
                if key.lower() in lower:
                    raise self._source.error(
                        f"{key} is given twice: case makes no difference",
                        entry.key.start,
                        "request.context",
                        remedy="give it once, with all its values",
                    )
                lower.add(key.lower())
                given[key] = [text for text, _ in texts_of(entry.value, self._source, "request.context", key)]
        absent = node.get("absent")
        missing = (
            []
            if absent is None
            else [text for text, _ in texts_of(absent, self._source, "request", "absent")]
        )
        complete = self._text(node, "context_complete", "request")
        if complete not in (None, "true", "false"):
            raise self._error(
                node, "context_complete", f"{complete!r} is neither true nor false", "write true or false"
            )
        for key in missing:
            if key.lower() in lower:
                raise self._error(node, "absent", f"{key} is given and absent", "keep one of them")
        self._set_time(given, lower | {key.lower() for key in missing})
        return context_of(given, absent=missing, complete=complete != "false")

    def _set_time(self, given: dict[str, list[str]], named: set[str]) -> None:
        """Add the two keys that tell the time of a request: both are in each, and one follows from the other."""
        for key, other in ((_TIME, _SECONDS), (_SECONDS, _TIME)):
            if key.lower() in named:
                continue
            told = next((values for name, values in given.items() if name.lower() == other.lower()), None)
            text = told[0] if told else self._now if other.lower() not in named else None
            at = moment(text) if text else None
            if at:
                given[key] = [at.strftime("%Y-%m-%dT%H:%M:%SZ") if key is _TIME else str(int(at.timestamp()))]

    def _grants(self, top: nodes.Mapping) -> Sequence[Grant]:
        node = top.get(GRANTS)
        return () if node is None or _is_null(node) else read_grants(node, self._source, GRANTS)

    def _resource(self, top: nodes.Mapping) -> Policy | None:
        node = top.get(RESOURCE)
        if node is None or _is_null(node):
            return None
        return self._policy(node, RESOURCE, "the resource's policy", principals=True)

    def _policies(self, top: nodes.Mapping, name: str, *, principals: bool) -> Sequence[Policy] | None:
        node = top.get(name)
        if node is None or _is_null(node):
            return None
        return list(self._listed(node, name, principals=principals))

    def _listed(self, node: Node, path: str, *, principals: bool) -> Iterable[Policy]:
        for number, item in enumerate(self._items(node, path)):
            yield self._policy(item, f"{path}[{number}]", f"policy {number + 1}", principals=principals)

    def _levels(self, top: nodes.Mapping, name: str, *, principals: bool) -> Sequence[Organisation] | None:
        node = top.get(name)
        if node is None or _is_null(node):
            return None
        levels = []
        for number, item in enumerate(self._items(node, name)):
            path = f"{name}[{number}]"
            level = self._mapping(item, path, "a level", ("level", "policies"))
            label = self._text(level, "level", path) or f"level {number + 1}"
            policies = level.get("policies")
            if policies is None:
                raise self._source.error(
                    "a level without policies",
                    level.start,
                    path,
                    remedy='write {"level": …, "policies": […]}',
                )
            found = list(self._listed(policies, f"{path}.policies", principals=principals))
            for each in (statement for policy in found for statement in policy.statements):
                if each.principals and each.principals.negated:
                    remedy = 'write "Principal": "*" and a condition on aws:PrincipalArn'
                    raise TemplateError("NotPrincipal in a control policy", each.place, remedy=remedy)
            levels.append(Organisation(label, found))
        return levels

    def _policy(self, node: Node, path: str, name: str, *, principals: bool) -> Policy:
        """Read a policy that stands there itself, under `policy`, or as text."""
        if isinstance(node, nodes.Mapping) and not any(key in node.entries for key in _POLICY):
            holder = self._mapping(node, path, "a policy", ("name", "policy"))
            name = self._text(holder, "name", path) or name
            inner = holder.get("policy")
            if inner is None:
                raise self._source.error(
                    "no policy stands here", node.start, path, remedy='write {"name": …, "policy": {…}}'
                )
            node, path = inner, f"{path}.policy"
        if isinstance(node, Scalar) and not _is_null(node):
            return read_policy(node.text, name, file=f"{self._source.name}:{path}", principals=principals)
        return policy_of(node, self._source, name, path=path, principals=principals)

    def _items(self, node: Node, path: str) -> Sequence[Node]:
        if not isinstance(node, nodes.Sequence):
            raise self._source.error(f"{path} is a list; this is {kind(node)}", node.start, path)
        return node.items

    def _mapping(self, node: Node, path: str, what: str, keys: Sequence[str] | None = None) -> nodes.Mapping:
        if not isinstance(node, nodes.Mapping):
            raise self._source.error(f"{what} is an object; this is {kind(node)}", node.start, path)
        for key, entry in node.entries.items():
            if keys is not None and key not in keys:
                raise self._source.error(
                    f"{key[:100]!r} is no part of {what}",
                    entry.key.start,
                    path,
                    remedy=f"it has {', '.join(keys)}",
                )
        return node

    def _text(self, node: nodes.Mapping, name: str, path: str) -> str | None:
        found = node.get(name)
        if found is None or _is_null(found):
            return None
        if not isinstance(found, Scalar):
            raise self._source.error(f"{name} is a text; this is {kind(found)}", found.start, path)
        if len(found.text) > LONGEST:
            raise self._source.error(f"{name} has more than {LONGEST:,} characters", found.start, path)
        return found.text

    def _error(self, node: nodes.Mapping, name: str, text: str, remedy: str) -> Exception:
        found = node.get(name)
        return self._source.error(
            text, found.start if found else node.start, f"request.{name}", remedy=remedy
        )


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_null
