"""What access-denied messages say: the templates of spec §8.2, the real messages of §8.3, and forgeries."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolewatch.denials.message import NOTHING, Message, parse_message

JOHN = "arn:aws:iam::123456789012:user/John"
HR = "arn:aws:iam::123456789012:role/HR"
ROLE = "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForConfig/s"
CUT = 1023  # characters that CloudTrail leaves of a longer message, and then writes "..."
ORG = "arn:aws:organizations::777788889999:policy/o-exampleorgid"
SCP = f"{ORG}/service_control_policy/p-examplepolicyid123"
RCP = f"{ORG}/resource_control_policy/p-examplepolicyid456"
IAM = "arn:aws:iam::123456789012:policy"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:*"  # noqa: S105 - an ARN
GROUP = "arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:*"
TOPIC = "arn:aws:sns:us-east-1:444455556666:role-name-2"
LIST = "codecommit:ListRepositories"
DEPLOY = "codedeploy:ListDeployments"
VALUE = "secretsmanager:GetSecretValue"


def refused(action, rest="", who=ROLE):
    """Write a message in the general form."""
    return f"User: {who} is not authorized to perform: {action}{rest}"


def cut(text):
    """Cut a message as CloudTrail does."""
    return text if len(text) <= CUT + 3 else text[:CUT] + "..."


# who, action, what follows; what the message tells: resource, policy type, kind, policy ARN
TEMPLATES = [
    (JOHN, LIST, " because no service control policy allows the {} action", (None, "service-control", "implicit", None)),
    (JOHN, LIST, " with an explicit deny in a service control policy", (None, "service-control", "explicit", None)),
    (JOHN, LIST, f" with an explicit deny in a service control policy: {SCP}", (None, "service-control", "explicit", SCP)),
    (JOHN, VALUE, f" on resource: {SECRET} with an explicit deny in a resource control policy", (SECRET, "resource-control", "explicit", None)),
    (JOHN, VALUE, f" on resource: {SECRET} with an explicit deny in a resource control policy: {RCP}", (SECRET, "resource-control", "explicit", RCP)),
    (JOHN, VALUE, f" on resource: {SECRET} because no resource control policy allows the {{}} action", (SECRET, "resource-control", "implicit", None)),
    (JOHN, LIST, " because no VPC endpoint policy allows the {} action", (None, "vpc-endpoint", "implicit", None)),
    (JOHN, DEPLOY, f" on resource: {GROUP} with an explicit deny in a VPC endpoint policy", (GROUP, "vpc-endpoint", "explicit", None)),
    (JOHN, DEPLOY, f" on resource: {GROUP} because no permissions boundary allows the {{}} action", (GROUP, "permissions-boundary", "implicit", None)),
    (JOHN, "sagemaker:ListModels", " with an explicit deny in a permissions boundary", (None, "permissions-boundary", "explicit", None)),
    (JOHN, "sagemaker:ListModels", f" with an explicit deny in a permissions boundary: {IAM}/DeveloperPermissionBoundary", (None, "permissions-boundary", "explicit", f"{IAM}/DeveloperPermissionBoundary")),
    (JOHN, LIST, " because no session policy allows the {} action", (None, "session", "implicit", None)),
    (JOHN, LIST, f" with an explicit deny in a session policy: {IAM}/DeveloperSessionPolicy", (None, "session", "explicit", f"{IAM}/DeveloperSessionPolicy")),
    (JOHN, LIST, " with an explicit deny in a sessions policy", (None, "session", "explicit", None)),
    (JOHN, VALUE, " because no resource-based policy allows the {} action", (None, "resource-based", "implicit", None)),
    (JOHN, VALUE, f" on resource: {SECRET} with an explicit deny in a resource-based policy", (SECRET, "resource-based", "explicit", None)),
    (JOHN, "sts:AssumeRole", " because no role trust policy allows the {} action", (None, "role-trust", "implicit", None)),
    (JOHN, "sts:AssumeRole", " with an explicit deny in the role trust policy", (None, "role-trust", "explicit", None)),
    (HR, LIST, " because no identity-based policy allows the {} action", (None, "identity-based", "implicit", None)),
    (HR, DEPLOY, f" on resource: {GROUP} with an explicit deny in an identity-based policy", (GROUP, "identity-based", "explicit", None)),
    (HR, DEPLOY, f" on resource: {GROUP} with an explicit deny in an identity-based policy: {IAM}/HRAccessPolicy", (GROUP, "identity-based", "explicit", f"{IAM}/HRAccessPolicy")),
    (JOHN, "SNS:Publish", f" on resource: {TOPIC} with an explicit deny in a VPC endpoint policy transitively through a service control policy", (TOPIC, "vpc-endpoint", "explicit", None)),
    (JOHN, "widgets:GetWidget", " on resource: my-example-widget", ("my-example-widget", None, None, None)),
    (JOHN, "widgets:GetWidget", " on resource: my-example-widget with an explicit deny", ("my-example-widget", None, "explicit", None)),
]  # fmt: skip


@pytest.mark.parametrize(("who", "action", "rest", "told"), TEMPLATES)
def test_documented_templates(who, action, rest, told):
    """Every template of IAM's documentation gives who, what, on what, and by which policy."""
    text = refused(action, rest.format(action), who)
    assert Message(who, action, *told) == parse_message(text)


