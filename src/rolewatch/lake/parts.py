"""Tables of records in, files of one day each out; and what files tell about their records."""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import date
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rolewatch.base.clock import moment_of
from rolewatch.lake.checks import damaged_end, seal
from rolewatch.lake.manifest import NO_DAY, Part
from rolewatch.lake.place import RECORDS, random_name
from rolewatch.lake.schema import EVENT_TIME, INEXACT, RECORD, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

#: What eventTimes make days of: CloudTrail began in 2013. Others are kept, in the partition without a day.
EARLIEST, LATEST = date(2013, 1, 1), date(2100, 1, 1)
ID: Final = "eventID"
ACCOUNT: Final = "recipientAccountId"
_NO_NAME: Final = r"^(|-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?)$"  # an eventID that may be a number or a truth, in a column of texts
BATCH: Final = 16 * 1024  # rows that are held when files are merged
MANY_RUNS: Final = 1024  # of records of one day, in a table, beyond which they are gathered one by one
_DAY: Final = 86_400_000
_EPOCH: Final = date(1970, 1, 1).toordinal()
#: Columns in which nearly all values differ: a dictionary of them would cost more than it saves.
_VARIED: Final = frozenset((RECORD, "eventID", "requestID", "sharedEventID", "errorMessage", EVENT_TIME, "addendum_originalEventID"))  # fmt: skip


def new_name(day: str) -> str:
    """Make a name for a file of a day."""
    return f"{RECORDS}/day={day}/part-{random_name()}.parquet"


class Written:
    """A file that is being written, of records of one day; `part` describes it when it is closed."""

    def __init__(self, folder: Path, day: str) -> None:
        self.day = day
        self.name = new_name(day)
        self.path = folder / Path(self.name).name
        schema = arrow_schema()
        self._writer = _writer_class()(
            self.path,
            schema,
            compression="zstd",
            use_dictionary=[name for name in schema.names if name not in _VARIED],
            write_page_checksum=True,
        )
        self._rows = self._record_bytes = self._untimed = self._inexact = 0
        self._first: int | None = None
        self._last: int | None = None

    def write(self, table: "pa.Table") -> None:
        """Add records, as a row group of their own."""
        import pyarrow.compute as pc  # noqa: PLC0415 - as above

        self._writer.write_table(table)
        self._rows += table.num_rows
        self._record_bytes += pc.sum(pc.binary_length(table[RECORD])).as_py() or 0
        self._untimed += table[EVENT_TIME].null_count
        self._inexact += pc.sum(table[INEXACT]).as_py() or 0
        ends = pc.min_max(table[EVENT_TIME].cast("int64")).as_py()
        if ends["min"] is not None:
            self._first = ends["min"] if self._first is None else min(self._first, ends["min"])
            self._last = ends["max"] if self._last is None else max(self._last, ends["max"])

    def close(self) -> Part:
        """Finish the file and describe it."""
        self._writer.close()
        sums, columns = seal(self.path)
        return Part(
            path=self.name,
            day=self.day,
            rows=self._rows,
            bytes=self.path.stat().st_size,
            record_bytes=self._record_bytes,
            first=self._first,
            last=self._last,
            untimed=self._untimed,
            sums=sums,
            columns=columns,
            inexact=self._inexact,
        )


