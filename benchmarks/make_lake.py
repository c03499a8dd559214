"""Make a lake of so many million records, out of a smaller one: the same days again and again, further back each time.

Usage: make_lake.py FROM TO RECORDS
"""

import sys
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rolewatch.lake.lake import Lake, Staged
from rolewatch.lake.parts import by_day, write
from rolewatch.lake.place import place_of


def shifted(table: pa.Table, number: int, days: int) -> pa.Table:
    """Give the same records at an earlier time, and with other names; the text of a record stays as it is."""
    time = pc.subtract(table["eventTime"], pa.scalar(timedelta(days=days * number)).cast(pa.duration("ms")))
    names = pc.binary_join_element_wise(table["eventID"], pa.scalar(str(number)), "-")
    table = table.set_column(table.schema.get_field_index("eventTime"), table.schema.field("eventTime"), time)
    return table.set_column(table.schema.get_field_index("eventID"), table.schema.field("eventID"), names)


def main() -> None:
    """Make it."""
    source, target, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
    old, new = (Lake(place_of(place), lambda name, reason: sys.exit(f"{name}: {reason}")) for place in (source, target))  # fmt: skip
    parts = old.manifest().parts
    days = len({part.day for part in parts}) + 1
    made = number = 0
    while made < wanted:
        staged = []
        for part in parts:
            table = shifted(pq.read_table(Path(source, part.path), partitioning=None), number, days)
            staged += [Staged(*write(new.place.staging(), day, [rows])) for day, rows in by_day(table)]
        made += new.commit(staged, []).records
        number += 1
    new.place.close()


if __name__ == "__main__":
    main()
