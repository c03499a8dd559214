"""A log message's text, parsed the way the service does: as one JSON object, or as the fields of a line."""

import json
import re
from typing import Any

from rolewatch.patterns.numbers import JsonNumber

_PAIRS = {'"': '"', "[": "]"}
_WHITE_BUT_BLANK = "\t\n\v\f\r\x1c\x1d\x1e\x1f"  # in ASCII
_WHITE = re.compile(r"\s").search


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
        return text[1:-1].decode("utf-8", "replace")
    return _decoder.decode(text.decode("utf-8", "replace"))


def _refuse(word: str) -> None:
    raise ValueError(word)  # NaN and Infinity are no JSON


_decoder = json.JSONDecoder(parse_int=JsonNumber, parse_float=JsonNumber, parse_constant=_refuse)


Token = tuple[
    str, int
]  # a field of a line: its text without quotes or brackets, and where it begins with them


def tokens(message: str) -> list[Token]:
    """Cut a line into fields: at white space, but quoted and bracketed texts are one field each (§6)."""
    found: list[Token] = []
    # Where these come last: so that nobody searches to the end in vain for what closes a field.
    last = {opening: message.rfind(closing) for opening, closing in _PAIRS.items()}
    # JSON that CloudTrail writes has blanks only; to look for one character is ten times as quick.
    blanks = message.isascii() and not _other_white(message)
    start, size = 0, len(message)
    while start < size:
        opening = message[start]
        if opening == " " or opening.isspace():
            start += 1
            continue
        if start < last.get(opening, -1):
            close = message.find(_PAIRS[opening], start + 1)
            found.append((message[start + 1 : close], start))
            start = close + 1
            continue
        end = message.find(" ", start) if blanks else _next_white(message, start)
        end = end if end >= 0 else size
        found.append((message[start:end], start))
        start = end
    return found


def _next_white(message: str, start: int) -> int:
    found = _WHITE(message, start)
    return found.start() if found else -1


def _other_white(message: str) -> bool:
    for char in _WHITE_BUT_BLANK:  # noqa: SIM110 - any() with a generator takes three times as long
        if char in message:
            return True
    return False
