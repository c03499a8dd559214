"""What a denial would have come to: from the filter to the person, over set-ups as AWS describes them."""

from types import SimpleNamespace

import boto3
import pytest
from botocore.stub import Stubber
from doctor_broken import CIS, GET_ONLY, PENDING
from doctor_worlds import (
    ACCOUNT,
    REGION,
    TOPIC_ARN,
    alarm,
    allow,
    healthy,
    log_alarm,
    metric_filter,
    policy,
    setup_of,
)

from rolewatch.aws.accounts import Caller
from rolewatch.aws.checks import Case
from rolewatch.aws.checks_fix import pattern
from rolewatch.aws.doctor_asking import Asker
from rolewatch.aws.doctor_samples import denials, others
from rolewatch.aws.doctor_setup import Unseen
from rolewatch.aws.doctor_simulate import simulate
from rolewatch.patterns import compile_pattern

QUERY = 'filter userIdentity.sessionContext.sessionIssuer.arn like ":role/aws-service-role/" and ispresent(errorCode)'
BAND = [
    {"Id": "m", "ReturnData": True, "MetricStat": {"Metric": {"Namespace": "Local", "MetricName": "Denied"}, "Period": 300, "Stat": "Sum"}},
    {"Id": "band", "ReturnData": True, "Expression": "ANOMALY_DETECTION_BAND(m, 2)"},
]  # fmt: skip


def trials(world):
    """Simulate without AWS; returns the trials by what happened."""
    return {each.event: each for each in simulate(Case(setup_of(world)), None)}


def rung(world):
    """Say of each kind of denial whether it would have rung."""
    return {name: each.would_ring for name, each in trials(world).items()}


def first(world):
    """Give what is said of the first kind of denial."""
    return next(iter(trials(world).values()))


def test_our_pattern_matches_all_samples_and_nothing_else():
    """The samples are denials of service-linked roles by the pattern that deploy ships, in every partition; the others are none."""
    for place in (
        (ACCOUNT, "aws", REGION),
        (ACCOUNT, "aws-us-gov", "us-gov-west-1"),
        (ACCOUNT, "aws-cn", "cn-north-1"),
    ):
        matches = compile_pattern(pattern())
        assert all(matches(each.message) for each in denials(*place))
        assert not any(matches(each.message) for each in others(*place))


def test_a_healthy_pipeline_rings_for_all():
    """Every kind of denial rings, and the message names the topic and how its subscribers are told."""
    assert set(rung(healthy()).values()) == {True}
    assert first(healthy()).message == f"denied goes to ALARM, and {TOPIC_ARN} tells its subscribers (email)."


