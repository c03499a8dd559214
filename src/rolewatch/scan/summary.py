"""What a scan has seen: the fold's value. `(empty, step, merge)`, with a merge that is associative and commutative.

A denial is kept under its identity, once, however often and in whatever order its copies arrive. What depends on
order (status, severity) is computed from the merged summary, never in here.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Self

from rolewatch.denials.denial import Denial
from rolewatch.findings.tally import EXAMPLES, Key, finding_key
from rolewatch.scan.coverage import Coverage


class Reading:
    """What was read, whatever for: counts, what could not be read, and coverage."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()  # deliveries, records, hits (denials with repeats), bytes …
        self.skipped: list[tuple[str, str]] = []
        self.unreadable: list[tuple[str, str]] = []
        self.coverage = Coverage()

    def merge(self, other: Self) -> None:
        """Take in the reading of other deliveries."""
        self.counts.update(other.counts)
        self.skipped += other.skipped
        self.unreadable += other.unreadable
        self.coverage.merge(other.coverage)

    def totals(self) -> dict[str, int]:
        """Give how much was read, and what could not be."""
        counts = self.counts
        return {
            "deliveries": counts["deliveries"],
            "skipped": len(self.skipped),
            "damaged": counts["damaged"],
            "unreadable": len(self.unreadable),
            "records": counts["records"],
            "bytes_compressed": counts["bytes_compressed"],
            "bytes": counts["bytes"],
        }


class Summary(Reading):
    """Beside that the denials, by identity."""

    def __init__(self) -> None:
        super().__init__()
        self.denials: dict[bytes, Denial] = {}
        self.copies: dict[bytes, set[str]] = {}  # all event ids of an identity that has several
        self.examples: dict[
            Key, set[str]
        ] = {}  # by finding: the first of the parts asked for, in order of the alphabet

    def add(self, denial: Denial) -> None:
        """Count one denial record."""
        if not denial.part:
            self.counts["hits"] += 1
        if denial.original:
            self._exemplify(finding_key(denial.case), (denial.original,))
            denial = denial._replace(
                original=None
            )  # a million objects of a bucket need not all be held by name
        self._keep(denial)

    def merge(self, other: Self) -> None:
        """Take in another summary of other deliveries."""
        super().merge(other)
        for denial in other.denials.values():
            self._keep(denial)
        for identity, names in other.copies.items():
            self.copies.setdefault(identity, set()).update(names)
        for key, originals in other.examples.items():
            self._exemplify(key, originals)

    def totals(self) -> dict[str, int]:
        """Give the totals of DESIGN's contract; they add up: records = denials + duplicates + others."""
        denials = sum(not denial.part for denial in self.denials.values())
        hits, read = self.counts["hits"], super().totals()
        told = {"denials": denials, "duplicates": hits - denials, "others": read["records"] - hits}
        sizes = {name: read.pop(name) for name in ("bytes_compressed", "bytes")}
        return read | told | sizes

    def _keep(self, denial: Denial) -> None:
        known = self.denials.get(denial.identity)
        if known is None:
            self.denials[denial.identity] = denial
            return
        if known.event_id != denial.event_id:
            names = self.copies.setdefault(denial.identity, set())
            names.update(name for name in (known.event_id, denial.event_id) if name)
        if denial != known and _preference(denial) > _preference(known):
            self.denials[denial.identity] = denial

    def _exemplify(self, key: Key, originals: Iterable[str]) -> None:
        kept = self.examples.setdefault(key, set())
        kept.update(originals)
        while len(kept) > EXAMPLES:
            kept.remove(max(kept))


def _preference(denial: Denial) -> tuple[int, str, str]:
    """Order the copies of a denial; all that differ in anything differ here, so that order of arrival never decides."""
    return denial.rank, denial.event_id or "", repr(denial)
