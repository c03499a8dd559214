"""The watch over the watcher: looks at each source now and then, and keeps and tells what is wrong with it.

It has a thread of its own, so that it speaks up also where the watcher itself is stuck. What stands is kept in the state,
so that a restart neither repeats nor forgets it, and several watchers of one state tell it once.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

import sqlalchemy as sa

from rolewatch.base.clock import milliseconds
from rolewatch.notify.notification import Notification
from rolewatch.sources.live import LiveSource, Told
from rolewatch.store import deliveries
from rolewatch.store import sources as rows_of_sources
from rolewatch.store.sources import SourceRow
from rolewatch.store.state import State, Unavailable
from rolewatch.watch.feed import Feed
from rolewatch.watch.lateness import Lateness, word_of
from rolewatch.watch.observer import Observer
from rolewatch.watch.selfcheck import (
    Change,
    Facts,
    Limits,
    after,
    decode,
    encode,
    ended,
    judge,
    notification_of,
)
from rolewatch.watch.telling import Teller

EVERY: Final = 10.0  # seconds between two looks
GRACE: Final = (
    600.0  # seconds after the start from which on silence counts, even if a source has never answered
)
JUMP: Final = (
    60.0  # seconds by which the clock may differ from the one that only ever goes on, from look to look
)

Announced = Callable[[Notification], None]


class Clocks(NamedTuple):
    """The clock on the wall, and the one that only ever goes on."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float] = time.monotonic


class Selfcheck(Observer):
    """Checks the sources of a feed. `announced` is told of each notification that was put into the outbox."""

    def __init__(
        self,
        state: State,
        feed: Feed,
        teller: Teller,
        lateness: Lateness,
        limits: Limits,
        *,
        clocks: Clocks,
        told: Told,
        announced: Announced,
    ) -> None:
        self._state, self._feed, self._teller, self._lateness, self._limits = (
            state,
            feed,
            teller,
            lateness,
            limits,
        )
        self._clocks, self._told, self._announced = clocks, told, announced
        self._sources: dict[str, LiveSource] = {word_of(source): source for source in feed.sources}
        self._ages = Ages()
        self._steadiness = Steadiness(clocks)
        self._began = clocks.monotonic()
        self._first: set[str] = set()
        self._before: dict[str, int | None] = {}
        self._caught: deque[str] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="selfcheck", daemon=True)

    def begin(self) -> None:
        """Take up what the state knows of the sources, and end the alarms of those that nobody follows any more."""

        def work(connection: sa.Connection) -> tuple[list[str], list[SourceRow]]:
            first = rows_of_sources.follow(connection, list(self._sources), milliseconds(self._clocks.now()))
            return first, rows_of_sources.rows(connection)

        first, rows = self._state.write(work)
        self._first = set(first)
        self._before = {row.source: row.arrived for row in rows}
        for row in rows:
            self._age(row)
        if self._state.shared:
            return  # others may follow them
        for row in rows:
            if row.source not in self._sources and decode(row.alarms):
                self._write(row.source, lambda row: ended(decode(row.alarms)))

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(EVERY)

    def caught_up(self, sources: Sequence[LiveSource]) -> None:
        """Note which sources have caught up."""
        self._caught.extend(self._lateness.catch_up(sources))

    def look(self, *, last: bool = False) -> None:
        """Look at all sources now; the `last` time before a watcher ends by itself, all of them are done."""
        self._catch_up()
        now = self._clocks.now()

        def work(connection: sa.Connection) -> tuple[list[SourceRow], dict[str, int]]:
            window = milliseconds(now - self._limits.window)
            return rows_of_sources.rows(connection, list(self._sources)), deliveries.failed_since(
                connection, window
            )

        rows, failed = self._state.read(work)
        if self._steadiness.jumped(self._limits):
            self._told(
                "clock", f"the clock of this machine has jumped by {self._steadiness.by:+,.0f} seconds"
            )
        for row in rows:
            judged = partial(self._judged, failed=failed.get(row.source, 0), settled=last)
            if judged(row):
                self._write(row.source, judged)

    def _judged(self, row: SourceRow, *, failed: int, settled: bool) -> list[Change]:
        now, monotonic = milliseconds(self._clocks.now()), self._clocks.monotonic()
        facts = Facts(
            source=row.source,
            last=_reached(row),
            age=self._age(row),
            lag=None if row.lag is None else row.lag / 1000,
            failed=failed,
            settled=settled or self._lateness.caught_up(row.source) or monotonic - self._began > GRACE,
            steady=self._steadiness.steady,
            over=self._sources[row.source].finished,
        )
        return judge(facts, self._limits, decode(row.alarms), now)

    def _age(self, row: SourceRow) -> float:
        now = milliseconds(self._clocks.now())
        return self._ages.of(row.source, _reached(row), now, self._clocks.monotonic())

    def _write(self, word: str, judged: Callable[[SourceRow], list[Change]]) -> None:
        """Keep and tell what changes, as the row is when nobody else can change it."""

        def work(connection: sa.Connection) -> Sequence[Notification]:
            row = rows_of_sources.locked(connection, word)
            changes = judged(row) if row else []
            if row is None or not changes:
                return ()
            now = self._clocks.now()
            alarms = after(decode(row.alarms), changes, _reached(row))
            rows_of_sources.keep_alarms(connection, word, encode(alarms))
            made = [notification_of(word, change, self._limits, now) for change in changes]
            for notification in made:
                self._teller.announce(connection, notification, now)
            return made

        for notification in self._state.write(work):
            self._announced(notification)

    def _catch_up(self) -> None:
        """Say how late a source was when it had caught up; of one that was never followed before nobody can say."""
        caught = [self._caught.popleft() for _ in range(len(self._caught))]
        if not caught:
            return

        def work(connection: sa.Connection) -> None:
            for row in rows_of_sources.rows(connection, caught):
                if row.source in self._first:
                    rows_of_sources.set_lag(connection, row.source, None)
                elif row.newest is not None and row.arrived not in (None, self._before.get(row.source)):
                    rows_of_sources.set_lag(connection, row.source, max(0, (row.arrived or 0) - row.newest))

        try:
            self._state.write(work)
        except Unavailable:
            self._caught.extend(caught)
            raise

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            try:
                self.look()
            except Unavailable as error:
                self._told("state", str(error))
            except Exception as error:  # noqa: BLE001 - it has to go on, whatever it is
                self._told("self-check", f"internal error: {type(error).__name__}: {error}")


