"""Policies collected from accounts of moto: what is kept, what is not and why, and that a second run goes on."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from policy_cloud import DAY, REGION, another_account, cloud, cloud_at, statuses, vpc_only  # noqa: F401 - a fixture

from faults import Answer, refusal, s3_refusal
from rolewatch.aws.accounts import Access
from rolewatch.aws.policies import Scope
from rolewatch.aws.policy_targets import Wanted, of_findings
from rolewatch.explain.folder import Folder, file_name

SUPPORTED = (
    "bucket", "key", "queue", "topic", "secret", "repository", "function", "file-system", "endpoint",
    "event-bus", "table", "stream", "vault", "role-trust",
)  # fmt: skip


@pytest.fixture
def key(cloud):
    """Make a key with a grant and an alias; returns its ARN."""
    with cloud.client("kms") as kms:
        arn = kms.create_key()["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName="alias/mine", TargetKeyId=arn)
        kms.create_grant(
            KeyId=arn, GranteePrincipal=f"arn:aws:iam::{cloud.account}:role/x", Operations=["Decrypt"]
        )
    return arn


def test_policies_are_what_the_folder_reads(cloud, key, tmp_path):
    """A bucket's, a key's with its grants, and of a bucket without one that it has none."""
    bucket, bare = cloud.bucket(), cloud.bucket(policy=False)
    report = cloud.collect(tmp_path, bucket, bare, key)
    assert statuses(report) == {
        (bucket, "bucket policy"): "collected",
        (bare, "bucket policy"): "absent",
        (key, "key policy"): "collected",
        (key, "grants"): "collected",
    }
    folder = Folder(str(tmp_path))
    assert "VpcOnly" in folder.policy(bucket).text
    assert (folder.asked(bare), folder.policy(bare)) == (True, None)
    assert "kms:*" in folder.policy(key).text
    assert [grant["Operations"] for grant in folder.grants(key)] == [["Decrypt"]]
    assert (report["stopped"], report["not_asked"]) == (None, 0)


def test_every_kind_that_moto_has(cloud, tmp_path):
    """One of each, by its ARN from the list of the account; each file can be read."""
    account = cloud.account
    arns = [cloud.bucket()]
    with cloud.client("sqs") as sqs:
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        arns.append(f"arn:aws:sqs:{REGION}:{account}:q")
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(vpc_only(arns[-1], "sqs:*"))})
    with cloud.client("sns") as sns:
        arns.append(sns.create_topic(Name="t")["TopicArn"])
    with cloud.client("secretsmanager") as secrets:
        arns.append(secrets.create_secret(Name="s/deep", SecretString="x")["ARN"])
        secrets.put_resource_policy(
            SecretId=arns[-1], ResourcePolicy=json.dumps(vpc_only(arns[-1], "secretsmanager:*"))
        )
    with cloud.client("ecr") as ecr:
        arns.append(ecr.create_repository(repositoryName="a/r")["repository"]["repositoryArn"])
        ecr.set_repository_policy(repositoryName="a/r", policyText=json.dumps(vpc_only("*", "ecr:*")))
    with cloud.client("efs") as efs:
        arns.append(efs.create_file_system()["FileSystemArn"])
    with cloud.client("dynamodb") as dynamodb:
        dynamodb.create_table(
            TableName="t", KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST",
        )  # fmt: skip
        arns.append(f"arn:aws:dynamodb:{REGION}:{account}:table/t")
    with cloud.client("kinesis") as kinesis:
        kinesis.create_stream(StreamName="s", ShardCount=1)
        arns.append(f"arn:aws:kinesis:{REGION}:{account}:stream/s")
    with cloud.client("ec2") as ec2:
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        made = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3")["VpcEndpoint"]
        arns.append(f"arn:aws:ec2:{REGION}:{account}:vpc-endpoint/{made['VpcEndpointId']}")
    with cloud.client("iam") as iam:
        role = iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")["Role"]
        arns.append(role["Arn"])
    scope = Scope((account,), (REGION,), SUPPORTED, surroundings=True)
    report = cloud.collect(tmp_path, scope=scope)
    found = statuses(report)
    assert {resource for resource, _ in found} >= set(arns)
    assert report["not_collected"] == []
    folder = Folder(str(tmp_path))
    for arn in set(arns) - {role["Arn"]}:
        folder.policy(arn)
    held = {arn.split(":")[2] for arn in arns if folder.policy(arn)}
    assert held >= {"s3", "sqs", "sns", "secretsmanager", "ecr", "ec2", "iam"}
    assert folder.role(role["Arn"]).unique_id == role["RoleId"]
    assert folder.organization == ""  # the account is in none, and AWS said so
    (listed,) = json.loads((tmp_path / "roles.json").read_text())["Roles"]
    assert listed["Arn"] == role["Arn"]


def test_a_second_run_asks_for_nothing_twice(cloud, key, tmp_path):
    """What is there is kept until it is too old."""
    arns = [cloud.bucket(), cloud.bucket(policy=False), key]
    cloud.collect(tmp_path, *arns)
    again = cloud.collect(tmp_path, *arns)
    assert (set(statuses(again).values()), cloud.asked()) == ({"kept"}, ["GetCallerIdentity"])
    (tmp_path / file_name(arns[0])).unlink()
    cloud.collect(tmp_path, *arns)
    assert cloud.asked() == ["GetBucketPolicy", "GetCallerIdentity"]
    later = cloud.collect(tmp_path, *arns, now=lambda: datetime.now(UTC) + timedelta(days=2))
    assert set(statuses(later).values()) == {"collected", "absent"}


def test_an_alias_is_followed_to_its_key(cloud, key, tmp_path):
    """Its file has the policy of the key, and the key's grants stand beside it."""
    alias = f"arn:aws:kms:{REGION}:{cloud.account}:alias/mine"
    assert set(statuses(cloud.collect(tmp_path, alias)).values()) == {"collected"}
    folder = Folder(str(tmp_path))
    assert "kms:*" in folder.policy(alias).text
    assert len(folder.grants(alias)) == 1
    assert key


