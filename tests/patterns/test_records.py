"""Records held against many patterns at once, with just what they select decoded, match as each pattern says alone."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_agreement import condition, message

from rolewatch.patterns import PatternError, compile_pattern
from rolewatch.patterns.dispatch import anchors
from rolewatch.patterns.messages import tokens
from rolewatch.patterns.necessary import necessary
from rolewatch.patterns.numbers import JsonNumber
from rolewatch.patterns.records import Matcher, compact
from rolewatch.patterns.search import TELLING, search
from rolewatch.patterns.syntax import Json

OTHERS = [
    "",
    "ERROR",
    "ERROR -WARN",
    "?a ?eventName",
    '"GetObject"',
    "%Get%",
    "%^.a%",
    '[a, b = "Get*"]',
    "[..., x = *]",
    "-a",
]


def patterns_of(rng):
    """Write a few patterns of all kinds."""
    texts = ["{ " + condition(rng) + " }" for _ in range(rng.choice([1, 1, 3, 8, 20]))]
    texts += rng.sample(OTHERS, rng.choice([0, 0, 2, 8]))
    found = []
    for text in texts:
        try:
            found.append(compile_pattern(text))
        except PatternError:
            continue  # more wildcards or regular expressions than are allowed
    return found


@settings(max_examples=1500, deadline=None)
@given(st.integers(0, 2**32))
def test_matching(seed):
    """All of several patterns are decided as the pattern alone decides on the whole message."""
    rng = random.Random(seed)
    patterns = patterns_of(rng)
    matcher = Matcher(patterns)
    for _ in range(10):
        text = message(rng)
        raw = text.encode()
        expected = [
            number
            for number, pattern in enumerate(patterns)
            if pattern(text if isinstance(pattern.parsed, Json) else compact(raw))
        ]
        assert sorted(matcher.matching(raw, matcher.read(raw))) == expected, text


@settings(max_examples=2500, deadline=None)
@given(st.integers(0, 2**32))
def test_what_is_necessary(seed):
    """A message that matches holds one literal of each clause, unless an escape may hide it."""
    rng = random.Random(seed)
    for pattern in patterns_of(rng):
        clauses = necessary(pattern.parsed)
        for _ in range(8):
            text = message(rng)
            if pattern(text) and "\\u" not in text and "\\/" not in text:
                raw = text.encode()
                assert [clause for clause in clauses if not any(literal in raw for literal in clause)] == []


@settings(max_examples=1500, deadline=None)
@given(st.integers(0, 2**32))
def test_search(seed):
    """A record that matches one of several patterns is marked by the search for all of them."""
    rng = random.Random(seed)
    patterns = patterns_of(rng)
    literals = search(patterns)
    if literals is None:
        few = [
            clause
            for each in patterns
            for clause in necessary(each.parsed)
            if min(map(len, clause)) >= TELLING
        ]
        assert len(patterns) != 1 or not few
        return
    for _ in range(8):
        raw = message(rng).encode()
        bits = bool(b"\\u" in raw or b"\\/" in raw)
        for number, wanted in enumerate(literals.wanted):
            bits |= (2 << number) * any(literal in raw for literal in wanted)
        if any(pattern(raw.decode()) for pattern in patterns):
            assert literals.needs(bits), raw


ARTICLE = '{ $.eventName = Get* && $.errorCode = AccessDenied && $.userIdentity.sessionContext.sessionIssuer.arn = "arn:aws:iam::*:role/aws-service-role/*" }'
NECESSARY = [
    (ARTICLE, [[b'"Get'], [b'"AccessDenied"'], [b":role/aws-service-role/"]]),
    ('{ $.readOnly IS TRUE && $.awsRegion = "us-*" }', [[b'"us-']]),
    ("{ $.errorCode = AccessDenied || $.errorCode = *Unauthorized* }", [[b'"AccessDenied"', b"Unauthorized"]]),
    ("{ $.errorCode = * }", [[b'"errorCode"']]),
    ("{ $.requestParameters.maxItems > 5 }", [[b'"maxItems"']]),
    ("{ $.errorCode NOT EXISTS }", []),
    ("{ $.errorCode = AccessDenied || $.eventName NOT EXISTS }", []),
    ("{ $.responseElements.n = 4* }", [[b'"n"']]),  # the number 404, too
    ('{ $.a[*] != "x" }', []),
    ("{ $.x = %Denied% }", [[b"Denied"]]),
    ("{ $.xy = %Den[iI]ed% }", [[b'"xy"']]),
    ("ERROR WARN -x", [[b"ERROR"], [b"WARN"]]),
    ("?ERROR ?WARN", [[b"ERROR", b"WARN"]]),
    ("-ERROR", []),
    ("", []),
    ("[ip, user = bob*, status = 404]", [[b"bob"]]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), NECESSARY, ids=[text for text, _ in NECESSARY])
def test_clauses(text, expected):
    """What has to stand in a matching message."""
    assert [sorted(clause) for clause in necessary(compile_pattern(text).parsed)] == expected


def test_many_patterns_are_searched_by_their_best_clauses():
    """Where there are too many clauses for one pass, one of each pattern is looked for; without room for these, none."""
    several = [compile_pattern(f"{{ $.eventName = Get{n} && $.errorCode = Code{n} }}") for n in range(5)]
    assert search(several[:2]).needed == (1, 6, 24)
    assert len(search(several).wanted) == 5
    assert search([*several, compile_pattern("{ $.errorCode = Other }")]) is None


def test_reach():
    """Paths that patterns do not select can be read beside."""
    path = ("userIdentity", "sessionContext", "n")
    matcher = Matcher([compile_pattern("{ $.userIdentity.type = Root }")], [path, ("list", 1)])
    raw = json.dumps(
        {"userIdentity": {"type": "Root", "sessionContext": {"n": 5}}, "list": [1, 2.50]}
    ).encode()
    read = matcher.read(raw)
    assert matcher.matching(raw, read) == [0]
    assert [matcher.reach(path)(read), matcher.reach(("list", 1))(read)] == [
        5,
        JsonNumber("2.5"),
    ]


def test_compact():
    """White space between the parts goes, as CloudTrail writes records to CloudWatch Logs; that in texts stays."""
    assert compact(json.dumps({"a": "b  c", "d": [1, 2.50]}, indent=2).encode()) == '{"a":"b  c","d":[1,2.5]}'
    assert compact(b'{"a": no json\n') == '{"a": no json\n'


CUT = [
    ("a b", [("a", 0), ("b", 2)]),
    ('a "b c"d [e f] g"', [("a", 0), ("b c", 2), ("d", 7), ("e f", 9), ('g"', 15)]),
    ('"open [x y', [('"open', 0), ("[x", 6), ("y", 9)]),
    ("a\tb\u00a0c\x1cd", [("a", 0), ("b", 2), ("c", 4), ("d", 6)]),
    ('[] ""', [("", 0), ("", 3)]),
    ("  ", []),
]


@pytest.mark.parametrize(("line", "expected"), CUT)
def test_tokens(line, expected):
    """Lines are cut at white space of all kinds, but not inside of quotes and brackets that are closed."""
    assert [tuple(token) for token in tokens(line)] == expected


ANCHORS = [
    ("{ $.a = x }", [(("a",), {"x"})]),
    ("{ $.a = 1 }", [(("a",), None)]),
    ("{ $.a = x* && $.b = y }", [(("b",), {"y"})]),
    ("{ $.a = x || $.a = y }", [(("a",), {"x", "y"})]),
    ("{ $.a = x || $.a = 1 || $.b = y }", [(("a",), None), (("b",), {"y"})]),
    ("{ $.a = x || $.b NOT EXISTS }", []),
    ("{ $.a[*].b != x }", [(("a",), None)]),
    ("{ $.* = x }", []),
    ("{ $.a.b IS NULL && $.c NOT EXISTS }", [(("a", "b"), None)]),
]


@pytest.mark.parametrize(("text", "expected"), ANCHORS)
def test_anchors(text, expected):
    """Of what has to be there for a pattern to match, the rarest is gone by."""
    found = anchors(compile_pattern(text).parsed.condition)
    assert [(path, texts and set(texts)) for path, texts in found] == expected


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("{ $.['a\"b'] = 1 }", rb'{"a\"b":1}', True),
        ("{ $.a.['b\\c'].d = x }", rb'{"a":{"b\\c":{"d":"x"}}}', True),
        ("{ $.a NOT EXISTS || $.a.b = x }", b'{"a":{"b":"x","c":"\xff"}}', True),
        ("{ $.a IS NULL || $.a.b = x }", b'{"a":{"b":"\xff"}}', False),
    ],
)
def test_names_and_values_that_a_decoder_cannot_take(pattern, message, matches):
    """A name with a quote and a value that is no UTF-8 are read all the same."""
    matcher = Matcher([compile_pattern(pattern)])
    assert matcher.matching(message, matcher.read(message)) == ([0] if matches else [])
