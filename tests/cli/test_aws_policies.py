"""`rolewatch aws policies` from end to end: findings, the policies behind them, and what they explain without a network."""

import io
import json
import sys
from itertools import count
from pathlib import Path

import pytest

from rolewatch.cli.aws import ACTIONS, action
from rolewatch.cli.progress import counted

sys.path.append(str(Path(__file__).parents[1] / "aws"))
from policy_cloud import REGION, cloud_at, vpc_only

_accounts = count(500000000001)
SLR = "aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"


@pytest.fixture
def cloud(aws_environment, here, moto_url, monkeypatch):
    """Open an account of its own, and let the environment lead to it."""
    del aws_environment, here
    with cloud_at(moto_url, str(next(_accounts))) as found:
        for name, value in found.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield found


def denied(cloud, number, source, name, parameters):
    """Write a record in which Config's role is refused."""
    role = f"arn:aws:iam::{cloud.account}:role/{SLR}"
    return {
        "eventTime": "2026-03-01T10:00:00Z", "eventSource": f"{source}.amazonaws.com", "eventName": name, "eventID": f"d{number}",
        "awsRegion": REGION, "recipientAccountId": cloud.account, "requestParameters": parameters,
        "userIdentity": {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role}}},
        "errorCode": "AccessDenied", "errorMessage": "Access Denied",
    }  # fmt: skip


@pytest.fixture
def blocked(cloud, tmp_path, call):
    """Make resources that Config may not read, and find that out; returns their ARNs by service."""
    found = {"s3": cloud.bucket()}
    with cloud.client("kms") as kms:
        found["kms"] = kms.create_key()["KeyMetadata"]["Arn"]
        kms.put_key_policy(
            KeyId=found["kms"], PolicyName="default", Policy=json.dumps(vpc_only("*", "kms:*"))
        )
    with cloud.client("sqs") as sqs:
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        found["sqs"] = f"arn:aws:sqs:{REGION}:{cloud.account}:q"
        sqs.set_queue_attributes(
            QueueUrl=url, Attributes={"Policy": json.dumps(vpc_only(found["sqs"], "sqs:*"))}
        )
    with cloud.client("sns") as sns:
        found["sns"] = sns.create_topic(Name="t")["TopicArn"]
        policy = json.dumps(vpc_only(found["sns"], "sns:GetTopicAttributes"))
        sns.set_topic_attributes(TopicArn=found["sns"], AttributeName="Policy", AttributeValue=policy)
    with cloud.client("secretsmanager") as secrets:
        found["secretsmanager"] = secrets.create_secret(Name="s", SecretString="x")["ARN"]
        policy = json.dumps(vpc_only("*", "secretsmanager:*"))
        secrets.put_resource_policy(SecretId=found["secretsmanager"], ResourcePolicy=policy)
    with cloud.client("iam") as iam:
        iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")
    records = [
        denied(cloud, 1, "s3", "GetBucketPolicy", {"bucketName": found["s3"].rpartition(":")[2]}),
        denied(cloud, 2, "kms", "DescribeKey", {"keyId": found["kms"]}),
        denied(cloud, 3, "sqs", "GetQueueAttributes", {"queueUrl": url}),
        denied(cloud, 4, "sns", "GetTopicAttributes", {"topicArn": found["sns"]}),
        denied(cloud, 5, "secretsmanager", "DescribeSecret", {"secretId": found["secretsmanager"]}),
    ]
    (tmp_path / "denied.json").write_text(json.dumps({"Records": records}))
    assert call("scan", "denied.json", "--format", "json", "--output", "findings.json")[0] == 0
    return found


def test_findings_are_explained_by_what_was_collected(blocked, call, monkeypatch):
    """Scan, collect, explain: each resource gets a change that is proven, and nothing but collecting needs AWS."""
    status, out, err = call(
        "aws", "policies", "--findings", "findings.json", "--out", "policies", "--format", "json"
    )
    report = json.loads(out)
    assert {each["resource"] for each in report["collected"]} >= set(blocked.values())
    # moto spells the role AWSServiceRoleForconfig, so it says that there is none of the right name
    assert [each["policy"] for each in report["not_collected"]] == ["role trust policy"]
    assert (status, err) == (0, "")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    status, out, err = call("explain", "findings.json", "--policies", "policies", "--format", "json")
    assert (status, err) == (0, "")
    fixes = {each["resource"]: each["fix"] for each in json.loads(out)["explanations"]}
    assert set(fixes) == set(blocked.values())
    assert {fix["proof"]["request_allowed"] for fix in fixes.values()} == {True}
    status, out, _ = call("scan", "denied.json", "--policies", "policies", "--format", "json")
    assert {each["cause"]["evidence"] for each in json.loads(out)["findings"]} == {"policy"}


def test_the_whole_account_is_checked_by_what_was_collected(blocked, call):
    """Collect all, check the folder: each resource shuts Config out; with the account's roles only."""
    words = ("--resources", "--kind", "bucket,key,queue,topic,secret,role-trust", "--out", "policies")
    assert call("aws", "policies", *words)[0] == 0
    status, out, _ = call("check", "policies", "--format", "json")
    assert status == 1
    checked = json.loads(out)
    assert {each["resource"] for each in checked["checked"]} == set(blocked.values())
    status, out, err = call("check", "policies", "--only-enabled", "policies/roles.json", "--format", "json")
    assert (status in (0, 1), err) == (True, "")


