"""Metrics and probes: what they say, in names that the field knows, with labels that nobody else can fill."""

import http.client
import json
import socket
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace

import pytest
from givers import Given
from prometheus_client.parser import text_string_to_metric_families
from stories import NOON, call, content

from rolewatch.base.errors import CannotDo
from rolewatch.notify.errors import SendError
from rolewatch.notify.quiet import Quiet
from rolewatch.notify.target import Target
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import BytesDelivery
from rolewatch.store import sources as rows_of_sources
from rolewatch.watch.commit import Rules
from rolewatch.watch.feed import Feed
from rolewatch.watch.health import Pulse, Report
from rolewatch.watch.lateness import Lateness
from rolewatch.watch.line import Line, Manners
from rolewatch.watch.observer import Observers
from rolewatch.watch.telemetry import Telemetry
from rolewatch.watch.telemetry_census import Counting
from rolewatch.watch.telemetry_http import AT_ONCE, Page, Served, metrics, probe
from rolewatch.watch.telling import Address, Teller
from rolewatch.watch.watcher import Watcher

WORD = "s3://trail\x1b[2J/AWSLogs"
SHOWN = "s3://trail\\x1b[2J/AWSLogs"


class Measured:
    """A watcher of one source, measured as it goes."""

    def __init__(self, story):
        self.story, self.source, self.pulse = story, Given(word=WORD), Pulse()
        feed = Feed([self.source], self._told)
        self.counting = Counting(story.state, self.pulse, self._told)
        self.telemetry = Telemetry(feed, self.pulse, lambda: self.counting.latest, lambda: story.now)
        teller = Teller(lambda *_: ("url",), {"url": Address("t", "test")})
        rules = Rules(story.spans, teller, lambda: story.now)
        lateness = Lateness(feed.sources, lambda: 0.0, 3600)
        moment = int(story.now.timestamp() * 1000)
        story.state.write(lambda connection: rows_of_sources.follow(connection, [WORD], moment))
        observers = Observers([self.pulse, self.telemetry])
        self._watcher = lambda feed: Watcher(
            story.state, feed, ScanRequest(), rules, told=self._told, observer=observers, lateness=lateness
        )

    def arrive(self, *deliveries):
        """Let deliveries arrive and be committed."""
        self.source.put(*deliveries)
        self._watcher(Feed([self.source], self._told)).run(once=True)

    def samples(self):
        """Give the samples of rolewatch as Prometheus reads them: name and labels → value."""
        self.counting.look()
        page = metrics(self.telemetry.registry)("")
        return {
            (sample.name.removeprefix("rolewatch_"), *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(page.body.decode())
            for sample in family.samples
            if sample.name.startswith("rolewatch_")
        }

    def _told(self, name, reason):
        self.story.complaints.append((name, reason))


def test_what_is_counted(story):
    """Deliveries, records, denials by service, repeats, findings, the outbox, and how far behind the clock a source is."""
    measured = Measured(story)
    broken = BytesDelivery("broken", "broken", named=True, size=3, remote=False, content=b"abc")
    denial = call(0, denied=True)
    strange = call(
        3, denied=True, role="arn:aws:iam::111122223333:role/aws-service-role/evil\x1b.amazonaws.com/X"
    )
    story.now = NOON + timedelta(minutes=10)
    measured.arrive(story.delivery(denial, call(5)), story.delivery(denial, strange), broken)
    story.now += timedelta(minutes=1)
    found = measured.samples()
    source = ("source", SHOWN)
    expected = {
        ("deliveries_total", source): 3,
        ("delivery_failures_total", source): 1,
        ("delivery_retries_total", source): 0,
        ("records_total",): 4,
        ("denials_total", ("service", "config.amazonaws.com")): 1,
        ("denials_total", ("service", "other")): 1,
        ("duplicates_total",): 1,
        ("messages_total", ("kind", "summary")): 1,
        ("failed_deliveries",): 1,
        ("outbox", ("state", "waiting")): 1,
        ("outbox", ("state", "dead")): 0,
        ("batch_seconds_count",): 1,
        ("lag_seconds", ("of", "event"), source): 360,
        ("lag_seconds", ("of", "delivery"), source): 60,
        ("last_delivery_timestamp_seconds", source): (NOON + timedelta(minutes=10)).timestamp(),
        ("source_up", source): 1,
        ("state_up",): 1,
        ("alive",): 1,
        ("ready",): 1,
        ("self_alarm", ("condition", "quiet"), source): 0,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert sum(value for key, value in found.items() if key[0] == "findings") == 2
    assert [key[1:] for key in found if key[0] == "build_info"]


class Deaf(Target):
    """A target that takes nothing, for a while or for good."""

    def __init__(self):
        super().__init__("webhook+https://example.com/…1f3a9c02")
        self.error = None

    def deliver(self, notification):
        """Raise, if it is told to."""
        del notification
        if self.error:
            raise self.error


def test_what_became_of_notifications(story):
    """Sent, failed (tried again) and dead, by the name of the target that holds no secret."""
    measured, target = Measured(story), Deaf()
    line = Line(
        story.state, "t", target, manners=Manners(None, Quiet()), told=measured._told,
        clock=lambda: story.now, observer=measured.telemetry,
    )  # fmt: skip
    results = ("sent", "failed", "dead")
    for number, error in enumerate((None, SendError("busy", passing=True), SendError("gone"))):
        measured.arrive(story.delivery(call(number, f"b{number}", denied=True)))
        target.error = error
        while line.send_due():
            pass
    found = measured.samples()
    for result in results:
        assert found["notifications_total", ("result", result), ("target", target.name)] == 1


def test_labels_are_bounded(story):
    """However many services somebody makes up, they are one label."""
    measured = Measured(story)
    role = "arn:aws:iam::111122223333:role/aws-service-role/{}.amazonaws.com/X"
    measured.arrive(story.delivery(*(call(n, f"b{n}", denied=True, role=role.format(f"made-up-{n}")) for n in range(50))))  # fmt: skip
    labels = [key for key in measured.samples() if key[0] == "denials_total"]
    assert labels == [("denials_total", ("service", "other"))]


def test_a_state_that_is_away(story):
    """The numbers of before stay, and it is said that they are old."""
    measured = Measured(story)
    measured.arrive(story.delivery(call(0, denied=True)))
    before = measured.samples()
    story.state.folder.joinpath("state.db").rename(story.folder / "away")
    story.state.folder.joinpath("state.db").mkdir()
    story.state.close()
    after = measured.samples()
    assert (before["state_up",], before["ready",]) == (1, 1)
    assert (after["state_up",], after["ready",], after["alive",]) == (0, 0, 1)
    assert after["outbox", ("state", "waiting")] == 1
    story.state.folder.joinpath("state.db").rmdir()
    (story.folder / "away").rename(story.state.folder / "state.db")
    assert measured.samples()["ready",] == 1


@pytest.fixture
def served():
    """Serve pages on any free port of loopback; `pages` may be filled in."""
    server = Served("127.0.0.1", 0)
    pages = {}
    server.start(pages)
    yield SimpleNamespace(address=server.address, pages=pages)
    server.stop()


def ask(address, path, method="GET", **headers):
    """Ask for a page; returns status, content type and body."""
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    found = answer.status, answer.headers["Content-Type"], answer.read().decode()
    connection.close()
    return found


def test_probes_over_http(served):
    """200 or 503 with the reasons as JSON; whatever else is asked for is not there."""
    reports = {
        "/healthz": Report(ok=True, body={"status": "ok"}),
        "/readyz": Report(ok=False, body={"why": "\x1b"}),
    }
    served.pages |= {path: probe(lambda report=report: report) for path, report in reports.items()}
    assert ask(served.address, "/healthz?x=y") == (200, "application/json", '{"status": "ok"}\n')
    status, _, body = ask(served.address, "/readyz")
    assert (status, json.loads(body)) == (503, {"why": "\x1b"})
    assert ask(served.address, "/readyz", "HEAD")[::2] == (503, "")
    assert ask(served.address, "/")[0] == 404
    assert ask(served.address, "/healthz", "POST")[0] == 501


def test_metrics_over_http(served, story):
    """In Prometheus's text format, or in OpenMetrics where that is asked for."""
    served.pages["/metrics"] = metrics(Measured(story).telemetry.registry)
    status, kind, body = ask(served.address, "/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert f'rolewatch_deliveries_total{{source="{SHOWN}"}} 0.0'.replace("\\", "\\\\") in body
    assert "process_resident_memory_bytes" in body
    kind, body = ask(served.address, "/metrics", Accept="application/openmetrics-text; version=1.0.0")[1:]
    assert kind.startswith("application/openmetrics-text")
    assert body.endswith("# EOF\n")


def test_clients_that_say_nothing_keep_nobody_waiting(served):
    """Each has a thread of its own, so many at most; one more is hung up on, and there is room again when they are gone."""
    served.pages["/healthz"] = lambda _: Page(200, "text/plain", b"ok")
    host, port = served.address.split(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(AT_ONCE - 1)]
    assert ask(served.address, "/healthz")[0] == 200
    silent += [socket.create_connection((host, int(port))) for _ in range(3)]
    assert b"" in [each.recv(1) for each in silent[AT_ONCE:]]
    for each in silent:
        each.close()
    answered = None
    while answered is None:  # until the threads have noticed that their clients are gone
        with suppress(http.client.RemoteDisconnected, ConnectionError):
            answered = ask(served.address, "/healthz")[0]
    assert answered == 200


def test_a_place_that_is_taken():
    """It is named, with what to do."""
    first = Served("127.0.0.1", 0)
    with pytest.raises(CannotDo, match=f"--metrics {first.address}: Address already in use"):
        Served("127.0.0.1", int(first.address.rpartition(":")[2]))
    first.stop()
    with pytest.raises(CannotDo, match="--metrics"):
        Served("192.0.2.1", 9464)


def test_a_delivery_that_cannot_be_read_is_content(story):
    """A gzip of something else is no reason to stop counting."""
    measured = Measured(story)
    measured.arrive(BytesDelivery("x", "x", named=True, size=9, remote=False, content=content()[:9]))
    assert measured.samples()["delivery_failures_total", ("source", SHOWN)] == 1
