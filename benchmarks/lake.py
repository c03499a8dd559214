"""Measure the lake: ingest, and queries over millions of records, whole commands, as ratios within one run, like run.py.

Usage: lake.py [--megabytes N] [--runs N] [--data DIR] [--records N] [--write]. The same script is the baseline:
`lake.py copy FOLDER` has DuckDB read the deliveries by read_json and write Parquet, with all cores; `lake.py ask FOLDER SQL`
asks it the best statement that we could write over the files of a lake. Queries are measured twice: within a process that has
everything loaded, where both open an engine for each question, and as whole commands.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

from run import HERE, ROLEWATCH, Pair, command_line, compare, deliveries, publish

COPY = """COPY (
    SELECT r ->> 'eventTime' AS eventTime, r ->> 'eventSource' AS eventSource, r ->> 'eventName' AS eventName,
           r ->> 'errorCode' AS errorCode, r AS record
    FROM (SELECT unnest(Records) AS r FROM read_json(?, columns = {Records: 'JSON[]'}, maximum_object_size = 67108864))
) TO '%s' (FORMAT parquet, COMPRESSION zstd)"""
#: The same, as DuckDB finds the columns by itself; without the records' own text.
COPY_TYPED = """COPY (SELECT unnest(Records) AS r FROM read_json(?, maximum_object_size = 67108864, union_by_name = true))
TO '%s' (FORMAT parquet, COMPRESSION zstd)"""


class Question(NamedTuple):
    """A query, and the same by hand."""

    name: str
    query: str
    sql: str


QUESTIONS = (
    Question("all records by two typed columns", "stats count(*) as n by eventSource, eventName | sort n desc",
             "SELECT eventSource, eventName, count(*) AS n FROM {lake} GROUP BY ALL ORDER BY n DESC"),
    Question("a filter on typed columns", "filter errorCode = 'AccessDenied' | stats count(*) as n by eventSource, eventName | sort n desc",
             "SELECT eventSource, eventName, count(*) AS n FROM {lake} WHERE errorCode = 'AccessDenied' GROUP BY ALL ORDER BY n DESC"),
    Question("the article's query", "filter errorCode = 'AccessDenied' | filter userIdentity.sessionContext.sessionIssuer.arn like 'aws-service-role' | fields @timestamp, eventSource, eventName, userIdentity.sessionContext.sessionIssuer.arn, @message | sort @timestamp desc",
             "SELECT eventTime, eventSource, eventName, userIdentity_sessionContext_sessionIssuer_arn, record FROM {lake} WHERE errorCode = 'AccessDenied' AND contains(userIdentity_sessionContext_sessionIssuer_arn, 'aws-service-role') ORDER BY eventTime DESC LIMIT 10001"),
    Question("by day", "filter errorCode = 'AccessDenied' | stats count(*) by bin(1d)",
             "SELECT date_trunc('day', eventTime) AS day, count(*) FROM {lake} WHERE errorCode = 'AccessDenied' GROUP BY 1 ORDER BY 1"),
    Question("a field of the record's text", "filter eventSource = 's3.amazonaws.com' | stats count(*) as n by requestParameters.bucketName | sort n desc | limit 10",
             "SELECT record ->> '$.requestParameters.bucketName' AS bucket, count(*) AS n FROM {lake} WHERE eventSource = 's3.amazonaws.com' GROUP BY 1 ORDER BY n DESC LIMIT 10"),
)  # fmt: skip


def connect(jobs: int):  # noqa: ANN201 - DuckDB is only needed by the baseline
    """Open DuckDB."""
    import duckdb  # noqa: PLC0415 - only the baseline needs it

    return duckdb.connect(config={"threads": jobs})


def grown(folder: Path, records: int) -> Path:
    """Make a lake of so many records, once."""
    target = folder.parent / f"lake-{records}"
    if not (target / "manifest").exists():
        seed = folder.parent / f"lake-of-{folder.name}"
        shutil.rmtree(seed, ignore_errors=True)
        subprocess.run([*ROLEWATCH, "ingest", str(folder / "AWSLogs"), "--lake", str(seed)], check=True)
        subprocess.run([sys.executable, HERE / "make_lake.py", seed, target, str(records)], check=True)
    return target


def ingested(folder: Path) -> Callable[[bytes], None]:
    """Make a check that an ingest took all records, and that the lake is not too large."""
    records = json.loads((folder / "labels.json").read_text())["records"]

    def check(output: bytes) -> None:
        found = json.loads(output)
        if found["records_added"] != records:
            sys.exit(f"{found['records_added']} of {records} records were ingested")

    return check


def answered(lake: Path, question: Question, jobs: int, runs: int) -> tuple[list[float], list[float]]:
    """Give the seconds of a question by rolewatch, and by hand, asked in turns within this process."""
    from rolewatch.engines.lake import answer_lake  # noqa: PLC0415 - only this needs it
    from rolewatch.insights import Moments, parse_query, plan_segments  # noqa: PLC0415 - as above
    from rolewatch.lake.lake import Lake  # noqa: PLC0415 - as above
    from rolewatch.lake.place import Folder  # noqa: PLC0415 - as above
    from rolewatch.sources import Window  # noqa: PLC0415 - as above

    def ours() -> int:
        (part,) = plan_segments(parse_query(question.query), Moments(0, 0))
        opened = Lake(Folder(lake), lambda name, reason: sys.exit(f"{name}: {reason}"))
        return len(
            answer_lake(part.plan, opened, Window(), most=10_000, threads=jobs, doubtful=lambda _: False).rows
        )

    def by_hand() -> int:
        with connect(jobs) as connection:
            return len(connection.execute(question.sql.format(lake=reading(lake))).fetchall())

    times: tuple[list[float], list[float]] = [], []
    for _ in range(runs):
        rows = []
        for ask, found in zip((ours, by_hand), times, strict=True):
            started = time.perf_counter()
            rows.append(ask())
            found.append(time.perf_counter() - started)
        if min(rows[1], 10_000) != rows[0]:
            sys.exit(f"{question.name}: {rows[0]} rows, by hand {rows[1]}")
    return times


def reading(folder: Path) -> str:
    """Write the relation of a lake's files, as one would by hand."""
    return f"read_parquet('{folder}/records/*/*.parquet', hive_partitioning = false)"


