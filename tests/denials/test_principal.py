"""Who counts as a watched principal."""

import pytest

from rolewatch.denials.principal import Principal, partition_of, principal
from rolewatch.denials.record import Issuer, Record, SessionContext, UserIdentity

ACCOUNT = "111122223333"
SLR = frozenset(("slr",))
ALL = frozenset(("all",))


def session(arn, invoked_by=None):
    """Make a record of a session of the role `arn`."""
    identity = UserIdentity(
        "AssumedRole",
        "arn:aws:sts::111122223333:assumed-role/x/s",
        ACCOUNT,
        invoked_by,
        SessionContext(Issuer(arn)),
    )
    return Record(userIdentity=identity, recipientAccountId=ACCOUNT, awsRegion="us-east-1")


LINKED = [
    (
        "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
        "config.amazonaws.com",
        "AWSServiceRoleForConfig",
        "aws",
    ),
    (
        "arn:aws-us-gov:iam::111122223333:role/aws-service-role/a.amazonaws.com/R_team1",
        "a.amazonaws.com",
        "R_team1",
        "aws-us-gov",
    ),
    (
        "arn:aws-cn:iam::111122223333:role/aws-service-role/events.amazonaws.com.cn/R",
        "events.amazonaws.com.cn",
        "R",
        "aws-cn",
    ),
    (
        "arn:aws-iso-b:iam::111122223333:role/aws-service-role/new.example/NoPattern",
        "new.example",
        "NoPattern",
        "aws-iso-b",
    ),
]


@pytest.mark.parametrize(("arn", "service", "name", "partition"), LINKED)
def test_service_linked_roles(arn, service, name, partition):
    """A service-linked role is known by its path, in every partition, in a catalogue or not."""
    assert Principal("slr", ACCOUNT, service, arn, name, partition) == principal(session(arn), SLR)


LOOK_ALIKES = [
    "arn:aws:iam::111122223333:role/AWSServiceRoleForConfig",
    "arn:aws:iam::111122223333:role/team/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
    "arn:aws:iam::111122223333:role/aws-service-role/AWSServiceRoleForConfig",
    "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/deep/Role",
    "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/",
    "arn:aws:iam::111122223333:user/aws-service-role/config.amazonaws.com/X",
    "arn:aws:sts::111122223333:role/aws-service-role/config.amazonaws.com/X",
    "role/aws-service-role/config.amazonaws.com/X",
    "",
]


@pytest.mark.parametrize("arn", LOOK_ALIKES)
def test_look_alikes(arn):
    """What merely looks like a service-linked role is none."""
    assert principal(session(arn), SLR) is None


def test_service_principal():
    """A service principal is watched only by flag; it has no role."""
    record = Record(
        userIdentity=UserIdentity(type="AWSService", invokedBy="cloudtrail.amazonaws.com"),
        recipientAccountId=ACCOUNT,
        awsRegion="cn-north-1",
    )
    assert principal(record, SLR) is None
    assert Principal("service", ACCOUNT, "cloudtrail.amazonaws.com", None, None, "aws-cn") == principal(
        record, frozenset(("service",))
    )


def test_service_role():
    """A role that a service uses is watched by flag."""
    arn = "arn:aws:iam::111122223333:role/configLambdaExecution"
    record = session(arn, "config.amazonaws.com")
    assert principal(record, SLR) is None
    assert Principal(
        "service-role", ACCOUNT, "config.amazonaws.com", arn, "configLambdaExecution", "aws"
    ) == principal(record, frozenset(("service-role",)))
    assert principal(session(arn, "AWS Internal"), frozenset(("service-role",))) is None


def test_service_without_a_name():
    """A service principal that nobody names is unknown, in the account that its record names first."""
    record = Record(
        userIdentity=UserIdentity(type="AWSService", accountId="444455556666"), recipientAccountId=ACCOUNT
    )
    assert Principal("service", "444455556666", "unknown", None, None, "aws") == principal(
        record, frozenset(("service",))
    )


def test_role_without_a_session():
    """A persistent role identity names the role itself."""
    arn = LINKED[0][0]
    record = Record(userIdentity=UserIdentity(type="Role", arn=arn))
    assert Principal("slr", ACCOUNT, LINKED[0][1], arn, LINKED[0][2], "aws") == principal(record, SLR)


def test_only_a_role_names_itself():
    """The ARN of another kind of identity is no role, however it reads; nor is an empty issuer one."""
    arn = LINKED[0][0]
    assert principal(Record(userIdentity=UserIdentity(type="IAMUser", arn=arn)), SLR) is None
    empty = UserIdentity(type="AssumedRole", sessionContext=SessionContext(Issuer()))
    assert principal(Record(userIdentity=empty), SLR) is None


@pytest.mark.parametrize(
    ("kinds", "watched"),
    [
        (("slr",), "slr"),
        (("slr", "service"), "slr"),
        (("service",), None),
        (("service-role",), None),
        (("service", "service-role"), None),
        (("all",), "slr"),
    ],
)
def test_kinds_of_a_linked_role(kinds, watched):
    """A service-linked role is watched as such or not at all, never as a service's other role."""
    found = principal(session(LINKED[0][0], "config.amazonaws.com"), frozenset(kinds))
    assert watched == (found and found.kind)


def test_call_on_behalf_of_a_person():
    """A service that calls with a person's session is not watched as a service."""
    user = UserIdentity(
        type="IAMUser",
        arn="arn:aws:iam::111122223333:user/ann",
        accountId=ACCOUNT,
        invokedBy="s3.amazonaws.com",
    )
    record = Record(userIdentity=user)
    assert principal(record, frozenset(("slr", "service", "service-role"))) is None
    assert principal(record, ALL).kind == "other"


def test_own_role_of_aws():
    """AWS's own roles, `role/aws:*`, count as service roles without an invoker."""
    arn = "arn:aws:iam::111122223333:role/aws:ec2-infrastructure"
    assert Principal(
        "service-role", ACCOUNT, "ec2.amazonaws.com", arn, "aws:ec2-infrastructure", "aws"
    ) == principal(session(arn), frozenset(("service-role",)))


def test_all():
    """`all` takes everybody, users too, and still knows a service-linked role."""
    user = Record(
        userIdentity=UserIdentity(
            type="IAMUser", arn="arn:aws:iam::111122223333:user/dev/ann", accountId=ACCOUNT
        )
    )
    assert Principal(
        "other", ACCOUNT, "", "arn:aws:iam::111122223333:user/dev/ann", "ann", "aws"
    ) == principal(user, ALL)
    assert principal(session(LINKED[0][0]), ALL).kind == "slr"


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ({"type": "Root", "arn": "arn:aws:iam::111122223333:root"}, "arn:aws:iam::111122223333:root"),
        ({"type": "AWSAccount"}, "AWSAccount"),
        ({}, "unknown"),
    ],
)
def test_all_names_everybody(identity, name):
    """Whoever hides behind a record gets a name under `all`."""
    assert name == principal(Record(userIdentity=UserIdentity(**identity)), ALL).role_name


def test_no_identity():
    """A record without userIdentity has no principal."""
    assert principal(Record(), ALL) is None


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eusc-de-east-1", "aws-eusc"),
        ("eu-central-1", "aws"),
        ("", "aws"),
    ],
)
def test_partitions(region, partition):
    """A region's name tells its partition."""
    assert partition == partition_of(region)
