"""What was found in an account: the answers of AWS as they came, or why one could not be had. Data, and nothing else."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, TypeVar

from rolewatch.aws.accounts import assuming
from rolewatch.base.errors import RolewatchError

Answer = Mapping[str, Any]
Answers = Sequence[Answer]
Value = TypeVar("Value")


class Unseen(NamedTuple):
    """A call without an answer: its IAM action, what it was about, and why.

    `denied`: AWS refused, for want of the action; `failed`: it could not be asked, or AWS failed; `foreign`: it is another account's.
    """

    action: str
    about: str
    why: Literal["denied", "failed", "foreign"]
    reason: str


class NotSeen(RolewatchError):  # noqa: N818 - reads as what it says
    """Raised by `seen`: what a check needs to know could not be looked at."""

    def __init__(self, unseen: Unseen) -> None:
        super().__init__(unseen.reason)
        self.unseen = unseen


def seen(value: Value | Unseen) -> Value:
    """Return an answer; NotSeen if there is none."""
    if isinstance(value, Unseen):
        raise NotSeen(value)
    return value


class Role(NamedTuple):
    """The role that CloudTrail writes to CloudWatch Logs in; `policies` are names and texts of its identity-based policies."""

    arn: str
    trust: str
    policies: tuple[tuple[str, str], ...]
    boundary: str | None


class Trail(NamedTuple):
    """A trail: what DescribeTrails, GetTrailStatus and GetEventSelectors say. `role` is None where it names none, or one that is gone."""

    described: Answer
    status: Answer | Unseen
    selectors: Answer | Unseen
    role: Role | Unseen | None

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.described["Name"])

    @property
    def arn(self) -> str:
        """Its ARN."""
        return str(self.described["TrailARN"])

    @property
    def account(self) -> str:
        """The account that owns it."""
        return self.arn.split(":")[4]

    @property
    def home(self) -> str:
        """The Region in which it is changed."""
        return str(self.described.get("HomeRegion") or self.arn.split(":")[3])

    @property
    def log_group(self) -> "GroupId | None":
        """The log group that it delivers to."""
        return group_of(str(self.described.get("CloudWatchLogsLogGroupArn") or ""))

    @property
    def organization(self) -> bool:
        """Whether it is an organization's."""
        return bool(self.described.get("IsOrganizationTrail"))


class GroupId(NamedTuple):
    """Which log group."""

    account: str
    region: str
    name: str


def group_of(arn: str) -> GroupId | None:
    """Read the ARN of a log group; None if it is none."""
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[2] != "logs" or parts[5] != "log-group":
        return None
    return GroupId(parts[4], parts[3], parts[6].removesuffix(":*"))


class Group(NamedTuple):
    """A log group.

    `described` and `transformer` are None where there is none, as is `stream`, the one with the newest event.
    """

    id: GroupId
    described: Answer | Unseen | None
    filters: Answers | Unseen
    subscriptions: Answers | Unseen
    transformer: Answer | Unseen | None
    stream: Answer | Unseen | None


class Region(NamedTuple):
    """What belongs to a Region: alarms, as DescribeAlarms lists them by kind; of metrics, whether there were data in the last two weeks."""

    name: str
    alarms: Answer | Unseen
    metrics: Mapping[tuple[str, str], bool | Unseen]


class Key(NamedTuple):
    """A KMS key as a topic names it; `described` and `policy` are None where there is none."""

    named: str
    described: Answer | Unseen | None
    policy: str | Unseen | None


class Topic(NamedTuple):
    """A topic that alarms notify; `attributes` are None where there is no such topic, `key` where it is not encrypted."""

    arn: str
    attributes: Answer | Unseen | None
    subscriptions: Answers | Unseen
    key: Key | Unseen | None


class Setup(NamedTuple):
    """All that was found. `trails` record the Regions that were asked about; `organization` is its id, "" for none.

    `groups` are the log groups that these trails deliver to in this account, or those that were named. `named` is the trail that was
    asked about, "" for all; `examined` are the accounts that are examined beside this one.
    """

    account: str
    partition: str
    regions: tuple[str, ...]
    now: datetime
    trails: tuple[Trail, ...] | Unseen
    organization: str | Unseen
    groups: tuple[Group, ...]
    in_region: Mapping[str, Region]
    topics: Mapping[str, Topic]
    unseen: tuple[Unseen, ...] = ()
    named: str = ""
    examined: frozenset[str] = frozenset()


def is_topic(action: str) -> bool:
    """Whether an alarm's action is a topic's ARN."""
    return action.split(":")[2:3] == ["sns"]


class Call(NamedTuple):
    """A call that is made: botocore's service and method, and the IAM action it needs.

    `lists` names what a paged answer lists, "" where it is not paged; `absent` the errors that mean that there is no such thing.
    """

    service: str
    method: str
    action: str
    lists: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


