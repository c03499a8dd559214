"""Queries within queries: values behind `in`, and rows beside rows. Held against plain loops in Python."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from messages import MESSAGES
from test_query_stages import FEW, answers, rows

from rolewatch.base.errors import CannotDo
from rolewatch.engines import stages
from rolewatch.insights import Moments, QueryError, parse_query, plan_nested, plan_segments

ID = "userIdentity.accountId"
SOME = MESSAGES[:30]


def test_values():
    """A query behind `in` is asked first, and its values stand for a list; `not in` takes the rest."""
    inner = "filter eventName in ['HeadBucket', 'GetObject'] | display userIdentity.accountId"
    assert rows(f"filter {ID} in ({inner}) | sort @timestamp | display eventName") == [
        {"eventName": name} for name in ("GetObject", "HeadBucket", "get*[x", "")
    ]
    assert rows(f"filter {ID} not in (SOURCE 'a', 'b' | {inner}) | sort @timestamp | display eventName") == [
        {"eventName": "Decrypt"}, {"eventName": "PutObject"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("filter size in (filter size = 10 | display size)", 2),
        ("filter size in (filter isNumeric(size) | display toNumber(size))", 22),
        ("filter toNumber(size) in (filter eventName = 'Decrypt' | display toNumber(size) * 0.7)", 4),
        ("filter @timestamp in (filter eventName = 'Decrypt' | display @timestamp)", 2),
        ("filter readOnly in (filter eventName = 'HeadBucket' | display readOnly)", 15),
        ("fields jsonParse(text) as k | filter k.b.c in (filter eventName = 'Decrypt' | fields jsonParse(text) as j | display j.b.c)", 2),
        ("filter strlen(eventName) in (stats count(*) as n by userIdentity.accountId | filter n > 7 | display n)", 0),
        ("filter eventName in (stats count(*) as n by eventName | sort n desc, eventName | limit 1 | display eventName)", 3),
        ("filter eventName in (pattern eventName | filter @pattern = 'Decrypt' | display @pattern)", 2),
        ("filter eventName in (filter eventName = 'nothing' | display eventName)", 0),
        ("filter eventName not in (filter eventName = 'nothing' | display eventName)", 30),
        ("filter eventName in (filter nothing = 1 | display nothing) or eventName = 'Decrypt'", 2),
        ("filter awsRegion not in (display awsRegion)", 10),
    ],
)  # fmt: skip
def test_values_of_every_kind(text, number):
    """Values are compared as those of a list are: as numbers if all of them are numbers; what is missing is none of them."""
    assert len(rows(text, SOME)) == number


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "filter a in (filter b = 1)",
            "a query behind in gives one column, and this one gives @timestamp, @message",
        ),
        ("filter a in (fields b, c)", "a query behind in gives one column, and this one gives b, c"),
        ("filter a in (stats count(*) as n by b)", "and this one gives b, n (end it with `| display field`)"),
        ("filter a in (pattern b)", "and this one gives @pattern, @ratio"),
        ("filter a in (diff | display @pattern)", "diff cannot stand in a query within a query"),
    ],
)
def test_what_is_no_list(text, message):
    """What a query behind `in` gives is known before it is asked."""
    with pytest.raises(QueryError) as caught:
        plan_nested(parse_query(text), Moments(0, 0))
    assert message in str(caught.value)


def test_too_much(monkeypatch):
    """Beyond some values, and some rows of a join, a query is refused with what to do about it."""
    monkeypatch.setattr(stages, "MOST_VALUES", 13)
    with pytest.raises(CannotDo, match="gives more than 13 values"):
        rows("filter eventName in (display eventName)", SOME)
    monkeypatch.setattr(stages, "MOST_JOINED", 20)
    with pytest.raises(CannotDo, match="the join makes more than 20 rows"):
        rows(f"join left=a right=b where a.{ID} = b.{ID} (display x)", SOME)


def test_inner_and_left():
    """Each row stands beside every row of the other query with its value; with type=left it stays without one."""
    other = "(filter eventName in ['GetObject', 'get*[x', 'HeadBucket'])"
    shown = "sort a.@timestamp, b.@timestamp | display a.eventName as x, b.eventName as y"
    inner = [
        {"x": "GetObject", "y": "GetObject"},
        {"x": "GetObject", "y": "get*[x"},
        {"x": "HeadBucket", "y": "HeadBucket"},
        {"x": "get*[x", "y": "GetObject"},
        {"x": "get*[x", "y": "get*[x"},
        {"x": "", "y": "HeadBucket"},
    ]
    assert rows(f"join left=a right=b where a.{ID}=b.{ID} {other} | {shown}") == inner
    left = rows(f"join TYPE=LEFT left=a right=b WHERE b.{ID} = a.{ID} {other} | {shown}")
    assert left == [*inner[:3], {"x": "Decrypt"}, {"x": "PutObject"}, *inner[3:]]


def test_what_is_missing_is_not_equal():
    """Rows without a value of the key have no partner, not even one without a value."""
    text = "join {} left=a right=b where a.errorCode = b.errorCode (fields @timestamp) | stats count(*) as n"
    assert rows(text.format("type=inner"), SOME) == [{"n": "25"}]
    assert rows(text.format("type=left"), SOME) == [{"n": "50"}]


def test_order():
    """Rows have the order of the query, and beside one row the others have theirs; a limit takes the first of both."""
    text = f"sort @timestamp | join left=a right=b where a.{ID} = b.{ID} (sort eventName desc) | limit 4 | display eventName, b.eventName"
    assert rows(text) == [
        {"eventName": "GetObject", "b.eventName": "get*[x"},
        {"eventName": "GetObject", "b.eventName": "GetObject"},
        {"eventName": "HeadBucket", "b.eventName": "HeadBucket"},
        {"eventName": "HeadBucket", "b.eventName": ""},
    ]
    text = f"limit 1 | join left=a right=b where a.{ID} = b.{ID} (limit 2 | fields eventName) | display eventName, b.eventName"
    assert rows(text) == [{"eventName": "", "b.eventName": ""}]


def test_what_is_shown():
    """Without a choice behind it, what both queries show; names have their alias where they are the other's."""
    (row,) = rows(f"fields eventName | join left=a right=b where a.{ID} = b.{ID} (stats count(*) as n by {ID} | filter n = 2) | sort @timestamp | limit 1")  # fmt: skip
    assert row == {"eventName": "GetObject", f"b.{ID}": "0", "b.n": "2"}
    (row,) = rows(f"join left=a right=b where a.{ID} = b.{ID} (fields eventName) | limit 1")
    assert list(row) == ["@timestamp", "@message", "b.eventName"]
    (row,) = rows(
        f"join left=a right=b where a.{ID} = b.{ID} (fields eventName) | fields b.@timestamp | limit 1"
    )
    assert list(row) == ["b.@timestamp"]
    (row,) = rows(f"fields eventName | join left=a right=b where a.{ID} = b.{ID} (limit 1) | limit 1")
    assert list(row) == ["eventName", "b.@timestamp", "b.@message"]


