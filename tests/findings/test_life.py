"""What is told of a finding over its life, and why."""

import re
from datetime import timedelta
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lives import ACCOUNT, DAY, MINUTE, NOW, PROOF, SEVERITIES, STATUSES, VERDICTS, finding
from rolewatch.base.errors import UsageError
from rolewatch.findings.life import (
    KEPT,
    OPEN,
    REASONS,
    Acknowledged,
    Decided,
    Incident,
    Life,
    Reason,
    acknowledge,
    assign,
    decide,
    proven,
    replaced,
)
from rolewatch.findings.mutes import new_mute

MUTE = new_mute({"account": ACCOUNT}, reason="moving house", by="ada", until=DAY, now=NOW)
MUTED = {"muted": MUTE}
IDLE = {"verdict": "harmless", "severity": "none"}
OFF = {"verdict": "service-not-enabled", "severity": "none"}
CRITICAL = {"severity": "critical"}
LOST = {"proof": []}
DRAINED, READING = {"phase": "drained"}, {"phase": "reading"}

# Steps are a status, with what differs from a blocked finding of high severity that nobody muted; behind it, what is
# told and why.
LIVES = {
    "once blocked, once recovered": [
        ("blocked", {}, "blocked", "new"),
        ("blocked", {}, None, "already-told"),
        ("recovered", {}, "recovered", "recovered"),
        ("recovered", {}, None, "already-over"),
    ],
    "blocked again": [
        ("blocked", {}, "blocked", "new"),
        ("recovered", {}, "recovered", "recovered"),
        ("blocked", {}, "reopened", "blocked-again"),
        ("blocked", {}, None, "already-told"),
        ("recovered", {}, "recovered", "recovered"),
        ("blocked", {}, "reopened", "blocked-again"),
    ],
    "noise is never told": [
        ("blocked", IDLE, None, "harmless"),
        ("recovered", IDLE, None, "never-told"),
        ("blocked", OFF, None, "service-not-enabled"),
        ("silent", OFF, None, "service-not-enabled"),
    ],
    "noise that was over when first seen is not even listed": [("recovered", IDLE, None, "harmless")],
    "noise that turns out to be none": [
        ("blocked", OFF, None, "service-not-enabled"),
        ("blocked", {}, "blocked", "actionable"),
    ],
    "what was told and then is noise is told to be over": [
        ("blocked", {}, "blocked", "new"),
        ("blocked", IDLE, None, "already-told"),
        ("recovered", IDLE, "recovered", "recovered"),
    ],
    "silent when first seen": [
        ("silent", {}, "summary", "first-silent"),
        ("silent", {}, None, "already-listed"),
        ("blocked", {}, "blocked", "denied-again"),
        ("silent", {}, None, "silent"),
    ],
    "over when first seen": [
        ("recovered", {}, "summary", "first-over"),
        ("recovered", {}, None, "already-listed"),
        ("gone", {}, None, "already-listed"),
        ("blocked", {}, "blocked", "new"),
    ],
    "gone when first seen": [("gone", {}, "summary", "first-over"), ("gone", {}, None, "already-listed")],
    "silent, and over without a word since": [
        ("silent", {}, "summary", "first-silent"),
        ("recovered", {}, None, "never-told"),
    ],
    "silence is no news": [
        ("blocked", {}, "blocked", "new"),
        ("silent", {}, None, "silent"),
        ("blocked", {}, None, "already-told"),
        ("silent", {}, None, "silent"),
        ("recovered", {}, "recovered", "recovered"),
    ],
    "gone is told as gone": [
        ("blocked", {}, "blocked", "new"),
        ("gone", {}, "summary", "gone"),
        ("gone", {}, None, "already-over"),
        ("recovered", {}, None, "already-over"),
        ("blocked", {}, "reopened", "blocked-again"),
    ],
    "gone before anybody was told": [("blocked", MUTED, None, "muted"), ("gone", {}, None, "never-told")],
    "no recovery without proof": [
        ("blocked", {}, "blocked", "new"),
        ("recovered", LOST, None, "no-proof"),
        ("recovered", {}, "recovered", "recovered"),
    ],
    "blocked again before its end could be proven": [
        ("blocked", {}, "blocked", "new"),
        ("recovered", LOST, None, "no-proof"),
        ("blocked", {}, None, "already-told"),
        ("recovered", {}, "recovered", "recovered"),
    ],
    "first seen recovered, with nothing to prove it": [
        ("recovered", LOST, None, "no-proof"),
        ("recovered", {}, "summary", "first-over"),
    ],
    "a mute holds back": [
        ("blocked", MUTED, None, "muted"),
        ("blocked", MUTED, None, "muted"),
        ("blocked", {}, "blocked", "mute-ended"),
        ("blocked", {}, None, "already-told"),
    ],
    "over while muted": [
        ("blocked", MUTED, None, "muted"),
        ("recovered", MUTED, None, "never-told"),
        ("blocked", {}, "blocked", "new"),
    ],
    "critical is more than a mute covers": [
        ("blocked", MUTED, None, "muted"),
        ("blocked", CRITICAL, "blocked", "worse-than-muted"),
    ],
    "critical from the start, and muted as such": [
        ("blocked", MUTED | CRITICAL, None, "muted"),
        ("blocked", CRITICAL, "blocked", "mute-ended"),
    ],
    "the end of what was told is told, muted or not": [
        ("blocked", {}, "blocked", "new"),
        ("blocked", MUTED, None, "already-told"),
        ("recovered", MUTED, "recovered", "recovered"),
        ("blocked", MUTED, None, "muted"),
        ("recovered", MUTED, None, "never-told"),
    ],
    "reopened while muted": [
        ("blocked", {}, "blocked", "new"),
        ("recovered", {}, "recovered", "recovered"),
        ("blocked", MUTED, None, "muted"),
        ("blocked", {}, "reopened", "mute-ended"),
    ],
    "gone while muted": [("blocked", {}, "blocked", "new"), ("gone", MUTED, "summary", "gone")],
    "silent while muted": [
        ("silent", MUTED, None, "muted"),
        ("silent", {}, "summary", "first-silent"),
    ],
    "muted, then silent": [
        ("blocked", MUTED, None, "muted"),
        ("silent", MUTED, None, "muted"),
        ("blocked", {}, "blocked", "mute-ended"),
    ],
    "silent again after it had recovered": [
        ("blocked", {}, "blocked", "new"),
        ("recovered", {}, "recovered", "recovered"),
        ("silent", {}, "summary", "first-silent"),
        ("blocked", {}, "reopened", "blocked-again"),
    ],
    "a backlog is told when it is read": [
        ("blocked", READING, None, "reading-backlog"),
        ("blocked", READING, None, "reading-backlog"),
        ("blocked", DRAINED, "summary", "backlog"),
        ("blocked", {}, None, "already-told"),
        ("recovered", {}, "recovered", "recovered"),
    ],
    "blocked and recovered in the backlog": [
        ("blocked", READING, None, "reading-backlog"),
        ("recovered", READING, None, "reading-backlog"),
        ("recovered", DRAINED, "summary", "first-over"),
    ],
    "silent in the backlog": [
        ("blocked", READING, None, "reading-backlog"),
        ("silent", DRAINED, "summary", "first-silent"),
        ("blocked", {}, "blocked", "denied-again"),
    ],
    "muted in the backlog": [
        ("blocked", READING | MUTED, None, "reading-backlog"),
        ("blocked", DRAINED | MUTED, None, "muted"),
        ("blocked", {}, "blocked", "mute-ended"),
    ],
    "noise in the backlog": [("blocked", DRAINED | IDLE, None, "harmless")],
    "what was known before is no backlog": [
        ("blocked", {}, "blocked", "new"),
        ("recovered", {}, "recovered", "recovered"),
        ("blocked", DRAINED, "reopened", "blocked-again"),
    ],
}  # fmt: skip


