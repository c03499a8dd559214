"""The latest time of each fact (an access, a disappearance): a fold with a bounded place in memory.

Which facts matter is known only when every denial is, and a busy account proves millions of accesses. So all are
kept, the latest of each, and beyond `LIMIT` of them a sorted run of digests goes to a temporary file; a look-up
is then a binary search in each run. Merging keeps the latest, in whatever order facts come.
"""

import hashlib
import mmap
from bisect import bisect_left
from collections.abc import Collection, Hashable, Mapping

from rolewatch.base.scratch import scratch

LIMIT = 200_000  # facts in memory: about 80 MB
DIGEST = 16
TIME = 24  # longer than any eventTime that CloudTrail writes; times are compared as text
ORIGIN = 8
ROW = DIGEST + TIME + ORIGIN

Latest = tuple[
    str, int
]  # a time, and the number of where it was read (`origins`), below 0 where nothing is left to prove


class Facts:
    """A map from a fact's key to the latest time it was seen."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._recent: dict[tuple[str, ...], Latest] = {}
        self._runs: list[_Run] = []
        self._limit = limit

    def add(self, key: tuple[str, ...], time: str, origin: int = 0) -> None:
        """Keep `time` if it is the latest of `key`, and where it was read."""
        recent = self._recent
        known = recent.get(key)
        if known is None:
            if len(recent) >= self._limit:
                self._spill()
            recent[key] = time, origin
        elif time > known[0]:
            recent[key] = time, origin

    def find(self, key: tuple[str, ...]) -> Latest | None:
        """Look up the latest time of `key` and where it was read."""
        best = self._recent.get(key)
        if self._runs:
            digest = _digest(key)
            for run in self._runs:
                found = run.find(digest)
                if found and (best is None or found[0] > best[0]):
                    best = found
        return best

    def absorb(self, other: "Facts", numbers: Mapping[int, int]) -> None:
        """Take in the facts of another place, where deliveries had other numbers."""
        for key, (time, origin) in other._recent.items():  # noqa: SLF001 - one of its kind
            self.add(key, time, _renumbered(origin, numbers))
        self._runs += [run.renumbered(numbers) for run in other._runs]  # noqa: SLF001 - one of its kind

    def of(self, keys: Collection[tuple[str, ...]]) -> dict[tuple[str, ...], Latest]:
        """Look up very many keys, of which few were seen; without those that were not."""
        if self._runs:
            return {key: latest for key in keys if (latest := self.find(key))}
        return {key: latest for key, latest in self._recent.items() if key in keys}

    def _spill(self) -> None:
        rows = sorted(
            _digest(key)
            + time.encode("ascii", "replace")[:TIME].ljust(TIME)
            + origin.to_bytes(ORIGIN, "big", signed=True)
            for key, (time, origin) in self._recent.items()
        )
        self._recent.clear()
        self._runs.append(_Run(b"".join(rows)))


class _Run:
    """Sorted rows of digest and time in an unnamed temporary file."""

    def __init__(self, rows: bytes) -> None:
        with scratch("facts") as file:
            file.write(rows)
            file.flush()
            self._map = mmap.mmap(
                file.fileno(), 0, access=mmap.ACCESS_READ
            )  # keeps the file as long as it lives

    def __reduce__(self) -> tuple[object, ...]:
        return _Run, (bytes(self._map),)

    def __len__(self) -> int:
        return len(self._map) // ROW

    def __getitem__(self, index: int) -> bytes:
        return self._map[index * ROW : index * ROW + DIGEST]

    def renumbered(self, numbers: Mapping[int, int]) -> "_Run":
        rows = bytearray(self._map)
        for place in range(DIGEST + TIME, len(rows), ROW):
            origin = int.from_bytes(rows[place : place + ORIGIN], "big", signed=True)
            rows[place : place + ORIGIN] = _renumbered(origin, numbers).to_bytes(ORIGIN, "big", signed=True)
        return _Run(bytes(rows))

    def find(self, digest: bytes) -> Latest | None:
        index = bisect_left(self, digest)
        if index == len(self) or self[index] != digest:
            return None
        row = self._map[index * ROW + DIGEST : (index + 1) * ROW]
        return row[:TIME].decode().rstrip(), int.from_bytes(row[TIME:], "big", signed=True)


def _renumbered(origin: int, numbers: Mapping[int, int]) -> int:
    return numbers[origin] if origin > 0 else -numbers[-origin]


def _digest(key: tuple[Hashable, ...]) -> bytes:
    return hashlib.blake2b(repr(key).encode(), digest_size=DIGEST).digest()
