"""Where proofs of access were read: deliveries by number, in a temporary file, since there can be very many."""

import pickle
from collections.abc import Iterator
from typing import IO, Any

from rolewatch.base.scratch import scratch, with_content, with_file
from rolewatch.sources import BytesDelivery, Delivery

GROUP = 8192  # deliveries written at once: about 5 MB of memory …
WEIGHT = 16 * 1024 * 1024  # … unless their content came with them, as that of log events does


class Origins:
    """Deliveries by a number above 0: the place of their group in the file, and their own in the group."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._group: list[Delivery] = []  # the one that is being filled
        self._weight = 0  # bytes of content that came with its deliveries
        self._place = 0  # where it will stand
        self._known: tuple[int, list[Delivery]] = (-1, [])  # the one that was read last, and its place

    def __del__(self) -> None:
        if self._file:
            self._file.close()

    def __getstate__(self) -> dict[str, Any]:
        """Travel between processes with what is in the file."""
        return with_content(self.__dict__, "_file")

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Write the file again."""
        self.__dict__ |= with_file(state, "_file", "origins")

    def keep(self, delivery: Delivery) -> int:
        """Keep a delivery and return its number."""
        if len(self._group) == GROUP or self._weight > WEIGHT:
            if self._file is None:
                self._file = scratch("origins")
            self._file.seek(self._place)
            pickle.dump(self._group, self._file, pickle.HIGHEST_PROTOCOL)
            self._place = self._file.tell()
            self._group, self._weight = [], 0
        self._group.append(delivery)
        self._weight += len(delivery.content) if isinstance(delivery, BytesDelivery) else 0
        return self._place * GROUP + len(self._group)

    def delivery(self, number: int) -> Delivery:
        """Return the delivery that has this number."""
        place, own = divmod(number - 1, GROUP)
        return self._read(place)[own]

    def numbered(self) -> Iterator[tuple[int, Delivery]]:
        """Yield all deliveries that were kept, with their numbers."""
        place = 0
        while self._file and place < self._place:
            self._file.seek(place)
            group = pickle.load(self._file)  # noqa: S301 - nobody else has this file
            after = self._file.tell()
            yield from enumerate(group, place * GROUP + 1)
            place = after
        yield from enumerate(self._group, self._place * GROUP + 1)

    def _read(self, place: int) -> list[Delivery]:
        if place == self._place or self._file is None:
            return self._group
        if place != self._known[0]:
            self._file.seek(place)
            self._known = place, pickle.load(self._file)  # noqa: S301 - nobody else has this file
        return self._known[1]
