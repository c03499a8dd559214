"""What a matching record publishes, as measured on the live service (spec/metric-filter.md §2 and §4)."""

import json

import pytest

from rolewatch.base.errors import UsageError
from rolewatch.metrics.publish import Published, Publisher
from rolewatch.patterns import compile_pattern
from rolewatch.patterns.records import Matcher
from rolewatch.templates.definitions import Transformation


def published(message, *, pattern="{ $.id = * }", **transformation):
    """Publish one message's value."""
    compiled = compile_pattern(pattern)
    publisher = Publisher(compiled, Transformation("Local", "Metric", **transformation))
    matcher = Matcher([compiled], publisher.paths)
    publisher.bind(matcher)
    raw = (
        message.encode() if isinstance(message, str) else json.dumps(message, separators=(",", ":")).encode()
    )
    return publisher.publish(raw, matcher.read(raw))


VALUES = [
    ({"id": 1, "v": 3}, 3.0),
    ({"id": 1}, 7.0),
    ({"id": 1, "v": None}, 7.0),
    ({"id": 1, "v": "text"}, None),
    ({"id": 1, "v": "3"}, 3.0),
    ({"id": 1, "v": " 3"}, None),
    ({"id": 1, "v": True}, None),
    ({"id": 1, "v": {"x": 1}}, None),
    ({"id": 1, "v": [1]}, None),
    ('{"id":1,"v":1e999}', None),
    (f'{{"id":1,"v":1{"0" * 400}}}', None),
    ('{"id":1,"v":-2.5e1}', -25.0),
    (f'{{"id":1,"v":{2**360}}}', 2.0**360),
    (f'{{"id":1,"v":{-(2**360)}}}', -(2.0**360)),
    (f'{{"id":1,"v":{2**361}}}', None),
    ('{"id":1,"v":-1.7e308}', None),
    ({"id": 1, "v": "2.4e108"}, None),
]


@pytest.mark.parametrize(("message", "expected"), VALUES)
def test_value(message, expected):
    """A missing value and null give the default; what is no number, or too great a one, gives no datapoint at all."""
    found = published(message, value="$.v", default=7.0)
    assert (found and found.value) == expected


def test_no_default():
    """Without a default a missing value publishes nothing."""
    assert published({"id": 1}, value="$.v") is None


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"id": 1, "a": "x", "b": "y"}, (("A", "x"), ("B", "y"))),
        ({"id": 1, "a": "x"}, ()),
        ({"id": 1}, ()),
        ({"id": 1, "a": "x", "b": None}, ()),
        ({"id": 1, "a": "x", "b": ""}, ()),
        ({"id": 1, "a": 1.50, "b": False}, (("A", "1.5"), ("B", "false"))),
        ({"id": 1, "a": ["x"], "b": {"y": 1}}, ()),
    ],
)
def test_dimensions(message, expected):
    """All dimensions or none: there is never a series with some of them."""
    dimensions = (("B", "$.b"), ("A", "$.a"))
    assert published(message, value="1", dimensions=dimensions) == Published(expected, 1.0)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("10.0.0.1 512", Published((("IP", "10.0.0.1"),), 512.0)),
        ("10.0.0.1 -", None),
        ('"" 5', Published((), 5.0)),
    ],
)
def test_fields_of_a_line(line, expected):
    """A space-delimited pattern's fields are values and dimensions."""
    found = published(line, pattern="[ip, size]", value="$size", dimensions=(("IP", "$ip"),))
    assert found == expected


@pytest.mark.parametrize(("value", "dimensions", "constant"), [("2", (), 2.0), ("$.v", (), None), ("2", (("A", "$.a"),), None)])  # fmt: skip
def test_constant(value, dimensions, constant):
    """Only a number without dimensions is the same for every record."""
    transformation = Transformation("Local", "Metric", value, dimensions=dimensions)
    assert Publisher(compile_pattern("{ $.id = * }"), transformation).constant == constant


@pytest.mark.parametrize(
    ("value", "default", "complaint"),
    [("1e308", None, "metric value 1e\\+308"), ("-2.4e108", 0.0, "metric value -2.4e\\+108"), ("1", -1e300, "default value -1e\\+300")],
)  # fmt: skip
def test_numbers_that_cloudwatch_does_not_take(value, default, complaint):
    """A constant or a default beyond 2^360 is an error."""
    with pytest.raises(UsageError, match=f"{complaint} is out of range .write a number from -2.360 to 2.360"):
        Publisher(compile_pattern(""), Transformation("Local", "Metric", value, default))
