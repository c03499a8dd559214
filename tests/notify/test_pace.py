"""How fast a target is told, and that it is told of everything."""

from datetime import timedelta
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lives import MINUTE, NOW, finding
from rolewatch.base.errors import UsageError
from rolewatch.notify.grouping import MOST
from rolewatch.notify.notification import Notification
from rolewatch.notify.pace import (
    KEPT,
    REASONS,
    Held,
    Pace,
    Rate,
    Reason,
    due,
    merged,
    offer,
    parse_rate,
    release,
)

TWO = Rate(2, 10 * MINUTE)


def told(number, kind="blocked", *, key=None, severity="high", left_out=0):
    """Make a notification about one finding; its incident has its number."""
    status = {"recovered": "recovered", "summary": "silent"}.get(kind, "blocked")
    alarm = {"NewStateValue": "ALARM"} if kind == "alarm" else None
    return Notification(
        id=f"{kind}-{number}",
        kind=kind,
        dedup_key=key or f"incident-{number}",
        time="2026-03-01T10:00:00Z",
        findings=() if alarm else (finding(number, status, severity=severity),),
        alarm=alarm,
        left_out=left_out,
    )


def offered(pace, *steps, rate=TWO):
    """Offer (minute, notification) one after the other; returns why each was sent or held, and the pace."""
    reasons = []
    for minute, notification in steps:
        result = offer(pace, notification, NOW + minute * MINUTE, rate)
        reasons.append(result.reason)
        pace = result.pace
    return reasons, pace


def test_so_many_are_sent_and_those_beyond_are_held_for_a_summary():
    """When the oldest of them is a period ago, what is held is released as one."""
    reasons, pace = offered(Pace(), (0, told(1)), (1, told(2)), (2, told(3)), (3, told(4)))
    assert reasons == ["within-rate", "within-rate", "beyond-rate", "behind-held"]
    assert due(pace, NOW, TWO) == NOW + 10 * MINUTE
    assert release(pace, NOW + 10 * MINUTE - timedelta(seconds=1), TWO) == ((), pace)
    ids, after = release(pace, NOW + 10 * MINUTE, TWO)
    assert (ids, after.held, due(after, NOW, TWO)) == (("blocked-3", "blocked-4"), (), None)
    assert after.told == ("incident-1", "incident-2")


def test_the_summary_counts_too():
    """In no period are more sent."""
    _, pace = offered(Pace(), (0, told(1)), (1, told(2)), (2, told(3)), (2, told(4)))
    pace = release(pace, NOW + 10 * MINUTE, TWO).pace
    assert offered(pace, (10, told(5)))[0] == ["beyond-rate"]
    assert offered(pace, (11, told(5)))[0] == ["within-rate"]


def test_while_some_are_held_those_that_follow_wait_with_them():
    """Also when there would be room: the order is kept, and it is one summary."""
    _, pace = offered(Pace(), (0, told(1)), (1, told(2)), (2, told(3)))
    assert offered(pace, (30, told(4)))[0] == ["behind-held"]


def test_a_single_one_is_sent_as_it_is():
    """A summary of one would say less; and its incident is open then, so its end is not held."""
    _, pace = offered(Pace(), (0, told(1)), (0, told(2)), (1, told(3)))
    ids, pace = release(pace, NOW + 10 * MINUTE, TWO)
    assert ids == ("blocked-3",)
    assert merged([told(3)], NOW) == told(3)
    assert offered(pace, (10, told(4)), (10, told(5)), (10, told(3, "recovered")))[0][-1] == "resolves"


def test_the_end_of_an_incident_that_was_told_is_never_held():
    """It would stay open in the target's tool; nor is it held when a crash has it offered twice."""
    _, pace = offered(Pace(), (0, told(1)), (1, told(2)), (2, told(3)))
    reasons, pace = offered(
        pace, (3, told(2, "recovered")), (3, told(1, "summary")), (3, told(2, "recovered"))
    )
    assert reasons == ["resolves", "resolves", "resolves"]
    assert pace.told == ("incident-2", "incident-1")


def test_what_opens_an_incident_twice_is_remembered_once():
    """As a crash may have it."""
    assert offered(Pace(), (0, told(1)), (0, told(1)))[1].told == ("incident-1",)


def test_incidents_that_are_over_are_forgotten_first():
    """The end of those that are open must not be held."""
    full = Pace(told=tuple(map(str, range(KEPT))))
    _, pace = offered(full, (0, told(9, "recovered", key="500")), (0, told(1)))
    assert (len(pace.told), "500" in pace.told, pace.told[0], pace.told[-1]) == (
        KEPT,
        False,
        "0",
        "incident-1",
    )


def test_the_end_of_what_is_in_a_summary_may_be_held():
    """No incident is open there."""
    _, pace = offered(Pace(), (0, told(1)), (1, told(2)), (2, told(3)), (3, told(4)))
    assert offered(pace, (4, told(3, "recovered")))[0] == ["behind-held"]
    pace = release(pace, NOW + 10 * MINUTE, TWO).pace
    assert offered(pace, (10, told(3, "recovered")))[0] == ["beyond-rate"]


