"""Ways in which a set-up can be broken: what is changed in the healthy one, and which check has to say so."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from doctor_worlds import (
    ACCOUNT,
    ADVANCED_MANAGEMENT,
    ADVANCED_OBJECTS,
    NAME,
    NOW,
    REGION,
    STREAMS,
    TOPIC_ARN,
    World,
    allow,
    log_alarm,
    policy,
    trust,
)


class Broken(NamedTuple):
    """A set-up: its name, the check that finds it and with which status, part of the fix, and what breaks it."""

    name: str
    check: str
    status: str
    fix: str
    change: Callable[[World], Any]


def _described(**changes: Any) -> Callable[[World], Any]:
    return lambda world: world["trails"][0]["described"].update(changes)


def _status(**changes: Any) -> Callable[[World], Any]:
    return lambda world: world["trails"][0]["status"].update(changes)


def _selector(**changes: Any) -> Callable[[World], Any]:
    return lambda world: world["trails"][0]["selectors"]["EventSelectors"][0].update(changes)


def _advanced(*selectors: dict[str, Any]) -> Callable[[World], Any]:
    return lambda world: world["trails"][0].update(selectors={"AdvancedEventSelectors": list(selectors)})


def _management(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"FieldSelectors": [*ADVANCED_MANAGEMENT["FieldSelectors"], *fields]}


def _role(**changes: Any) -> Callable[[World], Any]:
    return lambda world: world["trails"][0]["role"].update(changes)


def _set(**changes: Any) -> Callable[[World], Any]:
    return lambda world: world.update(changes)


def _group(**changes: Any) -> Callable[[World], Any]:
    return lambda world: world["group"].update(changes)


def _filter(**changes: Any) -> Callable[[World], Any]:
    return lambda world: world["filters"][0].update(changes)


def _made(**changes: Any) -> Callable[[World], Any]:
    return lambda world: world["filters"][0]["metricTransformations"][0].update(changes)


def _alarm(**changes: Any) -> Callable[[World], Any]:
    return lambda world: world["alarms"]["MetricAlarms"][0].update(changes)


def _topic(**changes: Any) -> Callable[[World], Any]:
    return lambda world: world["topic"].update(changes)


def _both(*changes: Callable[[World], Any]) -> Callable[[World], Any]:
    return lambda world: [change(world) for change in changes]


def _composite(*, enabled: bool) -> dict[str, Any]:
    """Describe a composite alarm above the one on denials."""
    return {
        "AlarmName": "either",
        "ActionsEnabled": enabled,
        "AlarmActions": [TOPIC_ARN],
        "AlarmRule": 'ALARM("denied")',
        "StateValue": "OK",
    }


ROLE = '($.userIdentity.sessionContext.sessionIssuer.arn = "arn:aws*:iam::*:role/aws-service-role/*")'
GET_ONLY = f'{{ {ROLE} && ($.errorCode = "AccessDenied") && ($.eventName = "Get*") }}'
CIS = '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }'
SESSION = '{ ($.userIdentity.arn = "*:role/aws-service-role/*") && ($.errorCode = "*") }'
LOGINS = '{ $.eventName = "ConsoleLogin" }'
PENDING = [{"Protocol": "email", "Endpoint": "alice@example.com", "SubscriptionArn": "PendingConfirmation"}]
MEMBERS = f"{STREAMS}o-exampleorgid_*"
OCSF = {"transformerConfig": [{"parseToOCSF": {"eventSource": "CloudTrail", "ocsfVersion": "V1.1"}}]}
LOWER = {"transformerConfig": [{"parseJSON": {}}, {"lowerCaseString": {"withKeys": ["eventName"]}}]}
FOREIGN = "arn:aws:cloudtrail:us-east-1:999999999999:trail/organization"
NARROW_QUERY = 'filter userIdentity.sessionContext.sessionIssuer.arn like ":role/aws-service-role/" and errorCode = "AccessDenied"'

BROKEN = (
    Broken("no trail", "trail-missing", "problem", "rolewatch aws deploy", _set(trails=[])),
    Broken("another account's trail", "trail-elsewhere", "unknown", "account 999999999999", _described(TrailARN=FOREIGN, IsOrganizationTrail=True)),
    Broken("a stopped trail", "trail-logging", "problem", "start-logging", _status(IsLogging=False)),
    Broken("a bucket that refuses", "trail-delivery-error", "problem", "get-bucket-policy", _status(LatestDeliveryError="AccessDenied")),
    Broken("digests that do not arrive", "trail-delivery-error", "problem", "get-bucket-policy", _status(LatestDigestDeliveryError="AccessDenied")),
    Broken("one Region", "trail-single-region", "problem", "--is-multi-region-trail", _described(IsMultiRegionTrail=False)),
    Broken("no global services", "trail-global-events", "warning", "--include-global-service-events", _described(IncludeGlobalServiceEvents=False)),
    Broken("no management events", "trail-management-events", "problem", "put-event-selectors", _selector(IncludeManagementEvents=False)),
    Broken("advanced, data events only", "trail-management-events", "problem", "eventCategory", _advanced(ADVANCED_OBJECTS)),
    Broken("writes only", "trail-read-events", "problem", '"ReadWriteType":"All"', _selector(ReadWriteType="WriteOnly")),
    Broken("advanced, writes only", "trail-read-events", "problem", "--advanced-event-selectors",
           _advanced(_management({"Field": "readOnly", "Equals": ["false"]}), ADVANCED_OBJECTS)),
    Broken("reads only", "trail-write-events", "problem", "put-event-selectors", _selector(ReadWriteType="ReadOnly")),
    Broken("advanced, without service-linked roles", "trail-management-events", "problem", "--advanced-event-selectors",
           _advanced(_management({"Field": "userIdentity.arn", "NotStartsWith": [f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSServiceRoleFor"]}), ADVANCED_OBJECTS)),
    Broken("no KMS", "trail-kms-events", "problem", "put-event-selectors", _selector(ExcludeManagementEventSources=["kms.amazonaws.com"])),
    Broken("advanced, no KMS", "trail-kms-events", "problem", "--advanced-event-selectors",
           _advanced(_management({"Field": "eventSource", "NotEquals": ["kms.amazonaws.com", "rdsdata.amazonaws.com"]}), ADVANCED_OBJECTS)),
    Broken("no data events", "trail-data-events", "warning", "AWS::S3::Object", _selector(DataResources=[])),
    Broken("advanced, no data events", "trail-data-events", "warning", "AWS::S3::Object", _advanced(ADVANCED_MANAGEMENT)),
    Broken("no log group attached", "logs-attached", "problem", "--cloud-watch-logs-log-group-arn", _described(CloudWatchLogsLogGroupArn="")),
    Broken("a log group that was named, and no trail delivers to", "logs-attached", "problem", f"log-group:{NAME}",
           _both(_set(named=True), _described(CloudWatchLogsLogGroupArn=""))),
    Broken("a role that is gone", "logs-role-trust", "problem", "create-role", lambda world: world["trails"][0].update(role=None)),
    Broken("a role for another service", "logs-role-trust", "problem", "update-assume-role-policy", _role(trust=trust("ec2.amazonaws.com"))),
    Broken("a role that may create streams only", "logs-role-permissions", "problem", "put-role-policy", _role(policies={"deliver": policy(allow("logs:CreateLogStream"))})),
    Broken("a role for another log group", "logs-role-permissions", "problem", NAME,
           _role(policies={"deliver": policy(allow("logs:*", resource=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:other:*"))})),
    Broken("a role within a boundary", "logs-role-permissions", "problem", "put-role-policy", _role(boundary=policy(allow("s3:*")))),
    Broken("an organization's trail without its members' streams", "logs-role-organization", "problem", MEMBERS,
           _both(_described(IsOrganizationTrail=True), _set(organization="o-exampleorgid"))),
    Broken("an error of delivery", "logs-delivery-error", "problem", "get-trail-status", _status(LatestCloudWatchLogsDeliveryError="Access denied. Verify…")),
    Broken("no delivery for hours", "logs-delivery-late", "problem", "get-trail-status", _status(LatestCloudWatchLogsDeliveryTime=NOW - timedelta(hours=3))),
    Broken("no delivery ever", "logs-delivery-late", "problem", "get-trail-status", lambda world: world["trails"][0]["status"].pop("LatestCloudWatchLogsDeliveryTime")),
    Broken("a log group that is gone", "log-group-missing", "problem", "create-log-group", _set(group=None)),
    Broken("another class", "log-group-class", "problem", "STANDARD", _group(logGroupClass="INFREQUENT_ACCESS")),
    Broken("three days", "log-group-retention", "warning", "put-retention-policy", _group(retentionInDays=3)),
    Broken("an empty log group", "log-group-events", "problem", "describe-log-streams", _set(stream=None)),
    Broken("nothing new in the log group", "log-group-events", "problem", "describe-log-streams",
           _set(stream={"lastEventTimestamp": (NOW - timedelta(days=2)).timestamp() * 1000})),
    Broken("a transformer beside a filter that matches", "log-group-transformer", "warning", "get-transformer", _set(transformer=LOWER)),
    Broken("a transformer that the filter is written for, and does not see", "log-group-transformer", "problem", "--apply-on-transformed-logs",
           _both(_set(transformer=OCSF), _filter(filterPattern='{ ($.actor.session.issuer = "*aws-service-role*") && ($.api.response.error = "AccessDenied") }'))),
    Broken("a filter on transformed events", "log-group-transformer", "problem", "--no-apply-on-transformed-logs",
           _both(_set(transformer=OCSF), _filter(applyOnTransformedLogs=True))),
    Broken("two subscription filters", "log-group-subscriptions", "warning", "delete-subscription-filter",
           _set(subscriptions=[{"filterName": "one"}, {"filterName": "two"}])),
    Broken("no alarm on silence", "log-group-silence", "warning", "IncomingLogEvents", lambda world: world["alarms"]["MetricAlarms"].pop()),
    Broken("no filter", "filter-missing", "problem", "put-metric-filter", _set(filters=[])),
    Broken("a filter for something else", "filter-missing", "problem", "put-metric-filter", _filter(filterPattern=LOGINS)),
    Broken("calls that begin with Get", "filter-narrow", "problem", "put-metric-filter", _filter(filterPattern=GET_ONLY)),
    Broken("the session's ARN", "filter-narrow", "problem", "put-metric-filter", _filter(filterPattern=SESSION)),
    Broken("the session's ARN, by our lint", "filter-pattern", "problem", "sessionIssuer", _filter(filterPattern=SESSION)),
    Broken("two spellings", "filter-pattern", "warning", "put-metric-filter", _filter(filterPattern=CIS)),
    Broken("a pattern that rolewatch cannot read", "filter-pattern", "unknown", "", _filter(filterPattern="{ $.errorCode = AccessDenied service-role }")),
    Broken("refusals of people", "filter-wide", "warning", "put-metric-filter", _filter(filterPattern=CIS)),
    Broken("the trap of a default value", "filter-default", "problem", '"defaultValue":0', _made(defaultValue=1.0)),
    Broken("a dimension of many values", "filter-settings", "problem", "put-metric-filter", _made(dimensions={"Event": "$.eventID"})),
    Broken("a filter that no alarm counts", "filter-unwatched", "problem", "put-metric-alarm", _made(metricName="Other")),
    Broken("a default value that never came", "filter-never-published", "problem", "list-metrics", _made(defaultValue=0.0)),
    Broken("a narrow filter that never counted", "filter-never-published", "warning", "--simulate", _filter(filterPattern=GET_ONLY)),
    Broken("an alarm that rolewatch cannot read", "alarm-unreadable", "unknown", "", _alarm(EvaluationCriteria={"PromQLCriteria": {}})),
    Broken("no action", "alarm-actions", "problem", "put-metric-alarm", _alarm(AlarmActions=[])),
    Broken("disabled actions", "alarm-actions", "problem", "enable-alarm-actions", _alarm(ActionsEnabled=False)),
    Broken("disabled actions of a composite alarm", "alarm-actions", "problem", "either",
           lambda world: (_alarm(AlarmActions=[])(world), world["alarms"].update(CompositeAlarms=[_composite(enabled=False)]))),
    Broken("missing data as a match", "alarm-settings", "problem", '"TreatMissingData":"notBreaching"', _alarm(TreatMissingData="breaching")),
    Broken("a window that is over too soon", "alarm-settings", "warning", '"Period":300', _alarm(Period=60, EvaluationPeriods=1)),
    Broken("a threshold that is never reached", "alarm-settings", "problem", '"Statistic":"Sum"', _alarm(Statistic="Maximum", Threshold=5.0)),
    Broken("an average beside a default", "alarm-settings", "problem", '"Statistic":"Sum"',
           _both(_alarm(Statistic="Average"), _made(defaultValue=0.0))),
    Broken("no data for weeks", "alarm-insufficient-data", "problem", "put-metric-alarm", _alarm(StateValue="INSUFFICIENT_DATA")),
    Broken("in ALARM for weeks", "alarm-lasting", "warning", f"rolewatch scan lookup://{REGION}", _alarm(StateValue="ALARM")),
    Broken("a log alarm that forgets spellings", "alarm-settings", "warning", "describe-alarms",
           lambda world: world["alarms"].update(LogAlarms=[log_alarm(NARROW_QUERY)])),
    Broken("a log alarm with gaps", "alarm-settings", "problem", '"StartTimeOffset":300',
           lambda world: world["alarms"].update(LogAlarms=[_gaps()])),
    Broken("a topic that is gone", "topic-missing", "problem", "create-topic", _set(topic=None)),
    Broken("nobody subscribed", "topic-subscription", "problem", "sns subscribe", _set(subscribed=[])),
    Broken("nobody confirmed", "topic-subscription", "problem", "alice@example.com", _set(subscribed=PENDING)),
    Broken("a topic for EventBridge", "topic-policy", "problem", "AlarmsPublish", _topic(Policy=policy(allow("sns:Publish", service="events.amazonaws.com", resource=TOPIC_ARN)))),
    Broken("a topic for another account's alarms", "topic-policy", "problem", "AlarmsPublish",
           _topic(Policy=policy(allow("sns:Publish", service="cloudwatch.amazonaws.com", StringEquals={"aws:SourceAccount": "999999999999"})))),
    Broken("a topic for an organization's alarms", "topic-policy", "unknown", "AlarmsPublish",
           _topic(Policy=policy(allow("sns:Publish", service="cloudwatch.amazonaws.com", StringEquals={"aws:SourceOrgID": "o-exampleorgid"})))),
    Broken("the key that AWS manages", "topic-key", "problem", "KmsMasterKeyId",
           _both(_topic(KmsMasterKeyId="alias/aws/sns"), lambda world: world["key"].update(KeyManager="AWS"), _set(key_policy=None))),
    Broken("a key that does not let CloudWatch", "topic-key", "problem", "put-key-policy",
           _set(key_policy=policy(allow("kms:*", service="sns.amazonaws.com")))),
    Broken("a key that lets CloudWatch decrypt only", "topic-key", "problem", "put-key-policy",
           _set(key_policy=policy(allow("kms:Decrypt", service="cloudwatch.amazonaws.com")))),
    Broken("a key that is disabled", "topic-key", "problem", "enable-key", lambda world: world["key"].update(KeyState="Disabled")),
    Broken("a key that is gone", "topic-key", "problem", "KmsMasterKeyId", _set(key=None, key_policy=None)),
)  # fmt: skip


def _gaps() -> dict[str, Any]:
    found = log_alarm('filter userIdentity.sessionContext.sessionIssuer.arn like ":role/aws-service-role/" and ispresent(errorCode)')  # fmt: skip
    found["ScheduledQueryConfiguration"]["ScheduleConfiguration"]["StartTimeOffset"] = 60
    return found
