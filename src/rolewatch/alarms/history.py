"""What an alarm did over a time: its states and what changed them."""

from enum import StrEnum
from typing import Final, NamedTuple

from rolewatch.alarms.log_results import Attributes
from rolewatch.templates.definitions import Alarm, CompositeAlarm, LogAlarm

#: The reason of an alarm's first state, INSUFFICIENT_DATA (spec/alarm.md §7.1).
CREATED: Final = "Unchecked: Initial alarm creation"


AnyAlarm = Alarm | CompositeAlarm | LogAlarm


class State(StrEnum):
    """An alarm's state."""

    OK = "OK"  # the metric is within the threshold
    ALARM = "ALARM"  # the metric is beyond the threshold
    INSUFFICIENT_DATA = (
        "INSUFFICIENT_DATA"  # the alarm has just started, or there is not enough data to decide
    )


class Transition(NamedTuple):
    """A change of state at `time` (epoch seconds), in the service's wording (spec/alarm.md §7).

    `reason_data` is JSON text, or None where the service gives none; `actions` are those the change invokes. Where a
    composite alarm has a suppressor, or a rule mutes the alarm, they may be invoked later, at `acted_at`, or not at all:
    `suppressed_by` names what held them back last (`WaitPeriod`, `ExtensionPeriod` or `Alarm`; spec/alarm.md §10.1; or
    `AlarmMuteRule` with the rule's name, §6). `lines` are the log lines that go with a log alarm's notification.
    """

    time: int
    before: State
    after: State
    reason: str
    reason_data: str | None
    actions: tuple[str, ...]
    acted_at: int | None = None
    suppressed_by: str | None = None
    lines: tuple[str, ...] = ()


class ContributorChange(NamedTuple):
    """A change of one of the contributors of a log alarm, by its attributes; it may invoke actions of its own."""

    attributes: Attributes
    change: Transition


class History(NamedTuple):
    """One alarm from `start` to `end` (epoch seconds): the state it began with, and all changes in ascending order.

    `contributors` are the changes of a log alarm's contributors, in ascending order, too.
    """

    alarm: AnyAlarm
    start: int
    end: int
    initial: State
    transitions: tuple[Transition, ...]
    contributors: tuple[ContributorChange, ...] = ()

    @property
    def final(self) -> State:
        """The state at the end."""
        return self.transitions[-1].after if self.transitions else self.initial
