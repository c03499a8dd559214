"""`rolewatch query`: from a Logs Insights query and CloudTrail deliveries to its rows."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rolewatch.base.errors import UsageError
from rolewatch.cli.commands import UNREAD, Called
from rolewatch.cli.inputs import window_of
from rolewatch.cli.options import Option, Positional
from rolewatch.cli.output import Output, complain
from rolewatch.cli.progress import progress
from rolewatch.cli.shared import OUTPUT, SOURCE, WORK, requested, windowing

if TYPE_CHECKING:
    from rolewatch.sources.window import Window

HELP = (
    "Run a CloudWatch Logs Insights query over CloudTrail deliveries, without CloudWatch.\n"
    "Each record counts once, however often it was delivered."
)
EXAMPLES = (
    ("rolewatch query 'stats count(*) by eventSource, errorCode | sort eventSource' ~/cloudtrail", "how often which service answered what"),
    ("rolewatch query \"filter errorCode = 'AccessDenied' | fields @timestamp, eventName, userIdentity.arn\" s3://my-trail/AWSLogs --since 7d", "who was refused in the last seven days"),
    ("rolewatch query 'filter eventName = \"PutBucketPolicy\" | fields @timestamp, requestParameters.bucketName' ~/cloudtrail --format csv", "for a spreadsheet"),
)  # fmt: skip
POSITIONALS = (
    Positional("query", "QL", "a query in the language of CloudWatch Logs Insights"),
    SOURCE,
)
FORMATS = ("table", "json", "jsonl", "csv", "cloudwatch")
MOST = 10_000  # rows of a query without `limit`

_WHAT, _OUT = "what to look at", "what to print"
OPTIONS = (
    *windowing(_WHAT),
    Option("format", "how to print; cloudwatch is the shape of GetQueryResults", "FORMAT", default="table", choices=FORMATS, group=_OUT),
    Option("typed", "numbers and truth values as such in json and jsonl, instead of texts", flag=True, default=False, group=_OUT),
    OUTPUT,
    *WORK,
)  # fmt: skip


def run(called: Called) -> int:
    """Run the query and print its rows; returns the exit status."""
    values, now = called.values, datetime.now(UTC)
    if values["typed"] and values["format"] not in ("json", "jsonl"):
        raise UsageError(
            f"--typed means nothing to --format {values['format']}", remedy="write --format json or jsonl"
        )
    window = window_of(values, now)
    from rolewatch.insights import Moments, parse_query, plan_query  # noqa: PLC0415 - not needed for --help
    from rolewatch.sources import deliveries_of  # noqa: PLC0415 - as above

    query = parse_query(_text(values["query"]))
    plan = plan_query(query, Moments(*_moments(window, now)))
    deliveries_of(values["source"], window, [])  # one that does not exist goes before all that may fail later
    request = requested(values, window)
    with Output(values["output"]) as out:
        from rolewatch.engines.deliveries import answer  # noqa: PLC0415 - as above
        from rolewatch.lint.query_fields import unknown_fields  # noqa: PLC0415 - as above
        from rolewatch.report.output import Options  # noqa: PLC0415 - as above
        from rolewatch.report.query_rows import FORMATS as WRITERS  # noqa: PLC0415 - as above

        most = max(query.limit or 0, MOST)  # behind a limit, unnest can make more rows of those it left
        with progress(sys.stderr) as tell:
            found = answer(plan, values["source"], request, most=most, progress=tell)
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
        options = Options(environ=called.environ)
        out.write(lambda stream: WRITERS[values["format"]](found, stream, options, values["typed"]))
    return UNREAD if found.unreadable else 0


def _text(words: str) -> str:
    """Give the text of a query; bytes that are none reach a program as halves of surrogate pairs."""
    try:
        words.encode()
    except UnicodeEncodeError:
        raise UsageError("QL is no UTF-8") from None
    return words


def _moments(window: "Window", now: datetime) -> tuple[int, int]:
    """Give the range of time that a query is about, in milliseconds since 1970."""
    start, end = window.since or datetime(1970, 1, 1, tzinfo=UTC), window.until or now
    return int(start.timestamp() * 1000), int(end.timestamp() * 1000)
