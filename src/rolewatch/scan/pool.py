"""Run the fold over deliveries: in this process where there is little, else on a pool of processes.

Work starts while the listing still runs. Each worker folds its own share and keeps what it gathered; when all deliveries
are through, the summaries are merged, and whoever knows then what matters can ask the workers on.
"""

import gc
import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import chain
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, Protocol, TypeVar, cast

from rolewatch.base.errors import CannotDo, RolewatchError
from rolewatch.scan.fetch import Fetcher, arrived
from rolewatch.scan.request import Progress
from rolewatch.scan.step import Stepper
from rolewatch.scan.summary import Reading
from rolewatch.sources import Delivery

SMALL = 4 * 1024 * 1024  # compressed bytes that are not worth a pool
BATCH_BYTES = 2 * 1024 * 1024
BATCH = 128  # deliveries in a batch at most
AHEAD = 2  # batches a worker holds, so that it never waits for the next one, or for its content

R = TypeVar("R", bound=Reading)
Tell = Callable[[Progress], None]
Make = Callable[[], Stepper[Any, R]]


class Crew(Protocol[R]):
    """Steppers that have stepped all deliveries: one in this process, or one in each of several workers."""

    summary: R  # of all of them

    @property
    def members(self) -> Iterable[Hashable]:
        """What stands for the steppers in questions."""

    def ask(self, questions: Mapping[Any, tuple[str, Any]]) -> dict[Any, Any]:
        """Have members call a method of their stepper with an argument, side by side; CannotDo if one is lost."""


#: Folds deliveries: `fold`, or what does the same elsewhere.
Fold = Callable[[Iterable[Delivery], Make[Any], int, Tell | None], AbstractContextManager[Crew[Any]]]


@contextmanager
def fold(
    deliveries: Iterable[Delivery], make: Make[R], jobs: int, tell: Tell | None = None
) -> Iterator[Crew[R]]:
    """Fold all deliveries by steppers that `make` makes; the crew can be asked until the context ends."""
    batches = batches_of(deliveries)
    small: list[list[Delivery]] = []
    if jobs > 1:
        size = 0
        for batch in batches:
            small.append(batch)
            size += sum(max(delivery.size, 0) for delivery in batch)
            if size > SMALL:
                with closing(_Pool(make, jobs, tell)) as pool:
                    pool.run(chain(small, batches))
                    yield pool
                return
    alone = Alone(make(), tell)
    alone.run(chain(small, batches))
    yield alone


class Alone(Generic[R]):
    """The one stepper of this process."""

    members = (None,)

    def __init__(self, stepper: Stepper[Any, R], tell: Tell | None = None) -> None:
        self._stepper = stepper
        self._tell = tell
        self.summary = stepper.summary

    def run(self, batches: Iterator[list[Delivery]]) -> None:
        """Step the batches, the content of each being fetched while the one before is stepped."""
        stepper, fetcher, meter = self._stepper, Fetcher(), _Meter(self._tell)
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
        self.summary = stepper.finish()

    def ask(self, questions: Mapping[Any, tuple[str, Any]]) -> dict[Any, Any]:
        """Call methods of the stepper."""
        return {
            member: getattr(self._stepper, name)(argument) for member, (name, argument) in questions.items()
        }


def told(summary: Reading, tell: Tell | None) -> None:
    """Tell what a whole summary has read."""
    meter = _Meter(tell)
    meter.listed, meter.done = summary.counts["deliveries"], True
    meter.show(summary, force=True)


class _Meter:
    """Counts what the progress bar shows, a few times a second."""

    def __init__(self, tell: Tell | None) -> None:
        self._tell = tell
        self._start = time.monotonic()
        self._shown = 0.0
        self.listed = 0
        self.done = False

    def show(self, summary: Reading, *, force: bool = False) -> None:
        if self._tell is None:
            return
        now = time.monotonic()
        if force or now - self._shown > 0.1:
            self._shown = now
            counts = summary.counts
            self._tell(Progress(
                counts["deliveries"], self.listed if self.done else None,
                counts["bytes_compressed"], counts["bytes"], counts.get("hits"), now - self._start,
            ))  # fmt: skip


class _Pool(Generic[R]):
    """A pool of worker processes, each with a pipe of its own: a worker that dies is noticed at once."""

    summary: R

    def __init__(self, make: Make[R], jobs: int, tell: Tell | None) -> None:
        self._meter = _Meter(tell)
        # Forked before any thread is started here; where the platform cannot, workers start afresh.
        methods = multiprocessing.get_all_start_methods()
        context: Any = multiprocessing.get_context("fork" if "fork" in methods else None)
        self._workers: dict[Connection, Any] = {}
        # An interrupt is the parent's to handle; while it forks, one would be lost in Python's own hooks.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            for _ in range(jobs):
                ours, theirs = context.Pipe()
                worker = context.Process(
                    target=_work, args=(theirs, make, [*self._workers, ours]), daemon=True
                )
                worker.start()
                theirs.close()
                self._workers[ours] = worker
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    @property
    def members(self) -> Iterable[Connection]:
        return self._workers

    def run(self, batches: Iterator[list[Delivery]]) -> None:
        """Hand out the batches and gather the summaries; CannotDo if a worker dies."""
        self._hand_out(batches)
        first, *others = self.ask(dict.fromkeys(self._workers, ("summary", None))).values()
        for other in others:
            first.merge(other)
        self.summary = first

    def ask(self, questions: Mapping[Any, tuple[str, Any]]) -> dict[Any, Any]:
        for pipe, question in questions.items():
            self._send(pipe, question)
        return {pipe: self._receive(pipe) for pipe in questions}

    def close(self) -> None:
        for pipe, worker in self._workers.items():
            pipe.close()
            worker.join(0.2)
            if worker.is_alive():
                worker.terminate()
                worker.join()

    def _hand_out(self, batches: Iterator[list[Delivery]]) -> None:
        held = dict.fromkeys(self._workers, 0)
        seen = Reading()
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


def _work(pipe: Connection, make: Make[Any], inherited: list[Connection]) -> None:
    """Be a worker: step what comes down the pipe until it closes."""
    for other in inherited:
        other.close()  # so that a sibling sees the end of its pipe when the parent goes
    gc.disable()  # as in the parent: see `run.run`
    stepper, fetcher = make(), Fetcher()
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
                pipe.send((kind, stepper.finish()))
            else:
                pipe.send((kind, getattr(stepper, kind)(content)))
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


def batches_of(deliveries: Iterable[Delivery]) -> Iterator[list[Delivery]]:
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
