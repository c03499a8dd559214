"""Names that a stack would give, and that something else has already: told before CloudFormation finds out."""

import json

import pytest
from deploying import ACCOUNT, REGION, cloud, cloud_url  # noqa: F401 - fixtures
from pipelines import ALARMS, FUNCTIONS, resolved
from stubbed import CHANGE_SET, MAIL, NOW, aws  # noqa: F401 - a fixture

from rolewatch.aws import deploy, names, pipeline
from rolewatch.base.errors import CannotDo

#: Type → the property with its name.
PROPERTY = {
    "AWS::CloudTrail::Trail": "TrailName", "AWS::S3::Bucket": "BucketName", "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SNS::Topic": "TopicName", "AWS::CloudWatch::Alarm": "AlarmName", "AWS::CloudWatch::LogAlarm": "AlarmName",
    "AWS::CloudWatch::CompositeAlarm": "AlarmName", "AWS::CloudWatch::Dashboard": "DashboardName", "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName", "AWS::Logs::MetricFilter": "FilterName", "AWS::Logs::SubscriptionFilter": "FilterName",
}  # fmt: skip


@pytest.mark.parametrize("alarm", ALARMS)
@pytest.mark.parametrize("function", FUNCTIONS, ids=["no function", "zip", "image"])
@pytest.mark.parametrize("more", [{}, {"Trail": "existing", "ExistingLogGroup": "g"}, {"BucketName": "b" * 8, "Dashboard": "no"}, {"Parts": "trail"}])  # fmt: skip
def test_all_names_of_the_template_are_looked_up(alarm, function, more):
    """Whatever the parameters, the table has each part of the template that has a name of ours, by that name, and no other."""
    given = {"Alarm": alarm, **function, **more}
    types = {name: body["Type"] for name, body in pipeline.document()["Resources"].items()}
    theirs = {
        name: body[PROPERTY[types[name]]]
        for name, body in resolved(given).items()
        if body.get(PROPERTY.get(types[name], ""))
    }
    values = pipeline.effective(given, {})
    ours = {
        part.logical_id: part.name("watching", REGION, values) for part in names._PARTS if part.wanted(values)
    }
    assert ours == theirs


def alarm(cloud, name):
    """Make an alarm."""
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=name, Namespace="N", MetricName="M", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip


TAKEN = {
    "the trail rolewatch": lambda cloud: cloud.make_trail("rolewatch"),
    "the bucket logs-of-mine": lambda cloud: cloud.client("s3").create_bucket(Bucket="logs-of-mine"),
    "the log group rolewatch/cloudtrail": lambda cloud: cloud.client("logs").create_log_group(logGroupName="rolewatch/cloudtrail"),
    "the topic rolewatch": lambda cloud: cloud.client("sns").create_topic(Name="rolewatch"),
    "the alarm rolewatch-denied": lambda cloud: alarm(cloud, "rolewatch-denied"),
    "the alarm rolewatch-silent": lambda cloud: alarm(cloud, "rolewatch-silent"),
    "the alarm rolewatch-state": lambda cloud: alarm(cloud, "rolewatch-state"),
    f"the dashboard rolewatch-{REGION}": lambda cloud: cloud.client("cloudwatch").put_dashboard(
        DashboardName=f"rolewatch-{REGION}", DashboardBody=json.dumps({"widgets": []})
    ),
}  # fmt: skip


@pytest.mark.parametrize("plan", [[], ["--plan"]], ids=["deploy", "plan"])
@pytest.mark.parametrize("what", TAKEN)
def test_a_name_is_taken(cloud, what, plan):
    """What has the name is named with what to do, nothing is made, and what was there is as it was."""
    TAKEN[what](cloud)
    status, out, err = cloud.run("deploy", "--bucket", "logs-of-mine", "--email", "a@example.com", *plan)
    assert (status, out, cloud.stacks()) == (4, "", {})
    assert f"{what} is there already, which the stack did not make; nothing was changed" in err
    assert ("--bucket" if "bucket" in what else "choose another --stack-name") in err


