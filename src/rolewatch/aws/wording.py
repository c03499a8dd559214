"""Changes of a stack in, sentences out: what is made, changed and removed, in the reader's words and not in CloudFormation's."""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from rolewatch.aws.change_sets import Change
from rolewatch.aws.pipeline import SLOTS

#: Logical id → what it is. Saved queries and subscriptions are many, and named by their type.
PARTS: Final[Mapping[str, str]] = {
    "DeniedAlarm": "the alarm on denials of service-linked roles",
    "DeniedByRoleFilter": "the metric filter that counts denials by role, for graphs",
    "DeniedFilter": "the metric filter that counts denials",
    "DeniedLogAlarm": "the log alarm on denials, by role and bucket",
    "FunctionPermission": "the permission for CloudWatch Logs to call the function",
    "FunctionSubscription": "the subscription that gives the function what service-linked roles do",
    "Graph": "the dashboard",
    "LinesRole": "the role in which CloudWatch reads the log lines of a notification",
    "LogFileKey": "the key of the log files",
    "LogGroup": "the log group that CloudTrail delivers to",
    "NewTrailOfStack": "the trail",
    "QueryRole": "the role in which the log alarm's query runs",
    "SilentAlarm": "the alarm on a log group into which nothing comes",
    "StateAlarm": "the composite alarm over both",
    "Topic": "the topic of the notifications",
    "TopicKey": "the key of the topic and the log groups, which CloudWatch may use",
    "TopicPolicy": "the topic's policy: only alarms of this account publish",
    "TrailBucket": "the bucket of the log files",
    "TrailBucketPolicy": "the bucket's policy: only this trail writes, only by TLS",
    "TrailRole": "the role in which CloudTrail delivers to the log group",
    "UnusualAlarm": "the alarm on more denials than usual",
    "Watcher": "the function that runs rolewatch",
    "WatcherLogs": "the function's log group",
    "WatcherRole": "the function's role",
}
_QUERY: Final = "AWS::Logs::QueryDefinition"
_OF_TYPE: Final[Mapping[str, str]] = {
    _QUERY: "saved query",
    "AWS::SNS::Subscription": "subscription",
}
#: What outlives its stack (DeletionPolicy in the template).
KEPT: Final = frozenset({"TrailBucket", "LogFileKey"})
#: In which order parts go, as a person would take them down: who rings, what is counted, who is told, what is delivered.
ORDER: Final = (
    "AWS::CloudWatch::CompositeAlarm", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::LogAlarm", "AWS::CloudWatch::Dashboard",
    "AWS::Logs::SubscriptionFilter", "AWS::Lambda::Permission", "AWS::Lambda::Function", "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition", "AWS::SNS::Subscription", "AWS::SNS::TopicPolicy", "AWS::SNS::Topic", "AWS::CloudTrail::Trail",
    "AWS::Logs::LogGroup", "AWS::IAM::Role", "AWS::KMS::Key", "AWS::S3::BucketPolicy", "AWS::S3::Bucket",
)  # fmt: skip
_VERBS: Final[Mapping[str, str]] = {
    "Add": "creates",
    "Modify": "changes",
    "Remove": "removes",
    "Dynamic": "may change",
}


def part(logical_id: str, type_: str) -> str:
    """Say what a resource is."""
    return PARTS.get(logical_id) or f"the {_OF_TYPE.get(type_, type_)} {logical_id}"


def sentence(change: Change, after: Mapping[str, str]) -> str:
    """Say what a change does; `after` are the stack's parameters then."""
    what = part(change.logical_id, change.type)
    slot = f"Subscription{change.logical_id.removeprefix('Endpoint')}"
    if slot in SLOTS and after.get(slot):
        what = f"the subscription of {_shown(after[slot])}"
    if change.action == "Modify" and change.replaced == "True":
        kept = "; the old one is kept" if change.logical_id in KEPT else ""
        return f"replaces {what}{_because(change)}{kept}"
    if change.action == "Modify" and change.replaced == "Conditional":
        return f"changes or replaces {what}{_because(change)}"
    if change.action == "Remove" and change.logical_id in KEPT:
        return f"lets go of {what} {change.physical_id}, which is kept".replace("  ", " ")
    return f"{_VERBS.get(change.action, change.action.lower())} {what}{_because(change)}"


def sentences(changes: Iterable[Change], after: Mapping[str, str]) -> list[str]:
    """Say what all changes do, in order; saved queries to which the same happens in one sentence."""
    found: list[str] = []
    queries: dict[str, list[str]] = {}
    for change in ordered(changes):
        if change.type == _QUERY:
            queries.setdefault(_VERBS.get(change.action, change.action), []).append(change.logical_id)
        else:
            found.append(sentence(change, after))
    for verb, names in queries.items():
        one = len(names) == 1
        found.append(f"{verb} {'the saved query' if one else f'{len(names)} saved queries'} of Logs Insights")
    return found


def ordered(changes: Iterable[Change]) -> list[Change]:
    """Sort changes: what is removed first, in the order of taking down; what is made in that of the trail to the e-mail."""
    return sorted(changes, key=_place)


def _place(change: Change) -> tuple[int, int, str]:
    rank = ORDER.index(change.type) if change.type in ORDER else len(ORDER)
    if change.action == "Remove":
        return 0, rank, change.logical_id
    return 1, -rank, change.logical_id


def _shown(endpoint: str) -> str:
    """Give an endpoint without what may be a secret: of a URL, the host."""
    protocol, _, address = endpoint.partition(" ")
    return f"{protocol} {urlsplit(address).hostname or ''}" if protocol in ("http", "https") else endpoint


def _because(change: Change) -> str:
    return f" ({', '.join(change.properties)})" if change.properties and change.action != "Add" else ""
