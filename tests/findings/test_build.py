"""Denials become findings: what is counted, what is kept, and in which order."""

import hashlib

import pytest
from refusals import (
    ACCOUNT,
    CONFIG,
    EXPLICIT,
    OTHER,
    finding,
    findings,
    message,
    record,
    refused,
    role,
    session,
)

from rolewatch.denials.rule import Rule
from rolewatch.findings.build import finding_id, followed
from rolewatch.findings.tally import EVENT_IDS

BUCKET = "arn:aws:s3:::b"
MACIE = role("macie", "AWSServiceRoleForAmazonMacie")
OBJECT = message("s3:GetObject", '"arn:aws:s3:::b/k{}"', EXPLICIT)


def test_the_whole_finding():
    """A finding has every field of the contract."""
    found = finding(
        record("2026-03-01T10:00:00Z", errorMessage=message("s3:ListBucket", f'"{BUCKET}"', EXPLICIT)),
        record("2026-03-02T11:00:00Z", "GetBucketAcl", awsRegion="eu-west-1"),
        facts={(CONFIG, "s3:listbucket", BUCKET): "2026-03-02T09:00:00Z"},
    )
    explanation = found.pop("explanation")
    assert (
        explanation
        == f"AWS Config cannot s3:GetBucketAcl on {BUCKET}: the resource's own policy explicitly denies it."
    )
    assert found == {
        "id": hashlib.sha256(f"{ACCOUNT}\n{CONFIG}\n{BUCKET}".encode()).hexdigest()[:16],
        "account": ACCOUNT,
        "resource_account": None,
        "role_arn": CONFIG,
        "role_name": "AWSServiceRoleForConfig",
        "service": "config.amazonaws.com",
        "service_name": "AWS Config",
        "security_service": True,
        "resource": BUCKET,
        "resource_type": "AWS::S3::Bucket",
        "resource_examples": [],
        "regions": ["eu-west-1", "us-east-1"],
        "actions": {
            "s3:GetBucketAcl": {"iam_action": "s3:GetBucketAcl", "denials": 1, "last_denied": "2026-03-02T11:00:00Z", "last_allowed": None},
            "s3:HeadBucket": {"iam_action": "s3:ListBucket", "denials": 1, "last_denied": "2026-03-01T10:00:00Z", "last_allowed": "2026-03-02T09:00:00Z"},
        },
        "error_codes": {"AccessDenied": 2},
        "denials": 2,
        "first_denied": "2026-03-01T10:00:00Z",
        "last_denied": "2026-03-02T11:00:00Z",
        "status": "blocked",
        "ended": None,
        "open_actions": ["s3:GetBucketAcl"],
        "severity": "high",
        "verdict": "fix-your-policy",
        "cause": {"policy_type": "resource-based", "kind": "explicit", "evidence": "message", "policy_arn": None},
        "consequence": None,
        "candidates": [],
        "probes": [
            {
                "command": f"aws configservice select-resource-config --expression \"SELECT resourceId, configurationItemCaptureTime, configurationItemStatus WHERE arn = '{BUCKET}'\"",
                "shows": "when the resource was last recorded",
            },
            {
                "command": "aws configservice describe-configuration-recorder-status",
                "shows": "whether the recorder runs, and its last error",
            },
        ],
        "timeline": [
            {"day": "2026-03-01", "denials": 1, "allowed": 0},
            {"day": "2026-03-02", "denials": 1, "allowed": 1},
        ],
        "event_ids": ["event-0", "event-1"],
    }  # fmt: skip


def test_no_denials():
    """No denials are no findings."""
    assert findings() == []


SEPARATE = [
    ("another role", record(userIdentity=session(MACIE))),
    ("the same role with a suffix", record(userIdentity=session(CONFIG + "_team1"))),
    ("another account's role", record(userIdentity=session(role(account=OTHER)))),
    ("another resource", record(requestParameters={"bucketName": "c"})),
]
TOGETHER = [
    ("another call", record(name="GetBucketAcl")),
    ("another region", record(awsRegion="eu-west-1")),
    ("another code", record(errorCode="AccessDeniedException")),
    ("another trail", record(recipientAccountId=OTHER)),
    ("an object of the bucket", record(name="GetObject", errorMessage=OBJECT.format(1))),
]


