"""The start page over HTTP: who is blind where, since when, what has changed; and that numbers kept between requests stay true."""

import random
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from calls import ACCOUNT, ROLE
from rolewatch.store import blind_spots, findings
from rolewatch.store.blind_spots import Cell
from rolewatch.web import blind, blind_counts, blind_rows
from rolewatch.web.blind_counts import Counted, Overview

OTHER = "444455556666"
MACIE = ROLE.replace("config", "macie").replace("ForConfig", "ForMacie").replace(ACCOUNT, OTHER)
HOSTILE = "<script>alert(1)</script>\"'\u202e&{{7*7}}"


@pytest.fixture
def some(world):
    """Let Config be blind in one account and Macie in another, one bucket be open again, and one have been silent for long."""
    world.happen(world.call(200, "old", denied=True), world.call(100, "old"))
    world.happen(*(world.call(30 + n, f"b{n}", denied=True) for n in range(3)), world.call(1, "else"))
    world.happen(
        world.call(50, "m", denied=True, role=MACIE),
        world.call(20 * 1440, "quiet", denied=True),
    )
    return world


def counted(**fields):
    """Make numbers of which nothing is read."""
    cells = fields.pop("cells", {})
    services, accounts = blind_rows.rows(cells.values())
    made = {
        "read": True, "last_event": "", "cells": cells, "services": services, "accounts": accounts, "resources": 0, "days": [], "since": "", "today": {},
        "documents": {},
    }  # fmt: skip
    return Counted(**made | fields)


@pytest.mark.both_stores
@pytest.mark.usefixtures("some")
def test_who_is_blind_where(site):
    """Services, accounts and cells have what the findings have, security services first, each with its beginning."""
    found = site.get("/api/v1/blind-spots").json
    assert found["answer"] == "2 AWS services are blind on 4 resources in 2 accounts"
    assert (found["blocked"], found["silent"], found["late"]) == (4, 1, False)
    assert [(each["name"], each["blocked"], each["silent"]) for each in found["services"]] == [
        ("AWS Config", 3, 1),
        ("Amazon Macie", 1, 0),
    ]
    assert [each["account"] for each in found["accounts"]] == ["111122223333", OTHER]
    assert {(each["service"], each["account"]): (each["severity"], each["blocked"]) for each in found["cells"]} == {
        ("config.amazonaws.com", "111122223333"): ("critical", 3),
        ("macie.amazonaws.com", OTHER): ("high", 1),
    }  # fmt: skip
    first = min(each["first_denied"] for each in site.get("/api/v1/findings?status=blocked").json["findings"])
    assert found["services"][1]["since"] == first
    changed = found["changed"]
    assert {kind: changed[kind]["total"] for kind in ("began", "recovered", "gone", "silent")} == {
        "began": 5, "recovered": 1, "gone": 0, "silent": 0,
    }  # fmt: skip
    assert changed["recovered"]["findings"][0]["title"] == "AWS Config can reach arn:aws:s3:::old again"
    assert sum(day["began"] for day in found["days"]) == 6
    assert sum(day["ended"] for day in found["days"]) == 1
    assert len(found["days"]) == 30


@pytest.mark.both_stores
@pytest.mark.usefixtures("some")
def test_each_number_leads_to_as_many_findings(site):
    """A cell's address lists exactly what the cell counts."""
    page = site.get("/").text
    for each in site.get("/api/v1/blind-spots").json["cells"]:
        address = blind.address("blocked", each["service"], each["account"])
        assert address.replace("&", "&amp;") in page
        query = urlsplit(address).query
        assert parse_qs(query)["status"] == ["blocked"]
        assert site.get(f"/api/v1/findings?{query}").json["total"] == each["blocked"]


@pytest.mark.usefixtures("some")
def test_the_page_says_it_in_words(site):
    """The page has the answer, a warning of a possible blinding, the matrix with its headings, and numbers beside the chart."""
    page = site.get("/").text
    assert "<b>2</b> AWS services are blind on <b>4</b> resources in <b>2</b> accounts" in page
    assert "Possible blinding:</strong> AWS Config lost access" in page
    assert 'aria-label="AWS Config, account 111122223333: 3 blocked, worst critical, 1 silent, since ' in page
    assert f'<tr><th scope="row">{datetime.now(UTC) - timedelta(minutes=200):%Y-%m-%d}</th>' in page
    assert "style=" not in page
    assert site.get("/", X_Part="spots").text.strip() in page


