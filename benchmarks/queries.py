"""Measure queries straight over deliveries: whole commands, as ratios within one run, like run.py.

Usage: queries.py [--megabytes N] [--runs N] [--data DIR] [--write]. The same script is the baseline:
queries.py duckdb FOLDER [--jobs N] asks DuckDB the selective query below over the same files, by read_json.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from run import HERE, ROLEWATCH, Pair, command_line, compare, deliveries, measure, publish, scan

SELECTIVE = "filter errorCode = 'AccessDenied' | stats count(*) as n by eventSource, eventName | sort n desc"
EVERY = "stats count(*) as n by eventSource, eventName | sort n desc"
FULL_PARSE = [sys.executable, str(HERE / "filters.py"), "full-parse"]


def query(text: str, folder: Path, jobs: int) -> list[str]:
    """Give the command of a query."""
    return [*ROLEWATCH, "query", text, str(folder / "AWSLogs"), "--format", "json", "--jobs", str(jobs)]


def asked_of_duckdb(folder: Path, jobs: int) -> list[tuple[str, str, int]]:
    """Ask DuckDB the selective query."""
    import duckdb  # noqa: PLC0415 - only the baseline needs it

    connection = duckdb.connect(config={"threads": jobs})
    return connection.execute(
        """SELECT r ->> 'eventSource' AS source, r ->> 'eventName' AS name, count(*) AS n
           FROM (SELECT unnest(Records) AS r FROM read_json(?, columns = {Records: 'JSON[]'}, maximum_object_size = 67108864))
           WHERE r ->> 'errorCode' = 'AccessDenied' GROUP BY ALL ORDER BY n DESC""",
        [f"{folder}/**/*.json.gz"],
    ).fetchall()


def scanned(folder: Path, found: int) -> Callable[[bytes], None]:
    """Make a check that a query read all records, and found as many groups as DuckDB did."""
    records = json.loads((folder / "labels.json").read_text())["records"]

    def check(output: bytes) -> None:
        report = json.loads(output)
        if report["statistics"]["records_scanned"] != records or (found and len(report["results"]) != found):
            sys.exit(f"a query of {folder} is wrong: {report['statistics']}, {len(report['results'])} rows")

    return check


def main() -> None:
    """Read the command line, measure, print the table; or be the baseline."""
    options = command_line(str(__doc__), "QUERIES.md", ("duckdb",)).parse_args()
    if options.what:
        print(len(asked_of_duckdb(options.folder, options.jobs)))
        return
    jobs, folder = options.jobs, deliveries(options.data, "mixed", options.megabytes)
    other = [sys.executable, str(HERE / "queries.py"), "duckdb", str(folder / "AWSLogs"), "--jobs", str(jobs)]
    groups = int(measure(other).output)
    pairs = [
        Pair("scan, by a selective query", query(SELECTIVE, folder, jobs), scan(folder, jobs), 0.67, scanned(folder, groups)),  # at most 1.5 times as long
        Pair("DuckDB read_json, by the same", query(SELECTIVE, folder, jobs), other, 20.0, scanned(folder, groups), slow=True),
        Pair("full parse, by a query over every record", query(EVERY, folder, jobs), [*FULL_PARSE, str(folder / "AWSLogs"), "--jobs", str(jobs)], None, scanned(folder, 0)),
    ]  # fmt: skip
    found = [compare(pair, options.runs) for pair in pairs]
    publish(options, "Queries", "QUERIES.md", found)


if __name__ == "__main__":
    main()
