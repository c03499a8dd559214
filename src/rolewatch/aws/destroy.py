"""A pipeline's stack in; what would go and what would stay, and then only what stays, out.

An account without any trail of management events is blind, so the stack's trail stays where it is the last one: the stack then
shrinks to trail, bucket and key. Log files are evidence: their bucket stays unless two things are said, that logs shall be deleted, and
the bucket's name.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from rolewatch.aws import buckets, change_sets, pipeline, progress, stacks
from rolewatch.aws.asking import asking
from rolewatch.aws.change_sets import Change, Request
from rolewatch.aws.clients import Clients, Manner
from rolewatch.aws.existing import attached_to, detach
from rolewatch.aws.stacks import Ready, Stack
from rolewatch.aws.trails import Spared, Trail, looked_into, spared, trails
from rolewatch.aws.wording import KEPT, ordered
from rolewatch.base import aws
from rolewatch.base.errors import CannotDo, UsageError

_NEVER: Final = ("DELETE_COMPLETE", "CREATE_FAILED")
KEY_DAYS: Final = 30  # until a key is gone, and can be called back


class Asked(NamedTuple):
    """What was asked for. `last_trail` removes the trail even if it is the last one; `logs` the bucket, too, if it is `bucket`."""

    stack: str = pipeline.NAME
    last_trail: bool = False
    logs: bool = False
    bucket: str | None = None


class Plan(NamedTuple):
    """What would be done. `removed` are in the order of taking down; `trail` is the stack's own, with what is known of the others.

    `keeps_trail` means that the stack shrinks to its trail; `bucket` is the one with the log files, "" if there is none.
    """

    stack: Stack | None
    removed: tuple[Change, ...]
    detached: tuple[Trail, ...]
    trail: Trail | None
    spared: Spared | None
    keeps_trail: bool
    bucket: str
    deletes_bucket: bool
    key: str  # the ARN of the log files' key, "" if there is none

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to be done."""
        shell = self.stack is not None and not self.keeps_trail
        return not (shell or self.removed or self.detached or self.deletes_bucket)


def plan(clients: Clients, asked: Asked, *, manner: Manner) -> Plan:
    """Find out what would be removed; nothing is changed, but an operation that is under way is waited for.

    Raises CannotDo for a stack that is not ours, and UsageError where --delete-logs names a bucket that is not the stack's.
    """
    client = clients.cloudformation
    stack = stacks.find(client, asked.stack)
    if stack and stack.ours and stacks.ready(stack) is Ready.WAIT:
        last = progress.last_event(client, stack.id)
        progress.wait(client, stack.id, after=last, tell=manner.tell, sleep=manner.sleep)
        stack = stacks.find(client, asked.stack)
    if stack is None:
        return _left_over(clients, asked)
    if not stack.ours and not (stack.empty and not change_sets.strange(client, stack.id)):
        raise CannotDo(
            f"rolewatch did not make the stack {stack.name}; nothing was changed",
            remedy="name another one with --stack-name",
        )
    resources = _resources(client, stack)
    trail, found = _own_trail(clients, stack, resources)
    keeps = bool(found and not found.enough and not asked.last_trail)
    bucket = next((each.physical_id for each in resources if each.logical_id == "TrailBucket"), "")
    key = stack.outputs.get("LogFileKey", "")
    deletes = _deletes_bucket(asked, bucket, keeps=keeps)
    gone = [each for each in resources if each.logical_id not in KEPT]
    if keeps:
        gone = [each for each in gone if each.logical_id not in ("NewTrailOfStack", "TrailBucketPolicy")]
    return Plan(
        stack,
        tuple(ordered(gone)),
        tuple(attached_to(clients, stack)),
        trail,
        found,
        keeps,
        bucket,
        deletes,
        key,
    )


def execute(
    clients: Clients,
    found: Plan,
    *,
    now: datetime,
    manner: Manner,
    deleted: Callable[[int], None] | None = None,
) -> None:
    """Do what a plan says; `deleted` is told how many objects of the bucket are gone. CannotDo says what was done by then."""
    done: list[str] = []
    for trail in found.detached:
        detach(clients, trail, done)
        done.append(f"the trail {trail.name} delivers to the stack's log group no more")
    if found.stack and found.keeps_trail:
        _shrink(clients, found.stack, now, manner, done)
    elif found.stack:
        _delete(clients, found.stack, manner, done)
        done.append(f"the stack {found.stack.name} was deleted")
    if found.deletes_bucket:
        _delete_logs(clients, found, deleted, done)


def _left_over(clients: Clients, asked: Asked) -> Plan:
    """Plan without a stack: there may be the bucket of one that is gone."""
    nothing = Plan(None, (), (), None, None, keeps_trail=False, bucket="", deletes_bucket=False, key="")
    if not (asked.logs and asked.bucket):
        return nothing
    tags = buckets.tags_of(clients.s3, asked.bucket)
    if tags is None:
        return nothing
    if tags.get(pipeline.TAG) != asked.stack:
        raise CannotDo(
            f"the bucket {asked.bucket} was not made by a stack {asked.stack}; nothing was changed",
            remedy="name its stack with --stack-name; whatever else is in your account is yours to delete",
        )
    users = [trail.name for trail in trails(clients.cloudtrail) if trail.bucket == asked.bucket]
    if users:
        raise CannotDo(
            f"the trail {' and '.join(users)} still writes to the bucket {asked.bucket}; nothing was changed",
            remedy="let it write elsewhere first",
        )
    return nothing._replace(bucket=asked.bucket, deletes_bucket=True, key=tags.get(pipeline.KEY_TAG, ""))


