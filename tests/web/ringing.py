"""Alarms of all kinds in a state: a watcher's own evaluation, over datapoints that a test publishes."""

import json
from datetime import UTC, datetime

from rolewatch.notify.routes import Routes
from rolewatch.store import alarms as store
from rolewatch.store import log_alarms
from rolewatch.store.alarms import TransitionRow
from rolewatch.store.datapoints import Named
from rolewatch.store.log_alarms import LogAlarmRow
from rolewatch.store.migrations import prepare
from rolewatch.store.state import State
from rolewatch.templates import read_template
from rolewatch.watch.alarm_counts import Counts
from rolewatch.watch.alarm_definitions import definitions_of
from rolewatch.watch.alarm_telling import AlarmTeller
from rolewatch.watch.alarms import Alarms
from rolewatch.watch.log_alarm_memory import Memory, digest_of, written
from rolewatch.watch.telling import Address

MINUTE = 60
DENIED = Named("N", "Denied", (), "None")
FILTER = """
  Denied:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: trail
      FilterPattern: "{ $.errorCode = AccessDenied }"
      MetricTransformations: [{MetricNamespace: N, MetricName: Denied, MetricValue: "1", DefaultValue: 0}]
"""
KINDS = """
  Quick:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: quick, AlarmDescription: Something was refused, Namespace: N, MetricName: Denied, Statistic: Sum, Period: 60, EvaluationPeriods: 3,
      DatapointsToAlarm: 1, Threshold: 1, ComparisonOperator: GreaterThanOrEqualToThreshold, TreatMissingData: notBreaching, AlarmActions: [page]}
  Slow:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: slow, Namespace: N, MetricName: Denied, Statistic: Sum, Period: 300, EvaluationPeriods: 2, Threshold: 100,
      ComparisonOperator: GreaterThanThreshold, TreatMissingData: notBreaching}
  Band:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: band
      EvaluationPeriods: 1
      ThresholdMetricId: ad
      ComparisonOperator: GreaterThanUpperThreshold
      TreatMissingData: notBreaching
      Metrics:
        - {Id: m, ReturnData: true, MetricStat: {Stat: Sum, Period: 60, Metric: {Namespace: N, MetricName: Denied}}}
        - {Id: ad, ReturnData: true, Expression: "ANOMALY_DETECTION_BAND(m, 2)"}
  Both:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties: {AlarmName: both, AlarmRule: "ALARM(quick) AND NOT ALARM(slow)", ActionsSuppressor: band, ActionsSuppressorWaitPeriod: 60,
      ActionsSuppressorExtensionPeriod: 120}
  Logs:
    Type: AWS::CloudWatch::LogAlarm
    Properties:
      AlarmName: logs
      Threshold: 2
      ComparisonOperator: GreaterThanOrEqualToThreshold
      QueryResultsToEvaluate: 2
      QueryResultsToAlarm: 1
      ScheduledQueryConfiguration:
        QueryString: "filter errorCode = 'AccessDenied'"
        AggregationExpression: "count(*) by requestParameters.bucketName"
        ScheduledQueryRoleARN: arn:aws:iam::111122223333:role/q
        ScheduleConfiguration: {ScheduleExpression: rate(5 minutes), StartTimeOffset: 600}
"""


def named(*names):
    """Write alarms of any names."""
    return "".join(
        f"""
  Any{number}:
    Type: AWS::CloudWatch::Alarm
    Properties: {{AlarmName: {json.dumps(name, ensure_ascii=False)}, AlarmDescription: {json.dumps(name, ensure_ascii=False)}, Namespace: N, MetricName: Denied, Statistic: Sum, Period: 60,
      EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: GreaterThanOrEqualToThreshold, TreatMissingData: notBreaching}}
"""
        for number, name in enumerate(names)
    )


class Ringing:
    """Alarms that were created so many minutes before a moment (now, cut to minutes), and evaluated as a test says.

    Minutes are counted from when they were created.
    """

    def __init__(self, place, text=KINDS, *, minutes=60, now=None):
        now = now or datetime.now(UTC)
        self.start = int(now.timestamp()) // MINUTE * MINUTE - minutes * MINUTE
        self.minutes = minutes
        template = read_template(
            f"Resources:{FILTER}{text}".encode(), "alarms.yaml", account="111122223333", region="eu-central-1"
        )
        assert [each for each in template.notices if each.level == "error"] == []
        self.definitions = definitions_of(template)
        self.state = State(place)
        prepare(self.state)
        teller = AlarmTeller(
            Routes((), ("url",)), {"page": ("url",)}, {"url": Address("t", "slack://team")}, ()
        )
        self.alarms = Alarms(self.definitions, teller, lambda *_: None)
        self.evaluate(0)

    def publish(self, minutes):
        """Publish values of the metric: minute → how many refusals."""
        values = {self.start + minute * MINUTE: {1.0: number} for minute, number in minutes.items()}
        counts = Counts({None: {DENIED: values}})
        moment = datetime.fromtimestamp(self.start + self.minutes * MINUTE, UTC)
        self.state.write(lambda connection: self.alarms.keep(connection, counts, moment))

    def evaluate(self, minute):
        """Evaluate as far as a minute."""
        moment = datetime.fromtimestamp(self.start + minute * MINUTE + 5, UTC)
        self.alarms.tick(self.state, moment, moment)

    def contribute(self, alarm, contributors):
        """Have a log alarm's query give results now: value by bucket; those of at least 2 ring since then."""
        run = self.start + self.minutes * MINUTE // 2 // 300 * 300
        who = {bucket: (("requestParameters.bucketName", bucket),) for bucket in contributors}
        ringing = tuple(who[bucket] for bucket, value in contributors.items() if value >= 2)
        memory = Memory(
            self.start,
            tuple((who[bucket], (run,), (float(value),)) for bucket, value in contributors.items()),
            ringing, seen=True, told=ringing[:1],
        )  # fmt: skip
        rows = [
            TransitionRow(
                alarm, run, "OK", "ALARM", "it rings", None, "[]", None, None, waiting=False, notification=None,
                contributor=digest_of(each), attributes=written(each), lines=json.dumps(["one line", "<b>another</b>"]),
            )
            for each in ringing
        ]  # fmt: skip

        def work(connection):
            log_alarms.save(connection, [LogAlarmRow(alarm, b"d" * 16, memory.encode())])
            store.record(connection, rows)

        self.state.write(work)

    def close(self):
        """Close the state."""
        self.state.close()
