"""Many points on few columns: nothing that a column hides was higher, lower or graver than what it shows."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from replays import OURS, alarm, change

from rolewatch.alarms.history import History, State
from rolewatch.report.replay_columns import Axis, bands, round_axis, stays, thinned

VALUES = st.one_of(st.just(float("nan")), st.integers(-5, 5).map(float))
GRAVITY = [State.OK, State.INSUFFICIENT_DATA, State.ALARM]


def touched(axis, start, end):
    """Return the columns that a time has a part of, if only for a moment."""
    size = Fraction(axis.end - axis.start, axis.columns)
    return [each for each in range(axis.columns) if start < (each + 1) * size and end > each * size]


@given(
    st.dictionaries(st.integers(-20, 120), VALUES, max_size=30),
    st.integers(1, 30),
    st.integers(1, 100),
    st.integers(1, 40),
)
def test_columns_keep_the_extremes(points, seconds, length, columns):
    """Each column has the least and the most of all values that hold in any of its seconds, NaN if there are none."""
    axis = Axis(0, length, columns)
    times = sorted(points)
    found = thinned(np.array(times, np.int64), np.array([points[each] for each in times]), seconds, axis)
    held = [[] for _ in range(columns)]
    for time, value in points.items():
        for each in touched(axis, time, time + seconds) if not np.isnan(value) else ():
            held[each].append(value)
    assert [min(each, default=None) for each in held] == [
        None if np.isnan(each) else each for each in found.low
    ]
    assert [max(each, default=None) for each in held] == [
        None if np.isnan(each) else each for each in found.high
    ]


@given(
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from(list(State))), max_size=12),
    st.sampled_from(list(State)),
    st.integers(1, 80),
)
def test_bands_keep_the_gravest(changes, initial, columns):
    """Each column has the gravest state of its seconds, and bands follow on one another without a gap."""
    ordered = sorted(changes, key=lambda item: item[0])
    history = History(
        alarm("It", OURS), 0, 60, initial, tuple(change(time, initial, state) for time, state in ordered)
    )
    axis = Axis(0, 60, columns)
    states = [
        next((state for time, state in reversed(ordered) if time <= second), initial) for second in range(60)
    ]
    gravest = [0] * columns
    for second, state in enumerate(states):
        for each in touched(axis, second, second + 1):
            gravest[each] = max(gravest[each], GRAVITY.index(state))
    found = bands(history, axis)
    assert [found[0][1], *(last for _, _, last in found)] == [*(first for _, first, _ in found), columns]
    drawn = [GRAVITY.index(state) for state, first, last in found for _ in range(first, last)]
    assert drawn == gravest
    assert all(one[0] is not other[0] for one, other in pairwise(found))
    assert sum(end - start for _, start, end in stays(history)) == 60


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (90, 90, Axis(60, 120, 1)),
        (90, 1000, Axis(60, 1020, 16)),
        (3700, 3600 * 40, Axis(3600, 3600 * 40, 39)),
        (0, 86_400 * 30, Axis(0, 86_400 * 30, 30)),
        (0, 86_400 * 7 * 1000, Axis(0, 12_868_086 * 47, 47)),
    ],
)
def test_a_round_axis(start, end, expected):
    """Its columns begin at full minutes, hours or days, and reach from before the start to the end or beyond."""
    assert expected == round_axis(History(alarm("It", OURS), start, end, State.OK, ()), 48)


def test_the_greatest_values():
    """Bounds are so near that their difference is a number."""
    found = thinned(np.array([0, 60]), np.array([1.7e308, -1.7e308]), 60, Axis(0, 120, 2))
    assert found.bounds == (-1e300, 1e300)


def test_a_history_of_no_length():
    """An alarm that was replayed over a single moment still has a column of a second."""
    history = History(alarm("It", OURS), 60, 60, State.OK, ())
    assert bands(history, Axis(60, 61, 1)) == [(State.OK, 0, 1)]
