"""A folder that is followed, a file, or what matches a pattern.

A writer that renames into place gives whole files. For one that writes in place, a file is taken when it was closed, and nothing
happened to it for a moment; where nobody tells that, when it has not changed for a moment. A file that changes later is another
delivery.
"""
# ruff: noqa: PTH112 - paths are strings here, as in files.py

import os
import select
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from rolewatch.cloudtrail.layout import parse
from rolewatch.sources.delivery import FileDelivery
from rolewatch.sources.files import look
from rolewatch.sources.live import BATCH, DAY, Arrival, LiveSource, Memory, Told
from rolewatch.sources.live_flight import Flight
from rolewatch.sources.live_scope import Scope
from rolewatch.sources.live_time import Time
from rolewatch.sources.live_tree import Change, Tree
from rolewatch.sources.live_trouble import Trouble
from rolewatch.sources.window import Filter, Window

QUIET: Final = 0.1  # seconds after a file was closed: some writers rename it then, or set its time
SETTLED: Final = 0.5  # seconds without a change, for a file that was met …
UNTOLD: Final = 2.0  # … and where nobody tells when it is closed
SWEEP: Final = 900.0  # seconds between two walks over everything
LOOK: Final = 30.0  # seconds between two looks at all folders, where Linux tells what happens
SHORT_LOOK: Final = 0.25  # the same where it does not …
SHARE: Final = 20  # … but at least so many times the time that it takes; of a sweep too
RETURN: Final = 1.0  # seconds between two looks for a folder that is gone
ASKED: Final = 512  # files that the memory is asked about at once
MANY: Final = 50_000  # files that wait; where there are more, all is walked again


