"""Kinds of resource-based policies, held against botocore's and CloudFormation's own models."""

import re
import shlex
from pathlib import Path

import msgspec
import pytest
from aws_cli import check, model
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from rolewatch.catalog import policy_kinds
from rolewatch.catalog.naming import Place, build, type_takes_policy
from rolewatch.catalog.policy_kinds import changed_by, kind, kind_of, kind_of_type, kinds, written_as
from rolewatch.catalog.profile import rows
from rolewatch.catalog.role_policies import roles_with_policies

HERE = Place("aws", "eu-west-1", "111122223333")
CHANGES = [(each, change) for each in kinds() for change in each.changes]
# Kinds of policies that filter or let assume: they could not allow a call that the role's own policy does not.
NO_GRANT = {"AWS::EC2::VPCEndpoint", "AWS::IAM::Role"}
# Event sources whose host is not an endpoint of botocore's: s3control answers for S3, apigateway for its REST APIs …
MODELS = {"elasticfilesystem": ["efs"], "es": ["es", "opensearch"], "s3": ["s3", "s3control"], "s3-outposts": ["s3control"], "s3express": ["s3"], "ses": ["ses", "sesv2"]}  # fmt: skip


def example(each):
    """Build an ARN of a kind from its first template."""
    gaps = len(re.findall(r"\{[/*]?\}", each.arns[0]))
    return build(each.type, tuple(f"n{number}" for number in range(gaps)), HERE)


