"""Letters on their way to a target: sent until they arrive, not faster than it takes, not at quiet times."""

import threading
from datetime import timedelta

import msgspec
import pytest
from stories import NOON

from rolewatch.notify.errors import SendError
from rolewatch.notify.notification import Notification
from rolewatch.notify.pace import Rate
from rolewatch.notify.quiet import Quiet, parse_quiet
from rolewatch.notify.target import Target
from rolewatch.store import outbox
from rolewatch.watch.line import Line, Manners
from rolewatch.watch.sender import GONE, Sender
from rolewatch.watch.telling import Address, letter


class Recorder(Target):
    """A target that takes what it is not told to refuse."""

    def __init__(self):
        super().__init__("recorder")
        self.taken, self.refuse = [], None

    def deliver(self, notification):
        """Take a notification, or raise."""
        if self.refuse:
            raise self.refuse
        self.taken.append(notification)


def notification(number, severity="high", kind="blocked", **fields):
    """Make a notification about one finding."""
    finding = {
        "id": f"{number:016x}", "status": "blocked", "severity": severity, "security_service": True, "last_denied": f"2026-03-01T12:00:{number % 60:02d}Z",
        "account": "111122223333", "service": "config.amazonaws.com", "verdict": "unknown", "cause": {}, "role_arn": "r",
    }  # fmt: skip
    made = {
        "id": f"n{number}",
        "kind": kind,
        "dedup_key": f"k{number}",
        "time": "2026-03-01T12:00:00Z",
        "findings": (finding,),
    }
    return Notification(**(made | fields))


class Office:
    """A line to a recorder, over the state of a story."""

    def __init__(self, story, rate=None, quiet=None):
        self.story, self.target = story, Recorder()
        self.told = []
        self.line = Line(
            story.state, "t", self.target, manners=Manners(rate, quiet or Quiet()),
            told=lambda name, reason: self.told.append((name, reason)), clock=lambda: story.now,
        )  # fmt: skip

    def post(self, *notifications):
        """Put letters into the outbox."""
        moment = int(self.story.now.timestamp() * 1000)
        letters = [letter(each, Address("t", "recorder"), moment) for each in notifications]
        self.story.state.write(lambda connection: outbox.put(connection, letters))

    def send(self):
        """Send what is due; returns the ids of what has arrived by now."""
        while self.line.send_due():
            pass
        return [each.id for each in self.target.taken]

    @property
    def states(self):
        """How many letters there are, by state."""
        return self.story.state.read(outbox.counts)


def test_a_letter_is_sent_once(story):
    """What was sent is not sent again, and putting it in once more changes nothing."""
    office = Office(story)
    office.post(notification(1), notification(2))
    assert sorted(office.send()) == ["n1", "n2"]
    office.post(notification(1))
    assert len(office.send()) == 2
    assert office.states == {"sent": 2}


def test_a_target_that_is_away_for_an_hour(story):
    """Everything waits, is tried again with growing pauses, and arrives in the end."""
    office = Office(story)
    office.target.refuse = SendError("no answer", passing=True)
    office.post(*map(notification, range(5)))
    tries = []
    for minute in range(60):
        story.now = NOON + timedelta(minutes=minute)
        before = len(office.told)
        office.send()
        tries.append(len(office.told) - before)
    assert office.states == {"waiting": 5}
    assert 0 < sum(tries[30:]) < sum(tries[:30])
    office.target.refuse = None
    story.now += timedelta(minutes=20)
    assert sorted(office.send()) == [f"n{number}" for number in range(5)]


def test_what_is_refused_for_good_is_a_dead_letter(story):
    """It is not tried again, even when the target would take it, and its reason is kept."""
    office = Office(story)
    office.target.refuse = SendError("no such channel")
    office.post(notification(1))
    assert office.send() == []
    (dead,) = story.state.read(lambda connection: outbox.listed(connection, ("dead",)))
    assert (dead.id, dead.error) == ("n1", "no such channel")
    story.now += timedelta(days=1)
    office.target.refuse = None
    assert office.send() == []


def test_a_bug_in_a_transport_loses_no_letter(story):
    """Whatever a target raises, the letter is tried again later."""
    office = Office(story)
    office.target.refuse = KeyError("x")
    office.post(notification(1))
    office.send()
    assert office.told == [("notifications", "internal error: KeyError")]
    office.target.refuse = None
    story.now += timedelta(minutes=1)
    assert office.send() == ["n1"]


def test_a_flood_ends_in_one_summary(story):
    """Beyond the rate letters are held and told in one summary when the period is over, each finding in it."""
    office = Office(story, rate=Rate(3, timedelta(minutes=10)))
    office.post(*map(notification, range(10)))
    assert len(office.send()) == 3
    assert office.states == {"sent": 3, "held": 7}
    story.now += timedelta(minutes=10)
    assert len(office.send()) == 4
    summary = office.target.taken[-1]
    assert summary.kind == "summary"
    told = {finding["id"] for each in office.target.taken for finding in each.findings}
    assert told == {f"{number:016x}" for number in range(10)}
    assert office.states == {"sent": 4, "merged": 7}
    story.now += timedelta(hours=1)
    assert len(office.send()) == 4


