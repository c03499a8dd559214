"""Deliveries in, files of records out, which the lake then takes as a whole: the fold's step that writes."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from rolewatch.cloudtrail.gunzip import Limits
from rolewatch.cloudtrail.read import Batch, Inexact, Listed
from rolewatch.lake.compact import compact
from rolewatch.lake.lake import Added, Lake, Staged
from rolewatch.lake.ledger import digest
from rolewatch.lake.manifest import Part
from rolewatch.lake.parts import Written, by_day, spell
from rolewatch.lake.place import OURS, cannot_write, place_of
from rolewatch.lake.schema import FIELDS
from rolewatch.lake.table import Rows, Value
from rolewatch.patterns.search import EVERY
from rolewatch.plan import Get
from rolewatch.scan.pool import Fold, Make, Tell, fold
from rolewatch.scan.request import ScanRequest
from rolewatch.scan.rows import Reader
from rolewatch.scan.run import without_collector
from rolewatch.scan.step import Gathered, Stepper
from rolewatch.scan.summary import Reading
from rolewatch.sources import Delivery, Window, deliveries_of

if TYPE_CHECKING:
    import pyarrow as pa

    from rolewatch.base.errors import CannotDo

#: What a reader of JSON may not read, or not spell alike: half of a pair of escapes, and escapes of what `_names` counts …
_ESCAPES: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u(?:[dD][89a-fA-F]|0022|003[aA])")
_NUMBERS: Final = re.compile(
    r"[:,\[]-?(?:\d+[.eE]|\d{16})|[:,\[]-0"
)  # … fractions, exponents, long numbers, -0
_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
FULL: Final = 64 * 1024 * 1024  # bytes of records that are held
ROUND: Final = 256 * 1024 * 1024  # compressed bytes of deliveries that are committed together
LARGE_ROUND: Final = 16 * 1024**3  # the same where several machines read them
EACH: Final = 4096  # bytes that each delivery counts for in addition
OPEN: Final = 64  # files of different days that are written at once
_GETS: Final = (Get(("@message",)), Get(("@timestamp",)), *(Get(field.steps) for field in FIELDS))
_TRUTHS: Final = {None: None, "1": True, "0": False}


class Ingested(Reading):
    """What was read, the files that were written, and which deliveries are in them."""

    def __init__(self) -> None:
        super().__init__()
        self.staged: list[Staged] = []
        self.digests: list[bytes] = []

    def merge(self, other: Self) -> None:
        """Take in what came of other deliveries."""
        super().merge(other)
        self.staged += other.staged
        self.digests += other.digests


class _Files:
    """Files that are being written, one for each day, and those that are finished."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, Written] = {}
        self._finished: list[tuple[Path, Part]] = []

    def write(self, day: str, rows: "pa.Table") -> None:
        """Write records of a day."""
        if not rows.num_rows:
            return
        if day not in self._open:
            if len(self._open) >= OPEN:
                self._close(next(iter(self._open)))
            self._open[day] = Written(self._folder, day)
        self._open[day].write(rows)

    def finish(self) -> list[tuple[Path, Part]]:
        """Give all files, and begin anew."""
        for day in list(self._open):
            self._close(day)
        finished, self._finished = self._finished, []
        return finished

    def drop(self) -> None:
        """Remove all files, and begin anew."""
        for path, _ in self.finish():
            path.unlink()

    def _close(self, day: str) -> None:
        written = self._open.pop(day)
        self._finished.append((written.path, written.close()))


