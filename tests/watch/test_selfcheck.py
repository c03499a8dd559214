"""No news is no good news: a watcher says so when deliveries stop, come late or cannot be read, once, and when that is over."""

from datetime import timedelta

import pytest
from givers import Given
from stories import NOON, Story, call, spelled

from rolewatch.notify.trial import trial
from rolewatch.notify.words import text, title
from rolewatch.scan.request import ScanRequest
from rolewatch.sources.live import Arrival
from rolewatch.store import deliveries
from rolewatch.store import sources as rows_of_sources
from rolewatch.store.deliveries import Failure
from rolewatch.watch.commit import Rules
from rolewatch.watch.feed import Feed
from rolewatch.watch.feed import Given as GivenArrival
from rolewatch.watch.lateness import Lateness
from rolewatch.watch.selfcheck import Change, Facts, Limits, Standing, decode, encode, judge, notification_of
from rolewatch.watch.selfcheck_keeper import GRACE, Clocks, Selfcheck
from rolewatch.watch.telling import Address, Teller
from rolewatch.watch.watcher import Watcher

HOUR = 3600
LIMITS = Limits()
ALARM, OK = "ALARM", "OK"


def facts(**known):
    """Facts about a source that is well."""
    return Facts(**({"source": "s", "last": 5000, "age": 10.0, "lag": 300.0, "failed": 0} | known))


@pytest.mark.parametrize(
    ("known", "standing", "limits", "expected"),
    [
        ({}, {}, LIMITS, []),
        ({"age": HOUR}, {}, LIMITS, []),
        ({"age": HOUR + 1}, {}, LIMITS, [("quiet", True)]),
        ({"age": HOUR + 1, "settled": False}, {}, LIMITS, []),
        ({"age": HOUR + 1, "over": True}, {}, LIMITS, []),
        ({"age": HOUR + 1}, {}, Limits(quiet=None), []),
        ({"age": HOUR + 1}, {"quiet": Standing(1, 5000)}, LIMITS, []),
        ({"age": 0.0}, {"quiet": Standing(1, 5000)}, LIMITS, []),
        ({"age": 0.0}, {"quiet": Standing(1, 4000)}, LIMITS, [("quiet", False)]),
        ({"age": HOUR + 1}, {"quiet": Standing(1, 5000)}, Limits(quiet=None), [("quiet", False)]),
        ({"lag": 2 * HOUR}, {}, LIMITS, []),
        ({"lag": 2 * HOUR + 1}, {}, LIMITS, [("late", True)]),
        ({"lag": 2 * HOUR + 1, "steady": False}, {}, LIMITS, []),
        ({"lag": 2 * HOUR + 1}, {}, Limits(late=None), []),
        ({"lag": 2 * HOUR + 1}, {"late": Standing(1, 5000)}, LIMITS, []),
        ({"lag": None}, {"late": Standing(1, 5000)}, LIMITS, [("late", False)]),
        ({"lag": 60.0}, {"late": Standing(1, 5000)}, LIMITS, [("late", False)]),
        ({"failed": 2}, {}, LIMITS, []),
        ({"failed": 3}, {}, LIMITS, [("failing", True)]),
        ({"failed": 1}, {"failing": Standing(1, 5000)}, LIMITS, []),
        ({"failed": 0}, {"failing": Standing(1, 5000)}, LIMITS, [("failing", False)]),
        ({"age": HOUR + 1, "failed": 9}, {}, LIMITS, [("quiet", True), ("failing", True)]),
    ],
)
def test_what_changes(known, standing, limits, expected):
    """An alarm is raised when its limit is passed, and is over when that is proven, not merely when nobody knows."""
    changes = judge(facts(**known), limits, standing, 7000)
    assert [(change.condition, change.on) for change in changes] == expected
    assert all(change.reason.endswith(".") for change in changes)
    assert {change.since for change in changes} <= {7000 if change.on else 1 for change in changes}


def test_alarms_that_stand_are_read_again():
    """What another version of rolewatch has written is left out."""
    assert decode(encode({"quiet": Standing(1, 2)})) == {"quiet": Standing(1, 2)}
    assert decode('{"other":{"since":1,"last":2},"late":{"since":3,"last":4,"more":5}}') == {"late": Standing(3, 4)}  # fmt: skip


