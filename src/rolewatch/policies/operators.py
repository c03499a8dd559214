"""Condition operators: their names, and how each compares one value of the request with one value of the policy.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators". A value that cannot be compared (a text that is no number, no
date, no address) matches nothing, so a negated operator holds for it. Dates are W3C's profile of ISO 8601, or seconds since 1970.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from operator import eq, ge, gt, le, lt
from typing import Any, Final, NamedTuple

from rolewatch.policies.wildcards import Predicate, arn_like, like, shown

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?\Z")
_EPOCH: Final = re.compile(r"[0-9]{1,12}\Z")
_DATE: Final = re.compile(
    r"([0-9]{4}-[0-9]{2})(-[0-9]{2})?(?:T([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)(Z|[+-][0-9]{2}:?[0-9]{2})?)?\Z"
)
_LATEST: Final = 253_402_300_800  # seconds: the year 10000
_BLOCK: Final = re.compile(r"[0-9A-Fa-f:.]{2,45}(?:/[0-9]{1,3})?\Z")


class Operator(NamedTuple):
    """How values are compared: a policy's value → a predicate over the request's, or None if it is no value of this kind.

    A `negated` one holds where none of its values matches, so also where the key is absent. `fills`: variables are filled in.
    `wildcards`: a policy's value may hold some. `prefixes`: what a value begins with rules out others.
    """

    name: str
    test: Callable[[str], Predicate | None]
    negated: bool = False
    fills: bool = True
    wildcards: bool = False
    prefixes: bool = False


def _equal(value: str) -> Predicate:
    return shown(value).__eq__


def _equal_folded(value: str) -> Predicate:
    wanted = shown(value).lower()
    return lambda found: found.lower() == wanted


def _number(text: str) -> Decimal | None:
    text = text.strip()
    return Decimal(text) if _NUMBER.match(text) else None


def moment(text: str) -> datetime | None:
    """Read a date as AWS takes it; without a time it is midnight, without an offset UTC. None if it is none."""
    text = text.strip()
    if _EPOCH.match(text):
        return datetime.fromtimestamp(int(text), UTC) if int(text) < _LATEST else None
    found = _DATE.match(text)
    if not found:
        return None
    month, day, time, offset = found.groups()
    whole = f"{month}{day or '-01'}T{time or '00:00'}{'+00:00' if offset in (None, 'Z') else offset}"
    try:
        return datetime.fromisoformat(whole)
    except ValueError:
        return None


def _ordered(
    read: Callable[[str], Any], compare: Callable[[Any, Any], bool]
) -> Callable[[str], Predicate | None]:
    def test(value: str) -> Predicate | None:
        wanted = read(value)
        if wanted is None:
            return None

        def matches(found: str) -> bool:
            number = read(found)
            return number is not None and compare(number, wanted)

        return matches

    return test


def _truth(value: str) -> Predicate | None:
    wanted = shown(value).lower()
    return (lambda found: found.lower() == wanted) if wanted in ("true", "false") else None


def _binary(value: str) -> Predicate | None:
    wanted = _bytes(value)
    return None if wanted is None else lambda found: _bytes(found) == wanted


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


@lru_cache(maxsize=4096)
def _network(text: str) -> IPv4Network | IPv6Network | None:
    text = text.strip()
    try:
        return ip_network(text, strict=False) if _BLOCK.match(text) else None
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.strip())
    except ValueError:
        return None


def _within(value: str) -> Predicate | None:
    network = _network(value)
    if network is None:
        return None

    def matches(found: str) -> bool:
        address = _address(found)
        return address is not None and address in network

    return matches


def _pairs() -> Mapping[str, Operator]:
    """Give the operators that come in two, one the opposite of the other."""
    return {
        name: Operator(name, test, negated=negated, fills=texts, wildcards=wildcards, prefixes=exact)
        for names, test, texts, wildcards, exact in (
            (("StringEquals", "StringNotEquals"), _equal, True, False, True),
            (("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"), _equal_folded, True, False, False),
            (("StringLike", "StringNotLike"), like, True, True, True),
            (("ArnLike", "ArnNotLike"), arn_like, True, True, True),
            (("ArnEquals", "ArnNotEquals"), arn_like, True, True, True),
            (("NumericEquals", "NumericNotEquals"), _ordered(_number, eq), False, False, False),
            (("DateEquals", "DateNotEquals"), _ordered(moment, eq), False, False, False),
            (("IpAddress", "NotIpAddress"), _within, False, False, False),
        )
        for name, negated in zip(names, (False, True), strict=True)
    }


_SINGLES: Final = {
    f"{kind}{name}": Operator(f"{kind}{name}", _ordered(read, compare), fills=False)
    for kind, read in (("Numeric", _number), ("Date", moment))
    for name, compare in (
        ("LessThan", lt),
        ("LessThanEquals", le),
        ("GreaterThan", gt),
        ("GreaterThanEquals", ge),
    )
}
_OTHERS: Final = {
    "Bool": Operator("Bool", _truth),
    "BinaryEquals": Operator("BinaryEquals", _binary, fills=False),
}
#: By name in lower case: AWS takes them in any case.
OPERATORS: Final[Mapping[str, Operator]] = {
    name.lower(): operator for name, operator in {**_pairs(), **_SINGLES, **_OTHERS}.items()
}
