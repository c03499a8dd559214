"""The slow and obvious evaluator: one evaluation after the other, with dictionaries, as spec/alarm.md §5 says it."""

import math
from fractions import Fraction

from rolewatch.alarms.history import State

COMPARE = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def statistic_of(name, samples):
    """Compute a statistic from sorted samples, of which there is at least one; None if there is no value."""
    if name[0] == "p":
        part = Fraction(name[1:]) / 100
        return None if samples[0] < 0 else samples[max(math.ceil(part * len(samples)), 1) - 1]
    return {
        "SampleCount": lambda: len(samples),
        "Sum": lambda: sum(samples),
        "Average": lambda: sum(samples) / len(samples),
        "Minimum": lambda: samples[0],
        "Maximum": lambda: samples[-1],
    }[name]()


def window(alarm, datapoints, end, limit):
    """Give the value and the number of samples of the period that ends at `end`, of datapoints before `limit`."""
    start, step = end - alarm.stat.period, 10 if alarm.stat.period < 60 else 60
    samples = []
    for time in range(start, min(end, limit), step):
        for value, weight in datapoints.get(time, {}).items():
            samples += [value] * weight
    if not samples:
        return None, 0
    return statistic_of(alarm.stat.statistic, sorted(samples)), len(samples)


def decide(alarm, points, state):
    """Decide from points of the range, oldest first: None is missing, else whether it breaches. None keeps the state."""
    wanted = alarm.evaluation_periods
    needed = alarm.datapoints_to_alarm or wanted
    real = [point for point in points if point is not None]
    if len(real) >= wanted:
        return State.ALARM if sum(real[-wanted:]) >= needed else State.OK
    fill, hits = wanted - len(real), sum(real)
    if alarm.treat_missing_data == "breaching":
        return State.ALARM if hits + fill >= needed else State.OK
    if alarm.treat_missing_data == "notBreaching":
        return State.ALARM if hits >= needed else State.OK
    if not real:
        return State.INSUFFICIENT_DATA if alarm.treat_missing_data == "missing" else state
    if hits >= needed:
        return State.ALARM
    if not all(real):
        return State.OK
    if alarm.treat_missing_data == "ignore":
        return state
    age = len(points) - points.index(True)
    return State.ALARM if age >= needed else state


def every(alarm):
    """Give the seconds between evaluations."""
    if alarm.stat.period < 60:
        return 10
    return 3600 if alarm.stat.period * alarm.evaluation_periods > 86400 else 60


def transitions(alarm, datapoints, start, end, *, delay=0, initial=State.INSUFFICIENT_DATA, asked=None):
    """Give time, state before and state after of every change; `datapoints` are time → value → number of occurrences."""
    grid, state, changes = every(alarm), initial, []
    delay = math.ceil(delay / 60) * 60
    times = sorted(asked) if asked is not None else [t for t in range(start + 1, end + 1) if t % grid == 0]
    part = Fraction(alarm.stat.statistic[1:]) / 100 if alarm.stat.statistic[0] == "p" else None
    for time in times:
        newest = time - time % grid
        points, counts = [], []
        for back in range(alarm.evaluation_periods + 1, -1, -1):
            value, count = window(alarm, datapoints, newest - back * alarm.stat.period, newest - delay)
            points.append(
                None if value is None else COMPARE[alarm.comparison_operator](value, alarm.threshold)
            )
            if value is not None:
                counts.append(count)
        after = decide(alarm, points, state)
        if alarm.evaluate_low_sample_count_percentile == "ignore" and part is not None and 0 < part < 1:
            fewest = 10 / (1 - part) if part >= Fraction(1, 2) else 10 / part
            if any(count < fewest for count in counts[-alarm.evaluation_periods :]):
                after = state
        if after is not state:
            changes.append((time, state, after))
            state = after
    return changes
