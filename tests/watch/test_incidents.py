"""Incidents end to end: what one change blocks is one, which ends with the last of it, whoever watches and whatever crashes."""

import random
import threading
from datetime import timedelta
from functools import partial
from itertools import groupby

import pytest
import sqlalchemy as sa
from stories import ACCOUNT, NOON, ROLE, Story, call

from lives import Ledger
from rolewatch.findings.mutes import new_mute
from rolewatch.notify.likeness import JOINED
from rolewatch.store import accounts
from rolewatch.watch.listing import end_mutes, keep_mute
from rolewatch.watch.register import Register
from rolewatch.watch.telling import Address, Teller

MACIE = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie"


def as_a_tool_sees_it(notifications):
    """Take the messages of commits, each of which was at a time of its own; returns what a tool has open."""
    ledger = Ledger()
    for _, commit in groupby(notifications, key=lambda each: each.time):
        ledger.take(list(commit))
    return set(ledger.members.values())


def test_one_change_is_one_incident_however_its_denials_arrive(story):
    """Forty buckets in ten batches: ten messages, one incident, which ends with the fortieth bucket."""
    story.begin()
    for batch in range(0, 40, 4):
        story.happen(*(call(batch, f"b{batch + each}", denied=True) for each in range(4)))
    blocked = story.notifications
    assert [len(each.findings) for each in blocked] == [4] * 10
    assert len({each.id for each in blocked}) == 10
    (key,) = {each.dedup_key for each in blocked}
    story.happen(*(call(100, f"b{number}") for number in range(39)))
    story.happen(call(120, "x"))
    assert [each.dedup_key == key for each in story.notifications[10:]] == [False]
    story.happen(call(130, "b39"))
    story.happen(call(150, "x"))
    assert [each.dedup_key == key for each in story.notifications[11:]] == [True]
    assert as_a_tool_sees_it(story.notifications) == set()


def test_a_day_later_it_is_another_incident(story):
    """What people know does not hide what breaks anew."""
    story.begin()
    minutes = JOINED // timedelta(minutes=1)
    for minute in (0, minutes, minutes + 1):
        story.happen(call(minute, f"b{minute}", denied=True))
    first, joined, new = story.notifications
    assert first.dedup_key == joined.dedup_key != new.dedup_key


def test_the_summary_of_the_first_backlog_ends_with_the_last_finding_in_it(story):
    """Nobody has to close it by hand; what breaks later is an incident of its own."""
    story.now += timedelta(hours=1)
    story.arrive(*(story.delivery(call(n, f"b{n}", denied=True)) for n in range(3)), at_once=1)
    story.happen(call(70, "new", denied=True))
    story.happen(*(call(80, f"b{n}") for n in range(2)))
    story.happen(call(100, "x"))
    summary, blocked, partly = story.notifications
    assert (summary.kind, summary.opens) == ("summary", True)
    assert len({each.dedup_key for each in (summary, blocked, partly)}) == 3
    story.happen(call(110, "b2"))
    story.happen(call(130, "x"))
    last = story.notifications[-1]
    assert (last.kind, last.dedup_key) == ("recovered", summary.dedup_key)
    assert as_a_tool_sees_it(story.notifications) == {blocked.dedup_key}


def test_a_finding_of_which_nothing_is_left_keeps_no_incident_open(story):
    """A better copy of its denial counts for another one: the end of the first is told, the other joins its incident."""
    story.begin()
    shared = {"sharedEventID": "11111111-2222-4333-8444-555555555555"}
    story.happen(call(0, "worse", denied=True, recipientAccountId="999988887777", **shared))
    story.happen(call(1, "better", denied=True, **shared))
    assert set(story.findings) == {"better"}
    assert sorted(story.told) == [("blocked", "better"), ("blocked", "worse"), ("summary", "worse")]
    first, *both = story.notifications
    joined, ended = sorted(both, key=lambda each: each.kind)
    assert (first.dedup_key, ended.reason, ended.ends) == (joined.dedup_key, "replaced", True)
    story.happen(call(10, "better"))
    story.happen(call(40, "x"))
    assert story.notifications[-1].dedup_key == first.dedup_key
    assert as_a_tool_sees_it(story.notifications) == set()


def test_the_last_finding_of_an_incident_of_which_nothing_is_left(story):
    """Where the other one is told already, the message about the end resolves the incident."""
    story.begin()
    shared = {"sharedEventID": "11111111-2222-4333-8444-555555555555"}
    story.happen(call(0, "b", denied=True))
    worse = call(1, "worse", denied=True, role=MACIE, recipientAccountId="999988887777", **shared)
    story.happen(worse)
    story.happen(call(2, "b", denied=True, **shared))
    known, lost, ended = story.notifications
    assert (ended.dedup_key, ended.ends, lost.dedup_key != known.dedup_key) == (lost.dedup_key, True, True)
    assert as_a_tool_sees_it(story.notifications) == {known.dedup_key}


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """Give the place of a store that does not exist yet."""
    return (
        str(tmp_path / "state")
        if request.param == "sqlite"
        else request.getfixturevalue("postgres").database()
    )


