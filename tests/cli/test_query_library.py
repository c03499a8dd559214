"""The queries that come with rolewatch: each is run, and answers what was worked out by hand."""

import json
import re
from pathlib import Path

import pytest
from deliveries import HOME, denial, record, write

from rolewatch.catalog.codes import CODES
from rolewatch.insights import Moments, parse_query, plan_query
from rolewatch.insights.library import library

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = str(ROOT / "examples" / "deliveries")
QUERIES = {query.name: query for query in library()}
WEEK = ("--since", "2026-03-01", "--until", "2026-03-23")
ROLE = f"arn:aws:iam::{HOME}:role/aws-service-role/{{0}}.amazonaws.com/AWSServiceRoleFor{{1}}"
USER = {"type": "IAMUser", "arn": f"arn:aws:iam::{HOME}:user/ann", "userName": "ann", "accountId": HOME}
ROOT_USER = {"type": "Root", "arn": f"arn:aws:iam::{HOME}:root", "accountId": HOME}
KEY = f"arn:aws:kms:us-east-1:{HOME}:key/k1"
KMS = {"eventSource": "kms.amazonaws.com", "requestParameters": {"keyId": KEY}, "resources": [{"ARN": KEY}]}


def by(user, number, source, name, **more):
    """Make a record of a call by a user, in the minute `number` after ten."""
    return record(number, userIdentity=user, eventSource=f"{source}.amazonaws.com", eventName=name, **more)


def login(number, result, *, mfa="No", user=USER, address="192.0.2.1"):
    """Make a record of a login to the console."""
    return by(
        user, number, "signin", "ConsoleLogin", responseElements={"ConsoleLogin": result},
        additionalEventData={"MFAUsed": mfa}, sourceIPAddress=address, userAgent="browser",
    )  # fmt: skip


@pytest.fixture
def rows(call):
    """Give a way to run a query of the library: its name, a source and options in, the rows out."""

    def found(name, source=EXAMPLES, *words):
        status, out, err = call("query", f"@{name}", str(source), "--format", "json", *words)
        assert (status, err) == (0, "")
        return json.loads(out)["results"]

    return found


@pytest.fixture
def made(rows, here):
    """Give a way to run a query of the library over some records."""

    def found(name, *records):
        return rows(name, write(here / "made" / "x.json", *records))

    return found


def test_each_is_a_query_with_a_sentence():
    """Names are in folders and come once, and no query is longer than a query may be."""
    assert 12 <= len(QUERIES) == len(library()) <= 24
    for query in library():
        assert re.fullmatch(r"[a-z]+/[a-z-]+", query.name)
        assert re.fullmatch(r"[A-Z].{20,120}\.", query.about)
        plan_query(parse_query(query.text), Moments(0, 0))


def test_each_is_in_the_documentation():
    """With what it answers and its text, so that it can be pasted elsewhere."""
    page = (ROOT / "docs" / "queries.md").read_text()
    assert [query.name for query in library() if f"### {query.name}\n\n{query.about}\n\n```text\n{query.text}\n```" not in page] == []  # fmt: skip


def test_each_is_tried():
    """No query is without a test here."""
    text = Path(__file__).read_text()
    assert [name for name in QUERIES if f'"{name}"' not in text] == []


def test_blocked_by_service(rows):
    """Those of the examples' story, without the role that only looks like one of a service."""
    first, *_, last = found = rows("blocked/by-service")
    assert first == {
        "service": "config.amazonaws.com",
        "denials": "22",
        "first": "2026-03-05 11:30:00.000",
        "last": "2026-03-20 18:00:00.000",
    }
    assert {each["service"].partition(".")[0]: int(each["denials"]) for each in found} == {
        "config": 22, "macie": 18, "access-analyzer": 6, "autoscaling": 6, "guardduty": 5, "inspector2": 3, "backup": 2, "securityhub": 2,
    }  # fmt: skip
    assert last["service"] in ("backup.amazonaws.com", "securityhub.amazonaws.com")


def test_blocked_by_resource(rows):
    """A row for each role and resource, the oldest first."""
    found = rows("blocked/by-resource")
    assert [sum(int(each["denials"]) for each in found), len(found)] == [64, 18]
    assert found[1] == {
        "role": "Config",
        "resource": "arn:aws:s3:::legacy-reports",
        "denials": "2",
        "first": "2026-03-05 11:30:00.000",
        "last": "2026-03-18 11:30:00.000",
    }


