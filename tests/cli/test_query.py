"""`rolewatch query`: a Logs Insights query and deliveries in, rows out, and how it ends."""

import csv
import json
import re
import shlex
from io import StringIO
from pathlib import Path

import pytest
from deliveries import HOME, OTHER, denial, record, write

from rolewatch.cli import query

ROOT = Path(__file__).resolve().parents[2]
SHOWN = re.compile(r"```text\n\$ rolewatch (.*)\n((?:.*\n)*?)```")
ARN = "userIdentity.sessionContext.sessionIssuer.arn"
ARTICLE = (
    "filter errorCode = 'AccessDenied' "
    f"| filter {ARN} like 'aws-service-role' "
    f"| fields @timestamp, eventSource, eventName, {ARN}, @message "
    "| sort @timestamp desc"
)
SHORT = "filter errorCode = 'AccessDenied' | fields @timestamp, requestParameters.bucketName as bucket, errorMessage | sort @timestamp"
COUNTS = "stats count(*) as n, min(@timestamp) as first by eventSource | sort n desc, eventSource"
COUNTED = ("records_matched", "records_scanned", "duplicates")
FORMATS = ["table", "json", "jsonl", "csv", "cloudwatch"]


@pytest.fixture
def run(call):
    """Give a way to query the story in this process: a query and words in; status, stdout and stderr out."""
    return lambda text, *words, source="logs": call("query", text, source, *words)


@pytest.fixture
def rows(run):
    """Give a way to query to JSON: a query and words in, the rows out."""
    return lambda text, *words: json.loads(run(text, "--format", "json", *words)[1])["results"]


def test_the_article_s_query(run):
    """It gives each denial of a service-linked role, the latest first, with its role and the record itself."""
    status, out, err = run(ARTICLE, "--format", "json")
    results = json.loads(out)["results"]
    assert (status, err) == (0, "")
    assert [each["@timestamp"] for each in results] == ["2026-03-05 10:00:00.000"] + [
        f"2026-03-01 10:0{minute}:00.000" for minute in (7, 6, 4, 3, 1)
    ]
    latest = results[0]
    assert list(latest) == ["@timestamp", "eventSource", "eventName", ARN, "@message"]
    assert (latest["eventSource"], latest["eventName"]) == ("s3.amazonaws.com", "GetBucketPolicy")
    role = f"arn:aws:iam::{OTHER}:role/aws-service-role/macie.amazonaws.com/AWSServiceRoleForMacie"
    assert latest[ARN] == role
    assert json.loads(latest["@message"])["requestParameters"] == {"bucketName": "far"}


def test_json(run, here):
    """The contract's keys: values are texts, what is missing is left out, and the statistics count what was looked at."""
    found = json.loads(run(SHORT + " | limit 6", "--format", "json")[1])
    assert found["results"][0] == {
        "@timestamp": "2026-03-01 10:01:00.000",
        "bucket": "blind",
        "errorMessage": "not authorized to perform: s3:GetBucketPolicy with an explicit deny in a resource-based policy",
    }
    assert list(found["results"][3]) == ["@timestamp", "errorMessage"]
    assert [found["statistics"][key] for key in COUNTED] == [6, 8, 0]
    write(here / "plain" / "x.json", *[record(number) for number in range(3)])
    size = (here / "plain" / "x.json").stat().st_size
    plain = json.loads(run("limit 1", "--format", "json", source="plain")[1])
    assert plain["statistics"]["bytes_scanned"] == size
    assert (found["more"], found["skipped"], found["unreadable"]) == (False, [], [])


