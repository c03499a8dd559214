"""Queries of log alarms over deliveries: the results of each run are those of the slow evaluator on its window."""

import gzip
import json
import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import run

from rolewatch.alarms.log_results import ALL
from rolewatch.insights import log_runs
from rolewatch.insights.log_runs import ask, windows
from rolewatch.scan.replayed import Asking
from rolewatch.scan.request import ScanRequest
from rolewatch.templates.definitions import Actions, LogAlarm, LogQuery, Place, Spelling

PLACE = Place("alarms.yaml", 3, 5, "Resources.L")
BEGIN = int(datetime(2026, 3, 1, 10, tzinfo=UTC).timestamp())
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
SPAN = 3600  # seconds in which all records lie
ROLE = "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"

QUERIES = [
    "",
    "fields @timestamp, @message",
    "filter errorCode = 'AccessDenied'",
    "filter errorCode like /Denied|Unauth/ | fields size * 2 as twice",
    "filter ispresent(errorCode) | parse eventName 'Get*' as what",
    "filter errorCode = 'AccessDenied' | sort @timestamp desc | limit 3",
    "sort @timestamp asc | limit 2 | filter errorCode = 'AccessDenied'",
    "filter errorCode = 'AccessDenied' | stats count(*) as n by eventName",
    "stats count(*) as n by eventName, errorCode | filter n > 1",
    "filter errorCode = 'AccessDenied' | stats count(*) as n",
    "stats count(*) as n | filter n < 3",
    "filter toMillis(@timestamp) > queryEndTime() - 300000",
    "filter errorCode = 'AccessDenied' | fields queryStartTime() as n",
]
AGGREGATIONS = [
    ("count(*)", None),
    ("count(*) as hits", None),
    ("avg(size)", "size"),
    ("max(n)", "n"),
    ("sum(size) + count(*) * 10", "size"),
    ("count(*) by eventName", "eventName"),
    ("count(*) by eventName, errorCode | sort count(*) desc", "errorCode"),
    ("max(size) by errorCode", "size"),
    ("min(eventName)", "eventName"),
    ("count(size)", "size"),
    ("count(size) by eventName", "size"),
]


def fitting():
    """Give the queries with the aggregations that can follow them: behind `stats` there are only its outputs."""
    for query in QUERIES:
        for aggregation, needs in AGGREGATIONS:
            of_stats = "stats" in query
            outputs = {"n"} | ({"eventName"} if "by eventName" in query else set())
            if (of_stats and needs is not None and needs not in outputs) or (
                needs == "n" and " as n" not in query
            ):
                continue
            yield query, aggregation


def log_alarm(query="filter errorCode = 'AccessDenied'", aggregation="count(*)", **more):
    """Make a log alarm that runs every five minutes over the last ten."""
    written = Spelling(PLACE, 1000, ((0, 10, 20),))
    offsets = {name: more.pop(name) for name in ("every", "start", "end") if name in more}
    fields = {"every": 300, "start": 600, "end": 0} | offsets
    asked = LogQuery(query, aggregation, (), **fields, written=written, aggregation_written=written)
    return LogAlarm(
        "L", more.pop("name", "l"), None, asked, 1, 1, 1.0, "GreaterThanOrEqualToThreshold", "missing", more.pop("lines", 0), None, Actions(), PLACE
    )  # fmt: skip


def record(number, second, **fields):
    """Make a record at a second after BEGIN."""
    time = datetime.fromtimestamp(BEGIN + second, UTC)
    return {
        "eventVersion": "1.09",
        "userIdentity": {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE}}},
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "s3.amazonaws.com",
        "eventName": ["GetObject", "PutObject", "GetAcl"][number % 3],
        "awsRegion": "us-east-1",
        "eventID": f"00000000-0000-4000-8000-{number:012x}",
        "recipientAccountId": "111122223333",
    } | fields  # fmt: skip


