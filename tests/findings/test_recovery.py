"""When a finding is over: facts are kept for each IAM action that was denied."""

from datetime import timedelta

import pytest
from refusals import ACCOUNT, CONFIG, EXPLICIT, finding, message, record, session

from rolewatch.denials.rule import Rule

BUCKET = "arn:aws:s3:::b"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
DAY1, DAY2, DAY3, DAY20 = (f"2026-03-{day:02d}T00:00:00Z" for day in (1, 2, 3, 20))
LISTED = message("s3:ListBucket", BUCKET, EXPLICIT)


def fact(action, resource=BUCKET, role=CONFIG):
    """Name the fact that a role's action on a resource was allowed."""
    return role, action, resource


CASES = [
    ("nothing is known", [record(DAY1)], {}, ("blocked", None, ["s3:ListBucket"])),
    ("allowed later", [record(DAY1)], {fact("s3:listbucket"): DAY2}, ("recovered", DAY2, [])),
    ("allowed in the same second", [record(DAY1)], {fact("s3:listbucket"): DAY1}, ("blocked", None, ["s3:ListBucket"])),
    ("denied again", [record(DAY1), record(DAY3)], {fact("s3:listbucket"): DAY2}, ("blocked", None, ["s3:ListBucket"])),
    ("another action allowed", [record(DAY1)], {fact("s3:getbucketacl"): DAY2}, ("blocked", None, ["s3:ListBucket"])),
    ("another resource allowed", [record(DAY1)], {fact("s3:listbucket", "arn:aws:s3:::c"): DAY2}, ("blocked", None, ["s3:ListBucket"])),
    ("another role allowed", [record(DAY1)], {fact("s3:listbucket", role="x"): DAY2}, ("blocked", None, ["s3:ListBucket"])),
    ("two calls of one action, the later denial counts", [record(DAY1), record(DAY3, "ListObjects")], {fact("s3:listbucket"): DAY2}, ("blocked", None, ["s3:ListBucket"])),
    ("two calls of one action, both over", [record(DAY1), record(DAY2, "ListObjects")], {fact("s3:listbucket"): DAY3}, ("recovered", DAY3, [])),
    ("named by the message, allowed under the catalogue's name", [record(DAY1, errorMessage=LISTED)], {fact("s3:listbucket"): DAY2}, ("recovered", DAY2, [])),
    ("two actions, one allowed", [record(DAY1), record(DAY1, "GetBucketAcl")], {fact("s3:listbucket"): DAY2}, ("blocked", None, ["s3:GetBucketAcl"])),
    ("two actions, both allowed", [record(DAY1), record(DAY1, "GetBucketAcl")], {fact("s3:listbucket"): DAY3, fact("s3:getbucketacl"): DAY2}, ("recovered", DAY3, [])),
    ("deleted", [record(DAY1)], {(BUCKET,): DAY2}, ("gone", DAY2, ["s3:ListBucket"])),
    ("deleted before, so it came back", [record(DAY2)], {(BUCKET,): DAY1}, ("blocked", None, ["s3:ListBucket"])),
    ("a denial without a time", [record(DAY1), record(None)], {fact("s3:listbucket"): DAY2, (BUCKET,): DAY2}, ("blocked", None, ["s3:ListBucket"])),
    ("a denial without a time of another action", [record(DAY1), record(None, "GetBucketAcl")], {fact("s3:listbucket"): DAY2}, ("blocked", None, ["s3:GetBucketAcl"])),
]  # fmt: skip


