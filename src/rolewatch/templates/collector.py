"""Resources one by one in; all their definitions and notices, as one Template, out.

A resource that makes no sense is a notice, and the others go on. What has no effect here is named once for all
resources that have it.
"""

import re
from collections.abc import Callable

from rolewatch.base.wording import some
from rolewatch.templates.alarms import read_alarm, read_composite
from rolewatch.templates.combination import without_clashes
from rolewatch.templates.definitions import (
    Alarm,
    AlarmMuteRule,
    AnomalyDetector,
    CompositeAlarm,
    LeftOut,
    LogAlarm,
    MetricFilter,
    Notice,
    Place,
    QueryDefinition,
    Template,
    Topic,
)
from rolewatch.templates.errors import MissingParameterError, TemplateError
from rolewatch.templates.fields import Fields, Identity
from rolewatch.templates.filters import read_filter
from rolewatch.templates.log_alarms import read_log_alarm
from rolewatch.templates.mute_rules import read_mute_rule
from rolewatch.templates.resources import (
    Subscription,
    read_detector,
    read_query,
    read_subscription,
    read_topic,
)

FILTER = "AWS::Logs::MetricFilter"
ALARM = "AWS::CloudWatch::Alarm"
COMPOSITE = "AWS::CloudWatch::CompositeAlarm"
LOG_ALARM = "AWS::CloudWatch::LogAlarm"
MUTE_RULE = "AWS::CloudWatch::AlarmMuteRule"
_INDEX = re.compile(r"\[[0-9]+\]")
_NAMED = 10  # resources that a notice names
_HINTS = {
    "AWS::CloudFormation::Stack": "nested stacks are not opened; give their templates as well",
    "AWS::CloudFormation::Macro": "macros are not run",
    "AlarmMuteRuleSummaries": "they have no schedules; give what get-alarm-mute-rule prints for each rule",
}
#: Properties without any effect on what an alarm does, and those of a description that tell its present state.
_SILENT = frozenset(
    {"Tags", "AlarmArn", "AlarmConfigurationUpdatedTimestamp", "StateValue", "StateReason", "StateReasonData", "StateUpdatedTimestamp",
     "StateTransitionedTimestamp", "EvaluationState", "ActionsSuppressedBy", "ActionsSuppressedReason", "CreationTime", "KmsMasterKeyId",
     "DisplayName", "DataProtectionPolicy", "TracingConfig", "SignatureVersion", "AlarmMuteRuleArn", "Status", "MuteType",
     "LastUpdatedTimestamp", "QueryARN"}
)  # fmt: skip


