"""The findings as OCSF Detection Findings, held against the schema of OCSF itself."""

import json
from datetime import UTC, datetime

import pytest
from formatted import STRINGS, by_resource, infested, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from rolewatch.report.ocsf import VERSION, detection


@pytest.fixture(scope="module")
def dictionary():
    """Return everything the schema defines, with the captions of its enumerations."""
    return get_ocsf_schema(version=VERSION)


@pytest.fixture(scope="module")
def validator(dictionary):
    """Return a validator of Detection Findings with the profile `cloud`; attributes it does not know are errors."""
    schema = OcsfJsonSchemaEmbedded(dictionary).get_class_schema("detection_finding", ["cloud"])
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def events(report):
    """Return what is written, line by line."""
    return [json.loads(line) for line in written("ocsf", report).splitlines()]


def faults(validator, report):
    """Return what the schema objects to in any finding."""
    return [
        f"{error.json_path}: {error.message}"
        for event in events(report)
        for error in validator.iter_errors(event)
    ]


def test_ocsf_findings_follow_the_schema(validator, report):
    """Every finding is a valid Detection Finding of class 2004, one a line."""
    assert faults(validator, report) == []
    assert [event["class_uid"] for event in events(report)] == [2004] * len(report["findings"])
    assert len(written("ocsf", report).splitlines()) == len(report["findings"])


def test_ocsf_without_findings_is_empty(no_findings):
    """Nothing found is no line."""
    assert written("ocsf", no_findings) == ""


def test_ocsf_of_what_is_not_known(validator, report):
    """A finding without role, account, owner, times or regions is still valid, and null is left out."""
    finding = by_resource(report, "arn:aws:s3:::payroll-archive")
    finding |= dict.fromkeys(("role_arn", "role_name", "resource_account", "first_denied", "last_denied"))
    finding |= {
        "account": "",
        "service": "",
        "service_name": "",
        "resource_type": "",
        "regions": [],
        "timeline": [],
    }
    report["findings"] = [finding]
    assert faults(validator, report) == []
    (event,) = events(report)
    assert event["time"] == event["metadata"]["processed_time"]
    assert [key for key in ("start_time", "end_time") if key in event] == []
    assert event["resources"] == [
        {
            "uid": "arn:aws:s3:::payroll-archive",
            "role_id": 3,
            "role": "Affected",
            "cloud_partition": "aws",
        }
    ]


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strings=st.lists(STRINGS.filter(bool), min_size=1, max_size=12))
def test_ocsf_is_valid_whatever_a_record_says(validator, report, strings):
    """Any strings in any field make neither an invalid finding nor a broken line."""
    assert faults(validator, infested(report, strings)) == []


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"status": "blocked"}, (1, "Create", 1, "New", True)),
        ({"status": "silent"}, (2, "Update", 1, "New", False)),
        ({"status": "recovered"}, (3, "Close", 4, "Resolved", False)),
        ({"status": "gone"}, (3, "Close", 5, "Archived", False)),
        ({"status": "blocked", "verdict": "harmless"}, (1, "Create", 3, "Suppressed", False)),
        ({"status": "silent", "verdict": "service-not-enabled"}, (1, "Create", 3, "Suppressed", False)),
        ({"status": "recovered", "verdict": "harmless"}, (3, "Close", 4, "Resolved", False)),
    ],
)
def test_ocsf_status(validator, one_finding, facts, expected):
    """Status and verdict decide activity, status and whether it is an alert; the word of ours is kept beside them."""
    one_finding["findings"][0] |= facts
    event = detection(one_finding["findings"][0], one_finding)
    names = ("activity_id", "activity_name", "status_id", "status", "is_alert")
    assert tuple(event[name] for name in names) == expected
    assert (event["type_uid"], event["status_detail"]) == (200400 + expected[0], facts["status"])
    assert faults(validator, one_finding) == []


@pytest.mark.parametrize(
    ("severity", "expected"),
    [
        ("critical", (5, "Critical")),
        ("high", (4, "High")),
        ("medium", (3, "Medium")),
        ("low", (2, "Low")),
        ("none", (1, "Informational")),
        ("apocalyptic", (0, "Unknown")),
    ],
)
def test_ocsf_severity(validator, one_finding, severity, expected):
    """Each severity has OCSF's number and name; one that is not known is called so."""
    one_finding["findings"][0]["severity"] = severity
    event = detection(one_finding["findings"][0], one_finding)
    assert (event["severity_id"], event["severity"]) == expected
    assert faults(validator, one_finding) == []


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [("message", (3, "High")), ("policy", (3, "High")), ("guess", (1, "Low")), ("hearsay", (0, "Unknown"))],
)
def test_ocsf_confidence(one_finding, evidence, expected):
    """A guess is of low confidence, what AWS says of high."""
    one_finding["findings"][0]["cause"]["evidence"] = evidence
    event = detection(one_finding["findings"][0], one_finding)
    assert (event["confidence_id"], event["confidence"]) == expected


