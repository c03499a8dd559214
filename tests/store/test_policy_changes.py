"""Changes of policies as they are kept, in SQLite and in PostgreSQL."""

import threading

import pytest
from test_store_findings import row as finding_row

from rolewatch.store import findings, policy_changes
from rolewatch.store.migrations import prepare
from rolewatch.store.policy_changes import ChangeRow
from rolewatch.store.state import State

BUCKET = "arn:aws:s3:::b"
#: What no database takes as it is, and what is too long for an index.
STRANGE = ("arn:aws:s3:::\0\ud800", "arn:aws:s3:::" + "".join(chr(0x4E00 + n) for n in range(4000)))


def change(day, event="e", resource=BUCKET, **fields):
    """Make a change on a day of March."""
    made = {
        "time": f"2026-03-{day:02}T10:00:00Z", "resource": resource, "event_name": "PutBucketPolicy", "principal": "ann",
        "source_ip": None, "user_agent": None, "event_id": event, "shared_id": None, "policy": '{"Statement":[]}',
    }  # fmt: skip
    return ChangeRow(**(made | fields))


def add(state, *rows):
    """Keep changes; returns what is new."""
    return state.write(lambda connection: policy_changes.add(connection, rows))


def last(state, resource=BUCKET, until="2026-12-31T00:00:00Z", number=9):
    """Give the last changes."""
    return state.read(lambda connection: policy_changes.last(connection, resource, until, number))


def known(state, *resources):
    """Give the resources of which something is kept."""
    return state.read(lambda connection: policy_changes.known(connection, resources))


def expire(state, day):
    """Forget changes before a day; returns how many."""
    return state.write(lambda connection: policy_changes.expire(connection, f"2026-03-{day:02}T00:00:00Z"))


def about(state, **days):
    """Give the findings of buckets that began on a day or later."""
    times = {f"arn:aws:s3:::{name}": f"2026-03-{day:02}T10:00:00Z" for name, day in days.items()}
    return state.read(lambda connection: findings.about(connection, times))


def began(state, *days, resource=BUCKET):
    """Keep findings that began on some days."""
    rows = [
        finding_row(n, resource=resource, first_denied=day and f"2026-03-{day:02}T12:00:00Z")
        for n, day in enumerate(days)
    ]
    state.write(lambda connection: findings.save(connection, rows))
    return [row.id for row in rows]


def test_a_change_is_kept_once(state):
    """What is there adds nothing; of what is new, the first time of each resource is told."""
    assert known(state, BUCKET) == set()
    first, second, other = change(2, "a"), change(1, "b"), change(5, "c", "arn:aws:s3:::c")
    assert add(state, first, second, other, first) == {
        BUCKET: second.time, "arn:aws:s3:::c": other.time,
    }  # fmt: skip
    assert add(state, first, second._replace(principal="eve")) == {}
    assert add(state, first, change(9, "d")) == {BUCKET: "2026-03-09T10:00:00Z"}
    assert add(state) == {}
    assert known(state, BUCKET, "arn:aws:s3:::none") == {BUCKET}
    assert [row.event_id for row in last(state)] == ["d", "a", "b"]
    assert last(state)[-1] == second


def test_the_last_changes_up_to_a_time(state):
    """Of one resource, the latest first, that time included; those of one second in the same order always."""
    rows = [change(day, f"e{day}") for day in (3, 1, 2)]
    add(state, *rows, change(2, "x", "arn:aws:s3:::c"))
    assert [row.event_id for row in last(state, until="2026-03-02T10:00:00Z")] == ["e2", "e1"]
    assert [row.event_id for row in last(state, number=1)] == ["e3"]
    together = [change(9, f"t{n}") for n in range(5)]
    add(state, *together[:2])
    add(state, *together[2:])
    orders = [row.event_id for row in last(state, number=5)]
    assert sorted(orders) == ["t0", "t1", "t2", "t3", "t4"]
    state.write(lambda connection: policy_changes.expire(connection, "9"))
    add(state, *reversed(together))
    assert [row.event_id for row in last(state, number=5)] == orders


