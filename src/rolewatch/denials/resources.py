"""Which resource a record is about: by its message, else `resources[]`, else the request, else the API itself.

What a record names is folded to what carries the policy (`catalog/naming.py`), so that a denial and a later success
of one resource get the same ARN however each spells it. Everything here is a pure function of its arguments, and a
scan asks for every call of a watched role: what recurs is remembered. What is remembered is limited in number and in
length, since names are written by attackers.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from rolewatch.catalog.naming import LONGEST, Place, named, type_takes_policy
from rolewatch.catalog.naming_requests import ANY, Row, owner, owner_parameter, rows, services, spell

MOST = 100  # entries, items and parameters that are looked at; nobody but an attacker sends more
SHORT = 128  # characters of a host, a region, the name of a call or a type; they are no longer
REMEMBERED = 16_384  # resources
HOST = ".amazonaws.com"
WRAPPED = ("request", "req")  # how the key ends under which EC2's newer calls have all parameters


_members = msgspec.json.Decoder(dict[str, msgspec.Raw] | None)


class Resource(NamedTuple):
    """What carries the policy."""

    arn: str  # `service:<API host>` where nothing names a resource
    type: str
    account: str | None  # the owner's; None where the record does not tell
    original: str  # what the record names, before folding
    source: str  # "message" | "resources" | "request" | "service"


class Asked(NamedTuple):
    """The call itself; `region`, `account` and `partition` are where a resource is that is named without them."""

    event_source: str
    event_name: str
    region: str
    account: str
    partition: str


# IAM's messages name resources in words: `user ann`, `policy arn:…` (spec/cloudtrail.md §8.3).
WORDS = {
    "group": "AWS::IAM::Group",
    "instance profile": "AWS::IAM::InstanceProfile",
    "policy": "AWS::IAM::ManagedPolicy",
    "role": "AWS::IAM::Role",
    "user": "AWS::IAM::User",
}
# IAM's requests give names without the path that ARNs have; within an account they are unique without it.
WITHOUT_PATH = frozenset(("AWS::IAM::Group", "AWS::IAM::InstanceProfile", "AWS::IAM::Role", "AWS::IAM::User"))
# A part in whose stead the whole is taken where the record names both, since that carries the policy.
WHOLE = {"AWS::EFS::AccessPoint": "AWS::EFS::FileSystem", "AWS::KMS::Alias": "AWS::KMS::Key"}


def takes_policy(resource_type: str, arn: str) -> bool:
    """Whether that kind of resource takes a policy or grant that could allow a call; by type, else by ARN."""
    takes = type_takes_policy(resource_type)
    if takes is None:
        found = named(arn)
        takes = bool(found and type_takes_policy(found.type))
    return takes


def named_resource(asked: Asked, text: str, resources: Sequence[Mapping[str, Any]] | None) -> Resource | None:
    """Name the resource that a message names, else the one that `resources[]` tells; None if neither names one."""
    source = _source(asked.event_source)
    found = _from_message(text, source, _place(asked))
    if found:
        return _completed(found, source, resources) if resources else found
    return _from_resources(source, resources) if resources else None


def listed_resource(event_source: str, resources: Sequence[Mapping[str, Any]]) -> Resource | None:
    """Name the resource that `resources[]` tells; None if it tells none."""
    source = _source(event_source)
    return _entry(source, resources[0]) if len(resources) == 1 else _from_resources(source, resources)


@lru_cache(maxsize=REMEMBERED)
def sole_resource(event_source: str, arn: str, account: str | None, kind: str | None) -> Resource | None:
    """Name the resource that the one entry of `resources[]` tells; None if it tells none."""
    return _entry(_source(event_source), {"ARN": arn, "accountId": account, "type": kind})


def requested_resource(asked: Asked, parameters: Any) -> Resource:
    """Name the resource that the request's parameters tell, the API itself if they tell none."""
    parameters = parameters if isinstance(parameters, dict) else {}
    source = _source(asked.event_source)
    table = rows(source, asked.event_name[:SHORT])
    found = _from_request(parameters, table, source, _place(asked)) if parameters or "" in table else None
    return found or service_resource(asked.event_source)


