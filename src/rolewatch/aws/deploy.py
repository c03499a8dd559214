"""What a pipeline shall be in; a stack that is just that out, or what would have to change for it.

Steps: look what there is, decide, plan a change set, execute it, and where a trail of somebody else's shall deliver to the new log
group, tell that trail. Every step can be begun again: a second run goes on where the first one stopped.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from rolewatch.aws import change_sets, names, pipeline, progress, stacks
from rolewatch.aws.asking import asking
from rolewatch.aws.change_sets import ChangeSet, Request
from rolewatch.aws.clients import Clients, Manner
from rolewatch.aws.existing import Attached, attach, attached_of, attached_to, detach
from rolewatch.aws.stacks import Ready, Stack
from rolewatch.aws.trails import Trail, looked_into, trails
from rolewatch.base.errors import CannotDo, UsageError

NEW: Final = "new"  # what --trail says for a trail of the stack's own
_LOOK: Final = "-plan"  # behind the name of a stack that is only made to be looked at
CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"


class Wanted(NamedTuple):
    """What was asked for. `given` are parameters by name; what is None, and parameters that are not in it, stay as they are.

    `trail` is the name of an existing trail, or NEW; `attach` lets that trail be told to deliver to the new log group.
    """

    stack: str = pipeline.NAME
    given: Mapping[str, str] = {}
    endpoints: tuple[pipeline.Endpoint, ...] | None = None
    tags: Mapping[str, str] | None = None
    trail: str | None = None
    attach: bool = False


class Plan(NamedTuple):
    """What would be done: the change set (None if nothing changes), the parameters after it, and the trail to be attached."""

    stack: str
    before: Stack | None
    ready: Ready
    change_set: ChangeSet | None
    values: Mapping[str, str]
    attached: Attached | None
    copies: int  # other trails that record the same management events
    account: str
    unchecked: tuple[str, ...] = ()  # a sentence for each name that could not be looked up


class Done(NamedTuple):
    """What was done: CREATED, UPDATED or UNCHANGED, the stack then, and whether the trail was attached now."""

    result: str
    stack: Stack
    attached: bool


def plan(clients: Clients, wanted: Wanted, *, now: datetime, manner: Manner, only_look: bool = False) -> Plan:
    """Find out what would have to change; makes a change set, for `execute` or `throw_away`.

    A plan that `only_look` asks for leaves everything as it is, and cannot be executed. Raises CannotDo where a stack of that name is not ours or is stuck, or a name is taken, and UsageError for what makes no sense.
    """
    client = clients.cloudformation
    before = _at_rest(client, wanted.stack, manner)
    can = stacks.ready(before)
    _refuse(client, before, can)
    has = before.parameters if before and can is Ready.UPDATE else {}
    own_group = before.outputs.get("LogGroupArn", "") if before else ""
    attached = attached_of(clients, wanted.trail or "", has, own_group, allowed=wanted.attach)
    given = _given(wanted, attached, has)
    values = pipeline.effective(given, has)
    wrong = pipeline.inconsistent(values)
    if wrong:
        raise UsageError(wrong[0], remedy=wrong[1])
    others = _others(clients, wanted.stack, values, has)
    copies = _copies(clients, others)
    name = wanted.stack
    if can is not Ready.UPDATE:
        found = names.looked_up(clients, wanted.stack, values, others)
        found.refuse()
    if can is Ready.RECREATE and before:
        if only_look:
            name += _LOOK  # the shell takes no change set, and is not to be deleted now
        else:
            _delete_shell(client, before, manner)
    request = Request(name, can is not Ready.UPDATE, pipeline.template(), _sent(given, has), wanted.tags)
    made = change_sets.make(client, request, f"{change_sets.PREFIX}{now:%Y%m%d-%H%M%S}", sleep=manner.sleep)
    if can is Ready.UPDATE:
        new = _made_anew(made, values, has)
        found = names.looked_up(clients, wanted.stack, values, others, made=new)
        if found.taken and made:
            change_sets.throw_away(client, made.id)
        found.refuse()
    arn = made.stack_id if made else before.id if before else ""
    account = arn.split(":")[4] if arn else ""
    return Plan(wanted.stack, before, can, made, values, attached, copies, account, found.unchecked)


def parameters_of(clients: Clients | None, wanted: Wanted) -> dict[str, str]:
    """Give the parameters of a new stack, as far as they are not the template's defaults; `clients` are for an existing trail."""
    attached = None
    if clients and wanted.trail:
        attached = attached_of(clients, wanted.trail, {}, "", allowed=wanted.attach)
    given = _given(wanted, attached, {})
    wrong = pipeline.inconsistent(pipeline.effective(given, {}))
    if wrong:
        raise UsageError(wrong[0], remedy=wrong[1])
    return {name: value for name, value in given.items() if value != pipeline.defaults()[name]}


def throw_away(clients: Clients, found: Plan) -> None:
    """Forget a plan: its change set goes, and the empty stack that was made for it."""
    if found.change_set:
        new = found.ready is not Ready.UPDATE
        change_sets.throw_away(
            clients.cloudformation,
            found.change_set.id,
            empty_stack=found.change_set.stack_id if new else None,
        )


