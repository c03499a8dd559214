"""Measure the fold on Spark: two workers of one core against one, and against the processes of `--engine local`.

Usage: spark.py [--data DIR] [--megabytes N] [--runs N]

A standalone master and its workers are started on this machine, each worker with all its processes on a core of its own
(where the system lets us say so). What counts is the time from the listing to the report, without starting Java and
executors, and what they import. Machines are noisy, so the ways take turns, and what counts is the median of the ratios.
On a machine of two cores the driver and the master share them with the workers. Needs Java 17 and `rolewatch[spark]`.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 1, tzinfo=UTC)
TARGET = 1.6
WAYS = ("one worker", "two workers", "local, two processes")


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """Start a master and workers of one core each; gives its address when all have registered."""
    import pyspark  # noqa: PLC0415 - only where a cluster is started

    home = Path(pyspark.__file__).parent
    environ = os.environ | {
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    os.environ.update(environ)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = []
    with (
        tempfile.TemporaryDirectory(prefix="rolewatch-spark-") as place,
        Path(place, "log").open("wb") as log,
    ):

        def start(name: str, *words: str, core: int | None = None) -> None:
            command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}"]
            own = ["--host", "127.0.0.1", "--webui-port", "0"]
            process = subprocess.Popen([*command, *own, *words], env=environ, stdout=log, stderr=log)
            if core is not None and hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(process.pid, {core % (os.cpu_count() or 1)})
            started.append(process)

        try:
            start("master.Master", "--port", str(port))
            for core in range(workers):
                options = ["--cores", "1", "--memory", "2g", "--work-dir", f"{place}/work"]
                start("worker.Worker", *options, f"spark://127.0.0.1:{port}", core=core)
            while Path(log.name).read_text().count("Successfully registered with master") < workers:
                time.sleep(0.1)
            yield f"spark://127.0.0.1:{port}"
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait()


def measured(way: str, folder: Path) -> tuple[float, int]:
    """Scan a folder in this process; returns seconds, and bytes of content."""
    from rolewatch.scan import pool  # noqa: PLC0415 - a child's part

    if way == WAYS[2]:
        return timed(pool.fold, folder, jobs=2)
    from rolewatch.engines.spark_fold import fold_on  # noqa: PLC0415 - as above
    from rolewatch.engines.spark_session import session  # noqa: PLC0415 - as above

    number = 1 + WAYS.index(way)
    with cluster(number) as master, session(master, {"spark.ui.enabled": "false"}) as spark:
        ready = spark.sparkContext.parallelize(range(4 * number), 4 * number)
        ready.map(lambda _: time.sleep(1)).count()  # until all executors have started, and Python in them
        fold = partial(fold_on, spark)
        smallest = min(folder.rglob("*.gz"), key=lambda path: path.stat().st_size)
        timed(fold, smallest.parent, jobs=0)  # one day of one region
        return timed(fold, folder, jobs=0)


def timed(fold: Callable, folder: Path, *, jobs: int) -> tuple[float, int]:
    """Scan; returns seconds, and bytes of content."""
    from rolewatch.scan.request import ScanRequest  # noqa: PLC0415 - a child's part
    from rolewatch.scan.run import run  # noqa: PLC0415 - as above

    start = time.perf_counter()
    report = run([str(folder)], ScanRequest(jobs=jobs), now=NOW, fold=fold)
    seconds = time.perf_counter() - start
    assert report["findings"]  # noqa: S101 - a scan that finds nothing measures nothing
    return seconds, report["totals"]["bytes"]


def main() -> None:
    """Make the deliveries, measure, and print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE / "data" / "spark")
    parser.add_argument("--megabytes", type=int, default=4400)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    typed = parser.parse_args()
    if typed.way:
        print(*measured(typed.way, typed.data))
        return
    if not typed.data.exists():
        maker = [sys.executable, str(HERE / "make_deliveries.py"), str(typed.data)]
        subprocess.run([*maker, "--megabytes", str(typed.megabytes)], check=True)
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(typed.runs):
        for way in WAYS:
            command = [sys.executable, __file__, "--data", str(typed.data), "--way", way]
            taken, size = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            seconds[way].append(float(taken))
            print(f"{way}: {float(taken):.2f} s, {int(size) / float(taken) / 1e9:.2f} GB/s", flush=True)
    for other in (WAYS[0], WAYS[2]):
        ratio = statistics.median(a / b for a, b in zip(seconds[other], seconds[WAYS[1]], strict=True))
        target = f" (target {TARGET})" if other == WAYS[0] else ""
        print(f"{other} / {WAYS[1]}: {ratio:.2f}{target}, of {int(size) / 1e9:.1f} GB of records")


if __name__ == "__main__":
    main()
