"""A replay from end to end: sources and a template in, what its metrics and alarms would have done, out."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from rolewatch.alarms.composite import ARN_PREFIX
from rolewatch.alarms.evaluate import replay as evaluate
from rolewatch.alarms.evaluate import whole_minutes
from rolewatch.alarms.history import State
from rolewatch.base.errors import UsageError
from rolewatch.metrics.publish import Publisher
from rolewatch.metrics.series import Series, merged, series_of
from rolewatch.scan.count import Counting
from rolewatch.scan.pool import Tell, fold
from rolewatch.scan.replayed import (
    UNIT,
    Answered,
    Ask,
    Asking,
    Behind,
    Logged,
    Metrics,
    Named,
    Replayed,
)
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.run import without_collector
from rolewatch.scan.tally import Tallies, Values, epoch
from rolewatch.sources import Delivery, Window, deliveries_of
from rolewatch.templates.definitions import LogAlarm, Metric, MetricFilter, Notice, Place, Template
from rolewatch.templates.log_groups import unknown_groups

#: Finds the deliveries of sources that can matter to a window; those that cannot be had are added with their reason.
Listing = Callable[[Sequence[str], Window, list[tuple[str, str]]], Iterable[Delivery]]
Group = tuple[Sequence[str], list[MetricFilter]]  # sources, and the filters that see their records


def replay(
    sources: Sequence[str],
    template: Template,
    request: ScanRequest,
    *,
    delay: int,
    now: datetime,
    groups: Mapping[str, Sequence[str]] | None = None,
    latest: datetime | None = None,
    initial: Mapping[str, State] | None = None,
    asked: Sequence[int] | None = None,
    ask: Ask | None = None,
    progress: Tell | None = None,
    listed: Listing = deliveries_of,
) -> Replayed:
    """Count what a template's metric filters match in the sources, and let its alarms watch what they publish.

    Records after `latest` (a day after `now`, if it is not given), and those from before there was CloudTrail, are left out.
    `groups` has sources by the name of the log group that they are; filters of other groups see `sources`. `delay` in seconds
    is how much later than they happen events reach the alarms, which go on until they have seen the last one; `initial`
    and `asked` are those of `alarms.evaluate.replay`. `ask` runs the queries of log alarms; without it these are left out.
    `listed` finds the deliveries of sources. Raises SourceError for a SOURCE that does not exist and CannotDo for what stops
    everything; deliveries that cannot be read are named in the result.
    """
    started = time.monotonic()
    usable, notices = _usable(template.filters)
    latest = latest or now + timedelta(days=1)
    spelled = latest.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")
    parts = [
        (part, filters, _counted(listed, part, filters, request, latest=spelled, progress=progress))
        for part, filters in _grouped(sources, usable, groups or {})
    ]
    metrics, behind = _published([(filters, tallies) for _, filters, tallies in parts])
    minutes = {minute for _, _, tallies in parts for minute in tallies.minutes}
    seen = sorted(moment for minute in minutes if (moment := epoch(minute)) is not None)
    start = end = int(now.timestamp())
    if seen:
        start, last = seen[0], seen[-1] + 60
        end = max([last + whole_minutes(delay), *(_seen(each, last, delay) for each in template.log_alarms)])
    answered = _answered(
        sources, template, groups or {}, Asking((), request, whole_minutes(delay), latest, progress), ask
    )
    histories, wrong = evaluate(
        template.alarms, template.composites, metrics,
        start=start, end=end, delay=delay, initial=initial or {}, asked=asked, arn_prefix=template.arn_prefix or ARN_PREFIX,
        detectors=template.anomaly_detectors, mute_rules=template.mute_rules, log_alarms=template.log_alarms,
        results={name: logged.results for name, logged in answered.logs.items()},
    )  # fmt: skip
    totals: Counter[str] = Counter()
    for _, _, tallies in parts:
        totals.update(tallies.totals())
    untimed = [notice for part, _, tallies in parts for notice in _untimed(tallies, part)]
    unknown = unknown_groups(template, groups or {})
    return Replayed(
        template=template,
        metrics=metrics,
        histories=histories,
        behind=behind,
        findings={name: found for _, _, tallies in parts for name, found in tallies.named.items()}
        | dict(answered.findings),
        notices=(*template.notices, *notices, *unknown, *answered.notices, *wrong, *untimed),
        start=start,
        end=end,
        delay=delay,
        totals={**totals, "seconds": round(time.monotonic() - started, 3)},
        skipped=tuple(sorted(each for _, _, tallies in parts for each in tallies.skipped)),
        unreadable=tuple(sorted(each for _, _, tallies in parts for each in tallies.unreadable)),
        sources=tuple(source for part, _, _ in parts for source in part),
        logs=answered.logs,
    )


def _seen(alarm: LogAlarm, last: int, delay: int) -> int:
    """Give the first run of a log alarm that sees all records before `last` that it will ever see."""
    query = alarm.query
    return -(-(last + max(query.end, whole_minutes(delay))) // query.every) * query.every


def _answered(
    sources: Sequence[str],
    template: Template,
    groups: Mapping[str, Sequence[str]],
    asking: Asking,
    ask: Ask | None,
) -> Answered:
    """Run the queries of log alarms, those together that see the same records."""
    together: dict[tuple[str, ...], list[LogAlarm]] = {}
    for alarm in template.log_alarms:
        together.setdefault(log_sources(alarm, sources, groups), []).append(alarm)
    logs: dict[str, Logged] = {}
    findings: dict[str, Named] = {}
    notices: list[Notice] = []
    for part, alarms in together.items():
        answered = ask(alarms, asking._replace(sources=part)) if ask else Answered({}, {}, ())
        logs |= answered.logs
        findings |= answered.findings
        notices += answered.notices
    return Answered(logs, findings, tuple(notices))


def log_sources(
    alarm: LogAlarm, sources: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Give the sources whose records a log alarm's query sees: those of its log groups; of all where its query names them."""
    named = alarm.query.groups
    others = sources if not named or any(name not in groups for name in named) else ()
    own = (source for name in named or groups for source in groups.get(name, ()))
    return tuple(dict.fromkeys((*others, *own)))


