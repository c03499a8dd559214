"""What was found while a delivery was split, and the verdict on it at the end."""

from collections import Counter
from typing import Literal

BATCH = 8 * 1024 * 1024  # bytes of records after which a list is handed on
OVERHEAD = 64  # bytes that even the shortest record takes in a list

Sort = Literal["digest", "Insights", "notice", "control", "JSON", "text", "binary"]


class Damaged(Exception):  # noqa: N818 - the name is part of the contract between the rooms
    """The delivery could be read in part only; raised after everything whole was yielded."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Skipped(Exception):  # noqa: N818 - the name is part of the contract between the rooms
    """The delivery holds no records and is not damaged either; `sort` says what it is instead."""

    def __init__(self, reason: str, sort: Sort) -> None:
        super().__init__(reason, sort)
        self.reason = reason
        self.sort = sort


_INSTEAD: tuple[tuple[str, str, Sort], ...] = (  # counter, reason and sort, by precedence
    ("insights", "Insights file", "Insights"),
    ("digests", "digest file", "digest"),
    ("notices", "a notice that names objects, not records: scan the bucket it names", "notice"),
    ("control", "control message: it only checks that the delivery works", "control"),
)
_OURS = ("records", "insights", "digests", "empty", "damage")  # what only CloudTrail's files count
_PATIENCE = 20_000  # values that are no JSON after which reading stops, where records are few


class Tally:
    """Collects the records of one delivery into lists, and everything else that its verdict needs.

    `counts` has records, insights, digests, notices, control, foreign (other JSON values and messages), text
    (lines that are no JSON), odd (elements of a list of records that are none), damage (places) and
    empty (lists without an element). `broken` are values that cannot be read, however they are counted beyond that.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.ready: list[list[bytes]] = []
        self._batch: list[bytes] = []
        self._size = 0
        self._damage = ""
        self._odd = ""
        self._foreign: tuple[str, Sort] | None = None
        self._text = ""
        self._stopped = ""

    def record(self, value: bytes) -> None:
        """Take one record."""
        self.counts["records"] += 1
        self._batch.append(value)
        self._size += len(value) + OVERHEAD
        if self._size >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Close the list that is being filled."""
        if self._batch:
            self.ready.append(self._batch)
            self._batch = []
            self._size = 0

    def take(self) -> list[list[bytes]]:
        """Return the lists that are full."""
        ready, self.ready = self.ready, []
        return ready

    def damage(self, reason: str) -> None:
        """Note a place of CloudTrail's own that could not be read."""
        self.counts["damage"] += 1
        self._damage = self._damage or reason

    def odd(self, place: str) -> None:
        """Note an element of a list of records that is none."""
        self.counts["odd"] += 1
        self._odd = self._odd or place

    def foreign(self, what: str, sort: Sort) -> None:
        """Note a value that has nothing to do with CloudTrail."""
        self.counts["foreign"] += 1
        self._foreign = self._foreign or (what, sort)

    def text(self, place: str, what: str, sort: Sort, *, lines: int) -> None:
        """Note lines that are no JSON, the first of them at `place`."""
        self.counts["text"] += lines
        self._text = self._text or place
        self._foreign = self._foreign or (what, sort)

    @property
    def hopeless(self) -> bool:
        """Whether so much is broken that reading on is a waste: each broken value costs as much as many whole ones."""
        return self.counts["broken"] > _PATIENCE + 10 * self.counts["records"]

    def stop(self, place: str) -> None:
        """Note where reading stopped because it was hopeless."""
        self._stopped = place

    def verdict(self) -> None:
        """Raise Damaged if something was lost, or Skipped if there was nothing of CloudTrail's; else return."""
        counts = self.counts
        problems = []
        if self._damage:
            more = counts["damage"] - 1
            problems.append(self._damage + (f" (and {more:,} more such places)" if more else ""))
        if self._odd and counts["records"]:
            problems.append(
                f"{counts['odd']:,} elements among the records are no CloudTrail records, the first is {self._odd}"
            )
        if self._text and any(counts[name] for name in _OURS):
            problems.append(f"{counts['text']:,} lines are no JSON, the first is {self._text}")
        if problems and self._stopped:
            problems.append(f"so little of it is JSON that nothing after {self._stopped} was read")
        if problems:
            raise Damaged("; ".join(problems))
        if counts["records"]:
            return
        for name, reason, sort in _INSTEAD:
            if counts[name]:
                raise Skipped(reason, sort)
        if self._foreign:
            what, sort = self._foreign
            raise Skipped(f"not CloudTrail: {what}", sort)
        if not counts["empty"]:
            raise Damaged("empty: there is nothing in it")