def test_a_world_without_a_blind_spot(world, site):
    """Where nothing is blocked the page says so, and that this rests on what was read."""
    world.happen(world.call(1, "fine"))
    assert site.get("/api/v1/blind-spots").json["answer"] == "Nothing is blocked"
    page = site.get("/").text
    assert "No service is kept from its work" in page
    assert "Nothing began, and nothing ended." in page


def test_nothing_was_read_yet(world, site):
    """Before the first delivery the page says how one comes; without a state as well."""
    assert site.get("/").status == 503
    world.watch()
    page = site.get("/").text
    assert "Nothing was read yet" in page
    assert f"rolewatch watch s3://YOUR-TRAIL/AWSLogs/ --state {world.place}" in page
    world.happen(world.call(1, "fine"))
    assert "Nothing is blocked" in site.get("/").text


def test_a_watcher_that_has_stopped(world, serve):
    """Hours after the last delivery the page says when that was, and that nothing since is seen."""
    world.happen(world.call(1, "b", denied=True))
    site = serve(clock=lambda: datetime.now(UTC) + timedelta(hours=3))
    assert site.get("/api/v1/blind-spots").json["late"] is True
    assert "No delivery since <time" in site.get("/").text


@pytest.mark.both_stores
def test_hostile_names(world, site):
    """Whatever services, accounts and buckets are called, the page shows it, and nothing of it is obeyed."""
    world.happen(world.call(5, HOSTILE, denied=True))

    def work(connection):
        (row,) = findings.with_status(connection, ("blocked",))
        findings.save(connection, [row._replace(service=HOSTILE, account=HOSTILE, place=9, severity=4)])

    site.state.write(work)
    assert site.get("/api/v1/blind-spots").json["blocked"] == 1
    page = site.get("/").text
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert ">49" not in page


@pytest.mark.parametrize("query", ["services=0", "services=201", "accounts=x", "accounts=-1"])
def test_numbers_out_of_bounds(world, site, query):
    """A request for nothing, or for too much, is refused."""
    world.happen(world.call(1))
    assert site.get(f"/api/v1/blind-spots?{query}").status == 422


@pytest.mark.both_stores
def test_a_matrix_says_what_it_leaves_out(world, site):
    """Of more services and accounts than are asked for, the worst are given, and the others counted."""
    world.happen(
        *(world.call(n, f"b{n}", denied=True, role=ROLE.replace(ACCOUNT, f"{n:012d}")) for n in range(1, 24))
    )
    found = site.get("/api/v1/blind-spots?accounts=2").json
    assert (len(found["accounts"]), found["left_out"]) == (2, {"services": 0, "accounts": 21})
    assert "3 other accounts not drawn" in " ".join(site.get("/").text.split())


def test_rows_are_ordered_by_what_matters():
    """A security service comes before a worse one that is none; silence counts last; a beginning is that of what is blocked."""
    cells = [
        Cell("s3", "1", 9, 0, 6, security=False, since="2026-03-02"),
        Cell("s3", "2", 0, 2, -1, security=False, since="2026-03-01"),
        Cell("config", "2", 1, 0, 5, security=True, since=""),
        Cell("config", "1", 1, 0, 3, security=True, since="2026-03-05"),
        Cell("macie", "3", 0, 1, -1, security=True, since="2026-03-03"),
    ]
    rows, accounts = blind_rows.rows(cells)
    assert [(row.name, row.severity, row.since) for row in rows] == [
        ("config", "medium", "2026-03-05"),
        ("macie", None, "2026-03-03"),
        ("s3", "high", "2026-03-02"),
    ]
    assert [row.name for row in accounts] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("cells", "fields", "expected"),
    [
        ([], {"read": False}, "Nothing was read yet"),
        ([], {}, "Nothing is blocked"),
        ([Cell("a", "1", 0, 1, -1, security=False, since="")], {}, "No AWS service is blocked"),
        ([Cell("a", "1", 1, 0, 6, security=False, since="")], {"resources": 1}, "1 AWS service is blind on 1 resource in 1 account"),
        ([Cell("", "1", 2, 0, 6, security=False, since=""), Cell("a", "2", 3, 0, 6, security=False, since="")], {"resources": 4}, "2 principals are blind on 4 resources in 2 accounts"),
        ([Cell("a", "1", 30_000, 0, 6, security=False, since="")], {"resources": None}, "1 AWS service is blind: 30,000 findings in 1 account"),
    ],
)  # fmt: skip
def test_the_answer(cells, fields, expected):
    """The headline says who is blind, on how much, where, or that nobody is."""
    numbers = counted(cells={(cell.service, cell.account): cell for cell in cells}, **fields)
    assert blind.answer(numbers) == expected


