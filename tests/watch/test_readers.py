"""Reading in processes beside the watcher: the same is found, and a process that is lost takes nothing with it."""

import json
import os
import signal
from datetime import timedelta

import pytest
from givers import Given
from stories import Story, call

from rolewatch.denials.record import decode
from rolewatch.denials.rule import Rule, facts
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import FileDelivery
from rolewatch.watch import readers
from rolewatch.watch.alarm_counts import Filters
from rolewatch.watch.gathering import Wanted
from rolewatch.watch.readers import Readers


@pytest.fixture
def large(monkeypatch):
    """Have every batch count as a large one."""
    monkeypatch.setattr(readers, "LARGE", 1)


@pytest.mark.slow
def test_processes_find_the_same(tmp_path, large):
    """A backlog read by two processes ends in the state that one process makes of it, recoveries included."""
    del large
    found = []
    for jobs in (1, 2):
        story = Story(str(tmp_path / f"state{jobs}"), tmp_path, settle=timedelta(minutes=1))
        story.now += timedelta(hours=3)
        if not found:
            records = [call(n, f"b{n % 7}", denied=n < 60) for n in range(120)]
            listed = [story.delivery(*records[start : start + 3]) for start in range(0, 120, 3)]
        source = Given(listed, 4)
        story.watcher(source, request=ScanRequest(jobs=jobs)).run(once=True)
        assert len(source.acknowledged) == len(listed)
        found.append((story.findings, story.told))
        story.close()
    assert found[0] == found[1]
    assert {finding["status"] for finding in found[0][0].values()} == {"recovered"}


@pytest.mark.slow
def test_a_process_that_is_killed(tmp_path, large):
    """What it was reading is read here instead, and it is told once."""
    del large
    story = Story(str(tmp_path / "state"), tmp_path)
    told = []
    reading = Readers(ScanRequest(jobs=2), lambda *words: told.append(words))
    first = reading.begin([story.delivery(call(0, denied=True))])
    assert first().detector.summary.totals()["denials"] == 1
    for process in list(reading._pool._processes.values()):
        os.kill(process.pid, signal.SIGKILL)
    second = reading.begin([story.delivery(call(1, denied=True), call(2, denied=True))])
    assert second().detector.summary.totals()["denials"] == 2
    third = reading.begin([story.delivery(call(3, denied=True))])
    assert third().detector.summary.totals()["denials"] == 1
    assert [name for name, _ in told] == ["readers"]
    reading.close()
    story.close()


@pytest.mark.slow
def test_processes_look_again(tmp_path, large):
    """The records that tell facts are found by processes as by this one, also where one of those is lost meanwhile."""
    del large
    story = Story(str(tmp_path / "state"), tmp_path)
    records = [call(n, f"b{n}") for n in range(40)]
    places = []
    for record in records:
        told = facts(decode(json.dumps(record).encode()), Rule())
        places.append((story.delivery(record), set(told)))
    places.append((FileDelivery("gone", "gone", named=False, size=9, remote=False), {("a", "b", "c", "d")}))
    reading = Readers(ScanRequest(jobs=2), lambda *_: None)
    alone = list(reading.hear(places))
    reading.begin([story.delivery(call(0, denied=True))])()
    beside = list(reading.hear(iter(places)))
    for process in list(reading._pool._processes.values()):
        os.kill(process.pid, signal.SIGKILL)
    without = list(reading.hear(places))
    assert alone == beside == without
    assert [{witness.event_id for witness in told.values()} for told in alone] == [
        *({record["eventID"]} for record in records),
        set(),
    ]
    reading.close()
    story.close()


@pytest.mark.slow
def test_processes_count_for_alarms(tmp_path, large):
    """What metric filters count travels to the process that reads and back, also where nothing matched."""
    del large
    story = Story(str(tmp_path / "state"), tmp_path)
    filters = Filters((), 60, "2030-01-01T00:00")
    reading = Readers(ScanRequest(jobs=2), lambda *_: None, lambda: Wanted(filters))
    found = reading.begin([story.delivery(call(0, denied=True))])()
    assert found.counts is not None
    assert found.detector.summary.totals()["denials"] == 1
    assert reading._pool is not None
    reading.close()
    story.close()
