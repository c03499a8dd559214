"""A composite alarm's changes and those of its suppressor in; when its actions run, if at all, out (spec/alarm.md §10.1)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from rolewatch.alarms.actions import actions_of
from rolewatch.alarms.history import History, State, Transition
from rolewatch.templates.definitions import CompositeAlarm


class By(StrEnum):
    """What holds actions back, in the service's words (`ActionsSuppressedBy`)."""

    WAIT_PERIOD = "WaitPeriod"  # the composite has changed, and its suppressor may be about to follow
    EXTENSION_PERIOD = "ExtensionPeriod"  # the suppressor has just left ALARM
    ALARM = "Alarm"  # the suppressor is in ALARM


class _Event(NamedTuple):
    """A change; of two at the same time the suppressor's comes first."""

    time: int
    whose: int
    place: int


_SUPPRESSOR, _COMPOSITE = range(2)


class _Actions:
    """The actions of one composite alarm: what holds them back, until when, and which change they belong to."""

    def __init__(self, alarm: CompositeAlarm, changes: Sequence[Transition], suppressor: History) -> None:
        self.alarm = alarm
        self.changes = list(changes)
        self.suppressor = suppressor
        self.by: By | None = By.ALARM if suppressor.initial is State.ALARM else None
        self.until: int | None = None
        self.pending: int | None = None

    def run(self, end: int) -> tuple[Transition, ...]:
        """Go through all changes up to the end."""
        events = [_Event(change.time, _COMPOSITE, place) for place, change in enumerate(self.changes)]
        events += [
            _Event(change.time, _SUPPRESSOR, place)
            for place, change in enumerate(self.suppressor.transitions)
        ]
        for event in sorted(events):
            self._pass_time(event.time)
            if event.whose == _COMPOSITE:
                self._composite_changes(event.place)
            else:
                self._suppressor_changes(self.suppressor.transitions[event.place])
            self._pass_time(event.time)
        self._pass_time(end)
        return tuple(self.changes)

    def _pass_time(self, time: int) -> None:
        """Act on the composite's state, which is the one last entered, when a period has ended."""
        if self.until is None or self.until > time:
            return
        if self.pending is not None:
            change = self.changes[self.pending]
            acted_at = self.until if self.until > change.time else None
            actions = actions_of(self.alarm.actions, change.after)
            self.changes[self.pending] = change._replace(
                actions=actions, acted_at=acted_at if actions else None
            )
        self.by = self.until = self.pending = None

    def _composite_changes(self, place: int) -> None:
        self.pending = place
        if self.by is not By.ALARM:
            self.by = By.WAIT_PERIOD
            self.until = self.changes[place].time + self.alarm.wait_period
        self._mark(self.changes[place].time)

    def _suppressor_changes(self, change: Transition) -> None:
        if change.after is State.ALARM:
            self.by, self.until = By.ALARM, None
        elif change.before is State.ALARM:
            self.by, self.until = By.EXTENSION_PERIOD, change.time + self.alarm.extension_period
        self._mark(change.time)

    def _mark(self, now: int) -> None:
        """Note at the waiting change what it waits for; periods of no length hold nothing back."""
        if self.pending is not None and self.by is not None and (self.until is None or self.until > now):
            self.changes[self.pending] = self.changes[self.pending]._replace(suppressed_by=str(self.by))


def suppressed(
    alarm: CompositeAlarm, changes: Sequence[Transition], suppressor: History, end: int
) -> tuple[Transition, ...]:
    """Give the changes (without actions as yet) with the actions that run until the end."""
    return _Actions(alarm, changes, suppressor).run(end)