def test_what_is_gone_is_taken_away(cloud, tmp_path):
    """An old policy of a resource that no longer exists would explain nothing."""
    bucket, queue = cloud.bucket(), f"arn:aws:sqs:{REGION}:{cloud.account}:never"
    cloud.collect(tmp_path, bucket)
    with cloud.client("s3") as s3:
        s3.delete_bucket(Bucket=bucket.rpartition(":")[2])
    report = cloud.collect(tmp_path, bucket, queue, max_age=timedelta(0), now=lambda: datetime.now(UTC) + DAY)
    assert set(statuses(report).values()) == {"gone"}
    assert "NoSuchBucket" in report["not_collected"][0]["reason"]
    assert list(tmp_path.iterdir()) == []


def test_a_denied_call_names_action_and_arn(cloud, key, tmp_path):
    """And the others are collected; the next run asks for what is missing only."""
    buckets = [cloud.bucket(), cloud.bucket()]
    cloud.proxy.fail("ListGrants", refusal("AccessDeniedException"))
    cloud.proxy.fail("GET", s3_refusal("AccessDenied", 403))
    report = cloud.collect(tmp_path, *buckets, key)
    denied = {each["action"]: each for each in report["not_collected"]}
    assert denied.keys() == {"s3:GetBucketPolicy", "kms:ListGrants"}
    grants = denied["kms:ListGrants"]
    assert (grants["status"], grants["resource"], grants["file"]) == ("denied", key, None)
    assert f"kms:ListGrants on {key} is denied to arn:aws:sts::{cloud.account}:" in grants["reason"]
    assert "belongs to another account" in denied["s3:GetBucketPolicy"]["reason"]
    assert len(report["collected"]) == 2
    assert cloud.collect(tmp_path, *buckets, key)["not_collected"] == []
    assert cloud.asked() == ["GetBucketPolicy", "GetCallerIdentity", "ListGrants"]


def test_credentials_that_expire_end_the_run(cloud, tmp_path):
    """What was collected stays, the rest is counted, and no further call is made."""
    buckets = [cloud.bucket() for _ in range(12)]
    cloud.collect(tmp_path, *buckets[:4])
    cloud.proxy.fault = lambda request: s3_refusal("ExpiredToken", 400) if "policy" in request.path else None
    report = cloud.collect(tmp_path, *buckets)
    assert "ExpiredToken" in report["stopped"]
    assert (report["not_asked"], len(report["collected"])) == (8, 4)
    assert cloud.asked().count("GetBucketPolicy") <= 4  # one for each thread
    cloud.proxy.fault = lambda _: None
    assert cloud.collect(tmp_path, *buckets)["totals"]["collected"] == 8


