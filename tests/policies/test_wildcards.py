"""Patterns with wildcards, held against texts: as a slow way says it, and in time that follows the text."""

import time
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.policies.variables import Template, template_of
from rolewatch.policies.wildcards import LITERALLY, arn_like, like, literally, resource_like, shown

PATTERNS = st.text("ab:*?", max_size=9)
TEXTS = st.text("ab:*?\n", max_size=9)


def slowly(pattern, text, *, inner=False):
    """Say by trying everything whether a pattern matches; with `inner` wildcards stop at a colon, but a star before one."""

    @cache
    def rest(at, place):
        if at == len(pattern):
            return place == len(text)
        character = pattern[at]
        colons = pattern[:at].count(":")
        bound = inner and colons < 5 and not (character == "*" and pattern[at + 1 : at + 2] in (":", ""))
        if character == "*":
            return rest(at + 1, place) or (
                place < len(text) and not (bound and text[place] == ":") and rest(at, place + 1)
            )
        if place == len(text):
            return False
        fits = not (bound and text[place] == ":") if character == "?" else text[place] == character
        return fits and rest(at + 1, place + 1)

    return rest(0, 0)


@given(PATTERNS, TEXTS)
def test_like_matches_what_trying_everything_finds(pattern, text):
    """A star is any text, a question mark any one character, line breaks included."""
    assert like(pattern)(text) is slowly(pattern, text)


@given(PATTERNS, TEXTS)
def test_resource_like_stops_at_colons(pattern, text):
    """In a Resource, a wildcard stays within its segment, but for a star that ends it; after the fifth colon there are no segments."""
    assert resource_like(pattern)(text) is slowly(pattern, text, inner=True)


@given(st.text("*?a\ue000", max_size=8), st.text("*?a\ue000", max_size=8))
def test_what_stands_for_itself_matches_only_itself(text, other):
    """A text that is written literally is matched by itself alone, whatever its characters mean in patterns."""
    assert like(literally(text))(text)
    assert like(literally(text))(other) is (text == other)
    assert shown(literally(text)) == text
    assert like(f"{literally(text)}*")(text + other)


@given(st.text("*?a\ue000${}", max_size=10))
def test_a_text_without_variables_is_a_pattern(text):
    """What is read without variables matches itself, and the rest of what it means."""
    read = template_of(text, variables=False)
    assert isinstance(read, str)
    assert like(read)(text)
    assert not isinstance(template_of("${$}${*}${?}"), Template)


@pytest.mark.parametrize(("pattern", "arn", "matches"), [
    ("arn:aws:s3:::a*", "arn:aws:s3:::abc/d:e", True),
    ("arn:aws:s3:::*", "arn:aws:sns:us-east-1:1:x", False),
    ("arn:*:iam::1:role/?", "arn:aws-cn:iam::1:role/x", True),
    ("arn:aws:iam:*:role/x", "arn:aws:iam::1:role/x", False),
    ("arn:aws:iam::1:role/x", "arn:aws:iam::1:role/X", False),
    ("*", "arn:aws:iam::1:role/x", True), ("*", "x", True), ("arn:aws:s3*", "arn:aws:s3:::b", True),
    ("x", "x", False), ("arn:aws:s3", "arn:aws:s3", False), ("arn:aws:s3:::b", "b", False),
])  # fmt: skip
def test_arn_like_compares_parts(pattern, arn, matches):
    """Each of an ARN's six parts is compared on its own; what is no ARN is no ARN's equal."""
    assert arn_like(pattern)(arn) is matches


@pytest.mark.parametrize(("pattern", "resource", "matches"), [
    ("arn:aws:s3:::*", "arn:aws:s3:::b/k", True),
    ("arn:aws:iam::*:role/x", "arn:aws:iam::1:role/x", True),
    ("arn:aws:*:role/x", "arn:aws:iam::1:role/x", True),
    ("arn:aws:ec2:us-*-1:1:instance/*", "arn:aws:ec2:us-east-1:1:instance/i", True),
    ("arn:aws:ec2:us-*-1:1:instance/*", "arn:aws:ec2:us-x:y-1:1:instance/i", False),
    ("arn:aws:ec2:??-east-1:1:instance/*", "arn:aws:ec2:us-east-1:1:instance/i", True),
    ("arn:aws:ec2:us-east-?:1:instance/*", "arn:aws:ec2:us-east-:1:instance/i", False),
    ("arn:aws:s3:::x?y", "arn:aws:s3:::x:y", True), ("arn:aws:sq?", "arn:aws:sqs", True), ("arn:aws:sq?", "arn:aws:sqs:::x", False),
])  # fmt: skip
def test_resources(pattern, resource, matches):
    """Wildcards in ARNs of a Resource element match as IAM's documentation says."""
    assert resource_like(pattern)(resource) is matches


BOMBS = ("*a" * 5000 + "b", "*?a" * 3300 + "b", f"*{'?a' * 4000}*{'a?' * 900}b", f"*{'a' * 9000}b", "?" * 100_000, f"arn:*?{'*a' * 4000}:x*y?:::{'*a' * 900}b",
         f"{LITERALLY}**" + "a?*" * 3000 + "b")  # fmt: skip


@pytest.mark.parametrize("make", [like, resource_like, arn_like])
@pytest.mark.parametrize("bomb", BOMBS, ids=range(len(BOMBS)))
def test_wildcard_bombs_end(make, bomb):
    """A pattern of 10,000 characters against a text of 100,000 takes seconds at most, where backtracking would take for ever."""
    start = time.process_time()
    for text in ("a" * 100_000, f"arn:aws:s3:::{'a' * 100_000}", "a:" * 50_000):
        make(bomb)(text)
    assert time.process_time() - start < 20


@pytest.mark.parametrize("pattern", ["*a*a*a*b", "*?a?*a?b", "*a?a*b", "a?*a*?b", "*" * 40 + "b"])
def test_time_follows_the_text(pattern):
    """Twice the text takes no more than some times as long: the steps do not grow with its square."""

    def cost(length):
        text = "a" * length
        best = min(timed(like(pattern), text) for _ in range(3))
        return max(best, 1e-4)

    def timed(test, text):
        start = time.process_time()
        assert test(text) is False
        return time.process_time() - start

    assert cost(320_000) < 40 * cost(20_000)
