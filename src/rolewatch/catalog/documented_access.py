"""Access that a service's documentation asks a policy to give a service-linked role, as whole statements.

Their managed policies do not tell: that of EC2 Auto Scaling has no action of KMS at all, since the key's policy or a
grant names the role.
"""

import shlex
from functools import cache
from typing import Any, Final, NamedTuple

_USE: Final = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")
_USE_THROUGH_GRANTS: Final = (
    "Encrypt",
    "Decrypt",
    "ReEncryptFrom",
    "ReEncryptTo",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "DescribeKey",
    "CreateGrant",
)
_FOR_RESOURCES: Final = (("Bool", "kms:GrantIsForAWSResource", "true"),)
_THROUGH_S3: Final = (
    ("StringEquals", "kms:CallerAccount", "{account}"),
    ("StringEquals", "kms:ViaService", "s3.{region}.amazonaws.com"),
)


class Allowed(NamedTuple):
    """One statement of what to allow, without principal and resource."""

    actions: tuple[str, ...]
    conditions: tuple[tuple[str, str, str], ...] = ()  # operator, key, value with {account} and {region}

    def statement(self, role_arn: str, sid: str, *, region: str, resource: str = "*") -> dict[str, Any]:
        """Write the statement for a role and the Region of the resource; in a key's policy "*" stands for the key."""
        account = role_arn.split(":")[4]
        written: dict[str, Any] = {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"AWS": role_arn},
            "Action": list(self.actions) if len(self.actions) > 1 else self.actions[0],
            "Resource": resource,
        }
        if self.conditions:
            block: dict[str, dict[str, str]] = {}
            for operator, key, value in self.conditions:
                block.setdefault(operator, {})[key] = value.format(account=account, region=region)
            written["Condition"] = block
        return written


class DocumentedAccess(NamedTuple):
    """What the policies of a kind have to allow the role of a service; `grant` are the operations of a grant across accounts."""

    service: str
    kind: str  # of `policy_kinds`
    allowed: tuple[Allowed, ...]  # () where the page asks for a grant alone
    grant: tuple[str, ...]  # for `aws kms create-grant --operations`
    source: str

    def grant_command(self, key_arn: str, role_arn: str) -> str:
        """Write the command that grants a role the use of a key, quoted for a shell.

        Across accounts it is run in the role's account, by a principal that the key's policy allows kms:CreateGrant.
        """
        words = ["aws", "kms", "create-grant", "--key-id", key_arn, "--grantee-principal", role_arn]
        return shlex.join([*words, "--operations", *self.grant, "--region", key_arn.split(":")[3]])


_KEY_OF_VOLUMES: Final = (Allowed(_USE), Allowed(("kms:CreateGrant",), _FOR_RESOURCES))

DOCUMENTED_ACCESS: Final = (
    DocumentedAccess(
        "autoscaling.amazonaws.com",
        "key",
        _KEY_OF_VOLUMES,
        _USE_THROUGH_GRANTS,
        "Amazon EC2 Auto Scaling user guide, Required AWS KMS key policy for use with encrypted volumes",
    ),
    DocumentedAccess(
        "ec2fleet.amazonaws.com",
        "key",
        (),
        _USE_THROUGH_GRANTS,
        "Amazon EC2 user guide, EC2 Fleet prerequisites, grant access to customer managed keys",
    ),
    DocumentedAccess(
        "s3.data-source.lustre.fsx.amazonaws.com",
        "key",
        (Allowed(_USE, _THROUGH_S3),),
        _USE_THROUGH_GRANTS,
        "Amazon FSx for Lustre user guide, Working with server-side encrypted Amazon S3 buckets",
    ),
    DocumentedAccess(
        "spot.amazonaws.com",
        "key",
        (),
        _USE_THROUGH_GRANTS,
        "Amazon EC2 user guide, Service-linked role for Spot Instance requests, grant access to customer managed keys",
    ),
    DocumentedAccess(
        "spotfleet.amazonaws.com",
        "key",
        (),
        _USE_THROUGH_GRANTS,
        "Amazon EC2 user guide, Service-linked role for Spot Fleet, grant access to customer managed keys",
    ),
)


@cache
def _table() -> dict[tuple[str, str], DocumentedAccess]:
    return {(row.service, row.kind): row for row in DOCUMENTED_ACCESS}


def documented_access(service: str, kind: str) -> DocumentedAccess | None:
    """Look up what documentation asks a kind of policy to allow the role of a service; None where it asks nothing."""
    return _table().get((service.removesuffix(".cn"), kind))
