"""Few large files: which parts of a day are merged, and when."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from rolewatch.lake.lake import Lake
from rolewatch.lake.manifest import Part
from rolewatch.lake.parts import merged

TARGET: Final = 128 * 1024 * 1024  # bytes of a file that is left alone
FAN_IN: Final = 8  # files of about one size that are worth being merged
FEW: Final = 4  # files of a day that is over which may stay as they are
WORTH: Final = 10  # a file is written again for others that hold a tenth of it together


def groups(parts: Iterable[Part], *, closed: date, everything: bool = False) -> Iterator[list[Part]]:
    """Yield parts that should be one: of each day several of about one size, and of one before `closed` more than a few.

    So a record is written again a few times at most, however many deliveries a day has.
    """
    days: defaultdict[str, list[Part]] = defaultdict(list)
    for part in parts:
        if part.bytes < TARGET // 2:
            days[part.day].append(part)
    for day, small in sorted(days.items()):
        small.sort(key=lambda part: (part.bytes, part.path))
        packs = _worthwhile(small, everything=everything) if everything or day < closed.isoformat() else []
        yield from map(_in_time, packs or [tier for tier in _tiers(small) if len(tier) >= FAN_IN])


def compact(
    lake: Lake, *, today: date | None, everything: bool = False, days: Collection[str] | None = None
) -> tuple[int, int]:
    """Merge parts, of some days or of all; gives how many there were, and how many came of them.

    Without `today` no day is taken to be over. Parts that are damaged are told and left as they are.
    """
    before = after = 0
    closed = today - timedelta(days=1) if today else date.min
    parts = [part for part in lake.manifest().parts if days is None or part.day in days]
    for group in groups(parts, closed=closed, everything=everything):
        with lake.whole(group) as readable:
            if len(readable) < 2:
                continue
            path, part = merged(lake.place.staging(), [path for _, path in readable], group[0].day)
            old = [each for each, _ in readable]
            if lake.swap(old, [(path, part)]):
                before, after = before + len(old), after + 1
            path.unlink(missing_ok=True)  # it may have been moved, or uploaded
    return before, after


def _worthwhile(small: Sequence[Part], *, everything: bool) -> list[list[Part]]:
    """Put the small files of a day together, where the largest is not written again for little."""
    found = []
    for packed in _packed(small):
        *others, largest = packed
        many = len(packed) > FEW and sum(each.bytes for each in others) * WORTH >= largest.bytes
        if others and (everything or many):
            found.append(packed)
    return found


def _packed(small: Sequence[Part]) -> Iterator[list[Part]]:
    """Put files together, the smallest first, until they have the size of one that is left alone."""
    pack: list[Part] = []
    size = 0
    for part in small:
        if pack and size + part.bytes > TARGET:
            yield pack
            pack, size = [], 0
        pack.append(part)
        size += part.bytes
    if pack:
        yield pack


def _tiers(small: Sequence[Part]) -> Iterable[list[Part]]:
    """Sort files by the order of the size of their records, so that FAN_IN of one order are one of the next."""
    tiers: defaultdict[int, list[Part]] = defaultdict(list)
    for part in small:
        tier, size = 0, FAN_IN
        while part.record_bytes >= size:
            tier, size = tier + 1, size * FAN_IN
        tiers[tier].append(part)
    return tiers.values()


def _in_time(parts: Sequence[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: (part.first or 0, part.path))
