"""What lint says of patterns, and that what it advises is true."""

import pytest
from lint_cases import CASES

from rolewatch.lint.run import PATTERN_RULES, TITLES, lint_pattern
from rolewatch.patterns import compile_pattern

WITH_MESSAGE = [row for row in CASES if row.message is not None]


@pytest.mark.parametrize("row", CASES, ids=lambda row: row.pattern[:50] or "empty")
def test_rules(row):
    """A pattern gets the advice it deserves, and no other, in the order of its text."""
    advice = lint_pattern(compile_pattern(row.pattern))
    assert sorted(row.rules) == sorted(each.rule for each in advice)
    assert [each.span for each in advice] == sorted(each.span for each in advice)
    if row.fix is not ...:
        assert row.fix == advice[0].fix


@pytest.mark.parametrize("row", CASES, ids=lambda row: row.pattern[:50] or "empty")
def test_fixes_are_patterns(row):
    """Every fix is a pattern that the service accepts, and is rid of what was wrong."""
    advice = lint_pattern(compile_pattern(row.pattern))
    for each in advice:
        assert (each.old, each.place) == (row.pattern, None)
        assert row.pattern[slice(*each.span)]
        if each.fix is not None:
            left = [one.rule for one in lint_pattern(compile_pattern(each.fix))]
            assert left.count(each.rule) < row.rules.count(each.rule)


@pytest.mark.parametrize("row", WITH_MESSAGE, ids=lambda row: row.pattern[:50])
def test_fixes_do_what_they_say(row):
    """The fix matches what the advice says was missed, or no more what was matched by mistake."""
    (fix, *_) = [each.fix for each in lint_pattern(compile_pattern(row.pattern)) if each.fix is not None]
    assert (row.by_fix, not row.by_fix) == (
        compile_pattern(fix)(row.message),
        compile_pattern(row.pattern)(row.message),
    )


def test_every_rule_has_a_case():
    """Each rule about patterns is named by at least one case."""
    named = {rule for row in CASES for rule in row.rules}
    assert {rule.id for rule in PATTERN_RULES} == named


def test_names_and_titles():
    """Rules are named in kebab case, once each, with a title."""
    names = [rule.id for rule in PATTERN_RULES]
    assert len(names) == len(set(names))
    assert all(name == name.lower() and " " not in name and title for name, title in TITLES.items())
