"""What a lake answers is what its deliveries answer, whatever the records are; what is damaged is named and left out."""

import ast
import json
import runpy
import shutil
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostile import GETS, TIMES, records, showing
from lakes import ACCOUNT, filled, lake_at, over_deliveries, over_lake, planned, record, write
from rolewatch.base.errors import CannotDo
from rolewatch.insights import QueryError
from rolewatch.lake import table
from rolewatch.plan import Get, Type
from rolewatch.sources import Window

INSIGHTS = Path(__file__).parents[1] / "insights"
START, END = 1_772_000_000_000, 1_775_000_000_000


def _queries():
    """Give the queries that engines are held to, from the text of their test."""
    for node in ast.parse((INSIGHTS / "test_query_engines.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "QUERIES":
            return ast.literal_eval(node.value.func.value.func.value).strip().splitlines()
    return []


def _supported(query):
    try:
        planned(query, START, END)
    except QueryError:
        return False
    return True


QUERIES = _queries()
DOCUMENTED = [
    query
    for case in json.loads((INSIGHTS / "documented.json").read_text())
    if _supported(query := case["query"])
]
STORY = runpy.run_path(str(INSIGHTS / "messages.py"))["record"]


def story(number):
    """Make one of the records that engines are tested with, as CloudTrail would write it."""
    return {"eventVersion": "1.09", **STORY(number), "eventID": f"id-{number:04}", "recipientAccountId": ACCOUNT}  # fmt: skip


@pytest.fixture(scope="module", params=["in C", "in Python"])
def way(request):
    """Have records taken by what is written in C, or by what stands in for it."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "in Python":
            patch.setattr(table, "native", None)
        yield request.param


@pytest.fixture(scope="module")
def trail(tmp_path_factory):
    """Write three deliveries that overlap."""
    folder = tmp_path_factory.mktemp("trail")
    for number in range(3):
        write(folder, f"{number}.json.gz", *map(story, range(number * 40, number * 40 + 50)))
    return folder


@pytest.fixture(scope="module")
def lake(trail, way, tmp_path_factory):
    """Ingest them."""
    return filled(tmp_path_factory.mktemp(way) / "lake", trail)[0]


@pytest.fixture(scope="module")
def real(way, tmp_path_factory):
    """Ingest the examples and some deliveries of real trails; returns their folder and the lake."""
    del way
    folder = tmp_path_factory.mktemp("real")
    for place in (
        Path(__file__).parents[2] / "examples" / "deliveries",
        Path(__file__).parents[1] / "data" / "real",
    ):
        shutil.copytree(place, folder / "trail" / place.name)
    return folder / "trail", filled(folder / "lake", folder / "trail")[0]


def told(answer):
    """Give what two ways to answer have to agree on, but for the order of rows."""
    return answer.more, answer.statistics["records_matched"], [shown.name for shown in answer.plan.shown]


def test_queries_were_found():
    """There are as many as there were, and more of the documentation's."""
    assert (len(QUERIES) > 50, len(DOCUMENTED) > 50) == (True, True)


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_query(query, trail, lake):
    """The same rows in the same order."""
    plan = planned(query, START, END)
    expected, found = over_deliveries(plan, trail), over_lake(plan, lake)
    assert found.rows == expected.rows
    assert told(found) == told(expected)
    assert found.unreadable == []


@pytest.mark.parametrize("query", DOCUMENTED, ids=range(len(DOCUMENTED)))
def test_documented_query(query, real):
    """The same rows; where several are of the same second, in whatever order."""
    source, lake = real
    plan = planned(query, START, END)
    expected, found = over_deliveries(plan, source), over_lake(plan, lake)
    assert told(found) == told(expected)
    assert len(found.rows) == len(expected.rows)
    if "limit" not in query and "dedup" not in query:
        assert sorted(map(repr, found.rows)) == sorted(map(repr, expected.rows))


@pytest.mark.parametrize(("most", "more"), [(129, True), (130, False), (131, False), (1, True)])
def test_more(lake, trail, most, more):
    """No more rows are given than were asked for, and it is told if there are others."""
    found, expected = (ask("fields eventID, size", place, most=most) for ask, place in ((over_lake, lake), (over_deliveries, trail)))  # fmt: skip
    assert (len(found.rows), found.more) == (min(most, 130), more)
    assert (found.rows, told(found)) == (expected.rows, told(expected))


def _by_id(answer):
    return sorted(answer.rows, key=repr)


IDENTIFIED = [Get(("eventID",)), Get(("@message",)), Get(("@timestamp",), Type.TIME), Get(("eventTime",)), Get(("readOnly",))]  # fmt: skip


@pytest.mark.slow
@settings(max_examples=60)
@given(st.lists(records(), min_size=1, max_size=6), st.lists(GETS, max_size=6, unique=True), st.booleans())
def test_hostile_records(texts, gets, native):
    """Fields are the same wherever they are asked for, whatever the records are, and however their values are spelled."""
    texts = [f'{text[:-1]},"eventID":"{number}"}}' for number, text in enumerate(texts)]
    plan = showing([*IDENTIFIED, *gets])
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(table, "native", table.native if native else None)
        source = write(Path(folder), "trail.json", *texts)
        lake, done = filled(Path(folder) / "lake", source)
        expected, found = over_deliveries(plan, source), over_lake(plan, lake)
    assert done["records_added"] == len(expected.rows)
    assert _by_id(found) == _by_id(expected)
    assert told(found) == told(expected)


@settings(max_examples=25)
@given(st.lists(records(), min_size=1, max_size=6), st.data())
def test_windows_of_hostile_records(texts, data):
    """A window leaves the same records, of those whose time and account are spelled as CloudTrail does."""
    texts = [f'{text[:-1]},"eventTime":"{data.draw(st.sampled_from(TIMES))}","awsRegion":"us-east-{number % 2}","recipientAccountId":"{number % 3}","eventID":"{number}"}}' for number, text in enumerate(texts)]  # fmt: skip
    window = Window(
        accounts=data.draw(st.sampled_from([frozenset(), frozenset("0"), frozenset("12")])),
        regions=data.draw(st.sampled_from([frozenset(), frozenset(["us-east-0"])])),
        since=data.draw(st.sampled_from([None, datetime(2026, 3, 1, 10, 5, tzinfo=UTC)])),
        until=data.draw(st.sampled_from([None, datetime(2026, 3, 2, tzinfo=UTC)])),
    )
    with TemporaryDirectory() as folder:
        source = write(Path(folder), "trail.json", *texts)
        lake, _ = filled(Path(folder) / "lake", source)
        plan = showing(IDENTIFIED)
        expected, found = over_deliveries(plan, source, window=window), over_lake(plan, lake, window=window)
    assert _by_id(found) == _by_id(expected)
    assert told(found) == told(expected)


@pytest.mark.parametrize("text", ['"\\ud800"', '"\xff"', '{"a":1}', "[[[1]]]", "1e999", '"\\u0000"', "-0", "1.50"])  # fmt: skip
@pytest.mark.parametrize("field", ["userAgent", "eventTime", "awsRegion", "recipientAccountId", "eventID", "userIdentity", "x"])  # fmt: skip
def test_one_hostile_record(tmp_path, field, text):
    """One odd record takes nothing from the others, whatever is asked of it."""
    lines = [json.dumps(record(number, **({field: "@@"} if number == 2 else {})), separators=(",", ":")) for number in (1, 2, 4)]  # fmt: skip
    data = f'{{"Records":[{",".join(lines)}]}}'.encode().replace(b'"@@"', text.encode("latin-1"))
    source = write(tmp_path, "a.json", data)
    lake, _ = filled(tmp_path / "lake", source)
    for query in (
        f"fields @timestamp, @message, {field}, {field}.a, {field}.0.0, concat({field}, 'x') | sort eventName",
        f"stats count(*) as n by {field}, bin(1h) | stats sum(n), count(*)",
        f"filter {field} = '1' or ispresent({field}) | stats count(*)",
    ):
        expected, found = over_deliveries(query, source), over_lake(query, lake)
        assert _by_id(found) == _by_id(expected)
        assert told(found) == told(expected)


def test_absent_fields(lake):
    """Fields that none of the records has which the filters let through are told, of those that are doubtful."""
    query = "filter eventName = 'GetObject' | fields nope, eventName, errorCode, requestParameters.x"
    absent = over_lake(query, lake).absent
    assert {get.steps for get in absent} == {("nope",), ("requestParameters", "x")}
    assert over_lake(query, lake, doubtful=False).absent == ()


@pytest.fixture
def days(tmp_path):
    """Ingest three days of some thousand records; returns the lake and the paths of its files by day."""
    for day in (1, 2, 3):
        write(tmp_path, f"trail/{day}.json.gz", *(record(number, day, userAgent=f"agent {number * 7919 % 1009}") for number in range(600)))  # fmt: skip
    lake, _ = filled(tmp_path / "lake", tmp_path / "trail")
    return lake, {part.day: tmp_path / "lake" / part.path for part in lake.manifest().parts}


def test_windows_leave_files_alone(days):
    """Only files that can hold records of the window are read."""
    lake, _ = days
    window = Window(
        since=datetime(2026, 3, 2, 0, 5, tzinfo=UTC), until=datetime(2026, 3, 3, 0, 0, 1, tzinfo=UTC)
    )
    found = over_lake("stats count(*)", lake, window=window)
    assert found.rows == [(301.0,)]
    assert found.statistics["deliveries"] == 2
    assert found.statistics["records_scanned"] == 1200
    before = Window(until=datetime(2026, 3, 1, tzinfo=UTC))
    assert over_lake("fields eventID", lake, window=before).rows == []
    assert over_lake("stats count(*)", lake, window=before).rows == [(0.0,)]


WHOLE = "stats count(*) as n, max(@message), max(userAgent), max(eventID) by datefloor(@timestamp, 1d) as day | sort day"


def test_flipped_bytes(days):
    """One byte that is another one anywhere in a column that is read, or in the file's end, is noticed."""
    lake, paths = days
    path = paths["2026-03-02"]
    whole, expected = path.read_bytes(), over_lake(WHOLE, lake).rows
    noticed = 0
    for place in range(4, len(whole), max(len(whole) // 60, 1)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :])
        found = over_lake(WHOLE, lake)
        if found.unreadable:
            ((name, reason),) = found.unreadable
            assert path.as_posix().endswith(name)
            assert reason.startswith("damaged: ")
            assert found.rows == [expected[0], expected[2]]
            assert found.statistics["deliveries"] == 2
            noticed += 1
        else:
            assert found.rows == expected
    assert noticed > 30


def test_damage_elsewhere(days):
    """Damage in a column that is not asked for takes nothing from an answer."""
    lake, paths = days
    path = paths["2026-03-02"]
    data = bytearray(path.read_bytes())
    place = data.rindex(b"\x28\xb5\x2f\xfd")  # the last frame of zstd is of the last column, the records
    data[place + 8] ^= 255
    path.write_bytes(data)
    assert over_lake(WHOLE, lake).unreadable != []
    found = over_lake("stats count(*) by eventName", lake)
    assert (sum(row[1] for row in found.rows), found.unreadable) == (1800.0, [])


def _cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def _other(path):
    path.write_bytes(b"x" * path.stat().st_size)


def _empty(path):
    path.write_bytes(b"")


def _folder(path):
    path.unlink()
    path.mkdir()


DAMAGE = [(Path.unlink, "not there"), (_cut, "bytes"), (_empty, "bytes"), (_other, "damaged"), (_folder, "not there")]  # fmt: skip


@pytest.mark.parametrize(("damage", "reason"), DAMAGE, ids=[each.__name__ for each, _ in DAMAGE])
def test_damaged_files(days, damage, reason):
    """A file that is gone, cut off or another one is named, and the others are asked."""
    lake, paths = days
    damage(paths["2026-03-02"])
    found = over_lake("stats count(*)", lake)
    assert found.rows == [(1200.0,)]
    assert [(reason in said, name.split("/")[1]) for name, said in found.unreadable] == [(True, "day=2026-03-02")]  # fmt: skip
    window = Window(since=datetime(2026, 3, 3, tzinfo=UTC))
    assert over_lake("stats count(*)", lake, window=window).unreadable == []


def test_all_files_are_damaged(days):
    """Nothing is left to ask, and that is answered."""
    lake, paths = days
    for path in paths.values():
        _other(path)
    found = over_lake("stats count(*)", lake)
    assert (found.rows, len(found.unreadable)) == ([(0.0,)], 3)
    assert over_lake("fields @timestamp, eventName, x.y", lake).rows == []


def test_foreign_files(days, tmp_path):
    """What rolewatch did not write is named and not read; what no manifest lists is not read either."""
    lake, paths = days
    folder = paths["2026-03-02"].parent
    (folder / "part-x.parquet").write_text("hello")
    (tmp_path / "lake" / "records" / "README").write_text("hello")
    (folder / "_SUCCESS").write_text("")
    (folder / ".part.crc").write_text("")
    shutil.copy(paths["2026-03-02"], folder / f"part-{'0' * 16}.parquet")
    found = over_lake("stats count(*)", lake)
    assert found.rows == [(1800.0,)]
    reason = "this is no file of the lake"
    assert found.unreadable == [("records/README", reason), ("records/day=2026-03-02/part-x.parquet", reason)]


def test_odd_folders(tmp_path):
    """A lake may lie in a folder whose name means something to a pattern or a statement."""
    source = write(tmp_path, "a.json", record(1))
    lake, _ = filled(tmp_path / "l[a]k*e's {b} ?", source)
    assert over_lake("stats count(*)", lake).rows == [(1.0,)]


def test_an_empty_lake(tmp_path):
    """A lake without records answers as deliveries without records do."""
    source = write(tmp_path, "a.json")
    lake, _ = filled(tmp_path / "lake", source)
    for query in ("fields @timestamp, x", "stats count(*), sum(x)", "stats count(*) by x"):
        assert over_lake(query, lake).rows == over_deliveries(query, source).rows


def test_no_lake(tmp_path):
    """Where there is no lake, that is said, with how to make one."""
    with pytest.raises(CannotDo, match="there is no lake"):
        over_lake("stats count(*)", lake_at(tmp_path / "nowhere"))


def test_nothing_but_the_files_can_be_reached(days, tmp_path):
    """A query cannot name other files: what it says is never part of a statement."""
    lake, _ = days
    secret = tmp_path / "secret.csv"
    secret.write_text("a")
    query = f"fields `x') FROM read_csv('{secret}') --`, `' || read_text('{secret}') || '` | limit 1"
    assert over_lake(query, lake).rows == [(None, None)]
