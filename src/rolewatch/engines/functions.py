"""Functions that engines have no words for, in Python: the same code in every engine. Missing in, missing out."""

import ipaddress
import math
from base64 import b64decode
from binascii import Error, unhexlify
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rolewatch.plan import Type

PREFIX: Final = "rolewatch_"  # of their names in statements
EARTH: Final = 6_371.0  # kilometres, mean radius
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: Letters of Java's DateTimeFormatter, as often as they are written → strftime's; the longest first.
_LETTERS: Final = {
    "yyyy": "%Y", "uuuu": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "dd": "%d", "HH": "%H", "hh": "%I",
    "mm": "%M", "ss": "%S", "SSSSSS": "%f", "SSS": "%f", "EEEE": "%A", "EEE": "%a", "a": "%p", "xx": "%z", "Z": "%z",
}  # fmt: skip


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _valid(version: int | None) -> Callable[[str], bool]:
    def valid(text: str) -> bool:
        found = _address(text)
        return found is not None and version in (None, found.version)

    return valid


def _within(version: int | None) -> Callable[[str, str], bool]:
    def within(text: str, subnet: str) -> bool:
        found = _address(text)
        try:
            network = ipaddress.ip_network(subnet, strict=False)
        except ValueError:
            return False
        return found is not None and version in (None, found.version) and found in network

    return within


def _kind(kind: str) -> Callable[[str], bool]:
    return lambda text: bool(getattr(_address(text), kind, False))


def _number(text: str) -> float | None:
    found = _address(text)
    return float(int(found)) if found is not None and found.version == 4 else None


def _haversine(latitude: float, longitude: float, other: float, further: float) -> float:
    """Give the kilometres between two places, in degrees."""
    latitude, longitude, other, further = map(math.radians, (latitude, longitude, other, further))
    part = (
        math.sin((other - latitude) / 2) ** 2
        + math.cos(latitude) * math.cos(other) * math.sin((further - longitude) / 2) ** 2
    )
    return 2 * EARTH * math.asin(math.sqrt(min(1.0, part)))


def _decoded(text: str) -> str | None:
    try:
        return b64decode(text, validate=True).decode()
    except (Error, UnicodeDecodeError, ValueError):
        return None


def _ascii(text: str) -> str | None:
    try:
        return unhexlify(text).decode()
    except (Error, UnicodeDecodeError, ValueError):
        return None


def _from_hex(text: str) -> float | None:
    digits = text.removeprefix("0x").removeprefix("0X")
    try:
        return float(int(digits, 16)) if digits.isalnum() and len(digits) <= 16 else None
    except ValueError:
        return None


def _to_hex(number: float) -> str | None:
    return f"{int(number):x}" if int(number) >= 0 else None


def translated(pattern: str) -> str | None:
    """Write a pattern of Java's DateTimeFormatter as strftime's; None for a letter that is not known."""
    found, at = [], 0
    while at < len(pattern):
        char = pattern[at]
        if char == "'":
            end = pattern.find("'", at + 1)
            if end < 0:
                return None
            found.append((pattern[at + 1 : end] or "'").replace("%", "%%"))
            at = end + 1
        elif char.isalpha():
            run = len(pattern[at:]) - len(pattern[at:].lstrip(char))
            code = _LETTERS.get(char * run)
            if code is None:
                return None
            found.append("%f" if code == "%f" else code)
            at += run
        else:
            found.append("%%" if char == "%" else char)
            at += 1
    return "".join(found)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _parsed(text: str, pattern: str, zone: str) -> float | None:
    where, code = _zone(zone), translated(pattern)
    if where is None or code is None:
        return None
    try:
        found = datetime.strptime(text, code)  # noqa: DTZ007 - its zone is put in below, if it has none
        moment = found if found.tzinfo else found.replace(tzinfo=where)
        return float((moment - EPOCH) // timedelta(milliseconds=1))
    except (ValueError, OverflowError):
        return None


def _formatted(time: int, pattern: str, zone: str) -> str | None:
    where, code = _zone(zone), translated(pattern)
    if where is None or code is None:
        return None
    try:
        moment = (EPOCH + timedelta(milliseconds=time)).astimezone(where)
    except (ValueError, OverflowError):
        return None
    if "SSSSSS" not in pattern:
        code = code.replace("%f", f"{moment.microsecond // 1000:03}")
    return moment.strftime(code)


class Function(NamedTuple):
    """A function, the types of its arguments, and what is given for the last one where it is left out."""

    call: Callable[..., Any]
    arguments: tuple[Type, ...]
    type: Type
    default: str | None = None


_TEXT, _NUMBER, _TRUTH = Type.TEXT, Type.NUMBER, Type.TRUTH
FUNCTIONS: Final = {
    "isvalidip": Function(_valid(None), (_TEXT,), _TRUTH),
    "isvalidipv4": Function(_valid(4), (_TEXT,), _TRUTH),
    "isvalidipv6": Function(_valid(6), (_TEXT,), _TRUTH),
    "isipinsubnet": Function(_within(None), (_TEXT, _TEXT), _TRUTH),
    "isipv4insubnet": Function(_within(4), (_TEXT, _TEXT), _TRUTH),
    "isipv6insubnet": Function(_within(6), (_TEXT, _TEXT), _TRUTH),
    "isprivateip": Function(_kind("is_private"), (_TEXT,), _TRUTH),
    "ispublicip": Function(_kind("is_global"), (_TEXT,), _TRUTH),
    "isreservedip": Function(_kind("is_reserved"), (_TEXT,), _TRUTH),
    "ipv4tonumber": Function(_number, (_TEXT,), _NUMBER),
    "haversine": Function(_haversine, (_NUMBER,) * 4, _NUMBER),
    "urlencode": Function(lambda text: quote(text, safe=""), (_TEXT,), _TEXT),
    "urldecode": Function(lambda text: unquote(text, errors="replace"), (_TEXT,), _TEXT),
    "base64decode": Function(_decoded, (_TEXT,), _TEXT),
    "hextoascii": Function(_ascii, (_TEXT,), _TEXT),
    "hextodec": Function(_from_hex, (_TEXT,), _NUMBER),
    "dectohex": Function(_to_hex, (_NUMBER,), _TEXT),
    "parsedate": Function(_parsed, (_TEXT, _TEXT, _TEXT), _NUMBER, "UTC"),
    "formatdate": Function(_formatted, (Type.TIME, _TEXT, _TEXT), _TEXT, "UTC"),
    "strftime": Function(_formatted, (Type.TIME, _TEXT, _TEXT), _TEXT, "UTC"),
}
