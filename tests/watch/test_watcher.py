"""What becomes of deliveries: findings that a scan would find, told once, whatever happens on the way."""

import random
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from givers import Given
from stories import NOON, Story, call, in_memory

from rolewatch.findings.mutes import new_mute
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.run import run
from rolewatch.sources import Window, deliveries_of
from rolewatch.store import deliveries
from rolewatch.watch.housekeeping import Retention
from rolewatch.watch.kept import Spans
from rolewatch.watch.listing import end_mutes, keep_mute, shown

EXAMPLES = Path(__file__).parents[2] / "examples" / "deliveries"
FOR_EVER = timedelta(days=3650)


def same(finding):
    """Leave out what a watcher does not follow to the last: successes after the one that has ended it."""
    actions = {name: {**action, "last_allowed": None} for name, action in finding["actions"].items()}
    kept = {key: value for key, value in finding.items() if key not in ("proof", "timeline")}
    return kept | {"actions": actions}


@pytest.mark.parametrize("seed", range(4))
def test_a_watcher_finds_what_a_scan_finds(tmp_path, seed):
    """In whatever order and batches deliveries come, the findings are those of a scan of all of them."""
    rng = random.Random(seed)
    report = run([str(EXAMPLES)], ScanRequest(silent_after=FOR_EVER), now=NOON)
    story = Story(str(tmp_path / "state"), tmp_path, silent=FOR_EVER, settle=timedelta())
    story.now = NOON + timedelta(days=25)
    listed = list(deliveries_of([str(EXAMPLES)], Window(), []))
    rng.shuffle(listed)
    source = story.arrive(*listed, at_once=rng.randint(1, 6))
    expected = {finding["id"]: same(finding) for finding in report["findings"]}
    assert {finding["id"]: same(finding) for finding in story.documents} == expected
    assert sorted(source.acknowledged) == sorted(delivery.name for delivery in listed)
    counters = story.state.read(deliveries.counters)
    for name in ("records", "denials", "duplicates"):
        assert counters[name] == report["totals"][name]
    story.close()


def test_a_repeat_counts_once(story):
    """A record that another delivery brings again changes nothing, and nobody is told again."""
    denial = call(0, denied=True)
    story.begin()
    story.happen(denial)
    before = story.findings
    story.happen(denial, call(1, "other"))
    assert story.findings == before
    assert story.told == [("blocked", "b")]


def test_blocked_recovered_reopened(story):
    """People are told of each turn once: the recovery with its proof, and only when later events have settled it."""
    story.begin()
    story.happen(call(0, denied=True), call(1, denied=True))
    story.happen(call(2, denied=True))
    assert story.told == [("blocked", "b")]
    proof = call(10)
    story.happen(proof)
    assert story.findings["b"]["status"] == "blocked"
    story.happen(call(26, "other"))
    assert story.findings["b"]["status"] == "recovered"
    assert story.findings["b"]["proof"] == [
        {"iam_action": "s3:GetBucketPolicy", "event_id": proof["eventID"], "event_time": proof["eventTime"]}
    ]
    story.happen(call(30, denied=True))
    assert story.told == [("blocked", "b"), ("recovered", "b"), ("reopened", "b")]
    blocked, recovered, reopened = story.notifications
    assert blocked.dedup_key == recovered.dedup_key != reopened.dedup_key
    assert len({each.id for each in story.notifications}) == 3


def test_a_first_backlog_is_one_summary(story):
    """What was there before the first watcher is told at once, in one message, and afterwards each change by itself."""
    story.now += timedelta(hours=1)
    story.arrive(*(story.delivery(call(n, f"b{n}", denied=True)) for n in range(5)), at_once=1)
    assert story.told == [("summary", "b0", "b1", "b2", "b3", "b4")]
    story.now += timedelta(minutes=10)
    story.happen(call(70, "b9", denied=True))
    assert story.told[1:] == [("blocked", "b9")]


def test_what_one_change_blocks_is_one_message(story):
    """Forty buckets that become blocked in one delivery are one notification."""
    story.begin()
    story.happen(*(call(n, f"b{n}", denied=True) for n in range(40)))
    ((kind, *names),) = story.told
    assert (kind, len(names)) == ("blocked", 40)
    assert {finding["severity"] for finding in story.findings.values()} == {"critical"}


def test_several_within_an_hour_are_critical_however_they_arrive(story):
    """A service that loses several resources within an hour may be blinded, also if their deliveries come one by one."""
    story.begin()
    for number in range(3):
        story.happen(call(number * 20, f"b{number}", denied=True))
    story.happen(call(200, "b9", denied=True))
    severities = {name: finding["severity"] for name, finding in story.findings.items()}
    assert severities == {"b0": "critical", "b1": "critical", "b2": "critical", "b9": "high"}


