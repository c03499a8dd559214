"""Calendar of the oracle: the starts of periods, and Java's patterns of dates."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from reference_values import moment_of, text, time, time_of

WEEK = 604_800_000
MONDAY = -259_200_000  # 1969-12-29, of the week in which 1970 begins
_LETTERS = {
    "yyyy": ("year", "([0-9]{4})"),
    "MM": ("month", "([0-9]{2})"),
    "dd": ("day", "([0-9]{2})"),
    "HH": ("hour", "([0-9]{2})"),
    "mm": ("minute", "([0-9]{2})"),
    "ss": ("second", "([0-9]{2})"),
    "SSS": ("microsecond", "([0-9]{3})"),
}
_PIECES = re.compile(r"'((?:[^']|'')*)'|(([A-Za-z])\3*)|(.)", re.DOTALL)


def floor(value, period, offset=0):
    """Give the start of the period that a time is in, all periods being moved by an offset."""
    moved = time(value)
    if moved is None:
        return None
    if period.months:
        return _months(moved, period.months, 0)
    start = MONDAY if period.milliseconds % WEEK == 0 else 0
    start += offset
    return time(float((moved.ms - start) // period.milliseconds * period.milliseconds + start))


def ceiling(value, period):
    """Give the first start of a period that is not before a time."""
    moved, start = time(value), floor(value, period)
    if start is None or start == moved:
        return start
    if period.months:
        return _months(moved, period.months, 1)
    return time(float(start.ms + period.milliseconds))


def _months(moved, months, later):
    moment = moment_of(moved)
    counted = (moment.year - 1970) * 12 + moment.month - 1
    years, month = divmod((counted // months + later) * months, 12)
    if not 1 <= 1970 + years <= 9999:
        return None
    return time_of(datetime(1970 + years, month + 1, 1, tzinfo=UTC))


def _pieces(pattern):
    """Yield a pattern's letters as (letters, None), and what it has literally as (None, text)."""
    for found in _PIECES.finditer(pattern):
        quoted, letters, _, other = found.groups()
        if quoted is not None:
            yield None, quoted.replace("''", "'") or "'"
        elif other is not None and other not in "[]{}#'":
            yield None, other
        elif letters in _LETTERS:
            yield letters, None
        else:
            raise NotImplementedError(f"the letters {found[0]!r} of a pattern of dates")


def _zone(name):
    """Give a zone by its name, UTC without one, None for an unknown one."""
    if name is None:
        return UTC
    try:
        return ZoneInfo(text(name) or "")
    except (KeyError, ValueError, OSError):
        return None


def parse_date(value, pattern, name=None):
    """Read a text by a pattern; what the pattern does not have is the first of its kind, as in January 1st, 00:00."""
    written, zone = text(value), _zone(name)
    pieces = list(_pieces(text(pattern) or ""))
    regex = "".join(_LETTERS[letters][1] if letters else re.escape(literal) for letters, literal in pieces)
    found = re.fullmatch(regex, written) if written is not None and zone else None
    if not found:
        return None
    parts = {"year": 1970, "month": 1, "day": 1}
    names = [_LETTERS[letters][0] for letters, _ in pieces if letters]
    parts |= {part: int(digits) for part, digits in zip(names, found.groups(), strict=True)}
    parts["microsecond"] = parts.get("microsecond", 0) * 1000
    try:
        return float(time_of(datetime(**parts, tzinfo=zone)).ms)
    except (ValueError, OverflowError):
        return None


def format_date(value, pattern, name=None):
    """Write a time by a pattern."""
    moved, zone = time(value), _zone(name)
    pieces = list(_pieces(text(pattern) or ""))
    if moved is None or zone is None:
        return None
    try:
        moment = moment_of(moved).astimezone(zone)
    except OverflowError:
        return None
    written = []
    for letters, literal in pieces:
        if letters is None:
            written.append(literal)
            continue
        amount = getattr(moment, _LETTERS[letters][0])
        written.append(f"{amount // 1000 if letters == 'SSS' else amount:0{len(letters)}}")
    return "".join(written)
