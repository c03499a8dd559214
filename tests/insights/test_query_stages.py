"""Queries with stages between plans: lookup, pattern, diff, and bins that are moved."""

import json

import pytest
from answers import field, spelled
from messages import MESSAGES
from test_query_engines import QUERIES

from rolewatch.engines.answers import Answer
from rolewatch.engines.duckdb import rows_of
from rolewatch.engines.stages import ALL, Table, answer_query
from rolewatch.insights import Moments, QueryError, parse_query, plan_nested, plan_query, plan_segments
from rolewatch.plan import gets

TABLE = Table(("account", "team", "eventName"), (("0", "core", "x"), ("1", "web", ""), ("0", "again", "y")))
FEW = MESSAGES[:6]
ACCOUNT = "userIdentity.accountId"
LOOK = f"lookup t account as {ACCOUNT} OUTPUT team"


def answers(text, messages=FEW, *, earlier=(), tables=None):
    """Run a query; rows as dicts of what is there, as text."""
    query, asked = parse_query(text), []

    def ask(plan, period, most):
        asked.append(period)
        chosen = earlier if period else messages
        records = [(json.loads(message), message) for message in chosen]
        fields = {get: [field(record, message, get) for record, message in records] for get in gets(plan)}
        rows, matched = rows_of(plan, fields, len(records), most=most)
        return Answer(plan, rows, more=False, statistics={"seconds": 0.1, "records_matched": matched}, absent=(), skipped=[], unreadable=[])  # fmt: skip

    def plan(values):
        return plan_segments(query, Moments(0, 0), values)

    nested = plan_nested(query, Moments(0, 0))
    found = answer_query(
        plan, nested, ask, {"t": TABLE} if tables is None else tables, most=10_000, threads=1
    )
    names = [(each.name, each.expression.type) for each in found.plan.shown]
    rows = [
        {
            name: spelled(value, kind)
            for (name, kind), value in zip(names, row, strict=True)
            if value is not None
        }
        for row in found.rows
    ]
    return rows, asked, found.statistics


def rows(text, messages=FEW, **more):
    """Run a query and give its rows."""
    return answers(text, messages, **more)[0]


def test_lookup():
    """Each row gets the columns of the table's first row with its key, nothing without one; the order stays."""
    text = f"fields {ACCOUNT} as a | sort @timestamp | {LOOK} | limit 5"
    assert rows(text) == [
        {"a": "0", "team": "core"},
        {"a": "1", "team": "web"},
        {"a": "2"},
        {"a": "3"},
        {"a": "0", "team": "core"},
    ]


def test_several_keys():
    """All of them have to be the same, to the letter."""
    table = Table(("a", "n", "found"), (("0", "GetObject", "yes"), ("1", "headbucket", "no")))
    text = f"lookup t a as {ACCOUNT}, n as eventName OUTPUT found | stats count(*) as n by found"
    assert rows(text, tables={"t": table}) == [{"n": "5"}, {"found": "yes", "n": "1"}]


def test_output_and_outputnew():
    """OUTPUT takes the table's value in any case, OUTPUTNEW only where there is none."""
    sorted_ = "sort @timestamp | limit 3"
    assert rows(f"fields eventName | {sorted_} | lookup t account as {ACCOUNT} OUTPUT eventName") == [
        {"eventName": "x"}, {"eventName": ""}, {},
    ]  # fmt: skip
    assert rows(f"fields eventName | {sorted_} | lookup t account as {ACCOUNT} OUTPUTNEW eventName, team") == [
        {"eventName": "GetObject", "team": "core"}, {"eventName": "HeadBucket", "team": "web"}, {"eventName": "Decrypt"},
    ]  # fmt: skip


def test_the_key_of_the_same_name():
    """A key without `as` is a column and a field of one name; without fields, those of records are shown as well."""
    table = Table(("eventName", "kind"), (("GetObject", "read"),))
    (first, *_) = rows("sort @timestamp | lookup t eventName OUTPUT kind | limit 1", tables={"t": table})
    assert (list(first), first["kind"]) == (["@timestamp", "@message", "kind"], "read")


def test_after_stats_and_again():
    """A group's column is a key like others, and a table can be asked twice."""
    text = f"stats count(*) as n by {ACCOUNT} as a | lookup t account as a OUTPUT team | lookup t team OUTPUT eventName | filter team = 'core' | sort n desc"
    assert rows(text) == [{"a": "0", "n": "2", "team": "core", "eventName": "x"}]
    with pytest.raises(QueryError, match="Unknown symbols found in or after stats: a"):
        parse_query("stats count(*) by b | lookup t a OUTPUT team")


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_a_stage_changes_nothing_else(query):
    """Wherever a lookup stands in a query, the rest is answered as if it did not."""
    expected = rows(query, MESSAGES)
    for command in parse_query(query).commands:
        before, after = query[: command.span.start], query[command.span.start :]
        if "stats" in before or "dedup" in before:  # where there is no account, or nothing may follow
            continue
        found = rows(f"{before}{LOOK} | {after}", MESSAGES)
        assert [{name: value for name, value in row.items() if name != "team"} for row in found] == expected


