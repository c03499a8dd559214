"""Run the fold over deliveries: in this process where there is little, else on a pool of processes.

Work starts while the listing still runs. Each worker folds its own share and keeps its facts; when all deliveries
are through, the denials are merged, and only then is it known which facts matter: those are asked for.
"""

import gc
import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import chain
from multiprocessing.connection import Connection, wait
from typing import Any, cast

from rolewatch.base.errors import CannotDo, RolewatchError
from rolewatch.scan.fetch import Fetcher, arrived
from rolewatch.scan.request import Progress, ScanRequest
from rolewatch.scan.step import Stepper
from rolewatch.scan.summary import Summary
from rolewatch.sources import Delivery

SMALL = 4 * 1024 * 1024  # compressed bytes that are not worth a pool
BATCH_BYTES = 2 * 1024 * 1024
BATCH = 128  # deliveries in a batch at most
AHEAD = 2  # batches a worker holds, so that it never waits for the next one, or for its content

Key = tuple[str, ...]
Followed = Callable[[Summary], dict[Key, str]]  # keys of facts, each with the time after which it matters
Tell = Callable[[Progress], None]


def fold(
    deliveries: Iterable[Delivery], request: ScanRequest, followed: Followed, tell: Tell | None = None
) -> tuple[Summary, dict[Key, str]]:
    """Fold all deliveries; returns the merged summary and the latest time of each followed fact.

    `followed` names, from the merged summary, the facts that matter.
    """
    batches = _batches(deliveries)
    small: list[list[Delivery]] = []
    if request.jobs > 1:
        size = 0
        for batch in batches:
            small.append(batch)
            size += sum(max(delivery.size, 0) for delivery in batch)
            if size > SMALL:
                return _Pool(request, tell).run(chain(small, batches), followed)
    return _alone(chain(small, batches), request, followed, tell)


def _alone(
    batches: Iterator[list[Delivery]], request: ScanRequest, followed: Followed, tell: Tell | None
) -> tuple[Summary, dict[Key, str]]:
    stepper, fetcher, meter = Stepper(request), Fetcher(), _Meter(tell)
    with closing(fetcher):
        ahead = None
        for batch in chain(batches, [[]]):
            meter.listed += len(batch)
            started = fetcher.start(batch)
            if ahead:
                for _ in stepper.step_all(arrived(ahead)):
                    meter.show(stepper.summary)
            ahead = started
    meter.done = True
    meter.show(stepper.summary, force=True)
    return stepper.summary, stepper.proofs.latest(followed(stepper.summary))


class _Meter:
    """Counts what the progress bar shows, a few times a second."""

    def __init__(self, tell: Tell | None) -> None:
        self._tell = tell
        self._start = time.monotonic()
        self._shown = 0.0
        self.listed = 0
        self.done = False

    def show(self, summary: Summary, *, force: bool = False) -> None:
        if self._tell is None:
            return
        now = time.monotonic()
        if force or now - self._shown > 0.1:
            self._shown = now
            counts = summary.counts
            self._tell(Progress(
                counts["deliveries"], self.listed if self.done else None,
                counts["bytes_compressed"], counts["bytes"], counts["hits"], now - self._start,
            ))  # fmt: skip


