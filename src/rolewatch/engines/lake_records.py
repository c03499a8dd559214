"""The records of a lake as deliveries, for what reads records whole, as they came, and not by columns."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from rolewatch.engines.duckdb import Limits, guarded, start
from rolewatch.engines.lake import can_matter
from rolewatch.lake.lake import Lake
from rolewatch.lake.schema import RECORD
from rolewatch.sources import Window
from rolewatch.sources.delivery import BytesDelivery, Delivery

ROWS: Final = 2048  # records of a delivery


def deliveries_in(
    lake: Lake,
    window: Window,
    *,
    unreadable: Callable[[str, str], None],
    limits: Limits,
    progress: Callable[[int, int], None] = lambda _read, _all: None,
) -> Iterator[Delivery]:
    """Yield deliveries with all records of the files that can matter to a window, in the order of days: each record once.

    Files that are damaged, or are no more as the manifest says, are told to `unreadable` and left out. `progress` is told how many
    records were read, and of how many. CannotDo if there is no lake, or it cannot be read.
    """
    parts = [part for part in lake.manifest().parts if can_matter(part, window)]
    parts.sort(key=lambda part: (part.day, part.path))
    number, read = sum(part.rows for part in parts), 0
    lake.tell = unreadable
    for part in parts:
        with lake.readable([part]) as readable:
            for _, path in readable:
                for number_of, content in _contents(path, part.path, unreadable, limits):
                    read += number_of
                    yield BytesDelivery(
                        name=part.path, identity=f"{part.path}+{read}", named=True, size=len(content), remote=False, content=content
                    )  # fmt: skip
                    progress(min(read, number), number)


def _contents(
    path: Path, name: str, unreadable: Callable[[str, str], None], limits: Limits
) -> Iterator[tuple[int, bytes]]:
    """Yield the records of a file, some at a time as a log file of a trail has them, with their number."""
    import duckdb  # noqa: PLC0415 - takes a while

    try:
        with guarded(start(1, limits), "", [path]) as engine:
            found = engine.execute(f"SELECT {RECORD} FROM read_parquet($path)", {"path": str(path)})
            while rows := found.fetchmany(ROWS):
                yield len(rows), f'{{"Records":[{",".join(record for (record,) in rows)}]}}'.encode()
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        unreadable(name, str(error).splitlines()[0])
