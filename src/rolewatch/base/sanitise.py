"""Make text that an attacker wrote safe to print: what is invisible becomes visible.

User agents, bucket names and error messages in CloudTrail are written by whoever made the request. Left
as they are, they could move a terminal's cursor, reorder what is read or start a formula in a spreadsheet.
"""

import re
from typing import Final

#: Characters that steer instead of show. Everything here is written out as ``\xNN``, ``\uNNNN`` or ``\UNNNNNNNN``.
_STEERING: Final = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: escape sequences, newlines, tabs
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, fillers, joiners: nothing to see
    "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2"  # Arabic and Syriac format characters
    "\u200b-\u200f\u2028-\u202f\u205f-\u206f"  # zero-width, separators, bidi marks, overrides and isolates
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"  # fillers, variation selectors, byte order mark, specials
    "\ud800-\udfff"  # lone surrogates cannot be encoded at all
    "\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # other scripts' controls, tags
    "]"
)

_LONE: Final = re.compile("[\ud800-\udfff]")

#: A cell that begins with one of these is a formula to Excel, LibreOffice or Sheets; the last four are full-width.
FORMULA_STARTS: Final = "=+-@\uff1d\uff0b\uff0d\uff20"


def _visible(match: re.Match[str]) -> str:
    """Write one steering character as its escape."""
    code = ord(match.group())
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def terminal(text: str, limit: int | None = None) -> str:
    r"""Return text with control, bidi, zero-width and surrogate characters shown as escapes such as ``\x1b``.

    Newline and tab count as control characters. With a limit (characters of the result, at least 1),
    longer text is cut and ends with an ellipsis.
    """
    shown = _STEERING.sub(_visible, text if limit is None else text[: limit + 1])
    if limit is None or len(shown) <= limit:
        return shown
    return shown[: limit - 1] + "…"


def encodable(text: str) -> str:
    """Return text with halves of characters (lone surrogates), which nothing can encode, replaced."""
    return text if text.isascii() else _LONE.sub("\ufffd", text)


def csv_cell(text: str) -> str:
    """Return text safe as a CSV cell: as `terminal` does it, and an apostrophe before what would start a formula.

    White space before the sign does not help an attacker: some programs trim it, so it is looked behind.
    """
    shown = terminal(text)
    return f"'{shown}" if shown.lstrip()[:1] in FORMULA_STARTS and shown.strip() else shown
