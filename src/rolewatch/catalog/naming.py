"""How AWS writes ARNs: kinds of resources, which of them take a policy, and which ARN carries another one's policy.

`data/naming_kinds.json` has rows of [CloudFormation-like type, ARN without `arn:{partition}:`, API that sets a policy
which could allow a call on such a resource, as botocore names service and operation, or ""]. In a template `{}` stands
for text without `:` and `/`, `{/}` for text without `:`, `{*}` for anything. Sources: the Service Authorization
Reference's tables of resource types; botocore's service models. Of several rows of one type the first that fits is
written. What requests call these resources is in `naming_requests.py`.
"""

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

_DATA = Path(__file__).with_name("data")
LONGEST = 2048  # characters of an ARN
_PLACEHOLDER = re.compile(r"\{(?:region|account|/|\*|)\}")
_NAMES = ("{}", "{/}", "{*}")
_STANDS_FOR = {"{}": "[^:/]+", "{/}": "[^:]+", "{*}": ".+", "{region}": "[^:]*", "{account}": "[^:]*"}
_ARN = re.compile(r"arn:(aws[a-z-]{0,20}):([a-z0-9-]{1,64}):(.*)", re.DOTALL)
_BUCKET = re.compile(r"arn:aws[a-z-]{0,20}:s3:::[a-z0-9._-]{1,63}")
_UNNAMEABLE = re.compile(r"[*?\s]")


class Kind(NamedTuple):
    """A kind of resource: its type, its ARN's template, and the API that sets a policy on it ("" for none)."""

    type: str
    template: str
    policy: str


class Place(NamedTuple):
    """Where a resource is that a record names without saying so."""

    partition: str
    region: str
    account: str


class Named(NamedTuple):
    """A resource by the ARN of what carries its policy; `account` is None where the ARN holds none."""

    arn: str
    type: str
    known: bool  # the type is a row's; otherwise it is made from the ARN's own words
    account: str | None
    service: str


class Fold(NamedTuple):
    """One ARN that stands for another: `region:account:resource` of a service, and what it becomes; "" is no resource."""

    service: str
    tail: str  # a regular expression that has to match in full
    becomes: str


# A part carries no policy of its own, or the design counts it as part of the whole (stream of a table, consumer of a
# stream); or AWS writes one and the same resource with and without a suffix that a request does not tell.
FOLDS = (
    Fold("apigateway", r"([^:]*:[^:]*:/(?:restapis|apis|domainnames|vpclinks|usageplans)/[^/]+)/.+", "{0}"),
    Fold("apigateway", r"[^:]*:[^:]*:/(?!account)[a-z]*", ""),  # a collection
    Fold("autoscaling", r"([^:]*:[^:]*):(autoScalingGroup|launchConfiguration):[^:]*:(.+)", "{0}:{1}::{2}"),
    Fold("batch", r"([^:]*:[^:]*:job-definition/[^:]+):.+", "{0}"),
    Fold("cloudformation", r"([^:]*:[^:]*:stack/[^/]+)/.*", "{0}"),
    Fold("cloudformation", r"([^:]*:[^:]*:stackset/[^:/]+):.*", "{0}"),
    Fold("codebuild", r"([^:]*:[^:]*):build/([^:/]+):.+", "{0}:project/{1}"),
    Fold("config", r"([^:]*:[^:]*:conformance-pack/[^/]+)/.+", "{0}"),
    Fold("dynamodb", r"([^:]*:[^:]*:table/[^/]+)/.+", "{0}"),
    Fold("ec2", r"([^:]*):[^:]+:((?:image|snapshot)/.+)", "{0}::{1}"),
    Fold("ecs", r"([^:]*:[^:]*:task-definition/[^:]+):.+", "{0}"),
    Fold("eks", r"([^:]*:[^:]*:(?:nodegroup|addon|fargateprofile)/[^/]+/[^/]+)/.+", "{0}"),
    Fold("es", r"([^:]*:[^:]*:domain/[^/]+)/.*", "{0}"),
    Fold("events", r"([^:]*:[^:]*):rule/default/(.+)", "{0}:rule/{1}"),
    Fold("events", r"([^:]*:[^:]*):rule/([^/]+)/.+", "{0}:event-bus/{1}"),
    Fold("execute-api", r"([^:]*:[^:]*:[^:/]+)/.*", "{0}"),
    Fold("glue", r"([^:]*:[^:]*):(?:database|table|tableVersion|userDefinedFunction|connection)/.+", "{0}:catalog"),
    Fold("kinesis", r"([^:]*:[^:]*:stream/[^/]+)/consumer/.+", "{0}"),
    Fold("lambda", r"([^:]*:[^:]*:function:[^:]+):.*", "{0}"),
    Fold("logs", r"([^:]*:[^:]*:log-group:[^:]+):.*", "{0}"),
    Fold("mq", r"([^:]*:[^:]*:broker):[^:]+:(.+)", "{0}:{1}"),
    Fold("s3", r"(::[^:/]+)/.*", "{0}"),
    Fold("s3", r"([^:]*:[^:]+:accesspoint/[^/]+)/.*", "{0}"),
    Fold("s3-object-lambda", r"([^:]*:[^:]+:accesspoint/[^/]+)/.*", "{0}"),
    Fold("s3-outposts", r"([^:]*:[^:]*:outpost/[^/]+/(?:bucket|accesspoint)/[^/]+)/.*", "{0}"),
    Fold("s3express", r"([^:]*:[^:]*:(?:bucket|accesspoint)/[^/]+)/.*", "{0}"),
    Fold("s3vectors", r"([^:]*:[^:]*:bucket/[^/]+)/.*", "{0}"),
    Fold("sns", r"([^:]*:[^:]*:[^:/]+):.+", "{0}"),
    Fold("ssm", r"([^:]*:[^:]*:parameter/[^:]+):.+", "{0}"),
    Fold("states", r"([^:]*:[^:]*):(?:express|execution):([^:]+):.+", "{0}:stateMachine:{1}"),
    Fold("states", r"([^:]*:[^:]*:stateMachine:[^:]+):.+", "{0}"),
    Fold("sts", r"([^:]*:[^:]*:assumed-role/[^/]+)/.+", "{0}"),
)  # fmt: skip


