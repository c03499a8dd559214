"""A key of another account in; the grant that lets a role use it out. Also: the grants that were collected.

Sources: KMS Developer Guide, "Grants in AWS KMS" (grant operations) and "Allowing users in other accounts to use a KMS key"; Auto
Scaling User Guide, "Required KMS key policy for use with encrypted volumes", on a role whose own policy has nothing of KMS.
"""

import json
import shlex
from collections.abc import Sequence
from typing import Final, NamedTuple

from rolewatch.catalog.documented_access import documented_access
from rolewatch.catalog.profile import role_parts
from rolewatch.explain.folder import Folder
from rolewatch.explain.incident import Incident
from rolewatch.policies.grants import Grant, read_grants
from rolewatch.policies.policy import Policy
from rolewatch.policies.reading import read_policy
from rolewatch.templates.json_nodes import json_nodes
from rolewatch.templates.source import Source

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


class NewGrant(NamedTuple):
    """A grant that lets a role use a key: the command that makes it, and what it is worth, as a policy of the role's."""

    command: str
    policy: Policy


def grant_for(incident: Incident) -> NewGrant | None:
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
    return NewGrant(command, read_policy(text, "the grant", principals=False))


def collected_grants(folder: Folder, key_arn: str) -> Sequence[Grant]:
    """Read the grants of a key that were collected."""
    source = Source(f"{folder.path}: grants of {key_arn}", json.dumps(folder.grants(key_arn)))
    return read_grants(json_nodes(source), source, "Grants")
