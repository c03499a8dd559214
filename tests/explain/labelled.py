"""Labelled denials: a record, the policies around it, and by hand the true cause and the right change."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from rolewatch.explain.folder import file_name

HOME, OTHER = "111122223333", "444455556666"
ROLES = {
    "access-analyzer": "access-analyzer.amazonaws.com/AWSServiceRoleForAccessAnalyzer",
    "agentless": "agentless.inspector2.amazonaws.com/AWSServiceRoleForAmazonInspector2Agentless",
    "autoscaling": "autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
    "backup": "backup.amazonaws.com/AWSServiceRoleForBackup",
    "config": "config.amazonaws.com/AWSServiceRoleForConfig",
    "conforms": "config-conforms.amazonaws.com/AWSServiceRoleForConfigConforms",
    "guardduty": "guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty",
    "inspector2": "inspector2.amazonaws.com/AWSServiceRoleForAmazonInspector2",
    "lustre": "s3.data-source.lustre.fsx.amazonaws.com/AWSServiceRoleForFSxS3Access_fs-0123456789abcdef0",
    "macie": "macie.amazonaws.com/AWSServiceRoleForAmazonMacie",
    "malware": "malware-protection.guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDutyMalwareProtection",
    "storage-lens": "storage-lens.s3.amazonaws.com/AWSServiceRoleForS3StorageLens",
    "trustedadvisor": "trustedadvisor.amazonaws.com/AWSServiceRoleForTrustedAdvisor",
}
REFUSED = "User: {user} is not authorized to perform: {action} on resource: {resource}"
QUOTED = 'User: {user} is not authorized to perform: {action} on resource: "{resource}"'
DENIED = QUOTED + " with an explicit deny in a resource-based policy"  # S3's form
DENIES = REFUSED + " with an explicit deny in a resource-based policy"
NO_IDENTITY = REFUSED + " because no identity-based policy allows the {action} action"
NO_RESOURCE = REFUSED + " because no resource-based policy allows the {action} action"
ENDPOINT_DENIES = REFUSED + " with an explicit deny in a VPC endpoint policy"
NO_ENDPOINT = REFUSED + " because no VPC endpoint policy allows the {action} action"
BARE = "Access Denied"
Policy = dict[str, Any]


def role_arn(name: str, account: str = HOME) -> str:
    """Write the ARN of a service-linked role of the table."""
    return f"arn:aws:iam::{account}:role/aws-service-role/{ROLES[name]}"


class Case(NamedTuple):
    """One denial and its label. `collected` is the folder: what it is about → the policy, or what AWS's API returned.

    `decided` is the Sid of the statement that decides, or a part of the reason where none does; `patch` are the operations of the
    right change, None where there is none, and then `no_fix` is part of the reason.
    """

    name: str
    role: str
    call: str  # as CloudTrail writes it: eventSource prefix and eventName
    action: str
    resource: str
    message: str
    collected: dict[str, Any]
    verdict: str
    cause: tuple[str | None, str | None]  # policy type, kind
    decided: str | None
    patch: list[dict[str, Any]] | None
    no_fix: str = ""
    parameters: dict[str, Any] | None = None
    more: dict[str, Any] | None = None  # fields of the record
    account: str = HOME
    owner: str | None = None
    code: str = "AccessDenied"
    all_slrs: bool = False
    reason: str | None = None
    evidence: str = "policy"
    commands: tuple[str, ...] = ()  # parts of the commands, in their order
    notes: tuple[str, ...] = ()
    provided: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """Write the record as CloudTrail does."""
        source, _, name = self.call.partition(":")
        role = role_arn(self.role, self.account)
        user = f"arn:aws:sts::{self.account}:assumed-role/{role.rpartition('/')[2]}/session"
        made = {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "arn": user,
                "accountId": self.account,
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role, "accountId": self.account}},
                "invokedBy": ROLES[self.role].partition("/")[0],
            },
            "eventTime": "2026-10-05T07:15:00Z",
            "eventSource": f"{source}.amazonaws.com",
            "eventName": name,
            "awsRegion": "eu-west-1",
            "requestParameters": self.parameters,
            "errorCode": self.code,
            "errorMessage": self.message.format(user=user, action=self.action, resource=self.resource),
            "eventID": "6f1c0a52-6c43-4d5c-9d0b-0d7b3f8a1e11",
            "eventCategory": "Management",
            "recipientAccountId": self.account,
        }
        if self.owner:
            made["resources"] = [{"ARN": self.resource, "accountId": self.owner, "type": "AWS::S3::Bucket"}]
        return made | (self.more or {})

    def write(self, folder: Path) -> None:
        """Write what was collected into a folder."""
        folder.mkdir()
        for about, held in self.collected.items():
            name = f"{about}.json" if about.startswith(("organization", "vpce-")) else file_name(about)
            if about.endswith(".grants"):
                name = file_name(about.removesuffix(".grants")).removesuffix(".json") + ".grants.json"
            text = held if isinstance(held, str) else json.dumps(held, indent=2)
            folder.joinpath(name).write_text(text)


def policy(*statements: Policy) -> Policy:
    """Write a policy."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def deny(sid: str, action: Any, resource: Any, condition: Any = None, **more: Any) -> Policy:
    """Write a statement that denies everybody something."""
    made = {"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource} | more
    made = {key: value for key, value in made.items() if value is not None}
    return made | ({"Condition": condition} if condition else {})


def allow(sid: str, principal: Any, action: Any, resource: Any, condition: Any = None) -> Policy:
    """Write a statement that allows somebody something."""
    made = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
    return made | ({"Condition": condition} if condition else {})


def add(path: str, value: Any) -> dict[str, Any]:
    """Write an operation of a JSON patch."""
    return {"op": "add", "path": path, "value": value}


def replace(path: str, value: Any) -> dict[str, Any]:
    """Write an operation of a JSON patch."""
    return {"op": "replace", "path": path, "value": value}


def bucket(name: str) -> tuple[str, list[str]]:
    """Give a bucket's ARN, and it with its objects."""
    arn = f"arn:aws:s3:::{name}"
    return arn, [arn, f"{arn}/*"]
