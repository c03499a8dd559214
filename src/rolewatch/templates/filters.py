"""The properties of an `AWS::Logs::MetricFilter` in, a metric filter out. Source of the rules: spec/metric-filter.md §1, §2 and §6."""

import re
from collections.abc import Callable
from typing import NamedTuple

from rolewatch.base.errors import UsageError
from rolewatch.patterns import Pattern, PatternError, compile_pattern
from rolewatch.patterns.reference import parse_dimension, parse_value
from rolewatch.templates.definitions import MetricFilter, Transformation
from rolewatch.templates.errors import TemplateError
from rolewatch.templates.fields import Fields, Identity
from rolewatch.templates.nodes import Scalar
from rolewatch.templates.numerals import number
from rolewatch.templates.spans import offset_in
from rolewatch.templates.units import UNITS

MOST_DIMENSIONS = 3
_LOG_GROUP = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_NAME = re.compile(r"[^:*]*")
_METRIC = re.compile(r"[^:*$]*")
_EXCLUSIVE = "Invalid metric transformation: dimensions and default value are mutually exclusive properties."
_NOT_APPLIED = {
    "ApplyOnTransformedLogs": "no log transformer is run; the filter sees the events as they are",
    "FieldSelectionCriteria": "it is not applied; events of all accounts and Regions count",
    "EmitSystemFieldDimensions": "the metric is written without the dimensions @aws.account and @aws.region",
}


class ReadFilter(NamedTuple):
    """A metric filter, and the errors that are no more than warnings."""

    filter: MetricFilter
    warnings: list[TemplateError]


def read_filter(fields: Fields, identity: Identity) -> ReadFilter:
    """Read a metric filter; TemplateError if AWS would refuse it."""
    own = fields.text("FilterName", longest=512, shortest=1) or identity.name
    if not _NAME.fullmatch(own):
        raise fields.error("FilterName must not contain ':' or '*'", "FilterName")
    group = fields.present("LogGroupName", fields.scalar("LogGroupName"))
    if not _LOG_GROUP.fullmatch(group.text):
        rule = r"1 to 512 characters of the pattern [\.\-_/#A-Za-z0-9]+"
        raise fields.constraint("LogGroupName", group, rule)
    pattern = _pattern(fields)
    warnings = [
        fields.error(f"{key}: {text}", key) for key, text in _NOT_APPLIED.items() if _in_use(fields, key)
    ]
    transformation = _transformation(fields, pattern)
    found = MetricFilter(identity.logical_id, own, group.text, pattern, transformation, identity.place)
    return ReadFilter(found, warnings)


def _in_use(fields: Fields, name: str) -> bool:
    value = fields.value(name)
    return value is not None and not (isinstance(value, Scalar) and value.text.lower() in ("false", ""))


def _pattern(fields: Fields) -> Pattern:
    """Compile the pattern; an error points at the character, if that is written in the file."""
    written = fields.present("FilterPattern", fields.scalar("FilterPattern"))
    try:
        return compile_pattern(written.text)
    except PatternError as error:
        source = fields.scope.source
        offset = offset_in(source.text, written, error.position)
        exact = offset != written.start or error.position == 0
        text = (
            error.message if exact else f"{error.message}, at character {error.position + 1} of the pattern"
        )
        raise source.error(text, offset, f"{fields.path}.FilterPattern", remedy=error.remedy) from None


def _transformation(fields: Fields, pattern: Pattern) -> Transformation:
    found = list(fields.each("MetricTransformations"))
    if not found:
        raise (
            fields.missing("MetricTransformations")
            if not fields.has("MetricTransformations")
            else _bad_number(fields, "[]", "greater")
        )
    if len(found) > 1:
        raise _bad_number(fields, f"[{', '.join(map(_as_java, found))}]", "less")
    given = found[0]
    default = _default(given)
    dimensions = _dimensions(given)
    if dimensions and default is not None:
        raise given.error(_EXCLUSIVE, "DefaultValue", remedy="remove one of the two")
    value = given.required("MetricValue", longest=100)
    _checked(given, "MetricValue", parse_value, value, pattern)
    for _, reference in dimensions:
        _checked(given, "Dimensions", parse_dimension, reference, pattern)
    return Transformation(
        _metric(given, "MetricNamespace"),
        _metric(given, "MetricName"),
        value,
        default,
        dimensions,
        given.choice("Unit", UNITS),
    )


def _bad_number(fields: Fields, shown: str, side: str) -> TemplateError:
    return fields.error(
        f"1 validation error detected: Value '{shown}' at 'metricTransformations' failed to satisfy constraint: "
        f"Member must have length {side} than or equal to 1",
        "MetricTransformations",
        remedy="write a filter for each metric" if side == "less" else None,
    )


def _as_java(given: Fields) -> str:
    """Write a transformation as the service does in its message."""
    names = ("metricName", "metricNamespace", "metricValue", "defaultValue", "unit", "dimensions")
    values = [given.node.get(f"{name[0].upper()}{name[1:]}") for name in names]
    shown = [value.shown if isinstance(value, Scalar) else "null" for value in values]
    return f"MetricTransformation({', '.join(f'{name}={value}' for name, value in zip(names, shown, strict=True))})"


def _metric(given: Fields, name: str) -> str:
    text = given.required(name, longest=255)
    if not _METRIC.fullmatch(text):
        raise given.error(f"{name} must not contain ':', '*' or '$'", name)
    return text


def _default(given: Fields) -> float | None:
    written = given.scalar("DefaultValue")
    if written is None:
        return None
    found = number(written.text)
    if found is None:
        raise given.error(
            "SerializationException: STRING_VALUE cannot be converted to Double",
            "DefaultValue",
            remedy="write a number",
        )
    return found


def _dimensions(given: Fields) -> tuple[tuple[str, str], ...]:
    pairs = [
        (item.required("Key", longest=255), item.required("Value", longest=255))
        for item in given.each("Dimensions")
    ]
    if len(pairs) > MOST_DIMENSIONS:
        shown = ", ".join(f"{name}={value}" for name, value in pairs[:10])
        text = f"1 validation error detected: Value '{{{shown}}}' at 'dimensions' failed to satisfy constraint: Member must have length less than or equal to 3"
        raise given.error(text, "Dimensions")
    if len(dict(pairs)) < len(pairs):
        raise given.error("Dimensions names a dimension twice", "Dimensions")
    return tuple(sorted(pairs))


def _checked(
    given: Fields, name: str, parse: Callable[[str, Pattern], object], text: str, pattern: Pattern
) -> None:
    """Hold a number or reference against what the pattern's kind can give."""
    try:
        parse(text, pattern)
    except UsageError as error:
        raise given.error(error.message, name, remedy=error.remedy) from None
