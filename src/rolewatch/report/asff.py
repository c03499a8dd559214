"""The findings in the AWS Security Finding Format: a JSON list, as BatchImportFindings takes it.

Source: the Security Hub API's AwsSecurityFinding (schema version 2018-10-08), its length limits included.
BatchImportFindings takes at most 100 findings a call, all from one account and region.
"""

import re
from typing import Any, Final, TextIO

from rolewatch.base.sanitise import terminal
from rolewatch.report import words
from rolewatch.report.json_text import dumps
from rolewatch.report.order import Finding, ranked, section
from rolewatch.report.output import emit

_ACCOUNT: Final = re.compile(r"[0-9]{12}")
#: For an account that is none (blanked in the input, or unknown): Security Hub wants twelve digits.
_NO_ACCOUNT: Final = "000000000000"
_REGIONS: Final = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-us-iso": "us-iso-east-1",
    "aws-us-iso-b": "us-isob-east-1",
}
_SEVERITIES: Final = {
    "critical": "CRITICAL",
    "high": "HIGH",
    "medium": "MEDIUM",
    "low": "LOW",
    "none": "INFORMATIONAL",
}

#: Section of a finding → Workflow.Status (taken on creation only; later it is the customer's) and RecordState.
_STATES: Final = {
    "blind": ("NEW", "ACTIVE"),
    "silent": ("NEW", "ACTIVE"),
    "harmless": ("SUPPRESSED", "ACTIVE"),
    "recovered": ("RESOLVED", "ARCHIVED"),
    "gone": ("RESOLVED", "ARCHIVED"),
}

#: CloudFormation's name of a type → ASFF's; the rest is "Other".
RESOURCE_TYPES: Final = {
    "AWS::Backup::BackupVault": "AwsBackupBackupVault",
    "AWS::CloudTrail::Trail": "AwsCloudTrailTrail",
    "AWS::DynamoDB::Table": "AwsDynamoDbTable",
    "AWS::EC2::Instance": "AwsEc2Instance",
    "AWS::EC2::NetworkInterface": "AwsEc2NetworkInterface",
    "AWS::EC2::SecurityGroup": "AwsEc2SecurityGroup",
    "AWS::EC2::Subnet": "AwsEc2Subnet",
    "AWS::EC2::VPC": "AwsEc2Vpc",
    "AWS::EC2::Volume": "AwsEc2Volume",
    "AWS::ECR::Repository": "AwsEcrRepository",
    "AWS::ECS::Cluster": "AwsEcsCluster",
    "AWS::ECS::Service": "AwsEcsService",
    "AWS::EFS::AccessPoint": "AwsEfsAccessPoint",
    "AWS::EKS::Cluster": "AwsEksCluster",
    "AWS::Events::EventBus": "AwsEventsEventbus",
    "AWS::IAM::Role": "AwsIamRole",
    "AWS::KMS::Key": "AwsKmsKey",
    "AWS::Kinesis::Stream": "AwsKinesisStream",
    "AWS::Lambda::Function": "AwsLambdaFunction",
    "AWS::RDS::DBCluster": "AwsRdsDbCluster",
    "AWS::RDS::DBClusterSnapshot": "AwsRdsDbClusterSnapshot",
    "AWS::RDS::DBInstance": "AwsRdsDbInstance",
    "AWS::RDS::DBSnapshot": "AwsRdsDbSnapshot",
    "AWS::Redshift::Cluster": "AwsRedshiftCluster",
    "AWS::S3::Bucket": "AwsS3Bucket",
    "AWS::SNS::Topic": "AwsSnsTopic",
    "AWS::SQS::Queue": "AwsSqsQueue",
    "AWS::SecretsManager::Secret": "AwsSecretsManagerSecret",
    "AWS::StepFunctions::StateMachine": "AwsStepFunctionStateMachine",
}


def write(report: dict[str, Any], out: TextIO) -> None:
    """Write all findings as one JSON list, in reading order."""
    emit(
        out,
        dumps([security_finding(finding, report) for finding in ranked(report["findings"])], indent=1) + "\n",
    )


