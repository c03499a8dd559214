"""An AWS CLI command in; the API call that it makes, its parameters, and the IAM action that it needs, out.

The catalogue keeps calls as the commands that people are shown, so that both are one row. botocore's models tell how the command's
words are the API's.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from rolewatch.base.errors import CannotDo
from rolewatch.catalog.actions import iam_action

_SERVICES: Final = {"s3api": "s3"}  # the CLI's names that are not botocore's
_CONVERTED: Final[Mapping[str, Callable[[str], Any]]] = {
    "list": lambda text: [text],
    "integer": int,
    "long": int,
}
_NOT_SENT: Final = ("--query", "--output", "--region")
#: Services of resources that S3's API gives, with a prefix of IAM of their own.
_PREFIXES: Final = ("s3express", "s3-outposts")


class Call(NamedTuple):
    """An API call, as botocore names it; `parameters` are flags of the CLI with their texts, which may have gaps.

    `region` is the only one that answers, "" where each does.
    """

    service: str
    operation: str
    parameters: tuple[tuple[str, str], ...]
    region: str = ""

    @property
    def method(self) -> str:
        """The name of the client's method: `get_bucket_policy`."""
        return self.operation.replace("-", "_")


@cache
def call_of(command: str) -> Call:
    """Read a command: `aws s3api get-bucket-policy --bucket {name} --query Policy --output text`."""
    _, service, operation, *rest = command.split()
    pairs = tuple(zip(rest[::2], rest[1::2], strict=True))
    return Call(
        _SERVICES.get(service, service),
        operation,
        tuple(pair for pair in pairs if pair[0] not in _NOT_SENT),
        dict(pairs).get("--region", ""),
    )


def arguments(call: Call, model: Any, values: Mapping[str, str]) -> dict[str, Any]:
    """Give the call's parameters as botocore takes them, with all gaps filled; `model` is that of the service.

    KeyError for a gap without a value.
    """
    found: dict[str, Any] = {}
    members = _members(model, call)
    for flag, text in call.parameters:
        name, shape = members[flag]
        filled = text.format_map(values)
        found[name] = _CONVERTED.get(shape, str)(filled)
    return found


def action_of(call: Call, model: Any, arn_service: str = "") -> str:
    """Name the IAM action that a call needs: `elasticfilesystem:DescribeFileSystemPolicy`.

    `arn_service` is the service in the ARN of what is asked for, which decides where one API serves several.
    """
    name = _operation(model, call).name
    action, _ = iam_action(f"{model.signing_name}.amazonaws.com", name)
    own = arn_service if arn_service in _PREFIXES and action.startswith("s3:") else ""
    return f"{own}:{action.removeprefix('s3:')}" if own else action


def service_model(service: str) -> Any:
    """Load botocore's model of a service; CannotDo without the `aws` extra."""
    return _loader().get_service_model(service)


def partition_of(regions: Sequence[str]) -> str:
    """Name the partition of some Regions, AWS's own where nothing tells another; CannotDo without the `aws` extra."""
    if not regions:
        return "aws"
    loader = _loader()
    from botocore.exceptions import UnknownRegionError  # noqa: PLC0415 - as below

    try:
        return str(loader.get_partition_for_region(regions[0]))
    except UnknownRegionError:
        return "aws"


@cache
def _loader() -> Any:
    from rolewatch.base.aws import without_extra  # noqa: PLC0415 - only where AWS is asked

    try:
        from botocore.session import Session  # noqa: PLC0415 - comes with boto3, and takes a while
    except ImportError:
        raise without_extra("boto3") from None
    return Session()


def _members(model: Any, call: Call) -> dict[str, tuple[str, str]]:
    """Map the CLI's flags of a call to (parameter, type)."""
    shape = _operation(model, call).input_shape
    return {
        f"--{_dashed(name)}": (name, of.type_name) for name, of in (shape.members if shape else {}).items()
    }


def _operation(model: Any, call: Call) -> Any:
    for name in model.operation_names:
        if _dashed(name) == call.operation:
            return model.operation_model(name)
    raise CannotDo(
        f"this version of botocore does not know {call.service} {call.operation}",
        remedy="install a newer one: pip install -U boto3",
    )


def _dashed(name: str) -> str:
    from botocore import xform_name  # noqa: PLC0415 - as above

    return str(xform_name(name, "-"))
