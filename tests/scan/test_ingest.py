"""Deliveries become files of a lake: each record once, whatever way it takes and whatever is wrong with its delivery."""

import gzip
import io
import sys
from datetime import UTC, datetime

import pyarrow.compute as pc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from loads import logs

import hostile
from lakes import content, filled, ids, lake_at, record, table, write
from rolewatch.base.errors import CannotDo
from rolewatch.cloudtrail import carve
from rolewatch.lake import table as rows_of
from rolewatch.lake.parts import Written
from rolewatch.scan import ingest as ingesting
from rolewatch.scan import pool
from rolewatch.sources import Window

MOMENT = datetime(2026, 3, 2, 0, 0, 5, tzinfo=UTC)
OTHER = "444455556666"
UNPARSABLE = '{"eventVersion":"1.09","eventTime":"2026-03-01T00:00:08Z","eventName":x}'


def in_python(patch):
    """Do without what is written in C."""
    patch.setattr(rows_of, "native", None)
    patch.setattr(carve, "native", None)


@pytest.fixture(params=["in C", "in Python"])
def way(request, monkeypatch):
    """Run a test with what is written in C, and without."""
    if request.param == "in Python":
        in_python(monkeypatch)
    else:
        assert rows_of.native is not None, "there is a C compiler on a machine that runs the tests"


def rows(lake):
    """Give all rows of a lake, in the order of their records."""
    found = table(lake)
    return found.take(pc.sort_indices(found["record"])).to_pylist()


def told(found, kind="unreadable"):
    """Give what was said of deliveries, by the names of their files."""
    return {each["delivery"].rpartition("/")[2]: each["reason"] for each in found[kind]}


def numbers(found):
    """Give what was added, what was there, and how many deliveries were read and how many known."""
    totals = found["totals"]
    return found["records_added"], found["duplicates"], totals["deliveries"], totals["known"]


def trail(folder, days=(1, 2, 3), each=4, size=10):
    """Write deliveries by the names that CloudTrail gives; every second one has records of another account."""
    for day in days:
        for number in range(each):
            account = {"recipientAccountId": OTHER} if number % 2 else {}
            write(folder, logs(day, number, suffix=f"-{number}"), *(record(number * size + n, day, **account) for n in range(size)))  # fmt: skip
    return folder


HEAD = '{"eventVersion":"1.09","eventTime":"2026-03-01T00:00:01Z"'
ODD = [
    HEAD + ',"x":1.50,"eventID":"0"}',
    '{"eventVersion":"1.09","eventTime":"2026-02-30T00:00:01Z","eventID":"1"}',
    HEAD + ',"userAgent":"\\ud800","eventID":"2"}',
    HEAD + ',"readOnly":"yes","eventID":"3"}',
    HEAD + ',"eventName":7,"eventID":"4"}',
    HEAD + ',"userIdentity":{"type":"é"},"resources":[{"ARN":"a"},{"ARN":"b"}],"eventID":"5"}',
]


def test_rows_are_the_same_without_what_is_written_in_c(tmp_path, monkeypatch):
    """Files have the same rows, column by column."""
    trail(tmp_path / "trail")
    write(tmp_path, "trail/odd.json", *ODD)
    fast, _ = filled(tmp_path / "fast", tmp_path / "trail")
    in_python(monkeypatch)
    slow, _ = filled(tmp_path / "slow", tmp_path / "trail")
    assert rows(fast) == rows(slow)
    assert len(rows(fast)) == 3 * 4 * 10 + len(ODD)
    odd = [next(row for row in rows(fast) if row["eventID"] == str(number)) for number in range(len(ODD))]
    assert [row["record"] for row in odd] == ODD
    assert [row["inexact"] for row in odd] == [True, True, True, True, False, False]
    assert (odd[4]["eventName"], odd[5]["userIdentity_type"], odd[5]["resources_0_ARN"]) == ("7", "é", "a")


