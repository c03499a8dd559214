"""Rules about alarms: what they watch, what silence means to them, and whom they tell."""

import difflib
import re
from collections.abc import Iterator

from rolewatch.lint.advice import Rule, Said, Severity
from rolewatch.lint.setup import AlarmCase, CompositeCase, LogCase, is_about_trail
from rolewatch.lint.thresholds import COMPARE
from rolewatch.templates.definitions import Metric

DELIVERY = 300  # seconds that CloudTrail takes on average, spec/cloudtrail.md §6
BEYOND = 2  # periods that are looked at besides the evaluation periods, spec/alarm.md §4
_REFERENCE = re.compile(r'(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*("(?:[^"\\]|\\.)*"|[^\s(),"]+)\s*\)')
_LISTED = re.compile(r"AT_LEAST\s*\([^()]*\(([^()]*)\)")
_NAME = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s,]+')


def _unknown_metric(case: AlarmCase) -> Iterator[Said]:
    published = case.setup.filters
    spaces = {namespace for namespace, _ in published}
    for metric in case.metrics:
        key = (metric.namespace, metric.name)
        if (
            key in published
            or not published
            or (metric.namespace.startswith("AWS/") and metric.namespace not in spaces)
        ):
            continue
        near = difflib.get_close_matches("/".join(key), {"/".join(each): each for each in published}, 1, 0.7)
        right = next((each for each in published if near and "/".join(each) == near[0]), None)
        own = metric.namespace in spaces or right is not None
        wrong = "MetricName" if right is None or right[0] == metric.namespace else "Namespace"
        yield Said(
            Severity.ERROR if own else Severity.INFO,
            f"No filter of this template publishes {metric.namespace}/{metric.name}"
            + (
                ", so the alarm has no data to look at."
                if own
                else "; the alarm rests on something outside of it."
            )
            + (f" Did you mean {right[0]}/{right[1]}?" if right else ""),
            property=wrong,
            old=f"{wrong}: {metric.name if wrong == 'MetricName' else metric.namespace}",
            fix=f"{wrong}: {right[wrong == 'MetricName']}" if right else None,
        )


def _dimension_mismatch(case: AlarmCase) -> Iterator[Said]:
    for metric in case.metrics:
        filters = case.setup.filters.get((metric.namespace, metric.name), [])
        wanted = {name for name, _ in metric.dimensions}
        sets = [{name for name, _ in each.transformation.dimensions} for each in filters]
        if not sets or wanted in sets:
            continue
        yield Said(Severity.ERROR, _mismatch_told(metric, wanted, sets[0]), property="Dimensions")


def _mismatch_told(metric: Metric, wanted: set[str], there: set[str]) -> str:
    name = f"{metric.namespace}/{metric.name}"
    if not wanted:
        return (
            f"The filter publishes {name} by {_listed(there)}, and the alarm names no dimensions: it sees only the events that lack "
            "one of them, which count without any. Watch a second filter with the same pattern and no dimensions."
        )
    if not there:
        return f"The alarm looks for {name} by {_listed(wanted)}, and the filter publishes it without dimensions: there is no such metric."
    return f"The alarm looks for {name} by {_listed(wanted)}, and the filter publishes it by {_listed(there)}: there is no such metric."


def _missing_data(case: AlarmCase) -> Iterator[Said]:
    alarm, filters = case.alarm, case.filters
    if not filters or any(each.transformation.default is not None for each in filters):
        return
    if alarm.comparison_operator not in COMPARE:
        return
    looks_for_more = alarm.comparison_operator.startswith("Greater")
    told = (MORE if looks_for_more else LESS).get(alarm.treat_missing_data)
    if told:
        severity, why = told
        yield Said(
            severity,
            f"The filter publishes nothing while nothing matches. {why}",
            property="TreatMissingData",
            old=f"TreatMissingData: {alarm.treat_missing_data}",
            fix=f"TreatMissingData: {'notBreaching' if looks_for_more else 'breaching'}",
        )


#: What a treatment of missing data does to an alarm that looks for many matches, or for few.
MORE = {
    "breaching": (Severity.ERROR, "With `breaching` that is an alarm: it rings whenever nothing happens."),
    "missing": (
        Severity.WARNING,
        "With `missing`, the default, the alarm is in INSUFFICIENT_DATA most of the time, neither OK nor ALARM.",
    ),
    "ignore": (
        Severity.ERROR,
        "With `ignore` the alarm then keeps its state: after the first match it stays in ALARM, and the next one notifies nobody.",
    ),
}
LESS = {
    "notBreaching": (Severity.ERROR, "With `notBreaching` that is fine: an alarm that looks for too few matches misses that there are none."),
    "missing": (Severity.WARNING, "With `missing`, the default, the alarm then is in INSUFFICIENT_DATA, not in ALARM, though there are too few matches."),
    "ignore": (Severity.WARNING, "With `ignore` the alarm then keeps its state, though there are too few matches."),
}  # fmt: skip


