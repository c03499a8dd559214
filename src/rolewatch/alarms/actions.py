"""An alarm's actions and the state it enters in, the actions that this invokes out (spec/alarm.md §6)."""

from rolewatch.alarms.history import State
from rolewatch.templates.definitions import Actions


def actions_of(actions: Actions, entered: State) -> tuple[str, ...]:
    """Give what is invoked when a state is entered; nothing if actions are not enabled."""
    if not actions.enabled:
        return ()
    return {
        State.ALARM: actions.alarm,
        State.OK: actions.ok,
        State.INSUFFICIENT_DATA: actions.insufficient_data,
    }[entered]
