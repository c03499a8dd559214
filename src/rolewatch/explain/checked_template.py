"""A CloudFormation template in; the resource-based policies in it out, with functions resolved as far as nothing deployed allows.

A parameter without a default, an attribute that only AWS knows and an import that is not given stay open: what hangs on them is never
certain.
"""

from collections.abc import Iterator
from typing import Final

from rolewatch.catalog.naming import Place as Where
from rolewatch.catalog.naming import build, named
from rolewatch.catalog.policy_kinds import PolicyKind, Written, kind_of_type, written_as
from rolewatch.explain.checked_open import Marks, open_policy
from rolewatch.explain.checked_read import Read, Unread, Wanted, found_resource
from rolewatch.explain.checked_text import at_path, moved, policy_within
from rolewatch.explain.lockout_found import Subject
from rolewatch.explain.lockout_owners import NOBODY
from rolewatch.explain.lockout_parts import TEMPLATE, kind_in, placeholder
from rolewatch.policies.policy import Policy
from rolewatch.templates.dependencies import check_circles, check_conditions
from rolewatch.templates.document import Document
from rolewatch.templates.errors import TemplateError
from rolewatch.templates.json_nodes import json_nodes
from rolewatch.templates.nodes import GIVEN, Entry, Mapping, Node, Scalar, Sequence
from rolewatch.templates.parameters import read_parameters
from rolewatch.templates.references import World
from rolewatch.templates.resolver import Call, Context, Resolver, Resource
from rolewatch.templates.source import Source

_REGION: Final = "us-east-1"
_STACK: Final = "stack"
_ROLE: Final = "AWS::IAM::ServiceLinkedRole"


def read_template_policies(document: Document, wanted: Wanted) -> Read:
    """Read all policies of a template; TemplateError for what is no template, or a value that fits no parameter."""
    account = wanted.given.account or NOBODY
    template = _Template(document, wanted, account)
    for resource in template.resources.values():
        for kind, written in written_as(resource.type):
            if written.form != "fields":
                template.read(resource, kind, written)
    return Read(tuple(template.subjects), tuple(template.unread), wanted.given)


class _Lenient(Resolver):
    """Resolves what can be resolved, and marks the rest."""

    marks: Marks

    def _call(self, call: Call) -> Node | None:
        try:
            return super()._call(call)
        except TemplateError:
            return self._marked(call, _shown(call))

    def ref(self, name: str, call: Call) -> Node | None:
        """Give what `Ref` gives, or a mark."""
        try:
            found = super().ref(name, call)
        except TemplateError:
            return self._marked(call, f"value of Ref {name}")
        if name in self._resources and self._resources[name].type == _ROLE:
            return self._marked(call, f"value of Ref {name}")
        return found

    def attribute(self, name: str, wanted: str, call: Call) -> Scalar:
        """Give what `Fn::GetAtt` gives, or a mark for what only AWS knows."""
        try:
            found = super().attribute(name, wanted, call)
            own = self.name(self._resources[name])
        except TemplateError:
            return self._marked(call, f"value of GetAtt {name}.{wanted}")
        made_up = found.text == f"{own.text}.{wanted}" or self._resources[name].type == _ROLE
        return self._marked(call, f"value of GetAtt {name}.{wanted}") if made_up else found

    def _marked(self, call: Call, name: str) -> Scalar:
        return Scalar(self.marks.mark(name), call.start, call.start, GIVEN)


def _shown(call: Call) -> str:
    argument = call.argument
    first = argument.items[0] if isinstance(argument, Sequence) and argument.items else argument
    return f"value of {call.name} {first.shown}" if isinstance(first, Scalar) else f"value of {call.name}"


