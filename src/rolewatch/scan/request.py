"""What a scan is asked for, and what it tells while it runs."""

from datetime import timedelta
from typing import NamedTuple

import msgspec

from rolewatch.patterns import Pattern
from rolewatch.sources import Window


class ScanRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A validated request: whom to watch, which records, how."""

    principals: frozenset[str] = frozenset(("slr",))
    pattern: Pattern | None = None  # what is looked for instead of denials
    window: Window = Window()
    recovery: bool = True
    silent_after: timedelta = timedelta(days=7)
    authentication: bool = False
    jobs: int = 1
    gunzip_limit: int = 4 * 1024**3  # bytes of content per delivery
    gunzip_ratio: int = 200  # beyond the first 64 MiB


class Progress(NamedTuple):
    """How far a scan has come; `listed` is None while listing still runs, `denials` where none were counted."""

    deliveries: int
    listed: int | None
    bytes_compressed: int
    bytes: int
    denials: int | None
    seconds: float
