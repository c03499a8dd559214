"""Count the same denials with another tool, over the same files, with N cores: what people would do without rolewatch.

Usage: other_tools.py chdb|duckdb|jq FOLDER [--jobs N]. Prints one line per role and error code. jq itself uses one core:
with --jobs 1 it is what one types, with more a process for each batch of files.
"""

import argparse
import os
import subprocess
from pathlib import Path

CODES = ("AccessDenied", "Client.UnauthorizedOperation")


def with_chdb(folder: Path, jobs: int) -> str:
    """Ask ClickHouse, its JSONExtract over one string per record: the quickest of the ways tried."""
    import chdb  # noqa: PLC0415 - measured only where it is asked for

    query = f"""
        SELECT JSONExtractString(record, 'userIdentity', 'sessionContext', 'sessionIssuer', 'arn') AS role, JSONExtractString(record, 'errorCode') AS code, count()
        FROM (SELECT arrayJoin(Records) AS record FROM file('{folder}/AWSLogs/**/*.json.gz', 'JSONEachRow', 'Records Array(String)'))
        WHERE code IN {CODES} AND role LIKE '%:role/aws-service-role/%' GROUP BY role, code ORDER BY role, code
        SETTINGS max_threads = {jobs}, input_format_json_read_objects_as_strings = 1"""
    return str(chdb.query(query, "TSV"))


def with_duckdb(folder: Path, jobs: int) -> str:
    """Ask DuckDB's read_json."""
    import duckdb  # noqa: PLC0415

    connection = duckdb.connect(config={"threads": jobs})
    rows = connection.execute(f"""
        SELECT r->>'$.userIdentity.sessionContext.sessionIssuer.arn' AS role, r->>'$.errorCode' AS code, count(*)
        FROM (SELECT unnest(Records) AS r FROM read_json('{folder}/AWSLogs/*/*/*/*/*/*/*.json.gz', columns = {{Records: 'JSON[]'}}, maximum_object_size = 67108864))
        WHERE code IN {CODES} AND role LIKE '%:role/aws-service-role/%' GROUP BY 1, 2 ORDER BY 1, 2""").fetchall()
    return "\n".join("\t".join(map(str, row)) for row in rows)


def with_jq(folder: Path, jobs: int) -> str:
    """Ask jq: `zcat … | jq`, a process for every batch of files, N at a time."""
    program = (
        '.Records[] | select((.errorCode == "AccessDenied" or .errorCode == "Client.UnauthorizedOperation") and '
        '((.userIdentity.sessionContext.sessionIssuer.arn // "") | contains(":role/aws-service-role/"))) '
        "| [.userIdentity.sessionContext.sessionIssuer.arn, .errorCode] | @tsv"
    )
    shell = f"find {folder}/AWSLogs -name '*.gz' -print0 | xargs -0 -n 64 -P {jobs} sh -c 'zcat \"$@\" | jq -r '\"'\"'{program}'\"'\"'' sh | sort | uniq -c"
    return subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True).stdout


def main() -> None:
    """Read the command line and ask."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tool", choices=("chdb", "duckdb", "jq"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    ask = {"chdb": with_chdb, "duckdb": with_duckdb, "jq": with_jq}[options.tool]
    print(ask(options.folder, options.jobs or 1))


if __name__ == "__main__":
    main()
