"""A chart of a query's rows in a terminal: what it looks like, and that it fits."""

from io import BytesIO, StringIO, TextIOWrapper

import pytest
from charted import HOUR, answer, at
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from rolewatch.report.output import Options
from rolewatch.report.query_chart_shape import shape_of
from rolewatch.report.query_chart_text import columns_of, write

NOON = at("2026-03-01T12:00")
BY_HOUR = "stats count(*) as n by bin(1h) as t, eventName"


def drawn(query, *rows, width=60, out=None):
    """Draw rows and return the lines."""
    found, stream = answer(query, *rows), out or StringIO()
    write(found, shape_of(found.plan), stream, Options(width=width, color=False, environ={}))
    if out:
        out.flush()
        return out.buffer.getvalue().decode(out.encoding).splitlines()
    return stream.getvalue().splitlines()


def test_one_series_is_high():
    """It has a scale, and columns as wide as there is room for."""
    rows = [(NOON, 1.0), (NOON + HOUR, 16.0), (NOON + 3 * HOUR, 4.0)]
    assert drawn("stats count(*) as n by bin(1h)", *rows, width=40) == [
        "n per 1h",
        "peak 16, total 21",
        "16 │      ██████",
        "   │      ██████",
        "   │      ██████",
        "   │      ██████",
        "   │      ██████",
        "   │      ██████",
        "   │      ██████      ██████",
        " 0 │▄▄▄▄▄▄██████      ██████",
        "   └────────────────────────",
        "2026-03-01 12:00 to 2026-03-01 16:00 UTC",
    ]  # fmt: skip


def test_several_series_have_a_line_each():
    """On one scale, with the highest value of each behind it; the time below begins and ends with the columns."""
    rows = [(NOON + each * HOUR, name, float(value)) for name, *values in (("one", 8, 0, 0, 1), ("two", 0, 4, 0, 0), ("three", 2, 0, 2, 0), ("four", 0, 0, 0, 8)) for each, value in enumerate(values) if value]  # fmt: skip
    assert drawn(BY_HOUR, *rows) == [
        "n per 1h by eventName",
        "one   │██████            ▁▁▁▁▁▁  peak 8, total 9",
        "four  │                  ██████  peak 8, total 8",
        "three │▂▂▂▂▂▂      ▂▂▂▂▂▂        peak 2, total 4",
        "two   │      ▄▄▄▄▄▄              peak 4, total 4",
        "      └────────────────────────",
        "       2026-03-01 12:00 to 2026-03-01 16:00 UTC",
    ]


def test_two_series_have_names_above_them():
    """They are four lines high."""
    lines = drawn(BY_HOUR, (NOON, "a", 1.0), (NOON + HOUR, "b", 3.0))
    assert lines[1:7] == ["b  peak 3, total 3", "3 │      ██████", "  │      ██████", "  │      ██████", "0 │      ██████", ""]  # fmt: skip
    assert lines[7:12] == ["a  peak 1, total 1", "3 │", "  │", "  │▃▃▃▃▃▃", "0 │██████"]


def test_bars():
    """They end with their numbers, and an eighth of a character is seen."""
    rows = [("s3", 40.0, 2.5), ("kms", 1.0, None), (None, 0.0, -1.0)]
    assert drawn("stats count(*) as n, avg(strlen(a)) as size by eventSource", *rows, width=40) == [
        "n by eventSource",
        "s3     │████████████████████████████ 40",
        "kms    │▊ 1",
        "(none) │ 0",
        "",
        "size by eventSource",
        "s3     │██████████████████████████ 2.5",
        "kms    │ none",
        "(none) │ -1",
    ]


def test_ascii():
    """A stream that has no blocks gets signs that it has; what it lacks of names is written as its number."""
    out = TextIOWrapper(BytesIO(), encoding="ascii")
    rows = [(NOON, name, float(value)) for name, value in (("é" * 30, 9), ("b", 5), ("c", 3), ("d", 1))]
    assert [line.replace(r"\xe9", "e") for line in drawn(BY_HOUR, *rows, out=out)] == [
        "n per 1h by eventName",
        "eeeeee~eeeeeeeeeeeee |######  peak 9, total 9",
        "b                    |::::::  peak 5, total 5",
        "c                    |,,,,,,  peak 3, total 3",
        "d                    |______  peak 1, total 1",
        "                     +------",
        "2026-03-01 12:00 to 2026-03-01 13:00 UTC",
    ]


def test_a_long_time_in_a_narrow_terminal():
    """Bins are drawn several as one, and that is told."""
    rows = [(NOON + each * HOUR, name, 1.0) for each in range(300) for name in ("aa", "bb", "cc", "dd")]
    lines = drawn(BY_HOUR, *rows, width=80)
    assert (lines[0][:5], lines[-1]) == ("n per", "6 bins of 1h are drawn as one, added up")
    assert max(map(len, lines)) <= 80


def test_no_rows():
    """It is said."""
    assert drawn(BY_HOUR) == drawn("stats count(*) by a") == ["no rows"]


def test_series_and_bars_that_are_too_many():
    """What is not drawn is told."""
    assert drawn(BY_HOUR, *((NOON, f"{each:02}", 1.0) for each in range(23)))[-1] == "3 more series not drawn, of which the highest reaches 1"  # fmt: skip
    assert (
        drawn("stats count(*) by a", *((f"{each}", 1.0) for each in range(62)))[-1] == "2 more rows not drawn"
    )


@pytest.mark.parametrize(
    ("values", "height", "expected"),
    [
        ((0, 1, 4, 8, None), 1, [" ▁▄█ "]),
        ((0.001, 8), 1, ["▁█"]),
        ((0, 1, 4, 8, None), 2, ["   █ ", " ▂██ "]),
        ((0, 0), 1, ["  "]),
        ((-4, 0, 4), 1, [" ▄█"]),
    ],
)
def test_columns(values, height, expected):
    """They rise in eighths of a line; what is more than nothing is always seen."""
    floor, top = min(0, *(each or 0 for each in values)), max(0, *(each or 0 for each in values))
    assert expected == columns_of(values, floor, top, height, "▁▂▃▄▅▆▇█")


@given(
    st.lists(st.tuples(st.integers(0, 400), st.text(max_size=60), st.floats(0, 1e12)), min_size=1, max_size=30),
    st.integers(40, 110),
    st.sampled_from([BY_HOUR, "stats count(*) as n by bin(1h) as t, eventName | display t, n", "stats avg(strlen(a)) as n by bin(1h) as t, eventName"]),
)  # fmt: skip
def test_no_line_is_too_wide(rows, width, query):
    """Nor does one steer a terminal, whatever was recorded."""
    made = [(NOON + hour * HOUR, name, value) if "display" not in query else (NOON + hour * HOUR, value) for hour, name, value in rows]  # fmt: skip
    for line in drawn(query, *made, width=width):
        assert cell_len(line) <= width
        assert not set(line) & set(map(chr, range(32)))


@given(
    st.lists(st.tuples(st.text(max_size=80), st.floats(-1e12, 1e12)), min_size=1, max_size=9),
    st.integers(40, 110),
)
def test_no_bar_is_too_wide(rows, width):
    """Whatever its name and its number."""
    for line in drawn("stats sum(x) as n by a", *rows, width=width):
        assert cell_len(line) <= width
