"""The properties of anomaly detectors, saved queries, topics and subscriptions in, definitions out."""

from datetime import UTC, datetime
from typing import NamedTuple

from rolewatch.templates.alarm_metrics import read_metric
from rolewatch.templates.definitions import AnomalyDetector, QueryDefinition, Topic
from rolewatch.templates.fields import Fields, Identity
from rolewatch.templates.statistic import SIMPLE, is_extended
from rolewatch.templates.timezones import TimezoneError, parse_timezone

_INSIGHTS = "CWLI"


class Subscription(NamedTuple):
    """An `AWS::SNS::Subscription`."""

    topic: str
    protocol: str
    endpoint: str


def read_detector(fields: Fields, identity: Identity) -> AnomalyDetector:
    """Read an anomaly detector of one metric; TemplateError for one of metric math."""
    if fields.has("MetricMathAnomalyDetector"):
        raise fields.error("anomaly detectors of metric math are not supported", "MetricMathAnomalyDetector")
    single = fields.inner("SingleMetricAnomalyDetector") or fields
    metric = read_metric(single)
    statistic = single.required("Stat")
    if statistic not in SIMPLE and not is_extended(statistic):
        raise single.error(
            f"Stat {statistic[:100]!r} is no statistic",
            "Stat",
            remedy=f"write one of {', '.join(SIMPLE)}, or p90",
        )
    configuration = fields.inner("Configuration")
    excluded: tuple[tuple[int, int], ...] = ()
    timezone = None
    if configuration:
        timezone = configuration.text("MetricTimeZone", longest=50, shortest=1)
        _check_timezone(configuration, timezone)
        excluded = tuple(_range(item) for item in configuration.each("ExcludedTimeRanges"))
    return AnomalyDetector(identity.logical_id, metric, statistic, excluded, timezone, identity.place)


def _check_timezone(configuration: Fields, timezone: str | None) -> None:
    try:
        parse_timezone(timezone or "UTC")
    except TimezoneError as error:
        raise configuration.error(error.message, "MetricTimeZone", remedy=error.remedy) from None


def _range(item: Fields) -> tuple[int, int]:
    start, end = _time(item, "StartTime"), _time(item, "EndTime")
    if start >= end:
        raise item.error("StartTime has to be before EndTime", "EndTime")
    return start, end


def _time(item: Fields, name: str) -> int:
    text = item.required(name)
    try:
        found = datetime.fromisoformat(text.strip())
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise item.error(
            f"{name} {text[:60]!r} is no time", name, remedy="write it as in 2026-03-01T00:00:00"
        ) from None


def read_query(fields: Fields, identity: Identity) -> QueryDefinition:
    """Read a saved Insights query; TemplateError for one in another language."""
    language = fields.text("QueryLanguage") or _INSIGHTS
    if language != _INSIGHTS:
        raise fields.error(
            f"queries in {language[:20]} are not supported",
            "QueryLanguage",
            remedy="write it in Logs Insights QL (CWLI)",
        )
    groups = tuple(group.text for group in fields.texts("LogGroupNames"))
    return QueryDefinition(
        identity.logical_id,
        fields.required("Name", longest=255),
        fields.required("QueryString", longest=10_000),
        groups,
        identity.place,
    )


def read_topic(fields: Fields, identity: Identity) -> Topic:
    """Read a topic with the subscriptions of its own."""
    pairs = [(item.required("Protocol"), item.required("Endpoint")) for item in fields.each("Subscription")]
    return Topic(
        identity.logical_id,
        fields.text("TopicName") or identity.name,
        identity.arn,
        tuple(pairs),
        identity.place,
    )


def read_subscription(fields: Fields) -> Subscription:
    """Read a subscription."""
    return Subscription(
        fields.required("TopicArn"), fields.required("Protocol"), fields.text("Endpoint") or ""
    )
