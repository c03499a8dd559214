"""What was watched goes into a lake: after its commit, a few minutes later, some deliveries at a time.

The state remembers which deliveries are to go, so a crash leaves none out; the lake takes each record once, so repeats do
no harm.
"""

import threading
from collections.abc import Callable
from functools import partial
from typing import Final

from rolewatch.base.errors import CannotDo, RolewatchError
from rolewatch.lake.lake import Lake
from rolewatch.scan.ingest import ingest_deliveries
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import Delivery
from rolewatch.sources.live import Told
from rolewatch.sources.locators import delivery_of
from rolewatch.store import deliveries
from rolewatch.store.state import State

EVERY_SECONDS: Final = 300.0  # between two parts of the lake: small ones cost their readers time
AT_ONCE: Final = 5000  # deliveries taken in one go


class Lakeward:
    """Takes deliveries into a lake, in a thread of its own; `open_lake` opens it when there is something to take."""

    def __init__(
        self,
        state: State,
        open_lake: Callable[[], Lake],
        request: ScanRequest,
        told: Told,
        every: float = EVERY_SECONDS,
    ) -> None:
        self._state, self._open, self._request, self._told = state, open_lake, request, told
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lake", daemon=True)

    def start(self) -> None:
        """Begin to take them."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the part that is being written, and stop."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def take(self) -> int:
        """Take everything that there is now; returns how many records were added."""
        added = 0
        while locators := self._state.read(partial(deliveries.for_lake, number=AT_ONCE)):
            lake = self._open()
            try:
                found = ingest_deliveries(
                    filter(None, map(self._found, locators.values())), lake, self._request
                )
            finally:
                lake.place.close()
            for entry in found["unreadable"]:
                self._told("lake", f"{entry['delivery']}: {entry['reason']}")
            added += found["records_added"]
            self._state.write(partial(deliveries.in_lake, marks=list(locators)))
        return added

    def _found(self, text: str) -> Delivery | None:
        try:
            return delivery_of(text)
        except CannotDo as error:
            self._told("lake", str(error))
            return None

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self.take()
            except RolewatchError as error:
                self._told("lake", str(error))
            except OSError as error:
                self._told("lake", error.strerror or str(error))