def may_name(event_source: str, event_name: str, parameters: bytes) -> bool:
    """Whether the JSON of a request's parameters can name a resource: a cheap test that lets nothing slip."""
    table = rows(_source(event_source), event_name[:SHORT])
    if "" in table or b"arn:" in parameters or b"\\" in parameters:
        return True
    try:
        keys = _members.decode(parameters) or ()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return True
    return any(name in table or name.endswith(WRAPPED) for name in map(str.lower, keys))


@lru_cache(maxsize=1024)
def _source(event_source: str) -> str:
    return event_source[:SHORT].removesuffix(".cn").removesuffix(HOST)


def _place(asked: Asked) -> Place:
    return Place(asked.partition[:SHORT], asked.region[:SHORT], asked.account[:SHORT])


@lru_cache(maxsize=1024)
def service_resource(event_source: str) -> Resource:
    """Name the API itself, where nothing names a resource: `service:macie2.amazonaws.com`."""
    event_source = event_source[:SHORT]
    host = event_source if event_source.isprintable() and " " not in event_source else ""
    arn = f"service:{host or 'unknown'}"
    return Resource(arn, "AWS::Service", None, arn, "service")


def _from_message(text: str, source: str, place: Place) -> Resource | None:
    if text.startswith("arn:"):
        return _from_arn(source, text, "message")
    if len(text) > LONGEST:
        return None
    if source == "iam":
        word, _, name = text.rpartition(" ")
        if word not in WORDS:
            return None
        if name.startswith("arn:"):
            return _from_arn(source, name, "message")
        return _from_names(source, WORDS[word], (name,), place, "message")
    if source == "sqs" and text.startswith("http"):
        return _from_names(source, "AWS::SQS::Queue", (text,), place, "message")
    return None


def _completed(found: Resource, source: str, resources: Sequence[Mapping[str, Any]]) -> Resource:
    """Add what `resources[]` knows of the resource that the message names: its owner, or the key behind an alias."""
    whole = WHOLE.get(found.type)
    if found.account and not whole:
        return found
    for entry in resources[:MOST]:
        listed = _entry(source, entry)
        if listed is None:
            continue
        if whole and listed.type == whole:
            return listed._replace(original=found.original, source=found.source)
        if listed.arn == found.arn and listed.account and not found.account:
            found = found._replace(account=listed.account)
    return found


def _from_resources(source: str, resources: Sequence[Mapping[str, Any]]) -> Resource | None:
    """Choose the entry that the call is about; of equal ones the first."""
    best: Resource | None = None
    for entry in resources[:MOST]:
        found = _entry(source, entry)
        if found is None:
            continue
        if best is None:
            best = found
        elif found.arn == best.arn:  # the bucket says who owns it, the object what was asked for
            original = found.original if best.original == best.arn else best.original
            best = best._replace(original=original, account=best.account or found.account)
        elif _rank(source, found.type, found.arn) > _rank(source, best.type, best.arn):
            best = found
    return best


@lru_cache(maxsize=REMEMBERED)
def _rank(source: str, resource_type: str, arn: str) -> tuple[bool, ...]:
    return (
        arn.split(":", 3)[2] in services(source),
        takes_policy(resource_type, arn),
        resource_type not in WHOLE,
        resource_type
        == "AWS::S3::AccessPoint",  # a message about a call through one names it, not the bucket
    )


def _entry(source: str, entry: Mapping[str, Any]) -> Resource | None:
    if not isinstance(entry, dict):
        return None
    arn, kind, account = entry.get("ARN"), entry.get("type"), entry.get("accountId")
    if not isinstance(arn, str) or len(arn) > 2 * LONGEST:
        return None
    if not isinstance(kind, str) or len(kind) > SHORT:
        kind = None
    if not isinstance(account, str) or len(account) > SHORT:
        account = None
    return _remembered(source, arn, "resources", account, kind)


