"""`rolewatch aws doctor` from end to end, against the AWS of `moto_cloud.py`, over HTTP."""

import json
from datetime import UTC, datetime

import pytest
from deploying import ACCOUNT, REGION, cloud, cloud_url  # noqa: F401 - fixtures
from doctor_broken import CIS
from doctor_pipeline import GROUP, STREAM, TOPIC, Built, built, doctor, proxy, stands_in, wrong  # noqa: F401 - fixtures

from faults import refusal
from rolewatch.aws.accounts import Access, Accounts
from rolewatch.aws.doctor import examine
from rolewatch.aws.doctor_collect import Chosen
from rolewatch.aws.doctor_setup import permissions
from rolewatch.aws.pace import Pace
from rolewatch.catalog.actions import iam_action


def test_a_healthy_pipeline_has_nothing_said_of_it(built):
    """Of a pipeline in which nothing is wrong, nothing is said."""
    status, report, err = doctor(built.cloud)
    assert wrong(report) == set()
    assert (report["account"], report["regions"], report["not_seen"]) == (ACCOUNT, [REGION], [])
    assert (status, err) == (0, "")


def test_simulation_rings_from_filter_to_subscriber(built):
    """Denials of all kinds, put to TestMetricFilter, would have rung."""
    _, report, _ = doctor(built.cloud, "--simulate")
    trials = report["simulation"]
    assert len(trials) == 8
    assert {(each["would_ring"], each["tested_by"]) for each in trials} == {(True, "aws")}
    assert all(each["alarms"] == ["denied"] and each["matched_by"] == ["denied"] for each in trials)
    assert "email" in trials[0]["message"]


BREAKS = {
    "trail-logging": lambda built: built.clients["cloudtrail"].stop_logging(Name="management-events"),
    "trail-single-region": lambda built: built.clients["cloudtrail"].update_trail(Name="management-events", IsMultiRegionTrail=False),
    "trail-read-events": lambda built: built.clients["cloudtrail"].put_event_selectors(
        TrailName="management-events", EventSelectors=[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]
    ),
    "trail-kms-events": lambda built: built.clients["cloudtrail"].put_event_selectors(
        TrailName="management-events",
        AdvancedEventSelectors=[
            {
                "FieldSelectors": [
                    {"Field": "eventCategory", "Equals": ["Management"]},
                    {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]},
                ]
            }
        ],
    ),
    "logs-role-trust": lambda built: built.clients["iam"].update_assume_role_policy(
        RoleName="delivers",
        PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
        ),
    ),
    "logs-role-permissions": lambda built: built.clients["iam"].detach_role_policy(
        RoleName="delivers", PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/deliver"
    ),
    "log-group-missing": lambda built: built.clients["logs"].delete_log_group(logGroupName=GROUP),
    "log-group-retention": lambda built: built.clients["logs"].put_retention_policy(logGroupName=GROUP, retentionInDays=1),
    "log-group-events": lambda built: built.clients["logs"].delete_log_stream(logGroupName=GROUP, logStreamName=STREAM),
    "log-group-silence": lambda built: built.clients["cloudwatch"].delete_alarms(AlarmNames=["silent"]),
    "filter-missing": lambda built: built.clients["logs"].delete_metric_filter(logGroupName=GROUP, filterName="denied"),
    "filter-narrow": lambda built: built.put_filter(CIS),
    "filter-default": lambda built: built.put_filter(defaultValue=1),
    "filter-unwatched": lambda built: built.clients["cloudwatch"].delete_alarms(AlarmNames=["denied"]),
    "alarm-actions": lambda built: built.clients["cloudwatch"].disable_alarm_actions(AlarmNames=["denied"]),
    "alarm-settings": lambda built: built.put_alarm(TreatMissingData="breaching"),
    "topic-missing": lambda built: built.clients["sns"].delete_topic(TopicArn=TOPIC),
    "topic-subscription": lambda built: [
        built.clients["sns"].unsubscribe(SubscriptionArn=each["SubscriptionArn"])
        for each in built.clients["sns"].list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]
    ],
    "topic-policy": lambda built: built.clients["sns"].set_topic_attributes(
        TopicArn=TOPIC,
        AttributeName="Policy",
        AttributeValue=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish", "Resource": TOPIC}]}
        ),
    ),
    "topic-key": lambda built: built.clients["kms"].disable_key(KeyId=built.key),
}  # fmt: skip


