"""What is remembered of a log alarm from one stretch of time to the next: all that what it does depends on, and no more."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rolewatch.alarms.history import State
from rolewatch.alarms.log_evaluate import log_history, watched
from rolewatch.alarms.log_results import ALL, LogResults, results_of
from rolewatch.alarms.log_watch import LogWatch
from rolewatch.templates.definitions import Actions, LogAlarm, LogQuery, Place, Spelling, WarmUp
from rolewatch.watch import log_alarm_memory
from rolewatch.watch.log_alarm_memory import Memory

PLACE = Place("alarms.yaml", 3, 5, "Resources.L")
EVERY, RUNS = 300, 24
NAMES = tuple((("user", name),) for name in "abc")


def alarm(n, m, treat, warm_up=None):
    """Make a log alarm that runs every five minutes."""
    written = Spelling(PLACE, 0, ())
    query = LogQuery("filter errorCode = 'x'", "count(*)", (), EVERY, 600, 0, written, written)
    actions = Actions(alarm=("page", "arn:aws:ssm:x"), ok=("calm",), insufficient_data=("hm",))
    return LogAlarm(
        "L", "l", None, query, n, m, 1.0, "GreaterThanOrEqualToThreshold", treat, 0, warm_up, actions, PLACE
    )


VALUES = st.lists(st.sampled_from([None, None, 0.0, 1.0, 1.0]), min_size=RUNS, max_size=RUNS)
ALARMS = st.builds(
    lambda n, m, treat, warm_up: alarm(n, min(m, n), treat, warm_up),
    st.integers(1, 6),
    st.integers(1, 6),
    st.sampled_from(["missing", "ignore", "breaching", "notBreaching"]),
    st.one_of(st.none(), st.builds(WarmUp, st.integers(60, 4000), st.booleans())),
)


def results(values, *, grouped, otherwise=None):
    """Make results of a list of values for each contributor."""
    who = NAMES if grouped else (ALL,)
    found = {
        each: results_of({EVERY * run: value for run, value in enumerate(own, 1) if value is not None})
        for each, own in zip(who, values, strict=False)
    }
    kept = {each: own for each, own in found.items() if len(own.runs) or not grouped}
    return LogResults(grouped=grouped, contributors=kept, otherwise=otherwise)


def part(whole, start, end):
    """Take the results of the runs in a stretch of time, as a query gives them then."""
    found = {}
    for who, each in whole.contributors.items():
        inside = (each.runs > start) & (each.runs <= end)
        if inside.any() or not whole.grouped:
            found[who] = results_of(
                dict(zip(each.runs[inside].tolist(), each.values[inside].tolist(), strict=True))
            )
    return whole._replace(contributors=found)


def in_parts(watched_alarm, whole, cuts, begin):
    """Evaluate stretch by stretch, through what is kept in the state."""
    state, transitions, changes = State.INSUFFICIENT_DATA, [], []
    memory = Memory(begin)
    for start, end in zip([begin, *cuts], [*cuts, EVERY * RUNS], strict=True):
        memory = log_alarm_memory.decode(memory.encode())
        merged = memory.with_earlier(part(whole, start, end))
        watch = LogWatch(watched_alarm, merged, start, end, earlier=memory.earlier())
        if not len(watch.numbers):
            continue
        history = watched(watch, state)
        memory, state = log_alarm_memory.left(watch, memory), history.final
        transitions += history.transitions
        changes += history.contributors
        for _, runs, values in memory.results:
            assert len(runs) <= watched_alarm.evaluated
            assert not np.isnan(values).any()
    return transitions, changes


@settings(max_examples=400, deadline=None)
@given(
    ALARMS,
    st.lists(VALUES, min_size=3, max_size=3),
    st.booleans(),
    st.sampled_from([None, 0.0, 1.0]),
    st.lists(st.integers(1, EVERY * RUNS - 1), unique=True, max_size=12).map(sorted),
    st.sampled_from([0, 1, 299]),
)
def test_stretch_by_stretch(watched_alarm, values, grouped, otherwise, cuts, begin):  # noqa: PLR0917 - drawn
    """However time is cut, an alarm and its contributors do what they do in one go, for the same reasons."""
    cuts = [cut for cut in cuts if cut > begin]
    whole = results(values, grouped=grouped, otherwise=None if grouped else otherwise)
    expected = log_history(watched_alarm, whole, start=begin, end=EVERY * RUNS, initial={})
    transitions, changes = in_parts(watched_alarm, whole, cuts, begin)
    assert transitions == list(expected.transitions)
    assert changes == list(expected.contributors)


def test_a_query_that_is_changed():
    """Its old results count no more; for contributors that ring it is over when the new query does not name them."""
    one = alarm(3, 1, "missing")
    whole = results([[1.0] * RUNS], grouped=True)
    watch = LogWatch(one, part(whole, 0, 900), 0, 900, earlier=Memory(0).earlier())
    memory = log_alarm_memory.left(watch, Memory(0, told=(NAMES[0],)))
    assert (memory.ringing, len(memory.results)) == ((NAMES[0],), 1)
    other = memory.of_another_query(900)
    assert (other.results, other.ringing, other.told, other.since) == ((), (NAMES[0],), (NAMES[0],), 900)
    nothing = LogResults(grouped=True, contributors={})
    history = watched(
        LogWatch(one, other.with_earlier(nothing), 900, 1200, earlier=other.earlier()), State.ALARM
    )
    (over,) = history.contributors
    assert (over.attributes, over.change.time, over.change.before, over.change.after) == (
        NAMES[0], 1200, State.ALARM, State.OK,
    )  # fmt: skip


def test_a_clock_that_is_put_back():
    """What was evaluated later is forgotten."""
    memory = Memory(600, ((NAMES[0], (900, 1200), (1.0, 2.0)), (NAMES[1], (1200,), (3.0,))), full=4)
    found = memory.before(900)
    assert found == Memory(600, ((NAMES[0], (900,), (1.0,)),))
    assert memory.before(1200) is memory
    assert memory.before(300).since == 300


def test_a_memory_of_another_version():
    """Is none."""
    assert log_alarm_memory.decode(b"\x81\xa1x\x01") is None
    assert log_alarm_memory.decode(b"nonsense") is None


def test_hostile_attributes():
    """Whatever is in a record comes back as it was, and has a name of one length."""
    who = (("a", "x" * 100_000), ("b", '"\\\x00\n\u2028é'))
    assert log_alarm_memory.read(log_alarm_memory.written(who)) == who
    assert len(log_alarm_memory.digest_of(who)) == 16
    assert log_alarm_memory.decode(Memory(1, ringing=(who,)).encode()) == Memory(1, ringing=(who,))
