"""Findings and ARNs in; what has to be collected for them out: resources, roles, and places whose VPC endpoints count."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from rolewatch.base.errors import UsageError
from rolewatch.catalog.naming import is_account, named
from rolewatch.catalog.policy_kinds import PolicyKind, kind_of_type
from rolewatch.catalog.profile import role_parts

_REGION: Final = re.compile(r"[a-z]{2,4}(?:-[a-z]{1,12}){1,3}-[0-9]{1,2}")
_ENDPOINT: Final = re.compile(r"arn:aws[a-z-]*:ec2:[a-z0-9-]+:[0-9]{12}:vpc-endpoint/vpce-[0-9a-z]+")

_REMEDY: Final = "give findings as `rolewatch scan --format json` prints them"


class Target(NamedTuple):
    """A resource whose policy is wanted; `account` is whose credentials to ask with, `region` where ("" for anywhere)."""

    arn: str
    type: str
    kind: PolicyKind
    account: str
    region: str


class Place(NamedTuple):
    """An account and a region."""

    account: str
    region: str


class Wanted(NamedTuple):
    """What to collect: resources and roles, and places whose endpoints were named by no ARN."""

    targets: tuple[Target, ...] = ()
    endpoints: tuple[Place, ...] = ()

    @property
    def accounts(self) -> tuple[str, ...]:
        """All accounts, in order."""
        found = {each.account for each in self.targets} | {each.account for each in self.endpoints}
        return tuple(sorted(found))


def target_of(arn: str, account: str, region: str = "") -> Target | None:
    """Make the target of an ARN, `account` and `region` being those that it may not tell; None where it carries no policy.

    Of what is in no region only a bucket is asked for in one.
    ARNs of findings are written by strangers: a region that could not be one leads to None, since it becomes part of a host's name.
    """
    found = named(arn)
    kind = kind_of_type(found.type) if found else None
    if found is None or kind is None:
        return None
    own = found.arn.split(":")[3] or (region if found.service == "s3" else "")
    whose = found.account or account
    if (own and not _REGION.fullmatch(own)) or not is_account(whose):
        return None
    return Target(found.arn, found.type, kind, whose, own)


def of_findings(
    findings: Iterable[Mapping[str, Any]], *, caller: str, accounts: Collection[str] = ()
) -> Wanted:
    """List what the findings are about, each thing once; of `accounts` only, if there are any.

    `caller` is the account to ask where nothing tells whose a resource is. UsageError for what is no finding.
    """
    targets: dict[str, Target] = {}
    endpoints: dict[Place, None] = {}
    for finding in findings:
        for target in _of_finding(finding, caller):
            targets.setdefault(target.arn, target)
        endpoints.update(dict.fromkeys(_endpoints(finding)))
    return Wanted(
        tuple(each for each in targets.values() if not accounts or each.account in accounts),
        tuple(each for each in endpoints if not accounts or each.account in accounts),
    )


def of_arns(arns: Iterable[str], *, caller: str) -> Wanted:
    """List named resources; UsageError for an ARN that no policy belongs to."""
    found = []
    for arn in dict.fromkeys(arns):
        target = target_of(arn, caller)
        if target is None:
            raise UsageError(
                f"--arn {arn[:200]!r} is no ARN of a resource that carries a policy",
                remedy="write it as in arn:aws:s3:::my-bucket; `rolewatch aws --help` names the kinds",
            )
        found.append(target)
    return Wanted(tuple(found))


def _of_finding(finding: Mapping[str, Any], caller: str) -> Iterator[Target]:
    """Yield the resource, the role if it is a service-linked one, and the endpoint if the message names it."""
    if not isinstance(finding.get("resource"), str):
        raise UsageError("this is no finding: it names no resource", remedy=_REMEDY)
    regions = _texts(finding, "regions")
    region = next((each for each in regions if _REGION.fullmatch(each)), "")
    account = _text(finding, "resource_account") or _text(finding, "account") or caller
    role = _text(finding, "role_arn")
    cause = finding.get("cause")
    endpoint = _text(cause, "policy_arn") if isinstance(cause, Mapping) else ""
    asked = [
        (_text(finding, "resource"), account),
        (role if role_parts(role) else "", account),
        (endpoint if _ENDPOINT.fullmatch(endpoint) else "", account),
    ]
    for arn, whose in asked:
        target = target_of(arn, whose, region) if arn else None
        if target:
            yield target


def _endpoints(finding: Mapping[str, Any]) -> Iterator[Place]:
    """Yield where an endpoint's policy denied that the message does not name."""
    cause, account = finding.get("cause"), _text(finding, "account")
    if (
        not isinstance(cause, Mapping)
        or cause.get("policy_type") != "vpc-endpoint"
        or not is_account(account)
    ):
        return
    if not _ENDPOINT.fullmatch(_text(cause, "policy_arn")):
        yield from (Place(account, each) for each in _texts(finding, "regions") if _REGION.fullmatch(each))


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    if value is not None and not isinstance(value, str):
        raise UsageError(
            f"this is no finding: {key} is {str(value)[:100]!r}",
            remedy=_REMEDY,
        )
    return value or ""


def _texts(found: Mapping[str, Any], key: str) -> list[str]:
    value = found.get(key) or []
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
