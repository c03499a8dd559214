"""Histories of alarms and alarm mute rules in; histories whose actions wait for the end of the windows, or never run, out.

Muted alarms change their state all the same (spec/alarm.md §6). When a window ends, the actions of the state that was entered
last are invoked if a rule had muted them and the alarm is still in this state.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np

from rolewatch.alarms.clock import instants
from rolewatch.alarms.history import History, Transition
from rolewatch.metrics.series import Times
from rolewatch.templates.definitions import AlarmMuteRule, Notice
from rolewatch.templates.schedule import Cron, parse_schedule
from rolewatch.templates.timezones import parse_timezone

#: What stands before a rule's name where it is told what held actions back.
BY: Final = "AlarmMuteRule "

_DAY: Final = 86_400
_CHUNK: Final = 64 * _DAY  # of a schedule's time, looked at together
_THURSDAY: Final = 4  # the first of January 1970, counted from Sunday


class _Window(NamedTuple):
    """A time from `start` to before `end` in which actions are muted; `name` is that of the rule that ends last."""

    start: int
    end: int
    name: str


class _Calendar:
    """The windows of one rule; times are in epoch seconds."""

    def __init__(self, rule: AlarmMuteRule) -> None:
        self.rule = rule
        self._zone = parse_timezone(rule.timezone)
        self._schedule = parse_schedule(rule.expression)
        self._chunks: dict[int, tuple[Times, Times]] = {}

    def end(self, time: int) -> int | None:
        """Give when a window ends that covers a time, None if there is none; the next may begin right there."""
        rule = self.rule
        if rule.start is not None and time < rule.start:
            return None
        if rule.expire is not None and time >= rule.expire:
            return None
        # The newest first: its window reaches furthest.
        for number in range(time // _CHUNK, (time - rule.duration) // _CHUNK - 1, -1):
            starts, ends = self._chunk(number)
            place = int(np.searchsorted(starts, time, "right")) - 1
            if place >= 0 and ends[place] > time:
                end = int(ends[place])
                return end if rule.expire is None else min(end, rule.expire)
        return None

    def _chunk(self, number: int) -> tuple[Times, Times]:
        """Give the starts and ends of windows that begin in a chunk of time, those that touch as one."""
        if number not in self._chunks:
            begins = self._begins(number * _CHUNK, (number + 1) * _CHUNK)
            apart = np.diff(begins) > self.rule.duration
            first = np.append(np.True_, apart)[: len(begins)]
            last = np.append(apart, np.True_)[: len(begins)]
            self._chunks[number] = begins[first], begins[last] + self.rule.duration
        return self._chunks[number]

    def _begins(self, first: int, stop: int) -> Times:
        """Give the times in `first <= time < stop` at which the schedule begins a window."""
        if isinstance(self._schedule, Cron):
            # A day more at either end, as clocks may be ahead or behind.
            shown = _shown(self._schedule, first // _DAY - 1, stop // _DAY + 1)
        else:
            shown = np.array([self._schedule.replace(tzinfo=UTC).timestamp()], np.int64)
        there, begins = instants(self._zone, shown)
        begins = np.unique(begins[there])
        return begins[(begins >= first) & (begins < stop)]


def _shown(cron: Cron, first: int, last: int) -> Times:
    """Give what clocks show when a schedule begins, on the days (since 1970) from the first to the last one."""
    days = np.arange(first, last + 1)
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    of_month = (dates - months).astype(np.int64) + 1
    right = np.isin(of_month, cron.days)
    of_week = np.isin((days + _THURSDAY) % 7, cron.weekdays)
    right = right | of_week if cron.either else right & of_week
    right &= np.isin(months.astype(np.int64) % 12 + 1, cron.months)
    times = np.array(cron.hours, np.int64)[:, None] * 3600 + np.array(cron.minutes, np.int64) * 60
    shown: Times = days[right][:, None] * _DAY + times.ravel()
    return shown.ravel()


class _Windows:
    """The windows of all rules that mute an alarm."""

    def __init__(self, calendars: Sequence[_Calendar]) -> None:
        self._calendars = calendars
        self._last: _Window | None = None

    def window(self, time: int, limit: int) -> _Window | None:
        """Give the window that covers a time, None if there is none; beyond the limit, its end need not be right."""
        if self._last is not None and self._last.start <= time < self._last.end:
            return self._last
        found: _Window | None = None
        end = time
        while end <= limit and (ends := self._ends(end)):
            end, name = max(ends)
            found = _Window(time, end, name)
        self._last = found
        return found

    def _ends(self, time: int) -> list[tuple[int, str]]:
        return [(end, each.rule.name) for each in self._calendars if (end := each.end(time)) is not None]


def muted(histories: Iterable[History], rules: Sequence[AlarmMuteRule]) -> list[History]:
    """Give histories in which the actions that a rule mutes run when its windows end, or not at all."""
    by_target: dict[str, list[_Calendar]] = {}
    for rule in rules:
        calendar = _Calendar(rule)
        for name in rule.targets:
            by_target.setdefault(name, []).append(calendar)
    return [
        _muted(history, _Windows(calendars)) if (calendars := by_target.get(history.alarm.name)) else history
        for history in histories
    ]


def _muted(history: History, windows: _Windows) -> History:
    order = sorted(history.contributors, key=lambda each: each.attributes)
    waiting = {
        who: iter(_held((each.change for each in changes), windows, history.end))
        for who, changes in groupby(order, key=lambda each: each.attributes)
    }
    return history._replace(
        transitions=tuple(_held(history.transitions, windows, history.end)),
        contributors=tuple(
            each._replace(change=next(waiting[each.attributes])) for each in history.contributors
        ),
    )


def _held(given: Iterable[Transition], windows: _Windows, end: int) -> list[Transition]:
    """Hold back the actions of changes of one thing that lie in a window."""
    changes = list(given)
    for place, change in enumerate(changes):
        at = change.time if change.acted_at is None else change.acted_at
        window = windows.window(at, end) if change.actions else None
        if window is None:
            continue
        left = changes[place + 1].time if place + 1 < len(changes) else None
        acts = window.end <= end and (left is None or left > window.end)
        changes[place] = change._replace(
            actions=change.actions if acts else (),
            acted_at=window.end if acts else None,
            suppressed_by=f"{BY}{window.name}",
        )
    return changes


def unknown_targets(rules: Iterable[AlarmMuteRule], known: Collection[str]) -> list[Notice]:
    """Warn of alarms that a rule mutes, and whose names are not known."""
    return [
        Notice("warning", f"{rule.name} mutes {target}, which is no alarm here", rule.place)
        for rule in rules
        for target in rule.targets
        if target not in known
    ]
