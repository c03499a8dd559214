"""One sentence a person on call can act on: what is blocked, by what, and how sure that is."""

from rolewatch.base.wording import some
from rolewatch.denials.rule import SELECTED
from rolewatch.findings.verdict import Verdict

POLICY_WORDS = {
    "resource-based": "the resource's own policy",
    "vpc-endpoint": "a VPC endpoint policy",
    "identity-based": "an identity-based policy",
    "service-control": "a service control policy",
    "resource-control": "a resource control policy",
    "permissions-boundary": "a permissions boundary",
    "session": "a session policy",
    "role-trust": "the role's trust policy",
}
KEEPS_OUT = {"explicit": "explicitly denies it", "implicit": "does not allow it"}


def explain(verdict: Verdict, name: str, resource: str, actions: list[str]) -> str:
    """Say in one or two sentences why `name` (a service or role) cannot do `actions` on `resource`."""
    if verdict.code_kind == SELECTED:
        return f"{name} called {some(actions)} on {resource}: the records match the pattern, and report no refusal."
    what = f"{name} cannot {some(actions)} on {resource}"
    if verdict.consequence:
        return f"{what}: {verdict.consequence}"
    if verdict.contradicts:
        policy = POLICY_WORDS[verdict.policy_type or ""]
        return (
            f"{what}: the message blames {policy}, but AWS documents that such policies do not bind service-linked roles; "
            "check that this really is one, and report the contradiction to AWS."
        )
    if verdict.verdict == "service-not-enabled":
        return f"{what}: a service or feature it asks for is not enabled, which is no fault of a policy."
    if verdict.verdict == "aws-side":
        return (
            f"{what}: the policy AWS manages for this role lacks the action, and this kind of resource takes no policy "
            "that could allow it; only AWS can change that."
        )
    if verdict.policy_type == "identity-based" and verdict.linked and verdict.verdict == "fix-your-policy":
        return f"{what}: no identity-based policy allows it, but the resource's own policy (or a grant) can."
    if verdict.policy_type:
        policy = POLICY_WORDS[verdict.policy_type]
        which = f" ({verdict.policy_arn})" if verdict.policy_arn else ""
        return f"{what}: {policy}{which} {KEEPS_OUT.get(verdict.kind or '', 'denies it')}."
    if verdict.code_kind == "authentication":
        return f"{what}: its credentials were refused, which is no matter of policies."
    if verdict.code_kind == "dependency":
        return f"{what}: something behind the resource, such as its KMS key, refuses it; most likely by its own policy (a guess)."
    reason = "does not say which policy" if verdict.kind else "gives no reason"
    if verdict.verdict == "fix-your-policy":
        return f"{what}: the message {reason}; most likely the resource's own policy denies it (a guess)."
    return f"{what}: the message {reason}."
