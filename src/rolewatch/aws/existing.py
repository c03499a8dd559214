"""A trail that the stack did not make in; whether and how its events can be counted, and the one change that it may get, out.

CloudFormation changes only what it has made itself. So a trail that delivers to a log group stays as it is, and the stack counts in
that group. One that delivers to none can be told to deliver to the stack's group, which is a call of its own beside the stack
(`cloudtrail:UpdateTrail`), is made only if that was asked for, and is taken back by destroy. Trails of an organization are never
changed.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from rolewatch.aws.asking import asking, refused
from rolewatch.aws.clients import Clients, Manner
from rolewatch.aws.stacks import Stack
from rolewatch.aws.trails import Trail, looked_into, named, trails
from rolewatch.base import aws
from rolewatch.base.errors import CannotDo, UsageError

_GROUP: Final = re.compile(r"arn:[^:]+:logs:([^:]+):([0-9]+):log-group:([^:]+)(?::\*)?")
_TRIES, _SECONDS = 8, 5.0  # a new role is not known everywhere at once
_NOT_YET: Final = ("InvalidCloudWatchLogsRoleArnException", "InvalidCloudWatchLogsLogGroupArnException")


class Attached(NamedTuple):
    """An existing trail, the group that the stack counts in ("" for the stack's own), and whether it has to be told to deliver there."""

    trail: Trail
    log_group: str
    pending: bool


def attached_of(
    clients: Clients, name: str, has: Mapping[str, str], own_group: str, *, allowed: bool
) -> Attached | None:
    """Decide how an existing trail is used; None for a trail of the stack's own. `has` are the parameters of the stack as it is.

    Raises CannotDo where its events cannot be counted from here, and UsageError where that needs a change that was not asked for.
    """
    if not name or name == "new":
        if allowed:
            raise UsageError("--attach-logs is for an existing trail", remedy="name it with --trail")
        return None
    trail = named(clients.cloudtrail, name)
    if has.get("Trail") == "new":
        seen = looked_into(clients.cloudtrail, trail)
        if not (seen.logging and seen.management):
            raise CannotDo(
                f"the stack's own trail would go, and {trail.name} is not known to log all management events; nothing was changed",
                remedy=f"see `aws cloudtrail get-trail-status --name {trail.arn}` and get-event-selectors",
            )
    if trail.log_group and trail.log_group == own_group:
        return Attached(trail, "", pending=False)
    if trail.log_group:
        return Attached(trail, _group(clients, trail), pending=False)
    _refuse_change(clients, trail)
    if not allowed:
        raise UsageError(
            f"the trail {trail.name} delivers to no log group",
            remedy="--attach-logs makes one, and tells the trail to deliver to it; or leave out --trail for a new one",
        )
    return Attached(trail, "", pending=True)


def attach(clients: Clients, trail: Trail, stack: Stack, manner: Manner, *, done: Sequence[str] = ()) -> None:
    """Tell a trail to deliver to the stack's log group; its other settings stay."""
    doing = f"tell the trail {trail.name} to deliver to {stack.outputs['LogGroup']}"
    for attempt in range(_TRIES):
        try:
            clients.cloudtrail.update_trail(
                Name=trail.arn,
                CloudWatchLogsLogGroupArn=stack.outputs["LogGroupArn"],
                CloudWatchLogsRoleArn=stack.outputs["TrailRoleArn"],
            )
        except aws.errors() as error:
            if aws.code_of(error) not in _NOT_YET or attempt == _TRIES - 1:
                raise refused(error, "cloudtrail:UpdateTrail", doing, done) from error
            manner.sleep(_SECONDS)
        else:
            return


def attached_to(clients: Clients, stack: Stack, done: Sequence[str] = ()) -> list[Trail]:
    """List the trails that were told to deliver to a stack's own log group; the stack's own trail is none of them."""
    group = stack.outputs.get("LogGroupArn")
    if not group:
        return []
    own = stack.outputs.get("TrailArn")
    return [each for each in trails(clients.cloudtrail, done) if each.log_group == group and each.arn != own]


def detach(clients: Clients, trail: Trail, done: Sequence[str] = ()) -> None:
    """Tell a trail to deliver to no log group any more."""
    doing = f"tell the trail {trail.name} to deliver to the log group no more"
    with asking("cloudtrail:UpdateTrail", doing, done):
        clients.cloudtrail.update_trail(
            Name=trail.arn, CloudWatchLogsLogGroupArn="", CloudWatchLogsRoleArn=""
        )


def _group(clients: Clients, trail: Trail) -> str:
    """Give the name of the group to which a trail delivers; CannotDo where it is not here."""
    found = _GROUP.fullmatch(trail.log_group)
    account = own_account(clients)
    if not found or found[1] != clients.region or found[2] != account:
        where = f"{found[1]} of account {found[2]}" if found else trail.log_group
        raise CannotDo(
            f"the trail {trail.name} delivers to a log group in {where}, and this is {clients.region} of account {account}; "
            "nothing was changed",
            remedy="deploy there: metric filters and alarms have to be where the group is",
        )
    return found[3]


def _refuse_change(clients: Clients, trail: Trail) -> None:
    """Raise CannotDo for a trail that is not ours to change."""
    if trail.organization or trail.account != own_account(clients):
        raise CannotDo(
            f"the trail {trail.name} belongs to an organization and delivers to no log group; it is never changed from here",
            remedy="ask its owner for a log group, or leave out --trail for a trail of this account",
        )
    if trail.home != clients.region:
        raise CannotDo(
            f"the trail {trail.name} lives in {trail.home}, and delivers only to log groups there; nothing was changed",
            remedy=f"deploy with --region {trail.home}",
        )


def own_account(clients: Clients) -> str:
    """Tell whose credentials these are."""
    with asking("sts:GetCallerIdentity", "tell whose credentials these are"):
        return str(clients.sts.get_caller_identity()["Account"])
