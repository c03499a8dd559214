"""What alarms did, and which of their changes wait with their actions, in; what changes invoke by now out.

Suppressors and mute rules are those of a replay, asked again for what they have held back so far: so what a change waits for
is known by the change itself, and a watcher that is new goes on where another one stopped.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from rolewatch.alarms.history import AnyAlarm, ContributorChange, History, State, Transition
from rolewatch.alarms.log_evaluate import contributor_actions, own_actions
from rolewatch.alarms.log_results import Attributes
from rolewatch.alarms.mute import muted
from rolewatch.alarms.rule import alarm_name
from rolewatch.alarms.suppression import suppressed
from rolewatch.templates.definitions import Actions, CompositeAlarm
from rolewatch.watch.alarm_definitions import Definitions, silent_children

#: An action of every alarm that tells somebody: it runs, is suppressed and muted as those in its template.
TELL: Final = "rolewatch:tell"

#: Gives the changes of an alarm, by its name, from a time on to where evaluation began.
Since = Callable[[str, int], Sequence[Transition]]
#: Gives the actions that are invoked when a state is entered.
Invoked = Callable[[State], tuple[str, ...]]


#: Changes that wait, by the alarm's name and contributor, None for its own.
Waiting = Mapping[tuple[str, Attributes | None], Transition]


class Acted(NamedTuple):
    """A change with the actions that it has invoked by now; one that is `waiting` may invoke some later.

    `contributor` is whose it is, None if the alarm's own.
    """

    alarm: str
    change: Transition
    waiting: bool
    contributor: Attributes | None = None

    @property
    def time(self) -> int:
        """When its actions ran."""
        return self.change.time if self.change.acted_at is None else self.change.acted_at


def acted(
    definitions: Definitions,
    histories: Mapping[str, History],
    waiting: Waiting,
    since: Since,
) -> list[Acted]:
    """Say of all changes, new or waiting, what they invoke until the histories' end, in the order in which they do."""
    quiet = silent_children(definitions)
    found: list[Acted] = []
    for name, alarm in definitions.all.items():
        history = histories.get(name)
        if history is None:
            continue
        changes, contributors = _changes(name, history, waiting)
        if changes or contributors:
            telling = _telling(alarm, tells=name not in quiet)
            own = _own(telling, grouped=name in definitions.contributing)
            held = _held(telling, changes, own, histories, since)
            parts = [
                each._replace(change=each.change._replace(actions=_others(telling, each.change.after)))
                for each in contributors
            ]
            history = history._replace(alarm=telling, transitions=held, contributors=tuple(parts))
            (told,) = muted([history], definitions.mute_rules)
            found += _found(name, None, own, told.transitions)
            in_order = sorted(told.contributors, key=attrgetter("attributes"))
            for who, those in groupby(in_order, key=attrgetter("attributes")):
                found += _found(name, who, partial(_others, telling), [each.change for each in those])
    return sorted(found, key=lambda each: each.time)


def _changes(
    name: str, history: History, waiting: Waiting
) -> tuple[list[Transition], list[ContributorChange]]:
    """Give the changes of an alarm and those of its contributors, without their actions; what waits comes first."""
    before = waiting.get((name, None))
    changes = [before, *history.transitions] if before else history.transitions
    earlier = [
        ContributorChange(who, change) for (alarm, who), change in waiting.items() if alarm == name and who is not None
    ]  # fmt: skip
    contributors = sorted(
        [*earlier, *history.contributors], key=lambda each: (each.change.time, each.attributes)
    )
    return (
        [_bare(change) for change in changes],
        [each._replace(change=_bare(each.change)) for each in contributors],
    )


def _bare(change: Transition) -> Transition:
    return change._replace(actions=(), acted_at=None, suppressed_by=None)


def _telling(alarm: AnyAlarm, *, tells: bool) -> AnyAlarm:
    if not tells:
        return alarm
    enabled, *lists = alarm.actions
    return alarm._replace(actions=Actions(enabled, *((*actions, TELL) for actions in lists)))


def _own(alarm: AnyAlarm, *, grouped: bool) -> Invoked:
    """Give what says which actions an alarm's own changes invoke."""
    actions: Actions = alarm.actions
    return lambda after: own_actions(actions, after, grouped=grouped)


def _others(alarm: AnyAlarm, after: State) -> tuple[str, ...]:
    """Give the actions that a change of a contributor invokes."""
    return contributor_actions(alarm.actions, after)


def _held(
    alarm: AnyAlarm,
    changes: Sequence[Transition],
    invoked: Invoked,
    histories: Mapping[str, History],
    since: Since,
) -> tuple[Transition, ...]:
    """Let a suppressor decide when actions run, if there is one; else they run at once."""
    name = alarm_name(alarm.suppressor) if isinstance(alarm, CompositeAlarm) and alarm.suppressor else ""
    suppressor = histories.get(name)
    if suppressor is None or not isinstance(alarm, CompositeAlarm) or not changes:
        return tuple(change._replace(actions=invoked(change.after)) for change in changes)
    first = changes[0].time
    earlier = tuple(since(name, first)) if first <= suppressor.start else ()
    initial: State = earlier[0].before if earlier else suppressor.initial
    whole = suppressor._replace(initial=initial, transitions=(*earlier, *suppressor.transitions))
    return suppressed(alarm, changes, whole, suppressor.end)


def _found(
    name: str, contributor: Attributes | None, invoked: Invoked, changes: Sequence[Transition]
) -> list[Acted]:
    last = len(changes) - 1
    return [
        Acted(
            name,
            change,
            waiting=place == last
            and change.suppressed_by is not None
            and not change.actions
            and bool(invoked(change.after)),
            contributor=contributor,
        )
        for place, change in enumerate(changes)
    ]
