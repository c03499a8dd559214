"""The watcher: what arrives is read, committed and acknowledged, batch by batch, for as long as it runs."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import sqlalchemy as sa

from rolewatch.base.clock import milliseconds
from rolewatch.scan.pool import batches_of
from rolewatch.scan.request import ScanRequest
from rolewatch.sources.live import Arrival, LiveSource, Told
from rolewatch.sources.locators import found_again, located
from rolewatch.store import deliveries, findings
from rolewatch.store.state import State
from rolewatch.watch import patience
from rolewatch.watch.alarm_patience import Settled
from rolewatch.watch.commit import Batch, OvertakenError, Rules, commit
from rolewatch.watch.feed import Feed, Given
from rolewatch.watch.following import Following
from rolewatch.watch.gathering import Wanted
from rolewatch.watch.housekeeping import REMEMBERED, Housekeeping, Retention
from rolewatch.watch.intake import Asked, read, taken
from rolewatch.watch.kept import followed
from rolewatch.watch.lateness import Lateness
from rolewatch.watch.observer import Committed, Observer
from rolewatch.watch.partly import partly_read
from rolewatch.watch.readers import Read, Readers
from rolewatch.watch.register import Changed
from rolewatch.watch.successes import KEPT, Successes

if TYPE_CHECKING:
    from rolewatch.findings.life import Phase
    from rolewatch.watch.alarms import Alarms

TICK_SECONDS: Final = 1.0
NOTE_SECONDS: Final = 60.0  # between looks at how far sources have come without a delivery
ATTEMPTS: Final = (
    2.0,
    10.0,
    60.0,
    300.0,
)  # seconds after which a delivery that could not be fetched is tried again
ATTEMPTS_ONCE: Final = (1.0, 5.0)  # the same for a watcher that is to end
LIVE: Final = "first-backlog"  # the note that says that the first backlog is through
READING: Final = 1800.0  # seconds that it takes at most to read a batch, over whatever network …
LOOKING: Final = 3600.0  # … and to look at all findings when the first backlog is through

T = TypeVar("T")


class _Retry(NamedTuple):
    given: Given
    due: float


class _Flight(NamedTuple):
    """A batch that is being read: all of it, what of it is new, the marks that were done before."""

    batch: Sequence[Given]
    fresh: Sequence[Given]
    known: set[str]
    read: Read


class Watcher:
    """Follows sources and keeps a state up to date. All of it happens in the thread that calls `run`."""

    def __init__(
        self,
        state: State,
        feed: Feed,
        request: ScanRequest,
        rules: Rules,
        *,
        told: Told,
        committed: Callable[[], None] = lambda: None,
        retention: Retention = REMEMBERED,
        observer: Observer | None = None,
        lateness: Lateness | None = None,
    ) -> None:
        self._state, self._feed, self._request, self._rules = state, feed, request, rules
        self._told, self._committed = told, committed
        self._observer, self._lateness = observer or Observer(), lateness
        self._following = Following()
        self._successes = Successes(request)
        self._housekeeping = Housekeeping(state, rules, self._following, retention, self._observer)
        self._retries: list[_Retry] = []
        self._notes: dict[str, str] = {}
        self._note_due = time.monotonic() + NOTE_SECONDS
        self._tried: dict[int, int] = {}  # how often deliveries that are put off were tried
        self._readers = Readers(request, told, self._wanted)
        self._settled = Settled()
        self._flights: deque[_Flight] = deque()
        self._attempts: tuple[float, ...] = ATTEMPTS
        self._patience: int | None = None  # how often the state is tried again
        self._phase: Phase = "reading"
        self._once = False
        self._through = False  # all that was there at the start is done
        self._stop = threading.Event()

    def stop(self) -> None:
        """Finish what was begun, and end; safe to be called from anywhere."""
        self._stop.set()

    def run(self, *, once: bool) -> None:
        """Go on until it is stopped; with `once` only until everything that there was is done."""
        self._once = once
        self._attempts, self._patience = (ATTEMPTS_ONCE, len(patience.PAUSES)) if once else (ATTEMPTS, None)
        try:
            self._resume()
            self._feed.start()
            tick = time.monotonic()
            while not self._stop.is_set():
                self._turn()
                batch = self._again() + self._feed.batch(self._pause(tick, once=once))
                if batch:
                    self._begin(batch)
                if self._flights and (not batch or len(self._flights) > self._readers.jobs):
                    self._finish(self._flights.popleft())
                drained = not batch and not self._flights and self._feed.drained
                drained = drained and not (once and self._retries)
                if drained:
                    self._settled.settle(self._feed.complete)
                if drained and not self._through:
                    self._get_through()
                if time.monotonic() >= tick or (once and drained):
                    self._tick()
                    tick = time.monotonic() + TICK_SECONDS
                if once and drained:
                    self._keep_notes()
                    return
        finally:
            self._readers.close()
            self._feed.stop()

    def _pause(self, tick: float, *, once: bool) -> float:
        """Say how many seconds may be waited for a delivery: until something else is due."""
        if self._flights or (
            self._feed.drained and ((once and not self._retries) or self._phase == "reading")
        ):
            return 0.001
        due = min([tick, *(retry.due for retry in self._retries)])
        return min(max(due - time.monotonic(), 0.001), TICK_SECONDS)

    def _turn(self) -> None:
        """Tell that the work goes on, and which sources have nothing left of what was there."""
        self._observer.turn()
        reading = {given.source for flight in self._flights for given in flight.batch}
        self._observer.caught_up([source for source in self._feed.caught_up() if source not in reading])

    def _resume(self) -> None:
        """Take up what the state knows, and read once more what may prove that late denials are over already."""

        def work(connection: sa.Connection) -> tuple[str | None, list[tuple[str, Any]], list[str]]:
            note = deliveries.note(connection, LIVE)
            since = milliseconds(self._rules.clock() - KEPT) if note else 0
            return note, followed(connection), deliveries.recent(connection, since)

        note, known, recent = self._patiently(lambda: self._state.read(work))
        self._phase = "live" if note else "reading"
        for name, facts in known:
            self._following.follow(name, facts)
        for batch in batches_of(found_again(recent)):
            if not self._stop.is_set():
                self._observer.turn(READING)
                self._successes.absorb(read(batch, self._request), self._rules.clock(), forget=False)

    def _begin(self, batch: Sequence[Given]) -> None:
        """Begin to read what of a batch is new."""
        known = self._known(batch)
        fresh = _fresh(batch, known)
        words = [given.source.word for given in fresh]
        read = self._readers.begin([given.arrival.delivery for given in fresh], words)
        self._flights.append(_Flight(batch, fresh, known, read))

    def _finish(self, flight: _Flight) -> None:
        """Commit what a batch holds, and acknowledge it."""
        done = {id(given) for given in flight.batch}
        if flight.fresh:
            ready = self._commit(flight)
            if ready is None:  # another watcher did some of it: what is left is looked at again
                self._begin(flight.batch)
                return
            done -= {id(given) for given in flight.fresh} - {id(given) for given in ready}
        acknowledged: dict[LiveSource, list[Arrival]] = {}
        for given in flight.batch:
            if id(given) in done:
                self._tried.pop(id(given), None)
                acknowledged.setdefault(given.source, []).append(given.arrival)
        for source, arrivals in acknowledged.items():
            source.done(arrivals)

    def _commit(self, flight: _Flight) -> Sequence[Given] | None:
        """Commit deliveries that were read; returns those that are done, without those put off, or None if overtaken."""
        began = time.monotonic()
        self._observer.turn(READING)
        ready, (detector, counts, changes) = flight.fresh, flight.read()
        unreadable = dict(detector.summary.unreadable)
        put_off = {
            id(given)
            for given in flight.fresh
            if given.arrival.delivery.name in unreadable
            and self._put_off(given, unreadable[given.arrival.delivery.name])
        }
        if put_off:
            ready = [given for given in flight.fresh if id(given) not in put_off]
            words = [given.source.word for given in ready]
            detector, counts, changes = self._readers.read([given.arrival.delivery for given in ready], words)
        if not ready:
            return ready
        places = located({given.arrival.marks[0]: given.arrival.delivery for given in ready})
        holds = taken(detector, self._asked(len(places) == len(ready)), changes)
        partly = partly_read([given.arrival.delivery for given in ready], detector, self._request)
        batch = Batch(ready, holds, flight.known, places, partly, self._lateness, counts)
        self._observer.turn()

        def work(connection: sa.Connection) -> Changed:
            return commit(connection, batch, self._rules, self._phase, self._following)

        try:
            changed = self._patiently(lambda: self._state.write(work))
        except OvertakenError:
            return None
        changed.follow(self._following)
        self._successes.absorb(detector, self._rules.clock(), forget=self._phase == "live")
        repeated = max(0, holds.counts.get("hits", 0) - changed.denials)
        took = time.monotonic() - began
        self._observer.committed(
            Committed(ready, holds.unreadable, holds.counts.get("records", 0), repeated, changed, took)
        )
        if changed.notifications:
            self._committed()
        return ready

    def _asked(self, again: bool) -> Asked | None:  # noqa: FBT001 - whether all that was read can be read again
        """Say what is asked of deliveries at once.

        What a first backlog proves is asked for when it is through, which reads far less twice. Until then a successor can
        read all of it again: unless it comes from a pipe, or another watcher of the store forgets where it was.
        """
        if self._phase == "reading":
            return None if again and not self._state.shared else Asked(self._following)
        return Asked(self._following, self._successes)

    def _known(self, batch: Sequence[Given]) -> set[str]:
        marks = [mark for given in batch for mark in given.arrival.marks]
        return self._patiently(
            lambda: self._state.read(lambda connection: deliveries.known(connection, marks))
        )

    def _put_off(self, given: Given, reason: str) -> bool:
        """Whether a delivery is tried again later, because what stopped it may pass: all that comes over a network."""
        if not given.arrival.delivery.remote:
            return False
        attempts = self._tried.get(id(given), 0)
        if attempts >= len(self._attempts):
            return False
        self._tried[id(given)] = attempts + 1
        self._retries.append(_Retry(given, time.monotonic() + self._attempts[attempts]))
        self._observer.put_off(given, reason, self._attempts[attempts])
        return True

    def _again(self) -> list[Given]:
        """Give the deliveries that are to be tried again now."""
        now = time.monotonic()
        due = [retry.given for retry in self._retries if retry.due <= now]
        self._retries = [retry for retry in self._retries if retry.due > now]
        return due

    def _get_through(self) -> None:
        """Note that all that was there at the start is done."""
        first = self._phase == "reading"
        if first:
            self._begin_live()
        self._through = True
        self._observer.caught_up(self._feed.caught_up())
        self._observer.drained(first=first)

    def _begin_live(self) -> None:
        """Tell of what the first backlog held in one summary, and of all that comes from now on as it comes."""
        self._observer.turn(LOOKING)
        witnesses = self._successes.witnessed(
            self._following.after, self._following.deeds, self._readers.hear
        )

        def work(connection: sa.Connection) -> Changed:
            rules = self._rules
            register = rules.register(connection, rules.clock(), "drained")
            changed = register.look_again(findings.names(connection), witnesses)
            deliveries.keep_notes(connection, {LIVE: "through"})
            return changed

        changed = self._patiently(lambda: self._state.write(work))
        changed.follow(self._following)
        self._phase = "live"
        self._observer.changed(changed)
        if changed.notifications:
            self._committed()

    def _keep_notes(self) -> None:
        """Keep how far sources have come, also where nothing arrived that would have been committed with it."""
        notes = {source.word: note for source in self._feed.sources if (note := source.note()) is not None}
        if notes != self._notes:
            self._patiently(
                lambda: self._state.write(lambda connection: deliveries.keep_notes(connection, notes))
            )
            self._notes = notes

    def _tick(self) -> None:
        if time.monotonic() >= self._note_due:
            self._note_due = time.monotonic() + NOTE_SECONDS
            self._keep_notes()
        last = self._once and self._feed.drained
        if self._phase == "live" and self._patiently(lambda: self._housekeeping.tick(last=last)):
            self._committed()
        if self._phase == "live" and self._rules.alarms:
            self._evaluate(self._rules.alarms)

    def _wanted(self) -> Wanted:
        """Say what is wanted of deliveries beside denials."""
        filters = self._rules.alarms.filters(self._rules.clock()) if self._rules.alarms else None
        return Wanted(filters, self._rules.blame)

    def _evaluate(self, alarms: "Alarms") -> None:
        """Evaluate alarms as far as all is known that had arrived."""
        now, began = self._rules.clock(), time.monotonic()
        until = self._settled.until(now, through=self._through)
        if until is None:
            return

        def enough() -> bool:
            return self._stop.is_set() or (not self._once and time.monotonic() - began > TICK_SECONDS)

        if self._patiently(lambda: alarms.tick(self._state, now, until, enough)):
            self._committed()

    def _patiently(self, work: Callable[[], T]) -> T:
        """Do something with the state, however long that takes to be possible again."""
        waited = False

        def waits(reason: str) -> None:
            nonlocal waited
            waited = True
            self._observer.waits(reason)

        done = patience.patiently(work, self._stop, self._told, most=self._patience, waits=waits)
        if waited:
            self._settled.restart()
        return done


def _fresh(batch: Sequence[Given], known: set[str]) -> list[Given]:
    """Leave out deliveries that are done, or stand in the batch twice."""
    seen = set(known)
    fresh = []
    for given in batch:
        if not seen.issuperset(given.arrival.marks):
            fresh.append(given)
            seen.update(given.arrival.marks)
    return fresh
