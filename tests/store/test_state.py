"""Where a state lies, its transactions, and what is said when something is wrong with it."""

import json
import re
import threading
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from test_store_findings import row

from rolewatch.base.errors import CannotDo, UsageError
from rolewatch.store import blind_spots, deliveries, findings, migrations
from rolewatch.store.migrations import prepare, require
from rolewatch.store.schema import META, storable
from rolewatch.store.state import State, Unavailable


def test_a_transaction_is_whole_or_nothing(state):
    """What raises changes nothing; what returns has changed everything."""

    def half(connection):
        deliveries.keep_notes(connection, {"a": "1"})
        raise KeyError

    with pytest.raises(KeyError):
        state.write(half)
    assert state.read(lambda connection: deliveries.note(connection, "a")) is None
    state.write(lambda connection: deliveries.keep_notes(connection, {"a": "1"}))
    assert state.read(lambda connection: deliveries.note(connection, "a")) == "1"


def test_writers_wait_for_each_other(state):
    """Counters that many threads add to at once lose nothing."""

    def add():
        for _ in range(20):
            state.write(lambda connection: deliveries.count(connection, {"n": 1, "m": 2}))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state.read(deliveries.counters) == {"m": 160, "n": 80}


def test_preparing_again_keeps_everything(place):
    """A state that is there already stays as it is, also when two prepare it at once."""
    states = [State(place), State(place)]
    threads = [threading.Thread(target=prepare, args=(each,)) for each in states]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states[0].write(lambda connection: deliveries.keep_notes(connection, {"a": "1"}))
    prepare(states[1])
    assert states[1].read(lambda connection: deliveries.note(connection, "a")) == "1"
    for each in states:
        each.close()


def test_an_older_schema_is_brought_up_to_date(state, monkeypatch):
    """The steps between its version and ours are done, in order and once, and its rows stay."""
    monkeypatch.setattr(migrations, "VERSION", 97)
    state.write(_as_version(97))
    state.write(lambda connection: deliveries.keep_notes(connection, {"a": "1"}))
    done = []

    def first(connection):
        done.append(98)
        connection.exec_driver_sql("CREATE TABLE added (x INTEGER)")

    monkeypatch.setattr(migrations, "VERSION", 99)
    monkeypatch.setattr(migrations, "STEPS", {98: first, 99: lambda _: done.append(99)})
    prepare(state)
    prepare(state)
    assert done == [98, 99]
    assert state.read(migrations.version) == 99
    assert state.read(lambda connection: deliveries.note(connection, "a")) == "1"
    assert state.read(lambda connection: sa.inspect(connection).has_table("added"))


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_a_state_of_version_1_learns_when_findings_ended(state):
    """What its documents say of an end becomes a column, found by its index; the tables are those of a new state."""
    ends = ["2026-03-02T10:00:00Z", "2026-03-01T10:00:00Z", None]
    kinds = zip(ends, ("recovered", "gone", "blocked"), (0, 1, 2), strict=True)
    rows = [
        row(at, status=status, ended=end, document=json.dumps({"ended": end})) for end, status, at in kinds
    ]
    state.write(lambda connection: findings.save(connection, rows))
    made = state.read(_tables)

    def older(connection):
        connection.exec_driver_sql("DROP INDEX findings_ended")
        connection.exec_driver_sql("ALTER TABLE findings DROP COLUMN ended")
        connection.exec_driver_sql("DROP TABLE delivered")
        _as_version(1)(connection)

    state.write(older)
    prepare(state)
    assert state.read(migrations.version) == migrations.VERSION
    assert state.read(_tables) == made
    assert state.read(partial(blind_spots.ended, since="2026-03-01")) == {"2026-03-01": 1, "2026-03-02": 1}
    found = state.read(
        lambda connection: list(findings.with_status(connection, ("blocked", "gone", "recovered")))
    )
    assert {each.id: each.ended for each in found} == {each.id: each.ended for each in rows}


def _as_version(number):
    def write(connection):
        connection.execute(sa.update(META).values(value=str(number)).where(META.c.name == "schema"))

    return write


