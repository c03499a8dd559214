"""The story that examples/deliveries tells: every denial, what came after it, and the label a scan must give it.

Three accounts, 2 to 20 March 2026: on the 16th a new bucket policy on
`payroll-exports` denies everybody but one role, and four AWS services go blind at once; a key policy stops Auto Scaling;
the other cases show one status, verdict or message form each. The labels are written by hand, from the rules in
docs/findings.md, never taken from a scan.
"""

from __future__ import annotations

from typing import NamedTuple

PLATFORM, PAYROLL, GOVERNMENT = "111122223333", "444455556666", "777788889999"
REGION = {PLATFORM: "us-east-1", PAYROLL: "eu-west-1", GOVERNMENT: "us-gov-west-1"}

CONFIG = ("config.amazonaws.com", "AWSServiceRoleForConfig", "AWSConfig-Describe")
MACIE = ("macie.amazonaws.com", "AWSServiceRoleForAmazonMacie", "MacieSession")
GUARDDUTY = ("guardduty.amazonaws.com", "AWSServiceRoleForAmazonGuardDuty", "GuardDutySession")
ANALYZER = ("access-analyzer.amazonaws.com", "AWSServiceRoleForAccessAnalyzer", "access-analyzer")
HUB = ("securityhub.amazonaws.com", "AWSServiceRoleForSecurityHub", "securityhub")
INSPECTOR = ("inspector2.amazonaws.com", "AWSServiceRoleForAmazonInspector2", "MandoService")
SCALING = ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling", "AutoScaling")
SCALING_BATCH = ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling_batch", "AutoScaling")
BACKUP = ("backup.amazonaws.com", "AWSServiceRoleForBackup", "AWSBackup-Session")

# How the message ends, by what it blames; None is the bare "Access Denied" that names nothing.
EXPLICIT = "with an explicit deny in a resource-based policy"
NO_RESOURCE_POLICY = "because no resource-based policy allows the {action} action"
NO_IDENTITY_POLICY = "because no identity-based policy allows the {action} action"
NOT_ENABLED = "Macie is not enabled."

# (policy_type, kind, evidence) of the label
BY_EXPLICIT = ("resource-based", "explicit", "message")
BY_RESOURCE_POLICY = ("resource-based", "implicit", "message")
BY_IDENTITY_POLICY = ("identity-based", "implicit", "message")
BY_GUESS = (None, None, "guess")
BY_MESSAGE = (None, None, "message")

LOCATION = ("GetBucketLocation", "s3:GetBucketLocation")
ACL = ("GetBucketAcl", "s3:GetBucketAcl")
POLICY = ("GetBucketPolicy", "s3:GetBucketPolicy")
ENCRYPTION = ("GetBucketEncryption", "s3:GetEncryptionConfiguration")
BLOCK = ("GetBucketPublicAccessBlock", "s3:GetBucketPublicAccessBlock")


class After(NamedTuple):
    """A later call of the same role on the same resource that was not refused; `code` is its error code, if any."""

    time: str
    call: str
    code: str | None = None
    message: str | None = None


class Case(NamedTuple):
    """One finding: every call of `calls` is denied at every time of `times` ("day hour:minute" of March 2026)."""

    account: str
    role: tuple[str, str, str]  # service principal, role name, session name
    resource: str
    calls: tuple[tuple[str, str], ...]  # (eventName, IAM action as the label has it)
    times: tuple[str, ...]
    ending: str | None
    cause: tuple[str | None, str | None, str]
    verdict: str
    severity: str
    status: str = "blocked"
    source: str = "s3.amazonaws.com"
    code: str = "AccessDenied"
    region: str = ""  # the account's, unless said otherwise
    place: str = "trail"  # or "eventbridge", "logs": the delivery that holds the records
    after: tuple[After, ...] = ()


SWEEPS = ("16 09:14", "17 09:20", "18 09:17")  # Config looks at every bucket once a day
KEY = f"arn:aws:kms:us-east-1:{PLATFORM}:key/0c7a4a8e-51d0-4a70-9d3c-6a6fb0a6c6f1"
OLD_KEY = f"arn:aws:kms:us-east-1:{PLATFORM}:key/7be1f2d3-8f0e-4f6c-b7a6-2d1f6c5f9e10"
VAULT_KEY = f"arn:aws:kms:eu-west-1:{PAYROLL}:key/5d2e9a44-6c1b-4b9e-8a57-b3f8c0d4e721"
INSTANCE = f"arn:aws:ec2:us-east-1:{PLATFORM}:instance/i-0dbc91f429e48eeed"
FIX = "fix-your-policy"

