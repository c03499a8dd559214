"""Measure the dashboard: the time of pages and lists with many findings, the weight of pages, and what idle streams cost.

Usage: web.py [--megabytes N] [--data DIR] [--findings N] [--runs N] [--streams N] [--write]

A state with so many findings is made once, from what a watcher makes of a corpus. Times are those of a client on the same
machine, one request after the other; a request for a file of a few bytes is measured beside them, as what any request costs.
"""

import gzip
import http.client
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from run import HERE, ROLEWATCH, command_line, deliveries

PLACE = re.compile(r"dashboard at http://([0-9.]+):([0-9]+)")
FIRST = ("/", "/findings", "/alarms", "/query", "/coverage")
LISTS = (
    "/findings?status=blocked", "/findings?severity=high&order=newest", "/findings?service=config.amazonaws.com&order=resource",
    "/findings?q=bucket-77", "/findings?verdict=unknown&status=silent", "/findings?group=account", "/api/v1/findings?account=000000000007",
    "/api/v1/groups?by=service&status=blocked",
)  # fmt: skip
SETTLED = 3.0  # seconds until streams have begun
LOOKED = 20.0  # seconds for which their cost is measured


def grown(data: Path, logs: Path, findings: int) -> Path:
    """Make a state with so many findings, once, of all statuses, in 400 accounts."""
    target = data / f"state-web-{findings}"
    if (target / "whole").exists():
        return target
    import sqlalchemy as sa  # noqa: PLC0415 - only where a state is made

    from rolewatch.store.findings import with_status  # noqa: PLC0415 - as above
    from rolewatch.store.schema import FINDINGS  # noqa: PLC0415 - as above
    from rolewatch.store.state import State  # noqa: PLC0415 - as above

    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(
        [*ROLEWATCH, "watch", str(logs), "--once", "--state", str(target), "--log-level", "error"], check=True
    )
    state, chance = State(str(target)), random.Random(1)
    statuses = ("blocked", "silent", "recovered", "gone")
    rows = [row._asdict() for row in state.read(lambda connection: list(with_status(connection, statuses)))]
    for start in range(0, findings, 10_000):
        made = []
        for number in range(start, min(start + 10_000, findings)):
            row = dict(rows[number % len(rows)])
            row |= {
                "id": f"{number:016x}", "status": chance.choices(statuses, (2, 4, 3, 1))[0], "account": f"{number % 400:012d}",
                "resource": f"arn:aws:s3:::bucket-{number}", "changed": row["changed"] - number, "severity": chance.randrange(1, 5),
            }  # fmt: skip
            row["place"] = 2 * row["severity"]
            row["ended"] = _ended(number, row["status"])
            document = json.loads(row["document"])
            document |= {name: row[name] for name in ("id", "status", "account", "resource", "ended")}
            made.append(
                row | {"document": json.dumps(document), "incident": None, "opened": None, "alike": None}
            )
        state.write(
            lambda connection, made=made: connection.execute(
                sa.insert(FINDINGS).prefix_with("OR IGNORE"), made
            )
        )
    state.close()
    (target / "whole").touch()
    return target


def _ended(number: int, status: str) -> str | None:
    """Spread ends over the last sixty days."""
    if status not in ("recovered", "gone"):
        return None
    return f"{datetime.now(UTC) - timedelta(minutes=number % 86_400):%Y-%m-%dT%H:%M:%SZ}"


