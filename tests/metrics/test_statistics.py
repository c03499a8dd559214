"""Statistics of windows agree with plain Python over the samples written out."""

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolewatch.metrics import distribution
from rolewatch.metrics.combination import combined
from rolewatch.metrics.reduction import slice_maxima, slice_minima, slice_sums
from rolewatch.metrics.series import series_of
from rolewatch.metrics.statistics import sample_counts, windowed
from rolewatch.templates.numerals import GREATEST
from rolewatch.templates.statistic import parse_statistic

TEXTS = ["SampleCount", "Average", "Sum", "Minimum", "Maximum", "p0", "p50", "p99.9999999999", "p100", "p33.3333333333",
         "tm90", "tc90", "ts90", "wm90", "IQM", "PR(:3)", "PR(1:4)", "PR(2:)", "TM(10%:90%)", "TM(2:5)", "TM(50%:)", "TM(:25%)",
         "TC(20%:80%)", "TC(2:5)", "TS(0%:50%)", "TS(1:)", "WM(10%:90%)", "WM(2:5)", "WM(:40%)", "WM(60%:)"]  # fmt: skip


def obvious(samples, text):
    """Compute a statistic from the samples, written out and sorted; None where there is none."""
    values, n = sorted(samples), len(samples)
    if not n:
        return None
    simple = {"SampleCount": n, "Average": math.fsum(values) / n, "Sum": math.fsum(values), "Minimum": values[0], "Maximum": values[-1]}  # fmt: skip
    if text in simple:
        return simple[text]
    if values[0] < 0:
        return None
    if text.startswith("p"):
        rank = (Decimal(text[1:]) * n / 100).to_integral_value(ROUND_CEILING)
        return values[max(int(rank), 1) - 1]
    if text == "IQM":
        text = "TM(25%:75%)"
    if "(" not in text:
        text = f"{text[:2].upper()}(:{text[2:]}%)"
    kind, bounds = text[:2], text[3:-1].split(":")
    if "%" in text:
        low, high = (Decimal(bound.rstrip("%")) / 100 if bound else None for bound in bounds)
        first = int(((low or Decimal(0)) * n).to_integral_value(ROUND_FLOOR))
        last = n if high is None else int((high * n).to_integral_value(ROUND_CEILING))
        kept = values[first:last]
        edges = values[first], values[last - 1]
    else:
        low, high = (float(bound) if bound else None for bound in bounds)
        kept = [v for v in values if (low is None or v > low) and (high is None or v <= high)]
        edges = low, high
    if kind == "WM":
        return math.fsum(min(max(v, -math.inf if edges[0] is None else edges[0]), math.inf if edges[1] is None else edges[1]) for v in values) / n  # fmt: skip
    if kind == "PR":
        return 100 * len(kept) / n
    return {"TC": len(kept), "TS": math.fsum(kept), "TM": math.fsum(kept) / len(kept) if kept else None}[kind]


SAMPLES = st.dictionaries(
    st.integers(0, 40),
    st.dictionaries(st.integers(-2, 24).map(lambda quarter: quarter / 4), st.integers(1, 5), min_size=1),
)


@settings(max_examples=300, deadline=None)
@given(
    SAMPLES, st.lists(st.tuples(st.integers(-3, 45), st.integers(0, 20)), max_size=8), st.sampled_from(TEXTS)
)
def test_windows_agree_with_the_samples(datapoints, windows, text):
    """Every statistic of every window is that of its samples."""
    series = series_of({minute * 60: values for minute, values in datapoints.items()})
    starts = np.array([start * 60 for start, _ in windows], np.int64)
    ends = np.array([(start + length) * 60 for start, length in windows], np.int64)
    present, values = windowed(series, starts, ends, parse_statistic(text))
    for i, (start, length) in enumerate(windows):
        samples = [
            value
            for minute, kept in datapoints.items()
            if start <= minute < start + length
            for value, weight in kept.items()
            for _ in range(weight)
        ]
        expected = obvious(samples, text)
        assert (expected is not None) == present[i]
        assert (expected or 0.0) == pytest.approx(values[i], rel=1e-12)
        assert len(samples) == sample_counts(series, starts, ends)[i]


