"""Watchers that are killed again and again, as processes: alarms do what they do where nobody is killed."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from alarm_stories import AlarmStory
from log_alarm_stories import EVERYTHING
from stories import NOON, call

from rolewatch.store import alarms as stored
from rolewatch.store import deliveries

KILLS = int(os.environ.get("ROLEWATCH_KILLS", "12"))  # `make soak` asks for 200
SCRIPT = Path(__file__).with_name("alarm_process.py")
BEGIN = int(time.time()) // 3600 * 3600 - 86_400  # files of times to come would be waited for
PATIENCE = 60.0  # seconds after which a process that does not get on is a failure


def record(seconds, rng):
    """Make a call of some seconds after the beginning."""
    minute = (BEGIN + seconds - NOON.timestamp()) / 60
    busy = seconds // 600 % 2 == 0
    more = (
        {"additionalEventData": {"bytesTransferredOut": rng.choice([1, 900])}} if rng.random() < 0.2 else {}
    )
    return call(minute, f"b{rng.randint(0, 2)}", denied=busy and rng.random() < 0.5, **more)


class Killed:
    """The processes over one state, one after the other, and their clock."""

    def __init__(self, story, place, folder):
        self.story, self._words = story, [sys.executable, SCRIPT, place, folder, folder.with_name("clock")]
        self._clock = folder.with_name("clock")
        self._process = None

    def set(self, seconds):
        """Set the clock."""
        place = self._clock.with_name("clock.new")
        place.write_text(str(seconds))
        place.rename(self._clock)

    def until(self, done):
        """Let a process work until something is done."""
        end = time.monotonic() + PATIENCE
        self._start()
        while not done():
            assert time.monotonic() < end
            assert self._process.poll() is None
            time.sleep(0.005)  # of another process nothing tells but the state

    def kill(self):
        """Kill the process, whatever it is at."""
        if self._process:
            self._process.kill()
            self._process.wait()
        self._process = None

    def live(self, seconds):
        """Let a process work for a moment, and kill it."""
        self._start()
        time.sleep(seconds)
        self.kill()

    def _start(self):
        if self._process is None:
            environ = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, SCRIPT.parents[:2]))}
            self._process = subprocess.Popen(list(map(str, self._words)), env=environ)

    @property
    def evaluated(self):
        """Until when alarms are evaluated."""
        return self.story.state.read(stored.evaluated)

    @property
    def committed(self):
        """How many deliveries are done."""
        return self.story.state.read(deliveries.counters).get("deliveries", 0)


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_kills(tmp_path, request, database):
    """The same changes at the same times, and the same messages with the same ids, with a stop at any moment and of any length."""
    rng = random.Random(KILLS)
    place = (
        str(tmp_path / "state") if database == "sqlite" else request.getfixturevalue("postgres").database()
    )
    folder = tmp_path / "trail"
    folder.mkdir()
    actions = {"page": ("page",), "calm": ("calm",)}
    calm, story = (
        AlarmStory(each, tmp_path, EVERYTHING, actions) for each in (str(tmp_path / "calm"), place)
    )
    killed = Killed(story, place, folder)
    calm.clock(BEGIN + 5)
    calm.begin()
    killed.set(BEGIN + 5)
    killed.until(lambda: killed.evaluated == BEGIN)
    now, written, arrivals = BEGIN + 5, 0, {}
    for _ in range(KILLS // 2):  # each time twice and more
        after = now + rng.choice([61, 120, 400, 1500])
        for moment in sorted(rng.sample(range(now, after), min(12, (after - now) // 10))):
            delivery = calm.delivery(record(moment - BEGIN - rng.choice([5, 70, 310]), rng), at=moment)
            arrivals.setdefault(moment, []).append(delivery)
            killed.set(moment)
            _bring(delivery.name, folder, moment)
            written += 1
            if rng.random() < 0.05:
                killed.live(rng.uniform(0.0, 0.3))
        killed.live(rng.uniform(0.0, 1.2))
        now = after
        killed.set(now)
        killed.live(rng.uniform(0.4, 1.5))
    end = now // 60 * 60 + 60
    killed.set(end + 5)
    killed.until(lambda: killed.committed == written and killed.evaluated == end)
    killed.kill()
    calm.follow(arrivals, end)
    assert story.transitions == calm.transitions
    assert story.contributors == calm.contributors
    assert sorted(story.letters) == sorted(calm.letters)
    assert len(calm.letters) > 10
    assert len(calm.contributors) > 2
    for each in (calm, story):
        each.close()


def _bring(name, folder, moment):
    """Put a file into a folder, whole, with its time."""
    place = folder / f".{Path(name).name}"
    place.write_bytes(Path(name).read_bytes())
    os.utime(place, (moment, moment))
    place.rename(folder / Path(name).name)
