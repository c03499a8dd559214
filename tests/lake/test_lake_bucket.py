"""A lake in S3, as moto makes it: of two writers at once one begins again, and each record is there once."""

import subprocess
import sys
from datetime import date

import pytest

from lakes import Clock, filled, ids, lake_at, over_lake, record, staged, write
from rolewatch.base.errors import CannotDo
from rolewatch.lake.compact import compact
from rolewatch.lake.info import info
from rolewatch.lake.ledger import digest
from rolewatch.lake.place import MANIFEST
from rolewatch.scan import pool


@pytest.fixture
def place(bucket):
    """Name a prefix of an empty bucket."""
    return f"s3://{bucket.name}/some/lake"


@pytest.fixture
def clock():
    """Give a clock to put forward."""
    return Clock()


@pytest.fixture
def lake(place, clock):
    """Open a lake that is not there yet."""
    lake = lake_at(place, clock)
    yield lake
    lake.place.close()


def keys(bucket):
    """Give the keys of a bucket."""
    return [each["Key"] for each in bucket.client.list_objects_v2(Bucket=bucket.name).get("Contents", ())]


def test_ingest_and_query(place, bucket, tmp_path):
    """Deliveries go into a bucket, once; queries, info and the care of a lake are as in a folder."""
    for day in (1, 2):
        write(tmp_path, f"{day}.json.gz", *(record(number, day) for number in range(30)))
    lake, first = filled(place, tmp_path)
    _, second = filled(place, tmp_path)
    assert (first["records_added"], second["records_added"], second["totals"]["known"]) == (60, 0, 2)
    assert over_lake("stats count(*) by eventName | sort eventName", lake).rows == [("GetObject", 20.0), ("HeadBucket", 20.0), ("PutObject", 20.0)]  # fmt: skip
    told = info(lake)
    assert (told["records"], told["files"], told["deliveries"], told["unreadable"]) == (60, 2, 2, [])
    assert all(key.startswith(("some/lake/records/", "some/lake/deliveries/", "some/lake/manifest/")) for key in keys(bucket))  # fmt: skip


def test_ingest_by_machines_that_share_no_disk(place, bucket, tmp_path):
    """Each puts its files into the bucket itself; what of them is there already is written again without it."""
    for name in ("first", "second", "again"):
        numbers = range(20, 40) if name == "second" else range(30)
        write(tmp_path / name, "a.json.gz", *map(record, numbers))
    lake, first = filled(place, tmp_path / "first", elsewhere=pool.fold)
    _, second = filled(place, tmp_path / "second", elsewhere=pool.fold)
    _, third = filled(place, tmp_path / "again", elsewhere=pool.fold)
    assert [each["records_added"] for each in (first, second, third)] == [30, 10, 0]
    assert [each["duplicates"] for each in (first, second, third)] == [0, 10, 30]
    assert len(ids(lake)) == len(set(ids(lake))) == 40
    head, parts = lake.manifest().head, lake.manifest().parts
    listed = {each.path for each in (*head.retired, *parts)}
    assert {key.removeprefix("some/lake/") for key in keys(bucket) if "/records/" in key} == listed


def test_compact_expire_tidy(lake, bucket, clock):
    """Merged and expired files go after an hour."""
    for number in range(4):
        lake.commit(staged(lake, record(number), record(number, 2)), [])
    assert compact(lake, today=date(2026, 3, 20), everything=True) == (8, 2)
    lake.expire(date(2026, 3, 2))
    assert len(ids(lake)) == 4
    assert len([key for key in keys(bucket) if "/records/" in key]) == 10
    assert lake.tidy() == 0
    clock.pass_by(hours=1)
    assert lake.tidy() == 9
    assert [key for key in keys(bucket) if "/records/" in key] == [f"some/lake/{part.path}" for part in lake.manifest().parts]  # fmt: skip


def test_another_one_is_faster(lake, place, monkeypatch):
    """Who loses a race begins again with what the other one did; the same record of both is there once."""
    other = lake_at(place)
    read, raced = lake.place.manifest, []

    def slow():
        found = read()
        if len(raced) < 2:
            raced.append(True)
            other.commit(staged(other, record(1), record(len(raced) + 10)), [digest(f"other {len(raced)}")])
        return found

    monkeypatch.setattr(lake.place, "manifest", slow)
    assert lake.commit(staged(lake, record(1), record(3)), [digest("own")]) == (1, 1)
    monkeypatch.undo()
    assert len(ids(lake)) == len(set(ids(lake))) == 4
    assert all(name in lake.ledger() for name in ("own", "other 1", "other 2"))


@pytest.fixture
def forgetful(lake, monkeypatch):
    """Have the lake's next manifest written without an answer, so that the same request again is refused."""
    replace, lost = lake.place.replace, []

    def replaced(manifest, state):
        done = replace(manifest, state)
        if lost:
            return done
        lost.append(True)
        assert done
        return False

    monkeypatch.setattr(lake.place, "replace", replaced)
    return lost


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("shared", [False, True], ids=["uploaded by the commit", "uploaded before"])
def test_an_answer_that_was_lost(lake, shared):
    """A commit that S3 took without saying so is one commit: nothing is taken for a copy of itself and removed."""
    files = staged(lake, record(1), record(2))
    if shared:
        for path, part in files:
            lake.place.put(path, part.path)
        files = [each._replace(path=None) for each in files]
    assert lake.commit(files, [digest("x")]) == (2, 0)
    assert (lake.manifest().head.revision, len(ids(lake)), "x" in lake.ledger()) == (1, 2, True)


