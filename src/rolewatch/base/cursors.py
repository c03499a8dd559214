"""Where a page of a list ends, as a word for whoever asks for the next: base64url of a JSON list, without padding."""

import base64
import json
from collections.abc import Sequence
from typing import Final

Mark = str | int
_LARGEST: Final = 2**63  # what databases keep in an integer


def word_of(marks: Sequence[Mark]) -> str:
    """Write the marks of the last row of a page: the values by which the list is sorted."""
    text = json.dumps(marks, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def marks_of(word: str, kinds: Sequence[type[Mark]]) -> list[Mark] | None:
    """Read such a word; None for one that no page ends with: other kinds of marks, or what no database could compare."""
    try:
        content = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
        marks = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(marks, list) or [type(mark) for mark in marks] != list(kinds):
        return None
    return marks if all(map(_comparable, marks)) else None


def _comparable(mark: Mark) -> bool:
    if isinstance(mark, int):
        return -_LARGEST <= mark < _LARGEST
    return "\0" not in mark and not any("\ud800" <= sign <= "\udfff" for sign in mark)
