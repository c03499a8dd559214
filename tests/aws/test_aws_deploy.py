"""`rolewatch aws deploy` from end to end, against the AWS of `moto_cloud.py`."""

import json
import re

import pytest
import yaml
from deploying import ACCOUNT, REGION, cloud, cloud_url  # noqa: F401 - fixtures
from moto_cloud import TAUGHT

from rolewatch.aws import pipeline
from rolewatch.aws.deploy import Wanted, parameters_of

MAIL = ("--email", "a@example.com")


def alarms(cloud):
    """Return the alarms there are, by name, with their actions."""
    found = cloud.client("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    return {
        each["AlarmName"]: (each["AlarmActions"], each["OKActions"])
        for each in (*found["MetricAlarms"], *found["CompositeAlarms"])
    }


def test_deploy_makes_the_pipeline(cloud):
    """Trail, bucket, log group, filters, alarms, topic and subscription are there, and hang together.

    moto makes buckets, keys, roles, log groups, topics and dashboards in stacks; trails, filters, alarms, subscriptions and bucket
    policies are taught to it by `moto_cloud.py`. It makes no topic policies and saved queries: those are for the template's tests.
    """
    assert len(TAUGHT) == 7
    told = cloud.json("deploy", *MAIL)
    assert (told["result"], told["region"], told["account"]) == ("created", REGION, ACCOUNT)
    out = told["outputs"]
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:rolewatch/cloudtrail"
    assert cloud.trails() == {"rolewatch": (out["TrailBucket"], group, True)}
    filters = cloud.client("logs").describe_metric_filters(logGroupName="rolewatch/cloudtrail")[
        "metricFilters"
    ]
    assert ["defaultValue" in each["metricTransformations"][0] for each in filters] == [False, False]
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:rolewatch"
    assert alarms(cloud) == {
        "rolewatch-denied": ([topic], []),
        "rolewatch-silent": ([], [topic]),
        "rolewatch-state": ([topic], []),
    }
    (subscription,) = cloud.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "a@example.com")
    s3 = cloud.client("s3")
    tags = s3.get_bucket_tagging(Bucket=out["TrailBucket"])["TagSet"]
    assert {"Key": "rolewatch:stack", "Value": "rolewatch"} in tags
    policy = json.loads(s3.get_bucket_policy(Bucket=out["TrailBucket"])["Policy"])
    assert [each["Sid"] for each in policy["Statement"]] == [
        "TrailLooksAtTheBucket",
        "TrailWrites",
        "OnlyByTls",
    ]


def test_deploy_again_changes_nothing(cloud):
    """A second run with the same options says that nothing has changed, and ends with 0."""
    cloud.json("deploy", *MAIL)
    trails = cloud.trails()
    told = cloud.json("deploy", *MAIL)
    assert (told["result"], told["changes"], cloud.trails()) == ("unchanged", [], trails)
    status, out, err = cloud.run("deploy")
    assert (status, "was left as it was, for nothing has changed" in out, err) == (0, True, "")


def test_what_is_not_said_stays(cloud):
    """An update keeps all parameters that are not named, and the slot of who is told already."""
    cloud.json("deploy", *MAIL, "--retention", "30", "--tag", "team=sec")
    cloud.json("deploy", "--email", "b@example.com,a@example.com", "--dashboard", "no")
    (stack,) = cloud.client("cloudformation").describe_stacks(StackName="rolewatch")["Stacks"]
    values = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    assert (values["RetentionDays"], values["Dashboard"]) == ("30", "no")
    assert (values["Subscription1"], values["Subscription2"]) == ("email a@example.com", "email b@example.com")  # fmt: skip