def test_all_that_follows():
    """Fields of both sides can be computed with, filtered, parsed, unnested, sorted and grouped by."""
    other = "(filter eventName = 'HeadBucket' | fields strlen(eventName) as size, jsonParse(text) as j)"
    text = f"""
        fields strlen(eventName) as length
        | join type=left left=a right=b where a.{ID} = b.{ID} {other}
        | parse b.userIdentity.arn "*:role/*" as before, role
        | fields a.length + b.size as both, b.j.a[1] as second
        | filter ispresent(b.eventName)
        | sort both desc
        | display both, role, second, b.awsRegion
    """
    assert rows(text) == [
        {"both": "20", "role": "R1", "second": "x", "b.awsRegion": "eu-west-1"},
        {"both": "10", "role": "R1", "second": "x", "b.awsRegion": "eu-west-1"},
    ]
    text = f"join left=a right=b where a.{ID} = b.{ID} (fields x) | stats count(*) as n, count_distinct(b.eventName) as names by a.{ID} as who | sort n desc, who"
    assert rows(text) == [{"who": str(each), "n": n, "names": names} for each, n, names in ((0, "4", "2"), (1, "4", "2"), (2, "1", "1"), (3, "1", "1"))]  # fmt: skip
    text = f"join left=a right=b where a.{ID} = b.{ID} (fields jsonParse(text) as j) | fields b.j.a as list | unnest list into each | filter each = 'x' | stats count(*) as n"
    assert rows(text) == [{"n": "6"}]