@contextmanager
def served(state: Path, lake: Path | None) -> Iterator[tuple[int, int]]:
    """Serve a state; gives the process and the port."""
    words = ["--lake", str(lake)] if lake else []
    command = [*ROLEWATCH, "serve", "--state", str(state), "--listen", "127.0.0.1:0", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            found = PLACE.search(process.stderr.readline() if process.stderr else "")
            if not found:
                sys.exit("the server does not start")
            yield process.pid, int(found[2])
        finally:
            process.terminate()


class Client:
    """Asks one request after the other over one connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, path: str) -> tuple[float, bytes]:
        """Read something; returns the seconds and the body as it was sent."""
        began = time.perf_counter()
        self._connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = self._connection.getresponse()
        body = answer.read()
        took = time.perf_counter() - began
        if answer.status != 200:
            sys.exit(f"{path}: {answer.status}")
        return took, body

    def times(self, path: str, runs: int) -> tuple[float, float]:
        """Give the median and the 95th percentile of the milliseconds of some requests."""
        self.get(path)
        took = [self.get(path)[0] * 1000 for _ in range(runs)]
        return statistics.median(took), statistics.quantiles(took, n=20)[-1]


def weight(client: Client, path: str) -> tuple[int, int]:
    """Give the bytes that a page takes, as sent, with its files but without the charts, and with them."""
    body = client.get(path)[1]
    text = gzip.decompress(body).decode() if body[:2] == b"\x1f\x8b" else body.decode()
    files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', text))
    files |= {f"/static/{name}" for name in ("app.js", "live.js") if any("app.js" in each for each in files)}
    own = len(body) + sum(len(client.get(each)[1]) for each in {each.partition("?")[0] for each in files})
    return own, own + len(client.get("/static/charts.js")[1])


def cost_of_streams(pid: int, port: int, number: int) -> float:
    """Give the share of a core that a server takes while so many streams are open and nothing happens, in percent."""
    streams = []
    for _ in range(number):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/api/v1/events")
        streams.append((connection, connection.getresponse()))
    time.sleep(SETTLED)
    before, began = _used(pid), time.monotonic()
    time.sleep(LOOKED)
    share = (_used(pid) - before) / (time.monotonic() - began) * 100
    for connection, answer in streams:
        answer.close()
        connection.close()
    return share


def replay(data: Path, lake: Path) -> tuple[int, float, float]:
    """Replay an alarm over a lake; gives its records, the seconds, and those of reading the same records and doing nothing."""
    from rolewatch.engines.duckdb import Limits  # noqa: PLC0415 - only here
    from rolewatch.engines.lake_records import deliveries_in  # noqa: PLC0415 - as above
    from rolewatch.lake.lake import Lake  # noqa: PLC0415 - as above
    from rolewatch.lake.place import place_of  # noqa: PLC0415 - as above
    from rolewatch.sources import Window  # noqa: PLC0415 - as above

    state, nothing = data / "state-web-alarm", data / "nothing"
    shutil.rmtree(state, ignore_errors=True)
    nothing.mkdir(exist_ok=True)
    template = HERE.parent / "examples" / "slr-denied.template.yaml"
    command = [
        *ROLEWATCH,
        "watch",
        str(nothing),
        "--once",
        "--state",
        str(state),
        "--template",
        str(template),
        "--log-level",
        "error",
    ]
    subprocess.run(command, check=True)
    with served(state, lake) as (_, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

        def ask(method: str, path: str, body: str | None = None) -> dict[str, Any]:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            return dict(json.loads(connection.getresponse().read()))

        run = ask("POST", "/api/v1/alarms/replays", '{"name": "slr-denied"}')["id"]
        while (found := ask("GET", f"/api/v1/alarms/replays/{run}"))["status"] == "running":
            time.sleep(0.5)
        if found["status"] != "done":
            sys.exit(f"the replay: {found['problem']}")
    began = time.perf_counter()
    limits = Limits(1024**3, 1024**3, str(data / "spill"), lambda _: None)
    opened = Lake(place_of(str(lake)), lambda _name, _reason: None)
    for _ in deliveries_in(
        opened, Window(), unreadable=lambda name, reason: sys.exit(f"{name}: {reason}"), limits=limits
    ):
        pass
    return found["result"]["records"], found["seconds"], time.perf_counter() - began


def _used(pid: int) -> float:
    """Give the seconds of a processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Read the command line, measure, print the table."""
    parser = command_line(str(__doc__), "WEB.md", ())
    parser.add_argument("--findings", type=int, default=100_000)
    parser.add_argument("--streams", type=int, default=50)
    asked = parser.parse_args()
    folder = deliveries(asked.data, "mixed", asked.megabytes)
    state = grown(asked.data, folder / "AWSLogs", asked.findings)
    lake = asked.data / "lake-5000000"
    lines = []
    with served(state, lake if lake.exists() else None) as (pid, port):
        client = Client(port)
        runs = max(asked.runs, 40)
        least = client.times("/static/icon.svg", runs)[0]
        lines += [
            f"{asked.findings:,} findings. Any request, that of a file of a few bytes, takes {least:.1f} ms.",
            "",
            "| | median | 95th percentile | target | weight, sent | with charts |",
            "|---|---|---|---|---|---|",
        ]
        for path in FIRST:
            median, late = client.times(path, runs)
            own, whole = weight(client, path)
            lines.append(
                f"| `{path}` | {median:.0f} ms | {late:.0f} ms | 150 ms | {own / 1000:.0f} kB | {whole / 1000:.0f} kB |"
            )
        for path in LISTS:
            median, late = client.times(path, runs)
            lines.append(f"| `{path}` | {median:.0f} ms | {late:.0f} ms | 100 ms | | |")
        share = cost_of_streams(pid, port, asked.streams)
        lines += [
            "",
            f"{asked.streams} open streams cost {share:.1f} % of a core while nothing happens (target 5 %).",
        ]
    if lake.exists():
        number, took, reading = replay(asked.data, lake)
        lines += [
            "",
            f"An alarm replayed over a lake of {number:,} records takes {took:.0f} s in one process, {took / reading:.1f} times as long as reading these records.",
        ]
    text = "\n".join(["# Dashboard", "", "Made by `make bench`.", "", *lines, ""])
    print(text)
    if asked.write:
        (HERE / "WEB.md").write_text(text)


if __name__ == "__main__":
    main()