def test_plan_leaves_nothing_behind(cloud):
    """--plan says in words what would be made and what it costs; neither a stack nor a change set is there afterwards."""
    status, out, err = cloud.run("deploy", "--plan", *MAIL)
    assert (status, err) == (0, "")
    assert "The stack rolewatch in us-east-1 would be made:" in out
    assert "creates the alarm on denials of service-linked roles" in out
    assert "creates the subscription of email a@example.com" in out
    assert re.search(r"^About [0-9.]+ USD a month, as an estimate:$", out, re.MULTILINE)
    assert "list prices of us-east-1 as of 2026-" in out
    assert cloud.stacks() == {}
    assert cloud.trails() == {}


def test_plan_of_an_update_changes_nothing(cloud):
    """--plan of a stack that is there leaves it and its parameters alone."""
    cloud.json("deploy", *MAIL)
    before = cloud.client("cloudformation").describe_stacks(StackName="rolewatch")["Stacks"]
    told = cloud.json("deploy", "--plan", "--retention", "365", "--events-per-day", "1000000")
    assert told["result"] == "planned"
    assert cloud.client("cloudformation").describe_stacks(StackName="rolewatch")["Stacks"] == before
    assert cloud.client("cloudformation").list_change_sets(StackName="rolewatch")["Summaries"][1:] == []
    stored = next(each for each in told["estimate"]["lines"] if each["what"].startswith("events of 365 days"))
    assert stored["dollars"] == pytest.approx(1_000_000 * 1300 / 1e9 * 365 * 0.12 * 0.03, abs=0.01)


def test_another_trail_costs(cloud):
    """Where a trail records management events already, the estimate has the price of a further copy."""
    cloud.make_trail()
    told = cloud.json("deploy", "--plan", *MAIL)
    copy = told["estimate"]["lines"][0]
    assert (copy["what"], copy["dollars"]) == ("a further copy of all management events", 60.0)


def test_an_existing_trail_is_used_as_it_is(cloud):
    """With --trail, filters and alarms are made on the group that the trail delivers to; trail, bucket and group are not touched."""
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="CloudTrail/logs")
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:CloudTrail/logs:*"
    role = f"arn:aws:iam::{ACCOUNT}:role/delivers"
    cloud.make_trail("mine", CloudWatchLogsLogGroupArn=group, CloudWatchLogsRoleArn=role)
    before = cloud.trails()
    told = cloud.json("deploy", "--trail", "mine", *MAIL)
    assert (told["outputs"]["LogGroup"], "TrailArn" in told["outputs"]) == ("CloudTrail/logs", False)
    assert cloud.trails() == before
    assert len(logs.describe_metric_filters(logGroupName="CloudTrail/logs")["metricFilters"]) == 2
    assert cloud.buckets() == ["bucket-of-mine"]


def test_a_trail_without_a_log_group_is_changed_only_if_asked(cloud):
    """--attach-logs tells it to deliver to the stack's group; without, it is an error that changes nothing."""
    cloud.make_trail("mine")
    status, _, err = cloud.run("deploy", "--trail", "mine", *MAIL)
    assert (status, cloud.stacks()) == (2, {})
    assert "the trail mine delivers to no log group (--attach-logs makes one" in err
    told = cloud.json("deploy", "--trail", "mine", "--attach-logs", *MAIL)
    assert told["attached"].endswith(":trail/mine")
    group = told["outputs"]["LogGroupArn"]
    assert cloud.trails() == {"mine": ("bucket-of-mine", group, True)}
    again = cloud.json("deploy", "--trail", "mine", "--attach-logs", *MAIL)
    assert (again["result"], again["attached"]) == ("unchanged", None)


def test_an_interrupted_attachment_is_made_up_for(cloud):
    """Where the trail was not told when the stack was made, a second run tells it."""
    arn = cloud.make_trail("mine")
    cloud.json("deploy", "--trail", "mine", "--attach-logs", *MAIL)
    cloud.client("cloudtrail").update_trail(Name=arn, CloudWatchLogsLogGroupArn="", CloudWatchLogsRoleArn="")
    told = cloud.json("deploy", "--trail", "mine", "--attach-logs", *MAIL)
    assert (told["result"], cloud.trails()["mine"][1]) == ("updated", told["outputs"]["LogGroupArn"])


