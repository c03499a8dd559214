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
        ("", "aws"),
    ],
)
def test_partitions(region, partition):
    """A region's name tells its partition."""
    assert partition == partition_of(region)
