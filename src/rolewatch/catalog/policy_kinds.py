"""Kinds of resource-based policies: what carries one, how it is written in templates, fetched, put, changed, and its size.

Data: `data/policy_kinds.json`, kept by hand; docs/catalog.md tells its fields. Which further types of resources take a
policy is in `naming.py` (`type_takes_policy`); this table has those that somebody may want checked or changed.
"""

import re
import shlex
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from rolewatch.catalog.naming import Named, named, names_in, templates

_DATA = Path(__file__).with_name("data")
_VERSION = re.compile(r"_?20\d\d_?\d\d_?\d\d(?:v\d+)?$")  # that Lambda appends: `AddPermission20150331v2`
_GAP = re.compile(r"\{(\w+)\}")

Rule = Literal["either", "policy", "both"]
"""What an Allow is worth in the account of the resource.

- `either`: an Allow here or in the role's own policy suffices;
- `policy`: this policy has to allow, itself or by handing the decision to the account's IAM policies;
- `both`: this policy has to allow beside the others.
"""


class Written(NamedTuple):
    """How a template writes a policy; paths are of properties, `a.b`, lists on the way not told."""

    type: str  # `AWS::S3::BucketPolicy`, `aws_s3_bucket_policy`
    policy: str  # path of the policy; "" where the statement is written in fields
    resource: str  # path of what names the resource; "" for the resource itself, or the account
    form: Literal["policy", "statement", "fields"]


class Change(NamedTuple):
    """An API call that changes a policy, by what CloudTrail records; paths are of `requestParameters`."""

    source: str  # event source without `.amazonaws.com`
    name: str
    policy: (
        str  # path of the new policy, as object or as JSON text; "" where it is gone or not recorded whole
    )
    when: str  # path that has to be there, or path=value; "" for every call

    def applies(self, parameters: Mapping[str, Any] | None) -> bool:
        """Whether a call with these request parameters changes the policy, as far as they tell."""
        path, equals, value = self.when.partition("=")
        found = _at(parameters, path.split("."))
        if equals:
            return value in found
        return not path or any(item is not None and item is not False for item in found)

    def new_policy(self, parameters: Mapping[str, Any] | None) -> Any:
        """Give the policy that a call sets, as recorded (an object or JSON text); None where there is none."""
        return next(iter(_at(parameters, self.policy.split("."))), None) if self.policy else None


class PolicyKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of resource-based policy; `fetch` and `put` have gaps such as {arn} and {name}."""

    kind: str  # `bucket`: a word for options and rows
    name: str  # `bucket policy`: for people
    type: str  # of the resource, as `naming` writes it
    prefixes: tuple[str, ...]  # of IAM actions that it can decide on; "*" for all
    rule: Rule
    fetch: str  # AWS CLI command that prints the policy
    put: str  # AWS CLI command that sets it from a file
    changes: tuple[Change, ...]
    sources: tuple[str, ...]
    also: tuple[str, ...] = ()  # types of parts that it decides on as well
    parts: tuple[str, ...] = ("",)  # what may follow the resource's ARN in a Resource that it decides on
    cloudformation: tuple[Written, ...] = ()
    terraform: tuple[Written, ...] = ()
    limit: int | None = None  # of its size, None where none is documented
    unit: Literal["bytes", "characters", "characters without white space"] = "bytes"
    answer: str = ""  # where the policy is in the answer of the API that `fetch` calls
    file: Literal["policy", "wrapped", "attributes", "details", "patch", ""] = "policy"

    @property
    def arns(self) -> tuple[str, ...]:
        """The forms of the resource's ARN without `arn:{partition}:`, with `{region}`, `{account}` and gaps for names."""
        return templates(self.type)

    def size(self, text: str) -> int:
        """Measure a policy's text as the limit does."""
        if self.unit == "bytes":
            return len(text.encode())
        return len(re.sub(r"\s", "", text)) if self.unit == "characters without white space" else len(text)

    def fetch_command(self, arn: str) -> str | None:
        """Write the command that prints the policy of a resource, quoted for a shell; None if the ARN does not tell it."""
        return _command(self, self.fetch, arn, {})

    def put_command(self, arn: str, file: str, *, policy: str = "POLICY-NAME") -> str | None:
        """Write the command that sets the policy from a file, quoted for a shell; `file_text` says what is in the file.

        `policy` names the policy where a resource has several. None where the ARN does not tell the resource, or the
        policy can only be set statement by statement.
        """
        return _command(self, self.put, arn, {"file": file, "policy": policy}) if self.file else None

    def file_text(self, policy: str, arn: str = "") -> str:
        """Write what the file of `put_command` has to hold: the policy's JSON text, or what the API wraps it in."""
        if self.file == "attributes":
            return _json({"Policy": policy})
        if self.file == "wrapped":
            return _json({"Policy": policy})
        if self.file == "patch":
            return _json([{"op": "replace", "path": "/policy", "value": policy}])
        if self.file == "details":
            return _json({"Name": arn.rpartition("/")[2], "Policy": policy})
        return policy


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _at(parameters: Any, path: list[str]) -> list[Any]:
    """List what is at a path, of each item of a list on the way; names are compared without regard to case."""
    if isinstance(parameters, list):
        return [found for item in parameters for found in _at(item, path)]
    if not path:
        return [parameters]
    if not isinstance(parameters, Mapping):
        return []
    wanted = path[0].lower()
    return [
        found
        for key, value in parameters.items()
        if str(key).lower() == wanted
        for found in _at(value, path[1:])
    ]


