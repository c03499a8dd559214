"""Many JSON values in one call of the decoder: what makes the exact way fast where nothing is wrong."""

import re
from collections.abc import Callable

import msgspec

from rolewatch.cloudtrail.tokens import Window

AHEAD = 1024 * 1024  # bytes that are tried as many values at once

_LEAD = re.compile(rb'\{\s*+"[^"\\\n]{1,80}+"')  # an object's start up to its first key
_VALUES = msgspec.json.Decoder(msgspec.Raw)
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])

Values = list[tuple[int, bytes]]  # raw, each with its offset in the content


class Ahead:
    """Reads values of a window ahead; what was looked at in vain is not looked at again, so the cost is linear."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._vain = 0  # offset up to which values have to be read one by one

    def values(self) -> Values:
        """Take the values that follow one another here, with or without lines; [] if that fails."""
        return self._take(_VALUES.decode_lines)

    def elements(self) -> Values:
        """Take the elements of a list that follow, all but the last; [] if that fails."""
        return self._take(_elements)

    def _take(self, decode: Callable[[bytes], list[msgspec.Raw]]) -> Values:
        """Decode up to the last place that looks like the start of another value like the first.

        That place may be anywhere: what is cut inside a value cannot be decoded.
        """
        window = self._window
        if window.offset < self._vain:
            return []
        window.fill(AHEAD)
        lead = _LEAD.match(window.buf, window.pos)
        end = min(window.pos + AHEAD, len(window.buf))
        cut = window.buf.rfind(lead[0], window.pos + 1, end) if lead else -1
        values = _located(window.buf[window.pos : cut], window.offset, decode) if cut >= 0 else []
        if not values or cut - window.pos < (end - window.pos) // 2:
            self._vain = window.base + end
        if values:
            window.pos = cut
        return values


def _located(text: bytes, offset: int, decode: Callable[[bytes], list[msgspec.Raw]]) -> Values:
    try:
        decoded = decode(text)
    except (msgspec.DecodeError, RecursionError):
        return []
    values: Values = []
    at = 0
    for raw in decoded:
        value = bytes(raw)
        at = text.index(value, at)
        values.append((offset + at, value))
        at += len(value)
    return values


def _elements(text: bytes) -> list[msgspec.Raw]:
    """Decode elements of a list that are each followed by a comma."""
    return _ELEMENTS.decode(b"[%bnull]" % text)[:-1]