def test_a_trail_of_its_own_takes_over(cloud):
    """--trail new makes one, and the trail that was attached delivers to the group no more: events would count twice."""
    cloud.make_trail("mine")
    cloud.json("deploy", "--trail", "mine", "--attach-logs", *MAIL)
    told = cloud.json("deploy", "--trail", "new")
    trails = cloud.trails()
    assert (trails["mine"][1], trails["rolewatch"][1]) == ("", told["outputs"]["LogGroupArn"])


def test_a_trail_of_the_organization_is_never_changed(cloud):
    """Even with --attach-logs, a trail that an organization owns is refused, and left as it is."""
    cloud.make_trail("org", IsOrganizationTrail=True)
    before = cloud.trails()
    status, _, err = cloud.run("deploy", "--trail", "org", "--attach-logs", *MAIL)
    assert (status, cloud.trails(), cloud.stacks()) == (4, before, {})
    assert "belongs to an organization and delivers to no log group; it is never changed from here" in err


def test_a_trail_that_lives_elsewhere(cloud):
    """A trail can only be attached in its home Region, which the error names."""
    cloud.make_trail("far", region="eu-west-1")
    status, _, err = cloud.run("deploy", "--trail", "far", "--attach-logs", *MAIL)
    assert (status, "deploy with --region eu-west-1" in err) == (4, True)


def test_a_log_group_elsewhere(cloud):
    """A trail that delivers to another Region's group is refused with where that is."""
    group = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:CloudTrail/logs:*"
    cloud.client("logs", "eu-west-1").create_log_group(logGroupName="CloudTrail/logs")
    cloud.make_trail("far", region="eu-west-1", CloudWatchLogsLogGroupArn=group, CloudWatchLogsRoleArn="r")
    status, _, err = cloud.run("deploy", "--trail", "far", *MAIL)
    assert (status, "delivers to a log group in eu-west-1 of account" in err) == (4, True)


def test_own_trail_does_not_go_for_one_that_sleeps(cloud):
    """A stack's trail is not given up for one that does not log."""
    cloud.json("deploy", *MAIL)
    cloud.make_trail("asleep", logging=False)
    status, _, err = cloud.run("deploy", "--trail", "asleep", "--attach-logs")
    assert (status, "asleep is not known to log all management events" in err) == (4, True)
    assert cloud.trails()["rolewatch"][2] is True


def test_a_stack_of_somebody_else(cloud):
    """A stack of that name which is not ours is not touched."""
    body = json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
    cloud.client("cloudformation").create_stack(StackName="rolewatch", TemplateBody=body)
    status, _, err = cloud.run("deploy", *MAIL)
    assert (status, "there is a stack rolewatch that rolewatch did not make; nothing was changed" in err) == (4, True)  # fmt: skip
    assert cloud.stacks() == {"rolewatch": "CREATE_COMPLETE"}


def test_a_change_set_of_somebody_else(cloud):
    """A stack that is about to be made from another's change set is not taken over; one from ours is."""
    client = cloud.client("cloudformation")
    body = json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
    client.create_change_set(StackName="rolewatch", ChangeSetName="theirs", TemplateBody=body, ChangeSetType="CREATE")  # fmt: skip
    status, _, err = cloud.run("deploy", *MAIL)
    assert (status, "about to be made from another's change set (theirs)" in err) == (4, True)


def test_two_regions_are_one_too_many(cloud):
    """A stack is in one Region."""
    status, _, err = cloud.run("deploy", "--region", "eu-west-1,us-east-1")
    assert (status, "a stack is in one Region" in err) == (2, True)


