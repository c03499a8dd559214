"""The pipeline's template: its parts, by every combination of its options, held against our own tools and AWS's."""

import itertools
import json
import subprocess
import sys

import pytest
from cfnlint.api import lint_file
from cfnlint.config import ManualArgs
from hypothesis import given
from hypothesis import strategies as st
from pipelines import ACCOUNT, ALARMS, FILE, FUNCTIONS, KEY, NAME, ROOT, content, resolved, template

from rolewatch.aws import pipeline, wording
from rolewatch.cli.aws_deploy import DAYS, OPTIONS, PARAMETERS, PROTOCOLS
from rolewatch.cli.options import default_of
from rolewatch.insights.library import library
from rolewatch.lint.run import lint_template
from rolewatch.templates import read_template


def test_cfn_lint_is_silent():
    """cfn-lint, with the schemas of two Regions, has neither an error nor a warning."""
    found = lint_file(FILE, config=ManualArgs(regions=["us-east-1", "eu-west-1"]))
    assert [str(each) for each in found] == []


def test_it_is_small_enough_to_be_sent():
    """CloudFormation takes it without a bucket to read it from."""
    assert len(content()) <= pipeline.LARGEST == 51_200


@pytest.mark.parametrize("alarm", ALARMS)
def test_our_lint_is_silent(alarm):
    """What we advise others, we keep to."""
    found = template(Alarm=alarm)
    assert lint_template(found) == []
    assert [notice for notice in found.notices if notice.level != "unused"] == []


def test_patterns_are_those_of_the_example():
    """There is one truth: both filters have the pattern of slr-denied.template.yaml, and neither has a default value."""
    example = ROOT / "examples" / "slr-denied.template.yaml"
    (watched, graphed) = read_template(example.read_bytes(), example.name).filters
    found = template().filters
    assert [each.pattern.text for each in found] == [watched.pattern.text, graphed.pattern.text]
    assert [each.transformation.default for each in found] == [None, None]
    assert [each.transformation.dimensions for each in found] == [(), graphed.transformation.dimensions]


def test_log_alarm_is_that_of_the_example():
    """Query, contributors, schedule, threshold and log lines are those of slr-denied-log-alarm.template.yaml."""
    example = ROOT / "examples" / "slr-denied-log-alarm.template.yaml"
    (theirs,) = read_template(example.read_bytes(), example.name).log_alarms
    (ours,) = template(Alarm="log").log_alarms
    own = ("logical_id", "name", "description", "query", "actions", "place")
    assert [getattr(ours, field) for field in ours._fields if field not in own] == [
        getattr(theirs, field) for field in theirs._fields if field not in own
    ]
    fields = ("text", "aggregation", "every", "start", "end")
    assert [getattr(ours.query, field) for field in fields] == [
        getattr(theirs.query, field) for field in fields
    ]
    assert ours.actions.ok == ()


def test_saved_queries_are_those_of_the_library():
    """Each has the text of the library's query of its name."""
    queries = {query.name: query.text for query in library()}
    found = {
        each["Name"].removeprefix("watching/"): each["QueryString"]
        for name, each in resolved({}).items()
        if name.endswith("Query")
    }
    assert len(found) == 8
    assert found == {name: queries[name] for name in found}


def test_the_alarm_is_as_issued():
    """Sum of at least 1 in 300 seconds, 1 of 12, not breaching, no OK action, and it says what OK means."""
    alarm = next(each for each in template().alarms if each.name == "watching-denied")
    assert (alarm.stat.statistic, alarm.stat.period, alarm.threshold, alarm.comparison_operator) == (
        "Sum", 300, 1, "GreaterThanOrEqualToThreshold",
    )  # fmt: skip
    assert (alarm.datapoints_to_alarm, alarm.evaluation_periods, alarm.treat_missing_data) == (1, 12, "notBreaching")  # fmt: skip
    assert alarm.actions.ok == ()
    said = resolved({})["DeniedAlarm"]["AlarmDescription"]
    assert 'OK means "no denial for an hour", not "recovered"' in said


