"""Where proofs of access were read: deliveries by number, in a temporary file, since there can be very many.

The fast path cannot tell a record from one that somebody wrote into a list inside of another record's request. What
decides a status is therefore looked at again where it was read; only then is it known which proofs that are.
"""

import pickle
import tempfile
from collections.abc import Iterator
from typing import IO

from rolewatch.sources import Delivery


class Origins:
    """Deliveries that were read together, by a number above 0."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None

    def __del__(self) -> None:
        if self._file:
            self._file.close()

    def keep(self, deliveries: list[Delivery]) -> int:
        """Write deliveries down and return their number."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="rolewatch-origins-")  # noqa: SIM115 - lives as long as the scan
        number = self._file.seek(0, 2) + 1
        pickle.dump(deliveries, self._file, pickle.HIGHEST_PROTOCOL)
        return number

    def deliveries(self, number: int) -> list[Delivery]:
        """Return the deliveries that have this number."""
        assert self._file is not None  # noqa: S101 - there is a number, so there is a file
        self._file.seek(number - 1)
        found: list[Delivery] = pickle.load(self._file)  # noqa: S301 - nobody else has this file
        return found

    def __iter__(self) -> Iterator[list[Delivery]]:
        """Yield all deliveries that were kept."""
        number, end = 1, self._file.seek(0, 2) if self._file else 0
        while number <= end and self._file:
            yield self.deliveries(number)
            number = self._file.tell() + 1
