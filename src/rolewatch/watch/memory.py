"""What live sources may ask of the state."""

from collections.abc import Collection, Sequence
from functools import partial

from rolewatch.store import deliveries
from rolewatch.store.state import State


class StateMemory:
    """Answers from the store; each call is a transaction of its own, so it is safe for every thread."""

    def __init__(self, state: State) -> None:
        self._state = state

    def known(self, marks: Sequence[str]) -> Collection[str]:
        """Give those of some marks that are done."""
        return self._state.read(partial(deliveries.known, identities=marks))

    def note(self, source: str) -> str | None:
        """Give the note that a source left."""
        return self._state.read(partial(deliveries.note, source=source))
