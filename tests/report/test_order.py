"""What is read first: sections, groups and ranks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.report.order import SECTIONS, SEVERITIES, groups, ranked, section


def found(name, **facts):
    """Return as much of a finding as its order depends on."""
    return {
        "id": name, "resource": name, "role_name": "r", "service": "s", "security_service": False,
        "severity": "medium", "status": "blocked", "verdict": "fix-your-policy", "last_denied": "2026-03-01T00:00:00Z",
        **facts,
    }  # fmt: skip


def order(*findings):
    """Return the ids in reading order."""
    return [finding["id"] for finding in ranked(list(findings))]


@pytest.mark.parametrize(
    ("status", "verdict", "expected"),
    [
        ("blocked", "fix-your-policy", "blind"),
        ("blocked", "aws-side", "blind"),
        ("blocked", "unknown", "blind"),
        ("blocked", "harmless", "harmless"),
        ("blocked", "service-not-enabled", "harmless"),
        ("silent", "fix-your-policy", "silent"),
        ("silent", "harmless", "harmless"),
        ("recovered", "fix-your-policy", "recovered"),
        ("recovered", "harmless", "recovered"),
        ("gone", "unknown", "gone"),
        ("never heard of", "fix-your-policy", "blind"),
    ],
)
def test_section(status, verdict, expected):
    """What is over is told by its status, what does no harm stands apart, and what is not known is blocked."""
    assert section({"status": status, "verdict": verdict}) == expected


def test_security_services_come_first():
    """A security service stands before a worse finding of another service, within its section."""
    assert order(
        found("other", severity="high"),
        found("quiet", service="a", security_service=True, severity="critical", status="silent"),
        found("watcher", service="b", security_service=True, severity="low"),
    ) == ["watcher", "other", "quiet"]


def test_worse_groups_come_first_and_then_the_latest():
    """Groups are ordered by their worst severity, then by their latest denial."""
    assert order(
        found("a", service="a"),
        found("b", service="b", last_denied="2026-03-02T00:00:00Z"),
        found("c", service="c", severity="high", last_denied="2026-01-01T00:00:00Z"),
    ) == ["c", "b", "a"]


def test_findings_of_a_role_stay_together():
    """A role's findings are one group, worst first, then the latest, then by name; another role is another group."""
    grouped = groups(
        [
            found("d", last_denied=None),
            found("c"),
            found("b"),
            found("other", role_name="q", severity="high"),
            found("a", last_denied="2026-03-02T00:00:00Z"),
            found("low", severity="low", last_denied="2026-03-03T00:00:00Z"),
            found("silent", status="silent"),
        ]
    )
    assert [(group.section, group.service, [item["id"] for item in group.findings]) for group in grouped] == [
        ("blind", "s", ["other"]),
        ("blind", "s", ["a", "b", "c", "d", "low"]),
        ("silent", "s", ["silent"]),
    ]


def test_severities_from_worst_to_none():
    """Within a group severities go down; one that is not known comes last."""
    names = ["unheard-of", *reversed(SEVERITIES)]
    assert order(*(found(name, severity=name) for name in names)) == [*SEVERITIES, "unheard-of"]


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "status": st.sampled_from(["blocked", "silent", "recovered", "gone"]),
                "verdict": st.sampled_from(["fix-your-policy", "harmless"]),
                "severity": st.sampled_from(SEVERITIES),
                "service": st.sampled_from("ab"),
                "security_service": st.booleans(),
                "last_denied": st.sampled_from([None, "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"]),
            }
        ),
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_order_does_not_depend_on_the_input(facts, random):
    """However findings arrive, each comes once, in the same order, section after section."""
    findings = [found(str(number), **fact) for number, fact in enumerate(facts)]
    expected = order(*findings)
    random.shuffle(findings)
    sections = [SECTIONS.index(section(finding)) for finding in ranked(findings)]
    assert (order(*findings), sorted(expected), sections) == (
        expected,
        sorted(str(number) for number in range(len(facts))),
        sorted(sections),
    )
