"""A place that is listed again and again: by several kinds of rounds, the most urgent first, a page at a time.

Each kind of round has a cursor, the time at the origin when its last complete round began. A round looks back from there by
more than anything can be late, and drops what is in flight or done; so a cursor only saves work. What goes into the note is a
cursor before which everything is done.
"""

import json
import threading
from abc import abstractmethod
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar

from rolewatch.base import aws
from rolewatch.base.errors import RolewatchError
from rolewatch.sources.live import BATCH, Arrival, LiveSource, Memory
from rolewatch.sources.live_flight import Flight
from rolewatch.sources.live_time import Backoff, Time
from rolewatch.sources.live_trouble import Trouble

VERSION: Final = 1  # of the note
REST: Final = 2  # a round is followed by at least so many times the time that it took
GIVEN_UP: Final = (
    10  # failures of one page in a row after which a round begins again from the last place reached
)

T = TypeVar("T")


class Round(NamedTuple):
    """A kind of round: its name in the note, and how many seconds after the beginning of one the next is due."""

    name: str
    every: float


class Page(NamedTuple, Generic[T]):
    """A piece of a round: what was found, each with its mark, and the origin's clock when it was.

    `reached` is a place from which the round can be taken up again, if there is one. A page with `error` was not answered:
    the same request is made again when the next page is asked for.
    """

    found: Sequence[tuple[str, T]] = ()
    clock: datetime | None = None
    reached: str | None = None
    error: Exception | None = None


