"""What the tests of templates share: how to write one, and how to find what was read."""

from textwrap import indent

from rolewatch.templates import read_template

FILTER = """\
Type: AWS::Logs::MetricFilter
Properties:
  LogGroupName: trail
  FilterPattern: '{ $.errorCode = AccessDenied }'
  MetricTransformations:
  - MetricNamespace: Local
    MetricName: Denied
    MetricValue: 1
"""
ALARM = {
    "Namespace": "Local",
    "MetricName": "Denied",
    "Statistic": "Sum",
    "Period": "300",
    "EvaluationPeriods": "12",
    "Threshold": "1",
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
}


def alarm(**changes):
    """Write an alarm; a change to None takes a property away."""
    properties = {name: value for name, value in {**ALARM, **changes}.items() if value is not None}
    lines = "".join(f"  {name}: {value}\n" for name, value in properties.items())
    return f"Type: AWS::CloudWatch::Alarm\nProperties:\n{lines}"


def template(head="", **resources):
    """Write a template."""
    written = "".join(f"  {name}:\n{indent(text, '    ')}" for name, text in resources.items())
    return f"{head}Resources:\n{written}".encode()


def read(content, **options):
    """Read a template under the name t.yaml."""
    content = content.encode() if isinstance(content, str) else content
    return read_template(content, "t.yaml", **options)


def told(found, level="error"):
    """Return places and messages of a template's notices."""
    return [
        (notice.place.line, notice.place.column, notice.message)
        for notice in found.notices
        if notice.level == level
    ]


def resolved(value, head="", rest="", **options):
    """Return what a value comes to: the name of an alarm that has it as its name."""
    text = template(head, A=alarm(AlarmName=value)).decode() + rest
    found = read(text, **options)
    assert told(found) == []
    return found.alarms[0].name


def refused(value, head="", rest="", **options):
    """Return the message that a value gets as the name of an alarm."""
    found = read(template(head, A=alarm(AlarmName=value)).decode() + rest, **options)
    assert found.alarms == ()
    return next(message for _, _, message in told(found))