def some_records(rng):
    """Make up records at different seconds, a few of them errors and a few with a size."""
    seconds = rng.sample(range(SPAN), rng.choice([0, 1, 3, 12, 40]))
    found = []
    for number, second in enumerate(seconds):
        more = {}
        if rng.random() < 0.6:
            more["errorCode"] = rng.choice(["AccessDenied", "UnauthorizedOperation", "Throttling"])
        if rng.random() < 0.7:
            more["size"] = rng.choice([0, 1, 2.5, "7", "x"])
        found.append(record(number, second, **more))
    return found


def written(folder, records):
    """Write records into one log file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "records.json.gz"
    path.write_bytes(gzip.compress(json.dumps({"Records": records}, separators=(",", ":")).encode(), mtime=0))
    return str(path)


def answered(alarms, sources, delay=0, **request):
    """Run the queries of alarms over files."""
    return ask(alarms, Asking(sources, ScanRequest(**request), delay, LATEST))


def expanded(results, runs):
    """Give contributor → value of each run; None is a missing value of the only contributor."""
    tables = {
        who: dict(zip(each.runs.tolist(), each.values.tolist(), strict=True))
        for who, each in results.contributors.items()
    }
    found = []
    for time in runs:
        if results.grouped:
            found.append({who: table[time] for who, table in tables.items() if not np.isnan(table.get(time, np.nan))})  # fmt: skip
        else:
            value = tables[ALL].get(time, results.otherwise)
            found.append({ALL: None if value is None or np.isnan(value) else value})
    return found


def literal(alarm, records, runs, delay):
    """Ask the slow evaluator at each run, of the records that lie in its window and have arrived."""
    query = alarm.query
    text = f"{query.text} | stats {query.aggregation}" if query.text else f"stats {query.aggregation}"
    grouped = " by " in query.aggregation
    found = []
    for time in runs:
        first, last = time - query.start, time - max(query.end, delay)
        seen = [each for each in records if first <= when(each) < last]
        messages = [json.dumps(each, separators=(",", ":")) for each in seen]
        rows = run(text, messages, start=first * 1000, end=(time - query.end) * 1000)
        found.append(contributors(rows, query.aggregation) if grouped else {ALL: value_of(rows[0]) if rows else None})  # fmt: skip
        if query.aggregation.startswith("count(size)"):  # of a field that is nowhere
            found[-1] = {who: value or None for who, value in found[-1].items() if value or not grouped}
    return found


def when(each):
    """Give a record's time."""
    return int(datetime.fromisoformat(each["eventTime"]).timestamp())


def value_of(row):
    """Give the only value of a row as a number, None if it is none."""
    try:
        return float(next(iter(row.values())))
    except (StopIteration, ValueError):
        return None


def contributors(rows, aggregation):
    """Tell the attributes of rows from their values."""
    name = aggregation.partition(" by ")[0]
    return {
        tuple((key, text) for key, text in row.items() if key != name): float(row[name])
        for row in rows
        if name in row and is_number(row[name])
    }


