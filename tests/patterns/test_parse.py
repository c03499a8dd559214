"""What the grammar takes and refuses beyond the recorded cases, and where an error points."""

import pytest

from rolewatch.patterns import PatternError, compile_pattern
from rolewatch.patterns.parse import parse
from rolewatch.patterns.syntax import ANY, And, Comparison, Everything, Line, Or, Terms

INVALID = "Invalid metric filter pattern"
REFUSED = [
    ("-", INVALID, 1),
    ("a -", INVALID, 3),
    ('""', INVALID, 0),
    ('"open', INVALID, 0),
    ("a\u00b7b", "Invalid character(s) in term '\u00b7'", 1),
    ("{", "If a filter pattern starts with '{' it must end with '}'", 0),
    ("[a, b", "If a filter pattern starts with '[' it must end with ']'", 4),
    ("%a", "If a filter pattern starts with '%' it must end with '%'", 1),
    ("%", "If a filter pattern starts with '%' it must end with '%'", 0),
    ("{}", INVALID, 1),
    ("{ $.a }", INVALID, 6),
    ("{ $.a = }", INVALID, 8),
    ("{ ($.a = 1 }", INVALID, 11),
    ("{ $.a = 1) }", INVALID, 9),
    ("{ $.a = 1 && }", INVALID, 13),
    ("{ a = 1 }", INVALID, 2),
    ("{ $.a[-1] = 1 }", "Invalid character(s) in term '[-'", 5),
    ("{ $[0] = 1 }", "Invalid character(s) in term '$['", 2),
    ('{ $.a = "x }', INVALID, 8),
    ("{ $.a IS }", INVALID, 6),
    ("{ $.a EXISTS }", INVALID, 6),
    ("{ $.a > x }", "Invalid character(s) in term 'x'", 8),
    ("{ $.a = %a% && $.b = %b% && $.c = %c% }", "Your input has exceeded the maximum of 2 regular expressions per filter pattern.", 34),
    ("{ " + "(" * 70 + "$.a = 1" + ")" * 70 + " }", INVALID, 67),
    ("[a b]", INVALID, 3),
    ("[..., a, ...]", "Duplicate field '...'", 9),
    ("[a=%x%, b=%y%, c=%z%]", "Your input has exceeded the maximum of 2 regular expressions per filter pattern.", 17),
    (r"%\p%", "Failed to compile regular expression.", 1),
    (r"%a\%", "Failed to compile regular expression.", 2),
    (r"%\xg1%", "Failed to compile regular expression.", 1),
    ("%a++%", "Failed to compile regular expression.", 1),
    ("x" * 1025, f"1 validation error detected: Value '{'x' * 1025}' at 'filterPattern' failed to satisfy constraint: Member must have length less than or equal to 1024", 1024),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "position"), REFUSED, ids=[row[0][:24] for row in REFUSED])
def test_refused(text, message, position):
    """What is no pattern is refused with a text, and a caret below the place."""
    with pytest.raises(PatternError) as caught:
        parse(text)
    assert (caught.value.message, caught.value.position) == (message, position)
    shown, caret = caught.value.drawing().split("\n")
    assert shown[len(caret) - 1 : len(caret)] == text[position : position + 1]


def test_and_binds_more_than_or():
    """`A || B && C` is `A || (B && C)`."""
    condition = parse("{ $.a = 1 || $.b = 2 && $.c = 3 }").condition
    assert isinstance(condition, Or)
    assert [type(part) for part in condition.parts] == [Comparison, And]


def test_selectors():
    """Steps are names, indices and wildcards; a name in quotes may hold anything."""
    condition = parse("{ $.a.['b.c d'][12].x-y[*] = 1 }").condition
    assert condition.subject.steps == ("a", "b.c d", 12, "x-y", ANY)
    assert condition.subject.text == "$.a.['b.c d'][12].x-y[*]"


@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_everything(text):
    """A pattern of white space is the empty one."""
    assert parse(text) == Everything()


def test_terms():
    """Plain, excluded and optional terms are told apart, also within a word."""
    assert parse('a-b "c d" ?e -"f g"') == Terms(("a", "c d"), ("b", "f g"), ("e",))


def test_an_ellipsis_stands_between_fields():
    """It is remembered by the number of fields before it."""
    assert [parse(text).ellipsis for text in ("[..., a]", "[a, ...]", "[a, ..., b, c]", "[a]")] == [
        0,
        1,
        1,
        None,
    ]
    assert parse("[]") == Line((), None)


LINES = [
    ("[..., status = 4*, size > 1000]", '1.2.3.4 - [x y] "GET /" 404 1534', {"$1": "1.2.3.4", "$2": "-", "$3": "x y", "$4": "GET /", "$status": "404", "$size": "1534"}),
    ("[ip, ..., size]", "a b", {"$ip": "a", "$size": "b"}),
    ("[ip, ..., size]", "a", None),
    ("[]", "a  b", {"$1": "a", "$2": "b"}),
    ("[a, (b = 1 || b = 2) && b != 2]", "x 1.0", {"$a": "x", "$b": "1.0"}),
    ("[a, b = 1]", "x 1.0", {"$a": "x", "$b": "1.0"}),
    ("[a, b >= 2]", "x two", None),
    ("[a != x, b]", "y z", {"$a": "y", "$b": "z"}),
    ("[, b,]", "x y z  w ", {"$1": "x", "$b": "y", "$3": "z  w "}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "values"), LINES)
def test_lines(text, line, values):
    """Fields take their tokens from the left, behind an ellipsis from the right."""
    assert compile_pattern(text).match(line) == values
