"""Spark as rolewatch asks it: total whatever is put into it, also in its ANSI mode, and shut off from what is typed."""

import json
import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_duckdb import HOSTILE, TIME
from trails import planned, record

from rolewatch.engines.duckdb import rows_of as in_duckdb
from rolewatch.engines.duckdb_sql import DUCKDB
from rolewatch.engines.functions import FUNCTIONS, PREFIX
from rolewatch.engines.spark import register, relation, rows_of, rows_over
from rolewatch.engines.spark_functions import IN_PYTHON
from rolewatch.engines.spark_sql import SPARK, literal
from rolewatch.engines.sql import statement
from rolewatch.engines.times import FIRST, LAST
from rolewatch.plan import Apply, Constant, Get, Plan, Shown, Type, gets

pytestmark = [pytest.mark.slow, pytest.mark.spark]


@pytest.fixture(params=["false", "true"], ids=["plain", "ANSI"])
def both_modes(spark, request):
    """Give the session, in the mode that Spark 3 starts in and in that of Spark 4."""
    before = spark.conf.get("spark.sql.ansi.enabled")
    spark.conf.set("spark.sql.ansi.enabled", request.param)
    yield spark
    spark.conf.set("spark.sql.ansi.enabled", before)


def answered(spark, query, number=1, /, *, most=100, **fields):
    """Answer a query over columns."""
    plan = planned(query)
    columns = {"@timestamp": [TIME] * number, "@message": ["{}"] * number} | fields
    return rows_of(spark, plan, {get: columns[get.steps[0]] for get in gets(plan)}, number, most=most)


def shown(spark, *expressions):
    """Give the values of expressions without a column."""
    plan = Plan((), tuple(Shown(f"{number}", each) for number, each in enumerate(expressions)))
    ((values,), matched) = rows_of(spark, plan, {}, 1, most=2)
    assert matched == 1
    return values


@settings(max_examples=20)
@given(st.lists(st.text(), min_size=8, max_size=8))
@example(["", "\0", "a'b", "\\", "\\'", "${spark.master}", "{0}", "'; DROP VIEW records; --"])
@example(['"', "`", "\n", "%", ":x", "?", "/*", "\\u0041"])
@example(["\ud800", "\ufffe", "\U0001f512", "X'41'", "\\\\'", "x" * 5000, "--", "r'a'"])
def test_constants(spark, texts):
    """A constant is whatever text it is; half of a character, which no text can hold, is the sign for that."""
    expected = tuple(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts)
    assert shown(spark, *(Constant(text, Type.TEXT) for text in texts)) == expected
    assert not any(set(literal(text, Type.TEXT)) & set('\\`"${}%;\n\0') for text in texts)


def test_numbers_and_times(spark):
    """Constants of other types are what they are."""
    numbers = [0.0, -1.5, 1e300, 5e-324, 1e15, 0.1]
    given = [Constant(number, Type.NUMBER) for number in numbers]
    times = [Constant(time, Type.TIME) for time in (FIRST, LAST, -(2**63), 2**63 - 1)]
    truths = [Constant(truth, Type.TRUTH) for truth in (True, False, None)]
    found = shown(spark, *given, *times, *truths, Constant(math.inf, Type.NUMBER))
    assert found == (*numbers, FIRST, LAST, -(2**63), 2**63 - 1, True, False, None, None)


ARGUMENTS = {
    name: (Type.TEXT,) * count
    for count, names in {
        1: ("toupper", "tolower", "jsonparse", "jsonstringify", "jsonarraysize", "leaf"),
        2: (
            "split",
            "jsonarraycontains",
            "strcontains",
            "startswith",
            "endswith",
            "trim",
            "less_text",
            "inside",
        ),
        3: ("replace",),
    }.items()
    for name in names
}
ARGUMENTS |= {
    name: (Type.NUMBER,) * count
    for count, names in {
        1: ("text_of_number", "time_of_number", "ceil", "floor", "toint", "log", "sqrt", "negative", "abs"),
        2: ("round", "add", "subtract", "multiply", "divide", "remainder", "power", "less", "greatest"),
    }.items()
    for name in names
}
ARGUMENTS |= {"substr": (Type.TEXT, Type.NUMBER, Type.NUMBER), "text_of_time": (Type.TIME,)}
NUMBERS = [0.0, -0.0, 1e308, -1e308, 1e-320, 90.0, 720.5, 2.5, -2.5, 1e15, 2.0**53, 9.3e18, -9.3e18, None]
MOMENTS = [0, TIME, FIRST, LAST, None]


