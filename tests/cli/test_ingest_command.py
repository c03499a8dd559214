"""`rolewatch ingest`: what it prints and how it ends; killed, twice at once or without room, it loses and doubles nothing."""

import gzip
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Lock

import pytest
from moto.s3.responses import S3Response

from lakes import ids, lake_at, record, write
from rolewatch.lake.manifest import decode

KEYS = {"lake", "records_added", "duplicates", "totals", "skipped", "unreadable"}
TOTALS = {
    "deliveries", "records", "damaged", "bytes", "bytes_compressed", "known", "seconds", "skipped", "unreadable",
}  # fmt: skip
EACH = 10  # records of a delivery
#: The command with small rounds, and with workers for the least work.
SMALL = """
import sys
from rolewatch.cli import main
from rolewatch.scan import ingest, pool
ingest.ROUND, pool.SMALL, pool.BATCH = 2 * ingest.EACH, 0, 1
sys.exit(main(sys.argv[1:]))
"""


def trail(folder, numbers):
    """Write deliveries of a few records on four days; each number has records of its own."""
    for number in numbers:
        records = (record(number * EACH + n, day=1 + number % 4) for n in range(EACH))
        write(folder, f"{number:03}.json.gz", *records)
    return str(folder)


def expected(numbers):
    """Give the eventIDs of deliveries, sorted."""
    return sorted(
        record(number * EACH + n, day=1 + number % 4)["eventID"] for number in numbers for n in range(EACH)
    )


