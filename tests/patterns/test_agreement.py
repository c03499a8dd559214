"""The compiled pattern and the slow, obvious evaluator agree on generated patterns and messages."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obvious import matches

from rolewatch.patterns import PatternError, compile_pattern
from rolewatch.patterns.numbers import JsonNumber, java_double, rendered

NAMES = ["a", "b", "eventName", "x-y", "2"]
WORDS = [
    "Get",
    "GetObject",
    "AccessDenied",
    "1",
    "1.0",
    "1e3",
    "-1",
    "",
    "true",
    "null",
    "a*b",
    "ż",
    "10.0.0.1",
]
NUMBERS = [
    "0",
    "1",
    "-1",
    "1.0",
    "1e3",
    "1000",
    "1e-999",
    "1e309",
    "-0.0",
    "9007199254740993",
    "0.001",
    "1e7",
    "12.50",
]
VALUES = ['"Get*"', "Get*", "*Object", "*", '"*"', "AccessDenied", "1", "1.0", "+1", "1e3", '"1"', '"1.0"', '"1000.0"', "-0.0", "1e309",
          "1e-999", "9007199254740992", "%Get%", "%^1%", "%[0-9]+$%", "true", '"true"', '""', "a*b", '"a*b*"', "*e*e*"]  # fmt: skip


def selector(rng):
    """Write a path."""
    steps = [rng.choice([".a", ".b", ".eventName", ".['x-y']", ".x-y", ".2", ".a", ".b", ".*"])]
    wild = steps == [".*"]
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2])):
        step = rng.choice([".a", ".b", "[0]", "[1]", "[*]", ".*"])
        if step in ("[*]", ".*"):
            if wild:
                continue
            wild = True
        steps.append(step)
    return "$" + "".join(steps)


def condition(rng, depth=0):
    """Write a condition."""
    kind = rng.random()
    if depth < 3 and kind < 0.35:
        sign = rng.choice([" && ", " || "])
        inner = sign.join(condition(rng, depth + 1) for _ in range(rng.choice([2, 2, 3])))
        return f"({inner})" if rng.random() < 0.5 else inner
    path = selector(rng)
    if kind < 0.45:
        return f"{path} {rng.choice(['IS NULL', 'is null', 'IS TRUE', 'IS FALSE', 'NOT EXISTS'])}"
    operator = rng.choice(["=", "=", "!=", "!=", "<", "<=", ">", ">="])
    value = rng.choice(
        VALUES if operator in ("=", "!=") else ["0", "1", "-1", "1000", "1e3", "1e-999", "0.5"]
    )
    return f"{path}{rng.choice([' ', ''])}{operator}{rng.choice([' ', ''])}{value}"


def node(rng, depth=0):
    """Write a JSON value."""
    kind = rng.random()
    if depth < 3 and kind < 0.25:
        pairs = [f"{json.dumps(rng.choice(NAMES))}:{node(rng, depth + 1)}" for _ in range(rng.randrange(4))]
        return "{" + rng.choice([",", ", "]).join(pairs) + "}"
    if depth < 3 and kind < 0.4:
        return "[" + ",".join(node(rng, depth + 1) for _ in range(rng.randrange(4))) + "]"
    if kind < 0.6:
        return rng.choice(NUMBERS)
    if kind < 0.7:
        return rng.choice(["true", "false", "null"])
    return json.dumps(rng.choice(WORDS), ensure_ascii=rng.random() < 0.5)


def message(rng):
    """Write a message, mostly one object."""
    pairs = [f"{json.dumps(name)}:{node(rng)}" for name in rng.choices(NAMES, k=rng.randrange(5))]
    text = "{" + ",".join(pairs) + "}"
    return rng.choice(
        [text] * 12 + [f"[{text}]", f"{text} x", text[:-1], f" {text}\n", '{"a":NaN}', "plain text"]
    )


@settings(max_examples=1500, deadline=None)
@given(st.integers(0, 2**32))
def test_json_patterns(seed):
    """Every condition on every message is decided alike."""
    rng = random.Random(seed)
    text = "{ " + condition(rng) + " }"
    if text.count("%") > 4 or text.count("[*]") + text.count(".*") > 3:
        with pytest.raises(PatternError, match="maximum"):
            compile_pattern(text)
        return
    pattern = compile_pattern(text)
    for _ in range(12):
        given_message = message(rng)
        assert pattern(given_message) == matches(pattern.parsed, given_message), (text, given_message)


TERMS = st.lists(st.sampled_from(["ERROR", "-WARN", "?a", "?b", "a.b", '"two words"', '-"x y"', "?ż", "a-b", "a?b"]), min_size=1, max_size=4)  # fmt: skip


@settings(max_examples=300)
@given(
    TERMS,
    st.lists(st.sampled_from(["ERROR", "WARN", "a", "b", "a.b", "two words", "x y", "ż", " "]), max_size=5),
)
def test_terms(terms, pieces):
    """Terms are decided alike."""
    pattern = compile_pattern(" ".join(terms))
    text = rejoined = "".join(pieces)
    assert pattern(text) == matches(pattern.parsed, rejoined)


@settings(max_examples=500)
@given(st.floats(allow_nan=False))
def test_doubles(double):
    """A rendered double has Java's form, and reads back as the same double."""
    text = java_double(double)
    assert "Infinity" in text or float(text.replace("E", "e")) == double
    assert "Infinity" in text or "." in text
    if 1e-3 <= abs(double) < 1e7:
        assert "E" not in text


RENDERED = {"1e3": "1000.0", "1e7": "1.0E7", "0.001": "0.001", "1e-4": "1.0E-4", "12345678.9": "1.23456789E7", "-0": "0", "-0.0": "-0.0",
            "1e309": "Infinity", "-1e309": "-Infinity", "1e-999": "0.0", "100": "100", "9999999.0": "9999999.0", "1.10": "1.1"}  # fmt: skip


def test_rendered():
    """Numbers are rendered as documented for Java."""
    assert {text: rendered(JsonNumber(text)) for text in RENDERED} == RENDERED
