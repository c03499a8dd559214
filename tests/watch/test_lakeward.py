"""What was watched is in the lake as well, each record once."""

import json
from datetime import timedelta

import pytest
from stories import NOON, call, content

from rolewatch.cli.main import main
from rolewatch.store import deliveries
from rolewatch.store.state import State


@pytest.fixture
def logs(tmp_path):
    """Make a folder with three log files, two of them with a record in common."""
    folder = tmp_path / "logs"
    folder.mkdir(exist_ok=True)
    shared = call(5)
    for number, records in enumerate([[call(0, denied=True), shared], [shared, call(1)], [call(2)]]):
        (folder / f"{number}.json.gz").write_bytes(content(*records))
    return folder


@pytest.fixture
def run(tmp_path, capsys):
    """Give a way to call a command, with everything in one folder; returns what it prints."""

    def called(*words):
        status = main(words, {"HOME": str(tmp_path)})
        out = capsys.readouterr()
        assert status == 0, out.err
        return out.out

    return called


def test_records_are_in_the_lake_once(tmp_path, logs, run):
    """After a watcher is through, the lake has each record, also after it was run again."""
    words = (
        "watch",
        str(logs),
        "--once",
        "--state",
        str(tmp_path / "state"),
        "--lake",
        str(tmp_path / "lake"),
    )
    run(*words)
    counted = ("query", "stats count(*) as n", "--lake", str(tmp_path / "lake"), "--format", "json")
    assert json.loads(run(*counted))["results"] == [{"n": "4"}]
    run(*words)
    assert json.loads(run(*counted))["results"] == [{"n": "4"}]


def test_what_was_committed_before_a_crash_still_goes_in(tmp_path, logs, run):
    """Deliveries that are done and not in the lake yet are taken by the next watcher, also if they are no news to it."""
    state, lake = str(tmp_path / "state"), str(tmp_path / "lake")
    run("watch", str(logs), "--once", "--state", state, "--lake", lake)
    opened = State(state)
    assert opened.read(lambda connection: deliveries.for_lake(connection, 10)) == {}
    located = opened.read(lambda connection: deliveries.recent(connection, 0))
    assert len(located) == 3
    moment = int((NOON + timedelta(1)).timestamp() * 1000)
    opened.write(
        lambda connection: deliveries.keep_for_lake(
            connection, dict(zip("abc", located, strict=True)), moment
        )
    )
    opened.close()
    run("watch", str(logs), "--once", "--state", state, "--lake", lake)
    opened = State(state)
    assert opened.read(lambda connection: deliveries.for_lake(connection, 10)) == {}
    opened.close()
