"""Watchers that are killed at any moment, in this process: before a transaction, or right after it."""

from givers import Given


class Crash(Exception):  # noqa: N818 - no error
    """A watcher is killed."""


class Fragile:
    """A state whose writer is killed at a random moment: before a transaction, or right after it."""

    shared = False

    def __init__(self, state, rng):
        self._state, self._left = state, rng.randint(1, 7)

    def read(self, work):
        """Read."""
        return self._state.read(work)

    def write(self, work):
        """Write, or be killed."""
        self._count()
        found = self._state.write(work)
        self._count()
        return found

    def _count(self):
        self._left -= 1
        if self._left == 0:
            raise Crash


def live_and_die(story, deliveries, end, rng):
    """Let deliveries (by the time at which each arrives) arrive while watchers die, and are away for a while; returns how often."""
    left, source, kills = sorted(deliveries.items()), Given((), 2), 0
    while story.now.timestamp() < end + 5:
        moment = min(story.now.timestamp() + rng.choice([10, 60, 60, 300, 1500]), end + 5)
        story.clock(moment)
        while left and left[0][0] <= moment:
            source.put(*left.pop(0)[1])
        while True:
            given = [*source.rest]
            try:
                _fragile(story, source, rng).run(once=True)
            except Crash:
                kills += 1
                done = set(source.acknowledged)
                source = Given([each for each in given if each.name not in done], 2)
                continue
            break
    return kills


def _fragile(story, source, rng):
    watcher = story.watcher(source)
    watcher._state = watcher._housekeeping._state = Fragile(story.state, rng)
    return watcher
