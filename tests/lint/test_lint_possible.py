"""What is said to match never, or always, does; generated patterns are tried on generated messages."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lint_generated import json_patterns, line_patterns, lines, messages

from rolewatch.lint import possible
from rolewatch.lint.globs import TooMany, witness
from rolewatch.lint.located import fields, leaves, located, singles
from rolewatch.lint.run import lint_pattern
from rolewatch.patterns import PatternError, compile_pattern
from rolewatch.patterns.glob import glob


def is_pattern(text):
    """Whether a text is a pattern."""
    try:
        compile_pattern(text)
    except PatternError:
        return False
    return True


@settings(max_examples=300, deadline=None)
@given(json_patterns(), st.lists(messages(), min_size=5, max_size=20))
def test_never_and_always(text, tried):
    """No message matches a pattern that never does, and each matches one that always does."""
    pattern = compile_pattern(text)
    node = located(pattern)
    if possible.never(node, about_trail=False) is not None:
        assert [message for message in tried if pattern(message)] == []
    if possible.always(node, about_trail=False):
        assert [message for message in tried if not pattern(message)] == []


@settings(max_examples=200, deadline=None)
@given(line_patterns(), st.lists(lines(), min_size=5, max_size=20))
def test_lines_that_never_match(text, tried):
    """No line matches a pattern with a field that nothing can be."""
    pattern = compile_pattern(text)
    if any(node and possible.never(node, about_trail=False) for _, node in fields(pattern)):
        assert [line for line in tried if pattern(line)] == []


@settings(max_examples=300, deadline=None)
@given(json_patterns() | line_patterns() | st.text('ab-?" *.%', max_size=12).filter(is_pattern))
def test_every_fix_is_a_pattern(text):
    """Whatever pattern it is, its advice lies within it, and each fix is accepted by the service."""
    for advice in lint_pattern(compile_pattern(text)):
        start, end = advice.span
        assert 0 <= start <= end <= len(text)
        if advice.fix is not None:
            compile_pattern(advice.fix)


@settings(max_examples=200, deadline=None)
@given(json_patterns())
def test_conditions_are_located(text):
    """The single conditions, cut out of the text, are those that the parser found, in their order."""
    pattern = compile_pattern(text)
    found = list(leaves(located(pattern)))
    assert [leaf.condition for leaf in found] == list(singles(pattern.parsed.condition))
    assert [leaf.text for leaf in found] == [text[slice(*leaf.span)] for leaf in found]
    again = [compile_pattern(f"{{ {leaf.text} }}").parsed.condition for leaf in found]
    assert again == [leaf.condition for leaf in found]


QUOTED = r"""{ $.['a && b'] = "x || (y" && ($.c = %a|(\x28)%) || $.d[0] != "%" }"""


def test_marks_in_quotes():
    """What looks like an operator within quotes, names and regular expressions is none."""
    pattern = compile_pattern(QUOTED.replace("(\\x28)", "\\x28"))
    assert [leaf.text for leaf in leaves(located(pattern))] == [
        """$.['a && b'] = "x || (y\"""",
        r"$.c = %a|\x28%",
        '$.d[0] != "%"',
    ]


GLOBS = st.lists(st.text("ab*", max_size=4), max_size=3)


@settings(max_examples=300, deadline=None)
@given(GLOBS, GLOBS)
def test_witnesses(wanted, unwanted):
    """A witness matches all that it should and nothing else; where there is none, no short text does."""
    found = witness(wanted, unwanted)
    texts = [found] if found is not None else [*_short("abx", 5)]
    fits = [
        text
        for text in texts
        if all(glob(each)(text) for each in wanted) and not any(glob(each)(text) for each in unwanted)
    ]
    assert fits == ([found] if found is not None else [])


def _short(alphabet, length):
    texts = [""]
    for _ in range(length):
        yield from texts
        texts = [text + char for text in texts for char in alphabet]


def test_too_large_a_question():
    """A question that would take too long is given up, and nothing is advised."""
    globs = [f"*{'ab' * 20}{number:04b}*".replace("0", "a").replace("1", "b") for number in range(16)]
    with pytest.raises(TooMany):
        witness(globs, [])
    condition = " && ".join(f'$.a = "{each}"' for each in globs)
    assert [each.rule for each in lint_pattern(compile_pattern(f"{{ {condition} }}"))] == []