class _Template:
    """A template whose sections are read, and whose policies are asked for one by one."""

    def __init__(self, document: Document, wanted: Wanted, account: str) -> None:
        self.subjects: list[Subject] = []
        self.unread: list[Unread] = []
        self._source, root = document.source, document.root
        self.resources = dict(_resources(root))
        check_circles(self._source, self.resources)
        sections = {name: _section(root, name) for name in ("Mappings", "Conditions")}
        check_conditions(self._source, sections["Conditions"])
        parameters = read_parameters(self._source, root.get("Parameters"), wanted.parameters, [])
        world = World(account, _REGION, _STACK)
        context = Context(world, parameters, wanted.imports, sections, self.resources)
        self._resolver = _Lenient(self._source, context)
        self._resolver.marks = self._marks = Marks()
        self._where = Where(world.partition, _REGION, account)
        self._given = wanted.given._replace(account=account)

    def read(self, resource: Resource, kind: PolicyKind, written: Written) -> None:
        """Read the policies that a resource writes in one way; what cannot be read is told."""
        place = self._source.place(resource.key.start, f"Resources.{resource.logical_id}")
        try:
            if not self._exists(resource):
                return
            for node, path in self._policies(resource, written):
                found = self._subject(resource, kind, written, node, path)
                if found:
                    self.subjects.append(found)
        except TemplateError as error:
            self.unread.append(Unread(str(error.place), error.text, invalid=True))
        except RecursionError:
            self.unread.append(Unread(str(place), "nested too deep"))

    def _exists(self, resource: Resource) -> bool:
        """Whether a resource is made, as far as that can be told: one that may be is checked."""
        try:
            return self._resolver.exists(resource)
        except TemplateError:
            return True

    def _policies(self, resource: Resource, written: Written) -> Iterator[tuple[Node, str]]:
        first, _, rest = written.policy.partition(".")
        properties = resource.properties
        entry = properties.entries.get(first) if isinstance(properties, Mapping) else None
        if entry is None:
            return
        path = f"Resources.{resource.logical_id}.Properties.{first}"
        for node, below in at_path(self._resolver.resolve(entry.value, path), rest):
            yield _as_policy(node, written), f"{path}.{below}" if below else path

    def _subject(
        self, resource: Resource, kind: PolicyKind, written: Written, node: Node, path: str
    ) -> Subject | None:
        arn = self._resource(resource, kind, written)
        stands_for = arn or placeholder(kind, self._where.partition, self._where.account, _REGION)
        policy = self._policy(node, path, resource.logical_id, stands_for)
        own = kind_in(policy) if policy else None
        other = own is not None and own is not kind and len(written_as(resource.type)) > 1
        if policy is None or (other and own in [each for each, _ in written_as(resource.type)]):
            return None
        if arn or kind.kind == "endpoint":
            return Subject(policy, kind, stands_for, TEMPLATE, resource.logical_id)
        found = found_resource(policy, self._given, kind)
        return Subject(policy, *found, resource.logical_id) if found else None

    def _policy(self, node: Node, path: str, name: str, stands_for: str) -> Policy | None:
        """Read a policy; what cannot be told of it is told, None if that is all of it."""
        if isinstance(node, Scalar) and not self._marks.names(node):
            return policy_within(node, self._source, path, name, principals=True)
        if isinstance(node, Scalar) and node.text.lstrip().startswith("{"):
            inner = Source(self._source.name, node.text)
            opened = open_policy(json_nodes(inner), inner, (name, path), self._marks, stands_for)
            policy = opened.policy and moved(opened.policy, node, self._source, path)
            opened = opened._replace(policy=policy)
        else:
            opened = open_policy(node, self._source, (name, path), self._marks, stands_for)
        place = str(self._source.place(node.start, path))
        what = "a statement" if opened.policy else "the policy"
        self.unread += [
            Unread(place, f"{what} hangs on the {each}, which nothing tells") for each in opened.left_out
        ]
        return opened.policy

    def _resource(self, resource: Resource, kind: PolicyKind, written: Written) -> str | None:
        """Write the ARN of the resource that carries the policy; None where the template does not tell it."""
        text = self._resolver.name(resource).text
        if written.resource:
            first, _, rest = written.resource.partition(".")
            properties = resource.properties
            entry = properties.entries.get(first) if isinstance(properties, Mapping) else None
            if entry is not None:
                found = at_path(self._resolver.resolve(entry.value, f"Resources.{resource.logical_id}"), rest)
                node = found[0][0] if found else None
                node = node.items[0] if isinstance(node, Sequence) and node.items else node
                if not isinstance(node, Scalar) or self._marks.names(node):
                    return None
                text = node.text
        return arn_of(kind, text, self._where)


def arn_of(kind: PolicyKind, text: str, where: Where) -> str | None:
    """Write the ARN of a resource that is named by an ARN, a URL or its name; None where that is none of the kind."""
    if text.startswith("arn:"):
        found = named(text)
        return found.arn if found and kind_of_type(found.type) is kind else None
    return build(kind.type, (text.rpartition("/")[2] if "://" in text else text,), where)


def _as_policy(node: Node, written: Written) -> Node:
    """Make a policy of what is written as a statement, or a list of them."""
    if written.form == "policy":
        return node
    key = Scalar("Statement", node.start, node.start, GIVEN)
    return Mapping({"Statement": Entry(key, node)}, node.start)


def _section(root: Mapping, name: str) -> Mapping:
    node = root.get(name)
    return node if isinstance(node, Mapping) else Mapping({}, 0)


def _resources(root: Mapping) -> Iterator[tuple[str, Resource]]:
    """Yield what is a resource; what is none is for CloudFormation to refuse."""
    for name, entry in _section(root, "Resources").entries.items():
        body = entry.value
        if not isinstance(body, Mapping):
            continue
        written, condition = body.get("Type"), body.get("Condition")
        if isinstance(written, Scalar):
            held = condition.text if isinstance(condition, Scalar) else None
            yield name, Resource(name, written.text, body.get("Properties"), entry.key, held, body)
