"""The oracle itself, against expectations that were written by hand."""

import json
import random

import pytest
from reference import run
from reference_cases import CONDITIONS, EXPRESSIONS, RECORD

MINUTE = 60_000
START = 1_772_358_000_000  # 2026-03-01T09:40:00Z, a Sunday


def records(field, values):
    """Give records a minute apart, the newest first, each with a value of a field, or without it if that is None."""
    return [
        {"eventTime": f"2026-03-01T10:{59 - place}:00Z"} | ({} if value is None else {field: value})
        for place, value in enumerate(values)
    ]


def ran(query, *given):
    """Run a query over records."""
    return run(
        query, [json.dumps(each) for each in given], start=START, end=START + 20 * MINUTE + 999, log="1:l"
    )


def column(query, *given, name="x"):
    """Run a query over records, and give one column, None where it is missing."""
    return [row.get(name) for row in ran(query, *given)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    EXPRESSIONS,
)
def test_expressions(expression, expected):
    """An expression has the value that the documentation gives it."""
    assert column(f"fields {expression} as x", RECORD) == [expected]


@pytest.mark.parametrize(
    ("condition", "expected"),
    CONDITIONS,
)
def test_conditions(condition, expected):
    """A condition is true or false, never missing."""
    assert (ran(f"filter {condition}", RECORD) != []) is expected
    assert column(f"fields {condition} and true as x", RECORD) == ["1" if expected else "0"]


def test_default_columns():
    """Without a command that shows something, the time and the message are shown, the newest first."""
    given = ['{"eventTime": "2026-03-01T10:00:00Z"}', "no JSON", '{"eventTime":"2026-03-01T10:00:00.25Z"}']
    assert run("filter true", given, start=0, end=1) == [
        {"@timestamp": "2026-03-01 10:00:00.250", "@message": given[2]},
        {"@timestamp": "2026-03-01 10:00:00.000", "@message": given[0]},
        {"@message": given[1]},
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("fields count, strlen( name )", {"count": "12", "strlen( name )": "9"}),
        ("fields count | fields count, ok", {"count": "12", "ok": "1"}),
        ("fields count as n | display n + 1 as m, n", {"m": "13", "n": "12"}),
        ("display count | display ok | fields name", {"ok": "1"}),
        ("fields count as n | filter n = 12 | fields n * 2 as d, d + 1 as e", {"n": "12", "d": "24", "e": "25"}),
        ("fields name as count | fields count", {"count": "xyZfooxyZ"}),
        ("SOURCE logGroups() | fields count | unmask count", {"count": "12"}),
        ("display messageSize() = strlen(@message) as x", {"x": "1"}),
        ("fields jsonParse(json) as j | display j.n, j.l[1], j.l.3.k, j.l[2], j.l[3], j.t",
         {"j.n": "1.50", "j.l.1": "a", "j.l.3.k": "1", "j.l.3": '{"k":true}', "j.t": "0"}),
    ],
)  # fmt: skip
def test_columns(query, expected):
    """Fields add up, the last display wins, and names can be used from where they are given."""
    assert ran(query, RECORD) == [expected]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("parse a '[*] * end' as x, y", {"x": "1", "y": "b c"}),
        ("parse a '* end*' as x, y", {"x": "pre [1] b c", "y": " end"}),
        ("parse a '] *' as x", {"x": "b c end end"}),
        ("parse a 'none*' as x", {}),
        ("parse a '*zzz' as x", {}),
        ("parse absent '*' as x", {}),
        ("parse a /(?<x>[0-9])(?<y>z)?/", {"x": "1", "y": ""}),
        ("parse a /(?<x>none)/", {}),
        ("parse a /[a-c] / as x multi", {"x": '["b ","c "]'}),
        ("parse '\"a\": \"*\"' as x", {"x": "pre [1] b c end end"}),
    ],
)  # fmt: skip
def test_parse(query, expected):
    """A `*` takes as little as possible, the last one the rest; without a match the row stays, its fields missing."""
    given = {"a": "pre [1] b c end end", "x": "hidden"}
    assert ran(f"{query} | display x, y", given) == [expected]


