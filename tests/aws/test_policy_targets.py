"""What findings and ARNs lead to."""

import pytest

from rolewatch.aws.policy_targets import Place, of_arns, of_findings, target_of
from rolewatch.base.errors import UsageError

ACCOUNT, OTHER, CALLER = "111122223333", "444455556666", "999999999999"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
ENDPOINT = f"arn:aws:ec2:us-east-1:{OTHER}:vpc-endpoint/vpce-1a2b3c4d"
FINDING = {
    "resource": "arn:aws:s3:::b", "resource_account": None, "account": ACCOUNT, "role_arn": ROLE, "regions": ["eu-west-1"],
    "cause": {"policy_type": "resource-based", "policy_arn": None},
}  # fmt: skip


def found(**more):
    """Return what a finding leads to: (ARN, account, region) of each."""
    wanted = of_findings([{**FINDING, **more}], caller=CALLER)
    return [(each.arn, each.account, each.region) for each in wanted.targets]


def test_a_finding_leads_to_its_resource_and_role():
    """A bucket is asked for in the region of the record; its owner is the role's account, if nothing tells more."""
    assert found() == [("arn:aws:s3:::b", ACCOUNT, "eu-west-1"), (ROLE, ACCOUNT, "")]
    assert found(resource_account=OTHER)[0] == ("arn:aws:s3:::b", OTHER, "eu-west-1")
    assert found(account=None, role_arn=None) == [("arn:aws:s3:::b", CALLER, "eu-west-1")]


def test_an_arn_tells_more_than_the_record():
    """Its account and region are those of the resource."""
    arn = f"arn:aws:sqs:us-west-2:{OTHER}:q"
    assert found(resource=arn)[0] == (arn, OTHER, "us-west-2")


def test_what_carries_no_policy_is_left_out():
    """And so is a role that is no service-linked one, and a service principal without a role."""
    assert found(resource="service:ec2.amazonaws.com", role_arn=f"arn:aws:iam::{ACCOUNT}:role/own") == []


def test_an_endpoint_that_is_named_is_asked_for():
    """One that is not leads to all of its account and regions."""
    cause = {"policy_type": "vpc-endpoint", "policy_arn": ENDPOINT}
    assert (ENDPOINT, OTHER, "us-east-1") in found(cause=cause)
    wanted = of_findings([{**FINDING, "cause": {**cause, "policy_arn": None}}], caller=CALLER)
    assert wanted.endpoints == (Place(ACCOUNT, "eu-west-1"),)
    assert wanted.accounts == (ACCOUNT,)


def test_only_some_accounts():
    """By whose credentials are needed."""
    wanted = of_findings([FINDING, {**FINDING, "resource_account": OTHER}], caller=CALLER, accounts=(OTHER,))
    assert wanted.targets == ()  # the bucket is one, and the first finding says whose
    wanted = of_findings([{**FINDING, "resource_account": OTHER}], caller=CALLER, accounts=(OTHER,))
    assert [each.arn for each in wanted.targets] == ["arn:aws:s3:::b"]


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sqs:evil.example/x#:111122223333:q",
        "arn:aws:sqs:us-east-1@evil.example:111122223333:q",
        "arn:aws:sqs:us-east-1:111122223333:*",
        "arn:aws:sqs:us-east-1:123:q",
        "arn:aws:s3:::../../etc",
        "arn:aws:ec2:us-east-1:111122223333:instance/i-1",
        "",
    ],
)
def test_strange_arns_lead_nowhere(arn):
    """A region becomes part of a host's name: only what could be one is asked."""
    assert target_of(arn, "") is None


def test_a_part_leads_to_its_whole():
    """An object to its bucket, a stream's consumer to the stream."""
    assert target_of("arn:aws:s3:::b/key", ACCOUNT).arn == "arn:aws:s3:::b"
    arn = f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/s"
    assert target_of(f"{arn}/consumer/c:1", ACCOUNT).arn == arn


@pytest.mark.parametrize(
    "finding", [{}, {"resource": 1}, {**FINDING, "account": 1}, {**FINDING, "role_arn": ["x"]}]
)
def test_what_is_no_finding_is_refused(finding):
    """With what it has to be."""
    with pytest.raises(UsageError, match="this is no finding"):
        of_findings([finding], caller=CALLER)


def test_an_arn_without_a_policy_is_refused():
    """Where somebody has typed it."""
    with pytest.raises(UsageError, match="no ARN of a resource that carries a policy"):
        of_arns(["arn:aws:ec2:us-east-1:111122223333:instance/i-1"], caller=CALLER)
