"""The fold's step: one delivery read and taken into what the fold gathers.

A delivery is collected first and kept when it is through, so that a turn from the fast to the exact way, or
damage in the middle, neither counts anything twice nor loses what is whole.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Generic, TypeVar

from rolewatch.base.errors import RolewatchError
from rolewatch.cloudtrail.carve import Literals, canonical
from rolewatch.cloudtrail.gunzip import Limits, inflate
from rolewatch.cloudtrail.layout import Layout, parse
from rolewatch.cloudtrail.read import Batch, Content, Inexact
from rolewatch.cloudtrail.split import Damaged, Skipped
from rolewatch.cloudtrail.tally import Sort
from rolewatch.scan.fetch import AT_ONCE, attempt
from rolewatch.scan.summary import Reading
from rolewatch.sources import Delivery

SMALL = 64 * 1024  # bytes of a delivery as stored; its content fits into a processor's cache
DATA_SUFFIXES = frozenset((".json", ".jsonl", ".ndjson", ".gz", ".log"))  # names that promise records
BESIDE_RECORDS: frozenset[Sort] = frozenset(
    ("digest", "Insights", "notice", "control")
)  # what AWS writes beside them


class Gathered:
    """What one delivery gave, before it is kept; `proven` where it need not be looked at again.

    `damage` says what is wrong with the rest of it, if anything is.
    """

    __slots__ = ("damage", "proven", "records")

    def __init__(self, *, proven: bool) -> None:
        self.proven = proven
        self.records = 0
        self.damage: str | None = None


G = TypeVar("G", bound=Gathered)
R = TypeVar("R", bound=Reading)


class Stepper(ABC, Generic[G, R]):
    """Steps deliveries into a summary, which it owns until that is taken. What is gathered is up to its kinds."""

    literals: Literals  # those that are marked in the batches it examines
    lasting = (
        False  # whether it is asked something when all deliveries are through, and can be pickled until then
    )

    def __init__(self, summary: R, limits: Limits) -> None:
        self._summary = summary
        self._limits = limits

    @property
    def summary(self) -> R:
        """What was gathered so far."""
        return self._summary

    def finish(self) -> R:
        """Give what was gathered when all deliveries are through, to be merged with that of others."""
        return self._summary

    @abstractmethod
    def begin(self, *, proven: bool) -> G:
        """Give an empty place for what a delivery gives."""

    @abstractmethod
    def examine(self, batch: Batch, gathered: G) -> int:
        """Look through a batch; returns how many records could not be parsed. Inexact if it is not what it looked like."""

    @abstractmethod
    def keep(self, delivery: Delivery, gathered: G) -> None:
        """Take in what a delivery gave."""

    def step_all(self, pairs: Iterable[tuple[Delivery, bytes | Exception | None]]) -> Iterator[None]:
        """Take in deliveries, with `data` as for `step`. Yields after each, for progress."""
        for delivery, fetched in pairs:
            data = fetched
            if data is None and 0 < delivery.size <= SMALL:
                data = attempt(delivery)
            if not isinstance(data, bytes) or not self._step_small(delivery, data):
                self.step(delivery, data)
            yield

    def _step_small(self, delivery: Delivery, data: bytes) -> bool:
        """Take in a small log file of the very shape that CloudTrail writes: thousands of them are the usual case.

        False if anything about it is unusual, or if it is the first of its folder: nothing was counted then.
        """
        summary, layout = self.summary, parse(delivery.name)
        coverage = summary.coverage
        if layout is None or len(data) > SMALL or not coverage.knows(layout):
            return False
        content = inflate(data, self._limits)
        carved = canonical(content, self.literals) if content else None
        if content is None or carved is None:
            return False
        collected = self.begin(proven=False)
        try:
            self.examine(carved, collected)
        except Inexact:
            return False
        collected.records = carved.count
        coverage.kinds(carved, layout)
        summary.counts["deliveries"] += 1
        self._apply(delivery, collected, layout, size=len(data), content=len(content))
        return True

    def step(self, delivery: Delivery, data: bytes | Exception | None = None) -> None:
        """Take in one delivery; `data` is its content, or the error of fetching it, where that was done before."""
        self.summary.counts["deliveries"] += 1
        try:
            if isinstance(data, Exception):
                raise data
            if data is None and delivery.size < 0:
                with ExitStack() as kept:
                    data, opener, size = _once(delivery.open(), kept)
                    self._read(delivery, Content(data, opener, self._limits), size)
                return
            if data is None and delivery.size <= AT_ONCE:
                data = delivery.read()
        except (OSError, RolewatchError) as error:
            self.summary.unreadable.append((delivery.name, reason_of(error)))
            return
        size = delivery.size if data is None else len(data)
        self._read(delivery, Content(data, delivery.open, self._limits), size)

    def _read(self, delivery: Delivery, content: Content, size: int) -> None:
        layout = parse(delivery.name)
        try:
            try:
                collected = self._collect(content, layout, exact=False, once=delivery.size < 0)
            except Inexact:
                collected = self._collect(content, layout, exact=True)
        except Skipped as skip:
            self._skip(delivery, skip, content, layout)
            return
        self._apply(delivery, collected, layout, size=size, content=content.bytes)
        summary = self.summary
        if collected.damage is not None:
            summary.counts["damaged"] += bool(collected.records)
            summary.unreadable.append((delivery.name, collected.damage))

    def _collect(self, content: Content, layout: Layout | None, *, exact: bool, once: bool = False) -> G:
        """Read a delivery through; returns what is whole.

        Facts of what is there only `once` are proven on the spot, all others when it is known that they matter.
        """
        collected = self.begin(proven=exact or once)
        unparsable, literals = 0, self.literals
        if once:
            literals = literals._replace(
                plain=0
            )  # what is boiled down can only be proven by reading it again
        try:
            for batch in content.batches(literals, exact=exact):
                collected.records += batch.count
                unparsable += self.examine(batch, collected)
                self.summary.coverage.batch(batch, layout)
        except Damaged as damage:
            collected.damage = damage.reason
        except (OSError, RolewatchError) as error:
            collected.damage = reason_of(error)
        else:
            number = "1 record" if unparsable == 1 else f"{unparsable:,} records"
            collected.damage = f"{number} could not be parsed" if unparsable else None
        return collected

    def _apply(
        self, delivery: Delivery, collected: G, layout: Layout | None, *, size: int, content: int
    ) -> None:
        summary = self.summary
        summary.counts["records"] += collected.records
        summary.counts["bytes"] += content
        summary.counts["bytes_compressed"] += size
        self.keep(delivery, collected)
        if layout:
            summary.coverage.named(layout)

    def _skip(self, delivery: Delivery, skip: Skipped, content: Content, layout: Layout | None) -> None:
        summary = self.summary
        summary.counts["bytes_compressed"] += max(delivery.size, 0)
        if skip.sort == "digest" and delivery.size <= AT_ONCE:
            summary.coverage.digest(content.whole(), layout)
        listed = summary.unreadable if is_error(delivery, skip.sort) else summary.skipped
        listed.append((delivery.name, skip.reason))


def is_error(delivery: Delivery, sort: Sort) -> bool:
    """Whether a delivery without records, which is of this sort, had to have some.

    It did if it was named, or if its name promises data and it is no JSON at all; a README met on a walk did not.
    """
    if sort in BESIDE_RECORDS:
        return False
    return delivery.named or (sort != "JSON" and PurePosixPath(delivery.name).suffix.lower() in DATA_SUFFIXES)


def reason_of(error: Exception) -> str:
    """Say in a few words why something could not be read."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _once(stream: BinaryIO, kept: ExitStack) -> tuple[bytes | None, Callable[[], BinaryIO], int]:
    """Make a stream that can be read only once (stdin) readable again, and measure it.

    It is held in memory if it is small, else in a temporary file for as long as `kept`.
    """
    import tempfile  # noqa: PLC0415 - only for a large standard input

    with stream:
        data = stream.read(AT_ONCE + 1)
        if len(data) <= AT_ONCE:
            return data, lambda: BytesIO(data), len(data)
        file = kept.enter_context(tempfile.NamedTemporaryFile(prefix="rolewatch-stdin-"))  # noqa: SIM115 - `kept` closes it
        while data:
            file.write(data)
            data = stream.read(AT_ONCE)
        file.flush()
    return None, lambda: Path(file.name).open("rb"), file.tell()