@pytest.mark.parametrize("restart", [False, True])
def test_a_success_that_arrives_before_an_earlier_denial(story, restart):
    """Deliveries come in any order: a denial is over if a later success is there already, also after a restart."""
    story.begin()
    first, late = story.delivery(call(10), call(40, "x")), story.delivery(call(0, denied=True))
    story.now += timedelta(minutes=40)
    if restart:
        story.arrive(first)
        story.arrive(late)
    else:
        story.arrive(first, late, at_once=1)
    assert story.findings["b"]["status"] == "recovered"
    assert story.told == [("summary", "b")]


def test_a_forged_success_proves_nothing(story):
    """A record that somebody wrote into the request of another one is no proof of recovery."""
    story.begin()
    story.happen(call(0, denied=True))
    forged = call(5)
    story.happen(call(6, "x", requestParameters={"bucketName": "x", "tagging": [forged]}), call(60, "y"))
    assert story.findings["b"]["status"] == "blocked"
    assert story.told == [("blocked", "b")]


def test_silence_is_no_recovery(story):
    """Without attempts a finding falls silent by the clock alone; nobody is told good news."""
    story.begin()
    story.happen(call(0, denied=True))
    story.now += timedelta(days=8)
    story.arrive()
    assert story.findings["b"]["status"] == "silent"
    assert story.told == [("blocked", "b")]
    story.happen(call(8 * 24 * 60 + 5, denied=True))
    assert story.findings["b"]["status"] == "blocked"
    assert story.told == [("blocked", "b")]


def test_a_mute_holds_back(story):
    """While a mute holds, nothing is told of what it is about, and the finding says why."""
    story.begin()
    mute = new_mute(
        {"resource": "arn:aws:s3:::b*"}, reason="known", by="ann", until=timedelta(hours=1), now=NOON
    )
    story.state.write(partial(keep_mute, mute=mute))
    story.happen(call(0, "b1", denied=True))
    story.happen(call(3, "c1", denied=True))
    assert story.told == [("blocked", "c1")]
    finding = shown(story.state, story.findings["b1"]["id"], now=NOON)
    assert (finding["muted"], finding["mute"]["by"]) == (True, "ann")
    assert finding["life"]["decisions"][-1]["reason"] == "muted"


def test_a_mute_that_has_ended_is_noticed(story):
    """Also one that ended while nobody watched, or that somebody took back."""
    story.begin()
    for resource in ("b1", "b2"):
        mute = new_mute(
            {"resource": f"arn:aws:s3:::{resource}"}, reason="r", by="ann", until=timedelta(hours=1), now=NOON
        )
        story.state.write(partial(keep_mute, mute=mute))
    story.happen(call(0, "b1", denied=True))
    story.happen(call(1, "b2", denied=True))
    assert story.told == []
    story.now += timedelta(minutes=5)
    name = shown(story.state, story.findings["b2"]["id"], now=story.now)["mute"]["id"]
    story.state.write(partial(end_mutes, name=name, by="bob", now=story.now))
    story.now += timedelta(seconds=1)
    story.arrive()
    assert story.told == [("blocked", "b2")]
    story.now += timedelta(hours=2)
    story.arrive()
    assert story.told == [("blocked", "b2"), ("blocked", "b1")]
    assert (
        shown(story.state, story.findings["b1"]["id"], now=story.now)["life"]["decisions"][-1]["reason"]
        == "mute-ended"
    )


def test_what_cannot_be_read_is_put_aside(story):
    """A damaged delivery is named with its reason; the others go on, and it is not read again."""
    story.begin()
    path = story.folder / "broken.json.gz"
    path.write_bytes(b"\x1f\x8b\x08\x00 no gzip at all")
    broken = next(iter(deliveries_of([str(path)], Window(), [])))
    story.now += timedelta(minutes=1)
    source = story.arrive(story.delivery(call(0, denied=True)), broken)
    assert broken.name in source.acknowledged
    (failure,) = story.state.read(deliveries.failures)
    assert (failure.name, failure.source) == (broken.name, "given")
    assert failure.reason
    story.arrive(broken)
    (again,) = story.state.read(deliveries.failures)
    assert again.attempts == 1
    assert story.told == [("blocked", "b")]


def test_events_of_long_ago_are_late(story):
    """What lies further back than identities are kept counts by its delivery alone, and says so."""
    story.begin()
    story.now = NOON + timedelta(days=60)
    denial = call(0, denied=True)
    story.arrive(in_memory(denial, name="x"))
    story.arrive(in_memory(denial, name="x"))
    assert (story.findings["b"]["denials"], story.findings["b"]["late"]) == (1, 1)
    assert story.told == [("summary", "b")]


