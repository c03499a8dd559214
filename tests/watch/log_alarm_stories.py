"""A template of log alarms of all kinds, and the calls that they look at."""

import random

import alarm_stories
from alarm_stories import FILTERS, START
from stories import call

HOURS = 1


def log_alarm(name, query, aggregation, *, every=5, offset=600, n=1, m=1, threshold=1, **more):
    """Write a log alarm; `more` are further lines."""
    extra = "".join(f"\n      {key}: {value}" for key, value in more.items())
    return f"""
  {name.capitalize()}:
    Type: AWS::CloudWatch::LogAlarm
    Properties:
      AlarmName: {name}
      Threshold: {threshold}
      ComparisonOperator: GreaterThanOrEqualToThreshold
      QueryResultsToEvaluate: {n}
      QueryResultsToAlarm: {m}
      AlarmActions: [page]
      OKActions: [calm]{extra}
      ScheduledQueryConfiguration:
        QueryString: "{query}"
        AggregationExpression: "{aggregation}"
        ScheduledQueryRoleARN: arn:aws:iam::111122223333:role/q
        ScheduleConfiguration: {{ScheduleExpression: rate({every} minutes), StartTimeOffset: {offset}}}
"""


DENIED = "filter errorCode = 'AccessDenied'"
LINES = {"ActionLogLineCount": 2, "ActionLogLineRoleArn": "arn:aws:iam::111122223333:role/l"}
LOG_ALARMS = "".join((
    log_alarm("plain", DENIED, "count(*)", offset=900, threshold=3, **LINES),
    log_alarm("quickly", DENIED, "count(*)", every=2, offset=120, n=3, m=2, TreatMissingData="notBreaching"),
    log_alarm("bybucket", DENIED, "count(*) by requestParameters.bucketName", offset=900, threshold=2, n=3, m=1, TreatMissingData="missing", **LINES),
    log_alarm("byname", "filter ispresent(errorCode)", "count(*) by eventName, requestParameters.bucketName", every=2, offset=480, n=4, m=2, TreatMissingData="ignore"),
    log_alarm("limited", DENIED + " | sort @timestamp desc | limit 3", "count(*) by requestParameters.bucketName", threshold=2),
    log_alarm("large", "filter ispresent(additionalEventData.bytesTransferredOut)", "max(additionalEventData.bytesTransferredOut)", threshold=500, TreatMissingData="breaching", n=2),
    log_alarm("nothing", "filter errorCode = 'Never'", "count(*) by eventName"),
    log_alarm("all", "", "count(*)", every=3, offset=180, threshold=8),
    log_alarm("timely", DENIED + " | filter toMillis(@timestamp) > queryEndTime() - 120000", "count(*)"),
    log_alarm("warm", DENIED, "count(*) by requestParameters.bucketName", every=2, offset=240, n=5, m=1, TreatMissingData="ignore",
        WarmUpConfiguration="{WarmUpPeriodDurationInMinutes: 25, OnlyStartEvaluatingAfterWarmUpPeriodEnds: true}"),
    log_alarm("warmer", DENIED, "count(*) by requestParameters.bucketName", every=2, offset=240, n=5, m=2, TreatMissingData="missing",
        WarmUpConfiguration="{WarmUpPeriodDurationInMinutes: 60}"),
))  # fmt: skip
OTHERS = """
  Quick:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: quick, Namespace: N, MetricName: Denied, Statistic: Sum, Period: 60, EvaluationPeriods: 2, DatapointsToAlarm: 1,
      Threshold: 1, ComparisonOperator: GreaterThanOrEqualToThreshold, TreatMissingData: notBreaching, AlarmActions: [page], OKActions: [calm]}
  Both:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties: {AlarmName: both, AlarmRule: "ALARM(quick) AND (ALARM(plain) OR ALARM(bybucket))", AlarmActions: [page], OKActions: [calm],
      ActionsSuppressor: large, ActionsSuppressorWaitPeriod: 120, ActionsSuppressorExtensionPeriod: 180}
  Mute:
    Type: AWS::CloudWatch::AlarmMuteRule
    Properties:
      Name: lunch
      Rule: {Schedule: {Expression: "cron(20,50 12 * * *)", Duration: PT15M}}
      MuteTargets: {AlarmNames: [plain, bybucket, both]}
"""
TEMPLATE = f"Resources:{FILTERS}{LOG_ALARMS}{OTHERS}"
#: A few of each kind, metric alarms and composite ones among them.
EVERYTHING = "".join((
    alarm_stories.TEMPLATE,
    log_alarm("logs", DENIED, "count(*)", every=2, offset=300, n=2, threshold=2, TreatMissingData="notBreaching", **LINES),
    log_alarm("bybucket", DENIED, "count(*) by requestParameters.bucketName", offset=600, n=3, **LINES),
    log_alarm("limited", f"{DENIED} | sort @timestamp desc | limit 3", "count(*) by requestParameters.bucketName", every=3, threshold=2),
    """
  Logged:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties: {AlarmName: logged, AlarmRule: "ALARM(logs) OR ALARM(bybucket)", AlarmActions: [page], OKActions: [calm]}
  MuteLogs:
    Type: AWS::CloudWatch::AlarmMuteRule
    Properties:
      Name: quarter
      Rule: {Schedule: {Expression: "cron(15,45 * * * *)", Duration: PT10M}}
      MuteTargets: {AlarmNames: [logs, bybucket]}
""",
))  # fmt: skip


def events(seed, hours=HOURS):
    """Make the calls of some hours, with busy and quiet times: (seconds since noon, record)."""
    rng = random.Random(seed)
    found = [(0, call(0, "calm"))]
    second = 0
    while second < hours * 3600:
        busy = (second // 900 + seed) % 3 == 0
        second += rng.choice([5, 20, 60, 200]) if busy else rng.choice([120, 400, 900])
        more = {"additionalEventData": {"bytesTransferredOut": rng.choice([1, 100, 900, "3"])}} if rng.random() < 0.3 else {}  # fmt: skip
        name = rng.choice(["GetBucketPolicy", "GetBucketAcl"])
        record = call(second / 60, f"b{rng.randint(0, 2)}", denied=busy and rng.random() < 0.6, name=name, **more)  # fmt: skip
        found.append((second, record))
    return found


END = START + int(HOURS * 3600) + 1800
