"""Days on which nothing goes right, with real processes: a watcher loses nothing, says what is wrong, and goes on by itself."""

import json
import os
import resource
import signal
from pathlib import Path

import boto3
import pytest
from watchers import Daemon, Receiver, write

from rolewatch.store import deliveries, findings
from rolewatch.store.state import State


@pytest.fixture
def receiver():
    """Start a receiver of webhooks."""
    made = Receiver()
    yield made
    made.close()


def denials(place):
    """Give the denials of each resource as the state has them."""
    state = State(place)
    rows = state.read(lambda connection: list(findings.with_status(connection, ("blocked",))))
    counters = state.read(deliveries.counters)
    state.close()
    return {row.resource.rpartition(":")[2] for row in rows}, counters["denials"]


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_database_that_goes_and_comes_back(tmp_path, postgres, receiver, mode):
    """While PostgreSQL is stopped, deliveries wait; then they are taken, and people are told, without anybody's help."""
    place = postgres.database()
    write(tmp_path, "0.json.gz", "b0")
    with Daemon(tmp_path, "--notify", receiver.url, "--metrics", "0", state=place) as daemon:
        daemon.wait("backlog through")
        receiver.wait(1)
        postgres.stop(mode)
        try:
            write(tmp_path, "1.json.gz", "b1", number=10)
            trouble = daemon.wait("trouble", where="state")
            assert "check that PostgreSQL runs" in trouble["reason"]
            write(tmp_path, "2.json.gz", "b2", number=20)
        finally:
            postgres.start()
        write(tmp_path, "3.json.gz", "b3", number=30)
        kinds = [body["kind"] for body in receiver.wait(2)]
        told = set()
        while len(told) < 4:
            bodies = receiver.wait(len(kinds))
            kinds = [body["kind"] for body in bodies] + ["one more"]
            told = {finding["resource"].rpartition(":")[2] for body in bodies for finding in body["findings"]}
        daemon.signal(signal.SIGTERM)
        assert daemon.ended() == 0
    assert denials(place) == ({"b0", "b1", "b2", "b3"}, 4)
    assert len({body["id"] for body in receiver.bodies}) == len(receiver.bodies)


def test_it_ends_also_while_the_database_is_away(tmp_path, postgres):
    """With status 0; what was not committed is given back, and the next one takes it."""
    place = postgres.database()
    with Daemon(tmp_path, state=place) as daemon:
        daemon.wait("backlog through")
        postgres.stop("immediate")
        try:
            write(tmp_path, "1.json.gz", "b1")
            daemon.wait("trouble", where="state")
            daemon.signal(signal.SIGTERM)
            assert daemon.ended() == 0
        finally:
            postgres.start()
    with Daemon(tmp_path, "--once", state=place) as daemon:
        assert daemon.ended() == 0
    assert denials(place) == ({"b1"}, 1)


def test_a_disk_without_room(tmp_path, receiver):
    """A commit that finds none is made again until there is room; nothing is lost or counted twice, and people are told."""
    with Daemon(tmp_path, "--notify", receiver.url) as daemon:
        daemon.wait("backlog through")
        size = (tmp_path / "state" / "state.db-wal").stat().st_size
        _, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (size, hard))
        write(tmp_path, "1.json.gz", *(f"b{number}" for number in range(40)))
        trouble = daemon.wait("trouble", where="state")
        assert "the work goes on by itself" in trouble["reason"]
        assert daemon.process.poll() is None
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        (body,) = receiver.wait(1)
        assert len(body["findings"]) == 40
        daemon.signal(signal.SIGTERM)
        assert daemon.ended() == 0
    found, number = denials(str(tmp_path / "state"))
    assert (len(found), number) == (40, 40)


def children(process):
    """Give the processes that a process has started, without those that have ended."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [each for each in found if alive(each)]


def alive(process):
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def test_processes_that_read_end_with_the_watcher(tmp_path):
    """Where it is killed, nobody is left behind that would wait for ever for something to read."""
    for number in range(20):
        write(tmp_path, f"{number}.json.gz", f"b{number}", number=number, userAgent=os.urandom(200_000).hex())
    with Daemon(tmp_path, "--jobs", "2") as daemon:
        while len(started := children(daemon.process.pid)) < 2:  # one, and the one that keeps track of it
            assert daemon.process.poll() is None
        daemon.process.kill()
        while any(map(alive, started)):
            pass
    with Daemon(tmp_path, "--once") as daemon:
        assert daemon.ended() == 0
        assert daemon.lines[-1]["blocked"] == 20


def test_what_was_not_done_is_given_back_to_the_queue(tmp_path, postgres, moto_url):
    """A message whose objects could not be committed is there for others at once, not after its time has run out."""
    place = postgres.database()
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    s3, sqs = (session.client(name, endpoint_url=moto_url) for name in ("s3", "sqs"))
    s3.create_bucket(Bucket="bad-days")
    queue = sqs.create_queue(QueueName="bad-days")["QueueUrl"]
    environ = {
        "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": moto_url, "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1",
    }  # fmt: skip
    with Daemon(tmp_path, source="sqs://bad-days", state=place, environ=environ) as daemon:
        daemon.wait("backlog through")
        postgres.stop("immediate")
        try:
            write(tmp_path, "1.json", "b1")
            body = (tmp_path / "trail" / "1.json").read_bytes()
            s3.put_object(Bucket="bad-days", Key="1.json", Body=body)
            named = {
                "bucket": {"name": "bad-days"},
                "object": {"key": "1.json", "size": len(body), "eTag": "0" * 32},
            }
            record = {
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "awsRegion": "us-east-1",
                "s3": named,
            }
            sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"Records": [record]}))
            while counts(sqs, queue) != (0, 1):
                pass
            daemon.signal(signal.SIGTERM)
            assert daemon.ended() == 0
            assert counts(sqs, queue) == (1, 0)
        finally:
            postgres.start()
    with Daemon(tmp_path, "--once", source="sqs://bad-days", state=place, environ=environ) as daemon:
        assert daemon.ended() == 0
    assert (denials(place), counts(sqs, queue)) == (({"b1"}, 1), (0, 0))
    for client in (s3, sqs):
        client.close()


def counts(sqs, queue):
    """Count the messages that are visible, and those that somebody holds."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return tuple(int(found[name]) for name in names)
