"""Alarms: what is read, and the settings that cannot be."""

from textwrap import dedent, indent

import pytest
from template_texts import alarm, read, template, told

from rolewatch.templates.definitions import Actions, Metric, MetricQuery, MetricStat

ENUM = "1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: Member must satisfy enum value set: [{}]"


def test_plain():
    """A plain alarm has its metric, its numbers, and defaults for the rest."""
    found = read(template(A=alarm(Dimensions="[{Name: b, Value: 1}, {Name: a, Value: x}]", Unit="Count")))
    assert found.notices == ()
    (each,) = found.alarms
    assert each.stat == MetricStat(Metric("Local", "Denied", (("a", "x"), ("b", "1"))), 300, "Sum", "Count")
    assert each._replace(stat=None, place=None) == (
        "A", "stack-A", None, None, (), 12, None, 1.0, None, "GreaterThanOrEqualToThreshold", "missing", "evaluate", Actions(), None
    )  # fmt: skip
    assert each.place == ("t.yaml", 2, 3, "Resources.A")


def test_all_settings():
    """All other properties are read; numbers and booleans may be quoted."""
    text = alarm(
        AlarmName="n",
        AlarmDescription="d",
        Statistic=None,
        ExtendedStatistic="p99.9",
        Period="'60'",
        DatapointsToAlarm="'1'",
        TreatMissingData="notBreaching",
        EvaluateLowSampleCountPercentile="ignore",
        ActionsEnabled="'false'",
        AlarmActions="[x]",
        OKActions="[y]",
        InsufficientDataActions="[z]",
        Tags="[]",
    )
    (each,) = read(template(A=text)).alarms
    assert each.stat.statistic == "p99.9"
    assert (each.name, each.description, each.datapoints_to_alarm) == ("n", "d", 1)
    assert (each.treat_missing_data, each.evaluate_low_sample_count_percentile) == ("notBreaching", "ignore")
    assert each.actions == Actions(False, ("x",), ("y",), ("z",))  # noqa: FBT003 - the tuple's first


