import json
import random
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from faults import Broken, s3_refusal
from following import Later, Memory, drain, names
from rolewatch.base import aws
from rolewatch.base.errors import CannotDo, SourceError
from rolewatch.sources import Window
from rolewatch.sources.live_s3 import BucketSource
from rolewatch.sources.places import bucket_of

ACCOUNT = "111122223333"
_numbers = count()


def key(ago=timedelta(), *, region="us-east-1", account=ACCOUNT, kind="CloudTrail", before=""):
    """Spell the key of an object that was delivered a while ago."""
    when = datetime.now(UTC) - ago
    file = f"{account}_{kind}_{region}_{when:%Y%m%dT%H%MZ}_{next(_numbers):016}.json.gz"
    return f"{before}AWSLogs/{account}/{kind}/{region}/{when:%Y/%m/%d}/{file}"


def minutes(number):
    """Spell a span."""
    return timedelta(minutes=number)


@pytest.fixture
def follow(faults, bucket, memory, told):
    """Give a function that follows the bucket by clocks that wait for nobody."""
    del faults

    def make(prefix="AWSLogs/", *, memory=memory, window=Window(), time=None):  # noqa: B008 - a window is immutable
        place = bucket_of(f"s3://{bucket.name}/{prefix}")
        return BucketSource(*place, memory, told, window=window, interval=30, time=time or Later())

    return make


@pytest.fixture
def bucket(s3, make_bucket, monkeypatch):
    """Make a bucket that is reached through the proxy."""
    del s3
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    return make_bucket(f"polled-{next(_numbers)}")


@pytest.fixture
def once(monkeypatch):
    """Let boto3 try each request once."""
    monkeypatch.setattr(aws, "ATTEMPTS", 1)


def listed(faults):
    """Tell what was listed: (prefix, after which key, whether only one level)."""
    found = []
    for request in faults.requests:
        query = parse_qs(urlsplit(request.path).query)
        if "list-type" in query and query.get("max-keys") != ["1"]:
            found.append([query.get(name, [""])[0] for name in ("prefix", "start-after", "delimiter")])
    return found


def test_the_backlog_comes_first_and_then_what_is_new(follow, bucket, memory):
    """The first sweep gives all of the layout in the order of time; what a poll finds comes after it."""
    old = [key(timedelta(days=400)), key(timedelta(days=40)), key(minutes(5))]
    bucket.put(*reversed(old))
    bucket.put(key(kind="CloudTrail-Digest"), f"AWSLogs/{ACCOUNT}/Config/x.json.gz")
    source = follow()
    expected = [f"s3://{bucket.name}/{each}" for each in old]
    assert expected == names(drain(source, memory))
    new = key()
    bucket.put(new)
    assert names(source.arrivals(31)) == [f"s3://{bucket.name}/{new}"]


def test_a_delivery_is_what_a_listing_gives(follow, bucket):
    """Its mark is the identity by which a scan knows it too."""
    bucket.put(key(), body=b"records")
    (arrival,) = drain(follow())
    assert (arrival.delivery.read(), arrival.delivery.size) == (b"records", 7)
    assert (arrival.delivery.identity,) == arrival.marks


def test_a_poll_lists_two_hours_of_each_region(follow, bucket, memory, faults):
    """One request for each region, from two hours before the last poll on, and one for each level above."""
    bucket.put(key(minutes(5)), key(minutes(5), region="eu-west-1"))
    source = follow()
    drain(source, memory)
    faults.requests.clear()
    assert source.arrivals(31) == []
    kind = f"AWSLogs/{ACCOUNT}/CloudTrail/"
    levels, regions = listed(faults)[:3], listed(faults)[3:]
    assert [["AWSLogs/", "", "/"], [f"AWSLogs/{ACCOUNT}/", "", "/"], [kind, "", "/"]] == levels
    for (prefix, after, delimiter), region in zip(regions, ("eu-west-1", "us-east-1"), strict=True):
        since = datetime.now(UTC) - timedelta(hours=2)
        ago = (since - minutes(1), since)
        allowed = [
            f"{kind}{region}/{each:%Y/%m/%d}/{ACCOUNT}_CloudTrail_{region}_{each:%Y%m%dT%H%M}" for each in ago
        ]
        assert (prefix, delimiter) == (f"{kind}{region}/", "")
        assert after in allowed


def test_an_object_that_comes_late_is_found_by_the_next_poll(follow, bucket, memory):
    """By up to two hours: names within a minute are random, and deliveries are tried again."""
    bucket.put(key(minutes(1)))
    source = follow()
    drain(source, memory)
    late = key(minutes(115))
    bucket.put(late)
    assert names(source.arrivals(31)) == [f"s3://{bucket.name}/{late}"]


