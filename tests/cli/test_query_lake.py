"""`rolewatch query` over a lake, and as SQL."""

import json
from pathlib import Path

import duckdb
import pytest

from rolewatch.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples" / "deliveries"
ARTICLE = """
filter errorCode = 'AccessDenied'
| filter userIdentity.sessionContext.sessionIssuer.arn like 'aws-service-role'
| fields @timestamp, eventSource, eventName, userIdentity.sessionContext.sessionIssuer.arn, @message
| sort @timestamp desc
"""


#: Who wrote which policy of a bucket that denials are about, and was so before it.
WITHIN = """
filter errorCode = 'AccessDenied' and requestParameters.bucketName in (
  SOURCE 'trail' | filter eventName = 'PutBucketPolicy' | display requestParameters.bucketName
)
| join type=left left=denial right=change where denial.requestParameters.bucketName = change.requestParameters.bucketName (
  filter eventName = 'PutBucketPolicy'
)
| filter denial.@timestamp > change.@timestamp
| stats count(*) as denials, min(denial.@timestamp) as first by change.userIdentity.arn as who, denial.requestParameters.bucketName as bucket
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """Ingest the example deliveries, once."""
    place = str(tmp_path_factory.mktemp("query") / "lake")
    assert main(["ingest", str(EXAMPLES), "--lake", place, "--output", f"{place}.txt"]) == 0
    return place


def answered(capsys, *words):
    """Run a query; its rows."""
    assert main(["query", *words, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "more",
    [
        [],
        ["--since", "2026-03-16", "--until", "2026-03-18T09:00:00Z"],
        ["--account", "444455556666"],
        ["--region", "us-east-1"],
    ],
    ids=["everything", "a window", "an account", "a region"],
)  # fmt: skip
@pytest.mark.parametrize(
    "query",
    [
        ARTICLE,
        "@blocked/by-service",
        "stats count(*) by requestParameters.bucketName",
        "filter ispresent(errorMessage) | pattern errorMessage",
        WITHIN,
    ],
    ids=["the article's", "of the library", "of the record's text", "with a stage", "with queries within"],
)  # fmt: skip
def test_a_lake_answers_as_the_deliveries_do(query, more, lake, capsys):
    """The same rows in the same order, and as many records that matched."""
    over_lake = answered(capsys, query, "--lake", lake, *more)
    over_deliveries = answered(capsys, query, str(EXAMPLES), *more)
    assert over_lake["results"] == over_deliveries["results"]
    assert over_lake["statistics"]["records_matched"] == over_deliveries["statistics"]["records_matched"]


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.parametrize("query", [ARTICLE, WITHIN], ids=["the article's", "with queries within"])
def test_spark_answers_as_duckdb_does(query, lake, capsys, spark):
    """Queries by the other engine."""
    del spark  # its session is found and used
    by_spark = answered(capsys, query, "--lake", lake, "--engine", "spark", "--master", "local[2]")
    by_duckdb = answered(capsys, query, "--lake", lake)
    assert by_spark["results"] == by_duckdb["results"] != []
    assert by_spark["statistics"].keys() == by_duckdb["statistics"].keys()


def test_the_default_lake_is_asked_where_nothing_is_named(tmp_path, monkeypatch, capsys):
    """It is the one that `ingest` makes without `--lake`; where there is none, a SOURCE is missing."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert main(["query", "stats count(*) as n"]) == 2
    assert "SOURCE is missing" in capsys.readouterr().err
    assert main(["ingest", str(EXAMPLES)]) == 0
    capsys.readouterr()
    found = answered(capsys, "stats count(*) as n")
    assert found["results"] == answered(capsys, "stats count(*) as n", str(EXAMPLES))["results"]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["stats count(*)", "x.json", "--lake", "there"], 2, "SOURCE or at --lake"),
        (["stats count(*)", str(EXAMPLES), "--engine", "spark"], 2, "Spark asks a lake"),
        (["stats count(*)", "--lake", "nowhere"], 4, "there is no lake"),
        (["stats count(*)", "--lake", str(Path(__file__))], 2, "this is a file"),
        (["stats count(*)", "--lake", "ftp://x"], 2, "a lake lies in a folder or in S3"),
        (["pattern @message", "--show-sql"], 4, "no engine has words for"),
        (["fields haversine(1, 2, 3, 4)", "--show-sql", "athena"], 4, "Athena has no words for the function haversine"),
        (["stats count(*)", "--show-sql", "--table", "a b"], 2, "no name of a table"),
    ],
    ids=["both", "Spark and deliveries", "no lake", "a file", "elsewhere", "a stage", "a function", "a table's name"],
)  # fmt: skip
def test_what_cannot_be_is_told(words, status, said, call):
    """With the exit status of the contract, and what to do."""
    found = call("query", *words)
    assert (found[0], found[1]) == (status, "")
    assert said in found[2]


