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
    """The results of a log alarm's query, by contributor.

    Without `grouped` there is one contributor, ALL, and its value is `otherwise` (None: it is missing) in all runs that it
    names not. `lines` has the newest log lines behind a run, as many as the alarm asks for.
    """

    grouped: bool
    contributors: Mapping[Attributes, Results]
    otherwise: float | None = None
    lines: Mapping[int, tuple[str, ...]] = _NO_LINES


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
