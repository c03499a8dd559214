"""docs/lint.md tells of every rule, and of no other."""

import re
from pathlib import Path

import pytest

from rolewatch.cli.main import main
from rolewatch.lint.repair import lint_refused
from rolewatch.lint.run import TITLES, lint_pattern
from rolewatch.patterns import PatternError, compile_pattern

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "lint.md").read_text()
ROWS = re.findall(r"^\| `([a-z-]+)` \| ([a-z, ]+) \| (.+) \|$", PAGE, re.MULTILINE)
# Patterns in the last column of a row, a bar being written as Markdown wants it.
EXAMPLES = [
    (rule, pattern.replace("\\|", "|"))
    for rule, _, rest in ROWS
    for pattern in re.findall(r"`(\{ .*? \}|\[.*?\])`", rest.rpartition(" | ")[2].partition(" → ")[0])
    if "…" not in pattern
]


def advice_on(text):
    """Return the advice on a text, a pattern or not."""
    try:
        return lint_pattern(compile_pattern(text))
    except PatternError as error:
        return [lint_refused(error)]


def test_every_rule_is_told():
    """Each rule has a row, or is named in the text, and each row is a rule."""
    told = {rule for rule, _, _ in ROWS}
    assert told <= TITLES.keys()
    assert {rule for rule in TITLES if f"`{rule}`" not in PAGE} == set()


@pytest.mark.parametrize(("rule", "pattern"), EXAMPLES)
def test_examples_are_true(rule, pattern):
    """An example gets the advice of its row, with a severity that the row names."""
    found = [each for each in advice_on(pattern) if each.rule == rule]
    severities = next(severities for name, severities, _ in ROWS if name == rule)
    assert found
    assert found[0].severity.value in severities


SHOWN = re.findall(r"^\$ rolewatch pattern lint '([^\n]*)'\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("pattern", "printed"), SHOWN, ids=[pattern for pattern, _ in SHOWN])
def test_what_is_shown_is_real(capsys, pattern, printed):
    """What the page shows is what the command prints."""
    main(["pattern", "lint", pattern], {})
    assert printed == capsys.readouterr().out


def test_there_are_examples():
    """The page has an example for nearly each rule about JSON patterns and lines."""
    assert len(EXAMPLES) >= 24
    assert len(SHOWN) == 2
