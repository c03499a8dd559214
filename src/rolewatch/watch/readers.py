"""Who reads deliveries: this process where there is little to read, processes beside it where there is a backlog."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from rolewatch.denials.rule import Fact
from rolewatch.scan.detect import Detector
from rolewatch.scan.proofs import Key, Witness
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import Delivery
from rolewatch.sources.live import Told
from rolewatch.watch.gathering import NOTHING, Reading, Wanted, gather

if TYPE_CHECKING:
    from rolewatch.scan.summary import Summary

HEARD: Final = 16  # deliveries that a process looks at again at a time
LARGE: Final = 128 * 1024  # compressed bytes from which on a batch is worth a process of its own


Place = tuple[Delivery, set[Fact]]  # a delivery and what it is looked through for
Read = Callable[[], Reading]  # waits for what was read


class Readers:
    """Reads batches, several of them at once if `jobs` allows. Processes start with the first large batch.

    `wanted` says what is wanted of them beside denials.
    """

    def __init__(
        self, request: ScanRequest, told: Told, wanted: Callable[[], Wanted] = lambda: NOTHING
    ) -> None:
        self._request, self._told, self._wanted = request, told, wanted
        self._pool: ProcessPoolExecutor | None = None
        self.jobs = request.jobs

    def begin(self, deliveries: Sequence[Delivery], words: Sequence[str] = ()) -> Read:
        """Begin to read a batch; returns what waits for it, and reads it here if the other process was lost.

        `words` are the SOURCEs that the deliveries came from, where that matters.
        """
        if self.jobs < 2 or sum(max(delivery.size, 0) for delivery in deliveries) < LARGE:
            return lambda: self.read(deliveries, words)
        if self._pool is None:
            # Started afresh: a process forked from one with threads may wait for ever for what they held.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.jobs, context, _begin)
        try:
            future = self._pool.submit(_read, list(deliveries), list(words), self._request, self._wanted())
        except (BrokenExecutor, RuntimeError):
            return self._alone(deliveries, words)
        return lambda: self._result(future, deliveries, words)

    def read(self, deliveries: Sequence[Delivery], words: Sequence[str] = ()) -> Reading:
        """Read a batch in this process."""
        return gather(deliveries, words, self._request, self._wanted())

    def hear(self, places: Iterable[Place]) -> Iterable[dict[Key, Witness]]:
        """Look at deliveries again for the records that tell some facts of each, in the processes that there are."""
        detector = Detector(self._request)
        if self._pool is None:
            return detector.hear(places)
        every = list(places)
        parts = [every[start : start + HEARD] for start in range(0, len(every), HEARD)]
        try:
            hearing = [self._pool.submit(_hear, part, self._request) for part in parts]
            return [heard for future in hearing for heard in future.result()]
        except (BrokenExecutor, RuntimeError):
            return detector.hear(every)

    def close(self) -> None:
        """Let the processes go; what they read is dropped."""
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _result(
        self,
        future: "Future[tuple[Reading, Summary]]",
        deliveries: Sequence[Delivery],
        words: Sequence[str],
    ) -> Reading:
        try:
            reading, summary = future.result()
        except BrokenExecutor:
            return self._alone(deliveries, words)()
        reading.detector.take_over(summary)
        return reading

    def _alone(self, deliveries: Sequence[Delivery], words: Sequence[str]) -> Read:
        """Go on in this process: most likely the system ran out of memory, which more processes would make worse."""
        self._told("readers", "a process that read deliveries was lost; this one reads alone from now on")
        self.jobs = 1
        self.close()
        return lambda: self.read(deliveries, words)


def _hear(places: list[Place], request: ScanRequest) -> list[dict[Key, Witness]]:
    return Detector(request).hear(places)


def _begin() -> None:
    """Leave the end to the watcher: an interrupt is meant for that, and where it was killed there is nothing left to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _read(
    deliveries: list[Delivery], words: list[str], request: ScanRequest, wanted: Wanted
) -> "tuple[Reading, Summary]":
    """Read a batch in a process of its own; a detector travels without its summary, so that goes beside it."""
    reading = gather(deliveries, words, request, wanted)
    return reading, reading.detector.summary