def _short_window(case: AlarmCase) -> Iterator[Said]:
    alarm = case.alarm
    if alarm.stat is None or not any(map(is_about_trail, case.filters)):
        return
    window = (alarm.evaluation_periods + BEYOND) * alarm.stat.period
    if window <= DELIVERY:
        yield Said(
            Severity.WARNING,
            f"CloudTrail delivers records about {DELIVERY // 60} minutes after the call, and the alarm looks back {window} seconds "
            f"(its {'period' if alarm.evaluation_periods == 1 else f'{alarm.evaluation_periods} periods'} and {BEYOND} more): what arrives later than that is never looked at.",
            property="Period",
            old=f"Period: {alarm.stat.period}",
            fix=f"Period: {DELIVERY}",
        )


def _ok_is_no_recovery(case: AlarmCase) -> Iterator[Said]:
    alarm = case.alarm
    if alarm.actions.ok and case.filters and alarm.comparison_operator.startswith("Greater"):
        yield Said(
            Severity.INFO,
            "OK means that nothing matched for a while, not that anything was repaired: whoever is told of it may take it for recovery.",
            property="OKActions",
        )


def no_action(case: AlarmCase | LogCase) -> Iterator[Said]:
    """Say that an alarm tells nobody, and that no composite alarm looks at it either."""
    alarm = case.alarm
    if any(
        alarm.name in referred(each.rule) or alarm.logical_id in referred(each.rule)
        for each in case.setup.template.composites
    ):
        return
    yield from _silent(case)


def _composite_no_action(case: CompositeCase) -> Iterator[Said]:
    others = (each for each in case.setup.template.composites if each is not case.alarm)
    if not any(case.alarm.name in referred(each.rule) for each in others):
        yield from _silent(case)


def _silent(case: AlarmCase | CompositeCase | LogCase) -> Iterator[Said]:
    actions = case.alarm.actions
    if not actions.enabled:
        yield Said(
            Severity.WARNING,
            "ActionsEnabled is false: the alarm changes its state and tells nobody.",
            property="ActionsEnabled",
            old="ActionsEnabled: false",
            fix="ActionsEnabled: true",
        )
    elif not actions.alarm:
        yield Said(
            Severity.WARNING,
            "The alarm has no AlarmActions, and no composite alarm here looks at it: it tells nobody.",
            property="AlarmActions",
        )


def _unknown_alarm(case: CompositeCase) -> Iterator[Said]:
    template = case.setup.template
    names = [
        each.name for kind in (template.alarms, template.log_alarms, template.composites) for each in kind
    ]
    suppressor = [case.alarm.suppressor] if case.alarm.suppressor else []
    for name in (*referred(case.alarm.rule), *(_bare(each) for each in suppressor)):
        if name in names:
            continue
        near = difflib.get_close_matches(name, names, 1)
        yield Said(
            Severity.WARNING,
            f"No alarm of this template is called {name}." + (f" Did you mean {near[0]}?" if near else ""),
            property="AlarmRule",
            old=f"AlarmRule: {case.alarm.rule}" if near else None,
            fix=f"AlarmRule: {case.alarm.rule.replace(name, near[0])}" if near else None,
        )


def referred(rule: str) -> list[str]:
    """Return the names of the alarms that a composite alarm's rule looks at; of ARNs, the name at the end."""
    found = [match[1] for match in _REFERENCE.finditer(rule)]
    for listed in _LISTED.finditer(rule):
        found += _NAME.findall(listed[1])
    return list(dict.fromkeys(_bare(each) for each in found))


def _bare(reference: str) -> str:
    name = re.sub(r"\\(.)", r"\1", reference[1:-1]) if reference.startswith('"') else reference
    return name.split(":alarm:", 1)[1] if name.startswith("arn:") and ":alarm:" in name else name


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


RULES: tuple[Rule[AlarmCase], ...] = (
    Rule("unknown-metric", "a metric that no filter publishes", _unknown_metric),
    Rule("dimension-mismatch", "other dimensions than the filter publishes", _dimension_mismatch),
    Rule("missing-data", "a treatment of missing data that hides or invents an alarm", _missing_data),
    Rule("short-window", "a window that is over before CloudTrail delivers", _short_window),
    Rule("ok-is-no-recovery", "an action when nothing matched for a while", _ok_is_no_recovery),
    Rule("no-action", "an alarm that tells nobody", no_action),
)
COMPOSITE_RULES: tuple[Rule[CompositeCase], ...] = (
    Rule("no-action", "an alarm that tells nobody", _composite_no_action),
    Rule("unknown-alarm", "a composite alarm of alarms that do not exist", _unknown_alarm),
)