@pytest.mark.parametrize("check", BREAKS)
def test_what_is_broken_is_found(built, check):
    """What is broken in the account itself is found by its check, with exit status 1 where that is asked for and it is a problem."""
    BREAKS[check](built)
    status, report, _ = doctor(built.cloud, "--exit-code", "1")
    found = [
        each for each in report["checks"] if each["id"] == check and each["status"] in ("problem", "warning")
    ]
    assert found
    assert all(each["fix"] for each in found)
    problems = any(each["status"] == "problem" for each in report["checks"])
    assert status == (1 if problems else 0)


def test_the_key_that_aws_manages_is_no_key_for_alarms(built):
    """A topic encrypted with alias/aws/sns is a problem, whatever its policy says."""
    sns = built.clients["sns"]
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns")
    _, report, _ = doctor(built.cloud)
    assert ("topic-key", "problem") in wrong(report)


def test_the_trap_of_a_default_value_never_rings(built):
    """With a default of 1, ordinary events hold the alarm in ALARM, and a denial changes nothing."""
    built.put_filter(defaultValue=1)
    _, report, _ = doctor(built.cloud, "--simulate")
    assert {each["would_ring"] for each in report["simulation"]} == {False}
    assert "in ALARM already" in report["simulation"][0]["message"]


def test_an_empty_account_has_no_trail(cloud):
    """In an account without anything, one thing is said: that there is no trail, and how to get one."""
    status, report, _ = doctor(cloud, "--exit-code", "7")
    assert wrong(report) == {("trail-missing", "problem")}
    assert report["checks"][0]["fix"] == "rolewatch aws deploy"
    assert status == 7


def test_what_deploy_builds_is_healthy(cloud, proxy):
    """Of what `aws deploy` has built nothing is said but that it records no data events, which are charged for, and that it is new.

    moto keeps the policies of a stack's roles as Python writes them, which nobody can read: the role is for the tests of the template.
    """
    del proxy
    cloud.json("deploy", "--email", "a@example.com")
    _, report, _ = doctor(cloud, "--simulate")
    beside = {("logs-role-permissions", "unknown")}
    assert wrong(report) - beside == {("trail-data-events", "warning"), ("log-group-events", "problem")}
    assert {each["would_ring"] for each in report["simulation"]} == {True}
    cloud.json("deploy", "--data-events", "service-linked")
    _, report, _ = doctor(cloud)
    assert wrong(report) - beside == {("log-group-events", "problem")}


def test_trail_and_log_group_can_be_named(built):
    """Only what is named is looked at; a log group that no trail delivers to is told as such."""
    built.clients["logs"].create_log_group(logGroupName="other")
    _, report, _ = doctor(built.cloud, "--trail", "management-events", "--log-group", GROUP)
    assert wrong(report) == set()
    _, report, _ = doctor(built.cloud, "--log-group", "other")
    assert {("logs-attached", "problem"), ("filter-missing", "problem")} <= wrong(report)


def test_a_trail_that_is_not_there_is_an_error(built):
    """A trail that was named and does not exist ends it, with the names of those there are."""
    status, out, err = built.cloud.run("doctor", "--trail", "none")
    assert (status, out) == (4, "")
    assert "management-events" in err


def test_a_denied_call_is_named_and_the_others_go_on(built, proxy):
    """Where a call is denied, its checks are unknown, the permission is named, the rest is judged, and the status is 3."""
    proxy.fail("GetKeyPolicy", refusal("AccessDeniedException"))
    proxy.fail("DescribeSubscriptionFilters", refusal("AccessDeniedException"))
    status, report, err = doctor(built.cloud)
    assert status == 3
    assert wrong(report) == {("topic-key", "unknown"), ("log-group-subscriptions", "unknown")}
    assert {each["why"] for each in report["not_seen"]} == {"denied"}
    assert {each["action"] for each in report["not_seen"]} == {
        "kms:GetKeyPolicy",
        "logs:DescribeSubscriptionFilters",
    }
    assert "kms:GetKeyPolicy on the key" in err


