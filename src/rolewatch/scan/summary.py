"""What a scan has seen: the fold's value. `(empty, step, merge)`, with a merge that is associative and commutative.

A denial is kept under its identity, once, however often and in whatever order its copies arrive. What depends on
order (status, severity) is computed from the merged summary, never in here.
"""

from collections import Counter

from rolewatch.denials.rule import Denial
from rolewatch.scan.coverage import Coverage


class Summary:
    """Counts, denials by identity, and coverage."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()  # deliveries, records, hits (denials with repeats), bytes …
        self.denials: dict[bytes, Denial] = {}
        self.copies: dict[bytes, set[str]] = {}  # further event ids of an identity
        self.skipped: list[tuple[str, str]] = []
        self.unreadable: list[tuple[str, str]] = []
        self.coverage = Coverage()

    def add(self, denial: Denial) -> None:
        """Count one denial record."""
        if not denial.part:
            self.counts["hits"] += 1
        self._keep(denial)

    def merge(self, other: "Summary") -> None:
        """Take in another summary of other deliveries."""
        self.counts.update(other.counts)
        for denial in other.denials.values():
            self._keep(denial)
        for identity, names in other.copies.items():
            self.copies.setdefault(identity, set()).update(names)
        self.skipped += other.skipped
        self.unreadable += other.unreadable
        self.coverage.merge(other.coverage)

    def totals(self) -> dict[str, int]:
        """Give the totals of DESIGN's contract; they add up: records = denials + duplicates + others."""
        denials = sum(not denial.part for denial in self.denials.values())
        counts = self.counts
        return {
            "deliveries": counts["deliveries"],
            "skipped": len(self.skipped),
            "damaged": counts["damaged"],
            "unreadable": len(self.unreadable),
            "records": counts["records"],
            "denials": denials,
            "duplicates": counts["hits"] - denials,
            "others": counts["records"] - counts["hits"],
            "bytes_compressed": counts["bytes_compressed"],
            "bytes": counts["bytes"],
        }

    def _keep(self, denial: Denial) -> None:
        known = self.denials.get(denial.identity)
        if known is None:
            self.denials[denial.identity] = denial
            return
        if known.event_id != denial.event_id:
            names = self.copies.setdefault(denial.identity, set())
            names.update(name for name in (known.event_id, denial.event_id) if name)
        if denial.rank > known.rank:
            self.denials[denial.identity] = denial
