"""The oracle: a slow and obvious evaluator of queries, which engines are compared with (docs/insights.md decides)."""

from collections.abc import Sequence
from dataclasses import replace

import re2
from reference_aggregates import stats
from reference_expressions import Row, value
from reference_values import event_time, from_json, order, read_json, scalar, shown, truth
from reference_values import text as as_text

from rolewatch.insights import parse_query
from rolewatch.insights.syntax import (
    Anomaly,
    Dedup,
    Diff,
    Display,
    Fields,
    Filter,
    Limit,
    Lookup,
    ParseGlob,
    ParseRegex,
    PatternOf,
    Sort,
    Source,
    Stats,
    Unmask,
    Unnest,
)

MOST = 10_000  # rows without a limit


def run(
    text: str, messages: Sequence[str], *, start: int, end: int, log: str = "", stream: str = ""
) -> list[dict[str, str]]:
    """Give the rows that a query shows, each as its columns' texts without those that are missing."""
    query = parse_query(text)
    rows = [_row(message, (start, end), log, stream) for message in messages]
    rows.sort(key=lambda row: order(row.system["@timestamp"]), reverse=True)
    chosen = displayed = False
    for command in query.commands:
        match command:
            case Fields(columns):
                rows = [_fields(row, columns, show=not displayed) for row in rows]
                chosen = True
            case Display(columns):
                rows = [replace(row, shown=_columns(row, columns)) for row in rows]
                chosen = displayed = True
            case Stats():
                rows = stats(command, rows, (start, end))
                chosen, displayed = True, False
            case _:
                rows = _command(command, rows)
    if not any(isinstance(command, Limit) for command in query.commands):
        rows = rows[:MOST]
    columns = [row.shown if chosen else row.system for row in rows]
    names = None if chosen else ("@timestamp", "@message")
    return [
        {name: shown(found) for name, found in each.items() if found is not None and (not names or name in names)}
        for each in columns
    ]  # fmt: skip


def _row(message, moments, log, stream):
    """Give a record's row."""
    record = read_json(message)
    record = record if isinstance(record, dict) else {}
    system = {
        "@timestamp": event_time(record.get("eventTime")),
        "@message": message,
        "@log": log,
        "@logStream": stream,
    }
    return Row(range=moments, record=record, system=system)


def _command(command, rows):
    """Give the rows after a command that leaves the columns as they are."""
    match command:
        case Filter(condition):
            return [row for row in rows if truth(value(condition, row))]
        case Sort(keys):
            return _sorted(keys, rows)
        case Limit(number, last=True):
            return rows[-number:]
        case Limit(number):
            return rows[:number]
        case ParseGlob():
            return [_named(row, _parse_glob(command, row)) for row in rows]
        case ParseRegex():
            return [_named(row, _parse_regex(command, row)) for row in rows]
        case Dedup(fields):
            return _dedup(fields, rows)
        case Unnest(field, name):
            return [_named(row, {name: each}) for row in rows for each in _elements(value(field, row))]
        case Unmask() | Source():
            return rows
        case PatternOf() | Anomaly() | Diff() | Lookup():
            raise NotImplementedError(f"the command {type(command).__name__}")
    raise TypeError(command)


def _columns(row, columns):
    """Give the values of columns in a row."""
    return {column.name: value(column.expression, row) for column in columns}


def _fields(row, columns, *, show):
    """Add columns to a row, one after the other."""
    for column in columns:
        found = {column.name: value(column.expression, row)}
        row = replace(
            row,
            names=row.names | found if column.named else row.names,
            shown=row.shown | found if show else row.shown,
        )
    return row


def _named(row, found):
    """Define names in a row."""
    return replace(row, names=row.names | found)


def _sorted(keys, rows):
    """Sort rows; the last key first, as sorting leaves rows that are equal in their order."""
    for expression, descending in reversed(keys):
        placed = [(order(value(expression, row)), row) for row in rows]
        placed.sort(key=lambda each: each[0], reverse=descending)
        rows = [row for _, row in placed]
    return rows


def _parse_glob(command, row):
    """Give what stands between the texts of a `parse`, all missing if one of them is not there."""
    missing = dict.fromkeys(command.names)
    source = as_text(value(command.source, row))
    first, *texts = command.texts
    if source is None or first not in source:
        return missing
    rest = source[source.index(first) + len(first) :]
    found = []
    for number, each in enumerate(texts, 1):
        if each not in rest:
            return missing
        at = len(rest) if number == len(texts) and not each else rest.index(each)
        found.append(rest[:at])
        rest = rest[at + len(each) :]
    return dict(zip(command.names, found, strict=True))


def _parse_regex(command, row):
    """Give what the named groups of a `parse` have taken, and with `multi` all that its expression is found as."""
    source = as_text(value(command.source, row))
    matches = [] if source is None else list(re2.finditer(command.regex.source, source))
    found = matches[0].groupdict("") if matches else dict.fromkeys(command.names)
    if command.multi:
        found[command.multi] = [match.group() for match in matches] or None
    return found


def _dedup(fields, rows):
    """Keep the first row of each combination, and all rows with something missing."""
    seen, kept = set(), []
    for row in rows:
        key = tuple(as_text(scalar(value(field, row))) for field in fields)
        if None in key or key not in seen:
            kept.append(row)
        seen.add(key)
    return kept


def _elements(found):
    """Give a list's elements; all else is the only one of its own."""
    return [from_json(each) for each in found] if isinstance(found, list) else [found]
