"""Which parameter of a request names its resource, and how a name there becomes an ARN.

`data/naming_requests.json` has rows of [event source without `.amazonaws.com`, request parameter, type, calls]. Rows
are tried in order; a row without calls is for all calls that have no row of their own. `a.b` is a member, `a{}` are the
keys of a map, `a+b` is a name of two parts, no parameter at all stands for what an account has one of; of a list the
first item counts. Type `*` is told by the id's prefix, or by the kind that the first of two parts names. Parameters are
spelled as CloudTrail does (lowerCamelCase of the API's member; EC2 and S3 in their own way), compared without regard to
case, and looked for inside of EC2's `DescribeFlowLogsRequest` and the like as well. `accounts` are the parameters that tell
the owner's account. Sources: botocore's service models; published CloudTrail records; the services' CloudTrail pages.
"""

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from rolewatch.catalog.naming import Place, build, is_account, service_of

ANY = "*"

# Prefixes of ids that say what they name (EC2, EFS and Systems Manager user guides).
ID_PREFIXES = {
    "acl": "AWS::EC2::NetworkAcl",
    "ami": "AWS::EC2::Image",
    "cgw": "AWS::EC2::CustomerGateway",
    "dopt": "AWS::EC2::DHCPOptions",
    "eigw": "AWS::EC2::EgressOnlyInternetGateway",
    "eipalloc": "AWS::EC2::EIP",
    "eni": "AWS::EC2::NetworkInterface",
    "fl": "AWS::EC2::FlowLog",
    "fs": "AWS::EFS::FileSystem",
    "fsap": "AWS::EFS::AccessPoint",
    "i": "AWS::EC2::Instance",
    "igw": "AWS::EC2::InternetGateway",
    "lt": "AWS::EC2::LaunchTemplate",
    "mi": "AWS::SSM::ManagedInstance",
    "nat": "AWS::EC2::NatGateway",
    "pcx": "AWS::EC2::VPCPeeringConnection",
    "pl": "AWS::EC2::PrefixList",
    "rtb": "AWS::EC2::RouteTable",
    "sg": "AWS::EC2::SecurityGroup",
    "snap": "AWS::EC2::Snapshot",
    "subnet": "AWS::EC2::Subnet",
    "tgw": "AWS::EC2::TransitGateway",
    "vgw": "AWS::EC2::VPNGateway",
    "vol": "AWS::EC2::Volume",
    "vpc": "AWS::EC2::VPC",
    "vpce": "AWS::EC2::VPCEndpoint",
    "vpn": "AWS::EC2::VPNConnection",
}

# Kinds as Systems Manager's requests name them (its API reference, AddTagsToResource); ids of instances tell themselves.
KIND_WORDS = {
    "Document": "AWS::SSM::Document",
    "MaintenanceWindow": "AWS::SSM::MaintenanceWindow",
    "Parameter": "AWS::SSM::Parameter",
    "PatchBaseline": "AWS::SSM::PatchBaseline",
}

_DATA = Path(__file__).with_name("data").joinpath("naming_requests.json")
_QUEUE = re.compile(
    r"https?://([^/:]+)(?::\d+)?/(\d{12})/([A-Za-z0-9_.-]+)/?"
)  # SQS API reference, GetQueueUrl
_REGION = re.compile(r"(?:^|\.)([a-z]{2}(?:-[a-z]{2,10}){1,3}-\d{1,2})\.")
_PARTIAL = re.compile(r"(\d{12}):(function:.+)")  # Lambda API reference: `123456789012:function:my-function`
_ZONAL = re.compile(r"[a-z0-9.-]+--[a-z0-9]+-[a-z0-9]+--x-s3")  # S3 user guide, Directory bucket naming rules
_ZONAL_TYPES = {
    "AWS::S3::Bucket": "AWS::S3Express::DirectoryBucket",
    "AWS::S3::Object": "AWS::S3Express::Object",
}
# Names that AWS keeps in lower case, whatever the request says (their API references).
_LOWER_CASE = frozenset(("elasticache", "memorydb", "rds", "redshift"))
# The services whose names take more than filling in a template.
_OWN_SPELLING = frozenset(("kms", "lambda", "route53", "s3", "sqs", "ssm", "wafv2"))


class Row(NamedTuple):
    """A request parameter that names a resource of a type: the path of members to each part of the name."""

    order: int  # the first is tried first
    type: str
    parts: tuple[tuple[str, ...], ...]


