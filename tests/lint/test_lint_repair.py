"""What is offered instead of a pattern that the service refuses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolewatch.lint.advice import Severity
from rolewatch.lint.repair import MOST_EDITS, lint_refused
from rolewatch.patterns import PatternError, compile_pattern
from rolewatch.patterns.parse import LONGEST


def many(condition, number):
    """Repeat a condition."""
    return f"{{ {' || '.join([condition] * number)} }}"


QUOTING, OTHER = "unquoted-special", "refused"
# A pattern that is refused, the rule, and the pattern that is offered instead (None: nothing is).
REPAIRS = [
    # values without quotes
    ("{ $.awsRegion != us-east-1 }", QUOTING, '{ $.awsRegion != "us-east-1" }'),
    ("{ $.a = foo/bar }", QUOTING, '{ $.a = "foo/bar" }'),
    ("[a = us-east-1, b]", QUOTING, '[a = "us-east-1", b]'),
    ("{ $.a = s3:Get }", QUOTING, '{ $.a = "s3:Get" }'),
    ("{$.a=x:y||$.b=z:w}", QUOTING, '{$.a="x:y"||$.b="z:w"}'),
    ("{ ($.a = x-y) }", QUOTING, '{ ($.a = "x-y") }'),
    ("{ $.a = foo bar }", QUOTING, '{ $.a = "foo bar" }'),
    ("{ $.a = foo-bar baz || $.b = x }", QUOTING, '{ $.a = "foo-bar baz" || $.b = x }'),
    ("{ $.url = a=b&c=d }", QUOTING, '{ $.url = "a=b&c=d" }'),
    ("{ $.ip = 2001:db8::1 }", QUOTING, '{ $.ip = "2001:db8::1" }'),
    ("{ $.a = 5% }", QUOTING, '{ $.a = "5%" }'),
    ("[ip = 10.0.0.0/8, b]", QUOTING, '[ip = "10.0.0.0/8", b]'),
    ("{ $.a = Mozilla/5.0 (X11) }", OTHER, None),
    # other quotes
    ("{ $.a = 'x' }", QUOTING, '{ $.a = "x" }'),
    ("{ $.a = 'foo bar' }", QUOTING, '{ $.a = "foo bar" }'),
    ("{ $.a = \N{LEFT DOUBLE QUOTATION MARK}x\N{RIGHT DOUBLE QUOTATION MARK} }", QUOTING, '{ $.a = "x" }'),
    (r"{ $.a = \"x y\" && $.b = z }", QUOTING, '{ $.a = "x y" && $.b = z }'),
    ('{ $.a = "x }', QUOTING, '{ $.a = "x" }'),
    ('{ $.a = "a"b" }', OTHER, None),
    # operators
    ("{ $.a == b }", OTHER, "{ $.a = b }"),
    ("{ $.a !== 5 }", OTHER, "{ $.a != 5 }"),
    ("{ $.a <> 5 }", OTHER, "{ $.a != 5 }"),
    ("{ $.a => 5 }", OTHER, "{ $.a >= 5 }"),
    ('{ $.a > "5" }', OTHER, "{ $.a > 5 }"),
    ("{ $.a = x AND $.b = y }", OTHER, "{ $.a = x && $.b = y }"),
    ("{ ($.a = x) or ($.b = y) }", OTHER, "{ ($.a = x) || ($.b = y) }"),
    ("{ $.a = x & $.b = y }", OTHER, "{ $.a = x && $.b = y }"),
    ("{ $.a = x | $.b = y }", OTHER, "{ $.a = x || $.b = y }"),
    ("[a = 1 and a = 2]", OTHER, "[a = 1 && a = 2]"),
    ("{ !($.a = x) }", OTHER, None),
    # tests
    ("{ $.a = null }", OTHER, "{ $.a IS NULL }"),
    ("{ $.a != null }", OTHER, "{ $.a = * }"),
    ("{ $.a IS NOT NULL }", OTHER, "{ $.a = * }"),
    ("{ $.a EXISTS }", OTHER, "{ $.a = * }"),
    ("{ $.a IS NOT EXISTS }", OTHER, "{ $.a NOT EXISTS }"),
    ("{ $.a NOT EXIST }", OTHER, "{ $.a NOT EXISTS }"),
    ("[a = null]", QUOTING, '[a = "null"]'),
    # names
    ('{ $["a"] = x }', OTHER, "{ $.a = x }"),
    ('{ $.["a"] = x }', OTHER, "{ $.a = x }"),
    ("{ $.a['b c'].d = x }", OTHER, "{ $.a.['b c'].d = x }"),
    ("{ eventName = x }", OTHER, "{ $.eventName = x }"),
    ("{ $eventName = x }", OTHER, "{ $.eventName = x }"),
    ("{ $.a:b = x }", OTHER, "{ $.['a:b'] = x }"),
    ("{ $.@timestamp = x }", OTHER, "{ $.['@timestamp'] = x }"),
    ("[ip, user-agent, 2x]", OTHER, "[ip, user_agent, _2x]"),
    # what stands around conditions
    ("{ $.a = x", OTHER, "{ $.a = x }"),
    ("[a, b", OTHER, "[a, b ]"),
    ("$.a = x", OTHER, "{ $.a = x }"),
    ('{ $.b = "y" ) }', OTHER, None),
    ("{ }", OTHER, None),
    # terms
    ("user@example.com", QUOTING, '"user@example.com"'),
    ("-s3:GetObject ERROR", QUOTING, '-"s3:GetObject" ERROR'),
    ("'foo bar' x", QUOTING, '"foo bar" x'),
    ("ERROR && WARN", OTHER, "ERROR WARN"),
    ("ERROR || WARN", OTHER, "?ERROR ?WARN"),
    ("ERROR || WARN && x", OTHER, None),
    ("ERROR || WARN x", OTHER, None),
    ("ERR*", OTHER, "ERR"),
    ('"ERROR"WARN', OTHER, None),
    ("%a(b|c)%", OTHER, None),
    # several mistakes
    (
        "{ ($.a == us-east-1) AND (b != 'c') OR $.c IS NOT NULL }",
        OTHER,
        '{ ($.a = "us-east-1") && ($.b != "c") || $.c = * }',
    ),
    ("$.a = us-east-1", OTHER, '{ $.a = "us-east-1" }'),
    (many("$.a = x-y", 20), QUOTING, many('$.a = "x-y"', 20)),
    (many("$.a = x-y", MOST_EDITS + 1), OTHER, None),
    (f"{{ $.a = {'x-' * LONGEST} }}", OTHER, None),
]  # fmt: skip


def advice_on(text):
    """Return the advice on a pattern that is refused."""
    with pytest.raises(PatternError) as caught:
        compile_pattern(text)
    return lint_refused(caught.value)


def is_pattern(text):
    """Whether the service takes a text."""
    try:
        compile_pattern(text)
    except PatternError:
        return False
    return True


@pytest.mark.parametrize(("text", "rule", "fix"), REPAIRS, ids=[text[:40] for text, *_ in REPAIRS])
def test_repairs(text, rule, fix):
    """A mistake that is known is mended, with AWS's words and a sentence why; for others there are AWS's words alone."""
    advice = advice_on(text)
    assert (advice.rule, advice.fix, advice.severity) == (rule, fix, Severity.ERROR)
    assert (advice.old, advice.place) == (text, None)
    with pytest.raises(PatternError) as caught:
        compile_pattern(text)
    assert advice.message.startswith(caught.value.message)
    assert (advice.message == caught.value.message) == (fix is None)


def test_the_place():
    """The span is the character that the service stumbles over."""
    assert advice_on("{ $.awsRegion != us-east-1 }").span == (19, 20)


def test_the_reason():
    """The reason is told once, however often it applies."""
    message = advice_on("{ $.a = b-c || $.d = e-f }").message
    assert message.count("stands in double quotes") == 1
    assert message.startswith("Invalid character(s) in term '-'. A value with other characters")


PIECES = st.sampled_from([
    "$", "$.", "$.a", "b", "[", "]", "{", "}", "(", ")", " ", "=", "==", "!=", "<>", ">", "&&", "||", "&", "|", "AND", "or",
    "'", '"', '\\"', "%", "*", "us-east-1", "s3:Get", "null", "IS", "NOT", "EXISTS", "5", "-", ".", "..", ",", "?", "/", "@",
    "\n", "['x']", '["y"]', "é", "^",
])  # fmt: skip
FIELDS, SIGNS, VALUES, JOINS = (
    st.sampled_from(each)
    for each in (
        ("$.a", "b", '$["c"]', "$.d:e"),
        (" = ", " == ", " != ", " <> "),
        ("x", "us-east-1", "'q'", "null", "foo bar", '"ok"'),
        (" && ", " AND ", " || ", " & "),
    )
)


def conditions(most):
    """Write up to a number of conditions, each with mistakes, and a right one."""
    parts = st.lists(st.tuples(FIELDS, SIGNS, VALUES, JOINS).map("".join), min_size=1, max_size=most)
    return parts.map(lambda each: f"{{ {''.join(each)}$.z = 1 }}")


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join) | conditions(12))
def test_what_is_offered_is_a_pattern(text):
    """Whatever is refused, its advice lies within it, and what is offered instead is accepted."""
    if not is_pattern(text):
        advice = advice_on(text)
        assert 0 <= advice.span[0] <= advice.span[1] <= len(text)
        assert advice.fix is None or is_pattern(advice.fix)


@settings(max_examples=200, deadline=None)
@given(conditions(MOST_EDITS // 4))
def test_known_mistakes_are_all_mended(text):
    """However many of the known mistakes there are, up to a limit, the pattern is repaired."""
    assert is_pattern(text) or advice_on(text).fix is not None