def test_joined_to_groups():
    """Groups are rows like others, on both sides, and several keys have to be equal at once."""
    text = """
        stats count(*) as n by eventName, readOnly
        | join left=a right=b where a.n = b.m and a.eventName = b.name (stats count(*) as m by eventName as name)
        | stats count(*) as rows, sum(b.m) as records
    """
    assert rows(text, SOME) == [{"rows": "14", "records": "30"}]
    text = "stats max(toNumber(size)) as x | join left=a right=b where a.x = b.x (stats max(toNumber(size)) as x, count(*) as n) | display b.n"
    assert rows(text, SOME) == [{"b.n": "30"}]


def test_with_other_stages():
    """Tables can be looked up in on both sides, patterns joined to what has them, and values be found for both."""
    other = f"(lookup t account as {ID} OUTPUT team | filter team = 'web')"
    text = f"filter {ID} in (filter eventName = 'HeadBucket' | display {ID}) | join left=a right=b where a.{ID} = b.{ID} {other} | lookup t account as b.{ID} OUTPUT eventName | stats count(*) as n by b.team, eventName"
    assert rows(text) == [{"b.team": "web", "eventName": "", "n": "4"}]
    text = "pattern eventName | join left=a right=b where a.@pattern = b.eventName (fields awsRegion) | filter a.@sampleCount = 1 | stats count(*) as n"
    assert int(rows(text)[0]["n"]) == len(FEW)


def test_what_it_rests_on():
    """Records of all queries are counted."""
    _, asked, statistics = answers(f"filter {ID} in (display {ID}) | join left=a right=b where a.{ID} = b.{ID} (filter eventName = 'Decrypt') | limit 1")  # fmt: skip
    assert asked == [None, None, None]
    assert statistics["records_matched"] == len(FEW) * 2 + 1


SIDES = [
    "filter size > 1",
    "filter readOnly = 1",
    "sort eventName | limit 7",
    "filter eventName like 'e'",
    "limit 1",
    "filter size = 'no'",
]
KEYS = [
    ID,
    "eventName",
    "awsRegion",
    "errorCode",
    "size",
    "readOnly",
    "@timestamp",
    "text",
    "resources.0.ARN",
    "nothing",
]


@settings(max_examples=40)
@given(st.sampled_from(SIDES), st.sampled_from(SIDES), st.lists(st.sampled_from(KEYS), min_size=1, max_size=2, unique=True), st.booleans())  # fmt: skip
def test_as_loops_do(here, there, keys, inner):
    """Two nested loops over the rows of both queries find the same rows in the same order."""
    where = " and ".join(f"a.{key} = b.{key}" for key in keys)
    shown = ", ".join(f"{key} as k{number}" for number, key in enumerate(keys))
    text = f"{here} | sort @timestamp | join type={'inner' if inner else 'left'} left=a right=b where {where} ({there} | sort @timestamp desc) | display a.@timestamp as x, b.@timestamp as y"
    left = rows(f"{here} | sort @timestamp | fields @timestamp as t, {shown}", SOME)
    right = rows(f"{there} | sort @timestamp desc | fields @timestamp as t, {shown}", SOME)
    expected = []
    for row in left:
        names = [f"k{number}" for number in range(len(keys))]
        beside = [
            other for other in right if all(name in row and row[name] == other.get(name) for name in names)
        ]
        expected += [{"x": row["t"], "y": other["t"]} for other in beside]
        expected += [{"x": row["t"]}] if not (beside or inner) else []
    assert rows(text, SOME) == expected


def test_without_values_it_is_a_plan():
    """What a query shows is known before the queries within it were asked."""
    query = parse_query("filter a in (display b) | fields c")
    (part,) = plan_segments(query, Moments(0, 0))
    assert [each.name for each in part.plan.shown] == ["c"]