def test_a_bucket_in_another_region_is_followed(cloud, tmp_path):
    """S3 says where it is, and is asked again there, without another permission."""
    bucket = cloud.bucket()
    elsewhere = (
        b"<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region is wrong; expecting eu-central-1</Message>"
        b"<Region>eu-central-1</Region></Error>"
    )
    cloud.proxy.fail("GET", Answer(400, elsewhere))
    assert set(statuses(cloud.collect(tmp_path, bucket)).values()) == {"collected"}
    assert [
        request.operation for request in cloud.proxy.requests if bucket.rpartition(":")[2] in request.path
    ] == ["GET", "GET"]


def test_throttled_calls_are_tried_again(cloud, key, tmp_path):
    """Quietly, if that helps; else it is said."""
    cloud.proxy.fail("GetKeyPolicy", refusal("ThrottlingException"), refusal("ThrottlingException"))
    assert cloud.collect(tmp_path, key)["not_collected"] == []
    assert len(cloud.proxy.sent("GetKeyPolicy")) == 3


def test_throttling_that_does_not_end_is_told(cloud, key, tmp_path, monkeypatch):
    """With what to do about it."""
    monkeypatch.setattr("rolewatch.base.aws.ATTEMPTS", 1)
    cloud.proxy.fail("GetKeyPolicy", refusal("ThrottlingException"))
    (entry,) = cloud.collect(tmp_path, key)["not_collected"]
    assert entry["status"] == "failed"
    assert "--rate" in entry["reason"]


def test_lists_that_are_denied_are_named(cloud, tmp_path):
    """The other kinds are collected."""
    bucket = cloud.bucket()
    cloud.proxy.fail("ListKeys", refusal("AccessDeniedException"))
    report = cloud.collect(tmp_path, scope=Scope((cloud.account,), (REGION,), ("key", "bucket")))
    (entry,) = report["not_collected"]
    assert (entry["policy"], entry["action"], entry["region"]) == (
        "list for key policies",
        "kms:ListKeys",
        REGION,
    )
    assert statuses(report)[bucket, "bucket policy"] == "collected"


def test_all_pages_of_a_list_are_read(cloud, tmp_path):
    """More topics than one answer holds."""
    with cloud.client("sns") as sns:
        for number in range(120):
            sns.create_topic(Name=f"t{number}")
    report = cloud.collect(tmp_path, scope=Scope((cloud.account,), (REGION,), ("topic",)))
    assert report["totals"]["collected"] == 120


def test_another_account_needs_a_role(cloud, tmp_path):
    """Without one nothing is asked, since a name may mean another resource in one's own account."""
    other = another_account()
    arn = f"arn:aws:backup:{REGION}:{other}:backup-vault:v"
    (entry,) = cloud.collect(tmp_path, arn)["not_collected"]
    assert entry["status"] == "failed"
    assert f"belongs to account {other}" in entry["reason"]
    assert cloud.asked() == ["GetCallerIdentity"]


def test_a_role_is_assumed_in_each_account(cloud, moto_url, tmp_path):
    """Once for each, with the external id, and its own resources are asked for with it."""
    with cloud_at(moto_url, another_account()) as other:
        with other.client("sqs") as sqs:
            sqs.create_queue(QueueName="theirs")
        arns = [
            f"arn:aws:sqs:{REGION}:{other.account}:theirs",
            f"arn:aws:sqs:{REGION}:{cloud.account}:theirs",
        ]
        report = cloud.collect(tmp_path, *arns, access=Access(None, "audit/Reader", "secret-7"))
    assert statuses(report) == {(arns[0], "queue policy"): "absent", (arns[1], "queue policy"): "gone"}
    assert cloud.asked().count("AssumeRole") == 1
    bodies = [request.body for request in cloud.proxy.requests if b"AssumeRole" in request.body]
    assert [b"ExternalId=secret-7" in body and b"role%2Faudit%2FReader" in body for body in bodies] == [True]


def test_a_role_that_is_refused_is_asked_for_once(cloud, tmp_path):
    """And each resource of its account says so."""
    other = another_account()
    arns = [f"arn:aws:sqs:{REGION}:{other}:q{number}" for number in range(5)]
    denied = b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
    cloud.proxy.fault = lambda request: Answer(403, denied) if b"AssumeRole" in request.body else None
    report = cloud.collect(tmp_path, *arns, access=Access(None, "Reader"))
    assert {(each["status"], each["action"]) for each in report["not_collected"]} == {
        ("denied", "sts:AssumeRole")
    }
    assert len(report["not_collected"]) == 5
    assert cloud.asked().count("AssumeRole") == 1
    assert "has to exist there and to trust the caller" in report["not_collected"][0]["reason"]


