"""A queue in trouble: what is no notice, what AWS refuses, what is received again."""

import json
import random
import threading

import pytest
from queues import Eager, follow, notice, setting  # noqa: F401 - fixtures among them

from faults import Broken, Slow, refusal
from following import Failing, Memory, drain, names, persistent, until
from rolewatch.base import aws
from rolewatch.base.errors import CannotDo, SourceError
from rolewatch.sources import live_held
from rolewatch.sources.live_queue import Queue, queue


def test_a_backlog_is_received_many_at_a_time(setting, follow, faults, memory):
    """Several requests in a row fill a batch, each message once; deletions are batched."""
    keys = [f"k{number:03}" for number in range(60)]
    setting.put(*keys)
    setting.send(*(notice(setting.bucket, key) for key in keys))
    source = follow()
    first = source.arrivals(1)
    assert len(first) == 60
    memory.commit(source, first)
    assert drain(source, memory) == []
    source.close()
    assert (sorted(memory.given), setting.left()) == (setting.objects(*keys), (0, 0))
    assert len(faults.sent("DeleteMessageBatch")) <= 7


@pytest.mark.parametrize(
    "word",
    [
        "sqs://{name}",
        "sqs://{url}",
        "sqs://{arn}",
        "sqs://{name}?region=us-east-1",
        "sqs://{url}?region=us-east-1",
    ],
)
def test_a_queue_is_named_in_several_ways(setting, follow, word):
    """By its name, its URL or its ARN."""
    setting.put("x")
    setting.send(notice(setting.bucket, "x"))
    source = follow(word.format(name=setting.name, url=setting.url, arn=setting.arn))
    assert names(source.arrivals(1)) == setting.objects("x")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("sqs://q", Queue("q", "", "", "", frozenset())),
        (
            "sqs://q.fifo?region=eu-west-1&bucket=b&bucket=c",
            Queue("q.fifo", "", "", "eu-west-1", frozenset("bc")),
        ),
        (
            "sqs://https://sqs.eu-west-1.amazonaws.com/123456789012/q",
            Queue("q", "https://sqs.eu-west-1.amazonaws.com/123456789012/q", "", "eu-west-1", frozenset()),
        ),
        (
            "sqs://https://sqs.eu-west-1.amazonaws.com/123456789012/q?region=us-east-1",
            Queue("q", "https://sqs.eu-west-1.amazonaws.com/123456789012/q", "", "us-east-1", frozenset()),
        ),
        (
            "sqs://arn:aws-cn:sqs:cn-north-1:123456789012:q",
            Queue("q", "", "123456789012", "cn-north-1", frozenset()),
        ),
    ],
)
def test_words_for_queues(word, expected):
    """The region comes from the word where it says one."""
    assert expected == queue(word)


@pytest.mark.parametrize(
    "word", ["sqs://", "sqs://a b", "sqs://a/b", "sqs://q?endpoint=x", "sqs://arn:aws:sns:x"]
)
def test_words_that_cannot_be_queues(word):
    """They are refused before anything is asked."""
    with pytest.raises(SourceError, match="sqs://"):
        queue(word)


def test_a_queue_that_does_not_exist_is_said_at_once(setting, follow):
    """Exit status 2, with the region that was asked."""
    del setting
    with pytest.raises(SourceError) as caught:
        follow("sqs://no-such-queue")
    assert caught.value.message == "sqs://no-such-queue: no such queue in us-east-1"