@pytest.mark.parametrize("condition", ["quiet", "late", "failing"])
def test_the_message_is_that_of_an_alarm(condition):
    """It has what an alarm of CloudWatch has, incident tools end what they opened by it, and a hostile name steers nothing."""
    raised = notification_of(
        "s3://b\x1b[2J", Change(condition, on=True, since=7, reason="Why."), LIMITS, NOON
    )
    over = notification_of(
        "s3://b\x1b[2J", Change(condition, on=False, since=7, reason="Fine."), LIMITS, NOON
    )
    assert trial("alarm", "x", NOON).alarm.keys() <= raised.alarm.keys()
    assert raised.alarm["Trigger"].keys() == trial("alarm", "x", NOON).alarm["Trigger"].keys()
    assert (raised.dedup_key, raised.ends, over.ends) == (over.dedup_key, False, True)
    assert len({raised.id, over.id, raised.dedup_key}) == 3
    assert title(raised).startswith('ALARM: "rolewatch: ')
    assert "s3://b\\x1b[2J" in title(raised)
    assert "Why." in text(raised)
    later = notification_of("s3://b\x1b[2J", Change(condition, on=True, since=8, reason="Why."), LIMITS, NOON)
    assert later.dedup_key != raised.dedup_key


class Watched:
    """A watcher of one source, with the watch over it, over a story's state; `monotonic` goes on with the story's clock."""

    def __init__(self, story, word="given", **limits):
        self.story, self.source, self.ahead = story, Given(word=word), 0.0
        self.began = story.now
        feed = Feed([self.source], self._told)
        limits = Limits(**limits)
        self.lateness = Lateness(feed.sources, self.monotonic, 2 * HOUR)
        teller = Teller(lambda *_: ("url",), {"url": Address("t", "test")})
        self.check = Selfcheck(
            story.state, feed, teller, self.lateness, limits,
            clocks=Clocks(lambda: story.now, self.monotonic), told=self._told, announced=announced(story).append,
        )  # fmt: skip
        self.check.begin()
        self._rules = Rules(story.spans, teller, lambda: story.now)

    def monotonic(self):
        """Give the seconds since the start, whatever jumps the clock on the wall has made."""
        return (self.story.now - self.began).total_seconds() - self.ahead

    def jump(self, **span):
        """Set the clock on the wall, without that any time goes by."""
        self.story.now += timedelta(**span)
        self.ahead += timedelta(**span).total_seconds()

    def arrive(self, *found):
        """Let deliveries arrive and be committed."""
        self.source.put(*found)
        feed = Feed([self.source], self._told)
        watcher = Watcher(
            self.story.state, feed, ScanRequest(), self._rules,
            told=self._told, lateness=self.lateness, observer=self.check,
        )  # fmt: skip
        watcher.run(once=True)

    def look(self, **after):
        """Let time go by, and have it looked; returns what is told of alarms from the beginning on."""
        self.story.now += timedelta(**after)
        self.check.look()
        return told(self.story)

    def _told(self, name, reason):
        self.story.complaints.append((name, reason))


def announced(story):
    """Give the list of all that was told of alarms in a story, in order."""
    return story.__dict__.setdefault("announced", [])


def told(story):
    """List what was told of alarms, in order: (state, name without rolewatch). All of it is in the outbox, once."""
    alarms = announced(story)
    kept = [each.id for each in story.notifications if each.kind == "alarm"]
    assert sorted(kept) == sorted(each.id for each in alarms)
    return [
        (each.alarm["NewStateValue"], each.alarm["AlarmName"].removeprefix("rolewatch: ")) for each in alarms
    ]


QUIET, LATE, FAILING = "no deliveries from given", "deliveries from given are late", "deliveries from given cannot be read"  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def story(request, tmp_path):
    """Begin a story over each kind of state."""
    (tmp_path / "logs").mkdir()
    place = str(tmp_path / "state")
    if request.param == "postgresql":
        place = request.getfixturevalue("postgres").database()
    begun = Story(place, tmp_path / "logs")
    yield begun
    begun.close()


def fresh(story, **ago):
    """Make a delivery of an event a while ago."""
    minutes = (story.now - NOON - timedelta(**(ago or {"minutes": 5}))) / timedelta(minutes=1)
    return story.delivery(call(minutes))


