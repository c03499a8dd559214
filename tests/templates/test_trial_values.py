"""Lengths of time, points in time and series of values, as test files write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.templates.trial_values import interval, moment, seconds, series

LENGTHS = {
    "10s": 10,
    "5m": 300,
    "1h30m": 5400,
    "300s": 300,
    "1d": 86_400,
    "1d2h3m4s": 93_784,
    "0s": 0,
    "366d": 31_622_400,
}
NO_LENGTHS = ["", "5", "m", "5 m", "1m1h", "-5m", "1.5h", "5M", "367d", "x", "9" * 20 + "s"]


def test_lengths():
    """Units go from days to seconds, each at most once."""
    assert {text: seconds(text) for text in LENGTHS} == LENGTHS


@pytest.mark.parametrize("text", NO_LENGTHS)
def test_no_lengths(text):
    """Anything else is refused."""
    with pytest.raises(ValueError, match=r"is no length of time|longer than a year"):
        seconds(text)


def test_intervals():
    """CloudWatch's intervals are 10, 20 and 30 seconds and whole minutes."""
    assert [interval(text) for text in ("10s", "20s", "30s", "60s", "5m", "1h")] == [
        10,
        20,
        30,
        60,
        300,
        3600,
    ]
    for text in ("0s", "5s", "40s", "90s"):
        with pytest.raises(ValueError, match="is no interval"):
            interval(text)


def test_moments():
    """Times are in UTC unless they say otherwise."""
    times = ["2026-03-01T10:05:00Z", "2026-03-01T10:05:00", "2026-03-01 11:05:00+01:00", "20260301T100500Z"]
    assert [moment(text) for text in times[:3]] == [1772359500] * 3
    for text in (*times[3:], "soon", "2026-13-01", "2026-03-01T25:00:00Z", "0001-01-01T00:00:00+10:00x"):
        with pytest.raises(ValueError, match="is no time"):
            moment(text)


SERIES = {
    "0 _ 1x3 _x2 5": [0, None, 1, 1, 1, None, None, 5],
    "0": [0],
    "_": [None],
    "-1.5x2 +3 .5": [-1.5, -1.5, 3, 0.5],
    "1e3 1e3x2 1E-1": [1000, 1000, 1000, 0.1],
    " 1\n\t2 ": [1, 2],
    "5x1": [5],
}


def test_series():
    """Numbers may have signs, decimals and exponents; x repeats, and _ is a gap."""
    assert {text: series(text) for text in SERIES} == SERIES


@pytest.mark.parametrize("text", ["", "  ", "x", "x3", "1x", "1x-2", "1x2x3", "__", "1,2", "nan", "inf", "1e999", "0x10y", "1x0", "0+1x5", "_x", "1x1000001", "_x500001 1x500000"])  # fmt: skip
def test_no_series(text):
    """Anything else is refused, before it takes any memory."""
    with pytest.raises(ValueError, match=r"no values|is no value|comes no time|more than"):
        series(text)


RUNS = st.lists(st.tuples(st.none() | st.floats(-(2.0**360), 2.0**360), st.integers(1, 5)), min_size=1)


@given(RUNS)
def test_written_and_read(runs):
    """What is written in the notation is read as it was meant."""
    text = " ".join(f"{'_' if value is None else value}x{times}" for value, times in runs)
    assert series(text) == [value for value, times in runs for _ in range(times)]
