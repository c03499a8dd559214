"""A pool of processes finds what one process finds, and says so when one of them is lost."""

import gzip
import multiprocessing
import os
import threading
from functools import partial

import pytest
from loads import DENIED, OTHER, ROLE, content, delivery, record

from rolewatch.base.errors import CannotDo
from rolewatch.findings.build import followed
from rolewatch.scan import pool
from rolewatch.scan.detect import Detector, latest
from rolewatch.scan.pool import fold
from rolewatch.scan.request import ScanRequest
from rolewatch.sources import BytesDelivery, Delivery, FileDelivery

BUCKET = "arn:aws:s3:::b"
FACT = (ROLE, "s3:listbucket", BUCKET)


class Deadly(BytesDelivery, frozen=True):
    """A delivery that kills whoever reads it."""

    def read(self):
        """End this process at once, as running out of memory does."""
        os._exit(7)


class Faulty(BytesDelivery, frozen=True):
    """A delivery that finds a fault in the program."""

    def read(self):
        """Fail in a way that nobody expects."""
        raise ValueError("unheard of")


class Remote(BytesDelivery, frozen=True):
    """A delivery that waits on a network."""

    def read(self):
        """Read, but never in the main thread."""
        if threading.current_thread() is threading.main_thread():
            raise CannotDo("read in the main thread")
        return self.content


@pytest.fixture(autouse=True)
def _always_a_pool(monkeypatch):
    """Let one delivery be a batch, and any work be worth a pool."""
    monkeypatch.setattr(pool, "SMALL", -1)
    monkeypatch.setattr(pool, "BATCH", 1)


