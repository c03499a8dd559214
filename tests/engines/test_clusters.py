"""Patterns of texts: what is the same stands, what varies is a token, whatever the order and however hostile."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.engines.clusters import MOST, Pattern, patterns

#: The example of the service's documentation.
CALLS = [
    f"2023-01-01 19:00:0{second} [INFO] Calling DynamoDB to store for resource id {name}-12345"
    for second, name in ((1, "12342342k124"), (2, "324892398123"), (3, "3ff231242342"))
]
DENIED = (
    'User: arn:aws:sts::{}:assumed-role/{} is not authorized to perform: s3:{} on resource: "arn:aws:s3:::{}"'
)


def found(*texts):
    """Give the patterns of texts and how many have each."""
    return [(each.text, *each.counts) for each in patterns([texts])]


def test_documented():
    """A time and an identifier are tokens of their kind, numbered from the left."""
    pattern = "<Time-1> [INFO] Calling DynamoDB to store for resource id <ID-2>"
    assert patterns([CALLS]) == [Pattern(pattern, (3,), "Info")]
    assert found("[INFO] Request time: 327 ms", "[INFO] Request time: 32.5 ms") == [("[INFO] Request time: <Number-1> ms", 2)]  # fmt: skip


def test_messages_of_denials():
    """Those of one form are one pattern; those of another form are another."""
    texts = [
        DENIED.format("111122223333", "a/b", "GetObject", "one"),
        DENIED.format("111122223333", "c/d", "GetBucketAcl", "two"),
        "Access Denied",
        "Access Denied",
        "Access Denied",
        None,
    ]
    assert found(*texts) == [
        ("Access Denied", 3),
        (
            DENIED.format("111122223333", "<Token-1>/<Token-2>", "<Token-3>", "<Token-4>"),
            2,
        ),
    ]


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ("from 10.0.0.1 to here and back", "from 192.0.2.7 to here and back", "from <IP-1> to here and back"),
        ("at 2026-03-01T10:00:00Z it was", "at 2026-03-01T10:00:00.123+01:00 it was", "at <Time-1> it was"),
        ("x 00000000-0000-4000-8000-000000000001 y z", "x 11111111-0000-4000-8000-0000000000ff y z", "x <ID-1> y z"),
        ("took 1 or so it was", "took 2.5 or so it was", "took <Number-1> or so it was"),
        ("took 1 or so it was", "took long or so it was", "took <Token-1> or so it was"),
        ("in us-east-1 it was seen", "in eu-west-1 it was seen", "in <Token-1> it was seen"),
        ("id 1 of 1 is 7", "id 2 of 1 is 8", "id <Number-1> of 1 is <Number-2>"),
        ("a, b; c: d!", "a, b; c: e!", "a, b; c: <Token-1>!"),
    ],
)  # fmt: skip
def test_kinds(one, two, expected):
    """A token is called by its kind if all that stands there is of one; what does not vary is no token."""
    assert found(one, two) == [(expected, 2)]


def test_other_signs_are_another_pattern():
    """So is another number of words, and too many other words."""
    assert len(found("a b: c", "a b; c", "a b: c d", "x y: z")) == 4


def test_lots():
    """Two lots of texts have their patterns together, and are counted apart."""
    now, before = ["ERROR in line 1", "ERROR in line 2"], ["ERROR in line 7", "all is well"]
    assert patterns([now, before]) == [
        Pattern("ERROR in line <Number-1>", (2, 1), "Error"),
        Pattern("all is well", (0, 1), None),
    ]


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("[WARN] x", "Warning"), ("fatal: x", "Error"), ("x debug y", "Debug"), ("notice", "Info"), ("errors", None), ("", None),
    ],
)  # fmt: skip
def test_levels(text, level):
    """The first word that is one, in whatever case."""
    (pattern,) = patterns([[text]])
    assert (pattern.text, pattern.level) == (text, level)


@given(st.lists(st.text("ab 1:-", max_size=12), max_size=8), st.randoms())
def test_the_order_does_not_matter(texts, random):
    """Nor does it matter how often they are given; and all texts are counted."""
    shuffled = list(texts)
    random.shuffle(shuffled)
    assert patterns([texts]) == patterns([shuffled])
    assert sum(each.counts[0] for each in patterns([texts])) == len(texts)


@given(st.text(max_size=80))
def test_a_text_alone_is_its_own_pattern(text):
    """To the letter."""
    assert found(text, text) == [(text, 2)]


def test_long_texts():
    """Words beyond the first thousand count as one."""
    one, two = (" ".join(["x"] * MOST + [word] * 3) for word in "yz")
    assert found(one, two) == [(" ".join(["x"] * MOST + ["<Token-1>"]), 2)]


@pytest.mark.parametrize(
    "text",
    ["1" * 200_000 + "a", "1-" * 100_000, "a-" * 100_000 + "-" * 100_000, "2023-01-01 19:00:01." + "1" * 200_000 + "a", "1.1." * 50_000],
    ids=range(5),
)  # fmt: skip
def test_hostile_texts(text):
    """None takes more than linear time."""
    start = time.process_time()
    assert sum(each.counts[0] for each in patterns([[text, f"{text}x"]])) == 2
    assert time.process_time() - start < 10
