"""Nodes with functions in, nodes with what the functions give out.

The functions themselves are in functions.py and conditions.py; here are their context and the order of work.
"""

from collections.abc import Mapping as Map
from typing import NamedTuple

from rolewatch.templates.errors import MissingParameterError, TemplateError
from rolewatch.templates.nodes import GIVEN, Entry, Mapping, Node, Scalar, Sequence, kind
from rolewatch.templates.parameters import Parameter
from rolewatch.templates.references import World, attribute, named_by, reference
from rolewatch.templates.source import Source

LONGEST = 200_000  # characters of a text that functions make
MOST_MADE = 50_000_000  # characters of all such texts of a template; texts in texts could double for ever
_EACH = 50  # characters that a text counts for itself
_DYNAMIC = "{{resolve:"


class Call(NamedTuple):
    """A function as it is written: `name` such as `Fn::Sub`, its argument, where it stands and for which property."""

    name: str
    argument: Node
    start: int
    path: str


class Resource(NamedTuple):
    """A resource as it is written."""

    logical_id: str
    type: str
    properties: Node | None
    key: Scalar
    condition: str | None
    body: Mapping


class Context(NamedTuple):
    """What functions refer to: where the template is deployed, its parameters, others' exports, its sections and resources."""

    world: World
    parameters: Map[str, Parameter]
    imports: Map[str, str]
    sections: Map[str, Mapping]
    resources: Map[str, Resource]