@given(texts=st.lists(hostile.records(), min_size=1, max_size=4))
@example(
    texts=[r'{"eventVersion":"1.09","eventTime":"2026-03-01T10:00:00Z","a":"\\ud800"}']
)  # a backslash, and no escape of a half
@example(
    texts=[r'{"eventVersion":"1.09","eventTime":"2026-03-01T10:00:00Z","a":":-0,1.5[\",-0"}']
)  # a text, and no number
@settings(max_examples=30)
def test_rows_of_any_records_are_the_same_either_way(texts, tmp_path_factory):
    """Whatever a record holds, its columns are the same by what is written in C and without."""
    folder = tmp_path_factory.mktemp("either")
    write(folder, "x.json", *texts)
    fast, said = filled(folder / "fast", folder / "x.json")
    with pytest.MonkeyPatch.context() as patch:
        in_python(patch)
        slow, also = filled(folder / "slow", folder / "x.json")
    assert numbers(said) == numbers(also)
    assert rows(fast) == rows(slow)


@pytest.mark.usefixtures("way")
def test_jobs(tmp_path, monkeypatch):
    """Two processes write the same rows as one, and all their deliveries are done."""
    trail(tmp_path / "trail")
    one, first = filled(tmp_path / "one", tmp_path / "trail")
    monkeypatch.setattr(pool, "SMALL", 100)
    monkeypatch.setattr(pool, "BATCH", 2)
    monkeypatch.setattr(pool.Alone, "run", lambda *_: pytest.fail("this is the work of others"))
    two, second = filled(tmp_path / "two", tmp_path / "trail", jobs=2)
    assert numbers(first) == numbers(second) == (120, 0, 12, 0)
    assert rows(one) == rows(two)
    monkeypatch.undo()
    assert numbers(filled(tmp_path / "two", tmp_path / "trail", jobs=2)[1]) == (0, 0, 0, 12)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("window", "kept"),
    [
        (Window(since=MOMENT), lambda row: row["eventTime"] >= MOMENT),
        (Window(until=MOMENT), lambda row: row["eventTime"] < MOMENT),
        (Window(accounts=frozenset((OTHER,))), lambda row: row["recipientAccountId"] == OTHER),
        (Window(regions=frozenset(("us-east-1",))), lambda row: row["awsRegion"] == "us-east-1"),
        (Window(regions=frozenset(("eu-west-1",)), accounts=frozenset((OTHER,))), lambda row: row["eventName"] == "None"),
    ],
    ids=["since", "until", "account", "region", "both"],
)  # fmt: skip
def test_a_window(tmp_path, window, kept):
    """Only its records are taken, and no delivery is done: without it the rest comes, and nothing twice."""
    for day in (1, 2, 3):
        write(tmp_path, f"trail/{day}.json", *(record(n, day, recipientAccountId=OTHER if n % 2 else "111122223333", awsRegion="us-east-1" if n % 3 else "eu-west-1", eventName="None" if n % 6 == 3 else "GetObject") for n in range(12)))  # fmt: skip
    whole, _ = filled(tmp_path / "whole", tmp_path / "trail")
    lake, first = filled(tmp_path / "lake", tmp_path / "trail", window=window)
    expected = [row for row in rows(whole) if kept(row)]
    assert rows(lake) == expected != []
    assert (first["records_added"], len(lake.ledger())) == (len(expected), 0)
    _, second = filled(tmp_path / "lake", tmp_path / "trail")
    assert numbers(second) == (36 - len(expected), len(expected), 3, 0)
    assert rows(lake) == rows(whole)
    assert numbers(filled(tmp_path / "lake", tmp_path / "trail")[1]) == (0, 0, 0, 3)