def test_a_narrow_filter_rings_for_some():
    """What the pattern does not match does not ring, and the rest does."""
    world = healthy()
    world["filters"][0]["filterPattern"] = GET_ONLY
    assert [name for name, yes in rung(world).items() if yes] == ["bucket-read", "queue"]
    assert trials(world)["launch"].message == "No filter and no query in CloudTrail/logs matches it."


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda world: world["filters"][0]["metricTransformations"][0].update(defaultValue=1.0), "is in ALARM already"),
        (lambda world: world["alarms"]["MetricAlarms"][0].update(TreatMissingData="breaching"), "is in ALARM already"),
        (lambda world: world["alarms"]["MetricAlarms"][0].update(Threshold=5.0), "denied stays OK"),
        (lambda world: world["alarms"]["MetricAlarms"][0].update(Dimensions=[{"Name": "Role", "Value": "x"}]), "denied stays OK"),
        (lambda world: world["alarms"]["MetricAlarms"][0].update(AlarmActions=[]), "has no action"),
        (lambda world: world["alarms"]["MetricAlarms"][0].update(ActionsEnabled=False), "has no action, or none that is enabled"),
        (lambda world: world["alarms"]["MetricAlarms"].pop(0), "no alarm looks at what that publishes"),
        (lambda world: world.update(topic=None), "does not exist"),
        (lambda world: world.update(subscribed=PENDING), "nobody has confirmed"),
        (lambda world: world["topic"].update(Policy=policy(allow("sns:Publish", service="events.amazonaws.com"))), "does not let CloudWatch publish"),
        (lambda world: world["key"].update(KeyManager="AWS"), "does not let CloudWatch publish"),
    ],
)  # fmt: skip
def test_where_it_stops_is_told(change, told):
    """Nobody is told, and the message says which link of the chain is broken."""
    world = healthy()
    change(world)
    assert set(rung(world).values()) == {False}
    assert told in first(world).message


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda world: world.update(key_policy=Unseen("kms:GetKeyPolicy", "the key", "denied", "no")), "kms:GetKeyPolicy"),
        (lambda world: world.update(alarms=Unseen("cloudwatch:DescribeAlarms", "alarms", "denied", "no")), "cloudwatch:DescribeAlarms"),
        (lambda world: world.update(filters=Unseen("logs:DescribeMetricFilters", "filters", "denied", "no")), "logs:DescribeMetricFilters"),
        (lambda world: world["filters"][0].update(applyOnTransformedLogs=True), "looks at events as a transformer leaves them"),
        (lambda world: world["alarms"]["MetricAlarms"].__setitem__(0, anomaly()), "learned to be usual"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_said(change, told):
    """Where a link cannot be looked at, the answer is neither yes nor no."""
    world = healthy()
    change(world)
    assert set(rung(world).values()) == {None}
    assert told in first(world).message


def anomaly():
    """Describe an alarm with a band."""
    made = alarm(Metrics=BAND, ThresholdMetricId="band", ComparisonOperator="GreaterThanUpperThreshold")
    return {
        name: value
        for name, value in made.items()
        if name not in ("MetricName", "Namespace", "Statistic", "Period", "Threshold", "Dimensions")
    }


def test_a_composite_alarm_rings_for_one_without_actions():
    """The composite alarm above acts, and an alarm of its rule that has nothing to do with it keeps its state."""
    world = healthy()
    world["alarms"]["MetricAlarms"][0]["AlarmActions"] = []
    world["alarms"]["MetricAlarms"].append(
        alarm("maintenance", Namespace="Other", MetricName="Other", StateValue="OK")
    )
    world["alarms"]["CompositeAlarms"] = [
        {"AlarmName": "either", "AlarmActions": [TOPIC_ARN], "AlarmRule": 'ALARM("denied") AND NOT ALARM("maintenance")', "StateValue": "OK"}
    ]  # fmt: skip
    assert set(rung(world).values()) == {True}
    assert first(world).alarms == ("either",)
    world["alarms"]["MetricAlarms"][-1]["StateValue"] = "ALARM"
    assert set(rung(world).values()) == {False}


def test_a_log_alarm_rings_without_a_filter():
    """A log alarm whose query lets a denial through rings for the contributor; one that looks for another code does not."""
    world = healthy()
    world["filters"] = []
    world["alarms"]["LogAlarms"] = [log_alarm(QUERY)]
    assert set(rung(world).values()) == {True}
    world["alarms"]["LogAlarms"] = [log_alarm(QUERY, Threshold=2.0)]
    assert set(rung(world).values()) == {False}


def test_a_lambda_action_counts_as_told():
    """What is no topic is called, and that is as far as can be seen."""
    world = healthy()
    world["alarms"]["MetricAlarms"][0]["AlarmActions"] = [f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:tell"]
    assert set(rung(world).values()) == {True}


class _Accounts:
    """Hands out one stubbed client, whatever is asked for."""

    def __init__(self, client):
        self._client = client
        self.caller = Caller(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/alice", "aws")

    def client(self, *_):
        return self._client


@pytest.fixture
def logs(aws_environment):
    """Give a client of CloudWatch Logs, and its stub."""
    del aws_environment
    client = boto3.client("logs", region_name=REGION)
    with Stubber(client) as stubber:
        yield SimpleNamespace(asker=Asker(_Accounts(client)), stubber=stubber)
        stubber.assert_no_pending_responses()
    client.close()


def test_aws_is_asked_once_for_each_filter(logs):
    """All samples go to TestMetricFilter in one call for each filter, and what it says decides, not our own patterns."""
    world = healthy()
    world["filters"] = [metric_filter(text=CIS), metric_filter("second", GET_ONLY)]
    messages = [each.message for each in denials(ACCOUNT)]
    for text, found in ((CIS, messages[:1]), (GET_ONLY, messages[2:3])):
        matches = [{"eventNumber": 1, "eventMessage": each, "extractedValues": {}} for each in found]
        logs.stubber.add_response(
            "test_metric_filter", {"matches": matches}, {"filterPattern": text, "logEventMessages": messages}
        )
    told = simulate(Case(setup_of(world)), logs.asker)
    assert [each.event for each in told if each.would_ring] == ["bucket-read", "launch"]
    assert {each.tested_by for each in told} == {"aws"}


@pytest.mark.parametrize(("code", "status", "why"), [("AccessDeniedException", 400, "denied"), ("ServiceUnavailableException", 503, "failed")])  # fmt: skip
def test_our_patterns_stand_in_for_aws(logs, code, status, why):
    """Where TestMetricFilter is denied, or fails, our own patterns decide, and the call is named among those without an answer."""
    logs.stubber.add_client_error("test_metric_filter", code, "no", http_status_code=status)
    told = simulate(Case(setup_of(healthy())), logs.asker)
    assert {(each.would_ring, each.tested_by) for each in told} == {(True, "rolewatch")}
    assert [(each.action, each.why) for each in logs.asker.unseen] == [("logs:TestMetricFilter", why)]