def test_a_managed_policy_is_asked_for_again_by_its_version(cloud, tmp_path):
    """Only GetPolicy, as long as its version is the one that is kept."""
    with cloud.client("iam") as iam:
        role = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")["Role"]
        managed = iam.create_policy(PolicyName="p", PolicyDocument=json.dumps(vpc_only("*", "s3:*")))[
            "Policy"
        ]["Arn"]
        iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn=managed)
    first = cloud.collect(tmp_path, role["Arn"])
    assert statuses(first)[managed, "managed policy"] == "collected"
    held = json.loads((tmp_path / file_name(managed)).read_text())["PolicyVersion"]
    assert (held["VersionId"], held["Document"]["Statement"][1]["Sid"]) == ("v1", "VpcOnly")
    later = {"now": lambda: datetime.now(UTC) + 2 * DAY}
    assert statuses(cloud.collect(tmp_path, role["Arn"], **later))[managed, "managed policy"] == "kept"
    assert "GetPolicyVersion" not in cloud.asked()
    with cloud.client("iam") as iam:
        iam.create_policy_version(
            PolicyArn=managed, PolicyDocument=json.dumps(vpc_only("*", "sqs:*")), SetAsDefault=True
        )
    os.utime(tmp_path / file_name(managed), (0, 0))
    cloud.collect(tmp_path, role["Arn"])
    assert json.loads((tmp_path / file_name(managed)).read_text())["PolicyVersion"]["VersionId"] == "v2"


def test_control_policies_are_kept_as_the_evaluator_reads_them(cloud, tmp_path):
    """Of all accounts of the organisation, level by level from the root."""
    with cloud.client("organizations") as organizations:
        identifier = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
        root = organizations.list_roots()["Roots"][0]["Id"]
        organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
        unit = organizations.create_organizational_unit(ParentId=root, Name="u")["OrganizationalUnit"]["Id"]
        member = organizations.create_account(Email="a@example.org", AccountName="a")["CreateAccountStatus"][
            "AccountId"
        ]
        organizations.move_account(AccountId=member, SourceParentId=root, DestinationParentId=unit)
        policy = organizations.create_policy(
            Content='{"Version": "2012-10-17", "Statement": []}', Description="d", Name="NoLeaving", Type="SERVICE_CONTROL_POLICY",
        )["Policy"]["PolicySummary"]["Id"]  # fmt: skip
        organizations.attach_policy(PolicyId=policy, TargetId=unit)
    scope = Scope((), (REGION,), ("queue",), surroundings=True, all_accounts=True)
    report = cloud.collect(tmp_path, scope=scope, access=Access(None, "Reader"))
    assert report["not_collected"] == []
    assert Folder(str(tmp_path)).organization == identifier
    kept = json.loads((tmp_path / f"{member}.organization.json").read_text())
    levels = {
        each["level"]: [policy["name"] for policy in each["policies"]]
        for each in kept["service_control_policies"]
    }
    assert list(levels) == [root, unit, member]
    assert "NoLeaving" in levels[unit]
    assert "NoLeaving" not in levels[root]
    assert kept["resource_control_policies"]


def test_endpoints_of_a_region_where_the_message_names_none(cloud, tmp_path):
    """A finding that an endpoint's policy caused brings all endpoints of its account and region."""
    with cloud.client("ec2") as ec2:
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        made = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3")["VpcEndpoint"][
            "VpcEndpointId"
        ]
    finding = {
        "resource": "arn:aws:ec2:us-east-1:1:instance/x", "account": cloud.account, "regions": [REGION],
        "cause": {"policy_type": "vpc-endpoint"},
    }  # fmt: skip
    wanted = of_findings([finding], caller=cloud.account)
    report = cloud.collect(tmp_path, wanted=wanted)
    arn = f"arn:aws:ec2:{REGION}:{cloud.account}:vpc-endpoint/{made}"
    assert statuses(report) == {(arn, "VPC endpoint policy"): "collected"}
    assert list(Folder(str(tmp_path)).endpoints()) == [arn]


def test_nothing_wanted_is_nothing_asked(cloud, tmp_path):
    """The report is empty, and true."""
    report = cloud.collect(tmp_path, wanted=Wanted())
    assert (report["collected"], report["not_collected"], report["not_asked"]) == ([], [], 0)
