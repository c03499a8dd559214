"""Denials and findings for the tests of this folder, made from records as a scan makes them."""

import json
from datetime import timedelta

from rolewatch.denials.record import decode
from rolewatch.denials.rule import Rule, denials
from rolewatch.findings.build import Known, build
from rolewatch.scan.summary import Summary

ACCOUNT, OTHER = "111122223333", "444455556666"
EVERYBODY = Rule(frozenset(("slr", "all")), authentication=True)
EXPLICIT = "with an explicit deny in a resource-based policy"
WEEK = timedelta(days=7)


def role(service="config", name=None, account=ACCOUNT):
    """Name a service-linked role."""
    name = name or f"AWSServiceRoleFor{service.title()}"
    return f"arn:aws:iam::{account}:role/aws-service-role/{service}.amazonaws.com/{name}"


def session(arn, **more):
    """Make the userIdentity of a session of a role."""
    return {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"type": "Role", "arn": arn}}, **more}


CONFIG = role()


def message(action, resource, reason):
    """Write AWS's message of a refusal."""
    return f"User: arn:aws:sts::{ACCOUNT}:assumed-role/x/s is not authorized to perform: {action} on resource: {resource} {reason}"


def record(time="2026-03-01T10:00:00Z", name="HeadBucket", **fields):
    """Make a record: Config is refused on bucket `b`, without a reason."""
    return {
        "eventVersion": "1.09",
        "userIdentity": session(CONFIG),
        "eventTime": time,
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "errorCode": "AccessDenied",
        "errorMessage": "Access Denied",
        "requestParameters": {"bucketName": "b"},
        "recipientAccountId": ACCOUNT,
    } | fields


def refused(*records, rule=EVERYBODY):
    """Return the denials of some records; records without an id get one that tells their place."""
    found = []
    for number, one in enumerate(records):
        raw = json.dumps({"eventID": f"event-{number}"} | one).encode()
        found += denials(decode(raw), raw, rule)
    return found


def findings(*records, facts=None, last_seen=None, silent_after=WEEK, rule=EVERYBODY):
    """Return the findings of some records; `facts` and `last_seen` as `Known` has them."""
    summary = Summary()
    for denial in refused(*records, rule=rule):
        summary.add(denial)
    known = Known(summary.copies, summary.examples, facts or {}, last_seen or {}, silent_after)
    return build(summary.denials.values(), known)


def finding(*records, **known):
    """Return the only finding of some records."""
    (found,) = findings(*records, **known)
    return found
