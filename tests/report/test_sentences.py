"""The sentences that formats share."""

import pytest
from formatted import STRINGS, by_resource, infested, steering
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolewatch.report import words
from rolewatch.report.order import groups

ROLE = "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
BUCKET = "arn:aws:s3:::payroll-archive"
EITHER = "exempt it from the statement that denies it, or add one that allows it"


@pytest.fixture
def finding(one_finding):
    """Return AWS Config's finding on a bucket, with one action open."""
    return one_finding["findings"][0] | {"open_actions": ["s3:GetBucketLocation"], "actions": {}}


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [
        (0, "record", "0 records"),
        (1, "key", "1 key"),
        (2, "key", "2 keys"),
        (2, "repository", "2 repositories"),
        (3, "event bus", "3 event buses"),
        (1562, "delivery", "1,562 deliveries"),
        (2, "proof of access", "2 proof of accesses"),
    ],
)
def test_count(number, noun, said):
    """A number stands with its noun, in the plural except for one; the last word takes the plural."""
    assert words.count(number, noun) == said


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_234_567, "1.2 MB"),
        (999_949, "999.9 kB"),
        (999_999, "1.0 MB"),
        (5 * 10**9, "5.0 GB"),
        (10**16, "10,000.0 TB"),
    ],
)
def test_size(octets, said):
    """Bytes are told in decimal units, never a thousand of one."""
    assert words.size(octets) == said


@pytest.mark.parametrize(
    ("time", "moment", "day", "milliseconds"),
    [
        ("2026-03-01T10:04:59Z", "2026-03-01 10:04:59", "2026-03-01", 1772359499000),
        ("2026-03-01T10:04:59.75Z", "2026-03-01 10:04:59", "2026-03-01", 1772359499750),
        ("1970-01-01T00:00:00Z", "1970-01-01 00:00:00", "1970-01-01", 0),
        ("2026-02-30T00:00:00Z", "2026-02-30 00:00:00", "2026-02-30", None),
        ("yesterday\x1b[2J", "yesterday\\x1b[2J", "yesterday\\x1b[2J", None),
        ("", "unknown", "unknown", None),
        (None, "unknown", "unknown", None),
    ],
)
def test_times(time, moment, day, milliseconds):
    """A time of CloudTrail is told to the second or the day; what is none is shown as it is, and has no number."""
    assert (words.moment(time), words.day(time), words.milliseconds(time)) == (moment, day, milliseconds)


@pytest.mark.parametrize(
    ("types", "said"),
    [
        (["AWS::S3::Bucket"], "1 bucket"),
        (["AWS::S3::Bucket"] * 3, "3 buckets"),
        (["AWS::ECR::Repository"] * 2, "2 repositories"),
        (["AWS::S3::Bucket", "AWS::KMS::Key"], "2 resources"),
        (["AWS::Future::Thing"], "1 resource"),
    ],
)
def test_nouns(types, said):
    """Resources of one kind are called by it, mixed and unknown ones are resources."""
    found = [{"resource": str(number), "resource_type": name} for number, name in enumerate(types)]
    assert words.nouns(found) == said
    assert words.nouns([*found, found[0]]) == said