def test_primitives_are_total(both_modes):
    """What Spark does itself gives a value or nothing for whatever texts, numbers and times it is called with."""
    values = {
        Type.TEXT: [*HOSTILE, "1.5", "-1e999", "[1]", "(", "[a"],
        Type.NUMBER: NUMBERS,
        Type.TIME: MOMENTS,
    }
    expressions = [
        Apply(name, tuple(Constant(values[kind][(turn * (place + 1) + place) % len(values[kind])], kind) for place, kind in enumerate(kinds)), Type.TEXT)
        for name, kinds in ARGUMENTS.items()
        for turn in range(20)
    ]  # fmt: skip
    found = shown(both_modes, *expressions)
    assert all(value is None or not isinstance(value, float) or math.isfinite(value) for value in found)


@pytest.mark.parametrize("name", sorted(IN_PYTHON))
def test_functions_are_found(spark, name):
    """A function in Python is called by its name, and answers nothing where an argument is missing."""
    counts = {"matches": 2, "extract": 3, "extract_all": 2, "regexreplace": 3, "split": 2, "jsonarraycontains": 2, "inside": 2}  # fmt: skip
    count = len(FUNCTIONS[name].arguments) if name in FUNCTIONS else counts.get(name, 1)
    call = f"{PREFIX}{name}({', '.join(['NULL'] * count)})"
    register(spark, call)
    ((value,),) = spark.sql(f"SELECT {call}").collect()
    assert value == ([None] if name == "elements" else None)


def test_sparse_columns(spark):
    """A value far behind many missing ones is found, in texts and in times."""
    number = 5_000
    texts, times = [None] * number, [None] * number
    texts[-7], times[-7] = "AccessDenied", TIME
    fields = {"x": texts, "@timestamp": times}
    assert answered(spark, "filter ispresent(x) | fields x, @timestamp", number, **fields) == ([("AccessDenied", TIME)], 1)  # fmt: skip
    assert answered(spark, "stats count(x), count(*), min(@timestamp)", number, **fields)[0] == [(1.0, 5_000.0, TIME)]  # fmt: skip
    assert answered(spark, "stats count(x), max(x)", number, x=[None] * number)[0] == [(0.0, None)]


def test_texts_that_look_like_others(spark):
    """A column of texts stays one, whatever they look like."""
    texts = ["1", "01", "1.0", "true", "NULL", "2026-03-01", "nan", "", " ", "[]", "\0", "a\0b", None]
    found, _ = answered(spark, "fields x, i | sort i asc", len(texts), x=texts, i=[f"{n:03}" for n in range(len(texts))])  # fmt: skip
    assert [text for text, _ in found] == texts
    groups, _ = answered(spark, "stats count(*) as n by x", len(texts), x=texts)
    assert sorted(groups, key=repr) == sorted([(text, 1.0) for text in texts], key=repr)


def test_many_columns(spark):
    """A query may ask for hundreds of fields, and each is its own."""
    names = [f"field{number}" for number in range(200)]
    fields = {name: [f"{name} of {row}" for row in range(3)] for name in names}
    found, matched = answered(spark, f"fields {', '.join(names)} | sort field0 asc", 3, **fields)
    assert found == [tuple(f"{name} of {row}" for name in names) for row in range(3)]
    assert matched == 3


@pytest.mark.parametrize("number", [0, 1, 2])
def test_few_records(spark, number):
    """No record at all, and queries that ask for no field of records, are answered too."""
    assert answered(spark, "stats count(*)", number) == ([(float(number),)], number)
    assert answered(spark, "filter 1 = 2 | stats count(*)", number) == ([(0.0,)], 0)
    assert answered(spark, "stats count(*) by x", number, x=["a"] * number) == ([("a", float(number))] * (number > 0), number)  # fmt: skip


