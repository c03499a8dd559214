"""A bucket in trouble: polls that fail, backlogs that are interrupted, memory that fails."""

import random
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from buckets import ACCOUNT, bucket, follow, key, listed, minutes, once, resident  # noqa: F401 - fixtures among them

from faults import Broken, s3_refusal
from following import Failing, Later, Memory, drain, names, persistent
from rolewatch.base import aws
from rolewatch.base.errors import CannotDo, SourceError
from rolewatch.sources import Window
from rolewatch.sources.live_s3 import BucketSource


def test_what_is_given_is_not_given_again_before_it_is_done(follow, bucket):
    """A poll meets it again."""
    bucket.put(key())
    source = follow()
    assert len(drain(source)) == 1
    assert source.arrivals(100) == []


def test_clocks_that_jump_lose_nothing(follow, bucket, memory):
    """The cursor is S3's time, not this machine's."""

    class Wrong(Later):
        def now(self):
            return super().now() + self.wrong

    time = Wrong()
    time.wrong = timedelta(days=700)
    bucket.put(key(minutes(3)))
    source = follow(time=time)
    drain(source, memory)
    bucket.put(key(minutes(100)))
    assert len(source.arrivals(31)) == 1
    time.wrong = timedelta(days=-700)
    bucket.put(key(minutes(100)))
    assert len(source.arrivals(31)) == 1
    time.passed += 86_400
    bucket.put(key(timedelta(days=20)))
    assert len(drain(source)) == 1


@pytest.mark.parametrize(
    "fault",
    [s3_refusal("SlowDown", 503), s3_refusal("AccessDenied", 403), Broken(served=False), Broken(served=True)],
)
def test_a_poll_that_fails_is_told_and_tried_again(follow, bucket, memory, faults, told, fault, once):  # noqa: PLR0917 - fixtures
    """After pauses that grow; it lists what the failed one would have."""
    del once
    bucket.put(key())
    time = Later()
    source = follow(time=time)
    drain(source, memory)
    bucket.put(key())
    faults.fail("GET", fault, fault, fault)
    time.waited.clear()
    assert source.arrivals(29) == []
    assert len(source.arrivals(60)) == 1
    assert [round(each) for each in time.waited[-3:]] == [1, 2, 4]
    assert len(told.all) == 1
    assert not source.drained
    assert told.reasons[0].startswith("listing (poll) failed, and is tried again: ")


def test_a_listing_that_breaks_in_the_middle_is_made_again(follow, bucket, memory, faults, monkeypatch):
    """What was given before is not given twice, and the cursor stays until a poll is whole."""
    monkeypatch.setattr(aws, "ATTEMPTS", 1)
    bucket.put(key(minutes(30)))
    source = follow()
    drain(source, memory)
    before = memory.notes
    bucket.put(key(region="eu-west-1"), key())
    faults.fail("GET", *[None] * 4, s3_refusal("InternalError", 500))
    first = source.arrivals(31)
    memory.commit(source, first)
    assert [each.delivery.key.split("/")[3] for each in first] == ["eu-west-1"]
    assert before == memory.notes
    assert [each.delivery.key.split("/")[3] for each in source.arrivals(60)] == ["us-east-1"]


def test_a_prefix_that_is_denied_does_not_hide_the_others(follow, bucket, memory, faults, told):
    """It is told, and the poll is whole: the sweep finds what is there once it is allowed."""
    bucket.put(key(region="eu-west-1"), key())
    source = follow()
    drain(source, memory)
    new = key()
    bucket.put(key(region="eu-west-1"), new)
    faults.fail("GET", *[None] * 3, s3_refusal("AccessDenied", 403))
    assert names(source.arrivals(31)) == [f"s3://{bucket.name}/{new}"]
    assert source.arrivals(1) == []
    assert source.drained
    place = f"s3://{bucket.name}/AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/"
    assert [f"{place}: listing stopped: AccessDenied: because"] == told.reasons


def test_polls_keep_to_a_part_of_the_time(follow, bucket, memory):
    """A bucket that takes long to list is listed less often."""

    class Slow(Later):
        def monotonic(self):
            self.passed += 5
            return super().monotonic()

    bucket.put(key())
    time = Slow()
    source = follow(time=time)
    drain(source, memory)
    starts = [state for state in source._states if state.kind.name == "poll"]
    assert starts[0].spent > 10
    assert starts[0].due >= starts[0].began + 3 * starts[0].spent


def test_a_bucket_that_does_not_exist_is_said_at_once(faults, memory, told):
    """Exit status 2."""
    del faults
    with pytest.raises(SourceError, match="s3://no-such-bucket: no such bucket"):
        BucketSource("no-such-bucket", "", memory, told, window=Window(), interval=30)