def step(life, status, more, minutes=0):
    """Decide once; `more` is what differs, in the finding or in the circumstances."""
    around = {key: more[key] for key in ("muted", "phase") if key in more}
    fields = {key: value for key, value in more.items() if key not in around}
    return decide(life, finding(status=status, **fields), now=NOW + minutes * MINUTE, **around)


@pytest.mark.parametrize("steps", LIVES.values(), ids=LIVES)
def test_what_is_told_over_a_life(steps):
    """Each step tells what it should, for the reason that it should."""
    life, told = Life(), []
    for minute, (status, more, _, _) in enumerate(steps):
        decision = step(life, status, more, minute)
        told.append((status, more, decision.kind, decision.reason))
        life = decision.life
    assert steps == told


def test_every_reason_has_a_sentence_and_a_life_that_shows_it():
    """A reason that nothing gives would be one that nobody has thought through."""
    shown = {reason for steps in LIVES.values() for _, _, _, reason in steps}
    shown.add(replaced(Life(), NOW).decisions[-1].reason)
    assert (set(get_args(Reason)), set(get_args(Reason))) == (set(REASONS), shown)


def test_of_what_nothing_is_left_the_end_is_told():
    """People hear that it is not there any more, as of a resource that is gone."""
    life = replaced(step(Life(), "blocked", {}).life, NOW + MINUTE)
    told = Decided(at="2026-03-01T10:01:00Z", kind="summary", told=True, reason="replaced", severity="high")
    assert (life.told, life.told_at, life.listed, life.decisions[-1]) == ("gone", told.at, -1, told)


