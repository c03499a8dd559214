"""A key of another account in; the grant that lets a role use it out. Also: what grants that were collected allow.

Sources: KMS Developer Guide, "Grants in AWS KMS" (grant operations) and "Allowing users in other accounts to use a KMS key"; Auto
Scaling User Guide, "Required KMS key policy for use with encrypted volumes", on a role whose own policy has nothing of KMS.
"""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rolewatch.catalog.documented_access import documented_access
from rolewatch.catalog.profile import role_parts
from rolewatch.explain.incident import Incident
from rolewatch.policies.policy import Policy
from rolewatch.policies.reading import read_policy

#: What a grant may allow.
OPERATIONS: Final = (
    "CreateGrant",
    "Decrypt",
    "DeriveSharedSecret",
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GetPublicKey",
    "ReEncryptFrom",
    "ReEncryptTo",
    "RetireGrant",
    "Sign",
    "Verify",
    "VerifyMac",
)


class Grant(NamedTuple):
    """A grant that lets a role use a key: the command that makes it, and what it is worth, as a policy of the role's."""

    command: str
    policy: Policy


def grant_for(incident: Incident) -> Grant | None:
    """Write the grant for what was denied, and all that the service is documented to need; None if a grant cannot allow that."""
    role = role_parts(incident.role_arn)
    operations = {each.lower(): each for each in OPERATIONS}
    wanted = [operations.get(action.lower().removeprefix("kms:"), "") for action in incident.actions]
    if role is None or not all(wanted):
        return None
    access = documented_access(role.principal, "key")
    if access and set(wanted) <= set(access.grant):
        wanted = list(access.grant)
        command = access.grant_command(incident.resource, incident.role_arn)
    else:
        words = ["aws", "kms", "create-grant", "--key-id", incident.resource]
        words += ["--grantee-principal", incident.role_arn, "--operations", *sorted(set(wanted))]
        command = shlex.join([*words, "--region", incident.resource.split(":")[3]])
    statement = {
        "Effect": "Allow",
        "Action": [f"kms:{each}" for each in sorted(set(wanted))],
        "Resource": incident.resource,
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return Grant(command, read_policy(text, "the grant", principals=False))


def granted(grants: Iterable[Mapping[str, Any]], role_arn: str, actions: Sequence[str]) -> list[str]:
    """List the ids of grants that let a role do one of some actions."""
    wanted = {action.lower().removeprefix("kms:") for action in actions}
    return [
        str(each.get("GrantId") or "without id")
        for each in grants
        if each.get("GranteePrincipal") == role_arn
        and any(isinstance(name, str) and name.lower() in wanted for name in each.get("Operations") or ())
    ]