def test_ocsf_names_are_those_of_the_schema(dictionary, report):
    """Beside each number stands the name that OCSF gives it."""
    attributes = dictionary["classes"]["detection_finding"]["attributes"]
    pairs = {
        (f"{name}_id", event[f"{name}_id"], event[name])
        for event in events(report)
        for name in ("severity", "status", "confidence")
    }
    assert pairs == {
        (name, number, attributes[name]["enum"][str(number)]["caption"]) for name, number, _ in pairs
    }


def test_ocsf_times_are_milliseconds(report):
    """Times count milliseconds since 1970; a finding that ended has the time it ended."""
    found = {event["resources"][0]["uid"]: event for event in events(report)}

    def at(*parts):
        return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)

    blocked, gone = found["arn:aws:s3:::payroll-archive"], found["arn:aws-us-gov:s3:::old-exports"]
    assert (blocked["start_time"], blocked["time"]) == (at(2026, 3, 1, 10, 4, 59), at(2026, 3, 3, 7, 11, 46))
    assert (gone["end_time"], gone["time"]) == (at(2026, 2, 26, 10), at(2026, 2, 27, 16, 20))
    assert gone["finding_info"]["modified_time"] == gone["time"]


def test_ocsf_names_role_and_resource(report):
    """The shut resource is affected, the role an actor; a service principal is the actor of the evidence alone."""
    found = {event["resources"][0]["uid"]: event for event in events(report)}
    shut, kept_out = found["arn:aws:s3:::hr-exports"]["resources"]
    assert (shut["owner"]["account"]["uid"], shut["role"]) == ("333344445555", "Affected")
    assert (kept_out["name"], kept_out["role"]) == ("AWSServiceRoleForAmazonMacie", "Actor")
    principal = found["arn:aws:s3:::flow-logs"]
    assert len(principal["resources"]) == 1
    assert principal["evidences"][0]["actor"]["user"] == {
        "name": "Amazon CloudWatch Logs",
        "type_id": 4,
        "type": "Service",
    }
    assert found["arn:aws-us-gov:s3:::old-exports"]["cloud"] == {
        "provider": "AWS",
        "cloud_partition": "aws-us-gov",
        "region": "us-gov-west-1",
        "account": {"uid": "444455556666", "type_id": 10, "type": "AWS Account"},
    }


def test_ocsf_has_an_evidence_a_call(report):
    """Each denied call is an evidence with what is known of it; nulls of ours stay only where they are data of ours."""
    finding = by_resource(report, "arn:aws:s3:::payroll-archive")
    event = detection(finding, report)
    assert [(item["name"], item["data"]["denials"], item["data"]["open"]) for item in event["evidences"]] == [
        ("s3:GetBucketLocation", 40, True),
        ("s3:GetBucketEncryption", 38, True),
        ("s3:HeadBucket", 2, False),
    ]
    assert event["evidences"][0]["api"] == {
        "operation": "GetBucketLocation",
        "service": {"name": "s3.amazonaws.com"},
        "response": {"error": "AccessDenied"},
    }


def test_ocsf_tells_many_error_codes_once(validator, one_finding):
    """Beside each of thousands of calls stand ten error codes at most; all of them are kept in one place."""
    finding = one_finding["findings"][0]
    finding["error_codes"] = {f"Code{number}": 1 for number in range(3000)}
    finding["actions"] = {f"s3:Call{number}": finding["actions"]["s3:HeadBucket"] for number in range(3000)}
    (event,) = events(one_finding)
    assert event["evidences"][-1]["api"]["response"]["error"].count(", ") == 9
    assert len(event["unmapped"]["error_codes"]) == 3000
    assert faults(validator, one_finding) == []


def test_ocsf_leaves_nothing_out(report):
    """What OCSF has no place for is kept as it is: with the mapped fields, every key of a finding is there."""
    finding = by_resource(report, "arn:aws:s3:::payroll-archive")
    unmapped = detection(finding, report)["unmapped"]
    mapped = {
        "id", "account", "role_arn", "role_name", "service", "service_name", "resource", "resource_type", "denials",
        "first_denied", "last_denied", "status", "severity", "explanation",
    }  # fmt: skip
    assert unmapped == {name: finding[name] for name in unmapped}
    assert finding.keys() - unmapped.keys() == mapped
