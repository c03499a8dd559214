"""The words at the end of pages: written and read again, and refused where no page ends so."""

import base64

import pytest

from rolewatch.base.cursors import marks_of, word_of


@pytest.mark.parametrize("marks", [(3, "a"), (-1, ""), (2**63 - 1, "naïve ✓ 😀"), (-(2**63), "~~~???")])
def test_a_word_gives_its_marks_again(marks):
    """What was written is read, and needs no escape in an address."""
    word = word_of(marks)
    assert marks_of(word, (int, str)) == list(marks)
    assert word.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "3", "[3]", '["a",3]', '[3,"a",1]', '[true,"a"]', '[3.0,"a"]', "[3,null]", '[NaN,"a"]',
        f'[{2**63},"a"]', f'[{-(2**63) - 1},"a"]', f'[{"9" * 5000},"a"]', r'[3,"\ud800"]', r'[3,"\u0000"]',
        "[" * 100_000, "\xff",
    ],
)  # fmt: skip
def test_other_words_are_refused(text):
    """JSON of another shape, numbers and texts that databases refuse, and nesting without end."""
    assert marks_of(base64.urlsafe_b64encode(text.encode("latin-1")).decode().rstrip("="), (int, str)) is None


@pytest.mark.parametrize("word", ["x", "é", "WzMsImEiXQ==!", "W zMsImEiXQ", "WzMs\nImEiXQ"])
def test_what_is_no_base64_is_refused(word):
    """Nothing in a word is passed over."""
    assert marks_of(word, (int, str)) is None
