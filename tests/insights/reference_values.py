"""Values of the query language as the oracle has them: None, str, float, bool, Time, and dict or list (docs/insights.md, Values)."""

import json
import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_EVENT_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?Z")
_PARTS = re.compile(r"[0-9]+|[^0-9]+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class Time(NamedTuple):
    """A time, in milliseconds since 1970."""

    ms: int


class Digits(str):
    """A number of a JSON text, as it is written there."""

    __slots__ = ()


Value = None | str | float | bool | Time | dict | list


def read_json(text):
    """Give what a JSON text says, its numbers as Digits; None if it is no JSON."""
    try:
        return json.loads(text, parse_int=Digits, parse_float=Digits, parse_constant=_refuse)
    except ValueError:
        return None


def _refuse(name):
    raise ValueError(name)


def write_json(found):
    """Write a structure as compact JSON, its numbers as they were."""
    match found:
        case None:
            return "null"
        case True:
            return "true"
        case False:
            return "false"
        case Digits():
            return str(found)
        case list():
            return f"[{','.join(map(write_json, found))}]"
        case dict():
            return f"{{{','.join(f'{write_json(name)}:{write_json(item)}' for name, item in found.items())}}}"
        case _:
            return json.dumps(found, ensure_ascii=False)


def inside(found, steps):
    """Give what stands at some steps into a JSON value, None if there is nothing."""
    for step in map(str, steps):
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and step.isascii() and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found


def from_json(found):
    """Give a JSON value as a value of the language: leaves are texts."""
    if isinstance(found, bool):
        return "1" if found else "0"
    return str(found) if isinstance(found, str) else found


def is_structure(value):
    """Whether a value is a map or a list."""
    return isinstance(value, dict | list)


def scalar(value):
    """Give a value, None instead of a structure."""
    return None if is_structure(value) else value


def number(value):
    """Give a value where a number is needed."""
    match value:
        case bool() | float():
            return float(value)
        case Time(ms):
            return float(ms)
        case str() if _NUMBER.fullmatch(value) and math.isfinite(float(value)):
            return float(value)
        case _:
            return None


def text(value):
    """Give a value where a text is needed."""
    match value:
        case bool():
            return "1" if value else "0"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        case Time():
            moment = moment_of(value).strftime("%H:%M:%S")
            day = moment_of(value).date().isoformat()
            return f"{day} {moment}.{value.ms % 1000:03}"
        case str():
            return value
        case _:
            return None


def truth(value):
    """Give a value where a condition is needed."""
    match value:
        case bool():
            return value
        case float():
            return value == 1
        case str():
            return value in ("1", "true")
        case _:
            return False


def time(value):
    """Give a value where a time is needed; numbers are milliseconds, and years end with 9999."""
    if isinstance(value, Time):
        return value
    found = number(value)
    if found is None or not -62_135_596_800_000 <= found < 253_402_300_800_000:
        return None
    return Time(int(found))


def moment_of(value):
    """Give a time as Python has them, in UTC."""
    return _EPOCH + value.ms * MILLISECOND


def time_of(moment):
    """Give the time of one of Python's."""
    return Time((moment - _EPOCH) // MILLISECOND)


def event_time(found):
    """Give the time that a record's eventTime spells, None if it spells none."""
    match = _EVENT_TIME.fullmatch(found) if isinstance(found, str) else None
    if not match:
        return None
    try:
        moment = datetime.fromisoformat(f"{match[1]}+00:00")
    except ValueError:
        return None
    return Time(time_of(moment).ms + int(f"{match[2] or ''}000"[:3]))


def shown(value):
    """Write a value as it stands in results."""
    return write_json(value) if is_structure(value) else text(value)


def order(value):
    """Give what values are sorted by: nothing, then texts part by part, then numbers."""
    match value:
        case None | dict() | list():
            return (0,)
        case str() if value.isascii() and value.isdigit():
            return (2, Decimal(value), value)
        case str():
            return (1, [_part(part) for part in _PARTS.findall(value)])
        case _:
            return (2, Decimal(number(value)), "")


def _part(part):
    """Give a run of digits its place among other runs, by its length, then its digits."""
    if part[0] in "0123456789":
        return ("0", len(part), part)
    return (part, 0, "")
