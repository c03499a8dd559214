"""A log message's text, parsed the way the service does: as one JSON object, or as the fields of a line."""

import json
import re
from typing import Any

from rolewatch.patterns.numbers import JsonNumber

_PAIRS = {'"': '"', "[": "]"}
_WHITE_BUT_BLANK = "\t\n\v\f\r\x1c\x1d\x1e\x1f"  # in ASCII
_BLACK, _WHITE = re.compile(r"\S").search, re.compile(r"\s").search


def parse_object(message: str) -> dict[str, Any] | None:
    """Parse a message that is one JSON object, numbers kept as written; None for anything else."""
    try:
        found = _decoder.decode(message)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def parse_value(text: bytes) -> Any:
    """Parse a JSON value that is known to be one, numbers kept as written."""
    if text[:1] == b'"' and b"\\" not in text:
        return text[1:-1].decode()
    return _decoder.decode(text.decode("utf-8", "surrogatepass"))


def _refuse(word: str) -> None:
    raise ValueError(word)  # NaN and Infinity are no JSON


_decoder = json.JSONDecoder(parse_int=JsonNumber, parse_float=JsonNumber, parse_constant=_refuse)


Token = tuple[
    str, int
]  # a field of a line: its text without quotes or brackets, and where it begins with them


def tokens(message: str) -> list[Token]:
    """Cut a line into fields: at white space, but quoted and bracketed texts are one field each (§6)."""
    found: list[Token] = []
    last = {opening: message.rfind(closing) for opening, closing in _PAIRS.items()}
    # JSON that CloudTrail writes has blanks only; to look for one character is ten times as quick.
    blanks = message.isascii() and not _other_white(message)
    begin = _BLACK(message)
    while begin:
        start = begin.start()
        opening = message[start]
        if start < last.get(
            opening, -1
        ):  # so that the closing one is found, and nobody searches to the end in vain
            close = message.find(_PAIRS[opening], start + 1)
            found.append((message[start + 1 : close], start))
            begin = _BLACK(message, close + 1)
            continue
        if blanks:
            end = message.find(" ", start)
        else:
            space = _WHITE(message, start)
            end = space.start() if space else -1
        if end < 0:
            found.append((message[start:], start))
            break
        found.append((message[start:end], start))
        begin = _BLACK(message, end)
    return found


def _other_white(message: str) -> bool:
    for char in _WHITE_BUT_BLANK:  # noqa: SIM110 - any() with a generator takes three times as long
        if char in message:
            return True
    return False
