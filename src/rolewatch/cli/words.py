"""What can be typed as a time, a span, a size or a number, as values. Each raises ValueError that says what is wanted."""

import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network

from rolewatch.base import moments

_SIZE = re.compile(r"(\d{1,15})\s*(?:([kmgt])(i?)b?|b)?", re.IGNORECASE)
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4}
_NUMBER = re.compile(r"[0-9]{1,9}")
_NAMED = re.compile(r"([A-Za-z0-9:_-]+)=(.*)", re.DOTALL)
_LOG_GROUP = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_LISTENING = re.compile(r"(?:(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253}))?:)?([0-9]{1,5})")
LOOPBACK = "127.0.0.1"
MOST_JOBS = 256  # each is a process with memory of its own
span, moment = moments.span, moments.moment


def span_or_off(text: str) -> timedelta | None:
    """Read a length of time; None for `off`, and for none at all (`0`)."""
    word = text.strip().lower()
    return (None if word in ("off", "0") else span(text)) or None


def listening(text: str) -> tuple[str, int]:
    """Read where to listen: `9464` (then on loopback only) or `HOST:PORT`, the host of IPv6 in brackets."""
    found = _LISTENING.fullmatch(text.strip())
    if not found or int(found[3]) > 65535:
        raise ValueError(
            f"{text!r} is no place to listen; write 9464, 127.0.0.1:9464, 0.0.0.0:9464 or [::]:9464"
        )
    return found[1] or found[2] or LOOPBACK, int(found[3])


def network(text: str) -> IPv4Network | IPv6Network:
    """Read an address, or a network such as 10.0.0.0/8."""
    try:
        return ip_network(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no address; write 10.1.2.3, 10.0.0.0/8 or fd00::/8") from None


def size(text: str) -> int:
    """Read a number of bytes: `500000`, `64MiB`, `4GiB`, `1GB`."""
    found = _SIZE.fullmatch(text.strip())
    if not found or not int(found[1]):
        raise ValueError(f"{text!r} is no size; write 500000, 64MiB or 4GiB")
    unit, binary = (found[2] or "").lower(), found[3]
    base: int = 1024 if binary else 1000
    return int(int(found[1]) * base ** _POWERS.get(unit, 0))


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    return _number(text, 1, 10**9 - 1, f"{text!r} is no whole number of at least 1")


def jobs(text: str) -> int:
    """Read a number of processes, 1 to 256."""
    return _number(text, 1, MOST_JOBS, f"{text!r} is no number of processes; write 1 to {MOST_JOBS}")


def status(text: str) -> int:
    """Read an exit status, 0 to 255."""
    return _number(text, 0, 255, f"{text!r} is no exit status; write a number from 0 to 255")


def account(text: str) -> str:
    """Read an account id: twelve digits."""
    if not re.fullmatch(r"[0-9]{12}", text):
        raise ValueError(f"{text!r} is no account id; write its twelve digits")
    return text


def region(text: str) -> str:
    """Read a region's name."""
    if not re.fullmatch(r"[a-z]{2}[a-z0-9-]{3,30}", text):
        raise ValueError(f"{text!r} is no region; write it as in us-east-1")
    return text


def assignment(text: str) -> tuple[str, str]:
    """Read `NAME=VALUE`; the value may be empty."""
    found = _NAMED.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no assignment; write NAME=VALUE")
    return found[1], found[2]


def identifier(text: str) -> str:
    """Read a name that needs no quotes in SQL."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", text):
        raise ValueError(f"{text!r} is no name of a view; write letters, digits and _")
    return text


def table_name(text: str) -> str:
    """Read the name of a table, with those of its schema and catalogue if need be."""
    if not re.fullmatch(
        r'(?:[A-Za-z_][A-Za-z0-9_]{0,99}|"[^"]{1,100}")(?:\.(?:[A-Za-z_][A-Za-z0-9_]{0,99}|"[^"]{1,100}")){0,2}',
        text,
    ):
        raise ValueError(f"{text!r} is no name of a table; put what is special in double quotes")
    return text


def log_group(text: str) -> tuple[str, str]:
    """Read `NAME=SOURCE`, NAME being a log group's, with slashes and dots."""
    name, sign, source = text.partition("=")
    if not sign or not _LOG_GROUP.fullmatch(name) or not source.strip():
        raise ValueError(f"{text!r} is no log group with its deliveries; write NAME=SOURCE")
    return name, source


def _number(text: str, least: int, most: int, otherwise: str) -> int:
    word = text.strip()
    if not _NUMBER.fullmatch(word) or not least <= int(word) <= most:
        raise ValueError(otherwise)
    return int(word)
