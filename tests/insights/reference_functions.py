"""Functions of values of the oracle, by their names in lower case; spec/insights-ql.md §6."""

import base64
import binascii
import hashlib
import ipaddress
import math
import re
import string
from decimal import ROUND_HALF_UP, Decimal, localcontext
from urllib.parse import quote, unquote_to_bytes

import re2
import reference_dates as dates
from reference_values import from_json, is_structure, number, read_json, text, time, truth, write_json

_HEX = re.compile(r"[0-9a-fA-F]+")
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
_RESERVED = (
    "0.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "fe80::/10", "ff00::/8",
    "2001:db8::/32",
)  # fmt: skip


def finite(calculate, *arguments):
    """Calculate with numbers: missing if one of them is, or if there is no finite result."""
    numbers = [number(each) for each in arguments]
    if None in numbers:
        return None
    try:
        found = calculate(*numbers)
        return float(found) if not isinstance(found, complex) and math.isfinite(found) else None
    except (ArithmeticError, ValueError):
        return None


def _numbers(calculate):
    return lambda *arguments: finite(calculate, *arguments)


def _texts(function):
    """Let a function take texts, and be missing if one of them is."""

    def taking_texts(*arguments):
        texts = [text(each) for each in arguments]
        return None if None in texts else function(*texts)

    return taking_texts


def power(base, exponent):
    """Raise a number to a power."""
    return base**exponent


def round_half_away(value, digits=0.0):
    """Round a number to some digits behind the point, exactly as it is stored, halves away from zero."""
    if not -400 < digits < 400:
        return value if digits > 0 else 0.0
    with localcontext() as context:
        context.prec = 2000
        return Decimal(value).quantize(Decimal(1).scaleb(-int(digits)), ROUND_HALF_UP)


def _haversine(*degrees):
    """Give the kilometres between two places, each a latitude and a longitude."""
    latitude, longitude, to_latitude, to_longitude = map(math.radians, degrees)
    across = math.sin((to_latitude - latitude) / 2) ** 2
    along = math.cos(latitude) * math.cos(to_latitude) * math.sin((to_longitude - longitude) / 2) ** 2
    return 2 * 6371 * math.asin(math.sqrt(across + along))


def _address(value):
    """Give the address that a text spells, None if it spells none."""
    written = text(value) or ""
    try:
        return None if "%" in written else ipaddress.ip_address(written)
    except ValueError:
        return None


def _is_address(versions):
    def is_address(value):
        found = _address(value)
        return found is not None and found.version in versions

    return is_address


def _in_subnet(versions):
    def in_subnet(value, subnet):
        found = _address(value)
        try:
            network = ipaddress.ip_network(text(subnet) or "", strict=False)
        except ValueError:
            return False
        return found is not None and found.version in versions and found in network

    return in_subnet


def _is_among(value, networks):
    found = _address(value)
    return found is not None and any(found in ipaddress.ip_network(each) for each in networks)


def _ipv4_to_number(value):
    found = _address(value)
    return float(int(found)) if found is not None and found.version == 4 else None


def _decoded(found):
    """Read bytes as UTF-8, None if they are none."""
    try:
        return found.decode()
    except UnicodeDecodeError:
        return None


def _base64_decode(written):
    try:
        return _decoded(base64.b64decode(written, validate=True))
    except (binascii.Error, ValueError):
        return None


def _hex_to_ascii(written):
    return _decoded(bytes.fromhex(written)) if _HEX.fullmatch(written) and len(written) % 2 == 0 else None


def _dec_to_hex(value):
    found = finite(math.trunc, value)
    return None if found is None or found < 0 else f"{int(found):x}"


def _substr(value, start, length=math.inf):
    written, start = text(value), number(start)
    length = length if length == math.inf else number(length)
    if written is None or start is None or length is None or start < 0 or length < 0:
        return None
    rest = written[int(start) :]
    return rest if length == math.inf else rest[: int(length)]


def _contains(value, searched, ignore_case=False):  # noqa: FBT002 - an argument of the language
    written, searched = text(value), text(searched)
    if written is None or searched is None:
        return None
    if truth(ignore_case):
        written, searched = written.lower(), searched.lower()
    return float(searched in written)


def _replace(written, searched, other):
    return written.replace(searched, other) if searched else written


def _split(written, separator):
    return written.split(separator) if separator else list(written) or [""]


