"""`rolewatch query`: from a Logs Insights query and CloudTrail deliveries to its rows."""

import os
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, TextIO

from rolewatch.base.errors import CannotDo, UsageError
from rolewatch.cli import words
from rolewatch.cli.commands import UNREAD, Called
from rolewatch.cli.inputs import window_of
from rolewatch.cli.lookup_tables import OPTION, tables_of
from rolewatch.cli.options import Option, Positional
from rolewatch.cli.output import Output, complain
from rolewatch.cli.query_asked import OPTIONS as ASKED
from rolewatch.cli.query_asked import asking, place_asked, show_sql
from rolewatch.cli.saved_queries import list_queries, query_name, save, text_of
from rolewatch.cli.shared import OUTPUT, SOURCE, WORK, requested, windowing

if TYPE_CHECKING:
    from collections.abc import Callable

    from rolewatch.engines.answers import Answer
    from rolewatch.insights.syntax import Query
    from rolewatch.plan import Plan

HELP = (
    "Run a CloudWatch Logs Insights query over CloudTrail deliveries, without CloudWatch.\n"
    "Each record counts once, however often it was delivered."
)
EXAMPLES = (
    ("rolewatch query 'stats count(*) by eventSource, errorCode | sort eventSource' ~/cloudtrail", "how often which service answered what"),
    ("rolewatch query \"filter errorCode = 'AccessDenied' | fields @timestamp, eventName, userIdentity.arn\" s3://my-trail/AWSLogs --since 7d", "who was refused in the last seven days"),
    ("rolewatch query @blocked/by-service ~/cloudtrail", "a query by its name: of the library, or one that you kept"),
    ("rolewatch query 'filter eventName = \"DeleteBucket\"' --save team/deleted", "keep a query in rolewatch.toml; with a SOURCE it is run as well"),
    ("rolewatch query 'stats count(*) by bin(1h), eventSource' ~/cloudtrail --chart", "a chart in the terminal; with --output chart.svg, .png or .html a picture"),
    ("rolewatch query --list", "what queries have names, and what they answer"),
    ("rolewatch query 'filter eventName = \"PutBucketPolicy\" | fields @timestamp, requestParameters.bucketName' ~/cloudtrail --format csv", "for a spreadsheet"),
)  # fmt: skip
POSITIONALS = (
    Positional(
        "query",
        "QL",
        "a query in the language of CloudWatch Logs Insights, or the name of one: @NAME",
        optional=True,
        blank=False,
    ),
    SOURCE._replace(optional=True),
)
FORMATS = ("table", "json", "jsonl", "csv", "cloudwatch")
PICTURES = (".svg", ".png", ".html")
MOST = 10_000  # rows of a query without `limit`

_WHAT, _NAMES, _OUT = "what to look at", "queries with names", "what to print"
OPTIONS = (
    ASKED[0],
    *windowing(_WHAT),
    Option(OPTION, "a table that lookup asks: a CSV file, whose first line names its columns", "NAME=FILE", words.assignment, default=(), many=True, whole=True, group=_WHAT),
    Option("list", "list the queries that have names instead of running one", flag=True, default=False, group=_NAMES),
    Option("save", "keep the query under NAME in the settings file", "NAME", query_name, group=_NAMES),
    Option("replace", "let --save replace another query of that name", flag=True, default=False, group=_NAMES),
    Option("template", "a CloudFormation template whose query definitions can be named as well", "FILE", file=True, group=_NAMES),
    Option("parameter", "the value of a parameter of the template", "NAME=VALUE", words.assignment, default=(), many=True, whole=True, group=_NAMES),
    Option("format", "how to print; cloudwatch is the shape of GetQueryResults", "FORMAT", default="table", choices=FORMATS, group=_OUT),
    Option("typed", "numbers and truth values as such in json and jsonl, instead of texts", flag=True, default=False, group=_OUT),
    Option("chart", "draw what stats gives, over time if it is by bin(…), instead of printing rows", flag=True, default=False, group=_OUT),
    OUTPUT._replace(help="write to FILE instead of standard output; one that ends in .svg, .png or .html is a picture of what stats gives"),
    *ASKED[1:],
    *WORK,
)  # fmt: skip


