"""What an alarm saw when its state changed in, StateReason and StateReasonData out (spec/alarm.md §7).

Lists run from the newest datapoint to the oldest, except `recentDatapoints` and its like in the data.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from rolewatch.alarms.history import State
from rolewatch.alarms.watch import Watch
from rolewatch.alarms.wording import LONGEST_DATA, LONGEST_REASON, counted, number, short_time, stamp, was
from rolewatch.templates.definitions import Alarm

_LISTED: Final = (
    5  # of so many datapoints or more, the reason lists the newest five in a sentence of their own
)
_AT_ONCE: Final = 200_000  # datapoints that are looked up together
_VERBS: Final = {
    "GreaterThanThreshold": "greater than",
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_BOUNDS: Final = {
    "LessThanLowerOrGreaterThanUpperThreshold": ("lower", "upper"),
    "LessThanLowerThreshold": ("lower",),
    "GreaterThanUpperThreshold": ("upper",),
}
_BOUND_VERBS: Final = {"lower": "less than", "upper": "greater than"}
_FILLED: Final = {"breaching": "[Breaching]", "notBreaching": "[NonBreaching]"}


class _Side(NamedTuple):
    """Words for datapoints that breach, and for those that do not."""

    not_: str
    did: str
    change: str


_SIDES: Final = {
    True: _Side("", "crossed", "OK -> ALARM"),
    False: _Side("not ", "did not cross", "ALARM -> OK"),
}
_MOST_PLANS: Final = 4096


class Change(NamedTuple):
    """A change of state: when it was evaluated, the end of its newest period, and the state entered."""

    time: int
    end: int
    after: State


class Seen(NamedTuple):
    """What an evaluation saw in each period of its range, newest first; `bounds` has those of the anomaly band in use.

    `codes` has a byte for each period: MISSING, FINE, BREACHING.
    """

    codes: bytes
    values: list[float]
    samples: list[float] | None
    bounds: tuple[list[float], ...]


MISSING, FINE, BREACHING = range(3)


class _Plan(NamedTuple):
    """What is the same in all changes that saw the same: which periods are told of, and the text around their values.

    `pieces` are what stands before, between and behind lists: one of the values of `listed`, then one for each bound.
    """

    real: list[int]
    listed: list[int]
    decisive: list[int]
    pieces: list[str]


def reasons(watch: Watch, changes: Sequence[Change], delay: int) -> Iterator[tuple[str, str]]:
    """Yield StateReason and StateReasonData for each change."""
    teller = Teller(watch.alarm, watch.wanted, watch.needed, watch.period)
    rows = max(_AT_ONCE // watch.reach, 1)
    for start in range(0, len(changes), rows):
        part = changes[start : start + rows]
        for change, seen in zip(part, _looked_up(watch, part, delay), strict=True):
            yield teller.tell(change, seen)


def _looked_up(watch: Watch, changes: Sequence[Change], delay: int) -> Iterator[Seen]:
    points = watch.ranges(np.array([change.end for change in changes], np.int64), delay)
    bounds = {"lower": points.lower, "upper": points.upper}
    used = [bounds[name] for name in _BOUNDS.get(watch.alarm.comparison_operator, ())]
    used_lists = [bound[:, ::-1].tolist() for bound in used if bound is not None]
    codes = (points.present.astype(np.int8) + watch.breaching(points))[:, ::-1].tobytes()
    values = points.values[:, ::-1].tolist()
    plain = watch.alarm.stat is not None  # only then the service tells the number of samples
    samples = points.samples[:, ::-1].tolist() if plain and points.samples is not None else None
    for row in range(len(changes)):
        yield Seen(
            codes[row * watch.reach : (row + 1) * watch.reach],
            values[row],
            None if samples is None else samples[row],
            tuple(bound[row] for bound in used_lists),
        )


class Teller:
    """Tells changes of one alarm's state. Periods (of so many seconds) are counted from the newest, which is 0."""

    def __init__(self, alarm: Alarm, wanted: int, needed: int, period: int, noun: str = "datapoint") -> None:
        self.noun = noun
        self.wanted, self.needed, self.period = wanted, needed, period
        self.bounds = _BOUNDS.get(alarm.comparison_operator, ())
        self.counts = alarm.datapoints_to_alarm is not None
        self.treatment = alarm.treat_missing_data
        self.verb = _VERBS.get(alarm.comparison_operator, "")
        self.threshold = "" if alarm.threshold is None or self.bounds else number(alarm.threshold)
        self.head = ""
        if alarm.stat is not None:
            unit = "" if alarm.stat.unit is None else f'"unit":{json.dumps(alarm.stat.unit)},'
            self.head = f'{unit}"statistic":{json.dumps(alarm.stat.statistic)},'
        self.plans: dict[tuple[State, bytes], _Plan] = {}

    def tell(self, change: Change, seen: Seen) -> tuple[str, str]:
        """Write StateReason and StateReasonData."""
        key = change.after, seen.codes
        plan = self.plans.get(key)
        if plan is None:
            if len(self.plans) > _MOST_PLANS:
                self.plans.clear()
            plan = self.plans[key] = self._plan(change.after, seen.codes)
        reason = plan.pieces[0]
        if plan.listed:
            newest = change.end - self.period
            listed = [
                f"{number(seen.values[at])} ({short_time(newest - at * self.period)})" for at in plan.listed
            ]
            reason += f"{', '.join(listed)}{plan.pieces[1]}"
            for bound, piece in zip(seen.bounds, plan.pieces[2:], strict=True):
                reason += f"{', '.join(number(bound[at]) for at in plan.listed)}{piece}"
        return reason[:LONGEST_REASON], self._data(change, seen, plan)

    def _plan(self, after: State, codes: bytes) -> _Plan:
        """Work out what is to be told."""
        real = [at for at, code in enumerate(codes) if code != MISSING][: self.wanted]
        missing = [at for at, code in enumerate(codes) if code == MISSING][: self.wanted - len(real)]
        considered = sorted(real + missing)
        if after is State.INSUFFICIENT_DATA:
            text = f"Insufficient Data: {counted(self.wanted, self.noun)} {was(self.wanted)} unknown."
            return _Plan(real, [], considered, [text])
        alarming = after is State.ALARM
        crossed = [at for at in real if codes[at] == (BREACHING if alarming else FINE)]
        # So many datapoints on one side decide; those after the last of them are not told of.
        minimum = self.needed if alarming else self.wanted - self.needed + 1
        gaps_count = self.treatment == ("breaching" if alarming else "notBreaching")
        counting = set(crossed + (missing if gaps_count else []))
        reached = [at for at in considered if at in counting][minimum - 1 : minimum]
        decisive = considered[: considered.index(reached[0]) + 1] if reached else considered
        filled = ""
        if missing and self.treatment in _FILLED:
            treated = _FILLED[self.treatment]
            filled = (
                f" and {counted(len(missing), 'missing datapoint')} {was(len(missing))} treated as {treated}"
            )
        opening = "Thresholds Crossed: " if self.bounds else "Threshold Crossed: "
        if not crossed:
            received = counted(len(real), self.noun) if real else f"no {self.noun}s"
            text = (
                f"{opening}{received} {was(len(real))} received for {counted(self.wanted, 'period')}{filled}."
            )
            return _Plan(real, [], decisive, [text])
        pieces = (self._bound_pieces if self.bounds else self._threshold_pieces)(
            len(crossed), _SIDES[alarming], filled
        )
        if self.counts:
            pieces[0] = f"{len(crossed)} out of the last {self.wanted} {self.noun}s{pieces[0]}"
            pieces[-1] += (
                f" (minimum {counted(minimum, 'datapoint')} for {_SIDES[alarming].change} transition)"
            )
        else:
            pieces[0] = f"{counted(len(crossed), 'datapoint')}{pieces[0]}"
        return _Plan(
            real, crossed[:_LISTED], decisive, [opening + pieces[0], *pieces[1:-1], f"{pieces[-1]}."]
        )

    def _threshold_pieces(self, count: int, side: _Side, filled: str) -> list[str]:
        """Write what the datapoints are; many of them are listed behind it."""
        predicate = f"{was(count)} {side.not_}{self.verb} the threshold ({self.threshold}){filled}"
        if count < _LISTED:
            return [" [", f"] {predicate}"]
        return [f" {predicate}. The most recent datapoints which {side.did} the threshold: [", "]"]

    def _bound_pieces(self, count: int, side: _Side, filled: str) -> list[str]:
        """Write where the datapoints are relative to the anomaly band."""
        where = [f"{side.not_}{_BOUND_VERBS[name]} the {name} thresholds" for name in self.bounds]
        if count < _LISTED:
            between = [f"] or {place} [" for place in where[1:]]
            return [" [", f"] {was(count)} {where[0]} [", *between, f"]{filled}"]
        ends = [f"{name} thresholds [" for name in self.bounds]
        predicate = f" {was(count)} {' or '.join(where)}{filled}. Recent datapoints ["
        return [predicate, f"] {side.did} the {ends[0]}", *(f"] or {end}" for end in ends[1:]), "]"]

    def _data(self, change: Change, seen: Seen, plan: _Plan) -> str:
        """Write StateReasonData; where it would be longer than the service allows, the oldest datapoints are left out."""
        newest = change.end - self.period
        start = f'"startDate":"{stamp(newest - plan.real[-1] * self.period)}",' if plan.real else ""
        fits = LONGEST_DATA // 3 // (len(self.bounds) + 1)
        lists = f'"recentDatapoints":[{_recent(seen.values, plan.real, fits)}]'
        for name, bound in zip(self.bounds, seen.bounds, strict=True):
            lists += f',"recent{name.capitalize()}Thresholds":[{_recent(bound, plan.real, fits)}]'
        threshold = f',"threshold":{self.threshold}' if self.threshold else ""
        text = (
            f'{{"version":"1.0","queryDate":"{stamp(change.time)}",{start}{self.head}"period":{self.period},'
            f'{lists}{threshold},"evaluatedDatapoints":['
        )
        evaluated = [self._evaluated(newest, seen, at) for at in plan.decisive]
        return f"{text}{','.join(fitting(evaluated, LONGEST_DATA - len(text) - 2))}]}}"

    def _evaluated(self, newest: int, seen: Seen, at: int) -> str:
        when = f'{{"timestamp":"{stamp(newest - at * self.period)}"'
        if seen.codes[at] == MISSING:
            return when + "}"
        samples = "" if seen.samples is None else f',"sampleCount":{number(seen.samples[at])}'
        threshold = f',"threshold":{number(seen.bounds[0][at])}' if len(seen.bounds) == 1 else ""
        return f'{when}{samples},"value":{number(seen.values[at])}{threshold}}}'


def _recent(values: list[float], periods: list[int], length: int) -> str:
    """Write values from the oldest to the newest, as far as they fit."""
    return ",".join(fitting([number(values[at]) for at in periods], length)[::-1])


def fitting(parts: list[str], length: int) -> list[str]:
    """Keep as many of the first parts as fit into a length, with a comma behind each."""
    if sum(map(len, parts)) + len(parts) <= length:
        return parts
    for place, part in enumerate(parts):
        length -= len(part) + 1
        if length < 0:
            return parts[:place]
    return parts