def _json_parse(value):
    found = read_json(text(value) or "")
    return found if is_structure(found) else None


def equal(left, right):
    """Whether two values are equal, as `=` has it: as texts if both are, else as numbers."""
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    numbers = number(left), number(right)
    return None not in numbers and numbers[0] == numbers[1]


def _if(*arguments):
    """Give the value behind the first condition that is true, else the last one."""
    *pairs, last = arguments if len(arguments) % 2 else (*arguments, None)
    return next((pairs[at + 1] for at in range(0, len(pairs), 2) if truth(pairs[at])), last)


BY_NAME = {
    "abs": _numbers(abs),
    "ceil": _numbers(math.ceil),
    "floor": _numbers(math.floor),
    "log": _numbers(math.log),
    "sqrt": _numbers(math.sqrt),
    "tonumber": number,
    "todouble": number,
    "toint": _numbers(math.trunc),
    "tolong": _numbers(math.trunc),
    "isnumeric": lambda value: number(value) is not None,
    "greatest": _numbers(lambda *numbers: max(numbers)),
    "least": _numbers(lambda *numbers: min(numbers)),
    "round": _numbers(round_half_away),
    "haversine": _numbers(_haversine),
    "frommillis": time,
    "tomillis": lambda value: number(time(value)),
    "parsedate": dates.parse_date,
    "formatdate": dates.format_date,
    "strftime": dates.format_date,
    "ispresent": lambda value: value is not None,
    "coalesce": lambda *values: next((each for each in values if each is not None), None),
    "if": _if,
    "case": _if,
    "isempty": lambda value: float(not text(value)),
    "isblank": lambda value: float(not (text(value) or "").strip(string.whitespace)),
    "jsonparse": _json_parse,
    "jsonstringify": lambda value: write_json(value) if is_structure(value) else None,
    "jsonarraysize": lambda value: float(len(value)) if isinstance(value, list) else None,
    "jsonarraycontains": lambda value, searched: (
        isinstance(value, list) and any(equal(from_json(each), searched) for each in value)
    ),
    "isvalidip": _is_address((4, 6)),
    "isvalidipv4": _is_address((4,)),
    "isvalidipv6": _is_address((6,)),
    "isipinsubnet": _in_subnet((4, 6)),
    "isipv4insubnet": _in_subnet((4,)),
    "isipv6insubnet": _in_subnet((6,)),
    "ipv4tonumber": _ipv4_to_number,
    "isprivateip": lambda value: _is_among(value, _PRIVATE),
    "isreservedip": lambda value: _is_among(value, _RESERVED),
    "ispublicip": lambda value: _address(value) is not None and not _is_among(value, (*_PRIVATE, *_RESERVED)),
    "concat": _texts(lambda *texts: "".join(texts)),
    "trim": _texts(lambda written, chars=string.whitespace: written.strip(chars)),
    "ltrim": _texts(lambda written, chars=string.whitespace: written.lstrip(chars)),
    "rtrim": _texts(lambda written, chars=string.whitespace: written.rstrip(chars)),
    "strlen": _texts(lambda written: float(len(written))),
    "toupper": _texts(str.upper),
    "tolower": _texts(str.lower),
    "substr": _substr,
    "replace": _texts(_replace),
    "regexreplace": _texts(lambda written, regex, other: re2.sub(regex, other, written)),
    "strcontains": _contains,
    "startswith": _texts(lambda written, start: float(written.startswith(start))),
    "endswith": _texts(lambda written, end: float(written.endswith(end))),
    "split": _texts(_split),
    "urlencode": _texts(lambda written: quote(written, safe="")),
    "urldecode": _texts(lambda written: _decoded(unquote_to_bytes(written))),
    "base64encode": _texts(lambda written: base64.b64encode(written.encode()).decode()),
    "base64decode": _texts(_base64_decode),
    "md5": _texts(lambda written: hashlib.md5(written.encode(), usedforsecurity=False).hexdigest()),
    "sha256": _texts(lambda written: hashlib.sha256(written.encode()).hexdigest()),
    "hextoascii": _texts(_hex_to_ascii),
    "hextodec": _texts(lambda written: finite(lambda: int(written, 16)) if _HEX.fullmatch(written) else None),
    "dectohex": _dec_to_hex,
    "unmask": lambda value: value,
}
