"""Which roles a policy shuts out: endpoints, keys, names, folders of buckets, and whose the resource is taken to be."""

import json
from datetime import UTC, datetime

import pytest
from check_files import NOW, VPC, denying, names

from rolewatch.catalog.policy_kinds import kind, kind_of, kinds
from rolewatch.explain.lockout_asks import asks
from rolewatch.explain.lockout_found import Subject
from rolewatch.explain.lockout_mistakes import RULES, mistakes
from rolewatch.explain.lockout_owners import NOBODY, Given, owners, tells_owners_apart
from rolewatch.explain.lockouts import lockouts
from rolewatch.policies.reading import read_policy

BUCKET = "arn:aws:s3:::payroll"
KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROOT = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    "Action": "kms:*",
    "Resource": "*",
}


def policy(*statements):
    """Read a policy of statements."""
    return read_policy(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}), "p")


def checked(resource, *statements, given=None, now=NOW):
    """Check a policy of a resource."""
    return lockouts(
        Subject(policy(*statements), kind_of(resource), resource, "--resource"), given or Given(), now
    )


def test_every_kind_is_asked_about():
    """For most kinds of policies there are roles that may do something, and a Deny of everything shuts all of them out."""
    asked = 0
    for each in kinds():
        roles = asks(each, "aws")
        asked += bool(roles)
        for ask in roles:
            assert ask.actions
            assert all(
                action.partition(":")[0] in each.prefixes
                for names in ask.actions.values()
                for action in names
            )
    assert asked >= 35


