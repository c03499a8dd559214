"""What a report shows of what was found, and that nothing is left out without a word."""

from datetime import UTC, datetime

import pytest

from rolewatch.findings.select import Selection, read_rules

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


def finding(name, service="config.amazonaws.com", severity="high", status="blocked"):
    """Make a finding as far as selecting looks at it."""
    return {"id": name, "service": service, "severity": severity, "status": status, "account": "1"}


FINDINGS = [
    finding("a"),
    finding("b", "macie.amazonaws.com", "low"),
    finding("c", "events.amazonaws.com.cn", "critical", "recovered"),
    finding("d", "malware-protection.guardduty.amazonaws.com", "none"),
]


def shown(selection):
    """Apply a selection; returns the ids that are left, and the notes."""
    report = {"findings": list(FINDINGS), "notes": []}
    selection.apply(report, NOW)
    return "".join(found["id"] for found in report["findings"]), report["notes"]


SERVICES = [
    ((), "abcd", []),
    (("config",), "a", ["3 findings of other services (--service) left out"]),
    (("Config.amazonaws.com", "macie"), "ab", ["2 findings of other services (--service) left out"]),
    (("events",), "c", ["3 findings of other services (--service) left out"]),
    (("events.amazonaws.com",), "c", ["3 findings of other services (--service) left out"]),
    (("guardduty",), "", ["4 findings of other services (--service) left out"]),
    (("malware-protection.guardduty",), "d", ["3 findings of other services (--service) left out"]),
]


@pytest.mark.parametrize(("services", "left", "notes"), SERVICES)
def test_services(services, left, notes):
    """Services are chosen by principal or by its first part, in any case, China's too."""
    assert (left, notes) == shown(Selection(services=services))


SEVERITIES = [
    ("none", "abcd", []),
    ("low", "abc", ["1 finding of a severity below low (--severity) left out"]),
    ("medium", "ac", ["2 findings of a severity below medium (--severity) left out"]),
    ("high", "ac", ["2 findings of a severity below high (--severity) left out"]),
    ("critical", "c", ["3 findings of a severity below critical (--severity) left out"]),
]


@pytest.mark.parametrize(("least", "left", "notes"), SEVERITIES)
def test_severity(least, left, notes):
    """A severity is the least one that is shown."""
    assert (left, notes) == shown(Selection(severity=least))


def test_baseline():
    """What a baseline has is left out, unless it was over then and is open now."""
    baseline = {"a": "recovered", "b": "blocked", "c": "recovered"}
    assert shown(Selection(baseline=baseline)) == (
        "ad",
        ["2 findings of the baseline (--baseline) left out"],
    )


def test_a_baseline_that_knows_nothing():
    """An empty baseline leaves nothing out."""
    assert shown(Selection(baseline={})) == ("abcd", [])


def test_rules():
    """Ignored findings are counted, by the day of `now`."""
    content = b'[[rule]]\nreason = "r"\nuntil = 2026-03-15\nservice = "config.*"\n'
    assert shown(Selection(rules=read_rules(content, "i"))) == ("bcd", ["1 finding ignored by rule"])


def test_everything_at_once():
    """Each step counts only what the steps before it left."""
    rules = read_rules(b'[[rule]]\nreason = "r"\nuntil = 2026-03-15\nid = "[ad]"\n', "i")
    selection = Selection(
        services=("config", "macie", "events"), severity="low", baseline={"c": "blocked"}, rules=rules
    )
    assert shown(selection) == (
        "b",
        [
            "1 finding of other services (--service) left out",
            "1 finding ignored by rule",
            "1 finding of the baseline (--baseline) left out",
        ],
    )


def test_no_service():
    """A finding of a principal without a service is of no service that can be chosen."""
    report = {"findings": [finding("x", "")], "notes": []}
    Selection(services=("config",)).apply(report, NOW)
    assert report["findings"] == []
