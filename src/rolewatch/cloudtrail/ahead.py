"""Many JSON values in one call of the decoder: what makes the exact way fast where nothing is wrong."""

import re
from collections.abc import Callable

import msgspec

from rolewatch.cloudtrail.tokens import Window

AHEAD = 1024 * 1024  # bytes that are tried as many values at once

_LEAD = re.compile(rb'\{\s*+"[^"\\\n]{1,80}+"')  # an object's start up to its first key
_GAP = re.compile(rb"[,\s]*+")
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])

Values = list[tuple[int, bytes]]  # raw, each with its offset in the content
Decode = Callable[[bytes], list[msgspec.Raw]]

values: Decode = msgspec.json.Decoder(msgspec.Raw).decode_lines  # that follow one another, on lines or not


def elements(text: bytes) -> list[msgspec.Raw]:
    """Decode elements of a list that are each followed by a comma."""
    return _ELEMENTS.decode(b"[%bnull]" % text)[:-1]


class Ahead:
    """Takes values of one sort from a window; what was looked at in vain is not looked at again: the cost is linear."""

    def __init__(self, window: Window, decode: Decode) -> None:
        self._window = window
        self._decode = decode
        self._vain = 0  # offset up to which values have to be read one by one

    def take(self) -> Values:
        """Take the values that follow, all but the last; [] if they cannot be decoded at once.

        The text is cut at the last place that looks like the start of another value like the first. That place may
        be anywhere: what is cut inside a value cannot be decoded.
        """
        window = self._window
        if window.offset < self._vain:
            return []
        window.fill(AHEAD)
        lead = _LEAD.match(window.buf, window.pos)
        end = min(window.pos + AHEAD, len(window.buf))
        cut = window.buf.rfind(lead[0], window.pos + 1, end) if lead else -1
        found = self._located(window.buf[window.pos : cut]) if cut >= 0 else []
        if not found or cut - window.pos < (end - window.pos) // 2:
            self._vain = window.base + end
        if found:
            window.pos = cut
        return found

    def _located(self, text: bytes) -> Values:
        try:
            decoded = self._decode(text)
        except (msgspec.DecodeError, RecursionError):
            return []
        found: Values = []
        at = 0
        for raw in decoded:
            gap = _GAP.match(text, at)
            at = gap.end() if gap else at
            value = bytes(raw)
            found.append((self._window.offset + at, value))
            at += len(value)
        return found