def small(cli, *words, **more):
    """Start an ingest with small rounds."""
    return subprocess.Popen(
        [sys.executable, "-c", SMALL, "ingest", *words, "--format", "json"],
        cwd=cli.folder, **{"env": cli.environ, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | more,
    )  # fmt: skip


@pytest.fixture
def ingest(call):
    """Give a way to ingest: words in, the status, what is printed as JSON, and stderr out."""

    def ingested(*words):
        status, out, err = call("ingest", *words, "--format", "json")
        return status, json.loads(out) if out else None, err

    return ingested


def test_json(ingest, here):
    """The second time nothing is read; both times the numbers are told, and nothing on stderr."""
    trail(here / "trail", range(5))
    write(here, "trail/again.json", record(0), record(1))
    status, first, err = ingest("trail", "--lake", "lake")
    assert (status, err) == (0, "")
    assert (first.keys(), first["totals"].keys(), first["lake"]) == (KEYS, TOTALS, "lake")
    assert (first["records_added"], first["duplicates"], first["totals"]["known"]) == (50, 2, 0)
    status, again, err = ingest("trail", "--lake", "lake")
    assert (status, err, again["records_added"], again["duplicates"]) == (0, "", 0, 0)
    totals = {name: again["totals"][name] for name in ("known", "deliveries", "records", "bytes")}
    assert totals == {"known": 6, "deliveries": 0, "records": 0, "bytes": 0}


def test_table(call, here):
    """It says how many records were added, what was read, and what was there."""
    trail(here / "trail", range(2))
    status, out, err = call("ingest", "trail", "--lake", "lake")
    assert (status, err) == (0, "")
    assert out.startswith("20 records added to lake.\nRead 2 deliveries, ")
    status, out, _ = call("ingest", "trail", "--lake", "lake", "--output", "said.txt")
    assert (status, out) == (0, "")
    assert Path("said.txt").read_text().startswith("0 records added to lake.\nRead 0 deliveries, ")
    assert Path("said.txt").read_text().endswith("; 2 deliveries had been ingested before.\n")
    Path("copy.json.gz").write_bytes(Path("trail/000.json.gz").read_bytes())
    assert (
        "added to lake, 10 records were there already." in call("ingest", "copy.json.gz", "--lake", "lake")[1]
    )


def test_damage(ingest, here):
    """A damaged delivery is named on stderr and in JSON, with exit status 3; what is no CloudTrail is only in JSON."""
    trail(here / "trail", range(3))
    path = here / "trail" / "001.json.gz"
    whole = path.read_bytes()
    path.write_bytes(gzip.compress(gzip.decompress(whole)[:-300], mtime=0))
    write(here, "trail/README", b"Logs.\n")
    status, found, err = ingest("trail", "--lake", "lake")
    assert status == 3
    assert [each["delivery"] for each in found["unreadable"]] == ["trail/001.json.gz"]
    assert [each["delivery"] for each in found["skipped"]] == ["trail/README"]
    assert f"cannot read trail/001.json.gz: {found['unreadable'][0]['reason']}" in err
    assert (found["records_added"], found["totals"]["damaged"]) == (29, 1)
    path.write_bytes(whole)
    status, found, err = ingest("trail", "--lake", "lake")
    assert (status, err, found["records_added"], found["totals"]["known"]) == (0, "", 1, 2)
    assert ids(lake_at("lake")) == expected(range(3))


def test_a_window(ingest, here):
    """Its records are taken; the same deliveries are read again without it."""
    trail(here / "trail", range(4))
    assert ingest("trail", "--lake", "lake", "--since", "2026-03-03")[1]["records_added"] == 20
    status, found, _ = ingest("trail", "--lake", "lake")
    assert (status, found["records_added"], found["totals"]["known"]) == (0, 20, 0)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["nowhere", "--lake", "lake"], 2, "nowhere: no such file or folder"),
        (["logs", "--lake", "file"], 2, "--lake file: this is a file"),
        (["logs", "--lake", "file/lake"], 4, "cannot write the lake file/lake: Not a directory"),
        (["logs", "--lake", "taken"], 4, "cannot write the lake taken: "),
        (["logs", "--lake", "/proc/rolewatch"], 4, "cannot write the lake /proc/rolewatch: No such file or directory"),
        (["logs", "--lake", "gs://x"], 2, "a lake lies in a folder or in S3"),
        (["logs", "--lake", "lake", "--since", "2026-03-02", "--until", "2026-03-01"], 2, "is not before --until"),
        (["--lake", "lake"], 2, "SOURCE"),
    ],
    ids=["no source", "a file", "below a file", "a file in the way", "no folder can be made", "elsewhere", "no window", "nothing"],
)  # fmt: skip
def test_what_cannot_be(words, status, said, call):
    """It is told in one line, and there is no lake then."""
    Path("file").write_text("")
    Path("taken").mkdir()
    Path("taken/records").write_text("")
    found, out, err = call("ingest", *words)
    assert (found, out) == (status, "")
    assert said in err
    assert err.count("\n") == 1
    assert not Path("lake/manifest/parts.jsonl").exists()
    assert not Path("taken/manifest/parts.jsonl").exists()


def test_without_pyarrow(call, here, monkeypatch):
    """What writes names the extra that it needs; what asks does not need it."""
    trail(here / "trail", range(2))
    assert call("ingest", "trail", "--lake", "lake")[0] == 0
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pyarrow", None)
        for words in (["ingest", "trail"], ["lake", "compact"], ["lake", "expire", "--older-than", "1d"]):
            status, out, err = call(*words, "--lake", "lake")
            assert (status, out) == (4, "")
            assert "pyarrow, which is not installed" in err
            assert "pip install 'rolewatch[lake]'" in err
        assert call("lake", "info", "--lake", "lake")[0] == 0
        status, out, err = call("query", "stats count(*) as n", "--lake", "lake", "--format", "json")
        assert (status, err, json.loads(out)["results"]) == (0, "", [{"n": "20"}])
        query = "stats count(*) by eventName, requestParameters.bucketName"
        assert call("query", query, "--lake", "lake")[::2] == (0, "")


def seen(lake):
    """Count what a lake's folder shows from outside: its revision, and its files of records, staged ones too."""
    try:
        revision = decode((lake / "manifest" / "parts.jsonl").read_bytes(), "").head.revision
    except FileNotFoundError:
        revision = 0
    return revision, sum(name.endswith(".parquet") for _, _, names in os.walk(lake) for name in names)