class Ingesting(Stepper[Gathered, Ingested]):
    """Steps deliveries into files of a folder, one for each day. What one delivery gave lies with the rows of others."""

    literals = EVERY

    def __init__(self, folder: Path, request: ScanRequest) -> None:
        super().__init__(Ingested(), Limits(request.gunzip_limit, request.gunzip_ratio))
        self._window = request.window
        self._rows = Rows()
        self._kept = self._rows.mark()
        self._files = _Files(folder)
        self._pending = _Files(folder)  # what a large delivery gave so far
        self._reader = Reader(_GETS)
        self._folder = folder
        self._failed: CannotDo | None = None

    def begin(self, *, proven: bool) -> Gathered:
        """Give an empty place for what a delivery gives; what was left of another try is gone."""
        self._forget()
        return Gathered(proven=proven)

    def examine(self, batch: Batch, gathered: Gathered) -> int:
        """Take all records of a batch; returns how many could not be decoded."""
        del gathered
        exact = isinstance(batch, Listed)
        if not exact and len(batch.marked) < batch.count:
            raise Inexact  # one has no time, or another one has two
        left, unparsable = batch.marked, 0
        if not isinstance(batch, Listed):
            left = self._rows.add(batch.buffer, left)
        for start, end, _ in left:
            values = self._reader(batch.view(start, end))
            if values is None:
                if not exact:
                    raise Inexact
                unparsable += 1
                continue
            self._add_row(values)
        if self._rows.size - self._kept.size >= FULL:
            self._write()
        return unparsable

    def keep(self, delivery: Delivery, gathered: Gathered) -> None:
        """Keep the rows of a delivery, and note that it is done, unless something is wrong with it."""
        if self._failed:
            raise self._failed
        self._kept = self._rows.mark()
        with self._writing():
            self._summary.staged += [self._hand_over(*each) for each in self._pending.finish()]
        if delivery.size >= 0 and gathered.damage is None and not self._window.narrow:
            self._summary.digests.append(digest(delivery.identity))
        if self._rows.size >= FULL:
            self._write()

    def finish(self) -> Ingested:
        """Close the files."""
        self._forget()
        self._write()
        with self._writing():
            self._summary.staged += [self._hand_over(*each) for each in self._files.finish()]
        return self._summary

    def _hand_over(self, path: Path, part: Part) -> Staged:
        """Give a file that is finished to whoever commits it."""
        return Staged(path, part)

    def _add_row(self, values: Sequence[Any]) -> None:
        """Add a record that has to be looked at field by field."""
        message, moment, *fields = values
        inexact = _is_odd(message)
        row: list[Value] = []
        for field, value in zip(FIELDS, fields, strict=True):
            if field.kind == "time":
                inexact |= value != spell(moment)
                row.append(moment)
            elif field.kind == "truth":
                inexact |= value not in _TRUTHS
                row.append(_TRUTHS.get(value))
            else:
                row.append(value)
        self._rows.add_row(row, message, inexact=inexact)

    def _forget(self) -> None:
        """Drop what a delivery gave that is not kept."""
        self._rows.cut(self._kept)
        with self._writing():
            self._pending.drop()

    def _write(self) -> None:
        """Write all rows that are held; those that are not kept yet into files of their own."""
        kept, others = self._rows.take(self._kept)
        self._kept = self._rows.mark()
        with self._writing():
            for table, files in ((kept, self._files), (others, self._pending)):
                for day, rows in by_day(_within(table, self._window)):
                    files.write(day, rows)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Remember what goes wrong: nothing may be kept then, and a delivery that is at hand is not to blame."""
        try:
            yield
        except OSError as error:
            self._failed = cannot_write(f"the lake's files in {self._folder}", error)
            raise self._failed from error


class Uploading(Ingesting):
    """The same where those who commit cannot see this machine's files: they are put into the lake's place, not yet listed."""

    def __init__(self, place: str, request: ScanRequest) -> None:
        self._place = place_of(place)
        super().__init__(self._place.staging(), request)

    def finish(self) -> Ingested:
        """Close the files, put them into the lake's place, and leave nothing here."""
        try:
            return super().finish()
        finally:
            self._place.close()

    def _hand_over(self, path: Path, part: Part) -> Staged:
        """Put a finished file where it will be if it is committed; it is swept away some day if it is not."""
        self._place.put(path, part.path)
        path.unlink()
        return Staged(None, part)


def _is_odd(message: str) -> bool:
    """Whether a reader of JSON may see something else in a record than Python's does: it takes the first of two names, or none."""
    if _ESCAPES.search(message) or (_NUMBERS.search(message) and _NUMBERS.search(_TEXT.sub('""', message))):
        return True
    try:
        again = msgspec.json.encode(msgspec.json.decode(message))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return True
    return _names(again.decode()) != _names(message)


def _names(text: str) -> int:
    """Count the names in JSON without white space, and what looks like one in its texts."""
    return text.count('":')


def _within(table: "pa.Table", window: Window) -> "pa.Table":
    """Leave only the records of a window."""
    import pyarrow as pa  # noqa: PLC0415 - takes a while, and only writing needs it
    import pyarrow.compute as pc  # noqa: PLC0415 - as above

    if not window.narrow:
        return table
    condition = pc.scalar(value=True)
    if window.since:
        condition &= pc.field("eventTime") >= pa.scalar(window.since, pa.timestamp("ms", tz="UTC"))
    if window.until:
        condition &= pc.field("eventTime") < pa.scalar(window.until, pa.timestamp("ms", tz="UTC"))
    for column, names in (("recipientAccountId", window.accounts), ("awsRegion", window.regions)):
        if names:
            condition &= pc.field(column).isin(sorted(names))
    return table.filter(condition)


