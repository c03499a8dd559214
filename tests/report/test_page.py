"""Folding for a terminal: nothing is cut, nothing is too wide, no line ends with a blank."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from rolewatch.report.page import Page

#: What folds in different ways: blanks of three widths, one column, two columns, none (a combining accent), long words.
TEXTS = st.text(st.sampled_from("ab \u00a0\u3000漢😀\u0301-"), max_size=80)


def printing(text):
    """Return the characters of a text that leave a mark, in order."""
    return "".join(text.split())


def lines_of(page):
    """Return what is on a page line by line; the last line is ended as well."""
    *lines, rest = page.text.plain.split("\n")
    assert rest == ""
    return lines


@given(TEXTS, st.integers(1, 30))
def test_folding_loses_nothing(text, width):
    """Every character that leaves a mark is kept in its order; a line is too wide only if one character is."""
    page = Page(width)
    page.line(Text(text))
    lines = lines_of(page)
    assert "".join(map(printing, lines)) == printing(text)
    assert [line for line in lines if cell_len(line) > max(width, 2)] == []
    assert [line for line in lines if line != line.rstrip(" ")] == []


@given(st.lists(st.text(st.sampled_from("abc  漢"), max_size=60), min_size=1, max_size=3), TEXTS)
def test_row_keeps_cells_apart(left, right):
    """Cells side by side are folded each within its own columns, and can be read back from there."""
    page = Page(40)
    page.row([[Text(text) for text in left], [Text(right.replace("漢", "x"))]], [12, 20], indent=3)
    for line in lines_of(page):
        start = next((at for at in range(len(line)) if cell_len(line[:at]) >= 17), len(line))
        assert set(line[:3]) <= {" "}
        assert set(line[start:]) & set("c漢") == set()
        assert set(line[:start]) & set("x😀-") == set()
        assert cell_len(line) <= 37


@given(TEXTS, st.integers(2, 30))
def test_folding_keeps_styles(text, width):
    """What was bold before it was folded is bold afterwards, and nothing else."""
    page = Page(width)
    page.line(Text.assemble("ab ", (text, "bold"), " ba"))
    bold = {at for span in page.text.spans if span.style == "bold" for at in range(span.start, span.end)}
    kept = "".join(char for at, char in enumerate(page.text.plain) if at in bold)
    assert printing(kept) == printing(text)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two three", ["one two", "three"]),
        ("one  two   three", ["one  two", "three"]),
        ("  indented twice", ["  indented", "twice"]),
        ("an arn:aws:s3:::bucket here", ["an", "arn:aws:s3", ":::bucket", "here"]),
        ("漢字漢字漢字", ["漢字漢字漢", "字"]),
        ("x漢字漢字漢字", ["x漢字漢字", "漢字"]),
        ("", [""]),
        (" " * 30, []),
    ],
)
def test_folding_by_example(text, lines):
    """Lines break between words, and within a word only where it is longer than a line; wide characters stay whole."""
    page = Page(10)
    page.line(Text(text))
    assert lines_of(page) == lines


def test_folding_takes_time_by_length():
    """A word of a million characters is folded like any other: no step looks at all of it again."""
    page = Page(100)
    page.line(Text("é" * 1_000_000))
    assert (len(lines_of(page)), set(map(len, lines_of(page)))) == (10_000, {100})
