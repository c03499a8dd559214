"""What the runs of a log alarm's query gave: data, and nothing else."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from rolewatch.metrics.series import Floats, Times

#: What the results of one contributor have in common: names and values, as far as there are any.
Attributes = tuple[tuple[str, str], ...]
#: The only contributor where the AggregationExpression has no `by`.
ALL: Final[Attributes] = ()
_NO_LINES: Final[Mapping[int, tuple[str, ...]]] = MappingProxyType({})


class Results(NamedTuple):
    """A value at each of some runs (epoch seconds, ascending)."""

    runs: Times
    values: Floats


class LogResults(NamedTuple):
    """The results of a log alarm's query, by contributor; those of runs before an evaluation begins are looked back at.

    Without `grouped` there is one contributor, ALL, and its value is `otherwise` (None: it is missing) in all runs that it
    names not from then on. `lines` has the newest log lines behind a run, as many as the alarm asks for.
    """

    grouped: bool
    contributors: Mapping[Attributes, Results]
    otherwise: float | None = None
    lines: Mapping[int, tuple[str, ...]] = _NO_LINES


class Earlier(NamedTuple):
    """What evaluations up to a time have left of a log alarm, beside its state and the results of its latest runs.

    `since` is when its query began to run (epoch seconds), None if it has run for long; `ringing` the contributors that are in
    ALARM, or would be if the alarm had warmed up; `seen` whether there has ever been one; `full` the number of the first
    run at which one of them had as many results as are looked at.
    """

    since: int | None = None
    ringing: frozenset[Attributes] = frozenset()
    seen: bool = False
    full: int | None = None


def results_of(values: Mapping[int, float]) -> Results:
    """Put the values of runs in order."""
    runs = sorted(values)
    return Results(np.array(runs, np.int64), np.array([values[run] for run in runs], np.float64))


def everywhere(results: LogResults, runs: Times) -> Results:
    """Give the values of the only contributor at all these runs, NaN where one is missing."""
    found = results.contributors.get(ALL, Results(np.empty(0, np.int64), np.empty(0)))
    values = np.full(len(runs), np.nan if results.otherwise is None else results.otherwise)
    inside = np.isin(found.runs, runs)
    values[np.searchsorted(runs, found.runs[inside])] = found.values[inside]
    return Results(runs, values)
