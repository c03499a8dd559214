"""Composite alarms and the histories of the alarms that they watch in, their own histories out (spec/alarm.md §10)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from rolewatch.alarms.actions import actions_of
from rolewatch.alarms.errors import AlarmError
from rolewatch.alarms.history import History, State, Transition
from rolewatch.alarms.rule import Rule, alarm_name, children, holds, parse_rule
from rolewatch.alarms.suppression import suppressed
from rolewatch.alarms.wording import LONGEST_DATA, LONGEST_REASON, long_time, stamp
from rolewatch.templates.definitions import CompositeAlarm, Notice

#: What stands before an alarm's name in its ARN where nothing tells its account and Region.
ARN_PREFIX: Final = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:"


class Setting(NamedTuple):
    """What all alarms of a replay share: its time in epoch seconds, the first evaluation (None if there is none), states to begin with."""

    start: int
    end: int
    first: int | None
    initial: Mapping[str, State]
    arn_prefix: str


class _Parsed(NamedTuple):
    """A composite alarm with its rule."""

    alarm: CompositeAlarm
    rule: Rule

    @property
    def names(self) -> list[str]:
        """The alarms of the rule, each once, in the order of its text."""
        return list(dict.fromkeys(child.name for child in children(self.rule)))


def follow(
    composites: Sequence[CompositeAlarm],
    histories: Mapping[str, History],
    failed: Iterable[str],
    setting: Setting,
) -> tuple[list[History], list[Notice]]:
    """Evaluate composite alarms: at the first evaluation, and whenever an alarm that they watch changes.

    `failed` names alarms that have no history; a composite alarm that depends on one has none either, nor has one that
    depends on itself. Each of these has a notice.
    """
    known, lost = dict(histories), set(failed)
    followed: dict[str, History] = {}
    notices: list[Notice] = []
    waiting: dict[str, _Parsed] = {}
    for alarm in composites:
        try:
            waiting[alarm.name] = _Parsed(alarm, parse_rule(alarm.rule))
        except AlarmError as error:
            notices.append(_failure(alarm, error))
            lost.add(alarm.name)
    while waiting:
        ready = [each for each in waiting.values() if waiting.keys().isdisjoint(each.names)]
        if not ready:
            # All that wait depend on themselves, or on others that do.
            ready = [each for name, each in waiting.items() if _depends_on_itself(name, waiting)]
            notices += [_failure(each.alarm, AlarmError("its AlarmRule depends on itself")) for each in ready]
            lost.update(each.alarm.name for each in ready)
            waiting = {name: each for name, each in waiting.items() if name not in lost}
            continue
        for parsed in ready:
            del waiting[parsed.alarm.name]
            try:
                _check_children(parsed, known, lost)
            except AlarmError as error:
                notices.append(_failure(parsed.alarm, error))
                lost.add(parsed.alarm.name)
            else:
                known[parsed.alarm.name] = followed[parsed.alarm.name] = _history(parsed, known, setting)
    in_order = [followed[alarm.name] for alarm in composites if alarm.name in followed]
    return [_acting(history, known, notices) for history in in_order], notices


def _depends_on_itself(name: str, waiting: Mapping[str, _Parsed]) -> bool:
    """Say whether a rule leads back to its alarm through those that wait."""
    reached: set[str] = set()
    ahead = [name]
    while ahead:
        new = [child for child in waiting[ahead.pop()].names if child in waiting and child not in reached]
        reached.update(new)
        ahead += new
    return name in reached


def _failure(alarm: CompositeAlarm, error: AlarmError) -> Notice:
    """Tell what is wrong with a rule, and where it is written."""
    place = alarm.place if alarm.written is None else alarm.written.at(error.position)
    return Notice("error", f"{alarm.name} cannot be evaluated: {error}", place)


def _check_children(parsed: _Parsed, known: Mapping[str, History], lost: set[str]) -> None:
    for child in children(parsed.rule):
        if child.name in lost:
            raise AlarmError(
                f"its AlarmRule refers to {child.name}, which cannot be evaluated",
                parsed.alarm.rule,
                child.at,
            )
        if child.name not in known:
            raise AlarmError(
                f"its AlarmRule refers to {child.name}, which is no alarm here", parsed.alarm.rule, child.at
            )


def _history(parsed: _Parsed, known: Mapping[str, History], setting: Setting) -> History:
    """Find out when the rule begins and ceases to hold."""
    alarm, names = parsed.alarm, parsed.names
    initial = setting.initial.get(alarm.name, State.INSUFFICIENT_DATA)
    states = {name: (known[name].initial, setting.start) for name in names}
    at: dict[int, list[tuple[str, Transition]]] = {} if setting.first is None else {setting.first: []}
    for name in names:
        for change in known[name].transitions:
            at.setdefault(change.time, []).append((name, change))
    state = initial
    transitions: list[Transition] = []
    for place, time in enumerate(sorted(at)):
        created = place == 0 and alarm.name not in setting.initial
        before = _held(parsed, states)
        trigger: tuple[str, Transition] | None = None
        # Several may change at once: one after the other, the last that makes a difference is named.
        for name, change in at[time]:
            states[name] = (change.after, time)
            held = _held(parsed, states)
            if trigger is None or held != before:
                trigger = name, change
            before = held
        after = State.ALARM if before else State.OK
        if after is state:
            continue
        reason, data = _told(alarm, after, states, None if created else trigger, setting.arn_prefix)
        transitions.append(Transition(time, state, after, reason, data, ()))
        state = after
    return History(alarm, setting.start, setting.end, initial, tuple(transitions))


def _held(parsed: _Parsed, states: Mapping[str, tuple[State, int]]) -> bool:
    return holds(parsed.rule, lambda name: states[name][0])


def _told(
    alarm: CompositeAlarm,
    after: State,
    states: Mapping[str, tuple[State, int]],
    trigger: tuple[str, Transition] | None,
    arn_prefix: str,
) -> tuple[str, str]:
    """Write StateReason and StateReasonData (spec/alarm.md §7)."""
    if trigger is None:
        reason = f"{arn_prefix}{alarm.name} was created and its alarm rule evaluates to {after}"
        triggering = list(states)
    else:
        name, change = trigger
        reason = f"{arn_prefix}{name} transitioned to {change.after} at {long_time(change.time)}"
        triggering = [name]
    entries: list[dict[str, object]] = []
    text = ""
    for name in triggering:
        state, since = states[name]
        entries.append(
            {"arn": f"{arn_prefix}{name}", "state": {"value": str(state), "timestamp": stamp(since)}}
        )
        longer = json.dumps({"triggeringAlarms": entries}, separators=(",", ":"))
        if text and len(longer) > LONGEST_DATA:
            break
        text = longer
    return reason[:LONGEST_REASON], text or '{"triggeringAlarms":[]}'


def _acting(history: History, known: Mapping[str, History], notices: list[Notice]) -> History:
    """Add the actions to a history; a suppressor decides when they run."""
    alarm = history.alarm
    assert isinstance(alarm, CompositeAlarm)  # noqa: S101 - it is one of them
    suppressor = None if alarm.suppressor is None else known.get(alarm_name(alarm.suppressor))
    if alarm.suppressor is not None and suppressor is None:
        message = f"{alarm.name}: its ActionsSuppressor {alarm.suppressor} has no history here, so nothing suppresses its actions"
        notices.append(Notice("warning", message, alarm.place))
    if suppressor is not None:
        return history._replace(transitions=suppressed(alarm, history.transitions, suppressor, history.end))
    acted = (
        change._replace(actions=actions_of(alarm.actions, change.after)) for change in history.transitions
    )
    return history._replace(transitions=tuple(acted))
