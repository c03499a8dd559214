"""`rolewatch ingest`: deliveries into a lake, each record once."""

import json
import sys
from datetime import UTC, datetime

from rolewatch.cli.commands import UNREAD, Called
from rolewatch.cli.engines import ENGINE, MASTER, check_master, elsewhere
from rolewatch.cli.inputs import window_of
from rolewatch.cli.lakes import LAKE, opened
from rolewatch.cli.options import Option
from rolewatch.cli.output import Output, complain
from rolewatch.cli.progress import progress
from rolewatch.cli.shared import OUTPUT, SOURCE, WORK, requested, windowing

HELP = (
    "Keep CloudTrail deliveries as Parquet, in a folder or in S3, for queries by rolewatch and others.\n"
    "Each record is kept once, however often it is delivered or ingested; deliveries that are in the lake are not read again."
)
EXAMPLES = (
    ("rolewatch ingest ~/cloudtrail --lake ~/lake", "a folder into a lake; again tomorrow, for what is new"),
    ("rolewatch ingest s3://my-trail/AWSLogs --since 30d --lake s3://my-lake/cloudtrail", "thirty days of a trail, from S3 to S3"),
)  # fmt: skip
POSITIONALS = (SOURCE,)
OPTIONS = (
    LAKE,
    *windowing("what to keep"),
    Option("format", "how to print", "FORMAT", default="table", choices=("table", "json"), group="what to print"),
    OUTPUT,
    ENGINE,
    MASTER,
    *WORK,
)  # fmt: skip


def run(called: Called) -> int:
    """Ingest, and return the exit status."""
    values = called.values
    check_master(values)
    window = window_of(values, datetime.now(UTC))
    request = requested(values, window)
    from rolewatch.report.lake import ingested  # noqa: PLC0415 - not needed for --help
    from rolewatch.scan.ingest import ingest  # noqa: PLC0415 - as above

    with Output(values["output"]) as out, opened(called) as lake:
        with elsewhere(values) as fold, progress(sys.stderr) as tell:
            found = ingest(values["source"], lake, request, progress=tell, elsewhere=fold)
        for each in found["unreadable"]:
            complain(f"cannot read {each['delivery']}: {each['reason']}")
        if values["format"] == "json":
            out.write(lambda stream: stream.write(json.dumps(found, ensure_ascii=False) + "\n"))
        else:
            out.write(lambda stream: stream.write(ingested(found)))
    return UNREAD if found["unreadable"] else 0