def test_typed(rows, run):
    """--typed has numbers as numbers and truths as truths, in json and jsonl."""
    text = "stats count(*) as n, avg(strlen(eventName)) as a by isPresent(errorCode) as failed | sort n"
    untyped = [{"failed": "0", "n": "2", "a": "15"}, {"failed": "1", "n": "6", "a": "15.666666666666666"}]
    assert untyped == rows(text)
    expected = [{"failed": False, "n": 2, "a": 15}, {"failed": True, "n": 6, "a": 15.666666666666666}]
    assert expected == rows(text, "--typed")
    assert expected == [
        json.loads(line) for line in run(text, "--typed", "--format", "jsonl")[1].splitlines()
    ]


def test_cloudwatch(run):
    """The shape is GetQueryResults': pairs of field and value, and statistics as doubles."""
    found = json.loads(run(SHORT + " | display bucket", "--format", "cloudwatch")[1])
    assert found["results"][:2] == [[{"field": "bucket", "value": name}] for name in ("blind", "medium")]
    assert found["results"][3] == []
    assert found["status"] == "Complete"
    size = found["statistics"].pop("bytesScanned")
    assert found["statistics"] == {"recordsMatched": 6.0, "recordsScanned": 8.0}
    assert {type(value) for value in (size, *found["statistics"].values())} == {float}


def test_table(run):
    """Columns stand below their names, numbers to the right."""
    assert run(COUNTS)[1].splitlines() == [
        "eventSource           n  first",
        "s3.amazonaws.com      6  2026-03-01 10:01:00.000",
        "config.amazonaws.com  1  2026-03-01 10:06:00.000",
        "macie2.amazonaws.com  1  2026-03-01 10:07:00.000",
    ]


def test_csv_and_jsonl(run, rows):
    """They have the rows that json has: csv below the names, jsonl a row a line."""
    expected = rows(COUNTS)
    text = run(COUNTS, "--format", "csv")[1]
    assert expected == list(csv.DictReader(StringIO(text, newline=""), strict=True))
    assert expected == [json.loads(line) for line in run(COUNTS, "--format", "jsonl")[1].splitlines()]


@pytest.mark.parametrize(
    ("form", "expected"), [("table", "no rows\n"), ("csv", "eventName\n"), ("jsonl", "")]
)
def test_no_rows(run, form, expected):
    """That nothing was found is no failure, and is no row."""
    assert run("filter eventName = 'None' | fields eventName", "--format", form) == (0, expected, "")


def test_window(rows):
    """--since, --until, --account and --region say which records there are."""
    minutes = ("--since", "2026-03-01T10:03:00Z", "--until", "2026-03-01T10:06:00Z")
    text = "stats count(*) as n, count_distinct(awsRegion) as regions"
    assert rows(text, *minutes) == [{"n": "3", "regions": "1"}]
    assert rows(text, "--account", OTHER) == [{"n": "1", "regions": "1"}]
    assert rows(text, "--account", f"{HOME},{OTHER}", "--region", "us-east-1") == [{"n": "7", "regions": "1"}]
    assert rows("fields eventName", "--since", "2030-01-01") == []


def test_a_repeated_delivery_counts_once(run, here):
    """A record counts once, and how many came again is told; the same event in another account is another record."""
    write(here / "logs" / "again.json", denial(1), denial(1, recipientAccountId=OTHER))
    found = json.loads(run("filter errorCode = 'AccessDenied' | stats count(*) as n", "--format", "json")[1])
    assert found["results"] == [{"n": "7"}]
    assert [found["statistics"][key] for key in COUNTED] == [7, 10, 1]


@pytest.mark.parametrize(
    ("text", "carets", "message"),
    [
        ("stats cuont(*)", "      ^^^^^", "did you mean count?"),
        ("filtr eventName = 'x'", "^^^^^", "did you mean filter?"),
        ("filter eventName == 'x'", "                 ^^", "write ="),
        ("limit 0", "      ^", "a limit is a whole number from 1 to 100,000"),
        ("filter eventName like /(/", None, "line 1, column "),
        ("stats count(*) | fields eventName", None, "Unknown symbols found in or after stats: eventName"),
    ],
)  # fmt: skip
def test_a_query_that_is_none(run, text, carets, message):
    """It ends with 2: the query is drawn with carets below the place, then comes what to write instead."""
    status, out, err = run(text)
    drawn, below, said = err.splitlines()
    assert (status, out, drawn) == (2, "", text)
    assert (carets or below, set(below)) == (below, {" ", "^"} & set(below))
    assert said.startswith("rolewatch: ")
    assert message in said


