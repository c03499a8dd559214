"""What a denial means, from the record alone: verdict and cause, with the evidence they rest on (DESIGN "verdict").

A decision table over what the message and the code say. SCPs, RCPs and permissions boundaries do not bind
service-linked roles (AWS Organizations guide; research of peers §0.2), so a message that names one for such a role
is reported with the remark that it contradicts the documentation, and explains nothing.
"""

from functools import lru_cache
from typing import NamedTuple

from rolewatch.denials.denial import Case, Said
from rolewatch.denials.resources import takes_policy
from rolewatch.denials.rule import SELECTED

NOT_FOR_LINKED = frozenset(("service-control", "resource-control", "permissions-boundary"))
CUSTOMERS = frozenset(
    ("resource-based", "vpc-endpoint")
)  # policies that the customer writes and that bind every role


class Verdict(NamedTuple):
    """The verdict, its evidence tier (`message` or `guess`), and the cause as far as it is known."""

    verdict: str
    evidence: str
    policy_type: str | None
    kind: str | None
    policy_arn: str | None
    consequence: str | None
    contradicts: bool  # names a policy that cannot bind a service-linked role
    linked: bool  # of a service-linked role, whose own policy is AWS's
    code_kind: str  # class of the error code


def judge(case: Case) -> Verdict:
    """Give the verdict on a denial by its message, code and resource."""
    takes = takes_policy(case.resource.type, case.resource.arn)
    return _judge(case.said, linked=case.who.kind == "slr", takes=takes)


@lru_cache(maxsize=4096)
def _judge(said: Said, *, linked: bool, takes: bool) -> Verdict:
    contradicts = linked and said.policy_type in NOT_FOR_LINKED
    if said.code_kind == SELECTED:
        verdict, evidence = "unknown", "guess"  # nothing was refused
    elif said.known:
        verdict, evidence = said.known, "message"
    elif said.not_enabled or said.code_kind == "not-enabled":
        verdict, evidence = "service-not-enabled", "message"
    elif said.policy_type in CUSTOMERS:
        verdict, evidence = "fix-your-policy", "message"
    elif said.policy_type == "identity-based" and said.kind == "implicit" and linked:
        verdict, evidence = ("fix-your-policy" if takes else "aws-side"), "message"
    elif said.policy_type and not linked:
        verdict, evidence = (
            "fix-your-policy",
            "message",
        )  # the role and all its guardrails are the customer's own
    elif said.policy_type is None and takes and said.code_kind != "authentication":
        verdict, evidence = "fix-your-policy", "guess"
    else:
        verdict, evidence = "unknown", "guess"
    return Verdict(
        verdict, evidence, said.policy_type, said.kind, said.policy_arn, said.consequence,
        contradicts, linked, said.code_kind,
    )  # fmt: skip
