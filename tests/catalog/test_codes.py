"""Error codes: what is a refusal and of which class, what proves access, what means that the resource is gone."""

import re

import pytest

from rolewatch.catalog.codes import (
    AUTHORIZED_BUT_ABSENT,
    CODES,
    DELETE_NEEDLES,
    DELETES,
    GONE,
    LAUNCHES,
    LISTED_ERRORS,
    classify,
    means_gone,
)

KINDS = {"authorization", "dependency", "vpc-endpoint", "not-enabled", "authentication"}
EVENT_SOURCE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com")


@pytest.mark.parametrize("row", CODES, ids=lambda row: row.code)
def test_each_code_has_a_kind_and_a_source(row):
    """A row has a code without EC2's prefix, a known kind and a source, and classify answers with that kind."""
    assert (row.kind in KINDS, bool(row.source), row.code.startswith(("Client.", "Server."))) == (
        True,
        True,
        False,
    )
    assert classify(row.code) == row.kind


def test_codes_are_listed_once():
    """No code has two rows."""
    codes = [row.code for row in CODES]
    assert sorted(set(codes)) == sorted(codes)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("Client.UnauthorizedOperation", "authorization"),
        ("Server.UnauthorizedOperation", "authorization"),
        ("Client.UnauthorizedAccess", "authorization"),
        ("Client.AuthFailure", "authentication"),
        ("Forbidden", "authentication"),
        ("VpceAccessDenied", "vpc-endpoint"),
        ("InvalidAccessException", "not-enabled"),
        ("KmsAccessDenied", "dependency"),
        ("AccessDeniedByNewFeatureException", "authorization"),
        ("NotAuthorizedForThisException", "authorization"),
        ("AccessToThingDenied", "authorization"),
        ("ForbiddenByPolicyException", "authorization"),
        ("InsufficientBucketPermissionsException", "authorization"),
    ],
)
def test_refusals_are_recognised(code, kind):
    """EC2's prefixes are folded, the table goes before the form, and unknown spellings of the form are authorization."""
    assert classify(code) == kind


@pytest.mark.parametrize(
    "code",
    [
        "AuthorizationNotFound", "AuthorizationAlreadyExists", "AuthorizationQuotaExceeded", "AuthorizationPendingException",
        "PermissionAlreadyExistsException", "MethodNotAllowedException", "SubnetNotAllowedFault", "NoSuchBucketPolicy", "NoSuchKey",
        "InvalidAuthorizationMessageException", "ThrottlingException", "Throttling", "ThrottledUnauthorizedException", "SlowDown",
        "NoSuchUnauthorizedClient", "UnauthorizedClientNotFoundException", "AccessDeniedQuotaExceeded", "Client.RequestLimitExceeded",
        "ValidationException", "accessdenied", "", "Client.", "Client", ".", "\x1b[31mAccess Denied", "Other.AccessDeniedLimitExceeded",
    ],
)  # fmt: skip
def test_look_alikes_are_no_refusals(code):
    """Codes about existence, rate or form are no refusals, whatever words they contain; case counts."""
    assert classify(code) is None


def test_a_huge_code_is_judged_quickly():
    """A megabyte of near misses neither hangs nor counts as a refusal."""
    assert classify("AccessDenie" * 100_000) is None


def test_absent_configurations_are_no_refusals_and_not_gone():
    """A code that proves access is neither a refusal nor a sign that the bucket is gone."""
    assert {
        code for code in AUTHORIZED_BUT_ABSENT if classify(code) or means_gone("s3.amazonaws.com", code)
    } == set()


def test_design_absent_configurations_are_in_the_table():
    """The codes that the contract names are in the table, and a missing bucket proves nothing."""
    named = {
        "NoSuchBucketPolicy", "NoSuchTagSet", "NoSuchLifecycleConfiguration", "ReplicationConfigurationNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError", "NoSuchPublicAccessBlockConfiguration", "OwnershipControlsNotFoundError",
    }  # fmt: skip
    assert (named - AUTHORIZED_BUT_ABSENT, "NoSuchBucket" in AUTHORIZED_BUT_ABSENT) == (set(), False)


@pytest.mark.parametrize("row", GONE, ids=lambda row: f"{row.event_source} {row.code}")
def test_gone_rows_have_their_shape(row):
    """A row names an event source, and a code that is no refusal and holds one of the words a scan searches for."""
    words = ("NoSuch", "NotFound", "NonExist", "DoesNotExist")
    assert EVENT_SOURCE.fullmatch(row.event_source)
    assert (classify(row.code), any(word in row.code for word in words)) == (None, True)
    assert row.kind == "" or row.kind.startswith(":")
    assert means_gone(row.event_source, row.code) is True


