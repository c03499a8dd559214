"""Whole templates: sections, resources that are not used, macros, and what makes a file useless."""

import pytest
from template_texts import FILTER, alarm, read, template, told

from rolewatch.templates import TemplateError
from rolewatch.templates.definitions import Metric


def test_a_typical_template():
    """Metric filter, alarm, topic and subscriptions are read; attributes that say nothing about alarms are no trouble."""
    head = "AWSTemplateFormatVersion: '2010-09-09'\nDescription: d\nMetadata: {a: b}\nOutputs: {O: {Value: !Ref Nowhere}}\nRules: {}\n"
    attributes = "DeletionPolicy: Retain\nUpdateReplacePolicy: Retain\nMetadata: {x: y}\nDependsOn: Topic\n"
    topic = "Type: AWS::SNS::Topic\nProperties:\n  DisplayName: d\n  Subscription: [{Protocol: email, Endpoint: a@example.com}]\n"
    subscription = (
        "Type: AWS::SNS::Subscription\nProperties: {TopicArn: !Ref Topic, Protocol: sms, Endpoint: '1'}\n"
    )
    found = read(template(head, Topic=topic, Sub=subscription, F=FILTER + attributes, A=alarm(AlarmActions="[!Ref Topic]") + attributes))  # fmt: skip
    assert found.notices == ()
    assert [each.name for each in found.filters] == ["stack-F"]
    (found_topic,) = found.topics
    assert found.alarms[0].actions.alarm == (found_topic.arn,)
    assert (found_topic.name, found_topic.subscriptions) == ("stack-Topic", (("email", "a@example.com"), ("sms", "1")))  # fmt: skip


def test_what_is_not_used_is_named_once():
    """Types and properties without effect are named once each, with the resources that have them."""
    role = "Type: AWS::IAM::Role\nProperties: {a: !Foo b}\n"
    roles = {f"R{number}": role for number in range(12)}
    stack = "Type: AWS::CloudFormation::Stack\n"
    found = read(template(S=stack, A=alarm(ActionConfiguration="x"), B=alarm(ActionConfiguration="y"), **roles))  # fmt: skip
    assert told(found, "unused") == [
        (2, 3, "AWS::CloudFormation::Stack is not used here: S (nested stacks are not opened; give their templates as well)"),
        (14, 7, "ActionConfiguration of AWS::CloudWatch::Alarm is not used here: A, B"),
        (26, 3, "AWS::IAM::Role is not used here: R0, R1, R2, R3, R4, R5, R6, R7, R8, R9 and 2 more"),
    ]  # fmt: skip
    assert len(found.alarms) == 2


def test_properties_within_properties():
    """What is not used within a list or mapping is named with the way there."""
    stat = "{Metric: {Namespace: N, MetricName: M, Source: s}, Period: 60, Stat: Sum}"
    metrics = f"[{{Id: m1, AccountId: '111122223333', MetricStat: {stat}}}]"
    plain = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))
    found = read(template(A=alarm(Metrics=metrics, **plain)))
    assert [message for _, _, message in told(found, "unused")] == [
        "Metrics.AccountId of AWS::CloudWatch::Alarm is not used here: A",
        "Metrics.MetricStat.Metric.Source of AWS::CloudWatch::Alarm is not used here: A",
    ]


def test_misspelled_properties():
    """A property that looks like one of ours is a warning with what may have been meant."""
    found = read(template(A=alarm(TreatMissingdata="breaching")))
    assert told(found, "warning") == [
        (12, 7, "extraneous key [TreatMissingdata] is not permitted; did you mean TreatMissingData?")
    ]


def test_properties_in_the_wrong_place():
    """A property beside Properties is a warning."""
    found = read(template(A=alarm() + "Period: 60\n"))
    assert told(found, "warning") == [
        (12, 5, "Invalid template resource property 'Period' (properties stand under Properties)")
    ]


def test_sections():
    """A section that CloudFormation does not know is a warning."""
    found = read(template("Parameter: {}\nzzz: 1\n", A=alarm()))
    assert told(found, "warning") == [
        (1, 1, "Invalid template property or properties [Parameter] (did you mean Parameters?)"),
        (2, 1, "Invalid template property or properties [zzz] (it is not read)"),
    ]