def test_credentials_that_are_missing_are_said_at_once(follow, monkeypatch):
    """Exit status 4, with what to do."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(CannotDo, match=r"cannot list s3://.*credentials") as caught:
        follow()
    assert "AWS_PROFILE" in caught.value.remedy


def test_a_network_that_is_down_at_the_start_is_told(follow, bucket, faults, told, monkeypatch):
    """The bucket is followed when it can be reached."""
    monkeypatch.setattr(aws, "ATTEMPTS", 1)
    bucket.put(key())
    faults.fail("GET", Broken(served=False))
    source = follow()
    assert len(told.all) == 1
    assert len(drain(source)) == 1


def test_a_prefix_without_objects_is_told_and_followed(follow, bucket, told):
    """A trail's first delivery may be still to come, but a mistyped prefix must not look like a clean result."""
    source = follow("nothing/yet/")
    assert drain(source) == []
    assert told.reasons == ["no object has this prefix yet"]
    bucket.put("nothing/yet/x.json")
    assert len(source.arrivals(31)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_or_given_twice_by_kills(follow, bucket, monkeypatch, seed):
    """Watchers are killed at random between what they do, while objects arrive, some of them late."""
    chance = random.Random(seed)
    monkeypatch.setattr("rolewatch.sources.live_polled.BATCH", 7)
    memory = Memory()
    late = [0, 1, 50, 115]
    put = [key(timedelta(days=chance.randrange(60)), region=f"eu-west-{n % 3}") for n in range(40)]
    bucket.put(*put)
    for _ in range(12):
        source = follow(memory=memory)
        for _ in range(chance.randrange(1, 12)):
            arrivals = source.arrivals(chance.choice([0, 1, 31]))
            if memory.notes:  # the backlog has a beginning
                put.append(key(minutes(chance.choice(late)), region=f"eu-west-{chance.randrange(4)}"))
                bucket.put(put[-1])
            if chance.random() < 0.8:
                memory.commit(source, arrivals, acknowledge=chance.random() < 0.8)
        source.close()
    drain(follow(memory=memory), memory)
    assert sorted(f"s3://{bucket.name}/{each}" for each in put) == sorted(memory.given)


@pytest.mark.slow
def test_a_giant_backlog_takes_constant_memory(server, memory, told, monkeypatch):
    """A hundred thousand objects are listed as they are given, not before."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
    folder = f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/"
    item = "<Contents><Key>{}</Key><Size>1</Size><ETag>e</ETag><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"
    levels = {
        "": "AWSLogs/",
        "AWSLogs/": f"AWSLogs/{ACCOUNT}/",
        f"AWSLogs/{ACCOUNT}/": f"AWSLogs/{ACCOUNT}/CloudTrail/",
    }
    levels[f"AWSLogs/{ACCOUNT}/CloudTrail/"] = folder

    def answer(_method, path, _body):
        query = {name: value[0] for name, value in parse_qs(urlsplit(path).query).items()}
        if "delimiter" in query:
            found = f"<CommonPrefixes><Prefix>{levels[query.get('prefix', '')]}</Prefix></CommonPrefixes>"
            return 200, f"<ListBucketResult>{found}</ListBucketResult>".encode()
        page = int(query.get("continuation-token", 0))
        found = "".join(
            item.format(f"{folder}2026/01/01/{number:09}")
            for number in range(page * 1000, page * 1000 + 1000)
        )
        more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{page + 1}</NextContinuationToken>"
        return 200, f"<ListBucketResult>{found}{more if page < 99 else ''}</ListBucketResult>".encode()

    class Few(Memory):
        def commit(self, source, arrivals, *, acknowledge=True):
            self.number = getattr(self, "number", 0) + len(arrivals)
            assert acknowledge
            source.note()
            source.done(arrivals)

    server.answer = answer
    source = BucketSource("giant", "", memory, told, window=Window(), interval=30, time=Later())
    few = Few()
    for _ in range(20):
        few.commit(source, source.arrivals(1))
    before = resident()
    while few.number < 100_000:
        few.commit(source, source.arrivals(1))
        server.requests.clear()
        assert len(source._ready) <= 1000
    assert len(source._flight) == 0
    assert resident() < before + 16 * 1024 * 1024


def test_a_memory_that_fails_loses_nothing(follow, bucket):
    """Nothing that was found meanwhile is lost or given twice."""
    keys = [key(region=region) for region in ("eu-west-1", "us-east-1") for _ in range(3)]
    bucket.put(*keys)
    assert sorted(f"s3://{bucket.name}/{each}" for each in keys) == sorted(
        names(persistent(follow(memory=Failing())))
    )
