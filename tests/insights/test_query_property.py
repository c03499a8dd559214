"""Queries that nobody thought of: DuckDB and the slow evaluator agree, whatever values and names stand in them."""

import json

from answers import answers
from hypothesis import given, settings
from hypothesis import strategies as st
from messages import MESSAGES
from reference import run
from test_query_engines import alike

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


@settings(max_examples=250)
@given(EXPRESSIONS)
def test_values(expression):
    """An expression has the same value for each record."""
    query = f"fields {expression} as value"
    assert alike(answers(query, FEW), run(query, FEW, start=0, end=0))


@settings(max_examples=150)
@given(EXPRESSIONS)
def test_conditions(expression):
    """A condition keeps the same records."""
    query = f"filter {expression} | fields eventTime"
    assert answers(query, FEW) == run(query, FEW, start=0, end=0)


@settings(max_examples=150)
@given(EXPRESSIONS, EXPRESSIONS, st.sampled_from(["count", "min", "max", "sum", "avg", "count_distinct", "latest", "earliest"]))  # fmt: skip
def test_groups(expression, group, function):
    """Groups, and what is summed up of them, are the same."""
    query = f"stats {function}({expression}) as value, count(*) by {group} as part"
    assert alike(answers(query, FEW), run(query, FEW, start=0, end=0))


@settings(max_examples=150)
@given(EXPRESSIONS, st.sampled_from(["asc", "desc"]))
def test_order(expression, direction):
    """Rows are sorted the same."""
    query = f"fields eventTime | sort {expression} {direction} | limit 20"
    assert answers(query, FEW) == run(query, FEW, start=0, end=0)


@settings(max_examples=150)
@given(TEXTS, TEXTS)
def test_hostile_texts(value, name):
    """Whatever is typed is a value or a name: it is found in a record that has it, and answered as it is."""
    name = name.replace("`", "").replace("\0", "") or "x"
    message = json.dumps({"eventTime": "2026-03-01T10:00:00Z", name: value, "other": f"a{value}b"})
    query = f"filter `{name}` = {quoted(value)} and other like {quoted(value)} | parse other {quoted('a' + value.replace('*', '') + '*')} as rest | fields `{name}` as `x y`, rest"  # fmt: skip
    found = answers(query, [message])
    assert [row["x y"] for row in found] == [value]
    if "*" not in value:
        assert found[0]["rest"] == "b"