def is_number(text):
    """Whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_agreement(tmp_path_factory, seed):
    """Whatever the query, the schedule and the delay: plain loops over all windows find the same results."""
    rng = random.Random(seed)
    records = some_records(rng)
    path = written(tmp_path_factory.mktemp("runs"), records)
    schedules = [(300, 600, 0), (300, 900, 300), (600, 300, 0), (60, 120, 60), (3600, 7200, 1)]
    every, start, end = rng.choice(schedules)
    delay = rng.choice([0, 0, 60, 300, 660])
    pairs = rng.sample(list(fitting()), 3)
    alarms = [log_alarm(*pair, every=every, start=start, end=end, name=f"l{number}") for number, pair in enumerate(pairs)]  # fmt: skip
    found = answered(alarms, [path], delay)
    assert found.notices == ()
    runs = range(BEGIN // every * every - every, BEGIN + SPAN + start + 2 * every, every)
    for alarm in alarms:
        got = expanded(found.logs[alarm.name].results, runs)
        assert got == literal(alarm, records, runs, delay), alarm.query


@settings(max_examples=120)
@given(
    st.lists(st.integers(0, 5_000_000), max_size=30).map(sorted),
    st.sampled_from([(60, 60, 0), (60, 30, 0), (60, 600, 60), (300, 3600, 299), (60, 60, 60), (60, 30, 90)]),
)
def test_windows(times, schedule):
    """They are those that hold a record, each once, in order, with the places of what they hold."""
    every, start, end = schedule
    expected = []
    for run_ in range(0, 10_000, every):
        inside = [place for place, time in enumerate(times) if (run_ - start) * 1000 <= time < (run_ - end) * 1000]  # fmt: skip
        if inside:
            expected.append((run_, inside[0], inside[-1] + 1))
    found = windows(np.array(times, np.int64), every, start, end)
    assert list(zip(*(each.tolist() for each in found), strict=True)) == expected


def test_many_rows_at_once(tmp_path, monkeypatch):
    """What is too much for one statement is asked in several."""
    records = [record(number, 30 * number, errorCode="AccessDenied") for number in range(100)]
    path = written(tmp_path, records)
    alarm = log_alarm(aggregation="count(*) by eventName")
    whole = answered([alarm], [path]).logs["l"].results
    monkeypatch.setattr(log_runs, "_AT_ONCE", 7)
    parts = answered([alarm], [path]).logs["l"].results
    runs = range(BEGIN, BEGIN + SPAN + 900, 300)
    assert expanded(parts, runs) == expanded(whole, runs)
    assert any(expanded(whole, runs))


def test_repeats_count(tmp_path):
    """A record that was delivered twice counts twice, as it does in a log group."""
    denied = record(1, 10, errorCode="AccessDenied")
    path = written(tmp_path, [denied, denied])
    results = answered([log_alarm()], [path]).logs["l"].results
    assert expanded(results, [BEGIN + 300]) == [{ALL: 2.0}]


def test_the_window_that_was_asked_for(tmp_path):
    """Records outside of the request's window do not count, and neither do those without a time or in the far future."""
    from rolewatch.sources import Window  # noqa: PLC0415 - only here

    odd = [record(7, 20, errorCode="AccessDenied") | {"eventTime": time} for time in ("never", "9999-12-31T00:00:00Z", "1999-01-01T00:00:00Z")]  # fmt: skip
    path = written(tmp_path, [record(1, 10, errorCode="AccessDenied"), record(2, 700, errorCode="AccessDenied"), *odd])  # fmt: skip
    since = datetime.fromtimestamp(BEGIN, UTC) + timedelta(seconds=600)
    found = answered([log_alarm()], [path], window=Window(since=since)).logs["l"]
    assert list(found.behind) == [BEGIN + 660]
    assert found.results.contributors[ALL].runs.tolist() == [BEGIN + 900, BEGIN + 1200]


def test_behind(tmp_path):
    """The records behind each minute are known with their findings, and the newest log lines of each run."""
    records = [record(number, 10 * number, errorCode="AccessDenied", errorMessage="Access Denied", requestParameters={"bucketName": "b"}) for number in range(4)]  # fmt: skip
    path = written(tmp_path, [*records, record(9, 15)])
    found = answered([log_alarm(lines=2)], [path])
    (minute,) = found.logs["l"].behind
    behind = found.logs["l"].behind[minute]
    assert (minute, behind.matched, behind.defaults) == (BEGIN, 4, 0)
    (finding,) = behind.findings
    assert found.findings[finding].resource == "arn:aws:s3:::b"
    assert [match.event_id[-1] for match in behind.examples] == ["0", "1", "2", "3"]
    lines = found.logs["l"].results.lines[BEGIN + 300]
    assert [json.loads(line)["eventID"][-1] for line in lines] == ["3", "2"]


def test_most_contributors(tmp_path):
    """Of more than 500 contributors of one run the first count, and that is told."""
    records = [record(number, 10, errorCode="AccessDenied", who=f"{number:03}") for number in range(501)]
    found = answered([log_alarm(aggregation="count(*) by who")], [written(tmp_path, records)])
    results = found.logs["l"].results
    assert len(results.contributors) == 500
    assert (("who", "500"),) not in results.contributors
    (notice,) = found.notices
    assert (notice.level, notice.place) == ("warning", PLACE)
    assert notice.message.startswith("l: 2 of its runs gave more than 500 contributors")


