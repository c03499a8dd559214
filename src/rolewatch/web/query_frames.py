"""What a server and the process that runs a query tell each other: messages over pipes, each with its length in front."""

import struct
from collections.abc import Sequence
from typing import IO, Final

import msgspec

_LENGTH: Final = struct.Struct("<Q")
MOST: Final = 256 * 1024**2  # bytes of a message


class Replaying(msgspec.Struct, frozen=True):
    """An alarm that is to be replayed instead of a query.

    `alarms` are kinds and definitions as a watcher keeps them: its own first, then those of the alarms that it depends on.
    `settings` are tried instead of its own: threshold, periods, datapoints, missing data. `arn` is its ARN.
    """

    name: str
    arn: str
    alarms: list[tuple[str, str]]
    settings: tuple[float | None, int | None, int | None, str | None]


class Asked(msgspec.Struct, frozen=True):
    """A query, the lake that is asked, and what asking it may take.

    `since`, `until` and `now` are ISO 8601. `form` is "rows" for rows in messages, "csv" or "json" for a file in `folder`.
    """

    query: str
    lake: str
    since: str | None
    until: str | None
    now: str
    most: int
    form: str
    folder: str
    memory: int  # bytes, of the engine
    spill: int  # bytes, of files for what does not fit into that
    seconds: int
    replay: Replaying | None = None


class Progress(msgspec.Struct, frozen=True, tag=True):
    """What is being done, and how much of it is done: 0 to 1, None where that is not known."""

    doing: str
    share: float | None


class Rows(msgspec.Struct, frozen=True, tag=True):
    """Some rows: each a list in JSON of texts and nulls."""

    rows: list[bytes]


class Answered(msgspec.Struct, frozen=True, tag=True):
    """All rows were told, or the file is written. `more`: there are others; `chart` is a specification of Vega-Lite in JSON."""

    columns: list[tuple[str, str]]
    statistics: dict[str, int | float]
    more: bool
    cut: bool  # the rows have too many bytes
    notes: list[str]
    chart: bytes | None


class Counted(msgspec.Struct, frozen=True, tag=True):
    """How many records match in each stretch of `step` milliseconds from `start` on."""

    start: int
    step: int
    counts: list[int]


class Replayed(msgspec.Struct, frozen=True, tag=True):
    """What a replay found, in JSON (`replay_worker`)."""

    content: bytes


class Failed(msgspec.Struct, frozen=True, tag=True):
    """Why there is no answer. A query that is wrong says where, in characters from 0, and draws it."""

    status: int
    title: str
    detail: str
    remedy: str | None = None
    start: int | None = None
    end: int | None = None
    drawing: str = ""
    log: str = ""  # what is not for readers


#: Why a process has ended that told nothing, too: the system ends what takes too much memory.
NO_ROOM: Final = Failed(
    400, "Not enough memory", "The query needs more memory than a query may take here.",
    "Ask for less time, filter more, or group by fewer fields; `rolewatch query` on a shell has no such limit.",
)  # fmt: skip

Message = Progress | Rows | Answered | Counted | Replayed | Failed
_DECODER: Final = msgspec.msgpack.Decoder(Message)


def ask(out: IO[bytes], asked: Asked) -> None:
    """Tell a process what to run."""
    _write(out, msgspec.msgpack.encode(asked))


def asked_in(source: IO[bytes]) -> Asked | None:
    """Read what to run; None if there is nothing to come."""
    content = _read(source)
    return None if content is None else msgspec.msgpack.decode(content, type=Asked)


def tell(out: IO[bytes], message: Message) -> None:
    """Tell the server something."""
    _write(out, msgspec.msgpack.encode(message))


def told_in(source: IO[bytes]) -> Message | None:
    """Read what a process tells; None at its end, however that came."""
    content = _read(source)
    try:
        return None if content is None else _DECODER.decode(content)
    except msgspec.MsgspecError:
        return None


def notes_on(unreadable: Sequence[tuple[str, str]], most: int = 20) -> list[str]:
    """Say which files cannot be read and why, so many of them by name."""
    notes = [f"Cannot read {name}: {reason}." for name, reason in unreadable[:most]]
    if len(unreadable) > most:
        notes.append(f"{len(unreadable) - most:,} more files cannot be read.")
    return notes


def lots(rows: Sequence[bytes], size: int = 1024**2) -> list[list[bytes]]:
    """Put rows together into lots of about so many bytes."""
    found: list[list[bytes]] = []
    room = 0
    for row in rows:
        if not found or room < len(row):
            found.append([])
            room = size
        found[-1].append(row)
        room -= len(row)
    return found


def _write(out: IO[bytes], content: bytes) -> None:
    out.write(_LENGTH.pack(len(content)) + content)
    out.flush()


def _read(source: IO[bytes]) -> bytes | None:
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    content = source.read(length) if length <= MOST else b""
    return content if len(content) == length else None