def test_a_throttled_call_is_told_as_such(built, proxy, monkeypatch):
    """What AWS does not answer for being asked too often has failed, and is not denied; the checks that need it are unknown."""
    monkeypatch.setattr("rolewatch.base.aws.ATTEMPTS", 1)
    proxy.fail("DescribeSubscriptionFilters", refusal("ThrottlingException"))
    status, report, err = doctor(built.cloud)
    assert (status, wrong(report)) == (3, {("log-group-subscriptions", "unknown")})
    (entry,) = report["not_seen"]
    assert (entry["why"], "run it again" in entry["reason"]) == ("failed", True)
    assert (
        "logs:DescribeSubscriptionFilters on the log group CloudTrail/logs failed: ThrottlingException" in err
    )


def test_where_aws_does_not_test_filters_our_patterns_do(built, proxy):
    """TestMetricFilter that is denied is named, and our own patterns say what it would have said."""
    proxy.fail("TestMetricFilter", refusal("AccessDeniedException"))
    status, report, err = doctor(built.cloud, "--simulate")
    assert status == 3
    assert {(each["would_ring"], each["tested_by"]) for each in report["simulation"]} == {(True, "rolewatch")}
    assert "logs:TestMetricFilter" in err


def test_expired_credentials_end_it(built, proxy):
    """Credentials that are over in the middle end it with one sentence, and not with everything unknown."""
    proxy.fail("DescribeMetricFilters", refusal("ExpiredTokenException"))
    status, out, err = built.cloud.run("doctor")
    assert (status, out) == (4, "")
    assert "logs:DescribeMetricFilters" in err
    assert "sign in again" in err


def test_only_calls_are_made_that_read_and_that_the_printed_policy_allows(built):
    """Every call describes, gets or lists (or tests a filter), and is one that --print-permissions names."""
    del built
    made = []

    def prepare(client):
        client.meta.events.register("before-call", lambda model, **_: made.append(model))

    accounts = Accounts(Access(), Pace(1000), prepare=prepare)
    examine(accounts, Chosen((REGION,)), datetime.now(UTC), simulated=True)
    names = {model.name for model in made} - {"GetCallerIdentity"}  # which needs no permission
    assert len(names) > 15
    assert all(name.startswith(("Describe", "Get", "List")) or name == "TestMetricFilter" for name in names)
    (statement,) = permissions(simulate=True)["Statement"]
    needed = {
        iam_action(f"{model.service_model.signing_name}.amazonaws.com", model.name)[0]
        for model in made
        if model.name in names
    }
    assert needed <= set(statement["Action"]) | {
        each.replace("cloudwatch:", "monitoring:") for each in statement["Action"]
    }


def test_permissions_are_printed_without_asking_aws(cloud, monkeypatch):
    """--print-permissions needs neither credentials nor a network; TestMetricFilter is for --simulate only."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    status, out, _ = cloud.run("doctor", "--print-permissions")
    assert status == 0
    assert json.loads(out) == permissions(simulate=False)
    _, out, _ = cloud.run("doctor", "--print-permissions", "--simulate")
    assert set(json.loads(out)["Statement"][0]["Action"]) - set(
        permissions(simulate=False)["Statement"][0]["Action"]
    ) == {"logs:TestMetricFilter"}


def test_the_table_shows_steps_and_fixes(built):
    """The table has the steps in order, the fix on a line of its own, and how many problems there are."""
    built.clients["cloudwatch"].delete_alarms(AlarmNames=["silent"])
    built.put_alarm(TreatMissingData="breaching")
    status, out, _ = built.cloud.run("doctor", "--simulate")
    assert status == 0
    steps = ("Delivery", "Log group", "Metric filter", "Alarm", "Topic", "Simulation")
    at = [out.index(f"\n{step}\n") for step in steps]
    assert at == sorted(at)
    assert "\n         $ aws cloudwatch put-metric-alarm --cli-input-json '{" in out
    assert out.splitlines()[-1] == f"account {ACCOUNT}, {REGION}: 1 problem, 1 warning."


def test_a_pipeline_is_followed_to_its_own_region(built):
    """From another Region that the trail records, log group, filters and alarms are found where they are."""
    status, report, _ = doctor(built.cloud, "--region", "eu-west-1", "--simulate")
    assert (status, wrong(report)) == (0, set())
    assert {each["region"] for each in report["simulation"]} == {REGION}


def test_hostile_names_do_not_reach_the_terminal(built):
    """What somebody has written into a filter's pattern is shown as it is, without steering the terminal."""
    built.put_filter('{ $.errorCode = "AccessDenied\\x1b[2J" }')
    _, out, _ = built.cloud.run("doctor")
    assert "filter-narrow" in out
    assert "\x1b" not in out