@pytest.mark.parametrize("each", kinds(), ids=lambda each: each.kind)
def test_kinds_have_their_shape(each):
    """A kind has a word, a name, a type that naming knows as taking a policy, prefixes, and sources; and is found by each."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", each.kind)
    assert each.arns
    assert type_takes_policy(each.type) or each.type in NO_GRANT
    assert all(type_takes_policy(part) for part in each.also)
    assert each.sources
    assert all(source.strip() == source for source in (*each.sources, each.name))
    assert (kind(each.kind), kind_of_type(each.type), kind_of(example(each))) == (each, each, each)


def test_no_word_type_or_form_is_there_twice():
    """Words, types and the places in templates each lead to one kind."""
    words = [each.kind for each in kinds()]
    types = [part for each in kinds() for part in (each.type, *each.also)]
    assert (sorted(set(words)), sorted(set(types))) == (sorted(words), sorted(types))
    shared = {
        row.type
        for each in kinds()
        for row in each.terraform
        if len({k.kind for k, _ in written_as(row.type)}) > 1
    }
    assert shared == {"aws_s3_bucket_policy"}  # for directory buckets too


@pytest.mark.parametrize("each", kinds(), ids=lambda each: each.kind)
def test_commands_are_the_cli_s(each):
    """The commands that fetch and put a policy exist, with all options that they need and none that they do not have."""
    arn = example(each)
    check(each.fetch_command(arn))
    put = each.put_command(arn, "new.json")
    assert (put is None) == (each.file == "")
    if put:
        check(put)
        assert "file://new.json" in put


@pytest.mark.parametrize(("each", "change"), CHANGES, ids=lambda part: getattr(part, "kind", None) or getattr(part, "name", None))  # fmt: skip
def test_changes_are_calls_of_the_service(each, change):
    """A call that changes a policy is an operation of its service, and what it sets is among its parameters."""
    found = [
        (name, model(name)) for name in MODELS.get(change.source, [change.source]) if change.name in model(name)["operations"]
    ]  # fmt: skip
    assert found, (each.kind, change)
    name, service = found[0]
    taken = service["operations"][change.name].get("input")
    members = {member.lower() for member in service["shapes"][taken["shape"]]["members"]} if taken else set()
    for path in (change.policy, change.when.partition("=")[0]):
        first = [part for part in path.lower().split(".") if part and not part.endswith("request")][:1]
        assert set(first) - members <= {"bucketpolicy"}, (
            name,
            path,
        )  # CloudTrail's word for what S3 calls Policy


CLOUDFORMATION = [row for each in kinds() for row in each.cloudformation]


@pytest.mark.parametrize("row", CLOUDFORMATION, ids=lambda row: f"{row.type} {row.policy}")
def test_templates_write_policies_where_cloudformation_has_them(row):
    """Each property of a row is one of the resource's in CloudFormation's own schema (or SAM's)."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", row.type).schema
    for path in (row.policy, row.resource):
        if path:
            assert path.split(".")[0] in schema["properties"], (row.type, path)
    assert (row.form == "fields") == (row.policy == "")


TERRAFORM = [(each, row) for each in kinds() for row in each.terraform]


@pytest.mark.parametrize(("each", "row"), TERRAFORM, ids=lambda part: getattr(part, "type", None))
def test_terraform_types_have_their_shape(each, row):
    """A Terraform row has a type of the AWS provider, and attributes in its spelling."""
    assert re.fullmatch(r"aws_[a-z0-9_]+", row.type)
    assert all(re.fullmatch(r"[a-z_.]*", path) for path in (row.policy, row.resource))
    assert (each, row) in written_as(row.type)


@pytest.mark.parametrize(
    ("arn", "fetch"),
    [
        ("arn:aws:s3:::logs/a/b.gz", "aws s3api get-bucket-policy --bucket logs --query Policy --output text"),
        ("arn:aws-cn:sqs:cn-north-1:111122223333:jobs", "aws sqs get-queue-attributes --queue-url https://sqs.cn-north-1.amazonaws.com.cn/111122223333/jobs --attribute-names Policy --query Attributes.Policy --output text --region cn-north-1"),
        ("arn:aws:iam::111122223333:role/team/app", "aws iam get-role --role-name app --query Role.AssumeRolePolicyDocument --output json"),
        ("arn:aws:codeartifact:eu-west-1:111122223333:repository/dom/team/repo", None),
        ("arn:aws:backup:eu-west-1:111122223333:recovery-point:8a6f", None),
        ("arn:aws:s3:::*", None),
    ],
)  # fmt: skip
def test_the_command_names_what_carries_the_policy(arn, fetch):
    """A part is folded to what carries its policy; where an ARN does not tell that, there is no command."""
    found = kind_of(arn)
    assert (found.fetch_command(arn) if found else None) == fetch


def test_an_alias_is_asked_for_its_key():
    """The policy of a key is fetched by the key that the alias stands for."""
    command = kind("key").fetch_command("arn:aws:kms:eu-west-1:111122223333:alias/app")
    check(command)
    assert '--key-id "$(aws kms describe-key --key-id arn:aws:kms:eu-west-1:111122223333:alias/app' in command


@pytest.mark.parametrize("evil", ["f;rm -rf ~", "$(id)", "`id`", "a'b", 'a"b', "a|b", "a&b", "a>b"])
def test_a_hostile_name_stays_one_word(evil):
    """Whatever a name holds, the shell gets it as part of one word, or there is no command."""
    arn = f"arn:aws:lambda:eu-west-1:111122223333:function:{evil}"
    command = kind("function").fetch_command(arn)
    assert command is None or shlex.split(command)[4] == arn


@pytest.mark.parametrize(
    ("source", "name", "parameters", "changed", "policy"),
    [
        ("s3.amazonaws.com", "PutBucketPolicy", {"bucketName": "b", "bucketPolicy": {"Version": "2012-10-17"}}, ["bucket"], {"Version": "2012-10-17"}),
        ("s3.amazonaws.com", "DeleteBucketPolicy", {"bucketName": "b"}, ["bucket"], None),
        ("kms.amazonaws.com", "PutKeyPolicy", {"keyId": "k", "policy": "{}"}, ["key"], "{}"),
        ("sqs.amazonaws.com", "SetQueueAttributes", {"queueUrl": "u", "attributes": {"Policy": "{}"}}, ["queue"], "{}"),
        ("sqs.amazonaws.com", "SetQueueAttributes", {"queueUrl": "u", "attributes": {"Policy": ""}}, ["queue"], ""),
        ("sqs.amazonaws.com", "SetQueueAttributes", {"queueUrl": "u", "attributes": {"DelaySeconds": "5"}}, [], None),
        ("sqs.amazonaws.com", "SetQueueAttributes", {"queueUrl": "u", "attributes": ["Policy"]}, [], None),
        ("sns.amazonaws.com", "SetTopicAttributes", {"topicArn": "t", "attributeName": "Policy", "attributeValue": "{}"}, ["topic"], "{}"),
        ("sns.amazonaws.com", "SetTopicAttributes", {"topicArn": "t", "attributeName": "DisplayName", "attributeValue": "x"}, [], None),
        ("ec2.amazonaws.com", "ModifyVpcEndpoint", {"ModifyVpcEndpointRequest": {"VpcEndpointId": "v", "PolicyDocument": "{}"}}, ["endpoint"], "{}"),
        ("ec2.amazonaws.com", "ModifyVpcEndpoint", {"ModifyVpcEndpointRequest": {"VpcEndpointId": "v", "ResetPolicy": True}}, ["endpoint"], None),
        ("ec2.amazonaws.com", "ModifyVpcEndpoint", {"ModifyVpcEndpointRequest": {"VpcEndpointId": "v", "ResetPolicy": False}}, [], None),
        ("ec2.amazonaws.com", "ModifyVpcEndpoint", {"ModifyVpcEndpointRequest": {"VpcEndpointId": "v", "AddSubnetId": {}}}, [], None),
        ("apigateway.amazonaws.com", "UpdateRestApi", {"restApiId": "a", "patchOperations": [{"op": "replace", "path": "/policy"}]}, ["rest-api"], None),
        ("apigateway.amazonaws.com", "UpdateRestApi", {"restApiId": "a", "patchOperations": [{"op": "replace", "path": "/name"}]}, [], None),
        ("lambda.amazonaws.com", "AddPermission20150331v2", {"functionName": "f"}, ["function"], None),
        ("kms.amazonaws.com.cn", "PutKeyPolicy", None, ["key"], None),
        ("s3.amazonaws.com", "GetBucketPolicy", {}, [], None),
    ],
)  # fmt: skip
def test_a_recorded_call_tells_whether_it_changed_a_policy(source, name, parameters, changed, policy):
    """A call counts where its parameters say that it sets or removes a policy, and gives the new one if it is recorded."""
    found = [(each, change) for each, change in changed_by(source, name) if change.applies(parameters)]
    assert [each.kind for each, _ in found] == changed
    assert [change.new_policy(parameters) for _, change in found] == [policy] * len(changed)


@pytest.mark.parametrize(
    ("name", "text", "size"),
    [("bucket", '{"Sid": "ä"}', 13), ("secret", '{"Sid": "ä"}', 12), ("role-trust", '{ "a":\n\t1 }', 7)],
)
def test_a_policy_is_measured_as_its_limit_is(name, text, size):
    """Bytes, characters, or characters without white space count, as the service documents."""
    assert kind(name).size(text) == size


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("bucket", "{}"),
        ("queue", {"Policy": "{}"}),
        ("rest-api", [{"op": "replace", "path": "/policy", "value": "{}"}]),
        ("multi-region-access-point", {"Name": "x.mrap", "Policy": "{}"}),
    ],
)
def test_the_file_holds_what_the_command_takes(name, file):
    """Where the API wraps the policy, so does the file."""
    text = kind(name).file_text("{}", "arn:aws:s3::111122223333:accesspoint/x.mrap")
    assert (text if isinstance(file, str) else msgspec.json.decode(text)) == file


def test_only_keys_and_roles_cannot_do_without_their_policy():
    """Within an account the role's own policy suffices for all but keys, roles, and what filters."""
    assert {each.kind for each in kinds() if each.rule != "either"} == {"key", "role-trust", "endpoint", "lattice-service"}  # fmt: skip
    assert policy_kinds.kind("no such kind") is None


def test_the_catalogue_page_counts_the_rows():
    """The numbers that docs/catalog.md gives for policies, kinds of policies and context keys are those of the tables."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "catalog.md").read_text()
    counts = {
        "managed policies": len({role.policy for role in roles_with_policies()}),
        "kinds of resource-based": len(kinds()),
        "context keys": len(rows()),
    }
    assert {words: re.findall(rf"(\d+) {words}", page) for words in counts} == {
        words: [str(count)] for words, count in counts.items()
    }