def _deletes_bucket(asked: Asked, bucket: str, *, keeps: bool) -> bool:
    """Decide whether the log files go; UsageError where that was asked for and makes no sense."""
    if asked.bucket and asked.bucket != bucket:
        raise UsageError(
            f"--yes-delete names the bucket {asked.bucket}, and the stack's is {bucket or 'none'}; nothing was changed",
            remedy="type the name of the bucket whose log files shall go",
        )
    if asked.logs and keeps:
        raise UsageError(
            "the bucket cannot go as long as the trail stays, and the trail stays because it is the last one; nothing was changed",
            remedy="leave out --delete-logs, or insist with --leave-no-trail",
        )
    return asked.logs and bool(bucket)


def _resources(client: Any, stack: Stack) -> list[Change]:
    """List what a stack has now, as changes that remove it."""
    if stack.status == "REVIEW_IN_PROGRESS":
        return []
    with asking("cloudformation:ListStackResources", f"list what the stack {stack.name} has"):
        pages = client.get_paginator("list_stack_resources").paginate(StackName=stack.id)
        found = [each for page in pages for each in page["StackResourceSummaries"]]
    return [
        Change(
            "Remove", each["LogicalResourceId"], each["ResourceType"], each.get("PhysicalResourceId") or ""
        )
        for each in found
        if each["ResourceStatus"] not in _NEVER
    ]


def _own_trail(
    clients: Clients, stack: Stack, resources: Sequence[Change]
) -> tuple[Trail | None, Spared | None]:
    """Find the stack's trail, and decide whether the account can do without it; it can without one that records nothing."""
    arn = stack.outputs.get("TrailArn", "")
    name = next((each.physical_id for each in resources if each.logical_id == "NewTrailOfStack"), "")
    if not (arn or name):
        return None, None
    listed = trails(clients.cloudtrail)
    own = next((each for each in listed if each.arn == arn or each.name == name), None)
    if own is None:
        return None, None
    own, *others = (
        looked_into(clients.cloudtrail, each)
        for each in (own, *(each for each in listed if each.arn != own.arn))
    )
    return own, spared(own, others, clients.region)


def _shrink(clients: Clients, stack: Stack, now: datetime, manner: Manner, done: Sequence[str]) -> None:
    """Remove all but the trail, by the template's own parameter for that."""
    client = clients.cloudformation
    if stacks.ready(stack) is not Ready.UPDATE:
        raise CannotDo(
            f"the stack {stack.name} is in {stack.status}, in which it cannot shrink to its trail, which is the last one"
            f"; the rest was left as it is",
            remedy="--leave-no-trail removes all of it",
        )
    parameters: Mapping[str, str | None] = {
        name: pipeline.TRAIL_ONLY.get(name) for name in pipeline.defaults() if name in stack.parameters
    } | dict(pipeline.TRAIL_ONLY)
    request = Request(stack.name, create=False, template=pipeline.template(), parameters=parameters)
    made = change_sets.make(client, request, f"{change_sets.PREFIX}{now:%Y%m%d-%H%M%S}", sleep=manner.sleep)
    if made is None:
        return
    last = progress.last_event(client, stack.id)
    change_sets.execute(client, made)
    ended = progress.wait(client, stack.id, after=last, tell=manner.tell, sleep=manner.sleep)
    if not ended.stack or ended.stack.status != "UPDATE_COMPLETE":
        raise _failed(stack, ended, done)


def _delete(clients: Clients, stack: Stack, manner: Manner, done: Sequence[str]) -> None:
    client = clients.cloudformation
    last = progress.last_event(client, stack.id)
    with asking("cloudformation:DeleteStack", f"delete the stack {stack.name}", done):
        client.delete_stack(StackName=stack.id)
    ended = progress.wait(client, stack.id, after=last, tell=manner.tell, sleep=manner.sleep)
    if ended.stack:
        raise _failed(stack, ended, done)


def _failed(stack: Stack, ended: progress.Ended, done: Sequence[str]) -> CannotDo:
    status = ended.stack.status if ended.stack else "DELETE_COMPLETE"
    reasons = (
        ". ".join(each.text for each in ended.failures)
        or (ended.stack.reason if ended.stack else "")
        or status
    )
    before = f" Done before that: {', '.join(done)}." if done else ""
    return CannotDo(
        f"the stack {stack.name} could not be taken down: {reasons}. It is in {status} now, and what is not named here is gone.{before}",
        remedy="mend that, and run the same command again",
    )


def _delete_logs(
    clients: Clients, found: Plan, deleted: Callable[[int], None] | None, done: Sequence[str]
) -> None:
    """Let the key of the log files end, and empty and delete their bucket. The bucket knows its key, so it goes last."""
    if found.key:
        with asking("kms:ScheduleKeyDeletion", f"schedule the deletion of the key {found.key}", done):
            try:
                clients.kms.schedule_key_deletion(
                    KeyId=found.key.rpartition("/")[2], PendingWindowInDays=KEY_DAYS
                )
            except aws.errors() as error:
                if aws.code_of(error) != "KMSInvalidStateException":  # it is to be deleted already
                    raise
    if buckets.tags_of(clients.s3, found.bucket) is not None:
        buckets.empty(clients.s3, found.bucket, tell=deleted)
        buckets.remove(clients.s3, found.bucket)
