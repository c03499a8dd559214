"""The store of facts keeps the latest of each, in memory or spilled."""

from hypothesis import given
from hypothesis import strategies as st

from rolewatch.scan.facts import Facts

KEYS = st.tuples(st.sampled_from("abcdefgh"), st.text(max_size=2))
TIMES = st.integers(0, 59).map(lambda second: f"2026-03-01T00:00:{second:02d}Z")


def latest(facts, key):
    """Return the latest time of a fact; None if it never happened."""
    found = facts.find(key)
    return found[0] if found else None


@given(st.lists(st.tuples(KEYS, TIMES), max_size=60))
def test_spilling_changes_nothing(rows):
    """With room for three facts in memory, look-ups answer as a plain dictionary of maxima does."""
    facts, expected = Facts(limit=3), {}
    for key, time in rows:
        facts.add(key, time)
        expected[key] = max(time, expected.get(key, ""))
    assert {key: latest(facts, key) for key in expected} == expected


def test_unknown_key():
    """A fact that never happened has no time, spilled runs or not."""
    facts = Facts(limit=1)
    for key in ("a", "b", "c"):
        facts.add((key,), "2026-03-01T00:00:00Z")
    assert latest(facts, ("d",)) is None


HOSTILE = [
    ("a\x1fb",),
    ("a", "b"),
    ("a', 'b",),
    ("",),
    ("", ""),
    ("\ud800",),
    ("\U0001f512",),
    ("x" * 100_000,),
]


def test_keys_that_look_alike():
    """Facts are told apart whatever their names hold, in memory and spilled."""
    facts = Facts(limit=1)
    times = {key: f"2026-03-01T00:00:{second:02d}Z" for second, key in enumerate(HOSTILE)}
    for key, time in times.items():
        facts.add(key, time)
    assert times == {key: latest(facts, key) for key in times}


def test_order_of_times():
    """The latest time counts whether it came first, in a run or in memory."""
    early, late = "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"
    for times in ((early, late), (late, early), (late, early, early), (early, late, early)):
        facts = Facts(limit=1)
        for time in times:
            facts.add(("a",), time)
            facts.add(("b",), time)
        assert (latest(facts, ("a",)), latest(facts, ("b",))) == (late, late)


def test_odd_times():
    """A time that is none, of any length, is kept as far as a row has room, and breaks nothing."""
    facts = Facts(limit=1)
    for key, time in (("a", "soon"), ("b", "9" * 1000), ("c", "\U0001f512")):
        facts.add((key,), time)
    assert [latest(facts, (key,)) for key in "abc"] == ["soon", "9" * 24, "\U0001f512"]


def test_memory_is_bounded():
    """No more facts are held in memory than was said."""
    facts = Facts(limit=10)
    for number in range(95):
        facts.add((str(number),), "2026-03-01T00:00:00Z")
    assert len(facts._recent) <= 10
    assert all(latest(facts, (str(number),)) for number in range(95))