@cache
def _writer_class() -> Any:
    """Give a writer that says nothing more when it is thrown away: that it could not write has been told by then."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - takes a while, and only writing needs it

    class Writer(pq.ParquetWriter):  # type: ignore[misc] # pyarrow has no types
        def __del__(self) -> None:
            """Leave the file as it is."""

    return Writer


def by_day(table: "pa.Table") -> "Iterator[tuple[str, pa.Table]]":
    """Split a table by the day of its records."""
    import numpy as np  # noqa: PLC0415 - as above
    import pyarrow as pa  # noqa: PLC0415 - as above

    times = table[EVENT_TIME].cast("int64")
    days = np.floor_divide(times.fill_null(0).to_numpy(), _DAY) + _EPOCH
    nameless = (days < EARLIEST.toordinal()) | (days >= LATEST.toordinal())
    days[nameless | times.is_null().to_numpy(zero_copy_only=False)] = 0
    starts = [0, *(np.flatnonzero(np.diff(days)) + 1), len(days)] if len(days) else [0]
    runs: dict[int, list[tuple[int, int]]] = {}
    for start, end in pairwise(starts):
        runs.setdefault(int(days[start]), []).append((int(start), int(end)))
    for day, found in sorted(runs.items()):
        name = date.fromordinal(day).isoformat() if day else NO_DAY
        if len(found) > MANY_RUNS:
            yield name, table.filter(pa.array(days == day))
        else:  # deliveries hold records of one day, mostly, and are taken whole: nothing is copied
            yield name, pa.concat_tables([table.slice(start, end - start) for start, end in found])


def keys(path: Path) -> "pa.ChunkedArray":
    """Give what tells the records of a file apart: eventID and the account that got it, or a digest of the record."""
    import pyarrow as pa  # noqa: PLC0415 - as above
    import pyarrow.compute as pc  # noqa: PLC0415 - as above
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    found = [pa.chunked_array([], pa.string())]
    with pq.ParquetFile(path, memory_map=True) as file:
        for number in range(file.num_row_groups):
            table = file.read_row_group(number, columns=[ID, ACCOUNT])
            names = pc.binary_join_element_wise(table[ID], pc.fill_null(table[ACCOUNT], ""), " ")
            unclear = pc.or_(
                pc.is_null(names), pc.match_substring_regex(pc.fill_null(table[ID], ""), _NO_NAME)
            )
            if pc.any(unclear).as_py():
                records = file.read_row_group(number, columns=[RECORD])[RECORD].filter(unclear)
                others = map(_key, records.to_pylist(), names.filter(unclear).to_pylist())
                names = pc.replace_with_mask(
                    names.combine_chunks(), unclear.combine_chunks(), pa.array(others, pa.string())
                )
            found.append(
                pa.chunked_array([names] if isinstance(names, pa.Array) else names.chunks, pa.string())
            )
    return pa.chunked_array([chunk for each in found for chunk in each.chunks], pa.string())


def _key(record: str, name: str | None) -> str:
    """Give what tells a record from others whose eventID is none: it is missing, empty, or no text."""
    try:
        found = json.loads(record)[ID]
    except (ValueError, RecursionError, KeyError):
        found = None
    return name if name and found and isinstance(found, str) else sha256(record.encode()).hexdigest()


def without(folder: Path, path: Path, day: str, unwanted: "Any") -> tuple[Path, Part] | None:
    """Write a file again without some rows, given as truths for all of them; None if none are left."""
    import pyarrow as pa  # noqa: PLC0415 - as above
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    def kept() -> "Iterator[pa.Table]":
        at = 0
        with pq.ParquetFile(path) as file:
            for number in range(file.num_row_groups):
                table = file.read_row_group(number)
                yield table.filter(pa.array(~unwanted[at : at + table.num_rows]))
                at += table.num_rows

    return None if unwanted.all() else write(folder, day, kept())


def merged(folder: Path, paths: Iterable[Path], day: str) -> tuple[Path, Part]:
    """Write the records of several files as one."""
    import pyarrow as pa  # noqa: PLC0415 - as above
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    def tables() -> "Iterator[pa.Table]":
        for path in paths:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(BATCH):
                    yield pa.Table.from_batches([batch])

    return write(folder, day, grouped(tables()))


def write(folder: Path, day: str, tables: "Iterable[pa.Table]") -> tuple[Path, Part]:
    """Write tables as one file; what cannot be finished is removed."""
    written = Written(folder, day)
    with ExitStack() as undo:
        undo.callback(lambda: written.path.unlink(missing_ok=True))
        for table in tables:
            if table.num_rows:
                written.write(table)
        part = written.close()
        undo.pop_all()
    return written.path, part


def grouped(tables: "Iterable[pa.Table]", least: int = 64 * 1024 * 1024) -> "Iterator[pa.Table]":
    """Join tables until they hold so many bytes of records: row groups that are worth being read."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    held: list[pa.Table] = []
    size = 0
    for table in tables:
        held.append(table)
        size += table[RECORD].nbytes
        if size >= least:
            yield pa.concat_tables(held).combine_chunks()
            held, size = [], 0
    if held:
        yield pa.concat_tables(held).combine_chunks()


def spell(moment: int | None) -> str | None:
    """Spell milliseconds since 1970 as eventTime does."""
    if moment is None:
        return None
    return moment_of(moment).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def verify(path: Path, part: Part) -> str | None:
    """Say what is wrong with a file that the manifest lists, as far as its size and its end tell."""
    return damaged_end(path, part.bytes, part.sums)
