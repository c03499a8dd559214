"""Deliveries that could not be read are listed, and read again on command: nothing counts twice, nothing is told wrongly."""

import gzip
import json
import os
from datetime import timedelta

import msgspec
import pytest
from stories import NOON, Story, call, content

from rolewatch.base.errors import UsageError
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import BytesDelivery, FileDelivery
from rolewatch.sources.delivery import RefusedDelivery
from rolewatch.sources.files import look
from rolewatch.store import deliveries
from rolewatch.watch.failed import Outcome, Retry, chosen, listed
from rolewatch.watch.manner import MANNER, Manner


def damaged(*records, broken="broken"):
    """Write a log file whose last record is no JSON."""
    return gzip.compress(json.dumps({"Records": records}, separators=(",", ":")).encode()[:-2] + f",{{{broken}]}}".encode())  # fmt: skip


class Files:
    """Files of a story that a watcher reads, and that are repaired afterwards."""

    def __init__(self, story):
        self.story = story

    def write(self, data, name="000000000000_x.json.gz"):
        """Write a file; returns it as a delivery."""
        path = self.story.folder / name
        path.write_bytes(data)
        return look(str(path), named=True)

    def retry(self, *names):
        """Read again what failed."""
        return Retry(self.story.state, lambda: self.story.now).run(chosen(self.story.state, names))


@pytest.fixture(params=["sqlite", "postgresql"])
def story(request, tmp_path):
    """Begin a story over each kind of state, past its first backlog."""
    (tmp_path / "logs").mkdir()
    place = str(tmp_path / "state")
    if request.param == "postgresql":
        place = request.getfixturevalue("postgres").database()
    begun = Story(place, tmp_path / "logs")
    begun.begin()
    yield begun
    begun.close()


@pytest.fixture
def files(story):
    """Give the files of a story."""
    return Files(story)


def counted(story):
    """Give the counters that must not count anything twice."""
    counters = story.state.read(deliveries.counters)
    return {name: counters.get(name, 0) for name in ("records", "denials", "duplicates", "late")}


def test_what_failed_is_listed(story, files):
    """Each with its source, its reason, when and how often it failed, and whether it can be read again."""
    broken = files.write(b"\x1f\x8b\x08 no gzip")
    refused = RefusedDelivery(
        "m1", "m1", named=False, size=3, remote=False, reason="no notice", content=b"abc"
    )
    huge = BytesDelivery("big", "big", named=True, size=300_000, remote=False, content=os.urandom(300_000))
    story.arrive(broken, refused, huge)
    found = {each["name"]: each for each in listed(story.state)}
    assert found.keys() == {broken.name, "m1", "big"}
    one = found[broken.name]
    assert (one["source"], one["attempts"], one["records"], one["retryable"]) == ("given", 1, 0, True)
    assert one["first"] == one["last"] == "2026-03-01T12:00:00Z"
    assert one["reason"]
    assert not found["m1"]["retryable"]
    assert not found["big"]["retryable"]
    assert [each.name for each in chosen(story.state, [])] == [broken.name]
    assert [each.name for each in chosen(story.state, [one["id"], broken.name])] == [broken.name]
    with pytest.raises(UsageError, match="no delivery that failed is called 'nobody'"):
        chosen(story.state, ["nobody"])
    outcomes = {outcome.name: outcome.reason for outcome in files.retry("m1", "big").outcomes}
    assert outcomes == {
        "m1": "it is nothing that could be read: no notice",
        "big": "its content was not kept, so it cannot be read again",
    }
    assert len(listed(story.state)) == 3