def test_without_credentials_it_is_said_at_once(follow, monkeypatch):
    """Exit status 4, with what to do."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(CannotDo, match=r"cannot receive from sqs://.*credentials"):
        follow()


def test_a_refusal_at_the_start_is_said_at_once(follow, faults):
    """A permission that is missing does not come by waiting."""
    faults.fail("ReceiveMessage", refusal("AccessDenied", 403))
    with pytest.raises(CannotDo, match=r"cannot receive from sqs://.*AccessDenied: because"):
        follow()


@pytest.mark.parametrize(
    "fault",
    [
        refusal("RequestThrottled"),
        refusal("InternalFailure", 500),
        refusal("AccessDenied", 403),
        Broken(served=False),
    ],
)
def test_trouble_is_told_once_and_tried_again(setting, follow, faults, told, fault):
    """Throttling, failures, a broken connection and a refusal later on: nothing is raised, nothing is lost."""
    source = follow()
    setting.put("x")
    setting.send(notice(setting.bucket, "x"))
    faults.fail("ReceiveMessage", fault, fault)
    assert names(until(source, lambda found: found)) == setting.objects("x")
    assert len(told.all) == 1
    assert told.reasons[0].startswith("receiving failed, and is tried again: ")


def test_a_network_that_is_down_at_the_start_is_told(setting, follow, faults, told):
    """The queue is followed when it is there."""
    setting.put("x")
    setting.send(notice(setting.bucket, "x"))
    faults.fail("GetQueueUrl", Broken(served=False))
    source = follow()
    assert len(told.all) == 1
    assert not source.drained
    assert names(until(source, lambda found: found)) == setting.objects("x")


def test_an_answer_that_is_lost_leaves_its_messages_to_come_again(setting, follow, faults):
    """SQS gave them out, nobody got them: they are visible again when their time has run out."""
    setting.put("x")
    setting.send(notice(setting.bucket, "x"))
    source = follow(visibility=1)
    # The first request of all was that of the start, so the message is held; give it back and lose it on its way.
    source.close()
    faults.fail("ReceiveMessage", Broken(served=True))
    assert names(until(follow(visibility=1), lambda found: found)) == setting.objects("x")


def test_deletions_that_fail_are_tried_again(setting, follow, faults, memory, told):
    """As a whole, in part, and where the answer was lost."""
    keys = [f"k{number}" for number in range(4)]
    setting.put(*keys)
    setting.send(*(notice(setting.bucket, key) for key in keys))
    partly = {
        "Successful": [],
        "Failed": [{"Id": str(n), "Code": "InternalError", "SenderFault": False} for n in range(4)],
    }
    faults.fail(
        "DeleteMessageBatch",
        refusal("RequestThrottled"),
        refusal("x")._replace(status=200, body=json.dumps(partly).encode()),
        Broken(served=True),
    )
    source = follow()
    assert len(drain(source, memory)) == 4
    faults.wait_for("DeleteMessageBatch", 4)
    source.close()
    assert setting.left() == (0, 0)
    assert "deleting 4 messages failed, and is tried again: InternalError: None" in told.reasons


def test_s3_that_cannot_be_asked_makes_a_message_wait(setting, follow, faults, told, monkeypatch):
    """A notice without sizes is held until S3 answers, and then given."""
    monkeypatch.setattr(aws, "ATTEMPTS", 1)
    setting.put("x")
    setting.send({"s3Bucket": setting.bucket, "s3ObjectKey": ["x"]})
    faults.fail("HEAD", refusal("InternalError", 503), refusal("InternalError", 503))
    source = follow()
    arrivals = until(source, lambda found: found)
    assert setting.objects("x") == names(arrivals)
    assert arrivals[0].delivery.size == 7
    assert setting.left() == (0, 1)
    assert len(told.all) == 1


def test_a_slow_answer_does_not_keep_it_from_being_closed(setting, follow, faults):
    """What arrives after the end is given back at once."""
    source = follow()
    setting.put("x")
    setting.send(notice(setting.bucket, "x"))
    slow = Slow(threading.Event())
    faults.fail("ReceiveMessage", slow)
    found = []
    thread = threading.Thread(target=lambda: found.extend(source.arrivals(1)))
    thread.start()
    faults.wait_for("ReceiveMessage", 2)
    source.close()
    slow.until.set()
    thread.join()
    assert found == []
    assert setting.left() == (1, 0)


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_or_given_twice_whatever_fails(setting, follow, faults, monkeypatch, seed):
    """Watchers are killed at random between what they do, and a fifth of AWS's answers go wrong."""
    monkeypatch.setattr(live_held, "Backoff", Eager)
    monkeypatch.setattr("rolewatch.sources.live_queue.Backoff", Eager)
    chance = random.Random(seed)
    memory = Memory()
    keys = [f"k{number:03}" for number in range(80)]
    setting.put(*keys)
    setting.send(*(notice(setting.bucket, *keys[start : start + 4]) for start in range(0, 80, 4)))
    setting.send(*(notice(setting.bucket, key) for key in keys[::8]))
    wrong = [
        refusal("RequestThrottled"),
        refusal("InternalFailure", 500),
        Broken(served=True),
        Broken(served=False),
    ]
    faults.fault = lambda _: chance.choice(wrong) if chance.random() < 0.2 else None
    for _ in range(400):
        source = follow(memory=memory, visibility=1)
        for _ in range(chance.randrange(1, 4)):
            arrivals = source.arrivals(0)
            if chance.random() < 0.6:
                memory.commit(source, arrivals, acknowledge=chance.random() < 0.7)
        source.close()
        if setting.left() == (0, 0):
            break
    assert sorted(memory.given) == setting.objects(*keys)
    assert setting.left() == (0, 0)


def test_a_memory_that_fails_loses_nothing(setting, follow):
    """Nothing that was found meanwhile is lost or given twice."""
    keys = [f"k{number}" for number in range(25)]
    setting.put(*keys)
    setting.send(*(notice(setting.bucket, key) for key in keys))
    assert sorted(setting.objects(*keys)) == sorted(names(persistent(follow(memory=Failing()))))
