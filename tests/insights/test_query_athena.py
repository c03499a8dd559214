"""What is written for Athena is what Trino reads, and means the same as what DuckDB is asked."""

import json
import re

import duckdb
import pytest
import sqlglot
from answers import answers, moment
from test_query_engines import QUERIES as ASKED

from rolewatch.base.errors import CannotDo
from rolewatch.engines.athena import athena_sql
from rolewatch.engines.athena_sql import literal
from rolewatch.insights import Moments, parse_query, plan_query
from rolewatch.plan import Get, Type
from rolewatch.sources import Window

MOMENTS = Moments(0, 1_000)
#: What Trino has and DuckDB lacks after the translation.
MACROS = """
CREATE MACRO is_finite(x) AS isfinite(x);
CREATE MACRO format_datetime(t, shape) AS strftime(t, CASE WHEN shape LIKE '%SSS' THEN '%Y-%m-%d %H:%M:%S.%g' ELSE '%Y-%m-%dT%H:%M:%SZ' END);
CREATE MACRO starts_with_(a, b) AS starts_with(a, b);
"""
RECORDS = [
    {"eventTime": "2026-03-01T10:00:00Z", "eventName": "GetObject", "eventSource": "s3.amazonaws.com", "readOnly": True, "awsRegion": "us-east-1", "requestParameters": {"bucketName": "a"}},
    {"eventTime": "2026-03-01T10:10:00Z", "eventName": "PutObject", "eventSource": "s3.amazonaws.com", "readOnly": False, "awsRegion": "eu-west-1", "errorCode": "AccessDenied", "requestParameters": {"bucketName": 'b"c'}},
    {"eventTime": "2026-03-01T11:00:00Z", "eventName": "Decrypt", "eventSource": "kms.amazonaws.com", "readOnly": True, "awsRegion": "us-east-1", "errorCode": "AccessDenied"},
]  # fmt: skip
SAME = """
stats count(*) by eventSource
filter errorCode = 'AccessDenied' | stats count(*) as n by eventSource, eventName | sort n desc, eventName
fields eventName, readOnly, eventTime, @timestamp | sort @timestamp desc
stats count(*), min(eventTime), max(eventTime), count_distinct(eventName) by bin(1h), readOnly
filter ispresent(requestParameters.bucketName) | stats count(*) by requestParameters.bucketName
fields strlen(eventName) as n | stats pct(n, 50), pct(n, 90), avg(n), sum(n), stddev(n)
parse eventName /(?<verb>[A-Z][a-z]+)(?<what>.*)/ | stats count(*) by verb, what
fields eventName, awsRegion | dedup awsRegion
stats latest(eventName), earliest(awsRegion), sortsFirst(eventName), sortsLast(eventName) by eventSource
fields eventName | filter eventName like /^(Get|Put)/ and not awsRegion = 'eu-west-1'
fields substr(eventName, 1, 3), toupper(awsRegion), replace(eventName, 'Object', ''), concat(eventName, '-', awsRegion)
fields if(readOnly, 'read', 'write') as kind | stats count(*) by kind
""".strip().splitlines()


@pytest.fixture
def connection():
    """Open DuckDB with a lake's view of some records."""
    opened = duckdb.connect()
    opened.execute(MACROS)
    opened.execute("CREATE TABLE cloudtrail (eventTime TIMESTAMP, eventName VARCHAR, eventSource VARCHAR, readOnly BOOLEAN, awsRegion VARCHAR, errorCode VARCHAR, record VARCHAR)")  # fmt: skip
    for each in RECORDS:
        opened.execute(
            "INSERT INTO cloudtrail VALUES (?, ?, ?, ?, ?, ?, ?)",
            [each["eventTime"].rstrip("Z"), each["eventName"], each["eventSource"], each["readOnly"], each["awsRegion"], each.get("errorCode"), json.dumps(each, separators=(",", ":"))],
        )  # fmt: skip
    return opened


