"""Templates with log alarms, replayed, tested and printed in every format."""

import json
import sys

import pytest
from deliveries import denial, record, write

LOG_ALARM = """\
  Log:
    Type: AWS::CloudWatch::LogAlarm
    Properties:
      AlarmName: by-bucket
      ScheduledQueryConfiguration:
        QueryString: |-
          filter errorCode = 'AccessDenied'
          | fields eventName
        LogGroupIdentifiers: [trail]
        ScheduledQueryRoleARN: arn:aws:iam::111122223333:role/query
        AggregationExpression: count(*) by requestParameters.bucketName
        ScheduleConfiguration: {ScheduleExpression: rate(5 minutes), StartTimeOffset: 600}
      QueryResultsToEvaluate: 3
      QueryResultsToAlarm: 1
      Threshold: 1
      ComparisonOperator: GreaterThanOrEqualToThreshold
      TreatMissingData: notBreaching
      ActionLogLineCount: 1
      ActionLogLineRoleArn: arn:aws:iam::111122223333:role/lines
      AlarmActions: [arn:aws:sns:us-east-1:111122223333:alerts]
"""
MORE = """\
  Both:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties: {AlarmName: both, AlarmRule: ALARM(by-bucket), AlarmActions: ["arn:a"]}
  Nights:
    Type: AWS::CloudWatch::AlarmMuteRule
    Properties:
      Name: nights
      Rule: {Schedule: {Expression: "at(2026-03-01T10:00)", Duration: PT1H}}
      MuteTargets: {AlarmNames: [both]}
"""
HOSTILE = "\x1b[31mred\x07<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """Let no sentence be broken."""
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def replayed(call, here):
    """Give a way to replay a template: its resources, records and words in; status, stdout and stderr out."""

    def run(resources, records, *words):
        (here / "alarms.yaml").write_text(f"Resources:\n{resources}")
        write(here / "own" / "x.json", *records)
        return call("replay", "alarms.yaml", *(words if "own" in " ".join(words) else ("own", *words)))

    return run


@pytest.fixture
def report(replayed):
    """Give a way to replay to JSON."""

    def reported(resources, *records, words=()):
        status, out, err = replayed(resources, records, *words, "--format", "json")
        assert status == 0, err
        return json.loads(out)

    return reported


def test_json(report):
    """A log alarm has its transitions with log lines and records behind, and the results of its query."""
    found = report(LOG_ALARM, denial(1), denial(2, resource="other"), record(3))
    (alarm,) = found["alarms"]
    assert (alarm["name"], alarm["type"], alarm["filters"]) == ("by-bucket", "log", [])
    (into,) = alarm["transitions"]
    assert (into["timestamp"], into["to"], into["actions"]) == ("2026-03-01T10:10:00Z", "ALARM", [])
    assert into["reason"] == (
        "2 out of 2 contributors evaluated to ALARM: requestParameters.bucketName=blind [1.0 (01/03/26 10:10:00)]; "
        "requestParameters.bucketName=other [1.0 (01/03/26 10:10:00)]"
    )
    blind, other = alarm["contributor_changes"]
    assert (blind["attributes"], blind["to"]) == ({"requestParameters.bucketName": "blind"}, "ALARM")
    assert blind["actions"] == ["arn:aws:sns:us-east-1:111122223333:alerts"]
    assert [len(each["behind"]["findings"]) for each in (blind, other)] == [1, 1]
    assert alarm["notifications"] == 2
    assert [json.loads(line)["eventID"][-1] for line in into["log_lines"]] == ["2"]
    assert (into["behind"]["matched"], into["behind"]["from"], into["behind"]["to"]) == (2, "2026-03-01T10:00:00Z", "2026-03-01T10:05:00Z")  # fmt: skip
    assert len(alarm["findings"]["told"]) == 2
    assert {found["findings"][each]["resource"] for each in alarm["findings"]["told"]} == {"arn:aws:s3:::blind", "arn:aws:s3:::other"}  # fmt: skip
    assert alarm["results"] == {
        "contributors": [
            {"attributes": {"requestParameters.bucketName": name}, "values": [{"timestamp": "2026-03-01T10:10:00Z", "value": 1.0}]}
            for name in ("blind", "other")
        ],
        "otherwise": None,
    }  # fmt: skip


def test_without_a_delay(report):
    """Without one, a run sees what happened until it began; the replay ends when each record has been seen."""
    (alarm,) = report(LOG_ALARM, denial(1), words=("--delay", "0m"))["alarms"]
    assert [(each["timestamp"][11:16], each["to"]) for each in alarm["transitions"]] == [("10:05", "ALARM")]
    late = report(LOG_ALARM.replace("StartTimeOffset: 600", "StartTimeOffset: 300"), denial(1))
    assert late["end"] == "2026-03-01T10:10:00Z"
    assert late["alarms"][0]["transitions"] == []  # what arrives late is never seen


def test_findings_that_begin_meanwhile(report):
    """While the alarm is in ALARM, each contributor tells of its own findings, and nobody hears of a second one of the same."""
    again = denial(7, resource="blind", eventSource="sqs.amazonaws.com")
    (alarm,) = report(LOG_ALARM, denial(1), denial(7, resource="other"), again)["alarms"]
    assert [len(alarm["findings"][each]) for each in ("raised", "told", "meanwhile")] == [2, 2, 1]
    assert alarm["notifications"] == 2
    one = LOG_ALARM.replace("count(*) by requestParameters.bucketName", "count(*)")
    (alarm,) = report(one, denial(1), denial(7, resource="other"))["alarms"]
    assert [len(alarm["findings"][each]) for each in ("raised", "told", "meanwhile")] == [1, 1, 1]


def test_muted_contributors(report):
    """A mute rule holds the notifications of contributors back, each for itself."""
    muted = LOG_ALARM + MORE[MORE.index("  Nights:") :].replace("[both]", "[by-bucket]")
    late = record(3, eventTime="2026-03-01T11:30:00Z")
    (alarm,) = report(muted, denial(1), denial(45, resource="other"), late)["alarms"]
    found = [
        (each["to"], each["actions"] != [], each.get("acted_at")) for each in alarm["contributor_changes"]
    ]
    assert found == [
        ("ALARM", False, None),
        ("OK", False, None),
        ("ALARM", True, "2026-03-01T11:00:00Z"),
        ("OK", False, None),
    ]


def test_composite_alarms_and_mute_rules(report):
    """They may name log alarms, and the records behind these stand behind the composite alarm, too."""
    found = report(LOG_ALARM + MORE, denial(1))
    both = next(each for each in found["alarms"] if each["name"] == "both")
    into = both["transitions"][-1]
    assert (into["to"], into["suppressed_by"], into["actions"]) == ("ALARM", "AlarmMuteRule nights", [])
    assert into["behind"]["matched"] == 1


def test_log_groups(report, here):
    """An alarm sees the deliveries of the log groups that it names, by name or ARN, and no others."""
    write(here / "own2" / "x.json", denial(2, resource="second"))
    for group, buckets in {
        "trail": ["blind"],
        "arn:aws:logs:us-east-1:111122223333:log-group:second:*": ["second"],
        "trail, second": ["blind", "second"],
    }.items():
        text = LOG_ALARM.replace("[trail]", f"[{group}]")
        (alarm,) = report(text, denial(1), words=("own", "--log-group", "second=own2"))["alarms"]
        found = [
            each["attributes"]["requestParameters.bucketName"] for each in alarm["results"]["contributors"]
        ]
        assert found == buckets
    everything = LOG_ALARM.replace("        LogGroupIdentifiers: [trail]\n", "")
    found = report(everything, denial(1), words=("own", "--log-group", "second=own2"))
    assert (len(found["alarms"][0]["results"]["contributors"]), found["notices"]) == (2, [])
    found = report(LOG_ALARM, denial(1), words=("own", "--log-group", "trial=own2"))
    assert [each["message"] for each in found["notices"]] == [
        "no metric filter or log alarm is of the log group trial; there are: trail"
    ]


def test_table(replayed):
    """It tells the query, the schedule, the beginnings of log lines, and the records behind; nothing in them does harm."""
    status, out, _ = replayed(LOG_ALARM, [denial(1, userAgent=HOSTILE * 9)])
    assert status == 0
    assert "  rule    result ≥ 1 every 5 min over the last 10 min, 1 of 3, missing not breaching\n" in out
    assert "  query   filter errorCode = 'AccessDenied'\n          | fields eventName\n          stats count(*) by requestParameters.bucketName\n" in out  # fmt: skip
    assert "1 log line with it (whole in the JSON format)" in out
    assert "…" in out
    assert "1 change of its contributors\n    2026-03-01 10:10  → ALARM  requestParameters.bucketName=blind: 1 notification\n" in out  # fmt: skip
    assert "behind it: 1 matching record, 1 finding" in out
    assert not {"\x1b", "\x07"} & set(out)


def test_html(replayed):
    """The page has the query, the graph of the results, and all of the log lines, escaped."""
    status, out, _ = replayed(LOG_ALARM, [denial(1, userAgent=HOSTILE), record(20)], "--format", "html")
    assert status == 0
    assert "<dt>Query</dt>" in out
    assert "1 log line with it" in out
    assert "Changes of its contributors (" in out
    assert "<script>alert(1)" not in out
    assert "Values from 1 to 1, threshold 1." in out


def test_wrong_queries(replayed):
    """They are errors with their place in the template; all else is replayed, and the status says so."""
    wrong = LOG_ALARM.replace("Log:", "Bad:").replace("by-bucket", "bad").replace("| fields eventName", "| pattern @message")  # fmt: skip
    status, out, err = replayed(wrong + LOG_ALARM, [denial(1)])
    assert status == 2
    assert "alarms.yaml:9:13: bad cannot be evaluated: the command 'pattern' is not supported, at character 37 of" in err  # fmt: skip
    assert "by-bucket  " in out


def test_standard_input(replayed):
    """It can be read only once, and a replay with log alarms reads twice."""
    status, _, err = replayed(LOG_ALARM, [denial(1)], "-", "own")
    assert status == 2
    assert "log alarms cannot be replayed over standard input" in err


def test_the_engine_is_imported_only_where_it_is_needed(call, here):
    """A template without log alarms does without DuckDB."""
    (here / "plain.yaml").write_text(f"Resources:\n{MORE.replace('ALARM(by-bucket)', 'TRUE')}")
    write(here / "own" / "x.json", denial(1))
    loaded = sys.modules.pop("duckdb", None)
    try:
        assert call("replay", "plain.yaml", "own")[0] == 0
        assert "duckdb" not in sys.modules
    finally:
        if loaded is not None:
            sys.modules["duckdb"] = loaded


def test_unit_tests(call, here):
    """Records are tested like those of metric filters, with the file's own alarms; what cannot be run is told."""
    write(here / "denied.json", denial(1))
    properties = LOG_ALARM.partition("Properties:\n")[2]
    own = "".join(f"  {line[4:]}\n" if number else f"  - {line[6:]}\n" for number, line in enumerate(properties.splitlines()))  # fmt: skip
    tests = """\
tests:
  - name: records
    records: [denied.json]
    expect:
      - {alarm: by-bucket, at: "2026-03-01T10:05:00Z", state: ALARM}
      - {alarm: by-bucket, at: "2026-03-01T10:25:00Z", state: OK}
  - name: nothing at all
    expect: [{alarm: by-bucket, at: 15m, state: OK}]
"""
    (here / "own.test.yaml").write_text(f"alarms:\n{own}{tests}")
    status, out, err = call("test", "own.test.yaml")
    assert (status, err) == (0, "")
    assert "2 tests: 2 ok" in out
    (here / "own.test.yaml").write_text(f"alarms:\n{own}{tests}".replace("count(*)", "cont(*)"))
    status, out, err = call("test", "own.test.yaml")
    assert status == 2
    assert "own.test.yaml:9:30: by-bucket cannot be evaluated: there is no function 'cont'" in err
    assert "expected ALARM, but it cannot be evaluated" in out
