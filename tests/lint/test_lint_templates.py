"""What lint says of metric filters and alarms, and of how they are wired."""

import pytest
from lint_templates import ALARM, FILTER, advice_on, changed, resources, transformation

from rolewatch.lint.advice import Severity
from rolewatch.lint.run import ALARM_RULES, COMPOSITE_RULES, FILTER_RULES, NOTICES, lint_template
from rolewatch.patterns import compile_pattern
from rolewatch.templates.definitions import MetricFilter, Place, Template, Transformation

DEFAULT_0, DEFAULT_1 = transformation(DefaultValue=0), transformation(DefaultValue=1)
BY_ROLE = transformation(
    Dimensions=[{"Key": "Role", "Value": "$.userIdentity.sessionContext.sessionIssuer.userName"}]
)


def by(value):
    """Return the change that gives the filter a dimension, and the alarm the same."""
    return transformation(Dimensions=[{"Key": "D", "Value": value}]), {
        "Dimensions": [{"Name": "D", "Value": "v"}]
    }


# What is changed on the filter, on the alarm; the rules of the advice, and the fix of the first of them.
CASES = [
    ({}, {}, "", None),
    (DEFAULT_0, {}, "", None),
    (DEFAULT_1, {}, "default-counts-others always-breaching", "DefaultValue: 0"),
    (DEFAULT_1, {"Threshold": 100}, "default-counts-others", "DefaultValue: 0"),
    (DEFAULT_0, {"Threshold": 0}, "always-breaching", "Threshold: 1"),
    (DEFAULT_0, {"Statistic": "Average"}, "average-of-count", "Statistic: Sum"),
    (DEFAULT_0, {"Statistic": "Minimum"}, "average-of-count", "Statistic: Sum"),
    (DEFAULT_0, {"Statistic": "SampleCount"}, "average-of-count always-breaching", "Statistic: Sum"),
    (DEFAULT_0, {"Statistic": None, "ExtendedStatistic": "p99"}, "average-of-count", "Statistic: Sum"),
    (DEFAULT_0, {"Statistic": "Average", "Threshold": 2}, "average-of-count unreachable-threshold", "Statistic: Sum"),
    ({}, {"Statistic": "SampleCount"}, "", None),
    ({}, {"Statistic": "Average"}, "", None),
    ({}, {"Statistic": "Average", "ComparisonOperator": "GreaterThanThreshold"}, "unreachable-threshold", "Statistic: Sum"),
    ({}, {"Statistic": "Maximum", "Threshold": 5}, "unreachable-threshold", "Statistic: Sum"),
    ({}, {"Threshold": 5}, "", None),
    ({}, {"Statistic": None, "ExtendedStatistic": "p90"}, "percentile-of-constant", "Statistic: Sum"),
    (transformation(MetricValue="$.latency"), {"Statistic": "Average", "Threshold": 500}, "", None),
    (transformation(MetricValue="$.latency"), {"Statistic": None, "ExtendedStatistic": "p90"}, "", None),
    ({}, {"TreatMissingData": "breaching"}, "missing-data", "TreatMissingData: notBreaching"),
    ({}, {"TreatMissingData": "ignore"}, "missing-data", "TreatMissingData: notBreaching"),
    ({}, {"TreatMissingData": None}, "missing-data", "TreatMissingData: notBreaching"),
    (DEFAULT_0, {"TreatMissingData": None}, "", None),
    ({}, {"ComparisonOperator": "LessThanThreshold", "TreatMissingData": "breaching"}, "", None),
    ({}, {"ComparisonOperator": "LessThanThreshold", "Threshold": 2}, "missing-data", "TreatMissingData: breaching"),
    ({}, {"ComparisonOperator": "LessThanThreshold", "Threshold": 2, "TreatMissingData": "ignore"}, "missing-data", "TreatMissingData: breaching"),
    ({}, {"ComparisonOperator": "LessThanThreshold"}, "missing-data unreachable-threshold", "TreatMissingData: breaching"),
    (DEFAULT_0, {"ComparisonOperator": "LessThanThreshold"}, "", None),
    ({}, {"Period": 60}, "short-window", "Period: 300"),
    ({}, {"Period": 60, "EvaluationPeriods": 3}, "short-window", "Period: 300"),
    ({}, {"Period": 60, "EvaluationPeriods": 4}, "", None),
    ({"FilterPattern": "ERROR"}, {"Period": 60}, "", None),
    ({}, {"OKActions": ["arn:aws:sns:us-east-1:111122223333:topic"]}, "ok-is-no-recovery", None),
    ({}, {"AlarmActions": None}, "no-action", None),
    ({}, {"ActionsEnabled": False}, "no-action", "ActionsEnabled: true"),
    ({}, {"MetricName": "MM"}, "filter-without-alarm unknown-metric", None),
    (transformation(MetricName="DeniedCalls"), {"MetricName": "DeniedCall"}, "filter-without-alarm unknown-metric", None),
    ({}, {"Namespace": "Elsewhere", "MetricName": "Other"}, "filter-without-alarm unknown-metric", None),
    ({}, {"Namespace": "AWS/Lambda", "MetricName": "Errors"}, "filter-without-alarm", None),
    (BY_ROLE, {}, "dimension-mismatch", None),
    ({}, {"Dimensions": [{"Name": "Role", "Value": "x"}]}, "dimension-mismatch", None),
    (BY_ROLE, {"Dimensions": [{"Name": "Rolle", "Value": "x"}]}, "dimension-mismatch", None),
    (BY_ROLE, {"Dimensions": [{"Name": "Role", "Value": "x"}]}, "", None),
    (*by("$.eventID"), "many-valued-dimension", None),
    (*by("$.resources[0].ARN"), "many-valued-dimension", None),
    (*by("$.userIdentity.arn"), "many-valued-dimension", "Value: $.userIdentity.sessionContext.sessionIssuer.userName"),
    (*by("$.userIdentity.invokedBy"), "invoked-by-dimension", "Value: $.userIdentity.sessionContext.sessionIssuer.userName"),
    (*by("$.awsRegion"), "", None),
    ({**DEFAULT_0, **transformation(DefaultValue=0, Dimensions=[{"Key": "D", "Value": "$.a"}])}, None, "default-with-dimensions", None),
    (transformation(Dimensions=[{"Key": f"D{number}", "Value": "$.a"} for number in range(4)]), None, "too-many-dimensions", None),
    ({"FilterPattern": "{ $.a = a:b }"}, None, "refused", None),
]  # fmt: skip


