"""Metric filters: what is read, and what AWS would refuse, in its words."""

import pytest
from template_texts import read, template, told

from rolewatch.templates.definitions import Transformation

PATTERN = "'{ $.a = 1 }'"
TRANSFORMATION = "{MetricNamespace: N, MetricName: M, MetricValue: 1}"


def written(pattern=PATTERN, transformations=f"[{TRANSFORMATION}]", rest="", group="trail"):
    """Write a filter, its properties in lines of their own; the pattern is in line 6."""
    return (
        f"Type: AWS::Logs::MetricFilter\nProperties:\n  LogGroupName: {group}\n  FilterPattern: {pattern}\n"
        f"  MetricTransformations: {transformations}\n{rest}"
    )


def test_all_of_it():
    """A filter has its names, its pattern and its transformation."""
    text = written(
        '"[ip, ..., size]"',
        "[{MetricNamespace: N, MetricName: M, MetricValue: $size, Unit: Bytes, Dimensions: [{Key: IP, Value: $ip}]}]",
        "  FilterName: sizes\n",
    )
    found = read(template(F=text))
    assert found.notices == ()
    (each,) = found.filters
    assert (each.logical_id, each.name, each.log_group, each.pattern.text) == (
        "F",
        "sizes",
        "trail",
        "[ip, ..., size]",
    )
    assert each.transformation == Transformation("N", "M", "$size", None, (("IP", "$ip"),), "Bytes")
    assert each.place == ("t.yaml", 2, 3, "Resources.F")


VALUES = [
    (PATTERN, "1", "1", None),
    (PATTERN, "'-0.5', DefaultValue: 0", "-0.5", 0.0),
    (PATTERN, "1, DefaultValue: '7'", "1", 7.0),
    (PATTERN, "'$.b.c[0]', DefaultValue: 1e3", "$.b.c[0]", 1000.0),
    ("'[a, b]'", "$b", "$b", None),
    ("'[a, b]'", "$2", "$2", None),
    ("ERROR", "3", "3", None),
    ("''", "3", "3", None),
]


@pytest.mark.parametrize(("pattern", "value", "wanted", "default"), VALUES)
def test_values(pattern, value, wanted, default):
    """A value is a number or what the pattern's kind can refer to; numbers may be quoted."""
    text = written(pattern, f"[{{MetricNamespace: N, MetricName: M, MetricValue: {value}}}]")
    found = read(template(F=text))
    assert told(found) == []
    assert [(each.transformation.value, each.transformation.default) for each in found.filters] == [
        (wanted, default)
    ]


TWO = "[{MetricName: A, MetricNamespace: N, MetricValue: 1}, {MetricName: B, MetricNamespace: N, MetricValue: 1, DefaultValue: 0}]"
MEMBER = "1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: Member must have length less than or equal to {}"
TRANSFORMATIONS = [
    (TWO, "[{MetricName", ("1 validation error detected: Value '[MetricTransformation(metricName=A, metricNamespace=N, metricValue=1, defaultValue=null, unit=null, dimensions=null), "
     "MetricTransformation(metricName=B, metricNamespace=N, metricValue=1, defaultValue=0, unit=null, dimensions=null)]' at 'metricTransformations' "
     "failed to satisfy constraint: Member must have length less than or equal to 1 (write a filter for each metric)")),
    ("[]", "[]", "1 validation error detected: Value '[]' at 'metricTransformations' failed to satisfy constraint: Member must have length greater than or equal to 1"),
    ("text", "text", "Value of property MetricTransformations must be of type List"),
    ("[text]", "text", "Value of property MetricTransformations must be a list of objects"),
    ("[{MetricNamespace: N, MetricName: M}]", "{MetricNamespace", "required key [MetricValue] not found"),
    ("[{MetricName: M, MetricValue: 1}]", "{MetricName", "required key [MetricNamespace] not found"),
    ("[{MetricNamespace: N, MetricName: 'a:b', MetricValue: 1}]", "'a:b'", "MetricName must not contain ':', '*' or '$'"),
    (f"[{{MetricNamespace: N, MetricName: {'x' * 256}, MetricValue: 1}}]", "xxx", MEMBER.format("x" * 200 + "…", "metricName", 255)),
    ("[{MetricNamespace: N, MetricName: M, MetricValue: abc}]", "abc", "Invalid metric transformation: metric value abc must be a valid number (write a number, or a selector without wildcard such as $.latency)"),
    ("[{MetricNamespace: N, MetricName: M, MetricValue: '$.values[*]'}]", "'$.values", "Invalid metric transformation: metric value $.values[*] must be a valid number (write a number, or a selector without wildcard such as $.latency)"),
    ("[{MetricNamespace: N, MetricName: M, MetricValue: 1e999}]", "1e999", "Invalid metric transformation: metric value 1e999 must be a valid number (write a number, or a selector without wildcard such as $.latency)"),
    ("[{MetricNamespace: N, MetricName: M, MetricValue: 1, DefaultValue: seven}]", "seven", "SerializationException: STRING_VALUE cannot be converted to Double (write a number)"),
    ("[{MetricNamespace: N, MetricName: M, MetricValue: 1, DefaultValue: 0, Dimensions: [{Key: A, Value: $.a}]}]", "0, Dim", "Invalid metric transformation: dimensions and default value are mutually exclusive properties. (remove one of the two)"),
    ("[{MetricNamespace: N, MetricName: M, MetricValue: 1, Dimensions: {A: $.a}}]", "{A", "Value of property Dimensions must be of type List"),
    ("[{MetricNamespace: N, MetricName: M, MetricValue: 1, Unit: Counts}]", "Counts", "1 validation error detected: Value 'Counts' at 'unit' failed to satisfy constraint: Member must satisfy enum value set: "),
    ("[{MetricNamespace: N, MetricName: M, MetricValue: 1, Dimensions: [{Key: A, Value: b}]}]", "[{Key", "Invalid metric transformation: dimension value b refers to nothing that the pattern gives (write a selector without wildcard such as $.latency)"),
    ("[{MetricNamespace: N, MetricName: M, MetricValue: 1, Dimensions: [{Key: A, Value: $.a}, {Key: A, Value: $.b}]}]", "[{Key", "Dimensions names a dimension twice"),
    ("[{MetricNamespace: N, MetricName: M, MetricValue: 1, Dimensions: [{Key: A, Value: $.a}, {Key: B, Value: $.a}, {Key: C, Value: $.a}, {Key: D, Value: $.a}]}]", "[{Key",
     MEMBER.format("{A=$.a, B=$.a, C=$.a, D=$.a}", "dimensions", 3)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "marker", "message"), TRANSFORMATIONS)
