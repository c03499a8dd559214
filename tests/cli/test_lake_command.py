"""`rolewatch ingest` and `rolewatch lake`: what they print, how they end, and that nothing is lost or doubled on the way."""

import json
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from conftest import COMMAND

EXAMPLES = Path(__file__).parents[2] / "examples" / "deliveries"
RECORDS = 368
COUNT = "stats count(*) as n, count_distinct(concat(eventID, recipientAccountId)) as distinct"


@pytest.fixture
def counted(call):
    """Give a way to count the records of a lake, all and distinct ones, with the exit status."""

    def count(lake):
        status, out, _ = call("query", COUNT, "--lake", lake, "--format", "json", "--typed")
        return status, *json.loads(out)["results"][0].values()

    return count


def parts(lake):
    """Give the files of records in a lake."""
    return sorted(Path(lake).glob("records/*/*.parquet"))


def test_again(call):
    """The second time nothing is read; both times the numbers are told."""
    first = json.loads(call("ingest", str(EXAMPLES), "--lake", "lake", "--format", "json")[1])
    status, out, err = call("ingest", str(EXAMPLES), "--lake", "lake", "--format", "json")
    again = json.loads(out)
    assert (status, err) == (0, "")
    assert (first["records_added"], first["duplicates"], first["totals"]["known"]) == (RECORDS, 4, 0)
    assert (again["records_added"], again["duplicates"], again["totals"]["known"]) == (0, 0, 16)


def test_the_life_of_a_lake(call):
    """It is described, merged and cut back; what is asked wrongly is told."""
    assert call("ingest", str(EXAMPLES), "--lake", "lake")[0] == 0
    assert f"{RECORDS}" in call("lake", "info", "--lake", "lake")[1]
    assert json.loads(call("lake", "compact", "--lake", "lake", "--format", "json")[1])["merged"] == 0
    status, _, err = call("lake", "expire", "--lake", "lake")
    assert (status, "--older-than" in err) == (2, True)
    assert call("lake", "info", "--older-than", "3d", "--lake", "lake")[0] == 2
    gone = json.loads(call("lake", "expire", "--older-than", "1d", "--lake", "lake", "--format", "json")[1])
    assert gone["records"] == RECORDS
    assert json.loads(call("lake", "info", "--lake", "lake", "--format", "json")[1])["records"] == 0
    status, _, err = call("lake", "ddl", "--engine", "athena", "--lake", "lake")
    assert (status, "Athena cannot read" in err) == (4, True)


def test_damaged_and_foreign_files(call):
    """They are named, the others are asked, and the exit status says so."""
    assert call("ingest", str(EXAMPLES), "--lake", "lake")[0] == 0
    first, second, *_ = parts("lake")
    first.write_bytes(first.read_bytes()[:-100])
    content = bytearray(second.read_bytes())
    content[10:20] = bytes(10)
    second.write_bytes(content)
    Path("lake/records/notes.parquet").write_text("none of ours")
    status, out, err = call(
        "query", "stats count(eventVersion) as n", "--lake", "lake", "--format", "json", "--typed"
    )
    assert status == 3
    assert {each["delivery"] for each in json.loads(out)["unreadable"]} == {
        *(each.relative_to("lake").as_posix() for each in (first, second)),
        "records/notes.parquet",
    }
    assert 0 < json.loads(out)["results"][0]["n"] < RECORDS
    assert err.count("cannot read") == 3


@pytest.mark.slow
def test_killed_on_the_way(cli, counted, monkeypatch):
    """However often it is killed, the same command does the rest, and each record is there once."""
    monkeypatch.chdir(cli.folder)
    words = [*COMMAND, "ingest", str(EXAMPLES), "--lake", "lake", "--jobs", "1"]
    ended = []
    for tenths in range(1, 13):
        process = subprocess.Popen(
            words, env=cli.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(tenths / 8)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        ended.append(process.wait())
    assert -signal.SIGKILL in ended
    assert cli("ingest", str(EXAMPLES), "--lake", "lake").returncode == 0
    assert counted("lake") == (0, RECORDS, RECORDS)


@pytest.mark.slow
def test_two_at_once(cli, counted, monkeypatch):
    """Two commands that ingest the same deliveries at the same time both end well, and each record is there once."""
    monkeypatch.chdir(cli.folder)
    running = [
        cli.start("ingest", str(EXAMPLES), "--lake", "lake", stdout=subprocess.DEVNULL) for _ in range(3)
    ]
    assert [each.wait() for each in running] == [0, 0, 0]
    assert counted("lake") == (0, RECORDS, RECORDS)


@pytest.mark.slow
def test_no_room_on_the_disk(cli, counted, monkeypatch):
    """The error says so in a line, what was there stays, and with room the same command does the rest."""
    monkeypatch.chdir(cli.folder)
    assert cli("ingest", "logs", "--lake", "lake").returncode == 0
    before = counted("lake")
    done = subprocess.run(
        [*COMMAND, "ingest", str(EXAMPLES), "--lake", "lake"],
        env=cli.environ, capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    assert "cannot write the lake" in done.stderr
    assert done.stderr.count("\n") == 1
    assert counted("lake") == before
    assert cli("ingest", str(EXAMPLES), "--lake", "lake").returncode == 0
    assert counted("lake") == (0, before[1] + RECORDS, before[1] + RECORDS)
