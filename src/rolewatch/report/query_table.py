"""The rows of a query as a table for a terminal."""

from collections.abc import Sequence
from typing import TextIO

from rich.cells import cell_len
from rich.text import Text

from rolewatch.base.sanitise import terminal
from rolewatch.report.drawing import draw
from rolewatch.report.output import Options
from rolewatch.report.page import GAP, Page


def write(
    out: TextIO,
    options: Options,
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    numeric: Sequence[bool],
) -> None:
    """Write columns side by side where they fit, else row by row a name and its value a line; numbers to the right."""
    shown = [[terminal(value) for value in row] for row in rows]
    draw(out, options, lambda page: _page(page, [terminal(name) for name in names], shown, numeric))


def _page(page: Page, names: list[str], rows: list[list[str]], numeric: Sequence[bool]) -> None:
    if not rows:
        page.line(Text("no rows"))
        return
    widths = [max(map(cell_len, column)) for column in zip(names, *rows, strict=True)]
    if sum(widths) + GAP * (len(widths) - 1) <= page.width:
        for number, row in enumerate((names, *rows)):
            cells = zip(row, widths, numeric, strict=True)
            page.row(
                [
                    [_cell(value, width, "" if number else "bold", right=right)]
                    for value, width, right in cells
                ],
                widths,
                indent=0,
            )
        return
    label = min(max(map(cell_len, names)), page.width // 3)
    for number, row in enumerate(rows):
        if number:
            page.line()
        found = [(name, value) for name, value in zip(names, row, strict=True) if value]
        for name, value in found:
            page.row([[Text(name, "bold")], [Text(value)]], [label, page.width - label - GAP], indent=0)
        if not found:
            page.line(Text("no value"))


def _cell(value: str, width: int, style: str, *, right: bool) -> Text:
    return Text(" " * (width - cell_len(value)) + value if right else value, style)
