"""Decisions of commits, and the messages that are made of them, for the tests of grouping and of incidents."""

from lives import NOW, Incidents, finding
from rolewatch.findings.life import Life, decide
from rolewatch.notify.grouping import event_of, grouped

OTHER = "444455556666"


def event(number=1, status="blocked", life=None, **fields):
    """Decide on a finding that was never told (or on one with a life), and make the event of it."""
    one = finding(number, status, **fields)
    return event_of(decide(life or Life(), one, now=NOW), one)


def told(events, lives=(), now=NOW, **more):
    """Group events; `lives` are all those that there were before."""
    return grouped(events, now=now, incidents=Incidents(lives), **more)


def open_incident(numbers, **fields):
    """Tell of findings that become blocked together; returns their lives by number, and the incident's key."""
    result = told([event(number, **fields) for number in numbers])
    (notification,) = result.notifications
    return {number: result.lives[f"{number:016x}"] for number in numbers}, notification.dedup_key


def over(lives, status, numbers):
    """Make the events of findings that are over."""
    return [event(number, status, lives[number]) for number in numbers]


def ids(notification):
    """List the findings of a notification by number."""
    return [int(each["id"], 16) for each in notification.findings]


APART = [
    {"account": OTHER},
    {
        "role_arn": "arn:aws:iam::111122223333:role/aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie"
    },
    {"verdict": "aws-side"},
    {"cause": {"policy_type": "vpc-endpoint", "kind": "explicit", "evidence": "message", "policy_arn": None}},
    {"role_arn": None},
]


def backlog(*found):
    """Make the events of findings that the first backlog held."""
    return [event_of(decide(Life(), one, now=NOW, phase="drained"), one) for one in found]


def by_account(kind, one, severity):
    """Send each account its own, and what is critical to the pager as well."""
    del kind
    return (one["account"], *(["pager"] if severity == "critical" else []))
