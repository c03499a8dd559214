"""A pattern or a template in, all advice out: every rule of the tables is asked, in their order."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from rolewatch.lint import alarms, comparisons, denials, filters, log_alarms, thresholds, truth, words
from rolewatch.lint.advice import Advice, Rule, Severity
from rolewatch.lint.examined import Examined, examined
from rolewatch.lint.repair import REFUSED, UNQUOTED
from rolewatch.lint.setup import AlarmCase, CompositeCase, FilterCase, LogCase, Setup, setup_of
from rolewatch.patterns import Pattern
from rolewatch.templates.definitions import Notice, Place, Template

Subject = TypeVar("Subject")

PATTERN_RULES: tuple[Rule[Examined], ...] = (*truth.RULES, *comparisons.RULES, *denials.RULES, *words.RULES)
FILTER_RULES: tuple[Rule[FilterCase], ...] = filters.RULES
ALARM_RULES: tuple[Rule[AlarmCase], ...] = (*alarms.RULES, *thresholds.RULES)
LOG_RULES: tuple[Rule[LogCase], ...] = log_alarms.RULES
COMPOSITE_RULES: tuple[Rule[CompositeCase], ...] = alarms.COMPOSITE_RULES
#: What the reader of a template says, as advice: (level of its notice, rule, severity, title).
NOTICES = (
    ("error", REFUSED, Severity.ERROR, "a resource that AWS would refuse"),
    ("warning", "half-read", Severity.WARNING, "a part of a resource that has no effect, or cannot be told"),
)
# Rules of ours that AWS's own message says already, by a part of it (spec/metric-filter.md §1).
_REFUSALS = (
    ("mutually exclusive", "default-with-dimensions"),
    ("at 'dimensions' failed", "too-many-dimensions"),
)
TITLES: dict[str, str] = {
    **{rule: title for _, rule, _, title in NOTICES},
    UNQUOTED: "a special character outside of quotes",
    **{
        rule.id: rule.title
        for table in (LOG_RULES, PATTERN_RULES, FILTER_RULES, ALARM_RULES, COMPOSITE_RULES)
        for rule in table
    },
}
"""What each rule looks for, by its name."""


def lint_pattern(pattern: Pattern) -> list[Advice]:
    """Return the advice on a filter pattern, in the order of its text."""
    what = examined(pattern)
    found = [
        Advice(rule.id, said.severity, said.message, None, said.span, pattern.text, said.fix)
        for rule in PATTERN_RULES
        for said in rule.check(what)
    ]
    return sorted(found, key=lambda advice: advice.span or (0, 0))


def lint_template(template: Template) -> list[Advice]:
    """Return the advice on a template's metric filters and alarms, in the order of the file.

    Places are those of the resources, with the property's path; `exact` finds the property itself in the file.
    """
    setup = setup_of(template)
    found = [*_of_notices(template.notices)]
    for case in _filter_cases(setup):
        found += _asked(FILTER_RULES, case, case.filter.place)
        for advice in lint_pattern(case.filter.pattern):
            place = _property(case.filter.place, "FilterPattern")
            found.append(advice._replace(place=place))
    for alarm in template.alarms:
        found += _asked(ALARM_RULES, AlarmCase(setup, alarm), alarm.place)
    for log_alarm in template.log_alarms:
        found += _asked(LOG_RULES, LogCase(setup, log_alarm), log_alarm.place)
    for composite in template.composites:
        found += _asked(COMPOSITE_RULES, CompositeCase(setup, composite), composite.place)
    return sorted(found, key=lambda advice: advice.place[:3] if advice.place else ("", 0, 0))


def _of_notices(notices: Iterable[Notice]) -> Iterator[Advice]:
    for notice in notices:
        for level, rule, severity, _ in NOTICES:
            if notice.level == level:
                own = (name for part, name in _REFUSALS if part in notice.message)
                yield Advice(next(own, rule), severity, notice.message, notice.place)


def _filter_cases(setup: Setup) -> Iterator[FilterCase]:
    every: Counter[str] = Counter()
    with_regex: Counter[str] = Counter()
    for each in setup.template.filters:
        every[each.log_group] += 1
        with_regex[each.log_group] += filters.has_regex(each)
        number = with_regex[each.log_group] if filters.has_regex(each) else 0
        yield FilterCase(setup, each, every[each.log_group], number)


def _asked(rules: Sequence[Rule[Subject]], case: Subject, place: Place) -> Iterator[Advice]:
    for rule in rules:
        for said in rule.check(case):
            where = _property(place, said.property) if said.property else place
            yield Advice(rule.id, said.severity, said.message, where, said.span, said.old, said.fix)


def _property(place: Place, name: str) -> Place:
    below = (
        "Properties."
        if place.path.startswith("Resources.") and not place.path.endswith(".Properties")
        else ""
    )
    return place._replace(path=f"{place.path}.{below}{name}" if place.path else name)
