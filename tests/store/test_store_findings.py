"""Rows of findings: locked while they are changed, listed page by page."""

import threading

from rolewatch.store import findings
from rolewatch.store.findings import FindingRow


def row(number, **fields):
    """Make a row."""
    made = {
        "id": f"{number:016x}", "account": "111122223333", "service": "config.amazonaws.com", "resource": f"arn:aws:s3:::b{number}",
        "status": "blocked", "verdict": "unknown", "cause": "explicit/resource-based", "blamed": None, "own": 3, "severity": 3, "place": 7, "first_denied": "2026-03-01T10:00:00Z",
        "last_denied": "2026-03-01T10:00:00Z", "ended": None, "due": None, "incident": None, "opened": None, "alike": None,
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
