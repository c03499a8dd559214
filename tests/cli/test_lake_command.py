"""`rolewatch lake`, and what is said of a lake that is damaged, of another format, or oddly called."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from lakes import ids, lake_at, record, table, write
from rolewatch.lake.checks import stretches

MANIFEST = Path("lake/manifest/parts.jsonl")
DAYS = (1, 2, 3)
EACH = 12  # records of a day


@pytest.fixture
def lake(call, here):
    """Make a lake of three days, from three ingests."""
    for part in range(3):
        for day in DAYS:
            write(here, f"trail-{part}/{day}.json.gz", *(record(part * 4 + n, day) for n in range(4)))
        assert call("ingest", f"trail-{part}", "--lake", "lake")[0] == 0
    return lake_at("lake")


def files(lake):
    """Give the files of a lake's parts, in the order of the manifest."""
    return [lake.place.root / part.path for part in lake.manifest().parts]


def as_json(call, *words, status=0):
    """Run a command on the lake; gives its JSON."""
    found, out, err = call(*words, "--lake", "lake", "--format", "json")
    assert found == status, err
    return json.loads(out)


def test_info(call, lake):
    """It tells what is in a lake, as text and as JSON."""
    parts = lake.manifest().parts
    assert as_json(call, "lake", "info") == {
        "lake": "lake",
        "revision": 3,
        "records": 36,
        "first_record": "2026-03-01T00:00:00Z",
        "last_record": "2026-03-03T00:00:11Z",
        "days": 3,
        "files": 9,
        "bytes": sum(part.bytes for part in parts),
        "record_bytes": sum(part.record_bytes for part in parts),
        "deliveries": 9,
        "retired_files": 0,
        "unreadable": [],
    }
    status, out, err = call("lake", "info", "--lake", "lake")
    assert (status, err) == (0, "")
    assert re.search(r"^records +36$", out, re.MULTILINE)
    assert re.search(r"^to +2026-03-03T00:00:11Z$", out, re.MULTILINE)


def test_compact(call, lake):
    """Small files become one a day; the records are the same, and the second time there is nothing to do."""
    before = ids(lake)
    assert as_json(call, "lake", "compact") == {"merged": 9, "into": 3, "removed": 0}
    assert (ids(lake), len(files(lake))) == (before, 3)
    assert as_json(call, "lake", "info")["retired_files"] == 9
    status, out, err = call("lake", "compact", "--lake", "lake")
    assert (status, out, err) == (0, "0 files became 0; 0 were removed that nobody needs\n", "")


def test_expire(call, lake):
    """Days that are older go, and their records are no longer found; what is younger stays."""
    age = (datetime.now(UTC) - datetime(2026, 3, 2, 12, tzinfo=UTC)) // timedelta(hours=1)
    assert as_json(call, "lake", "expire", "--older-than", f"{age}h") == {"days": 1, "records": EACH}
    assert [part.day for part in lake.manifest().parts] == ["2026-03-02"] * 3 + ["2026-03-03"] * 3
    status, out, err = call("lake", "expire", "--older-than", "99999d", "--lake", "lake")
    assert (status, out, err) == (0, "0 records of 0 days are no longer in the lake\n", "")
    status, out, _ = call("lake", "expire", "--older-than", "1d", "--lake", "lake")
    assert (status, out) == (0, "24 records of 2 days are no longer in the lake\n")
    assert as_json(call, "query", "stats count(*) as n")["results"] == [{"n": "0"}]


