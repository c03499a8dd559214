"""Measure the watcher: intake against a scan, from a file's arrival to the notifier, and a state that has grown.

Usage: watch.py [--megabytes N] [--runs N] [--data DIR] [--files N] [--findings N] [--identities N] [--records N] [--write]

The same script is a part of what it measures: `watch.py take FOLDER` has a watcher take everything with a new state. Latency is measured with a watcher as a process of its own and a receiver of
webhooks in this one: idle, and while a backlog is written beside.
"""

import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from run import HERE, ROLEWATCH, Pair, command_line, compare, deliveries, measure, publish

NOW = datetime(2026, 3, 3, tzinfo=UTC)  # after the last event of a corpus
LOAD = 400  # files a second that are written beside: what a large organisation delivers in a minute
ROLE = "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"


def take(folder: Path) -> None:
    """Have a watcher take everything in a folder with a new state, then end."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        subprocess.run([*ROLEWATCH, "watch", str(folder), "--once", "--state", f"{place}/state"], check=True)


def intake(place: Path, folder: Path, now: datetime) -> float:
    """Give the seconds that a watcher takes for a folder, in this process, with the clock of its events."""
    from rolewatch.scan.request import ScanRequest  # noqa: PLC0415 - only this part needs it
    from rolewatch.sources.live_places import live_sources  # noqa: PLC0415 - as above
    from rolewatch.store import deliveries as deliveries_of_state  # noqa: PLC0415 - as above
    from rolewatch.store.migrations import prepare  # noqa: PLC0415 - as above
    from rolewatch.store.schema import DONE, RECENT  # noqa: PLC0415 - as above
    from rolewatch.store.state import State  # noqa: PLC0415 - as above
    from rolewatch.watch.commit import Rules  # noqa: PLC0415 - as above
    from rolewatch.watch.feed import SHORT_SECONDS, Feed  # noqa: PLC0415 - as above
    from rolewatch.watch.kept import Spans  # noqa: PLC0415 - as above
    from rolewatch.watch.memory import StateMemory  # noqa: PLC0415 - as above
    from rolewatch.watch.telling import Teller  # noqa: PLC0415 - as above
    from rolewatch.watch.watcher import LIVE, Watcher  # noqa: PLC0415 - as above

    def told(name: str, reason: str) -> None:
        sys.exit(f"{name}: {reason}")

    state = State(str(place))
    prepare(state)
    for table in (DONE, RECENT):
        state.write(lambda connection, table=table: connection.execute(table.delete()))
    state.write(lambda connection: deliveries_of_state.keep_notes(connection, {LIVE: "through"}))
    rules = Rules(Spans(), Teller(lambda *_: (), {}), lambda: now)
    feed = Feed(live_sources([str(folder)], StateMemory(state), told), told, SHORT_SECONDS)
    watcher = Watcher(state, feed, ScanRequest(), rules, told=told)
    started = time.perf_counter()
    watcher.run(once=True)
    seconds = time.perf_counter() - started
    state.close()
    return seconds


def denial(bucket: str, number: int) -> dict[str, object]:
    """Make the record of a denial, now."""
    return {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "AssumedRole",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE}},
        },
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetBucketPolicy",
        "awsRegion": "us-east-1",
        "requestParameters": {"bucketName": bucket},
        "eventID": f"{number:08x}-0000-4000-8000-{number:012d}",
        "recipientAccountId": "111122223333",
        "errorCode": "AccessDenied",
        "errorMessage": "Access Denied",
    }


class Receiver:
    """Takes webhooks, and notes when each bucket was told of."""

    def __init__(self) -> None:
        self.told: dict[str, float] = {}
        told = self.told

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for finding in body["findings"]:
                    told.setdefault(finding["resource"].rpartition(":")[2], time.perf_counter())
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"webhook+http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


def latencies(folder: Path, files: int, *, load: Path | None) -> list[float]:
    """Give the seconds from the moment a file lies in its place to the notifier's, for each of some files."""
    receiver = Receiver()
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        logs = Path(place, "logs")
        logs.mkdir()
        config = Path(place, "rolewatch.toml")
        config.write_text('[rate]\nlimit = "off"\n')
        command = [
            *ROLEWATCH,
            "watch",
            str(logs),
            "--state",
            f"{place}/state",
            "--notify",
            receiver.url,
            "--config",
            str(config),
        ]
        environ = os.environ | {"ROLEWATCH_WEBHOOK_SECRET": "benchmark"}
        subprocess.run([*command, "--once"], env=environ, check=True)
        stop = threading.Event()
        writer = threading.Thread(target=_load, args=(load, logs, stop)) if load else None
        with subprocess.Popen(command, env=environ) as watcher:
            try:
                time.sleep(3)
                if writer:
                    writer.start()
                    time.sleep(2)
                put = {}
                for number in range(files):
                    bucket = f"b{number}"
                    path = logs / f"z{number:06d}.json.gz"
                    hidden = logs / f".{path.name}"
                    hidden.write_bytes(
                        gzip.compress(json.dumps({"Records": [denial(bucket, number)]}).encode())
                    )
                    put[bucket] = time.perf_counter()
                    hidden.rename(path)
                    time.sleep(0.1)
                end = time.monotonic() + 60
                while put.keys() - receiver.told.keys() and time.monotonic() < end:
                    time.sleep(0.05)
            finally:
                stop.set()
                watcher.terminate()
                if writer and writer.is_alive():
                    writer.join()
    missing = put.keys() - receiver.told.keys()
    if missing:
        sys.exit(f"{len(missing)} of {files} files were not told of within a minute")
    return sorted(receiver.told[bucket] - put[bucket] for bucket in put)