def in_process(lake: Path, jobs: int, runs: int) -> str:
    """Measure all questions within this process; gives a table."""
    lines = [
        "\n## Queries without start-up\n\nWithin one process, warm; each question opens an engine of its own, on both sides.\n\n",
        "| question | by hand / rolewatch (median, min-max) | target | rolewatch | by hand |\n|---|---|---|---|---|\n",
    ]
    for question in QUESTIONS:
        ours, hand = answered(lake, question, jobs, runs)
        ratios = [other / own for own, other in zip(ours, hand, strict=True)]
        lines.append(
            f"| {question.name} | **{median(ratios):.2f}** ({min(ratios):.2f}-{max(ratios):.2f}) | ≥ 0.83 | {median(ours):.3f} s | {median(hand):.3f} s |\n"
        )
    return "".join(lines)


def size(folder: Path) -> int:
    """Give the bytes of the files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Read the command line, measure, print the table; or be the baseline."""
    parser = command_line(str(__doc__), "LAKE.md", ("copy", "copy-typed", "ask"))
    parser.add_argument("sql", nargs="?", default="")
    parser.add_argument("--records", type=int, default=5_000_000)
    options = parser.parse_args()
    if options.what == "ask":
        print(len(connect(options.jobs).execute(options.sql.format(lake=reading(options.folder))).fetchall()))
        return
    if options.what:
        target = options.folder.parent / "copied.parquet"
        copied = COPY if options.what == "copy" else COPY_TYPED
        connect(options.jobs).execute(copied % target, [f"{options.folder}/**/*.json.gz"])
        return
    jobs, folder = options.jobs, deliveries(options.data, "mixed", options.megabytes)
    lake = folder.parent / "lake-measured"
    script = [sys.executable, str(HERE / "lake.py")]
    again = f"rm -rf {lake} && exec {ROLEWATCH[0]} ingest {folder}/AWSLogs --lake {lake} --format json --jobs {jobs}"
    taken = ["sh", "-c", again]
    check = ingested(folder)
    pairs = [
        Pair("DuckDB COPY of read_json, four columns and the text", taken, [*script, "copy", str(folder / "AWSLogs"), "--jobs", str(jobs)], 5.0, check),
        Pair("DuckDB COPY of read_json, its own columns, no text", taken, [*script, "copy-typed", str(folder / "AWSLogs"), "--jobs", str(jobs)], 5.0, check),
    ]  # fmt: skip
    many = grown(folder, options.records)
    for each in QUESTIONS:
        ours = [*ROLEWATCH, "query", each.query, "--lake", str(many), "--format", "json", "--jobs", str(jobs)]
        pairs.append(
            Pair(
                f"whole command, SQL by hand: {each.name}",
                ours,
                [*script, "ask", str(many), each.sql, "--jobs", str(jobs)],
                None,
            )
        )
    found = [compare(pair, options.runs) for pair in pairs]
    deliveries_size = size(folder / "AWSLogs")
    notes = f"\nThe lake is {size(lake) / deliveries_size:.2f} times as large as the gzipped deliveries (at most 1.3).\n"
    publish(options, "Lake", "LAKE.md", found, notes + in_process(many, jobs, 2 * options.runs + 1))


if __name__ == "__main__":
    main()
