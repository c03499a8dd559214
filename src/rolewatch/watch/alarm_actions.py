"""What alarms did, and which of their changes wait with their actions, in; what changes invoke by now out.

Suppressors and mute rules are those of a replay, asked again for what they have held back so far: so what a change waits for
is known by the change itself, and a watcher that is new goes on where another one stopped.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from rolewatch.alarms.actions import actions_of
from rolewatch.alarms.history import History, State, Transition
from rolewatch.alarms.mute import muted
from rolewatch.alarms.rule import alarm_name
from rolewatch.alarms.suppression import suppressed
from rolewatch.templates.definitions import Actions, Alarm, CompositeAlarm
from rolewatch.watch.alarm_definitions import Definitions, silent_children

#: An action of every alarm that tells somebody: it runs, is suppressed and muted as those in its template.
TELL: Final = "rolewatch:tell"

#: Gives the changes of an alarm, by its name, from a time on to where evaluation began.
Since = Callable[[str, int], Sequence[Transition]]


class Acted(NamedTuple):
    """A change with the actions that it has invoked by now; one that is `waiting` may invoke some later."""

    alarm: str
    change: Transition
    waiting: bool

    @property
    def time(self) -> int:
        """When its actions ran."""
        return self.change.time if self.change.acted_at is None else self.change.acted_at


def acted(
    definitions: Definitions,
    histories: Mapping[str, History],
    waiting: Mapping[str, Transition],
    since: Since,
) -> list[Acted]:
    """Say of all changes, new or waiting, what they invoke until the histories' end, in the order in which they do."""
    quiet = silent_children(definitions)
    found: list[Acted] = []
    for name, alarm in definitions.all.items():
        history = histories.get(name)
        if history is None:
            continue
        before = waiting.get(name)
        changes = (before, *history.transitions) if before else history.transitions
        if changes:
            telling = _telling(alarm, tells=name not in quiet)
            bare = [change._replace(actions=(), acted_at=None, suppressed_by=None) for change in changes]
            held = _held(telling, bare, histories, since)
            (told,) = muted([history._replace(alarm=telling, transitions=held)], definitions.mute_rules)
            found += _found(name, telling.actions, told.transitions)
    return sorted(found, key=lambda each: each.time)


def _telling(alarm: Alarm | CompositeAlarm, *, tells: bool) -> Alarm | CompositeAlarm:
    if not tells:
        return alarm
    enabled, *lists = alarm.actions
    return alarm._replace(actions=Actions(enabled, *((*actions, TELL) for actions in lists)))


def _held(
    alarm: Alarm | CompositeAlarm,
    changes: Sequence[Transition],
    histories: Mapping[str, History],
    since: Since,
) -> tuple[Transition, ...]:
    """Let a suppressor decide when actions run, if there is one; else they run at once."""
    name = alarm_name(alarm.suppressor) if isinstance(alarm, CompositeAlarm) and alarm.suppressor else ""
    suppressor = histories.get(name)
    if suppressor is None or not isinstance(alarm, CompositeAlarm):
        return tuple(change._replace(actions=actions_of(alarm.actions, change.after)) for change in changes)
    first = changes[0].time
    earlier = tuple(since(name, first)) if first <= suppressor.start else ()
    initial: State = earlier[0].before if earlier else suppressor.initial
    whole = suppressor._replace(initial=initial, transitions=(*earlier, *suppressor.transitions))
    return suppressed(alarm, changes, whole, suppressor.end)


def _found(name: str, actions: Actions, changes: Sequence[Transition]) -> list[Acted]:
    last = len(changes) - 1
    return [
        Acted(
            name,
            change,
            waiting=place == last
            and change.suppressed_by is not None
            and not change.actions
            and bool(actions_of(actions, change.after)),
        )
        for place, change in enumerate(changes)
    ]
