"""A bucket that is polled: nothing is given twice, and what comes late is found."""

import json
from datetime import UTC, datetime, timedelta

from buckets import ACCOUNT, bucket, follow, key, listed, minutes  # noqa: F401 - fixtures among them

from following import Later, drain, names
from rolewatch.sources import Window


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


def test_an_object_arrived_when_it_was_written(follow, bucket):
    """What its name says may be long before: it is a copy, or CloudTrail could not deliver it."""
    old = key(timedelta(days=20))
    bucket.put(old)
    (arrival,) = drain(follow())
    written = bucket.client.head_object(Bucket=bucket.name, Key=old)["LastModified"]
    assert written.timestamp() == arrival.delivery.arrived()


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