@pytest.mark.parametrize("name", ["anomaly", "outlier", "sessionize"])
def test_what_is_not_supported(run, name):
    """Commands of the service that rolewatch lacks are refused by name, and nothing is read."""
    status, out, err = run(f"fields @message | {name}")
    assert (status, out) == (2, "")
    assert f"the command '{name}' is not supported" in err


def test_a_query_that_is_no_text(cli):
    """Bytes that are no UTF-8 cannot stand in a query."""
    done = cli("query", b"filter eventName = '\xff'", "logs")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "rolewatch: QL is no UTF-8\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fields eventName",), "SOURCE is missing"),
        (("", "logs"), "QL is empty"),
        (("fields eventName", "nowhere"), "nowhere: no such file or folder"),
        (("fields eventName", "logs", "--format", "html"), "--format"),
        (("fields eventName", "logs", "--typed"), "--typed means nothing to --format table (write --format"),
        (("fields eventName", "logs", "--since", "2026-03-02", "--until", "2026-03-01"), "is not before"),
    ],
)
def test_wrong_usage(call, words, message):
    """It is told in a line, nothing is printed, and the status is 2."""
    status, out, err = call("query", *words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err


@pytest.mark.parametrize("form", FORMATS)
def test_a_part_that_cannot_be_read(run, here, form):
    """It is named on stderr, all else is answered, and the status is 3."""
    whole = run(COUNTS, "--format", form)[1]
    (here / "logs" / "bad.json.gz").write_bytes(b"\x1f\x8b no gzip")
    status, out, err = run(COUNTS, "--format", form)
    assert status == 3
    assert err.startswith("rolewatch: cannot read logs/bad.json.gz: ")
    assert err.count("\n") == 1
    assert form in ("json", "cloudwatch") or whole == out
    if form == "json":
        assert json.loads(out)["results"] == json.loads(whole)["results"]
        assert [each["delivery"] for each in json.loads(out)["unreadable"]] == ["logs/bad.json.gz"]


def test_more_rows_than_are_printed(run, monkeypatch):
    """Without `limit` the first ones are printed, and that there are more is told."""
    monkeypatch.setattr(query, "MOST", 3)
    status, out, err = run("fields eventName", "--format", "json")
    found = json.loads(out)
    assert (status, len(found["results"]), found["more"]) == (0, 3, True)
    assert err.startswith(
        "rolewatch: there are more than 3 rows, and these are the first; write `| limit N` "
    )
    for text, number in (("fields eventName | limit 5", 5), ("filter eventSource like 'macie'", 1)):
        _, out, err = run(text, "--format", "jsonl")
        assert (out.count("\n"), err) == (number, "")


def test_a_limit_before_the_last_step(rows):
    """It limits the rows at its place, not those that are made of them."""
    text = "limit 1 | fields jsonParse('[1, 2, 3]') as list | unnest list into each | display each"
    assert rows(text) == [{"each": "1"}, {"each": "2"}, {"each": "3"}]


def test_log_groups(run):
    """A query that chooses log groups is told that the deliveries named are asked instead."""
    status, out, err = run("SOURCE logGroups() | stats count(*) as n", "--format", "csv")
    assert (status, out) == (0, "n\n8\n")
    assert err.startswith(
        "rolewatch: SOURCE chooses log groups of an account; this query was asked of the del"
    )


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_values(run, here, form):
    """What an attacker wrote steers no terminal and starts no formula."""
    evil = {"userAgent": "\x1b[2J\u202eevil\n\x9b", "eventName": "=cmd|'/c calc'!A1", "errorCode": "x;=1+1"}
    write(here / "evil" / "x.json", record(1, **evil))
    text = "fields eventName, errorCode, userAgent, @message as `\x1b[2J`"
    status, out, err = run(text, "--format", form, source="evil")
    assert (status, err) == (0, "")
    assert set("\x1b\u202e\x9b") & set(out) == set()
    if form == "csv":
        _, (name, code, agent, _) = csv.reader(StringIO(out, newline=""), strict=True)
        assert (name, code) == ("'=cmd|'/c calc'!A1", "x;'=1+1")
        assert agent == r"\x1b[2J\u202eevil\x0a\x9b"
    if form == "json":
        assert json.loads(out)["results"][0] | evil == json.loads(out)["results"][0]


def test_output(run, here):
    """With --output the data goes to a file, and one that cannot be written ends with 4."""
    assert run(COUNTS, "--output", "rows.txt") == (0, "", "")
    assert (here / "rows.txt").read_text() == run(COUNTS)[1]
    status, _, err = run(COUNTS, "--output", "none/rows.txt")
    assert (status, "cannot write none/rows.txt" in err) == (4, True)


@pytest.mark.parametrize("form", FORMATS)
def test_a_closed_pipe_is_no_error(cli, form):
    """Nothing is said on stderr, and the status is 0."""
    write(cli.folder / "many.json", *[record(number % 60, eventID=f"{number}") for number in range(400)])
    line = f"rolewatch query 'fields @timestamp, @message' many.json --format {form} 2> stderr | head -1; echo ${{PIPESTATUS[0]}}"
    first, status = cli.shell(line).stdout.splitlines()
    assert (bool(first), status, (cli.folder / "stderr").read_text()) == (True, "0", "")


def test_settings(cli):
    """A file and variables set what options do; what is typed goes before both."""
    (cli.folder / "rolewatch.toml").write_text('[query]\nformat = "jsonl"\ntyped = true\n')
    words = ("query", "stats count(*) as n", "logs")
    assert cli(*words).stdout == '{"n":8}\n'
    assert cli(*words, ROLEWATCH_REGION="eu-west-1").stdout == '{"n":1}\n'
    assert cli(*words, "--region", "us-east-1", ROLEWATCH_REGION="eu-west-1").stdout == '{"n":7}\n'
    done = cli(*words, ROLEWATCH_FORMAT="cloudwatch", ROLEWATCH_TYPED="no")
    assert json.loads(done.stdout)["status"] == "Complete"


def test_several_processes_answer_alike(run, here):
    """The rows do not depend on how many processes read the deliveries, nor does what counts as a repeat."""
    for number in range(4):
        wide = [denial(each, pad="x" * 1_000_000) for each in (30 + number, 20)]
        write(here / "logs" / f"{number}.json", *wide)
    alone, together = (json.loads(run(ARTICLE, "--format", "json", "--jobs", jobs)[1]) for jobs in "12")
    assert alone["results"] == together["results"]
    assert (alone["statistics"]["duplicates"], together["statistics"]["duplicates"]) == (3, 3)


def test_documented_output(cli):
    """What docs/query.md shows is what its commands print."""
    cli.folder = ROOT
    shown = SHOWN.findall((ROOT / "docs" / "query.md").read_text())
    done = [cli(*shlex.split(line)) for line, _ in shown]
    assert [output for _, output in shown] == [each.stderr + each.stdout for each in done]
    assert len(shown) == 9


def test_an_unknown_field_is_told_with_the_nearest(run):
    """It is no error, and the answer is what it is; a known one that is nowhere is let be."""
    status, _, err = run("filter errorcode = 'x' or vpcEndpointId = 'y' | stats count(*)")
    told = "the field errorcode is in no record that was looked at, and CloudTrail has none (did you mean errorCode?)"
    assert (status, err) == (0, f"rolewatch: {told}\n")