class FolderSource(LiveSource):
    """Follows files. What it gives is remembered for as long as the files may be there."""

    keep = 3650 * DAY

    def __init__(
        self,
        word: str,
        scope: Scope,
        memory: Memory,
        told: Told,
        *,
        window: Window,
        time: Time | None = None,
    ) -> None:
        super().__init__(word)
        self._scope, self._time = scope, time or Time()
        self._trouble = Trouble(word, told, self._time)
        self._filter = Filter(window)
        self._tree = Tree(scope, window, self._trouble)
        self._flight = Flight(memory)
        self._ready: deque[Arrival] = deque()
        self._walks: deque[Iterator[FileDelivery]] = deque()
        self._found: list[FileDelivery] = []  # files that the memory could not be asked about yet
        self._waiting: dict[str, tuple[float, str | None]] = {}  # path → when it is due, and as it was found
        self._next = 0.0  # when the first of them is due
        self._there = self._backlog = True
        self._blind = self._drained = False
        self._walking = False
        self._again = False  # all has to be walked once more
        self._full: Iterator[FileDelivery] | None = None  # the walk over everything that is under way
        self._sweep_due = self._look_due = self._began = 0.0
        self._awake, self._wake = os.pipe()
        self._closed = False
        self._running = threading.Lock()

    def arrivals(self, seconds: float) -> list[Arrival]:
        """Give the files that are there, in the order of their names, and then those that come."""
        end = self._time.monotonic() + seconds
        with self._running:
            while not self._closed:
                self._notice()
                while not self._ready and self._collect() and self._time.monotonic() < end:
                    pass
                self._drained = not (self._ready or self._found or self._walks or self._waiting)
                now = self._time.monotonic()
                if self._ready or now >= end:
                    break
                due = (end, self._next if self._waiting else end, self._look_due)
                self._wait(0.0 if self._walks else min(due) - now)
            return [self._ready.popleft() for _ in range(min(BATCH, len(self._ready)))]

    @property
    def drained(self) -> bool:
        """Whether there was no file left to give, nor one that is being written."""
        return self._drained and not self._ready

    def done(self, arrivals: Sequence[Arrival]) -> None:
        """Let go of what is done."""
        self._flight.done(mark for arrival in arrivals for mark in arrival.marks)

    def close(self) -> None:
        """Stop watching."""
        if self._closed:
            return
        self._closed = True
        os.write(self._wake, b"x")
        with self._running:
            self._tree.close()
            os.close(self._awake)
            os.close(self._wake)

    def _notice(self) -> None:
        """Take note of what has happened, and of what is due to be looked at."""
        now = self._time.monotonic()
        for change, path in self._tree.happened():
            self._change(change, path, now)
        if now >= self._look_due:
            self._look(now)
        if self._there and not self._full and now >= self._sweep_due:
            self._sweep()

    def _change(self, change: Change, path: str, now: float) -> None:
        if change is Change.WRITTEN:
            self._await(path, now + QUIET, None)
        elif change is Change.TOUCHED:
            if path in self._waiting:
                self._await(path, now + QUIET, self._waiting[path][1])
        elif change is Change.LEFT:
            self._waiting.pop(path, None)
        elif change is Change.FOLDER:
            self._walks.append(self._tree.walk(self._clock(), path, shallow=True))
        elif change is Change.LOST:
            self._sweep()
        elif self._there:
            self._there = False
            self._walks.clear()
            self._full = None
            self._tree.forget()
            self._look_due = now + RETURN
            self._trouble.tell("gone", f"{self._scope.top} is gone; it is followed again when it is back")

    def _look(self, now: float) -> None:
        """Look at all folders, or for the one that is gone."""
        if self._there:
            for change, path in self._tree.changed(self._clock()):
                self._change(change, path, now)
            if not self._there:
                return
            self._blind = self._tree.blind
            took = self._time.monotonic() - now
            self._look_due = now + max(SHORT_LOOK if self._blind else LOOK, SHARE * took)
        elif os.path.isdir(self._scope.top):
            self._there = True
            self._trouble.tell("back", f"{self._scope.top} is back")
            self._sweep()
            self._look_due = now + SHORT_LOOK
        else:
            self._look_due = now + RETURN
            self._trouble.tell("gone", f"{self._scope.top} is gone; it is followed again when it is back")

    def _sweep(self) -> None:
        """Begin to walk over everything, after the walk that does so already."""
        if self._full:
            self._again = True
            return
        self._full = self._tree.walk(self._clock())
        self._walks.append(self._full)
        self._began = self._time.monotonic()

    def _collect(self) -> bool:
        """Make some files ready that are due or met; False if there is nothing to do now."""
        now = self._time.monotonic()
        # What was met and what is due take turns, so that neither waits for the other.
        self._walking = bool(self._walks) and not self._walking
        if self._found:
            pass
        elif not self._backlog and not self._walking and self._waiting and now >= self._next:
            self._found = self._due(now)
        elif self._walks:
            self._found = self._met(now)
        elif self._backlog:
            self._backlog = False
            return bool(self._waiting)
        else:
            return False
        new = set(self._flight.new([delivery.identity for delivery in self._found]))
        for delivery in self._found:
            if delivery.identity in new:
                new.discard(delivery.identity)
                self._ready.append(Arrival(delivery, (delivery.identity,)))
        self._found = []
        return True

    def _met(self, now: float) -> list[FileDelivery]:
        """Go on with a walk; files that changed a moment ago may change still."""
        found: list[FileDelivery] = []
        read = 0
        walk, clock = self._walks[0], self._clock()
        settled = UNTOLD if self._blind else SETTLED
        for delivery in islice(walk, ASKED):
            if clock - delivery.modified() < settled:
                if delivery.name not in self._waiting:
                    self._await(delivery.name, now + settled, delivery.identity)
            elif delivery.size:
                found.append(delivery)
            read += 1
        if read < ASKED:
            self._walks.popleft()
            if walk is self._full:
                self._full = None
                self._sweep_due = now + max(SWEEP, SHARE * (now - self._began))
                self._blind = self._tree.blind
                self._look_due = min(self._look_due, now + (SHORT_LOOK if self._blind else LOOK))
                if self._again:
                    self._again = False
                    self._sweep()
        return found

    def _due(self, now: float) -> list[FileDelivery]:
        """Look at the files whose time has come."""
        found: list[FileDelivery] = []
        due = sorted(path for path, (when, _) in self._waiting.items() if when <= now)[:ASKED]
        for path in due:
            _, before = self._waiting.pop(path, (0.0, None))
            try:
                delivery = look(path, named=path == self._scope.file)
            except OSError:  # gone again
                continue
            if delivery.size < 0:
                if os.path.isdir(path):  # a link to one
                    self._change(Change.FOLDER, path, now)
            elif before not in (None, delivery.identity):
                self._await(path, now + (UNTOLD if self._blind else SETTLED), delivery.identity)
            elif delivery.size and (not self._filter.narrow or self._filter.admits(parse(path))):
                found.append(delivery)
        self._next = min((when for when, _ in self._waiting.values()), default=0.0)
        return found

    def _await(self, path: str, due: float, before: str | None) -> None:
        """Look at a file at a time, and give it then if it is as it was `before`; in any case if that is None."""
        if len(self._waiting) >= MANY:
            self._waiting.clear()
            self._sweep()
            return
        self._next = min(self._next, due) if self._waiting else due
        self._waiting[path] = (due, before)

    def _clock(self) -> float:
        return self._time.now().timestamp()

    def _wait(self, seconds: float) -> None:
        """Wait until something happens, the source is closed, or some seconds have gone."""
        if seconds <= 0:
            return
        poll = select.poll()
        poll.register(self._awake, select.POLLIN)
        happening = self._tree.fileno()
        if happening is not None:
            poll.register(happening, select.POLLIN)
        poll.poll(seconds * 1000)
