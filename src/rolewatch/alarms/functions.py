"""Values of metric math in, values out: its operators and functions, as a table.

A time series is an array of rows, one for each evaluation, with the periods of the evaluation range from oldest to newest.
Source: "Metric math syntax and functions" of the CloudWatch guide. A missing value counts as 0 beside one that exists, and
what would divide by zero (or be no number at all) is missing.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rolewatch.metrics.series import Floats, Ints, Times

Flags = NDArray[np.bool_]
_DAY: Final = 86_400


class Value(NamedTuple):
    """A time series, or one number a row (`scalar`); `values` are 0 where not `present`."""

    present: Flags
    values: Floats
    scalar: bool = False


class Moment(NamedTuple):
    """Where in time the columns lie: the end of each period, and its length in seconds."""

    ends: Times
    period: int


def distinct(times: Times) -> Times:
    """Sort times and keep each once (np.unique hashes them, which takes ten times as long)."""
    ordered = np.sort(times)
    return ordered[np.append(np.True_, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


def number(value: float) -> Value:
    """Make a scalar."""
    return _finite(np.ones((1, 1), np.bool_), np.full((1, 1), value), scalar=True)


def _finite(present: Flags, values: Floats, *, scalar: bool = False) -> Value:
    there = present & np.isfinite(values)
    return Value(there, np.where(there, values, 0.0), scalar)


def _operator(compute: Callable[[Floats, Floats], NDArray[np.generic]]) -> Callable[[Value, Value], Value]:
    def operate(left: Value, right: Value) -> Value:
        series = not (left.scalar or right.scalar)
        present = left.present | right.present if series else left.present & right.present
        with np.errstate(all="ignore"):
            values = compute(left.values, right.values).astype(np.float64)
        return _finite(present, values, scalar=left.scalar and right.scalar)

    return operate


OPERATORS: Final[dict[str, Callable[[Value, Value], Value]]] = {
    "+": _operator(np.add),
    "-": _operator(np.subtract),
    "*": _operator(np.multiply),
    "/": _operator(np.divide),
    "^": _operator(np.power),
    "==": _operator(np.equal),
    "!=": _operator(np.not_equal),
    "<": _operator(np.less),
    "<=": _operator(np.less_equal),
    ">": _operator(np.greater),
    ">=": _operator(np.greater_equal),
    "AND": _operator(np.logical_and),
    "OR": _operator(np.logical_or),
}


def _each(compute: Callable[[Floats], Floats]) -> Callable[[Value, Moment], Value]:
    def operate(value: Value, _: Moment) -> Value:
        with np.errstate(all="ignore"):
            return _finite(value.present, compute(value.values), scalar=value.scalar)

    return operate


#: A value of one period depends on that period only.
EACH: Final[dict[str, Callable[[Value, Moment], Value]]] = {
    "negative": _each(np.negative),
    "ABS": _each(np.abs),
    "CEIL": _each(np.ceil),
    "FLOOR": _each(np.floor),
    "LOG": _each(np.log),
    "LOG10": _each(np.log10),
}


def _before(value: Value) -> tuple[Flags, Ints]:
    """Find the period with a value before each period: whether there is one, and its column."""
    columns = np.where(value.present, np.arange(value.present.shape[1]), -1)
    last = np.maximum.accumulate(columns, axis=1)
    before = np.concatenate([np.full((len(last), 1), -1), last[:, :-1]], axis=1)
    return value.present & (before >= 0), np.maximum(before, 0)


def _difference(value: Value, _: Moment) -> Value:
    present, before = _before(value)
    return _finite(present, value.values - np.take_along_axis(value.values, before, 1))


def _time_difference(value: Value, moment: Moment) -> Value:
    present, before = _before(value)
    return _finite(present, ((np.arange(present.shape[1]) - before) * moment.period).astype(np.float64))


def _rate(value: Value, moment: Moment) -> Value:
    change, seconds = _difference(value, moment), _time_difference(value, moment)
    return _finite(change.present, change.values / np.where(seconds.present, seconds.values, 1.0))


def _running_sum(value: Value, _: Moment) -> Value:
    return _finite(value.present, np.cumsum(value.values, axis=1))


#: A value depends on other periods of the range.
ALONG: Final[dict[str, Callable[[Value, Moment], Value]]] = {
    "DIFF": _difference,
    "DIFF_TIME": _time_difference,
    "RATE": _rate,
    "RUNNING_SUM": _running_sum,
}


def _calendar(unit: str, since: str) -> Callable[[Times], NDArray[np.int64]]:
    def count(seconds: Times) -> NDArray[np.int64]:
        times = seconds.astype("datetime64[s]")
        within = times.astype(f"datetime64[{unit}]") - times.astype(f"datetime64[{since}]").astype(
            f"datetime64[{unit}]"
        )
        return np.asarray(within.astype(np.int64) + 1)

    return count


#: A number for each period, from its start in epoch seconds UTC; a week begins on Monday.
TIMES: Final[dict[str, Callable[[Times], NDArray[np.int64]]]] = {
    "EPOCH": lambda seconds: seconds,
    "MINUTE": lambda seconds: seconds // 60 % 60,
    "HOUR": lambda seconds: seconds // 3600 % 24,
    "DAY": lambda seconds: (seconds // _DAY + 3) % 7 + 1,
    "DATE": _calendar("D", "M"),
    "MONTH": _calendar("M", "Y"),
    "YEAR": lambda seconds: seconds.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970,
}


def of_time(name: str, moment: Moment) -> Value:
    """Make a series without gaps from the times of its periods."""
    values = TIMES[name](moment.ends - moment.period).astype(np.float64)
    return Value(np.ones(values.shape, np.bool_), values)


def constant(value: Value, moment: Moment) -> Value:
    """Make a series without gaps from a scalar (TIME_SERIES)."""
    present = np.broadcast_to(value.present, moment.ends.shape)
    return Value(present, np.broadcast_to(value.values, moment.ends.shape))


def fill(value: Value, filler: Value) -> Value:
    """Put a scalar, or another series' values, where values are missing."""
    other = ~value.present & filler.present
    return Value(value.present | other, np.where(other, filler.values, value.values), value.scalar)