class _Pool:
    """A pool of worker processes, each with a pipe of its own: a worker that dies is noticed at once."""

    def __init__(self, request: ScanRequest, tell: Tell | None) -> None:
        self._meter = _Meter(tell)
        # Forked before any thread is started here; where the platform cannot, workers start afresh.
        methods = multiprocessing.get_all_start_methods()
        context: Any = multiprocessing.get_context("fork" if "fork" in methods else None)
        self._workers: dict[Connection, Any] = {}
        # An interrupt is the parent's to handle; while it forks, one would be lost in Python's own hooks.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            for _ in range(request.jobs):
                ours, theirs = context.Pipe()
                worker = context.Process(
                    target=_work, args=(theirs, request, [*self._workers, ours]), daemon=True
                )
                worker.start()
                theirs.close()
                self._workers[ours] = worker
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def run(self, batches: Iterator[list[Delivery]], followed: Followed) -> tuple[Summary, dict[Key, str]]:
        """Hand out the batches and gather the result; CannotDo if a worker dies."""
        try:
            self._hand_out(batches)
            summary = Summary()
            for found in self._ask(dict.fromkeys(self._workers, ("summary", None))).values():
                summary.merge(found)
            return summary, self._latest(followed(summary))
        finally:
            self._stop()

    def _latest(self, keys: dict[Key, str]) -> dict[Key, str]:
        """Ask all workers for facts, and for each fact that matters the one that knows the latest time to prove it."""
        told = self._ask(dict.fromkeys(self._workers, ("facts", keys)))
        while True:
            latest: dict[Key, str] = {}
            knows: dict[Key, Connection] = {}
            for pipe, times in told.items():
                for key, moment in times.items():
                    if moment > latest.get(key, ""):
                        latest[key], knows[key] = moment, pipe
            due: dict[Connection, dict[Key, str]] = {}
            for key, moment in latest.items():
                if moment > keys[key]:
                    due.setdefault(knows[key], {})[key] = moment
            again = self._ask({pipe: ("prove", facts) for pipe, facts in due.items()})
            wrong = {pipe: times for pipe, times in again.items() if times is not None}
            if not wrong:
                return latest
            told |= wrong  # read again the exact way, so that nothing of it has to be proven next time

    def _ask(self, questions: dict[Connection, tuple[str, Any]]) -> dict[Connection, Any]:
        for pipe, question in questions.items():
            self._send(pipe, question)
        return {pipe: self._receive(pipe) for pipe in questions}

    def _hand_out(self, batches: Iterator[list[Delivery]]) -> None:
        held = dict.fromkeys(self._workers, 0)
        seen = Summary()
        more = True
        while more or any(held.values()):
            for pipe in held:
                while more and held[pipe] < AHEAD:
                    batch = next(batches, None)
                    if batch is None:
                        more, self._meter.done = False, True
                        break
                    self._send(pipe, ("scan", batch))
                    self._meter.listed += len(batch)
                    held[pipe] += 1
                    if wait([other for other, n in held.items() if n], 0):
                        break
            for ready in wait([pipe for pipe, n in held.items() if n]):
                pipe = cast("Connection", ready)  # wait returns what it was given
                seen.counts.update(self._receive(pipe))
                held[pipe] -= 1
            self._meter.show(seen, force=not any(held.values()))

    def _send(self, pipe: Connection, message: tuple[str, Any]) -> None:
        try:
            pipe.send(message)
        except OSError:
            while True:  # it has ended; what it said last says why
                self._receive(pipe)

    def _receive(self, pipe: Connection) -> Any:
        try:
            kind, result = pipe.recv()
        except (EOFError, OSError):
            self._lost(pipe)
        if kind == "error":
            raise result
        return result

    def _lost(self, pipe: Connection) -> None:
        worker = self._workers[pipe]
        worker.join(1)
        raise CannotDo(
            f"a worker process ended unexpectedly (exit code {worker.exitcode}); what it had scanned is lost",
            remedy="if the system ran out of memory, scan with fewer --jobs; else please report it",
        )

    def _stop(self) -> None:
        for pipe, worker in self._workers.items():
            pipe.close()
            worker.join(0.2)
            if worker.is_alive():
                worker.terminate()
                worker.join()


def _work(pipe: Connection, request: ScanRequest, inherited: list[Connection]) -> None:
    """Be a worker: step what comes down the pipe until it closes."""
    for other in inherited:
        other.close()  # so that a sibling sees the end of its pipe when the parent goes
    gc.disable()  # as in the parent: see `run.run`
    stepper, fetcher = Stepper(request), Fetcher()
    orders: deque[tuple[str, Any]] = deque()
    try:
        while True:
            while not orders or (len(orders) < AHEAD and pipe.poll()):
                kind, content = pipe.recv()
                orders.append((kind, fetcher.start(content) if kind == "scan" else content))
            kind, content = orders.popleft()
            if kind == "scan":
                before = stepper.summary.counts.copy()
                for _ in stepper.step_all(arrived(content)):
                    pass
                pipe.send(("counts", stepper.summary.counts - before))
            elif kind == "summary":
                pipe.send((kind, stepper.summary))
            elif kind == "facts":
                pipe.send((kind, stepper.proofs.find(content)))
            else:
                pipe.send((kind, stepper.proofs.prove(content)))
    except (EOFError, KeyboardInterrupt, BrokenPipeError):
        return  # the parent is gone or interrupted, and says so itself
    except RolewatchError as error:
        pipe.send(("error", error))
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent has to report it
        pipe.send(
            (
                "error",
                CannotDo(
                    f"internal error in a worker: {type(error).__name__}: {error}",
                    remedy="please report this",
                ),
            )
        )


def _batches(deliveries: Iterable[Delivery]) -> Iterator[list[Delivery]]:
    """Group deliveries so that handing them out costs little, and no batch is long."""
    batch: list[Delivery] = []
    size = 0
    for delivery in deliveries:
        batch.append(delivery)
        size += max(delivery.size, 0)
        if size >= BATCH_BYTES or len(batch) >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