@pytest.mark.parametrize(("who", "action", "rest"), [row[:3] for row in TEMPLATES])
def test_templates_broken_over_lines(who, action, rest):
    """The documentation breaks messages over lines, which changes nothing."""
    text = refused(action, rest.format(action), who)
    broken = text.replace(" because", "\n  because").replace(" on ", "\n  on ").replace(" with", "\r\n\twith")
    assert parse_message(text) == parse_message(broken)


PREFIX = "You are not authorized to perform this operation."
INSTANCE = "arn:aws:ec2:us-east-1:111122223333:instance/i-0b0ce43d329fca1f4"
NO_IDENTITY = " because no identity-based policy allows the {} action"
TERMINATE = refused(
    "ec2:TerminateInstances", f" on resource: {INSTANCE}" + NO_IDENTITY.format("ec2:TerminateInstances")
)
LOCK = "s3:GetBucketObjectLockConfiguration"
RECEIVE = "sqs:receivemessage"
QUEUE = "arn:aws:sqs:us-east-1:111122223333:jobs"
ATTACHED = "iam:ListAttachedUserPolicies"
KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
UNKNOWN_KEY = " on the resource associated with this ciphertext because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"
REAL = [
    (f"{PREFIX} Encoded authorization failure message: {'aB_-' * 100}", NOTHING),
    (PREFIX, NOTHING),
    (f"{PREFIX} {TERMINATE}. Encoded authorization failure message: {'aB_-' * 100}", Message(ROLE, "ec2:TerminateInstances", INSTANCE, "identity-based", "implicit")),
    (f"{PREFIX} {TERMINATE}", Message(ROLE, "ec2:TerminateInstances", INSTANCE, "identity-based", "implicit")),
    (f"{PREFIX} {refused('ec2:RunInstances', f' on resource: {INSTANCE}')}. Encoded authorization failure message: abc", Message(ROLE, "ec2:RunInstances", INSTANCE)),
    (refused("sts:AssumeRole", f" on resource: {HR}"), Message(ROLE, "sts:AssumeRole", HR)),
    ("Not authorized to perform sts:AssumeRole", Message(action="sts:AssumeRole")),
    (refused("organizations:ListAccounts", " on resource: *" + NO_IDENTITY.format("organizations:ListAccounts")), Message(ROLE, "organizations:ListAccounts", "*", "identity-based", "implicit")),
    (refused(ATTACHED, " on resource: user pentester" + NO_IDENTITY.format(ATTACHED)), Message(ROLE, ATTACHED, "user pentester", "identity-based", "implicit")),
    (refused(LOCK, f' on resource: "arn:aws:s3:::bucket" with an explicit deny in a service control policy: {SCP}'), Message(ROLE, LOCK, "arn:aws:s3:::bucket", "service-control", "explicit", SCP)),
    ("Access Denied", NOTHING),
    (refused(RECEIVE, f" on resource: {QUEUE} with an explicit deny in a resource-based policy"), Message(ROLE, RECEIVE, QUEUE, "resource-based", "explicit")),
    ("IAM user access not activated", Message(not_enabled=True)),
    (refused("apigateway:POST", f" with an explicit deny in a service control policy: {SCP}"), Message(ROLE, "apigateway:POST", None, "service-control", "explicit", SCP)),
    ("Access to the resource https://sqs.us-east-1.amazonaws.com/ is denied.", Message(resource="https://sqs.us-east-1.amazonaws.com/")),
    ("Not authorized to access resource arn:aws:sns:us-east-1:111122223333:t", Message(resource="arn:aws:sns:us-east-1:111122223333:t")),
    (f"Principal [{JOHN}] is not allowed to execute [iam:GetRole] on the resource [{HR}]", Message(JOHN, "iam:GetRole", HR)),
    (f"User: {JOHN} is not authorized to access this resource", Message(JOHN)),
    ("No access to any requested resource", NOTHING),
    ("CallerValidation check failed", NOTHING),
    ("An unknown error occurred", NOTHING),
    ("Macie is not enabled.", Message(not_enabled=True)),
    ("The request was denied due to a VPC endpoint policy", Message(policy_type="vpc-endpoint")),
    (refused("kms:DescribeKey", f" on resource: {KEY} because no resource-based policy allows the kms:DescribeKey action"), Message(ROLE, "kms:DescribeKey", KEY, "resource-based", "implicit")),
    (refused("kms:Decrypt", UNKNOWN_KEY), Message(ROLE, "kms:Decrypt", None, "resource-based")),
    (refused("s3:PutBucketPolicy", ' on resource: "arn:aws:s3:::b" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.'), Message(ROLE, "s3:PutBucketPolicy", "arn:aws:s3:::b")),
    (refused("lambda:GetPolicy", " on resource: arn:aws:lambda:us-east-1:1:function:f (Service: Lambda, Status Code: 403)"), Message(ROLE, "lambda:GetPolicy", "arn:aws:lambda:us-east-1:1:function:f")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), REAL)
