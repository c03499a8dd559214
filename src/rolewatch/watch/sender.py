"""Letters to all targets, each on a line with a thread of its own, so that one that is slow keeps no other waiting."""

import threading
from collections.abc import Mapping
from typing import Final

from rolewatch.notify.target import Target
from rolewatch.sources.live import Told
from rolewatch.store import outbox
from rolewatch.store.state import State, Unavailable
from rolewatch.watch.line import IDLE_SECONDS, Clock, Line, Manners
from rolewatch.watch.observer import Observer

GONE: Final = "the target is not configured any more"


class Sender:
    """Sends what the outbox holds; `targets` by the digests of their URLs."""

    def __init__(
        self,
        state: State,
        targets: Mapping[str, Target],
        manners: Manners,
        *,
        told: Told,
        clock: Clock,
        observer: Observer | None = None,
    ) -> None:
        self._state, self._told, self._digests = state, told, list(targets)
        self._stop = threading.Event()
        self.lines = [
            Line(state, digest, target, manners=manners, told=told, clock=clock, observer=observer)
            for digest, target in targets.items()
        ]
        self._wakes = [threading.Event() for _ in self.lines]
        self._threads = [
            threading.Thread(target=self._run, args=(line, wake), name="sender", daemon=True)
            for line, wake in zip(self.lines, self._wakes, strict=True)
        ]

    def start(self) -> None:
        """Begin to send; letters to targets that there are no more are given up."""
        try:
            number = self._state.write(lambda connection: outbox.bury(connection, self._digests, GONE))
        except Unavailable as error:  # they are given up at the next start
            self._told("notifications", str(error))
            number = 0
        if number:
            self._told("notifications", f"{number:,} were given up: {GONE}")
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Look into the outbox at once."""
        for wake in self._wakes:
            wake.set()

    def drain(self) -> None:
        """Send everything that is due, each letter once, in the thread that calls."""
        self.stop()
        for line in self.lines:
            while line.send_due():
                pass

    def stop(self, seconds: float = 30.0) -> None:
        """Finish the letters that are being sent, and stop."""
        self._stop.set()
        self.wake()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(seconds)

    def leave(self) -> None:
        """Stop after the letters that are being sent, without waiting for that; another one goes on."""
        self._stop.set()
        self.wake()

    def _run(self, line: Line, wake: threading.Event) -> None:
        while not self._stop.is_set():
            wake.clear()
            pause = self._guarded(line)
            wake.wait(pause)

    def _guarded(self, line: Line) -> float:
        """Send until nothing is due; returns how many seconds to wait."""
        try:
            while not self._stop.is_set() and line.send_due():
                pass
            return line.pause()
        except Unavailable as error:
            self._told("notifications", str(error))
        except Exception as error:  # noqa: BLE001 - a thread that ends would never tell anybody anything again
            self._told("notifications", f"internal error: {type(error).__name__}: {error}")
        return IDLE_SECONDS
