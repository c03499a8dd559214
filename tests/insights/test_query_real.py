"""The documentation's queries on real records: engines, and the command's own way over deliveries, against the slow evaluator."""

import gzip
import json
from pathlib import Path

import pytest
from answers import answers
from reference import run
from test_query_engines import alike

from rolewatch.engines.deliveries import answer
from rolewatch.insights import Moments, QueryError, parse_query, plan_query
from rolewatch.report.query_rows import spelled
from rolewatch.scan.request import ScanRequest

DELIVERIES = Path(__file__).parents[2] / "examples" / "deliveries"
CASES = json.loads(Path(__file__).with_name("documented.json").read_text())
START, END = 1_772_000_000_000, 1_775_000_000_000


def supported(query):
    """Whether a query is valid and all its commands are run."""
    try:
        plan_query(parse_query(query), Moments(START, END))
    except QueryError:
        return False
    return True


QUERIES = [case["query"] for case in CASES if supported(case["query"])]


@pytest.fixture(scope="session")
def trail(tmp_path_factory):
    """Write a delivery with each record of the examples' log files once; returns it, and the records as lines of JSON."""
    found = {}
    for path in sorted(DELIVERIES.rglob("*.json.gz")):
        for record in json.loads(gzip.decompress(path.read_bytes())).get("Records", []):
            found.setdefault((record["eventID"], record["recipientAccountId"]), record)
    path = tmp_path_factory.mktemp("trail") / "records.json"
    path.write_text(json.dumps({"Records": list(found.values())}, separators=(",", ":")))
    return path, [json.dumps(record, separators=(",", ":"), ensure_ascii=False) for record in found.values()]


def test_most_are_supported():
    """All but those about patterns, and the wrong ones."""
    assert len(QUERIES) == len(CASES) - 9


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_documented_query_over_deliveries(query, trail):
    """The same rows; where several are of the same second, in whatever order."""
    plan = plan_query(parse_query(query), Moments(START, END))
    path, messages = trail
    found = answer(plan, [str(path)], ScanRequest(), most=10_000)
    rows = [
        {shown.name: text for shown, value in zip(plan.shown, row, strict=True) if (text := spelled(value, shown.expression.type)) is not None}
        for row in found.rows
    ]  # fmt: skip
    same_rows(query, rows, messages)


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_documented_query_in_engines(query, trail, engine):
    """The same rows, in each engine."""
    _, messages = trail
    same_rows(query, answers(query, messages, engine=engine, start=START, end=END), messages)


def same_rows(query, rows, messages):
    """Compare rows with what the slow evaluator says."""
    expected = run(query, messages, start=START, end=END, log=None, stream=None)
    assert len(rows) == len(expected)
    if "limit" not in query and "dedup" not in query:
        assert alike(sorted(rows, key=str), sorted(expected, key=str))