def test_a_flood_of_one_change_is_its_incident(story):
    """Its summary has the incident's key, and the end of that goes at once, also by a process that has just started."""
    office = Office(story, rate=Rate(1, timedelta(minutes=10)))
    office.post(*(notification(number, dedup_key="k") for number in range(5)))
    office.send()
    story.now += timedelta(minutes=10)
    office.send()
    assert [(each.kind, each.dedup_key) for each in office.target.taken] == [
        ("blocked", "k"),
        ("summary", "k"),
    ]
    over = notification(1, kind="summary", dedup_key="k", id="end")
    finding = over.findings[0] | {"status": "gone"}
    restarted = Office(story, rate=Rate(1, timedelta(minutes=10)))
    restarted.post(notification(9), msgspec.structs.replace(over, findings=(finding,)))
    assert restarted.send() == ["end"]


def test_quiet_times_hold_what_can_wait(story):
    """At quiet times only what is critical goes at once; the rest goes when they end."""
    office = Office(story, quiet=parse_quiet(["11:00-13:00"]))
    office.post(notification(1), notification(2, "critical"))
    assert office.send() == ["n2"]
    story.now += timedelta(minutes=59)
    assert office.send() == ["n2"]
    story.now += timedelta(minutes=1)
    assert office.send() == ["n2", "n1"]


def test_a_summary_keeps_quiet_times_too(story):
    """What was held beyond the rate is not told in the middle of the night."""
    office = Office(story, rate=Rate(1, timedelta(minutes=10)), quiet=parse_quiet(["12:05-13:00"]))
    office.post(notification(1), notification(2), notification(3))
    assert len(office.send()) == 1
    story.now += timedelta(minutes=15)
    assert len(office.send()) == 1
    story.now = NOON + timedelta(minutes=60)
    assert len(office.send()) == 2
    assert office.target.taken[-1].kind == "summary"


def test_a_letter_that_a_killed_process_had_taken(story):
    """It is sent by another one when the time for an answer is over."""
    office = Office(story)
    office.post(notification(1))
    story.state.write(office.line._take)
    assert office.send() == []
    story.now += timedelta(minutes=3)
    assert office.send() == ["n1"]


def test_letters_to_targets_that_are_no_more(story):
    """They are given up with that reason when a sender starts, and said to be."""
    office = Office(story)
    office.post(notification(1))
    told = []
    sender = Sender(
        story.state,
        {},
        Manners(None, Quiet()),
        told=lambda *words: told.append(words),
        clock=lambda: story.now,
    )
    sender.start()
    sender.stop()
    assert office.states == {"dead": 1}
    assert told == [("notifications", f"1 were given up: {GONE}")]


@pytest.mark.parametrize("slow", [0, 1])
def test_a_slow_target_keeps_no_other_waiting(story, slow):
    """Each target has a line of its own: while one does not answer, the other gets its letters."""
    answered, arrived = threading.Event(), threading.Event()
    targets = [Recorder(), Recorder()]
    targets[slow].deliver = lambda _: answered.wait(30)
    targets[1 - slow].deliver = lambda _: arrived.set()
    moment = int(story.now.timestamp() * 1000)
    letters = [letter(notification(1), Address(str(number), "x"), moment) for number in range(2)]
    story.state.write(lambda connection: outbox.put(connection, letters))
    sender = Sender(
        story.state, {str(number): target for number, target in enumerate(targets)}, Manners(None, Quiet()),
        told=lambda *_: None, clock=lambda: story.now,
    )  # fmt: skip
    sender.start()
    assert arrived.wait(10)
    answered.set()
    sender.stop()
    assert story.state.read(outbox.counts) == {"sent": 2}


def incident(kind, number):
    """Make the notification that opens an incident, or the one that ends it."""
    finding = {**notification(number).findings[0]}
    if kind == "recovered":
        proof = {"iam_action": "s3:GetBucketPolicy", "event_id": "e", "event_time": "2026-03-01T12:30:00Z"}
        finding |= {"status": "recovered", "proof": [proof]}
    return notification(number, kind=kind, dedup_key="k", findings=(finding,))


@pytest.mark.parametrize("together", [False, True], ids=["one after the other", "at once"])
def test_nothing_ends_an_incident_that_could_not_be_opened_yet(story, together):
    """The end waits until what opens it has arrived: sent first, it would leave the incident open for ever."""
    office = Office(story)
    office.target.refuse = SendError("no answer", passing=True)
    office.post(incident("blocked", 1), *([incident("recovered", 2)] if together else []))
    assert office.send() == []
    office.target.refuse = None
    if not together:
        story.now += timedelta(milliseconds=5)
        office.post(incident("recovered", 2))
    assert office.send() == []
    story.now += timedelta(hours=1)
    assert office.send() == ["n1", "n2"]


def test_an_end_does_not_wait_for_other_incidents(story):
    """Only what opens the same one holds it up."""
    office = Office(story)
    office.target.refuse = SendError("no answer", passing=True)
    office.post(notification(1))
    office.send()
    office.target.refuse = None
    office.post(incident("recovered", 2))
    assert office.send() == ["n2"]


def test_an_end_follows_an_opener_that_was_given_up(story):
    """A dead letter holds nothing up."""
    office = Office(story)
    office.target.refuse = SendError("no such channel")
    office.post(incident("blocked", 1))
    office.send()
    office.target.refuse = None
    office.post(incident("recovered", 2))
    assert office.send() == ["n2"]


def test_an_end_waits_for_an_opener_in_quiet_times(story):
    """Both arrive when the quiet time is over, in their order."""
    office = Office(story, quiet=parse_quiet(["11:00-13:00"]))
    office.post(incident("blocked", 1), incident("recovered", 2))
    assert office.send() == []
    story.now += timedelta(hours=1, seconds=1)
    assert office.send() == ["n1", "n2"]
