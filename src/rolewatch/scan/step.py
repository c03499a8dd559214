"""The fold's step: one delivery into the summary and the facts.

A delivery is collected first and applied when it is through, so that a turn from the fast to the exact way, or
damage in the middle, neither counts anything twice nor loses what is whole.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from rolewatch.base.errors import RolewatchError
from rolewatch.cloudtrail.carve import Carved, Span
from rolewatch.cloudtrail.gunzip import Limits, inflate
from rolewatch.cloudtrail.layout import Layout, parse
from rolewatch.cloudtrail.read import Batch, Content, Inexact
from rolewatch.cloudtrail.split import Damaged, Skipped
from rolewatch.cloudtrail.tally import Sort
from rolewatch.denials.record import Record, Unparsable, decode, decode_success
from rolewatch.denials.rule import ERROR, Fact, Rule, denials, facts, needles, worth
from rolewatch.scan.bundle import ENOUGH, SMALL, Bundle, Member
from rolewatch.scan.facts import Facts
from rolewatch.scan.fetch import AT_ONCE, attempt
from rolewatch.scan.origins import Origins
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.summary import Summary
from rolewatch.sources import Delivery, Window

if TYPE_CHECKING:
    from rolewatch.denials.denial import Denial

Key = tuple[str, ...]
DATA_SUFFIXES = frozenset((".json", ".jsonl", ".ndjson", ".gz", ".log"))  # names that promise records
BESIDE_RECORDS: frozenset[Sort] = frozenset(
    ("digest", "Insights", "notice", "control")
)  # what AWS writes beside them


class _Collected:
    """What one delivery gave, before it is applied; `proven` facts need not be looked at again."""

    def __init__(self, *, proven: bool) -> None:
        self.proven = proven
        self.records = 0
        self.denials: list[Denial] = []
        self.facts: list[Fact] = []


class Stepper:
    """Steps deliveries into a summary and a store of facts, both of which it owns until they are taken."""

    def __init__(self, request: ScanRequest) -> None:
        self.summary = Summary()
        self.facts = Facts()
        self._origins = Origins()
        self._rule = Rule(request.principals, request.authentication)
        self._recovery = request.recovery
        self._proofs = needles(self._rule, recovery=request.recovery)[1:]
        self._window = request.window
        self._bounds = _bounds(request.window)
        self._limits = Limits(request.gunzip_limit, request.gunzip_ratio)

    def latest(self, keys: Mapping[Key, str]) -> dict[Key, str]:
        """Give the latest time of each fact; those later than the time given with their key are proven before.

        If one cannot be, because somebody wrote a record into another one's request, all are read again the exact way.
        """
        found = {key: latest for key in keys if (latest := self.facts.find(key))}
        unproven: dict[int, set[Fact]] = {}
        for key, (time, origin) in found.items():
            if origin and time > keys[key]:
                unproven.setdefault(origin, set()).add((*key, time))
        if not all(self._proves(origin, wanted) for origin, wanted in unproven.items()):
            self._read_again()
            found = {key: latest for key in keys if (latest := self.facts.find(key))}
        return {key: time for key, (time, _) in found.items()}

    def _proves(self, origin: int, wanted: set[Fact]) -> bool:
        """Whether these facts are told by records of the files' own, not by something inside of another record."""
        times = sorted({fact[-1].encode() for fact in wanted})
        for delivery in self._origins.deliveries(origin):
            try:
                for batch in self._again(delivery).batches():
                    for span in (*batch.spans(times), *batch.escaped()):
                        told = wanted.intersection(facts(decode_success(batch.text(*span)), self._rule))
                        if told and batch.stands_alone(span[0]):
                            wanted -= told
            except (Unparsable, Inexact, Damaged, Skipped, OSError, RolewatchError):
                continue
        return not wanted

    def _read_again(self) -> None:
        """Take all facts from the deliveries once more, with everything parsed."""
        self.facts = Facts()
        for delivery in (delivery for deliveries in self._origins for delivery in deliveries):
            try:
                collected, _ = self._collect(self._again(delivery), parse(delivery.name), exact=True)
            except (Skipped, OSError, RolewatchError):
                continue  # it can no longer be read: what it told is not proven
            for fact in collected.facts:
                self.facts.add(fact[:-1], fact[-1])

    def _again(self, delivery: Delivery) -> Content:
        data = delivery.read() if 0 <= delivery.size <= AT_ONCE else None
        return Content(data, delivery.open, self._limits)

    def step_all(self, pairs: Iterable[tuple[Delivery, bytes | Exception | None]]) -> Iterator[None]:
        """Take in deliveries, small log files together; `data` as for `step`. Yields now and then, for progress."""
        bundle = Bundle()
        for delivery, fetched in pairs:
            data = fetched
            if data is None and 0 < delivery.size <= SMALL:
                data = attempt(delivery)
            if not isinstance(data, bytes) or not self._bundled(bundle, delivery, data):
                self.step(delivery, data)
            if bundle.size >= ENOUGH:
                self._step_bundle(bundle)
                bundle = Bundle()
            yield
        self._step_bundle(bundle)
        yield

    def _bundled(self, bundle: Bundle, delivery: Delivery, data: bytes) -> bool:
        """Put a delivery into a bundle if it can be; the first one of each folder is looked at by itself."""
        layout = parse(delivery.name)
        if layout is None or len(data) > SMALL or not self.summary.coverage.knows(layout):
            return False
        content = inflate(data, self._limits)
        return content is not None and bundle.take(Member(delivery, data, layout), content)

    def _step_bundle(self, bundle: Bundle) -> None:
        if not bundle.members:
            return
        summary, collected = self.summary, _Collected(proven=False)
        layouts = {member.layout.kind: member.layout for member in bundle.members}.values()
        try:
            for batch in bundle.batches():
                collected.records += batch.count
                self._examine(batch, collected)
                for layout in layouts:
                    summary.coverage.batch(batch, layout)
        except Inexact:
            for delivery, data, _ in bundle.members:
                self.step(delivery, data)
            return
        self._apply(collected, [member.delivery for member in bundle.members])
        summary.counts["deliveries"] += len(bundle.members)
        summary.counts["bytes"] += bundle.size
        summary.counts["bytes_compressed"] += bundle.stored
        for member in bundle.members:
            summary.coverage.named(member.layout)

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
                collected, damage = self._collect(content, layout, exact=False, once=delivery.size < 0)
            except Inexact:
                collected, damage = self._collect(content, layout, exact=True)
        except Skipped as skip:
            self._skip(delivery, skip, content, layout)
            return
        self._apply(collected, [delivery])
        summary = self.summary
        summary.counts["bytes"] += content.bytes
        summary.counts["bytes_compressed"] += size
        if layout:
            summary.coverage.named(layout)
        if damage is not None:
            summary.counts["damaged"] += bool(collected.records)
            summary.unreadable.append((delivery.name, damage))

    def _collect(
        self, content: Content, layout: Layout | None, *, exact: bool, once: bool = False
    ) -> tuple[_Collected, str | None]:
        """Read a delivery through; returns what is whole and what is wrong with the rest.

        Facts of what is there only `once` are proven on the spot, all others when it is known that they matter.
        """
        collected = _Collected(proven=exact or once)
        unparsable = 0
        try:
            for batch in content.batches(exact=exact):
                collected.records += batch.count
                unparsable += self._examine(batch, collected)
                self.summary.coverage.batch(batch, layout)
        except Damaged as damage:
            return collected, damage.reason
        except (OSError, RolewatchError) as error:
            return collected, reason_of(error)
        number = "1 record" if unparsable == 1 else f"{unparsable:,} records"
        return collected, f"{number} could not be parsed" if unparsable else None

    def _examine(self, batch: Batch, collected: _Collected) -> int:
        """Decode the records of a batch that may matter; returns how many could not be."""
        seen: set[Span] = set()
        unparsable = 0
        errors, escaped = batch.spans((ERROR,)), batch.escaped()
        if errors or escaped:
            unparsable = self._errors(batch, sorted({*errors, *escaped}), seen, collected)
        rule, end, text, found = self._rule, self._bounds[1], batch.text, collected.facts
        for span in batch.spans(self._proofs):
            if seen and span in seen:
                continue
            try:
                success = decode_success(text(*span))
            except Unparsable:
                unparsable += self._lost(batch)
                continue
            if end is None or (success.eventTime or "") < end:
                found += facts(success, rule)
                if collected.proven and not batch.stands_alone(span[0]):
                    raise Inexact
        return unparsable

    def _errors(self, batch: Batch, spans: list[Span], seen: set[Span], collected: _Collected) -> int:
        """Decode the records with an error (or what may be one, escaped) in full; notes in `seen` which it took."""
        rule, unparsable = self._rule, 0
        for span in spans:
            raw = batch.text(*span)
            if not worth(raw, rule, recovery=self._recovery):
                continue  # it may still be a deletion that only looks as if it had failed
            seen.add(span)
            try:
                record = decode(raw)
            except Unparsable:
                unparsable += self._lost(batch)
                continue
            found = denials(record, raw, rule)
            if found and not batch.stands_alone(span[0]):
                raise Inexact
            self.summary.coverage.record(record)
            if found:
                if self._within(record):
                    collected.denials += found
            elif self._recovery and self._before_end(record.eventTime):
                collected.facts += facts(record, rule)
                if collected.proven and not batch.stands_alone(span[0]):
                    raise Inexact
        return unparsable

    @staticmethod
    def _lost(batch: Batch) -> int:
        """Count a record that could not be decoded; on the fast path the delivery is read the exact way instead."""
        if isinstance(batch, Carved):
            raise Inexact from None
        return 1

    def _within(self, record: Record) -> bool:
        """Whether a denial is one that was asked for, by event time and region; one without a time can be any."""
        since, until = self._bounds
        time, window = record.eventTime or "", self._window
        return (
            (since is None or time >= since or not time)
            and (until is None or time < until)
            and (not window.regions or record.awsRegion in window.regions)
        )

    def _before_end(self, time: str | None) -> bool:
        return self._bounds[1] is None or (time or "") < self._bounds[1]

    def _apply(self, collected: _Collected, deliveries: list[Delivery]) -> None:
        summary, accounts = self.summary, self._window.accounts
        summary.counts["records"] += collected.records
        for denial in collected.denials:
            if not accounts or denial.case.who.account in accounts:
                summary.add(denial)
        if not collected.facts:
            return
        number, add = self._origins.keep(deliveries), self.facts.add
        origin = 0 if collected.proven else number
        for fact in collected.facts:
            add(fact[:-1], fact[-1], origin)

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


def _bounds(window: Window) -> tuple[str | None, str | None]:
    """Spell a window's ends as eventTime does, so that they compare as text."""
    since, until = (
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
        for moment in (window.since, window.until)
    )
    return since, until
