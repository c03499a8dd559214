"""Patterns and messages made up by hypothesis, small enough that conditions often contradict each other."""

import json

from hypothesis import strategies as st

SELECTORS = ("$.a", "$.b", "$.a.c", "$.a[0]", "$.a[*]", "$.a.c.d")
VALUES = ("x", '"x*"', '"*y"', "xy", "1", "1.0", '"1"', "2", "true", "%^x%", "%y$%", "*")


@st.composite
def conditions(draw, depth=2):
    """Write a condition, perhaps of several with operators and parentheses between them."""
    if not depth or draw(st.booleans()):
        return draw(singles())
    parts = draw(st.lists(conditions(depth - 1), min_size=2, max_size=3))
    operator = draw(st.sampled_from((" && ", " || ")))
    joined = operator.join(f"({part})" if draw(st.booleans()) else part for part in parts)
    return f"({joined})" if draw(st.booleans()) else joined


@st.composite
def singles(draw):
    """Write a single condition."""
    selector = draw(st.sampled_from(SELECTORS))
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return f"{selector} NOT EXISTS"
    if kind == 1:
        return f"{selector} IS {draw(st.sampled_from(('NULL', 'TRUE', 'FALSE')))}"
    if kind == 2:
        return f"{selector} {draw(st.sampled_from(('<', '<=', '>', '>=')))} {draw(st.sampled_from(('1', '2', '1.5')))}"
    return f"{selector} {draw(st.sampled_from(('=', '!=')))} {draw(st.sampled_from(VALUES))}"


def json_patterns():
    """Write JSON patterns with no more regular expressions and wildcards than the service takes."""
    written = conditions().map(lambda text: f"{{ {text} }}")
    return written.filter(lambda text: text.count("%") <= 4 and text.count("[*]") <= 3)


@st.composite
def line_patterns(draw):
    """Write space-delimited patterns."""
    single = st.builds(
        "{0} {1}".format,
        st.sampled_from(("=", "!=")),
        st.sampled_from(("1", "1.0", '"1"', "2", '"1*"', "x", "x*")),
    )
    sized = st.builds(
        "{0} {1}".format, st.sampled_from(("<", ">", "<=", ">=")), st.sampled_from(("1", "2", "1.5"))
    )
    found = []
    for name in draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)):
        parts = draw(st.lists(single | sized, max_size=3))
        operator = draw(st.sampled_from((" && ", " || ")))
        found.append(name + (" " + f"{operator}{name} ".join(parts) if parts else ""))
    return f"[{', '.join([*found, '...'] if draw(st.booleans()) else found)}]"


def messages():
    """Write JSON objects of the fields that patterns look at."""
    scalars = st.sampled_from((None, True, False, "", "x", "xy", "y", "1", "true", "z"))
    numbers = st.sampled_from((1, 2, 3, 1.5, 1.0, 0))
    inner = scalars | numbers | st.lists(scalars | numbers, max_size=2)
    values = inner | st.dictionaries(st.sampled_from("cd"), inner, max_size=2)
    return st.dictionaries(st.sampled_from("ab"), values, max_size=2).map(json.dumps)


def lines():
    """Write lines of a few fields."""
    return st.lists(st.sampled_from(("1", "1.0", "2", "1.5", "15", "x", "xy", "3")), max_size=4).map(" ".join)
