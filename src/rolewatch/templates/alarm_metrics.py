"""What an alarm watches: the properties of one metric, or a list of queries, in; definitions out. Source: spec/alarm.md §1."""

import re

from rolewatch.templates.definitions import Metric, MetricQuery, MetricStat
from rolewatch.templates.fields import Fields
from rolewatch.templates.statistic import SHOWN, SIMPLE, is_extended
from rolewatch.templates.units import UNITS

MOST_DIMENSIONS = 30
MOST_QUERIES = 20
MOST_METRICS = 10
SHORT_PERIODS = (10, 20, 30)
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_BAND = re.compile(r"\s*ANOMALY_DETECTION_BAND\s*\(", re.IGNORECASE)


def read_metric(fields: Fields) -> Metric:
    """Read `Namespace`, `MetricName` and `Dimensions`."""
    namespace = fields.required("Namespace", longest=255)
    if namespace.startswith(":"):
        raise fields.error("Namespace must not begin with ':'", "Namespace")
    name = fields.required("MetricName", longest=255)
    pairs = [
        (item.required("Name", longest=255), item.required("Value", longest=1024))
        for item in fields.each("Dimensions")
    ]
    if len(pairs) > MOST_DIMENSIONS:
        raise fields.error(
            f"Dimensions holds {len(pairs)}, a metric has at most {MOST_DIMENSIONS}", "Dimensions"
        )
    if len(dict(pairs)) < len(pairs):
        raise fields.error("Dimensions names a dimension twice", "Dimensions", remedy="remove one of them")
    return Metric(namespace, name, tuple(sorted(pairs)))


def read_period(fields: Fields) -> int | None:
    """Read `Period`: 10, 20, 30 or a multiple of 60 seconds."""
    period = fields.whole("Period")
    if period is not None and (period < 1 or (period not in SHORT_PERIODS and period % 60)):
        raise fields.error(f"Period must be 10, 20, 30 or a multiple of 60, not {period}", "Period")
    return period


def read_stat(fields: Fields) -> MetricStat:
    """Read what a plain alarm watches: `Statistic` or `ExtendedStatistic` of a metric over a `Period`."""
    metric = read_metric(fields)
    plain, extended = fields.text("Statistic"), fields.text("ExtendedStatistic")
    if plain is not None and extended is not None:
        raise fields.error(
            "Statistic and ExtendedStatistic exclude each other",
            "ExtendedStatistic",
            remedy="remove one of them",
        )
    if plain is None and extended is None:
        raise fields.error(
            "required key [Statistic] not found", remedy="write Statistic or ExtendedStatistic"
        )
    fields.choice("Statistic", SIMPLE)
    if extended is not None and not is_extended(extended):
        remedy = (
            f"write it under Statistic: {extended}" if extended in SIMPLE else f"write one such as {SHOWN}"
        )
        raise fields.error(
            f"The value {extended[:100]} for parameter ExtendedStatistic is not supported.",
            "ExtendedStatistic",
            remedy=remedy,
        )
    period = fields.present("Period", read_period(fields))
    return MetricStat(metric, period, plain or extended or "", fields.choice("Unit", UNITS))


def read_queries(fields: Fields, band: str | None) -> tuple[MetricQuery, ...]:
    """Read `Metrics`; `band` is the id of the query that is an anomaly alarm's threshold. Exactly one other is returned."""
    items = list(fields.each("Metrics"))
    if not 1 <= len(items) <= MOST_QUERIES:
        raise fields.error(f"Metrics holds {len(items)} queries, 1 to {MOST_QUERIES} are possible", "Metrics")
    found: dict[str, MetricQuery] = {}
    for item in items:
        query = _query(item, band)
        if query.id in found:
            raise item.error(
                f"The id {query.id} is used twice in Metrics", "Id", remedy="give each query an id of its own"
            )
        found[query.id] = query
    queries = tuple(found.values())
    if sum(query.stat is not None for query in queries) > MOST_METRICS:
        raise fields.error(f"Metrics holds more than {MOST_METRICS} metrics", "Metrics")
    returned = [query.id for query in queries if query.returned]
    if len(returned) != 1:
        found_text = f"{', '.join(returned)} have" if returned else "none has"
        raise fields.error(
            f"Metrics must have exactly one query with ReturnData true; {found_text} it",
            "Metrics",
            remedy="write ReturnData: false for all others; it is true where it is left out"
            if returned
            else "write ReturnData: true for the one to watch",
        )
    if band is not None:
        _check_band(fields, found.get(band), band)
    return queries


def _check_band(fields: Fields, query: MetricQuery | None, band: str) -> None:
    if query is None:
        raise fields.error(f"ThresholdMetricId {band} is the id of no query in Metrics", "ThresholdMetricId")
    if query.expression is None or not _BAND.match(query.expression):
        text = f"ThresholdMetricId {band} has to be the id of an ANOMALY_DETECTION_BAND expression"
        raise fields.error(text, "ThresholdMetricId")


def _query(item: Fields, band: str | None) -> MetricQuery:
    id_ = item.required("Id", longest=255)
    if not _ID.fullmatch(id_):
        raise item.error(
            f"The id {id_[:60]!r} has to begin with a lower-case letter and hold only letters, digits and underscores",
            "Id",
        )
    stat, expression = item.inner("MetricStat"), item.scalar("Expression", longest=2048, shortest=1)
    if (stat is None) == (expression is None):
        raise item.error(
            f"The query {id_} needs either MetricStat or Expression", remedy="write one of the two"
        )
    returned = item.truth("ReturnData", otherwise=True) and id_ != band
    period = read_period(item)
    if expression is not None:
        written = item.spelling("Expression", expression)
        return MetricQuery(id_, None, expression.text, item.text("Label"), period, returned, written)
    if period is not None:
        raise item.error("Period belongs into MetricStat here", "Period")
    return MetricQuery(
        id_, _metric_stat(item.present("MetricStat", stat)), None, item.text("Label"), None, returned
    )


def _metric_stat(fields: Fields) -> MetricStat:
    metric = fields.inner("Metric")
    if metric is None:
        raise fields.missing("Metric")
    name = fields.required("Stat")
    if name not in SIMPLE and not is_extended(name):
        raise fields.error(
            f"Stat {name[:100]!r} is no statistic", "Stat", remedy=f"write {', '.join(SIMPLE)}, {SHOWN}"
        )
    period = fields.present("Period", read_period(fields))
    return MetricStat(read_metric(metric), period, name, fields.choice("Unit", UNITS))
