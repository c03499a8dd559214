"""Which denial of a finding explains it, and in which order findings are listed."""

import itertools

import pytest
from refusals import ACCOUNT, EXPLICIT, finding, findings, message, record, role, session

BUCKET = "arn:aws:s3:::b"
BARE = {"errorMessage": "Access Denied"}
BY_BUCKET = {"errorMessage": message("s3:ListBucket", BUCKET, EXPLICIT)}
BY_ENDPOINT = {
    "errorMessage": message("s3:ListBucket", BUCKET, "with an explicit deny in a VPC endpoint policy")
}
OFF = {"errorCode": "InvalidAccessException", "errorMessage": "not subscribed"}
DAY1, DAY2, DAY3 = (f"2026-03-{day:02d}T00:00:00Z" for day in (1, 2, 3))

CAUSES = [
    ("the latest", [(DAY1, BY_BUCKET), (DAY2, BY_ENDPOINT)], ("fix-your-policy", "vpc-endpoint", "message")),
    ("the latest, whatever came first", [(DAY2, BY_BUCKET), (DAY1, BY_ENDPOINT)], ("fix-your-policy", "resource-based", "message")),
    ("a message before a later guess", [(DAY1, BY_BUCKET), (DAY3, BARE)], ("fix-your-policy", "resource-based", "message")),
    ("what can be repaired before what is off", [(DAY1, BARE), (DAY3, OFF)], ("fix-your-policy", None, "guess")),
    ("off, if that is all there is", [(DAY1, OFF), (DAY3, OFF)], ("service-not-enabled", None, "message")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("denials", "expected"), [case[1:] for case in CAUSES], ids=[case[0] for case in CAUSES]
)
def test_cause(denials, expected):
    """A finding's cause is the latest of the best known: what can be repaired first, a message before a guess."""
    found = finding(*(record(time, **fields) for time, fields in denials))
    assert expected == (found["verdict"], found["cause"]["policy_type"], found["cause"]["evidence"])


def linked(service):
    """Make the userIdentity of a service's linked role."""
    return session(role(service))


def on(bucket, time=DAY1, service="config", **fields):
    """Make a denial on a bucket, by message."""
    text = message("s3:ListBucket", f"arn:aws:s3:::{bucket}", EXPLICIT)
    return record(
        time, **({"userIdentity": linked(service), "errorMessage": text, "requestParameters": None} | fields)
    )


NO_IDENTITY = "because no identity-based policy allows the ec2:RunInstances action"
LISTED = [  # in the order in which they are listed
    *(on(f"blind-{number}", DAY1, "macie") for number in (1, 2, 3)),
    on("security-late", DAY3),
    on("security-early", DAY2),
    on("launch", DAY3, "autoscaling", name="RunInstances", eventSource="ec2.amazonaws.com"),
    on("other", DAY3, "events"),
    record(DAY3, "RunInstances", userIdentity=linked("batch"), eventSource="ec2.amazonaws.com", requestParameters=None,
           errorMessage=message("ec2:RunInstances", f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/*", NO_IDENTITY)),
    record(DAY3, userIdentity=linked("guardduty"), **OFF),
]  # fmt: skip


def test_order():
    """Worst first; of one severity security services first, then the most recent."""
    found = findings(*LISTED)
    assert [(row["severity"], row["resource"]) for row in found[3:]] == [
        ("high", "arn:aws:s3:::security-late"),
        ("high", "arn:aws:s3:::security-early"),
        ("high", "arn:aws:s3:::launch"),
        ("medium", "arn:aws:s3:::other"),
        ("low", "service:ec2.amazonaws.com"),
        ("none", "arn:aws:s3:::b"),
    ]
    assert [row["severity"] for row in found[:3]] == ["critical"] * 3


def test_order_of_arrival_changes_nothing():
    """The findings are the same, and in the same order, whichever record was read first."""
    numbered = [{"eventID": f"event-{number}"} | one for number, one in enumerate(LISTED)]
    expected = findings(*numbered)
    for order in itertools.islice(itertools.permutations(numbered), 0, None, 40_000):
        assert expected == findings(*order)


def test_severity_of_a_launch():
    """A finding whose denied calls start instances is high, whoever the service is."""
    found = finding(on("x", name="RunInstances", eventSource="ec2.amazonaws.com", service="batch"))
    assert (found["severity"], found["security_service"]) == ("high", False)
