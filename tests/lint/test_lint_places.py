"""Advice on a template points at the property itself, or, of a pattern, at the character."""

import pytest

from rolewatch.lint import lint_template
from rolewatch.lint.places import exact
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


def told(text):
    """Return rule, line, column and old line of each piece of advice."""
    content = text.encode()
    advice = exact(lint_template(read_template(content, "t.yaml")), content, "t.yaml")
    return [(each.rule, each.place.line, each.place.column, each.old) for each in advice]


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