def test_findings_of_a_watcher(cloud, blocked, call, tmp_path):
    """What a watcher keeps as blocked is collected where nothing else is named."""
    (tmp_path / "trail").mkdir()
    (tmp_path / "denied.json").rename(tmp_path / "trail" / "denied.json")
    assert call("watch", "trail", "--state", "state", "--once")[0] == 0
    status, out, _ = call("aws", "policies", "--state", "state", "--out", "policies", "--format", "json")
    assert status == 0
    assert {each["resource"] for each in json.loads(out)["collected"]} >= set(blocked.values())
    assert cloud.account


def test_people_are_told_what_is_missing(cloud, call):
    """How much there is, and each reason once, with what it holds for."""
    other = str(next(_accounts))
    arns = [f"arn:aws:sqs:{REGION}:{other}:q{number}" for number in range(8)]
    status, out, _ = call(
        "aws",
        "policies",
        "--arn",
        ",".join([cloud.bucket(), cloud.bucket(policy=False), *arns]),
        "--out",
        "p",
    )
    assert status == 3
    assert "2  bucket policy: 1 without one\n" in out
    assert "and 3 more" in out
    assert out.count(f"belongs to account {other}") == 1
    assert out.endswith("2 files in p; 8 failed.\n")


def test_a_run_that_ends_early_says_how_to_go_on(cloud, call):
    """Exit status 4, and the table of what is there."""
    cloud.proxy.fault = lambda request: _expired() if "policy" in request.path else None
    status, out, err = call("aws", "policies", "--arn", cloud.bucket(), "--out", "p")
    assert (status, "1 not asked for" in out) == (4, True)
    assert "do not hold any longer: ExpiredToken" in err
    assert "it goes on with what is missing" in err


def _expired():
    from faults import s3_refusal  # noqa: PLC0415 - only for this test

    return s3_refusal("ExpiredToken", 400)


def test_no_credentials(here, call, monkeypatch):
    """Exit status 4 and what to check; nothing is written."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_REGION", REGION)
    status, out, err = call("aws", "policies", "--arn", "arn:aws:s3:::b", "--out", "p")
    assert (status, out) == (4, "")
    assert "cannot tell whose credentials these are: Unable to locate credentials" in err
    assert list((here / "p").iterdir()) == []


def test_the_region_of_a_finding_serves_where_none_is_set(cloud, call, monkeypatch):
    """AWS_REGION may be missing as long as something names a region."""
    monkeypatch.delenv("AWS_REGION")
    arn = f"arn:aws:sqs:eu-west-1:{cloud.account}:q"
    assert call("aws", "policies", "--arn", arn, "--out", "p")[0] == 0
    status, _, err = call("aws", "policies", "--resources", "--out", "p")
    assert (status, "set AWS_REGION" in err) == (4, True)


def test_permissions_are_printed_without_credentials(here, call):
    """They need no network either, and name no more than what is asked for."""
    status, out, _ = call("aws", "policies", "--arn", "arn:aws:s3:::b", "--print-permissions")
    assert (status, json.loads(out)["Statement"][0]["Action"]) == (0, ["s3:GetBucketPolicy"])
    status, out, _ = call(
        "aws", "policies", "--resources", "--kind", "queue", "--role-name", "audit/R", "--print-permissions"
    )
    collect, assume = json.loads(out)["Statement"]
    assert {"sqs:ListQueues", "sqs:GetQueueAttributes", "iam:ListRoles"} <= set(collect["Action"])
    assert assume["Resource"] == "arn:aws:iam::*:role/audit/R"
    status, out, _ = call("aws", "policies", "--print-permissions")
    anything = json.loads(out)["Statement"][0]["Action"]
    assert {"kms:GetKeyPolicy", "iam:GetRole", "ec2:DescribeVpcEndpoints"} <= set(anything)
    assert "sqs:ListQueues" not in anything
    assert not (here / "p").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--arn", "arn:aws:s3:::b"], "--out is missing"),
        (["--out", "p", "--arn", "x"], "no ARN of a resource"),
        (["--out", "p", "--arn", "arn:aws:s3:::b", "--kind", "bucket"], "--kind is for --resources"),
        (["--out", "p", "--resources", "--kind", "bukket"], "none of bucket"),
        (["--out", "p", "--resources", "--all-accounts"], "needs a role in each account"),
        (["--out", "p", "--resources", "--external-id", "x"], "--external-id is for --role-name"),
        (["--out", "p", "--resources", "--role-name", "a:b"], "no name of a role"),
        (["--out", "p", "--resources", "--threads", "0"], "no number of threads"),
        (["--out", "p", "--findings", "logs/story.json.gz"], "holds no findings"),
        (["--out", "p", "--findings", "nothing.json"], "No such file"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(cloud, call, words, said):
    """Before anything is asked or written, where that can be known."""
    status, out, err = call("aws", "policies", *words)
    assert (status, out, said in err) == (2, "", True), err
    assert cloud.account


def test_progress_is_drawn_on_a_terminal_only():
    """How many things are done, of those that are known so far."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    with counted(terminal, "policies and lists") as tell:
        tell(1, 2000)
    assert "1 of 2,000 policies and lists" in terminal.getvalue()
    with counted(io.StringIO(), "policies and lists") as tell:
        assert tell is None


def test_options_of_several_actions_are_the_same_rows():
    """They come from one table, so they have to mean the same everywhere."""
    rows = {}
    for name in ACTIONS:
        for option in action(name).OPTIONS:
            said = option._replace(help="", shown="")
            assert rows.setdefault(option.name, said) == said, option.name


def test_an_option_of_another_action_is_refused(here, call):
    """It would be silently ignored."""
    assert here
    status, _, err = call("aws", "policies", "--stack-name", "mine", "--out", "p")
    assert (status, "--stack-name means nothing to aws policies" in err) == (2, True)