def test_silence_is_told_once_and_so_is_its_end(story):
    """Both have the same dedup_key; a second silence is another incident."""
    watched = Watched(story)
    watched.arrive(fresh(story))
    assert watched.look(minutes=59) == []
    assert watched.look(minutes=2) == [(ALARM, QUIET)]
    assert watched.look(hours=5) == [(ALARM, QUIET)]
    watched.arrive(fresh(story))
    assert watched.look(seconds=10) == [(ALARM, QUIET), (OK, QUIET)]
    assert watched.look(minutes=70) == [(ALARM, QUIET), (OK, QUIET), (ALARM, QUIET)]
    first, over, second = announced(story)
    assert first.dedup_key == over.dedup_key != second.dedup_key
    assert "No delivery has arrived for 1 hour 1 minute, since 2026-03-01 12:00:00 UTC." in text(first)


def test_a_restart_neither_repeats_nor_forgets(story):
    """What stood is over when a delivery comes, whoever watches then; downtime counts as silence."""
    watched = Watched(story)
    watched.arrive(fresh(story))
    watched.look(minutes=61)
    again = Watched(story)
    again.arrive()
    assert again.look(minutes=30) == [(ALARM, QUIET)]
    again.arrive(fresh(story))
    assert again.look(seconds=10) == [(ALARM, QUIET), (OK, QUIET)]
    story.now += timedelta(hours=3)
    third = Watched(story)
    third.arrive()
    assert third.look(seconds=10) == [(ALARM, QUIET), (OK, QUIET), (ALARM, QUIET)]


def test_downtime_is_no_silence_while_there_is_a_backlog(story):
    """What waited for a watcher is taken first; a source that never answers is no reason to keep still for ever."""
    Watched(story).arrive(fresh(story))
    story.now += timedelta(hours=3)
    watched = Watched(story)
    assert watched.look(seconds=10) == []
    watched.arrive(fresh(story))
    assert watched.look(seconds=10) == []
    story.now += timedelta(hours=3)
    deaf = Watched(story)
    assert deaf.look(seconds=GRACE - 1) == []
    assert deaf.look(seconds=2) == [(ALARM, QUIET)]


def test_where_nothing_ever_came(story):
    """Silence counts from when a source was first followed, through restarts."""
    Watched(story).arrive()
    story.now += timedelta(minutes=50)
    watched = Watched(story)
    watched.arrive()
    assert watched.look(minutes=5) == []
    assert watched.look(minutes=6) == [(ALARM, QUIET)]


def test_one_run_at_a_time(story):
    """A run that ends by itself looks at its end: an hour without anything is told, whenever it comes."""
    for after, number, expected in (
        (0, 1, []),
        (30, 0, []),
        (40, 0, [ALARM]),
        (60, 0, [ALARM]),
        (60, 1, [ALARM, OK]),
    ):
        story.now += timedelta(minutes=after)
        watched = Watched(story)
        watched.arrive(*(fresh(story) for _ in range(number)))
        watched.check.look(last=True)
        assert [state for state, _ in told(story)] == expected


def test_a_clock_that_is_put_forward_is_no_silence(story):
    """Time that nobody lived through does not count, and the jump is told."""
    watched = Watched(story)
    watched.arrive(fresh(story))
    watched.look(minutes=1)
    watched.jump(hours=26)
    assert watched.look(minutes=1) == []
    assert ("clock", "the clock of this machine has jumped by +93,600 seconds") in story.complaints
    watched.arrive(fresh(story, hours=26))
    assert watched.look(minutes=1) == []
    assert watched.look(minutes=61) == [(ALARM, QUIET)]


def test_a_clock_that_is_put_back_blinds_nobody(story):
    """Silence is noticed after an hour, not after a day and an hour; also by a successor that finds times to come."""
    watched = Watched(story)
    watched.arrive(fresh(story))
    watched.look(minutes=1)
    watched.jump(days=-1)
    assert watched.look(minutes=30) == []
    assert watched.look(minutes=31) == [(ALARM, QUIET)]
    watched.arrive(fresh(story))
    watched.look(minutes=1)
    watched.jump(days=-1)
    again = Watched(story)
    again.arrive()
    assert again.look(minutes=30) == [(ALARM, QUIET), (OK, QUIET)]
    assert again.look(minutes=31)[2:] == [(ALARM, QUIET)]


