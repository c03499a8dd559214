"""The rows of a query as text: JSON, JSON lines, CSV, the shape of GetQueryResults, and by query_table a table."""

import csv
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, Final, TextIO

import msgspec

from rolewatch.engines.answers import Answer
from rolewatch.plan import Type
from rolewatch.report.cells import cell
from rolewatch.report.json_text import dumps
from rolewatch.report.output import Options, emit

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE: Final = 1e15  # numbers below it are written without a fraction if they have none
_MARGIN: Final = 16  # levels of arrays that a structure has to leave for what stands around it in a report
#: A number's minus sign starts no formula.
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?")
_STATISTICS: Final = {
    "recordsMatched": "records_matched",
    "recordsScanned": "records_scanned",
    "bytesScanned": "bytes_scanned",
}

Write = Callable[[Answer, TextIO, Options, bool], None]


def spelled(value: Any, kind: Type) -> str | None:
    """Write a value as results do; None for a missing one, and for a time that no calendar has."""
    if value is None:
        return None
    if kind is Type.TRUTH:
        return "1" if value else "0"
    if kind is Type.TIME:
        return _of_time(value)
    if kind is Type.NUMBER:
        return str(int(value)) if abs(value) < _WHOLE and value == int(value) else repr(value)
    return _of_structure(value) if kind is Type.STRUCTURE else str(value)


def typed(value: Any, kind: Type) -> Any:
    """Give a value as JSON has it: numbers and truths as such, times as texts, structures to the letter."""
    if value is None or kind in (Type.TEXT, Type.TRUTH):
        return value
    if kind is Type.NUMBER:
        return int(value) if abs(value) < _WHOLE and value == int(value) else value
    if kind is Type.TIME:
        return _of_time(value)
    if value == "null":
        return None
    compact = _compact(value)
    return value if compact is None else msgspec.Raw(compact)


def _of_time(milliseconds: int) -> str | None:
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:  # before year 1 or behind year 9999
        return None
    return moment.isoformat(" ", "milliseconds").partition("+")[0]


def _of_structure(text: str) -> str | None:
    """Write what was reached in a structure: a leaf as records' leaves are, all else as compact JSON."""
    leaf = {"null": None, "true": "1", "false": "0"}
    if text in leaf:
        return leaf[text]
    if text.startswith('"'):
        return str(msgspec.json.decode(text))
    return _compact(text) or text


def _compact(text: str) -> str | None:
    """Write JSON without blanks; None for what only the engine takes for JSON (`[NaN]`), or what is too deep for a report."""
    try:
        found = msgspec.json.format("[" * _MARGIN + text + "]" * _MARGIN, indent=-1)
    except (msgspec.DecodeError, RecursionError):
        return None
    return found[_MARGIN:-_MARGIN]


def _rows(answer: Answer, spell: Callable[[Any, Type], Any] = spelled) -> Iterator[dict[str, Any]]:
    """Yield each row by the names of its columns, without what is missing."""
    columns = [(shown.name, shown.expression.type) for shown in answer.plan.shown]
    for row in answer.rows:
        values = ((name, spell(value, kind)) for (name, kind), value in zip(columns, row, strict=True))
        yield {name: value for name, value in values if value is not None}


def write_json(answer: Answer, out: TextIO, options: Options, as_typed: bool) -> None:  # noqa: FBT001 - all formats are called alike
    """Write the rows and what they rest on, indented by one space."""
    del options
    report = {
        "results": list(_rows(answer, typed if as_typed else spelled)),
        "statistics": answer.statistics,
        "more": answer.more,
        "skipped": _listed(answer.skipped),
        "unreadable": _listed(answer.unreadable),
    }
    emit(out, dumps(report, indent=1) + "\n")


def write_jsonl(answer: Answer, out: TextIO, options: Options, as_typed: bool) -> None:  # noqa: FBT001 - as above
    """Write a row a line."""
    del options
    emit(out, "".join(f"{dumps(row)}\n" for row in _rows(answer, typed if as_typed else spelled)))


def write_cloudwatch(answer: Answer, out: TextIO, options: Options, as_typed: bool) -> None:  # noqa: FBT001 - as above
    """Write what GetQueryResults would answer."""
    del options, as_typed
    report = {
        "results": [
            [{"field": name, "value": value} for name, value in row.items()] for row in _rows(answer)
        ],
        "statistics": {name: float(answer.statistics[own]) for name, own in _STATISTICS.items()},
        "status": "Complete",
    }
    emit(out, dumps(report, indent=1) + "\n")


def write_csv(answer: Answer, out: TextIO, options: Options, as_typed: bool) -> None:  # noqa: FBT001 - as above
    """Write a row a line below the names, safe to open in a spreadsheet."""
    del options, as_typed
    names = [shown.name for shown in answer.plan.shown]
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(_csv_cell, names))
    writer.writerows([_csv_cell(row.get(name, "")) for name in names] for row in _rows(answer))
    emit(out, text.getvalue())


def _csv_cell(text: str) -> str:
    """Make a text harmless in a spreadsheet, and no longer than one takes; a number stays what it is."""
    if _NUMBER.fullmatch(text):
        return text
    return cell(text)


def write_table(answer: Answer, out: TextIO, options: Options, as_typed: bool) -> None:  # noqa: FBT001 - as above
    """Write columns side by side where they fit, else row by row a name and its value a line."""
    from rolewatch.report.query_table import write  # noqa: PLC0415 - what draws takes a while, and only a table needs it

    del as_typed
    names = [shown.name for shown in answer.plan.shown]
    rows = [[row.get(name, "") for name in names] for row in _rows(answer)]
    write(out, options, names, rows, [shown.expression.type is Type.NUMBER for shown in answer.plan.shown])


def _listed(rows: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"delivery": name, "reason": reason} for name, reason in rows]


FORMATS: Final[dict[str, Write]] = {
    "table": write_table,
    "json": write_json,
    "jsonl": write_jsonl,
    "csv": write_csv,
    "cloudwatch": write_cloudwatch,
}