@pytest.mark.parametrize(("filter_", "alarm", "rules", "fix"), CASES)
def test_rules(filter_, alarm, rules, fix):
    """A filter and an alarm get the advice they deserve, and no other."""
    content = resources(filter_, {}, **({"A": None} if alarm is None else {"A": wrapped(alarm)}))
    advice = advice_on(content)
    assert sorted(rules.split()) == sorted(each.rule for each in advice)
    if fix:
        assert fix in [each.fix for each in advice]


def wrapped(alarm):
    """Return the alarm as a resource, changed."""
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": changed(ALARM, alarm)}


def test_the_trap_of_a_default():
    """It is told which alarm rings at the first event, and stays."""
    (first, second) = advice_on(resources(DEFAULT_1))
    assert (first.severity, first.old, first.place.path) == (
        Severity.ERROR,
        "DefaultValue: 1",
        "Resources.F.Properties.MetricTransformations[0].DefaultValue",
    )
    assert "A goes to ALARM at the first event of any kind and stays there" in first.message
    assert second.place.path == "Resources.A.Properties.Threshold"


def test_the_nearest_metric():
    """A metric that no filter publishes is told with the one that is nearest, as a corrected line."""
    filter_ = transformation(MetricNamespace="Security", MetricName="DeniedCalls")
    for alarm, fix in (
        ({"Namespace": "Security", "MetricName": "DeniedCall"}, "MetricName: DeniedCalls"),
        ({"Namespace": "Secureity", "MetricName": "DeniedCalls"}, "Namespace: Security"),
    ):
        (wrong,) = [each for each in advice_on(resources(filter_, alarm)) if each.rule == "unknown-metric"]
        assert (wrong.severity, wrong.fix) == (Severity.ERROR, fix)


def test_a_metric_from_elsewhere():
    """A metric of another namespace may come from elsewhere; where there is no filter at all, nothing is said."""
    (wrong,) = [
        each for each in advice_on(resources(alarm={"Namespace": "Mine"})) if each.rule == "unknown-metric"
    ]
    assert wrong.severity == Severity.INFO
    assert advice_on(resources(F=None, alarm={"Namespace": "Mine"})) == []


def test_metrics_of_metric_math():
    """What metric math is made of is looked up as well."""

    def query(name):
        metric = {"Namespace": "N", "MetricName": name}
        return {
            "Id": f"m{len(name)}",
            "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Sum"},
            "ReturnData": False,
        }

    math = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))
    metrics = [query("M"), query("MM"), {"Id": "e", "Expression": "m1 + m2"}]
    assert [each.rule for each in advice_on(resources(alarm={**math, "Metrics": metrics}))] == [
        "unknown-metric"
    ]


def test_one_filter_for_graphs():
    """A second filter with the pattern of a watched one is for graphs, and needs no alarm."""
    graph = {"Type": "AWS::Logs::MetricFilter", "Properties": {**FILTER, **transformation(MetricName="ByRegion", Dimensions=[{"Key": "Region", "Value": "$.awsRegion"}])}}  # fmt: skip
    assert advice_on(resources(G=graph)) == []
    other = {**graph, "Properties": {**graph["Properties"], "FilterPattern": "{ $.eventName = StopLogging }"}}
    assert [each.rule for each in advice_on(resources(G=other))] == ["filter-without-alarm"]