SORTED = ["!:", "#", "*%04", "0#", "5A", "111A", "2345_", "@", "@_", "A", "A9876fghj", "a12345hfh", "0", "01", "1", "2", "3"]  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_sort_as_documented(seed):
    """Texts sort part by part before numbers, and descending is the exact reverse."""
    mixed = random.Random(seed).sample(SORTED, len(SORTED))
    assert column("fields a as x | sort a", *records("a", mixed)) == SORTED
    assert column("fields a as x | sort a desc", *records("a", mixed)) == SORTED[::-1]


@pytest.mark.parametrize(
    ("query", "values", "expected"),
    [
        ("sort a", ["b", None, "1", ""], [None, "", "b", "1"]),
        ("sort a desc", ["b", None, "1", ""], ["1", "b", "", None]),
        ("sort a", ["1", "01", "001"], ["001", "01", "1"]),
        ("sort a desc", ["1", "01", "001"], ["1", "01", "001"]),
        ("sort a + 0", ["10", "9.5", "-1", "x"], ["x", "-1", "9.5", "10"]),
        ("sort strlen(a) desc, a", ["b", "cc", "a"], ["cc", "a", "b"]),
        ("sort @timestamp", ["a", "b", "c"], ["c", "b", "a"]),
        ("limit 2", ["a", "b", "c"], ["a", "b"]),
        ("limit any 2", ["a", "b", "c"], ["a", "b"]),
        ("tail 2", ["a", "b", "c"], ["b", "c"]),
        ("limit 2 | filter a != 'a'", ["a", "b", "c"], ["b"]),
        ("dedup a", ["a", None, "a", None, "b"], ["a", None, None, "b"]),
        ("sort @timestamp | dedup a | limit 2", ["a", "b", "a"], ["a", "b"]),
        ("filterIndex a in ['b', 'c']", ["a", "b"], ["b"]),
    ],
)  # fmt: skip
def test_rows(query, values, expected):
    """Rows are sorted, cut and told apart as documented; those that are equal keep their order."""
    assert column(f"fields a as x | {query}", *records("a", values)) == expected


def test_most_rows():
    """Without a limit there are 10,000 rows."""
    given = [{"a": 1}] * 10_001
    assert len(ran("fields a", *given)) == 10_000
    assert len(ran("fields a | limit 20000", *given)) == 10_001


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('[{"k": "a"}, "b", null, 1.0]', ['{"k":"a"}', "b", None, "1.0"]),
        ("[]", []),
        ('{"k": "a"}', ['{"k":"a"}']),
        ("no JSON", [None]),
    ],
    ids=["list", "empty", "map", "missing"],
)
def test_unnest(source, expected):
    """Each element of a list has a row; what is no list is the only element of its own."""
    assert (
        column("fields jsonParse(a) as j | unnest j into e | fields e as x", *records("a", [source]))
        == expected
    )


def test_unnest_and_look_inside():
    """What an element holds is reached by its name, and can be summed up."""
    given = records("a", ['[{"id": "p", "n": 2}, {"id": "q", "n": 1}, {"id": "p", "n": 3}]'])
    query = "fields jsonParse(a) as j | unnest j into e | stats sum(e.n) as n by e.id | sort n desc"
    assert ran(query, *given) == [{"e.id": "p", "n": "5"}, {"e.id": "q", "n": "1"}]


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        ("count()", "7"),
        ("count(*)", "7"),
        ("count(a)", "6"),
        ("count(z)", "0"),
        ("count_distinct(a)", "5"),
        ("sum(a)", "18"),
        ("avg(a)", "4.5"),
        ("min(a)", "1.0"),
        ("max(a)", "10"),
        ("sortsFirst(a)", "1.0"),
        ("sortsLast(a)", "10"),
        ("min(a + 0)", "1"),
        ("earliest(a)", "1.0"),
        ("latest(a)", "5"),
        ("pct(a, 50)", "3.5"),
        ("pct(a, 25)", "1.75"),
        ("pct(a, 100)", "10"),
        ("variance(a)", "12.25"),
        ("stddev(a)", "3.5"),
        ("values(a)", '["1.0","b","2","5","10"]'),
        ("sum(z)", None),
        ("avg(b)", None),
        ("min(z)", None),
        ("values(z)", None),
        ("sum(a) / count(*)", "2.5714285714285716"),
        ("max(@timestamp)", "2026-03-01 10:59:00.000"),
    ],
)
def test_aggregates(aggregate, expected):
    """A function of several rows looks at those that have a value; 1.0 is no number to sort, as it is not only digits."""
    given = records("a", [5, "10", "b", 2, None, "b", 1.0])
    assert column(f"stats {aggregate} as x", *given) == [expected]


