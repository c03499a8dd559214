"""Log alarms on the wall clock: they do what a replay says they would have done, whatever happens on the way."""

import random

import pytest
from alarm_stories import START, AlarmStory, told_by, told_by_contributors
from fragile import live_and_die
from log_alarm_stories import END, EVERYTHING, TEMPLATE, events

ACTIONS = {"page": ("page",), "calm": ("calm",)}


@pytest.mark.parametrize(("seed", "delay"), [(0, 0), pytest.param(0, 300, marks=pytest.mark.slow)])
def test_what_a_replay_says(tmp_path, seed, delay):
    """Deliveries that come as late as a replay supposes make alarms and contributors do the same, with the same log lines."""
    story = AlarmStory(str(tmp_path / "state"), tmp_path, TEMPLATE, ACTIONS)
    found = events(seed)
    expected = story.replayed([record for _, record in found], delay, tmp_path / "all")
    assert len(told_by(expected.histories)) > 10
    assert len(told_by_contributors(expected.histories)) > 6
    story.clock(START + 5)
    story.begin()
    story.follow(story.listed((START + second + delay, record) for second, record in found), expected.end)
    assert story.transitions == told_by(expected.histories)
    assert story.contributors == told_by_contributors(expected.histories)
    assert story.states == {history.alarm.name: str(history.final) for history in expected.histories}
    story.close()


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_moment(tmp_path, seed):
    """Log alarms and their contributors go through the same changes, and the same is told, however often a watcher is killed."""
    rng = random.Random(seed)
    calm, killed = (
        AlarmStory(str(tmp_path / name), tmp_path, EVERYTHING, ACTIONS) for name in ("calm", "killed")
    )
    deliveries = calm.listed(
        (START + second + rng.choice([1, 30, 120, 121, 300, 900]), record) for second, record in events(seed)
    )
    for story in (calm, killed):
        story.clock(START + 5)
        story.begin()
    calm.follow(deliveries, END)
    assert live_and_die(killed, deliveries, END, rng) > 10
    assert killed.transitions == calm.transitions
    assert killed.contributors == calm.contributors
    assert sorted(killed.letters) == sorted(calm.letters)
    assert killed.states == calm.states
    assert len(calm.contributors) > 4
    for story in (calm, killed):
        story.close()