Head = tuple[str, str]  # service, first word of the resource


class _Table(NamedTuple):
    by_type: dict[str, list[Kind]]
    by_head: dict[Head, list[Kind]]
    folds: dict[str, list[Fold]]


@cache
def _table() -> _Table:
    table = _Table({}, {}, {})
    for kind in msgspec.json.decode(_DATA.joinpath("naming_kinds.json").read_bytes(), type=list[Kind]):
        service, _, tail = kind.template.partition(":")
        head = _head(tail.split(":", 2)[2].partition("{")[0])
        table.by_type.setdefault(kind.type, []).append(kind)
        table.by_head.setdefault((service, head), []).append(kind)
    for fold in FOLDS:
        table.folds.setdefault(fold.service, []).append(fold)
    return table


# Patterns are compiled when their service is first met: all of them at once would take longer than a small scan.
@cache
def _folds(service: str) -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(fold.tail, re.DOTALL), fold.becomes) for fold in _table().folds.get(service, ())]


@cache
def _patterns(head: Head) -> list[tuple[re.Pattern[str], Kind]]:
    return [(re.compile(_pattern(kind)), kind) for kind in _table().by_head.get(head, ())]


def _pattern(kind: Kind) -> str:
    """Write the regular expression for `region:account:resource` of a kind."""
    tail = kind.template.partition(":")[2]
    literals = map(re.escape, _PLACEHOLDER.split(tail))
    gaps = [_STANDS_FOR[gap] for gap in _PLACEHOLDER.findall(tail)]
    return "".join(part for pair in zip(literals, [*gaps, ""], strict=True) for part in pair)


def _head(resource: str) -> str:
    """Give the first word of an ARN's resource; "" where it starts with a name of the customer's."""
    end = min((at for at in (resource.find("/"), resource.find(":")) if at >= 0), default=-1)
    return resource[:end] if end >= 0 else ""


