"""The policies in the pipeline's template: who may do what, and that nobody is shut out."""

import json
import subprocess
import sys

import pytest
from pipelines import ACCOUNT, FILE, FUNCTIONS, ROOT, WORLD, plain, resolved, template

from rolewatch.templates.document import read_document
from rolewatch.templates.template import _Reader


def statements(body):
    """Return a policy's statements by their Sid."""
    return {each["Sid"]: each for each in body["Statement"]}


def test_only_our_trail_writes_to_the_bucket():
    """The policy names the trail's ARN, the account's prefix and TLS; with an organization also the organization's prefix."""
    own = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/watching"
    found = statements(resolved({})["TrailBucketPolicy"]["PolicyDocument"])
    assert {found[sid]["Condition"]["StringEquals"]["aws:SourceArn"] for sid in ("TrailLooksAtTheBucket", "TrailWrites")} == {own}  # fmt: skip
    assert [each.partition("/")[2] for each in found["TrailWrites"]["Resource"]] == [f"AWSLogs/{ACCOUNT}/*"]
    assert (found["OnlyByTls"]["Effect"], found["OnlyByTls"]["Condition"]) == (
        "Deny",
        {"Bool": {"aws:SecureTransport": "false"}},
    )
    values = {"OrganizationId": "o-exampleorgid", "ManagementAccount": "999988887777"}
    found = statements(resolved(values)["TrailBucketPolicy"]["PolicyDocument"])
    assert found["TrailWrites"]["Condition"]["StringEquals"]["aws:SourceArn"].split(":")[4] == "999988887777"
    assert [each.partition("/")[2] for each in found["TrailWrites"]["Resource"]] == [
        "AWSLogs/999988887777/*",
        "AWSLogs/o-exampleorgid/*",
    ]


def test_no_service_is_shut_out():
    """`rolewatch check` finds no service-linked role that one of our own policies would refuse."""
    done = subprocess.run(
        [sys.executable, "-m", "rolewatch", "check", str(FILE), "--parameter", "TrailKey=new", "--format", "json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, json.loads(done.stdout)["lockouts"]) == (0, []), done.stderr


def test_role_of_the_trail():
    """CloudTrail may write into its own streams of the one group, and with an organization into the organization's."""

    def streams(values):
        (policy,) = resolved(values)["TrailRole"]["Policies"]
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
        return [each.partition(":log-group:")[2] for each in statement["Resource"]]

    own = f"watching/cloudtrail:log-stream:{ACCOUNT}_CloudTrail_us-east-1*"
    assert streams({}) == [own]
    assert streams({"OrganizationId": "o-exampleorgid"}) == [own, "watching/cloudtrail:log-stream:o-exampleorgid_*"]  # fmt: skip


def test_topic_and_key_are_for_alarms_of_this_account():
    """The topic's policy and the key's have CloudWatch as principal and this account as source."""
    found = resolved({})
    topic = statements(found["TopicPolicy"]["PolicyDocument"])["AlarmsPublish"]
    key = statements(found["TopicKey"]["KeyPolicy"])["AlarmsPublish"]
    for each in (topic, key):
        assert each["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert each["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    assert key["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert found["Topic"]["KmsMasterKeyId"].endswith("TopicKey.Arn") or "TopicKey" in found["Topic"]["KmsMasterKeyId"]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS[1:], ids=["zip", "image"])
def test_function_has_least_privilege(function):
    """It may write its log, publish to the topic and use the key and its file system: no wildcard but where EC2 asks for one."""
    found = resolved(function)
    (policy,) = found["WatcherRole"]["Policies"]
    allowed = policy["PolicyDocument"]["Statement"]
    wide = [each["Action"] for each in allowed if each["Resource"] == "*"]
    assert all(action.startswith("ec2:") for actions in wide for action in actions)
    assert bool(wide) == ("FunctionSubnets" in function)
    assert not [each for each in allowed if "*" in json.dumps(each["Action"])]
    variables = found["Watcher"]["Environment"]["Variables"]
    assert variables["ROLEWATCH_NOTIFY"] == f"sns:arn:aws:sns:us-east-1:{ACCOUNT}:watching"
    assert variables["ROLEWATCH_STATE"] == function.get("FunctionState", "/mnt/rolewatch/state")
    own = found["Watcher"].get("Handler") or found["Watcher"]["ImageConfig"]["Command"][0]
    module, _, name = own.rpartition(".")
    assert (module, name) == ("rolewatch.cli.aws_lambda", "handler")


def test_function_is_given_all_that_the_alarm_counts():
    """Its subscription's pattern lets every record through that the metric filter counts, and successes as well."""
    pattern = resolved(FUNCTIONS[1])["FunctionSubscription"]["FilterPattern"]
    first = template().filters[0].pattern.text
    assert pattern.strip("{} ") in first


def test_roles_of_the_log_alarm_are_those_of_the_example():
    """Who may assume them and what they may do is as in slr-denied-log-alarm.template.yaml, on our log group."""
    example = ROOT / "examples" / "slr-denied-log-alarm.template.yaml"
    found, read = (
        resolved({"Alarm": "log"}),
        _Reader(read_document(example.read_bytes(), example.name), {}, {}, WORLD),
    )
    for name in ("QueryRole", "LinesRole"):
        theirs = plain(read._resolver.resolve(read._resources[name].properties, name))
        assert json.loads(json.dumps(theirs).replace("CloudTrail/logs", "watching/cloudtrail")) == found[name]
