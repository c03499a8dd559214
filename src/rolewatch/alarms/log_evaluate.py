"""A log alarm and the results of its query in, its history out.

Where there are contributors, an action is invoked for each of them that changes, but for OpsItems of Systems Manager, which are
the alarm's own.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from rolewatch.alarms.actions import actions_of
from rolewatch.alarms.decision import ALARM, DECISIONS, resolved
from rolewatch.alarms.history import ContributorChange, History, State, Transition
from rolewatch.alarms.log_reasons import LogTeller
from rolewatch.alarms.log_results import Earlier, LogResults
from rolewatch.alarms.log_watch import Contributor, LogWatch
from rolewatch.metrics.series import Times
from rolewatch.templates.definitions import Actions, LogAlarm

_OF_THE_ALARM: Final = ":ssm:"


def log_history(
    alarm: LogAlarm,
    results: LogResults,
    *,
    start: int,
    end: int,
    initial: Mapping[str, State],
    asked: Sequence[int] | None = None,
) -> History:
    """Evaluate a log alarm after each run in `start < time <= end` (epoch seconds), or only at the times that are `asked` for.

    `initial` has states by the alarm's name; one that it does not name has just been created.
    """
    earlier = Earlier(since=None if alarm.name in initial else start)
    watch = LogWatch(alarm, results, start, end, earlier=earlier)
    return watched(watch, initial.get(alarm.name, State.INSUFFICIENT_DATA), asked)


def watched(watch: LogWatch, state: State, asked: Sequence[int] | None = None) -> History:
    """Say what a log alarm does, which begins in a state; `asked` as above."""
    alarm, results = watch.log_alarm, watch.results
    codes = watch.codes()
    times = watch.numbers * watch.every
    if asked is not None:
        times, places = _latest(times, np.unique(np.array(asked, np.int64)))
        codes = codes[places]
    states = resolved(state, codes)
    teller = LogTeller(watch)
    transitions = []
    for place in np.flatnonzero(states[1:] != states[:-1]).tolist():
        before, after, time = DECISIONS[states[place]], DECISIONS[states[place + 1]], int(times[place])
        if before is None or after is None:
            continue
        run = time // watch.every
        told = teller.tell(run, after)
        actions = own_actions(alarm.actions, after, grouped=results.grouped)
        lines = results.lines.get(run * watch.every, ())
        transitions.append(Transition(time, before, after, told.reason, told.data, actions, lines=lines))
    changes: list[ContributorChange] = []
    if results.grouped and asked is None:
        changes = [each for one in watch.contributors for each in _changes(one, watch, teller)]
    changes.sort(key=lambda each: (each.change.time, each.attributes))
    return History(alarm, watch.start, watch.end, state, tuple(transitions), tuple(changes))


def own_actions(actions: Actions, entered: State, *, grouped: bool) -> tuple[str, ...]:
    """Give what an alarm itself invokes: all of it if it has no contributors, or if it knows nothing, as they always do."""
    found = actions_of(actions, entered)
    if not grouped or entered is State.INSUFFICIENT_DATA:
        return found
    return tuple(each for each in found if _OF_THE_ALARM in each)


def contributor_actions(actions: Actions, entered: State) -> tuple[str, ...]:
    """Give what each of its contributors invokes."""
    return tuple(each for each in actions_of(actions, entered) if _OF_THE_ALARM not in each)


def _changes(contributor: Contributor, watch: LogWatch, teller: LogTeller) -> Iterator[ContributorChange]:
    """Yield the changes of a contributor; it is OK before it appears, and when it has disappeared."""
    begin = int(watch.numbers[0])
    alarming = np.zeros(len(watch.numbers) + 1, np.bool_)
    alarming[0] = watch.rang(contributor)
    alarming[contributor.evaluations[contributor.codes == ALARM] - begin + 1] = True
    for place in np.flatnonzero(alarming[1:] != alarming[:-1]).tolist():
        run = begin + place
        before, after = (State.ALARM if alarming[place + at] else State.OK for at in (0, 1))
        told = teller.tell_one(contributor, run, after)
        actions = contributor_actions(watch.alarm.actions, after)
        lines = watch.results.lines.get(run * watch.every, ())
        change = Transition(run * watch.every, before, after, told.reason, told.data, actions, lines=lines)
        yield ContributorChange(contributor.attributes, change)


def _latest(runs: Times, asked: Times) -> tuple[Times, Times]:
    """Give the times at which there has been a run, and the place of the latest one at each."""
    places = np.searchsorted(runs, asked, "right") - 1
    return asked[places >= 0], places[places >= 0]
