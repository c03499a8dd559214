"""Alarm mute rules: when actions are muted, and what becomes of them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from alarmed import DAY, HOUR, MINUTE, PLACE, alarm, composite, data, told
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rolewatch.alarms.evaluate import replay
from rolewatch.alarms.history import History, State, Transition
from rolewatch.alarms.mute import muted
from rolewatch.templates.definitions import AlarmMuteRule
from rolewatch.templates.schedule import parse_schedule

OK, ALARM = State.OK, State.ALARM
PAGE, CALM, NOTHING = ("page",), ("calm",), ()


def rule(expression="at(1970-01-01T00:10)", minutes=10, timezone="UTC", name="r", **more):
    """Make a rule that mutes the alarm a, for ten minutes from 600 unless told otherwise."""
    fields = {"targets": ("a",), "start": None, "expire": None, "place": PLACE} | more
    return AlarmMuteRule("R", name, expression, minutes * 60, timezone, **fields)


def at(*shown, zone=UTC):
    """Return epoch seconds."""
    return int(datetime(*shown, tzinfo=zone).timestamp())


def acted(states, *rules, end=10_000, initial=OK):
    """Give for each change (time → state) what it invokes, when that is later, and what held it back."""
    changes, before = [], initial
    for time, after in states.items():
        actions = {ALARM: PAGE, OK: CALM}.get(after, NOTHING)
        changes.append(Transition(time, before, after, "", None, actions))
        before = after
    (history,) = muted([History(alarm(), 0, end, initial, tuple(changes))], rules)
    assert [(change.time, change.after) for change in history.transitions] == list(states.items())
    return [(change.actions, change.acted_at, change.suppressed_by) for change in history.transitions]


FREE_PAGE, FREE_CALM = (PAGE, None, None), (CALM, None, None)
HELD = NOTHING, None, "AlarmMuteRule r"


@pytest.mark.parametrize(("states", "expected"), [
    ({540: ALARM}, [FREE_PAGE]),
    ({600: ALARM}, [(PAGE, 1200, "AlarmMuteRule r")]),
    ({1199: ALARM}, [(PAGE, 1200, "AlarmMuteRule r")]),
    ({1200: ALARM}, [FREE_PAGE]),
    ({660: ALARM, 720: OK}, [HELD, (CALM, 1200, "AlarmMuteRule r")]),
    ({660: ALARM, 1200: OK}, [HELD, FREE_CALM]),
    ({660: ALARM, 1260: OK}, [(PAGE, 1200, "AlarmMuteRule r"), FREE_CALM]),
    ({540: ALARM, 660: OK, 720: ALARM}, [FREE_PAGE, HELD, (PAGE, 1200, "AlarmMuteRule r")]),
    ({660: ALARM, 720: State.INSUFFICIENT_DATA}, [HELD, (NOTHING, None, None)]),
])  # fmt: skip
def test_one_window(states, expected):
    """States change; actions wait for the end of the window, and run if the alarm is still in that state then."""
    assert expected == acted(states, rule())


def test_the_end_of_the_replay():
    """Actions that would run after the end do not."""
    assert acted({660: ALARM}, rule(), end=1199) == [HELD]
    assert acted({660: ALARM}, rule(), end=1200) == [(PAGE, 1200, "AlarmMuteRule r")]


def test_other_alarms():
    """A rule mutes the alarms that it names."""
    assert acted({660: ALARM}, rule(targets=("b",))) == [FREE_PAGE]
    assert acted({660: ALARM}, rule(targets=())) == [FREE_PAGE]
    assert acted({660: ALARM}, rule(targets=("b", "a"))) == [(PAGE, 1200, "AlarmMuteRule r")]


def test_windows_that_touch():
    """Windows without a pause between them are one; the rule that ends last is named."""
    later = rule("at(1970-01-01T00:20)", name="s")
    inside = rule("at(1970-01-01T00:12)", 3, name="t")
    assert acted({660: ALARM}, later, inside, rule()) == [(PAGE, 1800, "AlarmMuteRule s")]
    assert acted({660: ALARM}, rule("at(1970-01-01T00:21)", name="s"), rule()) == [(PAGE, 1200, "AlarmMuteRule r")]  # fmt: skip
    assert acted({660: ALARM, 1230: OK, 3900: ALARM}, rule("cron(10,20 * * * *)")) == [HELD, (CALM, 1800, "AlarmMuteRule r"), FREE_PAGE]  # fmt: skip
    assert acted({660: ALARM}, rule("cron(* * * * *)", 1), end=400 * DAY) == [HELD]


def test_start_and_expiry():
    """A rule is in effect from its start to before its expiry, in the middle of a window, too."""
    assert acted({640: ALARM, 660: OK}, rule(start=650)) == [FREE_PAGE, (CALM, 1200, "AlarmMuteRule r")]
    assert acted({640: ALARM}, rule(expire=700)) == [(PAGE, 700, "AlarmMuteRule r")]
    assert acted({700: ALARM}, rule(expire=700)) == [FREE_PAGE]


def test_clocks():
    """A schedule is in its time zone; a window lasts as long by any clock, also when clocks are put back meanwhile."""
    berlin = rule("cron(0 1 * * *)", 180, "Europe/Berlin")
    start = at(2026, 10, 25, 1, zone=ZoneInfo("Europe/Berlin"))
    end = start + 2 * DAY
    assert acted({start: ALARM}, berlin, end=end) == [(PAGE, start + 3 * HOUR, "AlarmMuteRule r")]
    assert acted({start - MINUTE: ALARM}, berlin, end=end) == [FREE_PAGE]
    skipped = rule("cron(30 2 * * *)", 60, "Europe/Berlin")
    spring = at(2026, 3, 29, 1)  # when 2:00 is followed by 3:00
    assert acted({spring: ALARM, spring + HOUR: OK}, skipped, end=end) == [FREE_PAGE, FREE_CALM]
    assert acted({spring + DAY - MINUTE: ALARM}, skipped, end=end) == [(PAGE, spring + DAY + HOUR // 2, "AlarmMuteRule r")]  # fmt: skip


def literal(mute, time):
    """Say whether a rule mutes at a time: whether a window began in the time before it, minute by minute."""
    if not (mute.start or time) <= time < (mute.expire or time + 1):
        return False
    zone, cron = ZoneInfo(mute.timezone), parse_schedule(mute.expression)
    for begun in range(time // 60 * 60, time - mute.duration, -60):
        shown = datetime.fromtimestamp(begun, zone)
        days = shown.day in cron.days, shown.isoweekday() % 7 in cron.weekdays
        if shown.fold or shown.minute not in cron.minutes or shown.hour not in cron.hours or shown.month not in cron.months:  # fmt: skip
            continue
        if any(days) if cron.either else all(days):
            return True
    return False


FIELDS = [["0", "*", "5,35", "58-59"], ["*", "2", "1-3", "22,23"], ["*", "1", "28-31"], ["*", "3,10", "FEB"], ["*", "SUN", "MON-FRI", "6-7"]]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(*map(st.sampled_from, FIELDS)),
    st.sampled_from([1, 7, 59, 60, 61, 180, 1440, 1500, 4000]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    st.tuples(st.sampled_from([(2026, 3, 29), (2026, 10, 25), (2026, 2, 28), (2026, 3, 8), (2026, 12, 31), (1969, 12, 31), (2026, 4, 5)]), st.integers(-2000, 2000)),
    st.tuples(*[st.none() | st.integers(-1000, 1000)] * 2),
)  # fmt: skip
@example(("0", "2", "*", "*", "*"), 60, "Europe/Berlin", ((2026, 3, 29), 60), (None, None))
def test_windows_are_those_of_the_literal_rule(fields, minutes, zone, when, bounds):
    """An alarm that goes off at some minute pages at once, or at the first minute in which nothing mutes it."""
    middle, shift = at(*when[0]), when[1]
    start, expire = (None if bound is None else middle + bound * 60 for bound in bounds)
    mute = rule(f"cron({' '.join(fields)})", minutes, zone, start=start, expire=expire)
    time = middle + shift * 60
    until = time
    while until <= time + DAY and literal(mute, until):
        until += 60
    ((actions, acted_at, by),) = acted({time: ALARM}, mute, end=time + DAY)
    if until == time:
        assert (actions, acted_at, by) == FREE_PAGE
    elif until <= time + DAY:
        assert (actions, acted_at, by) == (PAGE, until, "AlarmMuteRule r")
    else:
        assert (actions, acted_at, by) == HELD


def test_a_replay_with_rules():
    """Rules mute plain and composite alarms; the state of a muted alarm still counts for others."""
    rules = [rule("at(1970-01-01T00:00)", targets=("a", "nobody"))]
    watched, above = alarm(), composite("ALARM(a)")
    histories, notices = replay([watched], [above], data([1, 1]), start=0, end=900, mute_rules=rules)
    assert [(notice.level, notice.message, notice.place) for notice in notices] == [
        ("warning", "r mutes nobody, which is no alarm here", PLACE)
    ]
    assert [
        [(change.time, str(change.after), change.actions, change.acted_at) for change in history.transitions]
        for history in histories
    ] == [
        [(60, "ALARM", NOTHING, None), (300, "INSUFFICIENT_DATA", ("hm",), 600)],
        [(60, "ALARM", PAGE, None), (300, "OK", CALM, None)],
    ]


def test_a_suppressor_and_a_rule():
    """What a suppressor lets go within a window waits for the window's end."""
    above = composite("ALARM(a)", "a", suppressor="quiet", wait_period=120, extension_period=60)
    quiet = alarm(name="quiet", threshold=99.0)
    for minutes, expected in ((1, (PAGE, 180, "WaitPeriod")), (5, (PAGE, 300, "AlarmMuteRule r"))):
        rules = [rule("at(1970-01-01T00:00)", minutes, targets=("c",))]
        watched = [alarm(treat="ignore"), quiet]
        histories, _ = replay(
            watched, [above._replace(name="c")], data([1]), start=0, end=900, mute_rules=rules
        )
        (change,) = histories[-1].transitions
        assert expected == (change.actions, change.acted_at, change.suppressed_by)


def test_rules_of_alarms_that_failed():
    """An alarm that cannot be evaluated is no unknown one."""
    _, (notice,) = replay([alarm(45)], [], {}, start=0, end=60, mute_rules=[rule()])
    assert notice.level == "error"


def test_no_rules():
    """Without rules nothing is held back."""
    assert [change.acted_at for change in told(alarm(), data([1]), 600)] == [None, None]