def _load(source: Path, logs: Path, stop: threading.Event) -> None:
    """Write LOAD log files a second."""
    files, number, began = sorted(source.rglob("*.json.gz")), 0, time.monotonic()
    while not stop.is_set():
        path = files[number % len(files)]
        number += 1
        hidden = logs / f".a{number:08d}"
        shutil.copyfile(path, hidden)
        hidden.rename(logs / f"a{number:08d}.json.gz")
        stop.wait(max(began + number / LOAD - time.monotonic(), 0))


def grown(data: Path, folder: Path, now: datetime, findings: int, identities: int) -> Path:
    """Make a state with so many findings and identities, once, from what a watcher makes of a corpus."""
    target = data / f"state-{findings}-{identities}"
    if (target / "whole").exists():
        return target
    import sqlalchemy as sa  # noqa: PLC0415 - only where a state is made

    from rolewatch.store import identities as days  # noqa: PLC0415 - as above
    from rolewatch.store.findings import with_status  # noqa: PLC0415 - as above
    from rolewatch.store.schema import FINDINGS, day_table  # noqa: PLC0415 - as above
    from rolewatch.store.state import State  # noqa: PLC0415 - as above

    shutil.rmtree(target, ignore_errors=True)
    intake(target, folder, now)
    state = State(str(target))
    rows = [
        row._asdict()
        for row in state.read(
            lambda connection: list(with_status(connection, ("blocked", "silent", "recovered", "gone")))
        )
    ]
    for start in range(0, findings, 20_000):
        made = [
            rows[number % len(rows)]
            | {"id": f"{number:016x}", "status": "recovered", "account": f"{number % 400:012d}"}
            for number in range(start, min(start + 20_000, findings))
        ]
        state.write(
            lambda connection, made=made: connection.execute(
                sa.insert(FINDINGS).prefix_with("OR IGNORE"), made
            )
        )
    first = now.date() - timedelta(days=days.KEPT_DAYS - 1)
    share = identities // days.KEPT_DAYS
    for day in range(days.KEPT_DAYS):
        table = day_table((first + timedelta(days=day)).isoformat())
        state.write(lambda connection, table=table: table.create(connection, checkfirst=True))
        for start in range(0, share, 100_000):
            # Sorted as a tree likes it; what comes later is random, as identities are.
            values = sorted(os.urandom(16) for _ in range(min(100_000, share - start)))
            made = [{"identity": value, "case": 1, "rank": 4, "at": 0, "event": None} for value in values]
            state.write(
                lambda connection, table=table, made=made: connection.execute(
                    sa.insert(table).prefix_with("OR IGNORE"), made
                )
            )
    state.close()
    (target / "whole").touch()
    return target


