"""A query over deliveries: what it rests on, and that neither processes nor literals change what it answers."""

import pytest
from trails import asked, content, record, write

from rolewatch.base.errors import RolewatchError
from rolewatch.scan import pool
from rolewatch.sources import Window

QUERIES = [
    "fields @timestamp, eventName, errorCode, requestParameters.size | sort @timestamp asc",
    "stats count(*) as n by eventName, errorCode",
    "filter errorCode = 'AccessDenied' | stats count(*) by bin(1h)",
    "filter errorCode like 'Access' and eventName in ['GetObject', 'PutObject'] | fields eventID",
    "stats sum(requestParameters.size), count_distinct(eventID), max(requestParameters.list.1)",
    "filter requestParameters.list.0 = 'GetObject' | stats count(*)",
    "fields @message | limit 7",
    "fields eventName | dedup eventName",
    "stats count(*)",
]


@pytest.fixture
def trail(tmp_path):
    """Write a folder of deliveries, some of them not as CloudTrail does, that overlap."""
    for number in range(12):
        records = [record(n) for n in range(number * 25, number * 25 + 30)]
        layout = {"indent": 1} if number % 4 == 3 else {}
        write(tmp_path, f"{number}.json{'.gz' if number % 2 else ''}", content(*records, **layout))
    return tmp_path


@pytest.mark.parametrize("query", QUERIES)
def test_jobs(trail, query, monkeypatch):
    """Several processes answer what one answers."""
    alone = asked(query, trail)
    monkeypatch.setattr(pool, "SMALL", -1)
    monkeypatch.setattr(pool, "BATCH", 1)
    several = asked(query, trail, jobs=2)
    assert several.rows == alone.rows
    assert alone.rows
    for statistics in (alone.statistics, several.statistics):
        assert statistics.pop("seconds") >= 0
    assert several.statistics == alone.statistics


def test_jobs_of_large_work(tmp_path):
    """Without being forced to, a pool answers the same over what is large."""
    for number in range(5):
        records = (record(number * 1000 + n, x=f"{number}{n}" * 200) for n in range(1000))
        write(tmp_path, f"{number}.json", content(*records))
    query = "stats count(*) as n, max(x) as x by errorCode"
    alone, several = asked(query, tmp_path), asked(query, tmp_path, jobs=2)
    assert alone.statistics["bytes_scanned"] > pool.SMALL
    assert several.rows == alone.rows
    assert sum(row[1] for row in alone.rows) == 5000


@pytest.mark.parametrize(
    ("query", "matched"),
    [
        ("stats count(*)", 305),
        ("filter eventName = 'GetObject' | stats count(*)", 102),
        ("filter eventName = 'GetObject' | filter errorCode = 'AccessDenied' | limit 1", 13),
        ("fields eventName as n | filter n = 'GetObject' | stats count(*)", 102),
        ("filter eventName = 'Nothing'", 0),
        ("filter errorCode = 'AccessDenied' | limit 1 | filter eventName = 'GetObject'", 39),
    ],
)
def test_statistics(trail, query, matched):
    """Records matched are those that the first filters let through, whatever is left of them; copies count once."""
    expected = sum(write(trail, f"again/{path.name}", content(record(1))) for path in sorted(trail.iterdir()))
    found = asked(query, trail)
    size = sum(len(content(*(record(n) for n in range(i * 25, i * 25 + 30)), **({"indent": 1} if i % 4 == 3 else {}))) for i in range(12))  # fmt: skip
    told = found.statistics
    assert told["records_matched"] == matched
    assert told["records_scanned"] == 12 * 30 + 12
    assert told["bytes_scanned"] == expected + size
    assert told["deliveries"] == 24
    assert told["seconds"] >= 0
    assert (found.skipped, found.unreadable) == ([], [])
    if "filter" not in query:
        assert told["duplicates"] == 11 * 5 + 12


@pytest.mark.parametrize(("most", "more"), [(304, True), (305, False), (306, False), (1, True)])
def test_more(trail, most, more):
    """No more rows are given than were asked for, and it is told if there are others."""
    found = asked("fields eventID", trail, most=most)
    assert (len(found.rows), found.more) == (min(most, 305), more)
    assert not asked("fields eventID | limit 5", trail, most=5).more


def test_nothing(tmp_path):
    """Deliveries without records give no rows, and a count of 0."""
    write(tmp_path, "a.json", b'{"Records":[]}')
    assert asked("fields @timestamp, x", tmp_path).rows == []
    found = asked("stats count(*), sum(x), count(x) as n", tmp_path)
    assert found.rows == [(0.0, None, 0.0)]
    assert found.statistics["records_scanned"] == found.statistics["records_matched"] == 0


def test_what_cannot_be_read(trail):
    """What cannot be read is named, in order, and the rest is answered."""
    write(trail, "z.json.gz", content(record(1)))
    (trail / "z.json.gz").write_bytes((trail / "z.json.gz").read_bytes()[:-20])
    write(trail, "b.json", b"hello")
    write(trail, "README", b"hello")
    found = asked("stats count(*)", trail)
    assert [name.rsplit("/", 1)[1] for name, _ in found.unreadable] == ["b.json", "z.json.gz"]
    assert [name.rsplit("/", 1)[1] for name, _ in found.skipped] == ["README"]
    assert found.rows == [(305.0,)]


def test_no_source(tmp_path):
    """A SOURCE that does not exist is an error."""
    with pytest.raises(RolewatchError, match="nowhere"):
        asked("stats count(*)", tmp_path / "nowhere")


def test_window(trail):
    """A narrow window is asked of records before the query's own filters."""
    window = Window(regions=frozenset(["us-east-1"]), accounts=frozenset(["999999999999"]))
    assert asked("stats count(*)", trail, window=window).rows == [(0.0,)]
    window = Window(regions=frozenset(["us-east-1"]))
    assert asked("stats count(*)", trail, window=window).rows == [(305.0,)]


@pytest.mark.parametrize("value", ['"\\ud800"', '"\xff"', '{"a":1}', "[[[1]]]", "1e999", '"\\u0000"'])
@pytest.mark.parametrize("field", ["userAgent", "eventTime", "awsRegion", "recipientAccountId", "eventID", "userIdentity"])  # fmt: skip
def test_hostile_records(tmp_path, field, value):
    """One odd record takes nothing from the others, whatever is asked of it."""
    odd = content(record(1), record(2, **{field: "@@"}), record(4)).replace(b'"@@"', value.encode("latin-1"))
    write(tmp_path, "a.json", odd)
    query = (
        f"fields @timestamp, @message, {field}, {field}.a, {field}.0.0, concat({field}, 'x') | sort {field}"
    )
    found = asked(query, tmp_path)
    assert (len(found.rows), found.unreadable) == (3, [])
    assert asked(f"stats count(*) as n by {field}, bin(1h) | stats sum(n)", tmp_path).rows == [(3.0,)]
    window = Window(regions=frozenset(["us-east-1"]), accounts=frozenset(["111122223333"]))
    narrow = asked("stats count(*)", tmp_path, window=window).rows
    assert narrow == [(2.0 if field in ("awsRegion", "recipientAccountId") else 3.0,)]
