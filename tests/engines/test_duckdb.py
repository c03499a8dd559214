"""DuckDB as rolewatch opens it: shut off from files and network, and total whatever is put into it."""

import math

import duckdb
import pytest
from trails import planned

from rolewatch.engines.duckdb import guarded, rows_of, start
from rolewatch.engines.duckdb_sql import DUCKDB, FIRST, LAST, PREFIX, literal
from rolewatch.engines.functions import FUNCTIONS
from rolewatch.engines.sql import statement
from rolewatch.plan import Apply, Constant, Plan, Shown, Type, gets

TIME = 1772359200000
GIVEN = {Type.TEXT: "'x'", Type.NUMBER: "CAST(1 AS DOUBLE)", Type.TIME: "CAST(1 AS BIGINT)"}


def answered(query, number=1, /, *, most=100, threads=1, **fields):
    """Answer a query over columns."""
    plan = planned(query)
    columns = {"@timestamp": [TIME] * number, "@message": ["{}"] * number} | fields
    return rows_of(
        plan, {get: columns[get.steps[0]] for get in gets(plan)}, number, most=most, threads=threads
    )


@pytest.fixture
def connection():
    """Open an engine with all functions."""
    opened = guarded(start(1), " ".join(f"{PREFIX}{name}(" for name in FUNCTIONS))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM '{file}'",
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM read_json('{file}')",
        "SELECT * FROM read_parquet('https://example.invalid/x.parquet')",
        "SELECT * FROM glob('{folder}/*')",
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "EXPORT DATABASE '{folder}/out'",
        "ATTACH '{folder}/other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_directories = ['{folder}']",
        "SET threads = 2",
        "RESET enable_external_access",
    ],
)
def test_shut_off(connection, tmp_path, sql):
    """Not even a statement of one's own gets at a file or the network, or changes that."""
    file = tmp_path / "secret.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises(duckdb.Error):
        connection.execute(sql.format(file=file, folder=tmp_path)).fetchall()
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_and_missing_values(connection, name):
    """A function written in Python gives nothing where one of its arguments is missing."""
    function = FUNCTIONS[name]
    given = [GIVEN[each] for each in function.arguments]
    for place, kind in enumerate(function.arguments):
        missing = [*given[:place], literal(None, kind), *given[place + 1 :]]
        found = connection.execute(f"SELECT {PREFIX}{name}({', '.join(missing)})").fetchall()
        assert found == [(None,)]


HOSTILE = ["", "\0", "\ud800", "\U0001f512", "%", "-1", "1e999", "::ffff:1.2.3.4", "1.2.3.4/0", "x" * 5000, "9" * 5000, "00", "%00%ff", "../x", "'", None]  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_total(name):
    """A function gives a value of its type or nothing for whatever texts, numbers and times it is called with."""
    function = FUNCTIONS[name]
    numbers = [0.0, -0.0, 1e308, -1e308, 1e-320, 90.0, 720.5, None]
    moments = [0, TIME, -62135596800000, 253402300799999, -62135596800001, 9223372036854775807, -9223372036854775808, None]  # fmt: skip
    values = {Type.TEXT: HOSTILE, Type.NUMBER: numbers, Type.TIME: moments}
    gives = {Type.TEXT: str, Type.NUMBER: float, Type.TRUTH: bool}[function.type]
    for turn in range(16):
        constants = [
            Constant(values[kind][(turn * (place + 1) + place) % len(values[kind])], kind)
            for place, kind in enumerate(function.arguments)
        ]
        applied = Apply(name, tuple(constants), function.type)
        plan = Plan((), (Shown("value", applied),))
        ((value,),), matched = rows_of(plan, {}, 1, most=2)
        assert value is None or type(value) is gives
        assert matched == 1


def test_sparse_columns():
    """A value far behind many missing ones is found, in texts and in times."""
    number = 30_000
    texts, times = [None] * number, [None] * number
    texts[-7], times[-7] = "AccessDenied", TIME
    fields = {"x": texts, "@timestamp": times}
    assert answered("filter ispresent(x) | fields x, @timestamp", number, **fields) == ([("AccessDenied", TIME)], 1)  # fmt: skip
    assert answered("stats count(x), count(*), min(@timestamp)", number, **fields)[0] == [(1.0, 30_000.0, TIME)]  # fmt: skip
    assert answered("stats count(x), max(x)", number, x=[None] * number)[0] == [(0.0, None)]