@pytest.mark.slow
def test_killed(cli):
    """However often and wherever it is killed, the lake is whole; the same command does the rest, each record is there once."""
    everything, lake, chance = range(60), cli.folder / "lake", random.Random(7)
    trail(cli.folder / "trail", everything)
    killed, before = 0, []
    for number in range(14):
        start = seen(lake)
        process = small(cli, "trail", "--lake", "lake", "--jobs", str(1 + number % 2), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        while process.poll() is None and seen(lake)[number // 2 % 2] <= start[number // 2 % 2]:
            time.sleep(0.001)
        time.sleep(chance.random() / 50)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        if seen(lake)[0]:
            there = ids(lake_at(lake))
            assert len(there) == len(set(there)) == EACH * len(lake_at(lake).ledger())
            assert set(before) <= set(there)
            before = there
    assert killed >= 7
    last = small(cli, "trail", "--lake", "lake")
    out, err = last.communicate()
    assert (last.returncode, err) == (0, "")
    assert json.loads(out)["records_added"] == EACH * len(everything) - len(before)
    assert ids(lake_at(lake)) == expected(everything)


def at_once(cli, place, **more):
    """Ingest the same deliveries, overlapping ones and copies by two processes at once; checks what came of it."""
    trail(cli.folder / "a", range(16))
    trail(cli.folder / "b", range(8, 24))
    trail(cli.folder / "both", range(24, 40))
    running = [small(cli, name, "both", "--lake", place, **more) for name in ("a", "b")]
    ended = [each.communicate() for each in running]
    assert [(each.returncode, err) for each, (_, err) in zip(running, ended, strict=True)] == [(0, "")] * 2
    assert sum(json.loads(out)["records_added"] for out, _ in ended) == 40 * EACH
    lake = lake_at(place)
    try:
        assert ids(lake) == expected(range(40))
        assert lake.told == []
    finally:
        lake.place.close()


@pytest.mark.slow
def test_two_at_once(cli, monkeypatch):
    """Two commands that write one lake at the same time both end well, and each record is there once."""
    monkeypatch.chdir(cli.folder)
    at_once(cli, "lake")


@pytest.mark.slow
def test_two_at_once_in_a_bucket(cli, bucket, monkeypatch):
    """The same in S3, where no lock but a conditional write holds them apart."""
    put, lock = S3Response.put_object, Lock()

    def alone(self):
        with lock:  # S3 checks and writes as one; moto's threads do not
            return put(self)

    monkeypatch.setattr(S3Response, "put_object", alone)
    monkeypatch.chdir(cli.folder)
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    at_once(cli, f"s3://{bucket.name}/lake", env=cli.environ | aws)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_no_room(cli, jobs):
    """It is told in one line; what was committed stays and is whole, and with room the same command does the rest."""
    trail(cli.folder / "trail", range(12))
    chance = random.Random(7)
    write(cli.folder, "trail/large.json", *(record(n, 9, requestParameters={"x": chance.randbytes(9000).hex()}) for n in range(40)))  # fmt: skip
    most = (100_000, 100_000)
    process = small(cli, "trail", "--lake", "lake", "--jobs", jobs, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, most))  # fmt: skip
    out, err = process.communicate()
    (said,) = (line for line in err.splitlines() if line.startswith("rolewatch: "))
    assert (process.returncode, out) == (4, "")
    assert "cannot write the lake" in said
    assert "File too large (what was in the lake is still there; make room" in said
    lake = lake_at(cli.folder / "lake")
    assert ids(lake) == expected(range(12))
    process = small(cli, "trail", "--lake", "lake", "--jobs", jobs)
    found = json.loads(process.communicate()[0])
    assert (process.returncode, found["records_added"], found["totals"]["known"]) == (0, 40, 12)
    assert len(set(ids(lake))) == len(ids(lake)) == 160