class Polled(LiveSource, Generic[T]):
    """What the sources have in common that list a place.

    `rounds`: the most urgent first; `first` names the one that takes in the backlog, where there is no note. `nested` says that
    each kind of round finds all that those before it would find; so after a stop the widest that is due does for all.
    """

    def __init__(
        self,
        word: str,
        memory: Memory,
        trouble: Trouble,
        rounds: Sequence[Round],
        *,
        first: str,
        nested: bool = False,
        recent: int = 0,
        time: Time | None = None,
    ) -> None:
        super().__init__(word)
        self.time = time or Time()
        self.trouble = trouble
        self.closing = threading.Event()
        self._flight = Flight(memory, recent=recent)
        self._ready: deque[Arrival] = deque()
        self._drained = False
        self._nested = nested
        self._errors: tuple[type[Exception], ...] = (RolewatchError, *aws.errors())
        kept = _kept(memory.note(word))
        self._states: list[_State[T]] = [_State(kind, *kept.get(kind.name, _NOTHING)) for kind in rounds]
        self._begin(first)

    @abstractmethod
    def listing(self, kind: str, cursor: datetime | None, place: str | None) -> Iterator[Page[T]]:
        """Yield the pages of a round; `cursor` is None for the backlog, `place` where a round that broke off had come to.

        Raises what a request raised that cannot be made again.
        """

    @abstractmethod
    def pack(self, found: list[tuple[str, T]]) -> list[Arrival]:
        """Make deliveries of what is new on a page."""

    def arrivals(self, seconds: float) -> list[Arrival]:
        """Give what is new, going on with the most urgent round until there is some."""
        end = self.time.monotonic() + seconds
        while not self._ready and not self.closing.is_set():
            now = self.time.monotonic()
            state = self._urgent(now)
            if state:
                self._drained = False
                self._advance(state)
            else:
                self._drained = all(state.whole for state in self._states)
                self.time.wait(self.closing, min(end, *(state.due for state in self._states)) - now)
            if self.time.monotonic() >= end:
                break
        return [self._ready.popleft() for _ in range(min(BATCH, len(self._ready)))]

    @property
    def drained(self) -> bool:
        """Whether every kind of round was complete and none was due when there was nothing more to give."""
        return self._drained and not self._ready

    def done(self, arrivals: Sequence[Arrival]) -> None:
        """Let go of what is done."""
        self._flight.done(mark for arrival in arrivals for mark in arrival.marks)

    def note(self) -> str | None:
        """Give the cursors before which everything is done."""
        notes = self._flight.notes()
        return json.dumps({"version": VERSION, "rounds": notes}, sort_keys=True) if notes else None

    def close(self) -> None:
        """Stop waiting."""
        self.closing.set()

    def wait(self, seconds: float) -> None:
        """Wait between two requests, not for longer than until the source is closed."""
        if seconds > 0:
            self.time.wait(self.closing, seconds)

    def _begin(self, first: str) -> None:
        """Say when each kind of round is due: without a note the first round alone, else the most urgent at once."""
        now, clock = self.time.monotonic(), self.time.now()
        known = [state for state in self._states if state.cursor or state.place]
        for state in self._states:
            if not known:
                state.due = now if state.kind.name == first else float("inf")
            elif state.cursor and not state.place:
                age = max((clock - state.cursor).total_seconds(), 0.0)
                state.due = now + max(state.kind.every - age, 0.0) if state is not self._states[0] else now
            else:
                state.due = now if state.place else float("inf")
            state.whole = state.due > now
            if known:
                self._reach(state)
        due = [state for state in self._states if state.due <= now]
        for state in due[:-1] if self._nested else ():  # the last one does for them
            state.due, state.place, state.clock = float("inf"), None, None

    def _urgent(self, now: float) -> "_State[T] | None":
        return next((state for state in self._states if state.due <= now), None)

    def _advance(self, state: "_State[T]") -> None:
        """Take the next page of a round."""
        before = self.time.monotonic()
        if state.pages is None:
            state.pages = self.listing(state.kind.name, state.cursor, state.place)
            state.whole, state.spent, state.began = False, 0.0, before
        try:
            state.page = state.page or next(state.pages, None)
        except self._errors as error:
            self._failed(state, error, over=True)
            return
        state.spent += self.time.monotonic() - before
        page = state.page
        if page is None:
            self._complete(state)
        elif page.error:
            self._failed(state, page.error, over=state.failures + 1 >= GIVEN_UP)
        else:
            self._take(state, page)
        state.page = (
            None  # not before: where the memory cannot be asked, the page is taken with the next call
        )

    def _take(self, state: "_State[T]", page: Page[T]) -> None:
        if state.failures or page.reached:  # it goes on where it had failed
            state.failures = 0
            state.backoff.reset()
        state.clock = state.clock or page.clock
        new = set(self._flight.new([mark for mark, _ in page.found]))
        if new:
            fresh = []
            for mark, item in page.found:
                if mark in new:
                    new.discard(mark)  # a mark that stands twice on a page is given once
                    fresh.append((mark, item))
            self._ready.extend(self.pack(fresh))
        if page.reached is not None:
            state.place = page.reached
            self._reach(state)

    def _complete(self, state: "_State[T]") -> None:
        now = self.time.monotonic()
        state.cursor = state.clock or state.cursor or self.time.now()
        state.pages = state.place = state.clock = None
        state.whole = True
        state.failures = 0
        state.backoff.reset()
        state.due = max(state.began + state.kind.every, now + REST * state.spent)
        self._reach(state)
        wider = self._states.index(state) if self._nested else 0
        for number, other in enumerate(self._states):
            if other.due < float("inf") or other.place or other is state:
                continue
            if number < wider or other.cursor is None:  # the backlog was everybody's first round
                other.cursor = max(state.cursor, other.cursor or state.cursor)
                other.due, other.whole = state.began + other.kind.every, True
                self._reach(other)

    def _failed(self, state: "_State[T]", error: Exception, *, over: bool) -> None:
        self.trouble.failed(f"listing ({state.kind.name})", error)
        state.failures += 1
        state.whole = False
        state.due = self.time.monotonic() + state.backoff.pause()
        if over:
            state.pages = None
            state.failures = 0
            if not state.place:
                state.clock = None

    def _reach(self, state: "_State[T]") -> None:
        value = {"cursor": _spelled(state.cursor), "place": state.place, "began": _spelled(state.clock)}
        self._flight.reach(state.kind.name, value)


class _State(Generic[T]):
    """How far a kind of round has come.

    `clock` is the origin's when the present round began, `page` one of it that could not be taken yet. `due` and `began` are
    monotonic times, `spent` the seconds that the round took so far, and `whole` says that the last one was complete.
    """

    def __init__(
        self, kind: Round, cursor: datetime | None, place: str | None, clock: datetime | None
    ) -> None:
        self.kind, self.cursor, self.place, self.clock = kind, cursor, place, clock
        self.pages: Iterator[Page[T]] | None = None
        self.page: Page[T] | None = None
        self.due = self.began = self.spent = 0.0
        self.whole = False
        self.failures = 0
        self.backoff = Backoff()


_Kept = tuple[datetime | None, str | None, datetime | None]
_NOTHING: Final[_Kept] = (None, None, None)


def _kept(note: str | None) -> dict[str, _Kept]:
    """Read a note; one that is none, or of another version, is as good as none."""
    try:
        value: Any = json.loads(note or "null")
        if not isinstance(value, dict) or value["version"] != VERSION:
            return {}
        return {
            name: (_moment(kept["cursor"]), kept["place"], _moment(kept["began"]))
            for name, kept in value["rounds"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _spelled(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