def test_blocked_new_this_week(rows):
    """What was refused before is not new, though it is refused again; the week ends where the range ends."""
    found = rows("blocked/new-this-week", EXAMPLES, *WEEK)
    assert (found[0]["first"], len(found)) == ("2026-03-16 09:14:00.000", 11)
    assert "arn:aws:s3:::legacy-reports" not in {each["resource"] for each in found}
    earlier = rows("blocked/new-this-week", EXAMPLES, "--until", "2026-03-06")
    assert [(each["role"], each["resource"].rpartition(":")[2]) for each in earlier] == [
        ("AccessAnalyzer", "key/7be1f2d3-8f0e-4f6c-b7a6-2d1f6c5f9e10"),
        ("Config", "legacy-reports"),
    ]


def test_blocked_calls(made):
    """Each call of a role with its code."""
    found = made(
        "blocked/calls",
        denial(1),
        denial(2),
        denial(3, eventName="GetBucketAcl", errorCode="ForbiddenException"),
    )
    assert [(each["role"], each["eventName"], each["errorCode"], each["denials"]) for each in found] == [
        ("Config", "GetBucketPolicy", "AccessDenied", "2"),
        ("Config", "GetBucketAcl", "ForbiddenException", "1"),
    ]


def test_blocked_by_day(made):
    """Days by service."""
    found = made(
        "blocked/by-day",
        denial(1),
        denial(2),
        denial(3, "macie"),
        denial(4, eventTime="2026-03-02T00:00:00Z"),
    )
    assert [(each["day"][:10], each["service"], each["denials"]) for each in found] == [
        ("2026-03-01", "config.amazonaws.com", "2"),
        ("2026-03-01", "macie.amazonaws.com", "1"),
        ("2026-03-02", "config.amazonaws.com", "1"),
    ]


def test_blocked_article(made):
    """Whole records, the newest first; another spelling of a refusal is not what the article looks for."""
    found = made("blocked/article", denial(1), denial(2, errorCode="AccessDeniedException"), denial(3))
    assert [each["@timestamp"][11:16] for each in found] == ["10:03", "10:01"]
    assert json.loads(found[0]["@message"])["eventID"].endswith("3")


def test_blocked_launches(made):
    """Calls that start something, whoever made them, and grants of keys that volumes need."""
    ec2 = by(USER, 1, "ec2", "RunInstances", errorCode="Client.UnauthorizedOperation")
    full = by(USER, 2, "ec2", "RunInstances", errorCode="Client.InsufficientInstanceCapacity")
    grant = denial(3, "autoscaling", eventName="CreateGrant", **KMS)
    assert made("blocked/launches", ec2, full, grant, denial(4)) == [
        {
            "eventName": "CreateGrant",
            "caller": ROLE.format("autoscaling", "Autoscaling"),
            "errorCode": "AccessDenied",
            "denials": "1",
            "first": "2026-03-01 10:03:00.000",
            "last": "2026-03-01 10:03:00.000",
        },
        {
            "eventName": "RunInstances",
            "caller": USER["arn"],
            "errorCode": "Client.UnauthorizedOperation",
            "denials": "1",
            "first": "2026-03-01 10:01:00.000",
            "last": "2026-03-01 10:01:00.000",
        },
    ]


def test_denials_by_code(made):
    """All codes of the catalogue that mean a refusal are found, with EC2's prefix too, and none of another kind."""
    codes = {kind: [row.code for row in CODES if row.kind == kind] for kind in {row.kind for row in CODES}}
    refusals = [*codes["authorization"], *(f"Client.{code}" for code in codes["authorization"])]
    others = [*codes["authentication"], *codes["not-enabled"], "NoSuchBucketPolicy", "ThrottlingException"]
    records = [denial(number % 60, eventID=str(number), errorCode=code) for number, code in enumerate([*refusals, *others])]  # fmt: skip
    found = made("denials/by-code", *records)
    assert sorted(each["errorCode"] for each in found) == sorted(refusals)
    assert {each["denials"] for each in found} == {"1"}


def test_denials_by_code_of_the_examples(rows):
    """Three spellings."""
    assert rows("denials/by-code") == [
        {"errorCode": "AccessDenied", "denials": "64", "services": "6"},
        {"errorCode": "Client.UnauthorizedOperation", "denials": "18", "services": "1"},
        {"errorCode": "AuthorizationError", "denials": "2", "services": "1"},
    ]


