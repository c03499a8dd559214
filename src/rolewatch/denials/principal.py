"""Who was refused: service-linked roles by the issuer ARN's path, and, if asked, the other shapes a service takes.

Sources: spec/slr-catalog.md §1 (facts 1, 9, 11), research of peers §0.3. A name proves nothing: only the path
`/aws-service-role/<service principal>/` is reserved to AWS.
"""

from functools import lru_cache
from typing import NamedTuple

from rolewatch.denials.record import Record, Success, UserIdentity

KINDS = ("slr", "service", "service-role", "all")
LINKED = "role/aws-service-role/"
OWN = "role/aws:"  # AWS's own roles, such as role/aws:ec2-infrastructure

# How the names of a partition's regions begin; all others are of `aws`. Source: botocore 1.44.5, partitions.json.
PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
)


class Principal(NamedTuple):
    """A watched principal. `account` is the role's, from its ARN; a service principal has no role."""

    kind: str  # slr, service, service-role or other
    account: str
    service: str
    role_arn: str | None
    role_name: str | None
    partition: str


def principal(record: Record | Success, kinds: frozenset[str]) -> Principal | None:
    """Name the principal of a record if it is of one of the watched kinds, else None."""
    identity = record.userIdentity
    if identity is None:
        return None
    arn = issuer_of(identity)
    if arn is None and identity.type == "Role":
        arn = identity.arn  # the role itself, not a session of it
    if arn:
        found = linked(arn)
        if found:
            return found if "slr" in kinds or "all" in kinds else None
    if len(kinds) == 1 and "slr" in kinds:
        return None
    return _other(record, arn, kinds)


def nobody(record: Record, kinds: frozenset[str]) -> Principal | None:
    """Stand in for the principal of a record that names none, if all are watched."""
    if record.userIdentity is not None or "all" not in kinds:
        return None
    account = record.recipientAccountId or ""
    return Principal("other", account, "", None, "nobody", partition_of(record.awsRegion or ""))


def issuer_of(identity: UserIdentity | None) -> str | None:
    """Give the ARN of the role behind a session; None where there is no session, or CloudTrail does not tell."""
    context = identity.sessionContext if identity else None
    issuer = context.sessionIssuer if context else None
    return issuer.arn if issuer else None


def _other(record: Record | Success, arn: str | None, kinds: frozenset[str]) -> Principal | None:
    identity = record.userIdentity
    assert identity is not None  # noqa: S101 - the caller has looked
    invoker = identity.invokedBy or ""
    account = identity.accountId or record.recipientAccountId or ""
    region = record.awsRegion or ""
    if identity.type == "AWSService":
        if kinds.isdisjoint(("service", "all")):
            return None
        return Principal("service", account, invoker or "unknown", None, None, partition_of(region))
    role = _role(arn) if arn else None
    if role:
        account, name, path, partition = role
        own = path.startswith(OWN)
        service = f"{name.removeprefix('aws:').partition('-')[0]}.amazonaws.com" if own else invoker
        if own or _is_service(invoker):
            if kinds.isdisjoint(("service-role", "all")):
                return None
            return Principal("service-role", account, service, arn, name, partition)
    if "all" not in kinds:
        return None
    whole = arn or identity.arn
    name = whole.rpartition("/")[2] if whole else identity.type or "unknown"
    return Principal("other", account, invoker, whole, name, partition_of(region))


def _is_service(host: str) -> bool:
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


@lru_cache(maxsize=4096)
def linked(arn: str) -> Principal | None:
    """Take apart the ARN of a service-linked role; None for any other."""
    role = _role(arn)
    if not role or not role[2].startswith(LINKED):
        return None
    service, slash, name = role[2][len(LINKED) :].partition("/")
    if not slash or not service or not name or "/" in name:
        return None
    return Principal("slr", role[0], service, arn, name, role[3])


@lru_cache(maxsize=4096)
def _role(arn: str) -> tuple[str, str, str, str] | None:
    """Take apart an IAM role's ARN: (account, name, path with `role/`, partition)."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "iam" or not parts[5].startswith("role/"):
        return None
    return parts[4], parts[5].rpartition("/")[2], parts[5], parts[1]


@lru_cache(maxsize=256)
def partition_of(region: str) -> str:
    """Name the partition of a region (`us-gov-west-1` → `aws-us-gov`)."""
    return next((partition for prefix, partition in PARTITIONS if region.startswith(prefix)), "aws")
