"""Several live sources, each polled by a thread of its own; what they give comes out of one place, in batches."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from rolewatch.base.errors import RolewatchError
from rolewatch.sources.live import Arrival, LiveSource, Told
from rolewatch.store.state import Unavailable

WAIT_SECONDS: Final = 1.0  # how long a source may wait for something to arrive
SHORT_SECONDS: Final = 0.05  # the same where nobody wants to wait for what is not there yet
AHEAD: Final = 4  # polls whose deliveries wait to be taken
MOST: Final = 1024  # deliveries in a batch …
MOST_BYTES: Final = 8 * 1024 * 1024  # … and their compressed bytes, beyond which nothing is added
AGAIN_SECONDS: Final = 60.0  # until a source that gave up is asked again
PARTING_SECONDS: Final = 30.0  # that a source may take to end what it is doing when all stops


class Given(NamedTuple):
    """A delivery and the source that gave it."""

    source: LiveSource
    arrival: Arrival


class _Poll(NamedTuple):
    source: LiveSource
    arrivals: Sequence[Arrival]
    drained: bool
    error: Exception | None = None
    began: datetime | None = None


def _now() -> datetime:
    return datetime.now(UTC)


class Feed:
    """Polls sources until it is stopped; each may wait `wait` seconds for something to arrive.

    `stop` is set when it is stopped, so that what a source waits for elsewhere can end, too. `clock` tells when a poll began.
    """

    def __init__(
        self,
        sources: Sequence[LiveSource],
        told: Told,
        wait: float = WAIT_SECONDS,
        stop: threading.Event | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.sources = sources
        self._told, self._wait = told, wait
        self._polls: queue.Queue[_Poll] = queue.Queue(AHEAD)
        self._left: list[Given] = []
        self._drained = dict.fromkeys(sources, False)
        self._clock = clock
        self._complete: dict[LiveSource, datetime] = {}
        self._stop = stop or threading.Event()
        self._answered = dict.fromkeys(sources, time.monotonic())
        self._threads = [
            threading.Thread(target=self._follow, args=(source,), name=source.word, daemon=True)
            for source in sources
        ]

    def start(self) -> None:
        """Begin to poll."""
        for thread in self._threads:
            thread.start()

    @property
    def drained(self) -> bool:
        """Whether all that was there has been given."""
        return all(self._drained.values()) and self._polls.empty() and not self._left

    @property
    def complete(self) -> datetime | None:
        """Say until when everything that had arrived has been given, as far as sources know; None if one has not come so far."""
        known = [self._complete.get(source) for source in self.sources]
        return min((moment for moment in known if moment), default=None) if all(known) else None

    def caught_up(self) -> list[LiveSource]:
        """List the sources of which all that was there has been given, and taken. For the thread that takes batches."""
        left = {given.source for given in self._left}
        return [source for source, drained in self._drained.items() if drained and source not in left]

    def silent_for(self) -> dict[str, float]:
        """Give for each source, by its word, the seconds since its last answer. From any thread."""
        now = time.monotonic()
        return {source.word: now - answered for source, answered in self._answered.items()}

    def batch(self, seconds: float) -> list[Given]:
        """Give what has arrived, waiting so long at most, or until everything is drained.

        Raises what a source cannot go on with from its very start.
        """
        end = time.monotonic() + seconds
        while not self._left:
            left, before = end - time.monotonic(), self.drained
            if left <= 0 or not self._next(left) or self.drained is not before:
                return []
        while len(self._left) < MOST and _size(self._left) < MOST_BYTES and self._next(0):
            pass
        taken, size = 0, 0
        for given in self._left:
            taken += 1
            size += max(given.arrival.delivery.size, 0)
            if taken == MOST or size >= MOST_BYTES:
                break
        batch, self._left = self._left[:taken], self._left[taken:]
        return batch

    def stop(self) -> None:
        """Stop polling, and let the sources go, so that others get what was not done."""
        self._stop.set()
        for source in self.sources:
            source.close()
        end = time.monotonic() + PARTING_SECONDS
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(end - time.monotonic(), 0.0))

    def _next(self, seconds: float) -> bool:
        try:
            poll = self._polls.get(timeout=seconds) if seconds else self._polls.get_nowait()
        except queue.Empty:
            return False
        if poll.error:
            raise poll.error
        self._left += [Given(poll.source, arrival) for arrival in poll.arrivals]
        self._drained[poll.source] = poll.drained
        if poll.drained and poll.began:
            self._complete[poll.source] = poll.began
        return True

    def _follow(self, source: LiveSource) -> None:
        began = False
        while not self._stop.is_set():
            moment = self._clock()
            try:
                arrivals = source.arrivals(max(self._wait, source.least))
                poll = _Poll(source, arrivals, source.drained, began=moment)
            except (
                Unavailable
            ) as error:  # of the state, which it asks what is done: nothing is lost by asking again
                self._told("state", str(error))
                self._stop.wait(WAIT_SECONDS)
                continue
            except RolewatchError as error:
                if began:
                    self._told(source.word, str(error))
                    self._stop.wait(AGAIN_SECONDS)
                    continue
                poll = _Poll(source, (), drained=False, error=error)
            except Exception as error:  # noqa: BLE001 - the watcher has to hear of it, whatever it is
                poll = _Poll(source, (), drained=False, error=error)
            began = True
            self._answered[source] = time.monotonic()
            if poll.arrivals or poll.error or poll.drained is not self._drained[source]:
                self._put(poll)
            elif poll.drained:
                self._complete[source] = moment
            if poll.error:
                return

    def _put(self, poll: _Poll) -> None:
        while not self._stop.is_set():
            try:
                self._polls.put(poll, timeout=0.5)
            except queue.Full:
                self._answered[poll.source] = time.monotonic()  # it is the watcher that has to catch up
                continue
            return


def _size(given: Sequence[Given]) -> int:
    return sum(max(each.arrival.delivery.size, 0) for each in given)