def _tables(connection):
    """Name the columns and indices that there are; the order of columns says nothing, all are asked for by name."""
    found = sa.inspect(connection)
    return {
        name: (
            {each["name"]: str(each["type"]) for each in found.get_columns(name)},
            {each["name"]: each["column_names"] for each in found.get_indexes(name)},
        )
        for name in found.get_table_names()
    }


def test_a_step_that_fails_leaves_the_older_schema(state, monkeypatch):
    """Nothing of an upgrade stays if a part of it is impossible."""

    def broken(connection):
        connection.exec_driver_sql("CREATE TABLE added (x INTEGER)")
        raise KeyError

    before = migrations.VERSION
    monkeypatch.setattr(migrations, "VERSION", before + 1)
    monkeypatch.setattr(migrations, "STEPS", {before + 1: broken})
    with pytest.raises(KeyError):
        prepare(state)
    assert state.read(migrations.version) == before
    assert not state.read(lambda connection: sa.inspect(connection).has_table("added"))


def test_a_newer_schema_is_refused(state):
    """A state of a later rolewatch is left alone, and its version is named."""
    state.write(
        lambda connection: connection.exec_driver_sql("UPDATE meta SET value = '99' WHERE name = 'schema'")
    )
    for look in (prepare, require):
        with pytest.raises(CannotDo, match="schema 99"):
            look(state)


def test_a_state_that_is_none(place):
    """Looking at a place where nobody has watched says so."""
    state = State(place)
    with pytest.raises(CannotDo, match="holds no state yet"):
        require(state)
    state.close()
    assert not Path(place).exists()


def test_a_database_that_is_away_comes_back(postgres):
    """While PostgreSQL is stopped the store is unavailable; afterwards the same object works again."""
    state = State(postgres.database())
    prepare(state)
    postgres.stop("immediate")
    try:
        with pytest.raises(Unavailable, match="check that PostgreSQL runs"):
            state.read(deliveries.counters)
    finally:
        postgres.start()
    assert state.read(deliveries.counters) == {}
    state.close()


def test_a_password_is_never_printed():
    """The name of a database has no password, nor has the error that it cannot be reached."""
    state = State("postgresql://ann:s3cret@127.0.0.1:1/x")
    assert "s3cret" not in state.name
    with pytest.raises(Unavailable) as caught:
        state.read(deliveries.counters)
    assert "s3cret" not in str(caught.value)
    assert state.shared


@pytest.mark.parametrize("place", ["mysql://x/y", "s3://bucket/state", "postgresql://x:notaport/y"])
def test_places_that_are_none(place):
    """A place that cannot hold a state is refused without a look at it."""
    with pytest.raises(UsageError, match="--state"):
        State(place)


def test_a_folder_that_cannot_be_made(tmp_path):
    """The folder is named, with what is wrong."""
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotDo, match="file/state"):
        prepare(State(str(tmp_path / "file" / "state")))


def test_a_folder_is_nobody_elses(tmp_path):
    """Findings are nothing for everybody's eyes."""
    prepare(State(str(tmp_path / "state")))
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


def test_a_file_that_is_no_database(tmp_path):
    """Another file in the place of the state is told, not overwritten."""
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "state.db").write_bytes(
        b"no database at all, just text that is long enough to be looked at" * 100
    )
    with pytest.raises(Unavailable, match="not a database"):
        prepare(State(str(folder)))


@pytest.mark.parametrize(
    "text", ["a\0b", "\ud800", "é\udc80\0", "'; DROP TABLE notes; --", "%s %(x)s :x ?", "\u202e"]
)
def test_text_of_any_origin(state, text):
    """Names are written by attackers: whatever a text holds, it is kept, found again by itself, and breaks nothing."""
    state.write(lambda connection: deliveries.keep_notes(connection, {text: text}))
    expected = re.sub("[\0\ud800-\udfff]", "\ufffd", text)
    assert state.read(lambda connection: deliveries.note(connection, text)) == storable(text) == expected