class Collector:
    """Collects definitions and notices."""

    def __init__(self, notices: list[Notice]) -> None:
        self.notices = notices
        self._filters: list[MetricFilter] = []
        self._alarms: list[Alarm] = []
        self._composites: list[CompositeAlarm] = []
        self._log_alarms: list[LogAlarm] = []
        self._detectors: list[AnomalyDetector] = []
        self._mute_rules: list[AlarmMuteRule] = []
        self._queries: list[QueryDefinition] = []
        self._topics: list[Topic] = []
        self._subscriptions: list[tuple[Subscription, Place]] = []
        self._left_out: list[LeftOut] = []
        self._unused: dict[str, list[tuple[str, Place]]] = {}  # a type, or a property of a type → who has it

    def read(self, type_: str, fields: Fields, identity: Identity) -> None:
        """Read a resource of a known type; MissingParameterError if a parameter has no value."""
        try:
            _READERS[type_](self, fields, identity)
        except MissingParameterError:
            raise
        except TemplateError as error:
            self.leave_out(type_, identity.logical_id, identity.name, error)
            return
        self._tell_unread(type_, fields, identity)

    def leave_out(self, type_: str, logical_id: str, name: str, error: TemplateError) -> None:
        """Note a resource that makes no sense."""
        notice = error.notice()
        self.notices.append(notice)
        if type_ in (ALARM, COMPOSITE, LOG_ALARM):
            self._left_out.append(LeftOut(logical_id, name, notice))

    def _tell_unread(self, type_: str, fields: Fields, identity: Identity) -> None:
        """Note the properties that were not asked for."""
        for holder, key in fields.unread():
            if f"{key.text[:1].upper()}{key.text[1:]}" in _SILENT:
                continue
            at = fields.scope.source.place(key.start, f"{holder.path}.{key.text}")
            meant = holder.suggestion(key.text)
            if meant:
                text = f"extraneous key [{key.text}] is not permitted; did you mean {meant}?"
                self.notices.append(Notice("warning", text, at))
            else:
                within = _INDEX.sub("", at.path.removeprefix(f"{fields.path}."))
                self._unused.setdefault(f"{within} of {type_}", []).append((identity.logical_id, at))

    def unused(self, type_: str, logical_id: str, place: Place) -> None:
        """Note a resource of a type that has no effect here."""
        self._unused.setdefault(type_, []).append((logical_id, place))

    def template(self, arn_prefix: str | None = None) -> Template:
        """Return all that was read; `arn_prefix` is what stands before the name in the ARN of its alarms."""
        topics = self._subscribed()
        for what, holders in self._unused.items():
            names = some([logical_id for logical_id, _ in holders], _NAMED)
            hint = f" ({_HINTS[what]})" if what in _HINTS else ""
            self.notices.append(Notice("unused", f"{what} is not used here: {names}{hint}", holders[0][1]))
        return without_clashes(
            Template(
                tuple(self._filters),
                tuple(self._alarms),
                tuple(self._composites),
                tuple(self._detectors),
                tuple(self._queries),
                topics,
                tuple(self.notices),
                tuple(self._mute_rules),
                arn_prefix,
                tuple(self._left_out),
                tuple(self._log_alarms),
            )
        )

    def _subscribed(self) -> tuple[Topic, ...]:
        """Give topics with their subscriptions; one of a topic that stands elsewhere is a notice."""
        pairs: dict[str, tuple[tuple[str, str], ...]] = {
            topic.arn: topic.subscriptions for topic in self._topics
        }
        for subscription, place in self._subscriptions:
            if subscription.topic in pairs:
                pairs[subscription.topic] += ((subscription.protocol, subscription.endpoint),)
            else:
                text = (
                    f"a subscription of {subscription.topic}, which is not in this template, is not used here"
                )
                self.notices.append(Notice("unused", text, place))
        return tuple(topic._replace(subscriptions=pairs[topic.arn]) for topic in self._topics)

    def _warn(self, warnings: list[TemplateError]) -> None:
        self.notices += [warning.notice("warning") for warning in warnings]

    def _filter(self, fields: Fields, identity: Identity) -> None:
        found = read_filter(fields, identity)
        self._filters.append(found.filter)
        self._warn(found.warnings)

    def _alarm(self, fields: Fields, identity: Identity) -> None:
        found = read_alarm(fields, identity)
        self._alarms.append(found.alarm)
        self._warn(found.warnings)

    def _composite(self, fields: Fields, identity: Identity) -> None:
        found = read_composite(fields, identity)
        self._composites.append(found.alarm)
        self._warn(found.warnings)

    def _log_alarm(self, fields: Fields, identity: Identity) -> None:
        found = read_log_alarm(fields, identity)
        self._log_alarms.append(found.alarm)
        self._warn(found.warnings)

    def _mute_rule(self, fields: Fields, identity: Identity) -> None:
        found = read_mute_rule(fields, identity)
        self._mute_rules.append(found.rule)
        self._warn(found.warnings)

    def _detector(self, fields: Fields, identity: Identity) -> None:
        self._detectors.append(read_detector(fields, identity))

    def _query(self, fields: Fields, identity: Identity) -> None:
        self._queries.append(read_query(fields, identity))

    def _topic(self, fields: Fields, identity: Identity) -> None:
        self._topics.append(read_topic(fields, identity))

    def _subscription(self, fields: Fields, identity: Identity) -> None:
        self._subscriptions.append((read_subscription(fields), identity.place))


_READERS: dict[str, Callable[[Collector, Fields, Identity], None]] = {
    FILTER: Collector._filter,  # noqa: SLF001 - the table belongs to the class
    ALARM: Collector._alarm,  # noqa: SLF001
    COMPOSITE: Collector._composite,  # noqa: SLF001
    LOG_ALARM: Collector._log_alarm,  # noqa: SLF001
    MUTE_RULE: Collector._mute_rule,  # noqa: SLF001
    "AWS::CloudWatch::AnomalyDetector": Collector._detector,  # noqa: SLF001
    "AWS::Logs::QueryDefinition": Collector._query,  # noqa: SLF001
    "AWS::SNS::Topic": Collector._topic,  # noqa: SLF001
    "AWS::SNS::Subscription": Collector._subscription,  # noqa: SLF001
}
USED = frozenset(_READERS)
