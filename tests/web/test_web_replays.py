"""Replays of alarms over the lake: what the API says is what `rolewatch replay` finds in the same deliveries."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from asking import held
from playwright.sync_api import expect
from ringing import FILTER, KINDS

from rolewatch.cli.main import main

HOSTILE = "<b>bold"
#: Events arrive five minutes late: an alarm that looks at less sees none of them.
LONGER = ("Period: 60, EvaluationPeriods: 3", "Period: 300, EvaluationPeriods: 12")
SOON = 20 * 1440  # minutes, so far back do the records go


@pytest.fixture
def known(world, tmp_path):
    """Have records of twenty days in a lake, refusals in some hours, and a watcher's alarms of all kinds."""
    template = tmp_path / "alarms.yaml"
    template.write_text(f"Resources:{FILTER}{KINDS.replace(*LONGER)}")
    records = [world.call(ago, f"calm{ago % 7}") for ago in range(5, SOON, 181)]
    for hour, (bucket, number) in enumerate((("logs", 1), (HOSTILE, 2), ("logs", 150), ("late", 1))):
        records += [
            world.call(SOON - 60 * (100 * hour + 50) - n % 4, bucket, denied=True) for n in range(number)
        ]
    world.lake = str(tmp_path / "lake")
    world.happen(*records, words=("--template", str(template), "--lake", world.lake))
    world.template = template
    return world


@pytest.fixture
def site(known, serve):
    """Serve it with its lake."""
    made = serve(lake=known.lake)
    yield made
    made.app.state.queries.close()


def begun(site, name, **more):
    """Begin a replay; gives its id."""
    answer = site.ask("POST", "/api/v1/alarms/replays", {"name": name, **more})
    assert answer.status == 202, answer.text
    return answer.json["id"]


def replayed(site, name, **more):
    """Replay an alarm to the end; gives the state of the replay."""
    run = begun(site, name, **more)
    assert site.app.state.queries.run(run, replay=True).ended.wait(60)
    return site.get(f"/api/v1/alarms/replays/{run}").json


def by_command(known, capsys, *words):
    """Replay the template over the deliveries themselves; gives what was found of each alarm by name."""
    capsys.readouterr()
    # The template has a log alarm, whose query is another matter.
    assert main(["replay", str(known.template), str(known.logs), "--format", "json", *words], environ={}) == 0
    return {each["name"]: each for each in json.loads(capsys.readouterr().out)["alarms"]}


def test_it_is_what_the_command_finds(known, site, capsys):
    """Alarms of a metric, with a band, and composed ones change when, why and for which findings the command says."""
    expected = by_command(known, capsys)
    for name in ("quick", "slow", "band", "both"):
        found = replayed(site, name)
        assert (found["status"], found["problem"], found["alarm"]) == ("done", None, name)
        result, story = found["result"], expected[name]
        changes = [
            (each["timestamp"], each["from"], each["to"], each["reason"], bool(each["behind"]) and each["behind"]["findings"])
            for each in story["transitions"]
        ]  # fmt: skip
        assert [
            (each["time"], each["before"], each["after"], each["reason"], bool(each["behind"]) and [one["id"] for one in each["behind"]["findings"]])
            for each in reversed(result["changes"])
        ] == changes  # fmt: skip
        assert result["changes_total"] == len(changes)
        assert result["entered"] == sum(each["to"] == "ALARM" for each in story["transitions"])
        assert result["seconds"] == story["minutes_in_alarm"] * 60
        named = {kind: [each["id"] for each in some["findings"]] for kind, some in result["findings"].items()}
        for kind in ("told", "meanwhile", "unraised"):
            assert named[kind] == story["findings"][kind]
        assert sorted(named["raised"] + named["told"]) == sorted(story["findings"]["raised"])
    assert expected["quick"]["findings"]["told"]
    assert expected["slow"]["findings"]["unraised"]


def test_settings_and_times(site):
    """Other settings ring otherwise, and only records of the time count."""
    every = replayed(site, "quick")["result"]
    assert every["entered"] == 4
    assert replayed(site, "quick", threshold=3)["result"]["entered"] == 1
    late = replayed(site, "quick", since="8d")
    assert (late["result"]["entered"], late["result"]["records"] < every["records"]) == (1, True)
    nothing = replayed(site, "quick", since="2001-01-01", until="2001-01-02")["result"]
    assert (nothing["start"], nothing["entered"], nothing["states"]) == (None, 0, [])
    assert "record" in nothing["nothing"]


