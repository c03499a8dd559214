"""Records in, a table of their fields out: taken by what is written in C where that is possible, else row by row."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rolewatch.lake.schema import FIELDS, Field, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

    from rolewatch.cloudtrail._columns import Columns

try:
    from rolewatch.cloudtrail import _columns as native
except ImportError:  # it was not built, or the processor lacks what it needs
    native = None  # type: ignore[assignment] # it is optional

Span = tuple[int, int, int]  # where a record begins and ends, and something else
Value = str | bool | int | None
_KINDS: Final = {"text": 0, "truth": 1, "time": 2}
_OBJECT, _FIRST = 3, 4


class Mark(NamedTuple):
    """How many rows there were of either kind, and the bytes of their records."""

    fast: int
    slow: int
    size: int


class Rows:
    """Rows that are gathered, and then taken as one table."""

    def __init__(self) -> None:
        self._columns: Columns | None = (
            native.Columns(_tree(tuple(enumerate(FIELDS))), len(FIELDS)) if native else None
        )
        self._rows: list[tuple[Value, ...]] = []
        self._slow_bytes = 0

    @property
    def size(self) -> int:
        """The bytes of the records, as JSON."""
        return self._slow_bytes + (self._columns.size if self._columns else 0)

    def add(self, buffer: bytes | bytearray, spans: list[Span]) -> list[Span]:
        """Add records of a buffer; gives those that have to be added as rows."""
        return self._columns.add(buffer, spans) if self._columns else spans

    def add_row(self, values: Sequence[Value], record: str, *, inexact: bool) -> None:
        """Add a record by the values of FIELDS: texts, truths and milliseconds."""
        self._rows.append((*values, inexact, record))
        self._slow_bytes += len(record)

    def mark(self) -> Mark:
        """Note how far it is."""
        return Mark(self._columns.rows if self._columns else 0, len(self._rows), self.size)

    def cut(self, mark: Mark) -> None:
        """Go back to a mark."""
        if self._columns:
            self._columns.cut(mark.fast)
        self._slow_bytes -= sum(len(str(row[-1])) for row in self._rows[mark.slow :])
        del self._rows[mark.slow :]

    def take(self, mark: Mark) -> "tuple[pa.Table, pa.Table]":
        """Give tables of the rows up to a mark and of those beyond it, and be empty again."""
        import pyarrow as pa  # noqa: PLC0415 - takes a while, and only writing needs it

        schema = arrow_schema()
        fast = slow = schema.empty_table()
        if self._columns and self._columns.rows:
            fast = pa.Table.from_arrays(_arrays(*self._columns.take()), schema=schema)
        if self._rows:
            columns = zip(*self._rows, strict=True)
            arrays = [pa.array(column, each.type) for column, each in zip(columns, schema, strict=True)]
            slow = pa.Table.from_arrays(arrays, schema=schema)
            self._rows, self._slow_bytes = [], 0
        before = pa.concat_tables([fast.slice(0, mark.fast), slow.slice(0, mark.slow)])
        return before, pa.concat_tables([fast.slice(mark.fast), slow.slice(mark.slow)])


def _arrays(rows: int, columns: Sequence[tuple[int, bytes | None, bytes, Any]], inexact: bytes) -> list[Any]:
    """Make arrays of what was laid out in C, without copying it."""
    import pyarrow as pa  # noqa: PLC0415 - as above
    import pyarrow.compute as pc  # noqa: PLC0415 - as above

    *texts, record = (
        pa.StringArray.from_buffers(
            rows, pa.py_buffer(ends), pa.py_buffer(data), None if there is None else pa.py_buffer(there), missing
        )
        for missing, there, ends, data in columns
    )  # fmt: skip
    flags = pa.BooleanArray.from_buffers(pa.bool_(), rows, [None, pa.py_buffer(inexact)])
    made = []
    for field, array in zip(FIELDS, texts, strict=True):
        if field.kind == "truth":
            made.append(pc.equal(array, "1"))
        elif field.kind == "time":
            times = _times(array)
            flags = pc.or_(flags, pc.and_(pc.is_valid(array), pc.is_null(times)))
            made.append(times)
        else:
            made.append(array)
    return [*made, flags, record]


def _times(texts: "pa.StringArray") -> "pa.TimestampArray":
    """Read times of the usual spelling; those that the calendar lacks (February 30) are missing."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    kind = pa.timestamp("ms", tz="UTC")
    try:
        return texts.cast(kind)
    except pa.ArrowInvalid:
        return pa.chunked_array([_time(text, kind) for text in texts]).combine_chunks()


def _time(text: "pa.StringScalar", kind: "pa.DataType") -> "pa.Array":
    import pyarrow as pa  # noqa: PLC0415 - as above

    try:
        return pa.array([text.as_py()]).cast(kind)
    except pa.ArrowInvalid:
        return pa.nulls(1, kind)


def _tree(fields: Sequence[tuple[int, Field]], depth: int = 0) -> tuple[Any, ...]:
    """Write fields as what is written in C takes them: names, and those of members in each object."""
    by_name: dict[str, list[tuple[int, Field]]] = {}
    for number, field in fields:
        by_name.setdefault(field.steps[depth], []).append((number, field))
    rows = []
    for name, below in by_name.items():
        ((number, field), *_) = below
        if len(field.steps) == depth + 1:
            rows.append((name.encode(), _KINDS[field.kind], number, ()))
        elif field.steps[depth + 1] == "0":
            rows.append((name.encode(), _FIRST, 0, _tree(below, depth + 2)))
        else:
            rows.append((name.encode(), _OBJECT, 0, _tree(below, depth + 1)))
    return tuple(rows)
