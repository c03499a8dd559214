"""The audit log: every change that people make here is in it, with who made it; what failed is not."""

from datetime import UTC, datetime, timedelta

import pytest

from rolewatch.store import audit

UNTIL = f"{datetime.now(UTC) + timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
def changed(world, site):
    """Let somebody mute, note, assign, unmute, save a query and delete it."""
    world.happen(world.call(5, "payroll", denied=True))
    (finding,) = site.get("/api/v1/findings").json["findings"]
    name = finding["id"]

    def ask(method, path, body=None):
        answer = site.ask(method, f"/api/v1/{path}", body, scope="write")
        assert answer.status in (200, 201, 204), answer.text

    ask("POST", "mutes", {"ids": [name], "reason": "<b>known</b>", "until": UNTIL})
    ask(
        "POST",
        "mutes",
        {"match": {"resource": "arn:aws:s3:::tmp-*"}, "reason": "short", "until": UNTIL},
    )
    ask("POST", f"findings/{name}/acknowledge", {"note": "at work on it"})
    ask("POST", f"findings/{name}/assign", {"to": "ann"})
    ask("DELETE", f"mutes/{name}")
    ask("POST", "queries", {"name": "team/mine", "query": "stats count(*) by eventName"})
    ask("DELETE", "queries?name=team/mine")
    return name


DEEDS = ["delete-query", "save-query", "unmute", "assign", "acknowledge", "mute", "mute"]


@pytest.mark.both_stores
def test_every_change_is_in_the_log(changed, site):
    """As JSON and as a page, the latest first, with what was changed and how; a reader sees it too."""
    entries = site.get("/api/v1/audit").json["entries"]
    assert [entry["action"] for entry in entries] == DEEDS
    assert {(entry["who"], entry["how"]) for entry in entries} == {("writeer", "token")}
    assert entries[-1]["details"]["match"] == {"id": changed}
    page = site.get("/audit").text
    assert page.count("<tr data-row>") == len(DEEDS)
    for said in (
        "&lt;b&gt;known&lt;/b&gt;", f'<a href="/findings/{changed}">', "arn:aws:s3:::tmp-*", "at work on it", "ann", "stats count(*) by eventName",
        "writeer", UNTIL[:10],
    ):  # fmt: skip
        assert said in page, said


@pytest.mark.both_stores
def test_pages_of_the_log(changed, site):
    """Pages hold each entry once, by JSON and by links; one that there is not is empty."""
    del changed
    found, before = [], ""
    while before is not None:
        part = site.get(f"/api/v1/audit?limit=3{before and f'&before={before}'}").json
        found += [entry["action"] for entry in part["entries"]]
        before = part["next"]
    assert found == DEEDS
    assert "Nothing was changed" in site.get("/audit?before=1").text
    assert site.get("/audit?before=0").status == 422


@pytest.mark.both_stores
def test_a_change_and_its_entry_are_one(world, site, monkeypatch):
    """Where the entry cannot be written the change is not made, of many mutes not one; and a change that fails leaves no entry."""
    world.happen(world.call(5, "a", denied=True), world.call(4, "b", denied=True))
    names = [each["id"] for each in site.get("/api/v1/findings").json["findings"]]
    original, seen = audit.add, []

    def broken(connection, entry):
        seen.append(entry)
        if len(seen) == len(names):
            raise RuntimeError("no room")
        original(connection, entry)

    with monkeypatch.context() as patch:
        patch.setattr(audit, "add", broken)
        wanted = {"ids": names, "reason": "r", "until": UNTIL}
        assert site.ask("POST", "/api/v1/mutes", wanted, scope="write").status == 500
        seen.clear()
        names = names[:1]
        for what, body in (("acknowledge", {"note": "n"}), ("assign", {"to": "ann"})):
            assert site.ask("POST", f"/api/v1/findings/{names[0]}/{what}", body, scope="write").status == 500
            seen.clear()
        assert (
            site.ask("POST", "/api/v1/queries", {"name": "x", "query": "fields a"}, scope="write").status
            == 500
        )
    assert site.get("/api/v1/mutes").json["mutes"] == []
    life = site.get(f"/api/v1/findings/{names[0]}").json["life"]
    assert (life["acknowledged"], life["assigned"]) == (None, "")
    assert "saved" not in {each["origin"] for each in site.get("/api/v1/queries").json["queries"]}
    assert site.ask("DELETE", f"/api/v1/mutes/{names[0]}", scope="write").status == 404
    assert site.ask("DELETE", "/api/v1/queries?name=x", scope="write").status == 404
    assert site.get("/api/v1/audit").json["entries"] == []
