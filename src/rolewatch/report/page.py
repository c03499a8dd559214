"""Text set into columns for a terminal: folded as it is added, so that no line is cut and none ends with a blank.

A table of rich takes several times as long for thousands of rows, and cuts what it cannot fit.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Final

from rich.cells import cell_len
from rich.text import Text

#: Blanks between the cells of a row.
GAP: Final = 2
_WORD: Final = re.compile(r"\S+")

#: The cells of a row, each one or several texts that begin a line of their own.
Cells = Sequence[Iterable[Text]]


class Page:
    """Lines of text of at most `width` columns; a character that is wider stands alone on its line."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.text = Text()

    def line(self, text: Text | None = None, *, indent: int = 0) -> None:
        """Add text on lines of its own; without any, a blank line."""
        self.row([[text or Text()]], [self.width - indent], indent=indent)

    def row(self, cells: Cells, widths: Sequence[int], *, indent: int) -> None:
        """Add cells side by side, each folded to its width."""
        columns = [
            [line for text in cell for line in _folded(text, width)]
            for cell, width in zip(cells, widths, strict=True)
        ]
        for line in zip_longest(*columns):
            blanks = indent
            for part, width in zip(line, widths, strict=True):
                if part:
                    self.text.append(" " * blanks).append_text(part)
                    blanks = -part.cell_len
                blanks += width + GAP
            self.text.append("\n")


def _folded(text: Text, width: int) -> Sequence[Text]:
    """Return text as lines: broken between words, and within a word only if that is longer than a line."""
    plain = text.plain
    if cell_len(plain) <= width and not plain[-1:].isspace():
        return (text,)
    cuts = [offset for line in _lines(plain, width) for offset in line]
    # What lies between the end of a line and the start of the next one is blank.
    return text.divide(cuts)[1::2]


def _lines(plain: str, width: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of each line of a text."""
    start, end = 0, 0
    for match in _WORD.finditer(plain):
        if end and cell_len(plain[start : match.end()]) <= width:
            end = match.end()
            continue
        if end:
            yield start, end
        start, end = match.span() if end else (0, match.end())
        while (cut := _fitting(plain, start, end, width)) < end:
            if not plain[start:cut].isspace():
                yield start, cut
            start = cut
    if end:
        yield start, end


def _fitting(plain: str, start: int, end: int, width: int) -> int:
    """Return where the longest piece ends that fits: after one character at least, and the marks that stand upon it."""
    used = 0
    for at in range(start, end):
        used += cell_len(plain[at])
        if used > width and at > start:
            return at
    return end