def test_texts_that_look_like_others():
    """A column of texts stays one, whatever they look like."""
    texts = ["1", "01", "1.0", "true", "NULL", "2026-03-01", "nan", "", " ", "[]", "\0", "a\0b", None]
    found, _ = answered("fields x, i | sort i asc", len(texts), x=texts, i=[f"{n:03}" for n in range(len(texts))])  # fmt: skip
    assert [text for text, _ in found] == texts
    groups, _ = answered("stats count(*) as n by x", len(texts), x=texts)
    assert sorted(groups, key=repr) == sorted([(text, 1.0) for text in texts], key=repr)


def test_many_columns():
    """A query may ask for hundreds of fields, and each is its own."""
    names = [f"field{number}" for number in range(400)]
    fields = {name: [f"{name} of {row}" for row in range(3)] for name in names}
    found, matched = answered(f"fields {', '.join(names)} | sort field0 asc", 3, **fields)
    assert found == [tuple(f"{name} of {row}" for name in names) for row in range(3)]
    assert matched == 3
    chain = " and ".join(f"{name} like '1'" for name in names)
    assert answered(f"filter {chain} | stats count(*)", 3, **fields) == ([(1.0,)], 1)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_few_records(number):
    """No record at all, and queries that ask for no field of records, are answered too."""
    assert answered("stats count(*)", number) == ([(float(number),)], number)
    assert answered("filter 1 = 2 | stats count(*)", number) == ([(0.0,)], 0)
    assert answered("stats count(*) by x", number, x=["a"] * number) == ([("a", float(number))] * (number > 0), number)  # fmt: skip


@pytest.mark.parametrize("text", ["\ud800", "a'b", "\0", "{0}", "$1", "'); DROP TABLE records; --", "\\"])
def test_constants(text):
    """A constant is whatever text it is; half of a character, which no text can hold, is the sign for that."""
    shown = text.replace("\ud800", "\ufffd")
    plan = Plan((), (Shown("value", Constant(text, Type.TEXT)),))
    assert rows_of(plan, {}, 1, most=1)[0] == [(shown,)]
    inside = Apply("inside", (Constant('{"a":1}', Type.TEXT), Constant(text, Type.TEXT)), Type.STRUCTURE)
    assert rows_of(Plan((), (Shown("value", inside),)), {}, 1, most=1)[0] == [(None,)]


def test_most():
    """No more rows are taken than asked for, and what matched is counted nevertheless."""
    found, matched = answered("filter x = 'a' | fields x", 50, most=3, x=["a", "b"] * 25)
    assert (len(found), matched) == (3, 25)


def test_a_statement_names_nothing():
    """Names that somebody typed are in no statement."""
    written = statement(planned("fields `evil\"name` as `other'name`, 1 as `third`"), DUCKDB)
    assert not any(word in written for word in ("evil", "other", "third"))


@pytest.mark.parametrize("call", ["x + 0", "x * 10", "sum(x)", "avg(x)", "stddev(x)", "variance(x)", "x ^ 2", "abs(x)", "sum(x * 1e300)"])  # fmt: skip
@pytest.mark.parametrize("texts", [["1e999"], ["-1e999"], ["9" * 400], ["1e308"] * 3, ["1e308", "1e308", "-1e308"]])  # fmt: skip
def test_numbers_are_finite(call, texts):
    """A number that no double holds is missing, be it written so in a record or what is made of others."""
    command = "stats" if call[0] in "sav" and call != "abs(x)" else "fields"
    found, _ = answered(f"{command} {call} as value", len(texts), x=texts)
    assert all(value is None or math.isfinite(value) for (value,) in found)
    assert "1e308" in texts or {value for (value,) in found} == {None}


def test_numbers_beyond_all_are_texts():
    """What spells no number that a double holds is compared as a text."""
    fields = {"x": ["1e999", "1e99", "5"]}
    found, _ = answered("fields x < '2', x <= '1e999', isNumeric(x) | sort x asc", 3, **fields)
    assert sorted(found) == [(False, False, True), (False, True, True), (True, True, False)]


@pytest.mark.parametrize("call", ["bin(2000y)", "bin(9999w)", "datefloor(@timestamp, 7mo)", "dateceil(@timestamp, 1w)", "dateceil(@timestamp, 999y)"])  # fmt: skip
@pytest.mark.parametrize("time", [FIRST, LAST, 0, -1, TIME])
def test_times_have_a_year(call, time):
    """A time that is rounded beyond the years 1 to 9999 is missing."""
    (((value, shown),), _) = answered(f"fields {call} as value, concat(value, '')", **{"@timestamp": [time]})
    assert value is None or FIRST <= value <= LAST
    assert (value is None) == (shown is None)
