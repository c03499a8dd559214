"""PagerDuty and Opsgenie: what opens an incident, what ends it, and by which key."""

import json

import pytest
from notices import HOSTILE, about, alarm, finding, hostile, recovered
from sending import refused

from rolewatch.notify.errors import SendError
from rolewatch.notify.opsgenie import request_of
from rolewatch.notify.pagerduty import event_of
from rolewatch.notify.target import target_of
from rolewatch.notify.words import title

KEY = "R0ut1ngKeyOfNobody0123456789abcd"
OPENS = [about(finding()), about(finding(), kind="reopened"), about(finding(), kind="summary"), alarm(), alarm("INSUFFICIENT_DATA")]  # fmt: skip
ENDS = [about(recovered(), kind="recovered"), about(finding(status="gone"), kind="summary"), alarm("OK")]

NEITHER = [about(finding(status="silent"), kind="summary"), about(finding(status="silent"), finding(status="gone"), recovered(), kind="summary"), about(kind="summary")]  # fmt: skip


@pytest.fixture
def pagerduty(http):
    """Return a target of PagerDuty that posts to a server here."""
    return target_of(f"pagerduty://{KEY}", environ={"ROLEWATCH_PAGERDUTY_URL": f"{http.url}/v2/enqueue"})


@pytest.fixture
def opsgenie(http):
    """Return a target of Opsgenie that posts to a server here."""
    return target_of(f"opsgenie://{KEY}?region=eu", environ={"ROLEWATCH_OPSGENIE_URL": f"{http.url}/v2/alerts"})  # fmt: skip


@pytest.mark.parametrize("notification", OPENS)
def test_pagerduty_opens(http, pagerduty, notification):
    """What is blocked triggers an incident, with the first line as summary and the rest in its details."""
    http.status = 202
    pagerduty.send(notification)
    (request,) = http.requests
    event = json.loads(request.body)
    assert (request.path, event["routing_key"], event["event_action"]) == ("/v2/enqueue", KEY, "trigger")
    assert (event["dedup_key"], event["payload"]["summary"]) == ("incident-1", title(notification))
    assert event["payload"]["severity"] in ("critical", "error", "warning", "info")
    assert (event["payload"]["source"], event["payload"]["timestamp"]) != ("", "")
    assert json.loads(event["payload"]["custom_details"]["notification"])["id"] == "n-1"


@pytest.mark.parametrize("notification", ENDS)
def test_pagerduty_resolves(http, pagerduty, notification):
    """What recovered, or an alarm that is OK, resolves what was opened under its key."""
    pagerduty.send(notification)
    assert json.loads(http.requests[0].body) == {
        "routing_key": KEY,
        "event_action": "resolve",
        "dedup_key": "incident-1",
    }


@pytest.mark.parametrize("notification", OPENS)
def test_opsgenie_opens(http, opsgenie, notification):
    """What is blocked creates an alert under its alias."""
    opsgenie.send(notification)
    (request,) = http.requests
    alert = json.loads(request.body)
    assert (request.path, request.headers["Authorization"]) == ("/v2/alerts", f"GenieKey {KEY}")
    assert (alert["alias"], alert["message"]) == ("incident-1", title(notification, 130))
    assert alert["priority"] in ("P1", "P2", "P3", "P4", "P5")


@pytest.mark.parametrize("notification", ENDS)
def test_opsgenie_closes(http, opsgenie, notification):
    """What recovered closes the alert of its alias, and says what proves it."""
    opsgenie.send(notification)
    (request,) = http.requests
    assert request.path == "/v2/alerts/incident-1/close?identifierType=alias"
    assert json.loads(request.body)["note"].startswith(title(notification))


@pytest.mark.parametrize("notification", NEITHER)
def test_what_needs_nobody_opens_nothing(http, pagerduty, opsgenie, notification):
    """A list of what is silent or over is for those who read, not for who is on call: nobody would end its incident."""
    for target in (pagerduty, opsgenie):
        target.send(notification)
    assert (http.requests, notification.opens, notification.ends) == ([], False, False)


