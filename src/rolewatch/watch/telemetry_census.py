"""What only the state knows, counted now and then by a thread of its own, so that nobody who asks waits for the state."""

import threading
import time
from collections.abc import Mapping
from typing import Final, NamedTuple

import sqlalchemy as sa

from rolewatch.findings.severity import LEVELS
from rolewatch.sources.live import Told
from rolewatch.store import deliveries, findings, outbox, sources
from rolewatch.store.sources import SourceRow
from rolewatch.store.state import State, Unavailable
from rolewatch.watch.health import Pulse

EVERY: Final = 5.0  # seconds between two looks …
SHARE: Final = 20  # … but at least so many times the time that one takes


class Census(NamedTuple):
    """What was counted: sources by their words, letters by state, failed deliveries, findings by (status, severity)."""

    sources: Mapping[str, SourceRow]
    outbox: Mapping[str, int]
    failed: int
    findings: Mapping[tuple[str, ...], float]


NOTHING: Final = Census({}, {}, 0, {})


def take(connection: sa.Connection) -> Census:
    """Count everything."""
    return Census(
        {row.source: row for row in sources.rows(connection)},
        outbox.counts(connection),
        deliveries.failed_number(connection),
        {(status, LEVELS[level]): number for (status, level), number in findings.numbers(connection).items()},
    )


class Counting:
    """Takes a census again and again. `latest` is the last one; `pulse` hears whether the state answers."""

    def __init__(self, state: State, pulse: Pulse, told: Told) -> None:
        self._state, self._pulse, self._told = state, pulse, told
        self.latest = NOTHING
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="census", daemon=True)

    def start(self) -> None:
        """Begin to count."""
        self._thread.start()

    def stop(self) -> None:
        """Stop counting."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(EVERY)

    def look(self) -> None:
        """Count now."""
        try:
            self.latest = self._state.read(take)
        except Unavailable as error:
            self._pulse.answered(str(error))
        else:
            self._pulse.answered()

    def _run(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            began = time.monotonic()
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - numbers that stand still would look as if all were well
                self._told("metrics", f"internal error: {type(error).__name__}: {error}")
                self._pulse.answered(f"internal error: {type(error).__name__}")
            pause = max(EVERY, SHARE * (time.monotonic() - began))
