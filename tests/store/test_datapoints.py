"""Datapoints in the store: added up, waiting until they are seen, forgotten in time."""

import threading

from rolewatch.store import datapoints
from rolewatch.store.datapoints import Named, Point

PLAIN = Named("N", "m", (), "None")


def numbered(state, *named):
    """Give the numbers of series."""
    found = state.write(lambda connection: datapoints.number(connection, named))
    return [found[each] for each in named]


def loaded(state, *series, since=0, before=None):
    """Give the datapoints of series."""
    return state.read(lambda connection: datapoints.load(connection, series, since, before))


def test_series_have_numbers(state):
    """A metric has one number for each set of dimensions and unit, always the same; a value may be anything."""
    hostile = Named("N", "m", (("agent", 'a"\x00\ud800b'), ("long", "x" * 5000)), "None")
    every = (PLAIN, hostile, Named("N", "m", (), "Bytes"), Named("N", "o", (), "None"))
    numbers = numbered(state, *every)
    assert len(set(numbers)) == 4
    assert numbered(state, *every[::-1]) == numbers[::-1]
    assert state.read(datapoints.listed) == dict(zip(numbers, every, strict=True))
    assert state.read(lambda connection: datapoints.units(connection, "N", "m", ())) == {
        "None": numbers[0],
        "Bytes": numbers[2],
    }


def test_values_are_added_up(state):
    """What is published for one minute counts together, each value by itself, however exact it is."""
    (series,) = numbered(state, PLAIN)
    for points in (
        [(60, 1.0, 2), (60, 0.1, 1), (120, 2.0**360, 1)],
        [(60, 1.0, 3), (60, -0.0, 1), (60, 0.0, 1), (60, 0.1 + 2**-56, 1)],
    ):
        state.write(
            lambda connection, points=points: datapoints.add(
                connection, [Point(series, *each) for each in points]
            )
        )
    assert loaded(state, series) == {
        series: {60: {1.0: 5, 0.1: 1, 0.1 + 2**-56: 1, 0.0: 2}, 120: {2.0**360: 1}}
    }
    assert loaded(state, series, since=61) == {series: {120: {2.0**360: 1}}}
    assert loaded(state, series, before=61, since=60)[series].keys() == {60}


def test_what_waits(state):
    """Datapoints wait until the time at which they are seen, and come out in the order of these times, once."""
    one, two = numbered(state, PLAIN, PLAIN._replace(name="o"))
    state.write(
        lambda connection: datapoints.announce(
            connection, {180: [Point(two, 60, 1.0, 1), Point(one, 60, 1.0, 1)], 120: [Point(one, 0, 1.0, 1)]}
        )
    )
    state.write(lambda connection: datapoints.announce(connection, {180: [Point(one, 60, 1.0, 4)]}))
    assert loaded(state, one, two) == {}

    def taken(until):
        return state.write(lambda connection: datapoints.take(connection, until))

    assert taken(119) == {}
    assert list(taken(180).items()) == [
        (120, [Point(one, 0, 1.0, 1)]),
        (180, [Point(one, 60, 1.0, 5), Point(two, 60, 1.0, 1)]),
    ]
    assert taken(None) == {}


def test_old_datapoints_are_forgotten(state):
    """Minutes before a time go, and with the last one the series; one whose datapoints still wait stays."""
    one, two, three = numbered(state, PLAIN, PLAIN._replace(name="o"), PLAIN._replace(name="p"))

    def work(connection):
        datapoints.add(connection, [Point(one, 60, 1.0, 1), Point(two, 60, 1.0, 1), Point(two, 120, 1.0, 1)])
        datapoints.announce(connection, {180: [Point(three, 120, 1.0, 1), Point(one, 60, 1.0, 1)]})

    state.write(work)
    assert state.write(lambda connection: datapoints.expire(connection, 120)) == 2
    assert loaded(state, one, two) == {two: {120: {1.0: 1}}}
    assert state.read(datapoints.listed).keys() == {two, three}
    assert state.write(lambda connection: datapoints.take(connection, None)) == {
        180: [Point(three, 120, 1.0, 1)]
    }


def test_several_writers(state):
    """Writers that add to the same datapoints at the same time lose nothing."""

    def write(number):
        def work(connection):
            names = [PLAIN._replace(name=f"m{place}") for place in range(5)][:: 1 if number % 2 else -1]
            found = datapoints.number(connection, names)
            datapoints.add(connection, [Point(found[each], 60, 1.0, 1) for each in names])
            datapoints.announce(connection, {60: [Point(found[each], 60, 1.0, 1) for each in names]})

        for _ in range(10):
            state.write(work)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = state.read(datapoints.listed)
    assert loaded(state, *numbers) == {series: {60: {1.0: 40}} for series in numbers}
    waiting = state.write(lambda connection: datapoints.take(connection, 60))[60]
    assert sorted(point.number for point in waiting) == [40] * 5
