"""Files of a lake: one day each, described as they are, and with sums that tell damage."""

import errno
import json
from datetime import date

import pyarrow.parquet as pq
import pytest

from lakes import ACCOUNT, filled, lake_at, record, staged, table, write
from rolewatch.lake import parts
from rolewatch.lake.checks import NAMES, damaged_columns, damaged_end, layout, places, seal, stretches
from rolewatch.lake.manifest import NO_DAY
from rolewatch.lake.parts import keys, merged, new_name, spell, without
from rolewatch.lake.place import OURS
from rolewatch.lake.schema import arrow_schema


@pytest.fixture
def lake(tmp_path):
    """Open a lake that is not there yet."""
    return lake_at(tmp_path / "lake")


def keys_of(lake, *records):
    """Give what tells records apart, of one file."""
    ((path, _),) = staged(lake, *records)
    return keys(path).to_pylist()


def test_days(lake):
    """Each day has a file of its own; what has no time, or one that cannot be, has one without a day."""
    times = {
        "2026-02-28T23:59:59Z": "2026-02-28",
        "2026-03-01T00:00:00Z": "2026-03-01",
        "2026-03-01T01:00:00+02:00": "2026-02-28",
        "2012-12-31T23:59:59Z": NO_DAY,
        "2013-01-01T00:00:00Z": "2013-01-01",
        "2099-12-31T23:59:59Z": "2099-12-31",
        "2100-01-01T00:00:00Z": NO_DAY,
        "1969-12-31T23:59:59Z": NO_DAY,
        "0001-01-01T00:00:00Z": NO_DAY,
        "2026-02-30T00:00:00Z": NO_DAY,
        "x": NO_DAY,
    }
    found = {}
    for path, part in staged(lake, *(record(number, eventTime=time) for number, time in enumerate(times))):
        for time in map(json.loads, pq.read_table(path, partitioning=None)["record"].to_pylist()):
            found[time["eventTime"]] = part.day
    assert found == times


def test_description(lake):
    """A part tells how much is in its file, from when to when, and how much of it is special."""
    ((path, part),) = staged(lake, record(1), record(7), record(3, x=1.5), record(5, day=1))
    texts = pq.read_table(path, partitioning=None)["record"].to_pylist()
    assert (part.rows, part.record_bytes, part.bytes) == (4, sum(map(len, texts)), path.stat().st_size)
    assert (spell(part.first), spell(part.last)) == ("2026-03-01T00:00:01Z", "2026-03-01T00:00:07Z")
    assert (part.day, part.untimed, part.inexact) == ("2026-03-01", 0, 1)
    ((_, undated),) = staged(lake, record(1, eventTime=None), record(2, eventTime="1970-01-01T00:00:01Z"))
    assert (undated.day, undated.untimed, undated.first, undated.last) == (NO_DAY, 1, 1000, 1000)
    ((_, untimed),) = staged(lake, record(1, eventTime=None))
    assert (untimed.untimed, untimed.first, untimed.last) == (1, None, None)


def test_file(lake):
    """Files are Parquet with zstd, checksums and typed columns; the record is as it was delivered."""
    given = record(1, x={"y": ["ü", None]})
    ((path, _),) = staged(lake, given)
    metadata = pq.read_metadata(path)
    assert pq.read_schema(path).equals(arrow_schema())
    assert {metadata.row_group(0).column(place).compression for place in range(metadata.num_columns)} == {"ZSTD"}  # fmt: skip
    assert json.loads(pq.read_table(path, partitioning=None)["record"][0].as_py()) == given


def test_names():
    """Names of files are never the same, and known as ours."""
    names = {new_name(day) for day in ("2026-03-01", NO_DAY) for _ in range(50)}
    assert len(names) == 100
    assert all(map(OURS.fullmatch, names))


def test_keys(lake):
    """Records are told apart by their event and who got it; without an event by their text."""
    ids = ["e1", "7", None, "", 7, True, 7.5, "7.5"]
    made = [record(1, eventID=name) for name in ids]
    first, again = (keys_of(lake, *made) for _ in range(2))
    assert sorted(first) == sorted(again)
    assert len(set(first)) == len(ids)
    assert {f"e1 {ACCOUNT}", f"7 {ACCOUNT}", f"7.5 {ACCOUNT}"} < set(first)
    assert keys_of(lake, record(1, eventID="e1", recipientAccountId=None)) == ["e1 "]
    assert len(set(keys_of(lake, *(record(number, eventID="") for number in range(5))))) == 5


def test_without(lake, tmp_path):
    """A file is written again without rows; with none left there is no file."""
    import numpy as np  # noqa: PLC0415 - as where it is used

    ((path, part),) = staged(lake, *map(record, range(5)))
    unwanted = np.array([True, False, False, True, False])
    names = keys(path).to_pylist()
    found, left = without(tmp_path, path, part.day, unwanted)
    assert (keys(found).to_pylist(), left.rows) == ([names[1], names[2], names[4]], 3)
    before = sorted(tmp_path.rglob("*.parquet"))
    assert without(tmp_path, path, part.day, np.ones(5, dtype=bool)) is None
    assert sorted(tmp_path.rglob("*.parquet")) == before


