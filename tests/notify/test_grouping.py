"""What becomes one notification, and to whom it goes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tellings import APART, OTHER, by_account, event, ids, open_incident, over, told

from lives import ACCOUNT, NOW, SEVERITIES, STATUSES, VERDICTS, finding
from rolewatch.findings.life import OPEN, Incident, Life, decide
from rolewatch.notify.grouping import MOST, Event, event_of, worst_first


def test_one_message_for_the_forty_buckets_that_one_change_blocked():
    """It opens one incident, which all their lives name."""
    result = told([event(number) for number in range(1, 41)])
    (one,) = result.notifications
    assert (one.kind, one.reason, one.time, len(one.findings), one.left_out) == (
        "blocked",
        "new",
        "2026-03-01T10:00:00Z",
        40,
        0,
    )
    assert len(one.id) == len(one.dedup_key) == 32
    assert one.id != one.dedup_key
    assert {(life.incident.key, life.decisions[-1].notification) for life in result.lives.values()} == {
        (one.dedup_key, one.id)
    }


@pytest.mark.parametrize("fields", APART)
def test_what_another_change_blocked_is_another_message(fields):
    """Another account, role, verdict or cause is another incident."""
    result = told([event(1), event(2), event(3, **fields)])
    assert [ids(each) for each in result.notifications] == [[1, 2], [3]]
    assert len({life.incident for life in result.lives.values()}) == 2


def test_without_a_role_the_service_tells_what_belongs_together():
    """A service principal has no role."""
    result = told(
        [event(number, role_arn=None, service=name) for number, name in enumerate(["a", "b", "a"], 1)]
    )
    assert sorted(ids(each) for each in result.notifications) == [[1, 3], [2]]


def test_severity_does_not_split_and_the_worst_stands_first():
    """The first finding tells how bad it is."""
    result = told([event(1, severity="medium"), event(2, severity="critical"), event(3, severity="high")])
    assert [ids(each) for each in result.notifications] == [[2, 3, 1]]


def test_more_than_one_message_holds_are_several():
    """None is left out of an alarm; they are one incident, which the last of as many messages resolves."""
    result = told([event(number) for number in range(2 * MOST + 1)])
    assert [len(each.findings) for each in result.notifications] == [MOST, MOST, 1]
    assert {each.left_out for each in result.notifications} == {0}
    (key,) = {each.dedup_key for each in result.notifications}
    ends = [event(number, "recovered", result.lives[f"{number:016x}"]) for number in range(2 * MOST + 1)]
    found = told(ends, result.lives.values()).notifications
    assert [each.dedup_key == key for each in found] == [False, False, True]


def test_the_worst_stands_first():
    """What is blocked before what is listed, before what recovered; within these, the worst; its reason is the message's."""
    lives, _ = open_incident([1])
    actionable = decide(Life(), finding(2, verdict="harmless"), now=NOW).life
    events = [
        *over(lives, "recovered", [1]), event(4, "silent"), event(3, severity="low", account=OTHER),
        event(2, life=actionable, severity="medium"), event(5, severity="low"),
    ]  # fmt: skip
    found = told(events, lives.values()).notifications
    expected = [("blocked", [2, 5], "actionable"), ("blocked", [3], "new"), ("summary", [4], "first-silent")]
    assert [(each.kind, ids(each), each.reason) for each in found[:3]] == expected
    assert found[3].kind == "recovered"


def test_a_summary_has_the_worst_and_counts_the_others():
    """Blocked before silent before over, then by severity, and all lives know that they were told."""
    severities = ["medium"] * MOST + ["high"] * 3
    listed = [event(number, "silent", severity=severity) for number, severity in enumerate(severities, 1)]
    recovered = [event(1000, "recovered", severity="critical")]
    result = told(listed + recovered)
    (one,) = result.notifications
    assert (one.kind, len(one.findings), one.left_out, one.dedup_key) == ("summary", MOST, 4, one.id)
    assert ids(one)[:3] == [MOST + 1, MOST + 2, MOST + 3]
    assert {life.decisions[-1].notification for life in result.lives.values()} == {one.id}
    assert (len(result.lives), {life.incident for life in result.lives.values()}) == (MOST + 4, {None})


def test_a_large_backlog_has_the_worst_of_all():
    """Whenever they come."""
    severities = ["low"] * 5 * MOST + ["critical"] + ["low"] * 5 * MOST
    random.Random(1).shuffle(severities)
    events = (event(number, "silent", severity=severity) for number, severity in enumerate(severities))
    (one,) = told(events).notifications
    assert one.findings[0]["severity"] == "critical"
    assert (len(one.findings), one.left_out) == (MOST, 9 * MOST + 1)