def test_heading(report):
    """A group is headed by who, what, where and since when; who does not watch over security is locked out, not blind."""
    said = {
        group.service: words.heading(group)
        for group in groups(report["findings"])
        if group.section == "blind"
    }
    assert said["config.amazonaws.com"] == (
        "AWS Config is blind on 3 buckets in 2 accounts since 2026-03-01 — role AWSServiceRoleForConfig"
    )
    assert said["delivery.logs.amazonaws.com"] == (
        "Amazon CloudWatch Logs is locked out of 1 bucket in 1 account since 2026-03-02 — "
        "service principal delivery.logs.amazonaws.com"
    )


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"role_name": "R"}, "role R"),
        ({"role_name": None}, "service principal config.amazonaws.com"),
        ({"role_name": None, "service": ""}, "an unnamed principal"),
    ],
)
def test_principal(finding, facts, said):
    """Who was refused is a role, a service principal, or not known."""
    assert words.principal(finding | facts) == said


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "AWS Config cannot reach arn:aws:s3:::payroll-archive"),
        ({"status": "recovered"}, "AWS Config can reach arn:aws:s3:::payroll-archive again"),
        (
            {"status": "gone"},
            "AWS Config could not reach arn:aws:s3:::payroll-archive, which no longer exists",
        ),
        (
            {"status": "silent"},
            "AWS Config could not reach arn:aws:s3:::payroll-archive and has stopped trying",
        ),
        ({"service_name": ""}, "config.amazonaws.com cannot reach arn:aws:s3:::payroll-archive"),
        (
            {"service_name": "", "service": ""},
            "AWSServiceRoleForConfig cannot reach arn:aws:s3:::payroll-archive",
        ),
        (
            {"service_name": "", "service": "", "role_name": None},
            "A service cannot reach arn:aws:s3:::payroll-archive",
        ),
    ],
)
def test_title(finding, facts, said):
    """A title is true for the status, whatever is known of the caller."""
    assert words.title(finding | facts) == said


def test_actions_open_ones_first(report):
    """Denied IAM actions come once, those still open first, each group in order."""
    found = words.actions(by_resource(report, "arn:aws:s3:::payroll-archive"))
    assert list(found.items()) == [
        ("s3:GetBucketLocation", True),
        ("s3:GetEncryptionConfiguration", True),
        ("s3:ListBucket", False),
    ]


@pytest.mark.parametrize(
    ("explanation", "said"),
    [
        ("AWS Config cannot x on arn:aws:s3:::payroll-archive: because.", "because."),
        ("Another sentence.", "Another sentence."),
        ("", "explicit deny in a resource-based policy"),
        (None, "explicit deny in a resource-based policy"),
    ],
)
def test_reason(finding, explanation, said):
    """The reason is the explanation without who, what and where; without one, the cause."""
    assert words.reason(finding | {"explanation": explanation}) == said


@pytest.mark.parametrize(
    ("policy_type", "kind", "said"),
    [
        ("resource-based", "explicit", "explicit deny in a resource-based policy"),
        ("identity-based", "implicit", "no allow in an identity-based policy"),
        ("vpc-endpoint", None, "refused by a VPC endpoint policy"),
        ("service-control", "explicit", "explicit deny in a service control policy"),
        ("resource-control", "explicit", "explicit deny in a resource control policy"),
        ("permissions-boundary", "implicit", "no allow in a permissions boundary"),
        ("session", "implicit", "no allow in a session policy"),
        ("role-trust", "implicit", "no allow in a role trust policy"),
        (None, None, "no reason is given"),
        ("unheard-of", "explicit", "no reason is given"),
    ],
)
def test_cause(finding, policy_type, kind, said):
    """Kind of refusal and kind of policy make half a sentence."""
    assert words.cause(finding | {"cause": {"policy_type": policy_type, "kind": kind}}) == said


@pytest.mark.parametrize(
    ("known", "said"), [("guess", "GUESS"), ("message", "by message"), ("policy", "by policy")]
)
def test_evidence(finding, known, said):
    """A guess is in capitals; what is known says where from."""
    assert words.evidence(finding | {"cause": {"evidence": known}}) == said


def test_description(report):
    """Why and how sure, how often, from when to when; of silence, that it proves nothing."""
    found = next(finding for finding in report["findings"] if finding["status"] == "silent")
    assert words.description(found) == (
        "Amazon DynamoDB cannot dynamodb:DescribeTable on "
        "arn:aws:dynamodb:ap-southeast-2:333344445555:table/orders: the message gives no reason. "
        "Verdict: unknown (GUESS). 3 denials from 2026-02-20 09:00:00 to 2026-02-20 10:00:00 UTC. "
        "No attempt since: not proof of recovery."
    )
    assert words.description(found | {"explanation": "", "status": "blocked"}).startswith(
        "Amazon DynamoDB cannot reach arn:aws:dynamodb:ap-southeast-2:333344445555:table/orders. Verdict:"
    )


