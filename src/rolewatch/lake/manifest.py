"""The manifest: which files are the lake, one JSON object a line, so that any engine can read it as a table.

The first line is about the whole lake and has no `path`; each further one is a part. The file is replaced as a whole, and
whoever has read it can rely on its files for an hour.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from rolewatch.base.errors import CannotDo

FORMAT: Final = 1
NO_DAY: Final = "__HIVE_DEFAULT_PARTITION__"  # how Hive, Spark, Athena and DuckDB spell a missing partition
GRACE: Final = timedelta(hours=1)  # how long the files stay that are no longer listed


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """A Parquet file of records of one day, by its path in the lake; times are milliseconds since 1970."""

    path: str
    day: str  # YYYY-MM-DD, by eventTime in UTC; NO_DAY for records without one, or with one that cannot be
    rows: int
    bytes: int  # of the file
    record_bytes: int  # of the records, as JSON
    first: int | None = None  # the lowest and the highest eventTime, if there is any
    last: int | None = None
    untimed: int = 0  # records without an eventTime
    inexact: int = 0  # records that a reader of JSON may spell otherwise
    sums: str = ""  # what tells whether the file is as it was written; see `checks`
    columns: str = ""  # where its columns lie


class Retired(msgspec.Struct, frozen=True):
    """A file that is no longer listed, and since when; it goes when nobody can be reading it any more."""

    path: str
    since: str


class Head(msgspec.Struct, frozen=True):
    """What is true of the whole lake."""

    rolewatch_lake: int = FORMAT
    revision: int = 0
    parts: int = 0  # how many lines follow: one that was cut off at its end is noticed
    ledgers: tuple[str, ...] = ()  # files that hold the identities of deliveries
    retired: tuple[Retired, ...] = ()


class Manifest(msgspec.Struct, frozen=True):
    """A lake at one moment."""

    head: Head = Head()
    parts: tuple[Part, ...] = ()

    def changed(
        self,
        now: datetime,
        *,
        added: Iterable[Part] = (),
        removed: Iterable[Part] = (),
        ledgers: Iterable[str] | None = None,
    ) -> "Manifest":
        """Give the manifest with other files; those no longer listed are retired."""
        gone = {part.path for part in removed}
        head = self.head
        after = head.ledgers if ledgers is None else tuple(ledgers)
        since = now.astimezone(UTC).isoformat(timespec="seconds")
        retired = [Retired(path, since) for path in sorted(gone | (set(head.ledgers) - set(after)))]
        parts = [*(part for part in self.parts if part.path not in gone), *added]
        return Manifest(
            msgspec.structs.replace(
                head, revision=head.revision + 1, ledgers=after, retired=(*head.retired, *retired)
            ),
            tuple(sorted(parts, key=lambda part: (part.day, part.path))),
        )

    def expired(self, now: datetime) -> tuple[Retired, ...]:
        """Give the retired files that nobody can be reading any more."""
        return tuple(each for each in self.head.retired if datetime.fromisoformat(each.since) + GRACE <= now)


def encode(manifest: Manifest) -> bytes:
    """Write a manifest."""
    head = msgspec.structs.replace(manifest.head, parts=len(manifest.parts))
    return msgspec.json.Encoder().encode_lines([head, *manifest.parts])


def decode(content: bytes, name: str) -> Manifest:
    """Read a manifest; CannotDo for what is none, or was written by a later version."""
    first, _, rest = content.partition(b"\n")
    try:
        version = msgspec.json.decode(first, type=dict).get("rolewatch_lake")
        if version != FORMAT:
            raise CannotDo(
                f"{name}: this lake has format {version!r}, and this version of rolewatch knows {FORMAT}",
                remedy="use the version of rolewatch that wrote it, or ingest the deliveries into another lake",
            )
        head = msgspec.json.decode(first, type=Head)
        parts = msgspec.json.Decoder(Part).decode_lines(rest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise damaged(name, str(error)) from None
    if len(parts) != head.parts:
        raise damaged(name, f"it has {len(parts):,} parts, and says {head.parts:,}")
    return Manifest(msgspec.structs.replace(head, parts=0), tuple(parts))


def damaged(name: str, reason: str) -> CannotDo:
    """Say that a file is no manifest of a lake."""
    return CannotDo(
        f"{name}: this is no manifest of a lake: {reason}",
        remedy="restore the file from a backup, or ingest the deliveries into another lake",
    )