@pytest.mark.parametrize(
    ("records", "facts", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_status(records, facts, expected):
    """A finding is recovered once each denied action was allowed later than it was last denied."""
    found = finding(*records, facts=facts)
    assert expected == (found["status"], found["ended"], found["open_actions"])


def test_one_call_denied_for_two_actions():
    """Where one call was denied for two actions, the report names one of them and both have to be allowed."""
    versions = message("s3:GetObjectVersion", BUCKET, EXPLICIT)
    plain = message("s3:GetObject", BUCKET, EXPLICIT)
    records = [
        record(DAY1, "GetObject", errorMessage=versions),
        record(DAY2, "GetObject", errorMessage=plain),
    ]
    found = finding(*records, facts={fact("s3:getobject"): DAY3})
    assert (found["status"], found["open_actions"]) == ("blocked", ["s3:GetObjectVersion"])
    assert found["actions"]["s3:GetObject"]["iam_action"] == "s3:GetObject"
    both = finding(*records, facts={fact("s3:getobject"): DAY3, fact("s3:getobjectversion"): DAY3})
    assert both["status"] == "recovered"


def test_a_guess_follows_what_others_of_the_call_name():
    """A denial without a message is about the action that the messages of the same call name."""
    new = {"name": "DoIt", "eventSource": "newthing.amazonaws.com", "requestParameters": None}
    named = message("newthing:DoThat", "*", EXPLICIT)
    records = [record(DAY1, **new), record(DAY2, errorMessage=named, **new)]
    found = finding(*records, facts={fact("newthing:dothat", "service:newthing.amazonaws.com"): DAY3})
    assert found["status"] == "recovered"


def test_spellings_of_an_action():
    """Spellings that differ in case are one action, written as it was last."""
    call = {"name": "GetQueueAttributes", "eventSource": "sqs.amazonaws.com", "requestParameters": None}
    records = [
        record(time, errorMessage=message(action, QUEUE, EXPLICIT), **call)
        for time, action in ((DAY1, "sqs:GetQueueAttributes"), (DAY2, "sqs:getqueueattributes"))
    ]
    assert finding(*records)["open_actions"] == ["sqs:getqueueattributes"]
    allowed = {fact("sqs:getqueueattributes", QUEUE): DAY3}
    assert finding(*records, facts=allowed)["status"] == "recovered"


SILENCE = [
    ("no record of the account since", {}, "blocked"),
    ("a week of records", {ACCOUNT: "2026-03-08T00:00:00Z"}, "blocked"),
    ("a second more", {ACCOUNT: "2026-03-08T00:00:01Z"}, "silent"),
    ("of another account only", {"444455556666": DAY20}, "blocked"),
]


@pytest.mark.parametrize(
    ("last_seen", "status"), [case[1:] for case in SILENCE], ids=[case[0] for case in SILENCE]
)
def test_silence(last_seen, status):
    """Silence is measured against the last record of the role's account, not against today."""
    found = finding(record(DAY1), last_seen=last_seen)
    assert (status, None, ["s3:ListBucket"]) == (found["status"], found["ended"], found["open_actions"])


def test_how_long_silence_takes():
    """How long nobody has to ask is a parameter."""
    assert (
        finding(record(DAY1), last_seen={ACCOUNT: DAY3}, silent_after=timedelta(days=1))["status"] == "silent"
    )
    assert (
        finding(record(DAY1), last_seen={ACCOUNT: DAY3}, silent_after=timedelta(days=2))["status"]
        == "blocked"
    )


def test_service_principal():
    """The success of a service principal is looked up by account and service."""
    identity = {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"}
    found = finding(
        record(DAY1, userIdentity=identity),
        rule=Rule(frozenset(("slr", "service"))),
        facts={fact("s3:listbucket", role=f"{ACCOUNT} cloudtrail.amazonaws.com"): DAY2},
    )
    assert (found["status"], found["actions"]["s3:HeadBucket"]["last_allowed"]) == ("recovered", DAY2)


def test_a_role_that_services_share():
    """A service role's finding is one, whichever service used the role."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/delivery"
    hosts = ("config.amazonaws.com", "firehose.amazonaws.com")
    records = [
        record(time, userIdentity=session(arn, invokedBy=host))
        for time, host in zip((DAY1, DAY2), hosts, strict=True)
    ]
    found = finding(*records, rule=Rule(frozenset(("slr", "service-role"))))
    assert (found["denials"], found["service"]) == (2, "firehose.amazonaws.com")
