"""Counting what is blind gives what going through all findings would, over both kinds of stores."""

import json
import random
from functools import partial

from test_store_findings import row

from rolewatch.store import blind_spots, findings
from rolewatch.store.blind_spots import Cell, Latest

STATUSES = ("blocked", "silent", "recovered", "gone")


def some_rows(number=200):
    """Make findings of few services and accounts, some without harm, some without a time, some over."""
    chance = random.Random(7)
    made = []
    for at in range(number):
        status, level = chance.choice(STATUSES), chance.randrange(5)
        day, security = chance.randrange(1, 29), chance.randrange(2)
        ended = f"2026-03-{day:02d}T12:00:00Z" if status in ("recovered", "gone") else None
        made.append(
            row(
                at, status=status, severity=level, service=f"{'abc'[chance.randrange(3)]}{security}.amazonaws.com",
                account=f"00000000000{chance.randrange(4)}", place=2 * level + security, changed=at,
                first_denied=f"2026-02-{day:02d}T10:00:00Z" if at % 9 else "", last_denied=f"2026-02-{day:02d}T11:00:00Z",
                resource=f"arn:aws:s3:::b{chance.randrange(40)}", ended=ended, document=json.dumps({"id": at}),
            )
        )  # fmt: skip
    return made


def kept(state, made):
    """Keep findings; returns those that are blind."""
    state.write(lambda connection: findings.save(connection, made))
    return [each for each in made if each.status in ("blocked", "silent") and each.severity]


def counted(blind):
    """Count cells by going through them."""
    found = {}
    for pair in {(each.service, each.account) for each in blind}:
        own = [each for each in blind if (each.service, each.account) == pair]
        blocked = [each for each in own if each.status == "blocked"]
        times = [each.first_denied for each in blocked or own if each.first_denied]
        found[pair] = Cell(
            *pair, len(blocked), len(own) - len(blocked), max((each.place for each in blocked), default=-1),
            any(each.place % 2 for each in own), min(times, default=""),
        )  # fmt: skip
    return found


def test_cells_hold_all_that_is_blind(state):
    """Each cell has its numbers, its worst severity and its beginning; what does no harm, or is over, is in none."""
    blind = kept(state, some_rows())
    expected = counted(blind)
    assert state.read(blind_spots.cells) == expected
    assert state.read(blind_spots.total) == len(blind)
    blocked = {each.resource for each in blind if each.status == "blocked"}
    assert state.read(blind_spots.resources) == len(blocked)
    some = sorted(expected)[:3]
    for seek in (False, True):
        found = state.read(partial(blind_spots.cells, pairs=[*some, ("no", "where")], seek=seek))
        assert found == {pair: expected[pair] for pair in some}


def test_an_empty_store_has_no_blind_spots(state):
    """Nothing is counted where there is nothing."""
    assert state.read(blind_spots.cells) == {}
    assert (state.read(blind_spots.total), state.read(blind_spots.resources)) == (0, 0)
    assert state.read(partial(blind_spots.newest_began, since="", number=3)) == Latest(0, [])


def test_what_was_written_since(state):
    """It is told of which services and accounts findings were written at a moment or later, unless these are too many."""
    made = some_rows()
    kept(state, made)
    late = {(each.service, each.account) for each in made if each.changed >= 190}
    assert state.read(partial(blind_spots.written, since=190, number=10)) == late
    assert state.read(partial(blind_spots.written, since=190, number=9)) is None


def test_days_of_beginnings_and_ends(state):
    """Findings that do harm are counted by the day on which they began, and by that on which they ended."""
    made = some_rows()
    kept(state, made)
    for look, since, times in (
        (blind_spots.began, "2026-02-10", [each.first_denied for each in made if each.severity]),
        (blind_spots.ended, "2026-03-10", [each.ended or "" for each in made if each.severity]),
    ):
        days = [time[:10] for time in times if time >= since]
        assert state.read(partial(look, since=since)) == {day: days.count(day) for day in set(days)}


def test_the_latest_of_a_kind(state):
    """However few are named, all are counted."""
    made = some_rows()
    kept(state, made)
    began = [each for each in made if each.severity and each.first_denied >= "2026-02-20"]
    began.sort(key=lambda each: each.id)
    began.sort(key=lambda each: each.first_denied, reverse=True)
    found = state.read(partial(blind_spots.newest_began, since="2026-02-20", number=3))
    assert found == Latest(len(began), [each.id for each in began[:3]])
    gone = [each for each in made if each.status == "gone" and each.severity and each.ended >= "2026-03-05"]
    gone.sort(key=lambda each: each.id)
    gone.sort(key=lambda each: each.ended, reverse=True)
    found = state.read(partial(blind_spots.newest_ended, status="gone", since="2026-03-05", number=3))
    assert found == Latest(len(gone), [each.id for each in gone[:3]])
    silent = [
        each
        for each in made
        if each.status == "silent"
        and each.severity
        and "2026-02-05" <= each.last_denied <= "2026-02-09T12:00:00Z"
    ]
    span = {"since": "2026-02-05", "until": "2026-02-09T12:00:00Z", "number": 1000}
    got = state.read(partial(blind_spots.fell_silent, **span))
    assert (got.total, set(got.ids)) == (len(silent), {each.id for each in silent})
    names = [each.id for each in silent]
    assert state.read(partial(blind_spots.documents, ids=names)) == {
        each.id: each.document for each in silent
    }
