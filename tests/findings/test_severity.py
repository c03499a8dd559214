"""How bad a finding is, and when several of them are worse than each."""

import itertools

import pytest

from rolewatch.findings.severity import LEVELS, raise_blindings, severity

CONFIG, MACIE, SCALING = "config.amazonaws.com", "macie.amazonaws.com", "autoscaling.amazonaws.com"
OTHER = "events.amazonaws.com"
READ, LAUNCH = frozenset(("s3:GetBucketAcl",)), frozenset(("ec2:DescribeInstances", "ec2:RunInstances"))

GRADES = [
    ("fix-your-policy", CONFIG, READ, "high"),
    ("fix-your-policy", OTHER, READ, "medium"),
    ("fix-your-policy", SCALING, LAUNCH, "high"),
    ("fix-your-policy", SCALING, frozenset(("kms:CreateGrant",)), "high"),
    ("fix-your-policy", SCALING, READ, "medium"),
    ("fix-your-policy", "", READ, "medium"),
    ("aws-side", CONFIG, READ, "low"),
    ("aws-side", SCALING, LAUNCH, "low"),
    ("unknown", CONFIG, LAUNCH, "low"),
    ("harmless", CONFIG, LAUNCH, "none"),
    ("service-not-enabled", CONFIG, LAUNCH, "none"),
]


@pytest.mark.parametrize(("verdict", "service", "calls", "level"), GRADES)
def test_grades(verdict, service, calls, level):
    """The verdict decides first; of what can be repaired, security services and launches come first."""
    assert level == severity(verdict, service, calls)
    assert level in LEVELS


def finding(first, service=CONFIG, account="1", level="high", *, security=True):
    """Make a finding as far as blinding looks at it."""
    return {
        "first_denied": first,
        "service": service,
        "account": account,
        "severity": level,
        "security_service": security,
    }


def at(clock):
    """Make a finding that began at that time of a day."""
    return finding(f"2026-03-01T{clock}Z")


BLINDINGS = [
    ("three at once", [at("10:00:00")] * 3, [True] * 3),
    ("two are too few", [at("10:00:00")] * 2, [False] * 2),
    ("three within an hour, to the second", [at("10:00:00"), at("10:30:00"), at("11:00:00")], [True] * 3),
    ("a second too late", [at("10:00:00"), at("10:30:00"), at("11:00:01")], [False] * 3),
    (
        "the hour slides",
        [at("10:00:00"), at("10:50:00"), at("11:10:00"), at("11:45:00"), at("13:00:00")],
        [False, True, True, True, False],
    ),
    (
        "two hours that touch",
        [at("10:00:00"), at("10:30:00"), at("11:00:00"), at("11:30:00"), at("12:00:00")],
        [True] * 5,
    ),
    (
        "over midnight",
        [finding(f"2026-03-{time}Z") for time in ("01T23:40:00", "01T23:59:59", "02T00:20:00")],
        [True] * 3,
    ),
    ("in another account", [at("10:00:00"), at("10:00:00"), finding("2026-03-01T10:00:00Z", account="2")], [False] * 3),
    ("of another service", [at("10:00:00"), at("10:00:00"), finding("2026-03-01T10:00:00Z", MACIE)], [False] * 3),
    ("of no security service", [finding("2026-03-01T10:00:00Z", OTHER, security=False)] * 3, [False] * 3),
    ("with a verdict that explains it", [finding("2026-03-01T10:00:00Z", level="low")] * 3, [False] * 3),
    ("without a time", [finding(None)] * 3, [False] * 3),
    ("with times that are none", [finding("soon")] * 3, [False] * 3),
    ("one time that is none spoils nothing", [finding("soon"), *[at("10:00:00")] * 3], [False, True, True, True]),
    ("beyond the calendar", [finding("9999-99-99T00:00:00Z"), finding("0000-00-00"), at("10:00:00")], [False] * 3),
    (
        "times without a zone are UTC",
        [finding("2026-03-01T10:00:00"), at("10:10:00"), at("10:20:00")],
        [True] * 3,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("group", "critical"), [case[1:] for case in BLINDINGS], ids=[case[0] for case in BLINDINGS]
)
def test_blinding(group, critical):
    """Three resources of a security service that an account lost within an hour are critical, in any order."""
    for order in itertools.islice(itertools.permutations(range(len(group))), 24):
        findings = [dict(found) for found in group]
        raise_blindings([findings[index] for index in order])
        assert critical == [found["severity"] == "critical" for found in findings]


def test_no_findings():
    """Nothing found is nothing blinded."""
    findings = []
    raise_blindings(findings)
    assert findings == []