class Resolver:
    """Resolves nodes of one template; a result of None is `AWS::NoValue`."""

    def __init__(self, source: Source, context: Context) -> None:
        self.source = source
        self.world = context.world
        self.imports = context.imports
        self.mappings = context.sections["Mappings"]
        self._conditions = context.sections["Conditions"]
        self._parameters = context.parameters
        self._resources = context.resources
        self._decided: dict[str, bool | None] = {}  # None: being decided
        self._names: dict[str, Scalar] = {}
        self._made = 0
        self._pseudo = {
            "AWS::AccountId": self.world.account,
            "AWS::Partition": self.world.partition,
            "AWS::Region": self.world.region,
            "AWS::StackId": self.world.stack_id,
            "AWS::StackName": self.world.stack,
            "AWS::URLSuffix": self.world.suffix,
        }

    def error(self, text: str, start: int, path: str, *, remedy: str | None = None) -> TemplateError:
        """Make an error at an offset."""
        return self.source.error(text, start, path, remedy=remedy)

    def resolve(self, node: Node, path: str) -> Node | None:
        """Give a node without functions; TemplateError for what cannot be resolved."""
        if isinstance(node, Scalar):
            if node.is_null:
                raise self.error(
                    "'null' values are not allowed in templates",
                    node.start,
                    path,
                    remedy="leave the property out",
                )
            self._check_static(node.text, node.start, path)
            return node
        if isinstance(node, Sequence):
            items = [self.resolve(item, f"{path}[{number}]") for number, item in enumerate(node.items)]
            return Sequence(tuple(item for item in items if item is not None), node.start)
        call = called(node, path)
        if call is not None:
            return self._call(call)
        entries = {
            name: (entry.key, self.resolve(entry.value, f"{path}.{name}"))
            for name, entry in node.entries.items()
        }
        return Mapping(
            {name: Entry(key, value) for name, (key, value) in entries.items() if value is not None},
            node.start,
        )

    def _call(self, call: Call) -> Node | None:
        from rolewatch.templates.functions import FUNCTIONS  # noqa: PLC0415 - they call back

        self.spend(_EACH, call)
        if call.name == "Ref":
            return self.ref(self.literal(call, call.argument), call)
        function = FUNCTIONS.get(call.name)
        if function is None:
            raise self.error(*unsupported(call))
        return function(self, call)

    def literal(self, call: Call, node: Node) -> str:
        """Take a name that has to be written out."""
        if not isinstance(node, Scalar) or node.is_null:
            raise self.error(f"{call.name} takes a name, this is {kind(node)}", node.start, call.path)
        return node.text

    def text(self, call: Call, node: Node) -> Scalar:
        """Resolve an argument that has to be a text."""
        found = self.resolve(node, call.path)
        if not isinstance(found, Scalar):
            what = "AWS::NoValue" if found is None else kind(found)
            raise self.error(f"{call.name} takes a text here, this is {what}", node.start, call.path)
        return found

    def made(self, text: str, call: Call, parts: tuple[Scalar, ...] = ()) -> Scalar:
        """Make the text that a function gives; it is secret if one of its parts is."""
        if len(text) > LONGEST:
            raise self.error(
                f"{call.name} makes a text of more than {LONGEST:,} characters", call.start, call.path
            )
        self._check_static(text, call.start, call.path)
        self.spend(len(text) + _EACH, call)
        return Scalar(text, call.start, call.start, GIVEN, any(part.secret for part in parts))

    def copied(self, node: Node, call: Call) -> Node:
        """Count a list that a function hands on."""
        self.spend(_EACH * len(node.items) if isinstance(node, Sequence) else 0, call)
        return node

    def spend(self, amount: int, call: Call) -> None:
        """Count what a function makes or copies; TemplateError where it is too much for a whole template."""
        self._made += amount
        if self._made > MOST_MADE:
            raise self.error("the template's functions make too much text", call.start, call.path)

    def ref(self, name: str, call: Call) -> Node | None:
        """Give what `Ref` gives: a parameter's value, a pseudo parameter's, or a resource's id."""
        if name in self._parameters:
            return self.copied(self._parameter(self._parameters[name], call), call)
        if name == "AWS::NoValue":
            return None
        if name == "AWS::NotificationARNs":
            return Sequence((), call.start)
        if name in self._pseudo:
            return self.made(self._pseudo[name], call)
        resource = self._resource(name, call)
        own = self.name(resource)
        return self.made(reference(resource.type, own.text, self.world), call, (own,))

    def attribute(self, name: str, wanted: str, call: Call) -> Scalar:
        """Give what `Fn::GetAtt` gives."""
        resource = self._resource(name, call)
        own = self.name(resource)
        return self.made(attribute(resource.type, own.text, wanted, self.world), call, (own,))

    def condition(self, name: str, start: int, path: str) -> bool:
        """Decide a condition by its name; TemplateError if it does not exist, or depends on itself."""
        from rolewatch.templates.conditions import decide  # noqa: PLC0415 - it calls back

        if name in self._decided:
            known = self._decided[name]
            if known is None:
                raise self.error(f"Circular dependency in the condition {name}", start, path)
            return known
        entry = self._conditions.entries.get(name)
        if entry is None:
            text = f"Template format error: Unresolved condition dependency {name} in the {path.partition('.')[0]} block of the template"
            raise self.error(text, start, path, remedy="define it under Conditions")
        self._decided[name] = None
        try:
            result = decide(self, entry.value, f"Conditions.{name}")
        except BaseException:
            del self._decided[name]
            raise
        self._decided[name] = result
        return result

    def exists(self, resource: Resource) -> bool:
        """Whether a resource's condition holds."""
        return resource.condition is None or self.condition(
            resource.condition, resource.key.start, f"Resources.{resource.logical_id}"
        )

    def name(self, resource: Resource) -> Scalar:
        """Give a resource's own name: the one it is given, else `<StackName>-<LogicalId>`."""
        known = self._names.get(resource.logical_id)
        if known is not None:
            return known
        generated = Scalar(
            f"{self.world.stack}-{resource.logical_id}", resource.key.start, resource.key.start, GIVEN
        )
        self._names[resource.logical_id] = generated  # in case that it refers to itself
        named = named_by(resource.type)
        written = (
            resource.properties.get(named) if named and isinstance(resource.properties, Mapping) else None
        )
        found = (
            None
            if written is None
            else self.resolve(written, f"Resources.{resource.logical_id}.Properties.{named}")
        )
        if isinstance(found, Scalar) and found.text:
            self._names[resource.logical_id] = found
        return self._names[resource.logical_id]

    def _check_static(self, text: str, start: int, path: str) -> None:
        if _DYNAMIC in text:
            what = "dynamic references ({{resolve:…}}) are not supported: nothing is looked up"
            raise self.error(what, start, path)

    def _parameter(self, parameter: Parameter, call: Call) -> Node:
        if parameter.value is None:
            name = parameter.name
            why = (
                "its value is in Systems Manager, where nothing is looked up"
                if parameter.stored
                else "it has no default"
            )
            raise MissingParameterError(
                f"Parameters: [{name}] must have values; {why}",
                self.source.place(parameter.key.start, f"Parameters.{name}"),
                remedy=f"give --parameter {name}=VALUE",
                name=name,
            )
        if isinstance(parameter.value, Scalar) and parameter.value.style == GIVEN:
            return parameter.value._replace(start=call.start, end=call.start)
        return parameter.value

    def _resource(self, name: str, call: Call) -> Resource:
        resource = self._resources.get(name)
        if resource is None or not self.exists(resource):
            section = call.path.partition(".")[0]
            why = (
                "there is no such parameter or resource"
                if resource is None
                else f"the condition {resource.condition} is false"
            )
            text = f"Template format error: Unresolved resource dependencies [{name}] in the {section} block of the template; {why}"
            raise self.error(text, call.start, call.path)
        return resource


def called(node: Mapping, path: str) -> Call | None:
    """Read a mapping as a call of a function, if it is one."""
    if len(node.entries) != 1:
        return None
    name, entry = next(iter(node.entries.items()))
    if name != "Ref" and not name.startswith("Fn::"):
        return None
    return Call(name, entry.value, entry.key.start, path)


_UNSUPPORTED = {
    "Fn::Transform": "macros and AWS::Include are not run",
    "Fn::ToJsonString": "AWS::LanguageExtensions is not supported",
}


def unsupported(call: Call) -> tuple[str, int, str]:
    """Say that a function is not supported, or that there is none of this name."""
    name = call.name
    if name.startswith("Fn::ForEach"):
        return f"{name} is not supported: AWS::LanguageExtensions is not run", call.start, call.path
    why = _UNSUPPORTED.get(name)
    if why:
        return f"{name} is not supported: {why}", call.start, call.path
    return f"{name} is no function of CloudFormation that can be used here", call.start, call.path
