"""A watcher with alarms as a process of its own, whose clock is a file: `alarm_process.py STATE FOLDER CLOCK`."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from alarm_stories import ADDRESSES, template_of
from log_alarm_stories import EVERYTHING

from rolewatch.notify.routes import Routes
from rolewatch.scan.request import ScanRequest
from rolewatch.sources.live_places import live_sources
from rolewatch.store.migrations import prepare
from rolewatch.store.state import State
from rolewatch.watch import watcher
from rolewatch.watch.alarm_definitions import definitions_of
from rolewatch.watch.alarm_telling import AlarmTeller
from rolewatch.watch.alarms import Alarms
from rolewatch.watch.commit import Rules
from rolewatch.watch.feed import SHORT_SECONDS, Feed
from rolewatch.watch.kept import Spans
from rolewatch.watch.memory import StateMemory
from rolewatch.watch.telling import Teller


def told(name, reason):
    """Say what goes wrong."""
    sys.stderr.write(f"{name}: {reason}\n")


def main(place, folder, clock):
    """Watch until it is killed."""

    def now():
        return datetime.fromtimestamp(float(Path(clock).read_text()), UTC)

    watcher.TICK_SECONDS = 0.02  # the clock of this story runs faster than others
    state = State(place)
    prepare(state)
    definitions = definitions_of(template_of(EVERYTHING))
    teller = AlarmTeller(Routes((), ("url",)), {"page": ("page",), "calm": ("calm",)}, ADDRESSES)
    alarms = Alarms(definitions, teller, told)
    rules = Rules(Spans(), Teller(lambda *_: (), {}), now, alarms=alarms)
    feed = Feed(live_sources([folder], StateMemory(state), told), told, SHORT_SECONDS, clock=now)
    watcher.Watcher(state, feed, ScanRequest(), rules, told=told).run(once=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