def test_a_lost_answer_to_a_merge(lake, request):
    """A merge that S3 took without saying so counts, and its file stays."""
    for number in range(3):
        lake.commit(staged(lake, record(number)), [])
    request.getfixturevalue("forgetful")
    assert compact(lake, today=date(2026, 3, 20), everything=True) == (3, 1)
    assert (len(ids(lake)), len(lake.manifest().parts)) == (3, 1)


def test_a_lost_answer_to_an_expiry(lake, request):
    """What S3 took out without saying so is out, and that is no error."""
    lake.commit(staged(lake, record(1), record(2, day=2)), [])
    request.getfixturevalue("forgetful")
    lake.expire(date(2026, 3, 2))
    assert [part.day for part in lake.manifest().parts] == ["2026-03-02"]


@pytest.mark.slow
def test_two_processes_at_once(place, tmp_path):
    """Commands that ingest the same deliveries into one bucket at the same time end well, and each record is there once."""
    for number in range(6):
        write(
            tmp_path, f"{number}.json.gz", *(record(number * 20 + each, number % 2 + 1) for each in range(30))
        )
    words = [sys.executable, "-m", "rolewatch", "ingest", str(tmp_path), "--lake", place]
    running = [subprocess.Popen(words, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [each.wait(60) for each in running] == [0, 0, 0]
    found = ids(lake_at(place))
    assert len(found) == len(set(found)) == len({(number % 2, number * 20 + each) for number in range(6) for each in range(30)})  # fmt: skip


def test_a_merge_of_what_another_one_merged(lake, place):
    """Of two merges of the same files one counts."""
    for number in range(3):
        lake.commit(staged(lake, record(number)), [])
    parts = lake.manifest().parts
    other = lake_at(place)
    assert compact(other, today=date(2026, 3, 20), everything=True) == (3, 1)
    assert not lake.swap(parts, staged(lake, *map(record, range(3))))
    assert len(ids(lake)) == 3


def test_the_first_manifest(lake, place):
    """Two that make the same lake make one."""
    other = lake_at(place)
    assert lake.place.replace(b"mine", None)
    assert not other.place.replace(b"other", None)
    content, state = other.place.manifest()
    assert content == b"mine"
    assert not other.place.replace(b"other", '"0"')
    assert other.place.replace(b"other", state)


def test_what_is_wrong(lake, bucket):
    """Objects that are gone, cut off, damaged or foreign are named; the others are asked."""
    for day in (1, 2, 3, 4):
        lake.commit(staged(lake, record(1, day)), [])
    first, second, third, _ = (f"some/lake/{part.path}" for part in lake.manifest().parts)
    bucket.client.delete_object(Bucket=bucket.name, Key=first)
    bucket.put(second, body=b"short")
    body = bytearray(bucket.client.get_object(Bucket=bucket.name, Key=third)["Body"].read())
    body[len(body) // 2] ^= 1
    bucket.put(third, body=bytes(body))
    bucket.put("some/lake/records/x", body=b"")
    bucket.put("some/lake/recordsx", "some/other", body=b"")
    found = over_lake("stats count(*), max(@message), " + ", ".join(f"max({name})" for name in ("eventID", "eventName", "awsRegion", "eventSource", "recipientAccountId", "userIdentity.type")), lake)  # fmt: skip
    named = [name.removeprefix("records/day=")[:10] for name, _ in found.unreadable]
    assert named[:2] == ["2026-03-01", "2026-03-02"]
    assert named[-1] == "records/x"
    assert {each["file"][12:22] for each in info(lake)["unreadable"]} == {"2026-03-01", "2026-03-02", ""}


def test_no_bucket(s3):
    """A bucket that is not there is an error with its name."""
    del s3
    lake = lake_at("s3://no-such-bucket-at-all/lake")
    with pytest.raises(CannotDo, match="no-such-bucket-at-all"):
        lake.commit([], [digest("x")])


def test_no_lake(lake, bucket):
    """Where there is none, that is told; nothing is made by asking."""
    with pytest.raises(CannotDo, match="there is no lake"):
        lake.manifest()
    assert len(lake.ledger()) == 0
    assert keys(bucket) == []


def test_a_bucket_of_its_own(bucket):
    """Without a prefix the lake is the bucket."""
    lake = lake_at(f"s3://{bucket.name}")
    lake.commit(staged(lake, record(1)), [])
    assert MANIFEST in keys(bucket)
    assert len(ids(lake)) == 1
    lake.place.close()


def test_nothing_is_left_on_this_machine(lake, tmp_path, monkeypatch):
    """Temporary folders go when they are of no use any more."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    lake.commit(staged(lake, record(1)), [digest("x")])
    over_lake("stats count(*)", lake)
    assert list(tmp_path.iterdir()) == [lake.place.staging()]
    lake.place.close()
    assert list(tmp_path.iterdir()) == []
