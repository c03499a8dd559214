"""Raw records in; which of several patterns each of them matches, out, with just the selected fields decoded."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from rolewatch.patterns.dispatch import Dispatch
from rolewatch.patterns.match import Pattern
from rolewatch.patterns.match_json import Get
from rolewatch.patterns.selected import Message, Path, Selected
from rolewatch.patterns.syntax import And, Comparison, Condition, Is, Json, NotExists, Or, Selector
from rolewatch.patterns.texts import Texts


class Matcher:
    """Holds records against patterns. Its `selected` reads the paths of all of them, and those of `others` beside."""

    def __init__(self, patterns: Sequence[Pattern], others: Sequence[Path] = ()) -> None:
        conditions = [pattern.parsed.condition for pattern in patterns if isinstance(pattern.parsed, Json)]
        singles = [single for condition in conditions for single in _singles(condition)]
        # Whether a value is there, or null, is asked of objects and arrays, too.
        tested = {
            _path(single)
            for single in singles
            if isinstance(single, NotExists) or (isinstance(single, Is) and single.what is None)
        }
        paths = {_path(single) for single in singles} | set(others)
        self._selected = Selected(sorted(paths, key=repr), paths - tested)
        numbered = list(enumerate(patterns))
        json = [(number, each.parsed.condition) for number, each in numbered if isinstance(each.parsed, Json)]
        self._json = Dispatch(json, self._selected).matching
        text = [(number, each) for number, each in numbered if not isinstance(each.parsed, Json)]
        self._text = Texts(text).matching if text else None
        self.looks_at_text = bool(text)  # then messages must not be views of a buffer

    def reach(self, path: Path) -> Get:
        """Give the function that reads a path of what `read` gave."""
        return self._selected.reach(path)

    def read(self, raw: Message) -> Any:
        """Decode what is selected of a record; None if it is no JSON object."""
        return self._selected.read(raw)

    def matching(self, raw: Message, read: Any, *, compacted: bool = False) -> list[int]:
        """Give the numbers of the patterns that a record matches; `read` is what was read of it.

        It is `compacted` if there is known to be no white space between its parts.
        """
        found = self._json(read) if read is not None else []
        if self._text:
            found += self._text(str(raw, "utf-8", "replace") if compacted else compact(raw))
        return found


def compact(raw: Message) -> str:
    """Write a record as CloudTrail sends it to CloudWatch Logs: without white space between its parts."""
    text = bytes(raw)
    if b"\n" in text or b'": ' in text:
        with suppress(msgspec.MsgspecError):
            text = msgspec.json.format(text, indent=-1)
    return text.decode("utf-8", "replace")


def _singles(condition: Condition) -> Iterator[Comparison | Is | NotExists]:
    if isinstance(condition, And | Or):
        for part in condition.parts:
            yield from _singles(part)
    else:
        yield condition


def _path(single: Comparison | Is | NotExists) -> Path:
    assert isinstance(single.subject, Selector)  # noqa: S101 - the subject of a line's condition is none
    return single.subject.steps
