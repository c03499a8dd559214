"""The checks of `rolewatch aws doctor`, over what AWS says of broken set-ups, and of a healthy one."""

import shlex
from pathlib import Path

import pytest
from doctor_broken import BROKEN, CIS, Broken
from doctor_worlds import (
    ACCOUNT,
    ADVANCED_MANAGEMENT,
    ADVANCED_OBJECTS,
    REGION,
    STREAMS,
    alarm,
    allow,
    healthy,
    log_alarm,
    metric_filter,
    policy,
    setup_of,
    trail,
)

from rolewatch.aws.checks import STEPS
from rolewatch.aws.doctor import CHECKS, judge
from rolewatch.aws.doctor_setup import Unseen

QUERY = 'filter userIdentity.sessionContext.sessionIssuer.arn like ":role/aws-service-role/" and ispresent(errorCode)'


def wrong(world):
    """Give the checks that are not content, with their status."""
    return {(each.id, each.verdict.status) for each in judge(setup_of(world)) if each.verdict.status != "ok"}


def test_a_healthy_set_up_has_nothing_said_of_it():
    """Where nothing is wrong, every check that speaks says ok."""
    assert wrong(healthy()) == set()


@pytest.mark.parametrize("broken", BROKEN, ids=[each.name for each in BROKEN])
def test_a_broken_set_up_is_found(broken: Broken):
    """Each broken set-up is told by its check, with a command that mends it."""
    world = healthy()
    broken.change(world)
    found = [
        each.verdict
        for each in judge(setup_of(world))
        if each.id == broken.check and each.verdict.status != "ok"
    ]
    assert broken.status in {each.status for each in found}
    assert any(broken.fix in (each.fix or "") for each in found)


@pytest.mark.parametrize("broken", BROKEN, ids=[each.name for each in BROKEN])
def test_a_fix_is_a_command_of_a_shell(broken: Broken):
    """What mends it can be pasted into a shell, and is a command of the AWS CLI or of rolewatch."""
    world = healthy()
    broken.change(world)
    for each in judge(setup_of(world)):
        if each.verdict.fix:
            assert shlex.split(each.verdict.fix)[0] in ("aws", "rolewatch")


def test_each_check_has_a_set_up_that_it_finds():
    """There is a broken set-up for every check of the table."""
    assert {each.check for each in BROKEN} == {each.id for each in CHECKS}


def test_ids_are_unique_and_steps_in_order():
    """No two checks share an id, and their steps are the article's, in its order."""
    assert len({each.id for each in CHECKS}) == len(CHECKS)
    assert list(dict.fromkeys(each.step for each in CHECKS)) == list(STEPS)


def test_advanced_selectors_that_let_everything_through_are_healthy():
    """Advanced selectors for management events and all objects leave nothing out."""
    world = healthy()
    world["trails"][0]["selectors"] = {"AdvancedEventSelectors": [ADVANCED_MANAGEMENT, ADVANCED_OBJECTS]}
    assert wrong(world) == set()


def test_trails_complete_each_other():
    """What one trail leaves out, another may record: nothing is said of either."""
    world = healthy()
    world["trails"][0]["selectors"]["EventSelectors"][0]["ReadWriteType"] = "WriteOnly"
    reads = trail()
    reads["described"] |= {
        "Name": "reads",
        "TrailARN": reads["described"]["TrailARN"].replace("management", "read"),
    }
    reads["selectors"]["EventSelectors"][0]["ReadWriteType"] = "ReadOnly"
    world["trails"].append(reads)
    assert wrong(world) == set()


def test_a_trail_without_a_log_group_does_not_count():
    """A second trail to a bucket only records what no filter sees: what the first leaves out is still told."""
    world = healthy()
    world["trails"][0]["described"]["IsMultiRegionTrail"] = False
    second = trail()
    second["described"] |= {
        "Name": "second",
        "TrailARN": f"{second['described']['TrailARN']}-2",
        "CloudWatchLogsLogGroupArn": "",
    }
    world["trails"].append(second)
    assert ("trail-single-region", "problem") in wrong(world)


def test_a_filter_that_is_watched_and_sees_all_makes_others_unimportant():
    """Beside a good filter with an alarm, nothing is said of the CIS benchmark's, which forgets codes and counts people."""
    world = healthy()
    world["filters"].append(metric_filter("cis", CIS, metricName="Unauthorized"))
    assert wrong(world) == set()


def test_a_filter_for_graphs_needs_no_alarm():
    """A second filter of the same pattern with a dimension is for graphs, and nothing is said of it."""
    world = healthy()
    role = {"Role": "$.userIdentity.sessionContext.sessionIssuer.userName"}
    world["filters"].append(metric_filter("by role", metricName="DeniedByRole", dimensions=role))
    assert wrong(world) == set()


def test_a_log_alarm_needs_no_filter():
    """A log alarm whose query finds all denials is as good as filter and alarm."""
    world = healthy()
    world["filters"] = []
    world["alarms"]["MetricAlarms"] = world["alarms"]["MetricAlarms"][1:]
    world["alarms"]["LogAlarms"] = [log_alarm(QUERY)]
    assert wrong(world) == set()


def test_a_composite_alarm_acts_for_those_below():
    """An alarm without an action of its own is told by the composite alarm above it."""
    world = healthy()
    world["alarms"]["MetricAlarms"][0]["AlarmActions"] = []
    world["alarms"]["CompositeAlarms"] = [
        {"AlarmName": "either", "AlarmActions": [alarm()["AlarmActions"][0]], "AlarmRule": 'ALARM("denied") OR ALARM("silent")', "StateValue": "OK"},
    ]  # fmt: skip
    assert wrong(world) == set()


