"""What live sources may ask of the state."""

import threading
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TypeVar

import sqlalchemy as sa

from rolewatch.sources.live import Told
from rolewatch.store import deliveries
from rolewatch.store.state import State
from rolewatch.watch.patience import patiently

T = TypeVar("T")


class StateMemory:
    """Answers from the store; each call is a transaction of its own, so it is safe for every thread.

    While the store is away a call waits for it: a source that was refused an answer would have to begin again. When `stop`
    is set, it is refused (Unavailable).
    """

    def __init__(self, state: State, told: Told | None = None, stop: threading.Event | None = None) -> None:
        self._state, self._told, self._stop = state, told, stop

    def known(self, marks: Sequence[str]) -> Collection[str]:
        """Give those of some marks that are done."""
        return self._read(partial(deliveries.known, identities=marks)) if marks else ()

    def note(self, source: str) -> str | None:
        """Give the note that a source left."""
        return self._read(partial(deliveries.note, source=source))

    def _read(self, work: Callable[[sa.Connection], T]) -> T:
        def ask() -> T:
            return self._state.read(work)

        return patiently(ask, self._stop, self._told) if self._stop else ask()
