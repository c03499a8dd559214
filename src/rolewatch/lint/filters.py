"""Rules about metric filters: defaults, dimensions, limits, and whether anybody watches."""

from collections.abc import Iterator

from rolewatch.lint.advice import Rule, Said, Severity
from rolewatch.lint.located import singles
from rolewatch.lint.setup import FilterCase, published, shown
from rolewatch.lint.thresholds import COMPARE
from rolewatch.patterns.syntax import Comparison, Json, Line, Regex
from rolewatch.templates.definitions import Alarm, MetricFilter

MOST_FILTERS = 100  # of a log group
MOST_REGEX_FILTERS = 5  # of a log group, subscription filters included
MOST_DIMENSIONS = 3
TRANSFORMATION = "MetricTransformations[0]"
ROLE = "$.userIdentity.sessionContext.sessionIssuer.userName"
# Of these there are as many values as records, requests, callers or objects.
MANY_VALUED = (
    "$.eventID", "$.requestID", "$.sharedEventID", "$.eventTime", "$.sourceIPAddress", "$.userAgent", "$.errorMessage",
    "$.resources", "$.requestParameters", "$.responseElements", "$.userIdentity.accessKeyId", "$.userIdentity.arn",
    "$.userIdentity.principalId",
)  # fmt: skip


def _default_counts_others(case: FilterCase) -> Iterator[Said]:
    transformation = case.filter.transformation
    default = transformation.default
    if not default:
        return
    ringing = [alarm for alarm in case.watchers if _rings_at_default(alarm, default)]
    names = " and ".join(alarm.logical_id for alarm in ringing)
    several = len(ringing) > 1
    consequence = (
        f"{names} {'go' if several else 'goes'} to ALARM at the first event of any kind and {'stay' if several else 'stays'} there "
        "as long as events come; a match then changes nothing and notifies nobody."
        if ringing
        else "It counts events, not matches."
    )
    yield Said(
        Severity.ERROR,
        f"The default is published once for each event that does not match: {shown(default)} for every one of them, "
        f"{transformation.value} for a match. {consequence}",
        property=f"{TRANSFORMATION}.DefaultValue",
        old=f"DefaultValue: {shown(default)}",
        fix="DefaultValue: 0",
    )


def _rings_at_default(alarm: Alarm, default: float) -> bool:
    """Whether a period with nothing but one event that does not match is over the threshold."""
    compare = COMPARE.get(alarm.comparison_operator)
    one = alarm.stat is not None and alarm.stat.statistic in ("Sum", "Maximum", "Minimum", "Average")
    return one and compare is not None and alarm.threshold is not None and compare(default, alarm.threshold)


def _default_with_dimensions(case: FilterCase) -> Iterator[Said]:
    transformation = case.filter.transformation
    if transformation.default is not None and transformation.dimensions:
        yield Said(
            Severity.ERROR,
            "A filter has dimensions or a default value, not both: AWS refuses it. Leave out DefaultValue here; an alarm's "
            "metric with a default can come from a second filter with the same pattern and no dimensions.",
            property=f"{TRANSFORMATION}.DefaultValue",
            old=f"DefaultValue: {shown(transformation.default)}",
        )


def _too_many_dimensions(case: FilterCase) -> Iterator[Said]:
    dimensions = case.filter.transformation.dimensions
    if len(dimensions) > MOST_DIMENSIONS:
        yield Said(
            Severity.ERROR,
            f"{len(dimensions)} dimensions: a metric filter takes {MOST_DIMENSIONS} at most.",
            property=f"{TRANSFORMATION}.Dimensions",
        )


def _many_valued_dimension(case: FilterCase) -> Iterator[Said]:
    for name, value in case.filter.transformation.dimensions:
        if any(value == each or value.startswith((f"{each}.", f"{each}[")) for each in MANY_VALUED):
            yield Said(
                Severity.ERROR,
                f"Dimension {name} takes a new value with nearly every event: each is a metric of its own that is billed, and "
                "CloudWatch Logs may disable a filter that makes 1,000 within an hour.",
                property=f"{TRANSFORMATION}.Dimensions",
                old=f"Value: {value}",
                fix=f"Value: {ROLE}" if value.startswith("$.userIdentity") else None,
            )


def _invoked_by_dimension(case: FilterCase) -> Iterator[Said]:
    for name, value in case.filter.transformation.dimensions:
        if value == "$.userIdentity.invokedBy":
            yield Said(
                Severity.WARNING,
                f"Dimension {name} does not tell services apart: invokedBy is often `AWS Internal`, or missing, and then the "
                "datapoint has no dimensions at all. The role's name tells.",
                property=f"{TRANSFORMATION}.Dimensions",
                old=f"Value: {value}",
                fix=f"Value: {ROLE}",
            )


def _filter_without_alarm(case: FilterCase) -> Iterator[Said]:
    same = [
        each
        for each in case.setup.template.filters
        if each.pattern.text == case.filter.pattern.text and case.setup.watchers.get(published(each))
    ]
    if case.watchers or same:  # one for graphs, beside the one that an alarm watches
        return
    transformation = case.filter.transformation
    yield Said(
        Severity.INFO,
        f"No alarm of this template watches {transformation.namespace}/{transformation.name}: "
        "what this filter finds, nobody is told.",
        property=f"{TRANSFORMATION}.MetricName",
    )


def _too_many_filters(case: FilterCase) -> Iterator[Said]:
    if case.number > MOST_FILTERS:
        yield Said(
            Severity.ERROR,
            f"This is filter number {case.number} of log group {case.filter.log_group}, which takes {MOST_FILTERS} at most.",
            property="LogGroupName",
        )


def _too_many_regex_filters(case: FilterCase) -> Iterator[Said]:
    if case.regex_number > MOST_REGEX_FILTERS:
        yield Said(
            Severity.ERROR,
            f"This is filter number {case.regex_number} with a regular expression of log group {case.filter.log_group}, which "
            f"takes {MOST_REGEX_FILTERS} at most, subscription filters included. Globs (`*`) are not limited.",
            property="FilterPattern",
        )


def has_regex(each: MetricFilter) -> bool:
    """Whether a filter's pattern holds a regular expression."""
    parsed = each.pattern.parsed
    if isinstance(parsed, Json):
        conditions = list(singles(parsed.condition))
    elif isinstance(parsed, Line):
        conditions = [one for field in parsed.fields if field.condition for one in singles(field.condition)]
    else:
        return isinstance(parsed, Regex)
    return any(isinstance(one, Comparison) and isinstance(one.value, Regex) for one in conditions)


RULES: tuple[Rule[FilterCase], ...] = (
    Rule(
        "default-counts-others",
        "a default value that counts events that do not match",
        _default_counts_others,
    ),
    Rule("default-with-dimensions", "a default value beside dimensions", _default_with_dimensions),
    Rule("too-many-dimensions", "more dimensions than a filter takes", _too_many_dimensions),
    Rule("many-valued-dimension", "a dimension that takes too many values", _many_valued_dimension),
    Rule("invoked-by-dimension", "invokedBy as a dimension", _invoked_by_dimension),
    Rule("filter-without-alarm", "a filter that no alarm watches", _filter_without_alarm),
    Rule("too-many-filters", "more filters than a log group takes", _too_many_filters),
    Rule(
        "too-many-regex-filters", "more regular expressions than a log group takes", _too_many_regex_filters
    ),
)