def test_what_is_whole_again_is_read(story, files):
    """It is no failure any more, counts like any other delivery, and the watcher tells people of what it changed."""
    broken = files.write(b"\x1f\x8b\x08 no gzip")
    story.arrive(broken)
    files.write(content(call(0, denied=True), call(1, "other")))
    story.now += timedelta(minutes=5)
    done = files.retry()
    assert (done.outcomes, done.records, done.denials) == ([Outcome(broken.name, "")], 2, 1)
    assert listed(story.state) == []
    assert counted(story) == {"records": 2, "denials": 1, "duplicates": 0, "late": 0}
    assert story.findings["b"]["status"] == "blocked"
    assert story.told == []
    story.arrive()
    assert story.told == [("blocked", "b")]
    story.arrive()
    assert story.told == [("blocked", "b")]


def test_what_still_fails_stays(story, files):
    """With the new reason, one more attempt and the time of the first failure."""
    broken = files.write(b"\x1f\x8b\x08 no gzip")
    story.arrive(broken)
    story.now += timedelta(hours=1)
    os.remove(broken.name)  # noqa: PTH107 - a path of a delivery
    done = files.retry()
    assert [outcome.name for outcome in done.unread] == [broken.name]
    (kept,) = listed(story.state)
    assert (kept["attempts"], kept["reason"]) == (2, "No such file or directory")
    assert (kept["first"], kept["last"]) == ("2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z")


@pytest.mark.parametrize("days", [0, 60])
@pytest.mark.parametrize("gone_by", [0, 50])
def test_what_was_taken_in_part_counts_once(story, files, days, gone_by):
    """Whether its events were remembered when it was read in part, are not any more, or never were because they are old."""
    story.now = NOON + timedelta(days=days)
    whole = [call(n, f"b{n}", denied=True) for n in range(4)]
    broken = files.write(damaged(*whole[:3]))
    story.arrive(broken)
    (kept,) = listed(story.state)
    assert (kept["records"], kept["retryable"]) == (3, True)
    assert {name: each["denials"] for name, each in story.findings.items()} == {"b0": 1, "b1": 1, "b2": 1}
    story.now += timedelta(days=gone_by)
    story.happen(call(60 * 24 * (days + gone_by), "calm"))  # so that the clock is believed
    done = files.retry()  # nothing has changed: the same part is whole
    assert (len(done.unread), done.records, done.denials) == (1, 0, 0)
    files.write(content(*whole))
    done = files.retry()
    assert (done.outcomes, done.records, done.denials) == ([Outcome(broken.name, "")], 1, 1)
    assert {name: each["denials"] for name, each in story.findings.items()} == dict.fromkeys(("b0", "b1", "b2", "b3"), 1)  # fmt: skip
    numbers = counted(story)
    assert (numbers["records"], numbers["denials"], numbers["duplicates"]) == (5, 4, 0)
    assert numbers["late"] == (0 if days + gone_by == 0 else 4 if days else 1)


def test_a_batch_with_a_damaged_delivery_knows_whose_denials_are_whose(story, files):
    """Only what was counted of the damaged one is remembered with it."""
    broken = files.write(damaged(call(0, "b0", denied=True)))
    story.arrive(
        story.delivery(call(1, "b1", denied=True)), broken, story.delivery(call(2, "b2", denied=True))
    )
    (failure,) = story.state.read(deliveries.failures)
    assert (failure.records, len(failure.counted)) == (1, 16)


def test_what_proves_a_recovery_is_found_there_too(story, files):
    """A success in what was read again ends a finding that waits for it, and that is told with its proof."""
    story.happen(call(0, denied=True))
    proof = call(5)
    broken = files.write(b"\x1f\x8b\x08 no gzip")
    story.arrive(broken)
    files.write(content(proof))
    story.happen(call(60, "other"))
    files.retry()
    assert story.findings["b"]["status"] == "recovered"
    story.now += timedelta(minutes=1)
    story.arrive()
    assert story.told == [("blocked", "b"), ("recovered", "b")]
    assert story.findings["b"]["proof"][0]["event_id"] == proof["eventID"]


