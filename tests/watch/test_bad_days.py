"""Days on which nothing goes right: clocks that jump, a state that is away, text that no database takes."""

import json
import re
import threading
from datetime import timedelta

import pytest
from givers import Given
from sqlalchemy import exc
from stories import NOON, Story, call

from rolewatch.notify.errors import SendError
from rolewatch.notify.notification import Notification
from rolewatch.notify.quiet import Quiet
from rolewatch.notify.target import Target
from rolewatch.sources import BytesDelivery
from rolewatch.store import deliveries, identities, outbox
from rolewatch.store.state import Unavailable
from rolewatch.watch import feed as feeds
from rolewatch.watch.feed import Feed
from rolewatch.watch.line import Line, Manners
from rolewatch.watch.memory import StateMemory
from rolewatch.watch.sender import Sender
from rolewatch.watch.telling import Address, letter


def test_a_clock_that_is_put_forward_forgets_nothing(story):
    """What counts once is remembered by the time of events: a year on a wrong clock, and repeats are repeats still."""
    story.begin()
    denial = call(0, denied=True)
    story.happen(denial)
    done = story.delivery(call(2, "x"))
    story.arrive(done)
    story.now += timedelta(days=365)
    story.arrive()
    assert story.state.read(identities.days) == ["2026-03-01"]
    assert story.state.read(lambda connection: deliveries.known(connection, [done.identity])) == {
        done.identity
    }
    story.now = NOON + timedelta(minutes=5)
    story.happen(denial, call(5, "y"))
    assert story.findings["b"]["denials"] == 1
    assert "late" not in story.findings["b"]


def test_what_is_old_is_forgotten_by_and_by(story):
    """A clock that events agree with is believed."""
    story.begin()
    story.happen(call(0, denied=True))
    story.happen(call(60 * 24 * 50, "x"))
    story.arrive()
    assert story.state.read(identities.days) == []


def test_a_clock_that_is_put_back_loses_nothing(story):
    """What happens then is committed and told as ever, and goes on when the clock is right again."""
    story.begin()
    story.happen(call(0, "b0", denied=True))
    story.now -= timedelta(hours=30)
    story.arrive(story.delivery(call(5, "b1", denied=True)), story.delivery(call(6, "b0")))
    story.now = NOON + timedelta(minutes=40)
    story.happen(call(40, "b2", denied=True), call(41, "x"))
    assert {name: (each["status"], each["denials"]) for name, each in story.findings.items()} == {
        "b0": ("recovered", 1),
        "b1": ("blocked", 1),
        "b2": ("blocked", 1),
    }
    assert sorted(story.told) == [
        ("blocked", "b0"),
        ("blocked", "b1"),
        ("blocked", "b2"),
        ("recovered", "b0"),
    ]


class Recorder(Target):
    """A target that takes what it is not told to refuse."""

    def __init__(self):
        super().__init__("recorder")
        self.taken, self.refuse = [], None

    def deliver(self, notification):
        """Take a notification, or raise."""
        if self.refuse:
            raise self.refuse
        self.taken.append(notification.id)


def post(story, name):
    """Put a letter into the outbox."""
    alarm = {"AlarmName": name, "NewStateValue": "ALARM"}
    made = Notification(id=name, kind="alarm", dedup_key=name, time="2026-03-01T12:00:00Z", alarm=alarm)
    moment = int(story.now.timestamp() * 1000)
    one = letter(made, Address("t", "recorder"), moment)
    story.state.write(lambda connection: outbox.put(connection, [one]))


def a_line(story, target):
    """Make a line to a target."""
    return Line(
        story.state,
        "t",
        target,
        manners=Manners(None, Quiet()),
        told=lambda *_: None,
        clock=lambda: story.now,
    )


@pytest.mark.parametrize("restarted", [False, True])
def test_letters_do_not_wait_for_a_clock_that_was_wrong(story, restarted):
    """What was put off, or made, by a clock of the day after tomorrow is sent when the clock is right again."""
    target = Recorder()
    line = a_line(story, target)
    story.now += timedelta(days=2)
    target.refuse = SendError("busy", passing=True)
    post(story, "n1")
    line.send_due()
    post(story, "n2")
    target.refuse = None
    story.now = NOON + timedelta(minutes=1)
    line = a_line(story, target) if restarted else line
    while line.send_due():
        pass
    assert sorted(target.taken) == ["n1", "n2"]
    assert set(story.state.read(outbox.counts)) == {"sent"}