@pytest.mark.parametrize(
    ("role_arn", "resource", "said"),
    [
        ("arn:aws-cn:iam::1:role/r", "arn:aws:s3:::b", "aws-cn"),
        (None, "arn:aws-us-gov:s3:::b", "aws-us-gov"),
        (None, "service:macie2.us-east-1.amazonaws.com", "aws"),
        ("arn:" + "aws-x" * 9 + ":iam::1:role/r", "arn:aws-iso:s3:::b", "aws-iso"),
    ],
)
def test_partition(finding, role_arn, resource, said):
    """The partition is the role's, else the resource's, else the usual one."""
    assert words.partition(finding | {"role_arn": role_arn, "resource": resource}) == said


@pytest.mark.parametrize(
    ("resource", "regions", "said"),
    [
        ("arn:aws:kms:eu-west-1:1:key/k", ["us-east-1"], "eu-west-1"),
        ("arn:aws:s3:::b", ["us-gov-west-1"], "us-gov-west-1"),
        ("arn:aws:s3:::b", ["us-east-1", "eu-west-1"], None),
        ("arn:aws:s3:::b", [], None),
        ("arn:aws:kms:Not A Region:1:key/k", ["nor\x1bthis"], None),
    ],
)
def test_resource_region(finding, resource, regions, said):
    """The resource's region is in its ARN; else it is the only one that denials came from, if that is one."""
    assert words.resource_region(finding | {"resource": resource, "regions": regions}) == said


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            {},
            f"Let {ROLE} do s3:GetBucketLocation on {BUCKET}: exempt it from the statement that denies it.",
        ),
        (
            {"cause": {"kind": "implicit"}},
            f"Let {ROLE} do s3:GetBucketLocation on {BUCKET}: add a statement that allows it.",
        ),
        (
            {"cause": {"kind": None}, "open_actions": [], "role_arn": None},
            f"Let config.amazonaws.com do the actions on {BUCKET}: {EITHER}.",
        ),
        (
            {"verdict": "aws-side"},
            f"Ask AWS Support: no policy of yours can allow s3:GetBucketLocation on {BUCKET} to {ROLE}.",
        ),
        (
            {"verdict": "service-not-enabled"},
            "Enable the service the call is for in this account and region, or leave it: no policy is at fault.",
        ),
        ({"verdict": "harmless"}, "Nothing: AWS documents that the service works nevertheless."),
        (
            {"verdict": "unknown"},
            f"Find out which policy refuses {ROLE} on {BUCKET}: s3:GetBucketLocation.",
        ),
        ({"status": "recovered"}, "Nothing: access works again."),
        ({"status": "gone", "verdict": "aws-side"}, "Nothing: the resource no longer exists."),
    ],
)
def test_remedy(finding, facts, said):
    """What to do follows from the verdict and the kind of refusal; what is over needs nothing."""
    assert words.remedy(finding | facts) == said


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strings=st.lists(STRINGS, min_size=1, max_size=12))
def test_words_are_safe_to_print(report, strings):
    """No sentence carries a control character of a record, in any part of it."""
    found = infested(report, strings)["findings"]
    said = [
        text
        for finding in found
        for text in (
            words.title(finding), words.description(finding), words.remedy(finding), words.reason(finding),
            words.principal(finding), words.evidence(finding), words.moment(finding["ended"]),
            words.day(finding["first_denied"]), words.listed(finding["regions"]),
        )
    ]  # fmt: skip
    said += [words.heading(group) for group in groups(found)]
    assert [text for text in said if steering(text) or "\n" in text] == []
