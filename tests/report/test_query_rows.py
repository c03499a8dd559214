"""The rows of a query as text: how values are spelled, and how they stand in each format."""

import csv
import json
import math
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from rolewatch.engines.answers import Answer
from rolewatch.plan import Column, Plan, Shown, Type
from rolewatch.report.cells import CELL_LIMIT
from rolewatch.report.output import Options
from rolewatch.report.query_rows import FORMATS, spelled, typed

TEXT, NUMBER, TRUTH, TIME, STRUCTURE = Type.TEXT, Type.NUMBER, Type.TRUTH, Type.TIME, Type.STRUCTURE
STATISTICS = {"records_matched": 2, "records_scanned": 3, "bytes_scanned": 4, "duplicates": 1}
MARCH = 1_772_359_500_000  # 2026-03-01 10:05:00
DEEP = "[" * 5000 + "]" * 5000


def answer(columns, *rows, more=False):
    """Make an answer: the types of its columns by their names, and rows."""
    shown = tuple(Shown(name, Column(number, kind)) for number, (name, kind) in enumerate(columns.items()))
    return Answer(Plan((), shown), list(rows), more, STATISTICS, (), [("a.json", "digest file")], [])


def written(form, found, *, width=None, as_typed=False):
    """Write an answer and return the text."""
    out = StringIO()
    FORMATS[form](found, out, Options(width=width, color=False, environ={}), as_typed)
    return out.getvalue()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0"), (-0.0, "0"), (3.0, "3"), (-7.0, "-7"), (0.5, "0.5"), (0.1 + 0.2, "0.30000000000000004"),
        (999_999_999_999_999.0, "999999999999999"), (1e15, "1000000000000000.0"), (-1e15, "-1000000000000000.0"),
        (1e16, "1e+16"), (1e-7, "1e-07"), (1.7976931348623157e308, "1.7976931348623157e+308"),
    ],
)  # fmt: skip
def test_numbers_by_example(value, expected):
    """Digits without a fraction if there is none and there are up to 15 digits, else the shortest that reads back."""
    assert expected == spelled(value, NUMBER)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back(value):
    """No number is changed by its spelling, nor by being typed JSON."""
    assert float(spelled(value, NUMBER)) == value
    assert typed(value, NUMBER) == value
    assert math.isfinite(json.loads(written("jsonl", answer({"n": NUMBER}, (value,)), as_typed=True))["n"])


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        (0, "1970-01-01 00:00:00.000"),
        (MARCH, "2026-03-01 10:05:00.000"),
        (MARCH + 7, "2026-03-01 10:05:00.007"),
        (-1, "1969-12-31 23:59:59.999"),
        (-62_135_596_800_000, "0001-01-01 00:00:00.000"),
        (253_402_300_799_999, "9999-12-31 23:59:59.999"),
        (253_402_300_800_000, None),
        (-(10**18), None),
        (10**30, None),
    ],
)
def test_times(milliseconds, expected):
    """Milliseconds are always shown, a year has four digits, and a time without one is missing."""
    assert expected == spelled(milliseconds, TIME)
    assert expected == typed(milliseconds, TIME)


@pytest.mark.parametrize(
    ("value", "text", "content"),
    [
        ('{"a" : [1, 2.50]}', '{"a":[1,2.50]}', {"a": [1, 2.5]}),
        ("[]", "[]", []),
        ("{}", "{}", {}),
        ("null", None, None),
        ("true", "1", True),
        ("false", "0", False),
        ("17", "17", 17),
        ("-0.50", "-0.50", -0.5),
        ('"a\\n\\u00e9"', "a\né", "a\né"),
        ('""', "", ""),
        ("123456789012345678901234567890", "123456789012345678901234567890", 123456789012345678901234567890),
        ("[NaN, 1,]", "[NaN, 1,]", "[NaN, 1,]"),
        (DEEP, DEEP, DEEP),
    ],
    ids=lambda each: str(each)[:20],
)
def test_structures(value, text, content):
    """Compact JSON, a leaf like a field of a record; what is no JSON, or too deep for any reader, stays the text it is."""
    assert text == spelled(value, STRUCTURE)
    found = written("json", answer({"s": STRUCTURE}, (value,)), as_typed=True)
    assert json.loads(found)["results"] == [{} if content is None else {"s": content}]


def test_a_number_beyond_all_doubles():
    """In a structure it is kept to the letter, as text and in typed JSON."""
    assert spelled('{"a": 1e400}', STRUCTURE) == '{"a":1e400}'
    assert written("jsonl", answer({"s": STRUCTURE}, ("[1e400]",)), as_typed=True) == '{"s":[1e400]}\n'


def test_truths_and_what_is_missing():
    """A truth is 1 or 0, typed it is itself; what is missing is missing, whatever it would have been."""
    assert [spelled(value, TRUTH) for value in (True, False)] == ["1", "0"]
    assert [typed(value, TRUTH) for value in (True, False)] == [True, False]
    assert {f(None, kind) for f in (spelled, typed) for kind in Type} == {None}


