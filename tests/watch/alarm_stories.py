"""A template of everything, and a story whose watchers evaluate it."""

import json
import os
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from givers import Given
from stories import NOON, Story

from rolewatch.insights.log_runs import ask
from rolewatch.notify.notification import Notification
from rolewatch.notify.routes import Routes
from rolewatch.scan.replay import replay
from rolewatch.scan.request import ScanRequest
from rolewatch.store import alarms as stored
from rolewatch.store import outbox
from rolewatch.templates import read_template
from rolewatch.watch.alarm_definitions import definitions_of
from rolewatch.watch.alarm_message import shortened
from rolewatch.watch.alarm_telling import AlarmTeller
from rolewatch.watch.alarms import Alarms
from rolewatch.watch.commit import Rules
from rolewatch.watch.feed import Feed
from rolewatch.watch.telling import Address, Teller
from rolewatch.watch.watcher import Watcher

START = int(NOON.timestamp())
FILTERS = """
  Denied:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: trail
      FilterPattern: "{ $.errorCode = AccessDenied }"
      MetricTransformations: [{MetricNamespace: N, MetricName: Denied, MetricValue: "1", DefaultValue: 0}]
  ByBucket:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: trail
      FilterPattern: "{ $.errorCode = AccessDenied }"
      MetricTransformations:
        - {MetricNamespace: N, MetricName: ByBucket, MetricValue: "1", Dimensions: [{Key: Bucket, Value: $.requestParameters.bucketName}]}
  Size:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: trail
      FilterPattern: "{ $.additionalEventData.bytesTransferredOut = * }"
      MetricTransformations: [{MetricNamespace: N, MetricName: Size, MetricValue: $.additionalEventData.bytesTransferredOut, Unit: Bytes}]
"""
ALARMS = """
  Quick:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: quick, Namespace: N, MetricName: Denied, Statistic: Sum, Period: 60, EvaluationPeriods: 2, DatapointsToAlarm: 1,
      Threshold: 1, ComparisonOperator: GreaterThanOrEqualToThreshold, TreatMissingData: notBreaching, AlarmActions: [page], OKActions: [calm]}
  Slow:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: slow, Namespace: N, MetricName: Denied, Statistic: Sum, Period: 300, EvaluationPeriods: 3, DatapointsToAlarm: 2,
      Threshold: 2, ComparisonOperator: GreaterThanOrEqualToThreshold, AlarmActions: [page]}
  Bucket:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: bucket, Namespace: N, MetricName: ByBucket, Dimensions: [{Name: Bucket, Value: b1}], Statistic: SampleCount,
      Period: 120, EvaluationPeriods: 2, Threshold: 2, ComparisonOperator: GreaterThanOrEqualToThreshold, TreatMissingData: ignore}
  Silence:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: silence, Namespace: N, MetricName: Denied, Statistic: SampleCount, Period: 180, EvaluationPeriods: 1,
      Threshold: 1, ComparisonOperator: LessThanThreshold, TreatMissingData: breaching, AlarmActions: [page]}
  Large:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: large, Namespace: N, MetricName: Size, ExtendedStatistic: p90, Unit: Bytes, Period: 300, EvaluationPeriods: 1,
      Threshold: 500, ComparisonOperator: GreaterThanThreshold, AlarmActions: [page]}
  Share:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: share
      EvaluationPeriods: 2
      Threshold: 0.5
      ComparisonOperator: GreaterThanThreshold
      TreatMissingData: notBreaching
      AlarmActions: [page]
      Metrics:
        - {Id: e, Expression: m1 / m2, ReturnData: true}
        - {Id: m1, ReturnData: false, MetricStat: {Stat: Sum, Period: 120, Metric: {Namespace: N, MetricName: Denied}}}
        - {Id: m2, ReturnData: false, MetricStat: {Stat: SampleCount, Period: 120, Metric: {Namespace: N, MetricName: Denied}}}
  Both:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties: {AlarmName: both, AlarmRule: "ALARM(quick) AND (ALARM(slow) OR ALARM(bucket))", AlarmActions: [page], OKActions: [calm],
      ActionsSuppressor: silence, ActionsSuppressorWaitPeriod: 120, ActionsSuppressorExtensionPeriod: 180}
  Any:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties: {AlarmName: any, AlarmRule: "ALARM(both) OR NOT OK(large)", AlarmActions: [page], OKActions: [calm]}
"""
MUTES = """
  Mute:
    Type: AWS::CloudWatch::AlarmMuteRule
    Properties:
      Name: lunch
      Rule: {Schedule: {Expression: "cron(20,50 12 * * *)", Duration: PT15M}}
      MuteTargets: {AlarmNames: [quick, both]}
"""
TEMPLATE = f"Resources:{FILTERS}{ALARMS}{MUTES}"
ADDRESSES = {"url": Address("t", "test"), "page": Address("p", "page"), "calm": Address("c", "calm")}


def template_of(text=TEMPLATE):
    """Read a template that is right."""
    found = read_template(text.encode(), "alarms.yaml", account="111122223333", region="eu-central-1")
    assert [notice for notice in found.notices if notice.level == "error"] == []
    return found


@lru_cache
def _definitions(text, groups):
    return definitions_of(template_of(text), dict(groups))