def execute(clients: Clients, found: Plan, *, manner: Manner) -> Done:
    """Do what a plan says, and wait for it; CannotDo with each resource's reason where CloudFormation fails, which rolls back."""
    client = clients.cloudformation
    after, result = found.before, UNCHANGED
    if found.change_set:
        last = progress.last_event(client, found.change_set.stack_id)
        change_sets.execute(client, found.change_set)
        ended = progress.wait(
            client, found.change_set.stack_id, after=last, tell=manner.tell, sleep=manner.sleep
        )
        after = _succeeded(found.stack, ended)
        result = UPDATED if found.ready is Ready.UPDATE else CREATED
    if after is None:
        raise CannotDo(f"the stack {found.stack} is gone", remedy="deploy again")
    done = () if result == UNCHANGED else (f"the stack was {result}",)
    if found.values["Trail"] == NEW:  # or its events would be counted twice
        for stray in attached_to(clients, after, done):
            detach(clients, stray, done)
    if found.attached and found.attached.pending:
        attach(clients, found.attached.trail, after, manner, done=done)
        return Done(UPDATED if result == UNCHANGED else result, after, attached=True)
    return Done(result, after, attached=False)


def _at_rest(client: Any, name: str, manner: Manner) -> Stack | None:
    """Find a stack, and wait until what an earlier run began is over."""
    found = stacks.find(client, name)
    if found and stacks.ready(found) is Ready.WAIT and found.ours:
        last = progress.last_event(client, found.id)
        found = progress.wait(client, found.id, after=last, tell=manner.tell, sleep=manner.sleep).stack
        # By its name from here on: a stack that was deleted meanwhile leaves the name free.
        return stacks.find(client, name)
    return found


def _refuse(client: Any, before: Stack | None, can: Ready) -> None:
    """Raise CannotDo where the stack of that name is not one that may be touched."""
    if before is None:
        return
    if before.status == "REVIEW_IN_PROGRESS":
        others = change_sets.strange(client, before.id)
        if others:
            raise CannotDo(
                f"a stack {before.name} is about to be made from another's change set ({', '.join(others)}); nothing was changed",
                remedy="choose another --stack-name",
            )
        return
    if not before.ours:
        raise CannotDo(
            f"there is a stack {before.name} that rolewatch did not make; nothing was changed",
            remedy="choose another --stack-name",
        )
    if can is Ready.STUCK:
        why = f": {before.reason}" if before.reason else ""
        raise CannotDo(
            f"the stack {before.name} is in {before.status}{why}; nothing was changed",
            remedy=stacks.remedy(before),
        )


def _given(wanted: Wanted, attached: Attached | None, has: Mapping[str, str]) -> dict[str, str]:
    """Give all parameters that were asked for; `has` are those of the stack as it is."""
    given = {"Parts": "all"} | _trail_parameters(wanted, attached) | dict(wanted.given)
    return given if wanted.endpoints is None else given | pipeline.slots(wanted.endpoints, has)


def _trail_parameters(wanted: Wanted, attached: Attached | None) -> dict[str, str]:
    if wanted.trail == NEW:
        return {"Trail": "new", "ExistingLogGroup": ""}
    return {"Trail": "existing", "ExistingLogGroup": attached.log_group} if attached else {}


def _sent(given: Mapping[str, str], has: Mapping[str, str]) -> dict[str, str | None]:
    """Give the parameters of a request: as given, else what the stack has; the template's default counts for all others."""
    kept: dict[str, str | None] = {name: None for name in pipeline.defaults() if name in has}
    return kept | dict(given)


def _others(
    clients: Clients, stack: str, values: Mapping[str, str], has: Mapping[str, str]
) -> Sequence[Trail]:
    """List the trails beside that of the stack; none where it makes none."""
    if values["Trail"] != NEW:
        return ()
    found = trails(clients.cloudtrail)
    return [each for each in found if each.name != stack] if has.get("Trail") == NEW else found


def _copies(clients: Clients, others: Sequence[Trail]) -> int:
    """Count the trails that record the same events."""
    seen = (looked_into(clients.cloudtrail, trail) for trail in others)
    return sum(1 for trail in seen if trail.management is not False and trail.logging is not False)


def _made_anew(made: ChangeSet | None, values: Mapping[str, str], has: Mapping[str, str]) -> set[str]:
    """Give the logical ids of what an update makes; of what it replaces only the bucket, which then has another name."""
    found = {each.logical_id for each in made.changes if each.action == "Add"} if made else set()
    renamed = made is not None and values["BucketName"] != has.get("BucketName", "")
    return found | {"TrailBucket"} if renamed else found


def _delete_shell(client: Any, shell: Stack, manner: Manner) -> None:
    """Delete what a stack leaves that could not be made: it has no resources, and takes no change set."""
    last = progress.last_event(client, shell.id)
    with asking("cloudformation:DeleteStack", f"delete the empty stack that the last attempt has left ({shell.name})"):  # fmt: skip
        client.delete_stack(StackName=shell.id)
    ended = progress.wait(client, shell.id, after=last, sleep=manner.sleep)
    if ended.stack:
        raise CannotDo(
            f"the empty stack {shell.name} could not be deleted: {ended.stack.reason or ended.stack.status}",
            remedy=stacks.remedy(ended.stack),
        )


def _succeeded(name: str, ended: progress.Ended) -> Stack:
    """Give the stack if all went well; else CannotDo with what failed and what stands now."""
    stack = ended.stack
    if stack and stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return stack
    status = stack.status if stack else "DELETE_COMPLETE"
    reasons = (
        ". ".join(failure.text for failure in ended.failures) or (stack.reason if stack else "") or status
    )
    told = {
        "ROLLBACK_COMPLETE": "All of it was taken back; the next run begins anew",
        "UPDATE_ROLLBACK_COMPLETE": "The stack is again what it was before",
        "DELETE_COMPLETE": "Nothing of it is left",
    }.get(status, f"The stack is in {status} now")
    again = (
        stacks.remedy(stack)
        if stack and stacks.ready(stack) is Ready.STUCK
        else "mend that, and run the same command again"
    )
    raise CannotDo(f"{name} could not be deployed. {reasons}. {told}", remedy=again)
