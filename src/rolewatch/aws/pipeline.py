"""What was asked for in; the pipeline's template and the values of its parameters out.

The template itself is `pipeline.template.yaml`. A parameter that nobody asks for is left out: then a new stack takes the
template's default, and one that is there already keeps what it has.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from rolewatch.base.errors import UsageError

NAME: Final = "rolewatch"  # of the stack, unless another one is given
MARK: Final = "rolewatch pipeline"  # how the description of every such stack begins
TAG: Final = "rolewatch:stack"  # on what outlives the stack, with the stack's name
KEY_TAG: Final = (
    "rolewatch:key"  # on the bucket, with the ARN of the key that its log files are encrypted with
)
LARGEST: Final = 51_200  # bytes of a template that CloudFormation takes without a bucket
SLOTS: Final = tuple(f"Subscription{number}" for number in range(1, 9))
#: What CloudFormation takes, and what a trail may be called, too.
STACK_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{2,99}")
#: Parameters whose values are never shown.
SECRET: Final = frozenset({"FunctionState"})
#: The condition of what remains of a stack that was taken down but for its trail.
TRAIL_ONLY: Final = {"Parts": "trail"}


class Endpoint(NamedTuple):
    """Who is told: a protocol of SNS (`email`, `sqs` …) and its endpoint."""

    protocol: str
    address: str

    @property
    def text(self) -> str:
        """How a parameter holds it."""
        return f"{self.protocol} {self.address}"


@cache
def template() -> str:
    """Give the template as it is shipped."""
    return resources.files("rolewatch.aws").joinpath("pipeline.template.yaml").read_text("utf-8")


@cache
def defaults() -> Mapping[str, str]:
    """Give all parameters with their defaults."""
    sections = document()["Parameters"]
    return {name: str(rules["Default"]) for name, rules in sections.items()}


@cache
def document() -> Mapping[str, Any]:
    """Give the template as data; of a function in short form (`!Ref`), only its argument."""
    import yaml  # noqa: PLC0415 - only where a stack is planned

    class Loader(yaml.SafeLoader):
        pass

    def plain(loader: Any, _: str, node: Any) -> Any:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_scalar(node)

    Loader.add_multi_constructor("!", plain)
    found: Mapping[str, Any] = yaml.load(template(), Loader)  # noqa: S506 - a safe loader, with functions as plain data
    return found


def effective(given: Mapping[str, str], has: Mapping[str, str]) -> dict[str, str]:
    """Give the value of each parameter after a deployment: as given, else as the stack has it, else the default."""
    return {name: given.get(name, has.get(name, default)) for name, default in defaults().items()}


def slots(wanted: Sequence[Endpoint], has: Mapping[str, str]) -> dict[str, str]:
    """Put endpoints into the template's slots so that those which a stack has already stay where they are.

    An endpoint that changed its slot would be subscribed anew, and have to confirm again. Raises UsageError for too many.
    """
    texts = list(dict.fromkeys(endpoint.text for endpoint in wanted))
    if len(texts) > len(SLOTS):
        raise UsageError(
            f"{len(texts)} endpoints are more than the {len(SLOTS)} that the template has places for",
            remedy="subscribe a mailing list, or the others by hand: aws sns subscribe",
        )
    found: dict[str, str] = {}
    for slot in SLOTS:
        if has.get(slot) in texts:
            found[slot] = has[slot]
            texts.remove(has[slot])
    for slot in SLOTS:
        if slot not in found:
            found[slot] = texts.pop(0) if texts else ""
    return {slot: found[slot] for slot in SLOTS}


def inconsistent(values: Mapping[str, str]) -> tuple[str, str] | None:
    """Say what about all parameters together makes no sense, and what to do; None if nothing does."""
    for wrong, said, remedy in _RULES:
        if wrong(values):
            return said, remedy
    return None


def _some(values: Mapping[str, str], *names: str) -> list[bool]:
    return [bool(values[name]) for name in names]


_RULES: Final[Sequence[tuple[Callable[[Mapping[str, str]], object], str, str]]] = (
    (
        lambda values: values["ManagementAccount"] and not values["OrganizationId"],
        "a management account is only of use for an organization's trail",
        "give --organization, too",
    ),
    (
        lambda values: values["OrganizationId"] and values["Trail"] == "existing",
        "an existing trail cannot be made one of the organization",
        "leave out --organization, or deploy a new trail",
    ),
    (
        lambda values: values["DataEvents"] != "none" and values["Trail"] == "existing",
        "data events are for a new trail: an existing one is not changed",
        "leave out --data-events, or write none; `rolewatch aws doctor` tells the command for the trail",
    ),
    (
        lambda values: values["DataEvents"] == "service-linked" and values["OrganizationId"],
        "data events of service-linked roles are those of one account, and an organization has many",
        "write --data-events objects, which is charged for all calls, or none",
    ),
    (
        lambda values: len(set(_some(values, "FunctionBucket", "FunctionCode"))) > 1,
        "the function's code needs a bucket and a key",
        "write --function-code s3://BUCKET/KEY",
    ),
    (
        lambda values: all(_some(values, "FunctionCode", "FunctionImage")),
        "the function is either a zip file or an image",
        "give --function-code or --function-image, and none for the other",
    ),
    (
        lambda values: len(set(_some(values, "FunctionAccessPoint", "FunctionFileSystem"))) > 1,
        "a state on EFS needs the access point and its file system",
        "give --function-access-point and --function-file-system",
    ),
    (
        lambda values: values["FunctionAccessPoint"] and not values["FunctionSubnets"],
        "EFS is reached from within a VPC only",
        "give --function-subnets and --function-security-groups",
    ),
    (
        lambda values: len(set(_some(values, "FunctionSubnets", "FunctionSecurityGroups"))) > 1,
        "a function in a VPC has subnets and security groups",
        "give --function-subnets and --function-security-groups",
    ),
    (
        lambda values: any(_some(values, "FunctionCode", "FunctionImage"))
        and not any(_some(values, "FunctionState", "FunctionAccessPoint")),
        "the function forgets what it has found unless it has a state",
        "give --function-state with the URL of a PostgreSQL, or an EFS access point",
    ),
)  # fmt: skip
"""What is wrong with parameters, what to say, what to do."""
