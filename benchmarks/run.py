"""Measure rolewatch against gunzip and against other tools, as whole commands and as ratios within one run.

Usage: run.py [--megabytes N] [--runs N] [--data DIR] [--only NAME…] [--write]

Machines are noisy, so nothing here is a test: each pair of commands runs in turn (A B A B …), and what counts is
the median of the ratios. Every scan's output is held against the labels. `--write` puts the table into
benchmarks/RESULTS.md and the README. ClickHouse (chdb), DuckDB and jq take part where they are installed:
`pip install --require-hashes -r benchmarks/requirements.lock`, and jq from the system.
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import metadata, util
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
# Where rolewatch is installed as a user does it; without the packages that only development needs it starts faster.
INSTALLED = Path(os.environ.get("INSTALLED", Path(sys.executable).parent))
ROLEWATCH = [str(INSTALLED / "rolewatch")]
BASELINE = [str(INSTALLED / "python"), str(HERE / "gunzip_baseline.py")]


class Run(NamedTuple):
    """One finished command: wall seconds, peak memory of its largest process in MB, standard output."""

    seconds: float
    megabytes: float
    output: bytes


class Pair(NamedTuple):
    """What is compared: the ratio is other seconds / our seconds; `target` is what it has to reach."""

    name: str
    ours: list[str]
    other: list[str]
    target: float | None
    check: Callable[[bytes], None] | None = None
    slow: bool = False  # the other takes minutes: two runs, and none to warm up


def measure(command: list[str]) -> Run:
    """Run a command as a whole and measure it from outside."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101 - we asked for a pipe
        output = process.stdout.read()
        assert process.stderr is not None  # noqa: S101
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if process.returncode:
        sys.exit(f"{command} ended with {process.returncode}: {errors.decode(errors='replace')[-2000:]}")
    return Run(seconds, usage.ru_maxrss / 1024, output)


def compare(pair: Pair, runs: int) -> dict[str, object]:
    """Run both commands in turn and give medians and the median ratio."""
    if not pair.slow:
        measure(pair.ours), measure(pair.other)  # warm: caches, compiled files
    ours, others = [], []
    for _ in range(2 if pair.slow else runs):
        ours.append(measure(pair.ours))
        others.append(measure(pair.other))
        if pair.check:
            pair.check(ours[-1].output)
        # What this process holds counts as the next one's memory until that starts its own program.
        ours[-1], others[-1] = ours[-1]._replace(output=b""), others[-1]._replace(output=b"")
    ratios = [other.seconds / our.seconds for our, other in zip(ours, others, strict=True)]
    return {
        "name": pair.name,
        "ratio": statistics.median(ratios),
        "low": min(ratios),
        "high": max(ratios),
        "target": pair.target,
        "ours": statistics.median(run.seconds for run in ours),
        "other": statistics.median(run.seconds for run in others),
        "memory": max(run.megabytes for run in ours),
    }


def deliveries(data: Path, profile: str, megabytes: int) -> Path:
    """Make the deliveries of a profile, once."""
    folder = data / f"{profile}-{megabytes}"
    if not (folder / "labels.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(
            [
                sys.executable,
                HERE / "make_deliveries.py",
                folder,
                "--megabytes",
                str(megabytes),
                "--profile",
                profile,
            ],
            check=True,
        )
    return folder


def scan(folder: Path, jobs: int, *more: str) -> list[str]:
    """Give the command of a scan."""
    return [*ROLEWATCH, "scan", str(folder / "AWSLogs"), "--format", "json", "--jobs", str(jobs), *more]


def labelled(folder: Path) -> Callable[[bytes], None]:
    """Make a check of a scan's output against the labels."""
    labels = json.loads((folder / "labels.json").read_text())

    def check(output: bytes) -> None:
        report = json.loads(output)
        found = {f"{f['role_arn']} | {f['resource']}": f["denials"] for f in report["findings"]}
        totals = report["totals"]
        if found != labels["findings"] or (totals["records"], totals["denials"]) != (
            labels["records"],
            labels["denials"],
        ):
            sys.exit(
                f"the scan of {folder} is wrong: {len(found)} findings, {totals}; labelled {len(labels['findings'])}, {labels['records']} records"
            )

    return check


