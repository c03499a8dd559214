"""What Spark calls in Python says the same as what DuckDB does itself, to the letter. No Java is needed for these."""

import pickle
import sys

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rolewatch.engines.duckdb_sql import DUCKDB
from rolewatch.engines.spark_functions import Called
from rolewatch.plan import Constant, Type

PIECES = [
    "[", "]", "{", "}", ",", ":", " ", "\n", "\t", "[1,", '"a":', '{"a":', '{"\\u0061":[', "1.50", "1e5", "0.1e1", "-0", "-0.0", "1e21",
    "1e22", "1e20", "1e-5", "1e-6", "1e-7", "1e400", "18446744073709551616", "NaN", "-inf", "Infinity", "nan", "true", "false",
    "null", '"a"', '"\\u00e9\\ud83d\\ude00\\n\\/"', '"\\ud800"', '"b\\u0001"', '""', '"1"', "[]", "{}", "tru", "01", "1.", "+1",
    '"\t"', "0", "7", "5e-324", "123456.789", '"', "\\",
]  # fmt: skip
LEAVES = st.sampled_from(PIECES[13:50]) | st.floats().map(repr) | st.integers().map(str)
NAMES = st.sampled_from(['"a"', '"b"', '"\\u0061"', '"0"', '""'])
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.lists(inner, max_size=3), st.sampled_from(["", ","])).map(lambda two: f"[ {' , '.join(two[0])}{two[1]}]"),
        st.lists(st.tuples(NAMES, inner), max_size=3).map(lambda pairs: f"{{{','.join(f'{name}: {value}' for name, value in pairs)}}}"),
    ),
    max_leaves=8,
)  # fmt: skip
TEXTS = JSON | st.lists(st.sampled_from(PIECES), max_size=8).map("".join)


@pytest.fixture(scope="module")
def connection():
    """Open DuckDB."""
    with duckdb.connect() as opened:
        yield opened


def in_duckdb(connection, primitive, *arguments):
    """Give what DuckDB makes of arguments, the constants of a structure's way among them."""
    special = DUCKDB.special.get(primitive)
    constants = [Constant(each, Type.TEXT) for each in arguments]
    template = special(constants) if special else DUCKDB.templates.get(f"{primitive}_{len(arguments)}") or DUCKDB.templates[primitive]  # fmt: skip
    names = [f"a{number}" for number in range(len(arguments))]
    given = ", ".join(f"CAST(? AS {'DOUBLE' if isinstance(each, float) else 'VARCHAR'}) AS {name}" for name, each in zip(names, arguments, strict=True))  # fmt: skip
    written = template.format(*names, all=", ".join(names), rest=", ".join(names[1:]))
    ((value,),) = connection.execute(f"SELECT {written} FROM (SELECT {given})", list(arguments)).fetchall()  # noqa: S608 - of our own tables
    return value


@settings(max_examples=400)
@given(TEXTS, st.sampled_from(["a", "1", "0", "1.5", "", "é😀\n/"]))
@example("[" * 3000 + "]" * 3000, "")
@example('["a",]', "a")
@example('["true", true]', "1")
def test_structures(connection, text, sought):
    """JSON and what is nearly JSON, and what stands in it."""
    parsed = Called("jsonparse")(text)
    assert parsed == in_duckdb(connection, "jsonparse", text)
    if parsed is None:
        return
    for primitive, *more in (
        ("jsonstringify",),
        ("jsonarraysize",),
        ("jsonarraycontains", sought),
        ("leaf",),
    ):
        assert Called(primitive)(text, *more) == in_duckdb(connection, primitive, text, *more)
    for steps in (("0",), ("a",), ("1", "a"), ("a", "0"), ("00",), ("-",), ("",)):
        found = Called("inside")(text, *steps)
        assert found == in_duckdb(connection, "inside", text, *steps)
        if found is not None:
            assert Called("leaf")(found) == in_duckdb(connection, "leaf", found)


@settings(max_examples=300)
@given(
    st.sampled_from(
        ["a", "a*", "(a)|(b)", "x*", "", "[^a]", "^a", "b$", "\\b", "(?i)A", "(a)(b)?", "é*", "."]
    ),
    st.sampled_from(["", "-", "<\\1>", "\\\\", "\\0\\0", "é"]),
    st.text("abAé漢\n x", max_size=8),
)
def test_regular_expressions(connection, expression, replacement, text):
    """Matches, groups, all matches and replacements, empty ones included."""
    if "1" in replacement and "(" not in expression.replace("(?", ""):
        replacement = "-"
    assert Called("matches")(text, expression) == in_duckdb(connection, "matches", text, expression)
    assert Called("extract_all")(text, expression) == in_duckdb(connection, "extract_all", text, expression)
    assert Called("regexreplace")(text, expression, replacement) == in_duckdb(connection, "regexreplace", text, expression, replacement)  # fmt: skip


@settings(max_examples=300)
@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(-20, 20))
@example(1.005, 2.0)
@example(0.49999999999999994, 0.0)
@example(1e300, 5.0)
@example(1250.0, -2.0)
@example(1e-5, 2.5)
@example(1e16, 0.0)
def test_numbers(connection, number, digits):
    """Numbers as texts, and rounded."""
    assert Called("text_of_number")(number) == in_duckdb(connection, "text_of_number", number)
    assert Called("round")(number) == in_duckdb(connection, "round", number)
    assert Called("round")(number, digits) == in_duckdb(connection, "round", number, digits)


@settings(max_examples=200)
@given(st.text(max_size=6), st.text(max_size=2))
@example("e\u0301a", "")
@example("", "")
def test_split(connection, text, separator):
    """Texts are split alike."""
    text, separator = (each.encode(errors="replace").decode() for each in (text, separator))
    assert Called("split")(text, separator) == in_duckdb(connection, "split", text, separator)


def test_all_letters(connection):
    """Each character has the same capital and the same small letter."""
    chars = [chr(code) for code in range(1, sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    text = "\n".join(chars)
    upper, lower = connection.execute("SELECT upper($1), lower($1)", [text]).fetchall()[0]
    assert Called("toupper")(text) == upper
    assert Called("tolower")(text) == lower


@pytest.mark.parametrize(("name", "text"), [("urldecode", "%ed%a0%80"), ("hextoascii", "eda080"), ("base64decode", "7aCA")])  # fmt: skip
def test_halves_of_characters(name, text):
    """A function gives no text that Spark could not hold."""
    found = Called(name)(text)
    assert found is None or found.encode()


def test_a_function_travels_as_its_name():
    """Executors have the functions themselves."""
    assert len(pickle.dumps(Called("matches"))) < 200
    assert pickle.loads(pickle.dumps(Called("toupper")))("a") == "A"  # noqa: S301 - it was made here