@pytest.mark.parametrize("engine", ["duckdb", "spark"])
def test_ddl(call, lake, engine):
    """It prints a view of the lake's files, by a full path, under the name that was asked for."""
    status, out, err = call("lake", "ddl", "--engine", engine, "--view", "my_trail", "--lake", "lake")
    assert (status, err) == (0, "")
    assert re.match(r"CREATE OR REPLACE (TEMPORARY )?VIEW my_trail AS\n", out)
    assert f"{Path('lake').resolve()}/records/" in out
    assert lake.place.name == "lake"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["expire", "--lake", "lake"], 2, "lake expire needs --older-than"),
        (["info", "--older-than", "3d", "--lake", "lake"], 2, "--older-than means nothing to lake info"),
        (["compact", "--older-than", "3d", "--lake", "lake"], 2, "--older-than means nothing to lake compact"),
        (["ddl", "--older-than", "3d", "--lake", "lake"], 2, "--older-than means nothing to lake ddl"),
        (["expire", "--older-than", "soon", "--lake", "lake"], 2, "400d, 52w"),
        (["expire", "--older-than", "999999999d", "--lake", "lake"], 2, "longer than the calendar"),
        (["ddl", "--engine", "athena", "--lake", "lake"], 4, "Athena cannot read lake (it reads S3 only"),
        (["ddl", "--view", "a b", "--lake", "lake"], 2, "--view"),
        (["forget", "--lake", "lake"], 2, "forget"),
        (["info", "--lake", "nowhere"], 4, "nowhere: there is no lake"),
        (["compact", "--lake", "nowhere"], 4, "nowhere: there is no lake"),
        (["expire", "--older-than", "1d", "--lake", "nowhere"], 4, "nowhere: there is no lake"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
@pytest.mark.usefixtures("lake")
def test_what_cannot_be(call, words, status, said):
    """It is told in one line, nothing is printed, and nothing is made."""
    before = MANIFEST.read_bytes()
    found, out, err = call("lake", *words)
    assert (found, out) == (status, "")
    assert said in err
    assert err.count("\n") == 1
    assert (MANIFEST.read_bytes(), Path("nowhere").exists()) == (before, False)


def flip(path, column):
    """Change a bit in the middle of a column of a file."""
    ((start, size),) = stretches(path, [column])[column]
    content = bytearray(path.read_bytes())
    content[start + size // 2] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:-100]), "bytes, and the manifest says"),
    "empty": (lambda path: path.write_bytes(b""), "it has 0 bytes, and the manifest says"),
    "gone": (lambda path: path.unlink(), "the manifest lists it, and it is not there"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "the manifest lists it, and it is not there"),
    "another one": (lambda path: path.write_bytes(path.stat().st_size * b"x"), "its end is not as it was written"),
    "a flipped bit": (lambda path: flip(path, "eventName"), "its column eventName is not as it was written"),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "reason"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_part(call, lake, damage, reason):
    """A query names it on stderr and in JSON, answers from the rest, and its exit status says so."""
    first, *_ = files(lake)
    name = lake.manifest().parts[0].path
    damage(first)
    status, out, err = call("query", "stats count(eventName) as n", "--lake", "lake", "--format", "json")
    found = json.loads(out)
    assert (status, found["results"]) == (3, [{"n": "32"}])
    ((said,),) = [[each["reason"] for each in found["unreadable"] if each["delivery"] == name]]
    assert reason in said
    assert err == f"rolewatch: cannot read {name}: {said}\n"
    status, out, err = call("query", "stats count(eventName) as n", "--lake", "lake")
    assert (status, re.findall(r"\d+", out.splitlines()[1]), f"cannot read {name}: " in err) == (3, ["32"], True)  # fmt: skip


def test_a_column_that_nobody_asks_for(call, lake):
    """Damage in it does not keep a query from its answer; one that asks for it leaves the part out."""
    flip(files(lake)[0], "userAgent")
    assert as_json(call, "query", "stats count(eventName) as n")["results"] == [{"n": "36"}]
    found = as_json(call, "query", "filter not ispresent(userAgent) | stats count(*) as n", status=3)
    assert found["results"] == [{"n": "32"}]


@pytest.mark.parametrize(
    "query", ["stats count(*) by requestParameters.bucketName", "filter @message like 'b1'"]
)
def test_damage_in_the_record(call, lake, query):
    """A damaged text of records is found where it is searched, wherever it is damaged."""
    flip(files(lake)[0], "record")
    found = as_json(call, "query", query, status=3)
    assert [each["delivery"] for each in found["unreadable"]] == [lake.manifest().parts[0].path]


def test_records_that_are_only_shown(call, lake):
    """A text of records that cannot be unpacked is named although it is only shown; those of other parts are shown."""
    path = files(lake)[0]
    ((start, size),) = stretches(path, ["record"])["record"]
    content = path.read_bytes()
    path.write_bytes(content[:start] + bytes(size) + content[start + size :])
    found = as_json(call, "query", "fields @message | limit 100", status=3)
    assert [each["delivery"] for each in found["unreadable"]] == [lake.manifest().parts[0].path]
    assert len(found["results"]) == 32


def test_care_of_a_damaged_lake(call, lake):
    """Info names damage; to merge and to ingest goes on with the rest, and the damaged part stays for who repairs it."""
    first, second, *_ = files(lake)
    whole = first.read_bytes()
    first.write_bytes(whole[:-100])
    flip(second, "requestID")
    (found,) = as_json(call, "lake", "info", status=3)["unreadable"]
    assert found["file"] == lake.manifest().parts[0].path
    assert "bytes, and the manifest says" in call("lake", "info", "--lake", "lake")[1]
    parts = lake.manifest().parts
    assert as_json(call, "lake", "compact") == {"merged": 6, "into": 2, "removed": 0}
    assert set(parts[:2]) <= set(lake.manifest().parts)
    first.write_bytes(whole)
    flip(second, "requestID")
    assert len(set(table(lake)["eventID"].to_pylist())) == 36


def test_foreign_files(call, lake):
    """What rolewatch did not write is named and not read, though it be Parquet."""
    names = ["records/notes.txt", "records/day=2026-03-01/copy.parquet", "records/day=x/part-0123456789abcdef.parquet"]  # fmt: skip
    for name in names:
        (lake.place.root / name).parent.mkdir(exist_ok=True)
        (lake.place.root / name).write_bytes(files(lake)[0].read_bytes())
    found = as_json(call, "query", "stats count(*) as n", status=3)
    assert found["results"] == [{"n": "36"}]
    expected = [{"delivery": name, "reason": "this is no file of the lake"} for name in sorted(names)]
    assert found["unreadable"] == expected
    status, _, err = call("query", "stats count(*) as n", "--lake", "lake")
    assert (status, sorted(err.splitlines())) == (3, [f"rolewatch: cannot read {name}: this is no file of the lake" for name in sorted(names)])  # fmt: skip


def elsewhere(lines, path):
    """Have the first part of a manifest lie at another path."""
    return b"".join([lines[0], re.sub(rb'"path":"[^"]*"', b'"path":"' + path + b'"', lines[1]), *lines[2:]])


MANIFESTS = {
    "no JSON": (lambda _: b"hello\n", "this is no manifest of a lake"),
    "empty": (lambda _: b"", "this is no manifest of a lake"),
    "binary": (lambda _: b"\xff\x00\x80", "this is no manifest of a lake"),
    "a list": (lambda _: b"[]\n", "this is no manifest of a lake"),
    "no last line": (lambda lines: b"".join(lines[:-1]), "this is no manifest of a lake: it has 8 parts, and says 9"),
    "half a line": (lambda lines: b"".join(lines)[:-30], "this is no manifest of a lake"),
    "no first line": (lambda lines: b"".join(lines[1:]), "this lake has format None"),
    "files above": (lambda lines: elsewhere(lines, b"../outside.parquet"), "this is no manifest of a lake: it lists ../outside.parquet, which is no file of a lake"),
    "files elsewhere": (lambda lines: elsewhere(lines, b"/etc/passwd"), "this is no manifest of a lake: it lists /etc/passwd"),
    "files around": (lambda lines: elsewhere(lines, b"records/day=2026-03-01/../../part-0123456789abcdef.parquet"), "this is no manifest of a lake: it lists"),
    "files of a bucket": (lambda lines: elsewhere(lines, b"s3://other/part"), "this is no manifest of a lake: it lists"),
    "of later": (lambda lines: b"".join(lines).replace(b'"rolewatch_lake":1', b'"rolewatch_lake":2'), "this lake has format 2, and this version of rolewatch knows 1"),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "said"), MANIFESTS.values(), ids=MANIFESTS)
@pytest.mark.usefixtures("lake")
def test_a_manifest_that_is_none(call, damage, said):
    """Every command says so and ends, and nothing is written over it."""
    MANIFEST.write_bytes(damage(MANIFEST.read_bytes().splitlines(keepends=True)))
    before = MANIFEST.read_bytes()
    for words in (["query", "stats count(*)"], ["lake", "info"], ["lake", "compact"], ["lake", "expire", "--older-than", "1d"], ["ingest", "logs"]):  # fmt: skip
        status, out, err = call(*words, "--lake", "lake")
        assert (status, out) == (4, "")
        assert f"lake/manifest/parts.jsonl: {said}" in err
        assert err.count("\n") == 1
    assert MANIFEST.read_bytes() == before


@pytest.mark.parametrize(
    "name",
    ["it's", 'a "lake"', "la[k]e", "l*k?", "la{k,e}", "day=2026-03-01", "ein Şee", "lake;--", "%41 $HOME", "-lake/", "a/./b//c/"],
)  # fmt: skip
def test_names(call, here, name):
    """A lake may be called as it likes: ingest, a query, its care and the statement for DuckDB find its files."""
    write(here, "trail/1.json", *map(record, range(EACH)))
    option = f"--lake={name}"
    for source in ("trail", "trail/1.json"):
        assert call("ingest", source, option)[0] == 0
    query = "stats count(*) as n, count_distinct(requestParameters.bucketName) as buckets"
    status, out, err = call("query", query, option, "--format", "json")
    assert (status, err, json.loads(out)["results"]) == (0, "", [{"n": "12", "buckets": "7"}])
    assert call("lake", "info", option)[0] == call("lake", "compact", option)[0] == 0
    status, out, _ = call("lake", "ddl", option)
    assert status == 0
    with duckdb.connect() as connection:
        connection.execute(out)
        assert connection.execute("SELECT count(DISTINCT eventID) FROM cloudtrail").fetchall() == [(EACH,)]


def test_backslash_for_duckdb(call, here):
    """DuckDB lists no files below a backslash: no view is printed that would be empty there, all else works."""
    write(here, "trail/1.json", record(0))
    option = "--lake=back\\slash"
    assert call("ingest", "trail", option)[0] == call("query", "fields @timestamp", option)[0] == 0
    status, out, err = call("lake", "ddl", option)
    assert (status, out) == (4, "")
    assert "takes the backslash for the end of a name" in err
    assert call("lake", "ddl", option, "--engine", "spark")[0] == 0