def _from_request(
    parameters: dict[str, Any], table: Mapping[str, Sequence[Row]], source: str, place: Place
) -> Resource | None:
    lowered = _lowered(parameters)
    if source == "ec2":
        wrapped = next((key for key in lowered if key.endswith(WRAPPED)), None)
        lowered = _lowered(lowered[wrapped]) | lowered if wrapped else lowered
    told = owner(lowered.get(owner_parameter(source)))
    if told:
        place = place._replace(account=told)
    for row in sorted(row for key in ("", *lowered) if key in table for row in table[key]):
        found = _by_row(row, lowered, source, place)
        if found:
            return found
    known = services(source)
    for value in list(lowered.values())[
        :MOST
    ]:  # no row knows the parameter, but it is an ARN of this service
        arn = value[0] if isinstance(value, list) and value else value
        if isinstance(arn, str) and arn.startswith("arn:"):
            found = _from_arn(source, arn, "request")
            if found and found.arn.split(":", 3)[2] in known:
                return found
    return None


def _lowered(node: Any) -> dict[str, Any]:
    return (
        {key.lower(): value for key, value in node.items() if isinstance(key, str)}
        if isinstance(node, dict)
        else {}
    )


def _by_row(row: Row, parameters: dict[str, Any], source: str, place: Place) -> Resource | None:
    names = []
    for key, *path in row.parts:
        name = _first(parameters.get(key), path)
        if not name or len(name) > LONGEST:
            return None
        names.append(name)
    if names and names[-1].startswith("arn:"):
        found = _from_arn(source, names[-1], "request")
        fits = found and (row.type == ANY or found.arn.split(":", 3)[2] in services(source))
        return found if fits else None
    return _from_names(source, row.type, tuple(names), place, "request")


def _first(node: Any, path: Sequence[str]) -> str | None:
    """Read the first text at a path; lists are entered on the way, but not lists in lists, which no API has."""
    if isinstance(node, list):
        items = (item for item in node[:MOST] if not isinstance(item, list))
        return next((name for item in items if (name := _first(item, path))), None)
    if not path:
        if isinstance(node, dict):
            node = node.get("content")  # of an XML element: {"tag": 1, "content": "fl-1"}
        if type(node) is int:
            return str(node) if 0 <= node < 10**18 else None  # a version, in some services
        return node if isinstance(node, str) else None
    if not isinstance(node, dict):
        return None
    if path[0] == "{}":
        return next(iter(node), None)
    for key, value in node.items():
        if isinstance(key, str) and key.lower() == path[0]:
            return _first(value, path[1:])
    return None


@lru_cache(maxsize=REMEMBERED)
def _from_names(
    source: str, resource_type: str, names: tuple[str, ...], place: Place, found_in: str
) -> Resource | None:
    arn = spell(resource_type, names, place)
    return _from_arn(source, arn, found_in) if arn else None


def _from_arn(
    source: str, arn: str, found_in: str, account: str | None = None, kind: str | None = None
) -> Resource | None:
    return _remembered(source, arn, found_in, account, kind) if len(arn) <= 2 * LONGEST else None


@lru_cache(maxsize=REMEMBERED)
def _remembered(
    source: str, arn: str, found_in: str, account: str | None, kind: str | None
) -> Resource | None:
    """Make the resource that an ARN stands for; `account` and `kind` are for what the ARN does not tell."""
    it = named(arn)
    if it is None:
        return None
    folded = it.arn
    if source == "iam" and it.type in WITHOUT_PATH:
        head, _, name = folded.rpartition("/")
        folded = f"{head.partition('/')[0]}/{name}"
    original = arn if arn.isprintable() else folded
    return Resource(
        folded, it.type if it.known else kind or it.type, it.account or owner(account), original, found_in
    )
