"""Measure the evaluation of alarms: a year of one-minute data for 100 alarms, on one core, in one process.

Usage: alarms.py [--alarms N] [--days N]

What is measured is processor time: the machine may be busy. Dense and varying data is held against the literal evaluator of
the tests (tests/alarms/literal.py: minute by minute, as the specification says it) on a few days of each alarm, in turn with
the fast one on the whole year; seconds per day of data are compared, and both have to find the same transitions in these
days. Sparse data is measured at two densities: its cost is to follow the number of datapoints.
"""

import argparse
import random
import resource
import statistics
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests" / "alarms")]

from alarmed import alarm  # noqa: E402 - what the tests use is made findable above
from literal import transitions  # noqa: E402

from rolewatch.alarms.evaluate import replay  # noqa: E402
from rolewatch.alarms.history import History  # noqa: E402
from rolewatch.metrics.series import Series, series_of  # noqa: E402
from rolewatch.templates.definitions import Alarm, Metric  # noqa: E402

DAY = 86_400
MINUTES = DAY // 60
COMPARED_DAYS = 2  # of each alarm's year, for the literal evaluator
TARGETS = {"ratio": 10.0, "dense": 60.0, "sparse": 5.0}
PERIODS = (60, 60, 300, 300, 300, 900, 3600)
COUNTS = ((1, None), (1, 1), (3, None), (5, 3), (12, 1), (3, 2))
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
STATISTICS = ("Sum", "Sum", "Sum", "Average", "Maximum", "SampleCount")


class Case(NamedTuple):
    """An alarm with the datapoints of its metric."""

    alarm: Alarm
    series: Series


def some_alarm(place: int, thresholds: dict[str, float]) -> Alarm:
    """Make an alarm of a kind that is in use, the same one for the same place; the threshold is for periods of a minute."""
    rng = random.Random(place)
    statistic, period, (n, m) = rng.choice(STATISTICS), rng.choice(PERIODS), rng.choice(COUNTS)
    threshold = thresholds[statistic] * (period / 60 if statistic in ("Sum", "SampleCount") else 1)
    made: Alarm = alarm(
        period,
        n,
        m,
        rng.choice(TREATMENTS),
        threshold,
        statistic=statistic,
        metric=Metric("N", f"m{place}"),
        name=f"a{place}",
    )
    return made


def dense(place: int, days: int) -> Case:
    """Make a metric with a datapoint every minute, that follows the day and the week, with noise and incidents."""
    noise = np.random.default_rng(place)
    times = np.arange(days * MINUTES) * 60
    daily = 1 + 0.5 * np.sin(times / DAY * 2 * np.pi) + 0.2 * np.sin(times / DAY / 7 * 2 * np.pi)
    level = 20 * daily * np.where(noise.random(len(times)) < 0.001, 3, 1)
    if place % 2:
        sums = noise.poisson(level).astype(np.float64) + 1  # a count: that many ones
        samples, values, weights = sums, np.ones(len(times)), sums.astype(np.int64)
    else:
        sums = values = noise.gamma(4, level / 4)
        samples, weights = np.ones(len(times)), np.ones(len(times), np.int64)
    series = Series(times, samples, sums, values, values, values, weights, np.arange(len(times) + 1))
    thresholds = {"Sum": 45.0, "SampleCount": 45.0 if place % 2 else 0.5, "Average": 45.0, "Maximum": 70.0}
    return Case(some_alarm(place, thresholds), series)


def sparse(place: int, days: int, density: float) -> Case:
    """Make a metric that has a datapoint in a part of the minutes only."""
    rng = random.Random(place)
    minutes = sorted(rng.sample(range(days * MINUTES), int(days * MINUTES * density)))
    series = series_of({minute * 60: {1.0: rng.choice([1, 1, 1, 2, 9])} for minute in minutes})
    return Case(some_alarm(place, dict.fromkeys(STATISTICS, 1.0))._replace(threshold=1.0), series)


class Cost(NamedTuple):
    """Seconds, transitions and datapoints."""

    seconds: float
    transitions: int
    datapoints: int


def evaluate(cases: Iterable[Case], days: int) -> Cost:
    """Evaluate all alarms, each with its year in memory only while it is at work."""
    seconds, transitions_, datapoints = 0.0, 0, 0
    for case in cases:
        history, took = replayed(case, days)
        seconds += took
        transitions_ += len(history.transitions)
        datapoints += len(case.series.times)
    return Cost(seconds, transitions_, datapoints)


def replayed(case: Case, days: int) -> tuple[History, float]:
    """Evaluate one alarm: its history, and the seconds it took."""
    assert case.alarm.stat is not None  # noqa: S101 - all of ours are plain
    start = time.process_time()
    histories, notices = replay(
        [case.alarm], [], {case.alarm.stat.metric: {"None": case.series}}, start=0, end=days * DAY
    )
    seconds = time.process_time() - start
    if notices:
        sys.exit(f"not all alarms were evaluated: {notices}")
    return histories[0], seconds


def compare(case: Case, days: int) -> float:
    """Give how many times as fast a day is evaluated as by the literal evaluator, and check that both agree."""
    series, part = case.series, COMPARED_DAYS * DAY
    datapoints = {
        int(series.times[i]): {float(series.values[i]): int(series.weights[i])}
        for i in range(COMPARED_DAYS * MINUTES)
    }
    start = time.process_time()
    expected = transitions(case.alarm, datapoints, 0, part)
    literal = (time.process_time() - start) / COMPARED_DAYS
    history, seconds = replayed(case, days)
    found = [
        (change.time, change.before, change.after) for change in history.transitions if change.time <= part
    ]
    if found != expected:
        sys.exit(f"{case.alarm} changes at {found[:5]}..., by the literal evaluator at {expected[:5]}...")
    return literal / (seconds / days)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--alarms", type=int, default=100)
    parser.add_argument("--days", type=int, default=365)
    options = parser.parse_args()
    places, days = range(options.alarms), options.days
    replayed(dense(0, 10), 10)  # warm
    print(f"{options.alarms} alarms, {days} days of one-minute data, one process; seconds of processor time")
    ratios = [compare(dense(place, days), days) for place in places[:: max(len(places) // 20, 1)]]
    print(
        f"literal / ours, dense     {statistics.median(ratios):8.0f}x  median of {len(ratios)} alarms, "
        f"{min(ratios):.0f} to {max(ratios):.0f}, literal on {COMPARED_DAYS} days; target {TARGETS['ratio']:g}x"
    )
    cost = evaluate((dense(place, days) for place in places), days)
    print(
        f"dense and varying         {cost.seconds:8.2f} s  {cost.transitions:,} transitions; target {TARGETS['dense']:g} s"
    )
    for density in (0.005, 0.01):
        cost = evaluate((sparse(place, days, density) for place in places), days)
        print(
            f"sparse, {density:5.1%} of minutes  {cost.seconds:8.2f} s  {cost.transitions:,} transitions, "
            f"{cost.seconds / cost.datapoints * 1e6:.1f} us a datapoint; target {TARGETS['sparse']:g} s"
        )
    print(f"peak memory               {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MB")


if __name__ == "__main__":
    main()