def pairs(data: Path, megabytes: int, cores: int) -> list[Pair]:
    """List what is compared."""
    mixed = deliveries(data, "mixed", megabytes)
    check = labelled(mixed)

    def gunzip(folder: Path, jobs: int) -> list[str]:
        return [*BASELINE, str(folder), "--jobs", str(jobs)]

    rows = [
        Pair("gunzip, whole contract", scan(mixed, cores), gunzip(mixed, cores), 0.5, check),
        Pair("gunzip, --no-recovery", scan(mixed, cores, "--no-recovery"), gunzip(mixed, cores), 0.7, check),
        Pair("one process → two", scan(mixed, 2), scan(mixed, 1), 1.7, check),
        Pair("gunzip, one process each", scan(mixed, 1), gunzip(mixed, 1), None, check),
    ]
    part = max(megabytes // 10, 20)
    for profile in ("plain", "escapes", "small", "pretty"):
        folder = deliveries(data, profile, part)
        rows.append(
            Pair(
                f"gunzip, profile {profile}",
                scan(folder, cores),
                gunzip(folder, cores),
                None,
                labelled(folder),
            )
        )
    half = deliveries(data, "mixed", max(megabytes // 2, 20))
    others = (
        ("ClickHouse (chdb)", "chdb", cores, 3.0),
        ("DuckDB read_json", "duckdb", cores, 40.0),
        ("jq", "jq", 1, 25.0),
        ("jq, a process for each core", "jq", cores, None),
    )
    for name, tool, jobs, target in others:
        if shutil.which("jq") if tool == "jq" else util.find_spec(tool):
            slow = tool != "chdb"
            folder = half if slow else mixed
            command = [sys.executable, str(HERE / "other_tools.py"), tool, str(folder), "--jobs", str(jobs)]
            # The others only find the denials; following what became of them is more than they are asked for.
            same = scan(folder, cores, "--no-recovery")
            rows.append(
                Pair(f"{name}, the same question", same, command, target, labelled(folder), slow=slow)
            )
            if not slow:
                rows.append(Pair(f"{name}, whole contract", scan(folder, cores), command, None, check))
    return rows


def table(rows: list[dict[str, object]], header: str) -> str:
    """Write the results as Markdown."""
    lines = [
        header,
        "",
        "| against | ratio (median, min-max) | target | rolewatch | other | peak memory per process |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        target = f"≥ {row['target']:g}" if row["target"] else "none"
        lines.append(
            f"| {row['name']} | **{row['ratio']:.2f}** ({row['low']:.2f}-{row['high']:.2f}) | {target} | {row['ours']:.2f} s | {row['other']:.2f} s | {row['memory']:.0f} MB |"
        )
    return "\n".join(lines) + "\n"


def breakdown(folder: Path, *flags: str) -> str:
    """Give the shares of a scan's parts, in one process."""
    command = [sys.executable, HERE / "breakdown.py", folder / "AWSLogs", *flags]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def command_line(doc: str, page: str, baselines: tuple[str, ...]) -> argparse.ArgumentParser:
    """Make the command line of a script that is its own baseline, and writes a page of figures."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=baselines)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--data", type=Path, default=HERE / "data")
    parser.add_argument("--write", action="store_true", help=f"put the table into {page}")
    return parser


def publish(
    options: argparse.Namespace, title: str, page: str, rows: list[dict[str, object]], notes: str = ""
) -> None:
    """Print the table of what was measured, and put it into its page if that was asked for."""
    text = table(rows, f"{options.megabytes} MB of JSON. {versions()}") + notes
    print(text)
    if options.write:
        head = f"# {title}\n\nMade by `make bench`. Ratios are other / rolewatch in wall time: more is faster.\n\n"
        (HERE / page).write_text(head + text)


def versions() -> str:
    """Name everything that was measured, and where."""
    names = ("rolewatch", "deflate", "isal", "msgspec", "stringzilla", "chdb", "duckdb")
    found = [f"{name} {metadata.version(name)}" for name in names if util.find_spec(name)]
    if shutil.which("jq"):
        found.append(
            subprocess.run(["jq", "--version"], capture_output=True, text=True, check=True).stdout.strip()
        )
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"Python {platform.python_version()}, {os.cpu_count()} cores ({model}); " + ", ".join(found) + "."


def main() -> None:
    """Read the command line, measure, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=4000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--data", type=Path, default=HERE / "data")
    parser.add_argument("--only", nargs="*", help="only pairs whose name holds one of these words")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md and the README")
    options = parser.parse_args()
    rows = []
    for pair in pairs(options.data, options.megabytes, os.cpu_count() or 1):
        if not options.only or any(word in pair.name for word in options.only):
            rows.append(compare(pair, options.runs))
            print(f"{rows[-1]['name']:32} {rows[-1]['ratio']:.2f}", file=sys.stderr)
    parts = "\n\n".join(
        f"{title}\n\n{breakdown(deliveries(options.data, 'mixed', max(options.megabytes // 2, 20)), *flags)}"
        for title, flags in (
            ("Where the time goes, whole contract:", ()),
            ("With --no-recovery:", ("--no-recovery",)),
        )
    )
    labels = json.loads((deliveries(options.data, "mixed", options.megabytes) / "labels.json").read_text())
    header = (
        f"{labels['bytes'] / 1e9:.1f} GB of JSON in {labels['files']:,} files ({labels['bytes_compressed'] / 1e6:.0f} MB), {labels['records']:,} records, "
        f"{labels['denials']:,} labelled denials, all found in every run; DuckDB and jq: half of that; the rows by profile: a tenth. {versions()}"
    )
    text = table(rows, header)
    print(text)
    if options.write:
        (HERE / "RESULTS.md").write_text(
            f"# Benchmarks\n\nMade by `make bench`. Ratios are other / rolewatch in wall time of whole commands: more is faster.\n\n{text}\n{parts}"
        )
        readme = HERE.parent / "README.md"
        readme.write_text(
            re.sub(
                r"(<!-- benchmarks -->\n).*?(<!-- /benchmarks -->)",
                lambda found: f"{found[1]}{text}{found[2]}",
                readme.read_text(),
                flags=re.DOTALL,
            )
        )


if __name__ == "__main__":
    main()
