"""CloudFormation's stacks: which there is of a name, and what its status lets one do with it."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from rolewatch.aws.asking import asking
from rolewatch.aws.pipeline import MARK
from rolewatch.base import aws


class Stack(NamedTuple):
    """A stack as DescribeStacks has it."""

    name: str
    id: str
    status: str
    reason: str
    description: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def ours(self) -> bool:
        """Whether it was made from the pipeline's template."""
        return self.description.startswith(MARK)

    @property
    def empty(self) -> bool:
        """Whether it has nothing in it: made for a change set that nobody has executed, or rolled back."""
        return self.status in ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE")


class Ready(Enum):
    """What can be done with a stack."""

    CREATE = "create"  # there is none, or an empty one that takes a change set
    UPDATE = "update"
    RECREATE = "recreate"  # creating it was rolled back: an empty shell, to be deleted first
    WAIT = "wait"  # something is going on
    STUCK = "stuck"  # somebody has to see to it


#: Status → what can be done. What is not here and ends in IN_PROGRESS is to be waited for, all else is stuck.
_READY: Final[Mapping[str, Ready]] = {
    "CREATE_COMPLETE": Ready.UPDATE,
    "DELETE_COMPLETE": Ready.CREATE,
    "IMPORT_COMPLETE": Ready.UPDATE,
    "IMPORT_ROLLBACK_COMPLETE": Ready.UPDATE,
    "REVIEW_IN_PROGRESS": Ready.CREATE,
    "ROLLBACK_COMPLETE": Ready.RECREATE,
    "UPDATE_COMPLETE": Ready.UPDATE,
    "UPDATE_ROLLBACK_COMPLETE": Ready.UPDATE,
}
_DESTROY: Final = "`rolewatch aws destroy --stack-name {name}` removes what is left of it, then deploy again"
#: Status → what to do about a stack that is stuck.
_REMEDIES: Final[Mapping[str, str]] = {
    "CREATE_FAILED": _DESTROY,
    "DELETE_FAILED": "`rolewatch aws destroy --stack-name {name}` tries again",
    "IMPORT_ROLLBACK_FAILED": "see the stack's events in the console of CloudFormation",
    "ROLLBACK_FAILED": _DESTROY,
    "UPDATE_FAILED": "`aws cloudformation rollback-stack --stack-name {name}` takes it back to where it was",
    "UPDATE_ROLLBACK_FAILED": "mend what the reason names, then `aws cloudformation continue-update-rollback --stack-name {name}`, "
    "and deploy again",
}


def ready(stack: Stack | None) -> Ready:
    """Decide what can be done with a stack, None if there is none of its name."""
    if stack is None:
        return Ready.CREATE
    found = _READY.get(stack.status)
    if found:
        return found
    return Ready.WAIT if stack.status.endswith("_IN_PROGRESS") else Ready.STUCK


def remedy(stack: Stack) -> str:
    """Say what to do about a stack that is stuck."""
    return _REMEDIES.get(stack.status, "see its events in the console of CloudFormation").format(
        name=stack.name
    )


def find(client: Any, name: str) -> Stack | None:
    """Ask for a stack by name (or id); None if there is none."""
    with asking("cloudformation:DescribeStacks", f"look for the stack {name}"):
        try:
            found = client.describe_stacks(StackName=name)["Stacks"]
        except aws.errors() as error:
            if aws.code_of(error) == "ValidationError" and "does not exist" in aws.describe(error):
                return None
            raise
    stacks = [_read(each) for each in found]
    return stacks[0] if stacks and stacks[0].status != "DELETE_COMPLETE" else None


def _read(found: Mapping[str, Any]) -> Stack:
    return Stack(
        found["StackName"],
        found["StackId"],
        found["StackStatus"],
        found.get("StackStatusReason") or "",
        found.get("Description") or "",
        {each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", [])},
        {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])},
    )
