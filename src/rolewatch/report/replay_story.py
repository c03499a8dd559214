"""What an alarm's replay meant for its owner: a replay in; its stays in ALARM, the records behind them and their cost out.

A finding's records reach the alarm `delay` seconds after the minute in which they happened. Each finding of an alarm's
filters is one of three: its first record stood behind a change into ALARM (`raised`), it began while the alarm was in
ALARM already, so that nothing was said of it (`meanwhile`), or it never took the alarm over its threshold (`unraised`).
Of what raised it somebody was told (`told`) if that change invoked an action. Where this action was held back, what began
until it ran counts as raised, and as told, too: whoever is told then finds it there. Contributors of a log alarm raise and
tell of their own findings, also while the alarm is in ALARM.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rolewatch.alarms.history import ContributorChange, History, State
from rolewatch.report.replay_cause import Cause, Causes, Timeline
from rolewatch.scan.replayed import Replayed
from rolewatch.templates.definitions import LogAlarm, MetricFilter


class Spell(NamedTuple):
    """A stay in ALARM, from `start` to `end` (epoch seconds); `change` is the index of the transition that began it.

    `change` is None where the alarm began in ALARM, `lasting` says that it was in ALARM at the end. `began` are the
    findings whose first record came while it lasted, but for those of them that came `before` the actions of the change ran.
    """

    start: int
    end: int
    lasting: bool
    change: int | None
    began: tuple[str, ...]
    before: tuple[str, ...]


class Story(NamedTuple):
    """What an alarm did, and what for. `causes` has an element for each transition, None if it is not into ALARM.

    `firsts` has the minute (epoch seconds) of each finding's first record, in order. `calls` are the changes of a log alarm's
    contributors, each with its cause if it is into ALARM.
    """

    history: History
    filters: tuple[MetricFilter, ...]
    causes: tuple[Cause | None, ...]
    spells: tuple[Spell, ...]
    raised: tuple[str, ...]
    told: tuple[str, ...]  # of those
    meanwhile: tuple[str, ...]
    unraised: tuple[str, ...]
    firsts: Mapping[str, int]
    calls: tuple[tuple[ContributorChange, Cause | None], ...] = ()

    @property
    def entries(self) -> int:
        """How often it went to ALARM."""
        return sum(change.after is State.ALARM for change in self.history.transitions)

    @property
    def seconds(self) -> int:
        """How long it was in ALARM."""
        return sum(spell.end - spell.start for spell in self.spells)

    @property
    def notifications(self) -> int:
        """How many actions its changes of state invoked."""
        changes = (*self.history.transitions, *(each.change for each in self.history.contributors))
        return sum(len(change.actions) for change in changes)

    @property
    def tells(self) -> bool:
        """Whether anybody is told when it goes to ALARM."""
        actions = self.history.alarm.actions
        return actions.enabled and bool(actions.alarm)

    @property
    def untold(self) -> int:
        """Of how many findings nobody was told."""
        return len(self.firsts) - len(self.told)


def stories(replayed: Replayed) -> tuple[Story, ...]:
    """Return the story of each alarm, in the order of the histories."""
    causes = Causes(replayed)
    return tuple(_story(history, causes) for history in replayed.histories)


def _story(history: History, known: Causes) -> Story:
    timelines = known.timelines(history.alarm)
    causes = tuple(
        known.cause(history.alarm, change, timelines) if change.after is State.ALARM else None
        for change in history.transitions
    )
    firsts = _firsts(timelines)
    order = list(firsts)
    seen = [known.seen(history.alarm, minute) for minute in firsts.values()]
    spells = []
    for start, end, lasting, change in _stays(history):
        cause = causes[change] if change is not None else None
        behind_it = frozenset(cause.findings if cause else ())
        first, last = bisect_left(seen, start), len(seen) if lasting else bisect_left(seen, end)
        ran = min(bisect_right(seen, _acted_at(history, change)), last)
        before, began = (
            tuple(each for each in order[low:high] if each not in behind_it)
            for low, high in ((first, ran), (max(first, ran), last))
        )
        spells.append(Spell(start, end, lasting, change, began, before))
    meanwhile = {finding for spell in spells for finding in spell.began}
    before_action = {finding for spell in spells for finding in spell.before}
    raised = {finding for cause in causes if cause for finding in cause.findings} - meanwhile | before_action
    told = before_action | {
        finding
        for change, cause in zip(history.transitions, causes, strict=True)
        if cause and change.actions
        for finding in cause.findings
    }
    calls = tuple(_calls(history, known))
    called = {finding for _, cause in calls if cause for finding in cause.findings}
    meanwhile -= called
    raised |= called
    told |= {finding for each, cause in calls if cause and each.change.actions for finding in cause.findings}
    return Story(
        history,
        tuple(timeline.filter for timeline in timelines if timeline.filter),
        causes,
        tuple(spells),
        tuple(finding for finding in order if finding in raised),
        tuple(finding for finding in order if finding in raised and finding in told),
        tuple(finding for finding in order if finding in meanwhile),
        tuple(finding for finding in order if finding not in raised and finding not in meanwhile),
        firsts,
        calls,
    )


def _calls(history: History, known: Causes) -> Iterable[tuple[ContributorChange, Cause | None]]:
    """Yield the changes of contributors, each with what stood behind it if it is into ALARM."""
    alarm = history.alarm
    if not isinstance(alarm, LogAlarm):
        return
    for each in history.contributors:
        into = each.change.after is State.ALARM
        yield each, known.of_contributor(alarm, each) if into else None


def _acted_at(history: History, change: int | None) -> int:
    """Return when the actions of a change ran that were held back; before all time if they did not, or were not."""
    found = history.transitions[change].acted_at if change is not None else None
    return history.start - 1 if found is None else found


def _firsts(timelines: Iterable[Timeline]) -> dict[str, int]:
    """Return the minute of each finding's first record in any of the filters, in order."""
    firsts: dict[str, int] = {}
    for timeline in timelines:
        for finding, minute in timeline.firsts.items():
            firsts[finding] = min(minute, firsts.get(finding, minute))
    return dict(sorted(firsts.items(), key=lambda item: (item[1], item[0])))


def _stays(history: History) -> Iterable[tuple[int, int, bool, int | None]]:
    """Yield start, end, whether it lasts, and the transition of each stay in ALARM."""
    since: tuple[int, int | None] | None = (history.start, None) if history.initial is State.ALARM else None
    for index, change in enumerate(history.transitions):
        if since is not None and change.after is not State.ALARM:
            yield since[0], change.time, False, since[1]
            since = None
        elif since is None and change.after is State.ALARM:
            since = change.time, index
    if since is not None:
        yield since[0], max(history.end, since[0]), True, since[1]
