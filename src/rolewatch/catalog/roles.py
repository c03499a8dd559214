"""Known service-linked roles, the names of services, and which services are there to see.

Data: `data/roles.json` (spec/slr-catalog.md, grades A to C) and `data/names.json`; docs/catalog.md says how they are
kept. A role that is not listed is no less service-linked: the path of its ARN decides, never this table.
"""

from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

_DATA = Path(__file__).with_name("data")
LONGEST_NAME = 64  # of an IAM role

# Services that record, inspect, evaluate or alert: when one of them is shut out, an attack or a misconfiguration goes
# unseen. Config's two deployers count, since the rules they cannot deploy judge nothing. Services that act rather than
# look (Shield, Network Firewall), that deliver logs (WAF logging, vended logs) or that list things for convenience
# (Resource Explorer) do not count. Beside the roles of the table, this names principals of grade D: whether such a
# principal has the role that the table guesses does not matter here.
SECURITY_SERVICES = frozenset(
    f"{name}.amazonaws.com"
    for name in (
        "access-analyzer",
        "agentless.inspector2",
        "ami.inspector2",
        "auditmanager",
        "cloudtrail",
        "config",
        "config-conforms",
        "config-multiaccountsetup",
        "context.cloudtrail",
        "detective",
        "detectivecontrols.managedservices",
        "fms",
        "guardduty",
        "inspector",
        "inspector2",
        "macie",
        "malware-protection-plan.guardduty",
        "malware-protection.guardduty",
        "network-security-director",
        "reporting.trustedadvisor",
        "resource-management.securitylake",
        "security-ir",
        "securityhub",
        "securityhubv2",
        "securitylake",
        "thirdparty.config",
        "thirdparty.inspector2",
        "triage.security-ir",
        "trustedadvisor",
    )
)


class ServiceRole(NamedTuple):
    """One service-linked role; `grade` is A (seen in a real account), B (in AWS's documentation) or C (inferred)."""

    principal: str
    role: str
    policy: str | None  # the AWS-managed policy; None where AWS has withdrawn it
    description: str  # what it is for, in a few words; may be empty
    grade: str


class _Roles(msgspec.Struct):
    roles: list[ServiceRole]


class _Names(msgspec.Struct):
    names: dict[str, str]


@cache
def _roles() -> dict[tuple[str, str], ServiceRole]:
    table = msgspec.json.decode(_DATA.joinpath("roles.json").read_bytes(), type=_Roles)
    return {(row.principal, row.role): row for row in table.roles}


@cache
def _names() -> dict[str, str]:
    return msgspec.json.decode(_DATA.joinpath("names.json").read_bytes(), type=_Names).names


def role(principal: str, role_name: str) -> ServiceRole | None:
    """Look up a role; a custom suffix is folded (`AWSServiceRoleForAutoScaling_team1`), China's `.cn` as well."""
    if len(role_name) > LONGEST_NAME:
        return None
    principal, table = principal.removesuffix(".cn"), _roles()
    while True:
        found = table.get((principal, role_name))
        role_name, underscore, _ = role_name.rpartition("_")
        if found or not underscore:
            return found


def known_roles() -> tuple[ServiceRole, ...]:
    """Give all roles of the table, in the order of principal and role."""
    return tuple(_roles().values())


@cache
def principals() -> frozenset[str]:
    """Give the principals of all services that the table has a role of."""
    return frozenset(principal for principal, _ in _roles())


@lru_cache(maxsize=1024)
def service_name(principal: str) -> str:
    """Name a service for people: "AWS Config"; one that is not listed is named after its principal, never empty.

    Part of a known service is told as such: `hyper.sagemaker.amazonaws.com` is "Amazon SageMaker (hyper)".
    """
    label = principal.removesuffix(".cn").removesuffix(".amazonaws.com")
    name = _names().get(label)
    if name:
        return name
    part, dot, service = label.rpartition(".")
    if not service or label == principal:
        return principal or "unknown"  # no host name of AWS's: as it stands
    name = _names().get(service) or " ".join(word[:1].upper() + word[1:] for word in service.split("-"))
    return f"{name} ({part})" if dot and part else name
