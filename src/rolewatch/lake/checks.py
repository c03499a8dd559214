"""What tells damage in a lake's files: for each column a sum of its bytes, and one of the file's end; the manifest has them.

Engines read a file whose bytes have changed without a word, where they still make sense. With these sums only the columns
that are wanted need be read to know better.
"""

import base64
import os
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from isal import isal_zlib

from rolewatch.lake.schema import FIELDS, INEXACT, RECORD

NAMES: Final = (*(field.column for field in FIELDS), INEXACT, RECORD)
MAGIC: Final = b"PAR1"
_TAIL: Final = struct.Struct("<I4s")  # the length of the description at a file's end, and the end itself
_PIECE: Final = 8 * 1024 * 1024  # bytes that are held at a time

Stretch = tuple[int, int]  # where bytes begin, and how many
Stretches = Mapping[str, Sequence[Stretch]]  # of each column, in the order of row groups


def seal(path: Path) -> tuple[str, str]:
    """Give the sums of a file that was written, and its `layout`."""
    found = stretches(path)
    with path.open("rb") as file:
        sums = [_sum(file.fileno(), found[name]) for name in NAMES]
        return _spelled([*sums, _sum(file.fileno(), [_end(file.fileno())])]), layout(found)


def damaged_end(path: Path, size: int, sums: str) -> str | None:
    """Say what is wrong with a file that has to have a size and some sums, as far as its end tells."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno()).st_size
            if found != size:
                return f"it has {found:,} bytes, and the manifest says {size:,}"
            end = _end(file.fileno())
            if not end[1] or _sum(file.fileno(), [end]) != _read(sums)[-1]:
                return "damaged: its end is not as it was written"
    except OSError as error:
        return error.strerror or str(error)
    return None


def damaged_columns(path: Path, sums: str, found: Stretches) -> str | None:
    """Say what is wrong with columns of a file, of which it is known where they lie."""
    expected = dict(zip(NAMES, _read(sums), strict=False))
    try:
        with path.open("rb") as file:
            for name, places in found.items():
                if _sum(file.fileno(), places) != expected.get(name):
                    return f"damaged: its column {name} is not as it was written"
    except OSError as error:
        return error.strerror or str(error)
    return None


def stretches(path: Path, names: Iterable[str] = NAMES) -> dict[str, list[Stretch]]:
    """Tell where columns lie in a file, whose end has to be sound."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - takes a while, and only writing needs it

    found: dict[str, list[Stretch]] = {name: [] for name in names}
    metadata = pq.read_metadata(path)
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for place in range(group.num_columns):
            chunk = group.column(place)
            if chunk.path_in_schema in found:
                first = chunk.dictionary_page_offset or chunk.data_page_offset
                found[chunk.path_in_schema].append((first, chunk.total_compressed_size))
    return found


def layout(found: Stretches) -> str:
    """Write where all columns lie, so that nobody has to read the whole description at a file's end to know; "" for a gap between them."""
    groups = list(zip(*(found[name] for name in NAMES), strict=True))
    at = len(MAGIC)
    for first, size in (place for group in groups for place in group):
        if first != at:
            return ""
        at += size
    return _spelled([size for group in groups for _, size in group])


def places(written: str, names: Iterable[str]) -> dict[str, list[Stretch]] | None:
    """Read where some columns lie; None where nobody wrote it."""
    try:
        packed = base64.b64decode(written)
    except ValueError:
        return None
    if not packed or len(packed) % (4 * len(NAMES)):
        return None
    found: dict[str, list[Stretch]] = {name: [] for name in names}
    at = len(MAGIC)
    for number, size in enumerate(struct.unpack(f"<{len(packed) // 4}I", packed)):
        name = NAMES[number % len(NAMES)]
        if name in found:
            found[name].append((at, size))
        at += size
    return found


def _end(descriptor: int) -> Stretch:
    """Tell where the description at a file's end lies; nothing where there is none."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _TAIL.size, max(size - _TAIL.size, 0))
    if len(tail) < _TAIL.size:
        return size, 0
    length, magic = _TAIL.unpack(tail)
    length += _TAIL.size
    return (size - length, length) if magic == MAGIC and length <= size else (size, 0)


def _sum(descriptor: int, places: Sequence[Stretch]) -> int:
    found = 0
    for start, length in places:
        for at in range(start, start + length, _PIECE):
            found = isal_zlib.crc32(os.pread(descriptor, min(_PIECE, start + length - at), at), found)
    return found


def _spelled(sums: Sequence[int]) -> str:
    return base64.b64encode(struct.pack(f"<{len(sums)}I", *sums)).decode()


def _read(sums: str) -> tuple[int, ...]:
    try:
        packed = base64.b64decode(sums)
        return struct.unpack(f"<{len(NAMES) + 1}I", packed)
    except (ValueError, struct.error):
        return (-1,)  # which is no sum