def many(number=12):
    """Make deliveries of which each proves something about the others: denials, their copies, and successes."""
    for index in range(number):
        time = f"2026-03-{index + 1:02d}T00:00:00Z"
        records = [
            record(number=index // 2, time=time, recipientAccountId=OTHER if index % 2 else None, **DENIED),
            record(number=100 + index, time=time),
            record("GetBucketAcl", number=200, **DENIED),
        ]
        yield delivery(gzip.compress(content(*records)), f"{index}.json.gz")


def folded(deliveries, jobs, tell=None):
    """Fold deliveries; returns all that can be compared."""
    with fold(deliveries, partial(Detector, ScanRequest()), jobs, tell) as crew:
        summary = crew.summary
        facts = latest(crew, followed(summary.denials.values()))
    return summary.totals(), summary.denials, summary.copies, facts, sorted(summary.unreadable)


@pytest.mark.parametrize("jobs", [2, 3])
def test_jobs(jobs):
    """Two and three processes find what one does, and none of them stays behind."""
    assert folded(many(), jobs) == folded(many(), 1)
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_facts_of_other_workers(jobs):
    """A success in one delivery is looked up for a denial in another, and the latest of all workers counts."""
    successes = [record(number=n, time=f"2026-03-0{n}T00:00:00Z") for n in (3, 9, 5, 7)]
    shares = [content(record(time="2026-03-02T00:00:00Z", **DENIED)), *map(content, successes)]
    *_, facts, unreadable = folded(map(delivery, shares), jobs)
    assert (facts, unreadable) == ({FACT: "2026-03-09T00:00:00Z"}, [])


@pytest.mark.parametrize("jobs", [1, 2])
def test_only_what_is_followed_is_asked_for(jobs):
    """Facts about resources that nobody was refused are not handed on."""
    shares = [content(record(requestParameters={"bucketName": f"b{n}"})) for n in range(5)]
    *_, facts, _ = folded(map(delivery, shares), jobs)
    assert facts == {}


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_unreadable(jobs, tmp_path):
    """A file that a worker cannot read is named, and the others count."""
    missing = FileDelivery(name=str(tmp_path / "x"), identity="x", named=False, size=5, remote=False)
    totals, *_, unreadable = folded([*many(3), missing, *many(3)], jobs)
    assert unreadable == [(str(tmp_path / "x"), "No such file or directory")]
    assert (totals["deliveries"], totals["records"], totals["unreadable"]) == (7, 18, 1)


@pytest.mark.parametrize("place", [0, 5, 11], ids=["first", "between", "last"])
def test_a_worker_dies(place):
    """If a worker dies, its share is lost: the scan says so and what to do, instead of a report with a hole."""
    deliveries = list(many())
    deliveries[place] = delivery(b"x", kind=Deadly)
    with pytest.raises(CannotDo, match=r"ended unexpectedly \(exit code 7\).* fewer --jobs"):
        folded(deliveries, 2)
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("place", [0, 5, 11], ids=["first", "between", "last"])
def test_a_fault_in_a_worker(place):
    """A fault of the program in a worker is told with its name, however much was still to be handed out."""
    deliveries = list(many())
    deliveries[place] = delivery(b"x", kind=Faulty)
    with pytest.raises(
        CannotDo, match=r"internal error in a worker: ValueError: unheard of \(please report this\)"
    ):
        folded(deliveries, 2)
    assert multiprocessing.active_children() == []


def test_a_listing_that_fails():
    """If the listing fails while workers work, its error comes through and no worker stays behind."""

    def listing():
        yield from many(4)
        raise CannotDo("access to the bucket denied")

    with pytest.raises(CannotDo, match="access to the bucket denied"):
        folded(listing(), 2)
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_remote(jobs):
    """What waits on a network is fetched by threads, several at a time; its errors are the deliveries' own."""
    good = [delivery(item.content, item.name) for item in many(4)]
    remote = [
        Remote(
            name=item.name, identity=item.name, named=False, size=item.size, remote=True, content=item.content
        )
        for item in good
    ]
    assert folded(remote, jobs) == folded(good, 1)


def test_remote_error():
    """A remote delivery that cannot be fetched is named."""
    gone = Gone(name="s3://b/k", identity="x", named=False, size=5, remote=True)
    *_, unreadable = folded([gone, *many(1)], 1)
    assert unreadable == [("s3://b/k", "no such key")]


class Gone(Delivery, frozen=True):
    """A remote delivery that is not there."""

    def open(self):
        """Fail."""
        raise CannotDo("no such key")


@pytest.mark.parametrize("jobs", [1, 2])
def test_progress(jobs):
    """Progress ends with all deliveries listed and done; before that it never tells more than there is."""
    seen = []
    totals, *_ = folded(many(), jobs, seen.append)
    last = seen[-1]
    assert (last.deliveries, last.listed, last.denials) == (12, 12, totals["denials"] + totals["duplicates"])
    assert (last.bytes, last.bytes_compressed) == (totals["bytes"], totals["bytes_compressed"])
    assert all(one.deliveries <= 12 for one in seen)
    assert [one.seconds for one in seen] == sorted(one.seconds for one in seen)


def sized(*sizes):
    """Make deliveries of some sizes."""
    return [delivery(b"", str(number), size=size) for number, size in enumerate(sizes)]


BATCHES = [
    ([], []),
    ([1, 1, 1], [3]),
    ([1, 1, 1, 1], [3, 1]),
    ([100, 1, 1], [1, 2]),
    ([60, 60, 1], [2, 1]),
    ([-1, -1, -1, -1], [3, 1]),
]


@pytest.mark.parametrize(("sizes", "expected"), BATCHES)
def test_batches(sizes, expected, monkeypatch):
    """A batch ends with its number of deliveries or of bytes, and loses none."""
    monkeypatch.setattr(pool, "BATCH", 3)
    monkeypatch.setattr(pool, "BATCH_BYTES", 100)
    batches = list(pool.batches_of(sized(*sizes)))
    assert expected == [len(batch) for batch in batches]
    assert [one.name for batch in batches for one in batch] == [str(number) for number in range(len(sizes))]


def test_little_work_needs_no_pool(monkeypatch):
    """Where there is little to scan no process is started."""
    monkeypatch.setattr(pool, "SMALL", 10**9)
    monkeypatch.setattr(pool, "_Pool", None)
    assert folded(many(), 8) == folded(many(), 1)


def test_nothing():
    """No deliveries are an empty summary, with any number of jobs."""
    assert folded([], 3)[0]["deliveries"] == 0