class AlarmStory(Story):
    """A story with alarms; `actions` as in the settings, `routes` beside the default, `groups` are log groups by SOURCE."""

    def __init__(self, place, folder, text=TEMPLATE, actions=None, routes=(), *, groups=None, **spans):
        super().__init__(place, folder, **spans)
        self.groups = groups or {}
        self.text, self.actions, self.routes = text, actions or {}, routes

    def told_of(self, name, reason):
        """Note a complaint."""
        self.complaints.append((name, reason))

    def alarms(self, **more):
        """Take up the alarms, as a process does when it begins."""
        definitions = _definitions(self.text, tuple(sorted(self.groups.items())))
        teller = AlarmTeller(Routes(self.routes, ("url",)), self.actions, ADDRESSES, definitions.topics)
        return Alarms(definitions, teller, self.told_of, groups=self.groups, **more)

    def watcher(self, *sources, request=None):
        """Make a watcher of sources."""
        teller = Teller(lambda *_: (), {})
        rules = Rules(self.spans, teller, lambda: self.now, alarms=self.alarms())
        return Watcher(
            self.state,
            Feed(sources, self.told_of, clock=lambda: self.now),
            request or ScanRequest(),
            rules,
            told=self.told_of,
        )

    def delivery(self, *records, at=None):
        """Make a delivery that arrives at a time (seconds since 1970), else now."""
        found = super().delivery(*records)
        moment = self.now.timestamp() if at is None else at
        os.utime(found.name, (moment, moment))
        stat = Path(found.name).stat()
        identity = f"{found.name}+{stat.st_size}+{stat.st_mtime_ns}+{stat.st_ino}"
        return type(found)(found.name, identity, named=False, size=found.size, remote=False)

    def replayed(self, records, delay, folder):
        """Replay records that arrive with a delay."""
        folder.mkdir()
        self.folder, kept = folder, self.folder
        self.delivery(*records)
        self.folder = kept
        found = replay([str(folder)], template_of(self.text), ScanRequest(), delay=delay, now=NOON, ask=ask)
        assert found.start == START
        return found

    def listed(self, arrivals):
        """Make a delivery of each record that arrives at a time, by these times."""
        found = {}
        for moment, record in arrivals:
            found.setdefault(moment, []).append(self.delivery(record, at=moment))
        return found

    def clock(self, seconds):
        """Set the clock to seconds since 1970."""
        self.now = datetime.fromtimestamp(seconds, UTC)

    def follow(self, deliveries, until, *, every=60):
        """Let deliveries (by the time at which each arrives) arrive, while a watcher looks at the clock once in so many seconds."""
        source = Given()
        left = sorted(deliveries.items())
        for seconds in range(int(self.now.timestamp()) // every * every + every + 5, until + every, every):
            while left and left[0][0] < seconds:
                time, found = left.pop(0)
                self.clock(max(time, self.now.timestamp()))
                source.put(*found)
                self.arrive_from(source)
            self.clock(seconds)
            self.arrive_from(source)

    def arrive_from(self, source):
        """Let a watcher do what there is to do."""
        self.watcher(source).run(once=True)

    @property
    def transitions(self):
        """What alarms did, in order: (alarm, time, before, after, reason, data, actions, acted at, suppressed by, lines)."""
        return sorted(_told(row) for row in self._rows if row.attributes is None)

    @property
    def contributors(self):
        """What contributors of log alarms did, in the same form, with their attributes behind the alarm's name."""
        found = ((row, _told(row)) for row in self._rows if row.attributes is not None)
        return sorted(
            (name, tuple(map(tuple, json.loads(row.attributes))), *rest) for row, (name, *rest) in found
        )

    @property
    def _rows(self):
        return self.state.read(lambda connection: stored.history(connection, number=100_000))

    @property
    def letters(self):
        """What was put into the outbox, in the order in which it is sent: (alarm, state, reason, target, id, dedup key)."""
        letters = self.state.read(lambda connection: outbox.listed(connection, ("waiting",), 10_000))
        found = []
        for letter in sorted(letters, key=lambda letter: (letter.created, letter.id, letter.name)):
            told = Notification.decode(letter.body)
            found.append(
                (
                    told.alarm["AlarmName"],
                    told.alarm["NewStateValue"],
                    told.reason,
                    letter.name,
                    letter.id,
                    told.dedup_key,
                )
            )
        return found

    @property
    def states(self):
        """The states that alarms are in."""
        return {row.name: row.state for row in self.state.read(stored.alarm_states)}


def _told(row):
    return (
        row.alarm, row.time, row.before, row.after, row.reason, row.reason_data, tuple(json.loads(row.actions)),
        None if row.acted == row.time else row.acted, row.suppressed_by, tuple(json.loads(row.lines or "[]")),
    )  # fmt: skip


def _replayed(name, change):
    return (
        name, change.time, str(change.before), str(change.after), change.reason, change.reason_data, change.actions,
        change.acted_at, change.suppressed_by, shortened(change.lines),
    )  # fmt: skip


def told_by(histories):
    """Give the transitions of a replay in the same form."""
    return sorted(
        _replayed(history.alarm.name, change) for history in histories for change in history.transitions
    )


def told_by_contributors(histories):
    """Give those of contributors in the same form."""
    found = (
        (each.attributes, _replayed(history.alarm.name, each.change))
        for history in histories
        for each in history.contributors
    )
    return sorted((name, who, *rest) for who, (name, *rest) in found)
