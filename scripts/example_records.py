"""The records of the examples: real ones moved into the story, and the story's own, made from real ones.

A denial is a copy of a real record of a service-linked role with the story's role, resource, time and error.
"""

from __future__ import annotations

import copy
import gzip
import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

from example_story import CASES, GOVERNMENT, NOT_ENABLED, PAYROLL, PLATFORM, REGION, Case

REAL = Path(__file__).resolve().parent.parent / "tests" / "data" / "real"
Record = dict[str, Any]
# which real file is the background of which account on which days (of March 2026)
BACKGROUND = (
    ("opensearch-catalog/samples.json.gz", "345678901234", PAYROLL, ("16", "17", "18", "20")),
    ("invictus-ir/218007301253_CloudTrail_us-east-1_20230710T1145Z_s7dpHbl38neqZbm2.json.gz", "123837392027", PLATFORM, ("02", "05")),
    ("invictus-ir/218007301253_CloudTrail_us-east-1_20230710T1205Z_UljXNp9xLp8nsAGc.json.gz", "123837392027", PLATFORM, ("10", "12")),
    ("invictus-ir/218007301253_CloudTrail_us-east-1_20230710T1210Z_2ru8PrDKZmsO3yWC.json.gz", "123837392027", PLATFORM, ("14",)),
    ("invictus-ir/218007301253_CloudTrail_us-east-1_20230710T1220Z_sM25jC0Ku0QcGkDa.json.gz", "123837392027", PLATFORM, ("18",)),
    ("invictus-ir/218007301253_CloudTrail_us-east-1_20230710T1220Z_ovtmbuX3ENJ119uH.json.gz", "123837392027", PLATFORM, ("19", "20")),
    ("invictus-ir/218007301253_CloudTrail_us-east-1_20230710T1220Z_r7NFD65BgeDMqD23.json.gz", "123837392027", GOVERNMENT, ("19", "20")),
)  # fmt: skip


def compact(value: object) -> str:
    """Return `value` as JSON the way CloudTrail writes it: no white space."""
    return json.dumps(value, separators=(",", ":"))


def name_id(*parts: str) -> str:
    """Return a GUID that depends on nothing but `parts`."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "rolewatch example " + " ".join(parts)))


def hexadecimal(digits: int, *parts: str) -> str:
    """Return `digits` upper-case hex digits that depend on nothing but `parts`."""
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:digits].upper()


def moment(time: str) -> str:
    """Return "16 09:14" as the eventTime 2026-03-16T09:14:00Z."""
    day, clock = time.split()
    return f"2026-03-{day}T{clock}:00Z"


def real_records(path: str) -> list[Record]:
    """Return the records of one real delivery."""
    records: list[Record] = json.loads(gzip.decompress((REAL / path).read_bytes()))["Records"]
    return records


def background() -> list[Record]:
    """Return the real records with the story's accounts, days and (GovCloud) partition; all else stays."""
    moved = []
    for path, real_account, account, days in BACKGROUND:
        records = real_records(path)
        for number, record in enumerate(records):
            text = compact(record).replace(real_account, account)
            text = text.replace(
                record["eventTime"][:10], f"2026-03-{days[number * len(days) // len(records)]}"
            )
            if account == GOVERNMENT:
                text = text.replace("arn:aws:", "arn:aws-us-gov:").replace("us-east-1", "us-gov-west-1")
            moved.append(json.loads(text))
    return moved


def templates() -> dict[str, Record]:
    """Return a real record of a service-linked role for each eventSource; "" is the one for all others."""
    found: dict[str, Record] = {}
    for path, *_ in BACKGROUND:
        for record in real_records(path):
            issuer = record["userIdentity"].get("sessionContext", {}).get("sessionIssuer", {}).get("arn", "")
            if ":role/aws-service-role/" in issuer and "errorCode" not in record:
                found.setdefault(record["eventSource"], record)
                found.setdefault("", record)
    return found


