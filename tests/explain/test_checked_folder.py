"""A folder of collected policies: the map of an account's lockouts."""

import json

import pytest
from check_files import VPC, denying, names, of_folder

from rolewatch.base.errors import UsageError
from rolewatch.explain.folder import file_name

BUCKET, KEY = (
    "arn:aws:s3:::payroll",
    "arn:aws:kms:us-east-1:999988887777:key/1234abcd-12ab-34cd-56ef-1234567890ab",
)
CONFIG = "arn:aws:iam::999988887777:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
ADMIN = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::999988887777:role/admin"},
    "Action": "kms:*",
    "Resource": "*",
}


@pytest.fixture
def write(tmp_path):
    """Write a file of the folder."""

    def written(name, content):
        tmp_path.joinpath(name).write_text(content if isinstance(content, str) else json.dumps(content))

    return written


def test_the_whole_account(write, tmp_path):
    """Each policy is checked for its resource, in the account that the other resources tell."""
    write(file_name(BUCKET), {"Policy": json.dumps({"Statement": [denying([BUCKET, f"{BUCKET}/*"], VPC)]})})
    write(file_name(KEY), {"Policy": json.dumps({"Statement": [ADMIN]}), "PolicyName": "default"})
    found, read = of_folder(tmp_path)
    assert read.unread == ()
    assert set(found) == {BUCKET, KEY}
    assert found[BUCKET].owner.account == "999988887777"
    assert "Config" in names(found[BUCKET].lockouts) & names(found[KEY].lockouts)


def test_grants_of_a_key(write, tmp_path):
    """A grant lets in a role that the key's policy does not; the others stay shut out."""
    write(file_name(KEY), {"Statement": [ADMIN]})
    grant = {"GrantId": "g", "GranteePrincipal": CONFIG, "Operations": ["DescribeKey"]}
    before, _ = of_folder(tmp_path)
    write(file_name(KEY).replace(".json", ".grants.json"), {"Grants": [grant]})
    after, read = of_folder(tmp_path)
    assert read.unread == ()

    def actions(found):
        return next(
            each.actions for each in found[KEY].lockouts if each.role_name == "AWSServiceRoleForConfig"
        )

    assert set(actions(before)) - set(actions(after)) == {"kms:DescribeKey"}
    assert names(before[KEY].lockouts) == names(after[KEY].lockouts)


def test_the_organization(write, tmp_path):
    """The organization that was collected counts, not the one that a policy names."""
    statement = denying([BUCKET, f"{BUCKET}/*"], {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})
    write(file_name(BUCKET), {"Statement": [statement]})
    assert of_folder(tmp_path)[0][BUCKET].lockouts == ()
    write("organization.json", {"Organization": {"Id": "o-zzzzzzzzzz"}})
    assert "Config" in names(of_folder(tmp_path)[0][BUCKET].lockouts)


def test_what_is_no_policy_of_a_resource(write, tmp_path):
    """Roles, resources without a policy, and what is no ARN are passed over."""
    write(file_name(CONFIG), {"Role": {"RoleId": "AROAEXAMPLEEXAMPLE123"}})
    write(file_name("arn:aws:s3:::empty"), {"Policy": ""})
    write("notes.json", {})
    found, read = of_folder(tmp_path)
    assert (found, read.unread) == ({}, ())


def test_a_file_that_cannot_be_read(write, tmp_path):
    """A broken file is told, and the others are checked."""
    write(file_name(BUCKET), {"Statement": [denying([BUCKET, f"{BUCKET}/*"], VPC)]})
    write(file_name("arn:aws:s3:::broken"), "{")
    found, read = of_folder(tmp_path)
    assert set(found) == {BUCKET}
    assert [each.invalid for each in read.unread] == [True]
    assert "broken" in read.unread[0].reason


def test_one_resource_for_a_folder(tmp_path):
    """--resource makes no sense for a folder."""
    with pytest.raises(UsageError, match="is a folder"):
        of_folder(tmp_path, resource=BUCKET)


def test_an_endpoint(write, tmp_path):
    """An endpoint is named by its id alone, and what its policy denies is in doubt."""
    allow = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    write(
        "vpce-0123456789abcdef0.json",
        {"VpcEndpoints": [{"PolicyDocument": json.dumps({"Statement": [allow, denying([BUCKET], VPC)]})}]},
    )
    found, read = of_folder(tmp_path)
    assert read.unread == ()
    assert [(each.lockouts, bool(each.depends)) for each in found.values()] == [((), True)]
