"""Alarms on the wall clock: they do what a replay says they would have done, whatever happens on the way."""

import random
from itertools import count

import pytest
from alarm_stories import START, AlarmStory, told_by
from fragile import live_and_die
from givers import Given
from log_alarm_stories import EVERYTHING
from stories import call

from rolewatch.scan.request import ScanRequest
from rolewatch.store import datapoints
from rolewatch.store import deliveries as deliveries_of_state
from rolewatch.watch import alarm_patience, readers

HOURS = 1.5


def events(seed):
    """Make the calls of some hours, with busy and quiet times: (seconds since noon, record)."""
    rng = random.Random(seed)
    found = [(0, call(0, "calm"))]
    second = 0
    while second < HOURS * 3600:
        busy = (second // 900 + seed) % 3 == 0
        second += rng.choice([5, 20, 60, 200]) if busy else rng.choice([120, 400, 900])
        more = (
            {"additionalEventData": {"bytesTransferredOut": rng.choice([1, 100, 900, "3"])}}
            if rng.random() < 0.3
            else {}
        )
        found.append(
            (second, call(second / 60, f"b{rng.randint(0, 2)}", denied=busy and rng.random() < 0.6, **more))
        )
    return found


@pytest.mark.parametrize(("seed", "delay"), [(0, 0), (2, 60)])
def test_what_a_replay_says(tmp_path, seed, delay):
    """Deliveries that come as late as a replay supposes make alarms do the same, at the same time, for the same reason."""
    story = AlarmStory(str(tmp_path / "state"), tmp_path)
    found = events(seed)
    expected = story.replayed([record for _, record in found], delay, tmp_path / "all")
    assert len(told_by(expected.histories)) > 10
    story.clock(START + 5)
    story.begin()
    story.follow(story.listed((START + second + delay, record) for second, record in found), expected.end)
    assert story.transitions == told_by(expected.histories)
    assert story.states == {history.alarm.name: str(history.final) for history in expected.histories}
    story.close()


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_moment(tmp_path, seed):
    """Alarms go through the same changes, and the same is told, however often a watcher is killed and however long it is away."""
    rng = random.Random(seed)
    found, end = events(seed + 3), START + int(HOURS * 3600) + 1800
    actions = {"page": ("page",), "calm": ("calm",)}
    calm, killed = (
        AlarmStory(str(tmp_path / name), tmp_path, actions=actions) for name in ("calm", "killed")
    )
    arrivals = [
        (START + second + rng.choice([1, 30, 300, 301, 900, 4000]), record) for second, record in found
    ]
    deliveries = calm.listed(arrivals)
    for story in (calm, killed):
        story.clock(START + 5)
        story.begin()
    calm.follow(deliveries, end)
    kills = live_and_die(killed, deliveries, end, rng)
    assert kills > 10
    assert killed.transitions == calm.transitions
    assert sorted(killed.letters) == sorted(calm.letters)
    assert killed.states == calm.states
    assert len(calm.letters) > 10
    for story in (calm, killed):
        story.close()


@pytest.mark.slow
def test_two_watchers_of_one_database(tmp_path, postgres):
    """Each minute is evaluated once, whoever is first, and the changes are those that one watcher alone would see."""
    actions = {"page": ("page",), "calm": ("calm",)}
    alone, shared = (
        AlarmStory(place, tmp_path, EVERYTHING, actions)
        for place in (str(tmp_path / "alone"), postgres.database())
    )
    found = events(3)[:12]
    end = START + found[-1][0] + 600
    deliveries = {}
    for second, record in found:
        moment = START + second + 300
        deliveries.setdefault(moment // 60 * 60, []).append(alone.delivery(record, at=moment))
    for story in (alone, shared):
        story.clock(START + 5)
        story.begin()
    alone.follow({minute + 60 - 1: listed for minute, listed in deliveries.items()}, end)

    for minute in range(START, end, 60):
        listed = deliveries.get(minute, [])
        shared.clock(minute + 59)
        shared.together(Given(listed[::2]), Given(listed[1::2]))
        shared.clock(minute + 65)
        shared.together(Given(), Given())
    assert shared.transitions == alone.transitions
    assert shared.contributors == alone.contributors
    assert sorted(shared.letters) == sorted(alone.letters)
    assert len(alone.letters) > 1
    for story in (alone, shared):
        story.close()


class Busy(Given):
    """A source that never comes to an end."""

    @property
    def drained(self):
        """Whether nothing is left, which is never so."""
        return False


@pytest.mark.parametrize(("patience", "expected"), [(900.0, []), (0.0, [("quick", "OK")])])
def test_where_too_much_arrives(story_of, monkeypatch, patience, expected):
    """Evaluation waits for what has arrived to be committed, but not for ever."""
    monkeypatch.setattr(alarm_patience, "AT_FIRST", patience)
    story_of.begin()
    story_of.clock(START + 605)
    watcher = story_of.watcher(Busy())
    tick, ticks = watcher._tick, count(1)

    def ticked():
        tick()
        if next(ticks) == 2:
            watcher.stop()

    watcher._tick = ticked
    watcher.run(once=False)
    assert [(row[0], row[3]) for row in story_of.transitions if row[0] == "quick"] == expected


@pytest.fixture
def story_of(tmp_path):
    """Begin with the template of everything."""
    story = AlarmStory(str(tmp_path / "state"), tmp_path)
    yield story
    story.close()


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_large_batches(tmp_path, jobs, monkeypatch):
    """Deliveries that other processes read count the same."""
    monkeypatch.setattr(readers, "LARGE", 1)
    story = AlarmStory(str(tmp_path / "state"), tmp_path)
    story.clock(START + 5)
    story.begin()
    source = Given(
        [story.delivery(*(call(number / 60, f"b{number % 3}", denied=number % 2 == 0) for number in range(start, start + 40))) for start in range(0, 400, 40)],
        3,
    )  # fmt: skip
    story.clock(START + 600)
    story.watcher(source, request=ScanRequest(jobs=jobs)).run(once=True)
    counted = story.state.read(
        lambda connection: datapoints.load(connection, datapoints.listed(connection), 0)
    )
    waiting = story.state.write(lambda connection: datapoints.take(connection, None))
    numbers = [
        number for minutes in counted.values() for values in minutes.values() for number in values.values()
    ]
    numbers += [point.number for points in waiting.values() for point in points]
    assert sum(numbers) == 400 + 200
    assert story.state.read(deliveries_of_state.counters)["datapoints"] == 600
    story.close()
