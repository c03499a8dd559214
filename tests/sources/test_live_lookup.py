import json
from datetime import UTC, datetime
from itertools import count

import pytest

from following import Later, drain, ids, within
from rolewatch.base.errors import CannotDo
from rolewatch.sources import Window
from rolewatch.sources.live_lookup import LookupSource

_numbers = count()


class History:
    """Event history as AWS answers for it: newest first, two events a page."""

    def __init__(self):
        self.events = []
        self.refuse = []

    def put(self, *ages):
        """Add an event of each age, in seconds; returns their ids, the newest first."""
        ids = []
        for age in sorted(ages):
            ids.append(f"id-{next(_numbers)}")
            record = {"eventVersion": "1.08", "eventID": ids[-1], "eventName": "GetObject"}
            when = datetime.now(UTC).timestamp() - age
            self.events.append({"EventId": ids[-1], "EventTime": when, "CloudTrailEvent": json.dumps(record)})
        self.events.sort(key=lambda event: -event["EventTime"])
        return ids

    def answer(self, _method, _path, body):
        """Answer one request."""
        if self.refuse:
            return 400, json.dumps({"__type": self.refuse.pop(), "message": "because"}).encode()
        asked = json.loads(body)
        found = [
            event
            for event in self.events
            if asked["StartTime"] <= event["EventTime"] <= asked.get("EndTime", float("inf"))
        ]
        start = int(asked.get("NextToken", 0))
        more = {"NextToken": str(start + 2)} if start + 2 < len(found) else {}
        return 200, json.dumps({"Events": found[start : start + 2], **more}).encode()


@pytest.fixture
def history(server, monkeypatch):
    """Start an event history."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", server.url)
    made = History()
    server.answer = made.answer
    return made


@pytest.fixture
def follow(history, memory, told):
    """Give a function that follows it."""
    del history
    return lambda **more: LookupSource(
        "us-east-1", memory, told, **{"window": Window(), "time": Later(), **more}
    )


def test_the_backlog_comes_hour_by_hour_the_oldest_first(follow, history, memory):
    """AWS gives the newest first, so each hour is asked for by itself."""
    newest, *others = history.put(10, 7000, 7100, 80_000)
    old = [others[2], *others[:2], newest]
    assert old == ids(drain(follow(), memory))


def test_what_is_new_is_given_once(follow, history, memory):
    """It is read again with each look."""
    history.put(10)
    source = follow()
    drain(source, memory)
    new = history.put(5)
    (arrival,) = source.arrivals(300)
    assert (new, None) == (ids([arrival]), arrival.delivery.arrived())  # AWS does not say when it came
    assert source.arrivals(300) == []
    assert new == ids(drain(follow(), memory))


@pytest.mark.parametrize(("late", "seconds"), [(1000, 90), (7000, 1300)])
def test_late_events_are_found(follow, history, memory, late, seconds):
    """Most come within 15 minutes."""
    history.put(10)
    time = Later()
    source = follow(time=time)
    drain(source, memory)
    new = history.put(late)
    assert new == ids(within(source, time, seconds, 30))


def test_requests_keep_to_two_a_second(follow, history, memory):
    """AWS allows no more."""
    history.put(10)
    time = Later()
    drain(follow(time=time), memory)
    pauses = [pause for pause in time.waited if 0.1 < pause <= 0.5]
    assert len(pauses) >= 22


def test_throttling_is_told_and_tried_again(follow, history, memory, told):
    """Nothing is lost."""
    put = history.put(5, 6, 7)
    source = follow()
    history.refuse = ["ThrottlingException"] * 3
    assert sorted(put) == sorted(ids(drain(source, memory)))
    assert len(told.all) == 1


def test_a_refusal_at_the_start_is_said_at_once(follow, history):
    """Exit status 4."""
    history.refuse = ["AccessDeniedException"]
    with pytest.raises(CannotDo, match="cannot look up events in lookup://us-east-1: AccessDeniedException"):
        follow()
