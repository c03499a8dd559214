"""Log groups, SOURCEs and what asks for log groups in; which of them sees which deliveries out, as in a replay."""

from collections.abc import Mapping
from typing import Final

from rolewatch.templates.definitions import LogAlarm, MetricFilter, Notice, Template
from rolewatch.templates.log_groups import unknown_groups

#: The log groups that the deliveries of each SOURCE belong to; None stands for that of all which belong to no named one.
Groups = Mapping[str, frozenset[str | None]]
NO_GROUPS: Final[Groups] = {}  # travels to the processes that read
#: What a SOURCE belongs to that was given as itself.
OTHERS: Final[frozenset[str | None]] = frozenset((None,))


def groups_of(source: str, groups: Groups) -> frozenset[str | None]:
    """Give the log groups of a SOURCE."""
    return groups.get(source, OTHERS)


def named(groups: Groups) -> set[str]:
    """Give the log groups that have SOURCEs of their own."""
    return {name for each in groups.values() for name in each if name is not None}


def seen_by(each: MetricFilter, groups: Groups) -> str | None:
    """Give the log group whose deliveries a metric filter sees."""
    return each.log_group if each.log_group in named(groups) else None


def seen_by_query(alarm: LogAlarm, groups: Groups) -> frozenset[str | None]:
    """Give the log groups whose deliveries a log alarm's query sees: all, where it says itself which."""
    asked, there = alarm.query.groups, named(groups)
    own = {name for name in asked or there if name in there}
    others = not asked or any(name not in there for name in asked)
    return frozenset((*own, None)) if others else frozenset(own)


def unknown(template: Template, groups: Groups) -> list[Notice]:
    """Warn of log groups that no metric filter or log alarm is about."""
    there = {
        name: sorted(source for source, own in groups.items() if name in own)
        for name in sorted(named(groups))
    }
    return unknown_groups(template, there)