WRONG = [
    ("filter errorCode = 'x", "count(*)", 19, "nothing closes this '"),
    ("fields a | pattern @message", "count(*)", 11, "the command 'pattern' is not supported"),
    ("lookup t k as v output w", "count(*)", 0, "the command 'lookup' is not supported"),
    ("join left=x right=y where x.k = y.k (display k)", "count(*)", 0, "the command 'join' is not supported"),
    ("filter a in (display b)", "count(*)", 12, "a query within a query cannot stand here"),
    ("filter a = 1", "cont(*)", 0, "there is no function 'cont' (did you mean count?)"),
    ("filter a = 1", "count(*), avg(b)", 10, "an AggregationExpression gives one value, and this has several"),
    ("filter a = 1", "count(*) | limit 3 | stats max(x)", 11, "sort and limit come after the last stats"),
    ("filter a = 1", "count(*) by b | fields b", 16, "only sort may follow the function of an AggregationExpression"),
    ("filter a = 1", "count(*) by b | limit 3", 16, "only sort may follow the function of an AggregationExpression"),
    ("filter a = 1", "pct(size, 99)", 0, "an AggregationExpression does not take pct, but count, avg, sum, min, max"),
    ("filter a = 1", "count(*) by a, b, c, d, e, f", 27, "an AggregationExpression has at most 5 fields behind by, not 6"),
    ("filter a = 1", "count(*) by bin(5m)", 12, "bin cannot stand behind by in an AggregationExpression"),
    ("filter a = 1 | stats count(*) as n", "max(m)", 4, "Unknown symbols found in or after stats: m"),
    ("", "size", 0, "stats takes functions of several rows"),
    ("stats count(*) as n", "max(n) by n", 0, "a contributor that is there without any record is not supported"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "aggregation", "position", "message"), WRONG)
def test_queries_that_make_no_sense(tmp_path, query, aggregation, position, message):
    """They are errors that point at the character in the template; other alarms go on."""
    path = written(tmp_path, [record(1, 10, errorCode="AccessDenied")])
    found = answered([log_alarm(query, aggregation, name="bad"), log_alarm()], [path])
    assert list(found.logs) == ["l"]
    (notice,) = found.notices
    assert notice.level == "error"
    assert notice.message.startswith(f"bad cannot be evaluated: {message}")
    assert (notice.place.line, notice.place.column) == (10, 20 + position)


def test_sorted_by_its_value(tmp_path, monkeypatch):
    """`sort desc` is by the only value there is: it says which contributors count where there are too many."""
    monkeypatch.setattr(log_runs, "MOST_CONTRIBUTORS", 1)
    records = [record(number, 10 + number, errorCode="AccessDenied") for number in (0, 1, 1, 1, 2, 2)]
    path = written(tmp_path, records)
    for order, name in (("desc", "PutObject"), ("asc", "GetObject")):
        alarm = log_alarm(aggregation=f"count(*) by eventName | sort {order}")
        (found,) = expanded(answered([alarm], [path]).logs["l"].results, [BEGIN + 300])
        assert list(found) == [(("eventName", name),)]


def test_records_of_contributors(tmp_path):
    """Where a record tells whose it is, the records behind each contributor are known."""
    records = [record(number, 10 + number, errorCode="AccessDenied") for number in (0, 1, 2, 3)]
    path = written(tmp_path, records)
    found = answered([log_alarm(aggregation="count(*) by eventName, nothing")], [path]).logs["l"]
    assert {dict(who)["eventName"]: each[BEGIN].matched for who, each in found.contributors.items()} == {"GetObject": 2, "PutObject": 1, "GetAcl": 1}  # fmt: skip
    assert set(found.contributors) == set(found.results.contributors)
    of_stats = log_alarm(
        "filter ispresent(errorCode) | stats count(*) as n by eventName", "max(n) by eventName"
    )
    assert answered([of_stats], [path]).logs["l"].contributors == {}


def test_without_records():
    """Nothing is read where there are no sources: what a run without records gives is known all the same."""
    found = answered([log_alarm(name="a"), log_alarm(aggregation="avg(size)", name="b")], [])
    assert {name: logged.results.otherwise for name, logged in found.logs.items()} == {"a": 0.0, "b": None}
