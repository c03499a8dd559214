"""The JSON of `aws logs describe-metric-filters` and `aws cloudwatch describe-alarms` in, a template out.

Both may stand in one file, merged: the top-level keys are `metricFilters`, `MetricAlarms`, `CompositeAlarms` and `LogAlarms`. So may one
alarm mute rule, as `aws cloudwatch get-alarm-mute-rule` prints it: its keys stand at the top.
"""

import re

from rolewatch.templates.collector import ALARM, COMPOSITE, FILTER, LOG_ALARM, MUTE_RULE, Collector
from rolewatch.templates.definitions import Template
from rolewatch.templates.document import Document
from rolewatch.templates.fields import Fields, Identity, Scope, given
from rolewatch.templates.nodes import Entry, Mapping, Node, Scalar, Sequence, kind

_LISTS = {
    "metricFilters": (FILTER, "filterName"),
    "MetricAlarms": (ALARM, "AlarmName"),
    "CompositeAlarms": (COMPOSITE, "AlarmName"),
    "LogAlarms": (LOG_ALARM, "AlarmName"),
}
_MUTE_RULE_KEYS = (
    "AlarmMuteRuleArn", "Name", "Description", "Rule", "MuteTargets", "StartDate", "ExpireDate", "Status", "MuteType", "LastUpdatedTimestamp"
)  # fmt: skip
_MUTE_RULES = "AlarmMuteRuleSummaries"  # what list-alarm-mute-rules prints, without any schedule
_PAGING = ("nextToken", "NextToken")
_ALARM_ARN = re.compile(r"arn:[^:]+:cloudwatch:[^:]+:[0-9]{12}:alarm:")


def is_description(root: Mapping) -> bool:
    """Whether a file is what the AWS CLI prints, and no template."""
    return "Resources" not in root.entries and any(
        name in root.entries for name in (*_LISTS, _MUTE_RULE_KEYS[0], _MUTE_RULES)
    )


def read_description(document: Document) -> Template:
    """Read a description; what AWS itself would refuse, or what is not supported, is an error among the notices."""
    source, root, _ = document
    collector = Collector([])
    for name, (type_, named_by) in _LISTS.items():
        node = root.get(name)
        if node is None or (isinstance(node, Scalar) and node.is_null):
            continue
        if not isinstance(node, Sequence):
            raise source.error(f"{name} has to be a list, this is {kind(node)}", node.start, name)
        for number, item in enumerate(node.items):
            path = f"{name}[{number}]"
            if not isinstance(item, Mapping):
                collector.notices.append(
                    source.error(f"an object is wanted, this is {kind(item)}", item.start, path).notice()
                )
                continue
            own = item.get(named_by)
            called = own.text if isinstance(own, Scalar) else path
            fields = Fields(Scope(source, given), _as_properties(item) if type_ == FILTER else item, path)
            collector.read(type_, fields, Identity(called, called, "", source.place(item.start, path)))
    known: tuple[str, ...] = tuple(_LISTS)
    if _MUTE_RULE_KEYS[0] in root.entries:
        known += _MUTE_RULE_KEYS
        _read_mute_rule(document, collector)
    for name, entry in root.entries.items():
        if name in _PAGING:
            text = f"{name}: this is not all there is; the AWS CLI prints everything without --max-items and --no-paginate"
            collector.notices.append(source.error(text, entry.key.start, name).notice("warning"))
        elif name not in known:
            collector.unused(name, "the whole list", source.place(entry.key.start, name))
    return collector.template(_arn_prefix(root))


def _read_mute_rule(document: Document, collector: Collector) -> None:
    entries = {name: entry for name, entry in document.root.entries.items() if name in _MUTE_RULE_KEYS}
    own = document.root.get("Name")
    called = own.text if isinstance(own, Scalar) else "the alarm mute rule"
    start = document.root.start
    fields = Fields(Scope(document.source, given), Mapping(entries, start), "AlarmMuteRule")
    place = document.source.place(start, "AlarmMuteRule")
    collector.read(MUTE_RULE, fields, Identity(called, called, "", place))


def _arn_prefix(root: Mapping) -> str | None:
    """Take what stands before the name in the ARN of the first alarm that has one."""
    for name in ("MetricAlarms", "CompositeAlarms", "LogAlarms"):
        node = root.get(name)
        for item in node.items if isinstance(node, Sequence) else ():
            arn = item.get("AlarmArn") if isinstance(item, Mapping) else None
            found = _ALARM_ARN.match(arn.text) if isinstance(arn, Scalar) else None
            if found:
                return found[0]
    return None


def _as_properties(node: Node) -> Mapping:
    """Write the keys of a filter and its transformation as CloudFormation does, and dimensions as a list of Key and Value."""
    assert isinstance(node, Mapping)  # noqa: S101 - checked before
    entries = {}
    for name, entry in node.entries.items():
        value = entry.value
        if name == "metricTransformations" and isinstance(value, Sequence):
            value = Sequence(
                tuple(_as_properties(item) if isinstance(item, Mapping) else item for item in value.items),
                value.start,
            )
        if name == "dimensions" and isinstance(value, Mapping):
            pairs = (
                Mapping({"Key": Entry(key, key), "Value": Entry(key, of)}, key.start)
                for key, of in value.entries.values()
            )
            value = Sequence(tuple(pairs), value.start)
        entries[f"{name[:1].upper()}{name[1:]}"] = Entry(entry.key, value)
    return Mapping(entries, node.start)