def test_all_names_that_are_taken_are_told_at_once(cloud):
    """One run names all of them, and each remedy once."""
    for make in TAKEN.values():
        make(cloud)
    status, _, err = cloud.run("deploy", "--bucket", "logs-of-mine", "--email", "a@example.com")
    assert status == 4
    assert [what for what in TAKEN if what not in err] == []
    assert err.count("or remove what has the name") == 1
    assert "use the trail with --trail rolewatch" in err


def test_what_only_begins_with_the_name_is_another(cloud):
    """A log group or an alarm whose name is longer, and things of another Region, take no name."""
    cloud.client("logs").create_log_group(logGroupName="rolewatch/cloudtrail-of-old")
    alarm(cloud, "rolewatch-denied-once")
    cloud.client("sns", "eu-west-1").create_topic(Name="rolewatch")
    assert cloud.json("deploy", "--email", "a@example.com")["result"] == "created"


def test_a_stacks_own_parts_are_not_in_its_way(cloud):
    """A stack that is brought up to date has its own names, and so may take another kind of alarm."""
    cloud.json("deploy", "--email", "a@example.com", "--bucket", "logs-of-mine")
    told = cloud.json("deploy", "--alarm", "anomaly", "--retention", "30")
    assert told["result"] == "updated"
    found = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert {each["AlarmName"] for each in found} == {"rolewatch-unusual", "rolewatch-silent"}


def test_kinds_of_alarms_have_names_of_their_own():
    """CloudFormation makes what is new before it removes what is old: in one stack, two kinds cannot share a name."""
    found = [resolved({"Alarm": kind}) for kind in ALARMS]
    made = [
        body["AlarmName"]
        for each in found
        for name, body in each.items()
        if name in ("DeniedAlarm", "UnusualAlarm", "DeniedLogAlarm")
    ]
    assert len(set(made)) == len(ALARMS)
    for name, each in zip(made, found, strict=True):
        assert f":alarm:{name}" in each["Graph"]["DashboardBody"]


def free(aws):
    """Answer that no name is taken, in the order of the table."""
    aws.answer("logs", "describe_log_groups", {"logGroups": []})
    aws.answer("sts", "get_caller_identity", {"Account": ACCOUNT})
    aws.fail("sns", "get_topic_attributes", "NotFound", "no", 404)
    for _ in range(3):
        aws.answer("cloudwatch", "describe_alarms", {})
    aws.fail("cloudwatch", "get_dashboard", "ResourceNotFound", "no", 404)


def test_all_names_are_free(aws):
    """Where every look-up says no, nothing is said."""
    aws.stack(None)
    aws.trails()
    free(aws)
    aws.change_set()
    found = deploy.plan(aws, deploy.Wanted(endpoints=MAIL), now=NOW, manner=aws.manner)
    assert found.unchecked == ()


def test_what_may_not_be_looked_up_is_said(aws):
    """A look-up that is denied or fails ends nothing: it is told, with the permission that it takes."""
    aws.stack(None)
    aws.trails()
    aws.fail("logs", "describe_log_groups", "AccessDeniedException", "no", 400)
    aws.answer("sts", "get_caller_identity", {"Account": ACCOUNT})
    aws.fail("sns", "get_topic_attributes", "AuthorizationError", "no", 403)
    for _ in range(3):
        aws.fail("cloudwatch", "describe_alarms", "InternalServiceError", "no", 500)
    aws.answer("cloudwatch", "get_dashboard", {})
    with pytest.raises(CannotDo, match=r"the dashboard rolewatch-us-east-1 is there already"):
        deploy.plan(aws, deploy.Wanted(endpoints=MAIL), now=NOW, manner=aws.manner)
    values = pipeline.effective({"Dashboard": "no"}, {})
    aws.fail("logs", "describe_log_groups", "AccessDeniedException", "no", 400)
    aws.answer("sts", "get_caller_identity", {"Account": ACCOUNT})
    aws.fail("sns", "get_topic_attributes", "AuthorizationError", "no", 403)
    for _ in range(3):
        aws.fail("cloudwatch", "describe_alarms", "InternalServiceError", "no", 500)
    found = names.looked_up(aws, "rolewatch", values, ())
    assert found.unchecked[:2] == (
        "whether there is a log group rolewatch/cloudtrail already could not be checked: logs:DescribeLogGroups is denied",
        "whether there is a topic rolewatch already could not be checked: sns:GetTopicAttributes is denied",
    )
    assert "cloudwatch:DescribeAlarms failed: InternalServiceError: no" in found.unchecked[2]
    assert found.taken == ()


