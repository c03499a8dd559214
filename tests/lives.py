"""Findings as the watcher has them, and what may happen to them, for the tests of what people are told."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ACCOUNT = "111122223333"
PROOF = [{"iam_action": "s3:ListBucket", "event_id": "e-1", "event_time": "2026-03-02T10:00:00Z"}]


def finding(number=1, status="blocked", **fields):
    """Make a finding as `findings/build.py` does: Config is refused on a bucket; one that recovered has its proof."""
    role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    made = {
        "id": f"{number:016x}",
        "account": ACCOUNT,
        "role_arn": role,
        "role_name": "AWSServiceRoleForConfig",
        "service": "config.amazonaws.com",
        "security_service": True,
        "resource": f"arn:aws:s3:::logs-{number}",
        "resource_type": "AWS::S3::Bucket",
        "actions": {"s3:HeadBucket": {"iam_action": "s3:ListBucket", "denials": 1}},
        "last_denied": "2026-03-01T09:59:00Z",
        "status": status,
        "severity": "high",
        "verdict": "fix-your-policy",
        "cause": {
            "policy_type": "resource-based",
            "kind": "explicit",
            "evidence": "message",
            "policy_arn": None,
        },
    }
    if status == "recovered":
        made["proof"] = PROOF
    return made | fields


STATUSES = st.sampled_from(["blocked", "recovered", "gone", "silent"])
VERDICTS = st.sampled_from(["fix-your-policy", "aws-side", "harmless", "service-not-enabled", "unknown"])
SEVERITIES = st.sampled_from(["none", "low", "medium", "high", "critical"])
