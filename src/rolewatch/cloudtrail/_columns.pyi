"""Records in, columns of their fields out, as Apache Arrow lays out texts; in C, where it could be built."""

from typing import Any, Self

#: A member's name, what it is (0 a text, 1 a truth, 2 a time, 3 an object, 4 an array whose first element is an object), its
#: column, and the members of an object.
Field = tuple[bytes, int, int, tuple[Any, ...]]
#: How many values are missing, a bitmap of those that are there (None if all are), where texts end (32 bits each, of which the
#: first is 0), and a buffer of the texts themselves, in UTF-8. When that is dropped, the next rows take its memory.
Texts = tuple[int, bytes | None, bytes, Any]

class Columns:
    """Columns by the numbers of their fields, and one more of whole records.

    A value is a string's content, or `1` and `0` for truths; null, objects and arrays are missing.
    """

    rows: int
    size: int  # of the whole records, in bytes

    def __new__(cls, fields: tuple[Field, ...], width: int, /) -> Self: ...
    def add(
        self, buffer: bytes | bytearray, spans: list[tuple[int, int, int]], /
    ) -> list[tuple[int, int, int]]:
        """Add a row for each record between (start, end, …), and give those that were not taken.

        A record is taken if it is strict JSON without white space in UTF-8, no field's name is there twice in an object or
        spelled with an escape, no field's value has an escape of a letter or is a number, only truths are true or false, the
        time is `2026-03-01T10:05:00Z`, no half of a pair and nothing in a name is escaped anywhere, and at most 256 names are open. OverflowError for a column beyond 2 GiB.
        """

    def cut(self, rows: int, /) -> None:
        """Leave only the first rows."""

    def take(self) -> tuple[int, list[Texts], bytes]:
        """Give the number of rows, the columns, and a bitmap; none are left.

        The bitmap is of rows whose record holds a number with a fraction or -0, or a name twice in one object.
        """
