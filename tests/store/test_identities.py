"""Denials are remembered once, by the day of the event."""

import threading

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolewatch.store import identities
from rolewatch.store.identities import Entry
from rolewatch.store.migrations import prepare
from rolewatch.store.state import State

DAY = "2026-03-01"


def entry(number, case=1, rank=4, at=0, event=None):
    """Make an entry with a short name."""
    return Entry(number.to_bytes(16, "big"), case, rank, at, event)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(st.integers(0, 40), unique=True, max_size=30), max_size=5))
def test_each_identity_is_new_once(tmp_path_factory, batches):
    """Whatever comes together: an identity is new the first time, and known with what was entered then afterwards."""
    state = State(str(tmp_path_factory.mktemp("state")))
    prepare(state)
    seen = {}
    for number, batch in enumerate(batches):
        entries = [entry(each, case=number) for each in batch]
        known = state.write(lambda connection, entries=entries: identities.enter(connection, DAY, entries))
        assert known == {each.identity: seen[each.identity] for each in entries if each.identity in seen}
        for each in entries:
            seen.setdefault(each.identity, each)
    state.close()


def test_two_writers_never_both_take_the_same_as_new(state):
    """Several watchers enter the same denials at once: each is new for exactly one of them."""
    entries = [entry(number) for number in range(300)]
    new = []

    def enter(order):
        known = state.write(lambda connection: identities.enter(connection, DAY, order))
        new.extend(each.identity for each in order if each.identity not in known)

    threads = [threading.Thread(target=enter, args=(entries[:: 1 if n % 2 else -1],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(new) == sorted(each.identity for each in entries)


def test_days_that_are_over_are_forgotten(state):
    """Only the days before the one named go, and what was in them is new again."""
    days = ["2026-01-01", "2026-02-14", "2026-02-15"]
    for day in days:
        state.write(lambda connection, day=day: identities.enter(connection, day, [entry(1)]))
    assert state.read(identities.days) == days
    assert state.write(lambda connection: identities.drop(connection, "2026-02-15")) == days[:2]
    assert state.read(identities.days) == days[2:]
    assert state.write(lambda connection: identities.enter(connection, days[0], [entry(1)])) == {}


def test_a_better_copy_takes_the_place(state):
    """What is remembered of a denial can be replaced, and is what the next repeat is told."""
    better = entry(1, case=2, rank=5, event="other")
    state.write(lambda connection: identities.enter(connection, DAY, [entry(1)]))
    state.write(lambda connection: identities.replace(connection, DAY, better))
    known = state.write(lambda connection: identities.enter(connection, DAY, [entry(1)]))
    assert known == {better.identity: better}
