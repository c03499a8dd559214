"""What CloudFormation says about metric filters and alarms, with everything resolved: data, and nothing else.

Names are those of the resources' properties (`AWS::Logs::MetricFilter`, `AWS::CloudWatch::Alarm`, …) in Python's spelling.
Sources: spec/metric-filter.md §1, spec/alarm.md §1 and §10.
"""

from bisect import bisect_right
from typing import NamedTuple

from rolewatch.patterns import Pattern


class Place(NamedTuple):
    """Where something is written: `line` and `column` from 1; `path` such as `Resources.Denied.Properties.Period`."""

    file: str
    line: int
    column: int
    path: str

    def __str__(self) -> str:
        """Return `file:line:column`, as editors understand it."""
        return f"{self.file}:{self.line}:{self.column}"


class Spelling(NamedTuple):
    """Where the characters of a text are written, as far as that can be told: of the first `known` ones, counted from 0.

    Each of `runs` follows the other without a gap in one line: the number of its first character, line and column.
    """

    start: Place
    known: int
    runs: tuple[tuple[int, int, int], ...]

    def at(self, character: int) -> Place:
        """Say where a character is written; where the text begins if that cannot be told."""
        if character >= self.known:
            return self.start
        run = bisect_right(self.runs, character, key=lambda each: each[0]) - 1
        first, line, column = self.runs[run]
        return self.start._replace(line=line, column=column + character - first)


class Notice(NamedTuple):
    """Something to tell about a template: an `error` leaves its resource out, a `warning` does not, `unused` names what has no effect here."""

    level: str
    message: str
    place: Place


class Metric(NamedTuple):
    """A metric's identity; dimensions are sorted by name."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()


class Transformation(NamedTuple):
    """What a metric filter publishes. `value` is a number or a reference (`$.latency`, `$size`), as are dimensions' values."""

    namespace: str
    name: str
    value: str
    default: float | None = None
    dimensions: tuple[tuple[str, str], ...] = ()
    unit: str | None = None


class MetricFilter(NamedTuple):
    """An `AWS::Logs::MetricFilter`."""

    logical_id: str
    name: str
    log_group: str
    pattern: Pattern
    transformation: Transformation
    place: Place


class MetricStat(NamedTuple):
    """A statistic of a metric over periods of `period` seconds; `statistic` as in `Sum`, `SampleCount`, `p99.9`, `TM(10%:90%)`."""

    metric: Metric
    period: int
    statistic: str
    unit: str | None = None


class MetricQuery(NamedTuple):
    """An element of an alarm's `Metrics`: a statistic or an expression. Exactly one of an alarm's is `returned`.

    `written` is where the expression's characters are, None where nothing tells.
    """

    id: str
    stat: MetricStat | None
    expression: str | None
    label: str | None
    period: int | None
    returned: bool
    written: Spelling | None = None


class Actions(NamedTuple):
    """ARNs (or logical ids, where a template names its own topic) to act on when a state is entered."""

    enabled: bool = True
    alarm: tuple[str, ...] = ()
    ok: tuple[str, ...] = ()
    insufficient_data: tuple[str, ...] = ()


class Alarm(NamedTuple):
    """An `AWS::CloudWatch::Alarm`. Either `stat` is given (a plain alarm) or `queries` are (metric math).

    `datapoints_to_alarm` is None where it was not written: it counts as `evaluation_periods`, but reasons are worded
    otherwise. `threshold` is None for an anomaly alarm, whose band is the query `threshold_metric_id`.
    """

    logical_id: str
    name: str
    description: str | None
    stat: MetricStat | None
    queries: tuple[MetricQuery, ...]
    evaluation_periods: int
    datapoints_to_alarm: int | None
    threshold: float | None
    threshold_metric_id: str | None
    comparison_operator: str
    treat_missing_data: str  # missing, ignore, breaching or notBreaching
    evaluate_low_sample_count_percentile: str  # evaluate or ignore
    actions: Actions
    place: Place