def test_json():
    """What is missing is left out, an empty text is not; what the rows rest on stands beside them."""
    found = answer({"a": TEXT, "n": NUMBER, "t": TIME}, ("x", 1.0, MARCH), ("", None, None), more=True)
    assert json.loads(written("json", found)) == {
        "results": [{"a": "x", "n": "1", "t": "2026-03-01 10:05:00.000"}, {"a": ""}],
        "statistics": STATISTICS,
        "more": True,
        "skipped": [{"delivery": "a.json", "reason": "digest file"}],
        "unreadable": [],
    }
    assert (
        written("jsonl", found, as_typed=True) == '{"a":"x","n":1,"t":"2026-03-01 10:05:00.000"}\n{"a":""}\n'
    )


def test_cloudwatch():
    """A row is a list of pairs, and whatever --typed would do does nothing to it."""
    found = json.loads(written("cloudwatch", answer({"a": TEXT, "n": NUMBER}, ("x", 1.0), (None, 2.0))))
    assert found == {
        "results": [
            [{"field": "a", "value": "x"}, {"field": "n", "value": "1"}],
            [{"field": "n", "value": "2"}],
        ],
        "statistics": {"recordsMatched": 2.0, "recordsScanned": 3.0, "bytesScanned": 4.0},
        "status": "Complete",
    }


def test_table():
    """Columns begin below their names, numbers end there; what is missing or empty is blank."""
    rows = ("s3", 12.0, True), ("kms.amazonaws.com", -3.5, False), (None, None, True), ("", 1234567.0, True)
    assert written("table", answer({"eventSource": TEXT, "n": NUMBER, "ok": TRUTH}, *rows)).splitlines() == [
        "eventSource              n  ok",
        "s3                      12  1",
        "kms.amazonaws.com     -3.5  0",
        "                            1",
        "                   1234567  1",
    ]


def test_wide_characters():
    """They take the columns that a terminal gives them."""
    lines = written("table", answer({"名前": TEXT, "n": NUMBER}, ("漢字漢字", 1.0), ("é", 22.0))).splitlines()
    assert lines == ["名前       n", "漢字漢字   1", "é         22"]
    assert {cell_len(line) for line in lines} == {12}


def test_rows_that_are_too_wide():
    """A name and its value a line, folded and never cut, a blank line between rows; what is empty has no line."""
    found = answer(
        {"a": TEXT, "long": TEXT, "n": NUMBER}, ("x", "word " * 12, 5.0), ("y", "", None), (None, "", None)
    )
    assert written("table", found, width=40).splitlines() == [
        "a     x",
        "long  word word word word word word word",
        "      word word word word word",
        "n     5",
        "",
        "a     y",
        "",
        "no value",
    ]


def test_long_names_are_folded():
    """They take at most a third of the width."""
    lines = written("table", answer({"n" * 30: TEXT, "b": TEXT}, ("x" * 40, "y")), width=42).splitlines()
    assert lines == [f"{'n' * 14}  {'x' * 26}", f"{'n' * 14}  {'x' * 14}", "nn", f"b{' ' * 15}y"]


@given(
    st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60)), min_size=1, max_size=4),
    st.integers(40, 90),
)
def test_no_line_is_too_wide(rows, width):
    """Nor does one steer a terminal, whatever was recorded."""
    for line in written("table", answer({"a": TEXT, "b\x1b": TEXT}, *rows), width=width).split("\n"):
        assert cell_len(line) <= width
        assert "\x1b" not in line
        assert line.isprintable() or not set(line) & set(map(chr, range(32)))


@pytest.mark.parametrize("columns", [{}, {"a": TEXT}])
def test_no_rows(columns):
    """It is said in the table, and is nothing elsewhere."""
    assert written("table", answer(columns)) == "no rows\n"
    assert written("jsonl", answer(columns)) == ""
    assert json.loads(written("cloudwatch", answer(columns)))["results"] == []
    assert written("csv", answer({"a": TEXT, "b": TEXT})) == "a,b\n"


def test_csv():
    """What would start a formula does not, wherever a cell begins; numbers are numbers; a cell is as long as one can be."""
    names = {"@timestamp": TIME, "a": TEXT, "n": NUMBER}
    rows = (
        (MARCH, "=1+1", -5.0),
        (None, "-5", 1e16),
        (None, "a; @b", None),
        (None, "-5+cmd", -0.5),
        (None, 'a"b,\n', None),
    )
    text = written("csv", answer(names, *rows, (None, "x" * 40_000, None)))
    *found, long = csv.reader(StringIO(text, newline=""), strict=True)
    assert found == [
        ["'@timestamp", "a", "n"],
        ["2026-03-01 10:05:00.000", "'=1+1", "-5"],
        ["", "-5", "1e+16"],
        ["", "a;' @b", ""],
        ["", "'-5+cmd", "-0.5"],
        ["", r'a"b,\x0a', ""],
    ]
    assert (len(long[1]), long[1][-1]) == (CELL_LIMIT, "…")


@pytest.mark.parametrize("form", FORMATS)
def test_lone_surrogates(form):
    r"""Half of a pair, which no encoding has a place for, is the text `\ud800` everywhere."""
    text = written(form, answer({"a\udfff": TEXT}, ("x\ud800",)))
    assert text.encode().isascii()
    assert r"x\ud800" in text.replace(r"\\", "\\")
    assert r"a\udfff" in text.replace(r"\\", "\\")
