"""What changes while somebody looks: events as they happen, and an end that waits for nobody."""

import http.client
import json
import threading
import time

import pytest

from rolewatch.web.live import MOST_STREAMS, Seen, news


class Stream:
    """Reads events of a server, as a browser's EventSource does."""

    def __init__(self, site):
        self._connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
        self._connection.request("GET", "/api/v1/events")
        self.answer = self._connection.getresponse()

    def event(self):
        """Wait for the next event; returns its name and data."""
        kind = data = None
        while True:
            line = self.answer.fp.readline().decode().rstrip("\r\n")
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: "):
                data = json.loads(line.removeprefix("data: "))
            elif not line and kind:
                return kind, data

    def close(self):
        """Go away."""
        self.answer.close()
        self._connection.close()


@pytest.mark.both_stores
def test_a_finding_is_told_when_it_is_written(world, site):
    """Each open page hears of a new finding within moments, and of nothing while nothing happens."""
    world.happen(world.call(50, "old", denied=True))
    streams = [Stream(site), Stream(site)]
    assert streams[0].answer.headers["Content-Type"].startswith("text/event-stream")
    while len(site.desk.live._queues) < 2 or site.desk.live._task is None:
        time.sleep(0.01)
    waiting = threading.Event()
    waiting.wait(0.3)  # the first look at the state
    world.happen(world.call(1, "new", denied=True))
    (new,) = site.get("/api/v1/findings?q=new").json["findings"]
    for stream in streams:
        kind, data = stream.event()
        assert kind == "changed"
        assert new["id"] in data["findings"]
        stream.close()


def test_a_state_that_is_lost_is_said(world, site, monkeypatch):
    """A page is told when the state does not answer, and when it does again."""
    world.happen(world.call(50, "old", denied=True))
    stream = Stream(site)
    gone = threading.Event()
    read = site.desk.live._read

    def failing(work):
        if gone.is_set():
            site.desk._ready = False
            monkeypatch.setattr(site.desk._state, "folder", world.folder / "nowhere")
        return read(work)

    monkeypatch.setattr(site.desk.live, "_read", failing)
    threading.Event().wait(0.3)
    gone.set()
    kind, data = stream.event()
    assert (kind, data["ok"]) == ("state", False)
    assert data["detail"]
    stream.close()


def test_a_server_ends_while_streams_are_open(world, serve):
    """Streams would go on for ever; the end closes them (the fixture waits for it)."""
    world.happen(world.call(50, denied=True))
    site = serve()
    stream = Stream(site)
    stream.answer.fp.readline()
    site._server.should_exit = True
    stream.answer.fp.read()  # until the server closes it
    site._thread.join(10)
    assert not site._thread.is_alive()
    stream.close()


def test_streams_are_bounded(world, site, monkeypatch):
    """More streams than there is room for are refused with when to come again."""
    world.happen(world.call(50, denied=True))
    monkeypatch.setattr(site.desk.live, "_queues", set(range(MOST_STREAMS)))
    answer = site.get("/api/v1/events")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    monkeypatch.setattr(site.desk.live, "_queues", set())


def test_what_counts_as_news():
    """Nothing new is no event; a finding, an alarm and a state that is lost each are one."""
    before = Seen(5, frozenset("a"), 7)
    assert news(before, before, []) is None
    assert b'"findings":["b"]' in news(before, Seen(6, frozenset("b"), 7), ["b"])
    assert b'"alarms":true' in news(before, Seen(5, frozenset("a"), 8), [])
    assert b'"more":true' in news(before, Seen(6, frozenset(), 7), [f"{n:016x}" for n in range(300)])
    assert b"event: state" in news(before, before._replace(lost="no answer"), [])
