"""What a refusal without a reason can mean, likeliest first."""

import pytest
from refusals import ACCOUNT, CONFIG, EXPLICIT, OTHER, finding, message, record, session

from rolewatch.findings.candidates import Circumstances, candidates

BY_BUCKET = "bucket policy with an explicit Deny"
NO_ALLOW = "bucket policy of another account without an Allow"
ENDPOINT = "VPC endpoint policy"
PUBLIC = "Block Public Access (RestrictPublicBuckets)"
KEY = "KMS key policy"
HIDDEN = "missing object, hidden because s3:ListBucket is denied"
PAYER = "requester pays"
OWNER = "expected bucket owner"
GUARDRAIL = "service control, resource control, boundary or identity policy"


def at(**fields):
    """Describe a linked role's bare refusal on a bucket of its own account, lately."""
    made = {
        "service": "s3",
        "linked": True,
        "relation": "same",
        "last": "2026-03-01T00:00:00Z",
        "actions": frozenset(("s3:getbucketacl",)),
        "endpoint": False,
    } | fields
    return Circumstances(**made)


OBJECT = {"actions": frozenset(("s3:getobject",))}
OLD = {"last": "2024-10-31T23:59:59Z"}
RANKS = [
    (at(), [BY_BUCKET]),
    (at(**OBJECT), [BY_BUCKET, KEY, HIDDEN]),
    (at(endpoint=True), [ENDPOINT, BY_BUCKET]),
    (at(endpoint=True, **OLD), [BY_BUCKET, ENDPOINT]),
    (at(relation="other"), [BY_BUCKET, NO_ALLOW, PUBLIC, OWNER]),
    (at(relation="unknown"), [BY_BUCKET, NO_ALLOW, PUBLIC, OWNER]),
    (at(relation="other", **OBJECT), [BY_BUCKET, NO_ALLOW, KEY, PUBLIC, HIDDEN, PAYER, OWNER]),
    (at(linked=False), [GUARDRAIL, BY_BUCKET]),
    (at(linked=False, **OLD), [BY_BUCKET, GUARDRAIL]),
    (at(last=""), [BY_BUCKET]),
    (at(service="kms"), ["key policy without an Allow", "key policy with an explicit Deny", "missing or retired grant"]),
    (at(service=""), []),
    (at(service="", endpoint=True), [ENDPOINT]),
    (at(service="sqs"), ["resource-based policy with an explicit Deny"]),
    (at(service="sqs", endpoint=True), ["resource-based policy with an explicit Deny", ENDPOINT]),
    (at(service="sqs", relation="other"), ["resource-based policy without an Allow", "resource-based policy with an explicit Deny"]),
    (at(service="sqs", relation="unknown"), ["resource-based policy with an explicit Deny", "resource-based policy without an Allow"]),
]  # fmt: skip


@pytest.mark.parametrize(("circumstances", "causes"), RANKS)
def test_ranks(circumstances, causes):
    """Who owns the bucket, when it was and what was asked for decide which causes are possible, and their order."""
    assert causes == [row["cause"] for row in candidates(circumstances)]


def test_all_are_guesses():
    """Each candidate is marked as a guess and says why it is one."""
    for circumstances, _ in RANKS:
        for row in candidates(circumstances):
            assert set(row) == {"cause", "evidence", "why"}
            assert (row["evidence"], bool(row["why"])) == ("guess", True)


@pytest.mark.parametrize("last", ["2024-11-01T00:00:00Z", "2024-10-31T23:59:59Z"])
def test_since_s3_gives_reasons(last):
    """Since S3 names the policy within an account, an endpoint policy is the likelier reason for its silence."""
    first = candidates(at(endpoint=True, last=last))[0]["cause"]
    assert first == (ENDPOINT if last >= "2024-11" else BY_BUCKET)


VIA = {"vpcEndpointId": "vpce-0123"}
FINDINGS = [
    ("a bare refusal", [record()], [BY_BUCKET, NO_ALLOW, PUBLIC, OWNER]),
    ("a message decides", [record(errorMessage=message("s3:ListBucket", "arn:aws:s3:::b", EXPLICIT))], []),
    ("our endpoint", [record(**VIA, vpcEndpointAccountId=ACCOUNT)], [BY_BUCKET, NO_ALLOW, ENDPOINT, PUBLIC, OWNER]),
    ("AWS's endpoint", [record(**VIA, vpcEndpointAccountId="777788889999")], [BY_BUCKET, NO_ALLOW, PUBLIC, OWNER]),
    ("an endpoint of nobody", [record(**VIA)], [BY_BUCKET, NO_ALLOW, PUBLIC, OWNER]),
    ("one denial through our endpoint", [record(), record(**VIA, vpcEndpointAccountId=ACCOUNT)], [BY_BUCKET, NO_ALLOW, ENDPOINT, PUBLIC, OWNER]),
    ("our bucket", [record(resources=[{"ARN": "arn:aws:s3:::b", "accountId": ACCOUNT}])], [BY_BUCKET]),
    ("their bucket", [record(resources=[{"ARN": "arn:aws:s3:::b", "accountId": OTHER}])], [BY_BUCKET, NO_ALLOW, PUBLIC, OWNER]),
    ("an object", [record(name="GetObject", resources=[{"ARN": "arn:aws:s3:::b", "accountId": ACCOUNT}])], [BY_BUCKET, KEY, HIDDEN]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("records", "causes"), [case[1:] for case in FINDINGS], ids=[case[0] for case in FINDINGS]
)
def test_of_a_finding(records, causes):
    """A finding without a reason lists its candidates; the endpoint's policy only where the endpoint is ours."""
    assert sorted(causes) == sorted(row["cause"] for row in finding(*records)["candidates"])


def test_guardrails_only_for_others():
    """Service control policies are a candidate for roles that they bind, never for a service-linked one."""
    bare = finding(record(userIdentity=session(f"arn:aws:iam::{ACCOUNT}:role/delivery")))
    assert GUARDRAIL in [row["cause"] for row in bare["candidates"]]
    linked = finding(record(userIdentity=session(CONFIG)))
    assert GUARDRAIL not in [row["cause"] for row in linked["candidates"]]
