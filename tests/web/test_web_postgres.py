"""The dashboard over PostgreSQL: every page and list answers as over SQLite."""

import pytest

PAGES = (
    "/", "/findings", "/findings?group=account", "/findings?group=change", "/findings?order=newest&q=b", "/alarms", "/query", "/coverage",
    "/mutes", "/audit", "/api/v1/findings?order=latest&severity=low", "/api/v1/groups?by=cause", "/api/v1/blind-spots", "/api/v1/coverage",
    "/api/v1/coverage/failed", "/api/v1/alarms", "/api/v1/alarms/history", "/api/v1/audit", "/api/v1/queries", "/api/v1/mutes",
)  # fmt: skip


@pytest.mark.slow
def test_pages_and_lists(world, postgres, serve):
    """Whatever is asked for is there, with the same numbers, and what is decided is kept."""
    world.place = postgres.database()
    world.happen(world.call(200, "old", denied=True), world.call(100, "old"))
    world.happen(*(world.call(30 + n, f"b{n}", denied=True) for n in range(3)), world.call(1, "else"))
    site = serve(world.place)
    assert {path: site.get(path).status for path in PAGES} == dict.fromkeys(PAGES, 200)
    every = site.get("/api/v1/findings?limit=3").json
    rest = site.get(f"/api/v1/findings?limit=3&after={every['next']}").json
    assert len({each["id"] for each in every["findings"] + rest["findings"]}) == every["total"] == 4
    one = every["findings"][0]["id"]
    assert (
        site.ask("POST", f"/api/v1/findings/{one}/acknowledge", {"note": "seen"}, scope="write").status == 200
    )
    assert site.get(f"/api/v1/findings/{one}").json["life"]["acknowledged"]["note"] == "seen"
    saved = {"name": "mine", "query": "stats count(*) by eventName"}
    assert site.ask("POST", "/api/v1/queries", saved, scope="write").status in (200, 201)
    assert len(site.get("/api/v1/audit").json["entries"]) == 2
