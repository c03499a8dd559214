"""What is kept for log alarms, in SQLite and in PostgreSQL."""

from rolewatch.store import alarms, log_alarms
from rolewatch.store.log_alarms import LogAlarmRow, Record

ONE, TWO = bytes(16), bytes([255] * 16)


def record(time=1000, mark=1, *, seen=0, number=1, query=ONE, message=None):
    """Make a record."""
    return Record(query, time, bytes([mark] * 16), seen, number, b"fields", message)


def loaded(state, query=ONE, since=0, before=1 << 62):
    """Load records."""
    return state.read(lambda connection: log_alarms.load(connection, query, since, before))


def add(state, *records):
    """Add records."""
    state.write(lambda connection: log_alarms.add(connection, records))


def test_records(state):
    """Add up where they are the same and seen at the same time; they come in order, of the query and time asked for."""
    add(state, record(3000), record(1000, 2), record(1000, 1), record(1000, 1, query=TWO))
    add(state, record(1000, 1, number=2), record(1000, 1, seen=60))
    add(state)
    assert loaded(state) == [
        record(1000, 1, number=3), record(1000, 1, seen=60), record(1000, 2), record(3000),
    ]  # fmt: skip
    assert loaded(state, TWO) == [record(1000, 1, query=TWO)]
    assert loaded(state, ONE, 1001, 3000) == []
    assert loaded(state, ONE, 3000, 3001) == [record(3000)]


def test_messages(state):
    """Come the newest first, each as often as it counts, and not before they are seen; those that have one."""
    add(
        state, record(1000, 1, message=b"old"), record(2000, 1, message="é\0".encode()), record(2000, 2, number=2, message=b"twice"),
        record(2500, message=b"later", seen=61), record(2600), record(3000, message=b"out"),
    )  # fmt: skip

    def newest(run, number):
        return state.read(lambda connection: log_alarms.newest(connection, ONE, (1000, 3000), run, number))

    assert newest(60, 3) == [b"twice", b"twice", "é\0".encode()]
    assert newest(61, 2) == [b"later", b"twice"]
    assert newest(61, 50) == [b"later", b"twice", b"twice", "é\0".encode(), b"old"]


def test_what_is_forgotten(state):
    """Records of each query before a time of its own; all of a query that is not known; all that is very old."""
    add(state, record(1000), record(2000), record(1000, query=TWO), record(2000, query=TWO))
    state.write(lambda connection: log_alarms.expire(connection, {ONE: 2000, TWO: 1000}))
    assert [loaded(state), len(loaded(state, TWO))] == [[record(2000)], 2]
    state.write(lambda connection: log_alarms.forget(connection, [ONE]))
    assert [len(loaded(state)), loaded(state, TWO)] == [1, []]
    add(state, record(2000, query=TWO), record(2001, query=TWO))
    state.write(lambda connection: log_alarms.expire_all(connection, 2001))
    assert [loaded(state), loaded(state, TWO)] == [[], [record(2001, query=TWO)]]
    state.write(lambda connection: log_alarms.forget(connection, []))
    assert loaded(state, TWO) == []


def test_what_is_seen_at_once(state):
    """What was not to be seen before a later time, with what is the same and seen already."""
    add(state, record(number=2), record(seen=60, number=3, message=b"m"), record(seen=120, number=4))
    state.write(lambda connection: log_alarms.show(connection, 60))
    assert loaded(state) == [record(number=6), record(seen=60, number=3)]


def test_memories(state):
    """Are written over, and go with their alarm."""
    rows = [LogAlarmRow("a", ONE, b"1"), LogAlarmRow("b", ONE, b"2")]
    state.write(lambda connection: log_alarms.save(connection, rows))
    changed = LogAlarmRow("a", TWO, b"\0\xff")
    state.write(lambda connection: log_alarms.save(connection, [changed]))
    state.write(lambda connection: log_alarms.save(connection, []))
    assert state.read(log_alarms.memories) == {"a": changed, "b": rows[1]}
    state.write(lambda connection: alarms.forget(connection, ["a"]))
    assert state.read(log_alarms.memories) == {"b": rows[1]}
