"""What was found while a delivery was split, and the verdict on it at the end."""

from collections import Counter
from typing import Literal

BATCH = 8 * 1024 * 1024  # bytes of records after which a list is handed on

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


class Tally:
    """Collects the records of one delivery into lists, and everything else that its verdict needs.

    `counts` has records, insights, digests, notices, control, foreign (other JSON values and messages), text
    (lines that are no JSON), odd (elements of a list of records that are none), damage (places) and
    empty (lists without an element).
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.ready: list[list[bytes]] = []
        self.torn = False  # a text line names keys of CloudTrail: the start of the content is missing
        self._batch: list[bytes] = []
        self._size = 0
        self._damage = ""
        self._odd = ""
        self._foreign: tuple[str, Sort] | None = None
        self._text = 0

    def record(self, value: bytes) -> None:
        """Take one record."""
        self.counts["records"] += 1
        self._batch.append(value)
        self._size += len(value)
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
        """Note a place that could not be read."""
        self.counts["damage"] += 1
        self._damage = self._damage or reason

    def odd(self, number: int, place: str) -> None:
        """Note elements among records that are no records, the first of them at `place`."""
        self.counts["odd"] += number
        self._odd = self._odd or place

    def foreign(self, what: str, sort: Sort, number: int = 1) -> None:
        """Note values that have nothing to do with CloudTrail."""
        self.counts["foreign"] += number
        self._foreign = self._foreign or (what, sort)

    def text(self, offset: int, what: str, sort: Sort) -> None:
        """Note a line that is no JSON."""
        if not self.counts["text"]:
            self._text = offset
        self.counts["text"] += 1
        self._foreign = self._foreign or (what, sort)

    @property
    def known(self) -> int:
        """How much of CloudTrail's own was found so far, in values."""
        return sum(self.counts[name] for name in ("records", *(name for name, _, _ in _INSTEAD)))

    @property
    def hopeless(self) -> bool:
        """Whether all there was so far is text that does not look like CloudTrail's."""
        return not self.torn and self.counts.keys() <= {"text"}

    def verdict(self) -> None:
        """Raise Damaged if something was lost, or Skipped if there was nothing of CloudTrail's; else return."""
        counts = self.counts
        problems = []
        if self._damage:
            more = counts["damage"] - 1
            problems.append(self._damage + (f" (and {more:,} more such places)" if more else ""))
        if self._odd:
            problems.append(
                f"{counts['odd']:,} elements among the records are no CloudTrail records, the first is {self._odd}"
            )
        seen = self.torn or any(counts[name] for name in ("records", "insights", "digests", "empty"))
        if counts["text"] and seen:
            problems.append(f"{counts['text']:,} lines are no JSON, the first starts at byte {self._text:,}")
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
