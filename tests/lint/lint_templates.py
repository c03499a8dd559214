"""Templates with one filter and one alarm, to which a test makes its changes."""

import json

from rolewatch.lint.run import lint_template
from rolewatch.templates import read_template

FILTER = {
    "LogGroupName": "trail",
    "FilterPattern": '{ $.eventName = "ConsoleLogin" }',
    "MetricTransformations": [{"MetricNamespace": "N", "MetricName": "M", "MetricValue": "1"}],
}
ALARM = {
    "AlarmName": "signed-in",
    "Namespace": "N",
    "MetricName": "M",
    "Statistic": "Sum",
    "Period": 300,
    "EvaluationPeriods": 1,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "Threshold": 1,
    "TreatMissingData": "notBreaching",
    "AlarmActions": ["arn:aws:sns:us-east-1:111122223333:topic"],
}


def changed(properties, changes):
    """Return properties with changes; None leaves one out."""
    return {key: value for key, value in {**properties, **changes}.items() if value is not None}


def transformation(**changes):
    """Return the change that changes a filter's transformation."""
    return {"MetricTransformations": [changed(FILTER["MetricTransformations"][0], changes)]}


def resources(filter_=None, alarm=None, **more):
    """Return a template with the filter `F` and the alarm `A`, changed, and more resources."""
    found = {
        "F": {"Type": "AWS::Logs::MetricFilter", "Properties": changed(FILTER, filter_ or {})},
        "A": {"Type": "AWS::CloudWatch::Alarm", "Properties": changed(ALARM, alarm or {})},
        **more,
    }
    return json.dumps(
        {"Resources": {name: value for name, value in found.items() if value}}, indent=1
    ).encode()


def advice_on(content):
    """Lint a template."""
    return lint_template(read_template(content, "t.json"))
