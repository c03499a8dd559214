"""Who changed a policy last before a service was shut out: told in one sentence, and only where an event shows it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notices import HOSTILE, about, finding, recovered

from rolewatch.base.sanitise import terminal
from rolewatch.notify.admissible import admissible
from rolewatch.notify.body import body, bytes_of
from rolewatch.notify.html import html
from rolewatch.notify.words import text

ANN = "arn:aws:sts::111122223333:assumed-role/admin/ann"
LABEL = "Last change of the policy before it began"


def blame(**facts):
    """Make what a finding says of a change of its policy."""
    return {
        "time": "2026-02-28T09:00:00Z", "event_name": "PutBucketPolicy", "principal": ANN, "source_ip": "203.0.113.7",
        "user_agent": "aws-cli/2", "event_id": "change-1", "added": [{"Sid": "VpcOnly", "Effect": "Deny"}], "removed": [],
        "compared_with_earlier_policy": True,
    } | facts  # fmt: skip


def said_of(*found, kind="blocked", **settings):
    """Give the lines of a message that tell of a change."""
    lines = [line for line in text(about(*found, kind=kind), **settings).splitlines() if line]
    starts = [place for place, line in enumerate(lines) if line.startswith(LABEL)]
    if not starts:
        return []
    (start,) = starts
    first = [lines[start].removeprefix(f"{LABEL}: ")] if not lines[start].endswith(":") else []
    return first + [line for line in lines[start + 1 : start + 5] if " by arn:" in line or "others" in line]


@pytest.mark.parametrize("kind", ["blocked", "reopened", "summary"])
def test_it_is_one_sentence(kind):
    """Who changed the policy when, by which event, and what that added."""
    assert said_of(finding(blame=blame()), kind=kind) == [
        f"PutBucketPolicy by {ANN} at 2026-02-28 09:00:00 UTC, event change-1; it added VpcOnly"
    ]


def test_what_was_not_compared_is_not_told_as_added():
    """Where no earlier policy is known, and where nothing was added."""
    expected = [f"PutBucketPolicy by {ANN} at 2026-02-28 09:00:00 UTC, event change-1"]
    assert said_of(finding(blame=blame(compared_with_earlier_policy=False))) == expected
    assert said_of(finding(blame=blame(added=[]))) == expected


def test_statements_without_a_name():
    """Are told by their effect; of many, the number is."""
    many = [{"Effect": "Deny"}, {}, *({"Sid": f"S{n}"} for n in range(5))]
    (line,) = said_of(finding(blame=blame(added=many)))
    assert line.endswith("; it added Deny, S0, S1 and 4 more")


def test_several_findings():
    """One change that shut several out is told once; others each with its resource, and how many are not told."""
    key = {
        "resource": "arn:aws:kms:us-east-1:111122223333:key/k",
        "blame": blame(event_name="PutKeyPolicy", added=[]),
    }
    one = said_of(finding(1, **key), finding(2, **key), finding(3))
    assert one == [
        f"{LABEL}, where it is known: PutKeyPolicy on {key['resource']} by {ANN} at 2026-02-28 09:00:00 UTC, event change-1"
    ]
    listed = said_of(*(finding(n, blame=blame(event_id=f"e{n}")) for n in range(5)))
    assert [line.partition(" by ")[0] for line in listed[:3]] == [
        f"PutBucketPolicy on arn:aws:s3:::payroll-{n}" for n in range(3)
    ]
    assert listed[3] == "and 2 others"


UNSUPPORTED = {
    "nobody known": {"blame": None},
    "no event": {"blame": blame(event_id=None)},
    "after it began": {"blame": blame(time="2026-03-01T10:00:01Z")},
    "only AWS can change it": {"blame": blame(), "verdict": "aws-side"},
    "no policy is at fault": {"blame": blame(), "verdict": "service-not-enabled"},
    "nonsense": {"blame": ANN},
}


@pytest.mark.parametrize("facts", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_nobody_is_named_without_support(facts):
    """Neither in words nor in the body of machine formats."""
    notification = about(finding(**facts))
    told = "\n".join([text(notification), html(notification), json.dumps(admissible(notification).body())])
    assert [word for word in ("admin/ann", LABEL, '"blame"') if word in told] == []
    assert "blame" not in admissible(notification).findings[0]


def test_machine_formats_have_it_as_the_finding_has():
    """Whole where there is room, shortened where there is not."""
    notification = about(finding(blame=blame(added=[{"Sid": "x" * 5000}] * 20)))
    (told,) = admissible(notification).findings
    assert told["blame"] == notification.findings[0]["blame"]
    short = json.loads(body(admissible(notification), bytes_of(60_000)))
    assert short["shortened"] is True
    assert short["findings"][0]["blame"]["principal"] == ANN


def test_a_recovery_names_nobody():
    """Its message is about the proof."""
    assert said_of(recovered(blame=blame()), kind="recovered") == []


@given(word=st.one_of(st.just(HOSTILE), st.text(), st.just("x" * 99_999)))
def test_what_attackers_write_is_shown_not_obeyed(word):
    """User names, names of statements and of events steer nothing, and make no long line."""
    facts = {"event_name": word, "principal": word, "event_id": word or "e", "added": [{"Sid": word}] * 9}
    for found in ([finding(blame=blame(**facts))], [finding(n, blame=blame(**facts)) for n in range(3)]):
        lines = text(about(*found)).split("\n")
        assert all(terminal(line) == line and len(line) < 2000 for line in lines)


@pytest.mark.parametrize("limit", [1, 200, 900, 2000])
def test_short_messages(limit):
    """A message with it keeps to its limit, and to its first line."""
    notification = about(*(finding(n, blame=blame(event_id=f"e{n}")) for n in range(30)))
    assert len(text(notification, limit=limit)) <= limit
