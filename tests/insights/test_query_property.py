"""Queries that nobody thought of: engines and the slow evaluator agree, whatever values and names stand in them.

A statement takes Spark so long that it gets several expressions at once, and fewer of all.
"""

import json
from functools import partial

import pytest
from answers import answers
from hypothesis import given, settings
from hypothesis import strategies as st
from messages import MESSAGES
from reference import run
from test_query_engines import alike

from rolewatch.engines.spark import rows_of

FEW = MESSAGES[:30]
FIELDS = st.sampled_from(["size", "eventName", "awsRegion", "errorCode", "readOnly", "@timestamp", "nope", "userIdentity.accountId", "resources.0.ARN", "resources"])  # fmt: skip
HOSTILE = [
    "",
    "a",
    "1",
    "07",
    "-1.5e3",
    "'; DROP TABLE records; --",
    '"',
    "''",
    "\\",
    "%",
    "{0}",
    "{name}",
    "\x00",
    "漢",
    "$1",
    "?",
    "/*",
    "f0",
    "\n",
    "Object",
    " 1",
]
TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=5)
NUMBERS = st.sampled_from(["0", "1", "2", "7", "10", "2.5", "1000000000000000000000", "1e300", "0.1"])


def quoted(text):
    """Write a text as a literal of the language."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


VALUES = FIELDS | NUMBERS | TEXTS.map(quoted) | st.sampled_from(["true", "false"])


def deeper(inner):
    """Return expressions of expressions."""
    pair = st.tuples(inner, inner)
    return st.one_of(
        pair.flatmap(lambda two: st.sampled_from(["+", "-", "*", "/", "%", "=", "!=", "<", "<=", ">", ">=", "and", "or"]).map(lambda sign: f"({two[0]} {sign} {two[1]})")),
        inner.map(lambda one: f"(not {one})"),
        st.tuples(inner, TEXTS.map(quoted), st.sampled_from(["like", "not like"])).map(lambda three: f"({three[0]} {three[2]} {three[1]})"),
        st.tuples(inner, st.lists(NUMBERS | TEXTS.map(quoted), min_size=1, max_size=3), st.sampled_from(["in", "not in"])).map(lambda three: f"({three[0]} {three[2]} [{', '.join(three[1])}])"),
        st.tuples(st.sampled_from(["abs", "ceil", "floor", "strlen", "isempty", "isblank", "ispresent", "toNumber", "isNumeric", "trim", "fromMillis", "toInt"]), inner).map(lambda two: f"{two[0]}({two[1]})"),
        st.tuples(st.sampled_from(["concat", "greatest", "least", "strcontains", "startsWith", "endsWith"]), inner, inner).map(lambda three: f"{three[0]}({three[1]}, {three[2]})"),
        st.tuples(inner, inner, inner).map(lambda three: f"if({three[0]}, concat('', {three[1]}), concat({three[2]}, ''))"),
        st.tuples(inner, inner, inner).map(lambda three: f"replace({', '.join(three)})"),
    )  # fmt: skip


EXPRESSIONS = st.recursive(VALUES, deeper, max_leaves=6)
MANY = st.lists(EXPRESSIONS, min_size=12, max_size=12)
FUNCTIONS = ["count", "min", "max", "sum", "avg", "count_distinct", "latest", "earliest"]


@settings(max_examples=100)
@given(EXPRESSIONS)
def test_values(expression):
    """An expression has the same value for each record."""
    query = f"fields {expression} as value"
    assert alike(answers(query, FEW), run(query, FEW, start=0, end=0))


@settings(max_examples=100)
@given(EXPRESSIONS)
def test_conditions(expression):
    """A condition keeps the same records."""
    query = f"filter {expression} | fields eventTime"
    assert answers(query, FEW) == run(query, FEW, start=0, end=0)


@settings(max_examples=100)
@given(EXPRESSIONS, EXPRESSIONS, st.sampled_from(FUNCTIONS))
def test_groups(expression, group, function):
    """Groups, and what is summed up of them, are the same."""
    query = f"stats {function}({expression}) as value, count(*) by {group} as part"
    assert alike(answers(query, FEW), run(query, FEW, start=0, end=0))


@settings(max_examples=100)
@given(EXPRESSIONS, st.sampled_from(["asc", "desc"]))
def test_order(expression, direction):
    """Rows are sorted the same."""
    query = f"fields eventTime | sort {expression} {direction} | limit 20"
    assert answers(query, FEW) == run(query, FEW, start=0, end=0)


@settings(max_examples=100)
@given(TEXTS, TEXTS)
def test_hostile_texts(value, name):
    """Whatever is typed is a value or a name: it is found in a record that has it, and answered as it is."""
    found_again(value, name, answers)


def found_again(value, name, ask):
    """Ask for a text by its name, in a record that has it."""
    name = name.replace("`", "").replace("\0", "") or "x"
    message = json.dumps({"eventTime": "2026-03-01T10:00:00Z", name: value, "other": f"a{value}b"})
    query = f"filter `{name}` = {quoted(value)} and other like {quoted(value)} | parse other {quoted('a' + value.replace('*', '') + '*')} as rest | fields `{name}` as `x y`, rest"  # fmt: skip
    found = ask(query, [message])
    assert [row["x y"] for row in found] == [value]
    if "*" not in value:
        assert found[0]["rest"] == "b"


@pytest.fixture(scope="session")
def on_spark(spark):
    """Give the function that asks Spark."""
    return partial(answers, engine=partial(rows_of, spark))


@pytest.mark.slow
@pytest.mark.spark
@settings(max_examples=15)
@given(MANY)
def test_values_in_spark(on_spark, expressions):
    """Expressions have the same values for each record."""
    query = f"fields {', '.join(f'{each} as v{number}' for number, each in enumerate(expressions))}"
    assert alike(on_spark(query, FEW), run(query, FEW, start=0, end=0))


@pytest.mark.slow
@pytest.mark.spark
@settings(max_examples=15)
@given(EXPRESSIONS)
def test_conditions_in_spark(on_spark, expression):
    """A condition keeps the same records."""
    query = f"filter {expression} | fields eventTime"
    assert on_spark(query, FEW) == run(query, FEW, start=0, end=0)


@pytest.mark.slow
@pytest.mark.spark
@settings(max_examples=15)
@given(EXPRESSIONS, EXPRESSIONS)
def test_groups_in_spark(on_spark, expression, group):
    """Groups, and what is summed up of them, are the same."""
    calls = ", ".join(f"{function}({expression}) as v{number}" for number, function in enumerate(FUNCTIONS))
    query = f"stats {calls}, count(*) by {group} as part"
    assert alike(on_spark(query, FEW), run(query, FEW, start=0, end=0))


@pytest.mark.slow
@pytest.mark.spark
@settings(max_examples=15)
@given(MANY, st.sampled_from(["asc", "desc"]))
def test_order_in_spark(on_spark, expressions, direction):
    """Rows are sorted the same."""
    query = f"fields eventTime | sort {', '.join(f'{each} {direction}' for each in expressions)} | limit 20"
    assert on_spark(query, FEW) == run(query, FEW, start=0, end=0)


@pytest.mark.slow
@pytest.mark.spark
@settings(max_examples=15)
@given(TEXTS, TEXTS)
def test_hostile_texts_in_spark(on_spark, value, name):
    """Whatever is typed is a value or a name there as well."""
    found_again(value, name, on_spark)