def test_the_better_copy_of_a_denial_counts(story):
    """Of two copies of one call, the one that names more is kept, and both event ids are listed."""
    story.begin()
    shared = {"sharedEventID": "11111111-2222-4333-8444-555555555555"}
    theirs = call(0, denied=True, recipientAccountId="999988887777", **shared)
    own = call(0, denied=True, **shared)
    story.happen(theirs)
    story.happen(own)
    assert story.findings["b"]["denials"] == 1
    assert story.findings["b"]["event_ids"] == sorted([theirs["eventID"], own["eventID"]])
    assert story.told == [("blocked", "b")]


class Crash(Exception):  # noqa: N818 - it is none of the program's
    """What stands for a process that is killed."""


@pytest.mark.parametrize("seed", range(6))
def test_crashes_lose_nothing_and_count_nothing_twice(tmp_path, seed):
    """However often a watcher is stopped before or after its commit, the end is that of one that was not stopped."""
    rng = random.Random(seed)
    records = [call(n, f"b{rng.randint(0, 3)}", denied=rng.random() < 0.6) for n in range(40)]
    undisturbed, disturbed = (
        Story(str(tmp_path / name), tmp_path, silent=FOR_EVER, settle=timedelta(minutes=5)) for name in "ud"
    )
    listed = [undisturbed.delivery(record) for record in records]
    for story in (undisturbed, disturbed):
        story.begin()
        story.now += timedelta(hours=1)
    undisturbed.arrive(*listed, at_once=1)
    source = Given(listed, 1)
    for _ in range(200):
        watcher = disturbed.watcher(source)
        _break(watcher, source, rng)
        try:
            watcher.run(once=True)
            break
        except Crash:
            left = [delivery for delivery in listed if delivery.name not in source.acknowledged]
            source = Given(left, 1)
            source.acknowledged = [delivery.name for delivery in listed if delivery not in left]
    else:
        pytest.fail("it never came to an end")
    assert disturbed.findings == undisturbed.findings
    assert disturbed.told == undisturbed.told
    sent = [[(each.id, each.dedup_key) for each in story.notifications] for story in (disturbed, undisturbed)]
    assert sent[0] == sent[1]
    assert disturbed.state.read(deliveries.counters) == undisturbed.state.read(deliveries.counters)
    for story in (undisturbed, disturbed):
        story.close()


def _break(watcher, source, rng):
    """Let a watcher end at a moment that matters: before a commit, after it, or while it acknowledges."""
    write, done, left = watcher._state.write, source.done, rng.randint(1, 12)

    def count():
        nonlocal left
        left -= 1
        return left == 0

    class Store:
        shared = False

        def read(self, work):
            return watcher_state.read(work)

        def write(self, work):
            if count():
                raise Crash
            found = write(work)
            if count():
                raise Crash
            return found

    def acknowledge(arrivals):
        if count():
            raise Crash
        done(arrivals)

    watcher_state = watcher._state
    watcher._state = watcher._housekeeping._state = Store()
    source.done = acknowledge


def test_findings_that_ended_long_ago_are_forgotten_if_asked(story):
    """By default they stay for ever; with a span only what recovered or is gone goes, and what is blocked stays."""
    story.begin()
    story.happen(call(0, "b", denied=True), call(0, "c", denied=True))
    story.happen(call(10, "b"))
    story.happen(call(60, "x"))
    story.now += timedelta(days=40)
    story.arrive()
    assert {name: finding["status"] for name, finding in story.findings.items()} == {
        "b": "recovered",
        "c": "silent",
    }
    story.retention = Retention(ended=timedelta(days=30))
    story.arrive()
    assert set(story.findings) == {"c"}


def test_spans_have_the_defaults_of_the_contract():
    """Seven days of silence, a quarter of an hour to settle."""
    assert Spans() == (timedelta(days=7), timedelta(minutes=15))


HOSTILE = [
    "b\0c",
    "b' OR 1=1 --",
    "<script>alert(1)</script>",
    "b\x1b[31m",
    "%s%(x)s",
    "\u202eb",
    "é" * 300,
    "b\ud800",
]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_hostile_names(tmp_path, request, database):
    """Whatever stands for a bucket becomes a finding like any other, in both databases, and is told."""
    place = (
        str(tmp_path / "state") if database == "sqlite" else request.getfixturevalue("postgres").database()
    )
    story = Story(place, tmp_path)
    story.begin()
    for number, name in enumerate(HOSTILE):
        story.happen(
            call(number, name, denied=True),
            call(number, name, denied=True, recipientAccountId=name, eventID=name),
        )
    assert sum(finding["denials"] for finding in story.documents) == 2 * len(HOSTILE)
    assert len([name for _, *names in story.told for name in names]) == len(story.documents)
    story.close()
