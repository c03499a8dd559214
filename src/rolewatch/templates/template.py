"""The bytes of a CloudFormation template (or of an account's description) in; metric filters, alarms and the like out."""

from collections.abc import Mapping as Map
from difflib import get_close_matches
from types import MappingProxyType

from rolewatch.templates.collector import USED, Collector
from rolewatch.templates.definitions import Notice, Template
from rolewatch.templates.dependencies import check_circles, check_conditions
from rolewatch.templates.description import is_description, read_description
from rolewatch.templates.document import Document, read_document
from rolewatch.templates.errors import MissingParameterError, TemplateError
from rolewatch.templates.fields import Fields, Identity, Scope
from rolewatch.templates.nodes import Entry, Mapping, Node, Scalar, Sequence, kind
from rolewatch.templates.parameters import read_parameters
from rolewatch.templates.references import World, attribute
from rolewatch.templates.resolver import Call, Context, Resolver, Resource, called, unsupported

_SECTIONS = ("AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions", "Transform",
             "Resources", "Outputs", "Hooks", "Globals")  # fmt: skip
_VERSION = "2010-09-09"  # the only one there is
_ATTRIBUTES = ("Type", "Properties", "Condition", "DependsOn", "Metadata", "DeletionPolicy", "UpdateReplacePolicy", "UpdatePolicy",
               "CreationPolicy", "DeletionMode")  # fmt: skip
_NONE: Map[str, str] = MappingProxyType({})
_MACROS = {
    "AWS::LanguageExtensions": "Fn::ForEach and Fn::ToJsonString are not run",
    "AWS::Include": "included files are not read",
}


def read_template(
    content: bytes,
    name: str,
    *,
    parameters: Map[str, str] = _NONE,
    imports: Map[str, str] = _NONE,
    account: str = "123456789012",
    region: str = "us-east-1",
    stack: str = "stack",
) -> Template:
    """Read a template in YAML or JSON, or the JSON of describe-metric-filters and describe-alarms.

    `parameters` are values by parameter name, `imports` by name of the export; `account`, `region` and `stack` are where
    it would be deployed. Raises TemplateError for what makes the whole file useless; a resource that AWS would refuse,
    and what has no effect here, is among the template's notices.
    """
    document = read_document(content, name)
    if is_description(document.root):
        return read_description(document)
    return _Reader(document, parameters, imports, World(account, region, stack)).template()