def test_structures_go_through_a_stage():
    """What was taken out of one before it and behind it is the same."""
    text = f"fields jsonParse(text) as j, j.b as b | sort @timestamp | {LOOK} | display j.a[0] as first, b, b.c, j | limit 2"
    assert rows(text) == [
        {},
        {"first": "1", "b": '{"c":0.25}', "b.c": "0.25", "j": '{"a":[1,"x",null,true],"b":{"c":0.25}}'},
    ]


def test_pattern():
    """The columns are the service's, and those are all there are; patterns of most rows come first."""
    text = "filter eventName like 'Object' or eventName = 'Decrypt' | fields concat('did ', eventName, ' at last') as x | pattern x"
    assert rows(text) == [
        {"@pattern": "did <Token-1> at last", "@ratio": "1", "@sampleCount": "3"},
    ]
    later = f"{text} | fields @sampleCount * 2 as twice, eventName, bin(1h) | filter @ratio > 0.5 | display twice, eventName, @severityLabel"
    assert rows(later) == [{"twice": "6"}]


def test_pattern_of_nothing():
    """What is missing has no pattern."""
    assert rows("pattern nope") == []


def test_ratios_and_levels():
    """A ratio has four digits; a level is what a word of the pattern says."""
    messages = [json.dumps({"eventTime": "2026-03-01T10:00:00Z", "m": each}) for each in ("[ERROR] a", "all b is well", "all c is well")]  # fmt: skip
    assert rows("pattern m | sort @sampleCount asc", messages) == [
        {"@pattern": "[ERROR] a", "@ratio": "0.3333", "@sampleCount": "1", "@severityLabel": "Error"},
        {"@pattern": "all <Token-1> is well", "@ratio": "0.6667", "@sampleCount": "2"},
    ]


def test_diff():
    """Patterns of both times, those first whose number changed most, and what became of each."""

    def told(*texts):
        return [json.dumps({"eventTime": "2026-03-01T10:00:00Z", "m": each}) for each in texts]

    text = "pattern m | diff previousDay | display @pattern, @sampleCount, @diffEventCount, @differenceDescription"
    now = told("same 1", "same 2", "new", "up", "up", "up", "down")
    before = told("same 8", "same 9", "gone", "gone", "gone", "gone", "up", "down", "down")
    found, asked, statistics = answers(text, now, earlier=before)
    assert [list(row.values()) for row in found] == [
        ["gone", "0", "-4", "gone"],
        ["up", "3", "2", "more"],
        ["down", "1", "-1", "fewer"],
        ["new", "1", "1", "new"],
        ["same <Number-1>", "2", "0", "as many"],
    ]
    assert (asked, statistics) == ([None, "previousday"], {"seconds": 0.2, "records_matched": 16})
    (only,) = rows("filter m = 'new' | diff", now, earlier=before)
    assert json.loads(only["@pattern"])["m"] == "new"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("anomaly", "the command 'anomaly' is not supported"),
        ("pattern @message | anomaly", "the command 'anomaly' is not supported"),
        ("stats count(*) | diff", "diff compares patterns: it follows pattern, or stands before stats"),
        ("diff | diff", "diff compares patterns"),
        ("pattern @message | limit 1 | diff", "diff compares patterns"),
        (f"{LOOK} | diff", "diff cannot follow another diff, lookup or join"),
        ("stats count(*) by eventName offset 1h", "an offset moves bins, and there is no bin() behind by"),
        ("stats count(*) by bin(1d) offset 1mo", "an offset is so many weeks, days or less"),
    ],
)
def test_what_cannot_be_run(query, message):
    """It is refused at its place."""
    with pytest.raises(QueryError) as caught:
        plan_segments(parse_query(query), Moments(0, 0))
    assert message in str(caught.value)


@pytest.mark.parametrize("query", ["pattern @message", "diff", LOOK])
def test_one_plan_is_not_enough(query):
    """Who asks for a single plan is told so."""
    with pytest.raises(QueryError, match=f"the command '{query.split()[0]}' is not supported"):
        plan_query(parse_query(query), Moments(0, 0))


def test_bins_that_are_moved():
    """A bin counts the records of so much earlier."""
    text = "stats count(*) as n by bin({}) as t offset {}"
    assert rows(text.format("1h", "1d")) == [{"t": "2026-03-02 10:00:00.000", "n": "6"}]
    assert rows(text.format("2m", "1m")) == [
        {"t": "2026-03-01 10:00:00.000", "n": "1"},
        {"t": "2026-03-01 10:02:00.000", "n": "2"},
        {"t": "2026-03-01 10:04:00.000", "n": "2"},
        {"t": "2026-03-01 10:06:00.000", "n": "1"},
    ]
    again = "stats count(*) as n by bin(1h) as t offset 1d | filter toMillis(t) > 0 | stats sum(n) as all by datefloor(t, 1d)"
    assert rows(again) == [{"datefloor(t, 1d)": "2026-03-02 00:00:00.000", "all": "6"}]


def test_all_rows_can_be_asked_for():
    """One more than all is a number that every engine takes: Spark's is of 32 bits."""
    assert ALL + 1 < 2**31