@pytest.mark.parametrize("other", [case[1] for case in SEPARATE], ids=[case[0] for case in SEPARATE])
def test_separate(other):
    """Each account, role and resource has a finding of its own, with an id of its own."""
    assert len({found["id"] for found in findings(record(), other)}) == 2


@pytest.mark.parametrize("other", [case[1] for case in TOGETHER], ids=[case[0] for case in TOGETHER])
def test_together(other):
    """All denials of one role on one resource are one finding."""
    assert finding(record(), other)["denials"] == 2


def test_id():
    """The id depends on the key alone, and is the same on every day and machine."""
    assert finding_id(("1", "r", "a")) == hashlib.sha256(b"1\nr\na").hexdigest()[:16]
    assert finding(record())["id"] == finding(record("2026-05-05T00:00:00Z", "GetBucketAcl"))["id"]


def test_service_principal():
    """A service principal has no role; account and service are its key."""
    found = finding(
        record(userIdentity={"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"}),
        rule=Rule(frozenset(("slr", "service"))),
    )
    assert (found["account"], found["role_arn"], found["role_name"], found["service"]) == (
        ACCOUNT,
        None,
        None,
        "cloudtrail.amazonaws.com",
    )
    assert found["id"] == finding_id((ACCOUNT, "cloudtrail.amazonaws.com", BUCKET))


OWNERS = [
    (None, None),
    ([{"ARN": BUCKET, "accountId": OTHER}], OTHER),
    ([{"ARN": BUCKET, "accountId": ""}], None),
]


@pytest.mark.parametrize(("resources", "owner"), OWNERS)
def test_resource_account(resources, owner):
    """The resource's account is the one that a record names, null if none does."""
    assert owner == finding(record(), record("2026-03-02T00:00:00Z", resources=resources))["resource_account"]


def test_resource_account_is_the_latest():
    """Of several owners, as of a bucket that was deleted and taken, the last one is given."""
    records = [
        record(f"2026-03-0{day}T00:00:00Z", resources=[{"ARN": BUCKET, "accountId": owner}])
        for day, owner in ((2, OTHER), (1, ACCOUNT))
    ]
    assert finding(*records)["resource_account"] == OTHER