WRONG = [
    ({"Period": "abc"}, "Period", "Value of property Period must be of type Integer, 'abc' is none"),
    ({"Period": "61"}, "Period", "Period must be 10, 20, 30 or a multiple of 60, not 61"),
    ({"Period": "0"}, "Period", "Period must be 10, 20, 30 or a multiple of 60, not 0"),
    ({"Period": "-60"}, "Period", "Period must be 10, 20, 30 or a multiple of 60, not -60"),
    ({"Period": None}, None, "required key [Period] not found"),
    ({"Period": "[60]"}, "Period", "Value of property Period must be of type String"),
    ({"EvaluationPeriods": "0"}, "EvaluationPeriods", "EvaluationPeriods must be at least 1, not 0"),
    ({"EvaluationPeriods": "1.5"}, "EvaluationPeriods", "Value of property EvaluationPeriods must be of type Integer, '1.5' is none"),
    ({"EvaluationPeriods": None}, None, "required key [EvaluationPeriods] not found"),
    ({"DatapointsToAlarm": "13"}, "DatapointsToAlarm", "DatapointsToAlarm must be between 1 and EvaluationPeriods (12), not 13"),
    ({"DatapointsToAlarm": "0"}, "DatapointsToAlarm", "DatapointsToAlarm must be between 1 and EvaluationPeriods (12), not 0"),
    ({"EvaluationPeriods": "289"}, "EvaluationPeriods", "Period (300 s) multiplied by EvaluationPeriods (289) can't be more than 86,400 seconds; a day is the most where Period is shorter than an hour"),
    ({"Period": "3600", "EvaluationPeriods": "169"}, "EvaluationPeriods", "Period (3600 s) multiplied by EvaluationPeriods (169) can't be more than 604,800 seconds"),
    ({"ExtendedStatistic": "p90"}, "ExtendedStatistic", "Statistic and ExtendedStatistic exclude each other (remove one of them)"),
    ({"Statistic": None}, None, "required key [Statistic] not found (write Statistic or ExtendedStatistic)"),
    ({"Statistic": "sum"}, "Statistic", ENUM.format("sum", "statistic", "SampleCount, Average, Sum, Minimum, Maximum") + " (did you mean Sum?)"),
    ({"Statistic": None, "ExtendedStatistic": "Sum"}, "ExtendedStatistic", "The value Sum for parameter ExtendedStatistic is not supported. (write it under Statistic: Sum)"),
    ({"Statistic": None, "ExtendedStatistic": "p101"}, "ExtendedStatistic", "The value p101 for parameter ExtendedStatistic is not supported. (write one such as p90, tm90, tc90, ts90, wm90, IQM, PR(1:10), TC(10%:90%), TM(10%:90%), TS(10%:90%) or WM(10%:90%))"),
    ({"Threshold": None}, None, "required key [Threshold] not found (write Threshold, or ThresholdMetricId with a band in Metrics)"),
    ({"Threshold": "high"}, "Threshold", "Value of property Threshold must be of type Double, 'high' is none"),
    ({"Threshold": ".nan"}, "Threshold", "Value of property Threshold must be of type Double, '.nan' is none"),
    ({"Threshold": "1e999"}, "Threshold", "Value of property Threshold must be of type Double, '1e999' is none"),
    ({"ThresholdMetricId": "band"}, "ThresholdMetricId", "ThresholdMetricId needs Metrics with a band"),
    ({"ComparisonOperator": None}, None, "required key [ComparisonOperator] not found"),
    ({"ComparisonOperator": "GreaterThan"}, "ComparisonOperator", ENUM.format("GreaterThan", "comparisonOperator", "GreaterThanOrEqualToThreshold, GreaterThanThreshold, LessThanThreshold, LessThanOrEqualToThreshold, LessThanLowerOrGreaterThanUpperThreshold, LessThanLowerThreshold, GreaterThanUpperThreshold") + " (did you mean GreaterThanThreshold?)"),
    ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "ComparisonOperator", "ComparisonOperator GreaterThanUpperThreshold is not for an alarm with a static Threshold (use GreaterThanOrEqualToThreshold, GreaterThanThreshold, LessThanThreshold, LessThanOrEqualToThreshold)"),
    ({"TreatMissingData": "NotBreaching"}, "TreatMissingData", ENUM.format("NotBreaching", "treatMissingData", "breaching, notBreaching, ignore, missing") + " (did you mean notBreaching?)"),
    ({"EvaluateLowSampleCountPercentile": "x"}, "EvaluateLowSampleCountPercentile", ENUM.format("x", "evaluateLowSampleCountPercentile", "evaluate, ignore")),
    ({"Unit": "count"}, "Unit", "1 validation error detected: Value 'count' at 'unit'"),
    ({"ActionsEnabled": "maybe"}, "ActionsEnabled", "Value of property ActionsEnabled must be of type Boolean, 'maybe' is none"),
    ({"AlarmActions": "[a, b, c, d, e, f]"}, "AlarmActions", "AlarmActions holds 6 actions, at most 5 are possible"),
    ({"AlarmActions": "arn"}, "AlarmActions", "Value of property AlarmActions must be of type List of String"),
    ({"AlarmActions": "[[arn]]"}, "AlarmActions", "Value of property AlarmActions must be of type List of String"),
    ({"OKActions": f"[{'x' * 1025}]"}, "OKActions", "1 validation error detected: Value 'xxx"),
    ({"AlarmName": "x" * 256}, "AlarmName", "1 validation error detected: Value 'xxx"),
    ({"AlarmName": "''"}, "AlarmName", "1 validation error detected: Value '' at 'alarmName' failed to satisfy constraint: Member must have length greater than or equal to 1"),
    ({"AlarmDescription": "x" * 1025}, "AlarmDescription", "1 validation error detected: Value 'xxx"),
    ({"Dimensions": "[{Name: a, Value: b}, {Name: a, Value: c}]"}, "Dimensions", "Dimensions names a dimension twice (remove one of them)"),
    ({"Dimensions": "[{Name: a}]"}, ("Dimensions", 1), "required key [Value] not found"),
    ({"Dimensions": f"[{', '.join(f'{{Name: a{n}, Value: b}}' for n in range(31))}]"}, "Dimensions", "Dimensions holds 31, a metric has at most 30"),
    ({"Namespace": "':x'"}, "Namespace", "Namespace must not begin with ':'"),
    ({"Namespace": None}, None, "required key [Namespace] not found"),
    ({"MetricName": None}, None, "required key [MetricName] not found (write MetricName and Namespace, or Metrics)"),
    ({"EvaluationCriteria": "{PromQLCriteria: {Query: x}}"}, "EvaluationCriteria", "PromQL alarms are not supported"),
    ({"Metrics": "[{Id: m1, Expression: '1'}]"}, "MetricName", "MetricName cannot be there together with Metrics (write it within Metrics)"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "where", "message"), WRONG)
