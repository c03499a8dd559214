"""Few large files, and no record written again more than a few times, however many deliveries there are."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakes import Clock, files, ids, lake_at, record, staged, table
from rolewatch.lake import compact as compacting
from rolewatch.lake.compact import FAN_IN, FEW, TARGET, WORTH, compact, groups
from rolewatch.lake.manifest import NO_DAY, Part
from rolewatch.lake.place import RECORDS

KB, MB = 1024, 1024 * 1024
DAYS = ["2026-03-01", "2026-03-02", "2026-03-03", NO_DAY]
CLOSED = date(2026, 3, 2)
EMPTY = 12 * KB  # bytes of a file that holds next to nothing


def part(number, day, size, **more):
    """Make a part, of records that are ten times as large as the file."""
    return Part(f"{RECORDS}/day={day}/part-{number:016x}.parquet", day, max(size // 100, 1), size, size * 10, number, number, **more)  # fmt: skip


SIZES = st.integers(10 * KB, 200 * MB) | st.integers(10 * KB, 100 * KB)
PARTS = st.lists(st.tuples(st.sampled_from(DAYS), SIZES), max_size=40).map(
    lambda rows: [part(number, *row) for number, row in enumerate(rows)]
)


@given(PARTS, st.booleans())
def test_groups(parts, everything):
    """A part is merged once at most, with others of its day, into what is no larger than it need be."""
    found = list(groups(parts, closed=CLOSED, everything=everything))
    taken = [each.path for group in found for each in group]
    assert len(taken) == len(set(taken))
    for group in found:
        assert len(group) > 1
        assert len({each.day for each in group}) == 1
        assert max(each.bytes for each in group) < TARGET // 2
        assert group == sorted(group, key=lambda each: each.first)


@given(PARTS)
def test_days_that_are_over(parts):
    """Of a day that is over the small files come to no more than the large ones take."""
    for _ in range(3):
        merged = list(groups(parts, closed=CLOSED, everything=True))
        gone = {each.path for group in merged for each in group}
        made = [part(1000 + number, group[0].day, sum(each.bytes for each in group)) for number, group in enumerate(merged)]  # fmt: skip
        parts = [each for each in parts if each.path not in gone] + made
    assert list(groups(parts, closed=CLOSED, everything=True)) == []
    for day in DAYS:
        small = [each.bytes for each in parts if each.day == day and each.bytes < TARGET // 2]
        assert len(small) <= 1


def test_a_day_that_goes_on():
    """Eight files of about one size become one; fewer, or files of different sizes, stay."""
    day = "2026-03-02"
    seven = [part(number, day, 20 * KB) for number in range(FAN_IN - 1)]
    other = part(50, day, 900 * KB)
    assert list(groups([*seven, other], closed=CLOSED)) == []
    eight = [*seven, part(60, day, 21 * KB)]
    assert list(groups([*eight, other], closed=CLOSED)) == [eight]


def test_late_records():
    """A large file is not written again for a few late records; those are merged among themselves."""
    day = "2026-03-01"
    large = part(0, day, 40 * MB)
    late = [part(number, day, 20 * KB) for number in range(1, FAN_IN + 1)]
    assert list(groups([large, *late[:-1]], closed=CLOSED)) == []
    assert list(groups([large, *late], closed=CLOSED)) == [late]
    some = [part(number, day, 40 * MB // WORTH) for number in range(20, 20 + FEW)]
    assert list(groups([large, *some[1:]], closed=CLOSED)) == []
    assert list(groups([large, *some], closed=CLOSED)) != []
    assert list(groups([large, late[0]], closed=CLOSED, everything=True)) == [[large, late[0]]]


def test_large_files_are_left_alone():
    """What is large enough is never written again."""
    parts = [part(number, "2026-03-01", TARGET // 2) for number in range(20)]
    assert list(groups(parts, closed=CLOSED, everything=True)) == []


def test_a_year_of_deliveries_of_five_minutes():
    """105,120 commits come to a few files for each day; each record is written a few times."""
    parts, written, most, number = [], Counter(), 0, 0
    for day in range(365):
        names = [date.fromordinal(date(2025, 1, 1).toordinal() + each).isoformat() for each in (day, day - 1, day - 2)]  # fmt: skip
        recent = [each for each in parts if each.day in names]
        older = [each for each in parts if each.day not in names]
        for minute in range(288):
            number += 1
            size = 40 * KB + number % 7 * 9 * KB
            recent.append(Part(f"{number}", names[0], 400, EMPTY + size // 12, size, number, number))
            written["rows"] += 400
            closed = date.fromisoformat(names[1])
            for group in list(groups(recent, closed=closed if minute % 12 == 0 else date.min)):
                number += 1
                size = sum(each.record_bytes for each in group)
                rows = sum(each.rows for each in group)
                recent = [each for each in recent if each not in group]
                recent.append(Part(f"{number}", group[0].day, rows, EMPTY + size // 12, size, number, number))
                written["rows"] += rows
            most = max(most, len(recent))
        parts = older + recent
    by_day = Counter(each.day for each in parts)
    assert sum(each.rows for each in parts) == 365 * 288 * 400
    assert most < 3 * 30
    assert max(count for day, count in by_day.items() if day < "2025-12-30") <= FEW
    assert len(parts) < 365 * FEW + 60
    assert written["rows"] < 5 * 365 * 288 * 400


@pytest.fixture
def clock():
    """Give a clock to put forward."""
    return Clock()


@pytest.fixture
def lake(tmp_path, clock):
    """Open a lake that is not there yet."""
    return lake_at(tmp_path / "lake", clock)


def add(lake, *records):
    """Commit records."""
    lake.commit(staged(lake, *records), [])


def test_nothing_is_lost(lake):
    """The same records are in the lake before and after, in files of their days."""
    for number in range(20):
        add(lake, *(record(number * 10 + each, day) for day in (1, 2) for each in range(number % 4 + 1)))
    add(lake, record(7, eventTime=None), record(8, eventID=None))
    add(lake, record(9, eventTime="1970-01-01T00:00:00Z"))
    before = sorted(table(lake)["record"].to_pylist())
    assert compact(lake, today=date(2026, 3, 20)) == (41, 2)
    assert sorted(table(lake)["record"].to_pylist()) == before
    assert compact(lake, today=date(2026, 3, 20), everything=True) == (2, 1)
    assert sorted(table(lake)["record"].to_pylist()) == before
    assert [part.day for part in lake.manifest().parts] == ["2026-03-01", "2026-03-02", NO_DAY]
    assert compact(lake, today=date(2026, 3, 20), everything=True) == (0, 0)


def test_some_days(lake):
    """Merging can be kept to some days, and to days of which none is taken to be over."""
    for number in range(8):
        add(lake, record(number, 1), record(number, 2))
    assert compact(lake, today=date(2026, 3, 20), days=set()) == (0, 0)
    assert compact(lake, today=None, days={"2026-03-02"}) == (8, 1)
    add(lake, record(20, 2))
    assert compact(lake, today=None, days={"2026-03-02"}) == (0, 0)
    assert compact(lake, today=date(2026, 3, 3), days={"2026-03-02"}) == (0, 0)
    assert compact(lake, today=date(2026, 3, 4), days={"2026-03-02"}, everything=True) == (2, 1)
    assert Counter(part.day for part in lake.manifest().parts) == {"2026-03-01": 8, "2026-03-02": 1}


def test_damaged_parts_stay(lake, tmp_path):
    """A damaged part is told and left as it is; the others become one."""
    for number in range(4):
        add(lake, record(number))
    damaged = lake.manifest().parts[1]
    path = tmp_path / "lake" / damaged.path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    assert compact(lake, today=date(2026, 3, 20), everything=True) == (3, 1)
    assert [(name, reason.split(":")[0]) for name, reason in lake.told] == [(damaged.path, "damaged")]
    assert damaged in lake.manifest().parts
    path.write_bytes(b"")
    assert compact(lake, today=date(2026, 3, 20), everything=True) == (0, 0)


def test_another_one_merged_them(lake, monkeypatch):
    """What somebody else has merged meanwhile stays as that one left it, and no file is left behind."""
    other = lake_at(lake.place.name)
    for number in range(3):
        add(lake, record(number))
    merge, raced = compacting.merged, []

    def slow(*arguments):
        if not raced:
            raced.append(True)
            assert compact(other, today=date(2026, 3, 20), everything=True) == (3, 1)
        return merge(*arguments)

    monkeypatch.setattr(compacting, "merged", slow)
    assert compact(lake, today=date(2026, 3, 20), everything=True) == (0, 0)
    assert len(lake.manifest().parts) == 1
    assert len(ids(lake)) == 3
    assert list(lake.place.staging().iterdir()) == []


@pytest.mark.slow
def test_days_of_deliveries_of_five_minutes(lake, clock, tmp_path):
    """With real files: commits of two days with the clock running leave few files, and each record once."""
    made = defaultdict(int)
    for day in (1, 2):
        for number in range(0, 288, 2):
            clock.now = datetime(2026, 3, day, number // 12, number % 12 * 5, tzinfo=UTC)
            add(lake, *(record(number * 300 + each * 40, day) for each in range(2)))
            made["written"] += 2
            before = {each.path for each in lake.manifest().parts}
            compact(lake, today=clock.now.date())
            made["written"] += sum(each.rows for each in lake.manifest().parts if each.path not in before)
            if number % 24 == 0:
                lake.tidy()
        made["most"] = max(made["most"], len(files(tmp_path / "lake" / "records")))
    clock.now = datetime(2026, 3, 4, tzinfo=UTC)
    compact(lake, today=clock.now.date())
    clock.pass_by(hours=2)
    lake.tidy()
    assert len(files(tmp_path / "lake" / "records")) == len(lake.manifest().parts) <= 2 * FEW
    assert len(ids(lake)) == len(set(ids(lake))) == 2 * 144 * 2
    assert made["most"] < 60
    assert made["written"] < 5 * 2 * 144 * 2