def written(query, *, lake=True):
    """Write a query for Athena."""
    return athena_sql(plan_query(parse_query(query), MOMENTS), "cloudtrail", Window(), lake=lake)


#: Functions that Athena has no words for.
WORDLESS = re.compile("formatDate|ipv4ToNumber")


@pytest.mark.parametrize("lake", [True, False], ids=["of a lake", "of CloudTrail's own table"])
@pytest.mark.parametrize("query", ASKED, ids=range(len(ASKED)))
def test_trino_reads_every_query(query, lake):
    """A parser of Trino takes what is written, or it is said what Athena has no words for."""
    if WORDLESS.search(query):
        with pytest.raises(CannotDo, match="Athena has no words for the function"):
            written(query, lake=lake)
        return
    statement, _ = written(query, lake=lake)
    assert sqlglot.parse_one(statement, read="trino").sql(dialect="trino")


@pytest.mark.parametrize("query", SAME, ids=range(len(SAME)))
def test_the_meaning_is_the_same(query, connection):
    """Translated into DuckDB's words by somebody else's translator, it gives what our own engine gives."""
    statement, missing = written(query)
    names = [each.name for each in plan_query(parse_query(query), MOMENTS).shown]
    found = connection.execute(sqlglot.transpile(statement, read="trino", write="duckdb")[0]).fetchall()
    rows = [dict(zip(names, map(spelled, row), strict=True)) for row in found]
    expected = answers(query, [json.dumps(each, separators=(",", ":")) for each in RECORDS])
    assert not missing
    assert [{name: value for name, value in row.items() if value is not None} for row in rows] == [
        {name: again(value) for name, value in row.items()} for row in expected
    ]


def spelled(value):
    """Spell a value as results do, numbers with a few digits."""
    return f"{value:.9g}" if isinstance(value, int | float) and not isinstance(value, bool) else value


def again(text):
    """Spell a result's number with as many digits, and a time as its number."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", text):
        return f"{moment(text.replace(' ', 'T') + 'Z'):.9g}"
    return f"{float(text):.9g}" if re.fullmatch(r"-?\d+(\.\d+)?", text) else text


@pytest.mark.parametrize(
    "text", ["'", "a'b", "\\", "\0", "\n", "ä", "\U0001f600", "'; DROP TABLE x --", "U&'"], ids=range(9)
)
def test_no_constant_gets_out_of_its_quotes(text):
    """A text is one literal, and means the same text."""
    parsed = sqlglot.parse_one(literal(text, Type.TEXT), read="trino")
    assert isinstance(parsed, sqlglot.exp.Literal | sqlglot.exp.UnicodeString)
    if isinstance(parsed, sqlglot.exp.Literal):
        assert parsed.this == text
    else:
        told = re.sub(r"\\\+([0-9A-F]{6})|\\\\|''", lambda found: chr(int(found[1], 16)) if found[1] else found[0][0], parsed.this)  # fmt: skip
        assert told == text


def test_a_field_that_the_table_lacks_is_told():
    """CloudTrail's own table has no whole record and no `addendum`; both are NULL, and named."""
    statement, missing = written("fields @message, addendum.reason, eventName | limit 1", lake=False)
    assert {get.steps for get in missing} == {("@message",), ("addendum", "reason")}
    assert "eventname AS" in statement


@pytest.mark.parametrize(
    ("steps", "column"),
    [
        (("userIdentity", "sessionContext", "sessionIssuer", "arn"), "useridentity.sessioncontext.sessionissuer.arn"),
        (("resources", "0", "ARN"), "element_at(resources, 1).arn"),
        (("tlsDetails", "tlsVersion"), "tlsdetails.tlsversion"),
    ],
    ids=["the role", "the first resource", "TLS"],
)  # fmt: skip
def test_structures_of_the_table(steps, column):
    """What the console's table keeps in structures is reached in them."""
    query = f"fields {'.'.join(steps)}"
    assert f"{column} AS f" in written(query, lake=False)[0]
    assert not [get for get in written(query, lake=False)[1] if get == Get(steps)]
