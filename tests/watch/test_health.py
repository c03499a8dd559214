"""Probes: whether a watcher goes on, and whether its state and its sources answer, by a clock that tests set."""

from types import SimpleNamespace

from givers import Given

from rolewatch.watch.feed import Given as GivenArrival
from rolewatch.watch.health import STALE, TROUBLED, Pulse
from rolewatch.watch.observer import AT_MOST, Committed
from rolewatch.watch.register import Changed


class Clock:
    """A clock that only goes on when a test says so."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        """Give the seconds."""
        return self.now


def pulse():
    """Make a pulse, and the clock that it goes by."""
    clock = Clock()
    return Pulse(clock), clock


def polled(**seconds):
    """Stand for sources, each silent for some seconds."""
    return SimpleNamespace(silent_for=lambda: seconds)


def test_alive_for_as_long_as_a_turn_may_take():
    """A turn that is overdue means that the watcher is stuck; what takes longer says so before it begins."""
    found, clock = pulse()
    found.turn()
    clock.now += AT_MOST
    assert found.alive
    clock.now += 1
    assert not found.alive
    report = found.healthy()
    assert (report.ok, report.body["status"]) == (False, "not ok: loop")
    assert report.body["checks"]["loop"]["last_turn_seconds"] == AT_MOST + 1
    found.turn(3600)
    clock.now += 3000
    assert found.healthy().ok


def test_waiting_for_the_state_is_alive_but_not_ready():
    """A restart would not bring PostgreSQL back."""
    found, clock = pulse()
    found.drained(first=False)
    for _ in range(20):
        clock.now += 30
        found.waits("the state: connection refused")
    assert found.healthy().ok
    report = found.ready(polled())
    assert not report.ok
    assert report.body["checks"]["state"] == {"ok": False, "reason": "the state: connection refused"}
    found.answered()
    assert found.ready(polled()).ok


def test_a_state_that_nobody_asks_counts_as_away():
    """An answer is good for a minute."""
    found, clock = pulse()
    found.drained(first=False)
    clock.now += STALE + 1
    assert found.ready(polled()).body["checks"]["state"] == {"ok": False, "reason": "no answer for 61 s"}


def test_not_ready_before_the_backlog_is_through():
    """What a watcher says before is not all that there is to say."""
    found, _ = pulse()
    assert found.ready(polled()).body["status"] == "not ok: backlog"
    found.drained(first=True)
    assert found.ready(polled()).body["status"] == "ok"


def test_a_source_is_away_while_it_complains_or_is_silent():
    """Its reason is told, without what steers a terminal; a delivery from it takes the complaint back, and so does time."""
    found, clock = pulse()
    found.drained(first=False)
    found.told("q\x1b", "throttled\r\n")
    found.answered()
    assert found.ready(polled(**{"q\x1b": 0.1, "f": 0.1})).body == {
        "status": "not ok: source q\\x1b",
        "checks": {
            "state": {"ok": True},
            "backlog": {"ok": True},
            "source q\\x1b": {"ok": False, "reason": "throttled\\x0d\\x0a"},
            "source f": {"ok": True},
        },
    }
    given = GivenArrival(Given(word="q\x1b"), SimpleNamespace(delivery=SimpleNamespace(name="x")))
    found.committed(Committed([given], {}, 0, 0, Changed({}), 0.1))
    assert found.ready(polled(**{"q\x1b": 0.1})).ok
    found.told("q\x1b", "again")
    clock.now += TROUBLED
    found.answered()
    assert found.ready(polled(**{"q\x1b": 0.1})).ok
    assert found.troubles(polled(f=STALE + 1)) == {"f": "no answer for 61 s"}
