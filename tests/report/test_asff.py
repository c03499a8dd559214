"""The findings in the AWS Security Finding Format, held against the model of the Security Hub API."""

import json

import botocore.session
import pytest
from asff_limits import faults
from formatted import STRINGS, by_resource, infested, steering, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolewatch.report.asff import RESOURCE_TYPES, security_finding


@pytest.fixture(scope="module")
def shape():
    """Return the input of BatchImportFindings as botocore's model describes it."""
    model = botocore.session.get_session().get_service_model("securityhub")
    return model.operation_model("BatchImportFindings").input_shape


def test_asff_findings_follow_the_model(shape, report):
    """Every finding is what BatchImportFindings takes: types, required members, patterns, enumerations, limits."""
    assert faults(shape, report) == []
    assert len(json.loads(written("asff", report))) == len(report["findings"])


def test_asff_without_findings_is_an_empty_list(no_findings):
    """Nothing found is a list without a member."""
    assert json.loads(written("asff", no_findings)) == []


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strings=st.lists(STRINGS, min_size=1, max_size=12))
def test_asff_is_valid_whatever_a_record_says(shape, report, strings):
    """Any strings in any field, empty or long ones too, make no finding that Security Hub would refuse."""
    filled = infested(report, strings) | {"generated": report["generated"]}
    assert faults(shape, filled) == []
    shown = [finding["Title"] + finding["Description"] for finding in json.loads(written("asff", filled))]
    assert [steering(text) for text in shown] == [set()] * len(shown)


@pytest.mark.parametrize("char", ["x", "é", "漢", "😀", "\x1b"])
def test_asff_cuts_to_the_limits(shape, report, char):
    """Names of any length are cut to the limit in bytes, within no character, and the cut shows."""
    finding = by_resource(report, "arn:aws:s3:::payroll-archive")
    long = char * 70_000
    finding |= {
        "resource": long,
        "service_name": long,
        "explanation": long,
        "consequence": long,
        "regions": [long],
    }
    finding |= {"role_arn": long, "service": long, "account": long, "severity": long, "id": long}
    finding["actions"] = {long: finding["actions"]["s3:HeadBucket"] | {"iam_action": long}}
    finding["error_codes"] = {long: 1}
    report["findings"] = [finding]
    assert faults(shape, report) == []
    (found,) = json.loads(written("asff", report))
    assert (found["Title"][-1], found["Description"][-1]) == ("…", "…")
    assert (found["AwsAccountId"], found["Region"]) == ("000000000000", "us-east-1")