def test_denials_by_caller(made):
    """Users and roles alike, those refused most first."""
    user = by(USER, 9, "s3", "GetObject", errorCode="AccessDenied")
    assert made("denials/by-caller", user, denial(1), denial(2, eventName="GetBucketAcl")) == [
        {"caller": ROLE.format("config", "Config"), "denials": "2", "calls": "2", "last": "2026-03-01 10:02:00.000"},
        {"caller": USER["arn"], "denials": "1", "calls": "1", "last": "2026-03-01 10:09:00.000"},
    ]  # fmt: skip


def test_changes_of_bucket_policies_before_denials(rows, made):
    """The last one before the first denial: not the one before it, nor the repair, nor one that failed, nor another bucket's."""
    assert rows("changes/bucket-policies-before-denials") == [
        {
            "bucket": "payroll-exports",
            "firstDenied": "2026-03-16 09:14:00.000",
            "lastChange": "2026-03-16 09:12:00.000 PutBucketPolicy by arn:aws:iam::444455556666:role/payroll-admin",
        }
    ]
    blind = {"requestParameters": {"bucketName": "blind"}}
    found = made(
        "changes/bucket-policies-before-denials",
        by(USER, 1, "s3", "PutBucketPolicy", **blind),
        by(USER, 2, "s3", "DeleteBucketPolicy", **blind),
        by(USER, 3, "s3", "PutBucketPolicy", errorCode="AccessDenied", **blind),
        by(USER, 3, "s3", "PutBucketPolicy", requestParameters={"bucketName": "other"}, eventID="o"),
        denial(4),
        denial(6),
        by(USER, 5, "s3", "PutBucketPolicy", **blind),
        denial(7, "config", "unchanged"),
    )
    assert found == [
        {
            "bucket": "blind",
            "firstDenied": "2026-03-01 10:04:00.000",
            "lastChange": f"2026-03-01 10:02:00.000 DeleteBucketPolicy by {USER['arn']}",
        }
    ]


def test_changes_of_key_policies_before_denials(made):
    """The key's policy, its state and its grants."""
    assert made(
        "changes/key-policies-before-denials",
        by(USER, 1, "kms", "PutKeyPolicy", **{name: KMS[name] for name in ("requestParameters", "resources")}),
        denial(2, eventName="Decrypt", **KMS),
        by(USER, 3, "kms", "DisableKey", **{name: KMS[name] for name in ("requestParameters", "resources")}),
    ) == [
        {
            "key": KEY,
            "firstDenied": "2026-03-01 10:02:00.000",
            "lastChange": f"2026-03-01 10:01:00.000 PutKeyPolicy by {USER['arn']}",
        }
    ]  # fmt: skip


def test_changes_of_policies(made):
    """What was changed, by whom, and whether that was refused."""
    bucket = by(USER, 1, "s3", "PutBucketPolicy", requestParameters={"bucketName": "b"})
    secret = by(USER, 2, "secretsmanager", "PutResourcePolicy", requestParameters={"secretId": "s"}, errorCode="AccessDeniedException")  # fmt: skip
    found = made("changes/policies", bucket, secret, record(3))
    assert [
        (each["eventName"], each["resource"], each["caller"], each.get("errorCode")) for each in found
    ] == [
        ("PutResourcePolicy", "s", USER["arn"], "AccessDeniedException"),
        ("PutBucketPolicy", "b", USER["arn"], None),
    ]


def test_changes_of_trails(rows):
    """Attempts count as well."""
    found = rows("changes/trails")
    assert [(each["@timestamp"][:19], each["eventName"], each.get("errorCode")) for each in found] == [
        ("2026-03-10 12:01:23", "StopLogging", "TrailNotFoundException"),
        ("2026-03-10 12:00:42", "StopLogging", "TrailNotFoundException"),
        ("2026-03-10 12:00:08", "PutEventSelectors", None),
    ]
    assert found[2]["trail"] == "stratus-red-team-ctes-trail-qyxyekjbtk"


def test_changes_of_detectors(made):
    """`Disable` is Inspector's; another service's call of that name is none."""
    found = made(
        "changes/detectors",
        by(USER, 1, "config", "StopConfigurationRecorder"),
        by(USER, 2, "inspector2", "Disable"),
        by(USER, 3, "other", "Disable"),
        by(USER, 4, "guardduty", "DeleteDetector", errorCode="AccessDenied"),
        by(USER, 5, "guardduty", "GetDetector"),
    )
    assert [each["eventName"] for each in found] == ["DeleteDetector", "Disable", "StopConfigurationRecorder"]
    assert [each["eventSource"].partition(".")[0] for each in found] == ["guardduty", "inspector2", "config"]


