"""Rows that a query no longer needs are sorted out on the way: nothing of the answer changes by that."""

import pytest
from trails import asked, content, planned, record, write

from rolewatch.engines.duckdb import Sieve
from rolewatch.scan import pool, rows

QUERIES = [
    "fields @timestamp, eventID | sort @timestamp desc | limit 7",
    "fields eventID",
    "fields requestParameters.size as size | sort size | limit 11",
    "filter eventName like /Obj/ | fields eventID, @message | tail 5",
    "filter requestParameters.size > 1 | stats count(*), sum(requestParameters.size) by errorCode",
    "filter isNumeric(requestParameters.size) | fields eventID | limit 3 | filter eventID like /1/",
    "fields concat(eventName, '!') as x | filter x = 'GetObject!' | sort x, eventID | limit 4",
    "filter eventName != 'x' | dedup errorCode",
    "fields eventName | sort eventName | dedup errorCode",
    "stats count(*)",
]


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_answers_are_the_same(tmp_path, monkeypatch, query, jobs):
    """However few rows are held, and whoever holds them, with records that are there twice or have no id."""
    for number in range(10):
        records = [record(n) for n in range(number * 15, number * 15 + 25)]
        del records[3]["eventID"]
        write(tmp_path, f"{number}.json", content(*records))
    whole = asked(query, tmp_path, most=40)
    monkeypatch.setattr(pool, "SMALL", -1)
    monkeypatch.setattr(pool, "BATCH", 1)
    monkeypatch.setattr(rows, "CHUNK", 20)
    monkeypatch.setattr(rows, "LEFT", 5)
    sifted = asked(query, tmp_path, most=40, jobs=jobs)
    for statistics in (whole.statistics, sifted.statistics):
        statistics.pop("seconds")
    assert (sifted.rows, sifted.more, sifted.statistics) == (whole.rows, whole.more, whole.statistics)


def test_few_rows_are_held(tmp_path, monkeypatch):
    """Of many records only as many are held as are asked for, and a chunk."""
    for number in range(20):
        write(tmp_path, f"{number}.json", content(*(record(number * 50 + n) for n in range(50))))
    most = 0

    def watched(self, columns, number):
        nonlocal most
        most = max(most, number)
        return original(self, columns, number)

    original = Sieve.__call__
    monkeypatch.setattr(Sieve, "__call__", watched)
    monkeypatch.setattr(rows, "CHUNK", 100)
    found = asked("fields @message | limit 3", tmp_path)
    assert (len(found.rows), found.statistics["records_matched"]) == (3, 1000)
    assert most <= 160


@pytest.mark.parametrize(
    ("query", "needs_all"),
    [("stats count(*)", True), ("dedup eventName", True), ("limit 3", False), ("filter a = 1 | stats count(*)", False), ("fields a", False)],
)  # fmt: skip
def test_what_can_be_sorted_out(query, needs_all):
    """Without a filter or a number nothing can."""
    assert (Sieve.of(planned(query), 10) is None) == needs_all