@pytest.mark.parametrize(
    ("notification", "severity", "priority"),
    [
        (about(finding(severity="low"), finding(severity="critical")), "critical", "P1"),
        (about(finding(severity="high")), "error", "P2"),
        (about(finding(severity="medium")), "warning", "P3"),
        (about(finding(severity="none")), "info", "P5"),
        (about(finding(severity="unheard of")), "info", "P4"),
        (alarm(), "error", "P2"),
        (alarm("INSUFFICIENT_DATA"), "info", "P4"),
    ],
)
def test_severity(notification, severity, priority):
    """The worst finding decides; an alarm is grave, and one without data is not."""
    assert event_of(notification)["payload"]["severity"] == severity
    assert request_of(notification)["priority"] == priority


def test_odd_keys_open_and_end_the_same_incident(http, pagerduty, opsgenie):
    """A key that is long, or holds signs that these tools do not take, becomes another one, the same for both messages."""
    for key in ("k" * 10_000, HOSTILE, "a b"):
        http.requests.clear()
        for target in (pagerduty, opsgenie):
            target.send(about(finding(), dedup_key=key))
            target.send(about(recovered(), dedup_key=key, kind="recovered"))
        bodies = [json.loads(request.body) for request in http.requests]
        name = bodies[0]["dedup_key"]
        assert (len(name), name.isalnum()) == (64, True)
        assert (bodies[1]["dedup_key"], bodies[2]["alias"]) == (name, name)
        assert http.requests[3].path == f"/v2/alerts/{name}/close?identifierType=alias"


def test_sizes():
    """Endless names keep to the limits of both: 512 KB, 1,024, 130 and 15,000 characters."""
    notification = about(*(hostile("é" * 100_000) for _ in range(30)))
    event, alert = event_of(notification), request_of(notification)
    assert len(json.dumps(event)) < 512 * 1000
    assert len(event["payload"]["summary"]) <= 1024
    assert (len(alert["message"]) <= 130, len(alert["description"]) <= 15_000) == (True, True)
    assert sum(len(name) + len(value) for name, value in alert["details"].items()) < 8000


@pytest.mark.parametrize(("status", "passing"), [(429, True), (500, True), (400, False), (403, False)])
def test_refusals(http, pagerduty, opsgenie, status, passing):
    """Too many requests and faults pass; the error names no key."""
    http.status, http.headers = status, {"Retry-After": "30"}
    for target in (pagerduty, opsgenie):
        with pytest.raises(SendError) as caught:
            target.send(about(finding()))
        assert (caught.value.passing, caught.value.retry_after) == (passing, 30.0 if passing else None)
        assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "environ", "what"),
    [
        ("pagerduty://", {}, "host is missing"),
        ("pagerduty:R0ut1ngKey", {}, "the key stands right behind"),
        ("pagerduty://integration@R0ut1ngKeyOfNobody", {}, "the key stands right behind"),
        ("pagerduty://R0ut1ngKey/more", {}, "the key stands right behind"),
        ("pagerduty://R0ut1ngKey?region=mars", {}, "region is us or eu"),
        ("opsgenie://R0ut1ngKey?region=mars", {}, "region is us or eu"),
        ("opsgenie://R0ut1ngKey?entity=x", {}, "its options are region"),
        ("pagerduty://R0ut1ngKey", {"ROLEWATCH_PAGERDUTY_URL": "nowhere"}, "ROLEWATCH_PAGERDUTY_URL holds no address"),
        ("pagerduty://R0ut1ngKey", {"ROLEWATCH_PAGERDUTY_URL": "http://example.com/"}, "ROLEWATCH_PAGERDUTY_URL holds no https"),
        ("opsgenie://R0ut1ngKey", {"ROLEWATCH_OPSGENIE_URL": "https://u:p@x/"}, "ROLEWATCH_OPSGENIE_URL holds no https"),
    ],
)  # fmt: skip
def test_urls_that_make_no_sense(url, environ, what):
    """What is wrong is said, with the remedy and without the key."""
    refused(url, what, environ, "R0ut1ngKey")


def test_names():
    """The key is in no name; another key has another name."""
    for scheme in ("pagerduty", "opsgenie"):
        names = [target_of(f"{scheme}://{KEY}{end}", environ={}).name for end in ("", "x")]
        assert names[0] != names[1]
        assert [name.startswith(f"{scheme}://…") and KEY not in name for name in names] == [True, True]
