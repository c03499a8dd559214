"""Rows of findings: locked while they are changed, listed page by page."""

import threading

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolewatch.store import findings
from rolewatch.store.findings import FindingRow, Wanted
from rolewatch.store.migrations import prepare
from rolewatch.store.state import State


def row(number, **fields):
    """Make a row."""
    made = {
        "id": f"{number:016x}", "account": "111122223333", "service": "config.amazonaws.com", "resource": f"arn:aws:s3:::b{number}",
        "status": "blocked", "verdict": "unknown", "own": 3, "severity": 3, "place": 7, "first_denied": "2026-03-01T10:00:00Z",
        "last_denied": "2026-03-01T10:00:00Z", "due": None, "incident": None, "opened": None, "alike": None,
        "changed": number, "tally": b"t", "proofs": b"p", "life": "{}", "document": "{}",
    }  # fmt: skip
    return FindingRow(**(made | fields))


def test_a_second_writer_waits_also_for_what_has_no_row_yet(state):
    """Two that find the same new resource at once add up: the second one sees what the first has written."""
    began, seen = threading.Event(), []

    def first(connection):
        assert findings.load(connection, [row(1).id]) == {}
        began.set()
        waiting.wait(0.3)
        findings.save(connection, [row(1)])

    def second(connection):
        seen.append(findings.load(connection, [row(1).id]))

    waiting = threading.Event()
    threads = [threading.Thread(target=state.write, args=(work,)) for work in (first, second)]
    threads[0].start()
    began.wait()
    threads[1].start()
    for thread in threads:
        thread.join()
    assert seen == [{row(1).id: row(1)}]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30),
    size=st.integers(1, 7),
)
def test_pages_hold_each_finding_once_in_order(tmp_path_factory, rows, size):
    """However many are equal in what they are sorted by, page after page gives all of them, the worst and latest first."""
    state = State(str(tmp_path_factory.mktemp("state")))
    prepare(state)
    made = [
        row(number, place=place, last_denied=f"2026-03-0{day + 1}T10:00:00Z")
        for number, (place, day) in enumerate(rows)
    ]
    state.write(lambda connection: findings.save(connection, made))
    found, after = [], None
    while page := state.read(
        lambda connection, after=after: findings.page(connection, Wanted(after=after), size)
    ):
        found += [each.id for each in page]
        after = (page[-1].place, page[-1].last_denied, page[-1].id)
    expected = sorted(made, key=lambda each: each.id)
    expected.sort(key=lambda each: (each.place, each.last_denied), reverse=True)
    assert found == [each.id for each in expected]
    assert state.read(lambda connection: findings.count(connection, Wanted())) == len(made)
    state.close()


def test_what_is_due(state):
    """Findings whose status becomes final are given for the event time of their own account."""
    made = [
        row(1, due="2026-03-01T10:15:00Z"),
        row(2, due="2026-03-01T10:30:00Z"),
        row(3, due="2026-03-01T10:15:00Z", account="9"),
        row(4),
    ]
    state.write(lambda connection: findings.save(connection, made))
    assert state.read(
        lambda connection: findings.due(
            connection, {"111122223333": "2026-03-01T10:20:00Z", "9": "2026-03-01T10:14:59Z"}
        )
    ) == [row(1).id]


def test_what_is_stale(state):
    """Blocked findings without an attempt for long, and no others; one without a time is never."""
    made = [
        row(1, last_denied="2026-02-01T00:00:00Z"),
        row(2, last_denied="2026-02-01T00:00:00Z", status="recovered"),
        row(3, last_denied=""),
        row(4),
    ]
    state.write(lambda connection: findings.save(connection, made))
    assert state.read(lambda connection: findings.stale(connection, "2026-02-20T00:00:00Z", 10)) == [
        row(1).id
    ]


def test_incidents(state):
    """The one of a digest that was opened last, if not too long ago; of members no more are counted than matter."""
    made = [
        row(1, incident="old", opened=1000, alike="a"),
        row(2, incident="new", opened=2000, alike="a"),
        row(3, incident="new", opened=2000, alike="a", status="silent"),
        row(4, incident="other", opened=3000, alike="b"),
        row(5, incident="summary", opened=4000),
        row(6),
    ]
    state.write(lambda connection: findings.save(connection, made))

    def asked(connection):
        latest = [findings.open_incident(connection, "a", since) for since in (0, 2000, 2001)]
        counts = [findings.members(connection, name, 2) for name in ("old", "new", "unheard of")]
        return latest, counts, findings.members(connection, "new", 1)

    assert state.read(asked) == ([("new", 2000), ("new", 2000), None], [1, 2, 0], 1)


def test_what_is_told_to_be_blocked_is_not_forgotten(state):
    """Its incident would never end."""
    made = [row(1, status="recovered", incident="i", opened=1), row(2, status="recovered"), row(3)]
    state.write(lambda connection: findings.save(connection, made))
    assert state.write(lambda connection: findings.expire(connection, ("recovered",), 100)) == 1
    assert state.read(lambda connection: sorted(findings.names(connection))) == [row(1).id, row(3).id]