CASES = (
    # the bucket policy of the 16th: four services, one of them on two more buckets
    Case(PAYROLL, CONFIG, "arn:aws:s3:::payroll-exports", (LOCATION, ACL, POLICY, ENCRYPTION), SWEEPS, EXPLICIT, BY_EXPLICIT, FIX, "high"),
    Case(PAYROLL, MACIE, "arn:aws:s3:::payroll-exports", (LOCATION, POLICY), ("16 09:21", "17 09:21"), EXPLICIT, BY_EXPLICIT, FIX, "critical"),
    Case(PAYROLL, MACIE, "arn:aws:s3:::payroll-archive", (LOCATION, POLICY), ("16 09:22", "17 09:22"), EXPLICIT, BY_EXPLICIT, FIX, "critical"),
    Case(PAYROLL, MACIE, "arn:aws:s3:::payroll-uploads", (LOCATION, POLICY), ("16 09:23", "17 09:23"), EXPLICIT, BY_EXPLICIT, FIX, "critical"),
    Case(PAYROLL, GUARDDUTY, "arn:aws:s3:::payroll-exports", (BLOCK, ACL), ("16 09:31", "18 09:31"), EXPLICIT, BY_EXPLICIT, FIX, "high"),
    Case(PAYROLL, ANALYZER, "arn:aws:s3:::payroll-exports", (POLICY, ACL), ("16 09:40", "20 08:40"), EXPLICIT, BY_EXPLICIT, FIX, "high"),
    # a key policy without Auto Scaling's role: launches of encrypted instances fail
    Case(
        PLATFORM, SCALING, KEY, (("CreateGrant", "kms:CreateGrant"),),
        ("18 07:00", "18 07:05", "18 07:10", "18 07:15", "18 07:20"), NO_RESOURCE_POLICY, BY_RESOURCE_POLICY, FIX, "high",
        source="kms.amazonaws.com", place="eventbridge",
    ),
    # a queue policy; SQS writes the action in lower case
    Case(
        PLATFORM, CONFIG, f"arn:aws:sqs:us-east-1:{PLATFORM}:orders-dead-letter", (("GetQueueAttributes", "sqs:getqueueattributes"),),
        ("14 10:05", "19 15:05"), EXPLICIT, BY_EXPLICIT, FIX, "high", source="sqs.amazonaws.com",
    ),
    # an "Access Denied" that names nothing: the cause is a guess
    Case(PLATFORM, CONFIG, "arn:aws:s3:::legacy-reports", (LOCATION,), ("05 11:30", "18 11:30"), None, BY_GUESS, FIX, "high"),
    # recovered: later calls passed authorization, one of them proven by "no such policy"
    Case(
        PLATFORM, MACIE, "arn:aws:s3:::web-assets", (LOCATION, POLICY), ("10 08:15",), EXPLICIT, BY_EXPLICIT, FIX, "high",
        status="recovered",
        after=(After("12 08:15", "GetBucketLocation"), After("12 08:15", "GetBucketPolicy", "NoSuchBucketPolicy", "The bucket policy does not exist")),
    ),
    # … but of its neighbour only one of the two actions is allowed again: still blocked
    Case(
        PLATFORM, MACIE, "arn:aws:s3:::web-uploads", (LOCATION, POLICY), ("10 12:16", "19 08:16"), EXPLICIT, BY_EXPLICIT, FIX, "high",
        after=(After("20 08:16", "GetBucketLocation"),),
    ),
    # gone: the bucket was deleted in between
    Case(
        PLATFORM, GUARDDUTY, "arn:aws:s3:::tmp-migration", (ACL,), ("10 14:02",), None, BY_GUESS, FIX, "high", status="gone",
        after=(After("12 14:02", "GetBucketAcl", "NoSuchBucket", "The specified bucket does not exist"),),
    ),
    # silent: denied on the 2nd, not tried since; no sign that access came back
    Case(
        PLATFORM, ANALYZER, OLD_KEY, (("GetKeyPolicy", "kms:GetKeyPolicy"), ("ListGrants", "kms:ListGrants")), ("02 13:45",),
        NO_RESOURCE_POLICY, BY_RESOURCE_POLICY, FIX, "high", status="silent", source="kms.amazonaws.com",
    ),
    # Config asks Macie, which is off in this account
    Case(
        PLATFORM, CONFIG, "service:macie2.amazonaws.com", (("GetMacieSession", "macie2:GetMacieSession"),), ("14 06:00", "20 06:00"),
        NOT_ENABLED, BY_MESSAGE, "service-not-enabled", "none", source="macie2.amazonaws.com",
    ),
    # the AWS-managed policy of the role lacks the action, and an instance takes no policy: nobody but AWS can change it
    Case(
        PLATFORM, INSPECTOR, INSTANCE, (("DescribeInstanceAttribute", "ec2:DescribeInstanceAttribute"),), ("12 12:10", "14 12:10", "18 12:10"),
        NO_IDENTITY_POLICY, BY_IDENTITY_POLICY, "aws-side", "low", source="ec2.amazonaws.com", code="Client.UnauthorizedOperation",
    ),
    # a topic of another account: the same call is recorded in both accounts and counts once
    Case(
        PLATFORM, HUB, f"arn:aws:sns:eu-west-1:{PAYROLL}:security-alerts", (("ListSubscriptionsByTopic", "SNS:ListSubscriptionsByTopic"),),
        ("18 16:20",), NO_RESOURCE_POLICY, BY_RESOURCE_POLICY, FIX, "high",
        source="sns.amazonaws.com", code="AuthorizationError", region="eu-west-1", place="logs",
    ),
    # a service that is no security service
    Case(
        PAYROLL, BACKUP, VAULT_KEY, (("DescribeKey", "kms:DescribeKey"),), ("17 03:00", "20 03:00"),
        NO_RESOURCE_POLICY, BY_RESOURCE_POLICY, FIX, "medium", source="kms.amazonaws.com",
    ),
    # another partition, and a role with a custom suffix
    Case(GOVERNMENT, CONFIG, "arn:aws-us-gov:s3:::case-files", (LOCATION, ACL), ("19 18:00", "20 18:00"), EXPLICIT, BY_EXPLICIT, FIX, "high"),
    Case(GOVERNMENT, SCALING_BATCH, "arn:aws-us-gov:s3:::launch-templates", (LOCATION,), ("20 02:30",), None, BY_GUESS, FIX, "medium"),
)  # fmt: skip