def test_a_denial_that_is_over_already(story, files):
    """What arrived lately is looked at for a proof, as the watcher would have."""
    broken = files.write(b"\x1f\x8b\x08 no gzip")
    story.arrive(broken)
    story.happen(call(10), call(40, "x"))
    files.write(content(call(0, denied=True)))
    files.retry()
    assert story.findings["b"]["status"] == "recovered"
    story.arrive()
    assert story.told == [("summary", "b")]


def test_it_looks_as_the_watcher_did(story, files):
    """Whom to watch is what the watcher was told, not what the command is by default."""
    request = ScanRequest(principals=frozenset(("slr", "all")), authentication=True)
    manner = Manner.of(request, story.spans, lake=False)
    assert (Manner.decode(manner.encode()), Manner.decode(None), Manner.decode('{"principals":7}')) == (manner, Manner(), Manner())  # fmt: skip
    story.state.write(lambda connection: deliveries.keep_notes(connection, {MANNER: manner.encode()}))
    broken = files.write(b"\x1f\x8b\x08 no gzip")
    story.arrive(broken)
    person = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann", "accountId": "111122223333", "userName": "ann"}  # fmt: skip
    files.write(content(call(0, denied=True, userIdentity=person)))
    assert files.retry().denials == 1


def test_beside_a_watcher_that_runs(story, files):
    """A watcher that is at work follows what was read again: it tells of it, and of its end."""
    broken = files.write(b"\x1f\x8b\x08 no gzip")
    watcher = story.watcher()
    story.arrive(broken)
    watcher._resume()
    watcher._phase = "live"
    watcher._tick()
    files.write(content(call(0, denied=True)))
    files.retry()
    watcher._tick()
    assert story.told == [("blocked", "b")]
    assert len(watcher._following) == 1


def test_two_at_once_read_it_once(story, files):
    """Whoever comes second finds that it was read, and neither counts nor fails."""
    broken = files.write(b"\x1f\x8b\x08 no gzip")
    other = files.write(b"\x1f\x8b\x08 no gzip", "000000000000_y.json.gz")
    story.now = NOON + timedelta(days=60)  # so that identities do not help
    story.arrive(broken, other)
    files.write(content(call(0, denied=True)))
    files.write(content(call(1, "c", denied=True)), "000000000000_y.json.gz")
    both = chosen(story.state, [])
    one, two = (Retry(story.state, lambda: story.now) for _ in range(2))
    assert one.run([each for each in both if each.name == broken.name]).denials == 1
    done = two.run(both)
    assert ({outcome.name for outcome in done.outcomes}, done.unread, done.denials) == ({broken.name, other.name}, [], 1)  # fmt: skip
    assert {name: each["denials"] for name, each in story.findings.items()} == {"b": 1, "c": 1}


def test_a_locator_of_another_version(story):
    """It is said, and what cannot be found again stays."""
    failure = deliveries.Failure(b"x" * 16, "x", "s", "why", '{"kind":"other"}', 0, 0, 1)
    story.state.write(lambda connection: deliveries.fail(connection, [failure]))
    assert not listed(story.state)[0]["retryable"]
    (outcome,) = Files(story).retry("x").outcomes
    assert "another version of rolewatch" in outcome.reason


def test_names_that_no_database_takes(story):
    """A file whose name is no text, or an object with a NUL in its key, fails like any other, and stops nobody."""
    names = ["a\udcff.json.gz", "b\x00.json.gz"]
    found = [
        FileDelivery(name, f"{name}+3+1+1", named=True, size=3, remote=False)
        if "\udcff" in name
        else BytesDelivery(name, name, named=True, size=3, remote=False, content=b"abc")
        for name in names
    ]
    story.arrive(*found)
    listed_names = {each["name"] for each in listed(story.state)}
    assert listed_names == {"a\ufffd.json.gz", "b\ufffd.json.gz"}
    assert [each.name for each in chosen(story.state, names)] == ["a\ufffd.json.gz", "b\ufffd.json.gz"]
    assert msgspec.json.encode(sorted(listed_names))
