"""A matching record in; the value and the dimensions that its metric filter publishes, out.

Source: the reference algorithm of spec/metric-filter.md §4, and §2 for what a reference gives. What the spec leaves open is
chosen so that nothing is made up: a text that is a number counts as that number; a boolean, an object or an array
gives no datapoint, as any other text does; an empty dimension, or one that is null, an object or an array, is missing.
CloudWatch takes values from -2^360 to 2^360 ("PutMetricData"): a greater one gives no datapoint either.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from rolewatch.base.errors import UsageError
from rolewatch.patterns import Pattern
from rolewatch.patterns.match_json import MISSING, NUMBERS, Node
from rolewatch.patterns.numbers import rendered, value_of
from rolewatch.patterns.records import Matcher, compact
from rolewatch.patterns.reference import Field, Reference, parse_dimension, parse_number, parse_value
from rolewatch.patterns.selected import Message, Path
from rolewatch.templates.definitions import Transformation
from rolewatch.templates.numerals import GREATEST

Dimensions = tuple[tuple[str, str], ...]
NO_DIMENSIONS: Dimensions = ()


class Published(NamedTuple):
    """One value of one of a filter's series."""

    dimensions: Dimensions
    value: float


class Publisher:
    """Publishes what one metric filter's transformation says; `constant` is its value where no record is asked for one.

    Raises UsageError for a transformation that refers to what its pattern cannot give, and for a number that CloudWatch
    does not take.
    """

    def __init__(self, pattern: Pattern, transformation: Transformation) -> None:
        self._pattern = pattern
        self._default = transformation.default
        value = parse_value(transformation.value, pattern)
        _check("metric", value)
        _check("default", self._default)
        self._value = value
        self._dimensions = {
            name: parse_dimension(text, pattern) for name, text in sorted(transformation.dimensions)
        }
        self.constant = value if isinstance(value, float) and not self._dimensions else None
        self._gets: dict[Path, Any] = {}

    @property
    def paths(self) -> list[Path]:
        """The paths into JSON records that are read to publish."""
        references = [self._value, *self._dimensions.values()]
        return [path for path in references if isinstance(path, tuple) and not isinstance(path, Field)]

    def bind(self, matcher: Matcher) -> None:
        """Learn to read the paths from what a matcher reads."""
        self._gets = {path: matcher.reach(path) for path in self.paths}

    def publish(self, raw: Message, read: Any) -> Published | None:
        """Give what a matching record publishes; None if it publishes nothing."""
        fields = self._fields(raw)
        value = self._value if isinstance(self._value, float) else self._number(self._value, read, fields)
        if value is None:
            return None
        found = {name: self._text(reference, read, fields) for name, reference in self._dimensions.items()}
        dimensions = tuple((name, text) for name, text in found.items() if text)
        return Published(dimensions if len(dimensions) == len(found) else NO_DIMENSIONS, value)

    def _fields(self, raw: Message) -> Mapping[str, str]:
        if not any(isinstance(each, Field) for each in (self._value, *self._dimensions.values())):
            return {}
        return self._pattern.match(compact(raw)) or {}

    def _number(self, reference: Reference, read: Any, fields: Mapping[str, str]) -> float | None:
        node = self._node(reference, read, fields)
        if node is MISSING or node is None:
            return self._default
        number = parse_number(node) if isinstance(node, str) else None
        if type(node) in NUMBERS:
            exact = value_of(node)
            number = None if exact is None else float(exact)
        return None if number is None or abs(number) > GREATEST else number

    def _text(self, reference: Reference, read: Any, fields: Mapping[str, str]) -> str:
        node = self._node(reference, read, fields)
        if isinstance(node, bool):
            return "true" if node else "false"
        if type(node) in NUMBERS:
            return rendered(node)
        return node if isinstance(node, str) else ""

    def _node(self, reference: Reference, read: Any, fields: Mapping[str, str]) -> Node:
        if isinstance(reference, Field):
            return fields.get(reference.key, MISSING)
        return self._gets[reference](read)


def _check(kind: str, value: object) -> None:
    """Refuse a number that CloudWatch does not take."""
    if isinstance(value, float) and abs(value) > GREATEST:
        raise UsageError(
            f"Invalid metric transformation: {kind} value {value:g} is out of range",
            remedy="write a number from -2^360 to 2^360",
        )