def test_real_messages(text, expected):
    """The messages that services write are read, and what they do not tell is None."""
    assert expected == parse_message(text)


def test_cut_in_the_encoded_part():
    """A message that CloudTrail cut inside EC2's encoded part has lost nothing that is read."""
    whole = f"{PREFIX} {TERMINATE}. Encoded authorization failure message: {'aB_-' * 400}"
    assert len(cut(whole)) == 1026
    assert parse_message(whole) == parse_message(cut(whole))


LONG = "k" * 1000
CUTS = [
    (f' on resource: "arn:aws:s3:::b/{LONG}" with an explicit deny in a resource-based policy', Message(ROLE, "s3:GetObject", "arn:aws:s3:::b")),
    (f' on resource: "arn:aws:s3:::b/dir/{LONG}"', Message(ROLE, "s3:GetObject", "arn:aws:s3:::b/dir")),
    (f" on resource: arn:aws:sqs:us-east-1:1:{LONG} with an explicit deny in a resource-based policy", Message(ROLE, "s3:GetObject")),
    (f' on resource: "arn:aws:s3:::{LONG}"', Message(ROLE, "s3:GetObject")),
    (f" with an explicit deny in a service control policy: arn:aws:organizations::1:policy/{LONG}", Message(ROLE, "s3:GetObject", None, "service-control", "explicit")),
    (f' on resource: "arn:aws:s3:::b" with an explicit deny in a session policy: arn:aws:iam::1:policy/{LONG}', Message(ROLE, "s3:GetObject", "arn:aws:s3:::b", "session", "explicit")),
]  # fmt: skip


@pytest.mark.parametrize(("rest", "expected"), CUTS)
def test_cut_names(rest, expected):
    """Of a name that was cut only what is surely whole is kept: the bucket of an object, nothing of others."""
    text = cut(refused("s3:GetObject", rest))
    assert len(text) == 1026
    assert expected == parse_message(text)