def test_calls_that_are_passed_over(state):
    """The last one that counts is found behind any number of others, and those before it come with it."""
    put, grants = (
        change(1, "p"),
        [change(n, f"g{n}", event_name="CreateGrant", policy=None) for n in range(2, 30)],
    )
    add(state, put, *grants)

    def asked(*passed_over, until="2026-12-31T00:00:00Z"):
        found = state.read(
            lambda connection: policy_changes.last(connection, BUCKET, until, 3, passed_over=passed_over)
        )
        return [row.event_id for row in found]

    assert asked() == ["g29", "g28", "g27"]
    assert asked("CreateGrant") == ["p"]
    assert asked("CreateGrant", "Put") == ["p"]  # which sets a policy
    assert asked("Create_rant", "%") == ["g29", "g28", "g27"]
    assert asked("CreateGrant", until="2026-02-01T00:00:00Z") == []


@pytest.mark.parametrize("resource", STRANGE, ids=["no text", "very long"])
def test_resources_of_any_name(state, resource):
    """What an attacker calls a resource is kept under it, and its findings are found."""
    add(state, change(1, resource=resource, principal="a\0b", event_id="\ud800"))
    assert known(state, resource) == {resource}
    assert [row.principal for row in last(state, resource)] == ["a\ufffdb"]
    (name,) = began(state, 3, resource=resource)
    asked = {resource: "2026-03-01T10:00:00Z"}
    assert state.read(lambda connection: findings.about(connection, asked)) == [name]


def test_findings_of_resources(state):
    """Those that began at a time or later, or nobody knows when; also where a name begins as another one does."""
    early, late, unknown = began(state, 1, 5, "")
    alike = "x" * 300
    state.write(
        lambda connection: findings.save(
            connection,
            [finding_row(9, resource=f"arn:aws:s3:::{alike}1", first_denied="2026-03-05T00:00:00Z")],
        )
    )
    assert sorted(about(state, b=1)) == sorted([early, late, unknown])
    assert sorted(about(state, b=2)) == sorted([late, unknown])
    assert about(state, c=1) == about(state) == []
    assert about(state, **{f"{alike}1": 1}) == [f"{9:016x}"]
    assert about(state, **{f"{alike}2": 1}) == []


def test_what_is_forgotten(state):
    """What is old, but for the last two of each resource, and the last two up to the first denial of a finding."""
    add(state, *(change(day, f"e{day}") for day in range(1, 11)), change(1, "o", "arn:aws:s3:::c"))
    assert expire(state, 1) == 0
    began(state, 4)
    assert expire(state, 20) == 6
    assert [row.event_id for row in last(state)] == ["e10", "e9", "e4", "e3"]
    assert expire(state, 20) == 0
    assert known(state, "arn:aws:s3:::c")
    state.write(lambda connection: findings.delete(connection, [f"{0:016x}"]))
    assert expire(state, 4) == 1
    assert expire(state, 20) == 1
    assert [row.event_id for row in last(state)] == ["e10", "e9"]


def test_a_change_and_a_denial_wait_for_each_other(postgres):
    """Who brings a change of a resource waits for whoever looks at it; those who only look do not wait."""
    state = State(postgres.database())
    prepare(state)
    looking, done, order = threading.Event(), threading.Event(), []

    def looks(connection):
        policy_changes.hold(connection, (), [BUCKET])
        looking.set()
        done.wait(0.3)
        order.append("looked")

    def looks_too(connection):
        policy_changes.hold(connection, (), [BUCKET])
        order.append("looked too")

    def changes(connection):
        policy_changes.hold(connection, [BUCKET], [BUCKET, "arn:aws:s3:::c"])
        order.append("changed")

    first = threading.Thread(target=state.write, args=(looks,))
    first.start()
    looking.wait()
    second = threading.Thread(target=state.write, args=(changes,))
    state.write(looks_too)
    second.start()
    first.join()
    second.join()
    assert order == ["looked too", "looked", "changed"]
    state.close()