def _grouped(
    sources: Sequence[str], filters: list[MetricFilter], groups: Mapping[str, Sequence[str]]
) -> list[Group]:
    """Share out the filters by the log groups whose records they see."""
    others = [each for each in filters if each.log_group not in groups]
    own = [(group, [each for each in filters if each.log_group == name]) for name, group in groups.items()]
    return [(sources, others), *own] if sources else own


def _counted(
    listed: Listing,
    sources: Sequence[str],
    filters: list[MetricFilter],
    request: ScanRequest,
    *,
    latest: str,
    progress: Tell | None,
) -> Tallies:
    """Count what filters match in one log group."""
    problems: list[tuple[str, str]] = []
    found = listed(sources, request.window, problems)
    make = partial(Counting, filters, request, latest)
    with without_collector(), fold(found, make, request.jobs, progress) as crew:
        tallies = crew.summary
    tallies.unreadable += problems
    return tallies


def _usable(filters: Sequence[MetricFilter]) -> tuple[list[MetricFilter], list[Notice]]:
    """Leave out filters that refer to what their pattern cannot give, and say so."""
    usable: list[MetricFilter] = []
    notices: list[Notice] = []
    for each in filters:
        try:
            Publisher(each.pattern, each.transformation)
        except UsageError as error:
            notices.append(Notice("error", str(error), each.place))
        else:
            usable.append(each)
    return usable, notices


def _published(
    groups: Iterable[tuple[Sequence[MetricFilter], Tallies]],
) -> tuple[Metrics, dict[str, dict[int, Behind]]]:
    """Give the datapoints of each metric, to which several filters may publish, and the records behind them."""
    parts: dict[tuple[Metric, str], list[Values]] = {}
    behind: dict[str, dict[int, Behind]] = {}
    for filters, tallies in groups:
        for each, tally in zip(filters, tallies.tallies, strict=True):
            publisher = Publisher(each.pattern, each.transformation)
            told, default = each.transformation, each.transformation.default
            for dimensions, values in tally.values(publisher.constant, default, tallies.minutes).items():
                metric = Metric(told.namespace, told.name, dimensions)
                parts.setdefault((metric, told.unit or UNIT), []).append(values)
            behind[each.logical_id] = tally.behind(default, tallies.minutes)
    metrics: dict[Metric, dict[str, Series]] = {}
    for (metric, unit), several in parts.items():
        metrics.setdefault(metric, {})[unit] = series_of(merged(several))
    return metrics, behind


def _untimed(tallies: Tallies, sources: Sequence[str]) -> list[Notice]:
    if not tallies.untimed:
        return []
    subject, rest = (
        ("1 record has", "it is")
        if tallies.untimed == 1
        else (f"{tallies.untimed:,} records have", "they are")
    )
    what = "no time at all, or one before 2013 or in the future"
    message = f"{subject} no usable eventTime ({what}); {rest} in no metric"
    return [Notice("warning", message, Place(", ".join(sources), 0, 0, ""))]
