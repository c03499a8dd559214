"""Who reads deliveries: this process where there is little to read, processes beside it where there is a backlog."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from typing import Final

from rolewatch.scan.detect import Detector
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.summary import Summary
from rolewatch.sources import Delivery
from rolewatch.sources.live import Told
from rolewatch.watch.intake import read

LARGE: Final = 2 * 1024 * 1024  # compressed bytes from which on a batch is worth a process of its own

Read = Callable[[], Detector]  # waits for what was read


class Readers:
    """Reads batches, several of them at once if `jobs` allows. Processes start with the first large batch."""

    def __init__(self, request: ScanRequest, told: Told) -> None:
        self._request, self._told = request, told
        self._pool: ProcessPoolExecutor | None = None
        self.jobs = request.jobs

    def begin(self, deliveries: Sequence[Delivery]) -> Read:
        """Begin to read a batch; returns what waits for it, and reads it here if the other process was lost."""
        if self.jobs < 2 or sum(max(delivery.size, 0) for delivery in deliveries) < LARGE:
            return lambda: read(deliveries, self._request)
        if self._pool is None:
            # Started afresh: a process forked from one with threads may wait for ever for what they held.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.jobs, context)
        try:
            reading = self._pool.submit(_read, list(deliveries), self._request)
        except (BrokenExecutor, RuntimeError):
            return self._alone(deliveries)
        return lambda: self._result(reading, deliveries)

    def close(self) -> None:
        """Let the processes go; what they read is dropped."""
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _result(
        self, reading: "Future[tuple[Detector, Summary]]", deliveries: Sequence[Delivery]
    ) -> Detector:
        try:
            detector, summary = reading.result()
        except BrokenExecutor:
            return self._alone(deliveries)()
        detector.take_over(summary)
        return detector

    def _alone(self, deliveries: Sequence[Delivery]) -> Read:
        """Go on in this process: most likely the system ran out of memory, which more processes would make worse."""
        self._told("readers", "a process that read deliveries was lost; this one reads alone from now on")
        self.jobs = 1
        self.close()
        return lambda: read(deliveries, self._request)


def _read(deliveries: list[Delivery], request: ScanRequest) -> tuple[Detector, Summary]:
    """Read a batch in a process of its own; a detector travels without its summary, so that goes beside it."""
    detector = read(deliveries, request)
    return detector, detector.summary
