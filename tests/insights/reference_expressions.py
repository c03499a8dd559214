"""Expressions of the oracle: the value of each in a row (docs/insights.md, Conditions)."""

import math
import operator
from dataclasses import dataclass, field
from typing import Any

import re2
import reference_dates as dates
from reference_functions import BY_NAME, equal, finite, power
from reference_values import from_json, inside, is_structure, number, scalar, text, truth

from rolewatch.insights.names import canonical
from rolewatch.insights.syntax import Call, Field, Number, Regex, Text, Truth

_ARITHMETIC = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": math.fmod, "^": power,
    "negative": operator.neg,
}  # fmt: skip
_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@dataclass(frozen=True)
class Row:
    """A record, the names defined so far, and the columns that are shown so far."""

    range: tuple[int, int]  # of the query, in milliseconds
    record: Any = None  # None after `stats`: there are only names then
    system: dict[str, Any] = field(default_factory=dict)
    names: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)
    offset: int = 0  # of the bins of a `stats`


def value(expression, row):
    """Give an expression's value in a row, None if it is missing."""
    match expression:
        case Number(found):
            return float(found) if math.isfinite(float(found)) else None
        case Text(found) | Truth(found):
            return found
        case Field(steps):
            return lookup(steps, row)
        case Call() if row.record is None and canonical(expression) in row.names:
            return row.names[canonical(expression)]
        case Call(name, arguments):
            return _call(name, arguments, row)
    raise TypeError(expression)


def lookup(steps, row):
    """Give a field's value: a name's, what is inside of its structure, or a leaf of the record."""
    for size in range(len(steps), 0, -1):
        name = ".".join(map(str, steps[:size]))
        if name in row.names and size == len(steps):
            return row.names[name]
        if name in row.names and is_structure(row.names[name]):
            return from_json(inside(row.names[name], steps[size:]))
    first = str(steps[0])
    if first.startswith("@@"):
        steps = (first[1:], *steps[1:])
    elif first.startswith("@"):
        return row.system.get(".".join(map(str, steps)))
    return scalar(from_json(inside(row.record, steps)))


def _call(name, arguments, row):
    match name:
        case "and":
            return all(truth(value(each, row)) for each in arguments)
        case "or":
            return any(truth(value(each, row)) for each in arguments)
        case "not":
            return not truth(value(arguments[0], row))
        case "!=" | "not-like" | "not-in":
            return not _call({"!=": "=", "not-like": "like", "not-in": "in"}[name], arguments, row)
        case "in":
            return any(equal(value(arguments[0], row), value(each, row)) for each in arguments[1].items)
        case "like":
            return _like(text(value(arguments[0], row)), arguments[1])
        case "bin":
            return dates.floor(lookup(("@timestamp",), row), arguments[0], row.offset)
        case "datefloor":
            return dates.floor(value(arguments[0], row), arguments[1])
        case "dateceil":
            return dates.ceiling(value(arguments[0], row), arguments[1])
        case "now":
            return float(row.range[1] // 1000)
        case "querystarttime":
            return float(row.range[0])
        case "queryendtime":
            return float(row.range[1])
        case "querytimerange":
            return float(row.range[1] - row.range[0])
        case "messagesize":
            message = text(lookup(("@message",), row))
            return None if message is None else float(len(message.encode()))
    values = [value(each, row) for each in arguments]
    if name == "=":
        return equal(*values)
    if name in _ORDER:
        return _ordered(_ORDER[name], *values)
    if name in _ARITHMETIC:
        return finite(_ARITHMETIC[name], *values)
    return BY_NAME[name](*values)


def _ordered(compare, left, right):
    """Compare two values: as numbers, or as texts if both are and not both spell a number."""
    numbers = number(left), number(right)
    if None not in numbers:
        return compare(*numbers)
    return isinstance(left, str) and isinstance(right, str) and compare(left, right)


def _like(found, searched):
    if found is None:
        return False
    if isinstance(searched, Regex):
        return re2.search(searched.source, found) is not None
    return searched.value in found