def test_the_page_about_it_has_every_reason():
    """As people read it, and no other."""
    page = Path(__file__).parents[2] / "docs" / "findings-life.md"
    rows = re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| ([^|]+) \|$", page.read_text(), re.MULTILINE)
    assert dict(rows) == REASONS


def test_what_is_kept():
    """A life says when it began, what was told, and each decision with its reason."""
    life = step(Life(), "blocked", MUTED).life
    life = step(life, "blocked", {}, 1).life.sent("n1", Incident("i1", 1_772_359_260_000))
    decisions = [
        {"at": "2026-03-01T10:00:00Z", "kind": "blocked", "told": False, "reason": "muted",
         "detail": "by ada until 2026-03-02T10:00:00Z: moving house", "severity": "high"},
        {"at": "2026-03-01T10:01:00Z", "kind": "blocked", "told": True, "reason": "mute-ended", "severity": "high",
         "notification": "n1"},
    ]  # fmt: skip
    expected = {
        "first_seen": "2026-03-01T10:00:00Z", "status": "blocked", "episode": 1, "told": "blocked",
        "told_at": "2026-03-01T10:01:00Z", "told_episode": 1, "told_severity": "high",
        "incident": {"key": "i1", "opened": 1_772_359_260_000},
        "decisions": decisions,
    }  # fmt: skip
    assert expected == msgspec.json.decode(msgspec.json.encode(life))


def test_what_was_stored_before_a_field_existed_can_be_read():
    """Every field has a default, and one that a newer version wrote is passed over."""
    stored = b'{"episode": 2, "told": "blocked", "unheard-of": [1], "decisions": [{"at": "t", "kind": null, "told": false, "reason": "x"}]}'
    life = msgspec.json.decode(stored, type=Life)
    assert (life.episode, life.told, life.incident, life.decisions[0].reason) == (2, "blocked", None, "x")


def test_a_finding_of_which_nothing_is_known_yet():
    """Nothing was told of it, and it is nobody's."""
    life = Life()
    assert (life.told, life.told_at, life.told_severity, life.assigned) == ("",) * 4
    assert life.incident is None
    assert (life.episode, life.told_episode, life.listed, life.acknowledged, life.decisions) == (
        0,
        0,
        -1,
        None,
        (),
    )


def test_a_backlog_counts_from_when_a_finding_was_first_seen():
    """Not from when it was told, nor from when it was looked at again; and nothing else is noted of it."""
    life = step(Life(), "blocked", READING).life
    for minutes in (1, 2):
        life = step(life, "recovered", READING, minutes).life
    held = Decided(at="2026-03-01T10:00:00Z", kind=None, told=False, reason="reading-backlog")
    assert life == Life(first_seen="2026-03-01T10:00:00Z", decisions=(held,))
    assert step(life, "blocked", DRAINED, 3).life.first_seen == "2026-03-01T10:00:00Z"


def test_what_changes_nothing_gives_the_same_life():
    """A thousand more denials of what is told are one decision, and nothing to write."""
    life = step(step(Life(), "blocked", {}).life, "blocked", {}, 1).life
    again = step(life, "blocked", {}, 2).life
    assert again is life


