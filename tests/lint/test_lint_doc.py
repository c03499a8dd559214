"""docs/lint.md tells of every rule, and of no other."""

import re
from pathlib import Path

import pytest

from rolewatch.cli.main import main
from rolewatch.lint import TITLES, lint_pattern
from rolewatch.patterns import compile_pattern

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "lint.md").read_text()
ROWS = re.findall(r"^\| `([a-z-]+)` \| ([a-z, ]+) \| (.+) \|$", PAGE, re.MULTILINE)
# Patterns in the last column of a row, a bar being written as Markdown wants it.
EXAMPLES = [
    (rule, pattern.replace("\\|", "|"))
    for rule, _, rest in ROWS
    for pattern in re.findall(r"`(\{ .*? \}|\[.*?\])`", rest.rpartition(" | ")[2].partition(" → ")[0])
    if "…" not in pattern
]


def test_every_rule_is_told():
    """Each rule has a row, or is named in the text, and each row is a rule."""
    told = {rule for rule, _, _ in ROWS}
    assert told <= TITLES.keys()
    assert {rule for rule in TITLES if f"`{rule}`" not in PAGE} == set()


@pytest.mark.parametrize(("rule", "pattern"), EXAMPLES)
def test_examples_are_true(rule, pattern):
    """An example gets the advice of its row, with a severity that the row names."""
    found = [each for each in lint_pattern(compile_pattern(pattern)) if each.rule == rule]
    severities = next(severities for name, severities, _ in ROWS if name == rule)
    assert found
    assert found[0].severity.value in severities


def test_the_first_example_is_real(capsys):
    """What the page shows is what the command prints."""
    shown = re.search(r"^\$ rolewatch pattern lint '(.*)'\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert main(["pattern", "lint", shown[1]], {}) == 0
    assert shown[2] == capsys.readouterr().out


def test_there_are_examples():
    """The page has an example for nearly each rule about JSON patterns and lines."""
    assert len(EXAMPLES) >= 14
