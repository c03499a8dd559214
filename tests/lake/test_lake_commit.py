"""What is committed is in the lake once, and nothing else is; what nobody needs goes in time."""

import json
import os
from datetime import date, timedelta

import pytest

from lakes import ACCOUNT, Clock, files, ids, lake_at, record, staged, table
from rolewatch.base.errors import CannotDo
from rolewatch.lake import lake as lakes
from rolewatch.lake import ledger
from rolewatch.lake.checks import stretches
from rolewatch.lake.compact import compact
from rolewatch.lake.ledger import Ledger, digest
from rolewatch.lake.manifest import NO_DAY


@pytest.fixture
def clock():
    """Give a clock to put forward."""
    return Clock()


@pytest.fixture
def lake(tmp_path, clock):
    """Open a lake that is not there yet."""
    return lake_at(tmp_path / "lake", clock)


def added(lake, *records, digests=()):
    """Commit records; gives how many were added, and how many were there already."""
    return tuple(lake.commit(staged(lake, *records), list(digests)))


def test_once(lake):
    """Of records that are there already nothing is added, wherever their copies lie."""
    assert added(lake, record(1), record(2)) == (2, 0)
    assert added(lake, record(2), record(3)) == (1, 1)
    assert added(lake, record(1), record(2), record(3)) == (0, 3)
    assert added(lake, record(4), record(4), record(5)) == (2, 1)
    assert lake.commit([*staged(lake, record(6)), *staged(lake, record(6), record(7))], []) == (2, 1)
    assert len(ids(lake)) == len(set(ids(lake))) == 7
    assert sum(part.rows for part in lake.manifest().parts) == 7


def test_once_for_each_account_and_day(lake):
    """An event that concerns two accounts, or whose number comes again on another day, is there for each."""
    other = record(1, recipientAccountId="444455556666")
    assert added(lake, record(1), other) == (2, 0)
    assert added(lake, record(1, eventTime="2026-03-02T00:00:00Z"), other, record(1)) == (1, 2)


def test_records_without_a_name(lake):
    """Records whose eventID is missing, empty or no text are told apart by their text, and none of them is lost."""
    odd = [record(number, eventID=name, x=number) for number in range(3) for name in (None, "", 7, True)]
    assert added(lake, *odd) == (12, 0)
    assert added(lake, *odd) == (0, 12)
    assert added(lake, record(9, eventID="7"), record(10, eventID="7")) == (1, 1)
    assert added(lake, *(record(number, eventTime=None) for number in range(3))) == (3, 0)
    assert added(lake, *(record(number, eventTime=None) for number in range(4))) == (1, 3)


def test_the_first_copy_counts(lake):
    """Of records of one name and different content the one that came first stays."""
    added(lake, record(1, x="first"))
    added(lake, record(1, x="second"), record(2))
    assert {json.loads(text).get("x") for text in table(lake)["record"].to_pylist()} == {"first", None}


def test_ledger(lake):
    """Deliveries are done when their records are in, however many commits there were."""
    assert len(lake.ledger()) == 0
    for number in range(3 * ledger.MANY):
        added(lake, digests=[digest(f"d{number}")])
    assert len(lake.manifest().head.ledgers) <= ledger.MANY
    done = lake.ledger()
    assert len(done) == 3 * ledger.MANY
    assert all(f"d{number}" in done for number in range(3 * ledger.MANY))
    assert "other" not in done


def test_a_ledger_that_was_cut_off(lake, tmp_path):
    """A list of deliveries that was cut off is an error with a name."""
    added(lake, digests=[digest("a")])
    path = tmp_path / "lake" / lake.manifest().head.ledgers[0]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CannotDo, match="cut off"):
        lake.ledger()


def test_a_ledger_that_is_gone(lake, tmp_path):
    """A list of deliveries that is gone is told, also when lists are merged; the others still count."""
    for number in range(ledger.MANY):
        added(lake, digests=[digest(f"d{number}")])
    gone = lake.manifest().head.ledgers[0]
    (tmp_path / "lake" / gone).unlink()
    added(lake, digests=[digest("last")])
    assert lake.told == [(gone, "the manifest lists it, and it is not there")]
    done = lake.ledger()
    assert (len(done), "last" in done) == (ledger.MANY, True)


