"""A watcher that is killed again and again, as a process, over SQLite and PostgreSQL: nothing is lost, nothing counts twice."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from watchers import SECRET, Receiver

from calls import call
from rolewatch.store import deliveries, findings, outbox
from rolewatch.store.state import State

KILLS = int(os.environ.get("ROLEWATCH_KILLS", "12"))  # `make soak` asks for 200
BUCKETS = 10


class Trail:
    """Writes log files into a folder, each put into place whole, as the time of events goes on."""

    def __init__(self, folder, rng):
        self.folder, self._rng = folder, rng
        self._start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
        self.events = 0
        self.denials = Counter()

    def write(self, *calls):
        """Write a file with some calls: (bucket, denied)."""
        records = [self._record(bucket, denied=denied) for bucket, denied in calls]
        place = self.folder / f"{self.events:06d}.json"
        place.with_name(f".{place.name}").write_text(json.dumps({"Records": records}, separators=(",", ":")))
        place.with_name(f".{place.name}").rename(place)

    def repeat(self):
        """Bring a file once more under another name."""
        files = sorted(self.folder.glob("[0-9]*.json"))
        if files:
            chosen = self._rng.choice(files)
            copy = self.folder / f".again-{self.events}.json"
            copy.write_bytes(chosen.read_bytes())
            copy.rename(self.folder / f"again-{self.events:06d}-{len(files)}.json")

    def _record(self, bucket, *, denied):
        self.events += 1
        self.denials[bucket] += denied
        return call(self.events, self._start + timedelta(seconds=self.events), bucket, denied=denied)


def _command(folder, place, url, *words):
    command = [sys.executable, "-m", "rolewatch", "watch", str(folder), "--state", place, "--notify", url]
    return [*command, "--settle", "1s", *words]


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_kills(tmp_path, request, database):
    """Every denial counts once, and every notification arrives, with the same id each time."""
    rng = random.Random(KILLS)
    place = (
        str(tmp_path / "state") if database == "sqlite" else request.getfixturevalue("postgres").database()
    )
    folder = tmp_path / "logs"
    folder.mkdir()
    trail, receiver = Trail(folder, rng), Receiver(lost=lambda: rng.random() < 0.1)
    environ = os.environ | {"ROLEWATCH_WEBHOOK_SECRET": SECRET, "XDG_CONFIG_HOME": str(tmp_path)}
    buckets = [f"b{number}" for number in range(BUCKETS)]

    def once():
        subprocess.run(_command(folder, place, receiver.url, "--once"), env=environ, check=True, timeout=120)

    def killed(calls):
        for _ in range(KILLS // 2):
            process = subprocess.Popen(_command(folder, place, receiver.url), env=environ)
            end = time.monotonic() + rng.uniform(0.2, 1.6)
            while time.monotonic() < end:
                trail.write(*calls())
                if rng.random() < 0.2:
                    trail.repeat()
                time.sleep(rng.uniform(0.01, 0.1))
            process.kill()
            process.wait()

    try:
        once()  # an empty folder: there is no backlog
        killed(lambda: [(rng.choice(buckets), True), ("calm", False)])
        for bucket in buckets:
            trail.write((bucket, True))
        once()
        killed(lambda: [(rng.choice(buckets[::2]), False), ("calm", False)])
        for bucket in buckets[::2]:
            trail.write((bucket, False), ("calm", False))
        trail.write(*[("calm", False)] * 3)
        once()
        _finish(once, place)
    finally:
        receiver.close()
    _check(place, trail, receiver, buckets)


def _finish(once, place):
    """Go on until the outbox is empty: letters that a killed process had taken are waited for no longer."""
    state = State(place)
    for _ in range(20):
        state.write(
            lambda connection: connection.exec_driver_sql("UPDATE outbox SET due = 0 WHERE state = 'waiting'")
        )
        once()
        if set(state.read(outbox.counts)) == {"sent"}:
            break
    state.close()


def _check(place, trail, receiver, buckets):
    state = State(place)
    rows = state.read(lambda connection: list(findings.with_status(connection, ("blocked", "recovered"))))
    documents = {row.resource.rpartition(":")[2]: json.loads(row.document) for row in rows}
    letters = state.read(lambda connection: outbox.listed(connection, ("sent", "waiting", "dead", "held")))
    counters = state.read(deliveries.counters)
    state.close()
    assert {name: document["denials"] for name, document in documents.items()} == dict(+trail.denials)
    assert counters["denials"] == trail.denials.total()
    ended = {name for name, document in documents.items() if document["status"] == "recovered"}
    assert ended == set(buckets[::2])
    assert {letter.state for letter in letters} == {"sent"}
    assert {body["id"] for body in receiver.bodies} == {letter.id for letter in letters}
    told = Counter()
    for body in {body["id"]: body for body in receiver.bodies}.values():
        told.update((body["kind"], finding["resource"].rpartition(":")[2]) for finding in body["findings"])
    expected = {("blocked", name): 1 for name in buckets} | {("recovered", name): 1 for name in buckets[::2]}
    assert dict(told) == expected
