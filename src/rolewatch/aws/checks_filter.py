"""Checks of the metric filters: whether denials are counted, all kinds of them, and nothing else, and whether an alarm looks."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from rolewatch.aws.checks import Case, Check, Verdict
from rolewatch.aws.checks_fix import command, new_alarm, new_filter, pattern, put_filter
from rolewatch.aws.checks_group import name, there
from rolewatch.aws.doctor_setup import seen
from rolewatch.aws.doctor_wiring import Filter, Wiring
from rolewatch.lint.advice import Advice, Severity
from rolewatch.report.words import count

Each = tuple[Wiring, Filter]
#: Rules of our lint that have a check of their own here.
_OWN_CHECKS: Final = ("default-counts-others", "filter-without-alarm", "half-read")


def filters(case: Case) -> Iterator[Each]:
    """Give the filters for denials, each with its log group."""
    for wiring in there(case):
        for each in wiring.filters:
            yield wiring, each


def _missing(case: Case, wiring: Wiring) -> Iterator[Verdict]:
    del case
    own = wiring.group.id
    found = [*(each.name for each in wiring.filters), *(alarm.name for alarm, _ in wiring.querying)]
    if found:
        yield Verdict("ok", own.name, f"{' and '.join(found)} looks for denials in {own.name}.")
        return
    others = len(seen(wiring.group.filters))
    has = f"of its {count(others, 'metric filter')} none does" if others else "it has no metric filter"
    yield Verdict(
        "problem",
        own.name,
        f"Nothing looks for denials of service-linked roles in the log group {own.name}: {has}, and no log alarm does. They arrive, and "
        "nobody counts them.",
        new_filter(own.name, own.region),
    )


def _narrow(case: Case, wiring: Wiring) -> Iterator[Verdict]:
    del case
    sets = [*(each.matched for each in wiring.filters), *(ids for _, ids in wiring.querying)]
    if not sets:
        return
    own, matched = wiring.group.id, frozenset().union(*sets)
    missed = [each for each in wiring.samples if each.id not in matched]
    if not missed:
        yield Verdict("ok", own.name, f"All {len(wiring.samples)} kinds of denials that were tried are looked for in {own.name}.")  # fmt: skip
        return
    if any(each.read is None for each in wiring.filters):
        return  # what that one matches is not known, and the check of its pattern says so
    named = [*(each.name for each in wiring.filters), *(alarm.name for alarm, _ in wiring.querying)]
    best = max(wiring.filters, key=lambda each: len(each.matched), default=None)
    fix = (
        put_filter(best.described, own.name, own.region, text=pattern())
        if best
        else new_filter(own.name, own.region)
    )
    yield Verdict(
        "problem",
        own.name,
        f"{' and '.join(named)} in {own.name} {'do' if len(named) > 1 else 'does'} not see {len(missed)} of {len(wiring.samples)} kinds of "
        f"denials that were tried: {'; '.join(each.title for each in missed)}.",
        fix,
    )


def _pattern(case: Case, subject: Each) -> Iterator[Verdict]:
    """Say what our lint says of the pattern that the trial may not show, such as spellings of a refusal that it forgets."""
    del case
    wiring, each = subject
    own = wiring.group.id
    if each.read is None:
        yield Verdict("unknown", each.name, f"It is not known what the filter {each.name} matches: its pattern, or its transformation, is none that rolewatch can read.")  # fmt: skip
        return
    found = [advice for advice in _advice(wiring, each) if advice.span is not None]
    for advice in found:
        narrow = advice.rule in ("forgotten-codes", "narrow-event-name")
        text = advice.fix if advice.fix is not None and not narrow else pattern()
        yield Verdict(
            "problem" if advice.severity is Severity.ERROR else "warning",
            each.name,
            f"The pattern of the filter {each.name}: {advice.message}",
            put_filter(each.described, own.name, own.region, text=text),
        )
    if not found:
        yield Verdict("ok", each.name, f"The pattern of the filter {each.name} is as it should be.")


def _wide(case: Case, subject: Each) -> Iterator[Verdict]:
    del case
    wiring, each = subject
    own = wiring.group.id
    counted = [sample.title for sample in wiring.others if sample.id in each.matched_others]
    if not counted or not each.matched:
        return
    yield Verdict(
        "warning",
        each.name,
        f"The filter {each.name} also counts {' and '.join(counted)}. While its alarm is in ALARM for that, a denial of a service changes "
        "nothing, and nobody is told of it. Give service-linked roles a filter of their own.",
        new_filter(own.name, own.region),
    )


def _default(case: Case, subject: Each) -> Iterator[Verdict]:
    del case
    wiring, each = subject
    own = wiring.group.id
    found = [advice for advice in _advice(wiring, each) if advice.rule == "default-counts-others"]
    if not found:
        yield Verdict("ok", each.name, f"The filter {each.name} counts nothing but what matches.")
    for advice in found:
        yield Verdict(
            "problem",
            each.name,
            f"The filter {each.name}: {advice.message}",
            put_filter(each.described, own.name, own.region, defaultValue=0),
        )


def _settings(case: Case, subject: Each) -> Iterator[Verdict]:
    """Say what else our lint says of a filter: its dimensions, and limits."""
    del case
    wiring, each = subject
    for advice in _advice(wiring, each) if each.read else ():
        if advice.span is None and advice.rule not in _OWN_CHECKS:
            yield Verdict(
                "problem" if advice.severity is Severity.ERROR else "warning",
                each.name,
                f"The filter {each.name}: {advice.message}",
                put_filter(each.described, wiring.name, wiring.group.id.region, dimensions=None),
            )


def _unwatched(case: Case, subject: Each) -> Iterator[Verdict]:
    wiring, each = subject
    region = wiring.group.id.region
    seen(case.setup.in_region[region].alarms)
    if wiring.is_watched(each):
        yield Verdict("ok", each.name, f"An alarm counts what the filter {each.name} finds.")
        return
    told_anyhow = frozenset().union(
        *(other.matched for other in wiring.filters if wiring.is_watched(other)),
        *(ids for _, ids in wiring.querying),
    )
    if each.matched and each.matched <= told_anyhow:
        yield Verdict(
            "ok", each.name, f"What the filter {each.name} finds, an alarm counts by another one, too."
        )
        return
    metric = "/".join(each.metric)
    told = f"No alarm counts {metric}: what the filter {each.name} finds, nobody is told."
    yield Verdict("problem", each.name, told, new_alarm(each.metric, region, case.some_topic(wiring)))


def _never(case: Case, subject: Each) -> Iterator[Verdict]:
    wiring, each = subject
    region = case.setup.in_region[wiring.group.id.region]
    published = seen(region.metrics.get(each.metric, False))
    if each.read is None and each.default is None:
        return
    if published or (each.default is None and len(each.matched) == len(wiring.samples)):
        told = "has published in the last two weeks" if published else "has published nothing in the last two weeks, which without a default value means that nothing matched"  # fmt: skip
        yield Verdict("ok", each.name, f"The filter {each.name} {told}.")
        return
    metric = "/".join(each.metric)
    if each.default is not None:
        told = f"{metric} has had no data for two weeks, though the filter {each.name} publishes {each.default:g} for each event that does not match: no event has come to it."  # fmt: skip
    else:
        told = f"{metric} has had no data for two weeks: either there was no denial, or the filter {each.name}, which does not match every kind of them, has missed it."  # fmt: skip
    namespace, own = each.metric
    yield Verdict(
        "problem" if each.default is not None else "warning",
        each.name,
        told,
        command("cloudwatch", "list-metrics", "--namespace", namespace, "--metric-name", own, region=wiring.group.id.region)
        if each.default is not None
        else "rolewatch aws doctor --simulate",
    )  # fmt: skip


def _advice(wiring: Wiring, each: Filter) -> Iterable[Advice]:
    """Give what our lint has against a filter, and its pattern."""
    worth = (Severity.ERROR, Severity.WARNING)
    for kind, own, advice in wiring.advice:
        if kind == "metricFilters" and own == each.name and advice.severity in worth:
            yield advice


def _name(subject: Each) -> str:
    return f"the filter {subject[1].name}"


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("filter-missing", "metric filter", "whether denials are looked for", there, _missing, name),
    Check("filter-narrow", "metric filter", "whether all kinds of denials are looked for", there, _narrow, name),
    Check("filter-pattern", "metric filter", "what the pattern matches", filters, _pattern, _name),
    Check("filter-wide", "metric filter", "whether something else is counted, too", filters, _wide, _name),
    Check("filter-default", "metric filter", "whether events that do not match are counted", filters, _default, _name),
    Check("filter-settings", "metric filter", "whether it publishes what it should", filters, _settings, _name),
    Check("filter-unwatched", "metric filter", "whether an alarm counts what it finds", filters, _unwatched, _name),
    Check("filter-never-published", "metric filter", "whether the metric has ever had data", filters, _never, _name),
)  # fmt: skip