def test_impossible_settings(changes, where, message):
    """An alarm that AWS would refuse is left out, with the reason at the property; the others go on."""
    text = template(A=alarm(**changes), B=alarm())
    found = read(text)
    assert [each.logical_id for each in found.alarms] == ["B"]
    ((line, column, said),) = told(found)
    assert said[: len(message)] == message
    name, more = where if isinstance(where, tuple) else (where, 0)
    lines = text.decode().split("\n")
    if name is None:
        assert (line, column) == (5, 7)
    else:
        wanted = next(number for number, each in enumerate(lines, 1) if each.startswith(f"      {name}: "))
        assert (line, column) == (wanted, 7 + len(name) + 2 + more)


def math(metrics, **changes):
    """Write an alarm on metric math."""
    plain = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))
    return alarm(**plain, **changes) + "  Metrics:\n" + indent(dedent(metrics), "    ")


M1 = "- {Id: m1, ReturnData: false, MetricStat: {Metric: {Namespace: N, MetricName: M}, Period: 60, Stat: Sum}}\n"


def test_metric_math():
    """Queries are statistics and expressions, one of which is returned; ReturnData is true where it is left out."""
    found = read(template(A=math(M1 + "- {Id: e1, Expression: m1 * 2, Label: twice, Period: 60}\n")))
    assert found.notices == ()
    (each,) = found.alarms
    assert each.stat is None
    assert tuple(query._replace(written=None) for query in each.queries) == (
        MetricQuery("m1", MetricStat(Metric("N", "M"), 60, "Sum"), None, None, None, returned=False),
        MetricQuery("e1", None, "m1 * 2", "twice", 60, returned=True),
    )


SPELLINGS = [
    ("m1 +* 2", 4, 0, 27),
    ("'m1 +* 2'", 4, 0, 28),
    ('"\\x6d1 +* 2"', 4, 0, 31),
    ("|\n    m1\n    +* 2", 3, 2, 13),
    (">\n    m1\n    +* 2", 4, 2, 14),
    ("!Sub 'm1 +* 2'", 4, 0, 33),
    ("!Sub '${AWS::Region} +* 2'", 11, 0, 28),
    ("m1", 2, 0, 25),
    ("m1", 3, 0, 23),
]


@pytest.mark.parametrize(("written", "character", "lines", "column"), SPELLINGS)
def test_where_an_expression_is_written(written, character, lines, column):
    """Each character has its place, through quotes and folding; where functions made the text, it is where that begins."""
    (each,) = read(template(A=math(M1 + f"- Id: e1\n  Expression: {written}\n"))).alarms
    place = each.queries[1].written.at(character)
    assert (place.line, place.column, place.path) == (11 + lines, column, "Resources.A.Properties.Metrics[1].Expression")  # fmt: skip