DAMAGE = {
    "cut off": (lambda whole: gzip.compress(whole, mtime=0)[:-200], "ends early"),
    "unparsable": (lambda _: content(*map(record, range(8)), UNPARSABLE), "a value that is no JSON"),
    "no end": (lambda whole: whole[:-400], ""),
}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(("damage", "reason"), DAMAGE.values(), ids=DAMAGE)
def test_damage(tmp_path, damage, reason):
    """What is whole of a delivery is taken, it is named and not done; repaired, it gives the rest and nothing twice."""
    whole = content(*map(record, range(400)))
    write(tmp_path, "trail/sound.json.gz", record(1, day=2))
    path = write(tmp_path, "trail/damaged.json", damage(whole))
    lake, first = filled(tmp_path / "lake", tmp_path / "trail")
    assert list(told(first)) == ["damaged.json"]
    assert reason in told(first)["damaged.json"]
    found = first["records_added"] - 1
    assert 0 < found < 400
    assert first["totals"]["damaged"] == 1
    assert ids(lake) == sorted([record(1, day=2)["eventID"], *(record(n)["eventID"] for n in range(found))])
    _, again = filled(tmp_path / "lake", tmp_path / "trail")
    assert (numbers(again), told(again)) == ((0, found, 1, 1), told(first))
    path.write_bytes(whole)
    _, repaired = filled(tmp_path / "lake", tmp_path / "trail")
    assert (numbers(repaired), told(repaired)) == ((400 - found, found, 1, 1), {})
    assert len(ids(lake)) == len(set(ids(lake))) == 401
    assert numbers(filled(tmp_path / "lake", tmp_path / "trail")[1]) == (0, 0, 0, 2)


THREE = [record(number) for number in range(3)]
TURNS = {
    "a record without a time": content(*THREE, '{"eventVersion":"1","eventID":"last"}'),
    "a record with two times": content(*THREE, HEAD + ',"x":{"eventTime":1},"eventID":"last"}'),
    "white space": content(*THREE, HEAD + ', "eventID": "last"}').replace(b'":"1.09",', b'": "1.09",'),
    "a second document": content(*THREE) + content(HEAD + ',"eventID":"last"}'),
    "another order": content(*THREE, '{"eventID":"last",' + HEAD[1:] + "}"),
}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("full", [1, 10**9], ids=["written at once", "held"])
@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
def test_a_turn_to_the_exact_way(tmp_path, monkeypatch, turn, full):
    """What began the fast way and turned out to be unusual is there once, whether it was held or written by then."""
    monkeypatch.setattr(ingesting, "FULL", full)
    monkeypatch.setattr(carve, "PART", 500)
    write(tmp_path, "trail/" + logs(1, 1), record(20), record(21))
    write(tmp_path, "trail/" + logs(1, 2), turn)
    write(tmp_path, "trail/" + logs(1, 3), record(22), record(23))
    lake, found = filled(tmp_path / "lake", tmp_path / "trail")
    assert (numbers(found), told(found)) == ((8, 0, 3, 0), {})
    assert ids(lake) == sorted(["last", *(record(n)["eventID"] for n in (0, 1, 2, 20, 21, 22, 23))])


@pytest.mark.usefixtures("way")
def test_a_large_delivery_that_turns_late(tmp_path, monkeypatch):
    """A delivery that is read in windows and turns out unusual in the last one, when files were written, counts once."""
    monkeypatch.setattr(ingesting, "FULL", 1_000_000)
    many = [record(n, requestParameters={"x": "y" * 2000}) for n in range(3000)]
    write(tmp_path, "trail/a.json.gz", *many, record(3001, eventTime=None), '{"eventVersion":"1","eventID":"x"}')  # fmt: skip
    lake, found = filled(tmp_path / "lake", tmp_path / "trail")
    assert (numbers(found), told(found)) == ((3002, 0, 1, 0), {})
    assert len(ids(lake)) == len(set(ids(lake))) == 3002


