"""Boiled records: proofs of access that are not named yet, with a bounded place in memory.

Nearly all proofs come so, and nearly none of them matters in the end: a record is boiled down to what names its access
(`_native.pyi`), which many calls have in common, and kept as it is. Beyond `LIMIT` bytes all go to a temporary file: of
each PART the latest of each record and day if that saves anything, compressed to about a tenth.
"""

from collections.abc import Iterator
from typing import IO, Any

import msgspec
from isal import isal_zlib

from rolewatch.base.scratch import scratch, with_content, with_file
from rolewatch.cloudtrail.carve import Boiled

LIMIT = 96 * 1024 * 1024  # bytes of records in memory
PART = 16 * 1024 * 1024  # bytes that are looked through at a time, which takes as much again
LITTLE = 0.9  # of its size: a part that keeps more was not worth thinning …
UNTHINNED = 7  # … nor probably are so many that follow
DAY = len("2026-03-01")  # of a time: what names its day

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[int, Boiled]]).decode


def _parts(places: list[tuple[int, Boiled]]) -> Iterator[list[tuple[int, Boiled]]]:
    """Cut a list into pieces of about PART bytes."""
    part: list[tuple[int, Boiled]] = []
    size = 0
    for place in places:
        part.append(place)
        size += len(place[1])
        if size > PART:
            yield part
            part, size = [], 0
    if part:
        yield part


class BoiledProofs:
    """Boiled records with their times, and the number of where each was read."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._recent: list[tuple[int, Boiled]] = []
        self._limit = self._room = limit
        self._unthinned = 0  # parts that are kept as they are
        self._file: IO[bytes] | None = None

    def __del__(self) -> None:
        if self._file:
            self._file.close()

    def __getstate__(self) -> dict[str, Any]:
        """Travel between processes with what is in the file."""
        return with_content(self.__dict__, "_file")

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Write the file again."""
        self.__dict__ |= with_file(state, "_file", "boiled")

    def add(self, lines: Boiled, origin: int) -> None:
        """Keep boiled records that were read in one place."""
        self._recent.append((origin, lines))
        self._room -= len(lines)
        if self._room < 0:
            self._spill()

    def __iter__(self) -> Iterator[list[tuple[int, Boiled]]]:
        """Yield what was kept, part by part; of those with the same bytes the latest of each day at least."""
        yield from _parts(self._recent)
        if self._file:
            self._file.seek(0)
            while head := self._file.read(8):
                data = isal_zlib.decompress(self._file.read(int.from_bytes(head, "big")))
                yield from _parts(_decode(data))

    def _spill(self) -> None:
        if self._file is None:
            self._file = scratch("boiled")
        for part in _parts(self._recent):
            data = isal_zlib.compress(_encode(self._thinned(part)), 0)
            self._file.write(len(data).to_bytes(8, "big") + data)
        self._recent, self._room = [], self._limit

    def _thinned(self, part: list[tuple[int, Boiled]]) -> list[tuple[int, Boiled]]:
        """Keep the latest of each record and day only, unless that saved too little when it was last tried."""
        if self._unthinned:
            self._unthinned -= 1
            return part
        thin = _thinned(part)
        if _size(thin) > LITTLE * _size(part):
            self._unthinned = UNTHINNED
        return thin


def _size(places: list[tuple[int, Boiled]]) -> int:
    return sum(len(lines) for _, lines in places)


def _thinned(places: list[tuple[int, Boiled]]) -> list[tuple[int, Boiled]]:
    """Keep the latest of each record of a day only."""
    latest: dict[tuple[bytes, bytes], tuple[bytes, int]] = {}
    for origin, lines in places:
        for line in lines.splitlines():
            record, _, time = line.rpartition(b"\t")
            key = record, time[:DAY]
            known = latest.get(key)
            if known is None or time > known[0]:
                latest[key] = time, origin
    kept: dict[int, list[bytes]] = {}
    for (record, _), (time, origin) in latest.items():
        kept.setdefault(origin, []).append(b"%b\t%b\n" % (record, time))
    return [(origin, b"".join(lines)) for origin, lines in kept.items()]
