"""Advice on a template points at the property itself, or, of a pattern, at the character."""

import pytest
from lint_templates import resources, transformation

from rolewatch.lint.places import exact
from rolewatch.lint.run import lint_template
from rolewatch.templates import read_template

TEMPLATE = """\
Parameters:
  Pattern: {Type: String, Default: '{ $.errorCode = AccessDenied }'}
Resources:
  F:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: trail
      FilterPattern: PATTERN
      MetricTransformations:
        - MetricNamespace: N
          MetricName: M
          MetricValue: "1"
          DefaultValue: 2
  A:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: N
      MetricName: M
      Statistic: Sum
      Period: 300
      EvaluationPeriods: 1
      ComparisonOperator: GreaterThanThreshold
      Threshold: 5
      AlarmActions: [topic]
"""


def advice_on(text):
    """Lint a template, with exact places."""
    content = text.encode()
    return exact(lint_template(read_template(content, "t.yaml")), content, "t.yaml")


def told(text):
    """Return rule, line, column and old line of each piece of advice."""
    return [(each.rule, each.place.line, each.place.column, each.old) for each in advice_on(text)]


@pytest.mark.parametrize(
    ("pattern", "line", "column"),
    [
        ("'{ $.errorCode = AccessDenied }'", 8, 25),
        ('"{ $.errorCode = AccessDenied }"', 8, 25),
        ('>-\n        { $.eventName =\n        "*" && $.errorCode = AccessDenied }', 10, 16),
        ("!Ref Pattern", 8, 7),
    ],
)
def test_places(pattern, line, column):
    """A default's advice is at its line, a pattern's at the character wherever that can be told, else at the property."""
    found = told(TEMPLATE.replace("PATTERN", pattern))
    shift = pattern.count("\n")
    assert ("default-counts-others", 13 + shift, 11, "DefaultValue: 2") in found
    assert (line, column) in [place[1:3] for place in found if place[0] == "forgotten-codes"]


def test_what_is_not_written():
    """What is a default has the place of its resource, and no old line."""
    text = TEMPLATE.replace("PATTERN", "'{ $.eventName = ConsoleLogin }'").replace(
        "          DefaultValue: 2\n", ""
    )
    assert told(text) == [("missing-data", 13, 3, None)]


DESCRIPTION = """{"metricFilters": [{
 "filterName": "f", "logGroupName": "trail", "creationTime": 1, "filterPattern": "{ $.errorCode = AccessDenied }",
 "metricTransformations": [{"metricName": "M", "metricNamespace": "N", "metricValue": "1", "defaultValue": 3.0}]}]}"""


def test_descriptions_of_an_account():
    """Keys of describe-metric-filters are found as they are spelled there."""
    found = {rule: (line, column) for rule, line, column, _ in told(DESCRIPTION)}
    assert (found["forgotten-codes"][0], found["default-counts-others"][0]) == (2, 3)
    assert DESCRIPTION.splitlines()[2][found["default-counts-others"][1] - 1 :].startswith('"defaultValue"')


def test_lines_of_a_description():
    """Its lines are told in its spelling, with the comma that follows."""
    (line,) = [each for each in advice_on(DESCRIPTION) if each.rule == "default-counts-others"]
    assert (line.old, line.fix) == ('"defaultValue": 3.0', '"defaultValue": 0')


JSON_LINES = [
    ({"DefaultValue": 1}, {}, '"DefaultValue": 1', '"DefaultValue": 0'),
    ({"DefaultValue": 0}, {"Statistic": "Average"}, '"Statistic": "Average",', '"Statistic": "Sum",'),
    ({}, {"Period": "60"}, '"Period": "60",', '"Period": "300",'),
    ({}, {"Period": 60}, '"Period": 60,', '"Period": 300,'),
    ({}, {"ActionsEnabled": False}, '"ActionsEnabled": false', '"ActionsEnabled": true'),
    ({}, {"TreatMissingData": None}, None, '"TreatMissingData": "notBreaching"'),
    (
        {"Dimensions": [{"Key": "D", "Value": "$.userIdentity.arn"}]},
        {"Dimensions": [{"Name": "D", "Value": "x"}]},
        '"Value": "$.userIdentity.arn"',
        '"Value": "$.userIdentity.sessionContext.sessionIssuer.userName"',
    ),
]


@pytest.mark.parametrize(("filter_", "alarm", "old", "fix"), JSON_LINES)
def test_lines_of_json(filter_, alarm, old, fix):
    """In a JSON file lines are as they are there: in quotes, a comma behind where there is one."""
    text = resources(transformation(**filter_), alarm).decode()
    assert (old, fix) in [(each.old, each.fix) for each in advice_on(text)]
    assert old is None or old in text


def test_a_rule_in_json():
    """Quotes in a value are escaped as the file does it."""
    properties = {"AlarmName": "both", "AlarmRule": 'ALARM("signed-inn")', "AlarmActions": ["topic"]}
    text = resources(C={"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": properties}).decode()
    (wrong,) = [each for each in advice_on(text) if each.rule == "unknown-alarm"]
    assert (wrong.old, wrong.fix) == (
        r'"AlarmRule": "ALARM(\"signed-inn\")",',
        r'"AlarmRule": "ALARM(\"signed-in\")",',
    )


def test_a_value_that_is_made_in_json():
    """A value that a function gives is told as if it stood there."""
    text = resources({}, {"Threshold": {"Fn::Select": [0, ["0"]]}, "TreatMissingData": None}).decode()
    text = text.replace('"MetricValue": "1"', '"MetricValue": "1", "DefaultValue": 0')
    assert ('"Threshold": 0', '"Threshold": 1') in [(each.old, each.fix) for each in advice_on(text)]


REFUSED = [
    ("'{ $.a == us-east-1 }'", 8, 30, '{ $.a = "us-east-1" }'),
    ("'{ $.a = %(% }'", 8, 32, None),
    (">-\n        { $.a = x ||\n        $.b = y-z }", 10, 16, '{ $.a = x || $.b = "y-z" }'),
    ("!Sub '{ $.a == x }'", 8, 35, "{ $.a = x }"),
    ("!Sub '{ $.a == ${AWS::Region} }'", 8, 35, None),
    ("!Join ['', ['{ $.a == x }']]", 8, 22, None),
]


@pytest.mark.parametrize(("pattern", "line", "column", "fix"), REFUSED)
def test_patterns_that_aws_would_refuse(pattern, line, column, fix):
    """A pattern that stands in the file is repaired; the place is AWS's."""
    (wrong,) = [
        each
        for each in advice_on(TEMPLATE.replace("PATTERN", pattern))
        if each.rule in ("refused", "unquoted-special")
    ]
    assert (wrong.place.line, wrong.place.column, wrong.fix) == (line, column, fix)
