"""What a denial without a reason can mean: ranked candidates, each a guess that says why it is one.

Only S3 leaves people alone with a bare `Access Denied`; other services get the generic rows. Sources: S3 user guide
"Troubleshoot access denied (403 Forbidden) errors"; research of peers §3 (before late 2024 S3 wrote no reason at all;
since then it gives one within an account or organisation, except where a VPC endpoint policy denied).
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

REASONED_SINCE = "2024-11"  # S3 names the policy type from about then on, in calls within an organisation


class Circumstances(NamedTuple):
    """What ranking looks at: all of it from the records themselves."""

    service: str  # prefix of the API: s3, kms …; "" where no resource is named
    linked: bool
    relation: str  # of the role's account to the resource's: same, other or unknown
    last: str  # eventTime of the last denial
    actions: frozenset[str]  # IAM actions, lower case
    endpoint: bool  # through a VPC endpoint of the customer's

    @property
    def reasoned(self) -> bool:
        """Whether S3 would have named the policy had this been within one account."""
        return self.last[:7] >= REASONED_SINCE


class _Row(NamedTuple):
    cause: str
    applies: Callable[[Circumstances], bool]
    weight: Callable[[Circumstances], int]  # more is likelier
    why: str


def _reads_objects(at: Circumstances) -> bool:
    return bool(at.actions & {"s3:getobject", "s3:getobjectversion", "s3:getobjectattributes"})


_S3 = (
    _Row("bucket policy with an explicit Deny", lambda _: True,
         lambda at: 60 if at.relation == "same" and at.reasoned else 95,
         "a Deny with a condition (source VPC, IP, organisation, principal) that does not exempt service-linked roles is the usual cause; "
         "the role's own policy, which AWS writes, allows the call"),
    _Row("bucket policy of another account without an Allow", lambda at: at.relation != "same", lambda at: 90 if at.relation == "other" else 40,
         "across accounts the bucket policy must allow the role; nothing else can"),
    _Row("VPC endpoint policy", lambda at: at.endpoint, lambda at: 85 if at.reasoned else 70,
         "the call came through a VPC endpoint of yours, and S3 gives no reason where an endpoint policy denied"),
    _Row("Block Public Access (RestrictPublicBuckets)", lambda at: at.relation != "same", lambda _: 35,
         "a bucket with a public policy refuses all cross-account access while this setting is on"),
    _Row("KMS key policy", _reads_objects, lambda _: 50,
         "reading an object encrypted with a customer managed key needs kms:Decrypt on the key as well"),
    _Row("missing object, hidden because s3:ListBucket is denied", _reads_objects, lambda _: 30,
         "without s3:ListBucket, S3 answers 403 instead of 404 for an object that does not exist"),
    _Row("requester pays", lambda at: at.relation != "same" and _reads_objects(at), lambda _: 15,
         "a requester-pays bucket refuses callers of other accounts that do not agree to pay"),
    _Row("expected bucket owner", lambda at: at.relation != "same", lambda _: 10,
         "a call that names an expected owner is refused if the bucket belongs to another account, for example after it was deleted and taken"),
)  # fmt: skip
_KMS = (
    _Row("key policy without an Allow", lambda _: True, lambda _: 90,
         "a key's policy must allow the role, or hand the decision to IAM policies of the account (Principal: account root)"),
    _Row("key policy with an explicit Deny", lambda _: True, lambda _: 60, "a Deny in the key policy overrides every Allow and grant"),
    _Row("missing or retired grant", lambda _: True, lambda _: 40, "services such as Auto Scaling and RDS use the key through grants"),
)  # fmt: skip
_OTHER = (
    _Row("resource-based policy with an explicit Deny", lambda _: True, lambda at: 80 if at.relation == "same" else 60,
         "within an account a service-linked role needs no Allow from the resource's policy, so a Deny is the likelier cause"),
    _Row("resource-based policy without an Allow", lambda at: at.relation != "same", lambda at: 90 if at.relation == "other" else 50,
         "across accounts the resource's policy must allow the role"),
    _Row("VPC endpoint policy", lambda at: at.endpoint, lambda _: 55, "the call came through a VPC endpoint of yours"),
)  # fmt: skip
_GUARDRAILS = _Row("service control, resource control, boundary or identity policy", lambda at: not at.linked, lambda _: 70,
                   "this is not a service-linked role: its own policies and the organisation's bind it")  # fmt: skip
_NOWHERE = (_OTHER[-1],)  # nothing is named that could have a policy
_TABLES = {"s3": _S3, "kms": _KMS, "": _NOWHERE}


def candidates(at: Circumstances) -> list[dict[str, str]]:
    """Rank what a bare denial can mean, likeliest first."""
    rows: Iterable[_Row] = (*_TABLES.get(at.service, _OTHER), _GUARDRAILS)
    ranked = sorted((row for row in rows if row.applies(at)), key=lambda row: -row.weight(at))
    return [{"cause": row.cause, "evidence": "guess", "why": row.why} for row in ranked]
