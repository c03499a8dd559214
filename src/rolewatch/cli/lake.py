"""`rolewatch lake`: what is in a lake, and its care."""

import json
from datetime import UTC, datetime, timedelta

from rolewatch.base.errors import CannotDo, UsageError
from rolewatch.cli import words
from rolewatch.cli.commands import UNREAD, Called
from rolewatch.cli.lakes import LAKE, lake_of, opened
from rolewatch.cli.options import Option, Positional
from rolewatch.cli.output import say

HELP = (
    "info: what is in a lake.\n"
    "compact: merge small files, and remove what nobody needs any more.\n"
    "expire: take out the days that are older than some time.\n"
    "ddl: print a view of the lake for DuckDB, Spark or Athena, which shows each record once whatever lies in the folder."
)
EXAMPLES = (
    ("rolewatch lake info --lake ~/lake", "days, records, files and their sizes"),
    ("rolewatch lake compact --lake ~/lake", "once a day, after the last ingest"),
    ("rolewatch lake expire --older-than 400d --lake s3://my-lake/cloudtrail", "keep a good year"),
    ("rolewatch lake ddl --engine athena --lake s3://my-lake/cloudtrail", "the statements that Athena wants"),
)  # fmt: skip
ACTIONS = ("info", "compact", "expire", "ddl")
POSITIONALS = (
    Positional(
        "action", "ACTION", f"what to do: {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}", choices=ACTIONS
    ),
)
_HOW = "what to do"
OPTIONS = (
    LAKE,
    Option("older-than", "for expire: how long records are kept, such as 400d", "SPAN", lambda text: words.span(text, "400d, 52w"), group=_HOW),
    Option("engine", "for ddl: whose view", "ENGINE", default="duckdb", choices=("duckdb", "spark", "athena"), group=_HOW),
    Option("view", "for ddl: how to call the view", "NAME", words.identifier, default="cloudtrail", group=_HOW),
    Option("format", "how to print", "FORMAT", default="table", choices=("table", "json"), group="what to print"),
)  # fmt: skip


def run(called: Called) -> int:
    """Do what was asked, and return the exit status."""
    values, action = called.values, called.values["action"]
    if "older-than" in called.typed and action != "expire":
        raise UsageError(f"--older-than means nothing to lake {action}")
    return (
        {"info": _info, "compact": _compact, "expire": _expire, "ddl": _ddl}[action](called) if values else 0
    )


def _info(called: Called) -> int:
    from rolewatch.lake.info import info  # noqa: PLC0415 - not needed for --help
    from rolewatch.report.lake import described  # noqa: PLC0415 - as above

    found = info(lake_of(called))
    json_ = called.values["format"] == "json"
    say(json.dumps(found, ensure_ascii=False) + "\n" if json_ else described(found))
    return UNREAD if found["unreadable"] else 0


def _compact(called: Called) -> int:
    from rolewatch.lake.compact import compact  # noqa: PLC0415 - as above

    with opened(called) as lake:
        before, after = compact(lake, today=datetime.now(UTC).date(), everything=True)
        removed = lake.tidy()
    return _tell(called, {"merged": before, "into": after, "removed": removed}, f"{before:,} files became {after:,}; {removed:,} were removed that nobody needs")  # fmt: skip


def _expire(called: Called) -> int:
    span: timedelta | None = called.values["older-than"]
    if span is None:
        raise UsageError("lake expire needs --older-than, such as --older-than 400d")
    try:
        before = (datetime.now(UTC) - span).date()
    except OverflowError:
        raise UsageError("--older-than is longer than the calendar") from None
    with opened(called) as lake:
        gone = lake.expire(before)
        lake.tidy()
    records = sum(part.rows for part in gone)
    days = len({part.day for part in gone})
    return _tell(called, {"days": days, "records": records}, f"{records:,} records of {days:,} days are no longer in the lake")  # fmt: skip


def _ddl(called: Called) -> int:
    from pathlib import Path  # noqa: PLC0415 - as above

    from rolewatch.lake.ddl import ddl  # noqa: PLC0415 - as above

    values = called.values
    lake = lake_of(called)
    name = lake.place.name
    if "://" not in name:
        if values["engine"] == "athena":
            raise CannotDo(
                f"Athena cannot read {name}", remedy="it reads S3 only: name a lake at s3://bucket/prefix"
            )
        name = str(Path(name).resolve())
        if "\\" in name and values["engine"] == "duckdb":
            raise CannotDo(
                f"DuckDB cannot list files below {name}: it takes the backslash for the end of a name",
                remedy="give the folder another name; rolewatch itself reads it",
            )
    return say(ddl(name.rstrip("/"), values["engine"], values["view"]))


def _tell(called: Called, found: dict[str, int], text: str) -> int:
    return say((json.dumps(found) if called.values["format"] == "json" else text) + "\n")