def run(called: Called) -> int:
    """Run the query and print its rows; returns the exit status."""
    values, now = called.values, datetime.now(UTC)
    if values["typed"] and values["format"] not in ("json", "jsonl"):
        raise UsageError(
            f"--typed means nothing to --format {values['format']}", remedy="write --format json or jsonl"
        )
    if values["list"]:
        return list_queries(called)
    if values["query"] is None:
        raise UsageError(f"QL is missing: {POSITIONALS[0].help}")
    if values["replace"] and not values["save"]:
        raise UsageError("--replace means nothing without --save")
    window = window_of(values, now)
    from rolewatch.engines import windows  # noqa: PLC0415 - not needed for --help
    from rolewatch.insights import Moments, parse_query, plan_nested, plan_segments  # noqa: PLC0415 - as above

    query = parse_query(text_of(called))
    moments = Moments(*windows.range_of(window, now))
    nested, parts = plan_nested(query, moments), plan_segments(query, moments)
    write = _writer(called, parts[-1].plan)
    if values["save"]:
        save(called, query.text)
        if not (values["source"] or values["lake"] or values["show-sql"]):
            return 0
    if values["show-sql"]:
        if nested:
            raise CannotDo("a query within a query takes a statement of its own", remedy="run the query")
        return show_sql(called, parts, windows.moved(window, query.offset, now))
    place = place_asked(called)
    if place is None:
        from rolewatch.sources import deliveries_of  # noqa: PLC0415 - as above

        deliveries_of(
            values["source"], window, []
        )  # one that does not exist goes before all that may fail later
    tables = tables_of(values, chain(parts, *nested.values()))
    window = windows.moved(window, query.offset, now)
    request = requested(values, window)
    before = windows.before(parts[0], window, now)
    most = max(query.limit or 0, MOST)  # behind a limit, unnest can make more rows of those it left
    with Output(values["output"]) as out:
        from rolewatch.engines.stages import answer_query  # noqa: PLC0415 - as above

        with asking(called, place, window, before) as ask:
            found = answer_query(
                lambda values: plan_segments(query, moments, values),
                nested,
                ask,
                tables,
                most=most,
                threads=request.jobs,
            )
        _tell(found, query, most)
        out.write(partial(write, found))
    return UNREAD if found.unreadable else 0


def _writer(called: Called, plan: "Plan") -> "Callable[[Answer, TextIO], None]":
    """Give what writes the answer of a plan; raises what can be told before anything is read."""
    from rolewatch.report.output import Options  # noqa: PLC0415 - not needed for --help

    values, options, ending = called.values, Options(environ=called.environ), _drawn(called)
    if ending is None:
        from rolewatch.report.query_rows import FORMATS as WRITERS  # noqa: PLC0415 - as above

        return lambda found, stream: WRITERS[values["format"]](found, stream, options, values["typed"])
    from rolewatch.report import query_charts  # noqa: PLC0415 - as above
    from rolewatch.report.query_chart_shape import shape_of  # noqa: PLC0415 - as above

    query_charts.check(ending)
    shape = shape_of(plan)
    return lambda found, stream: query_charts.FORMATS[ending](found, shape, stream, options)


def _drawn(called: Called) -> str | None:
    """Give the ending of the picture's file that is asked for, "" for a chart of characters; None for no chart."""
    values = called.values
    if "chart" in called.typed and "format" in called.typed:
        raise UsageError("--chart draws, and --format prints rows", remedy="write one of them")
    ending = os.path.splitext(values["output"] or "")[1].lower()  # noqa: PTH122 - a path need not be one
    if "format" in called.typed or not (values["chart"] or ending in PICTURES):
        return None
    return ending if ending in PICTURES else ""


def _tell(found: "Answer", query: "Query", most: int) -> None:
    """Say on stderr what has to be known of an answer."""
    from rolewatch.lint.query_fields import unknown_fields  # noqa: PLC0415 - not needed for --help

    for name, reason in found.unreadable:
        complain(f"cannot read {name}: {reason}")
    for name, near in unknown_fields(get.steps for get in found.absent).items():
        advice = f" (did you mean {near}?)" if near else ""
        complain(f"the field {name} is in no record that was looked at, and CloudTrail has none{advice}")
    if found.more:
        complain(
            f"there are more than {most:,} rows, and these are the first; write `| limit N` for another number"
        )
    if query.chooses_groups:
        complain(
            "SOURCE chooses log groups of an account; this query was asked of the deliveries that were named"
        )
