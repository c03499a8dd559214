"""Boiled records: proofs of access that are not named yet, with a bounded place in memory.

Nearly all proofs come so, and nearly none of them matters in the end: a record is boiled down to what names its access
(`_native.pyi`), which many calls have in common, and kept as it is. Beyond `LIMIT` bytes the latest of each is looked
for, and if that does not help, all go to a temporary file, compressed to about a tenth.
"""

import pickle
from collections.abc import Iterator
from typing import IO

from isal import isal_zlib

from rolewatch.base.scratch import scratch
from rolewatch.cloudtrail.carve import Boiled

LIMIT = 48 * 1024 * 1024  # bytes of records in memory; with all that holds them about half as much again

Rows = list[Boiled]


class BoiledProofs:
    """Boiled records with their times, and the number of where each was read."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._recent: list[tuple[int, Rows]] = []
        self._limit = self._room = limit
        self._file: IO[bytes] | None = None

    def __del__(self) -> None:
        if self._file:
            self._file.close()

    def add(self, rows: Rows, origin: int) -> None:
        """Keep boiled records that were read in one place."""
        self._recent.append((origin, rows))
        self._room -= sum(len(record) for record, _ in rows)
        if self._room < 0:
            self._make_room()

    def __iter__(self) -> Iterator[list[tuple[int, Rows]]]:
        """Yield what was kept, part by part; of those with the same bytes the latest at least."""
        yield self._recent
        if self._file:
            self._file.seek(0)
            while head := self._file.read(8):
                data = isal_zlib.decompress(self._file.read(int.from_bytes(head, "big")))
                yield pickle.loads(data)  # noqa: S301 - nobody else has this file

    def _make_room(self) -> None:
        latest: dict[bytes, tuple[str, int]] = {}
        for origin, rows in self._recent:
            for record, time in rows:
                known = latest.get(record)
                if known is None or time > known[0]:
                    latest[record] = time, origin
        self._recent, self._room = [], self._limit
        kept: dict[int, Rows] = {}
        for record, (time, origin) in latest.items():
            kept.setdefault(origin, []).append((record, time))
            self._room -= len(record)
        self._recent = list(kept.items())
        if self._room < self._limit // 2:
            self._spill()

    def _spill(self) -> None:
        if self._file is None:
            self._file = scratch("boiled")
        data = isal_zlib.compress(pickle.dumps(self._recent, pickle.HIGHEST_PROTOCOL), 1)
        self._file.write(len(data).to_bytes(8, "big") + data)
        self._recent, self._room = [], self._limit
