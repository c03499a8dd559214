"""The records of a lake as deliveries: each once, whole, of the files that can matter; what is damaged is told."""

import json
from datetime import UTC, datetime

import pytest

import lakes
from rolewatch.base.errors import CannotDo
from rolewatch.engines import lake_records
from rolewatch.engines.duckdb import Limits
from rolewatch.engines.lake_records import deliveries_in
from rolewatch.sources import Window


@pytest.fixture
def lake(tmp_path):
    """Fill a lake with records of four days, one of them with signs of all kinds."""
    records = [lakes.record(number, day=1 + number % 4) for number in range(40)]
    records.append(lakes.record(40, day=2, userAgent='a "quoted"\nagent \u202e ✓'))
    lakes.write(tmp_path, "in/a.json", *records)
    lakes.filled(tmp_path / "lake", tmp_path / "in")
    return lakes.lake_at(tmp_path / "lake"), {record["eventID"]: record for record in records}


def read(lake, tmp_path, window=Window(), progress=lambda _read, _all: None):  # noqa: B008 - never changed
    """Read all records; gives them, and what was told."""
    told = []
    limits = Limits(512 * 1024**2, 1024**3, str(tmp_path), lambda _: None)
    found = deliveries_in(
        lake, window, unreadable=lambda *each: told.append(each), limits=limits, progress=progress
    )
    return [record for delivery in found for record in json.loads(delivery.read())["Records"]], told


def test_each_record_once(lake, tmp_path, monkeypatch):
    """In small deliveries or in large ones all records come, as they were; progress ends at all of them."""
    lake, expected = lake
    for rows in (3, lake_records.ROWS):
        monkeypatch.setattr(lake_records, "ROWS", rows)
        steps = []
        found, told = read(lake, tmp_path, progress=lambda *each, steps=steps: steps.append(each))
        assert len(found) == len(expected)
        assert {record["eventID"]: record for record in found} == expected
        assert told == []
        assert steps[-1] == (41, 41)
        assert steps == sorted(steps)


def test_only_files_that_can_matter(lake, tmp_path):
    """Days outside of the window are not read."""
    lake, expected = lake
    window = Window(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC))
    found, _ = read(lake, tmp_path, window)
    assert {each["eventID"] for each in found} == {
        name for name, each in expected.items() if each["eventTime"][:10] in ("2026-03-02", "2026-03-03")
    }


def test_what_is_damaged_is_told(lake, tmp_path):
    """A file that is gone and one that was cut short are told, and the others are read."""
    lake, expected = lake
    gone, cut = sorted((tmp_path / "lake/records").rglob("*.parquet"))[:2]
    gone.unlink()
    cut.write_bytes(cut.read_bytes()[:-100])
    found, told = read(lake, tmp_path)
    assert {each["eventTime"][:10] for each in found} == {"2026-03-03", "2026-03-04"}
    assert len(found) == sum(each["eventTime"][:10] > "2026-03-02" for each in expected.values())
    assert [name.rpartition("/")[2] for name, _ in told] == [gone.name, cut.name]


def test_no_lake(tmp_path):
    """A folder that is none says so."""
    with pytest.raises(CannotDo):
        read(lakes.lake_at(tmp_path / "nothing"), tmp_path)
