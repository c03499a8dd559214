"""Live sources for tests: deliveries that a test gives when it likes."""

import threading

from rolewatch.sources.live import Arrival, LiveSource


class Given(LiveSource):
    """Gives deliveries as a test puts them in, so many at once; `acknowledged` are those that were committed."""

    def __init__(self, deliveries=(), at_once=100, word="given"):
        super().__init__(word)
        self.rest, self.at_once = list(deliveries), at_once
        self.acknowledged, self.closed = [], False
        self._more = threading.Event()

    def put(self, *deliveries):
        """Have more arrive."""
        self.rest += deliveries
        self._more.set()

    def arrivals(self, seconds):
        """Give the next ones."""
        if not self.rest:
            self._more.wait(min(seconds, 0.02))
            self._more.clear()
        part, self.rest = self.rest[: self.at_once], self.rest[self.at_once :]
        return [Arrival(delivery, (delivery.identity,)) for delivery in part]

    @property
    def drained(self):
        """Whether nothing is left."""
        return not self.rest

    def done(self, arrivals):
        """Note what was committed."""
        self.acknowledged += [arrival.delivery.name for arrival in arrivals]

    def close(self):
        """Note that it was let go."""
        self.closed = True
