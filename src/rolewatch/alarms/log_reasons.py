"""What a log alarm saw when its state changed in, StateReason and StateReasonData out, as AWS's examples have them.

Which contributors are in ALARM the service tells in a notification of each; here the alarm's own reason names them as well.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from rolewatch.alarms.decision import ALARM
from rolewatch.alarms.history import State
from rolewatch.alarms.log_watch import Contributor, LogWatch
from rolewatch.alarms.reasons import BREACHING, FINE, MISSING, Change, Seen, Teller, fitting
from rolewatch.alarms.wording import LONGEST_DATA, LONGEST_REASON, number, short_time, stamp

_NOBODY: Final = "a contributor without attributes"


class Told(NamedTuple):
    """A reason and its data."""

    reason: str
    data: str


class LogTeller:
    """Tells changes of one log alarm's state. The time of a result is that of its run."""

    def __init__(self, watch: LogWatch) -> None:
        self._watch = watch
        self._teller = Teller(watch.alarm, watch.wanted, watch.needed, watch.every, "query result")

    def tell(self, run: int, after: State) -> Told:
        """Write StateReason and StateReasonData of the change at a run."""
        watch = self._watch
        there = [(each, code) for each in watch.contributors if (code := each.at(run)) is not None]
        if not watch.results.grouped:
            return self.tell_one(there[0][0], run, after)
        alarming = [each for each, code in there if code == ALARM]
        text = f"{len(alarming)} out of {len(there)} contributors evaluated to ALARM"
        named = "; ".join(f"{shown(each.attributes)} [{self._crossed(each, run)}]" for each in alarming)
        reason = f"{text}: {named}" if named else text
        parts = [
            {"attributes": dict(each.attributes), "results": self._results(each, run)} for each in alarming
        ]
        return Told(reason[:LONGEST_REASON], self._data(run, "contributors", parts))

    def tell_one(self, contributor: Contributor, run: int, after: State) -> Told:
        """Write them for a contributor, or for an alarm that has no others."""
        time = run * self._watch.every
        # A metric's datapoint is named by the begin of its period: by the time of its run it is one period later.
        change = Change(time, time + self._watch.every, after)
        reason, _ = self._teller.tell(change, self._seen(contributor, run))
        return Told(reason, self._data(run, "results", self._results(contributor, run)))

    def _latest(self, contributor: Contributor, run: int) -> list[int]:
        """Give the places of the results that an evaluation sees, newest first."""
        first, last = np.searchsorted(contributor.runs, [run - self._watch.wanted, run], "right")
        return list(range(int(first), int(last)))[::-1]

    def _seen(self, contributor: Contributor, run: int) -> Seen:
        wanted = self._watch.wanted
        codes, values = [MISSING] * wanted, [0.0] * wanted
        for place in self._latest(contributor, run):
            back = run - int(contributor.runs[place])
            codes[back] = BREACHING if contributor.breaching[place] else FINE
            values[back] = float(contributor.values[place])
        return Seen(bytes(codes), values, None, ())

    def _results(self, contributor: Contributor, run: int) -> list[dict[str, object]]:
        every = self._watch.every
        return [
            {
                "status": "COMPLETE",
                "timestamp": stamp(int(contributor.runs[place]) * every),
                "value": float(contributor.values[place]),
            }
            for place in self._latest(contributor, run)
        ]

    def _crossed(self, contributor: Contributor, run: int) -> str:
        """Write the most recent result that breaches, and when it was."""
        for place in self._latest(contributor, run):
            if contributor.breaching[place]:
                time = int(contributor.runs[place]) * self._watch.every
                return f"{number(float(contributor.values[place]))} ({short_time(time)})"
        return "missing"

    def _data(self, run: int, name: str, listed: Sequence[object]) -> str:
        """Write what was looked at; the last ones are left out that would make it longer than the service allows."""
        watch = self._watch
        text = (
            f'{{"version":"1.0","queryDate":"{stamp(run * watch.every)}","threshold":{number(watch.log_alarm.threshold)},'
            f'"queryResultsToEvaluate":{watch.wanted},"queryResultsToAlarm":{watch.needed},"{name}":['
        )
        parts = [json.dumps(each, separators=(",", ":"), ensure_ascii=False) for each in listed]
        return f"{text}{','.join(fitting(parts, LONGEST_DATA - len(text) - 2))}]}}"


def shown(attributes: Iterable[tuple[str, str]]) -> str:
    """Write a contributor as `name=value, name=value`."""
    return ", ".join(f"{name}={value}" for name, value in attributes) or _NOBODY