def security_finding(finding: Finding, report: dict[str, Any]) -> dict[str, Any]:
    """Return one finding as an AwsSecurityFinding."""
    partition = words.partition(finding)
    account = finding["account"] if _ACCOUNT.fullmatch(finding["account"] or "") else _NO_ACCOUNT
    region = _region(finding, partition)
    made = report["generated"]
    workflow, record_state = _STATES[section(finding)]
    severity = {
        "Label": _SEVERITIES.get(finding["severity"], "INFORMATIONAL"),
        "Original": _cut(finding["severity"], 64),
    }
    types = ["Software and Configuration Checks/AWS Security Best Practices/Service denied access"]
    if finding["severity"] == "critical":
        types.append("TTPs/Defense Evasion/Security service blinded")
    result = {
        "SchemaVersion": "2018-10-08",
        "Id": f"rolewatch/{_cut(finding['id'], 500)}",
        "ProductArn": f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
        "ProductName": "rolewatch",
        "CompanyName": "rolewatch",
        "Region": region,
        "GeneratorId": f"rolewatch/{_cut(finding['service'], 500)}",
        "AwsAccountId": account,
        "Types": types,
        "FirstObservedAt": _time(finding["first_denied"], made),
        "LastObservedAt": _time(finding["last_denied"], made),
        "CreatedAt": _time(finding["first_denied"], made),
        "UpdatedAt": made,
        "Severity": severity,
        "Title": _cut(words.title(finding), 256),
        "Description": _cut(words.description(finding), 1024),
        "Remediation": {"Recommendation": {"Text": _cut(words.remedy(finding), 512)}},
        "ProductFields": _product_fields(finding),
        "Resources": _resources(finding, partition),
        "Workflow": {"Status": workflow},
        "RecordState": record_state,
        # Updates of severity and types are taken from here only.
        "FindingProviderFields": {"Severity": severity, "Types": types},
    }
    if finding["actions"]:
        result["Action"] = _action(finding, made)
    return result


def _cut(text: str | None, limit: int) -> str:
    """Return text safe to show and at most `limit` bytes of UTF-8 long; never blank, which ASFF forbids."""
    shown = terminal(text or "", limit).strip() or "unknown"
    encoded = shown.encode()
    if len(encoded) <= limit:
        return shown
    return encoded[: limit - len("…".encode())].decode(errors="ignore") + "…"


def _time(time: str | None, otherwise: str) -> str:
    """Return a time that Security Hub takes."""
    return time if time and words.milliseconds(time) is not None else otherwise


def _region(finding: Finding, partition: str) -> str:
    """Return the first region of the denials that is one (ASFF: 16 characters at most), else the partition's usual one."""
    regions = (name for name in finding["regions"] if words.REGION.fullmatch(name) and len(name) <= 16)
    return next(regions, _REGIONS.get(partition, "us-east-1"))


def _product_fields(finding: Finding) -> dict[str, str]:
    """Return what ASFF has no place for: at most 50 pairs, keys up to 128 and values up to 2,048 long."""
    cause = finding["cause"]
    fields = {
        "Account": finding["account"],
        "Status": finding["status"],
        "Verdict": finding["verdict"],
        "Evidence": cause["evidence"],
        "PolicyType": cause["policy_type"],
        "DenyKind": cause["kind"],
        "Service": finding["service"],
        "ServiceName": finding["service_name"],
        "RoleArn": finding["role_arn"],
        "ResourceAccount": finding["resource_account"],
        "Denials": str(finding["denials"]),
        "DeniedActions": ", ".join(words.actions(finding)),
        "OpenActions": ", ".join(finding["open_actions"]),
        "ErrorCodes": ", ".join(f"{code}={number}" for code, number in finding["error_codes"].items()),
        "Regions": ", ".join(finding["regions"]),
        "Candidates": "; ".join(candidate["cause"] for candidate in finding["candidates"]),
        "Consequence": finding["consequence"],
        "Ended": finding["ended"],
        "EventIds": ", ".join(finding["event_ids"][:50]),
    }
    return {f"rolewatch/{name}": _cut(value, 2048) for name, value in fields.items() if value}


def _resources(finding: Finding, partition: str) -> list[dict[str, Any]]:
    """Return the resource that was shut, and the role that was kept out."""
    shut: dict[str, Any] = {
        "Type": RESOURCE_TYPES.get(finding["resource_type"], "Other"),
        "Id": _cut(finding["resource"], 2048),
        "ResourceRole": "Target",
    }
    # Security Hub knows these partitions only.
    if partition in _REGIONS:
        shut["Partition"] = partition
    region = words.resource_region(finding)
    if region and len(region) <= 16:
        shut["Region"] = region
    if not finding["role_arn"]:
        return [shut]
    return [shut, {"Type": "AwsIamRole", "Id": _cut(finding["role_arn"], 2048), "ResourceRole": "Actor"}]


def _action(finding: Finding, made: str) -> dict[str, Any]:
    """Return the API call that was denied most often."""
    call = max(sorted(finding["actions"]), key=lambda name: int(finding["actions"][name]["denials"]))
    service, _, operation = call.partition(":")
    return {
        "ActionType": "AWS_API_CALL",
        "AwsApiCallAction": {
            "Api": _cut(operation or call, 128),
            "ServiceName": _cut(f"{service}.amazonaws.com", 128),
            "CallerType": "domain",
            "DomainDetails": {"Domain": _cut(finding["service"], 128)},
            "FirstSeen": _time(finding["first_denied"], made),
            "LastSeen": _time(finding["last_denied"], made),
        },
    }