def test_asff_by_example(one_finding):
    """One finding, whole."""
    (found,) = json.loads(written("asff", one_finding))
    severity = {"Label": "CRITICAL", "Original": "critical"}
    types = [
        "Software and Configuration Checks/AWS Security Best Practices/Service denied access",
        "TTPs/Defense Evasion/Security service blinded",
    ]
    role = "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    identifier = one_finding["findings"][0]["id"]
    fields = found.pop("ProductFields")
    assert found == {
        "SchemaVersion": "2018-10-08",
        "Id": f"rolewatch/{identifier}",
        "ProductArn": "arn:aws:securityhub:us-east-1:111122223333:product/111122223333/default",
        "ProductName": "rolewatch",
        "CompanyName": "rolewatch",
        "Region": "us-east-1",
        "GeneratorId": "rolewatch/config.amazonaws.com",
        "AwsAccountId": "111122223333",
        "Types": types,
        "FirstObservedAt": "2026-03-01T10:04:59Z",
        "LastObservedAt": "2026-03-03T07:11:46Z",
        "CreatedAt": "2026-03-01T10:04:59Z",
        "UpdatedAt": "2026-03-03T08:00:00Z",
        "Severity": severity,
        "Title": "AWS Config cannot reach arn:aws:s3:::payroll-archive",
        "Description": "AWS Config cannot s3:GetBucketLocation, s3:GetEncryptionConfiguration on "
        "arn:aws:s3:::payroll-archive: the resource's own policy explicitly denies it. Verdict: fix-your-policy "
        "(by message). 80 denials from 2026-03-01 10:04:59 to 2026-03-03 07:11:46 UTC.",
        "Remediation": {
            "Recommendation": {
                "Text": f"Let {role} do s3:GetBucketLocation, s3:GetEncryptionConfiguration on "
                "arn:aws:s3:::payroll-archive: exempt it from the statement that denies it."
            }
        },
        "Resources": [
            {
                "Type": "AwsS3Bucket",
                "Id": "arn:aws:s3:::payroll-archive",
                "ResourceRole": "Target",
                "Partition": "aws",
                "Region": "us-east-1",
            },
            {"Type": "AwsIamRole", "Id": role, "ResourceRole": "Actor"},
        ],
        "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE",
        "FindingProviderFields": {"Severity": severity, "Types": types},
        "Action": {
            "ActionType": "AWS_API_CALL",
            "AwsApiCallAction": {
                "Api": "GetBucketLocation",
                "ServiceName": "s3.amazonaws.com",
                "CallerType": "domain",
                "DomainDetails": {"Domain": "config.amazonaws.com"},
                "FirstSeen": "2026-03-01T10:04:59Z",
                "LastSeen": "2026-03-03T07:11:46Z",
            },
        },
    }
    assert {
        name.partition("/")[2]: value for name, value in fields.items() if not name.endswith("EventIds")
    } == {
        "Account": "111122223333",
        "Status": "blocked",
        "Verdict": "fix-your-policy",
        "Evidence": "message",
        "PolicyType": "resource-based",
        "DenyKind": "explicit",
        "Service": "config.amazonaws.com",
        "ServiceName": "AWS Config",
        "RoleArn": role,
        "ResourceAccount": "111122223333",
        "Denials": "80",
        "DeniedActions": "s3:GetBucketLocation, s3:GetEncryptionConfiguration, s3:ListBucket",
        "OpenActions": "s3:GetBucketLocation, s3:GetEncryptionConfiguration",
        "ErrorCodes": "AccessDenied=80",
        "Regions": "us-east-1",
    }


@pytest.mark.parametrize(
    ("facts", "workflow", "record_state"),
    [
        ({"status": "blocked"}, "NEW", "ACTIVE"),
        ({"status": "silent"}, "NEW", "ACTIVE"),
        ({"status": "recovered"}, "RESOLVED", "ARCHIVED"),
        ({"status": "gone"}, "RESOLVED", "ARCHIVED"),
        ({"status": "blocked", "verdict": "harmless"}, "SUPPRESSED", "ACTIVE"),
        ({"status": "silent", "verdict": "service-not-enabled"}, "SUPPRESSED", "ACTIVE"),
    ],
)
def test_asff_status(one_finding, facts, workflow, record_state):
    """What is over is resolved and archived, what does no harm is suppressed, silence is neither."""
    found = security_finding(one_finding["findings"][0] | facts, one_finding)
    assert (found["Workflow"], found["RecordState"]) == ({"Status": workflow}, record_state)


@pytest.mark.parametrize(
    ("severity", "label"),
    [
        ("critical", "CRITICAL"), ("high", "HIGH"), ("medium", "MEDIUM"), ("low", "LOW"), ("none", "INFORMATIONAL"),
        ("apocalyptic", "INFORMATIONAL"),
    ],
)  # fmt: skip
def test_asff_severity(one_finding, severity, label):
    """Each severity has a label, and the word of ours beside it; only a possible blinding is called a technique."""
    found = security_finding(one_finding["findings"][0] | {"severity": severity}, one_finding)
    assert found["Severity"] == {"Label": label, "Original": severity}
    assert found["FindingProviderFields"]["Severity"] == found["Severity"]
    assert [name.split("/")[0] for name in found["Types"]][1:] == (["TTPs"] if severity == "critical" else [])