def fill_repeated(value: Value) -> Value:
    """Put the last value before it where one is missing."""
    before = np.maximum.accumulate(np.where(value.present, np.arange(value.present.shape[1]), -1), axis=1)
    return _finite(before >= 0, np.take_along_axis(value.values, np.maximum(before, 0), 1))


def fill_linear(value: Value) -> Value:
    """Put what lies on the line between the values around a gap; what has none on one side stays missing."""
    size = value.present.shape[1]
    columns = np.arange(size)
    before = np.maximum.accumulate(np.where(value.present, columns, -1), axis=1)
    after = np.minimum.accumulate(np.where(value.present, columns, size)[:, ::-1], axis=1)[:, ::-1]
    present = (before >= 0) & (after < size)
    low, high = np.maximum(before, 0), np.minimum(after, size - 1)
    start, end = np.take_along_axis(value.values, low, 1), np.take_along_axis(value.values, high, 1)
    return _finite(present, start + (end - start) * (columns - low) / np.maximum(high - low, 1))


def choose(condition: Value, yes: Value, no: Value | None) -> Value:
    """IF: a series that is missing where the condition of a series holds counts as 0 there, as documented."""
    holds = condition.values != 0
    if not yes.scalar and not condition.scalar:
        yes = Value(np.ones_like(yes.present), yes.values)
    other = no or Value(np.zeros((1, 1), np.bool_), np.zeros((1, 1)), scalar=True)
    scalar = condition.scalar and yes.scalar and other.scalar
    present = condition.present & np.where(holds, yes.present, other.present)
    return _finite(present, np.where(holds, yes.values, other.values), scalar=scalar)


def _count(present: Flags, _: Floats, axis: int) -> Floats:
    return np.asarray(present.sum(axis=axis).astype(np.float64), np.float64)


def _total(_: Flags, values: Floats, axis: int) -> Floats:
    return np.asarray(values.sum(axis=axis), np.float64)


def _least(present: Flags, values: Floats, axis: int) -> Floats:
    return np.asarray(np.where(present, values, np.inf).min(axis=axis), np.float64)


def _greatest(present: Flags, values: Floats, axis: int) -> Floats:
    return np.asarray(np.where(present, values, -np.inf).max(axis=axis), np.float64)


def _mean(present: Flags, values: Floats, axis: int) -> Floats:
    return np.asarray(values.sum(axis=axis) / np.maximum(present.sum(axis=axis), 1), np.float64)


def _deviation(present: Flags, values: Floats, axis: int) -> Floats:
    mean = np.expand_dims(_mean(present, values, axis), axis)
    return np.sqrt(_mean(present, np.where(present, (values - mean) ** 2, 0.0), axis))


#: Of one series a scalar; of an array of series, a series.
REDUCTIONS: Final[dict[str, Callable[[Flags, Floats, int], Floats]]] = {
    "SUM": _total,
    "AVG": _mean,
    "MIN": _least,
    "MAX": _greatest,
    "STDDEV": _deviation,
    "DATAPOINT_COUNT": _count,
}
_COUNTS_GAPS: Final = ("AVG", "STDDEV")  # "missing values are treated as 0": in an array of series


def reduce(name: str, value: Value | list[Value], moment: Moment) -> Value:
    """Reduce a series to a scalar, or an array of series to a series."""
    if isinstance(value, Value):
        values = REDUCTIONS[name](value.present, value.values, 1)[:, None]
        present = value.present.any(axis=1, keepdims=True) | (name == "DATAPOINT_COUNT")
        return _finite(np.asarray(present), values, scalar=True)
    shape = (len(value), *moment.ends.shape)
    present = np.stack([np.broadcast_to(each.present, shape[1:]) for each in value])
    values = np.stack([np.broadcast_to(each.values, shape[1:]) for each in value])
    counted = np.ones_like(present) if name in _COUNTS_GAPS else present
    return _finite(np.asarray(present.any(axis=0)), REDUCTIONS[name](counted, values, 0))