def test_silence_rings():
    """The second alarm breaches at less than one event in three periods of 300 seconds, also without any data; the composite one acts."""
    found = template()
    silent = next(each for each in found.alarms if each.name == "watching-silent")
    assert (silent.stat.metric.namespace, silent.stat.metric.name) == ("AWS/Logs", "IncomingLogEvents")
    assert silent.stat.metric.dimensions == (("LogGroupName", "watching/cloudtrail"),)
    assert (silent.stat.statistic, silent.stat.period, silent.threshold, silent.comparison_operator) == (
        "Sum", 300, 1, "LessThanThreshold",
    )  # fmt: skip
    assert (silent.evaluation_periods, silent.datapoints_to_alarm, silent.treat_missing_data) == (3, 3, "breaching")  # fmt: skip
    (state,) = found.composites
    assert state.actions.alarm == (found.topics[0].arn,)


def test_a_trail_that_falls_silent_is_told_once_a_denial_has_stopped_ringing(tmp_path):
    """With `rolewatch test`: a denial suppresses the composite alarm, silence does not, and both together come out as silence."""
    (tmp_path / NAME).write_bytes(content())
    events, nothing = "9x60", "_x90"
    tests = {
        "template": NAME,
        "tests": [
            {
                "name": "a denial, then silence",
                "interval": "1m",
                "metrics": [
                    {
                        "namespace": "ServiceLinkedRoles/stack",
                        "name": "Denied",
                        "values": f"_x55 1 {nothing}",
                    },
                    {
                        "namespace": "AWS/Logs",
                        "name": "IncomingLogEvents",
                        "dimensions": {"LogGroupName": "stack/cloudtrail"},
                        "values": f"{events} {nothing}",
                    },
                ],
                "expect": [
                    {"alarm": "DeniedAlarm", "at": "50m", "state": "OK"},
                    {"alarm": "SilentAlarm", "at": "50m", "state": "OK"},
                    {"alarm": "StateAlarm", "at": "50m", "state": "OK"},
                    {"alarm": "DeniedAlarm", "at": "57m", "state": "ALARM"},
                    {"alarm": "StateAlarm", "at": "57m", "state": "ALARM"},
                    {"alarm": "SilentAlarm", "at": "90m", "state": "ALARM"},
                    {"alarm": "DeniedAlarm", "at": "140m", "state": "OK"},
                    {"alarm": "StateAlarm", "at": "140m", "state": "ALARM"},
                ],
            }
        ],
    }
    file = tmp_path / "silence.test.yaml"
    file.write_text(json.dumps(tests))
    done = subprocess.run(
        [sys.executable, "-m", "rolewatch", "test", str(file)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@pytest.mark.parametrize("alarm", ALARMS)
def test_replay_over_the_examples_rings(alarm):
    """Over our example deliveries, each kind of alarm goes to ALARM and acts."""
    done = subprocess.run(
        [sys.executable, "-m", "rolewatch", "replay", str(FILE), str(ROOT / "examples" / "deliveries"), "--parameter",
         f"Alarm={alarm}", "--format", "json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = {each["name"]: each for each in json.loads(done.stdout)["alarms"]}
    name = {"metric": "stack-denied", "anomaly": "stack-unusual", "log": "stack-denied-by-role"}[alarm]
    rang = [each for each in found[name]["transitions"] if each["to"] == "ALARM"]
    assert len(rang) == {"metric": 23, "anomaly": 22, "log": 23}[alarm]


def combinations():
    """Give all combinations of the parameters whose conditions depend on each other."""
    axes = {
        "Parts": ("all", "trail"),
        "Trail": ("new", "existing"),
        "TrailKey": ("none", "new", KEY),
        "ExistingLogGroup": ("", "CloudTrail/logs"),
        "Key": ("new", "none", KEY),
        "Alarm": ALARMS,
    }
    for values in itertools.product(*axes.values()):
        for function in FUNCTIONS:
            yield dict(zip(axes, values, strict=True)) | function


def test_no_combination_dangles():
    """Whatever conditions hold, each reference of what exists leads to something that exists, and nothing else is there."""
    number = 0
    for values in combinations():
        found = resolved(values)
        number += 1
        whole, own = values["Parts"] == "all", values["Trail"] == "new"
        assert ("NewTrailOfStack" in found, "TrailBucket" in found) == (own, own)
        assert ("LogFileKey" in found) == (own and values["TrailKey"] == "new")
        assert ("LogGroup" in found) == (whole and not values["ExistingLogGroup"])
        assert ("TopicKey" in found) == (whole and values["Key"] == "new")
        assert ("Watcher" in found) == (
            whole and bool(values.get("FunctionCode") or values.get("FunctionImage"))
        )
        kinds = [name for name in ("DeniedAlarm", "UnusualAlarm", "DeniedLogAlarm") if name in found]
        assert kinds == ([("DeniedAlarm", "UnusualAlarm", "DeniedLogAlarm")[ALARMS.index(values["Alarm"])]] if whole else [])  # fmt: skip
        if not whole:
            assert set(found) <= {"NewTrailOfStack", "TrailBucket", "TrailBucketPolicy", "LogFileKey"}
            assert not own or "CloudWatchLogsLogGroupArn" not in found["NewTrailOfStack"]
    assert number == 648


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "Parts": st.sampled_from(["all", "trail"]),
            "Trail": st.sampled_from(["new", "existing"]),
            "MultiRegion": st.sampled_from(["yes", "no"]),
            "OrganizationId": st.sampled_from(["", "o-exampleorgid"]),
            "ManagementAccount": st.sampled_from(["", "999988887777"]),
            "LogFileValidation": st.sampled_from(["yes", "no"]),
            "DataEvents": st.sampled_from(["none", "service-linked", "objects"]),
            "BucketName": st.sampled_from(["", "logs-of-mine"]),
            "TrailKey": st.sampled_from(["none", "new", KEY]),
            "ExistingLogGroup": st.sampled_from(["", "CloudTrail/logs"]),
            "Key": st.sampled_from(["none", "new", KEY]),
            "Alarm": st.sampled_from(ALARMS),
            "Dashboard": st.sampled_from(["yes", "no"]),
            "RetentionDays": st.sampled_from(DAYS),
            "Subscription1": st.sampled_from(["", "email a@example.com"]),
            "Subscription8": st.sampled_from(["", f"sqs arn:aws:sqs:us-east-1:{ACCOUNT}:q"]),
        },
    ),
    st.sampled_from(FUNCTIONS),
    st.sampled_from(["us-east-1", "cn-north-1", "us-gov-west-1"]),
)
def test_any_values_resolve(values, function, region):
    """The same for all other parameters, in every partition; and ARNs are of that partition."""
    found = resolved(values | function, region)
    partition = {"us-east-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"}[region]
    made = {
        name: body for name, body in found.items() if name in ("TrailBucketPolicy", "TrailRole", "TopicKey")
    }
    selectors = found.get("NewTrailOfStack", {}).get("AdvancedEventSelectors", [])
    assert partition == "aws" or "arn:aws:" not in json.dumps([made, selectors])
    # Whoever names selectors names those of management events as well, or there are none.
    assert [each["Name"] for each in selectors][:1] in ([], ["Management"])
    assert bool(selectors) == (values.get("DataEvents", "none") != "none" and "NewTrailOfStack" in found)
    if "Graph" in found:
        body = json.loads(found["Graph"]["DashboardBody"])
        assert [each["type"] for each in body["widgets"]][::2] == ["alarm", "metric"]
    if found and values.get("Subscription8") and "Topic" in found:
        assert (found["Endpoint8"]["Protocol"], found["Endpoint8"]["Endpoint"].split(":")[2]) == (
            "sqs",
            "sqs",
        )


def test_defaults_are_those_that_help_shows():
    """What an option says is the default is the template's; and its choices are those of the template."""
    options = {option.name: option for option in OPTIONS}
    parameters = pipeline.document()["Parameters"]
    for name, parameter in PARAMETERS.items():
        default = pipeline.defaults()[parameter]
        shown = default_of(options[name])
        assert (shown == default) or (default == "" and shown in ("", "none", "CloudFormation makes one up")), name  # fmt: skip
        allowed = parameters[parameter].get("AllowedValues")
        assert tuple(str(each) for each in allowed or ()) == options[name].choices, name
    assert set(PROTOCOLS) >= {"email", "sqs", "lambda", "https", "sms"}


def test_every_part_has_words():
    """Plans say in words what each resource is, and know in which order each kind goes."""
    for name, body in pipeline.document()["Resources"].items():
        many = body["Type"] in ("AWS::Logs::QueryDefinition", "AWS::SNS::Subscription")
        assert many or name in wording.PARTS, name
        assert body["Type"] in wording.ORDER, body["Type"]
    assert set(wording.PARTS) <= set(pipeline.document()["Resources"])


def test_what_is_kept_is_retained():
    """What plans call kept has a policy that keeps it; what else holds data goes with the stack."""
    kept = {
        name
        for name, body in pipeline.document()["Resources"].items()
        if body.get("DeletionPolicy", "Delete") != "Delete"
    }
    assert kept == wording.KEPT