def test_damaged_parts_do_not_stop_a_commit(lake, tmp_path):
    """A part that cannot be read is told, and records are added although it may have them."""
    added(lake, record(1), record(2))
    (part,) = lake.manifest().parts
    path = tmp_path / "lake" / part.path
    (place, _), = stretches(path, ["eventID"])["eventID"]  # fmt: skip
    data = bytearray(path.read_bytes())
    data[place + 30] ^= 1
    path.write_bytes(data)
    assert added(lake, record(1), record(3)) == (2, 0)
    assert [(name, "eventID" in reason) for name, reason in lake.told] == [(part.path, True)]
    path.write_bytes(b"")
    assert added(lake, record(2), record(4))[0] == 2
    assert lake.told[-1][0] == part.path


def test_only_parts_of_the_time_are_read(lake, tmp_path):
    """A part that cannot hold the same records is not even looked at."""
    added(lake, record(1))
    (part,) = lake.manifest().parts
    (tmp_path / "lake" / part.path).write_bytes(b"")
    assert added(lake, record(2)) == (1, 0)
    assert lake.told == []


class Interrupted(BaseException):
    """Stands for a process that is killed."""


def test_a_crash_leaves_no_half(lake, tmp_path, monkeypatch):
    """Whatever fails on the way, what was in the lake is in it; the same again does the rest."""
    added(lake, record(1), digests=[digest("a")])
    before = lake.manifest()
    for name in ("put", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(lake.place, name, lambda *_: (_ for _ in ()).throw(Interrupted))
            with pytest.raises(Interrupted):
                added(lake, record(2), record(3, day=2), digests=[digest("b")])
        assert lake.manifest() == before
    assert added(lake, record(2), record(3, day=2), digests=[digest("b")]) == (2, 0)
    assert len(ids(lake)) == 3
    assert "b" in lake.ledger()
    unlisted = set(files(tmp_path / "lake" / "records")) - {part.path.removeprefix("records/") for part in lake.manifest().parts}  # fmt: skip
    assert unlisted


def test_tidy(lake, clock, tmp_path):
    """Retired files go after an hour, what a crash left behind after a day, and nothing that is needed ever."""
    folder = tmp_path / "lake"
    added(lake, record(1), record(2, day=2), digests=[digest("a")])
    (gone,) = lake.expire(date(2026, 3, 2))
    orphan = folder / gone.path.replace(gone.path[-20:], f"{'0' * 12}.parquet")
    orphan.write_bytes(b"left behind")
    foreign = orphan.with_name("foreign.parquet")
    foreign.write_bytes(b"somebody's")
    listing = folder / "deliveries" / "done-0.bin"
    listing.write_bytes(b"")
    old = folder / ".staged" / "old"
    old.mkdir(parents=True)
    (old / "part.parquet").write_bytes(b"")
    for path in (orphan, foreign, listing, old, old / "part.parquet"):
        os.utime(path, (clock().timestamp(),) * 2)
    assert lake.tidy() == 0
    clock.pass_by(minutes=59)
    assert (lake.tidy(), (folder / gone.path).exists()) == (0, True)
    clock.pass_by(minutes=1)
    assert (lake.tidy(), (folder / gone.path).exists()) == (1, False)
    assert lake.manifest().head.retired == ()
    clock.pass_by(hours=22)
    assert (lake.tidy(), orphan.exists(), old.exists()) == (0, True, True)
    clock.pass_by(hours=2)
    assert lake.tidy() == 2
    assert [path.exists() for path in (orphan, listing, old, foreign)] == [False, False, False, True]
    assert len(ids(lake)) == 1
    assert "a" in lake.ledger()


def test_work_in_progress_is_not_swept(lake, clock, tmp_path):
    """A folder in which somebody wrote today stays, however old it is itself."""
    added(lake, record(1))
    folder = tmp_path / "lake" / ".staged" / "busy"
    folder.mkdir(parents=True)
    (folder / "part.parquet").write_bytes(b"")
    clock.pass_by(days=400)
    os.utime(folder, (0, 0))
    os.utime(folder / "part.parquet", (clock().timestamp(),) * 2)
    lake.tidy()
    assert folder.exists()


def test_expire(lake):
    """Days before a day go, and only those; what has no time stays."""
    added(lake, *(record(1, day) for day in (1, 2, 3)), record(2, eventTime=None), record(3, eventTime="1999-01-01T00:00:00Z"))  # fmt: skip
    assert [part.day for part in lake.expire(date(2026, 3, 3))] == ["2026-03-01", "2026-03-02"]
    assert [part.day for part in lake.manifest().parts] == ["2026-03-03", NO_DAY]
    assert lake.expire(date(2026, 3, 3)) == []
    assert added(lake, record(1, 1)) == (1, 0)


def test_expire_while_another_one_merges(lake, monkeypatch):
    """Days go although their files have been merged since they were listed."""
    added(lake, record(1), record(1, 2))
    added(lake, record(2))
    swap, raced = lake.swap, []

    def slow(removed, others):
        if not raced:
            raced.append(True)
            assert compact(lake_at(lake.place.name), today=date(2026, 3, 20), everything=True) == (2, 1)
        return swap(removed, others)

    monkeypatch.setattr(lake, "swap", slow)
    assert [(part.day, part.rows) for part in lake.expire(date(2026, 3, 2))] == [("2026-03-01", 2)]
    assert [part.day for part in lake.manifest().parts] == ["2026-03-02"]


def test_what_has_a_time_beyond_the_calendar_expires_too(lake):
    """Records of the partition without a day go if all of their file are older."""
    added(lake, record(3, eventTime="1999-01-01T00:00:00Z"))
    assert [part.day for part in lake.expire(date(2026, 3, 3))] == [NO_DAY]


def test_swap(lake):
    """Parts are replaced by others only while all of them are listed."""
    added(lake, record(1))
    added(lake, record(2))
    first, second = lake.manifest().parts
    (merged,) = staged(lake, record(1), record(2))
    assert lake.swap([first, second], [merged])
    assert lake.manifest().parts == (merged.part,)
    assert {each.path for each in lake.manifest().head.retired} == {first.path, second.path}
    assert not lake.swap([first], staged(lake, record(1)))
    assert lake.manifest().parts == (merged.part,)


def test_others_are_always_faster(lake, monkeypatch):
    """After many attempts in vain it is told, with what to do."""
    added(lake, record(1))
    monkeypatch.setattr(lake.place, "replace", lambda *_: False)
    monkeypatch.setattr(lake.place, "put", lambda *_: None)
    for attempt in (
        lambda: lake.commit([], [digest("x")]),
        lambda: lake.swap(lake.manifest().parts, []),
        lambda: lake.expire(date(2026, 3, 3)),
    ):
        with pytest.raises(CannotDo, match=f"{lakes.ATTEMPTS} attempts were in vain"):
            attempt()


def test_no_lake(lake):
    """Where there is none, that is told with how to make one; to tidy up nothing is no error."""
    assert not lake.is_there()
    with pytest.raises(CannotDo, match="there is no lake") as caught:
        lake.manifest()
    assert caught.value.remedy == f"`rolewatch ingest SOURCE --lake {lake.place.name}` makes one"
    assert lake.tidy() == 0
    added(lake)
    assert lake.is_there()


def test_a_digest_stands_for_any_name():
    """Names of files that are no text have digests too, and all differ."""
    names = ["", "a", "ü", "\udcff", "a" * 10_000]
    assert len({digest(name) for name in names}) == len(names)
    assert len(Ledger()) == 0


def test_the_clock_is_the_lakes(tmp_path):
    """Times in the manifest are those of the clock that the lake was given."""
    clock = Clock()
    lake = lake_at(tmp_path / "lake", clock)
    added(lake, record(1, recipientAccountId=ACCOUNT))
    clock.pass_by(hours=3)
    lake.expire(date(2026, 3, 2))
    (retired,) = lake.manifest().head.retired
    assert retired.since == (Clock().now + timedelta(hours=3)).isoformat(timespec="seconds")
