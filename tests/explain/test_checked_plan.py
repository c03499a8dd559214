"""Terraform plans: which policies would be set, on what, and which are known only after apply."""

import json

from check_files import VPC, denying, found, names, read

POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [denying(["arn:aws:s3:::payroll", "arn:aws:s3:::payroll/*"], VPC)]}
)
ROOT = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::999988887777:root"},
    "Action": "kms:*",
    "Resource": "*",
}
KEY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            ROOT,
            denying("*", {"StringNotEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}, "kms:*"),
        ],
    }
)


def resource(address, values):
    """Write a resource of a plan."""
    kind, _, name = address.rpartition("module.k.")[2].partition(".")
    return {"address": address, "mode": "managed", "type": kind, "name": name, "values": values}


def plan(*resources, children=(), **more):
    """Write a plan, as `terraform show -json` prints it."""
    module = {
        "resources": list(resources),
        "child_modules": [{"address": "module.k", "resources": list(children)}],
    }
    return json.dumps({"format_version": "1.2", "planned_values": {"root_module": module}, **more}, indent=1)


def test_policies_of_all_modules():
    """Policies of the root module and of those in it are checked; each has the resource's address, and its place in the plan."""
    text = plan(
        resource("aws_s3_bucket_policy.payroll", {"bucket": "payroll", "policy": POLICY}),
        resource("aws_instance.web", {"ami": "ami-1"}),
        children=[resource("module.k.aws_kms_key.main", {"policy": KEY})],
    )
    result = read(text, "plan.json")
    policies = found(result)
    assert list(policies) == ["aws_s3_bucket_policy.payroll", "module.k.aws_kms_key.main"]
    payroll = policies["aws_s3_bucket_policy.payroll"]
    assert payroll.subject.resource == "arn:aws:s3:::payroll"
    assert "Config" in names(payroll.lockouts)
    place = payroll.lockouts[0].statements[0].place
    assert (place.file, text.splitlines()[place.line - 1].strip()[:9]) == ("plan.json", '"policy":')
    assert place.path == "planned_values.root_module.resources[0].values.policy.Statement[0]"
    key = policies["module.k.aws_kms_key.main"]
    assert (key.owner.account, key.lockouts[0].statements[0].number) == ("999988887777", 2)


def test_a_policy_that_is_known_after_apply():
    """A policy that is known only after apply is told with its address, and not guessed."""
    address = "aws_s3_bucket_policy.new"
    change = {
        "address": address,
        "change": {"actions": ["create"], "after": {}, "after_unknown": {"id": True, "policy": True}},
    }
    result = read(plan(resource(address, {"bucket": "b"}), resource_changes=[change]), "plan.json")
    assert result.subjects == ()
    assert [each.where.rpartition(" ")[2] for each in result.unread] == [f"({address})"]
    assert "known only after apply" in result.unread[0].reason
    assert not result.unread[0].invalid


def test_a_policy_that_is_not_set():
    """A resource without a policy is no reason to complain."""
    change = {
        "address": "aws_kms_key.k",
        "change": {"after": {"policy": None}, "after_unknown": {"id": True}},
    }
    result = read(plan(resource("aws_kms_key.k", {"policy": None}), resource_changes=[change]), "plan.json")
    assert (result.subjects, result.unread) == ((), ())


def test_the_account_of_the_plan():
    """A plan that asks who it works for tells the account."""
    me = resource("aws_caller_identity.me", {"account_id": "999988887777"})
    prior = {"values": {"root_module": {"resources": [me]}}}
    result = read(
        plan(resource("aws_s3_bucket_policy.p", {"policy": POLICY}), prior_state=prior), "plan.json"
    )
    owner = found(result)["aws_s3_bucket_policy.p"].owner
    assert (owner.account, owner.account_from) == ("999988887777", "aws_caller_identity of the plan")


def test_changes_alone():
    """Without planned values, the changes tell what is set."""
    change = {
        "address": "aws_s3_bucket_policy.p",
        "type": "aws_s3_bucket_policy",
        "change": {"after": {"policy": POLICY}},
    }
    result = read(json.dumps({"format_version": "1.2", "resource_changes": [change]}), "plan.json")
    assert "Config" in names(found(result)["aws_s3_bucket_policy.p"].lockouts)


def test_the_resource_is_named_by_the_plan():
    """Where the policy names no resource, the plan does: by name, URL or ARN."""
    everything = json.dumps({"Version": "2012-10-17", "Statement": [denying("*", VPC, "sqs:*")]})
    url = "https://sqs.us-east-1.amazonaws.com/999988887777/orders"
    result = read(
        plan(resource("aws_sqs_queue_policy.q", {"queue_url": url, "policy": everything})), "plan.json"
    )
    assert [each.resource.rpartition(":")[2] for each in result.subjects] == ["orders"]


def test_a_directory_bucket():
    """One type of resource sets policies of two kinds; the policy's own actions tell which."""
    statement = denying(
        "arn:aws:s3express:us-east-1:999988887777:bucket/b--use1-az4--x-s3", VPC, "s3express:*"
    )
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    result = read(plan(resource("aws_s3_bucket_policy.d", {"policy": text})), "plan.json")
    assert [each.kind.kind for each in result.subjects] == ["directory-bucket"]


def test_an_invalid_policy():
    """An invalid policy is told with the resource's address, and where in its text it is wrong."""
    result = read(
        plan(resource("aws_s3_bucket_policy.p", {"policy": '{"Statement": [{"Effect": "Perhaps"}]}'})),
        "plan.json",
    )
    assert [each.invalid for each in result.unread] == [True]
    assert result.unread[0].where.endswith("(aws_s3_bucket_policy.p)")
    assert result.unread[0].reason == "Effect 'Perhaps' is none (line 1, column 27 of the policy's text)"