def composite(rule, **more):
    """Return a composite alarm."""
    properties = {"AlarmName": "both", "AlarmRule": rule, "AlarmActions": ALARM["AlarmActions"], **more}
    return {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": changed(properties, {})}


COMPOSITES = [
    ('ALARM("signed-in")', {}, "", None),
    ("ALARM(signed-in) AND NOT OK(signed-in)", {}, "", None),
    ("ALARM(arn:aws:cloudwatch:us-east-1:111122223333:alarm:signed-in)", {}, "", None),
    ('AT_LEAST(1, ALARM, (signed-in, "signed-in"))', {}, "", None),
    ('ALARM("signed-inn")', {}, "unknown-alarm", 'AlarmRule: ALARM("signed-in")'),
    ("AT_LEAST(1, NOT OK, (signed-in, elsewhere))", {}, "unknown-alarm", None),
    ("ALARM(signed-in)", {"AlarmActions": None}, "no-action", None),
    ("ALARM(signed-in)", {"ActionsSuppressor": "quiet", "ActionsSuppressorWaitPeriod": 60, "ActionsSuppressorExtensionPeriod": 60}, "unknown-alarm", None),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "more", "rules", "fix"), COMPOSITES)
def test_composite_alarms(rule, more, rules, fix):
    """The alarms that a composite one looks at are there; they need no action of their own."""
    advice = advice_on(resources(alarm={"AlarmActions": None}, C=composite(rule, **more)))
    if "signed-inn" in rule:
        assert "no-action" in [each.rule for each in advice]
        advice = [each for each in advice if each.rule != "no-action"]
    assert rules.split() == [each.rule for each in advice]
    assert [fix] * len(advice) == [each.fix for each in advice]


def test_limits_of_a_log_group():
    """The filter that is one too many for its log group is named, and the one with one regular expression too many."""
    place = Place("t.yaml", 1, 1, "")
    plain, regex = compile_pattern("ERROR"), compile_pattern("%ERR%")

    def filters(number, pattern, group):
        change = Transformation("N", "M", "1")
        return [MetricFilter(f"F{each}", f"F{each}", group, pattern, change, place) for each in range(number)]

    many = Template(
        filters=(
            *filters(101, plain, "a"),
            *filters(6, regex, "b"),
            *filters(5, regex, "c"),
            *filters(100, plain, "d"),
        )
    )
    found = [each for each in lint_template(many) if each.rule.startswith("too-many")]
    assert [each.rule for each in found] == ["too-many-filters", "too-many-regex-filters"]
    assert all(each.severity == Severity.ERROR for each in found)


def test_definitions_that_aws_would_refuse():
    """Definitions that come from elsewhere than a template are held against AWS's rules for dimensions as well."""
    dimensions = tuple((f"d{number}", f"$.d{number}") for number in range(4))
    change = Transformation("N", "M", "1", 0.0, dimensions)
    one = MetricFilter("F", "F", "a", compile_pattern("{ $.a = * }"), change, Place("t", 1, 1, ""))
    found = {each.rule for each in lint_template(Template(filters=(one,)))}
    assert {"default-with-dimensions", "too-many-dimensions"} <= found


def test_every_rule_has_a_case():
    """Each rule about templates is named by at least one case."""
    named = {rule for *_, rules, _ in (*CASES, *COMPOSITES) for rule in rules.split()}
    named |= {"too-many-filters", "too-many-regex-filters"}
    rules = {rule.id for table in (FILTER_RULES, ALARM_RULES, COMPOSITE_RULES) for rule in table}
    assert rules | {NOTICES[0][1]} == named


def test_what_the_reader_says():
    """A part that has no effect is told as the reader of templates words it."""
    (told,) = advice_on(resources({"FieldSelectionCriteria": '@aws.region = "us-east-1"'}))
    assert (told.rule, told.severity, told.place.path) == (
        "half-read",
        Severity.WARNING,
        "Resources.F.Properties.FieldSelectionCriteria",
    )


REACHES = [
    ({"MetricValue": "-1"}, {}, "it is at most -1, whatever"),
    ({}, {"ComparisonOperator": "LessThanThreshold"}, "it is at least 1, whatever"),
    ({"DefaultValue": 0}, {"Statistic": "Average", "Threshold": 2}, "it is between 0 and 1, whatever"),
    ({}, {"Statistic": "Maximum", "Threshold": 5}, "it is 1, whatever"),
]


@pytest.mark.parametrize(("filter_", "alarm", "told"), REACHES, ids=[told for *_, told in REACHES])
def test_how_far_a_statistic_goes(filter_, alarm, told):
    """What a statistic never reaches is told with how far it goes."""
    advice = advice_on(resources(transformation(**filter_), alarm))
    (never,) = [each for each in advice if each.rule == "unreachable-threshold"]
    assert told in never.message


@pytest.mark.parametrize(("periods", "told"), [(1, "(its period and 2"), (3, "(its 3 periods and 2")])
def test_one_period_or_several(periods, told):
    """The window is told in grammatical number."""
    (short,) = advice_on(resources(alarm={"Period": 60, "EvaluationPeriods": periods}))
    assert told in short.message
