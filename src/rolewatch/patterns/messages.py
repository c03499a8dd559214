"""A log message's text, parsed the way the service does: as one JSON object, or as the fields of a line."""

import json
from typing import Any, NamedTuple

from rolewatch.patterns.numbers import JsonNumber

_PAIRS = {'"': '"', "[": "]"}


def parse_object(message: str) -> dict[str, Any] | None:
    """Parse a message that is one JSON object, numbers kept as written; None for anything else."""
    try:
        found = _decoder.decode(message)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refuse(word: str) -> None:
    raise ValueError(word)  # NaN and Infinity are no JSON


_decoder = json.JSONDecoder(parse_int=JsonNumber, parse_float=JsonNumber, parse_constant=_refuse)


class Token(NamedTuple):
    """A field of a line: its text without quotes or brackets, and where it begins with them."""

    text: str
    start: int


def tokens(message: str) -> list[Token]:
    """Cut a line into fields: at white space, but quoted and bracketed texts are one field each (§6)."""
    found: list[Token] = []
    place, size = 0, len(message)
    while True:
        while place < size and message[place].isspace():
            place += 1
        if place == size:
            return found
        start = place
        closing = _PAIRS.get(message[place])
        close = message.find(closing, place + 1) if closing else -1
        if close >= 0:
            found.append(Token(message[place + 1 : close], start))
            place = close + 1
            continue
        while place < size and not message[place].isspace():
            place += 1
        found.append(Token(message[start:place], start))