def test_an_unknown_field_is_told(lake, capsys):
    """With the nearest one; one that CloudTrail has is just missing."""
    assert main(["query", "filter userIdentity.arnn = 'x' or vpcEndpointId = 'y'", "--lake", lake]) == 0
    said = capsys.readouterr().err
    assert "userIdentity.arnn" in said
    assert "userIdentity.arn?" in said
    assert "vpcEndpointId" not in said


@pytest.mark.parametrize(
    "query",
    [ARTICLE, "stats count(*) as n by eventName, readOnly", "stats count(*) by requestParameters.bucketName"],
    ids=["the article's", "typed columns", "of the record's text"],
)
def test_the_shown_statement_is_the_query(query, lake, capsys):
    """DuckDB runs it over the view that `lake ddl` prints, and gives the same rows under the same names."""
    assert main(["lake", "ddl", "--lake", lake]) == 0
    view = capsys.readouterr().out
    assert main(["query", query, "--show-sql"]) == 0
    statement = capsys.readouterr().out
    connection = duckdb.connect()
    connection.execute(view)
    found = connection.execute(statement)
    names = [each[0] for each in found.description]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    expected = answered(capsys, query, "--lake", lake)["results"]
    assert [row.get("eventName") for row in rows] == [row.get("eventName") for row in expected]
    assert len(rows) == len(expected) > 3
    assert set(expected[0]) <= set(names)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("filter a in (display b)", "a query within a query takes a statement of its own (run the query)"),
        (
            "join left=a right=b where a.c = b.c (display d)",
            "this query has a command that no engine has words for",
        ),
    ],
)
def test_several_queries_are_no_statement(query, message, capsys):
    """What takes more than one statement is not printed as one."""
    assert main(["query", query, "--show-sql"]) == 4
    found = capsys.readouterr()
    assert (found.out, message in found.err) == ("", True)


def test_tables_are_wanted_of_all_queries(lake, capsys):
    """A table that a query within the query looks up in is missing just as well."""
    for query in ("filter a in (lookup t b OUTPUT c | display c)", "join left=a right=b where a.c = b.c (lookup t b OUTPUT c)"):  # fmt: skip
        assert main(["query", query, "--lake", lake]) == 2
        assert "the query looks up in t, and no file is known for it" in capsys.readouterr().err


@pytest.mark.parametrize("engine", ["spark", "athena"])
def test_a_window_is_in_the_statement(engine, capsys):
    """Of records elsewhere there is no other way to narrow it."""
    assert main(["query", "stats count(*)", "--show-sql", engine, "--since", "2026-03-01", "--account", "111122223333"]) == 0  # fmt: skip
    statement = capsys.readouterr().out
    assert "111122223333" in statement
    assert "eventtime >= '2026-03-01T00:00:00Z'" in statement or "unix_millis(eventTime) >= 1772323200000.0D" in statement  # fmt: skip


def test_what_a_table_lacks_is_told(capsys):
    """CloudTrail's own table in Athena has no whole record."""
    assert main(["query", ARTICLE, "--show-sql", "athena"]) == 0
    found = capsys.readouterr()
    assert "the table has no @message" in found.err
    assert "FROM cloudtrail_logs" in found.out