_NO_GROUP: Final = ("ResourceNotFoundException",)
_NO_ENTITY: Final = ("NoSuchEntity", "NoSuchEntityException")
_NO_KEY: Final = ("NotFoundException",)
TRAILS: Final = Call("cloudtrail", "describe_trails", "cloudtrail:DescribeTrails")
STATUS: Final = Call("cloudtrail", "get_trail_status", "cloudtrail:GetTrailStatus")
SELECTORS: Final = Call("cloudtrail", "get_event_selectors", "cloudtrail:GetEventSelectors")
ROLE: Final = Call("iam", "get_role", "iam:GetRole", absent=_NO_ENTITY)
INLINE: Final = Call("iam", "list_role_policies", "iam:ListRolePolicies", ("PolicyNames",))
INLINE_POLICY: Final = Call("iam", "get_role_policy", "iam:GetRolePolicy")
ATTACHED: Final = Call("iam", "list_attached_role_policies", "iam:ListAttachedRolePolicies", ("AttachedPolicies",))  # fmt: skip
POLICY: Final = Call("iam", "get_policy", "iam:GetPolicy")
VERSION: Final = Call("iam", "get_policy_version", "iam:GetPolicyVersion")
ACCOUNTS: Final = Call("organizations", "list_accounts", "organizations:ListAccounts", ("Accounts",))
ORGANIZATION: Final = Call("organizations", "describe_organization", "organizations:DescribeOrganization", absent=("AWSOrganizationsNotInUseException",))  # fmt: skip
GROUPS: Final = Call("logs", "describe_log_groups", "logs:DescribeLogGroups", ("logGroups",))
FILTERS: Final = Call("logs", "describe_metric_filters", "logs:DescribeMetricFilters", ("metricFilters",), _NO_GROUP)  # fmt: skip
SUBSCRIPTIONS: Final = Call("logs", "describe_subscription_filters", "logs:DescribeSubscriptionFilters", ("subscriptionFilters",), _NO_GROUP)  # fmt: skip
TRANSFORMER: Final = Call("logs", "get_transformer", "logs:GetTransformer", absent=_NO_GROUP)
STREAMS: Final = Call("logs", "describe_log_streams", "logs:DescribeLogStreams", absent=_NO_GROUP)
TEST: Final = Call("logs", "test_metric_filter", "logs:TestMetricFilter")
ALARMS: Final = Call("cloudwatch", "describe_alarms", "cloudwatch:DescribeAlarms", ("MetricAlarms", "CompositeAlarms", "LogAlarms"))  # fmt: skip
METRICS: Final = Call("cloudwatch", "list_metrics", "cloudwatch:ListMetrics")
ATTRIBUTES: Final = Call("sns", "get_topic_attributes", "sns:GetTopicAttributes", absent=("NotFound", "NotFoundException"))  # fmt: skip
ENDPOINTS: Final = Call("sns", "list_subscriptions_by_topic", "sns:ListSubscriptionsByTopic", ("Subscriptions",), ("NotFound", "NotFoundException"))  # fmt: skip
KEY: Final = Call("kms", "describe_key", "kms:DescribeKey", absent=_NO_KEY)
KEY_POLICY: Final = Call("kms", "get_key_policy", "kms:GetKeyPolicy", absent=_NO_KEY)

CALLS: Final = (
    TRAILS, STATUS, SELECTORS, ROLE, INLINE, INLINE_POLICY, ATTACHED, POLICY, VERSION, ORGANIZATION, GROUPS, FILTERS, SUBSCRIPTIONS,
    TRANSFORMER, STREAMS, ALARMS, METRICS, ATTRIBUTES, ENDPOINTS, KEY, KEY_POLICY,
)  # fmt: skip
"""All calls of an examination; a simulation makes `TEST`, too, one of all accounts `ACCOUNTS`. None changes anything."""


def permissions(
    *, simulate: bool, role_name: str | None = None, all_accounts: bool = False, partition: str = "aws"
) -> dict[str, Any]:
    """Write the IAM policy that the calls need: these actions, and nothing else.

    The role of that name needs the first statement, who assumes it the others.
    """
    calls = (*CALLS, TEST) if simulate else CALLS
    statements: list[dict[str, Any]] = [
        {
            "Sid": "ExamineWithoutChanges",
            "Effect": "Allow",
            "Action": sorted({call.action for call in calls}),
            "Resource": "*",
        }
    ]
    if all_accounts:
        statements.append(
            {"Sid": "ListTheAccounts", "Effect": "Allow", "Action": ACCOUNTS.action, "Resource": "*"}
        )
    if role_name:
        statements.append(assuming(role_name, partition))
    return {"Version": "2012-10-17", "Statement": statements}