class _Round:
    """The next deliveries of a listing, as many as one commit takes; `more` tells whether there may be others."""

    def __init__(self, deliveries: Iterator[Delivery], size: int) -> None:
        self._deliveries = deliveries
        self._left = size
        self.more = True

    def __iter__(self) -> Iterator[Delivery]:
        while self._left > 0:
            delivery = next(self._deliveries, None)
            if delivery is None:
                self.more = False
                return
            self._left -= max(delivery.size, 0) + EACH
            yield delivery


def ingest(
    sources: Sequence[str],
    lake: Lake,
    request: ScanRequest,
    *,
    progress: Tell | None = None,
    elsewhere: Fold | None = None,
) -> dict[str, Any]:
    """Take all deliveries that a lake does not have yet into it; gives what was read and what was added.

    `elsewhere` folds them on other machines, which a lake in a folder has to be a shared one for.

    Each round of some deliveries is committed by itself, so that little is lost when something stops it. Raises SourceError
    for a SOURCE that does not exist and CannotDo for what stops everything; deliveries that cannot be read are named.
    """
    problems: list[tuple[str, str]] = []
    return ingest_deliveries(
        deliveries_of(sources, request.window, problems), lake, request, progress=progress, elsewhere=elsewhere,
        problems=problems,
    )  # fmt: skip


def ingest_deliveries(
    found: Iterator[Delivery],
    lake: Lake,
    request: ScanRequest,
    *,
    progress: Tell | None = None,
    elsewhere: Fold | None = None,
    problems: list[tuple[str, str]] | None = None,
) -> dict[str, Any]:
    """Take deliveries into a lake as `ingest` does, wherever they come from; `problems` are those of finding them."""
    started, problems = time.monotonic(), [] if problems is None else problems
    before, lake.tell = lake.tell, lambda name, reason: problems.append((name, reason))
    try:
        total, added, known = _in_rounds(found, lake, request, progress, elsewhere)
        compact(lake, today=lake.now().date())
        lake.tidy()
    finally:
        lake.tell = before
    return {
        "lake": lake.place.name,
        "records_added": added.records,
        "duplicates": added.duplicates,
        "totals": total.totals() | {"known": known, "seconds": round(time.monotonic() - started, 3)},
        "skipped": [{"delivery": name, "reason": reason} for name, reason in sorted(total.skipped)],
        "unreadable": [
            {"delivery": name, "reason": reason} for name, reason in sorted({*total.unreadable, *problems})
        ],
    }


def _in_rounds(
    found: Iterator[Delivery],
    lake: Lake,
    request: ScanRequest,
    progress: Tell | None,
    elsewhere: Fold | None,
) -> tuple[Ingested, Added, int]:
    """Commit one round after the other; gives what was read, what was added, and how many deliveries were known."""
    _import_arrow()
    done = lake.ledger()
    total = Ingested()
    records = duplicates = known = 0

    def fresh() -> Iterator[Delivery]:
        nonlocal known
        for delivery in found:
            if not delivery.named and OURS.search(delivery.name):
                total.skipped.append((delivery.name, "a file of a lake"))
            elif delivery.size >= 0 and delivery.identity in done:
                known += 1
            else:
                yield delivery

    make: Make[Ingested] = partial(Ingesting, lake.place.staging(), request)
    if elsewhere and "://" in lake.place.name:
        make = partial(Uploading, lake.place.name, request)
    listed = fresh()
    more = True
    with without_collector():
        while more:
            part = _Round(listed, ROUND if elsewhere is None else LARGE_ROUND)
            with (elsewhere or fold)(iter(part), make, request.jobs, _beyond(total, progress)) as crew:
                summary: Ingested = crew.summary
            more = part.more
            if summary.staged or summary.digests or not lake.is_there():
                added = lake.commit(summary.staged, summary.digests)
                records, duplicates = records + added.records, duplicates + added.duplicates
                if more:  # else all days come to their turn at the end
                    compact(lake, today=None, days={each.part.day for each in summary.staged})
            summary.staged, summary.digests = [], []
            total.merge(summary)
    return total, Added(records, duplicates), known


def _import_arrow() -> None:
    """Take in what writes, and pandas, for which pyarrow looks with its first value; so that not every process has to."""
    import pyarrow as pa  # noqa: PLC0415 - takes a while, and only writing needs it
    import pyarrow.parquet  # noqa: PLC0415 - as above

    pa.scalar("")


def _beyond(total: Reading, tell: Tell | None) -> Tell | None:
    """Tell progress on top of what earlier rounds did."""
    if tell is None:
        return None
    before = total.counts.copy()
    return lambda at: tell(
        at._replace(
            deliveries=at.deliveries + before["deliveries"],
            listed=None,
            bytes=at.bytes + before["bytes"],
            bytes_compressed=at.bytes_compressed + before["bytes_compressed"],
            denials=None,
        )
    )
