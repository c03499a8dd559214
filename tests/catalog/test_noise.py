"""Known noise: which denials are silenced, and above all which are not."""

import datetime as dt
import re

import pytest

from rolewatch.catalog.actions import iam_action
from rolewatch.catalog.noise import NOISE, noise

HEAD = {
    "service": "config.amazonaws.com",
    "event_source": "s3.amazonaws.com",
    "event_name": "HeadBucket",
    "code": "AccessDenied",
    "message": "Access Denied",
    "resource": "arn:aws:s3:::config-bucket-111122223333",
}
MACIE = {
    "service": "config.amazonaws.com",
    "event_source": "macie2.amazonaws.com",
    "event_name": "GetMacieSession",
    "code": "AccessDenied",
    "message": "Macie is not enabled.",
    "resource": "service:macie2.amazonaws.com",
}
DELEGATED = {
    "service": "securityhub.amazonaws.com",
    "event_source": "organizations.amazonaws.com",
    "event_name": "ListDelegatedAdministrators",
    "code": "AccessDeniedException",
    "message": "You don't have permissions to access this resource.",
    "resource": "service:organizations.amazonaws.com",
}


@pytest.mark.parametrize("row", NOISE, ids=lambda row: row.event_name)
def test_noise_rows_have_their_shape(row):
    """A row names a known call, compiles, has one of two verdicts, one or two sentences, a source and a date."""
    assert iam_action(row.event_source, row.event_name)[1] is True
    assert [re.compile(text).groups >= 0 for text in (row.code, row.message, row.resource)] == [True] * 3
    assert row.verdict in ("harmless", "service-not-enabled")
    assert (row.consequence.endswith("."), bool(row.source)) == (True, True)
    assert dt.date.fromisoformat(row.date).year >= 2023


@pytest.mark.parametrize(
    ("denial", "verdict"),
    [
        (HEAD, "harmless"),
        (HEAD | {"resource": "arn:aws-us-gov:s3:::config-bucket-111122223333"}, "harmless"),
        (HEAD | {"resource": "arn:aws:s3:::aws-controltower-logs-111122223333-eu-west-1"}, "harmless"),
        (HEAD | {"resource": "arn:aws:s3:::aws-controltower-config-logs-111122223333-kpk-ykc"}, "harmless"),
        (HEAD | {"message": ""}, "harmless"),
        (MACIE, "service-not-enabled"),
        (MACIE | {"code": "AccessDeniedException", "message": "Macie is not enabled"}, "service-not-enabled"),
        (DELEGATED, "service-not-enabled"),
        (DELEGATED | {"service": "newservice.amazonaws.com", "message": "CallerValidation check failed"}, "service-not-enabled"),
    ],
)  # fmt: skip
def test_proven_noise_is_recognised(denial, verdict):
    """A denial that fits a row gets its verdict, with a consequence to tell."""
    row = noise(**denial)
    assert (row and row.verdict) == verdict


@pytest.mark.parametrize(
    "denial",
    [
        HEAD | {"resource": "arn:aws:s3:::regulated-0001"},
        HEAD | {"resource": "arn:aws:s3:::my-config-bucket-111122223333"},
        HEAD | {"resource": "arn:aws:s3:::config-bucket-111122223333-copy"},
        HEAD | {"resource": "arn:aws:s3:::config-bucket-payroll"},
        HEAD | {"event_name": "GetBucketAcl"},
        HEAD | {"service": "macie.amazonaws.com"},
        HEAD | {"service": None},
        HEAD | {"message": '… on resource: "arn:aws:s3:::b" with an explicit deny in a resource-based policy'},
        HEAD | {"code": "KMSAccessDeniedException"},
        MACIE | {"message": "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: macie2:GetMacieSession"},
        MACIE | {"service": "securityhub.amazonaws.com"},
        MACIE | {"message": ""},
        DELEGATED | {"message": "User: r is not authorized to perform: organizations:ListDelegatedAdministrators because no identity-based policy allows the organizations:ListDelegatedAdministrators action"},
        DELEGATED | {"event_name": "ListAccounts"},
    ],
)  # fmt: skip
def test_what_merely_resembles_noise_is_not_silenced(denial):
    """Another bucket, call, service, code or message is no known noise: a real blind spot keeps its verdict."""
    assert noise(**denial) is None


def test_noise_of_a_hostile_message_is_judged_quickly():
    """A megabyte of near misses neither hangs nor matches."""
    assert noise(**(MACIE | {"message": "Macie is not enable\n" * 50_000})) is None
