"""Numbers of datapoints in, the state that they ask for out (spec/alarm.md §5)."""

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from rolewatch.alarms.history import State
from rolewatch.alarms.tally import Tally
from rolewatch.templates.definitions import Alarm

Codes = NDArray[np.int8]

#: What an evaluation decides: the place in this list; the first is to keep the state.
DECISIONS: Final = (None, State.OK, State.ALARM, State.INSUFFICIENT_DATA)
KEEP, OK, ALARM, INSUFFICIENT_DATA = (np.int8(code) for code in range(4))


class Rule(Protocol):
    """How many datapoints are wanted, how many of them have to breach, and what missing ones count as."""

    wanted: int
    needed: int
    alarm: Alarm


def decide(watch: Rule, tally: Tally) -> Codes:
    """Decide for each evaluation of a tally."""
    enough = tally.real >= watch.wanted
    missing = np.where(enough, 0, watch.wanted - tally.real)
    treatment = watch.alarm.treat_missing_data
    as_breaching = missing if treatment == "breaching" else 0
    codes = np.where(tally.breaching + as_breaching >= watch.needed, ALARM, OK)
    if treatment in ("missing", "ignore"):
        # Too few datapoints, and all of them breach: neither enough for ALARM nor a reason for OK.
        undecided = ~enough & (tally.breaching == tally.real) & (tally.breaching < watch.needed)
        if treatment == "ignore":
            codes[undecided] = KEEP
        else:
            # If one of them is as old as the periods that an ALARM needs, it is no premature alarm any more.
            ripe = undecided & (tally.young < tally.real)
            codes[undecided] = KEEP
            codes[ripe] = ALARM
            codes[tally.real == 0] = INSUFFICIENT_DATA
    codes[tally.insignificant > 0] = KEEP  # spec/alarm.md §5.2
    return codes


def resolved(initial: State, codes: Codes) -> Codes:
    """Replace KEEP by the state before it; the first element of the result is the initial state."""
    with_initial = np.append(np.int8(DECISIONS.index(initial)), codes)
    decided = np.where(with_initial != KEEP, np.arange(len(with_initial)), 0)
    return with_initial[np.maximum.accumulate(decided)]
