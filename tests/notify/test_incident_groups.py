"""Which notifications are one incident: what opens it, joins it, and resolves it."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tellings import APART, OTHER, backlog, by_account, event, ids, open_incident, over, told

from lives import ACCOUNT, HOUR, MINUTE, NOW, PROOF, Ledger, finding
from rolewatch.findings.life import OPEN, Life, decide
from rolewatch.notify.grouping import MOST, event_of
from rolewatch.notify.likeness import JOINED, likeness


def test_what_the_same_change_blocks_later_joins_the_incident():
    """Each batch of the forty buckets is told in a message of its own, and all of them are one incident."""
    lives, key = open_incident([1, 2, 3])
    ids_told = set()
    for number in range(4, 41, 4):
        result = told(
            [event(each) for each in range(number, number + 4)], lives.values(), NOW + number * MINUTE
        )
        (one,) = result.notifications
        ids_told.add(one.id)
        assert (one.kind, one.dedup_key, one.id != key) == ("blocked", key, True)
        lives |= result.lives
    assert len(ids_told) == 10
    assert {life.incident for life in lives.values()} == {lives[1].incident}


@pytest.mark.parametrize("fields", APART)
def test_what_another_change_blocked_joins_nothing(fields):
    """Another account, role, verdict or cause."""
    lives, key = open_incident([1])
    (one,) = told([event(2, **fields)], lives.values()).notifications
    assert one.dedup_key != key


def test_what_goes_to_others_joins_nothing():
    """Its incident would be opened there, and ended by a message that goes elsewhere."""
    lives = told([event(1)], targets=lambda *_: ("a", "b")).lives
    joins = [
        told([event(2)], lives.values(), targets=lambda *_, where=where: where).lives[f"{2:016x}"].incident
        for where in (("a",), ("a", "b", "c"), ("b", "a"))
    ]
    assert [each in {life.incident for life in lives.values()} for each in joins] == [False, False, True]


def test_an_old_incident_is_not_joined():
    """What breaks a day later must not hide in what people know; what follows joins the newer one."""
    lives, key = open_incident([1])
    last = told([event(2)], lives.values(), NOW + JOINED)
    lives |= last.lives
    assert last.notifications[0].dedup_key == key
    new = told([event(3)], lives.values(), NOW + JOINED + MINUTE)
    lives |= new.lives
    again = told([event(4)], lives.values(), NOW + JOINED + 2 * MINUTE)
    assert key != new.notifications[0].dedup_key == again.notifications[0].dedup_key


def test_what_is_critical_joins_only_what_is():
    """An incident tool calls nobody for what joins an incident; what is less joins either, the later one."""
    lives, high = open_incident([1])
    critical = told([event(2, severity="critical"), event(3)], lives.values(), NOW + MINUTE)
    (worse,) = critical.notifications
    assert (worse.dedup_key != high, len(worse.findings)) == (True, 2)
    lives |= critical.lives
    joins = told([event(4)], lives.values()), told([event(5, severity="critical")], lives.values())
    assert [each.notifications[0].dedup_key for each in joins] == [worse.dedup_key] * 2


def test_what_is_blocked_again_joins_the_incident_of_others():
    """That it left it before does not matter."""
    lives, key = open_incident([1, 2])
    lives[1] = told(over(lives, "recovered", [1]), lives.values()).lives[f"{1:016x}"]
    (again,) = told([event(1, "blocked", lives[1])], lives.values()).notifications
    assert (again.kind, again.dedup_key) == ("reopened", key)


def test_blocked_and_again_blocked_by_one_change_are_one_incident():
    """They are two messages, as they are told apart."""
    lives, _ = open_incident([1])
    lives[1] = told(over(lives, "recovered", [1]), lives.values()).lives[f"{1:016x}"]
    found = told([event(1, "blocked", lives[1]), event(2)], lives.values())
    assert [each.kind for each in found.notifications] == ["blocked", "reopened"]
    assert len({each.dedup_key for each in found.notifications}) == len(set(found.lives)) - 1 == 1


def test_what_joins_as_the_last_one_leaves_keeps_the_incident_open():
    """In one commit there is no before and after."""
    lives, key = open_incident([1])
    found = told([*over(lives, "recovered", [1]), event(2)], lives.values())
    assert {each.kind: each.dedup_key == key for each in found.notifications} == {
        "blocked": True,
        "recovered": False,
    }
    lives = found.lives
    (last,) = told([event(2, "recovered", lives[f"{2:016x}"])], lives.values()).notifications
    assert last.dedup_key == key


def test_an_incident_is_resolved_by_the_last_recovery():
    """Those before are told, but have a key of their own, so that no tool resolves what is still open."""
    lives, key = open_incident([1, 2, 3])
    first = told(over(lives, "recovered", [2]), lives.values())
    lives[2] = first.lives[f"{2:016x}"]
    rest = told(over(lives, "recovered", [1, 3]), lives.values())
    (partly,), (last,) = first.notifications, rest.notifications
    assert [(partly.kind, partly.dedup_key), (last.kind, last.dedup_key)] == [
        ("recovered", partly.id),
        ("recovered", key),
    ]
    assert {life.incident for life in (first.lives | rest.lives).values()} == {None}
    assert [ids(partly), ids(last)] == [[2], [1, 3]]


def test_all_recovered_at_once():
    """One message resolves it."""
    lives, key = open_incident([1, 2])
    (one,) = told(over(lives, "recovered", [1, 2]), lives.values()).notifications
    assert (one.dedup_key, ids(one)) == (key, [1, 2])


def test_two_incidents_that_end_together_are_two_messages():
    """A message has one key."""
    (one, key), (two, other) = open_incident([1, 2]), open_incident([3])
    ends = over(one, "recovered", [1, 2]) + over(two, "recovered", [3])
    found = told(ends, [*one.values(), *two.values()]).notifications
    assert {each.dedup_key: ids(each) for each in found} == {key: [1, 2], other: [3]}


def test_gone_is_a_summary_and_leaves_the_incident_to_the_others():
    """What is gone is not told as recovered, and does not keep the incident open."""
    lives, key = open_incident([1, 2])
    gone = told(over(lives, "gone", [1]), lives.values())
    (one,) = gone.notifications
    assert (one.kind, one.reason, one.dedup_key == one.id) == ("summary", "gone", True)
    lives[1] = gone.lives[f"{1:016x}"]
    (last,) = told(over(lives, "recovered", [2]), lives.values()).notifications
    assert last.dedup_key == key


def test_an_incident_of_which_all_is_gone_is_resolved_by_the_summary_that_says_so():
    """Nobody has to do anything about it any more."""
    lives, key = open_incident([1, 2])
    (one,) = told(over(lives, "gone", [1, 2]), lives.values()).notifications
    assert (one.kind, one.dedup_key, one.id != key) == ("summary", key, True)


def test_of_the_last_ones_the_recovered_resolve_it():
    """They have proofs; the others are told beside them."""
    lives, key = open_incident([1, 2])
    found = told(over(lives, "gone", [1]) + over(lives, "recovered", [2]), lives.values()).notifications
    assert [(each.kind, each.dedup_key) for each in found] == [("summary", found[0].id), ("recovered", key)]


def test_opened_again_it_is_another_incident():
    """The old one is resolved."""
    lives, key = open_incident([1])
    result = told(over(lives, "recovered", [1]), lives.values())
    (again,) = told([event(1, "blocked", result.lives[f"{1:016x}"])], result.lives.values()).notifications
    assert again.kind == "reopened"
    assert again.dedup_key not in (key, again.id)


def test_an_incident_as_large_as_a_message():
    """Its end fits into one, too."""
    lives, key = open_incident(range(MOST))
    (one,) = told(over(lives, "recovered", range(MOST)), lives.values()).notifications
    assert (len(one.findings), one.dedup_key) == (MOST, key)


def test_a_summary_of_what_is_blocked_is_an_incident():
    """Also of those that it has no room for; what is only listed is no part of it, and its last message resolves it."""
    number = MOST + 2
    result = told(backlog(*map(finding, range(number)), finding(number, "silent")))
    (listed,) = result.notifications
    assert (listed.kind, listed.reason, listed.left_out, listed.opens) == ("summary", "backlog", 3, True)
    lives = {each: result.lives[f"{each:016x}"] for each in range(number + 1)}
    incidents = [life.incident.key if life.incident else None for life in lives.values()]
    assert incidents == [listed.dedup_key] * number + [None]
    first = told(over(lives, "recovered", range(number - 1)), lives.values())
    assert listed.dedup_key not in {each.dedup_key for each in first.notifications}
    lives |= {each: first.lives[f"{each:016x}"] for each in range(number - 1)}
    (last,) = told(over(lives, "gone", [number - 1]), lives.values()).notifications
    assert (last.dedup_key, last.ends) == (listed.dedup_key, True)


def test_what_a_summary_tells_of_is_over_apart_where_it_is_not_alike():
    """One message for what one change has blocked; the last of them resolves the summary."""
    result = told(backlog(finding(1), finding(2), finding(3, account=OTHER)))
    (listed,) = result.notifications
    ends = [
        event(number, "recovered", result.lives[f"{number:016x}"], account=account)
        for number, account in ((1, ACCOUNT), (2, ACCOUNT), (3, OTHER))
    ]
    found = told(ends, result.lives.values()).notifications
    assert found == told(ends[::-1], result.lives.values()).notifications
    assert [(ids(each), each.dedup_key == listed.dedup_key) for each in found] == [
        ([1, 2], False),
        ([3], True),
    ]


def test_nothing_joins_a_summary():
    """It tells of what was there before; what breaks then is news."""
    lives = told(backlog(finding(1))).lives
    (one,) = told([event(2)], lives.values()).notifications
    assert one.dedup_key not in {life.incident.key for life in lives.values()}


def test_what_was_told_before_there_were_incidents_is_over_without_one():
    """None was opened, so none is resolved."""
    life = Life(told="blocked", told_episode=1, episode=1, status="blocked")
    (one,) = told([event(1, "recovered", life)]).notifications
    assert (one.kind, one.dedup_key) == ("recovered", one.id)


@pytest.mark.parametrize("statuses", [("recovered", "recovered"), ("recovered", "gone"), ("gone", "gone")])
def test_the_end_of_an_incident_is_told_to_all_that_any_of_its_findings_has(statuses):
    """Even if the routes have changed in between: each has a message that resolves it, with nothing that is not theirs."""
    lives, key = open_incident([1, 2])
    ends = [event(1, statuses[0], lives[1]), event(2, statuses[1], lives[2], account=OTHER)]
    result = told(ends, lives.values(), targets=by_account)
    found = {result.targets[each.id]: (ids(each), each.dedup_key, each.ends) for each in result.notifications}
    assert found == {(ACCOUNT,): ([1], key, True), (OTHER,): ([2], key, True)}


CHANGES = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 17, 60, 600, 1441]),
        st.lists(
            st.tuples(
                st.integers(0, 7),
                st.sampled_from(["blocked", "blocked", "recovered", "gone", "silent"]),
                st.sampled_from(["high", "high", "critical"]),
            ),
            unique_by=lambda change: change[0],
            max_size=8,
        ),
    ),
    max_size=12,
)


@given(CHANGES, st.sampled_from(["drained", "live"]))
def test_an_incident_is_resolved_when_its_last_finding_is_over_and_never_before(changes, phase):
    """Whatever becomes of findings, in whatever batches, and with a restart after each: as a tool sees it."""
    now, lives, ledger, likes = NOW, {}, Ledger(), {}
    for minutes, batch in changes:
        now += minutes * MINUTE + timedelta(seconds=1)
        events = []
        for number, status, severity in batch:
            account = (ACCOUNT, OTHER)[number % 2]
            one = finding(number, status, proof=PROOF, severity=severity, account=account)
            decision = decide(lives.get(one["id"], Life()), one, now=now, phase=phase)
            lives[one["id"]] = decision.life
            if made := event_of(decision, one):
                events.append(made)
        result = told(events, lives.values(), now, targets=by_account)
        ledger.take(result.notifications)
        lives |= result.lives
        lives = {
            name: msgspec.json.decode(msgspec.json.encode(life), type=Life) for name, life in lives.items()
        }
        for each in result.notifications:
            if each.kind in OPEN:
                critical = any(one["severity"] == "critical" for one in each.findings)
                like = (likeness(each.findings[0]), result.targets[each.id])
                first = likes.setdefault(each.dedup_key, (like, critical))
                assert first[0] == like
                assert first[1] >= critical
                assert now - ledger.opened[each.dedup_key] <= JOINED
        phase = "live"
    members = {name: life.incident.key for name, life in lives.items() if life.incident}
    assert members == ledger.members
    young = [likes[key] for key in set(members.values()) & set(likes) if now - ledger.opened[key] < HOUR]
    assert len(young) == len(set(young))
