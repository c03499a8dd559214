"""Functions of several rows of the oracle, and `stats` (docs/insights.md, Rows)."""

import math
from dataclasses import replace

from reference_expressions import Row, lookup, value
from reference_values import number, order, scalar, text, time

from rolewatch.insights.functions import AGGREGATES
from rolewatch.insights.names import canonical
from rolewatch.insights.syntax import Call, Star


def stats(command, rows, moments):
    """Give one row for each group, sorted by what the groups have in common."""
    if command.offset and command.offset.months:
        raise NotImplementedError("stats with an offset of months")
    offset = command.offset.milliseconds if command.offset else 0
    groups = {} if command.groups else {(): ([], rows)}
    for row in rows if command.groups else ():
        keys = [scalar(value(column.expression, replace(row, offset=offset))) for column in command.groups]
        groups.setdefault(tuple(map(text, keys)), (keys, []))[1].append(row)
    found = sorted(groups.values(), key=lambda group: [order(key) for key in group[0]])
    return [_one(command, keys, members, moments) for keys, members in found]


def _one(command, keys, rows, moments):
    """Give the row of one group."""
    names, shown = {}, {}

    def give(column, found):
        shown[column.name] = names[column.name] = found
        if not column.named:
            names[canonical(column.expression)] = found

    for column, key in zip(command.groups, keys, strict=True):
        give(column, key)
    for column in command.aggregates:
        calls = {canonical(call): _aggregate(call, rows) for call in _calls(column.expression)}
        give(column, value(column.expression, Row(range=moments, names=names | calls)))
    return Row(range=moments, names=names, shown=shown)


def _calls(expression):
    """Yield the functions of several rows in an expression."""
    if isinstance(expression, Call):
        if expression.name in AGGREGATES:
            yield expression
        else:
            for argument in expression.arguments:
                yield from _calls(argument)


def _aggregate(call, rows):
    """Give what a function of several rows has for some rows."""
    if not call.arguments or isinstance(call.arguments[0], Star):
        return float(len(rows))
    given = [(scalar(value(call.arguments[0], row)), row) for row in rows]
    present = [(found, row) for found, row in given if found is not None]
    if call.name == "pct":
        return _percentile(_numbers(present), number(value(call.arguments[1], Row(range=(0, 0)))))
    return BY_NAME[call.name](present)


def _numbers(present):
    found = [number(each) for each, _ in present]
    return [each for each in found if each is not None]


def _finite(found):
    return found if math.isfinite(found) else None


def _sum(present):
    found = _numbers(present)
    return _finite(math.fsum(found)) if found else None


def _average(present):
    found = _numbers(present)
    return _finite(math.fsum(found) / len(found)) if found else None


def _variance(present):
    found = _numbers(present)
    if not found:
        return None
    mean = math.fsum(found) / len(found)
    return _finite(math.fsum((each - mean) ** 2 for each in found) / len(found))


def _deviation(present):
    found = _variance(present)
    return None if found is None else math.sqrt(found)


def _percentile(found, percent):
    """Interpolate between the two values that are nearest to a share of them."""
    if not found or percent is None or not 0 <= percent <= 100:
        return None
    place = percent / 100 * (len(found) - 1)
    low, high = sorted(found)[math.floor(place)], sorted(found)[math.ceil(place)]
    return _finite(low + (high - low) * (place - math.floor(place)))


def _lowest(present):
    return min((found for found, _ in present), key=order, default=None)


def _highest(present):
    return max((found for found, _ in present), key=order, default=None)


def _times(present):
    """Give the values whose rows have a time, with it."""
    timed = [(time(lookup(("@timestamp",), row)), found) for found, row in present]
    return [each for each in timed if each[0] is not None]


def _values(present):
    """Give the different values as texts, in the order of `sort`."""
    different = {text(found): found for found, _ in present}
    return sorted(different, key=lambda each: order(different[each])) or None


BY_NAME = {
    "count": lambda present: float(len(present)),
    "count_distinct": lambda present: float(len({text(found) for found, _ in present})),
    "sum": _sum,
    "avg": _average,
    "variance": _variance,
    "stddev": _deviation,
    "min": _lowest,
    "max": _highest,
    "sortsfirst": _lowest,
    "sortslast": _highest,
    "earliest": lambda present: min(_times(present), default=(None, None))[1],
    "latest": lambda present: max(_times(present), default=(None, None))[1],
    "values": _values,
}