def test_transformations_that_are_refused(text, marker, message):
    """A transformation that AWS refuses is an error in its words, at the value."""
    content = template(F=written(transformations=text)).decode()
    found = read(content)
    assert found.filters == ()
    ((line, column, said),) = told(found)
    assert (line, column, said[: len(message)]) == (7, content.split("\n")[6].index(marker) + 1, message)


OTHERS = [
    (written(group="a b"), (5, 21), r"1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must have 1 to 512 characters of the pattern [\.\-_/#A-Za-z0-9]+"),
    (written(group="x" * 513), (5, 21), "1 validation error detected: Value 'xxx"),
    (written(rest="  FilterName: a:b\n"), (8, 19), "FilterName must not contain ':' or '*'"),
    (written(rest=f"  FilterName: {'x' * 513}\n"), (8, 19), MEMBER.format("x" * 200 + "…", "filterName", 512)),
    ("Type: AWS::Logs::MetricFilter\n", (2, 3), "required key [LogGroupName] not found"),
    ("Type: AWS::Logs::MetricFilter\nProperties: [a]\n", (4, 17), "Properties has to be a mapping, this is a list"),
    ("Type: AWS::Logs::MetricFilter\nProperties:\n  LogGroupName: a\n", (5, 7), "required key [FilterPattern] not found"),
    ("Type: AWS::Logs::MetricFilter\nProperties:\n  LogGroupName: a\n  FilterPattern: ''\n", (5, 7), "required key [MetricTransformations] not found"),
    ("Type: AWS::Logs::MetricFilter\nProperties:\n  Fn::Transform: {Name: AWS::Include}\n", (5, 7), "Fn::Transform is not supported: macros and AWS::Include are not run"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "message"), OTHERS)
def test_filters_that_are_refused(text, place, message):
    """Names and keys that AWS refuses are errors at their places."""
    ((line, column, said),) = told(read(template(F=text)))
    assert ((line, column), said[: len(message)]) == (place, message)


def test_what_is_not_applied():
    """Settings that would change what a filter sees are warnings."""
    rest = "  ApplyOnTransformedLogs: true\n  FieldSelectionCriteria: '@aws.account = 1'\n  EmitSystemFieldDimensions: ['@aws.region']\n"
    found = read(template(F=written(rest=rest)))
    assert len(found.filters) == 1
    assert [message.partition(":")[0] for _, _, message in told(found, "warning")] == [
        "ApplyOnTransformedLogs",
        "FieldSelectionCriteria",
        "EmitSystemFieldDimensions",
    ]
    assert read(template(F=written(rest="  ApplyOnTransformedLogs: false\n"))).notices == ()


PLACES = [
    ("'{ $.a == 1 }'", 6, 30, ""),
    ('"{ $.a == 1 }"', 6, 30, ""),
    ("'{ $.a = ''x }'", 6, 31, ""),
    (r'"{ $.\u0061 = \"x\" == 1 }"', 6, 42, ""),
    ("ERROR-*", 6, 28, ""),
    ("|\n    { $.a = 1 &&\n      $.b == 2 }", 8, 16, ""),
    (">-\n    { $.a = 1 &&\n    $.b == 2 }", 8, 14, ""),
    (">\n    { $.a = 1 &&\n\n      $.b = 1 &&\n    $.c == 2 }", 10, 14, ""),
    ("'{ $.a = 1 &&\n    $.b == 2 }'", 7, 14, ""),
    ('"{ $.a = 1 && \\\n    $.b == 2 }"', 7, 14, ""),
    ("!Sub '{ $.a == ${AWS::Region} }'", 6, 35, ""),
    ("!Sub '{ $.a = ${AWS::AccountId} && $.b == 1 }'", 6, 27, ", at character 30 of the pattern"),
    ("!Join [' ', ['{ $.a', '== 1 }']]", 6, 22, ", at character 8 of the pattern"),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "line", "column", "behind"), PLACES)
def test_where_a_pattern_is_wrong(pattern, line, column, behind):
    """An error points at the pattern's character as it is written, through quotes, folding and indentation."""
    text = written(pattern)
    found = read(template(F=text).decode())
    ((at_line, at_column, message),) = told(found)
    assert (at_line, at_column) == (line, column), message
    assert message.endswith(behind)
    assert found.notices[0].place.path == "Resources.F.Properties.FilterPattern"


def test_a_pattern_in_a_parameter():
    """An error in a default points at the default."""
    head = "Parameters:\n  P:\n    Type: String\n    Default: '{ $.a == 1 }'\n"
    assert told(read(template(head, F=written("!Ref P")))) == [(4, 22, "Invalid metric filter pattern")]