def test_bars_keep_their_scale():
    """The tallest bar is as tall as can be, one of a thousand can still be seen, and every seventh day has a label."""
    days = [(f"2026-03-{day:02d}", 1000 * (day == 30), day == 1) for day in range(1, 31)]
    bars = blind.bars(counted(days=days))
    assert (bars[29].up, bars[0].down, bars[1].up) == (blind.TALL, 2, 0)
    assert [bar.label for bar in bars if bar.label] == ["Mar 2", "Mar 9", "Mar 16", "Mar 23", "Mar 30"]


@pytest.mark.both_stores
def test_what_is_kept_between_requests_stays_true(world, serve, monkeypatch):
    """However findings come, change and go, the numbers are those of counting everything; and seldom is everything counted."""
    world.happen(world.call(5, "b", denied=True))
    desk = serve().desk
    whole, passed = [], 0.0
    original = blind_spots.cells
    monkeypatch.setattr(blind_spots, "cells", lambda connection, pairs=None, **how: whole.append(pairs is None) or original(connection, pairs, **how))  # fmt: skip
    overview, chance = Overview(desk, lambda: passed), random.Random(3)
    overview.now()
    (seed,) = desk.read(lambda connection: list(findings.with_status(connection, ("blocked",))))
    made = {}
    for step in range(1, 60):
        number = chance.randrange(12)
        moment, status = seed.changed + step * 5000, chance.choice(("blocked", "silent", "recovered"))
        made[number] = seed._replace(
            id=f"{number:016x}", service=f"s{number % 3}", account=f"{number % 4}", status=status,
            severity=chance.randrange(5), place=chance.randrange(10), resource=f"r{number % 5}", changed=moment, ended=seed.last_denied if status == "recovered" else None,
        )  # fmt: skip
        desk.state.write(lambda connection, row=made[number]: findings.save(connection, [row]))
        if step == 30:
            desk.state.write(lambda connection: findings.delete(connection, [seed.id]))
        found = overview.now()
        assert found.cells == desk.read(original)
        assert found.resources == desk.read(blind_spots.resources)
        assert found.today["recovered"].total == sum(
            each.status == "recovered" and each.severity > 0 for each in made.values()
        )
    assert whole.count(True) == 2  # at first, and when one was taken away
    assert overview.now() is overview.now()
    passed += blind_counts.FRESH
    assert overview.now().cells == found.cells


@pytest.mark.both_stores
def test_too_much_at_once_is_counted_anew(world, serve, monkeypatch):
    """When more findings were written than are worth looking at one by one, all is counted again; too many resources are not."""
    monkeypatch.setattr(blind_counts, "MOST_WRITTEN", 2)
    monkeypatch.setattr(blind_counts, "MOST_SOUGHT", 0)
    monkeypatch.setattr(blind_counts, "MOST_DISTINCT", 3)
    world.happen(world.call(40, "b", denied=True))
    overview = Overview(serve().desk)
    assert overview.now().resources == 1
    world.happen(
        *(world.call(30, f"b{n}", denied=True) for n in range(4)),
        *(world.call(200, f"c{n}", denied=True) for n in range(3)), *(world.call(100, f"c{n}") for n in range(3)),
        world.call(1, "else"),
    )  # fmt: skip
    found = overview.now()
    assert (found.resources, found.blocked) == (None, 5)
    assert found.today["recovered"].total == 3
