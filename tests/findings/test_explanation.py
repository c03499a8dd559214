"""The sentence that a person on call reads first."""

import pytest
from refusals import ACCOUNT, finding, message, record, session

from rolewatch.findings.explanation import explain
from rolewatch.findings.verdict import Verdict

BUCKET = "arn:aws:s3:::b"
POLICY = "arn:aws:organizations::1:policy/o-1/service_control_policy/p-1"


def verdict(word="fix-your-policy", **fields):
    """Make a verdict on a service-linked role."""
    made = {
        "evidence": "message",
        "policy_type": None,
        "kind": None,
        "policy_arn": None,
        "consequence": None,
        "contradicts": False,
        "linked": True,
        "code_kind": "authorization",
    } | fields
    return Verdict(word, **made)


def session_role():
    """Name the role of the records above."""
    return record()["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"]


SENTENCES = [
    (verdict(policy_type="resource-based", kind="explicit"), "the resource's own policy explicitly denies it."),
    (verdict(policy_type="resource-based", kind="implicit"), "the resource's own policy does not allow it."),
    (verdict(policy_type="resource-based"), "the resource's own policy denies it."),
    (verdict(policy_type="vpc-endpoint", kind="explicit"), "a VPC endpoint policy explicitly denies it."),
    (verdict(policy_type="identity-based", kind="implicit"), "no identity-based policy allows it, but the resource's own policy (or a grant) can."),
    (verdict(policy_type="identity-based", kind="explicit", linked=False), "an identity-based policy explicitly denies it."),
    (verdict(policy_type="identity-based", kind="implicit", linked=False), "an identity-based policy does not allow it."),
    (verdict(policy_type="service-control", kind="explicit", linked=False, policy_arn=POLICY), f"a service control policy ({POLICY}) explicitly denies it."),
    (verdict(evidence="guess"), "the message gives no reason; most likely the resource's own policy denies it (a guess)."),
    (verdict(evidence="guess", kind="explicit"), "the message does not say which policy; most likely the resource's own policy denies it (a guess)."),
    (verdict(evidence="guess", code_kind="dependency"), "something behind the resource, such as its KMS key, refuses it; most likely by its own policy (a guess)."),
    (verdict("unknown", evidence="guess"), "the message gives no reason."),
    (verdict("unknown", evidence="guess", code_kind="authentication"), "its credentials were refused, which is no matter of policies."),
    (verdict("unknown", policy_type="session", kind="explicit"), "a session policy explicitly denies it."),
    (verdict("harmless", consequence="It works all the same."), "It works all the same."),
    (verdict("service-not-enabled"), "a service or feature it asks for is not enabled, which is no fault of a policy."),
    (
        verdict("aws-side", policy_type="identity-based", kind="implicit"),
        "the policy AWS manages for this role lacks the action, and this kind of resource takes no policy that could allow it; only AWS can change that.",
    ),
    (
        verdict("unknown", policy_type="service-control", kind="explicit", contradicts=True),
        "the message blames a service control policy, but AWS documents that such policies do not bind service-linked roles; check that this really is one, and report the contradiction to AWS.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("it", "why"), SENTENCES)
def test_sentence(it, why):
    """The sentence says who cannot do what, where, and by what."""
    assert f"AWS Config cannot s3:ListBucket on {BUCKET}: {why}" == explain(
        it, "AWS Config", BUCKET, ["s3:ListBucket"]
    )


@pytest.mark.parametrize(
    ("actions", "spelled"),
    [
        (["s3:A"], "s3:A"),
        (["s3:A", "s3:B", "s3:C"], "s3:A, s3:B, s3:C"),
        (["s3:A", "s3:B", "s3:C", "s3:D", "s3:E"], "s3:A, s3:B, s3:C and 2 more"),
    ],
)
def test_actions(actions, spelled):
    """Of many actions three are named."""
    assert explain(verdict(), "X", BUCKET, actions).startswith(f"X cannot {spelled} on {BUCKET}: ")


def test_actions_that_are_still_open():
    """A finding's sentence is about what is still shut, not about what works again."""
    records = [record(), record(name="GetBucketAcl")]
    allowed = {(session_role(), "s3:listbucket", BUCKET): "2026-03-02T00:00:00Z"}
    assert finding(*records, facts=allowed)["explanation"].startswith(
        f"AWS Config cannot s3:GetBucketAcl on {BUCKET}: "
    )


WHO = [
    (session_role(), "AWS Config"),
    (session_role().replace("config.amazonaws.com", "newthing.amazonaws.com"), "Newthing"),
    (f"arn:aws:iam::{ACCOUNT}:role/ops", "ops"),
]


@pytest.mark.parametrize(("arn", "name"), WHO)
def test_who(arn, name):
    """A service is named for people, whoever is none by the name of its role."""
    text = message("s3:ListBucket", BUCKET, "with an explicit deny in a resource-based policy")
    found = finding(record(userIdentity=session(arn), errorMessage=text))
    assert (
        found["explanation"]
        == f"{name} cannot s3:ListBucket on {BUCKET}: the resource's own policy explicitly denies it."
    )
    assert found["service_name"] == name