class Line(NamedTuple):
    """A row of the table as it stands."""

    source: str
    parameter: str
    type: str
    calls: str


class _Table(msgspec.Struct):
    accounts: dict[str, str]
    rows: list[Line]


@cache
def _table() -> _Table:
    return msgspec.json.decode(_DATA.read_bytes(), type=_Table)


def lines() -> list[Line]:
    """Give the whole table."""
    return _table().rows


@cache
def _by_source() -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in lines():
        found.setdefault(line.source, []).append(line)
    return found


@lru_cache(maxsize=1024)
def rows(source: str, call: str) -> dict[str, tuple[Row, ...]]:
    """Find the rows for a call, by the parameter (in lower case) that the first part of the name is in."""
    known = _by_source().get(source, [])
    own = [line for line in known if call in line.calls.split()]
    found: dict[str, tuple[Row, ...]] = {}
    for order, line in enumerate(own or [line for line in known if not line.calls]):
        parts = tuple(map(path, line.parameter.split("+"))) if line.parameter else ()
        key = parts[0][0] if parts else ""
        found[key] = (*found.get(key, ()), Row(order, line.type, parts))
    return found


def path(parameter: str) -> tuple[str, ...]:
    """Take a parameter apart: `requestItems{}` → ("requestitems", "{}")."""
    return tuple(parameter.lower().replace("{}", ".{}").split("."))


def owner_parameter(source: str) -> str:
    """Name the parameter, in lower case, in which calls tell the account of a resource's owner; "" if there is none."""
    return _table().accounts.get(source, "").lower()


@lru_cache(maxsize=1024)
def services(source: str) -> frozenset[str]:
    """List the services that the ARNs of a source's resources carry (`monitoring` → `cloudwatch`)."""
    types = {line.type for line in _by_source().get(source, [])}
    own = {service_of(kind) for kind in (types | set(ID_PREFIXES.values()) if ANY in types else types)}
    return frozenset((own | {source, source.rpartition(".")[2]}) - {""})


def spell(resource_type: str, names: tuple[str, ...], place: Place) -> str | None:
    """Write the ARN of a resource by its names as a request spells them; None where they are no names of that type.

    A part before the last may be an ARN itself (ECS: the cluster of a service); its last word is taken.
    """
    if resource_type == ANY:
        by_prefix = ID_PREFIXES.get(names[-1].partition("-")[0], "")
        resource_type, names = KIND_WORDS.get(names[0], by_prefix), names[-1:]
    service = service_of(resource_type)
    if service in _OWN_SPELLING:
        return _spell(resource_type, names, place)
    names = tuple(re.split("[:/]", name)[-1] if name.startswith("arn:") else name for name in names)
    if service in _LOWER_CASE:
        names = tuple(map(str.lower, names))
    return build(resource_type, names, place)


def _spell(resource_type: str, names: tuple[str, ...], place: Place) -> str | None:
    first, last = names[0], names[-1]
    match resource_type:
        case "AWS::SQS::Queue" if url := _QUEUE.fullmatch(last):
            region = _REGION.search(url[1])
            place = Place(place.partition, region[1] if region else place.region, url[2])
            names = (url[3],)
        case "AWS::KMS::Key" | "AWS::KMS::Alias" if last.startswith("alias/"):
            resource_type, names = "AWS::KMS::Alias", (last.removeprefix("alias/"),)
        case "AWS::Lambda::Function":
            if partial := _PARTIAL.fullmatch(first):
                first, place = partial[2], place._replace(account=partial[1])
            name, _, qualifier = first.removeprefix("function:").partition(":")
            names = (name, *filter(None, (qualifier, *names[1:])))
        case "AWS::S3::Bucket" | "AWS::S3::Object" if _ZONAL.fullmatch(first):
            resource_type = _ZONAL_TYPES[resource_type]
        case "AWS::SSM::Parameter":
            names = (last.strip("/").partition(":")[0],)
        case "AWS::Route53::HostedZone" | "AWS::Route53::HealthCheck":
            names = (last.rpartition("/")[2],)
        case _ if resource_type.startswith("AWS::WAFv2::"):
            names = ("regional" if first == "REGIONAL" else "global", *names[1:])
    return build(resource_type, names, place)


def owner(text: object) -> str | None:
    """Take an account's number as a request or an entry of `resources[]` tells it; None for anything else."""
    return text if isinstance(text, str) and is_account(text) else None