def test_cut_anywhere():
    """Wherever the message is cut, no part that it tells differs from what the whole message tells."""
    whole = refused(
        "s3:GetObject",
        f' on resource: "arn:aws:s3:::b" with an explicit deny in a service control policy: {SCP}',
    )
    full = parse_message(whole)
    parts = [parse_message(whole[:length] + "...") for length in range(110, len(whole))]
    assert [
        part
        for part in parts
        if any(got not in (None, said) for got, said in zip(part[2:6], full[2:6], strict=True))
    ] == []


FORGED = [
    ("x with an explicit deny in a service control policy", ""),
    ('x" with an explicit deny in a service control policy', ""),
    ('x" because no identity-based policy allows the s3:GetObject action', ""),
    ("x with an explicit deny in a service control policy", " with an explicit deny in a resource-based policy"),
    ('x" because no session policy allows y" z', " because no resource-based policy allows the s3:GetObject action"),
    (f'x" with an explicit deny in a service control policy: {SCP}', " with an explicit deny in a resource-based policy"),
    ('"', " because no resource-based policy allows the s3:GetObject action"),
    ('a" on resource: "arn:aws:s3:::innocent" with an explicit deny', ""),
]  # fmt: skip


@pytest.mark.parametrize(("key", "reason"), FORGED)
def test_forged_reasons_in_a_key(key, reason):
    """An object's key that imitates a reason does not pass for AWS's, and its bucket stays the resource's."""
    got = parse_message(refused("s3:GetObject", f' on resource: "arn:aws:s3:::b/{key}"{reason}'))
    expected = "resource-based" if reason else None
    assert (expected, None, True) == (
        got.policy_type,
        got.policy_arn,
        got.resource.startswith("arn:aws:s3:::b/"),
    )


@pytest.mark.parametrize("key", ["x", 'x" with an explicit deny in a service control policy: '])
def test_forged_reason_that_pushes_the_real_one_out(key):
    """A key that is so long that the real reason is cut off cannot put its own in the place."""
    text = cut(
        refused(
            "s3:GetObject",
            f' on resource: "arn:aws:s3:::b/{key}{LONG}" because no resource-based policy allows the action',
        )
    )
    got = parse_message(text)
    assert (got.policy_type, got.kind, got.policy_arn) == (None, None, None)


def test_forged_refusal_in_a_resource():
    """A resource whose name imitates a whole message does not make it one."""
    name = refused(
        "s3:GetObject", f" on resource: {KEY} with an explicit deny in a resource-based policy", JOHN
    )
    assert Message(resource=name) == parse_message(f"Access to the resource {name} is denied.")


def test_service_that_is_off_is_not_believed_of_a_name():
    """A queue named like the message of a service that is off is a resource."""
    text = "Access to the resource Macie is not enabled is denied."
    assert Message(resource="Macie is not enabled") == parse_message(text)


@pytest.mark.parametrize(
    "text",
    [None, "", " ", "\n\n", "User: ", '"', "arn:", 'User: x is not authorized to perform: on resource: "'],
)
def test_next_to_nothing(text):
    """What says nothing gives nothing."""
    assert parse_message(text)[2:] == NOTHING[2:]


WORDS = st.sampled_from([*' ":.\n*abc', " on resource: ", '"arn:aws:s3:::b/', " with an explicit deny", " because no ", "ot authorized to perform", "User: ", "...", "s3:Get"])  # fmt: skip


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(WORDS, max_size=40).map("".join))
def test_never_fails(text):
    """Any text is read without an error, and every part that is told is a part of it."""
    got, flat = parse_message(text), " ".join(text.split())
    parts = [part for part in (got.principal, got.action, got.resource, got.policy_arn) if part]
    assert [part for part in parts if part not in text and part not in flat] == []
    assert got.policy_type is None or got.kind in ("implicit", "explicit", None)


def test_a_megabyte():
    """An endless message is read as far as CloudTrail would have written it."""
    assert parse_message(refused("s3:GetObject", ' on resource: "' * 100_000)).action == "s3:GetObject"
