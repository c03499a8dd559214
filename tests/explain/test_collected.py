"""The folder of collected policies: its names, what AWS returns, and what is wrong with a file."""

import json

import pytest

from rolewatch.base.errors import RolewatchError
from rolewatch.explain.folder import LARGEST, Folder, file_name

HOME = "111122223333"
BUCKET = "arn:aws:s3:::ledger"
POLICY = {"Version": "2012-10-17", "Statement": [{"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}  # fmt: skip
TEXT = json.dumps(POLICY)


def kept(folder, arn, content):
    """Write a file about something, and give the folder."""
    folder.joinpath(file_name(arn)).write_text(content if isinstance(content, str) else json.dumps(content))
    return Folder(str(folder))


@pytest.mark.parametrize(
    ("arn", "content"),
    [
        (BUCKET, POLICY),
        (BUCKET, {"Policy": TEXT}),
        (f"arn:aws:kms:eu-west-1:{HOME}:key/1", {"Policy": TEXT, "PolicyName": "default"}),
        (f"arn:aws:sqs:eu-west-1:{HOME}:q", {"Attributes": {"QueueArn": "x", "Policy": TEXT}}),
        (f"arn:aws:sns:eu-west-1:{HOME}:t", {"Attributes": {"Policy": TEXT, "Owner": HOME}}),
        (f"arn:aws:secretsmanager:eu-west-1:{HOME}:secret:a-a1b2c3", {"ARN": "x", "ResourcePolicy": TEXT}),
        (f"arn:aws:ecr:eu-west-1:{HOME}:repository/a", {"registryId": HOME, "policyText": TEXT}),
        (f"arn:aws:lambda:eu-west-1:{HOME}:function:f", {"Policy": TEXT, "RevisionId": "1"}),
        (f"arn:aws:iam::{HOME}:role/r", {"Role": {"RoleId": "AROAEXAMPLE1234567890", "AssumeRolePolicyDocument": POLICY}}),
        (f"arn:aws:ec2:eu-west-1:{HOME}:vpc-endpoint/vpce-1", {"VpcEndpoints": [{"PolicyDocument": TEXT}]}),
        ("vpce-0a1b2c3d", {"VpcEndpoints": [{"PolicyDocument": TEXT}]}),
        (f"arn:aws:es:eu-west-1:{HOME}:domain/d", {"DomainConfig": {"AccessPolicies": {"Options": TEXT}}}),
        (f"arn:aws:glacier:eu-west-1:{HOME}:vaults/v", {"policy": {"Policy": TEXT}}),
        (f"arn:aws:logs:eu-west-1:{HOME}:log-group:g", {"resourcePolicies": [{"policyName": "p", "policyDocument": TEXT}]}),
    ],
)  # fmt: skip
def test_what_the_api_returns_is_understood(tmp_path, arn, content):
    """Wherever it puts the policy, as object or as text."""
    found = kept(tmp_path, arn, content).policy(arn)
    assert (found.arn, [each.sid for each in found.policy.statements], json.loads(found.text)) == (
        arn,
        ["Tls"],
        POLICY,
    )


@pytest.mark.parametrize("content", ["", " \n", "{}", '{"Error": {"Code": "NoSuchBucketPolicy"}}', "null", '{"Policy": ""}', '{"Policy": null}', '{"Attributes": {}}'])  # fmt: skip
def test_a_resource_may_have_no_policy(tmp_path, content):
    """Then it was asked, and has none; what was never asked for is another thing."""
    folder = kept(tmp_path, BUCKET, content)
    assert (folder.policy(BUCKET), folder.asked(BUCKET), folder.asked(f"{BUCKET}2")) == (None, True, False)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", r"json:1:2: this is no JSON: .* \(collect it anew\)"),
        ('{"Policy": "{"}', r"json:policy:1:2: "),
        ('{"Policy": 3}', "holds no policy"),
        ('{"Policy": "[1]"}', "a policy is wanted"),
        ('{"Statement": 3}', "json:1:15"),
        ('{"Statement": [{"Effect": "Deny", "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}', "Effect"),
        ('{"Policy": "{\\"Statement\\": [{\\"Effect\\": \\"deny\\"}]}"}', "Effect 'deny' is none"),
        ('{"Policy": [{"Statement": []}, {"Statement": []}]}', "holds 2 policies"),
        ("[" * 100_000, "holds no JSON|no JSON"),
        ("x" * (LARGEST + 1), "larger than 4 MiB"),
    ],
    ids=range(10),
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_told_with_its_place(tmp_path, content, says):
    """A usage error, that names the file and what to do."""
    folder = kept(tmp_path, BUCKET, content)
    with pytest.raises(RolewatchError, match=says) as error:
        folder.policy(BUCKET)
    assert (error.value.exit_code, "ledger.json" in str(error.value)) == (2, True)


def test_a_file_that_is_not_utf8_is_told(tmp_path):
    """And a folder in a file's place."""
    tmp_path.joinpath(file_name(BUCKET)).write_bytes(b"\xff\xfe{")
    tmp_path.joinpath(file_name(f"{BUCKET}2")).mkdir()
    folder = Folder(str(tmp_path))
    with pytest.raises(RolewatchError, match="is not UTF-8"):
        folder.policy(BUCKET)
    assert folder.asked(f"{BUCKET}2") is False


def test_names_may_be_written_in_any_folder_below(tmp_path):
    """With the characters as they are, where a file name may hold them; hidden folders and other files count for nothing."""
    for name in (
        "s3/arn:aws:s3:::plain.json",
        f"s3/{file_name(BUCKET)}",
        ".git/arn:aws:s3:::hidden.json",
        "notes.json",
        "arn:aws:s3:::x.txt",
    ):
        place = tmp_path / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(TEXT)
    assert list(Folder(str(tmp_path)).arns()) == [BUCKET, "arn:aws:s3:::plain"]


def test_what_else_is_collected(tmp_path):
    """Grants of a key, a role's unique id, the organisation."""
    key, role = f"arn:aws:kms:eu-west-1:{HOME}:key/1", f"arn:aws:iam::{HOME}:role/r"
    tmp_path.joinpath(file_name(key).removesuffix(".json") + ".grants.json").write_text(
        '{"Grants": [{"GrantId": "g"}]}'
    )
    tmp_path.joinpath("organization.json").write_text('{"Organization": {"Id": "o-a1b2c3d4e5"}}')
    tmp_path.joinpath(f"{HOME}.roles.json").write_text(
        json.dumps({"Roles": [{"Arn": f"{role}2", "RoleId": "AROAOTHER1234567890"}]})
    )
    folder = kept(tmp_path, role, {"Role": {"RoleId": "AROAEXAMPLE1234567890"}})
    assert (folder.role(f"{role}2").unique_id, folder.role(f"{role}3")) == ("AROAOTHER1234567890", None)
    found = (
        folder.grants(key),
        folder.role(role).unique_id,
        folder.organization,
        folder.grants(role),
        folder.role(key),
    )
    assert found == ([{"GrantId": "g"}], "AROAEXAMPLE1234567890", "o-a1b2c3d4e5", [], None)


@pytest.mark.parametrize(("content", "found"), [(None, None), ("{}", ""), ('{"Organization": {}}', ""), ('{"Organization": 3}', "")])  # fmt: skip
def test_an_account_may_be_in_no_organisation(tmp_path, content, found):
    """A file that names none says so; without a file it is not known."""
    if content is not None:
        tmp_path.joinpath("organization.json").write_text(content)
    assert Folder(str(tmp_path)).organization == found


def test_grants_that_are_none_are_told(tmp_path):
    """With what has to be there."""
    key = f"arn:aws:kms:eu-west-1:{HOME}:key/1"
    tmp_path.joinpath(file_name(key).removesuffix(".json") + ".grants.json").write_text('{"Grants": {}}')
    with pytest.raises(RolewatchError, match=r"holds no grants .*list-grants"):
        Folder(str(tmp_path)).grants(key)


def test_a_folder_has_to_be_there(tmp_path):
    """A file is none."""
    with pytest.raises(RolewatchError, match="is no folder"):
        Folder(str(tmp_path / "absent"))
