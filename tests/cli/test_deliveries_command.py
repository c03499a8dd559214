"""`rolewatch deliveries failed` and `retry`, as people and programs use them, also beside a watcher that runs."""

import json
import os
import signal

import deliveries as made
import pytest
from watchers import Daemon, Receiver, stamp, write

BROKEN = b"\x1f\x8b\x08 no gzip"


@pytest.fixture
def ask(call, here):
    """Watch a folder in which one delivery cannot be read; gives a way to ask about deliveries."""
    write(here, "1.json.gz", "b1")
    (here / "trail" / "2\x1b.json.gz").write_bytes(BROKEN)
    assert call("watch", "trail", "--once", "--state", "state")[0] == 3

    def asked(*words):
        return call("deliveries", *words, "--state", "state")

    return asked


@pytest.fixture
def receiver():
    """Start a receiver of webhooks."""
    made_receiver = Receiver()
    yield made_receiver
    made_receiver.close()


def test_failed_lists_them(ask):
    """As lines for people, without what steers a terminal; as JSON and a line each for programs."""
    status, out, err = ask("failed")
    assert (status, err) == (0, "")
    first, second = out.splitlines()
    assert first.endswith("2\\x1b.json.gz")
    assert second.startswith("    ")
    assert " (of trail, 20" in second
    assert second.endswith("Z, once)")
    found = json.loads(ask("failed", "--format", "json")[1])
    assert found["total"] == 1
    (failure,) = found["failed"]
    assert failure.keys() == {
        "id",
        "name",
        "source",
        "reason",
        "first",
        "last",
        "attempts",
        "records",
        "retryable",
    }
    assert (failure["source"], failure["attempts"], failure["retryable"]) == ("trail", 1, True)
    assert failure["id"] == first.split()[0]
    assert json.loads(ask("failed", "--format", "jsonl")[1]) == failure


def test_retry_reads_what_is_whole_again(ask, here, call):
    """Status 3 while something cannot be read, 0 afterwards; then nothing is left."""
    status, out, err = ask("retry")
    assert (status, out) == (3, "0 of 1 deliveries read: 0 records, 0 new denials\n")
    assert err.startswith("rolewatch: cannot read trail/2\\x1b.json.gz: ")
    assert "2 times, first " in ask("failed")[1]
    made.write(here / "trail" / "2\x1b.json.gz", made.denial(7, resource="b2"), made.record(8))
    name = json.loads(ask("failed", "--format", "json")[1])["failed"][0]["id"]
    status, out, err = ask("retry", name, "--format", "json")
    assert (status, err) == (0, "")
    report = json.loads(out)
    assert report | {"deliveries": None} == {
        "deliveries": None,
        "read": 1,
        "unread": 0,
        "records": 2,
        "denials": 1,
    }
    assert report["deliveries"][0]["reason"] is None
    assert ask("failed")[1] == "no deliveries failed\n"
    assert ask("retry")[1] == "0 of 0 deliveries read: 0 records, 0 new denials\n"
    listed = json.loads(call("findings", "list", "--format", "json", "--state", "state")[1])["findings"]
    assert sorted(finding["resource"].rpartition(":")[2] for finding in listed) == ["b1", "b2"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("failed", "x"), "takes no NAME"),
        (("retry", "nobody"), "no delivery that failed is called 'nobody'"),
        (("forget",), "forget"),
    ],
)
def test_what_makes_no_sense(ask, words, message):
    """It is said with status 2."""
    status, out, err = ask(*words)
    assert (status, out) == (2, "")
    assert message in err


def test_no_state_is_said(call, here):
    """Where nobody has watched there is nothing to list."""
    status, _, err = call("deliveries", "failed", "--state", "nowhere")
    assert (status, "holds no state yet" in err) == (4, True)
    assert not (here / "nowhere").exists()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_beside_a_watcher_that_runs(tmp_path, request, database, call, receiver):
    """The watcher goes on, and tells people by its own settings of what was read again, and of its end."""
    place = (
        str(tmp_path / "state") if database == "sqlite" else request.getfixturevalue("postgres").database()
    )
    with Daemon(tmp_path, "--notify", receiver.url, "--settle", "1s", state=place) as daemon:
        daemon.wait("backlog through")
        broken = tmp_path / "trail" / "2.json.gz"
        whole = made.write(
            tmp_path / "whole.json.gz", made.denial(7, resource="b2", eventTime=stamp(minutes=2))
        )
        broken.write_bytes(whole.read_bytes()[:10] + b"\xff" * (whole.stat().st_size - 10))
        daemon.wait("delivery failed")
        repair(broken, whole.read_bytes())
        assert call("deliveries", "retry", "--state", place)[0] == 0
        (body,) = receiver.wait(1)
        assert (body["kind"], body["findings"][0]["resource"]) == ("blocked", "arn:aws:s3:::b2")
        later = [
            made.record(50, resource="b2", eventTime=stamp(seconds=30)),
            made.record(51, eventTime=stamp()),
        ]
        made.write(tmp_path / "trail" / ".3", *later)
        (tmp_path / "trail" / ".3").rename(tmp_path / "trail" / "3.json")
        assert receiver.wait(2)[1]["kind"] == "recovered"
        daemon.signal(signal.SIGTERM)
        assert daemon.ended() == 0


def repair(path, data):
    """Write other content of the same size in place, so that it is no new delivery to a watcher."""
    found = path.stat()
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