@pytest.mark.parametrize(
    ("role_arn", "regions", "expected"),
    [
        ("arn:aws:iam::1:role/x", ["eu-west-1", "eu-west-2"], ("aws", "eu-west-1", "aws")),
        ("arn:aws-cn:iam::1:role/x", ["cn-northwest-1"], ("aws-cn", "cn-northwest-1", "aws-cn")),
        ("arn:aws-us-gov:iam::1:role/x", [], ("aws-us-gov", "us-gov-west-1", "aws-us-gov")),
        ("arn:aws-iso-f:iam::1:role/x", ["us-isof-south-1"], ("aws-iso-f", "us-isof-south-1", None)),
        ("arn:aws:iam::1:role/x", ["nowhere", ""], ("aws", "us-east-1", "aws")),
    ],
)
def test_asff_partitions_and_regions(shape, one_finding, role_arn, regions, expected):
    """The product is in the role's partition and the first region that is one; an unknown partition is not named."""
    partition, region, named = expected
    one_finding["findings"][0] |= {"role_arn": role_arn, "resource": "b", "regions": regions}
    found = security_finding(one_finding["findings"][0], one_finding)
    product = f"arn:{partition}:securityhub:{region}:111122223333:product/111122223333/default"
    assert (found["ProductArn"], found["Region"]) == (product, region)
    assert found["Resources"][0].get("Partition") == named
    assert faults(shape, one_finding) == []


def test_asff_of_a_service_principal(shape, report):
    """A service without a role is the domain that called, and no resource of the finding."""
    found = security_finding(by_resource(report, "arn:aws:s3:::flow-logs"), report)
    assert [item["Type"] for item in found["Resources"]] == ["AwsS3Bucket"]
    assert found["Action"]["AwsApiCallAction"]["DomainDetails"] == {"Domain": "delivery.logs.amazonaws.com"}
    assert "rolewatch/RoleArn" not in found["ProductFields"]
    assert faults(shape, report) == []


def test_asff_of_what_is_not_known(shape, one_finding):
    """Without times, the time of the scan stands; without an account, twelve zeros; without actions, no action."""
    finding = one_finding["findings"][0]
    finding |= dict.fromkeys(("role_arn", "role_name", "first_denied", "last_denied", "resource_account"))
    finding |= {"account": "REMOVED", "service": "", "service_name": "", "explanation": ""}
    found = security_finding(finding, one_finding)
    assert {found[name] for name in ("FirstObservedAt", "LastObservedAt", "CreatedAt")} == {
        "2026-03-03T08:00:00Z"
    }
    assert (found["AwsAccountId"], found["ProductFields"]["rolewatch/Account"]) == ("000000000000", "REMOVED")
    assert faults(shape, one_finding) == []
    assert "Action" not in security_finding(finding | {"actions": {}}, one_finding)


@pytest.mark.parametrize(
    "time", ["yesterday", "2026-13-01T00:00:00Z", "2026-03-01 10:00:00", "2026-03-01T10:00:00+01:00"]
)
def test_asff_takes_no_time_that_is_none(one_finding, time):
    """A time that Security Hub would refuse gives way to the time of the scan."""
    found = security_finding(one_finding["findings"][0] | {"first_denied": time}, one_finding)
    assert found["FirstObservedAt"] == "2026-03-03T08:00:00Z"


def test_asff_resource_types_are_security_hubs(shape):
    """Each type that a resource is given is one Security Hub has details for; others are Other."""
    details = shape.members["Findings"].member.members["Resources"].member.members["Details"].members
    assert set(RESOURCE_TYPES.values()) - details.keys() == set()


def test_asff_names_the_call_denied_most(report):
    """Of several calls the one that was denied most often is the finding's action."""
    finding = next(found for found in report["findings"] if ":key/" in found["resource"])
    call = security_finding(finding, report)["Action"]["AwsApiCallAction"]
    assert (call["Api"], call["ServiceName"]) == ("GenerateDataKeyWithoutPlaintext", "kms.amazonaws.com")