def test_anomaly_band():
    """The band is a threshold, not what is watched, whatever its ReturnData says."""
    text = math(
        M1.replace("false", "true")
        + "- {Id: ad1, Expression: 'ANOMALY_DETECTION_BAND(m1, 2)', ReturnData: true}\n",
        Threshold=None,
        ThresholdMetricId="ad1",
        ComparisonOperator="LessThanLowerOrGreaterThanUpperThreshold",
    )
    found = read(template(A=text))
    assert found.notices == ()
    (each,) = found.alarms
    assert (each.threshold, each.threshold_metric_id) == (None, "ad1")
    assert [query.id for query in each.queries if query.returned] == ["m1"]


E1 = "- {Id: e1, Expression: m1 * 2}\n"
MATH = [
    (M1, {}, "Metrics must have exactly one query with ReturnData true; none has it (write ReturnData: true for the one to watch)"),
    (M1 + E1 + "- {Id: e2, Expression: m1 * 3}\n", {}, "Metrics must have exactly one query with ReturnData true; e1, e2 have it (write ReturnData: false for all others; it is true where it is left out)"),
    (M1 + M1, {}, "The id m1 is used twice in Metrics (give each query an id of its own)"),
    ("- {Id: M1, Expression: x}\n", {}, "The id 'M1' has to begin with a lower-case letter and hold only letters, digits and underscores"),
    ("- {Id: m-1, Expression: x}\n", {}, "The id 'm-1' has to begin with a lower-case letter and hold only letters, digits and underscores"),
    ("- {Id: m1}\n", {}, "The query m1 needs either MetricStat or Expression (write one of the two)"),
    ("- {Expression: x}\n", {}, "required key [Id] not found"),
    (M1.replace("ReturnData: false", "Expression: x"), {}, "The query m1 needs either MetricStat or Expression (write one of the two)"),
    (M1.replace("ReturnData: false", "Period: 60"), {}, "Period belongs into MetricStat here"),
    (M1.replace("Stat: Sum", "Stat: Total"), {}, "Stat 'Total' is no statistic (write SampleCount, Average, Sum, Minimum, Maximum, p90, tm90, tc90, ts90, wm90, IQM, PR(1:10), TC(10%:90%), TM(10%:90%), TS(10%:90%) or WM(10%:90%))"),
    (M1.replace("Period: 60, ", ""), {}, "required key [Period] not found"),
    (M1.replace("Metric: {Namespace: N, MetricName: M}, ", ""), {}, "required key [Metric] not found"),
    (M1.replace("false", "perhaps"), {}, "Value of property ReturnData must be of type Boolean, 'perhaps' is none"),
    ("- x\n", {}, "Value of property Metrics must be a list of objects"),
    ("  []\n", {}, "Metrics holds 0 queries, 1 to 20 are possible"),
    ("".join(f"- {{Id: e{n}, Expression: x}}\n" for n in range(21)), {}, "Metrics holds 21 queries, 1 to 20 are possible"),
    ("".join(M1.replace("m1", f"m{n}") for n in range(11)) + E1, {}, "Metrics holds more than 10 metrics"),
    (M1 + E1, {"Threshold": None}, "required key [Threshold] not found (write Threshold, or ThresholdMetricId with a band in Metrics)"),
    (M1 + E1, {"ThresholdMetricId": "ad1"}, "ThresholdMetricId ad1 is the id of no query in Metrics"),
    (M1.replace("false", "true") + E1, {"ThresholdMetricId": "e1"}, "ThresholdMetricId e1 has to be the id of an ANOMALY_DETECTION_BAND expression"),
    (M1.replace("false", "true") + "- {Id: b, Expression: 'ANOMALY_DETECTION_BAND(m1)'}\n", {"ThresholdMetricId": "b", "ComparisonOperator": "GreaterThanUpperThreshold"}, "Threshold and ThresholdMetricId exclude each other (remove one of them)"),
    (M1.replace("false", "true") + "- {Id: b, Expression: 'ANOMALY_DETECTION_BAND(m1)'}\n", {"ThresholdMetricId": "b", "Threshold": None}, "ComparisonOperator GreaterThanOrEqualToThreshold is not for an anomaly alarm (ThresholdMetricId) (use LessThanLowerOrGreaterThanUpperThreshold, LessThanLowerThreshold, GreaterThanUpperThreshold)"),
    (M1.replace("false", "true").replace("60", "30") + "- {Id: b, Expression: 'ANOMALY_DETECTION_BAND(m1)'}\n", {"ThresholdMetricId": "b", "Threshold": None, "ComparisonOperator": "GreaterThanUpperThreshold"}, "an anomaly alarm needs a Period of at least 60"),
    (M1.replace("60", "86400") + E1, {}, "Period (86400 s) multiplied by EvaluationPeriods (12) can't be more than 604,800 seconds"),
]  # fmt: skip