# A key's policy is asked for by the key, and an alias tells which one that is.
_CARRIER = {
    "AWS::KMS::Alias": "$(aws kms describe-key --key-id {arn} --query KeyMetadata.Arn --output text --region {region})"
}
_DNS = {"aws-cn": "amazonaws.com.cn"}


def _command(kind: PolicyKind, command: str, arn: str, more: Mapping[str, str]) -> str | None:
    found = named(arn)
    if found is None or kind_of_type(found.type) is not kind:
        return None
    values = {**values_of(found), **more}
    carrier = _CARRIER.get(found.type)
    words = []
    for word in command.split():
        if carrier and word == "{arn}":
            words.append(f'"{carrier.format(**{key: shlex.quote(text) for key, text in values.items()})}"')
            continue
        gaps = _GAP.findall(word)
        if any(gap not in values for gap in gaps) or (found.type != kind.type and gaps and not carrier):
            return None
        words.append(shlex.quote(_GAP.sub(lambda gap: values[gap[1]], word)))
    region = values["region"]
    return " ".join([*words, "--region", shlex.quote(region)] if region else words)


def values_of(found: Named) -> dict[str, str]:
    """Give what fills the gaps of a command about a resource: arn, region, account, dns, last, name, name2, name3."""
    _, partition, _, region, account, _ = found.arn.split(":", 5)
    names = names_in(found.arn)
    return {
        "arn": found.arn,
        "region": region,
        "account": account,
        "dns": _DNS.get(partition, "amazonaws.com"),
        "last": names[-1].rpartition("/")[2] if names else "",
        **{f"name{number or ''}": name for number, name in zip((0, 2, 3), names, strict=False)},
    }


@cache
def kinds() -> tuple[PolicyKind, ...]:
    """Give all kinds, S3 first."""
    return tuple(msgspec.json.decode(_DATA.joinpath("policy_kinds.json").read_bytes(), type=list[PolicyKind]))


@cache
def _tables() -> tuple[dict[str, PolicyKind], dict[str, PolicyKind]]:
    by_name = {kind.kind: kind for kind in kinds()}
    by_type = {part: kind for kind in kinds() for part in (kind.type, *kind.also)}
    return by_name, by_type


def kind(name: str) -> PolicyKind | None:
    """Look up a kind by its word (`bucket`)."""
    return _tables()[0].get(name)


def kind_of_type(resource_type: str) -> PolicyKind | None:
    """Look up the kind of policy that decides on resources of a type (`AWS::S3::Bucket`, `AWS::S3::Object`)."""
    return _tables()[1].get(resource_type)


def kind_of(arn: str) -> PolicyKind | None:
    """Look up the kind of policy that decides on the resource of an ARN; None where the table has none."""
    found = named(arn)
    return kind_of_type(found.type) if found else None


def written_as(template_type: str) -> list[tuple[PolicyKind, Written]]:
    """List the policies that a resource of a CloudFormation template or Terraform plan writes, by its type."""
    return _written().get(template_type, [])


@cache
def _written() -> dict[str, list[tuple[PolicyKind, Written]]]:
    table: dict[str, list[tuple[PolicyKind, Written]]] = {}
    for each in kinds():
        for row in (*each.cloudformation, *each.terraform):
            table.setdefault(row.type, []).append((each, row))
    return table


def changed_by(event_source: str, event_name: str) -> list[tuple[PolicyKind, Change]]:
    """List the kinds of policies that a recorded call may change; `Change.applies` tells whether this one did."""
    host = event_source.removesuffix(".cn").removesuffix(".amazonaws.com")
    return _changes().get((host, _VERSION.sub("", event_name)), [])


@cache
def _changes() -> dict[tuple[str, str], list[tuple[PolicyKind, Change]]]:
    table: dict[tuple[str, str], list[tuple[PolicyKind, Change]]] = {}
    for each in kinds():
        for change in each.changes:
            table.setdefault((change.source, change.name), []).append((each, change))
    return table
