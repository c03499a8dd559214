"""The store of boiled records gives back the latest of each, in memory, thinned out or spilled."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolewatch.scan import boiled
from rolewatch.scan.boiled import BoiledProofs

LINES = st.lists(
    st.tuples(st.sampled_from([b'{"a"}', b'{"bb"}', b'{"ccc"}']), st.integers(0, 59)), max_size=6
)


def text(rows):
    """Write rows as lines."""
    return b"".join(b"%b\t2026-03-01T00:00:%02dZ\n" % row for row in rows)


def latest(store):
    """Return the latest time of each record, with the place where it was read."""
    found = {}
    for part in store:
        for number, lines in part:
            for line in lines.splitlines():
                record, _, time = line.rpartition(b"\t")
                if time > found.get(record, (b"", 0))[0]:
                    found[record] = time, number
    return found


@settings(max_examples=300)
@given(st.lists(LINES, max_size=12), st.sampled_from([1, 60, 150, 10_000]), st.sampled_from([1, 80, 10_000]))
def test_nothing_is_lost(places, limit, part):
    """Whatever there is room for, the latest of each record is there with a place where it was read."""
    store = BoiledProofs(limit)
    expected = {}
    for number, rows in enumerate(places, 1):
        store.add(text(rows), number)
        for record, second in rows:
            time = b"2026-03-01T00:00:%02dZ" % second
            expected[record] = max(time, expected.get(record, b""))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boiled, "PART", part)
        found = latest(store)
        assert {record: time for record, (time, _) in found.items()} == expected
        assert latest(store) == found  # it can be gone through again
    for record, (time, number) in found.items():
        assert (record, int(time[-3:-1])) in places[number - 1]


def test_days_are_kept_apart():
    """Of a record that recurs the latest of each day is there: a success of the day before ends what it ends."""
    store = BoiledProofs(2000)
    for number in range(96):
        store.add(b'{"a"}\t2026-03-%02dT%02d:00:00Z\n' % (1 + number // 24, number % 24), number)
    times = {line.rpartition(b"\t")[2] for part in store for _, lines in part for line in lines.splitlines()}
    assert times >= {b"2026-03-%02dT23:00:00Z" % day for day in (1, 2, 3, 4)}
    assert len(times) < 96


def test_memory_is_bounded():
    """There is never more in memory than there is room for; what recurs takes little of the file."""
    recurring, various = BoiledProofs(4000), BoiledProofs(4000)
    for number in range(2000):
        recurring.add(text([(b'{"a"}', number % 60)]), number)
        various.add(text([(b'{"%d"}' % number, 0)]), number)
        for store in (recurring, various):
            assert sum(len(lines) for _, lines in store._recent) <= 4000
    assert recurring._file.tell() < various._file.tell() / 5
    assert (len(latest(recurring)), len(latest(various))) == (1, 2000)


def test_what_hardly_recurs_is_thinned_now_and_then(monkeypatch):
    """Where thinning saves nothing it is tried for one part of eight, and again for each where it does."""
    tried, thinned = [], boiled._thinned
    monkeypatch.setattr(boiled, "_thinned", lambda part: tried.append(1) or thinned(part))
    various, recurring = BoiledProofs(100), BoiledProofs(100)
    for number in range(64):
        various.add(text([(b'{"%d"}' % (number * 100 + n), 0) for n in range(10)]), number)
    assert len(tried) == 64 / (1 + boiled.UNTHINNED)
    tried.clear()
    for number in range(64):
        recurring.add(text([(b'{"a"}', n) for n in range(10)]), number)
    assert len(tried) == 64
    assert len(latest(various)) == 640