TRANSFORMS = [
    ("AWS::Serverless-2016-10-31", "Transform AWS::Serverless-2016-10-31 is not supported: AWS::Serverless resources are not expanded"),
    ("[AWS::LanguageExtensions]", "Transform AWS::LanguageExtensions is not supported: Fn::ForEach and Fn::ToJsonString are not run"),
    ("{Name: AWS::Include, Parameters: {Location: s3://b/k}}", "Transform AWS::Include is not supported: included files are not read"),
    ("Mine", "Transform Mine is not supported: macros are not run; resources are read as they are written"),
    ("{}", "Transform a macro is not supported: macros are not run; resources are read as they are written"),
]  # fmt: skip


@pytest.mark.parametrize(("transform", "message"), TRANSFORMS)
def test_macros(transform, message):
    """A macro is named as not supported, and what is written is read."""
    found = read(template(f"Transform: {transform}\n", A=alarm()))
    assert [said for _, _, said in told(found, "warning")] == [message]
    assert len(found.alarms) == 1


RESOURCES = [
    ("Fn::ForEach::Alarms: [X, [a, b], {}]", (3, 3), "Fn::ForEach::Alarms is not supported: AWS::LanguageExtensions is not run"),
    ("Fn::Transform: {Name: AWS::Include}", (3, 3), "Fn::Transform is not supported: macros and AWS::Include are not run"),
    ("B: text", (3, 3), "Template format error: [/Resources/B] resource definition is malformed"),
    ("B:", (3, 3), "Template format error: [/Resources/B] resource definition is malformed"),
    ("B: {Properties: {}}", (3, 3), "Template format error: [/Resources/B] Every Resources object must contain a Type member."),
    ("B: {Type: [x]}", (3, 3), "Template format error: [/Resources/B] Every Resources object must contain a Type member."),
    ("B: {Type: 5}", (3, 13), "Template format error: Unrecognized resource types: [5]"),
    ("B: {Fn::Transform: {Name: x}}", (3, 7), "Fn::Transform is not supported: macros and AWS::Include are not run"),
    ("B: {Type: AWS::SNS::Topic, Condition: [x]}", (3, 41), "Condition takes a condition's name, this is a list"),
    ("B: {Type: AWS::SNS::Topic, Condition: Nowhere}", (3, 3), "Template format error: Unresolved condition dependency Nowhere in the Resources block of the template (define it under Conditions)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "message"), RESOURCES)
def test_malformed_resources(text, place, message):
    """What is no resource is an error of its own; the others go on."""
    found = read(f"Resources:\n  A: {{Type: AWS::SNS::Topic}}\n  {text}\n")
    assert [each.logical_id for each in found.topics] == ["A"]
    assert told(found) == [(*place, message)]


USELESS = [
    ("Resources: {}\n", (1, 12), "Template format error: At least one Resources member must be defined."),
    ("Description: x\n", (1, 1), "Template format error: At least one Resources member must be defined."),
    ("Resources:\n", (1, 1), "Template format error: At least one Resources member must be defined."),
    ("Resources: [a]\n", (1, 12), "Resources has to be a mapping, this is a list"),
    ("Conditions: x\nResources: {A: {Type: T}}\n", (1, 13), "Conditions has to be a mapping, this is a text"),
    ("AWSTemplateFormatVersion: 2010-09-10\nResources: {A: {Type: T}}\n", (1, 27), "Template format error: 2010-09-10 is not a supported value for AWSTemplateFormatVersion"),
    ("AWSTemplateFormatVersion: [x]\nResources: {A: {Type: T}}\n", (1, 27), "Template format error: a list is not a supported value for AWSTemplateFormatVersion"),
    ("AWSTemplateFormatVersion:\nResources: {A: {Type: T}}\n", (1, 26), "Template format error: null is not a supported value for AWSTemplateFormatVersion"),
    ("Mappings: [x]\nResources: {A: {Type: T}}\n", (1, 11), "Mappings has to be a mapping, this is a list"),
    ("Parameters: x\nResources: {A: {Type: T}}\n", (1, 13), "Parameters has to be a mapping, this is a text"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "message"), USELESS)
def test_useless_files(text, place, message):
    """A file without resources, or with sections that are none, is refused as a whole."""
    with pytest.raises(TemplateError) as caught:
        read(text)
    assert ((caught.value.place.line, caught.value.place.column), caught.value.text) == (place, message)


def test_conditional_properties():
    """A property may come and go by a condition."""
    head = "Parameters:\n  Env: {Type: String, Default: dev}\nConditions:\n  Prod: !Equals [!Ref Env, prod]\n"
    text = template(head, A=alarm(DatapointsToAlarm="!If [Prod, 3, !Ref AWS::NoValue]"))
    assert read(text).alarms[0].datapoints_to_alarm is None
    assert read(text, parameters={"Env": "prod"}).alarms[0].datapoints_to_alarm == 3


def test_detectors():
    """Anomaly detectors are read in both forms, with times in epoch seconds."""
    configuration = "{MetricTimeZone: Europe/Berlin, ExcludedTimeRanges: [{StartTime: 2026-03-01T00:00:00, EndTime: '2026-03-02T00:00:00+01:00'}]}"
    plain = f"Type: AWS::CloudWatch::AnomalyDetector\nProperties: {{Namespace: N, MetricName: M, Stat: Sum, Configuration: {configuration}}}\n"
    single = "Type: AWS::CloudWatch::AnomalyDetector\nProperties: {SingleMetricAnomalyDetector: {Namespace: N, MetricName: M, Stat: p90}}\n"
    found = read(template(A=plain, B=single))
    assert found.notices == ()
    first, second = found.anomaly_detectors
    assert (first.metric, first.statistic, first.excluded, first.timezone) == (
        Metric("N", "M"),
        "Sum",
        ((1772323200, 1772406000),),
        "Europe/Berlin",
    )
    assert (second.statistic, second.excluded, second.timezone) == ("p90", (), None)


OTHERS = [
    ("AnomalyDetector", "{MetricMathAnomalyDetector: {MetricDataQueries: []}}", "anomaly detectors of metric math are not supported"),
    ("AnomalyDetector", "{Namespace: N, MetricName: M, Stat: Total}", "Stat 'Total' is no statistic (write one of SampleCount, Average, Sum, Minimum, Maximum, or p90)"),
    ("AnomalyDetector", "{Namespace: N, MetricName: M, Stat: Sum, Configuration: {MetricTimeZone: Mars}}", "'Mars' is no time zone known here (write one such as Europe/London, or UTC)"),
    ("AnomalyDetector", "{Namespace: N, MetricName: M, Stat: Sum, Configuration: {ExcludedTimeRanges: [{StartTime: soon, EndTime: x}]}}", "StartTime 'soon' is no time (write it as in 2026-03-01T00:00:00)"),
    ("AnomalyDetector", "{Namespace: N, MetricName: M, Stat: Sum, Configuration: {ExcludedTimeRanges: [{StartTime: 2026-03-02, EndTime: 2026-03-01}]}}", "StartTime has to be before EndTime"),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "properties", "message"), OTHERS)
def test_detectors_that_are_refused(type_, properties, message):
    """An anomaly detector that makes no sense is left out."""
    found = read(f"Resources:\n  D: {{Type: 'AWS::CloudWatch::{type_}', Properties: {properties}}}\n")
    assert found.anomaly_detectors == ()
    assert [said for _, _, said in told(found)] == [message]


def test_queries():
    """Saved queries are read; those in other languages are not."""
    own = "Type: AWS::Logs::QueryDefinition\nProperties: {Name: q, QueryString: 'fields @message', LogGroupNames: [a, b]}\n"
    sql = "Type: AWS::Logs::QueryDefinition\nProperties: {Name: s, QueryString: SELECT, QueryLanguage: SQL}\n"
    found = read(template(Q=own, S=sql))
    (query,) = found.queries
    assert (query.name, query.query, query.log_groups) == ("q", "fields @message", ("a", "b"))
    assert [said for _, _, said in told(found)] == [
        "queries in SQL are not supported (write it in Logs Insights QL (CWLI))"
    ]


def test_subscriptions_of_other_topics():
    """A subscription of a topic that stands elsewhere is named as not used."""
    text = "Type: AWS::SNS::Subscription\nProperties: {TopicArn: arn:x, Protocol: email, Endpoint: a}\n"
    assert told(read(template(S=text)), "unused") == [
        (2, 3, "a subscription of arn:x, which is not in this template, is not used here")
    ]


def test_names_twice():
    """Of two alarms of one name the first holds, the second is an error with the first one's place."""
    composite = "Type: AWS::CloudWatch::CompositeAlarm\nProperties: {AlarmName: n, AlarmRule: 'TRUE'}\n"
    found = read(template(A=alarm(AlarmName="n"), B=alarm(AlarmName="n"), C=composite))
    assert [each.logical_id for each in found.alarms] == ["A"]
    assert found.composites == ()
    assert told(found) == [
        (13, 3, "the alarm n already exists, defined in t.yaml:2:3; this one is left out"),
        (24, 3, "the alarm n already exists, defined in t.yaml:2:3; this one is left out"),
    ]