def test_the_page_shows_it(site):
    """As a part for the page of the alarm, with links to findings; whatever is in names is text."""
    state = replayed(site, "quick")
    page = site.get(f"/alarms/replays/{state['id']}").text
    assert "<b>quick</b> went to ALARM 4 times" in page
    assert "Somebody would have been told of 3 findings" in page
    for each in state["result"]["findings"]["told"]["findings"]:
        assert f'<a href="/findings/{each["id"]}">' in page
        assert site.get(f"/findings/{each['id']}").status == 200
    assert HOSTILE not in page
    assert "&lt;b&gt;bold" in page
    assert (
        "Nothing was replayed"
        in site.get(f"/alarms/replays/{replayed(site, 'quick', until='2001-01-01')['id']}").text
    )


def test_files_that_cannot_be_read(known, site):
    """They are named, and the others are replayed; a lake that is gone is a problem that says so."""
    before = replayed(site, "quick")["result"]["records"]
    first = min(Path(known.lake, "records").rglob("*.parquet"))
    first.write_bytes(b"PAR1 no more")
    found = replayed(site, "quick")["result"]
    assert found["records"] < before
    assert any(first.name in note for note in found["notes"])
    assert first.name in site.get(f"/alarms/replays/{replayed(site, 'quick')['id']}").text
    shutil.rmtree(known.lake)
    found = replayed(site, "quick")
    assert (found["status"], found["problem"]["status"]) == ("failed", 503)
    assert known.lake in found["problem"]["detail"]
    assert site.get(f"/alarms/replays/{found['id']}").status == 404


def test_what_cannot_be_replayed(known, site, serve):
    """It is refused before anything runs, with what to do."""
    for name, more, status in (
        ("nobody", {}, 404), ("logs", {}, 400), ("both", {"threshold": 3}, 400), ("band", {"threshold": 3}, 400),
        ("quick", {"periods": 0}, 422), ("quick", {"datapoints": 99}, 400), ("quick", {"since": "x"}, 422),
        ("quick", {"since": "1d", "until": "2d"}, 422), ("quick", {"what": 1}, 422), ("", {}, 422),
    ):  # fmt: skip
        answer = site.ask("POST", "/api/v1/alarms/replays", {"name": name, **more})
        if answer.status == 202:  # settings of composed alarms are judged where they are replayed
            run = site.app.state.queries.run(answer.json["id"], replay=True)
            assert run.ended.wait(60)
            answer = site.get(f"/api/v1/alarms/replays/{run.id}")
            assert answer.json["problem"]["status"] == status, (name, more, answer.text)
            continue
        assert answer.status == status, (name, more, answer.text)
        assert answer.json["detail"]
    bare = serve(known.place)
    assert bare.ask("POST", "/api/v1/alarms/replays", {"name": "quick"}).status == 404
    assert "--lake DIR" in bare.get("/alarms/one?name=quick").text
    assert "rolewatch replay" in site.get("/alarms/one?name=logs").text


def test_one_is_cancelled(site):
    """It ends at once; a query is no replay, and a replay no query."""
    queries = site.app.state.queries
    held(queries)
    run = begun(site, "quick")
    assert site.get(f"/api/v1/alarms/replays/{run}").json["status"] == "running"
    assert site.get(f"/api/v1/query/{run}").status == 404
    assert site.ask("DELETE", f"/api/v1/alarms/replays/{run}").json == {"id": run, "status": "cancelled"}
    query = site.ask("POST", "/api/v1/query", {"query": "stats count(*)"}).json["id"]
    assert site.get(f"/api/v1/alarms/replays/{query}").status == 404
    assert site.get(f"/alarms/replays/{query}").status == 404
    assert queries.run(query).ended.wait(60)


def test_in_a_browser(known, site, open_page):
    """Begun by keyboard, with a time that is none put right; the result stays when the alarm changes, and leads to a finding."""
    page = open_page(site, f"/alarms/one?name={quote('quick')}")
    open_page.expected.append("422")
    since = page.get_by_label("Since")
    since.fill("soon")
    since.press("Enter")
    expect(page.locator("#replay-wrong")).to_contain_text("soon")
    since.fill("20d")
    since.press("Enter")
    result = page.locator("#replay-result")
    expect(result).to_contain_text("went to ALARM 4 times", timeout=30_000)
    expect(page.locator("#replay-wrong")).to_be_hidden()
    expect(page.locator("#said")).to_contain_text("The replay has ended")
    known.happen(known.call(0, "brand-new", denied=True), words=("--template", str(known.template)))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(1000)
    expect(result).to_contain_text("went to ALARM 4 times")
    result.get_by_text("Somebody would have been told of").click()
    result.get_by_role("link", name="arn:aws:s3:::logs").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("reach arn:aws:s3:::logs")
    assert datetime.now(UTC) - known_since(site) < timedelta(hours=1)


def known_since(site):
    """Say since when the alarm is known: the replay goes back further."""
    return datetime.fromisoformat(site.get("/api/v1/alarms/one?name=quick").json["created"])
