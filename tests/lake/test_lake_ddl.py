"""The views that `lake ddl` prints show each record once, whatever lies in the folder."""

import os
import re
import shutil
from datetime import date

import duckdb
import pytest

from lakes import filled, ids, record, staged, write
from rolewatch.lake.compact import compact
from rolewatch.lake.ddl import ddl
from rolewatch.lake.schema import FIELDS, INEXACT, RECORD

COLUMNS = [*(field.column for field in FIELDS), INEXACT, RECORD]


@pytest.fixture
def lake(tmp_path):
    """Make a lake with records of three days and of none, and with all that can lie in its folder beside them."""
    for day in (1, 2, 3):
        write(tmp_path, f"trail/{day}.json", *(record(number, day) for number in range(5)))
    write(tmp_path, "trail/x.json", record(1, eventTime=None), record(2, eventTime="1999-01-01T00:00:00Z"))
    lake, _ = filled(tmp_path / "la'k[e]", tmp_path / "trail")
    lake.commit(staged(lake, record(7)), [])
    assert compact(lake, today=date(2026, 3, 20), days={"2026-03-01"}, everything=True) == (2, 1)
    lake.expire(date(2026, 3, 1))
    root = lake.place.root
    listed = root / lake.manifest().parts[-2].path
    shutil.copy(listed, listed.with_name("part-0123456789abcdef.parquet"))
    listed.with_name("part-of-somebody.parquet").write_text("no Parquet")
    (root / "records" / "README").write_text("hello")
    (listed.parent / "_SUCCESS").write_text("")
    (root / ".staged" / "x").mkdir(parents=True)
    (root / ".staged" / "x" / "part-0000000000000000.parquet").write_text("half of one")
    return lake


def test_duckdb(lake):
    """The statement is executed as it is printed: each record is there once, with the day and no other column beside."""
    with duckdb.connect() as connection:
        connection.execute(ddl(str(lake.place.root), "duckdb"))
        found = connection.execute("SELECT eventID FROM cloudtrail").fetchall()
        assert sorted(name for (name,) in found) == ids(lake)
        days = connection.execute("SELECT day, count(*) FROM cloudtrail GROUP BY day ORDER BY day").fetchall()
        assert days == [("2026-03-01", 6), ("2026-03-02", 5), ("2026-03-03", 5), (None, 2)]
        assert [name for name, *_ in connection.execute("DESCRIBE cloudtrail").fetchall()] == [*COLUMNS, "day"]  # fmt: skip
        (time,) = connection.execute("SELECT max(epoch_ms(eventTime)) FROM cloudtrail").fetchone()
        assert time == max(part.last for part in lake.manifest().parts if part.last)


def test_duckdb_follows_the_manifest(lake):
    """What comes and goes later is seen by the view that was made before."""
    with duckdb.connect() as connection:
        connection.execute(ddl(str(lake.place.root), "duckdb", "v"))
        lake.commit(staged(lake, record(90, 9)), [])
        lake.expire(date(2026, 3, 3))
        found = connection.execute("SELECT eventID FROM v").fetchall()
        assert sorted(name for (name,) in found) == ids(lake)


def test_duckdb_from_elsewhere(lake, tmp_path):
    """A lake may be moved: its manifest names files by their places in it."""
    os.rename(lake.place.root, tmp_path / "moved")  # noqa: PTH104 - as a shell does
    with duckdb.connect() as connection:
        connection.execute(ddl(str(tmp_path / "moved"), "duckdb"))
        assert connection.execute("SELECT count(*) FROM cloudtrail").fetchone() == (18,)


@pytest.mark.slow
@pytest.mark.spark
def test_spark(lake, spark):
    """The statement is executed as it is printed: each record is there once, also when others came and went since."""
    spark.sql(ddl(str(lake.place.root), "spark").rstrip(";\n"))
    assert sorted(row[0] for row in spark.sql("SELECT eventID FROM cloudtrail").collect()) == ids(lake)
    rows = spark.sql("SELECT day, count(*) FROM cloudtrail GROUP BY day ORDER BY day NULLS LAST").collect()
    assert [tuple(row) for row in rows] == [("2026-03-01", 6), ("2026-03-02", 5), ("2026-03-03", 5), (None, 2)]  # fmt: skip
    assert spark.table("cloudtrail").columns == [*COLUMNS, "day"]
    lake.commit(staged(lake, record(90, 9)), [])
    lake.expire(date(2026, 3, 3))
    assert sorted(row[0] for row in spark.sql("SELECT eventID FROM cloudtrail").collect()) == ids(lake)


def test_athena():
    """There is a table for the manifest, one for days and one for what has none; the view names all columns of both."""
    text = ddl("s3://b/lake", "athena", "trail")
    assert re.findall(r"CREATE (?:EXTERNAL TABLE|OR REPLACE VIEW) (\w+)", text) == ["trail_parts", "trail_files", "trail_undated", "trail"]  # fmt: skip
    assert re.findall(r"LOCATION '(.*)'", text) == ["s3://b/lake/manifest/", "s3://b/lake/records/", "s3://b/lake/records/day=__HIVE_DEFAULT_PARTITION__/"]  # fmt: skip
    for column in COLUMNS:
        assert text.count(f"  `{column}` ") == 2
        assert text.count(f'"{column.lower()}"') == 2


@pytest.mark.parametrize(
    ("engine", "sign"), [("duckdb", "'"), ("athena", "'"), ("spark", "`")], ids=["duckdb", "athena", "spark"]
)
def test_names_are_quoted(engine, sign):
    """What a place is called ends no text of a statement."""
    text = ddl(f"s3://b/it{sign}s", engine)
    assert f"it{sign * 2}s" in text
    assert f"it{sign}s" not in text
