"""An alarm's definition in, text for the state out; and the way back, for those who look at alarms without the templates."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from rolewatch.alarms.history import AnyAlarm
from rolewatch.base.sanitise import encodable
from rolewatch.patterns import compile_pattern
from rolewatch.templates.definitions import (
    Alarm,
    AnomalyDetector,
    CompositeAlarm,
    LogAlarm,
    MetricFilter,
    Place,
    Spelling,
    Transformation,
)
from rolewatch.watch.alarm_definitions import Definitions

_NOWHERE: Final = Place("", 0, 0, "")
_TYPES: Final[Mapping[str, type[AnyAlarm]]] = {
    "metric": Alarm,
    "composite": CompositeAlarm,
    "log": LogAlarm,
}


class Counted(NamedTuple):
    """A metric filter in a few words: the records of a log group that match publish a value of a metric.

    From `namespace` on they are those of its `Transformation`, in its order.
    """

    name: str
    log_group: str
    pattern: str
    namespace: str
    metric: str
    value: str
    default: float | None = None
    dimensions: tuple[tuple[str, str], ...] = ()
    unit: str | None = None


class Kept(NamedTuple):
    """What is known of an alarm: its definition, the detectors of its metrics, and the filters that publish these.

    Places in templates are left out.
    """

    alarm: AnyAlarm
    detectors: tuple[AnomalyDetector, ...] = ()
    filters: tuple[Counted, ...] = ()


class _Rest(NamedTuple):
    detectors: tuple[AnomalyDetector, ...]
    filters: tuple[Counted, ...]


def written(alarm: AnyAlarm, definitions: Definitions) -> str:
    """Write what is known of an alarm as JSON in ASCII; the same whatever place in a template it is from."""
    reach = definitions.reaches.get(alarm.name)
    metrics = set(reach.metrics) if reach else set()
    names = {(metric.namespace, metric.name) for metric in metrics}
    rest = _Rest(
        tuple(each for each in definitions.detectors if each.metric in metrics),
        tuple(
            _counted(each)
            for each in definitions.filters
            if (each.transformation.namespace, each.transformation.name) in names
        ),
    )
    return json.dumps([_placeless(alarm), _placeless(rest)])


def read(kind: str, text: str | None) -> Kept | None:
    """Read it again; None of what another version of rolewatch wrote, or none did."""
    if text is None or kind not in _TYPES:
        return None
    try:
        alarm, rest = json.loads(text)
        found: AnyAlarm = msgspec.convert(alarm, _TYPES[kind])
        return Kept(found, *msgspec.convert(rest, _Rest))
    except (ValueError, TypeError):  # msgspec.ValidationError is a ValueError
        return None


def filters_of(known: Iterable[Kept]) -> tuple[MetricFilter, ...]:
    """Make the metric filters again that publish what some alarms look at, each once; PatternError for a pattern that is none."""
    found = dict.fromkeys(each for kept in known for each in kept.filters)
    return tuple(
        MetricFilter(
            f"{each.name}-{number}", each.name, each.log_group, compile_pattern(each.pattern),
            Transformation(each.namespace, each.metric, each.value, each.default, each.dimensions, each.unit), _NOWHERE,
        )
        for number, each in enumerate(found)
    )  # fmt: skip


def _counted(each: MetricFilter) -> Counted:
    return Counted(each.name, each.log_group, each.pattern.text, *each.transformation)


def _placeless(value: Any) -> Any:
    if isinstance(value, Place):
        return _NOWHERE
    if isinstance(value, Spelling):
        return Spelling(_NOWHERE, 0, ())
    if isinstance(value, str):
        return encodable(value)
    return [_placeless(each) for each in value] if isinstance(value, tuple) else value
