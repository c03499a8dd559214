"""The context of a request of a service-linked role: what is known of each key, and what is not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.catalog.profile import Role, may_be_foreign, profile_of, role_parts, rows

ROLE = "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
KINDS = {"known", "absent", "optional", "begins", "present", "foreign", "unknown"}
FILLED = {"known", "optional", "begins"}


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.key} {row.services}")
def test_rows_have_their_shape(row):
    """A row has a key of IAM's form, a known state with values where it needs them, a reason and a page as its source."""
    assert re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9]*(/\*|\*)?", row.key)
    assert row.kind in KINDS
    assert bool(row.values) == (row.kind in FILLED)
    assert re.fullmatch(r"\*|[a-z0-9-]+( [a-z0-9-]+)*", row.services)
    assert row.reason
    assert row.title
    assert re.match(r"https://(docs\.aws\.amazon\.com|github\.com/aws-samples)/", row.url)


def test_rows_are_listed_once():
    """No key has two rows for the same services."""
    keys = [(row.key.lower(), row.services) for row in rows()]
    assert sorted(set(keys)) == sorted(keys)


def test_a_request_carries_what_the_role_is():
    """The role's ARN with its path, its account and its type are known, and that no service calls as itself or for others."""
    profile = profile_of(ROLE, action="s3:GetBucketPolicy", organization="o-exampleorgid")
    expected = {
        "aws:principalarn": [ROLE],
        "aws:principalaccount": ["111122223333"],
        "aws:principaltype": ["AssumedRole"],
        "aws:principalisawsservice": ["false"],
        "aws:viaawsservice": ["false"],
        "aws:principalorgid": ["o-exampleorgid"],
        "kms:calleraccount": ["111122223333"],
    }
    assert profile.known == expected


def test_a_request_lacks_what_only_services_and_people_send():
    """Keys of service principals, of chains of calls, of federation and of MFA are absent."""
    profile = profile_of(ROLE, action="s3:GetObject", organization=None)
    for key in (
        "aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:PrincipalServiceName", "aws:PrincipalServiceNamesList",
        "aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths", "aws:username", "aws:referer",
        "aws:MultiFactorAuthAge", "aws:FederatedProvider", "saml:aud", "ec2:SourceInstanceARN",
    ):  # fmt: skip
        assert (key, profile.state(key).kind) == (key, "absent")


@pytest.mark.parametrize(
    "key",
    ["aws:SourceIp", "aws:VpcSourceIp", "aws:SourceVpc", "aws:SourceVpce", "aws:SourceVpcArn", "aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths"],
)  # fmt: skip
def test_the_network_is_never_the_customer_s(key):
    """Keys of the network are absent or AWS's own."""
    profile = profile_of(ROLE, action="sqs:SendMessage", organization=None)
    assert (profile.state(key).kind, key.lower() in profile.foreign) == ("foreign", True)


@pytest.mark.parametrize(
    ("key", "action", "kind", "values"),
    [
        ("aws:SecureTransport", "s3:GetObject", "optional", ("true",)),
        ("aws:SecureTransport", "S3:GetObject", "optional", ("true",)),
        ("aws:SecureTransport", "kms:Decrypt", "known", ("true",)),
        ("s3:TlsVersion", "s3:GetObject", "unknown", ()),
        ("s3:prefix", "s3:ListBucket", "unknown", ()),
        ("aws:MultiFactorAuthPresent", "s3:GetObject", "optional", ("false",)),
        ("AWS:PrincipalTag/team", "s3:GetObject", "unknown", ()),
        ("aws:CurrentTime", "s3:GetObject", "present", ()),
        ("aws:UserId", "s3:GetObject", "begins", ("AROA",)),
        ("aws:NobodyKnowsThis", "s3:GetObject", "unknown", ()),
        ("", "", "unknown", ()),
    ],
)
def test_keys_are_looked_up_in_any_case(key, action, kind, values):
    """A key is found whatever its case, a row for the action's service goes first, and patterns stand for their kin."""
    state = profile_of(ROLE, action=action, organization=None).state(key)
    assert (state.kind, state.values) == (kind, values)


@pytest.mark.parametrize(
    ("organization", "org_id", "paths"),
    [
        ("o-a", ("known", ("o-a",)), ("begins", ("o-a/",))),
        ("", ("absent", ()), ("absent", ())),
        (None, ("unknown", ()), ("unknown", ())),
    ],
)
def test_the_organization_is_known_if_somebody_names_it(organization, org_id, paths):
    """Organization keys follow what is known of the organization: its id, that there is none, or nothing."""
    profile = profile_of(ROLE, action="s3:GetObject", organization=organization)
    states = [profile.state(key) for key in ("aws:PrincipalOrgID", "aws:PrincipalOrgPaths")]
    assert [(state.kind, state.values) for state in states] == [org_id, paths]


