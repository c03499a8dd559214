"""What commands that read deliveries are given in the same words: a window of time, small files."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rolewatch.base.errors import UsageError
from rolewatch.base.moments import counted

if TYPE_CHECKING:
    from rolewatch.sources.window import Window

PIECE = 1024**2


def window_of(values: Mapping[str, Any], now: datetime) -> "Window":
    """Make the window that `since`, `until`, `account` and `region` say; UsageError if it is empty."""
    from rolewatch.sources.window import Window  # noqa: PLC0415 - not needed for --help

    since, until = (_moment(values[name], now, name) for name in ("since", "until"))
    if since and until and since >= until:
        raise UsageError(
            f"--since {since:%Y-%m-%dT%H:%M:%SZ} is not before --until {until:%Y-%m-%dT%H:%M:%SZ}"
        )
    return Window(since, until, frozenset(values["account"]), frozenset(values["region"]))


def read_file(path: str, what: str, most: int) -> bytes:
    """Read a small file, `what` it is to the user (`--baseline`); one that never ends is none."""
    try:
        with Path(path).open("rb") as file:
            pieces = list(islice(iter(partial(file.read, PIECE), b""), most // PIECE + 1))
    except (OSError, ValueError) as error:
        raise UsageError(f"{what} {path}: {getattr(error, 'strerror', None) or error}") from None
    if len(pieces) * PIECE > most:
        raise UsageError(f"{what} {path}: larger than {most // PIECE:,} MiB")
    return b"".join(pieces)


def read_template_file(path: str, what: str = "TEMPLATE") -> bytes:
    """Read the bytes of a template or a test file: as many as JSON may have; YAML is held to less where it is parsed."""
    from rolewatch.templates.source import MOST  # noqa: PLC0415 - not needed for --help

    return read_file(path, what, MOST)


def assigned(values: Mapping[str, Any], option: str) -> dict[str, str]:
    """Return assignments by name; UsageError where a name has two values."""
    found: dict[str, str] = {}
    for name, value in values[option]:
        if found.setdefault(name, value) != value:
            raise UsageError(f"--{option} {name} has two values, {found[name]!r} and {value!r}")
    return found


def _moment(value: datetime | timedelta | None, now: datetime, name: str) -> datetime | None:
    """Count a span back from now; UsageError for a time before all records."""
    try:
        return None if value is None else counted(value, now)
    except ValueError as error:
        raise UsageError(f"--{name}: {error}") from None
