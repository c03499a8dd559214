"""What is in a lake is told with what is wrong with its files."""

import pytest

from lakes import Clock, filled, lake_at, record, write
from rolewatch.base.errors import CannotDo
from rolewatch.lake.info import info
from rolewatch.report.lake import described


@pytest.fixture
def lake(tmp_path):
    """Ingest three days, and take one out again."""
    for day in (1, 2, 3):
        write(tmp_path, f"trail/{day}.json.gz", *(record(number, day, **({"x": 1.5} if day == 1 else {})) for number in range(day)))  # fmt: skip
    clock = Clock()
    lake, _ = filled(tmp_path / "lake", tmp_path / "trail", now=clock)
    lake.expire(clock().date().replace(day=2))
    return lake


def test_info(lake, tmp_path):
    """Days, records, files and sizes are those of the manifest; deliveries those that were ingested."""
    found = info(lake)
    parts = lake.manifest().parts
    assert found == {
        "lake": str(tmp_path / "lake"),
        "revision": 2,
        "records": 5,
        "first_record": "2026-03-02T00:00:00Z",
        "last_record": "2026-03-03T00:00:02Z",
        "days": 2,
        "files": 2,
        "bytes": sum((tmp_path / "lake" / part.path).stat().st_size for part in parts),
        "record_bytes": sum(part.record_bytes for part in parts),
        "deliveries": 3,
        "retired_files": 1,
        "unreadable": [],
    }


def test_what_is_wrong(lake, tmp_path):
    """Files that are gone, cut off, damaged or foreign are named, each once."""
    first, second = lake.manifest().parts
    (tmp_path / "lake" / first.path).unlink()
    path = tmp_path / "lake" / second.path
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    (tmp_path / "lake" / "records" / "x").write_bytes(b"")
    (ledger,) = lake.manifest().head.ledgers
    (tmp_path / "lake" / ledger).unlink()
    gone = "the manifest lists it, and it is not there"
    found = info(lake)
    assert [(each["file"], each["reason"]) for each in found["unreadable"]] == [
        (ledger, gone),
        (first.path, gone),
        (second.path, "damaged: its end is not as it was written"),
        ("records/x", "this is no file of the lake"),
    ]
    assert (found["records"], found["deliveries"]) == (5, 0)
    assert lake.told == []
    text = described(found)
    assert all(each["file"] in text and each["reason"] in text for each in found["unreadable"])


def test_text(lake):
    """For a terminal the same is a table; what a name could do to one is not done."""
    text = described(info(lake) | {"lake": "a\x1b[31m\nb"})
    assert "records      5\n" in text
    assert "days         2\n" in text
    assert "\x1b" not in text
    assert len(text.splitlines()) == 9


def test_no_lake(tmp_path):
    """Where there is no lake, that is an error."""
    with pytest.raises(CannotDo, match="there is no lake"):
        info(lake_at(tmp_path))
