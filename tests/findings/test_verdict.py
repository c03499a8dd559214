"""The verdict on a denial by its message, code and resource alone."""

import pytest
from refusals import ACCOUNT, message, record, refused, session

from rolewatch.findings.explanation import POLICY_WORDS, explain
from rolewatch.findings.verdict import Verdict, judge

BUCKET = "arn:aws:s3:::b"
INSTANCE = f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-0123456789abcdef0"
TAKERS = [  # kinds of resources that take a policy or grant: (event source, call, action, ARN)
    ("s3", "GetBucketAcl", "s3:GetBucketAcl", BUCKET),
    ("kms", "CreateGrant", "kms:CreateGrant", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0a1b2c3d-1111-2222-3333-444455556666"),
    ("sqs", "GetQueueAttributes", "sqs:getqueueattributes", f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"),
    ("sns", "GetTopicAttributes", "SNS:GetTopicAttributes", f"arn:aws:sns:us-east-1:{ACCOUNT}:t"),
    ("secretsmanager", "DescribeSecret", "secretsmanager:DescribeSecret", f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:s-AbCdEf"),
    ("ecr", "DescribeImages", "ecr:DescribeImages", f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/r"),
    ("lambda", "GetPolicy20150331v2", "lambda:GetPolicy", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"),
]  # fmt: skip
NO_IDENTITY = "because no identity-based policy allows the {} action"
SERVICE_ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/delivery"


def verdict(reason="", action="s3:GetBucketAcl", resource=BUCKET, **fields):
    """Judge a refusal of Config whose message gives this reason."""
    made = {
        "errorMessage": message(action, resource, reason.format(action)),
        "requestParameters": None,
    } | fields
    (denial,) = refused(record(**made))
    return judge(denial.case)


def said(it):
    """Return a verdict, its evidence and its cause."""
    return it.verdict, it.evidence, it.policy_type, it.kind


REASONS = [
    ("with an explicit deny in a resource-based policy", ("fix-your-policy", "message", "resource-based", "explicit")),
    ("because no resource-based policy allows the {} action", ("fix-your-policy", "message", "resource-based", "implicit")),
    ("with an explicit deny in a VPC endpoint policy", ("fix-your-policy", "message", "vpc-endpoint", "explicit")),
    ("because no VPC endpoint policy allows the {} action", ("fix-your-policy", "message", "vpc-endpoint", "implicit")),
    ("with an explicit deny in a service control policy", ("unknown", "guess", "service-control", "explicit")),
    ("because no service control policy allows the {} action", ("unknown", "guess", "service-control", "implicit")),
    ("with an explicit deny in a resource control policy", ("unknown", "guess", "resource-control", "explicit")),
    ("because no resource control policy allows the {} action", ("unknown", "guess", "resource-control", "implicit")),
    ("with an explicit deny in a permissions boundary", ("unknown", "guess", "permissions-boundary", "explicit")),
    ("because no permissions boundary allows the {} action", ("unknown", "guess", "permissions-boundary", "implicit")),
    ("with an explicit deny in a session policy", ("unknown", "guess", "session", "explicit")),
    ("because no session policy allows the {} action", ("unknown", "guess", "session", "implicit")),
    ("with an explicit deny in the role trust policy", ("unknown", "guess", "role-trust", "explicit")),
    ("with an explicit deny in an identity-based policy", ("unknown", "guess", "identity-based", "explicit")),
    ("with an explicit deny", ("fix-your-policy", "guess", None, "explicit")),
    ("", ("fix-your-policy", "guess", None, None)),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "expected"), REASONS)
def test_of_a_linked_role(reason, expected):
    """What a message says of a service-linked role on a bucket; guardrails that do not bind it explain nothing."""
    assert expected == said(verdict(reason))


@pytest.mark.parametrize(("source", "name", "action", "arn"), TAKERS, ids=[row[0] for row in TAKERS])
def test_no_identity_policy_on_what_takes_a_policy(source, name, action, arn):
    """Where the resource takes a policy of its own, that policy can allow what the role's own does not."""
    it = verdict(NO_IDENTITY, action, arn, eventSource=f"{source}.amazonaws.com", eventName=name)
    assert said(it) == ("fix-your-policy", "message", "identity-based", "implicit")
    assert said(verdict("", action, arn, eventSource=f"{source}.amazonaws.com", eventName=name)) == (
        "fix-your-policy",
        "guess",
        None,
        None,
    )


NO_TAKERS = [
    ("ec2", "TerminateInstances", "ec2:TerminateInstances", INSTANCE),
    ("macie2", "GetMacieSession", "macie2:GetMacieSession", "*"),
]


@pytest.mark.parametrize(("source", "name", "action", "arn"), NO_TAKERS, ids=[row[0] for row in NO_TAKERS])
def test_no_identity_policy_elsewhere(source, name, action, arn):
    """Where nothing takes a policy, only AWS can allow it; and a refusal without a reason says nothing at all."""
    fields = {"eventSource": f"{source}.amazonaws.com", "eventName": name}
    assert said(verdict(NO_IDENTITY, action, arn, **fields)) == (
        "aws-side",
        "message",
        "identity-based",
        "implicit",
    )
    assert said(verdict("", action, arn, **fields)) == ("unknown", "guess", None, None)


CODES = [
    ("AccessDenied", "Access Denied", ("fix-your-policy", "guess", None, None)),
    ("KMSAccessDeniedException", None, ("fix-your-policy", "guess", None, None)),
    ("VpceAccessDenied", "The request was denied due to a VPC endpoint policy", ("fix-your-policy", "message", "vpc-endpoint", None)),
    ("InvalidAccessException", "no", ("service-not-enabled", "message", None, None)),
    ("AccessDenied", "IAM user access not activated", ("service-not-enabled", "message", None, None)),
    ("ExpiredToken", "The provided token has expired.", ("unknown", "guess", None, None)),
    ("Client.AuthFailure", None, ("unknown", "guess", None, None)),
]  # fmt: skip


@pytest.mark.parametrize(("code", "text", "expected"), CODES)
def test_codes(code, text, expected):
    """Without a reason the code decides; authentication is no matter of policies."""
    assert expected == said(verdict(errorCode=code, errorMessage=text, requestParameters={"bucketName": "b"}))


NOISE = [
    ({"eventName": "HeadBucket", "requestParameters": {"bucketName": f"config-bucket-{ACCOUNT}"}, "errorMessage": "Access Denied"}, "harmless"),
    ({"eventSource": "macie2.amazonaws.com", "eventName": "GetMacieSession", "errorMessage": "Macie is not enabled."}, "service-not-enabled"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), NOISE)
def test_known_noise(fields, expected):
    """A row of known noise decides before anything else, by the message, and brings its consequence."""
    it = verdict(**fields)
    assert said(it) == (expected, "message", None, None)
    assert it.consequence


OTHERS = [
    session(SERVICE_ROLE, invokedBy="config.amazonaws.com"),
    {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"},
]


@pytest.mark.parametrize("identity", OTHERS, ids=["service-role", "service"])
@pytest.mark.parametrize(("reason", "expected"), REASONS)
def test_of_other_principals(identity, reason, expected):
    """Other principals are bound by every kind of policy, all of them the customer's, so the message is believed."""
    _, _, policy_type, kind = expected
    evidence = "message" if policy_type else "guess"
    it = verdict(reason, userIdentity=identity)
    assert said(it) == ("fix-your-policy", evidence, policy_type, kind)
    assert not it.contradicts


def test_a_guardrail_of_a_service_role():
    """A service role that a guardrail shuts out is the customer's to repair, whatever the resource."""
    reason = "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/service_control_policy/p-1"
    it = verdict(
        reason, "ec2:TerminateInstances", INSTANCE,
        eventSource="ec2.amazonaws.com", eventName="TerminateInstances", userIdentity=OTHERS[0],
    )  # fmt: skip
    assert said(it) == ("fix-your-policy", "message", "service-control", "explicit")
    assert it.policy_arn == "arn:aws:organizations::1:policy/o-1/service_control_policy/p-1"


GUARDRAILS = ("service-control", "resource-control", "permissions-boundary")


@pytest.mark.parametrize(("reason", "expected"), REASONS)
def test_guardrails_are_never_blamed(reason, expected):
    """A sentence about a service-linked role names a guardrail only to say that it contradicts the documentation."""
    it = verdict(reason)
    sentence = explain(it, "AWS Config", BUCKET, ["s3:GetBucketAcl"])
    contradicts = expected[2] in GUARDRAILS
    assert contradicts == it.contradicts == ("do not bind service-linked roles" in sentence)
    assert contradicts == any(POLICY_WORDS[name] in sentence for name in GUARDRAILS)


def test_every_combination_has_a_sentence():
    """Whatever a verdict holds, its sentence starts with who cannot do what where, and ends."""
    for policy_type in (None, *POLICY_WORDS):
        for kind in ("explicit", "implicit", None):
            for word in ("fix-your-policy", "aws-side", "service-not-enabled", "harmless", "unknown"):
                for linked in (True, False):
                    contradicts = linked and policy_type in GUARDRAILS
                    it = Verdict(
                        word, "guess", policy_type, kind, None, None, contradicts, linked, "authorization"
                    )
                    sentence = explain(it, "AWS Config", BUCKET, ["s3:A"])
                    assert sentence.startswith(f"AWS Config cannot s3:A on {BUCKET}: ")
                    assert sentence.endswith((".", ")."))
