"""What is never told: a policy that cannot bind a service-linked role, a change without proof, a recovery without one."""

import json

import pytest
from notices import FIX, about, finding, recovered

from rolewatch.notify.admissible import admissible, proven_fix
from rolewatch.notify.errors import SendError
from rolewatch.notify.html import html
from rolewatch.notify.words import text

GUARDRAILS = ("service-control", "resource-control", "permissions-boundary")
SPOKEN = ("service control", "resource control", "permissions boundary", "SCP", "RCP", *GUARDRAILS)
CALLER = "arn:aws:iam::111122223333:role/my-own"


def blaming(policy_type, **facts):
    """Return a finding of which the record blames a guardrail, in the words of `findings.explanation`."""
    spoken = policy_type.replace("-", " ")
    arn = "arn:aws:organizations::999988887777:policy/o-x/service_control_policy/p-y"
    cause = {"policy_type": policy_type, "kind": "explicit", "evidence": "message", "policy_arn": arn}
    what = "AWS Config cannot s3:GetBucketPolicy on arn:aws:s3:::payroll-0"
    return finding(
        cause=cause,
        verdict="unknown",
        explanation=f"{what}: the message blames a {spoken}, but AWS documents that such policies do not bind linked roles.",
        candidates=[{"cause": "SCP", "evidence": "guess", "why": "a service control policy"}],
        **facts,
    )


def everything(notification):
    """Return all that is sent of a notification, in all forms, as one text."""
    told = admissible(notification)
    return "\n".join([text(notification), html(notification), json.dumps(told.body())])


@pytest.mark.parametrize("policy_type", GUARDRAILS)
@pytest.mark.parametrize("kind", ["blocked", "reopened", "summary"])
def test_no_guardrail_is_blamed_for_a_linked_role(policy_type, kind):
    """Neither text, HTML nor JSON names a policy of a kind that does not bind service-linked roles."""
    said = everything(about(blaming(policy_type), kind=kind))
    assert [word for word in SPOKEN if word in said] == []
    assert "what refuses it is not known" in said


@pytest.mark.parametrize("policy_type", GUARDRAILS)
def test_guardrails_are_named_for_roles_that_they_bind(policy_type):
    """For a role of the customer's own, which they do bind, they are told."""
    said = everything(about(blaming(policy_type, role_arn=CALLER)))
    assert policy_type in said


def test_change_of_a_guardrail_is_not_told_for_a_linked_role():
    """A change of an SCP cannot help a service-linked role, whatever proves it."""
    fix = FIX | {"target": "SCP p-1234"}
    assert admissible(about(finding(fix=fix))).findings[0].get("fix") is None
    assert admissible(about(finding(fix=fix, role_arn=CALLER))).findings[0]["fix"] == fix


def test_a_resource_called_like_a_guardrail_is_no_blame():
    """A bucket may be called as it likes: its finding stays as it is."""
    bucket = "arn:aws:s3:::SCP-logs"
    named = finding(resource=bucket, explanation=f"AWS Config cannot x on {bucket}: its own policy denies it.")  # fmt: skip
    assert admissible(about(named)).findings == (named,)


def test_unproven_change_is_in_no_body():
    """Machines are told no change without its proof, either."""
    unproven = {name: value for name, value in FIX.items() if name != "proof"}
    assert "fix" not in admissible(about(finding(fix=unproven))).findings[0]
    assert admissible(about(finding(fix=FIX))).findings[0]["fix"] == FIX
    assert proven_fix(finding(fix="text")) is None


def test_recovery_without_a_finding_is_not_sent():
    """`recovered` about nothing is an all-clear that nobody can check: it is refused for good."""
    with pytest.raises(SendError) as caught:
        admissible(about(kind="recovered"))
    assert caught.value.passing is False


def test_recovery_that_lost_its_proof_is_not_sent():
    """So is one whose proof is gone, by whatever way it came here."""
    notification = about(recovered(), kind="recovered")
    notification.findings[0].pop("proof")
    with pytest.raises(SendError, match="nothing proves it"):
        admissible(notification)


def test_summary_leaves_out_what_is_recovered_without_proof():
    """A summary counts such a finding among those it does not list."""
    unproven = recovered(1)
    unproven.pop("proof")
    told = admissible(about(finding(), unproven, recovered(2), kind="summary", left_out=1))
    assert ([each["id"][-1] for each in told.findings], told.left_out) == (["0", "2"], 2)


def test_a_recovery_is_told_as_one():
    """What was read before it recovered is told as recovered."""
    early = recovered(status="blocked")
    assert admissible(about(early, kind="recovered")).findings[0]["status"] == "recovered"


def test_the_original_stays_as_it_is():
    """The notification in the outbox is not changed."""
    original = blaming("service-control", fix={"diff": "x"})
    before = json.dumps(original)
    admissible(about(original))
    assert json.dumps(original) == before
