"""A log alarm and the results of its query in, what each of its evaluations decides out (docs/alarms.md, "Log alarms").

A run is named by its number, its time divided by the time between two runs. Each run ends with an evaluation, which looks at
the results of the latest runs, as many as the alarm says.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from rolewatch.alarms.decision import ALARM, KEEP, OK, Codes, decide
from rolewatch.alarms.functions import Flags
from rolewatch.alarms.log_results import ALL, Attributes, Earlier, LogResults, Results, everywhere
from rolewatch.alarms.tally import Tally
from rolewatch.alarms.watch import STATIC
from rolewatch.metrics.series import Floats, Ints, Times
from rolewatch.templates.definitions import Alarm, LogAlarm

_NO_RESULTS: Final = Results(np.empty(0, np.int64), np.empty(0))
_NOTHING: Final = Tally(*(np.zeros(1, np.int64) for _ in Tally._fields))


class Contributor(NamedTuple):
    """A contributor: the numbers of its runs with a value and their values, its evaluations and what each of them says.

    `real` is how many values an evaluation sees.
    """

    attributes: Attributes
    runs: Times
    values: Floats
    breaching: Flags
    evaluations: Times
    codes: Codes
    real: Ints

    def at(self, run: int) -> int | None:
        """Give what the evaluation of a run says; None if the contributor takes no part in it."""
        place = int(np.searchsorted(self.evaluations, run))
        found = place < len(self.evaluations) and self.evaluations[place] == run
        return int(self.codes[place]) if found else None


class LogWatch:
    """A log alarm, ready to be evaluated at all runs in `start < time <= end` (epoch seconds), as it was left `earlier`.

    `alarm` is the metric alarm that would say the same of datapoints; `later` is what these evaluations leave.
    """

    def __init__(
        self, log_alarm: LogAlarm, results: LogResults, start: int, end: int, *, earlier: Earlier
    ) -> None:
        self.log_alarm = log_alarm
        self.alarm = _as_metric_alarm(log_alarm)
        self.wanted, self.needed = log_alarm.evaluated, log_alarm.needed
        self.every = log_alarm.query.every
        self.start, self.end = start, end
        self.numbers: Times = np.arange(start // self.every + 1, end // self.every + 1)
        self.results = results
        self._earlier = earlier
        self._first = None if earlier.since is None else earlier.since // self.every + 1
        self._warm: int | None = None  # the run with which the alarm has warmed up
        self.contributors: list[Contributor] = []
        self.later = earlier
        if len(self.numbers):
            self.contributors = list(self._contributors())
            self.later = self._left()
            if log_alarm.warm_up is not None:
                self._warm_up(*log_alarm.warm_up)

    def rang(self, contributor: Contributor) -> bool:
        """Say whether a contributor was in ALARM before the first of these evaluations."""
        warming = self._warm is not None and self.numbers[0] <= self._warm
        return contributor.attributes in self._earlier.ringing and not warming

    def codes(self) -> Codes:
        """Decide for each evaluation: ALARM if any contributor says so; OK if none does, and there is one or has been."""
        if not self.results.grouped:
            return self.contributors[0].codes if self.contributors else np.empty(0, np.int8)
        codes = np.full(len(self.numbers), decide(self, _NOTHING)[0])
        begins = [int(each.evaluations[0]) for each in self.contributors if len(each.evaluations)]
        if self._earlier.seen:
            codes[:] = OK
        elif begins:
            codes[self.numbers >= min(begins)] = OK
        if self._first is not None:
            codes[self.numbers < self._first + self.wanted - 1] = KEEP
        if self._warm is not None:
            codes[self.numbers < self._warm] = KEEP
        for each in self.contributors:
            codes[each.evaluations[each.codes == ALARM] - self.numbers[0]] = ALARM
        return codes

    def _contributors(self) -> Iterator[Contributor]:
        """Yield the contributors that evaluations see, and those that they see no more."""
        results, first, last = self.results, self.numbers[0], self.numbers[-1]
        if not results.grouped:
            found = results.contributors.get(ALL, _NO_RESULTS).runs
            before = found[(found > (first - self.wanted) * self.every) & (found < first * self.every)]
            runs = np.concatenate([before, self.numbers * self.every])
            yield self._contributor(ALL, everywhere(results, runs), self.numbers)
            return
        gone = set(self._earlier.ringing)
        for attributes, given in results.contributors.items():
            numbers = given.runs // self.every
            # A run before the first evaluation that it looks at says who took part in the one before it.
            inside = (numbers >= first - self.wanted) & (numbers <= last) & ~np.isnan(given.values)
            kept = Results(given.runs[inside], given.values[inside])
            if len(kept.runs):
                gone.discard(attributes)
                yield self._contributor(attributes, kept, self._reached(numbers[inside]))
        for attributes in sorted(gone):
            yield self._contributor(attributes, _NO_RESULTS, _NO_RESULTS.runs)

    def _reached(self, runs: Times) -> Times:
        """Give the evaluations that look at one of some runs, each once."""
        begins = np.maximum(runs, self.numbers[0])
        ends = np.minimum(np.append(runs[1:], self.numbers[-1] + 1), runs + self.wanted)
        sizes = np.maximum(ends - begins, 0)
        nth = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return np.asarray(np.repeat(begins, sizes) + nth)

    def _contributor(self, attributes: Attributes, results: Results, evaluations: Times) -> Contributor:
        there = ~np.isnan(results.values)
        runs, values = results.runs[there] // self.every, results.values[there]
        breaching = STATIC[self.log_alarm.comparison_operator](values, self.log_alarm.threshold)
        last, first, older = (
            np.searchsorted(runs, evaluations - back, "right") for back in (0, self.wanted, self.needed - 1)
        )
        sums = np.append(0, np.cumsum(breaching))
        real, hits = last - first, sums[last] - sums[first]
        codes = decide(self, Tally(evaluations, real, hits, np.zeros_like(evaluations), last - older))
        if self._first is not None:
            # What did not run yet is not missing: there is an ALARM only if the results so far are enough for it.
            done = evaluations - self._first + 1
            gone = done - real if self.log_alarm.treat_missing_data == "breaching" else 0
            codes = np.where(done < self.wanted, np.where(hits + gone >= self.needed, ALARM, KEEP), codes)
        if self.results.grouped:
            goes_on = (runs[:1] < self.numbers[0]).any() and (evaluations[:1] == self.numbers[0]).any()
            begins = np.append(not goes_on, np.diff(evaluations) > 1)[: len(evaluations)]
            codes = _settled(codes, begins, ringing=attributes in self._earlier.ringing)
        return Contributor(attributes, runs, values, breaching, evaluations, codes, real)

    def _left(self) -> Earlier:
        """Say what is left when all these evaluations are made."""
        last = int(self.numbers[-1])
        there = [each for each in self.contributors if len(each.evaluations)]
        full = [each.evaluations[each.real >= self.wanted] for each in there]
        times = [self._earlier.full, *(int(each[0]) for each in full if len(each))]
        ringing = (
            {each.attributes for each in there if each.at(last) == ALARM} if self.results.grouped else ()
        )
        return Earlier(
            self._earlier.since,
            frozenset(ringing),
            self._earlier.seen or bool(there),
            min((time for time in times if time is not None), default=None),
        )

    def _warm_up(self, seconds: int, strictly: bool) -> None:  # noqa: FBT001 - as a template says it
        """Let nothing be decided before an alarm that is new has warmed up."""
        if self._first is None or self._earlier.since is None:
            return
        warm = max(-(-(self._earlier.since + seconds) // self.every), self._first)
        full = self.later.full
        self._warm = warm if strictly or full is None else min(warm, full)
        for each in self.contributors:
            each.codes[each.evaluations < self._warm] = OK if self.results.grouped else KEEP


def breaching_runs(
    alarm: LogAlarm, results: LogResults, time: int, attributes: Attributes | None = None
) -> list[int]:
    """Give the runs (epoch seconds) that breach, of those that an evaluation at a time looks at; of one contributor, or of all."""
    first = (time // alarm.query.every - alarm.evaluated) * alarm.query.every
    found: set[int] = set()
    for who, each in results.contributors.items():
        if attributes is not None and who != attributes:
            continue
        low, high = np.searchsorted(each.runs, [first, time], "right")
        breach = STATIC[alarm.comparison_operator](each.values[low:high], alarm.threshold)
        found.update(each.runs[low:high][breach].tolist())
    return sorted(found)


def _as_metric_alarm(alarm: LogAlarm) -> Alarm:
    return Alarm(
        alarm.logical_id, alarm.name, alarm.description, None, (), alarm.evaluated, alarm.needed, alarm.threshold, None,
        alarm.comparison_operator, alarm.treat_missing_data, "evaluate", alarm.actions, alarm.place,
    )  # fmt: skip


def _settled(codes: Codes, begins: Flags, *, ringing: bool) -> Codes:
    """Replace KEEP by what was decided before it in the same stay: one ends where another `begins`. It begins with OK.

    A stay that goes on from before is `ringing`, or is not.
    """
    codes, begins = np.append(ALARM if ringing else OK, codes), np.append(np.True_, begins)
    places = np.arange(len(codes))
    decided = np.maximum.accumulate(np.where(codes != KEEP, places, 0))
    stays = np.maximum.accumulate(np.where(begins, places, 0))
    kept = codes[decided] == ALARM
    return np.where((decided >= stays) & kept, ALARM, OK)[1:]