def test_late_deliveries(story):
    """What comes live and is old is told; news end it. A straggler beside news is no lateness."""
    watched = Watched(story)
    watched.arrive(fresh(story))
    watched.look(minutes=1)
    watched.arrive(fresh(story, days=20))
    assert watched.look(minutes=1) == []
    story.now += timedelta(hours=3)
    watched.arrive(fresh(story, hours=2, minutes=30))
    assert (ALARM, LATE) in watched.look(minutes=1)
    assert "2 hours 30 minutes old" in text(announced(story)[-1])
    watched.arrive(fresh(story))
    assert watched.look(minutes=1)[-1] == (OK, LATE)


def test_a_first_backlog_is_not_late(story):
    """Nobody expects an archive to hold news; a restart's backlog that ends in the past is another matter."""
    watched = Watched(story, quiet=None)
    watched.arrive(fresh(story, days=400), fresh(story, days=300))
    assert watched.look(minutes=1) == []
    again = Watched(story, quiet=None)
    again.arrive()
    assert again.look(minutes=1) == []
    third = Watched(story, quiet=None)
    third.arrive(fresh(story, days=200))
    third.arrive()
    assert third.look(minutes=1) == [(ALARM, LATE)]


def test_a_backlog_that_does_not_end_is_late(story):
    """While it is read nothing is said for two hours; after that, the age of its events is."""
    watched = Watched(story, quiet=None)
    for expected in ([], [(ALARM, LATE)]):
        delivery = fresh(story, days=3)
        given = GivenArrival(watched.source, Arrival(delivery, (delivery.identity,)))
        events = {"111122223333": spelled(story.now - timedelta(days=3))}
        came = watched.lateness.came([given], events, int(story.now.timestamp() * 1000))
        story.state.write(lambda connection, came=came: rows_of_sources.came(connection, came))
        assert watched.look(minutes=1) == expected
        story.now += timedelta(hours=3)
    watched.arrive()
    assert watched.look(minutes=1) == [(ALARM, LATE), (OK, LATE)]


def test_a_late_jump_of_the_clock_is_not_lateness(story):
    """For as long as it may be what the jump has caused."""
    watched = Watched(story)
    watched.arrive(fresh(story))
    watched.look(minutes=1)
    watched.jump(hours=5)
    watched.check.look()
    watched.arrive(fresh(story, hours=5))
    assert watched.look(minutes=1) == []


def test_failures_in_a_row(story):
    """Three within an hour are told; it is over when an hour went by without one, or when all were read again."""
    watched = Watched(story)
    watched.arrive(fresh(story))
    for number, expected in enumerate(([], [], [(ALARM, FAILING)], [(ALARM, FAILING)])):
        moment = int(story.now.timestamp() * 1000)
        failure = Failure(bytes([number] * 16), f"x{number}", "given", "no gzip", None, moment, moment, 1)
        story.state.write(lambda connection, failure=failure: deliveries.fail(connection, [failure]))
        assert watched.look(minutes=5) == expected
    assert watched.look(minutes=30) == [(ALARM, FAILING)]
    watched.arrive(fresh(story))
    assert watched.look(minutes=31) == [(ALARM, FAILING), (OK, FAILING)]


def test_two_watchers_of_one_database_tell_it_once(postgres, tmp_path):
    """What one has seen arrive, the other one does not miss; what both miss, one of them tells."""
    story = Story(postgres.database(), tmp_path)
    one, two = Watched(story), Watched(story)
    one.arrive(fresh(story))
    two.arrive()
    for _ in range(3):
        story.now += timedelta(minutes=40)
        one.arrive(fresh(story))
        two.check.look()
    assert told(story) == []
    story.now += timedelta(minutes=61)
    two.check.look()
    one.check.look()
    two.check.look()
    assert told(story) == [(ALARM, QUIET)]
    two.arrive(fresh(story))
    one.check.look()
    two.check.look()
    assert told(story) == [(ALARM, QUIET), (OK, QUIET)]
    story.close()


def test_a_source_that_nobody_follows_any_more(tmp_path):
    """Its alarms end with the next start, since nobody else can end them."""
    story = Story(str(tmp_path / "state"), tmp_path)
    watched = Watched(story)
    watched.arrive(fresh(story))
    watched.look(minutes=61)
    Watched(story, word="other")
    assert told(story) == [(ALARM, QUIET), (OK, QUIET)]
    Watched(story, word="other")
    assert len(told(story)) == 2
    story.close()