class _Reader:
    """Reads one template."""

    def __init__(
        self, document: Document, given: Map[str, str], imports: Map[str, str], world: World
    ) -> None:
        self._source = document.source
        self._root = document.root
        self._notices: list[Notice] = []
        self._check_sections(document.alias)
        self._resources = self._read_resources()
        check_circles(self._source, self._resources)
        sections = {section: self._section(section) for section in ("Mappings", "Conditions")}
        check_conditions(self._source, sections["Conditions"])
        self._parameters = read_parameters(self._source, self._root.get("Parameters"), given, self._notices)
        self._resolver = Resolver(
            self._source, Context(world, self._parameters, imports, sections, self._resources)
        )

    def template(self) -> Template:
        """Read all resources."""
        collector = Collector(self._notices)
        missing: list[MissingParameterError] = []
        waiting = list(self._resources.values())[::-1]
        while waiting:
            try:
                self._read(waiting[-1], collector)
            except MissingParameterError as error:
                missing.append(error)
                self._parameters[error.name].stand_in()  # once more, to find all that are missing
                continue
            except TemplateError as error:
                type_, name = waiting[-1].type, waiting[-1].logical_id
                collector.leave_out(type_, name, name, error)
            waiting.pop()
        if missing:
            raise _all_missing(missing)
        return collector.template(self._resolver.world.alarm_arns)

    def _read(self, resource: Resource, collector: Collector) -> None:
        place = self._source.place(resource.key.start, f"Resources.{resource.logical_id}")
        if resource.type not in USED:
            collector.unused(resource.type, resource.logical_id, place)
            return
        if not self._resolver.exists(resource):
            return
        path = f"Resources.{resource.logical_id}.Properties"
        properties = resource.properties
        if properties is None:
            properties = Mapping({}, resource.key.start)
        if not isinstance(properties, Mapping):
            raise self._source.error(
                f"Properties has to be a mapping, this is {kind(properties)}", properties.start, path
            )
        for name, entry in properties.entries.items():
            if name.startswith("Fn::"):
                raise self._source.error(*unsupported(Call(name, entry.value, entry.key.start, path)))
        fields = Fields(Scope(self._source, self._resolver.resolve), properties, path)
        own = self._resolver.name(resource).text
        arn = attribute(resource.type, own, "TopicArn", self._resolver.world)
        collector.read(resource.type, fields, Identity(resource.logical_id, own, arn, place))

    def _check_sections(self, alias: int | None) -> None:
        """Tell what is not supported, or no section at all."""
        self._check_version()
        if alias is not None:
            text = "CloudFormation refuses YAML aliases (Template format error: YAML aliases are not allowed in CloudFormation templates); here they are followed"
            self._notices.append(Notice("warning", text, self._source.place(alias)))
        for name, entry in self._root.entries.items():
            if name not in _SECTIONS:
                close = get_close_matches(name, _SECTIONS, 1)
                meant = f"did you mean {close[0]}?" if close else "it is not read"
                text = f"Invalid template property or properties [{name}]"
                self._notices.append(
                    self._source.error(text, entry.key.start, name, remedy=meant).notice("warning")
                )
        transform = self._root.get("Transform")
        if transform is not None:
            for node in transform.items if isinstance(transform, Sequence) else (transform,):
                self._notices.append(self._macro(node))

    def _check_version(self) -> None:
        node = self._root.get("AWSTemplateFormatVersion")
        if node is None or (isinstance(node, Scalar) and node.text == _VERSION):
            return
        shown = node.shown if isinstance(node, Scalar) and not node.is_null else kind(node)
        text = f"Template format error: {shown} is not a supported value for AWSTemplateFormatVersion"
        raise self._source.error(
            text, node.start, "AWSTemplateFormatVersion", remedy=f"write {_VERSION}, or nothing"
        )

    def _macro(self, node: Node) -> Notice:
        """Tell what a macro would have done."""
        named = node.get("Name") if isinstance(node, Mapping) else node
        name = named.text if isinstance(named, Scalar) else "a macro"
        if name.startswith("AWS::Serverless"):
            text = "AWS::Serverless resources are not expanded"
        else:
            text = _MACROS.get(name, "macros are not run; resources are read as they are written")
        return Notice(
            "warning",
            f"Transform {name} is not supported: {text}",
            self._source.place(node.start, "Transform"),
        )

    def _section(self, name: str) -> Mapping:
        node = self._root.get(name)
        if node is None or (isinstance(node, Scalar) and node.is_null):
            return Mapping({}, 0)
        if not isinstance(node, Mapping):
            raise self._source.error(f"{name} has to be a mapping, this is {kind(node)}", node.start, name)
        return node

    def _read_resources(self) -> dict[str, Resource]:
        """Read the types of all resources; what is no resource is a notice."""
        section = self._section("Resources")
        if not section.entries:
            remedy = (
                "give a CloudFormation template, or the JSON of describe-metric-filters or describe-alarms"
            )
            text = "Template format error: At least one Resources member must be defined."
            raise self._source.error(text, section.start, remedy=remedy)
        found = {}
        for name, entry in section.entries.items():
            try:
                found[name] = self._resource(name, entry)
            except TemplateError as error:
                self._notices.append(error.notice())
        return found

    def _resource(self, name: str, entry: Entry) -> Resource:
        path, start = f"Resources.{name}", entry.key.start
        if name.startswith("Fn::"):
            raise self._source.error(*unsupported(Call(name, entry.value, start, path)))
        body = entry.value
        if not isinstance(body, Mapping):
            raise self._source.error(
                f"Template format error: [/Resources/{name}] resource definition is malformed", start, path
            )
        inside = called(body, path)
        if inside:
            raise self._source.error(*unsupported(inside))
        type_, condition = body.get("Type"), body.get("Condition")
        if not isinstance(type_, Scalar) or type_.is_null:
            text = f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member."
            raise self._source.error(text, start, path)
        if "::" not in type_.text:
            text = f"Template format error: Unrecognized resource types: [{type_.shown}]"
            raise self._source.error(text, type_.start, f"{path}.Type")
        if condition is not None and not isinstance(condition, Scalar):
            raise self._source.error(
                f"Condition takes a condition's name, this is {kind(condition)}",
                condition.start,
                f"{path}.Condition",
            )
        for key, other in body.entries.items():
            if type_.text in USED and key not in _ATTRIBUTES:
                self._notices.append(self._stray(name, key, other))
        return Resource(
            name, type_.text, body.get("Properties"), entry.key, condition.text if condition else None, body
        )

    def _stray(self, name: str, key: str, entry: Entry) -> Notice:
        text = f"Invalid template resource property '{key}'"
        remedy = "properties stand under Properties"
        return self._source.error(text, entry.key.start, f"Resources.{name}.{key}", remedy=remedy).notice(
            "warning"
        )


def _all_missing(errors: list[MissingParameterError]) -> TemplateError:
    """Make one error for all parameters without a value."""
    if len(errors) == 1:
        return errors[0]
    names = ", ".join(error.name for error in errors)
    remedy = "give " + " ".join(f"--parameter {error.name}=VALUE" for error in errors)
    return TemplateError(f"Parameters: [{names}] must have values", errors[0].place, remedy=remedy)