def test_an_endpoint():
    """An endpoint's policy never shuts a role out for certain; what it denies is listed, what it does not allow is not."""
    arn = "arn:aws:ec2:us-east-1:111122223333:vpc-endpoint/vpce-0123456789abcdef0"
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{BUCKET}/*"}
    deny = denying([BUCKET, f"{BUCKET}/*"], {"StringNotEquals": {"aws:PrincipalAccount": "444455556666"}})
    subject = Subject(policy(allow), kind("endpoint"), arn, "--resource")
    silent = lockouts(subject, Given(), NOW)
    assert (silent.lockouts, silent.depends) == ((), ())
    found = lockouts(subject._replace(policy=policy(allow, deny)), Given(), NOW)
    assert found.lockouts == ()
    assert "Config" in names(found.depends)
    assert {each.missing for each in found.depends} == {("aws:SourceVpce",)}
    assert "AWS's own network" in found.depends[0].reason


def test_a_key_that_hands_on_some_actions():
    """Of a key policy that hands on only some actions to the account, the others are refused, for want of an Allow."""
    found = checked(KEY, {**ROOT, "Action": ["kms:Describe*", "kms:List*"]})
    config = next(each for each in found.lockouts if each.role_name == "AWSServiceRoleForConfig")
    assert set(config.actions) == {"kms:GetKeyPolicy", "kms:GetKeyRotationStatus"}
    assert config.statements == ()


def test_a_key_for_one_service():
    """A key that is used only through a service is refused to what comes through another, and in doubt for what comes directly."""
    deny = denying(
        "*",
        {"StringNotEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
        ["kms:Decrypt", "kms:DescribeKey"],
    )
    found = checked(KEY, ROOT, deny)
    assert "AmazonInspector2Agentless" in names(found.lockouts)
    assert "Config" in names(found.depends)
    through_ec2 = {
        "StringNotEquals": {"kms:ViaService": ["s3.us-east-1.amazonaws.com", "ec2.us-east-1.amazonaws.com"]}
    }
    assert "AmazonInspector2Agentless" not in names(
        checked(KEY, ROOT, {**deny, "Condition": through_ec2}).lockouts
    )


def test_keys_of_several_regions():
    """Only a multi-Region key is synchronised."""
    multi = KEY.replace("key/1234abcd", "key/mrk-1234abcd")
    closed = {**ROOT, "Principal": {"AWS": "arn:aws:iam::111122223333:role/admin"}}
    assert "KeyManagementServiceMultiRegionKeys" not in names(checked(KEY, closed).lockouts)
    assert "KeyManagementServiceMultiRegionKeys" in names(checked(multi, closed).lockouts)


def test_buckets_of_a_service():
    """A role that is confined to buckets of some name is shut out of these, and not concerned by others."""
    own = "arn:aws:s3:::elasticbeanstalk-us-east-1-111122223333"
    closed = denying([own, f"{own}/*"], VPC)
    assert "ElasticBeanstalk" in names(checked(own, closed).lockouts)
    assert "ElasticBeanstalk" not in names(checked(BUCKET, denying([BUCKET, f"{BUCKET}/*"], VPC)).lockouts)


def test_a_folder_of_a_service():
    """A role that is confined to a folder of any bucket is not concerned, unless the policy is about that folder."""
    everything = checked(BUCKET, denying([BUCKET, f"{BUCKET}/*"], VPC))
    folder = checked(BUCKET, denying(f"{BUCKET}/AWSAppFabric/*", VPC))
    assert "AppFabric" not in names(everything.lockouts)
    assert "AppFabric" in names(folder.lockouts)
    assert "Config" not in names(folder.lockouts)


def test_dates():
    """A Deny that begins at a date shuts nobody out before it, and everybody after it."""
    deny = denying([BUCKET, f"{BUCKET}/*"], {"DateGreaterThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}})
    assert checked(BUCKET, deny, now=datetime(2026, 12, 31, tzinfo=UTC)).lockouts == ()
    assert "Config" in names(checked(BUCKET, deny, now=datetime(2027, 1, 2, tzinfo=UTC)).lockouts)


def test_an_unknown_operator():
    """An operator that is not known leads to doubt, never to a certainty."""
    found = checked(BUCKET, denying([BUCKET, f"{BUCKET}/*"], {"StringRhymes": {"aws:PrincipalArn": "x"}}))
    assert found.lockouts == ()
    assert "Config" in names(found.depends)


@pytest.mark.parametrize(
    "condition",
    [
        {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}},
        {"Null": {"s3:x-amz-server-side-encryption": "true"}},
        {"StringNotEquals": {"aws:RequestTag/team": "a"}},
        {"StringNotEquals": {"aws:ResourceTag/team": "a"}},
        {"ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]}},
    ],
)
def test_what_is_asked_for(condition):
    """What the service asks for is its own choice: a rule about that shuts nobody out, for certain or perhaps."""
    found = checked(BUCKET, denying([BUCKET, f"{BUCKET}/*"], condition))
    assert (found.lockouts, found.depends) == ((), ())


def test_owners():
    """Accounts come in the order of how likely they own the resource; a placeholder is the last; what is given is the only one."""
    named = policy(
        {
            "Effect": "Allow",
            "Principal": {"AWS": "444455556666"},
            "Action": "s3:GetObject",
            "Resource": f"{BUCKET}/*",
        },
        denying(
            f"{BUCKET}/*",
            {
                "StringNotEquals": {
                    "aws:PrincipalAccount": "777788889999",
                    "aws:PrincipalOrgID": "o-a1b2c3d4e5",
                }
            },
        ),
    )
    assert [each.account for each in owners(named, Given())] == ["444455556666", "777788889999", NOBODY]
    assert {each.organization for each in owners(named, Given())} == {"o-a1b2c3d4e5"}
    given = Given("123412341234", "typed", "", "typed")
    assert [(each.account, each.organization) for each in owners(named, given)] == [("123412341234", "")]
    unknown = owners(policy(denying(f"{BUCKET}/*", VPC)), Given())
    assert [(each.account, each.organization) for each in unknown] == [(NOBODY, None)]


@pytest.mark.parametrize(
    ("condition", "rule"),
    [
        ({"Bool": {"aws:PrincipalIsAWSService": "false"}}, "principal-is-aws-service"),
        ({"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}, "principal-is-aws-service"),
        ({"StringNotEquals": {"aws:ViaAWSService": "true"}}, "via-aws-service"),
        ({"ForAllValues:StringNotEquals": {"aws:CalledVia": "athena.amazonaws.com"}}, "called-via"),
        ({"StringNotEquals": {"aws:SourceAccount": "1"}}, "source-account"),
        ({"ArnNotLike": {"aws:SourceArn": "arn:aws:s3:::x"}}, "source-account"),
        ({"StringNotEquals": {"aws:PrincipalServiceName": "config.amazonaws.com"}}, "principal-service-name"),
        ({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, "source-vpce"),
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::1:role/service-role/*"}}, "wrong-role-path"),
        (
            {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:sts::1:assumed-role/AWSServiceRoleForConfig/*"}},
            "wrong-role-path",
        ),
    ],
)
def test_mistakes(condition, rule):
    """Each of the usual mistakes is named, by what the condition says."""
    found = list(mistakes(policy(denying("*", condition)).statements))
    assert [each.rule for each in found] == [rule]
    assert "aws:PrincipalArn" in found[0].message


@pytest.mark.parametrize(
    "condition",
    [
        {"Bool": {"aws:PrincipalIsAWSService": "true"}},
        {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
        {"StringEquals": {"aws:SourceAccount": "1"}},
        {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::1:role/aws-service-role/*"}},
    ],
)
def test_no_mistakes(condition):
    """What looks alike and means something else is no mistake; nor is anything in an Allow."""
    assert list(mistakes(policy(denying("*", condition)).statements)) == []
    allow = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "*",
        "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}},
    }
    assert list(mistakes(policy(allow).statements)) == []
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("statement", "apart"),
    [
        (denying(BUCKET, VPC), False),
        ({**denying(BUCKET, VPC), "Effect": "Allow", "Principal": {"AWS": "444455556666"}}, False),
        ({**denying(BUCKET, VPC), "Principal": {"AWS": "444455556666"}}, True),
        (denying(BUCKET, {"StringNotEquals": {"aws:PrincipalAccount": "444455556666"}}), True),
        (denying(BUCKET, {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::444455556666:*"}}), True),
        (denying(BUCKET, {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}), True),
        (denying(BUCKET, {"StringNotEquals": {"s3:ResourceAccount": "444455556666"}}), True),
        (denying(BUCKET, {"StringNotLike": {"aws:SourceVpc": "${aws:PrincipalAccount}"}}), True),
    ],
)
def test_owners_are_told_apart(statement, apart):
    """Other owners are tried only where what is denied may hang on the owner."""
    assert tells_owners_apart(policy(statement)) is apart