def test_shapes_are_kept():
    """Windows may be arranged in rows and columns, and so are the results."""
    series = series_of({0: {1.0: 1}, 60: {3.0: 2}})
    starts = np.array([[0, 0], [60, 120]])
    for text, expected in [
        ("Sum", [[1, 7], [6, 0]]),
        ("Maximum", [[1, 3], [3, 0]]),
        ("p100", [[1, 3], [3, 0]]),
    ]:
        present, values = windowed(
            series, starts, starts + np.array([[60, 120], [60, 60]]), parse_statistic(text)
        )
        assert present.tolist() == [[True, True], [True, False]]
        assert values.tolist() == expected


def test_many_windows_are_sorted_in_parts(monkeypatch):
    """What is sorted at once is bounded, without a difference in the result."""
    series = series_of({60 * minute: {float(minute * 7 % 13): 1 + minute % 3} for minute in range(200)})
    ends = np.arange(1, 260) * 60
    whole = windowed(series, ends - 1800, ends, parse_statistic("p75"))
    monkeypatch.setattr(distribution, "_AT_ONCE", 64)
    parts = windowed(series, ends - 1800, ends, parse_statistic("p75"))
    assert whole[0].tolist() == parts[0].tolist()
    assert whole[1].tolist() == parts[1].tolist()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6), max_size=40),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6),
)
def test_slices(values, slices):
    """Sums, minima and maxima of slices are those of the slice alone."""
    array = np.array(values, np.float64)
    first = np.array([min(low, len(values)) for low, _ in slices], np.int64)
    last = np.array([max(min(high, len(values)), min(low, len(values))) for low, high in slices], np.int64)
    parts = [values[low:high] for low, high in zip(first, last, strict=True)]
    assert [math.fsum(part) for part in parts] == pytest.approx(
        slice_sums(array, first, last).tolist(), rel=1e-9, abs=1e-6
    )
    assert [min(part, default=math.inf) for part in parts] == slice_minima(array, first, last).tolist()
    assert [max(part, default=-math.inf) for part in parts] == slice_maxima(array, first, last).tolist()


def test_sums_do_not_drift():
    """A great value elsewhere in the series takes nothing from a window of small ones."""
    series = series_of({0: {1e17: 1}, 60: {0.1: 1}, 120: {0.2: 1}})
    _, values = windowed(series, np.array([60]), np.array([180]), parse_statistic("Sum"))
    assert values.tolist() == [0.1 + 0.2]


def test_percentiles_of_many_samples_are_exact():
    """Ranks are computed without overflow, whatever the number of samples."""
    count = 10**13
    series = series_of({0: {1.0: count - 10, 2.0: 10}})
    below = windowed(series, np.array([0]), np.array([60]), parse_statistic("p99.9999999998"))
    above = windowed(series, np.array([0]), np.array([60]), parse_statistic("p99.9999999999"))
    assert (below[1].tolist(), above[1].tolist()) == ([1.0], [1.0])
    _, beyond = windowed(series, np.array([0]), np.array([60]), parse_statistic("PR(:1)"))
    assert beyond.tolist() == [100.0 * (count - 10) / count]


def test_series_of_units_are_combined():
    """Series of one metric with different units become one; a value that both have counts as often as both say."""
    one, other = series_of({0: {1.0: 2}, 60: {5.0: 1}}), series_of({0: {1.0: 1, 4.0: 1}})
    whole = combined([one, other])
    assert (
        whole.times.tolist(),
        whole.sample_counts.tolist(),
        whole.sums.tolist(),
    ) == ([0, 60], [4.0, 1.0], [7.0, 5.0])
    assert combined([one, series_of({})]) is one
    assert combined([]).times.tolist() == []


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("least", [GREATEST / 2, -GREATEST], ids=["positive", "both signs"])
def test_the_greatest_values(text, least):
    """Of very many of them every statistic is a finite number."""
    series = series_of({60 * minute: {least: 10**11, GREATEST: 10**11} for minute in range(10)})
    present, values = windowed(series, np.array([0]), np.array([600]), parse_statistic(text))
    assert math.isfinite(values[0])
    if present[0] and text in ("Average", "Maximum"):
        assert values[0] == pytest.approx(GREATEST if text == "Maximum" else (least + GREATEST) / 2)