@pytest.mark.parametrize(("metrics", "changes", "message"), MATH)
def test_impossible_math(metrics, changes, message):
    """Queries that AWS would refuse are errors of the alarm."""
    found = read(template(A=math(metrics, **changes)))
    assert found.alarms == ()
    assert [said for _, _, said in told(found)] == [message]


def test_wide_ranges_are_a_warning():
    """A range of percentiles that the API does not name for alarms is read, with a warning."""
    found = read(template(A=alarm(Statistic=None, ExtendedStatistic="TM(5%:95%)")))
    assert len(found.alarms) == 1
    assert [message for _, _, message in told(found, "warning")] == [
        "TM(5%:95%): the API names 10% to 90% as the bounds in alarms"
    ]


def composite(**properties):
    """Write a composite alarm."""
    lines = "".join(f"  {name}: {value}\n" for name, value in properties.items())
    return f"Type: AWS::CloudWatch::CompositeAlarm\nProperties:\n{lines}"


def test_composite():
    """A composite alarm has its rule as text, and its suppressor with both periods."""
    text = composite(
        AlarmRule="!Sub 'ALARM(${A}) AND NOT ALARM(\"x y\")'",
        AlarmActions="[arn:x]",
        ActionsSuppressor="!GetAtt A.Arn",
        ActionsSuppressorWaitPeriod="60",
        ActionsSuppressorExtensionPeriod="'120'",
    )
    found = read(template(A=alarm(), C=text))
    assert found.notices == ()
    (each,) = found.composites
    assert each.rule == 'ALARM(stack-A) AND NOT ALARM("x y")'
    assert each.suppressor == "arn:aws:cloudwatch:us-east-1:123456789012:alarm:stack-A"
    assert (each.name, each.wait_period, each.extension_period, each.actions.alarm) == (
        "stack-C",
        60,
        120,
        ("arn:x",),
    )


COMPOSITES = [
    ({"AlarmName": "n"}, "required key [AlarmRule] not found"),
    ({"AlarmRule": "''"}, "1 validation error detected: Value '' at 'alarmRule' failed to satisfy constraint: Member must have length greater than or equal to 1"),
    ({"AlarmRule": "x" * 10_241}, "1 validation error detected: Value 'xxx"),
    ({"AlarmRule": "'TRUE'", "ActionsSuppressor": "a"}, "required key [ActionsSuppressorWaitPeriod] not found (ActionsSuppressor needs it: ActionsSuppressorWaitPeriod: 60)"),
    ({"AlarmRule": "'TRUE'", "ActionsSuppressorWaitPeriod": "60"}, "ActionsSuppressorWaitPeriod needs an ActionsSuppressor"),
    ({"AlarmRule": "'TRUE'", "ActionsSuppressor": "a", "ActionsSuppressorWaitPeriod": "-1", "ActionsSuppressorExtensionPeriod": "1"}, "ActionsSuppressorWaitPeriod must be at least 0, not -1"),
]  # fmt: skip


@pytest.mark.parametrize(("properties", "message"), COMPOSITES)
def test_impossible_composites(properties, message):
    """A composite alarm that AWS would refuse is left out."""
    found = read(template(C=composite(**properties)))
    assert found.composites == ()
    ((_, _, said),) = told(found)
    assert said[: len(message)] == message