def test_groups():
    """Rows without a value are a group of their own, and groups are in the order of sort."""
    given = records("a", ["b", None, 10, "b", 9, ""])
    assert ran("stats count(*), max(@timestamp) as t by a", *given) == [
        {"count(*)": "1", "t": "2026-03-01 10:58:00.000"},
        {"a": "", "count(*)": "1", "t": "2026-03-01 10:54:00.000"},
        {"a": "b", "count(*)": "2", "t": "2026-03-01 10:59:00.000"},
        {"a": "9", "count(*)": "1", "t": "2026-03-01 10:55:00.000"},
        {"a": "10", "count(*)": "1", "t": "2026-03-01 10:57:00.000"},
    ]


def test_no_rows():
    """Without rows there is one row without by, and none with it."""
    assert ran("stats count(*) as n, sum(a) as s") == [{"n": "0"}]
    assert ran("stats count(*) as n by a") == []


def test_bins_with_an_offset():
    """Bins begin where they do without an offset, and so much later."""
    given = records("a", [1] * 20)
    assert ran("stats count(*) as n by bin(10m) offset 5m", *given) == [
        {"bin(10m)": "2026-03-01 10:35:00.000", "n": "5"},
        {"bin(10m)": "2026-03-01 10:45:00.000", "n": "10"},
        {"bin(10m)": "2026-03-01 10:55:00.000", "n": "5"},
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("stats SUM( a ) by b | sort sum(a) desc | limit 1", [{"SUM( a )": "7", "b": "y"}]),
        ("stats max(a) as high, min(a) as low, high - low as range", [{"high": "4", "low": "1", "range": "3"}]),
        ("stats sum(a) as s by b | filter s > 3 | fields s * 2 as d", [{"b": "y", "s": "7", "d": "14"}]),
        ("stats sum(a) as s by b | display b", [{"b": "x"}, {"b": "y"}]),
        ("stats count(*) by b, c | stats count(*) as n, sum(count(*)) as rows by b", [{"b": "x", "n": "2", "rows": "2"}, {"b": "y", "n": "1", "rows": "2"}]),
        ("stats max(@timestamp) as @t by b | stats count(*) by dateceil(@t, 5m)", [{"dateceil(@t, 5m)": "2026-03-01 11:00:00.000", "count(*)": "2"}]),
        ("stats count(*) as n by bin(1h) | sort bin(1h) desc", [{"bin(1h)": "2026-03-01 10:00:00.000", "n": "4"}]),
    ],
)  # fmt: skip
def test_after_stats(query, expected):
    """After stats there are its outputs, by their names or by how they were written."""
    given = [
        each | {"b": b, "c": c} for each, b, c in zip(records("a", [1, 2, 3, 4]), "xxyy", "pqrr", strict=True)
    ]
    assert ran(query, *given) == expected


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("pattern @message", "PatternOf"),
        ("pattern @message | anomaly", "PatternOf"),
        ("diff", "Diff"),
        ("lookup t a OUTPUT b", "Lookup"),
        ("fields formatDate(@timestamp, 'EEE')", "EEE"),
        ("stats count(*) by bin(1d) offset 1mo", "offset of months"),
    ],
)
def test_not_supported(query, named):
    """What the oracle cannot do is said, not guessed."""
    with pytest.raises(NotImplementedError, match=named):
        ran(query, RECORD)