def named(arn: str) -> Named | None:
    """Fold an ARN to what carries the policy; None for a wildcard, for free text, and for what cannot be an ARN."""
    if _BUCKET.fullmatch(arn) and not arn.endswith("..."):  # what most ARNs are, and nothing to fold
        return Named(arn, "AWS::S3::Bucket", known=True, account=None, service="s3")
    match = _ARN.fullmatch(arn)
    if match is None:
        return None
    partition, service, tail = match.groups()
    for pattern, becomes in _folds(service) if service in _table().folds else ():
        part = pattern.fullmatch(tail)
        if part:
            tail = becomes.format(*part.groups())
            break
    account, _, resource = tail.partition(":")[2].partition(":")
    whole = f"arn:{partition}:{service}:{tail}"
    if not resource or resource.endswith((":", "/", "...")) or len(whole) > LONGEST:
        return None  # CloudTrail and those who publish records write `...` for what they leave out
    if _UNNAMEABLE.search(whole) or not whole.isprintable():
        return None
    kind = _kind(service, tail, resource)
    return Named(
        arn=whole,
        type=kind.type if kind else _type(service, resource),
        known=kind is not None,
        account=account if is_account(account) else None,
        service=service,
    )


def is_account(text: str) -> bool:
    """Whether a text is an account's number; `aws` and anything else in its place is not."""
    return len(text) == 12 and text.isascii() and text.isdigit()


def _type(service: str, resource: str) -> str:
    """Write a type for a kind that no row knows: `AWS::newservice::widget`."""
    word = _head(resource.lstrip("/"))
    return f"AWS::{service}::{word}" if word else f"AWS::{service}"


def _kind(service: str, tail: str, resource: str) -> Kind | None:
    known, head = _table().by_head, _head(resource)
    for word in (head, "") if head else ("",):
        if (service, word) in known:
            for pattern, kind in _patterns((service, word)):
                if pattern.fullmatch(tail):
                    return kind
    return None


@lru_cache(maxsize=1024)
def type_takes_policy(resource_type: str) -> bool | None:
    """Whether a policy on resources of a type could allow a call; None where no row knows the type."""
    kinds = _table().by_type.get(resource_type)
    return any(kind.policy for kind in kinds) if kinds else None


def service_of(resource_type: str) -> str:
    """Give the service in the ARNs of a type; "" where no row knows the type."""
    kinds = _table().by_type.get(resource_type)
    return kinds[0].template.partition(":")[0] if kinds else ""


def templates(resource_type: str) -> tuple[str, ...]:
    """Give the forms of a type's ARNs without `arn:{partition}:`; none where no row knows the type."""
    return tuple(kind.template for kind in _table().by_type.get(resource_type, ()))


def names_in(arn: str) -> tuple[str, ...]:
    """Take the names out of an ARN that fits a template, in their order: what `build` would need; () for any other."""
    match = _ARN.fullmatch(arn)
    if match is None or len(arn) > LONGEST:
        return ()
    _, service, tail = match.groups()
    kind = _kind(service, tail, tail.split(":", 2)[-1])
    if kind is None:
        return ()
    _, _, form = kind.template.partition(":")
    gaps = _PLACEHOLDER.findall(form)
    literals = map(re.escape, _PLACEHOLDER.split(form))
    captured = [f"({_STANDS_FOR[gap]})" if gap in _NAMES else _STANDS_FOR[gap] for gap in gaps]
    pattern = "".join(part for pair in zip(literals, [*captured, ""], strict=True) for part in pair)
    found = re.fullmatch(pattern, tail, re.DOTALL)
    return found.groups() if found else ()


def build(resource_type: str, names: tuple[str, ...], place: Place) -> str | None:
    """Write the ARN of a resource by its names; None where they do not fit a template of the type."""
    for kind in _table().by_type.get(resource_type, ()):
        service, _, tail = kind.template.partition(":")
        gaps = [gap for gap in _PLACEHOLDER.findall(tail) if gap in _NAMES]
        if len(gaps) == len(names) and all(map(_fits, gaps, names)):
            fill = iter(names)
            known = {"{region}": place.region, "{account}": place.account}
            parts = [
                text + (known[gap] if gap in known else next(fill) if gap else "")
                for text, gap in zip(_PLACEHOLDER.split(tail), [*_PLACEHOLDER.findall(tail), ""], strict=True)
            ]
            return f"arn:{place.partition}:{service}:{''.join(parts)}"
    return None


def _fits(gap: str, name: str) -> bool:
    return re.fullmatch(_STANDS_FOR[gap], name, re.DOTALL) is not None
