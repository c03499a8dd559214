"""Who is told what."""

import pytest

from lives import ACCOUNT, NOW, Incidents, finding
from rolewatch.findings.life import Life, decide
from rolewatch.notify.grouping import event_of, grouped
from rolewatch.notify.notification import Notification
from rolewatch.notify.routes import Route, Routes, severity_of

OTHER = "444455556666"
ALARM = {"AlarmName": "Denied", "AWSAccountId": ACCOUNT, "NewStateValue": "ALARM"}


def told(*findings, kind="blocked", **more):
    """Make a notification."""
    return Notification(id="i", kind=kind, dedup_key="d", time="t", findings=findings, **more)


def to(name, **more):
    """Make a route to a target of a name."""
    return Route(to=(name,), **more)


ROUTES = Routes(
    (
        to("archive", stop=False),
        to("pager", severity="critical", kinds=("blocked", "reopened", "recovered"), stop=False),
        to("team", patterns={"account": ACCOUNT, "service": "config*"}),
        Route(to=(), patterns={"verdict": "aws-side"}),
        to("keys", patterns={"resource": "arn:aws:kms:*"}, severity="medium"),
    ),
    ("everybody",),
)
TAKEN = [
    ({}, "blocked", ("archive", "team")),
    ({"severity": "critical"}, "blocked", ("archive", "pager", "team")),
    ({"severity": "critical"}, "summary", ("archive", "team")),
    ({"account": OTHER, "severity": "critical"}, "reopened", ("archive", "pager", "everybody")),
    ({"account": OTHER, "verdict": "aws-side"}, "blocked", ("archive",)),
    ({"account": OTHER, "resource": "arn:aws:kms:x"}, "blocked", ("archive", "keys")),
    ({"account": OTHER, "resource": "arn:aws:kms:x", "severity": "low"}, "blocked", ("archive", "everybody")),
]


@pytest.mark.parametrize(("fields", "kind", "expected"), TAKEN)
def test_routes_are_gone_through_in_their_order(fields, kind, expected):
    """Until one keeps it; those before that do not keep it get it as well, and what none has kept is for everybody."""
    assert ROUTES.targets(told(finding(**fields), kind=kind)) == expected


DEFAULTS = [
    (Routes((), ("a", "b")), ("a", "b")),
    (Routes((to("x", patterns={"account": OTHER}),), ("a",)), ("a",)),
    (Routes((to("x", stop=False),), ("a",)), ("x", "a")),
    (Routes((to("x"),), ("a",)), ("x",)),
    (Routes((to("a", stop=False),), ("b", "a")), ("a", "b")),
    (Routes((Route(to=()),), ("a",)), ()),
    (Routes((to("x", stop=False), to("x")), ()), ("x",)),
    (Routes(), ()),
]


@pytest.mark.parametrize(("routes", "expected"), DEFAULTS)
def test_the_default_gets_what_no_route_keeps(routes, expected):
    """A route without targets keeps it all the same, so that nobody is told; no target is told twice."""
    assert routes.targets(told(finding())) == expected


def test_a_notification_goes_to_the_targets_of_all_its_findings():
    """Each target once, those of the worst first."""
    routes = Routes((to("one", patterns={"account": ACCOUNT}), to("two")))
    assert routes.targets(told(finding(1), finding(2, account=OTHER), finding(3))) == ("one", "two")


ALARMS = [
    ({}, ("team", "loud")),
    ({"AWSAccountId": OTHER}, ("loud",)),
    ({"NewStateValue": "OK"}, ("team", "everybody")),
    ({"AWSAccountId": None}, ("loud",)),
]


@pytest.mark.parametrize(("fields", "expected"), ALARMS)
def test_an_alarm_goes_by_its_account_and_its_state(fields, expected):
    """It has no finding; a route about services or resources does not take it."""
    routes = Routes(
        (
            to("keys", patterns={"resource": "*x*"}),
            to("team", patterns={"account": ACCOUNT}, kinds=("alarm",), stop=False),
            to("loud", severity="high"),
            to("everybody"),
        )
    )
    assert routes.targets(told(kind="alarm", alarm=ALARM | fields)) == expected


SEVERITIES = [
    (told(finding(severity="low"), finding(2, severity="critical"), finding(3)), "critical"),
    (told(kind="summary"), "none"),
    (told(kind="alarm", alarm=ALARM), "high"),
    (told(kind="alarm", alarm=ALARM | {"NewStateValue": "INSUFFICIENT_DATA"}), "low"),
    (told(kind="alarm", alarm={}), "low"),
]


@pytest.mark.parametrize(("notification", "expected"), SEVERITIES)
def test_how_bad_a_notification_is(notification, expected):
    """As bad as its worst finding, or as its alarm's state."""
    assert severity_of(notification) == expected


def test_every_target_can_be_named():
    """Each once, to see at the start whether it can be reached."""
    assert ROUTES.all_targets() == ("archive", "pager", "team", "keys", "everybody")


def test_routes_are_the_targets_that_grouping_asks_for():
    """What has other targets becomes another message."""
    events = []
    for number, severity in enumerate(["high", "critical", "high"], 1):
        one = finding(number, severity=severity)
        events.append(event_of(decide(Life(), one, now=NOW), one))
    result = grouped(events, now=NOW, incidents=Incidents(), targets=ROUTES.targets_of)
    found = {result.targets[each.id]: len(each.findings) for each in result.notifications}
    assert found == {("archive", "pager", "team"): 1, ("archive", "team"): 2}
    assert all(ROUTES.targets(each) == result.targets[each.id] for each in result.notifications)
