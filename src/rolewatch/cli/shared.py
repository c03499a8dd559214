"""Options and positionals that several commands have, and the request that they make."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from rolewatch.base.machine import cores
from rolewatch.cli import words
from rolewatch.cli.options import Option, Positional

if TYPE_CHECKING:
    from rolewatch.scan.request import ScanRequest
    from rolewatch.sources.window import Window

SOURCE: Final = Positional(
    "source",
    "SOURCE",
    "a file, a folder, a glob, - (standard input), s3://bucket/prefix or lookup://",
    many=True,
    file=True,
)
OUTPUT: Final = Option("output", "write to FILE instead of standard output", "FILE", file=True, group="what to print")  # fmt: skip
#: Which of a program's resources to use, and how much of it; for all commands that read deliveries.
WORK: Final = tuple(
    option._replace(group="how to work")
    for option in (
        Option("jobs", "number of processes", "N", words.jobs, shown="one for each core"),
        Option("gunzip-limit", "largest content of one delivery", "SIZE", words.size, default=4 * 1024**3, shown="4GiB"),
        Option("gunzip-ratio", "largest ratio of content to size beyond 64 MiB", "N", words.positive, default=200),
    )
)  # fmt: skip


def windowing(group: str) -> tuple[Option, ...]:
    """Give the options that say which records are looked at."""
    return (
        Option("since", "records from TIME on: ISO 8601 in UTC, or how long ago (2d, 6h)", "TIME", words.moment, group=group),
        Option("until", "records before TIME", "TIME", words.moment, group=group),
        Option("account", "only records of these accounts", "ID", words.account, default=(), many=True, group=group),
        Option("region", "only records of these regions", "NAME", words.region, default=(), many=True, group=group),
    )  # fmt: skip


def requested(values: Mapping[str, Any], window: "Window", **more: Any) -> "ScanRequest":
    """Make the request that the options of `WORK` and a window say; `more` are further fields of it."""
    from rolewatch.scan.request import ScanRequest  # noqa: PLC0415 - not needed for --help

    return ScanRequest(
        window=window,
        jobs=values["jobs"] or cores(),
        gunzip_limit=values["gunzip-limit"],
        gunzip_ratio=values["gunzip-ratio"],
        **more,
    )
