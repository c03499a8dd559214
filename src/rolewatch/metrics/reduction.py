"""An array and many slices of it in; the sum, minimum or maximum of each slice out, without rounding that accumulates."""

from collections.abc import Callable

import numpy as np

from rolewatch.metrics.series import Floats, Ints

_EXACT = 2**53  # up to here doubles hold every integer
_Reduce = Callable[[Floats, Floats], Floats]


def slice_sums(values: Floats, first: Ints, last: Ints) -> Floats:
    """Sum `values[first[i]:last[i]]` for each i, of any shape; 0 for an empty slice.

    Differences of running sums are right only where these are exact: for integers that stay below 2**53.
    """
    if len(values) and np.all(values == np.rint(values)) and np.abs(values).sum() < _EXACT:
        running = np.concatenate(([0.0], np.cumsum(values)))
        return running[last] - running[first]
    return _reduced(values, first, last, np.add, 0.0)


def slice_minima(values: Floats, first: Ints, last: Ints) -> Floats:
    """Give the least of `values[first[i]:last[i]]` for each i; infinity for an empty slice."""
    return _reduced(values, first, last, np.minimum, np.inf)


def slice_maxima(values: Floats, first: Ints, last: Ints) -> Floats:
    """Give the greatest of `values[first[i]:last[i]]` for each i; minus infinity for an empty slice."""
    return _reduced(values, first, last, np.maximum, -np.inf)


def _reduced(values: Floats, first: Ints, last: Ints, reduce: _Reduce, neutral: float) -> Floats:
    """Reduce slices over a tree whose nodes hold their two children reduced: at most two nodes of each level are needed."""
    leaves = 1 << max(len(values) - 1, 0).bit_length()
    tree = np.full(2 * leaves, neutral)
    tree[leaves : leaves + len(values)] = values
    level = leaves
    while level > 1:
        tree[level // 2 : level] = reduce(tree[level : 2 * level : 2], tree[level + 1 : 2 * level : 2])
        level //= 2
    # The two ends walk up; the nodes between them that are no child of a node between them are taken.
    low, high = first.ravel() + leaves, last.ravel() + leaves
    result = np.full(low.shape, neutral)
    while len(open_ := np.flatnonzero(low < high)):
        at_low, at_high = low[open_], high[open_]
        taken = result[open_]
        odd = (at_low & 1).astype(bool)
        taken[odd] = reduce(taken[odd], tree[at_low[odd]])
        odd = (at_high & 1).astype(bool)
        taken[odd] = reduce(taken[odd], tree[at_high[odd] - 1])
        result[open_] = taken
        low[open_] = (at_low + 1) // 2
        high[open_] = at_high // 2
    return result.reshape(first.shape)
