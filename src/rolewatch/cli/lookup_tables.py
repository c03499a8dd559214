"""The tables that a query looks up in, from CSV files."""

import csv
from collections.abc import Iterable, Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from rolewatch.base.errors import UsageError
from rolewatch.cli.inputs import assigned, read_file

if TYPE_CHECKING:
    from rolewatch.engines.stages import Table
    from rolewatch.plan.stages import Segment

MOST: Final = 10 * 1024**2  # bytes of a table, as in the service
OPTION: Final = "lookup"


def tables_of(values: Mapping[str, Any], parts: "Iterable[Segment]") -> "dict[str, Table]":
    """Read the tables that a query looks up in; UsageError for one without a file, or without a column that is asked for."""
    from rolewatch.plan.stages import Match, stages_of  # noqa: PLC0415 - not needed for --help

    files, found = assigned(values, OPTION), dict[str, "Table"]()
    for stage in stages_of(parts):
        if not isinstance(stage, Match):
            continue
        if stage.table not in files:
            raise UsageError(
                f"the query looks up in {stage.table}, and no file is known for it",
                remedy=f"write --{OPTION} {stage.table}=FILE.csv",
            )
        path = files[stage.table]
        table = found.setdefault(stage.table, _table(path))
        for name in (*(name for name, _ in stage.keys), *(name for name, _ in stage.outputs)):
            if name not in table.columns:
                listed = ", ".join(table.columns[:20])
                raise UsageError(f"{path} has no column {name!r}", remedy=f"its first line names {listed}")
    return found


def _table(path: str) -> "Table":
    """Read a CSV file, whose first line has the names of its columns."""
    from rolewatch.engines.stages import Table  # noqa: PLC0415 - as above

    content = read_file(path, f"--{OPTION}", MOST)
    try:
        rows = list(csv.reader(StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except UnicodeDecodeError as error:
        raise UsageError(f"--{OPTION} {path}: not UTF-8 (byte {error.start})") from None
    except csv.Error as error:
        raise UsageError(f"--{OPTION} {path}: no CSV: {error}") from None
    if not rows:
        raise UsageError(f"--{OPTION} {path}: empty", remedy="its first line names the columns")
    columns, *lines = rows
    for number, line in enumerate(lines, 2):
        if line and len(line) != len(columns):
            raise UsageError(
                f"--{OPTION} {path}: row {number} has {len(line)} cells, and there are {len(columns)} columns"
            )
    return Table(tuple(columns), tuple(tuple(line) for line in lines if line))
