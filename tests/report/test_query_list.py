"""Saved queries as a list for the terminal: a line each, whatever its width."""

from io import StringIO

import pytest
from rich.cells import cell_len

from rolewatch.insights.library import SavedQuery, about
from rolewatch.report.output import Options
from rolewatch.report.query_list import FORMATS


def table(width, *queries):
    """Write a list and return its lines."""
    out = StringIO()
    FORMATS["table"](queries, out, Options(width=width, color=False, environ={}))
    return out.getvalue().splitlines()


def test_a_line_each():
    """Below where it is kept; what has no room is cut, and a wide character is never halved."""
    queries = [
        SavedQuery("a", "short", "", "one"),
        SavedQuery("b" * 30, "word " * 12, "", "one"),
        SavedQuery("c", "漢字" * 20, "", "two"),
    ]
    assert table(44, *queries) == [
        "one",
        "  @a                      short",
        f"  @{'b' * 20}…  word word word wo…",
        "",
        "two",
        "  @c                      漢字漢字漢字漢字…",
    ]
    assert max(map(cell_len, table(43, *queries))) <= 43


def test_no_queries():
    """Then there is nothing to say."""
    assert table(80) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# What it is.\nlimit 1", "What it is."),
        ("\n  ## What it is.", "What it is."),
        ("limit 1\n| fields  a", "limit 1 | fields a"),
        ("#\nlimit 1", ""),
    ],
)
def test_what_a_query_is_about(text, expected):
    """Its first line if that is a comment, else all of it in one line."""
    assert about(text) == expected
