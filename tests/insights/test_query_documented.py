"""Every query that AWS's documentation shows is read; those that it shows as wrong are refused where they are."""

import json
from pathlib import Path

import pytest

from rolewatch.insights import QueryError, parse_query

CASES = json.loads(Path(__file__).with_name("documented.json").read_text())
VALID = [case["query"] for case in CASES if not case["invalid"]]
INVALID = [case["query"] for case in CASES if case["invalid"]]


@pytest.mark.parametrize("query", VALID, ids=range(len(VALID)))
def test_documented_query(query):
    """It has as many commands as there are bars between them."""
    parsed = parse_query(query)
    lines = "\n".join(line for line in query.splitlines() if not line.startswith("#"))
    bars = lines.count("|") - lines.count("(error|failure)")
    assert len(parsed.commands) == bars + 1


@pytest.mark.parametrize(
    ("query", "missing", "marked"),
    [(INVALID[0], "@message", "strlen(@message)"), (INVALID[1], "@timestamp", "bin(5m)")],
    ids=["inside", "group"],
)
def test_documented_error(query, missing, marked):
    """What a second stats refers to has to be an output of the first."""
    with pytest.raises(QueryError, match=f"Unknown symbols found in or after stats: {missing}") as caught:
        parse_query(query)
    assert query[caught.value.start : caught.value.end] == marked


def test_the_articles_query():
    """The query of the article that the project started from is read as it was printed."""
    parsed = parse_query(
        "filter errorCode = 'AccessDenied'\n"
        "| filter userIdentity.sessionContext.sessionIssuer.arn like 'aws-service-role'\n"
        "| fields @timestamp, eventSource, eventName, userIdentity.sessionContext.sessionIssuer.arn, @message\n"
        "| sort @timestamp desc\n"
    )
    names = [column.name for column in parsed.commands[2].columns]
    assert names == ["@timestamp", "eventSource", "eventName", "userIdentity.sessionContext.sessionIssuer.arn", "@message"]  # fmt: skip
    assert parsed.commands[3].keys[0].descending
