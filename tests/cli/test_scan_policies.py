"""A scan that is told of policies, and of their changes."""

import json

import pytest

ROLE = "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
DENY = {
    "Sid": "VpcOnly",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::payroll", "arn:aws:s3:::payroll/*"],
    "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1a2b3c4d5e6f7a8b9"}},
}
POLICY = {"Version": "2012-10-17", "Statement": [DENY]}


@pytest.fixture
def place(tmp_path):
    """Make a delivery in which a policy is changed and a role is refused, and a folder with that policy."""
    change = {
        "eventTime": "2026-03-01T09:00:00Z", "eventSource": "s3.amazonaws.com", "eventName": "PutBucketPolicy", "eventID": "c1",
        "awsRegion": "us-east-1", "recipientAccountId": "111122223333", "sourceIPAddress": "203.0.113.7",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann"},
        "requestParameters": {"bucketName": "payroll", "bucketPolicy": POLICY},
    }  # fmt: skip
    denied = {
        "eventTime": "2026-03-01T10:00:00Z", "eventSource": "s3.amazonaws.com", "eventName": "GetBucketPolicy", "eventID": "d1",
        "awsRegion": "us-east-1", "recipientAccountId": "111122223333",
        "userIdentity": {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE}}},
        "requestParameters": {"bucketName": "payroll"}, "errorCode": "AccessDenied", "errorMessage": "Access Denied",
    }  # fmt: skip
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls" / "a.json").write_text(json.dumps({"Records": [change, denied]}))
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "arn%3Aaws%3As3%3A%3A%3Apayroll.json").write_text(json.dumps(POLICY))
    return tmp_path


def test_a_bare_denial_is_explained_by_the_policy(place, call):
    """A guess becomes what the policies say, with the proven change and who caused it."""
    status, out, err = call(
        "scan", f"{place}/calls", "--policies", f"{place}/policies", "--blame", "--format", "json"
    )
    assert (status, err) == (0, "")
    (finding,) = json.loads(out)["findings"]
    assert finding["cause"] == {
        "policy_type": "resource-based",
        "kind": "explicit",
        "evidence": "policy",
        "policy_arn": None,
    }
    assert finding["candidates"] == []
    assert (finding["decided_by"]["sid"], finding["no_fix"]) == ("VpcOnly", None)
    assert "VpcOnly of its policy" in finding["explanation"]
    (operation,) = finding["fix"]["json_patch"]
    assert operation["path"] == "/Statement/0/Condition/ArnNotEquals"
    assert operation["value"] == {"aws:PrincipalArn": ROLE}
    assert finding["fix"]["proof"]["request_allowed"] is True
    assert {"policy_after", "command_file"}.isdisjoint(finding["fix"])
    assert (finding["blame"]["principal"], finding["blame"]["event_id"]) == (
        "arn:aws:iam::111122223333:user/ann",
        "c1",
    )
    assert finding["blame"]["added"] == [DENY]


@pytest.mark.parametrize("form", ["table", "html", "csv", "ocsf", "asff", "jsonl"])
def test_every_format_takes_what_was_added(place, call, form):
    """Each of them still writes the finding; those for people name who changed the policy."""
    status, out, err = call(
        "scan", f"{place}/calls", "--policies", f"{place}/policies", "--blame", "--format", form
    )
    assert (status, err) == (0, "")
    assert "payroll" in out
    if form in ("table", "html", "csv"):
        assert "PutBucketPolicy" in " ".join(out.split())


def test_a_policy_that_cannot_be_read_is_named(place, call):
    """The finding stays as the message tells it, and the status says that something was not read."""
    (place / "policies" / "arn%3Aaws%3As3%3A%3A%3Apayroll.json").write_text(
        '{"Statement": [{"Effect": "Perhaps"}]}'
    )
    status, out, err = call("scan", f"{place}/calls", "--policies", f"{place}/policies", "--format", "json")
    assert status == 3
    assert "cannot explain arn:aws:s3:::payroll" in err
    (finding,) = json.loads(out)["findings"]
    assert finding["cause"]["evidence"] == "guess"


def test_a_folder_that_is_none(place, call):
    """It is said before anything is printed."""
    status, out, _ = call("scan", f"{place}/calls", "--policies", f"{place}/none")
    assert (status, out) == (2, "")


def test_standard_input_cannot_be_read_twice(call):
    """Blame needs a second look."""
    status, _, err = call("scan", "-", "--blame")
    assert status == 2
    assert "twice" in err
