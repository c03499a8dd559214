"""Checks of the way from the trail to its log group: the role that CloudTrail writes in, and what came of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from rolewatch.aws.checks import Case, Check, Verdict, of_setup
from rolewatch.aws.checks_access import asked, decided
from rolewatch.aws.checks_fix import command, with_statement, written
from rolewatch.aws.checks_trail import name, names, own_trails, trails_of
from rolewatch.aws.doctor_setup import Role, Setup, Trail, seen
from rolewatch.policies.layers import Policies
from rolewatch.policies.reading import read_policy

LATE: Final = timedelta(hours=1)  # CloudTrail delivers within minutes
_SERVICE: Final = "cloudtrail.amazonaws.com"
_WRITES: Final = ("logs:CreateLogStream", "logs:PutLogEvents")
_MEMBER: Final = "111122223333"  # stands for an account of the organization


def _attached(case: Case, setup: Setup) -> Iterator[Verdict]:
    trails = trails_of(case)
    attached = [each for each in trails if each.log_group]
    named = [each.group.id for each in case.wirings]
    without = [each for each in named if not any(trail.log_group == each for trail in attached)]
    for group in without:
        yield Verdict(
            "problem",
            group.name,
            f"No trail that records {' or '.join(setup.regions)} delivers to the log group {group.name}: what its filters and alarms look "
            "for never gets there.",
            _attach(case.own(trails), group.name, group.region, setup),
        )
    if not trails or without:
        return
    if attached:
        yield Verdict("ok", names(attached), f"{names(attached)} delivers to CloudWatch Logs.")
        return
    yield Verdict(
        "problem",
        names(trails),
        f"{names(trails)} delivers to a bucket only, not to CloudWatch Logs: no filter sees an event, and no alarm can ring.",
        _attach(case.own(trails), "aws-cloudtrail-logs", "", setup),
    )


def _attach(own: list[Trail], group: str, region: str, setup: Setup) -> str:
    if not own:
        return "rolewatch aws deploy"
    trail = own[0]
    where = f"arn:{setup.partition}:logs:{region or trail.home}:{setup.account}:log-group:{group}:*"
    role = f"arn:{setup.partition}:iam::{setup.account}:role/CloudTrail_CloudWatchLogs_Role"
    words = (
        "--name",
        trail.arn,
        "--cloud-watch-logs-log-group-arn",
        where,
        "--cloud-watch-logs-role-arn",
        role,
    )
    return command("cloudtrail", "update-trail", *words, region=trail.home)


def _delivering(case: Case) -> list[Trail]:
    """Give the trails of this account that deliver to a log group."""
    return [each for each in own_trails(case) if each.log_group]


def _trust(case: Case, trail: Trail) -> Iterator[Verdict]:
    arn, role = str(trail.described.get("CloudWatchLogsRoleArn") or ""), seen(trail.role)
    name = arn.rpartition("/")[2]
    if role is None:
        words = ("--role-name", name, "--assume-role-policy-document", _trusting(None))
        yield Verdict(
            "problem",
            name,
            f"The role {arn}, in which CloudTrail delivers to the log group, does not exist: no event arrives there.",
            command("iam", "create-role", *words),
        )
        return
    request = asked(case.setup, _SERVICE, "sts:AssumeRole", arn, source=trail.arn)
    found = decided(request, Policies(resource=read_policy(role.trust, f"the trust policy of {name}", principals=True)))  # fmt: skip
    if found.allowed:
        yield Verdict("ok", name, f"CloudTrail may assume the role {name}.")
        return
    words = ("--role-name", name, "--policy-document", _trusting(role.trust))
    fix = command("iam", "update-assume-role-policy", *words)
    if found.depends:
        told = f"It is not known whether CloudTrail may assume the role {name}{found.why}; if not, no event arrives in the log group."
        yield Verdict("unknown", name, told, fix)
    else:
        told = f"CloudTrail may not assume the role {name}, in which it delivers{found.why}: no event arrives in the log group."
        yield Verdict("problem", name, told, fix)


def _permissions(case: Case, trail: Trail) -> Iterator[Verdict]:
    stream = f"{case.setup.account}_CloudTrail_{trail.home}"
    yield from _may_write(case, trail, stream, stream, "no event arrives there")


def _organization(case: Case, trail: Trail) -> Iterator[Verdict]:
    if trail.organization:
        prefix = f"{seen(case.setup.organization)}_"
        stream = f"{prefix}{_MEMBER}_CloudTrail_{trail.home}"
        yield from _may_write(
            case, trail, stream, prefix, "the events of the organization's members never arrive"
        )


def _may_write(case: Case, trail: Trail, stream: str, prefix: str, else_: str) -> Iterator[Verdict]:
    """Hold the role's policies against what CloudTrail does to a stream; `prefix` is that of all such streams."""
    role, group = seen(trail.role), trail.log_group
    if role is None or group is None:
        return
    name = role.arn.rpartition("/")[2]
    streams = (
        f"arn:{case.setup.partition}:logs:{group.region}:{group.account}:log-group:{group.name}:log-stream:"
    )
    policies, session = _policies(role, name), _session(role)
    found = {
        action: decided(asked(case.setup, session, action, f"{streams}{stream}"), policies)
        for action in _WRITES
    }
    refused = [action for action, each in found.items() if not each.allowed and not each.depends]
    depends = [action for action, each in found.items() if each.depends]
    where = f"the streams {prefix}* of {group.name}"
    if not refused and not depends:
        yield Verdict("ok", name, f"The role {name} may write to {where}.")
        return
    statement = {
        "Sid": "Deliver",
        "Effect": "Allow",
        "Action": list(_WRITES),
        "Resource": f"{streams}{prefix}*",
    }
    policy = written({"Version": "2012-10-17", "Statement": [statement]})
    words = (
        "--role-name",
        name,
        "--policy-name",
        f"deliver-{prefix.strip('_')}",
        "--policy-document",
        policy,
    )
    fix = command("iam", "put-role-policy", *words)
    if refused:
        told = (
            f"The role {name} is refused {' and '.join(refused)} for {where}{found[refused[0]].why}: {else_}."
        )
        yield Verdict("problem", name, told, fix)
    else:
        told = f"It is not known whether the role {name} may {' and '.join(depends)} for {where}{found[depends[0]].why}; if not, {else_}."
        yield Verdict("unknown", name, told, fix)


