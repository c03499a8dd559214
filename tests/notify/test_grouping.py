"""What becomes one notification, and which of them resolves an incident."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lives import ACCOUNT, MINUTE, NOW, PROOF, SEVERITIES, STATUSES, VERDICTS, finding
from rolewatch.findings.life import Life, decide
from rolewatch.notify.grouping import MOST, Event, event_of, grouped, summary, worst_first

OTHER = "444455556666"


def event(number=1, status="blocked", life=None, **fields):
    """Decide on a finding that was never told (or on one with a life), and make the event of it."""
    one = finding(number, status, **fields)
    return event_of(decide(life or Life(), one, now=NOW), one)


def told(events, members=None, **more):
    """Group events, with the members that incidents had before."""
    return grouped(events, now=NOW, members=(members or {}).__getitem__, **more)


def open_incident(numbers, **fields):
    """Tell of findings that become blocked together; returns their lives, and the incident's key."""
    result = told([event(number, **fields) for number in numbers])
    (notification,) = result.notifications
    return {number: result.lives[f"{number:016x}"] for number in numbers}, notification.dedup_key


def over(lives, status, numbers):
    """Make the events of findings that are over."""
    return [event(number, status, lives[number]) for number in numbers]


def ids(notification):
    """List the findings of a notification by number."""
    return [int(each["id"], 16) for each in notification.findings]


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
    assert {(life.group, life.decisions[-1].notification) for life in result.lives.values()} == {
        (one.dedup_key, one.id)
    }


APART = [
    {"account": OTHER},
    {
        "role_arn": "arn:aws:iam::111122223333:role/aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie"
    },
    {"verdict": "aws-side"},
    {"cause": {"policy_type": "vpc-endpoint", "kind": "explicit", "evidence": "message", "policy_arn": None}},
    {"role_arn": None},
]


@pytest.mark.parametrize("fields", APART)
def test_what_another_change_blocked_is_another_message(fields):
    """Another account, role, verdict or cause is another incident."""
    result = told([event(1), event(2), event(3, **fields)])
    assert [ids(each) for each in result.notifications] == [[1, 2], [3]]
    assert len({life.group for life in result.lives.values()}) == 2


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


def test_an_incident_is_resolved_by_the_last_recovery():
    """Those before are told, but have a key of their own, so that no tool resolves what is still open."""
    lives, key = open_incident([1, 2, 3])
    first = told(over(lives, "recovered", [2]), {key: 3})
    rest = told(over(lives, "recovered", [1, 3]), {key: 2})
    (partly,), (last,) = first.notifications, rest.notifications
    assert [(partly.kind, partly.dedup_key), (last.kind, last.dedup_key)] == [
        ("recovered", partly.id),
        ("recovered", key),
    ]
    assert {life.group for life in (first.lives | rest.lives).values()} == {""}
    assert [ids(partly), ids(last)] == [[2], [1, 3]]


def test_all_recovered_at_once():
    """One message resolves it."""
    lives, key = open_incident([1, 2])
    (one,) = told(over(lives, "recovered", [1, 2]), {key: 2}).notifications
    assert (one.dedup_key, ids(one)) == (key, [1, 2])


def test_two_incidents_that_end_together_are_two_messages():
    """A message has one key."""
    (one, key), (two, other) = open_incident([1, 2]), open_incident([3])
    found = told(
        over(one, "recovered", [1, 2]) + over(two, "recovered", [3]), {key: 2, other: 1}
    ).notifications
    assert {each.dedup_key: ids(each) for each in found} == {key: [1, 2], other: [3]}


def test_gone_is_a_summary_and_leaves_the_incident_to_the_others():
    """What is gone is not told as recovered, and does not keep the incident open."""
    lives, key = open_incident([1, 2])
    gone = told(over(lives, "gone", [1]), {key: 2})
    (one,), (last,) = gone.notifications, told(over(lives, "recovered", [2]), {key: 1}).notifications
    assert (one.kind, one.reason, one.dedup_key == one.id) == ("summary", "gone", True)
    assert last.dedup_key == key


def test_an_incident_of_which_all_is_gone_is_resolved_by_the_summary_that_says_so():
    """Nobody has to do anything about it any more."""
    lives, key = open_incident([1, 2])
    (one,) = told(over(lives, "gone", [1, 2]), {key: 2}).notifications
    assert (one.kind, one.dedup_key, one.id != key) == ("summary", key, True)


def test_of_the_last_ones_the_recovered_resolve_it():
    """They have proofs; the others are told beside them."""
    lives, key = open_incident([1, 2])
    found = told(over(lives, "gone", [1]) + over(lives, "recovered", [2]), {key: 2}).notifications
    assert [(each.kind, each.dedup_key) for each in found] == [("summary", found[0].id), ("recovered", key)]