def test_an_object_that_comes_later_still_is_found_by_the_sweep(follow, bucket, memory):
    """Once a day the last 31 days are listed again."""
    bucket.put(key(minutes(1)))
    time = Later()
    source = follow(time=time)
    drain(source, memory)
    late, too_late = key(timedelta(days=30)), key(timedelta(days=33))
    bucket.put(late, too_late)
    assert source.arrivals(31) == []
    time.passed += 86_400
    assert names(drain(source, memory)) == [f"s3://{bucket.name}/{late}"]


def test_a_successor_goes_on_from_the_note(follow, bucket, memory, faults):
    """It gives what came meanwhile, nothing that was done, and lists no more than a poll does."""
    bucket.put(key(timedelta(days=50)), key(minutes(9)))
    drain(follow(), memory)
    note = json.loads(memory.notes[f"s3://{bucket.name}/AWSLogs/"])
    assert (note["version"], set(note["rounds"])) == (1, {"poll", "sweep"})
    new = key()
    bucket.put(new)
    memory.marks.clear()  # the cursor alone keeps away what is older than two hours
    faults.requests.clear()
    source = follow()
    assert [new] == [each.delivery.key for each in drain(source) if each.delivery.key == new]
    assert all(after for _, after, delimiter in listed(faults) if not delimiter)


def test_a_note_never_says_more_than_what_was_done(follow, bucket, memory):
    """What was given and not committed is given again, whatever was listed and committed after it."""
    bucket.put(key(timedelta(days=3)))
    source = follow()
    (stuck,) = drain(source)
    for number in range(3):
        bucket.put(key())
        (new,) = source.arrivals(31 + number)
        memory.commit(source, [new])
    assert source.note() is None
    again = follow()
    assert [stuck.delivery.name] == names(drain(again, memory))
    again.close()


def test_a_backlog_that_broke_off_is_taken_up_where_it_was(follow, bucket, memory, faults, monkeypatch):
    """A successor lists neither the folders that were through nor the keys before the last ones that were done."""
    monkeypatch.setattr("rolewatch.sources.live_polled.BATCH", 5)
    regions = ["eu-west-1", "sa-east-1", "us-east-1"]
    keys = [key(timedelta(days=60) - minutes(n), region=region) for region in regions for n in range(10)]
    bucket.put(*keys)
    source = follow()
    for _ in range(4):
        memory.commit(source, source.arrivals(1))
    memory.commit(source, source.arrivals(1))
    memory.commit(source, [])
    assert len(memory.given) == 25
    faults.requests.clear()
    monkeypatch.setattr("rolewatch.sources.live_polled.BATCH", 100)
    drain(follow(), memory)
    kind = f"AWSLogs/{ACCOUNT}/CloudTrail/"
    first = [each for each in listed(faults) if not each[2]][:2]
    assert [[f"{kind}sa-east-1/", keys[19], ""], [f"{kind}us-east-1/", "", ""]] == first
    assert memory.given == [f"s3://{bucket.name}/{each}" for each in keys]


def test_the_window_says_where_the_backlog_begins(follow, bucket):
    """Accounts and regions narrow it as well."""
    inside, other, old = key(timedelta(days=2)), key(region="eu-west-1"), key(timedelta(days=9))
    bucket.put(inside, other, old)
    since = datetime.now(UTC) - timedelta(days=3)
    source = follow(window=Window(since, regions=frozenset({"us-east-1"})))
    assert names(drain(source)) == [f"s3://{bucket.name}/{inside}"]


def test_an_account_that_is_new_needs_no_restart(follow, bucket, memory):
    """Each poll looks which folders there are."""
    bucket.put(key())
    source = follow()
    drain(source, memory)
    new = key(account="444455556666", region="ap-south-1")
    bucket.put(new)
    assert names(source.arrivals(31)) == [f"s3://{bucket.name}/{new}"]


def test_objects_outside_of_the_layout_are_found_by_their_time(follow, bucket, memory):
    """Names that say nothing are all listed, and only what is new is given."""
    bucket.put("flat/b.json")
    source = follow("flat/")
    assert names(drain(source, memory)) == [f"s3://{bucket.name}/flat/b.json"]
    bucket.put("flat/a.json", "flat/b.json")
    asked = memory.asked
    assert names(source.arrivals(31)) == [f"s3://{bucket.name}/flat/a.json"]
    assert memory.asked == asked + 2


def test_an_object_that_was_replaced_is_another_delivery(follow, bucket, memory):
    """Its ETag is another one."""
    bucket.put("flat/a.json")
    source = follow("flat/")
    drain(source, memory)
    bucket.put("flat/a.json", body=b"other")
    assert len(source.arrivals(31)) == 1


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


def resident():
    """Return how many bytes of memory this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


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
