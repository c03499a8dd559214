"""Notifications for tests: about findings as a scan makes them, and alarms as CloudWatch tells them."""

from rolewatch.notify.notification import Notification

ACCOUNT = "111122223333"
#: What an attacker can put into any field: escape sequences, markup, mentions, links, headers, bidi, a lone surrogate.
HOSTILE = (
    "x\x1b[2J\r\nBcc: victim@example.com\r\n\r\n<script>alert(1)</script><img src=https://evil.example/x>"
    "<!here><!channel>@channel @everyone [click](https://evil.example) `rm` \u202egpj.\u2066\u200b\t\x9b\x00\ud800"
)


def finding(number=0, **facts):
    """Return a finding: AWS Config is refused a bucket by its policy; facts override."""
    bucket = f"arn:aws:s3:::payroll-{number}"
    return {
        "id": f"{number:016x}",
        "account": ACCOUNT,
        "resource_account": ACCOUNT,
        "role_arn": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
        "role_name": "AWSServiceRoleForConfig",
        "service": "config.amazonaws.com",
        "service_name": "AWS Config",
        "security_service": True,
        "resource": bucket,
        "resource_type": "AWS::S3::Bucket",
        "resource_examples": [],
        "regions": ["us-east-1"],
        "actions": {
            "s3:GetBucketPolicy": {
                "iam_action": "s3:GetBucketPolicy",
                "denials": 3,
                "last_denied": "2026-03-02T10:00:00Z",
                "last_allowed": None,
            }
        },
        "error_codes": {"AccessDenied": 3},
        "denials": 3,
        "first_denied": f"2026-03-01T10:00:{number % 60:02}Z",
        "last_denied": "2026-03-02T10:00:00Z",
        "status": "blocked",
        "ended": None,
        "open_actions": ["s3:GetBucketPolicy"],
        "severity": "high",
        "verdict": "fix-your-policy",
        "cause": {
            "policy_type": "resource-based",
            "kind": "explicit",
            "evidence": "message",
            "policy_arn": None,
        },
        "consequence": None,
        "explanation": f"AWS Config cannot s3:GetBucketPolicy on {bucket}: the resource's own policy explicitly denies it.",
        "candidates": [],
        "timeline": [{"day": "2026-03-01", "denials": 3, "allowed": 0}],
        "event_ids": [f"event-{number}-a", f"event-{number}-b"],
        **facts,
    }


def recovered(number=0, **facts):
    """Return a finding that recovered, with the event that proves it."""
    proof = [
        {
            "iam_action": "s3:GetBucketPolicy",
            "event_id": f"proof-{number}",
            "event_time": "2026-03-03T07:00:00Z",
        }
    ]
    over = {
        "status": "recovered",
        "ended": "2026-03-03T07:00:00Z",
        "open_actions": [],
        "proof": proof,
    }
    return finding(number, **(over | facts))


def about(*findings, kind="blocked", **facts):
    """Return a notification about findings."""
    return Notification(
        **{
            "id": "n-1",
            "kind": kind,
            "dedup_key": "incident-1",
            "time": "2026-03-03T08:00:00Z",
            "findings": tuple(findings),
            **facts,
        }
    )


def alarm(state="ALARM", *, points=10, **facts):
    """Return a notification about an alarm, with datapoints and a threshold."""
    said = {
        "AlarmName": "denied",
        "AlarmDescription": "A service was refused.",
        "AWSAccountId": ACCOUNT,
        "NewStateValue": state,
        "NewStateReason": "Threshold Crossed: 1 datapoint [2.0 (03/03/26 07:59:00)] was greater than the threshold (0.0).",
        "StateChangeTime": "2026-03-03T08:00:00.000+0000",
        "Region": "US East (N. Virginia)",
        "AlarmArn": f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:denied",
        "OldStateValue": "OK",
        "Trigger": {
            "MetricName": "Denied",
            "Namespace": "Local",
            "Statistic": "SUM",
            "Period": 60,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 0.0,
        },
        **facts.pop("said", {}),
    }
    datapoints = tuple(
        {"timestamp": f"2026-03-03T07:{50 + at}:00Z", "value": float(at % 3)} for at in range(points)
    )
    return about(kind="alarm", alarm=said, datapoints=datapoints, threshold=0.0, **facts)


def hostile(text=HOSTILE, **facts):
    """Return a finding every text of which an attacker has written."""
    return finding(
        **{
            "id": text,
            "account": text,
            "resource_account": text,
            "role_arn": text,
            "role_name": text,
            "service": text,
            "service_name": text,
            "resource": text,
            "resource_type": text,
            "resource_examples": [text],
            "regions": [text],
            "actions": {
                text: {
                    "iam_action": text,
                    "denials": 1,
                    "last_denied": "2026-03-02T10:00:00Z",
                    "last_allowed": None,
                }
            },
            "error_codes": {text: 1},
            "first_denied": text,
            "last_denied": text,
            "open_actions": [text],
            "verdict": text,
            "consequence": text,
            "explanation": text,
            "candidates": [{"cause": text, "evidence": text, "why": text}],
            "event_ids": [text],
            "fix": {"target": text, "diff": text, "commands": [text], "proof": {text: text}},
            **facts,
        }
    )


FIX = {
    "target": "the bucket policy of payroll-0",
    "diff": '--- before\n+++ after\n+  "ArnNotLike": {"aws:PrincipalArn": "…"}',
    "json_patch": [{"op": "add", "path": "/Statement/0/Condition", "value": {}}],
    "policy_after": {},
    "commands": ["aws s3api put-bucket-policy --bucket payroll-0 --policy file://after.json"],
    "proof": {"before": "explicitDeny", "after": "allowed"},
}
