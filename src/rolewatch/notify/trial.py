"""Notifications that only try a target out: clearly marked, about nothing that exists."""

from datetime import datetime, timedelta
from typing import Any, Final

from rolewatch.base.clock import spelled
from rolewatch.notify.headlines import TEST
from rolewatch.notify.notification import Kind, Notification

_ACCOUNT: Final = "111122223333"  # the one of AWS's examples
_ROLE: Final = "AWSServiceRoleForConfig"
_WHY: Final = "this is a test of rolewatch; nothing was refused, and there is nothing to do"


def trial(kind: Kind, name: str, now: datetime) -> Notification:
    """Make a test notification; those of one `name` belong to one incident."""
    stamp = spelled(now)
    before = spelled(now - timedelta(minutes=5))
    shared: dict[str, Any] = {
        "kind": kind,
        "time": stamp,
        "dedup_key": f"rolewatch-test-{name}",
        "reason": TEST,
    }
    if kind == "alarm":
        points = tuple(
            {"timestamp": (now - timedelta(minutes=10 - at)).strftime("%Y-%m-%dT%H:%M:00Z"), "value": float(at == 9)}
            for at in range(10)
        )  # fmt: skip
        return Notification(id=f"test-{name}-alarm", alarm=_alarm("ALARM", stamp), datapoints=points, threshold=1.0, **shared)  # fmt: skip
    return Notification(id=f"test-{name}-{kind}", findings=(_finding(kind, name, before, stamp),), **shared)


def resolved(notification: Notification, now: datetime) -> Notification:
    """Make what ends the incident that a test notification has opened."""
    stamp = spelled(now)
    shared: dict[str, Any] = {"time": stamp, "dedup_key": notification.dedup_key, "reason": TEST, "id": f"{notification.id}-end"}  # fmt: skip
    if notification.kind == "alarm":
        return Notification(kind="alarm", alarm=_alarm("OK", stamp), **shared)
    findings = tuple(_ended(finding, stamp) for finding in notification.findings)
    return Notification(kind="recovered", findings=findings, **shared)


def _finding(kind: Kind, name: str, first: str, last: str) -> dict[str, Any]:
    bucket = "arn:aws:s3:::rolewatch-test-bucket-that-is-not-there"
    found = {
        "id": f"{abs(hash_of(name)):016x}",
        "account": _ACCOUNT,
        "resource_account": _ACCOUNT,
        "role_arn": f"arn:aws:iam::{_ACCOUNT}:role/aws-service-role/config.amazonaws.com/{_ROLE}",
        "role_name": _ROLE,
        "service": "config.amazonaws.com",
        "service_name": "AWS Config",
        "security_service": True,
        "resource": bucket,
        "resource_type": "AWS::S3::Bucket",
        "resource_examples": [],
        "regions": ["us-east-1"],
        "actions": {
            "s3:GetBucketPolicy": {
                "iam_action": "s3:GetBucketPolicy", "denials": 1, "last_denied": last, "last_allowed": None,
            }
        },
        "error_codes": {"AccessDenied": 1},
        "denials": 1,
        "first_denied": first,
        "last_denied": last,
        "status": "blocked",
        "ended": None,
        "open_actions": ["s3:GetBucketPolicy"],
        "severity": "none",
        "verdict": "harmless",
        "cause": {"policy_type": None, "kind": None, "evidence": "message", "policy_arn": None},
        "consequence": f"{_WHY[0].upper()}{_WHY[1:]}.",
        "explanation": f"AWS Config cannot s3:GetBucketPolicy on {bucket}: {_WHY}.",
        "candidates": [],
        "timeline": [{"day": last[:10], "denials": 1, "allowed": 0}],
        "event_ids": ["00000000-0000-4000-8000-000000000000"],
    }  # fmt: skip
    return _ended(found, last) if kind == "recovered" else found


def _ended(finding: dict[str, Any], time: str) -> dict[str, Any]:
    """Return the finding as recovered, with an event that proves it."""
    proof = {"iam_action": "s3:GetBucketPolicy", "event_id": "00000000-0000-4000-8000-000000000001", "event_time": time}  # fmt: skip
    return finding | {"status": "recovered", "ended": time, "open_actions": [], "proof": [proof]}


def hash_of(name: str) -> int:
    """Give a number of 63 bits that is the same for the same name."""
    import hashlib  # noqa: PLC0415 - only for a test

    return int.from_bytes(hashlib.sha256(f"rolewatch test {name}".encode()).digest()[:8], "big") >> 1


def _alarm(state: str, stamp: str) -> dict[str, Any]:
    time = f"{stamp.removesuffix('Z')}.000+0000"
    return {
        "AlarmName": "rolewatch-test",
        "AlarmDescription": f"{_WHY[0].upper()}{_WHY[1:]}.",
        "AWSAccountId": _ACCOUNT,
        "AlarmConfigurationUpdatedTimestamp": time,
        "NewStateValue": state,
        "NewStateReason": "This is a test of rolewatch; no metric was looked at.",
        "StateChangeTime": time,
        "Region": "US East (N. Virginia)",
        "AlarmArn": f"arn:aws:cloudwatch:us-east-1:{_ACCOUNT}:alarm:rolewatch-test",
        "OldStateValue": "OK" if state == "ALARM" else "ALARM",
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "Trigger": {
            "MetricName": "Test",
            "Namespace": "rolewatch",
            "StatisticType": "Statistic",
            "Statistic": "SUM",
            "Unit": None,
            "Dimensions": [],
            "Period": 60,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": 1.0,
            "TreatMissingData": "notBreaching",
            "EvaluateLowSampleCountPercentile": "",
        },
    }
