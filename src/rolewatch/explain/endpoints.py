"""A denial by the policy of a VPC endpoint in; that policy out, if it was collected, else which to look at."""

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from rolewatch.catalog.policy_kinds import PolicyKind, kind
from rolewatch.catalog.profile import role_parts
from rolewatch.explain.folder import Collected, Folder
from rolewatch.explain.incident import Incident
from rolewatch.explain.setting import for_endpoint
from rolewatch.policies.request import Request

_ID: Final = re.compile(r"vpce-[0-9a-z]+")
_SHOWN: Final = "VpcEndpoints[].[VpcEndpointId,ServiceName,PolicyDocument]"


class Endpoint(NamedTuple):
    """An endpoint's policy; `arn` is what commands need, whatever the file is called."""

    arn: str
    collected: Collected


def is_by_endpoint(incident: Incident) -> bool:
    """Whether the message says that an endpoint's policy denied."""
    return incident.cause.get("policy_type") == "vpc-endpoint"


def endpoint_kind() -> PolicyKind:
    """Give the kind of policy that VPC endpoints have."""
    found = kind("endpoint")
    if found is None:
        raise LookupError("policy_kinds.json names no endpoint")
    return found


def endpoints_of(incident: Incident, folder: Folder, requests: Sequence[Request]) -> list[Endpoint]:
    """List the collected policies that may have denied: the one that the message names, else those that do not allow the requests."""
    named = endpoint_id(incident)
    setting, found = for_endpoint(), []
    for word in folder.endpoints():
        own = _ID.search(word)
        collected = folder.policy(word) if own and named in ("", own[0]) else None
        if own is None or collected is None:
            continue
        outcomes = {setting.decide(request, collected.policy).outcome for request in requests}
        if named or outcomes != {"allowed"}:
            arn = word if word.startswith("arn:") else _arn(incident, own[0])
            found.append(Endpoint(arn, collected))
    return found


def endpoint_id(incident: Incident) -> str:
    """Give the id of the endpoint that the message names, "" if it names none."""
    found = _ID.search(str(incident.cause.get("policy_arn") or ""))
    return found[0] if found else ""


def look_at(incident: Incident, among: Sequence[Endpoint]) -> list[Mapping[str, str | None]]:
    """Say which endpoint's policy would tell, and how to fetch it."""
    name, of = endpoint_id(incident), endpoint_kind()
    arns = [each.arn for each in among] or ([_arn(incident, name)] if name else [])
    if arns:
        return [{"policy": of.name, "resource": arn, "command": of.fetch_command(arn)} for arn in arns]
    region = incident.regions[:1]
    command = [
        "aws",
        "ec2",
        "describe-vpc-endpoints",
        "--query",
        _SHOWN,
        *(("--region", *region) if region else ()),
    ]
    resource = f"the endpoint through which {incident.service_name or incident.role_arn} came"
    return [{"policy": of.name, "resource": resource, "command": shlex.join(command)}]


def _arn(incident: Incident, name: str) -> str:
    role = role_parts(incident.role_arn)
    region = incident.regions[0] if incident.regions else ""
    return f"arn:{role.partition if role else 'aws'}:ec2:{region}:{incident.account}:vpc-endpoint/{name}"
