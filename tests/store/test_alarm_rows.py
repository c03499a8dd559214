"""Alarms in the store: their states, what they did, and who may evaluate them."""

import threading

from rolewatch.store import alarms
from rolewatch.store.alarms import AlarmRow, TransitionRow

ROW = AlarmRow("a", "metric", "arn:a", None, b"d" * 16, 60, 60, "OK", 60, "why", None, open=False)
CHANGE = TransitionRow(
    "a", 120, "OK", "ALARM", "why", "{}", '["page"]', 120, None, waiting=False, notification="n"
)


def test_states(state):
    """Those that ring come first; an alarm that is written again is changed; one that is forgotten is gone with what it did."""
    rows = [
        ROW,
        ROW._replace(name="b", state="ALARM", open=True),
        ROW._replace(name="c", state="INSUFFICIENT_DATA"),
    ]

    def work(connection):
        alarms.save(connection, rows)
        alarms.save(connection, [ROW._replace(reason="other", reason_data="{}")])
        alarms.record(connection, [CHANGE, CHANGE._replace(alarm="b")])

    state.write(work)
    found = state.read(alarms.alarm_states)
    assert found == [rows[1], rows[2], ROW._replace(reason="other", reason_data="{}")]
    state.write(lambda connection: alarms.forget(connection, ["a", "nobody"]))
    assert [row.name for row in state.read(alarms.alarm_states)] == ["b", "c"]
    assert [row.alarm for row in state.read(alarms.history)] == ["b"]


def test_changes(state):
    """They come by alarm or all together, the latest first, a page at a time; what waits is remembered until it does not."""
    waits = CHANGE._replace(
        time=60, acted=None, suppressed_by="Alarm", waiting=True, notification=None, reason_data=None
    )
    others = [CHANGE._replace(alarm="b", time=time) for time in (60, 180, 240)]
    state.write(lambda connection: alarms.record(connection, [CHANGE, waits, *others]))
    assert state.read(alarms.waiting) == [waits]
    assert state.read(alarms.history) == [others[2], others[1], CHANGE, waits, others[0]]
    assert state.read(lambda connection: alarms.history(connection, "b", 2)) == [others[2], others[1]]
    assert state.read(lambda connection: alarms.history(connection, after=(120, "z", b""))) == [
        waits,
        others[0],
    ]
    assert state.read(lambda connection: alarms.since(connection, "b", 180)) == others[1:]
    assert state.write(lambda connection: alarms.expire(connection, 180)) == 2
    assert state.read(alarms.history) == [others[2], others[1], waits]
    state.write(lambda connection: alarms.record(connection, [waits._replace(waiting=False)]))
    assert state.read(alarms.waiting) == []


def test_how_far_evaluation_has_come(state):
    """Nothing is known of it at first."""
    assert state.read(alarms.evaluated) is None
    for until in (60, 120):
        state.write(lambda connection, until=until: alarms.keep_evaluated(connection, until))
        assert state.read(alarms.evaluated) == until


def test_one_evaluates_at_a_time(state):
    """In a database that watchers share, the second one is told that another is at it."""
    claimed, go, found = threading.Event(), threading.Event(), []

    def hold(connection):
        found.append(alarms.claim(connection))
        claimed.set()
        go.wait(30)

    thread = threading.Thread(target=state.write, args=(hold,))
    thread.start()
    claimed.wait(30)
    if state.shared:
        found.append(state.write(alarms.claim))
    go.set()
    thread.join()
    found.append(state.write(alarms.claim))
    assert found == ([True, False, True] if state.shared else [True, True])


def test_changes_of_contributors(state):
    """Lie beside the alarm's own of the same time, and are no part of what it did itself."""
    own = CHANGE._replace(
        contributor=bytes([7] * 16), attributes='[["a", "b"]]', lines='["line"]', waiting=True
    )
    state.write(lambda connection: alarms.record(connection, [CHANGE, own]))
    assert state.read(alarms.history) == [CHANGE, own]
    assert state.read(alarms.waiting) == [own]
    assert state.read(lambda connection: alarms.since(connection, CHANGE.alarm, 0)) == [CHANGE]
    done = own._replace(waiting=False, acted=99)
    state.write(lambda connection: alarms.record(connection, [done]))
    assert state.read(alarms.history) == [CHANGE, done]
    state.write(lambda connection: alarms.forget(connection, [CHANGE.alarm]))
    assert state.read(alarms.history) == []
