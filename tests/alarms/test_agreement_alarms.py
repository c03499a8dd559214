"""The fast evaluator and the literal one give the same transitions, whichever way the fast one goes."""

import random
from unittest.mock import patch

import pytest
from alarmed import METRIC, alarm
from hypothesis import given, settings
from hypothesis import strategies as st
from literal import COMPARE, transitions

from rolewatch.alarms import tally
from rolewatch.alarms.evaluate import replay
from rolewatch.alarms.history import State
from rolewatch.metrics.series import series_of

TREATMENTS = ["missing", "ignore", "breaching", "notBreaching"]
STATISTICS = ["Sum", "Average", "Minimum", "Maximum", "SampleCount", "p50", "p90", "p10"]
# How the three ways are forced: no evaluation is cheap enough, changes are never (always) cheaper than steps.
WAYS = {"rows": {"_FEW": 10**9}, "steps": {"_FEW": 0, "_EVENT": 10**9}, "changes": {"_FEW": 0, "_EVENT": 0}}


def some_alarm(rng):
    """Make up an alarm."""
    n = rng.choice([1, 1, 2, 3, 5, 8])
    m = rng.choice([None, *range(1, n + 1)])
    return alarm(
        rng.choice([60, 120, 300, 900, 3600]) if rng.random() < 0.9 else rng.choice([10, 20, 30]),
        n,
        m,
        rng.choice(TREATMENTS),
        rng.choice([0.0, 1.0, 2.5, 4.0]),
        rng.choice(list(COMPARE)),
        rng.choice(STATISTICS),
        evaluate_low_sample_count_percentile=rng.choice(["evaluate", "ignore"]),
    )


def some_data(rng, step, end):
    """Make up datapoints, from hardly any to one in every interval; with pauses."""
    density = rng.choice([0.005, 0.05, 0.3, 0.8, 1.0])
    pauses = [(at, at + rng.randrange(0, 8000)) for at in (rng.randrange(0, end) for _ in range(2))]
    low = rng.choice([0, 0, -1])
    return {
        time: {
            rng.randrange(low * 4, 20) / 4: rng.choice([1, 1, 3, 30]) for _ in range(rng.choice([1, 1, 2]))
        }
        for time in range(-7200, end, step)
        if rng.random() < density and not any(begin <= time < stop for begin, stop in pauses)
    }


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32))
def test_transitions(way, seed):
    """Random alarms on random data change at the same times to the same states."""
    rng = random.Random(seed)
    watched = some_alarm(rng)
    short = watched.stat.period < 60
    end = 1200 if short else rng.choice([7200, 20_000])
    datapoints = some_data(rng, 10 if short else 60, end)
    start, delay = rng.choice([0, 61, 1000]), rng.choice([0, 0, 0, 60, 100, 300, 4000])
    initial = rng.choice(list(State))
    asked = sorted(rng.sample(range(end), 20)) if rng.random() < 0.2 else None
    with patch.multiple(tally, **WAYS[way]):
        (history,), notices = replay(
            [watched],
            [],
            {METRIC: {"None": series_of(datapoints)}},
            start=start,
            end=end,
            delay=delay,
            initial={"a": initial},
            asked=asked,
        )
    assert notices == ()
    expected = transitions(watched, datapoints, start, end, delay=delay, initial=initial, asked=asked)
    assert expected == [(change.time, change.before, change.after) for change in history.transitions]


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_multi_day_alarms(way, seed):
    """So do alarms that look back more than a day and are evaluated once an hour."""
    rng = random.Random(seed)
    period, n = rng.choice([(3600, 30), (5400, 20), (86400, 2), (43200, 3)])
    watched = alarm(period, n, rng.choice([None, 1, n // 2 or 1]), rng.choice(TREATMENTS), 3.0)
    end = 6 * 86400
    datapoints = {
        rng.randrange(end // 60) * 60: {float(rng.randrange(6)): 1} for _ in range(rng.choice([3, 30]))
    }
    delay = rng.choice([0, 300, 7200])
    with patch.multiple(tally, **WAYS[way]):
        (history,), _ = replay(
            [watched], [], {METRIC: {"None": series_of(datapoints)}}, start=0, end=end, delay=delay
        )
    assert transitions(watched, datapoints, 0, end, delay=delay) == [
        (change.time, change.before, change.after) for change in history.transitions
    ]
