"""Measure `rolewatch check` as a whole command, start-up included: one policy against every service-linked role of the catalogue.

Usage: check.py [--runs N] [--write]

Policies are those of examples/policies and the largest that S3 takes. Machines are noisy, so what counts is the median; every
run has to find what it should. `--write` puts the table into benchmarks/CHECK.md.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
POLICIES = HERE.parent / "examples" / "policies"
# Where rolewatch is installed as a user does it; without the packages that only development needs it starts faster.
INSTALLED = Path(os.environ.get("INSTALLED", Path(sys.executable).parent))
TARGET = 1.0  # seconds of one policy, as a whole command
LARGEST = 20_480  # bytes of a bucket policy


class Case(NamedTuple):
    """What is checked, and the exit status that it has to end with."""

    name: str
    words: list[str]
    status: int
    target: float | None = TARGET


def large(folder: Path) -> Path:
    """Write a bucket policy of the largest size that S3 takes, with as many statements as fit."""
    statements: list[dict[str, object]] = []
    file = folder / "large.json"
    while True:
        number = len(statements)
        statements.append(
            {
                "Sid": f"Team{number}",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": ["arn:aws:s3:::lake", f"arn:aws:s3:::lake/team-{number}/*"],
                "Condition": {
                    "ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::111122223333:role/team-{number}-*"}
                },
            }
        )
        text = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
        if len(text) > LARGEST:
            return file
        file.write_text(text)


def cases(folder: Path) -> list[Case]:
    """List what is measured."""
    return [
        Case("a bucket policy that shuts out 13 roles", [str(POLICIES / "vpce-only.json")], 1),
        Case("a bucket policy that shuts out nobody", [str(POLICIES / "vpce-only-with-roles.json")], 0),
        Case("a key policy", [str(POLICIES / "key-without-account.json")], 1),
        Case("a CloudFormation template with a queue", [str(POLICIES / "queue.template.yaml")], 1),
        Case("a bucket policy of 20 KB", [str(large(folder))], 1),
        Case("start-up alone (--help)", ["--help"], 0, None),
    ]


def seconds(case: Case) -> float:
    """Run one command, and hold its status against what it should be."""
    start = time.perf_counter()
    done = subprocess.run(
        [str(INSTALLED / "rolewatch"), "check", *case.words], capture_output=True, check=False
    )
    taken = time.perf_counter() - start
    if done.returncode != case.status:
        sys.exit(f"{case.name} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return taken


def table(rows: list[tuple[Case, list[float]]]) -> str:
    """Write the results as Markdown."""
    lines = ["| what | seconds (median, min-max) | target |", "|---|---|---|"]
    for case, found in rows:
        target = f"≤ {case.target:g}" if case.target else "none"
        lines.append(
            f"| {case.name} | **{statistics.median(found):.2f}** ({min(found):.2f}-{max(found):.2f}) | {target} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print the table, and write it if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        listed = cases(Path(folder))
        for case in listed:
            seconds(case)  # warm: caches, compiled files
        found: dict[str, list[float]] = {case.name: [] for case in listed}
        for _ in range(options.runs):
            for case in listed:
                found[case.name].append(seconds(case))
    text = table([(case, found[case.name]) for case in listed])
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores."
    sys.stdout.write(f"{machine}\n\n{text}")
    if options.write:
        HERE.joinpath("CHECK.md").write_text(
            f"# Check\n\nMade by `make bench`. {machine}\n\n{text}", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