def peaks(folder: Path, records: int, take_it: list[str]) -> tuple[int, float, float]:
    """Give how many records a watcher took at least, its peak memory for a corpus in MB, and for so many copies of the corpus."""
    known = json.loads((folder / "labels.json").read_text())["records"]
    copies = -(-records // known)
    logs = folder / "AWSLogs"
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        for number in range(copies):
            # Links of one file are deliveries of their own: their paths differ.
            shutil.copytree(logs, Path(place, "logs", f"c{number:04d}"), copy_function=os.link)
        many = measure([*take_it, f"{place}/logs"]).megabytes
    return copies * known, measure([*take_it, str(logs)]).megabytes, many


def main() -> None:
    """Read the command line, measure, print the table; or be a part of it."""
    parser = command_line(str(__doc__), "WATCH.md", ("take",))
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--findings", type=int, default=1_000_000)
    parser.add_argument("--identities", type=int, default=100_000_000)
    parser.add_argument("--records", type=int, default=10_000_000)
    options = parser.parse_args()
    if options.what:
        take(options.folder)
        return
    folder = deliveries(options.data, "mixed", options.megabytes)
    logs = folder / "AWSLogs"
    script = [sys.executable, str(HERE / "watch.py")]
    scan = [*ROLEWATCH, "scan", str(logs), "--format", "json", "--output", os.devnull]
    rows = [
        compare(
            Pair("intake with a new state, a scan", [*script, "take", str(logs)], scan, 0.5), options.runs
        )
    ]
    records, small, large = peaks(folder, options.records, [*script, "take"])
    notes = ""
    for name, load in (("idle", None), (f"while {LOAD} files a second arrive beside", logs)):
        found = latencies(folder, options.files, load=load)
        late = found[int(len(found) * 0.99)]
        notes += f"| {name} | {statistics.median(found):.2f} s | {late:.2f} s | {'1' if load is None else '5'} s |\n"
    state = grown(options.data, logs, NOW, options.findings, options.identities)
    shares = []
    for _ in range(options.runs):
        with tempfile.TemporaryDirectory(dir=options.data) as place:
            new = intake(Path(place, "state"), logs, NOW)
        shares.append(new / intake(state, logs, NOW))
    took = []
    for _ in range(options.runs):
        started = time.perf_counter()
        subprocess.run(
            [*ROLEWATCH, "findings", "list", "--state", str(state), "--format", "json"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        took.append(time.perf_counter() - started)
    size = sum(path.stat().st_size for path in state.iterdir()) / 1e9
    notes = (
        "\n## From a file's arrival to the notifier\n\n| | median | 99th percentile | target |\n|---|---|---|---|\n"
        + notes
        + f"\nThe largest process of a watcher has {small:.0f} MB at most for one corpus, and {large:.0f} MB for {records:,} records.\n"
        + f"\nA state of {options.findings:,} findings and {options.identities:,} identities has {size:.1f} GB. Intake with it runs at **{statistics.median(shares):.2f}** "
        f"({min(shares):.2f}-{max(shares):.2f}) of that with a new one (target 0.8, one process, in this one); `findings list` takes "
        f"{statistics.median(took):.2f} s as a whole command (target 0.2 s beside start-up).\n"
    )
    publish(options, "Watch", "WATCH.md", rows, notes)


if __name__ == "__main__":
    main()
