"""Where a query looks: at deliveries, or at a lake, by DuckDB or by Spark; and a query as the SQL of an engine."""

import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from rolewatch.base.errors import CannotDo, UsageError
from rolewatch.cli.commands import Called
from rolewatch.cli.engines import ENGINE, MASTER, check_master
from rolewatch.cli.lakes import LAKE, default_place, lake_of
from rolewatch.cli.options import Option
from rolewatch.cli.output import complain, say
from rolewatch.cli.progress import progress
from rolewatch.cli.shared import SOURCE, requested
from rolewatch.cli.words import table_name

if TYPE_CHECKING:
    from rolewatch.engines.answers import Answer
    from rolewatch.engines.stages import Ask
    from rolewatch.lake.lake import Lake
    from rolewatch.plan import Get, Plan
    from rolewatch.plan.stages import Segment
    from rolewatch.sources.window import Window

CONSOLE_TABLE: Final = "cloudtrail_logs"
VIEW: Final = "cloudtrail"
OPTIONS: Final = (
    LAKE._replace(help="look at a lake instead of a SOURCE: a folder, or s3://bucket/prefix", group="what to look at"),
    ENGINE._replace(help="what runs the query; spark asks a lake", default="duckdb", choices=("duckdb", "spark")),
    MASTER,
    Option("show-sql", "print the query as SQL instead of running it", "ENGINE", choices=("duckdb", "spark", "athena"), bare="duckdb", group="how to work"),
    Option("table", "for --show-sql: the table or view to write it for", "NAME", table_name, shown=f"{VIEW}, the view of `rolewatch lake ddl`; for athena without --lake {CONSOLE_TABLE}", group="how to work"),
)  # fmt: skip


def place_asked(called: Called) -> str | None:
    """Give the lake that is asked, None for deliveries. Without a word of either it is the default lake, if there is one."""
    values = called.values
    check_master(values)
    if values["source"]:
        if "lake" in called.typed:
            raise UsageError("a query looks at SOURCE or at --lake", remedy="write one of them")
        if values["engine"] == "spark":
            raise UsageError(
                "Spark asks a lake", remedy="ingest the deliveries, and name the lake with --lake"
            )
        return None
    if values["lake"]:
        return str(values["lake"])
    from rolewatch.lake.place import Folder  # noqa: PLC0415 - not needed for --help

    place = default_place(called.environ)
    if Folder(place).manifest()[0] is None:
        raise UsageError(f"SOURCE is missing: {SOURCE.help}; or name a lake with --lake")
    return place


@contextmanager
def asking(called: Called, place: str | None, window: "Window", before: "Window | None") -> "Iterator[Ask]":
    """Give what runs plans over the window that is asked for, or over the one before it."""
    values = called.values
    if place is None:
        with _of_deliveries(called, window, before) as ask:
            yield ask
        return
    lake = lake_of(called, place)
    if values["engine"] == "spark":
        with _by_spark(values, lake, window, before) as ask:
            yield ask
        return
    yield _by_duckdb(values, lake, window, before)


@contextmanager
def _of_deliveries(called: Called, window: "Window", before: "Window | None") -> "Iterator[Ask]":
    from rolewatch.engines.deliveries import answer  # noqa: PLC0415 - not needed for --help

    values = called.values
    with progress(sys.stderr) as tell:

        def ask(plan: "Plan", period: str | None, number: int) -> "Answer":
            request = requested(values, before if period and before else window)
            return answer(plan, values["source"], request, most=number, progress=tell)

        yield ask


def _by_duckdb(values: Mapping[str, Any], lake: "Lake", window: "Window", before: "Window | None") -> "Ask":
    from rolewatch.engines.lake import answer_lake  # noqa: PLC0415 - as above
    from rolewatch.lint.query_fields import unknown_fields  # noqa: PLC0415 - as above

    threads = requested(values, window).jobs

    def doubtful(get: "Get") -> bool:
        return bool(unknown_fields([get.steps]))

    def ask(plan: "Plan", period: str | None, number: int) -> "Answer":
        within = before if period and before else window
        return answer_lake(plan, lake, within, most=number, threads=threads, doubtful=doubtful)

    return ask


@contextmanager
def _by_spark(
    values: Mapping[str, Any], lake: "Lake", window: "Window", before: "Window | None"
) -> "Iterator[Ask]":
    from rolewatch.engines.spark_lake import answer_spark  # noqa: PLC0415 - as above
    from rolewatch.engines.spark_session import session  # noqa: PLC0415 - as above

    lake.manifest()  # what is no lake goes before Spark starts
    # About versions of packages that are not used here.
    quiet = warnings.catch_warnings(action="ignore", category=FutureWarning)
    with quiet, session(values["master"]) as spark:

        def ask(plan: "Plan", period: str | None, number: int) -> "Answer":
            return answer_spark(spark, plan, lake, before if period and before else window, most=number)

        yield ask


def show_sql(called: Called, parts: "Sequence[Segment]", window: "Window") -> int:
    """Print the first plan of a query as SQL; what it means beyond that is told on stderr."""
    values, engine = called.values, called.values["show-sql"]
    if len(parts) > 1:
        raise CannotDo("this query has a command that no engine has words for", remedy="run the query")
    from rolewatch.engines.shown import shown  # noqa: PLC0415 - not needed for --help

    lake = engine != "athena" or bool(values["lake"])
    found = shown(
        parts[0].plan, window, engine, values["table"] or (VIEW if lake else CONSOLE_TABLE), lake=lake
    )
    for get in found.missing:
        complain(f"the table has no {'.'.join(get.steps)}: it is NULL in the statement")
    if found.functions:
        complain(f"only rolewatch has these functions: {', '.join(found.functions)}")
    return say(f"{found.statement}\n")