def _session(role: Role) -> str:
    account, name = role.arn.split(":")[4], role.arn.rpartition("/")[2]
    return f"arn:{role.arn.split(':')[1]}:sts::{account}:assumed-role/{name}/cloudtrail"


def _policies(role: Role, name: str) -> Policies:
    identity = [read_policy(text, f"{own} of {name}", principals=False) for own, text in role.policies]
    limit = role.boundary
    boundary = [read_policy(limit, f"the permissions boundary of {name}", principals=False)] if limit else None  # fmt: skip
    return Policies(identity=identity, boundaries=boundary)


def _trusting(old: str | None) -> str:
    statement = {
        "Sid": "CloudTrailDelivers",
        "Effect": "Allow",
        "Principal": {"Service": _SERVICE},
        "Action": "sts:AssumeRole",
    }
    return with_statement(old, statement)


def _errors(case: Case, trail: Trail) -> Iterator[Verdict]:
    del case
    group, error = trail.log_group, seen(trail.status).get("LatestCloudWatchLogsDeliveryError")
    if group is None:
        return
    if not error:
        yield Verdict("ok", trail.name, f"No error of delivery to the log group {group.name}.")
        return
    yield Verdict(
        "problem",
        trail.name,
        f"CloudTrail says {error} of the delivery to the log group {group.name}: what it could not deliver is in the bucket only, and no "
        "filter sees it. Look at the role, the log group and its key.",
        command("cloudtrail", "get-trail-status", "--name", trail.arn, region=trail.home),
    )


def _late(case: Case, trail: Trail) -> Iterator[Verdict]:
    status = seen(trail.status)
    latest, group = status.get("LatestCloudWatchLogsDeliveryTime"), trail.log_group
    if group is None or not status.get("IsLogging"):
        return
    since = latest or status.get("StartLoggingTime")
    if not isinstance(since, datetime) or case.setup.now - since <= LATE:
        told = (
            f"last delivered at {latest:%Y-%m-%dT%H:%MZ}"
            if isinstance(latest, datetime)
            else "has only just begun"
        )
        yield Verdict("ok", trail.name, f"The trail {trail.name} {told}.")
        return
    delivered = (
        f"has delivered nothing since {since:%Y-%m-%dT%H:%MZ}" if latest else "has never delivered anything"
    )
    yield Verdict(
        "problem",
        trail.name,
        f"The trail {trail.name} is logging, and {delivered} to the log group {group.name}: what happens goes unseen.",
        command("cloudtrail", "get-trail-status", "--name", trail.arn, region=trail.home),
    )


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("logs-attached", "delivery", "whether a trail delivers to CloudWatch Logs", of_setup, _attached),
    Check("logs-role-trust", "delivery", "whether CloudTrail may assume the role", _delivering, _trust, name),
    Check("logs-role-permissions", "delivery", "whether the role may write", _delivering, _permissions, name),
    Check("logs-role-organization", "delivery", "whether the role may write the members' streams", _delivering, _organization, name),
    Check("logs-delivery-error", "delivery", "whether events reach the log group", _delivering, _errors, name),
    Check("logs-delivery-late", "delivery", "whether events reach the log group", _delivering, _late, name),
)  # fmt: skip