def identity(case: Case, time: str) -> Record:
    """Return the userIdentity of the case's role."""
    service, name, session = case.role
    partition = "aws-us-gov" if case.account == GOVERNMENT else "aws"
    unique = "AROA" + hexadecimal(17, case.account, name)
    issuer = {
        "type": "Role",
        "principalId": unique,
        "arn": f"arn:{partition}:iam::{case.account}:role/aws-service-role/{service}/{name}",
        "accountId": case.account,
        "userName": name,
    }
    return {
        "type": "AssumedRole",
        "principalId": f"{unique}:{session}",
        "arn": f"arn:{partition}:sts::{case.account}:assumed-role/{name}/{session}",
        "accountId": case.account,
        "sessionContext": {
            "sessionIssuer": issuer,
            "webIdFederationData": {},
            "attributes": {"creationDate": moment(time), "mfaAuthenticated": "false"},
        },
        "invokedBy": service,
    }


def request(case: Case) -> Record:
    """Return requestParameters (and resources, where the service writes them) that name the case's resource."""
    last = case.resource.rpartition(":")[2]
    region = case.region or REGION[case.account]
    owner = case.resource.split(":")[4] if case.resource.startswith("arn:") else ""
    host = f"{last}.s3.{region}.amazonaws.com"
    match case.source:
        case "s3.amazonaws.com":
            return {
                "requestParameters": {"bucketName": last, "Host": host},
                "resources": [{"accountId": case.account, "type": "AWS::S3::Bucket", "ARN": case.resource}],
            }
        case "kms.amazonaws.com":
            return {
                "requestParameters": {"keyId": case.resource},
                "resources": [{"accountId": owner, "type": "AWS::KMS::Key", "ARN": case.resource}],
            }
        case "sqs.amazonaws.com":
            return {"requestParameters": {"queueUrl": f"https://sqs.{region}.amazonaws.com/{owner}/{last}"}}
        case "sns.amazonaws.com":
            return {"requestParameters": {"topicArn": case.resource}}
        case "ec2.amazonaws.com":
            return {"requestParameters": {"instanceId": last.rpartition("/")[2], "attribute": "userData"}}
    return {"requestParameters": None}


def call(case: Case, name: str, time: str, real: dict[str, Record]) -> Record:
    """Return a successful call of the case's role on its resource: a real record with other names in it."""
    service, event = case.role[0], [case.account, case.role[1], case.resource, name, time]
    record = copy.deepcopy(real.get(case.source, real[""]))
    for key in ("resources", "vpcEndpointId", "apiVersion"):
        record.pop(key, None)
    record |= {
        "userIdentity": identity(case, time),
        "eventTime": moment(time),
        "eventSource": case.source,
        "eventName": name,
        "awsRegion": case.region or REGION[case.account],
        "sourceIPAddress": service,
        "userAgent": service,
        "requestID": hexadecimal(16, *event),
        "eventID": name_id(*event),
        "readOnly": not name.startswith("Create"),
        "recipientAccountId": case.account,
    }
    return record | request(case)


def policy_change(real: dict[str, Record]) -> Record:
    """Return the call that starts the story: somebody puts the bucket policy on payroll-exports."""
    case = CASES[0]
    record = call(case, "PutBucketPolicy", "16 09:12", real)
    statement = {
        "Sid": "OnlyPayroll",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [case.resource, f"{case.resource}/*"],
        "Condition": {"StringNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{PAYROLL}:role/payroll-*"}},
    }
    record["userIdentity"] = as_role(record["userIdentity"], "payroll-admin")
    record["requestParameters"] |= {
        "policy": "",
        "bucketPolicy": {"Version": "2012-10-17", "Statement": [statement]},
    }
    return record | {"readOnly": False, "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2.27.1"}