def test_a_target_that_is_away_for_two_days(story):
    """All of it arrives when it is back, each once, and nobody has to do anything."""
    target = Recorder()
    line = a_line(story, target)
    target.refuse = SendError("no answer", passing=True)
    for number in range(48):
        post(story, f"n{number:02}")
        story.now += timedelta(hours=1)
        line.send_due()
    target.refuse = None
    story.now += timedelta(minutes=20)
    while line.send_due():
        pass
    assert sorted(target.taken) == [f"n{number:02}" for number in range(48)]


def test_a_sender_survives_what_nobody_thought_of(story):
    """A line that breaks is told and tried again: a thread that is gone would never tell anybody anything."""
    broken, told = threading.Event(), threading.Event()
    sender = Sender(
        story.state, {"t": Recorder()}, Manners(None, Quiet()),
        told=lambda _, reason: "ZeroDivisionError" in reason and told.set(), clock=lambda: story.now,
    )  # fmt: skip

    def once():
        if not broken.is_set():
            broken.set()
            raise ZeroDivisionError
        return False

    sender.lines[0].send_due = once
    sender.start()
    assert told.wait(30)
    sender.wake()
    assert sender._threads[0].is_alive()
    sender.stop()


class Away:
    """A state that does not answer until a test says so."""

    def __init__(self):
        self.back, self.asked = threading.Event(), threading.Event()

    def read(self, work):
        """Refuse to answer, or say what the work is."""
        self.asked.set()
        if not self.back.is_set():
            raise Unavailable("the state is away")
        return work


def test_a_source_waits_for_the_state(monkeypatch):
    """It gets its answer when the state is back, so that it need not begin again; at the end it is refused one."""
    monkeypatch.setattr("rolewatch.watch.patience.PAUSES", (0.01,))
    state, stop, told = Away(), threading.Event(), []
    memory = StateMemory(state, lambda name, reason: told.append((name, reason)), stop)
    answers = []
    asking = threading.Thread(target=lambda: answers.append(memory.note("s3://b")))
    asking.start()
    assert state.asked.wait(30)
    assert answers == []
    state.back.set()
    asking.join(30)
    assert len(answers) == 1
    assert ("state", "the state is away") in told
    state.back.clear()
    stop.set()
    with pytest.raises(Unavailable):
        memory.known(["x"])


def test_a_source_that_does_not_end_keeps_nobody_waiting_for_ever(monkeypatch):
    """It is let go of first, so that others get what it holds, and then waited for a while."""
    monkeypatch.setattr(feeds, "PARTING_SECONDS", 0.05)
    entered, let_go = threading.Event(), threading.Event()

    class Stuck(Given):
        def arrivals(self, seconds):
            del seconds
            entered.set()
            let_go.wait(30)
            return []

    source = Stuck()
    feed = Feed([source], lambda *_: None)
    feed.start()
    assert entered.wait(30)
    assert feed.silent_for()["given"] < 30
    feed.stop()
    assert source.closed
    let_go.set()
    for thread in feed._threads:
        thread.join()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    "field",
    [
        "bucketName",
        "recipientAccountId",
        "eventName",
        "eventID",
        "awsRegion",
        "errorMessage",
        "eventTime",
        "arn",
    ],
)
def test_text_that_no_database_takes(tmp_path, request, database, field):
    """A record with NUL and half a character in any of its fields is taken like any other, and stops nobody."""
    place = (
        str(tmp_path / "state") if database == "sqlite" else request.getfixturevalue("postgres").database()
    )
    story = Story(place, tmp_path)
    story.begin()
    text = json.dumps({"Records": [call(0, denied=True), call(1, "c", denied=True)]}, separators=(",", ":"))
    data = re.sub(
        rf'"{field}":"((?:[^"\\]|\\.)*)"', rf'"{field}":"\1x\\u0000\\ud800"', text, count=1
    ).encode()
    story.now += timedelta(minutes=1)
    story.arrive(BytesDelivery("n", "n", named=True, size=len(data), remote=False, content=data))
    assert sum(document["denials"] for document in story.documents) == 2
    assert story.told
    story.close()


def test_connections_that_all_wait(story, monkeypatch):
    """Where no connection is free, the state is away like any other time, and tried again."""

    def none():
        raise exc.TimeoutError

    monkeypatch.setattr(story.state._engine, "connect", none)
    with pytest.raises(Unavailable, match="no answer"):
        story.state.read(deliveries.counters)
