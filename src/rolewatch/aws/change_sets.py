"""A template and parameters in; what CloudFormation would change, as a change set that can be executed or thrown away, out."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rolewatch.aws.asking import asking
from rolewatch.base import aws
from rolewatch.base.errors import CannotDo

PREFIX: Final = "rolewatch-"  # of the names of our change sets
_SECONDS: Final = 3.0  # between two looks
_LOOKS: Final = 200  # ten minutes
_NOTHING: Final = ("didn't contain changes", "No updates are to be performed")
_CAPABILITIES: Final = ("CAPABILITY_IAM",)


class Change(NamedTuple):
    """What would become of a resource: `action` is Add, Modify, Remove or Dynamic; `replaced` True, False or Conditional."""

    action: str
    logical_id: str
    type: str
    physical_id: str = ""
    replaced: str = "False"
    properties: tuple[str, ...] = ()


class ChangeSet(NamedTuple):
    """A change set that is ready; without changes, there is none, and nothing has to be done."""

    id: str
    stack_id: str
    changes: tuple[Change, ...]


class Request(NamedTuple):
    """What a change set is made of; `parameters` of None as value keep what the stack has, `tags` of None all of its tags."""

    stack: str
    create: bool
    template: str
    parameters: Mapping[str, str | None]
    tags: Mapping[str, str] | None = None


def make(client: Any, request: Request, name: str, *, sleep: Callable[[float], None] = time.sleep) -> ChangeSet | None:  # fmt: skip
    """Make a change set and wait until it is ready; None if there is nothing to change.

    Raises CannotDo with CloudFormation's reason where it cannot be made; what was made in vain is removed.
    """
    doing = f"plan the stack {request.stack}"
    with asking("cloudformation:CreateChangeSet", doing):
        try:
            made = client.create_change_set(**_arguments(request, name))
        except aws.errors() as error:
            if any(words in aws.describe(error) for words in _NOTHING):
                return None
            raise
    found = _settled(client, made["Id"], doing, sleep)
    if found["Status"] == "FAILED":
        reason = found.get("StatusReason") or "no reason is given"
        throw_away(client, made["Id"], empty_stack=made["StackId"] if request.create else None)
        if any(words in reason for words in _NOTHING):
            return None
        raise CannotDo(f"CloudFormation refuses the change set: {reason}; nothing was changed")
    return ChangeSet(made["Id"], made["StackId"], tuple(_changes(client, found, doing)))


def execute(client: Any, change_set: ChangeSet) -> None:
    """Begin to do what a change set says."""
    with asking("cloudformation:ExecuteChangeSet", "execute the change set"):
        client.execute_change_set(ChangeSetName=change_set.id)


def throw_away(client: Any, name: str, *, empty_stack: str | None = None) -> None:
    """Delete a change set, and the empty stack that was made for it."""
    with asking("cloudformation:DeleteChangeSet", "delete the change set that was only for looking"):
        client.delete_change_set(ChangeSetName=name)
    if empty_stack:
        with asking("cloudformation:DeleteStack", "delete the empty stack that was made for the change set"):
            client.delete_stack(StackName=empty_stack)


def strange(client: Any, stack: str) -> list[str]:
    """Name the change sets of a stack that are not ours."""
    with asking("cloudformation:ListChangeSets", f"list the change sets of {stack}"):
        pages = client.get_paginator("list_change_sets").paginate(StackName=stack)
        names = [each["ChangeSetName"] for page in pages for each in page.get("Summaries", [])]
    return [name for name in names if not name.startswith(PREFIX)]


def _arguments(request: Request, name: str) -> dict[str, Any]:
    tags = request.tags
    return {
        "StackName": request.stack,
        "ChangeSetName": name,
        "ChangeSetType": "CREATE" if request.create else "UPDATE",
        "TemplateBody": request.template,
        "Capabilities": list(_CAPABILITIES),
        "Parameters": [
            {"ParameterKey": key, "UsePreviousValue": True}
            if value is None
            else {"ParameterKey": key, "ParameterValue": value}
            for key, value in request.parameters.items()
        ],
        **({} if tags is None else {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}),
    }


def _settled(client: Any, name: str, doing: str, sleep: Callable[[float], None]) -> Mapping[str, Any]:
    for _ in range(_LOOKS):
        with asking("cloudformation:DescribeChangeSet", doing):
            found: Mapping[str, Any] = client.describe_change_set(ChangeSetName=name)
        if not found["Status"].endswith(("_PENDING", "_IN_PROGRESS")):
            return found
        sleep(_SECONDS)
    raise CannotDo(
        "CloudFormation has not made the change set within ten minutes; nothing was changed",
        remedy="run the same command again",
    )


def _changes(client: Any, first: Mapping[str, Any], doing: str) -> list[Change]:
    found, page = [], first
    while True:
        found += [
            _change(each["ResourceChange"]) for each in page.get("Changes", []) if "ResourceChange" in each
        ]
        if not page.get("NextToken"):
            return found
        with asking("cloudformation:DescribeChangeSet", doing):
            page = client.describe_change_set(ChangeSetName=first["ChangeSetId"], NextToken=page["NextToken"])


def _change(found: Mapping[str, Any]) -> Change:
    targets: Sequence[Mapping[str, Any]] = [each.get("Target", {}) for each in found.get("Details") or []]
    names = dict.fromkeys(
        each.get("Name") or each.get("Attribute", "")
        for each in targets
    )  # fmt: skip
    return Change(
        found["Action"],
        found["LogicalResourceId"],
        found["ResourceType"],
        found.get("PhysicalResourceId") or "",
        found.get("Replacement") or "False",
        tuple(name for name in names if name),
    )
