"""Rows that are gathered become one table, whichever way they were taken."""

import json

import pyarrow as pa
import pytest

from rolewatch.lake import table
from rolewatch.lake.schema import COLUMNS, FIELDS, arrow_schema
from rolewatch.lake.table import Rows


def lines(*records):
    """Write records one behind the other; gives the buffer, and where each lies."""
    texts = [json.dumps(record, separators=(",", ":")).encode() for record in records]
    spans, at = [], 0
    for text in texts:
        spans.append((at, at + len(text), 0))
        at += len(text)
    return b"".join(texts), spans


def gathered(rows, fast=(), slow=()):
    """Add rows the fast way and the slow way."""
    assert rows.add(*lines(*fast)) == []
    for number in slow:
        rows.add_row([str(number), *[None] * (len(FIELDS) - 1)], f"slow {number}", inexact=number % 2 == 1)


def versions(made):
    """Give the event versions of a table's rows."""
    return made["eventVersion"].to_pylist()


def test_mark_and_take():
    """Rows up to a mark come apart from those beyond it, and all are gone then."""
    rows = Rows()
    gathered(rows, [{"eventVersion": "a"}, {"eventVersion": "b"}], [1])
    mark = rows.mark()
    gathered(rows, [{"eventVersion": "c"}], [2, 3])
    assert rows.size == 3 * len('{"eventVersion":"a"}') + 3 * len("slow 1")
    assert mark.size == 2 * len('{"eventVersion":"a"}') + len("slow 1")
    before, after = rows.take(mark)
    assert (versions(before), versions(after)) == (["a", "b", "1"], ["c", "2", "3"])
    assert after["inexact"].to_pylist() == [False, False, True]
    assert after["record"].to_pylist() == ['{"eventVersion":"c"}', "slow 2", "slow 3"]
    assert before.schema == arrow_schema()
    assert (rows.size, rows.mark()) == (0, (0, 0, 0))
    assert [each.num_rows for each in rows.take(rows.mark())] == [0, 0]


def test_cut():
    """Rows beyond a mark go as if they had not been added."""
    rows = Rows()
    gathered(rows, [{"eventVersion": "a"}], [1])
    mark = rows.mark()
    gathered(rows, [{"eventVersion": "c"}], [2])
    rows.cut(mark)
    assert rows.mark() == mark
    gathered(rows, [{"eventVersion": "d"}])
    assert [versions(each) for each in rows.take(mark)] == [["a", "1"], ["d"]]


def test_without_what_is_written_in_c(monkeypatch):
    """All records are left to be added as rows then."""
    monkeypatch.setattr(table, "native", None)
    rows, (buffer, spans) = Rows(), lines({"eventVersion": "a"})
    assert rows.add(buffer, spans) == spans
    gathered(rows, [], [4])
    assert versions(rows.take(rows.mark())[0]) == ["4"]


TIMES = {
    "2026-03-01T10:05:00Z": 1772359500000,
    "0001-01-01T00:00:00Z": -62135596800000,
    "9999-12-31T23:59:59Z": 253402300799000,
}
NO_TIMES = ["2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-03-01T23:60:00Z", "2026-03-01T23:59:60Z"]


def test_times():
    """A time that the calendar lacks is missing, its record is inexact, and the others keep theirs."""
    rows = Rows()
    gathered(rows, [{"eventTime": text} for text in [*TIMES, *NO_TIMES, *TIMES]])
    made = rows.take(rows.mark())[0]
    found = made["eventTime"].cast(pa.int64()).to_pylist()
    assert found == [*TIMES.values(), *[None] * len(NO_TIMES), *TIMES.values()]
    assert made["inexact"].to_pylist() == [False] * 3 + [True] * len(NO_TIMES) + [False] * 3


def test_truths():
    """Truths are truths, and what is null or missing is neither."""
    rows = Rows()
    gathered(rows, [{"readOnly": True}, {"readOnly": False}, {"readOnly": None}, {}])
    assert rows.take(rows.mark())[0]["readOnly"].to_pylist() == [True, False, None, None]


def test_many_rows():
    """Values stay with their records, however many there are and wherever some are missing."""
    rows = Rows()
    records = [{"eventName": f"n{number}", "errorCode": None if number % 3 else "e" * (number % 40)} for number in range(3000)]  # fmt: skip
    gathered(rows, records)
    made = rows.take(rows.mark())[0]
    made.validate(full=True)
    assert made.select(["eventName", "errorCode"]).to_pylist() == records
    assert list(map(json.loads, made["record"].to_pylist())) == records


def test_columns():
    """No two fields have one column, and none has the name of what is beside them."""
    names = arrow_schema().names
    assert (len(names), len(COLUMNS)) == (len(set(map(str.lower, names))), len(FIELDS))


@pytest.mark.parametrize("steps", [each.steps for each in FIELDS], ids=[each.column for each in FIELDS])
def test_each_field(steps):
    """Each field is found where it lies in a record."""
    value = {"time": "2026-03-01T10:05:00Z", "truth": True}.get(COLUMNS[steps].kind, "text")
    record = value
    for step in reversed(steps):
        record = [record] if step == "0" else {step: record}
    rows = Rows()
    gathered(rows, [record])
    (row,) = rows.take(rows.mark())[0].to_pylist()
    there = {name for name, found in row.items() if found is not None}
    assert there == {COLUMNS[steps].column, "inexact", "record"}
