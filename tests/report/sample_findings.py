"""The findings of a report as scan makes it: several services, accounts, statuses and verdicts, and one that attacks."""

import hashlib

ONE, TWO, THREE, GOV = "111122223333", "222233334444", "333344445555", "444455556666"

#: What an attacker can put into any field: escape sequences, markup, a formula, bidi, a lone surrogate, HTML.
HOSTILE = "=cmd|' /C calc'!A0\x1b[2J\x1b]0;owned\x07[red]x[/red]<script>alert(1)</script>\u202egpj.\u2066\u200b\n\t\x9b\ud800"


def _finding(role, service, resource, **facts):
    """Return one finding; facts override, and what follows from the key is filled in."""
    account, role_name, path = role
    partition = facts.pop("partition", "aws")
    principal = facts.pop("principal", service[0])
    role_arn = role_name and f"arn:{partition}:iam::{account}:role/{path}/{principal}/{role_name}"
    key = f"{account}\n{role_arn or principal}\n{resource}"
    found = {
        "id": hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16],
        "account": account,
        "resource_account": account,
        "role_arn": role_arn,
        "role_name": role_name,
        "service": principal,
        "service_name": service[1],
        "security_service": service[2],
        "resource": resource,
        "resource_type": "AWS::S3::Bucket",
        "resource_examples": [],
        "regions": ["us-east-1"],
        "candidates": [],
        "consequence": None,
        "ended": None,
        "status": "blocked",
        "event_ids": [],
        **facts,
    }
    found["denials"] = sum(action["denials"] for action in found["actions"].values())
    found["last_denied"] = max(action["last_denied"] for action in found["actions"].values())
    closed = found["status"] == "recovered"
    found["open_actions"] = (
        [] if closed else sorted(a["iam_action"] for a in found["actions"].values() if not a["last_allowed"])
    )
    actions = ", ".join(found["open_actions"] or sorted(a["iam_action"] for a in found["actions"].values()))
    found["explanation"] = f"{service[1]} cannot {actions} on {resource}: {found.pop('why')}"
    found["timeline"] = [
        {
            "day": found["first_denied"][:10],
            "denials": found["denials"] - found["denials"] // 2,
            "allowed": 0,
        },
        {"day": found["last_denied"][:10], "denials": found["denials"] // 2, "allowed": 2 if closed else 0},
    ]
    if found["timeline"][0]["day"] == found["timeline"][1]["day"]:
        found["timeline"] = [
            {"day": found["first_denied"][:10], "denials": found["denials"], "allowed": 2 if closed else 0}
        ]
    digest = hashlib.sha256(found["id"].encode()).hexdigest()
    found["event_ids"] = [
        f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{number:012x}"
        for number in range(min(found["denials"], 3))
    ]
    return found


def _action(iam_action, denials, last_denied, last_allowed=None):
    """Return the facts kept of one denied action."""
    return {
        "iam_action": iam_action,
        "denials": denials,
        "last_denied": last_denied,
        "last_allowed": last_allowed,
    }


CONFIG = ("config.amazonaws.com", "AWS Config", True)
MACIE = ("macie.amazonaws.com", "Amazon Macie", True)
ANALYZER = ("access-analyzer.amazonaws.com", "IAM Access Analyzer", True)
INSPECTOR = ("inspector2.amazonaws.com", "Amazon Inspector", True)
SCALING = ("autoscaling.amazonaws.com", "Amazon EC2 Auto Scaling", False)
REPLICATION = ("replication.dynamodb.amazonaws.com", "Amazon DynamoDB", False)
LOGS = ("delivery.logs.amazonaws.com", "Amazon CloudWatch Logs", False)
SLR = "aws-service-role"

BY_POLICY = {"policy_type": "resource-based", "kind": "explicit", "evidence": "message", "policy_arn": None}
GUESS = {"policy_type": None, "kind": None, "evidence": "guess", "policy_arn": None}
BY_TABLE = {"policy_type": None, "kind": None, "evidence": "message", "policy_arn": None}


def _config_finding(account, bucket, actions, first_denied):
    """Return a bucket policy's explicit deny of AWS Config."""
    return _finding(
        (account, "AWSServiceRoleForConfig", SLR),
        CONFIG,
        f"arn:aws:s3:::{bucket}",
        actions=actions,
        error_codes={"AccessDenied": sum(action["denials"] for action in actions.values())},
        first_denied=first_denied,
        severity="critical",
        verdict="fix-your-policy",
        cause=BY_POLICY,
        why="the resource's own policy explicitly denies it.",
    )


def findings():
    """Return the findings in no particular order."""
    return [
        _finding(
            (ONE, "AWSServiceRoleForAutoScaling", SLR),
            SCALING,
            f"arn:aws:kms:eu-west-1:{TWO}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            resource_account=TWO,
            resource_type="AWS::KMS::Key",
            regions=["eu-west-1"],
            actions={
                "kms:CreateGrant": _action("kms:CreateGrant", 12, "2026-03-02T23:10:04Z"),
                "kms:GenerateDataKeyWithoutPlaintext": _action(
                    "kms:GenerateDataKeyWithoutPlaintext", 300, "2026-03-03T06:59:58Z"
                ),
            },
            error_codes={"AccessDenied": 312},
            first_denied="2026-02-27T14:00:00Z",
            severity="high",
            verdict="fix-your-policy",
            cause={
                "policy_type": "resource-based",
                "kind": "implicit",
                "evidence": "message",
                "policy_arn": None,
            },
            why="the resource's own policy does not allow it.",
        ),
        _config_finding(
            ONE,
            "payroll-archive",
            {
                "s3:GetBucketLocation": _action("s3:GetBucketLocation", 40, "2026-03-03T07:11:46Z"),
                "s3:GetBucketEncryption": _action(
                    "s3:GetEncryptionConfiguration", 38, "2026-03-03T07:11:40Z"
                ),
                "s3:HeadBucket": _action("s3:ListBucket", 2, "2026-03-01T10:05:00Z", "2026-03-02T08:00:00Z"),
            },
            "2026-03-01T10:04:59Z",
        ),
        _config_finding(
            ONE,
            "payroll-current",
            {"s3:GetBucketLocation": _action("s3:GetBucketLocation", 41, "2026-03-03T07:11:47Z")},
            "2026-03-01T10:05:02Z",
        ),
        _config_finding(
            TWO,
            "cloudtrail-logs-222233334444-with-a-name-as-long-as-s3-allows-000",
            {"s3:GetBucketPolicy": _action("s3:GetBucketPolicy", 39, "2026-03-03T07:12:01Z")},
            "2026-03-01T10:05:30Z",
        ),
        _finding(
            (ONE, "AWSServiceRoleForConfig", SLR),
            CONFIG,
            "arn:aws:s3:::config-bucket-111122223333",
            regions=["us-east-1", "us-west-2"],
            actions={"s3:HeadBucket": _action("s3:ListBucket", 120, "2026-03-03T07:00:00Z")},
            error_codes={"AccessDenied": 120},
            first_denied="2026-02-20T00:00:00Z",
            severity="none",
            verdict="harmless",
            cause=BY_TABLE,
            why="AWS Config checks its own delivery bucket this way and delivers nevertheless.",
            consequence="AWS Config checks its own delivery bucket this way and delivers nevertheless.",
        ),
        _finding(
            (ONE, "AWSServiceRoleForConfig", SLR),
            CONFIG,
            "service:macie2.us-east-1.amazonaws.com",
            resource_type="AWS::Service",
            resource_account=None,
            actions={"macie2:GetMacieSession": _action("macie2:GetMacieSession", 96, "2026-03-03T06:00:00Z")},
            error_codes={"AccessDeniedException": 96},
            first_denied="2026-02-20T03:00:00Z",
            severity="none",
            verdict="service-not-enabled",
            cause=BY_TABLE,
            why="a service or feature it asks for is not enabled, which is no fault of a policy.",
        ),
        _finding(
            (TWO, "AWSServiceRoleForAmazonMacie", SLR),
            MACIE,
            "arn:aws:s3:::hr-exports",
            resource_account=THREE,
            resource_examples=[
                "arn:aws:s3:::hr-exports/2026/02/a.csv",
                "arn:aws:s3:::hr-exports/2026/02/b.csv",
            ],
            actions={"s3:GetObject": _action("s3:GetObject", 88, "2026-03-03T05:30:00Z")},
            error_codes={"AccessDenied": 88},
            first_denied="2026-02-25T09:00:00Z",
            severity="high",
            verdict="fix-your-policy",
            cause=GUESS,
            candidates=[
                {
                    "cause": "bucket policy of another account without an Allow",
                    "evidence": "guess",
                    "why": "across accounts the bucket policy must allow the role; nothing else can",
                },
                {
                    "cause": "KMS key policy",
                    "evidence": "guess",
                    "why": "reading an object encrypted with a customer managed key needs kms:Decrypt on the key as well",
                },
            ],
            why="the message gives no reason; most likely the resource's own policy denies it (a guess).",
        ),
        _finding(
            (TWO, "AWSServiceRoleForAccessAnalyzer", SLR),
            ANALYZER,
            f"arn:aws:rds:eu-central-1:{TWO}:cluster-snapshot:nightly",
            resource_type="AWS::RDS::DBClusterSnapshot",
            regions=["eu-central-1"],
            actions={
                "rds:DescribeDBClusterSnapshotAttributes": _action(
                    "rds:DescribeDBClusterSnapshotAttributes", 7, "2026-03-02T12:00:00Z"
                )
            },
            error_codes={"AccessDenied": 7},
            first_denied="2026-03-01T12:00:00Z",
            severity="low",
            verdict="aws-side",
            cause={
                "policy_type": "identity-based",
                "kind": "implicit",
                "evidence": "message",
                "policy_arn": None,
            },
            why="the policy AWS manages for this role lacks the action, and this kind of resource takes no policy that could allow it; only AWS can change that.",
        ),
        _finding(
            (TWO, "AWSServiceRoleForAmazonInspector2", SLR),
            INSPECTOR,
            f"arn:aws:ecr:eu-central-1:{TWO}:repository/shop/web",
            resource_type="AWS::ECR::Repository",
            regions=["eu-central-1"],
            actions={
                "ecr:BatchGetImage": _action(
                    "ecr:BatchGetImage", 5, "2026-02-28T10:00:00Z", "2026-03-01T08:30:00Z"
                )
            },
            error_codes={"AccessDeniedException": 5},
            first_denied="2026-02-28T09:00:00Z",
            status="recovered",
            ended="2026-03-01T08:30:00Z",
            severity="high",
            verdict="fix-your-policy",
            cause=BY_POLICY,
            why="the resource's own policy explicitly denies it.",
        ),
        _finding(
            (GOV, "AWSServiceRoleForConfig", SLR),
            CONFIG,
            "arn:aws-us-gov:s3:::old-exports",
            partition="aws-us-gov",
            regions=["us-gov-west-1"],
            actions={"s3:GetBucketAcl": _action("s3:GetBucketAcl", 4, "2026-02-26T10:00:00Z")},
            error_codes={"AccessDenied": 4},
            first_denied="2026-02-25T10:00:00Z",
            status="gone",
            ended="2026-02-27T16:20:00Z",
            severity="high",
            verdict="fix-your-policy",
            cause=GUESS,
            why="the message gives no reason; most likely the resource's own policy denies it (a guess).",
        ),
        _finding(
            (THREE, "AWSServiceRoleForDynamoDBReplication", SLR),
            REPLICATION,
            f"arn:aws:dynamodb:ap-southeast-2:{THREE}:table/orders",
            resource_type="AWS::DynamoDB::Table",
            regions=["ap-southeast-2"],
            actions={"dynamodb:DescribeTable": _action("dynamodb:DescribeTable", 3, "2026-02-20T10:00:00Z")},
            error_codes={"AccessDeniedException": 3},
            first_denied="2026-02-20T09:00:00Z",
            status="silent",
            severity="low",
            verdict="unknown",
            cause=GUESS,
            why="the message gives no reason.",
        ),
        _finding(
            (THREE, None, None),
            LOGS,
            "arn:aws:s3:::flow-logs",
            actions={"s3:PutObject": _action("s3:PutObject", 36, "2026-03-02T22:00:00Z")},
            error_codes={"AccessDenied": 36},
            first_denied="2026-03-02T20:00:00Z",
            severity="medium",
            verdict="fix-your-policy",
            cause=GUESS,
            why="the message gives no reason; most likely the resource's own policy denies it (a guess).",
        ),
        _finding(
            ("REMOVED", f"AWSServiceRole[bold]{HOSTILE}", SLR),
            ("x.amazonaws.com", f"x{HOSTILE}", False),
            f"arn:aws:s3:::{HOSTILE}",
            resource_account=None,
            resource_type="AWS::Service",
            resource_examples=[HOSTILE],
            regions=[f"us-east-1{HOSTILE}"],
            actions={f"s3:{HOSTILE}": _action(HOSTILE, 1, "2026-03-02T22:00:00Z")},
            error_codes={HOSTILE: 1},
            first_denied="2026-03-02T22:00:00Z",
            severity="low",
            verdict="unknown",
            cause=GUESS,
            candidates=[{"cause": HOSTILE, "evidence": "guess", "why": HOSTILE}],
            why=HOSTILE,
            consequence=HOSTILE,
        ),
    ]