def test_merged(lake, tmp_path):
    """Files become one that holds the same records, in large row groups."""
    files = [staged(lake, *map(record, range(start, start + 3)))[0] for start in (6, 0, 3)]
    path, part = merged(tmp_path, [each.path for each in files], "2026-03-01")
    expected = [name for each in files for name in keys(each.path).to_pylist()]
    assert keys(path).to_pylist() == expected
    assert (part.rows, part.record_bytes) == (9, sum(each.part.record_bytes for each in files))
    assert pq.read_metadata(path).num_row_groups == 1
    assert spell(part.last) == "2026-03-01T00:00:08Z"


def test_row_groups(lake, tmp_path, monkeypatch):
    """Row groups are cut where they hold enough, and no record is lost between two."""
    monkeypatch.setattr(parts, "BATCH", 7)
    ((path, _),) = staged(lake, *map(record, range(50)))
    monkeypatch.setattr(parts.grouped, "__defaults__", (4000,))
    made, part = merged(tmp_path, [path], "2026-03-01")
    assert pq.read_metadata(made).num_row_groups > 2
    assert sorted(keys(made).to_pylist()) == sorted(keys(path).to_pylist())
    assert damaged_columns(made, part.sums, stretches(made)) is None


def test_unfinished_files_are_removed(tmp_path):
    """What cannot be written to its end leaves nothing behind."""

    def tables():
        yield arrow_schema().empty_table()
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        parts.write(tmp_path, "2026-03-01", tables())
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def sealed(lake):
    """Write a file of some records; returns its path and its part."""
    return staged(lake, *(record(number, userAgent=f"agent {number}") for number in range(200)))[0]


def test_every_byte_counts(sealed):
    """One bit that is another one anywhere in the file is noticed."""
    path, part = sealed
    data = path.read_bytes()
    places = stretches(path)
    assert damaged_end(path, part.bytes, part.sums) is None
    assert damaged_columns(path, part.sums, places) is None
    for place in range(4, len(data), 37):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        end = damaged_end(path, part.bytes, part.sums)
        assert end or "damaged: its column" in damaged_columns(path, part.sums, places)


def test_only_wanted_columns_are_read(sealed):
    """Damage in one column is none of another's."""
    path, part = sealed
    (start, length), = stretches(path, ["userAgent"])["userAgent"]  # fmt: skip
    data = bytearray(path.read_bytes())
    data[start + length // 2] ^= 1
    path.write_bytes(data)
    assert damaged_columns(path, part.sums, stretches(path, ["eventName", "record"])) is None
    assert "userAgent" in damaged_columns(path, part.sums, stretches(path, ["userAgent"]))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"x" * 12, b"PAR1" + b"\xff" * 4 + b"PAR1"])
def test_no_parquet(tmp_path, content):
    """A file that is none of Parquet's is damaged, whatever its sums."""
    path = tmp_path / "x"
    path.write_bytes(content)
    assert "damaged" in damaged_end(path, len(content), "")
    assert "bytes" in damaged_end(path, 13, "")
    assert damaged_end(tmp_path / "nothing", 1, "") == "No such file or directory"
    assert damaged_columns(tmp_path / "nothing", "", {"record": []}) == "No such file or directory"


@pytest.mark.parametrize("sums", ["", "x", "AAAA"])
def test_sums_that_are_none(sealed, sums):
    """A part whose sums are gone is not trusted."""
    path, part = sealed
    assert "damaged" in damaged_end(path, part.bytes, sums)
    assert "damaged" in damaged_columns(path, sums, stretches(path))


def test_sums_of_large_columns(sealed, monkeypatch):
    """A sum is the same however much is held at a time."""
    path, part = sealed
    monkeypatch.setattr("rolewatch.lake.checks._PIECE", 100)
    assert seal(path) == (part.sums, part.columns)


def test_the_manifest_knows_where_columns_lie(sealed):
    """What it says is what the description at the file's end says; a gap between columns, or no word, is nothing."""
    path, part = sealed
    found = stretches(path)
    assert places(part.columns, NAMES) == found
    assert places(part.columns, ["record"]) == {"record": found["record"]}
    assert places("", NAMES) is None
    assert layout({name: [(at + 1, size) for at, size in each] for name, each in found.items()}) == ""


def test_columns_have_sums():
    """There is a sum for each column."""
    assert list(NAMES) == arrow_schema().names


def test_times_of_days():
    """Days are those of the calendar, whatever a processor makes of times before 1970."""
    assert (date(2013, 1, 1), date(2100, 1, 1)) == (parts.EARLIEST, parts.LATEST)
    assert (spell(None), spell(0), spell(-1)) == (None, "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z")


def test_partition_is_no_column(tmp_path):
    """The day is the folder's name alone."""
    lake, _ = filled(tmp_path / "lake", write(tmp_path, "a.json", record(1)))
    assert "day" not in table(lake).column_names


@pytest.mark.parametrize("written", ["", "x", "AAAA", "!"])
def test_places_that_are_none(written):
    """Where the manifest does not tell where columns lie, that is known, and the file itself has to be asked."""
    assert places(written, ["record"]) is None
