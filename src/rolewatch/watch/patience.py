"""Waiting for the state, however long it is away."""

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from rolewatch.sources.live import Told
from rolewatch.store.state import Unavailable

#: Seconds to wait before the state is tried again; the last for as long as it takes.
PAUSES: Final = (1.0, 2.0, 5.0, 10.0, 30.0)

T = TypeVar("T")


def patiently(
    work: Callable[[], T],
    stop: threading.Event,
    told: Told | None,
    *,
    most: int | None = None,
    waits: Callable[[str], None] = lambda _: None,
) -> T:
    """Do something with the state, as soon as that is possible again; each refusal is told, and `waits` hears why.

    Raises Unavailable once `stop` is set, or after `most` attempts that were in vain.
    """
    attempt = 0
    while True:
        try:
            return work()
        except Unavailable as error:
            if stop.is_set() or attempt == most:
                raise
            if told:
                told("state", str(error))
            waits(str(error))
            stop.wait(PAUSES[min(attempt, len(PAUSES) - 1)])
            attempt += 1
