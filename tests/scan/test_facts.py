"""The store of facts keeps the latest of each, in memory or spilled."""

from hypothesis import given
from hypothesis import strategies as st

from rolewatch.scan.facts import Facts

KEYS = st.tuples(st.sampled_from("abcdefgh"), st.text(max_size=2))
TIMES = st.integers(0, 59).map(lambda second: f"2026-03-01T00:00:{second:02d}Z")


@given(st.lists(st.tuples(KEYS, TIMES), max_size=60))
def test_spilling_changes_nothing(rows):
    """With room for three facts in memory, look-ups answer as a plain dictionary of maxima does."""
    facts, expected = Facts(limit=3), {}
    for key, time in rows:
        facts.add(key, time)
        expected[key] = max(time, expected.get(key, ""))
    assert {key: facts.latest(key) for key in expected} == expected


def test_unknown_key():
    """A fact that never happened has no time, spilled runs or not."""
    facts = Facts(limit=1)
    for key in ("a", "b", "c"):
        facts.add((key,), "2026-03-01T00:00:00Z")
    assert facts.latest(("d",)) is None