def test_what_is_no_cloudtrail(tmp_path):
    """It is skipped with its reason; one that was named is an error; neither is done."""
    write(tmp_path, "trail/a.json", record(1))
    write(tmp_path, "trail/README.txt", b"Logs of the audit account.\n")
    write(tmp_path, "trail/package.json", b'{"name":"x"}')
    lake, found = filled(tmp_path / "lake", tmp_path / "trail")
    assert (sorted(told(found, "skipped")), told(found)) == (["README.txt", "package.json"], {})
    assert all(told(found, "skipped").values())
    assert len(lake.ledger()) == 1
    _, named = filled(tmp_path / "lake", tmp_path / "trail" / "package.json")
    assert (numbers(named), list(told(named))) == ((0, 0, 1, 0), ["package.json"])


def test_the_lake_lies_among_the_deliveries(tmp_path):
    """Its own files are skipped, and none is read as if it were a delivery."""
    write(tmp_path, "a.json", record(1))
    lake, first = filled(tmp_path / "lake", tmp_path)
    (part,) = lake.manifest().parts
    _, again = filled(tmp_path / "lake", tmp_path)
    assert (numbers(first)[:2], numbers(again)[:2], told(again)) == ((1, 0), (0, 0), {})
    assert told(again, "skipped")[part.path.rpartition("/")[2]] == "a file of a lake"
    _, named = filled(tmp_path / "lake", tmp_path / "lake" / part.path)
    assert len(told(named)) == 1


def test_rounds(tmp_path, monkeypatch):
    """Each is committed by itself: when a later one fails, what was committed stays, and the same again does the rest only."""
    monkeypatch.setattr(ingesting, "ROUND", 3 * ingesting.EACH)
    left, commit = [2], ingesting.Lake.commit

    def failing(self, *what):
        left[0] -= 1
        if left[0] < 0:
            raise CannotDo("no more")
        return commit(self, *what)

    with monkeypatch.context() as patch:
        patch.setattr(ingesting.Lake, "commit", failing)
        with pytest.raises(CannotDo, match="no more"):
            filled(tmp_path / "lake", trail(tmp_path / "trail"))
    lake = lake_at(tmp_path / "lake")
    assert (len(ids(lake)), len(lake.ledger())) == (60, 6)
    assert numbers(filled(tmp_path / "lake", tmp_path / "trail")[1]) == (60, 0, 6, 6)
    assert len(ids(lake)) == len(set(ids(lake))) == 120
    assert numbers(filled(tmp_path / "lake", tmp_path / "trail")[1]) == (0, 0, 0, 12)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("when", [1, 3], ids=["in the first delivery", "later"])
@pytest.mark.parametrize("method", ["write", "close"])
def test_a_file_cannot_be_written(tmp_path, monkeypatch, method, when, jobs):
    """It is an error that says where, and not one of the delivery at hand; nothing is committed, and the same again does all."""
    monkeypatch.setattr(ingesting, "FULL", 2000)
    monkeypatch.setattr(pool, "SMALL", 0)
    original, calls = getattr(Written, method), []

    def failing(self, *words):
        calls.append(self)
        if len(calls) == when:
            raise OSError(28, "No space left on device")
        return original(self, *words)

    with monkeypatch.context() as patch:
        patch.setattr(Written, method, failing)
        with pytest.raises(CannotDo, match=r"cannot write the lake's files in .*: No space left on device"):
            filled(tmp_path / "lake", trail(tmp_path / "trail"), jobs=jobs)
    assert not lake_at(tmp_path / "lake").is_there()
    lake, found = filled(tmp_path / "lake", tmp_path / "trail", jobs=jobs)
    assert numbers(found) == (120, 0, 12, 0)
    assert len(set(ids(lake))) == 120


def test_standard_input(tmp_path, monkeypatch):
    """It is taken each time, and each record is there once: nothing tells whether it is the same."""
    for expected in ((5, 0, 1, 0), (0, 5, 1, 0)):
        data = gzip.compress(content(*map(record, range(5))))
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        lake, found = filled(tmp_path / "lake", "-")
        assert (numbers(found), told(found)) == (expected, {})
    assert len(ids(lake)) == 5
    assert len(lake.ledger()) == 0