def test_what_may_not_be_expected_is_said(cloud):
    """An anomaly alarm, a trail of one Region and a key that goes are warned of, on standard error."""
    _, _, err = cloud.run("deploy", *MAIL, "--alarm", "anomaly", "--multi-region", "no")
    assert "an anomaly alarm learns: a denial that lasts becomes usual within days" in err
    assert "the trail records one Region: what services are refused elsewhere, nobody sees" in err
    _, _, err = cloud.run("deploy", "--plan", "--key", "none", "--multi-region", "yes", "--alarm", "metric")
    (line,) = err.splitlines()
    assert "the stack's key goes: what the log group holds now was encrypted with it" in line


def test_nobody_is_told(cloud):
    """A pipeline that tells nobody is deployed with a warning."""
    _, _, err = cloud.run("deploy", "--plan")
    assert "nobody is told: name who is with --email or --subscribe" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--function-image", "i"), "forgets what it has found unless it has a state"),
        (("--function-image", "i", "--function-code", "s3://bucket/key", "--function-state", "s"), "either a zip file or an image"),
        (("--function-image", "i", "--function-access-point", "a"), "the access point and its file system"),
        (("--function-image", "i", "--function-access-point", "a", "--function-file-system", "f"), "from within a VPC only"),
        (("--function-subnets", "s"), "has subnets and security groups"),
        (("--management-account", "111122223333"), "only of use for an organization's trail"),
        (("--data-events", "service-linked", "--organization", "o-exampleorgid"), "those of one account, and an organization has many"),
        (("--attach-logs",), "--attach-logs is for an existing trail"),
        (("--email", "none,a@example.com"), "--email none is nobody"),
        (("--email", "nobody"), "'nobody' is no e-mail address"),
        (("--subscribe", "pigeon=home"), "is no PROTOCOL=ENDPOINT"),
        (("--function-code", "bucket/key"), "neither s3://BUCKET/KEY nor none"),
        (("--key", "alias/aws/sns"), "neither new nor none, nor the ARN of a key"),
        (("--stack-name", "1st"), "no name of a stack"),
        (("--organization", "example"), "neither an organization's id"),
        (("--email", ",".join(f"{number}@example.com" for number in range(9))), "more than the 8 that the template has places for"),
    ],
)  # fmt: skip
def test_what_makes_no_sense(cloud, words, said):
    """Options that contradict each other are wrong usage, and nothing is changed."""
    status, _, err = cloud.run("deploy", *words)
    assert (status, said in err, cloud.stacks()) == (2, True, {}), err


def test_print_template(cloud, tmp_path):
    """--print cloudformation writes the template as it is shipped, without asking AWS."""
    status, out, err = cloud.run("deploy", "--print", "cloudformation")
    assert (status, out, err) == (0, pipeline.template(), "")
    file = tmp_path / "pipeline.yaml"
    assert cloud.run("deploy", "--print", "cloudformation", "--output", str(file))[0] == 0
    assert file.read_text() == pipeline.template()


def test_print_parameters(cloud):
    """--print parameters writes what differs from the defaults, and never a secret."""
    status, out, err = cloud.run(
        "deploy", "--print", "parameters", *MAIL, "--retention", "30", "--function-image", "i", "--function-state",
        "postgresql://rolewatch:secret@db/rolewatch",
    )  # fmt: skip
    found = {each["ParameterKey"]: each["ParameterValue"] for each in json.loads(out)}
    assert (status, "FunctionState is left out" in err, "secret" in out + err.replace("a secret does", "")) == (0, True, False)  # fmt: skip
    assert found == {"RetentionDays": "30", "FunctionImage": "i", "Subscription1": "email a@example.com"}


def test_parameters_are_those_of_the_template():
    """All options together set parameters that the template has."""
    given = {name: "x" for name in pipeline.defaults() if not name.startswith(("Function", "Management", "Organization"))}  # fmt: skip
    assert set(parameters_of(None, Wanted(given=given))) <= set(yaml.safe_load(re.sub(r"!\w+", "", pipeline.template()))["Parameters"])  # fmt: skip