def test_credentials_that_end_meanwhile(aws):
    """Expired credentials are no name that could not be checked."""
    aws.stack(None)
    aws.trails()
    aws.fail("logs", "describe_log_groups", "ExpiredTokenException", "no", 400)
    with pytest.raises(CannotDo, match=r"stopped at logs:DescribeLogGroups on rolewatch/cloudtrail") as told:
        deploy.plan(aws, deploy.Wanted(endpoints=MAIL), now=NOW, manner=aws.manner)
    assert "sign in again" in told.value.remedy


@pytest.mark.parametrize(("code", "status"), [("403", 403), ("301", 301)])
def test_a_bucket_of_somebody_else(aws, code, status):
    """A bucket that is another account's, or in another Region, has the name all the same."""
    aws.fail("s3", "head_bucket", code, "no", status)
    values = pipeline.effective({"BucketName": "logs-of-mine", "Parts": "trail"}, {})
    assert names.looked_up(aws, "rolewatch", values, ()).taken == ("the bucket logs-of-mine",)


def add(name, type_, action="Add", **more):
    """Return a change as CloudFormation has it."""
    change = {"Action": action, "LogicalResourceId": name, "ResourceType": type_, **more}
    return {"Type": "Resource", "ResourceChange": change}


def test_an_update_looks_up_what_it_adds_and_nothing_else(aws):
    """Of a stack that is there, only new parts and a bucket with another name are looked up; the change set goes if one is taken."""
    aws.stack("CREATE_COMPLETE", parameters=[("Trail", "new"), ("Dashboard", "no"), ("BucketName", "")])
    aws.trails()
    changes = [
        add("Graph", "AWS::CloudWatch::Dashboard"),
        add("TrailBucket", "AWS::S3::Bucket", "Modify", Replacement="True", PhysicalResourceId="b"),
        add("Topic", "AWS::SNS::Topic", "Modify", Replacement="Conditional", PhysicalResourceId="t"),
    ]
    aws.change_set("UPDATE", changes=changes)
    aws.answer("s3", "head_bucket", {}, {"Bucket": "logs-of-mine"})
    aws.answer("cloudwatch", "get_dashboard", {}, {"DashboardName": f"rolewatch-{REGION}"})
    aws.answer("cloudformation", "delete_change_set", {}, {"ChangeSetName": CHANGE_SET})
    wanted = deploy.Wanted(given={"Dashboard": "yes", "BucketName": "logs-of-mine"})
    with pytest.raises(CannotDo) as told:
        deploy.plan(aws, wanted, now=NOW, manner=aws.manner)
    assert (
        f"the bucket logs-of-mine and the dashboard rolewatch-{REGION} are there already"
        in told.value.message
    )


def test_what_could_not_be_checked_is_in_the_plan(cloud, monkeypatch):
    """A plan says it on standard error and in its JSON, and goes on."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", "http://127.0.0.1:9")
    monkeypatch.setattr("rolewatch.base.aws.ATTEMPTS", 1)
    told = cloud.json("deploy", "--plan", "--email", "a@example.com")
    (line,) = told["unchecked"]
    assert line.startswith(
        "whether there is a topic rolewatch already could not be checked: sns:GetTopicAttributes failed"
    )
    _, _, err = cloud.run("deploy", "--plan", "--email", "a@example.com")
    assert "if there is, CloudFormation takes everything back" in err
