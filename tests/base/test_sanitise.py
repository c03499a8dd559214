"""What attackers wrote is harmless when it is printed, and still readable."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.base.sanitise import FORMULA_STARTS, csv_cell, terminal

STEERING = frozenset(
    ("Cc", "Cf", "Cs", "Zl", "Zp")
)  # control, format, surrogate, line and paragraph separator
SHOWN = [
    ("", ""),
    ("arn:aws:s3:::b", "arn:aws:s3:::b"),
    ("Größe 東京 🔒", "Größe 東京 🔒"),
    ("\x1b[2J", "\\x1b[2J"),
    ("a\nb\tc\rd", "a\\x0ab\\x09c\\x0dd"),
    ("\x9b31m", "\\x9b31m"),
    ("safe\u202efdp.exe", "safe\\u202efdp.exe"),
    ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
    ("\ud800", "\\ud800"),
    ("\U000e0041", "\\U000e0041"),
]


@pytest.mark.parametrize(("text", "expected"), SHOWN)
def test_what_steers_is_shown_as_its_escape(text, expected):
    """Letters of every script stay; what a terminal would obey becomes text."""
    assert expected == terminal(text)


def test_no_steering_character_of_unicode_gets_through():
    """Every control, format, surrogate and separator character that Unicode has is escaped."""
    steering = [
        chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in STEERING
    ]
    assert [character for character in steering if character in terminal(character)] == []


@given(st.text(), st.integers(min_value=1, max_value=20))
def test_a_limit_is_kept(text, limit):
    """The result has at most that many characters, and ends with an ellipsis if anything was cut."""
    whole = terminal(text)
    expected = whole if len(whole) <= limit else f"{whole[: limit - 1]}…"
    assert expected == terminal(text, limit)


@given(st.text(st.sampled_from([*FORMULA_STARTS, *" \u3000\xa0\t\r\n'\"1A|"])))
def test_no_cell_starts_a_formula(text):
    """Whatever white space a spreadsheet trims, the first sign is none of a formula's; nothing else is changed."""
    cell, shown = csv_cell(text), terminal(text)
    assert cell in (shown, f"'{shown}")
    assert (cell.lstrip() or "x")[0] not in FORMULA_STARTS


@pytest.mark.parametrize("text", ["", "a=1", "1-2", "'=1", "\t=1", "  "])
def test_a_cell_without_danger_stays_as_it_is(text):
    """An apostrophe is put only before what could start a formula."""
    assert csv_cell(text) == terminal(text)