def test_a_known_id_of_the_role_begins_its_userid():
    """With the role's unique id, aws:userid begins with it and the colon before the session's name."""
    state = profile_of(ROLE, action="s3:GetObject", organization=None, role_id="AROAEXAMPLE").state(
        "aws:userid"
    )
    assert (state.kind, state.values) == ("begins", ("AROAEXAMPLE:",))


def test_every_key_is_of_one_kind_only():
    """The sets of a profile do not overlap, and together with the unknown ones are all its states."""
    profile = profile_of(ROLE, action="s3:GetObject", organization="o-a")
    kinds = [
        profile.known,
        profile.optional,
        profile.begins,
        profile.absent,
        profile.present,
        profile.foreign,
    ]
    listed = [key for kind in kinds for key in kind]
    unknown = [key for key, state in profile.states().items() if state.kind == "unknown"]
    assert sorted([*listed, *unknown]) == sorted(profile.states())
    assert all(state.source.startswith(("IAM", "AWS", "Amazon", "Service", "aws-samples")) for state in profile.states().values())  # fmt: skip


@pytest.mark.parametrize(
    ("arn", "parts"),
    [
        (ROLE, Role("aws", "111122223333", "config.amazonaws.com", "AWSServiceRoleForConfig")),
        (
            "arn:aws-cn:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com.cn/AWSServiceRoleForAutoScaling_x",
            Role("aws-cn", "111122223333", "autoscaling.amazonaws.com.cn", "AWSServiceRoleForAutoScaling_x"),
        ),
        ("arn:aws:iam::111122223333:role/AWSServiceRoleForConfig", None),
        ("arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForConfig/session", None),
        (ROLE + "\n", None),
        (ROLE + "/more", None),
        ("", None),
    ],
)  # fmt: skip
def test_only_the_reserved_path_makes_a_service_linked_role(arn, parts):
    """The path of the ARN decides; a role that merely has the name, a session, and anything longer is none."""
    assert role_parts(arn) == parts


def test_another_role_has_no_profile():
    """Asking for the profile of a role that is not service-linked is an error that names it."""
    with pytest.raises(
        ValueError, match="not the ARN of a service-linked role: 'arn:aws:iam::111122223333:role/mine'"
    ):
        profile_of("arn:aws:iam::111122223333:role/mine", action="s3:GetObject", organization=None)


@pytest.mark.parametrize(
    ("key", "value", "maybe"),
    [
        ("aws:SourceIp", "203.0.113.0/24", False),
        ("aws:SourceIp", "203.0.113.7", False),
        ("aws:SourceIp", "10.0.0.0/8", False),
        ("aws:SourceIp", "0.0.0.0/0", True),
        ("aws:SourceIp", "0.0.0.0/1", True),
        ("aws:SourceIp", "52.0.0.0/8", True),
        ("aws:SourceIp", "2001:db8:1234::/48", False),
        ("aws:SourceIp", "::/0", True),
        ("aws:SourceIp", "not an address", True),
        ("aws:VpcSourceIp", "10.0.0.0/8", True),
        ("aws:VpcSourceIp", "10.1.2.0/24", False),
        ("aws:SourceVpc", "vpc-1a2b3c4d", False),
        ("aws:SourceVpc", "*", True),
        ("aws:SourceVpc", "vpc-*", True),
        ("aws:SourceVpce", "vpce-0*", True),
        ("aws:SourceVpce", "vpce-1a2b3c4d*", False),
        ("aws:SourceVpcArn", "arn:aws:ec2:*:*:vpc/*", True),
        ("aws:SourceVpcArn", "arn:aws:ec2:*:111122223333:vpc/*", False),
        ("aws:SourceVpcArn", "arn:aws:ec2:us-east-1:*:vpc/vpc-1a2b3c4d", False),
        ("aws:VpceOrgID", "o-*", True),
        ("aws:VpceOrgPaths", "o-a1b2c3d4e5/*", False),
    ],
)
def test_only_what_says_nothing_of_the_customer_may_be_aws_s(key, value, maybe):
    """Wildcards and blocks wide enough to hold AWS's own network may match; what names somebody's own never does."""
    assert may_be_foreign(key, value) is maybe


@given(st.sampled_from(sorted({row.key for row in rows()})), st.text(max_size=40))
def test_any_value_gets_an_answer(key, value):
    """Whatever stands in a policy, the question whether it may be AWS's has an answer."""
    assert may_be_foreign(key, value) in (True, False)


@given(st.text(max_size=60))
def test_any_key_gets_an_answer(key):
    """Whatever key a policy names, there is a state for it."""
    assert profile_of(ROLE, action="s3:GetObject", organization=None).state(key).kind in KINDS
