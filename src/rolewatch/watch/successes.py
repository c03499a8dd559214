"""Successes of the last hours: a denial that arrives late may be over already, by a record that arrived before it.

Nothing tells in advance which success will matter, so all are remembered as a scan remembers them (boiled down, beyond a
bound in temporary files): those of a first backlog until it is through, later ones for two hours at least.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from rolewatch.denials.sieve import Deeds
from rolewatch.scan.detect import Detector
from rolewatch.scan.proofs import Hear, Witness
from rolewatch.scan.request import ScanRequest
from rolewatch.watch.following import Fact

KEPT: Final = timedelta(hours=2)  # how late deliveries usually are at most


class Successes:
    """Remembers what deliveries prove, for KEPT to twice as long."""

    def __init__(self, request: ScanRequest) -> None:
        self._request = request
        self._parts = [Detector(request)]
        self._began: datetime | None = None

    def absorb(self, detector: Detector, now: datetime, *, forget: bool) -> None:
        """Remember what a detector has gathered; `forget` lets go of what is too old."""
        if self._began is None:
            self._began = now
        if forget and now - self._began >= KEPT:
            self._parts = [self._parts[-1], Detector(self._request)]
            self._began = now
        self._parts[-1].absorb(detector)

    def witnessed(
        self, after: Mapping[Fact, str], deeds: Deeds, hear: Hear | None = None
    ) -> dict[Fact, Witness]:
        """Give the first record of each fact that is later than `after` says, with the event that tells it.

        `hear` looks at deliveries again in other processes.
        """
        found: dict[Fact, Witness] = {}
        for part in self._parts:
            for fact, witness in part.witnessed(after, deeds, hear).items():
                found[fact] = min(witness, found.get(fact, witness))
        return found