def test_alarms_are_never_held_and_count():
    """A summary lists findings; an alarm is none."""
    reasons, pace = offered(Pace(), *((0, told(number, "alarm")) for number in range(5)), (1, told(9)))
    assert reasons == ["alarm"] * 5 + ["beyond-rate"]
    assert len(pace.sent) == 2


def test_a_flood_does_not_delay_what_is_critical():
    """Of that as many again are sent at once, and those beyond are held like all others."""
    flood = [(0, told(number)) for number in range(4)]
    reasons, _ = offered(Pace(), *flood, *((1, told(number, severity="critical")) for number in range(4, 8)))
    assert reasons[4:] == ["urgent", "urgent", "behind-held", "behind-held"]


def test_partial_recoveries_can_be_held():
    """They resolve nothing: their key is their own id."""
    _, pace = offered(Pace(), (0, told(1)), (0, told(2)), (0, told(3)))
    assert offered(pace, (1, told(1, "recovered", key="recovered-1")))[0] == ["behind-held"]


def test_without_a_rate_nothing_is_held():
    """And what was held when it was taken away is released."""
    assert set(offered(Pace(), *((0, told(number)) for number in range(50)), rate=None)[0]) == {"within-rate"}
    _, pace = offered(Pace(), (0, told(1)), (0, told(2)), (0, told(3)))
    assert (due(pace, NOW, None), release(pace, NOW, None).ids) == (NOW, ("blocked-3",))


def test_a_rate_that_was_raised_releases_at_once():
    """Settings can change while some are held."""
    _, pace = offered(Pace(), (0, told(1)), (0, told(2)), (0, told(3)))
    assert due(pace, NOW + MINUTE, Rate(3, 10 * MINUTE)) == NOW + MINUTE


def test_a_rate_that_was_lowered_holds():
    """The latest count."""
    _, pace = offered(Pace(), (0, told(1)), (5, told(2)))
    reasons, pace = offered(pace, (11, told(3)), rate=Rate(1, 10 * MINUTE))
    assert (reasons, due(pace, NOW + 11 * MINUTE, Rate(1, 10 * MINUTE))) == (
        ["beyond-rate"],
        NOW + 15 * MINUTE,
    )


def test_a_clock_that_is_put_back_holds_nothing_for_longer_than_a_period():
    """Times that lie ahead by more than a period are not waited for."""
    _, pace = offered(Pace(), (0, told(1)), (0, told(2)), (0, told(3)))
    assert due(pace, NOW - 60 * MINUTE, TWO) == NOW - 60 * MINUTE
    assert offered(Pace(sent=pace.sent), (-60, told(4)))[0] == ["within-rate"]


def test_it_can_be_stored():
    """As JSON, which is small."""
    _, pace = offered(Pace(), (0, told(1)), (0, told(2)), (0, told(3)), (0, told(4, severity="critical")))
    stored = msgspec.json.encode(pace)
    assert (msgspec.json.decode(stored, type=Pace), pace.held) == (pace, (Held("blocked-3", "incident-3"),))
    assert msgspec.json.decode(b"{}", type=Pace) == Pace()


def test_open_incidents_are_forgotten_at_last():
    """The state stays small, whatever happens."""
    _, pace = offered(Pace(), *((0, told(number)) for number in range(KEPT + 5)), rate=None)
    assert (len(pace.told), pace.told[0], len(pace.sent)) == (KEPT, "incident-5", 20)


def test_a_summary_has_each_finding_once_as_it_was_at_last():
    """What is over by now is not told as blocked; nothing that others had left out is forgotten."""
    held = [told(1), told(2, left_out=7), told(1, "recovered"), told(3, severity="critical")]
    one = merged(held, NOW)
    found = [(each["id"][-1], each["status"]) for each in one.findings]
    assert found == [("3", "blocked"), ("2", "blocked"), ("1", "recovered")]
    assert (one.kind, one.left_out, one.reason, one.dedup_key) == ("summary", 7, "beyond-rate", one.id)
    assert one.id == merged(held[::-1], NOW + MINUTE).id != merged(held[1:], NOW).id


def flood(*held):
    """Hold some beyond the rate and release them; returns the message that is made of them, and the pace after it."""
    reasons, pace = offered(Pace(), (0, told(98)), (0, told(99)), *((1, each) for each in held))
    assert set(reasons[2:]) <= {"beyond-rate", "behind-held"}
    later = NOW + 10 * MINUTE
    ids, pace = release(pace, later, TWO)
    assert ids == tuple(each.id for each in held)
    return merged(held, later), pace


def test_a_summary_of_one_incident_is_that_incident():
    """Ten batches of what one change has blocked: the summary is added to the incident, and ends with it."""
    held = [told(number, key="k") for number in range(4)]
    one, pace = flood(*held)
    assert (one.kind, one.dedup_key, one.opens, one.id) == ("summary", "k", True, merged(held, NOW).id)
    assert pace.told[-1] == "k"
    busy = offered(pace, (10, told(5)), (10, told(6)), (11, told(0, "recovered", key="k")))[0]
    assert busy == ["within-rate", "beyond-rate", "resolves"]


