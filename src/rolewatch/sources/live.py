"""Live sources: places that are followed. Deliveries are given as they arrive, and acknowledged when they are done.

A source is polled by one thread and told what is done by another. It loses nothing by a crash at any moment: what was
given and not acknowledged comes again, and what was done before is known by its marks, which the state keeps.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple, Protocol

from rolewatch.sources.delivery import Delivery

BATCH: Final = 256  # deliveries given at once, at most
DAY: Final = 86_400  # seconds


class Arrival(NamedTuple):
    """A delivery that has arrived.

    `marks` are the identities under which it is remembered as done, at least its own: of a batch of log events it is one
    for each. `ticket` is the source's own, to know it again by.
    """

    delivery: Delivery
    marks: tuple[str, ...]
    ticket: Any = None


class Memory(Protocol):
    """What a source can ask of the state. Both are safe to be called from its own thread."""

    def known(self, marks: Sequence[str]) -> Collection[str]:
        """Give those of some marks that are done."""

    def note(self, source: str) -> str | None:
        """Give the note that a source left (`LiveSource.note`), None if there is none."""


class Told(Protocol):
    """Where a source says what went wrong that it will try again: (name of the place, reason)."""

    def __call__(self, name: str, reason: str) -> None:
        """Tell."""


class LiveSource(ABC):
    """A place that is followed. Errors that pass (network, throttling) are told and tried again, never raised.

    `word` is the SOURCE as typed; `keep` how many seconds its marks have to be remembered.
    """

    keep: int = 45 * DAY
    least: float = 0.0  # seconds that a poll has to be given to find out that there is nothing

    def __init__(self, word: str) -> None:
        self.word = word

    @abstractmethod
    def arrivals(self, seconds: float) -> list[Arrival]:
        """Give deliveries that have arrived and are not done, BATCH at most, the backlog first.

        Where there are none it waits for some, `seconds` at most. What was given and neither done nor parked is not given
        again within this process, unless the origin itself repeats it. Raises CannotDo or SourceError where trying again is
        in vain.
        """

    @property
    @abstractmethod
    def drained(self) -> bool:
        """Whether the last call of `arrivals` found everything that there was: nothing of the backlog is left."""

    @abstractmethod
    def done(self, arrivals: Sequence[Arrival]) -> None:
        """Acknowledge what the state has committed, failed deliveries included. From another thread than the poller's."""

    @property
    def finished(self) -> bool:
        """Whether nothing will ever arrive again, as at the end of standard input."""
        return False

    def note(self) -> str | None:
        """Give what is to be kept with the next commit, so that a successor can go on from here; it only saves work.

        It speaks only of what `done` was told, so it may be asked for by any thread at any time.
        """
        return None

    def close(self) -> None:  # noqa: B027 - most sources hold nothing
        """Let go of what is held at the origin, so that others get what was not done; may be called more than once.

        A call of `arrivals` that is under way in another thread returns soon after.
        """
