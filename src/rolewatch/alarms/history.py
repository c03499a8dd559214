"""What an alarm did over a time: its states and what changed them."""

from enum import StrEnum
from typing import NamedTuple

from rolewatch.templates.definitions import Alarm, CompositeAlarm


class State(StrEnum):
    """An alarm's state."""

    OK = "OK"  # the metric is within the threshold
    ALARM = "ALARM"  # the metric is beyond the threshold
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"  # the alarm has just started, or there is not enough data to decide


class Transition(NamedTuple):
    """A change of state at `time` (epoch seconds), in the service's wording (spec/alarm.md §7).

    `reason_data` is JSON text, or None where the service gives none; `actions` are those the change invokes.
    """

    time: int
    before: State
    after: State
    reason: str
    reason_data: str | None
    actions: tuple[str, ...]


class History(NamedTuple):
    """One alarm from `start` to `end` (epoch seconds): the state it began with, and all changes in ascending order."""

    alarm: Alarm | CompositeAlarm
    start: int
    end: int
    initial: State
    transitions: tuple[Transition, ...]

    @property
    def final(self) -> State:
        """The state at the end."""
        return self.transitions[-1].after if self.transitions else self.initial