@pytest.mark.parametrize("seed", range(8))
def test_every_incident_is_resolved_when_its_last_finding_is_over(tmp_path, place, seed):
    """Whatever is blocked and works again, in whatever batches, with a backlog or without, by one watcher after the other."""
    rng = random.Random(seed)
    story = Story(place, tmp_path, settle=timedelta(minutes=5))
    if rng.random() < 0.5:
        story.begin()
    roles = {f"b{number}": rng.choice([ROLE, MACIE]) for number in range(7)}
    minute = 0
    for _ in range(25):
        minute += rng.choice([1, 3, 20, 400])
        story.now = NOON + timedelta(minutes=minute)
        chosen = rng.sample(sorted(roles), rng.randint(1, 4))
        records = [call(minute, name, denied=rng.random() < 0.5, role=roles[name]) for name in chosen]
        rng.shuffle(records)
        story.arrive(story.delivery(*records, call(minute, "x")))
    as_a_tool_sees_it(story.notifications)
    story.now += timedelta(hours=1)
    minute += 60
    story.arrive(story.delivery(*(call(minute, name, role=role) for name, role in roles.items())))
    story.happen(call(minute + 10, "x"))
    assert {finding["status"] for finding in story.findings.values()} == {"recovered"}
    assert as_a_tool_sees_it(story.notifications) == set()
    story.close()


class Together:
    """Two transactions on one PostgreSQL at the same time: the second begins while the first is not committed yet."""

    def __init__(self, story):
        self.story = story
        self.teller = Teller(lambda *_: ("url",), {"url": Address("t", "test")})

    def look_again(self, name, connection):
        """Decide about a finding."""
        register = Register(connection, self.story.now, self.story.spans, "live", self.teller)
        register.look_again([self.story.findings[name]["id"]])

    def run(self, first, second):
        """Look at two findings again, in two transactions."""
        decided = threading.Event()

        def slow(connection):
            self.look_again(first, connection)
            decided.set()
            self.until_others_wait()

        threads = [threading.Thread(target=self.story.state.write, args=(slow,))]
        threads[0].start()
        decided.wait(30)
        threads.append(
            threading.Thread(target=self.story.state.write, args=(partial(self.look_again, second),))
        )
        threads[1].start()
        for thread in threads:
            thread.join()

    def until_others_wait(self):
        """Return when a transaction waits for this one."""
        for _ in range(1000):
            if self.story.state.read(self.waiting):
                return
            threading.Event().wait(0.01)
        raise AssertionError("nobody waited for an incident that is being decided about")

    @staticmethod
    def waiting(connection):
        """Count those that wait for an incident."""
        statement = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND classid = 0x696E6369"
        return connection.execute(sa.text(statement.replace("0x696E6369", str(0x696E6369)))).scalar()


@pytest.fixture
def together(tmp_path, postgres):
    """Begin a story on PostgreSQL in which three buckets are an incident, and work again; that is not told yet."""
    story = Story(postgres.database(), tmp_path)
    story.begin()
    buckets = ("b0", "b1", "b2")
    story.happen(*(call(0, name, denied=True) for name in buckets))
    story.happen(*(call(10, name) for name in buckets))
    yield Together(story)
    story.close()


def mute_all(name):
    """Mute a bucket for a day, however bad it is."""
    match, day = {"resource": f"arn:aws:s3:::{name}"}, timedelta(days=1)
    return new_mute(match, reason="r", by="ann", until=day, now=NOON, severity="critical")


def settle(story):
    """Let the time of events go on, without a look at what that changes."""
    later = {ACCOUNT: (NOON + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")}
    story.now = NOON + timedelta(hours=1)
    story.state.write(lambda connection: accounts.advance(connection, later))


def test_two_watchers_that_tell_of_the_last_two_findings_of_an_incident(together):
    """One of them resolves it: the later one, which sees what the other has done."""
    story = together.story
    settle(story)
    story.state.write(partial(together.look_again, "b0"))
    together.run("b1", "b2")
    (key,) = {each.dedup_key for each in story.notifications if each.opens}
    ends = [each.dedup_key for each in story.notifications if not each.opens]
    assert (len(ends), ends.count(key)) == (3, 1)


@pytest.mark.parametrize("joins_first", [False, True])
def test_a_watcher_that_ends_an_incident_while_another_one_joins_it(together, joins_first):
    """Either it was joined, and stays open, or it has ended, and another one is opened: nothing is open in one that ended."""
    story = together.story
    mute = mute_all("b3")
    story.state.write(partial(keep_mute, mute=mute))
    story.happen(call(11, "b3", denied=True))
    story.state.write(partial(end_mutes, name=mute.id, by="ann", now=story.now))
    settle(story)
    for name in ("b0", "b1"):
        story.state.write(partial(together.look_again, name))
    together.run(*(["b3", "b2"] if joins_first else ["b2", "b3"]))
    (opened,) = [each for each in story.notifications if each.opens and len(each.findings) == 3]
    (b3,) = [each for each in story.notifications if each.opens and len(each.findings) == 1]
    resolved = opened.dedup_key in [each.dedup_key for each in story.notifications if not each.opens]
    assert (b3.dedup_key == opened.dedup_key, resolved) == ((True, False) if joins_first else (False, True))


def test_two_watchers_that_see_the_same_change_at_once(together):
    """They open one incident: the second one waits, and joins it."""
    story = together.story
    for name in ("c1", "c2"):
        story.state.write(partial(keep_mute, mute=mute_all(name)))
    story.happen(call(1, "c1", denied=True, role=MACIE), call(1, "c2", denied=True, role=MACIE))
    story.now += timedelta(days=2)
    together.run("c1", "c2")
    (_, first, second) = [each for each in story.notifications if each.opens]
    assert first.dedup_key == second.dedup_key
