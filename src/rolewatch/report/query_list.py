"""Saved queries as a list: a line each, JSON, JSON lines, CSV, and the shape of DescribeQueryDefinitions."""

import csv
from collections.abc import Callable, Sequence
from io import StringIO
from typing import Final, TextIO

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from rolewatch.base.sanitise import terminal
from rolewatch.insights.library import SavedQuery
from rolewatch.report.cells import cell
from rolewatch.report.drawing import draw
from rolewatch.report.json_text import dumps
from rolewatch.report.output import Options, emit
from rolewatch.report.page import GAP, Page

Queries = Sequence[SavedQuery]
Write = Callable[[Queries, TextIO, Options], None]


def write_table(queries: Queries, out: TextIO, options: Options) -> None:
    """Write a line a query below where it is kept; what a line has no room for is cut."""
    draw(out, options, lambda page: _page(page, queries))


def _page(page: Page, queries: Queries) -> None:
    label = min(max((cell_len(_name(query)) for query in queries), default=0), page.width // 2)
    origin = ""
    for query in queries:
        if query.origin != origin:
            if origin:
                page.line()
            origin = query.origin
            page.line(Text(terminal(origin), "bold"))
        rest = page.width - label - 2 * GAP
        cells = [[Text(_cut(_name(query), label))], [Text(_cut(terminal(query.about), rest))]]
        page.row(cells, [label, rest], indent=GAP)


def _name(query: SavedQuery) -> str:
    return f"@{terminal(query.name)}"


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1).rstrip()}…"


def _rows(queries: Queries) -> list[dict[str, str]]:
    return [
        {"name": each.name, "from": each.origin, "about": each.about, "query": each.text} for each in queries
    ]


def write_json(queries: Queries, out: TextIO, options: Options) -> None:
    """Write all of them, indented by one space."""
    del options
    emit(out, dumps({"queries": _rows(queries)}, indent=1) + "\n")


def write_jsonl(queries: Queries, out: TextIO, options: Options) -> None:
    """Write a query a line."""
    del options
    emit(out, "".join(f"{dumps(row)}\n" for row in _rows(queries)))


def write_csv(queries: Queries, out: TextIO, options: Options) -> None:
    """Write a query a line below the names, safe to open in a spreadsheet."""
    del options
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("name", "from", "about", "query"))
    writer.writerows(map(cell, row.values()) for row in _rows(queries))
    emit(out, text.getvalue())


def write_cloudwatch(queries: Queries, out: TextIO, options: Options) -> None:
    """Write what DescribeQueryDefinitions would answer."""
    del options
    found = [{"name": each.name, "queryString": each.text} for each in queries]
    emit(out, dumps({"queryDefinitions": found}, indent=1) + "\n")


FORMATS: Final[dict[str, Write]] = {
    "table": write_table,
    "json": write_json,
    "jsonl": write_jsonl,
    "csv": write_csv,
    "cloudwatch": write_cloudwatch,
}