def test_a_summary_of_what_is_over_but_for_one_incident_is_that():
    """What has ended while it was held is no incident any more."""
    one, _ = flood(told(1, key="k"), told(2, key="j"), told(1, "recovered", key="k"))
    assert one.dedup_key == "j"


def test_a_summary_of_several_incidents_is_one_of_its_own():
    """The key of one of them would have it end while others are open."""
    one, pace = flood(told(1, key="k"), told(2, key="j"), told(3, key="k"))
    assert (one.dedup_key, one.opens, {"k", "j", one.id} & set(pace.told)) == (one.id, True, set())


def test_a_summary_of_what_is_over_opens_nothing():
    """All of it has ended while it was held, or was only listed."""
    one, pace = flood(told(1, key="k"), told(2, "summary"), told(1, "recovered", key="k"))
    assert (one.dedup_key, one.opens, one.ends, pace.told) == (
        one.id,
        False,
        False,
        ("incident-98", "incident-99"),
    )


def test_a_summary_of_what_is_blocked_is_an_incident_like_others():
    """Its end is not held, as the target was told of it."""
    backlog = msgspec.structs.replace(told(1, "summary", key="b"), findings=(finding(1),))
    _, pace = offered(Pace(), (0, backlog), (0, told(2)), (0, told(3)))
    assert pace.told == ("b", "incident-2")
    assert offered(pace, (1, told(1, "recovered", key="b")))[0] == ["resolves"]
    assert offered(Pace(), (0, told(1, "summary", key="s")))[1].told == ()


def test_a_summary_counts_what_it_does_not_list():
    """It has room for two hundred."""
    one = merged([told(number) for number in range(MOST + 3)], NOW)
    assert (len(one.findings), one.left_out) == (MOST, 3)


RATES = [
    ("20/10m", Rate(20, timedelta(minutes=10))),
    (" 1 / 30 s ", Rate(1, timedelta(seconds=30))),
    ("100/h", Rate(100, timedelta(hours=1))),
    ("5/2D", Rate(5, timedelta(days=2))),
    ("5/7d", Rate(5, timedelta(days=7))),
    ("off", None),
    ("OFF", None),
]


@pytest.mark.parametrize(("text", "expected"), RATES)
def test_rates(text, expected):
    """A number in a span, or none."""
    assert parse_rate(text) == expected


@pytest.mark.parametrize(
    "text", ["", "20", "0/10m", "20/0m", "20/10", "-1/h", "20/10w", "20/8d", "1.5/h", "٣/h", "\x1b/h"]
)
def test_what_is_no_rate_is_refused(text):
    """The place is named, and how to write it."""
    with pytest.raises(UsageError, match=r"\[rate\]: limit: .*(is no rate|more than a week)") as caught:
        parse_rate(text, "[rate]: limit")
    assert "\x1b" not in str(caught.value)


def test_every_reason_has_a_sentence():
    """For pages that show the outbox."""
    assert set(REASONS) == set(get_args(Reason))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["blocked", "reopened", "recovered", "summary", "alarm"]),
        st.integers(1, 6),
        st.sampled_from(["low", "critical"]),
        st.integers(0, 400),
        st.booleans(),
    ),
    max_size=80,
)


@given(STEPS, st.integers(1, 4))
def test_nothing_is_lost_and_no_period_has_more_than_the_rate(steps, limit):
    """Each is sent once, by itself or in one summary; those of one kind of haste are never more than the rate."""
    rate, now, pace = Rate(limit, 10 * MINUTE), NOW, Pace()
    sent, waiting, usual, urgent, open_there = [], [], [], [], set()
    for place, (kind, number, severity, seconds, looks) in enumerate(steps):
        now += timedelta(seconds=seconds)
        time = due(pace, now, rate)
        assert (time is None) == (not waiting)
        if looks and time is not None:
            ids, pace = release(pace, now, rate)
            assert list(ids) == (waiting if now >= time else [])
            if ids:
                sent += ids
                usual.append(now)
                waiting = []
        one = msgspec.structs.replace(told(number, kind, severity=severity), id=str(place))
        result = offer(pace, one, now, rate)
        pace = msgspec.json.decode(msgspec.json.encode(result.pace), type=Pace)
        if result.send:
            sent.append(one.id)
            {"within-rate": usual, "urgent": urgent}.get(result.reason, []).append(now)
            if kind in ("blocked", "reopened"):
                open_there.add(one.dedup_key)
            else:
                open_there.discard(one.dedup_key)
        else:
            waiting.append(one.id)
            assert kind != "alarm"
            assert kind in ("blocked", "reopened") or one.dedup_key not in open_there
        if waiting:
            assert due(pace, now, rate) <= now + rate.period
    assert sorted(sent + waiting, key=int) == [str(place) for place in range(len(steps))]
    assert [each.id for each in pace.held] == waiting
    for times in (usual, urgent):
        assert all(later - first >= rate.period for first, later in zip(times, times[limit:], strict=False))