def test_gone_rows_are_listed_once():
    """No code of one service has two rows."""
    assert len({(row.event_source, row.code) for row in GONE}) == len(GONE)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (("s3.amazonaws.com", "NoSuchBucket"), True),
        (("sqs.amazonaws.com", "AWS.SimpleQueueService.NonExistentQueue"), True),
        (("ec2.amazonaws.com", "Client.InvalidInstanceID.NotFound"), True),
        (("ec2.amazonaws.com", "InvalidInstanceID.NotFound"), True),
        (("sns.amazonaws.com", "NotFound"), True),
        (("kms.amazonaws.com", "NotFoundException"), True),
        (("s3.amazonaws.com", "NoSuchBucketPolicy"), False),
        (("kms.amazonaws.com", "NoSuchBucket"), False),
        # a function without a policy is not gone
        (("lambda.amazonaws.com", "ResourceNotFoundException", "GetPolicy20150331v2"), False),
        # nor is a topic one of whose subscriptions is
        (("sns.amazonaws.com", "NotFound", "GetSubscriptionAttributes"), False),
        (("sns.amazonaws.com", "NotFound", "GetTopicAttributes"), True),
        # nor a volume that cannot be attached to an instance that is gone
        (("ec2.amazonaws.com", "Client.InvalidInstanceID.NotFound", "AttachVolume", "arn:aws:ec2:us-east-1:1:volume/vol-1"), False),
        (("ec2.amazonaws.com", "Client.InvalidInstanceID.NotFound", "StopInstances", "arn:aws:ec2:us-east-1:1:instance/i-1"), True),
        (("", ""), False),
    ],
)  # fmt: skip
def test_gone_is_said_of_the_resource_itself(known, expected):
    """An error means that the resource is gone only where it is about that resource."""
    assert means_gone(*known) is expected


def test_deletions_have_their_shape():
    """Each deletion names an event source, and an event whose record holds one of the literals that a scan searches for."""
    strange = {
        (source, name)
        for source, name in DELETES
        if not EVENT_SOURCE.fullmatch(source) or not f'"{name}"'.encode().startswith(DELETE_NEEDLES)
    }
    assert strange == set()
    assert all(
        any(f'"{name}'.encode().startswith(needle) for _, name in DELETES) for needle in DELETE_NEEDLES
    )


def test_deletions_that_can_be_undone_or_are_partial_do_not_count():
    """What can be taken back, or may delete one version only, is no deletion."""
    undone = {
        ("kms.amazonaws.com", "ScheduleKeyDeletion"),
        ("secretsmanager.amazonaws.com", "DeleteSecret"),
        ("lambda.amazonaws.com", "DeleteFunction20150331"),
        ("s3.amazonaws.com", "DeleteBucketPolicy"),
    }
    assert (undone & DELETES, ("s3.amazonaws.com", "DeleteBucket") in DELETES) == (set(), True)


@pytest.mark.parametrize("row", LISTED_ERRORS, ids=lambda row: f"{row.event_source} {row.event_name}")
def test_listed_errors_have_their_shape(row):
    """A row has a path, a code key that a scan finds, at least one denied code, and a source."""
    assert EVENT_SOURCE.fullmatch(row.event_source)
    assert (bool(row.path), row.code_key.endswith("rrorCode"), bool(row.denied), bool(row.source)) == (
        True,
    ) * 4


@pytest.mark.slow
@pytest.mark.parametrize("row", LISTED_ERRORS, ids=lambda row: f"{row.event_source} {row.event_name} model")
def test_listed_errors_are_in_the_models(row):
    """Botocore's model of the call has that path, those keys, and the denied codes among its enumerated ones."""
    import botocore.session  # noqa: PLC0415 - slow to import

    model = botocore.session.get_session().get_service_model(row.event_source.partition(".")[0])
    shape = model.operation_model(row.event_name).output_shape
    for step in row.path:
        shape = shape.member if step == "*" else {name: shape.members[name] for name in shape.members}[step]
    keys = {member.serialization.get("name", name): member for name, member in shape.members.items()}
    assert {row.code_key, row.message_key} <= keys.keys()
    assert row.denied <= set(keys[row.code_key].enum)


def test_launches_are_keyed_as_findings_key_actions():
    """A launching call is written as service prefix, colon, event name."""
    assert [call for call in LAUNCHES if not re.fullmatch(r"[a-z0-9-]+:[A-Z][A-Za-z]+", call)] == []
    assert {"ec2:RunInstances", "kms:CreateGrant", "ecs:RunTask"} <= LAUNCHES
