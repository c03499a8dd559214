"""The IAM policy that is printed: exactly the actions of the calls that are made, by our own evaluator."""

import json

from policy_cloud import REGION, cloud  # noqa: F401 - a fixture

from rolewatch.aws.accounts import Access
from rolewatch.aws.policies import Scope
from rolewatch.aws.policy_permissions import permissions
from rolewatch.aws.policy_targets import of_arns
from rolewatch.catalog import actions
from rolewatch.catalog.actions import iam_action
from rolewatch.policies.evaluate import evaluate
from rolewatch.policies.layers import IDENTITY, Policies
from rolewatch.policies.reading import read_policy
from rolewatch.policies.request import context_of, make_request, principal_of

KINDS = (
    "bucket",
    "key",
    "queue",
    "topic",
    "secret",
    "repository",
    "table",
    "stream",
    "endpoint",
    "vault",
    "role-trust",
)
LONGEST = 6144  # characters of a managed policy, without white space


def is_allowed(policy, action):
    """Whether the policy allows an action on a role, and so on anything."""
    principal = principal_of("arn:aws:iam::111122223333:role/Collector")
    resource = "arn:aws:iam::111122223333:role/Reader"
    request = make_request(principal, action, resource, "111122223333", context_of({}))
    decision = evaluate(request, Policies(identity=[read_policy(json.dumps(policy), "printed")]))
    (identity,) = [layer for layer in decision.layers if layer.name == IDENTITY]
    return identity.outcome == "allowed"


def known_actions():
    """List every IAM action that the catalogue knows."""
    return {
        f"{prefix}:{name}" for prefix, names in actions._table().prefixes.items() for name in names.split()
    }


def used(cloud):
    """Name the actions of the calls of the last run; GetCallerIdentity needs none."""
    names = {iam_action(f"{model.signing_name}.amazonaws.com", name)[0] for model, name in cloud.calls}
    return names - {"sts:GetCallerIdentity"}


def fill(cloud):
    """Make a resource of each kind, and a role with a managed policy."""
    arns = [cloud.bucket()]
    with cloud.client("kms") as kms:
        key = kms.create_key()["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName="alias/a", TargetKeyId=key)
        arns += [key, f"arn:aws:kms:{REGION}:{cloud.account}:alias/a"]
    with cloud.client("sqs") as sqs:
        sqs.create_queue(QueueName="q")
    with cloud.client("sns") as sns:
        sns.create_topic(Name="t")
    with cloud.client("secretsmanager") as secrets:
        secrets.create_secret(Name="s", SecretString="x")
    with cloud.client("ecr") as ecr:
        ecr.create_repository(repositoryName="rr")
    with cloud.client("glacier") as glacier:
        glacier.create_vault(accountId="-", vaultName="v")
    with cloud.client("dynamodb") as dynamodb:
        dynamodb.create_table(
            TableName="t", KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST",
        )  # fmt: skip
    with cloud.client("kinesis") as kinesis:
        kinesis.create_stream(StreamName="s", ShardCount=1)
    with cloud.client("ec2") as ec2:
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3")
    with cloud.client("iam") as iam:
        role = iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")["Role"]
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
        }
        managed = iam.create_policy(PolicyName="p", PolicyDocument=json.dumps(policy))["Policy"]["Arn"]
        iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn=managed)
    return arns


def test_exactly_what_a_whole_account_takes(cloud, tmp_path):
    """Each call that is made is allowed, and each action that is allowed was needed."""
    arns = fill(cloud)
    wanted = of_arns(arns, caller=cloud.account)
    scope = Scope(
        (cloud.account,), (REGION,), tuple(each for each in KINDS if each != "vault"), surroundings=True
    )
    cloud.collect(tmp_path, scope=scope, wanted=wanted)
    printed = permissions(wanted, scope)
    assert set(printed["Statement"][0]["Action"]) == used(cloud)
    assert {action for action in known_actions() if is_allowed(printed, action)} == used(cloud)


def test_exactly_what_some_resources_take(cloud, tmp_path):
    """No list, and no kind that is not among them."""
    wanted = of_arns([cloud.bucket()], caller=cloud.account)
    cloud.collect(tmp_path, wanted=wanted)
    printed = permissions(wanted, Scope())
    assert used(cloud) == set(printed["Statement"][0]["Action"]) == {"s3:GetBucketPolicy"}


def test_exactly_what_an_organization_takes(cloud, tmp_path):
    """Lists of accounts and control policies; and the role that is assumed, by its name only."""
    with cloud.client("organizations") as organizations:
        organizations.create_organization(FeatureSet="ALL")
        organizations.create_account(Email="a@example.org", AccountName="a")
    scope = Scope((), (REGION,), ("queue",), surroundings=True, all_accounts=True)
    with cloud.client("sqs") as sqs:
        sqs.create_queue(QueueName="q")
    cloud.collect(tmp_path, scope=scope, access=Access(None, "Reader"))
    printed = permissions(None, scope, role_name="Reader")
    only = permissions(of_arns([], caller=cloud.account), scope, role_name="Reader")
    assert used(cloud) - {"sts:AssumeRole"} == set(only["Statement"][0]["Action"])
    assert set(only["Statement"][0]["Action"]) < set(printed["Statement"][0]["Action"])
    assert is_allowed(only, "sts:AssumeRole")
    assert not is_allowed(permissions(None, scope, role_name="Other"), "sts:AssumeRole")


def test_nothing_but_reading_and_small_enough():
    """The largest one fits into a managed policy, and changes nothing."""
    printed = permissions(
        None, Scope(("1",), surroundings=True, all_accounts=True), role_name="r", partition="aws-cn"
    )
    assert len(json.dumps(printed, separators=(",", ":"))) < LONGEST
    verbs = {action.partition(":")[2] for action in printed["Statement"][0]["Action"]}
    assert all(verb.startswith(("Get", "List", "Describe")) or verb == "GET" for verb in verbs)
    assert printed["Statement"][1]["Resource"] == "arn:aws-cn:iam::*:role/r"
    assert set(printed["Statement"][0]["Action"]) - {"apigateway:GET"} <= known_actions()
