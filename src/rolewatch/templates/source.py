"""The bytes of a file in; its text, in which an offset has a line and a column, out."""

import re
from bisect import bisect_right
from functools import cached_property

from rolewatch.templates.definitions import Place
from rolewatch.templates.errors import TemplateError

MOST = 16 * 1024 * 1024  # bytes of a description of an account's alarms: about ten thousand of them
_BREAK = re.compile(r"\r\n?|\n")


class Source:
    """A file's name and text; offsets count characters from 0."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    def place(self, offset: int = 0, path: str = "") -> Place:
        """Say where an offset is, and what stands there."""
        line = bisect_right(self._starts, offset)
        return Place(self.name, line, offset - self._starts[line - 1] + 1, path)

    def error(
        self, text: str, offset: int = 0, path: str = "", *, remedy: str | None = None
    ) -> TemplateError:
        """Make an error that points at an offset."""
        return TemplateError(text, self.place(offset, path), remedy=remedy)

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in _BREAK.finditer(self.text))]


def decoded(content: bytes, name: str) -> Source:
    """Decode a file; TemplateError if it is too large, empty, or no UTF-8."""
    nowhere = Place(name, 1, 1, "")
    if len(content) > MOST:
        raise TemplateError(f"larger than {MOST // 1024 // 1024} MiB", nowhere, remedy="split the file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = Source(name, content[: error.start].decode("utf-8-sig", "replace"))
        raise before.error("not UTF-8", len(before.text), remedy="save the file as UTF-8") from None
    if not text.strip():
        raise TemplateError("the file is empty", nowhere)
    return Source(name, text)