def test_changes_of_service_linked_roles(made):
    """By the service's name or the role's."""
    found = made(
        "changes/service-linked-roles",
        by(USER, 1, "iam", "CreateServiceLinkedRole", requestParameters={"aWSServiceName": "config.amazonaws.com"}),
        by(USER, 2, "iam", "DeleteServiceLinkedRole", requestParameters={"roleName": "AWSServiceRoleForConfig"}),
        by(USER, 3, "iam", "CreateRole", requestParameters={"roleName": "x"}),
    )  # fmt: skip
    assert [(each["eventName"][:6], each["role"]) for each in found] == [
        ("Delete", "AWSServiceRoleForConfig"),
        ("Create", "config.amazonaws.com"),
    ]


def test_logins_of_root(made):
    """Not what a service did on its behalf, and no event of a service."""
    found = made(
        "logins/root",
        by(ROOT_USER, 1, "iam", "CreateAccessKey", eventType="AwsApiCall", sourceIPAddress="192.0.2.9"),
        by(ROOT_USER | {"invokedBy": "support.amazonaws.com"}, 2, "iam", "GetUser", eventType="AwsApiCall"),
        by(ROOT_USER, 3, "kms", "RotateKey", eventType="AwsServiceEvent"),
        by(USER, 4, "iam", "GetUser", eventType="AwsApiCall"),
    )
    assert found == [
        {
            "@timestamp": "2026-03-01 10:01:00.000",
            "eventSource": "iam.amazonaws.com",
            "eventName": "CreateAccessKey",
            "sourceIPAddress": "192.0.2.9",
        }
    ]


def test_logins_without_a_second_factor(made):
    """Of users and root that succeeded; roles bring the factor of wherever they come from."""
    role = {"type": "AssumedRole", "arn": f"arn:aws:sts::{HOME}:assumed-role/r/s"}
    logins = [
        login(1, "Success"),
        login(2, "Success", mfa="Yes"),
        login(3, "Failure"),
        login(4, "Success", user=role),
        login(5, "Success", user=ROOT_USER),
    ]
    found = made("logins/without-mfa", *logins)
    assert [(each["@timestamp"][11:16], each["user"]) for each in found] == [
        ("10:05", ROOT_USER["arn"]),
        ("10:01", USER["arn"]),
    ]


def test_logins_that_failed(made):
    """By address; a user that CloudTrail does not name counts as one."""
    hidden = {"type": "IAMUser", "accountId": HOME}
    logins = [login(1, "Failure"), login(2, "Failure", user=hidden), login(3, "Failure", address="192.0.2.7"), login(4, "Success")]  # fmt: skip
    assert made("logins/failed", *logins) == [
        {"sourceIPAddress": "192.0.2.1", "failures": "2", "users": "2", "last": "2026-03-01 10:02:00.000"},
        {"sourceIPAddress": "192.0.2.7", "failures": "1", "users": "1", "last": "2026-03-01 10:03:00.000"},
    ]


def test_activity_of_the_busiest_roles(made):
    """Hours by role; who has no role is left out."""
    later = record(3, eventTime="2026-03-01T11:00:00Z")
    found = made("activity/busiest-roles", record(1), record(2), later, by(USER, 4, "s3", "GetObject"))
    assert [(each["hour"][11:16], each["role"], each["calls"]) for each in found] == [
        ("10:00", "AWSServiceRoleForConfig", "2"),
        ("11:00", "AWSServiceRoleForConfig", "1"),
    ]


def test_activity_over_outdated_tls(made):
    """Only what is older than TLS 1.2."""
    old, new = ({"tlsDetails": {"tlsVersion": version}} for version in ("TLSv1.1", "TLSv1.3"))
    found = made("activity/outdated-tls", record(1, **old), record(2, **old), record(3, **new), record(4))
    assert found == [
        {
            "eventSource": "s3.amazonaws.com",
            "caller": ROLE.format("config", "Config"),
            "version": "TLSv1.1",
            "calls": "2",
            "last": "2026-03-01 10:02:00.000",
        }
    ]