NAMED = message("newthing:DoThat", "*", EXPLICIT)
NEW = {"eventSource": "newthing.amazonaws.com", "name": "DoIt"}
PRECEDENCE = [
    ("a guess where nothing better is known", [record(**NEW)], "newthing:DoIt"),
    ("a message is better than a guess before it", [record("2026-03-01T00:00:00Z", **NEW), record("2026-03-02T00:00:00Z", errorMessage=NAMED, **NEW)], "newthing:DoThat"),
    ("a message is better than a guess after it", [record("2026-03-02T00:00:00Z", **NEW), record("2026-03-01T00:00:00Z", errorMessage=NAMED, **NEW)], "newthing:DoThat"),
    ("the catalogue", [record()], "s3:ListBucket"),
    ("a message later than the catalogue", [record(), record("2026-03-02T00:00:00Z", errorMessage=message("s3:ListBucketVersions", BUCKET, EXPLICIT))], "s3:ListBucketVersions"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("records", "action"), [case[1:] for case in PRECEDENCE], ids=[case[0] for case in PRECEDENCE]
)
def test_iam_action(records, action):
    """The IAM action of a call is the message's, else the catalogue's, else the call's own name."""
    (row,) = finding(*records)["actions"].values()
    assert action == row["iam_action"]


def test_error_codes():
    """Error codes are counted as they are written."""
    codes = ["AccessDenied", "Client.UnauthorizedOperation", "AccessDenied"]
    found = finding(*(record(errorCode=code) for code in codes))
    assert found["error_codes"] == {"AccessDenied": 2, "Client.UnauthorizedOperation": 1}


SHARED = "0a1b2c3d-1111-2222-3333-444455556666"


def test_copies():
    """Every copy's event id is listed, the oldest denial's first; the copies count once."""
    found = finding(
        record("2026-03-03T00:00:00Z", eventID="late"),
        record("2026-03-02T00:00:00Z", eventID="b", sharedEventID=SHARED),
        record("2026-03-02T00:00:00Z", eventID="c", sharedEventID=SHARED, recipientAccountId=OTHER),
        record("2026-03-01T00:00:00Z", eventID="early"),
    )
    assert (found["denials"], found["event_ids"]) == (3, ["early", "b", "c", "late"])


def test_a_thousand_event_ids():
    """Of more than a thousand event ids the oldest are listed."""
    times = [f"2026-03-01T{minute // 60:02d}:{minute % 60:02d}:00Z" for minute in range(EVENT_IDS + 30)]
    found = finding(*(record(time) for time in reversed(times)))
    assert found["denials"] == EVENT_IDS + 30
    assert found["event_ids"] == [f"event-{number}" for number in range(EVENT_IDS + 29, 29, -1)]


def test_no_event_ids():
    """Denials without an id are counted, and have none to list."""
    found = finding(record(eventID=None), record("2026-03-02T00:00:00Z", eventID=None))
    assert (found["denials"], found["event_ids"]) == (2, [])


@pytest.mark.parametrize("number", [1, 20, 21, 50])
def test_examples(number):
    """Of the objects that were asked for the first twenty of the alphabet are kept, whatever came first."""
    names = [f"arn:aws:s3:::b/k{index:02d}" for index in range(number)]
    records = [
        record(name="GetObject", errorMessage=OBJECT.format(f"{index:02d}")) for index in range(number)
    ]
    assert (
        finding(*records)["resource_examples"]
        == names[:20]
        == finding(*reversed(records))["resource_examples"]
    )


def test_times():
    """First and last denial are by event time; one without a time counts and bears no date."""
    found = finding(record("2026-03-05T00:00:00Z"), record(None), record("2026-03-01T00:00:00Z"))
    assert (found["denials"], found["first_denied"], found["last_denied"]) == (
        3,
        "2026-03-01T00:00:00Z",
        "2026-03-05T00:00:00Z",
    )
    assert [row["day"] for row in found["timeline"]] == ["2026-03-01", "2026-03-05"]


def test_no_time_at_all():
    """A finding without any time has none, and stays blocked."""
    found = finding(record(None), last_seen={ACCOUNT: "2027-01-01T00:00:00Z"})
    assert (found["first_denied"], found["last_denied"], found["timeline"], found["status"]) == (
        None,
        None,
        [],
        "blocked",
    )


def test_timeline():
    """The timeline counts denials by day, and the latest proof of access of each action on its day."""
    found = finding(
        record("2026-03-01T00:00:00Z"),
        record("2026-03-01T23:59:59Z"),
        record("2026-03-03T00:00:00Z", "GetBucketAcl"),
        facts={
            (CONFIG, "s3:listbucket", BUCKET): "2026-03-05T00:00:00Z",
            (CONFIG, "s3:getbucketacl", BUCKET): "2026-03-03T00:00:00Z",
        },
    )
    assert found["timeline"] == [
        {"day": "2026-03-01", "denials": 2, "allowed": 0},
        {"day": "2026-03-03", "denials": 1, "allowed": 1},
        {"day": "2026-03-05", "denials": 0, "allowed": 1},
    ]


def test_followed():
    """Followed are each denied role, action and resource, and whether the resource is there, from the denial on."""
    assert followed(
        refused(record(), record(name="GetBucketAcl"), record(requestParameters=None))
    ).keys() == {
        (CONFIG, "s3:listbucket", BUCKET),
        (CONFIG, "s3:getbucketacl", BUCKET),
        (BUCKET,),
        (CONFIG, "s3:listbucket", "service:s3.amazonaws.com"),
        ("service:s3.amazonaws.com",),
    }


def test_followed_since():
    """An access matters after its last denial, a disappearance after the first denial on the resource."""
    times = ["2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z"]
    keys = followed(refused(*(record(eventTime=time) for time in times)))
    assert (keys[CONFIG, "s3:listbucket", BUCKET], keys[BUCKET,]) == (times[2], times[1])
