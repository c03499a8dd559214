"""A trail's event selectors in, of either kind; whether they let a record through, out.

Sources: CloudTrail API reference, EventSelector, DataResource, AdvancedEventSelector and AdvancedFieldSelector.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Record = Mapping[str, Any]
_OBJECT: Final = "AWS::S3::Object"
#: What basic selectors write for all objects of all buckets, whatever the partition.
_EVERY_BUCKET: Final = (":s3", ":s3:::")
_OPERATORS: Final[Mapping[str, tuple[Callable[[str, str], bool], bool]]] = {
    "Equals": (str.__eq__, True),
    "StartsWith": (str.startswith, True),
    "EndsWith": (str.endswith, True),
    "NotEquals": (str.__eq__, False),
    "NotStartsWith": (str.startswith, False),
    "NotEndsWith": (str.endswith, False),
}
"""Operator → how a value is held against each of those named, and whether one of them has to fit, or none may."""


def records(selectors: Mapping[str, Any], record: Record) -> bool:
    """Whether a trail with what GetEventSelectors says records an event."""
    basic, advanced = selectors.get("EventSelectors") or (), selectors.get("AdvancedEventSelectors") or ()
    if not basic and not advanced:  # what a trail records unless it is told otherwise
        basic = ({},)
    return any(_basic(each, record) for each in basic) or any(_advanced(each, record) for each in advanced)


def limited_to(selectors: Mapping[str, Any]) -> list[str]:
    """List the buckets, or parts of them, to which data events of objects are limited; none if they are not recorded, or all are."""
    found = [
        str(value)
        for each in selectors.get("EventSelectors") or ()
        for resource in each.get("DataResources") or ()
        for value in resource.get("Values") or ()
        if resource.get("Type") == _OBJECT
    ]
    for each in selectors.get("AdvancedEventSelectors") or ():
        fields = {field.get("Field"): field for field in each.get("FieldSelectors") or ()}
        if _OBJECT in (fields.get("resources.type") or {}).get("Equals", ()):
            named = fields.get("resources.ARN") or {}
            found += [*named.get("Equals", ()), *named.get("StartsWith", ())]
    return found


def _basic(selector: Mapping[str, Any], record: Record) -> bool:
    wanted = selector.get("ReadWriteType", "All")
    if wanted != "All" and (wanted == "ReadOnly") != bool(record.get("readOnly")):
        return False
    if record["eventCategory"] == "Management":
        excluded = selector.get("ExcludeManagementEventSources") or ()
        return bool(selector.get("IncludeManagementEvents", True)) and record["eventSource"] not in excluded
    return any(
        resource.get("Type") == own.get("type") and _covers(resource.get("Values") or (), own.get("ARN", ""))
        for resource in selector.get("DataResources") or ()
        for own in record.get("resources") or ()
    )


def _covers(values: Sequence[str], arn: str) -> bool:
    return any(arn.startswith(value) or value.endswith(_EVERY_BUCKET) for value in values)


def _advanced(selector: Mapping[str, Any], record: Record) -> bool:
    return all(_holds(field, record) for field in selector.get("FieldSelectors") or ())


def _holds(selector: Mapping[str, Any], record: Record) -> bool:
    """Hold one field selector against a record: what is not negated and what is have to be met each."""
    values = _values(str(selector.get("Field")), record)
    for name, (test, wanted) in _OPERATORS.items():
        named = selector.get(name)
        if named and any(test(value, each) for value in values for each in named) is not wanted:
            return False
    return True


def _values(field: str, record: Record) -> list[str]:
    """Give the values of a field, as selectors name it; booleans as they are written in them."""
    nodes: list[Any] = [record]
    if field.startswith("resources."):
        name = field.partition(".")[2]
        nodes = [each.get(name) for each in record.get("resources") or ()]
    else:
        for step in field.split("."):
            nodes = [node.get(step) for node in nodes if isinstance(node, Mapping)]
    return [str(node).lower() if isinstance(node, bool) else str(node) for node in nodes if node is not None]