def test_opened_again_it_is_another_incident():
    """The old one is resolved, or belongs to others."""
    lives, key = open_incident([1])
    result = told(over(lives, "recovered", [1]), {key: 1})
    (again,) = told([event(1, "blocked", result.lives[f"{1:016x}"])]).notifications
    assert again.kind == "reopened"
    assert again.dedup_key not in (key, again.id)


def test_more_than_one_message_holds_are_several():
    """None is left out of an alarm; each part is an incident of its own."""
    result = told([event(number) for number in range(2 * MOST + 1)])
    assert [len(each.findings) for each in result.notifications] == [MOST, MOST, 1]
    assert {each.left_out for each in result.notifications} == {0}
    assert len({each.dedup_key for each in result.notifications}) == 3


def test_an_incident_as_large_as_a_message():
    """Its end fits into one, too."""
    lives, key = open_incident(range(MOST))
    (one,) = told(over(lives, "recovered", range(MOST)), {key: MOST}).notifications
    assert (len(one.findings), one.dedup_key) == (MOST, key)


def test_the_worst_stands_first():
    """What is blocked before what is listed, before what recovered; within these, the worst; its reason is the message's."""
    lives, key = open_incident([1])
    actionable = decide(Life(), finding(2, verdict="harmless"), now=NOW).life
    events = [
        *over(lives, "recovered", [1]), event(4, "silent"), event(3, severity="low", account=OTHER),
        event(2, life=actionable, severity="medium"), event(5, severity="low"),
    ]  # fmt: skip
    found = told(events, {key: 1}).notifications
    expected = [("blocked", [2, 5], "actionable"), ("blocked", [3], "new"), ("summary", [4], "first-silent")]
    assert [(each.kind, ids(each), each.reason) for each in found[:3]] == expected
    assert found[3].kind == "recovered"


def test_a_summary_has_the_worst_and_counts_the_others():
    """Blocked before silent before over, then by severity, and all lives know that they were told."""
    severities = ["medium"] * MOST + ["high"] * 3
    listed = [event(number, "silent", severity=severity) for number, severity in enumerate(severities, 1)]
    recovered = [event(1000, "recovered", severity="critical")]
    result = summary(iter(listed + recovered), now=NOW)
    (one,) = result.notifications
    assert (one.kind, len(one.findings), one.left_out, one.dedup_key) == ("summary", MOST, 4, one.id)
    assert ids(one)[:3] == [MOST + 1, MOST + 2, MOST + 3]
    assert {life.decisions[-1].notification for life in result.lives.values()} == {one.id}
    assert (len(result.lives), {life.group for life in result.lives.values()}) == (MOST + 4, {""})


def test_a_large_backlog_has_the_worst_of_all():
    """Whenever they come."""
    severities = ["low"] * 5 * MOST + ["critical"] + ["low"] * 5 * MOST
    random.Random(1).shuffle(severities)
    events = (event(number, "silent", severity=severity) for number, severity in enumerate(severities))
    (one,) = summary(events, now=NOW).notifications
    assert one.findings[0]["severity"] == "critical"
    assert (len(one.findings), one.left_out) == (MOST, 9 * MOST + 1)


def test_what_was_told_in_a_summary_is_over_without_an_incident():
    """None was opened, so none is resolved; what recovers together is one message."""
    found = [finding(number) for number in (1, 2)]
    backlog = [event_of(decide(Life(), one, now=NOW, phase="drained"), one) for one in found]
    result = told(backlog)
    (listed,) = result.notifications
    assert (listed.kind, listed.reason) == ("summary", "backlog")
    lives = {number: result.lives[f"{number:016x}"] for number in (1, 2)}
    (one,) = told(over(lives, "recovered", [1, 2])).notifications
    assert (one.kind, one.dedup_key, ids(one)) == ("recovered", one.id, [1, 2])


def by_account(kind, one, severity):
    """Send each account its own, and what is critical to the pager as well."""
    del kind
    return (one["account"], *(["pager"] if severity == "critical" else []))


def test_what_has_other_targets_is_another_message():
    """Nobody is told what is not theirs, in summaries neither."""
    blocked = told([event(1), event(2, account=OTHER), event(3, severity="critical")], targets=by_account)
    listed = summary([event(4, "silent"), event(5, "silent", account=OTHER)], now=NOW, targets=by_account)
    assert {tuple(ids(each)): blocked.targets[each.id] for each in blocked.notifications} == {
        (1,): (ACCOUNT,), (2,): (OTHER,), (3,): (ACCOUNT, "pager"),
    }  # fmt: skip
    assert {tuple(ids(each)): listed.targets[each.id] for each in listed.notifications} == {
        (4,): (ACCOUNT,),
        (5,): (OTHER,),
    }


