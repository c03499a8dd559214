"""The JSON that the AWS CLI prints for an account's filters and alarms."""

import json

import pytest
from template_texts import read, told

from rolewatch.templates import TemplateError
from rolewatch.templates.definitions import Actions, Metric, Transformation

FILTERS = {
    "metricFilters": [
        {
            "filterName": "denied",
            "filterPattern": "{ $.errorCode = AccessDenied }",
            "metricTransformations": [{"metricName": "Denied", "metricNamespace": "Local", "metricValue": "1", "defaultValue": 0.0}],
            "creationTime": 1700000000000,
            "logGroupName": "trail",
            "applyOnTransformedLogs": False,
        },
        {
            "filterName": "by-role",
            "filterPattern": "{ $.a = 1 }",
            "metricTransformations": [
                {"metricName": "M", "metricNamespace": "N", "metricValue": "$.b", "dimensions": {"role": "$.r", "Name": "$.n"}, "unit": "Count"}
            ],
            "creationTime": 1700000000000,
            "logGroupName": "trail",
        },
    ]
}  # fmt: skip
ALARMS = {
    "MetricAlarms": [
        {
            "AlarmName": "denied",
            "AlarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:denied",
            "AlarmConfigurationUpdatedTimestamp": "2026-03-01T10:00:00.000000+00:00",
            "ActionsEnabled": True,
            "OKActions": [],
            "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:t"],
            "InsufficientDataActions": [],
            "StateValue": "OK",
            "StateReason": "r",
            "StateReasonData": "{}",
            "StateUpdatedTimestamp": "2026-03-01T10:00:00.000000+00:00",
            "StateTransitionedTimestamp": "2026-03-01T10:00:00.000000+00:00",
            "MetricName": "Denied",
            "Namespace": "Local",
            "Statistic": "Sum",
            "Dimensions": [],
            "Period": 3600,
            "EvaluationPeriods": 1,
            "DatapointsToAlarm": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "Unit": None,
        }
    ],
    "CompositeAlarms": [{"AlarmName": "both", "AlarmRule": "ALARM(denied)", "ActionsEnabled": True, "StateValue": "OK"}],
}  # fmt: skip


@pytest.mark.parametrize("indent", [None, 4, "\t"])
def test_both_in_one_file(indent):
    """Filters and alarms are read from one merged file, without a notice about what is their present state."""
    found = read(json.dumps({**FILTERS, **ALARMS}, indent=indent))
    assert found.notices == ()
    first, second = found.filters
    assert (first.logical_id, first.name, first.log_group) == ("denied", "denied", "trail")
    assert first.transformation == Transformation("Local", "Denied", "1", 0.0)
    assert second.transformation == Transformation(
        "N", "M", "$.b", None, (("Name", "$.n"), ("role", "$.r")), "Count"
    )
    (alarm,) = found.alarms
    assert (alarm.name, alarm.stat.metric, alarm.stat.period, alarm.threshold) == (
        "denied",
        Metric("Local", "Denied"),
        3600,
        1.0,
    )
    assert alarm.actions == Actions(alarm=("arn:aws:sns:us-east-1:123456789012:t",))
    assert alarm.place.path == "MetricAlarms[0]"
    assert [each.rule for each in found.composites] == ["ALARM(denied)"]
    assert found.arn_prefix == "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"


def changed(name, number, **changes):
    """Change one of the filters or alarms."""
    content = json.loads(json.dumps({**FILTERS, **ALARMS}))
    content[name][number].update(changes)
    return json.dumps(content, indent=1)


WRONG = [
    ("metricFilters", 0, {"filterPattern": "{ $.a == 1 }"}, "Invalid metric filter pattern", "metricFilters[0].FilterPattern"),
    ("metricFilters", 0, {"metricTransformations": [{"metricName": "M", "metricNamespace": "N", "metricValue": "1", "defaultValue": "x"}]},
     "SerializationException: STRING_VALUE cannot be converted to Double (write a number)", "metricFilters[0].MetricTransformations[0].defaultValue"),
    ("metricFilters", 0, {"logGroupName": None}, "required key [LogGroupName] not found", "metricFilters[0]"),
    ("MetricAlarms", 0, {"Period": 45}, "Period must be 10, 20, 30 or a multiple of 60, not 45", "MetricAlarms[0].Period"),
    ("MetricAlarms", 0, {"EvaluationCriteria": {"PromQLCriteria": {}}}, "PromQL alarms are not supported", "MetricAlarms[0].EvaluationCriteria"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "number", "changes", "message", "path"), WRONG)
def test_wrong(name, number, changes, message, path):
    """What cannot be is left out with its place, and the others go on."""
    found = read(changed(name, number, **changes))
    assert [said for _, _, said in told(found)] == [message]
    assert found.notices[0].place.path == path
    assert len(found.filters) + len(found.alarms) == 2


def test_not_everything():
    """A file that is only the first page is told so, and what is no list of ours is named."""
    found = read(json.dumps({**FILTERS, "nextToken": "abc", "LogGroups": []}))
    assert [message for _, _, message in told(found, "warning")] == [
        "nextToken: this is not all there is; the AWS CLI prints everything without --max-items and --no-paginate"
    ]
    assert [message for _, _, message in told(found, "unused")] == [
        "LogGroups is not used here: the whole list"
    ]


@pytest.mark.parametrize("content", ['{"MetricAlarms": {}}', '{"metricFilters": "x"}'])
def test_no_list(content):
    """A description whose lists are none is refused."""
    with pytest.raises(TemplateError, match="has to be a list"):
        read(content)


def test_no_object():
    """An element that is no object is an error of its own."""
    found = read('{"MetricAlarms": [1, null], "CompositeAlarms": null}')
    assert [message for _, _, message in told(found)] == [
        "an object is wanted, this is a text",
        "an object is wanted, this is null",
    ]


def test_where_alarms_are():
    """The first alarm with an ARN tells the account and Region; filters tell nothing."""
    composite = {"AlarmArn": "arn:aws-cn:cloudwatch:cn-north-1:111122223333:alarm:both"}
    described = json.loads(changed("CompositeAlarms", 0, **composite))
    del described["MetricAlarms"][0]["AlarmArn"]
    assert read(json.dumps(described)).arn_prefix == "arn:aws-cn:cloudwatch:cn-north-1:111122223333:alarm:"
    assert read(json.dumps(FILTERS)).arn_prefix is None
    assert read(changed("MetricAlarms", 0, AlarmArn="denied")).arn_prefix is None


def test_same_filter_name_in_two_groups():
    """A filter's name is taken within its log group only."""
    content = json.loads(json.dumps(FILTERS))
    content["metricFilters"].append({**content["metricFilters"][0], "logGroupName": "other"})
    content["metricFilters"].append(content["metricFilters"][0])
    found = read(json.dumps(content))
    assert [each.log_group for each in found.filters] == ["trail", "trail", "other"]
    ((_, _, message),) = told(found)
    assert message.startswith(
        "the metric filter denied of log group trail already exists, defined in t.yaml:1:"
    )
