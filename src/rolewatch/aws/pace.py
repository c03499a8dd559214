"""Requests, evenly spaced: so many a second at most, however many threads send them."""

import threading
import time
from collections.abc import Callable


class Pace:
    """Lets callers through one by one, `per_second` of them; `wait` blocks until it is one's turn. `taken` counts them."""

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap, self._clock, self._sleep = 1 / per_second, clock, sleep
        self._next = float("-inf")
        self._lock = threading.Lock()
        self.taken = 0

    def wait(self) -> None:
        """Wait for one's turn."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._gap
            self.taken += 1
        if turn > now:
            self._sleep(turn - now)