@pytest.mark.parametrize(
    "query", ["stats earliest(x), latest(x)", "stats earliest(x) as first, latest(x) as last by y"]
)
def test_values_of_one_time(spark, query):
    """Of values of the same time the lowest or the highest counts, in each engine."""
    fields = {"x": ["b", "B", "ä", None, "10"], "y": [None] * 5}
    plan, columns = planned(query), fields | {"@timestamp": [TIME] * 5}
    wanted = {get: columns[get.steps[0]] for get in gets(plan)}
    found = rows_of(spark, plan, wanted, 5, most=2)
    assert found == in_duckdb(plan, wanted, 5, most=2)
    assert found[0][0][-2:] == ("10", "ä")


def test_dialects_know_the_same():
    """What one engine has words for, the other one has as well."""
    known = [{*(name.removesuffix("_2").removesuffix("_3") for name in dialect.templates), *dialect.special} for dialect in (SPARK, DUCKDB)]  # fmt: skip
    assert known[0] - {"elements"} == known[1]
    assert set(SPARK.aggregates) == set(DUCKDB.aggregates)


def test_most(spark):
    """No more rows are taken than asked for, and what matched is counted nevertheless."""
    found, matched = answered(spark, "filter x = 'a' | fields x", 50, most=3, x=["a", "b"] * 25)
    assert (len(found), matched) == (3, 25)


def test_a_statement_names_nothing():
    """Names that somebody typed are in no statement."""
    written = statement(planned("fields `evil\"name` as `other'name`, 1 as `third`"), SPARK)
    assert not any(word in written for word in ("evil", "other", "third"))


@pytest.mark.parametrize("texts", [["1e999"], ["-1e999"], ["9" * 400], ["1e308"] * 3, ["1e308", "1e308", "-1e308"]])  # fmt: skip
def test_numbers_are_finite(both_modes, texts):
    """A number that no double holds is missing, be it written so in a record or what is made of others."""
    found, _ = answered(both_modes, "fields x + 0, x * 10, x ^ 2, abs(x)", len(texts), x=texts)
    found += answered(both_modes, "stats sum(x), avg(x), stddev(x), variance(x), sum(x * 1e300)", len(texts), x=texts)[0]  # fmt: skip
    assert all(value is None or math.isfinite(value) for row in found for value in row)


def test_times_have_a_year(both_modes):
    """A time that is rounded beyond the years 1 to 9999 is missing."""
    calls = ["bin(2000y)", "bin(9999w)", "datefloor(@timestamp, 7mo)", "dateceil(@timestamp, 1w)", "dateceil(@timestamp, 999y)"]  # fmt: skip
    query = "fields " + ", ".join(f"{call}, concat({call}, '')" for call in calls)
    times = [FIRST, LAST, 0, -1, TIME]
    for row in answered(both_modes, query, len(times), **{"@timestamp": times})[0]:
        for value, text in zip(row[::2], row[1::2], strict=True):
            assert value is None or FIRST <= value <= LAST
            assert (value is None) == (text is None)


def test_two_unnests(spark):
    """Steps of a kind may follow each other, and do not get in each other's way."""
    query = "fields jsonParse(j) as s | unnest s into a | unnest s into b | stats count(*) as n by a, b"  # fmt: skip
    rows, matched = answered(spark, query, 3, j=["[1,2]", "[]", "[3]"])
    pairs = [("1", "1"), ("1", "2"), ("2", "1"), ("2", "2"), ("3", "3")]
    assert (rows, matched) == ([(*pair, 1.0) for pair in pairs], 3)


def test_fields_of_whole_records(spark):
    """Fields come from columns where a frame has one, and are decoded of the record's text where it has none."""
    records = [record(number) for number in range(30)]
    given = [(json.dumps(each), each["awsRegion"], number) for number, each in enumerate(records)]
    frame = spark.createDataFrame([*given, ("no JSON", "x", None), (None, None, None)], "record STRING, region STRING, number BIGINT")  # fmt: skip
    columns = {Get(("awsRegion",)): "region", Get(("@timestamp",), Type.TIME): "number * 1000"}
    plan = planned(
        "fields awsRegion, @timestamp, eventID, requestParameters.list.1, nope | sort @timestamp asc"
    )
    rows, matched = rows_over(relation(frame, gets(plan), columns, "record"), plan, most=100)
    assert sorted(rows[:2], key=str) == [("x", None, None, None, None), (None, None, None, None, None)]
    assert rows[2:] == [("us-east-1", number * 1000, each["eventID"], str(number), None) for number, each in enumerate(records)]  # fmt: skip
    assert matched == 32