def _reached(row: SourceRow) -> int:
    """Give when the last delivery arrived; where none ever did, since when one could have."""
    return row.since if row.arrived is None else row.arrived


class Ages:
    """How long ago something was, by the clock that only ever goes on; for what was before the start, by the wall's."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, float, float]] = {}

    def of(self, name: str, moment: int, now: int, monotonic: float) -> float:
        """Give the age in seconds of what happened last at a moment (milliseconds by the wall's clock)."""
        known = self._seen.get(name)
        if known is None or known[0] != moment:
            age = max(0.0, (now - moment) / 1000) if known is None else 0.0
            self._seen[name] = known = (moment, monotonic, age)
        return known[2] + monotonic - known[1]


class Steadiness:
    """Whether the wall's clock goes on as it should; after a jump, for as long as lateness may be what it caused."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self._offset = self._difference()
        self._until = clocks.monotonic()
        self.by = 0.0

    @property
    def steady(self) -> bool:
        """Whether there was no jump lately."""
        return self._clocks.monotonic() >= self._until

    def jumped(self, limits: Limits) -> bool:
        """Whether the clock has jumped since the last look; `by` so many seconds."""
        offset = self._difference()
        self.by, self._offset = offset - self._offset, offset
        if abs(self.by) <= JUMP:
            return False
        hold = limits.late.total_seconds() if limits.late else 0.0
        self._until = self._clocks.monotonic() + hold
        return True

    def _difference(self) -> float:
        return self._clocks.now().timestamp() - self._clocks.monotonic()
