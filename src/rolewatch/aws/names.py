"""What a stack's parts would be called in; which of these names something else has already, or nobody may look up, out.

CloudFormation finds that out in the middle, and takes everything back. What it names itself, such as roles, filters and keys, is no
matter here.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rolewatch.aws.asking import is_denied
from rolewatch.aws.clients import Clients
from rolewatch.aws.policy_answers import is_over
from rolewatch.aws.trails import Trail
from rolewatch.base import aws
from rolewatch.base.errors import CannotDo

Values = Mapping[str, str]
_KINDS: Final = ("MetricAlarm", "CompositeAlarm", "LogAlarm")
_ANOTHER: Final = "choose another --stack-name"
#: Codes with which a service says that there is no such thing.
_NONE: Final = frozenset({
    "404", "DashboardNotFoundError", "NoSuchBucket", "NotFound", "NotFoundException", "ResourceNotFound", "ResourceNotFoundException",
})  # fmt: skip
_ELSEWHERE: Final = frozenset(
    {"301", "307", "403", "Forbidden", "PermanentRedirect"}
)  # of a bucket: it is there, and not ours, or not here


class Names(NamedTuple):
    """What was found: a sentence for each name that is taken, what to do about them, and a sentence for each that could not be checked."""

    taken: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()

    def refuse(self) -> None:
        """Raise CannotDo if a name is taken."""
        if self.taken:
            verb = "is" if len(self.taken) == 1 else "are"
            raise CannotDo(
                f"{' and '.join(self.taken)} {verb} there already, which the stack did not make; nothing was changed",
                remedy="; ".join(dict.fromkeys(self.remedies)),
            )


class _Part(NamedTuple):
    """A part with a name: its logical id, what it is, whether a stack with some parameters has it, how it is called and looked up.

    `name` is given stack, Region and parameters; `exists` raises botocore's errors.
    """

    logical_id: str
    noun: str
    wanted: Callable[[Values], bool]
    name: Callable[[str, str, Values], str]
    action: str
    exists: Callable[[Clients, str], bool]
    remedy: str = f"{_ANOTHER}, or remove what has the name"


def looked_up(
    clients: Clients,
    stack: str,
    values: Values,
    others: Sequence[Trail],
    *,
    made: Collection[str] | None = None,
) -> Names:
    """Look up the names of all parts that would be made; `made` are their logical ids, None for all that the parameters ask for.

    `others` are the trails that the stack did not make. CannotDo where the credentials are over.
    """
    taken, remedies, unchecked = [], [], []
    for part in _PARTS:
        if not part.wanted(values) or (made is not None and part.logical_id not in made):
            continue
        name = part.name(stack, clients.region, values)
        try:
            found = _there(clients, part, name, others)
        except aws.errors() as error:
            if is_over(error):
                raise aws.cannot(error, f"stopped at {part.action} on {name}") from error
            why = "is denied" if is_denied(error) else f"failed: {aws.describe(error)}"
            unchecked.append(
                f"whether there is {part.noun} {name} already could not be checked: {part.action} {why}"
            )
            continue
        if found:
            taken.append(f"the {part.noun.partition(' ')[2]} {name}")
            remedies.append(part.remedy.format(name=name))
    return Names(tuple(taken), tuple(remedies), tuple(unchecked))


def _there(clients: Clients, part: _Part, name: str, others: Sequence[Trail]) -> bool:
    if part.logical_id == "NewTrailOfStack":  # which were listed before
        return any(each.name == name and each.home == clients.region for each in others)
    try:
        return part.exists(clients, name)
    except aws.errors() as error:
        if aws.code_of(error) in _NONE:
            return False
        if part.logical_id == "TrailBucket" and aws.code_of(error) in _ELSEWHERE:
            return True
        raise


def _bucket(clients: Clients, name: str) -> bool:
    clients.s3.head_bucket(Bucket=name)
    return True


def _group(clients: Clients, name: str) -> bool:
    pages = clients.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    return any(each["logGroupName"] == name for page in pages for each in page["logGroups"])


def _topic(clients: Clients, name: str) -> bool:
    account = clients.sts.get_caller_identity()["Account"]
    clients.sns.get_topic_attributes(
        TopicArn=f"arn:{clients.partition}:sns:{clients.region}:{account}:{name}"
    )
    return True


def _alarm(clients: Clients, name: str) -> bool:
    found: Mapping[str, Any] = clients.cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=list(_KINDS))
    return any(found.get(f"{kind}s") for kind in _KINDS)


def _dashboard(clients: Clients, name: str) -> bool:
    clients.cloudwatch.get_dashboard(DashboardName=name)
    return True


def _watching(values: Values) -> bool:
    return values["Parts"] == "all"


def _alarm_part(logical_id: str, noun: str, end: str, kinds: Collection[str]) -> _Part:
    return _Part(
        logical_id,
        noun,
        lambda values: _watching(values) and values["Alarm"] in kinds,
        lambda stack, _, __: f"{stack}-{end}",
        "cloudwatch:DescribeAlarms",
        _alarm,
    )


_PARTS: Final = (
    _Part(
        "NewTrailOfStack",
        "a trail",
        lambda values: values["Trail"] == "new",
        lambda stack, _, __: stack,
        "cloudtrail:DescribeTrails",
        lambda _, __: False,
        f"use the trail with --trail {{name}}, or {_ANOTHER}",
    ),
    _Part(
        "TrailBucket",
        "a bucket",
        lambda values: values["Trail"] == "new" and bool(values["BucketName"]),
        lambda _, __, values: values["BucketName"],
        "s3:ListBucket",
        _bucket,
        "choose another --bucket (bucket names are shared with all accounts); if an earlier stack has left it, "
        "`rolewatch aws destroy --delete-logs --yes-delete {name}` deletes it with all its log files",
    ),
    _Part(
        "LogGroup",
        "a log group",
        lambda values: _watching(values) and not values["ExistingLogGroup"],
        lambda stack, _, __: f"{stack}/cloudtrail",
        "logs:DescribeLogGroups",
        _group,
    ),
    _Part(
        "WatcherLogs",
        "a log group",
        lambda values: _watching(values) and bool(values["FunctionCode"] or values["FunctionImage"]),
        lambda stack, _, __: f"{stack}/function",
        "logs:DescribeLogGroups",
        _group,
    ),
    _Part("Topic", "a topic", _watching, lambda stack, _, __: stack, "sns:GetTopicAttributes", _topic),
    _alarm_part("DeniedAlarm", "an alarm", "denied", ("metric",)),
    _alarm_part("UnusualAlarm", "an alarm", "unusual", ("anomaly",)),
    _alarm_part("DeniedLogAlarm", "an alarm", "denied-by-role", ("log",)),
    _alarm_part("SilentAlarm", "an alarm", "silent", ("metric", "anomaly", "log")),
    _alarm_part("StateAlarm", "an alarm", "state", ("metric", "anomaly")),
    _Part(
        "Graph",
        "a dashboard",
        lambda values: _watching(values) and values["Dashboard"] == "yes",
        lambda stack, region, _: f"{stack}-{region}",
        "cloudwatch:GetDashboard",
        _dashboard,
    ),
)
"""All parts whose names are the stack's; a test holds them against the template."""
