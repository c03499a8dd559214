"""Changes of alarms and of their contributors in, rows of the state out; and the way back."""

import json

from rolewatch.alarms.history import State, Transition
from rolewatch.alarms.log_results import Attributes
from rolewatch.store.alarms import ITSELF, TransitionRow
from rolewatch.watch.alarm_actions import TELL, Acted
from rolewatch.watch.alarm_message import shortened
from rolewatch.watch.log_alarm_memory import digest_of, read, written


def row_of(each: Acted, notification: str | None) -> TransitionRow:
    """Make the row of a change, with the id of what people were told, if they were."""
    change, whose = each.change, each.contributor
    actions = [action for action in change.actions if action != TELL]
    contributor, attributes = (ITSELF, None) if whose is None else (digest_of(whose), written(whose))
    lines = json.dumps(shortened(change.lines)) if change.lines else None
    return TransitionRow(
        each.alarm, change.time, str(change.before), str(change.after), change.reason, change.reason_data,
        json.dumps(actions), each.time if change.actions else None, change.suppressed_by, each.waiting, notification,
        contributor, attributes, lines,
    )  # fmt: skip


def transition_of(row: TransitionRow) -> Transition:
    """Give the change of a row."""
    return Transition(
        row.time, State(row.before), State(row.after), row.reason, row.reason_data, tuple(json.loads(row.actions)),
        row.acted, row.suppressed_by, tuple(json.loads(row.lines or "[]")),
    )  # fmt: skip


def contributor_of(row: TransitionRow) -> Attributes | None:
    """Say whose change it is, None if the alarm's own."""
    return None if row.attributes is None else read(row.attributes)