class CompositeAlarm(NamedTuple):
    """An `AWS::CloudWatch::CompositeAlarm`; the wait and extension periods of its suppressor are in seconds.

    `written` is where the rule's characters are, None where nothing tells.
    """

    logical_id: str
    name: str
    description: str | None
    rule: str
    actions: Actions
    suppressor: str | None
    wait_period: int
    extension_period: int
    place: Place
    written: Spelling | None = None


class LogQuery(NamedTuple):
    """The scheduled query of a log alarm: it runs every so many seconds over the records of the last ones.

    A run at t sees what happened from t - `start` to before t - `end` (seconds). `groups` are names of log groups, none where
    the query says it itself; the last two say where the characters of `text` and `aggregation` are.
    """

    text: str
    aggregation: str
    groups: tuple[str, ...]
    every: int
    start: int
    end: int
    written: Spelling
    aggregation_written: Spelling


class WarmUp(NamedTuple):
    """How long (seconds) a new log alarm is not evaluated: `strictly`, or until there are as many results as it looks at."""

    seconds: int
    strictly: bool


class LogAlarm(NamedTuple):
    """An `AWS::CloudWatch::LogAlarm`: `needed` of the `evaluated` latest results have to breach; `lines` go with a notification."""

    logical_id: str
    name: str
    description: str | None
    query: LogQuery
    evaluated: int
    needed: int
    threshold: float
    comparison_operator: str
    treat_missing_data: str  # missing, ignore, breaching or notBreaching
    lines: int
    warm_up: WarmUp | None
    actions: Actions
    place: Place


class AlarmMuteRule(NamedTuple):
    """An `AWS::CloudWatch::AlarmMuteRule`: when and for how long (seconds) the actions of the alarms named `targets` are muted.

    `expression` is a schedule in the time of `timezone`, see `templates/schedule.py`. The rule is in effect from `start` to
    before `expire` (epoch seconds), where these are given.
    """

    logical_id: str
    name: str
    expression: str
    duration: int
    timezone: str
    targets: tuple[str, ...]
    start: int | None
    expire: int | None
    place: Place


class AnomalyDetector(NamedTuple):
    """An `AWS::CloudWatch::AnomalyDetector` of one metric and statistic.

    `excluded` are ranges in epoch seconds that nothing is learned from; None as `timezone` is UTC.
    """

    logical_id: str
    metric: Metric
    statistic: str
    excluded: tuple[tuple[int, int], ...]
    timezone: str | None
    place: Place


class QueryDefinition(NamedTuple):
    """An `AWS::Logs::QueryDefinition`: a saved Insights query."""

    logical_id: str
    name: str
    query: str
    log_groups: tuple[str, ...]
    place: Place


class Topic(NamedTuple):
    """An `AWS::SNS::Topic`; `subscriptions` are pairs of protocol and endpoint, its own and those of `AWS::SNS::Subscription`."""

    logical_id: str
    name: str
    arn: str
    subscriptions: tuple[tuple[str, str], ...]
    place: Place


class LeftOut(NamedTuple):
    """An alarm of any kind that AWS would refuse: who it is, and what is wrong."""

    logical_id: str
    name: str
    notice: Notice


class Template(NamedTuple):
    """All that a template, or an account's description, defines; a resource with an error is in `notices` only.

    `arn_prefix` is what stands before the name in the ARN of its alarms (partition, Region and account), None if nothing tells.
    `left_out` names the alarms among the resources with an error.
    """

    filters: tuple[MetricFilter, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    composites: tuple[CompositeAlarm, ...] = ()
    anomaly_detectors: tuple[AnomalyDetector, ...] = ()
    queries: tuple[QueryDefinition, ...] = ()
    topics: tuple[Topic, ...] = ()
    notices: tuple[Notice, ...] = ()
    mute_rules: tuple[AlarmMuteRule, ...] = ()
    arn_prefix: str | None = None
    left_out: tuple[LeftOut, ...] = ()
    log_alarms: tuple[LogAlarm, ...] = ()
