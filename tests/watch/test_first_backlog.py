"""What a first backlog proves: it is asked for once, when all is read, and is neither lost nor guessed on the way there."""

from datetime import timedelta

import pytest
from givers import Given
from stories import call, in_memory

from rolewatch.scan.detect import Detector
from rolewatch.sources import locators


class OneByOne(Given):
    """Gives a delivery when the one before is committed, and stops its watcher after so many."""

    def __init__(self, deliveries, most=1000):
        super().__init__(deliveries, 1)
        self._most, self._number = most, len(deliveries)
        self.stop = lambda: None

    def arrivals(self, seconds):
        """Give the next one."""
        waiting = self._number - len(self.rest) > len(self.acknowledged)
        return [] if waiting else super().arrivals(seconds)

    def done(self, arrivals):
        """Note what was committed, and stop when it is enough."""
        super().done(arrivals)
        if len(self.acknowledged) >= self._most:
            self.stop()


def test_the_first_success_is_the_proof(story):
    """Of many successes after the last denial the first ends the finding: the latest would have to be settled first."""
    successes = [call(minute) for minute in range(10, 58, 6)]
    records = [call(0, denied=True), call(2), call(4, denied=True), *successes, call(60, "other")]
    story.now += timedelta(hours=1)
    story.arrive(*map(story.delivery, records[::-1]), at_once=1)
    assert story.findings["b"]["status"] == "recovered"
    (proof,) = story.findings["b"]["proof"]
    assert proof["event_id"] == successes[0]["eventID"]
    assert story.told == [("summary", "b")]


@pytest.mark.parametrize("kept", [locators.KEPT, 0], ids=["can-be-read-again", "cannot"])
@pytest.mark.parametrize("read", [1, 2])
def test_a_backlog_that_is_broken_off(story, monkeypatch, read, kept):
    """A successor knows what was proven before, also by deliveries that are gone once they are read."""
    monkeypatch.setattr(locators, "KEPT", kept)
    records = [call(0, denied=True), call(10), call(60, "other")]
    deliveries = [in_memory(record, name=f"d{number}") for number, record in enumerate(records)]
    story.now += timedelta(hours=1)
    first = OneByOne(deliveries, read)
    watcher = story.watcher(first)
    first.stop = watcher.stop
    watcher.run(once=False)
    assert len(first.acknowledged) == read
    assert story.told == []
    story.arrive(*deliveries[len(first.acknowledged) :], at_once=1)
    assert story.findings["b"]["status"] == "recovered"
    assert story.told == [("summary", "b")]


@pytest.mark.parametrize("shared", [False, True], ids=["sqlite", "postgresql"])
def test_a_backlog_is_asked_once_where_nobody_forgets(story, monkeypatch, shared):
    """A watcher that has the state to itself looks at the deliveries of a backlog again when all is read, not before."""
    asked, witnessed = [], Detector.witnessed
    monkeypatch.setattr(Detector, "witnessed", lambda *words: asked.append(1) or witnessed(*words))
    story.state.shared = shared
    records = [call(0, denied=True), call(10), call(20), call(60, "other")]
    story.now += timedelta(hours=1)
    story.watcher(OneByOne(list(map(story.delivery, records)))).run(once=True)
    assert len(asked) == (5 if shared else 1)
    assert story.findings["b"]["status"] == "recovered"