def as_role(identity: Record, path: str) -> Record:
    """Return `identity` turned into that of the customer's own role at `path`."""
    account, name = identity["accountId"], path.rpartition("/")[2]
    issuer = identity["sessionContext"]["sessionIssuer"] | {
        "arn": f"arn:aws:iam::{account}:role/{path}",
        "userName": name,
    }
    changed = identity | {
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/session",
        "sessionContext": identity["sessionContext"] | {"sessionIssuer": issuer},
    }
    del changed["invokedBy"]
    return changed


def look_alikes(real: dict[str, Record]) -> list[Record]:
    """Return denials that are none of a service-linked role: no scan may report them by default."""
    case = CASES[0]._replace(account=PLATFORM, resource="arn:aws:s3:::look-alike")
    records = [
        call(case, name, time, real)
        for name, time in (
            ("GetBucketAcl", "18 11:00"),
            ("GetBucketAcl", "18 11:01"),
            ("PutObject", "18 11:02"),
        )
    ]
    impostor, service_role, principal = records
    impostor["userIdentity"] = as_role(
        impostor["userIdentity"], "team/aws-service-role/config.amazonaws.com/Impostor"
    )
    service_role["userIdentity"] = as_role(service_role["userIdentity"], "service-role/config-role")
    principal["userIdentity"] = {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"}
    return [record | {"errorCode": "AccessDenied", "errorMessage": "Access Denied"} for record in records]


def refusal(case: Case, record: Record, action: str) -> str:
    """Return the errorMessage of a denial in the words the service uses."""
    if case.ending is None:
        return "Access Denied"
    if case.ending == NOT_ENABLED:
        return NOT_ENABLED
    resource = f'"{case.resource}"' if case.source == "s3.amazonaws.com" else case.resource
    caller = record["userIdentity"]["arn"]
    ending = case.ending.format(action=action)
    message = f"User: {caller} is not authorized to perform: {action} on resource: {resource} {ending}"
    if case.source == "ec2.amazonaws.com":
        token = hexadecimal(64, record["eventID"]) * 4
        message = f"You are not authorized to perform this operation. {message}. Encoded authorization failure message: {token}"
    return message


def label(case: Case, denied: list[tuple[str, str, Record]]) -> Record:
    """Return what a scan must say of the case, in the keys of `scan --format json`."""
    times = sorted(record["eventTime"] for _, _, record in denied)
    actions: dict[str, Record] = {}
    prefix = case.source.partition(".")[0]
    for name, action, record in denied:
        entry = actions.setdefault(
            f"{prefix}:{name}", {"iam_action": action, "denials": 0, "last_denied": ""}
        )
        entry["denials"] += 1
        entry["last_denied"] = max(entry["last_denied"], record["eventTime"])
    return {
        "account": case.account,
        "service": case.role[0],
        "role_name": case.role[1],
        "status": case.status,
        "verdict": case.verdict,
        "severity": case.severity,
        "cause": dict(zip(("policy_type", "kind", "evidence"), case.cause, strict=True)),
        "denials": len(denied),
        "error_codes": {case.code: len(denied)},
        "actions": actions,
        "first_denied": times[0],
        "last_denied": times[-1],
    }


def story(real: dict[str, Record]) -> tuple[dict[str, list[Record]], dict[str, Record]]:
    """Return the records of all cases by place of delivery, and the labels by "role_arn | resource"."""
    places: dict[str, list[Record]] = {"trail": [], "eventbridge": [], "logs": []}
    labels: dict[str, Record] = {}
    for case in CASES:
        denied = []
        for time in case.times:
            for name, action in case.calls:
                record = call(case, name, time, real)
                record |= {
                    "errorCode": case.code,
                    "errorMessage": refusal(case, record, action),
                    "responseElements": None,
                }
                denied.append((name, action, record))
        later = [
            call(case, after.call, after.time, real)
            | ({"errorCode": after.code, "errorMessage": after.message} if after.code else {})
            for after in case.after
        ]
        role = denied[0][2]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"]
        labels[f"{role} | {case.resource}"] = label(case, denied)
        places[case.place] += [record for *_, record in denied] + later
    return places, labels