def test_the_latest_decisions_are_kept():
    """They are as many as a page can show."""
    life = Life()
    for number in range(2 * KEPT):
        life = step(life, ("blocked", "recovered")[number % 2], {}, number).life
    assert [len(life.decisions), life.decisions[0].at] == [KEPT, "2026-03-01T10:20:00Z"]


def test_a_new_episode_takes_back_an_acknowledgement_but_not_whose_it_is():
    """Somebody who has seen the first one has not seen the second."""
    life = step(Life(), "blocked", {}).life
    life = assign(acknowledge(life, " ada ", NOW, "on it"), " grace ")
    assert (Acknowledged("ada", "2026-03-01T10:00:00Z", "on it"), "grace") == (
        life.acknowledged,
        life.assigned,
    )
    life = step(life, "recovered", {}, 1).life
    assert life.acknowledged is not None
    life = step(life, "blocked", {}, 2).life
    assert (life.acknowledged, life.assigned, assign(life, "").assigned) == (None, "grace", "")


def test_nobody_cannot_acknowledge():
    """It is about a person."""
    with pytest.raises(UsageError, match="nobody is named"):
        acknowledge(Life(), " ", NOW)


PROOFS = [
    (PROOF, True),
    ([{"iam_action": "S3:LISTBUCKET", "event_id": "e"}], True),
    ([{"iam_action": "s3:ListBucket", "event_id": ""}], False),
    ([{"iam_action": "s3:ListBucket"}], False),
    ([{"iam_action": "s3:GetBucketAcl", "event_id": "e"}], False),
    ([], False),
    (None, False),
]


@pytest.mark.parametrize(("proof", "expected"), PROOFS)
def test_each_action_needs_an_event(proof, expected):
    """Half a proof is none."""
    assert expected is proven(finding(status="recovered", proof=proof))


def test_a_proof_of_one_of_two_actions_is_none():
    """Every denied action has to be granted."""
    actions = {
        "s3:HeadBucket": {"iam_action": "s3:ListBucket"},
        "s3:GetBucketAcl": {"iam_action": "s3:GetBucketAcl"},
    }
    assert not proven(finding(status="recovered", actions=actions))


HAPPENINGS = st.lists(
    st.tuples(
        STATUSES, VERDICTS, SEVERITIES, st.booleans(), st.booleans(), st.sampled_from(["live", "drained", "reading"]),
        st.integers(0, 3000),
    ),
    max_size=30,
)  # fmt: skip


@given(HAPPENINGS)
def test_nothing_is_told_twice_and_nothing_is_told_over_that_was_not_told(happenings):
    """Whatever happens, in whatever order, muted or not."""
    life, now, is_open, opened, told_over = Life(), NOW, False, set(), False
    for status, verdict, severity, muted, has_proof, phase, minutes in happenings:
        now += timedelta(minutes=minutes)
        one = finding(status=status, verdict=verdict, severity=severity, proof=PROOF if has_proof else None)
        around = {"now": now, "muted": MUTE if muted else None, "phase": phase}
        decision = decide(life, one, **around)
        assert decision == decide(life, one, **around)
        assert decision.reason in REASONS
        assert decision.kind is None or decision.life.decisions[-1].told
        life = decision.life
        opens = decision.kind in OPEN or decision.reason == "backlog"
        if opens:
            assert not is_open
            assert life.episode not in opened
            assert status == "blocked"
            assert verdict not in ("harmless", "service-not-enabled")
            assert not muted
            assert (decision.kind == "reopened") == (told_over and decision.kind in OPEN)
            opened.add(life.episode)
            is_open = True
        if decision.kind == "recovered":
            assert is_open
            assert has_proof
            is_open, told_over = False, True
        if decision.reason == "gone":
            assert is_open
            assert status == "gone"
            is_open, told_over = False, True
        assert is_open == (life.told in OPEN)
        assert len(life.decisions) <= KEPT
        assert msgspec.json.decode(msgspec.json.encode(life), type=Life) == life
        # What is blocked, can be acted on and is not muted is always known to people, once the backlog is read.
        if (
            status == "blocked"
            and verdict in ("fix-your-policy", "aws-side", "unknown")
            and not muted
            and phase != "reading"
        ):
            assert is_open