def test_the_end_goes_where_the_beginning_went():
    """What was told as critical is over as critical, so that the pager's incident is resolved."""
    lives, key = open_incident([1], severity="critical")
    result = told([event(1, "recovered", lives[1], severity="low")], {key: 1}, targets=by_account)
    assert list(result.targets.values()) == [(ACCOUNT, "pager")]


def test_the_end_of_an_incident_goes_to_all_that_any_of_its_findings_has():
    """Even if the routes have changed in between: a message that resolves must not be split."""
    lives, key = open_incident([1, 2])
    ends = [event(1, "recovered", lives[1]), event(2, "recovered", lives[2], account=OTHER)]
    result = told(ends, {key: 2}, targets=by_account)
    assert [set(each) for each in result.targets.values()] == [{ACCOUNT, OTHER}]


def test_a_decision_that_tells_nothing_is_no_event():
    """Most are."""
    one = finding(verdict="harmless")
    assert event_of(decide(Life(), one, now=NOW), one) is None


def test_nothing_makes_nothing():
    """A commit without news."""
    assert (told([]), summary([], now=NOW)) == (([], {}, {}), ([], {}, {}))


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


@given(st.lists(ONES, max_size=25), st.integers(0, 5), st.randoms(use_true_random=False))
def test_no_event_is_lost_and_their_order_does_not_matter(ones, left, chance):
    """Every event is in one notification, with the targets of its findings; a shuffled commit gives the same."""
    events = []
    for number, (status, verdict, severity, account, incident) in enumerate(ones):
        life = Life(
            told="blocked",
            told_episode=1,
            told_severity=severity,
            episode=1,
            status="blocked",
            group=str(incident),
        )
        fields = {"verdict": verdict, "severity": severity, "account": account}
        one = event(number, status, life if incident else None, **fields)
        if one is not None:
            events.append(one)
    members = {
        str(incident): left + sum(each.life.group == str(incident) for each in events)
        for incident in range(4)
    }
    result = told(events, members, targets=by_account)
    shuffled = chance.sample(events, len(events))
    assert result == told(shuffled, members, targets=by_account)
    listed = [each["id"] for notification in result.notifications for each in notification.findings]
    assert sorted(listed) == sorted(each.finding["id"] for each in events) == sorted(result.lives)
    assert len({each.id for each in result.notifications}) == len(result.notifications)
    for notification in result.notifications:
        for each in notification.findings:
            assert result.lives[each["id"]].decisions[-1].notification == notification.id
            assert each["account"] in result.targets[notification.id]
        opens = notification.kind in ("blocked", "reopened")
        assert opens == (notification.dedup_key in {life.group for life in result.lives.values()})
        resolves = notification.dedup_key in members
        assert resolves <= (not left)
    resolved = [each.dedup_key for each in result.notifications if each.dedup_key in members]
    ended = {each.life.group for each in events if each.life.group}
    assert sorted(resolved) == (sorted(ended) if not left else [])


@given(
    st.lists(st.lists(st.sampled_from(["recovered", "gone", "blocked"]), min_size=4, max_size=4), max_size=12)
)
def test_an_incident_is_resolved_once_when_nothing_of_it_is_open(rounds):
    """Whatever becomes of its findings, one commit after the other."""
    result = told([event(number) for number in range(4)])
    (opened,) = result.notifications
    lives, resolutions = dict(result.lives), 0
    for minute, statuses in enumerate(rounds, 1):
        counts = {}
        for life in lives.values():
            counts[life.group] = counts.get(life.group, 0) + 1
        events = []
        for number, status in enumerate(statuses):
            one = finding(number, status, proof=PROOF)
            decision = decide(lives[one["id"]], one, now=NOW + minute * MINUTE)
            lives[one["id"]] = decision.life
            made = event_of(decision, one)
            if made:
                events.append(made)
        result = told(events, counts)
        lives |= result.lives
        resolutions += sum(each.dedup_key == opened.dedup_key for each in result.notifications)
        still = sum(life.group == opened.dedup_key for life in lives.values())
        assert resolutions == (not still)


def test_an_event_says_how_bad_it_was():
    """While it is open, how bad it is."""
    assert [Event("blocked", finding(severity="low"), Life()).severity, event(severity="high").severity] == [
        "low",
        "high",
    ]
