"""Records in, how many of them happened in each minute out: what the default value of a metric filter counts."""

import re
from collections import Counter
from collections.abc import Iterable

import msgspec

Minutes = dict[
    bytes, int
]  # `2026-03-01T10:05` → records; those whose time is not written as usual count under b""

_MINUTE = rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}"
_times = re.compile(rb'"eventTime"(?::"(%b))?' % _MINUTE).finditer
_minute = re.compile(_MINUTE).match


class _Timed(msgspec.Struct, gc=False):
    eventTime: str = ""  # noqa: N815 - CloudTrail's own field name


_timed = msgspec.json.Decoder(_Timed)


def minutes_between(buffer: bytes | bytearray, begin: int, end: int) -> Minutes:
    """Count the keys `eventTime` between two places by the minute that follows each."""
    return dict(Counter(found[1] or b"" for found in _times(buffer, begin, end)))


def minutes_of(records: Iterable[bytes]) -> Minutes:
    """Count records of any shape by the minute of their eventTime."""
    return dict(Counter(map(minute_of, records)))


def minute_of(record: bytes | bytearray) -> bytes:
    """Give the minute of a record; b"" if its time is not written as usual."""
    try:
        found = _minute(_timed.decode(record).eventTime.encode())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return b""
    return found[0] if found else b""