def test_what_has_other_targets_is_another_message():
    """Nobody is told what is not theirs, in summaries neither."""
    blocked = told([event(1), event(2, account=OTHER), event(3, severity="critical")], targets=by_account)
    listed = told([event(4, "silent"), event(5, "silent", account=OTHER)], targets=by_account)
    assert {tuple(ids(each)): blocked.targets[each.id] for each in blocked.notifications} == {
        (1,): (ACCOUNT,), (2,): (OTHER,), (3,): (ACCOUNT, "pager"),
    }  # fmt: skip
    assert {tuple(ids(each)): listed.targets[each.id] for each in listed.notifications} == {
        (4,): (ACCOUNT,),
        (5,): (OTHER,),
    }


def test_the_end_goes_where_the_beginning_went():
    """What was told as critical is over as critical, so that the pager's incident is resolved."""
    lives, _ = open_incident([1], severity="critical")
    result = told([event(1, "recovered", lives[1], severity="low")], lives.values(), targets=by_account)
    assert list(result.targets.values()) == [(ACCOUNT, "pager")]


def test_a_decision_that_tells_nothing_is_no_event():
    """Most are."""
    one = finding(verdict="harmless")
    assert event_of(decide(Life(), one, now=NOW), one) is None


def test_nothing_makes_nothing():
    """A commit without news."""
    assert told([]) == ([], {}, {})


def test_findings_are_sorted_as_they_are_read():
    """Status, severity, security services, the newest, and at last the id."""
    order = [
        finding(9), finding(1, security_service=False), finding(2, security_service=False),
        finding(3, severity="low", last_denied="2026-03-02T00:00:00Z"), finding(4, severity="low"),
        finding(5, severity="low", last_denied=None), finding(6, "silent", severity="critical"), finding(7, "gone"),
        finding(8, "recovered"),
    ]  # fmt: skip
    assert worst_first(order[::-1]) == order


def test_ids_are_the_same_for_ever():
    """What is sent again after a crash, or after an upgrade, has the same id."""
    (one,) = told([event(1), event(2)]).notifications
    expected = ("388e31665a5d6eff1bd7fc60381fb00d", "4dc1fa73377591d4cf64a26d8925ffd6")
    assert (one.id, one.dedup_key) == expected


ONES = st.tuples(STATUSES, VERDICTS, SEVERITIES, st.sampled_from([ACCOUNT, OTHER]), st.integers(0, 3))


@given(st.lists(ONES, max_size=25), st.integers(0, 2), st.randoms(use_true_random=False))
def test_no_event_is_lost_and_their_order_does_not_matter(ones, left, chance):
    """Every event is in one notification, with the targets of its findings; a shuffled commit gives the same."""
    events, before = [], []
    for number, (status, verdict, severity, account, incident) in enumerate(ones):
        life = Life(
            told="blocked",
            told_episode=1,
            told_severity=severity,
            episode=1,
            status="blocked",
            incident=Incident(str(incident), 0),
        )
        fields = {"verdict": verdict, "severity": severity, "account": account}
        one = event(number, status, life if incident else None, **fields)
        if one is not None:
            events.append(one)
            before += [life] if incident else []
    before += [Life(incident=Incident(str(incident), 0)) for incident in range(1, 4)] * left
    result = told(events, before, targets=by_account)
    shuffled = chance.sample(events, len(events))
    assert result == told(shuffled, before, targets=by_account)
    listed = [each["id"] for notification in result.notifications for each in notification.findings]
    assert sorted(listed) == sorted(each.finding["id"] for each in events) == sorted(result.lives)
    assert len({each.id for each in result.notifications}) == len(result.notifications)
    is_open = {life.incident.key for life in result.lives.values() if life.incident}
    for notification in result.notifications:
        for each in notification.findings:
            assert result.lives[each["id"]].decisions[-1].notification == notification.id
            assert each["account"] in result.targets[notification.id]
        assert (notification.kind in OPEN) == (notification.dedup_key in is_open)
    resolved = {each.dedup_key for each in result.notifications} & {"1", "2", "3"}
    ended = {each.life.incident.key for each in events if each.life.incident}
    assert resolved == (ended if not left else set())


def test_an_event_says_how_bad_it_was():
    """While it is open, how bad it is."""
    assert [Event("blocked", finding(severity="low"), Life()).severity, event(severity="high").severity] == [
        "low",
        "high",
    ]
