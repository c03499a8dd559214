"""What stops working when a service is refused, and what documentation asks policies to allow."""

import re

import pytest
from aws_cli import check

from rolewatch.catalog import roles
from rolewatch.catalog.actions import iam_action
from rolewatch.catalog.consequences import ANY, CONSEQUENCES, consequence_of
from rolewatch.catalog.documented_access import DOCUMENTED_ACCESS, documented_access
from rolewatch.catalog.naming import templates
from rolewatch.catalog.policy_kinds import kind
from rolewatch.catalog.role_policies import policy_of

ROLE = (
    "arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
)
KEY = "arn:aws:kms:eu-west-1:444455556666:key/8a6f"
LOOKING = {f"{name}.amazonaws.com" for name in ("access-analyzer", "agentless.inspector2", "auditmanager", "cloudtrail", "config", "detective", "fms", "guardduty", "inspector2", "macie", "malware-protection.guardduty", "securityhub", "securitylake", "trustedadvisor")}  # fmt: skip


@pytest.mark.parametrize(
    "row", CONSEQUENCES, ids=lambda row: f"{row.service} {row.resource_type} {row.prefix}"
)
def test_rows_have_their_shape(row):
    """A row is of a service that has a role, for a type that naming knows, in whole sentences, with a source."""
    assert row.service in roles.principals()
    assert row.resource_type == ANY or templates(row.resource_type)
    assert row.text.endswith(".")
    assert row.source
    assert row.prefix == ANY or re.fullmatch(r"[a-z0-9-]+", row.prefix)
    assert consequence_of(row.service, row.resource_type, f"{row.prefix}:Any") == row


def test_rows_are_in_order_and_there_once():
    """No service has two rows for the same type and prefix, and rows of a service stand together."""
    keys = [(row.service, row.resource_type, row.prefix) for row in CONSEQUENCES]
    services = list(dict.fromkeys(row.service for row in CONSEQUENCES))
    assert (len(set(keys)), services) == (len(keys), sorted(services))


def test_security_services_have_a_consequence():
    """Each service that is there to see, and has a role that acts on resources with a policy, has a row."""
    assert LOOKING <= roles.SECURITY_SERVICES
    assert LOOKING - {row.service for row in CONSEQUENCES} == set()


@pytest.mark.parametrize(
    ("service", "resource_type", "action", "begin"),
    [
        ("config.amazonaws.com", "AWS::S3::Bucket", "s3:GetBucketAcl", "AWS Config may not record changes"),
        ("config.amazonaws.com", "AWS::S3::Object", "s3:GetObject", "AWS Config may not record changes"),
        ("config.amazonaws.com", "AWS::SQS::Queue", "sqs:GetQueueAttributes", "AWS Config cannot get the details"),
        ("autoscaling.amazonaws.com.cn", "AWS::KMS::Key", "kms:Decrypt", "Auto Scaling groups cannot launch"),
        ("autoscaling.amazonaws.com", "AWS::KMS::Alias", "kms:Decrypt", "Auto Scaling groups cannot launch"),
        ("detective.amazonaws.com", "AWS::Organizations::Organization", "organizations:ListAccounts", "Amazon Detective cannot read which"),
        ("detective.amazonaws.com", "AWS::S3::Bucket", "s3:GetObject", None),
        ("autoscaling.amazonaws.com", "AWS::SQS::Queue", "sqs:SendMessage", None),
        ("new.amazonaws.com", "AWS::S3::Bucket", "s3:GetObject", None),
        ("config.amazonaws.com", "", "", "AWS Config cannot get the details"),
    ],
)  # fmt: skip
def test_the_most_specific_row_is_found(service, resource_type, action, begin):
    """A row for the type goes before one for any, parts count as what carries their policy, and else there is none."""
    found = consequence_of(service, resource_type, action)
    assert (found is None) if begin is None else found.text.startswith(begin)


@pytest.mark.parametrize("row", DOCUMENTED_ACCESS, ids=lambda row: row.service)
def test_documented_access_has_its_shape(row):
    """A row is of a service that has a role, for a kind of policy, with actions that IAM has, and a source."""
    assert row.service in roles.principals()
    prefixes = kind(row.kind).prefixes
    actions = [action for allowed in row.allowed for action in allowed.actions]
    assert {action.partition(":")[0] for action in actions} <= set(prefixes)
    assert all(action.endswith("*") or iam_action("kms.amazonaws.com", action[4:])[1] for action in actions)
    assert (row.allowed or row.grant, row.source) != ((), "")
    assert documented_access(row.service, row.kind) == row


def test_documented_access_is_what_managed_policies_do_not_tell():
    """The role of EC2 Auto Scaling has no action of KMS in its managed policy, though it needs the key."""
    policy = policy_of("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling")
    assert "kms:" not in str(policy.document)


def test_a_key_s_statements_are_those_of_the_documentation():
    """EC2 Auto Scaling gets the use of the key, and grants only for resources of AWS."""
    access = documented_access("autoscaling.amazonaws.com.cn", "key")
    statements = [allowed.statement(ROLE, f"S{number}", region="eu-west-1") for number, allowed in enumerate(access.allowed)]  # fmt: skip
    expected = [
        {
            "Sid": "S0", "Effect": "Allow", "Principal": {"AWS": ROLE},
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
            "Resource": "*",
        },
        {
            "Sid": "S1", "Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:CreateGrant", "Resource": "*",
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        },
    ]  # fmt: skip
    assert statements == expected


def test_conditions_name_the_account_and_the_region():
    """What a condition leaves open is filled with the role's account and the resource's Region."""
    role = ROLE.replace("autoscaling", "s3.data-source.lustre.fsx")
    allowed = documented_access("s3.data-source.lustre.fsx.amazonaws.com", "key").allowed[0]
    assert allowed.statement(role, "S", region="eu-west-1")["Condition"] == {
        "StringEquals": {"kms:CallerAccount": "111122223333", "kms:ViaService": "s3.eu-west-1.amazonaws.com"}
    }


@pytest.mark.parametrize("row", [row for row in DOCUMENTED_ACCESS if row.grant], ids=lambda row: row.service)
def test_a_grant_is_a_command_of_the_cli(row):
    """The command that grants the use of a key names operations that grants can allow."""
    command = row.grant_command(KEY, ROLE)
    check(command)
    assert command.startswith(f"aws kms create-grant --key-id {KEY} --grantee-principal {ROLE} --operations ")
    assert command.endswith("CreateGrant --region eu-west-1")


def test_what_is_not_documented_is_not_asked_for():
    """Other services and other kinds have no documented statements."""
    assert documented_access("config.amazonaws.com", "key") is None
    assert documented_access("autoscaling.amazonaws.com", "bucket") is None