def test_an_organizations_trail_needs_its_members_streams():
    """Of an organization's trail whose role may write the members' streams, nothing is said."""
    world = healthy()
    world["trails"][0]["described"]["IsOrganizationTrail"] = True
    world["organization"] = "o-exampleorgid"
    delivers = allow(
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        resource=[f"{STREAMS}{ACCOUNT}_CloudTrail_{REGION}*", f"{STREAMS}o-exampleorgid_*"],
    )
    world["trails"][0]["role"]["policies"] = {"deliver": policy(delivers)}
    assert wrong(world) == set()
    world["organization"] = Unseen("organizations:DescribeOrganization", "the organization", "denied", "no")
    assert wrong(world) == {("logs-role-organization", "unknown")}


def test_from_a_member_an_organizations_trail_is_unknown_and_not_wrong():
    """A member sees that the organization's trail records; all that is in the other account is one unknown, with whom to ask."""
    world = healthy()
    world["trails"][0]["described"] |= {
        "TrailARN": f"arn:aws:cloudtrail:{REGION}:999999999999:trail/organization",
        "IsOrganizationTrail": True,
        "CloudWatchLogsLogGroupArn": f"arn:aws:logs:{REGION}:999999999999:log-group:logs:*",
    }
    world["trails"][0]["role"] = None
    assert wrong(world) == {("trail-elsewhere", "unknown")}


def test_a_trail_records_what_it_does_unless_it_is_told_otherwise():
    """A trail without any selectors records all management events."""
    world = healthy()
    world["trails"][0]["selectors"] = {}
    assert wrong(world) == {("trail-data-events", "warning")}


def test_data_events_of_some_buckets_are_a_choice():
    """Data events that are limited to buckets are no warning, and the message names these."""
    world = healthy()
    limited = {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::secrets/"]}
    some = {"FieldSelectors": [*ADVANCED_OBJECTS["FieldSelectors"], limited]}
    world["trails"][0]["selectors"] = {"AdvancedEventSelectors": [ADVANCED_MANAGEMENT, some]}
    assert wrong(world) == set()
    (told,) = [each.verdict.message for each in judge(setup_of(world)) if each.id == "trail-data-events"]
    assert "arn:aws:s3:::secrets/" in told


def test_each_check_is_documented():
    """The page of the command has a row for each check."""
    page = (Path(__file__).parents[2] / "docs" / "aws-doctor.md").read_text()
    assert [each.id for each in CHECKS if f"| `{each.id}` |" not in page] == []


def test_an_unencrypted_topic_needs_no_key():
    """A topic without a key has nothing that CloudWatch would have to be let use."""
    world = healthy()
    del world["topic"]["KmsMasterKeyId"]
    assert wrong(world) == set()


@pytest.mark.parametrize(
    ("where", "action", "checks"),
    [
        (("trails",), "cloudtrail:DescribeTrails", {"trail-missing", "logs-attached"}),
        (("trails", 0, "status"), "cloudtrail:GetTrailStatus", {"trail-logging", "logs-delivery-late"}),
        (("trails", 0, "selectors"), "cloudtrail:GetEventSelectors", {"trail-read-events", "trail-data-events"}),
        (("trails", 0, "role"), "iam:GetRole", {"logs-role-trust", "logs-role-permissions"}),
        (("group",), "logs:DescribeLogGroups", {"log-group-missing", "log-group-class"}),
        (("filters",), "logs:DescribeMetricFilters", {"filter-missing"}),
        (("subscriptions",), "logs:DescribeSubscriptionFilters", {"log-group-subscriptions"}),
        (("transformer",), "logs:GetTransformer", {"log-group-transformer"}),
        (("stream",), "logs:DescribeLogStreams", {"log-group-events"}),
        (("alarms",), "cloudwatch:DescribeAlarms", {"filter-unwatched", "alarm-actions", "topic-subscription"}),
        (("published",), "cloudwatch:ListMetrics", {"filter-never-published"}),
        (("topic",), "sns:GetTopicAttributes", {"topic-missing", "topic-policy"}),
        (("subscribed",), "sns:ListSubscriptionsByTopic", {"topic-subscription"}),
        (("key",), "kms:DescribeKey", {"topic-key"}),
        (("key_policy",), "kms:GetKeyPolicy", {"topic-key"}),
    ],
)  # fmt: skip
def test_what_is_denied_is_unknown_and_the_rest_goes_on(where, action, checks):
    """A denied call makes the checks that need it unknown, with the permission named, and no other check a problem."""
    world = healthy()
    place = world
    for step in where[:-1]:
        place = place[step]
    place[where[-1]] = Unseen(action, "something", "denied", "AccessDenied: no")
    found = [each for each in judge(setup_of(world)) if each.verdict.status != "ok"]
    assert {each.verdict.status for each in found} == {"unknown"}
    assert checks <= {each.id for each in found}
    assert all(action in each.verdict.message for each in found)
    assert all(each.verdict.fix == "rolewatch aws doctor --print-permissions" for each in found)


def test_what_cannot_be_read_of_a_policy_is_unknown():
    """A policy that is none does not end the examination."""
    world = healthy()
    world["topic"]["Policy"] = "{"
    assert wrong(world) == {("topic-policy", "unknown")}
