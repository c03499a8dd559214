"""Coverage over HTTP: sources and their lag, what could not be read, quiet accounts, letters that wait, and what cannot be seen."""

import gzip
import json
import os
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rolewatch.cli.main import main
from rolewatch.store import deliveries, outbox, sources
from rolewatch.store.deliveries import Failure
from rolewatch.store.outbox import Letter
from rolewatch.web import coverage

HOSTILE = "<script>alert(1)</script>\"'\u202e&{{7*7}}"
DOCS = Path(__file__).parents[2] / "docs" / "coverage.md"


@pytest.mark.both_stores
def test_what_is_read(world, site):
    """The source, its lag and the sums of all that was read are there, and add up."""
    world.happen(world.call(30, "b", denied=True), world.call(1, "else"))
    world.happen(world.call(30, "b", denied=True), world.call(0, "else", recipientAccountId="444455556666"))
    found = site.get("/api/v1/coverage").json
    (source,) = found["sources"]
    assert (source["source"], source["alarms"], source["unread"], source["late"]) == (
        str(world.logs),
        [],
        0,
        False,
    )
    assert source["last_delivery"] == found["last_delivery"]
    totals = found["totals"]
    assert totals["records"] == totals["denials"] + totals["duplicates"] + totals["others"] == 4
    assert (totals["deliveries"], totals["failed"], totals["unread"]) == (2, 0, 0)
    assert [each["account"] for each in found["accounts"]["quietest"]] == ["111122223333", "444455556666"]
    assert site.get("/api/v1/coverage?accounts=1").json["accounts"]["total"] == 2
    assert found["notifications"] == []
    page = site.get("/coverage").text
    assert "Deliveries arrive</h1>" in page
    assert "Everything that arrived was read to its end." in page
    assert "style=" not in page
    assert site.get("/coverage", X_Part="coverage").text.strip() in page


def test_deliveries_that_cannot_be_read(world, site):
    """Each has its reason and the command that reads it again, which does; then it is none any more."""
    world.happen(world.call(1, "else"))
    broken = world.logs / "broken.json.gz"
    broken.write_bytes(b"no gzip at all")
    assert (
        main(["watch", str(world.logs), "--once", "--state", world.place, "--log-level", "error"], environ={})
        == 3
    )
    (failure,) = site.get("/api/v1/coverage/failed").json["failed"]
    assert failure["name"].endswith("broken.json.gz")
    assert (failure["attempts"], failure["retryable"], failure["source"]) == (1, True, str(world.logs))
    assert failure["reason"]
    assert failure["retry"] == f"rolewatch deliveries retry {failure['id']} --state {world.place}"
    assert site.get("/api/v1/coverage").json["totals"]["unread"] == 1
    page = site.get("/coverage").text
    assert failure["retry"] in page
    assert "1 delivery not read, or only in part" in page
    broken.write_bytes(gzip.compress(json.dumps({"Records": [world.call(2, "more")]}).encode()))
    assert main(shlex.split(failure["retry"])[1:], environ={}) == 0
    assert site.get("/api/v1/coverage/failed").json == {"failed": [], "total": 0, "next": None}


@pytest.mark.both_stores
def test_pages_of_failures(world, site):
    """Page after page gives each of them once, as JSON and as HTML; those that cannot be read again say why."""
    world.happen(world.call(1, "else"))
    made = [
        Failure(bytes([number] * 16), f"{HOSTILE}{number}", HOSTILE, HOSTILE, None, 0, number // 4, 1)
        for number in range(60)
    ]
    site.state.write(lambda connection: deliveries.fail(connection, made))
    found, after = [], ""
    while after is not None:
        answer = site.get(f"/api/v1/coverage/failed?limit=7&after={after}").json
        found += answer["failed"]
        after = answer["next"]
    assert {each["id"] for each in found} == {bytes([number] * 8).hex() for number in range(60)}
    assert (len(found), answer["total"], found[0]["retry"]) == (60, 60, None)
    assert "not kept" in found[0]["not_retryable"]
    rows, path = [], "/coverage"
    while path:
        page = site.get(path).text
        assert "<script>alert" not in page
        assert "\u202e" not in page
        rows += re.findall(r'<tr data-row data-id="(\w+)"', page)
        following = re.search(r'rel="next" href="([^"#]+)', page)
        path = following and following[1]
    assert rows == [each["id"] for each in found]
    assert "Next page" not in page
    assert "First page" in page


@pytest.mark.parametrize("after", ["x", "AAAA", "%00", "a" * 300, "AAAAAAAAAAAAAAAAAAAAAC0x", "AAAAAAAAAAAAAAAAAAAAADk5OTk5OTk5OTk5OTk5OTk5OTk5"])  # fmt: skip
def test_no_page_begins_so(world, site, after):
    """A place that no page gave is refused."""
    world.happen(world.call(1))
    assert 400 <= site.get(f"/api/v1/coverage/failed?after={after}").status < 500
    assert 400 <= site.get(f"/coverage?after={after}").status < 500


def test_nothing_was_read_yet(world, site):
    """Without a state the page says what to do; with one that is empty, that nothing came, and what cannot be seen anyway."""
    assert site.get("/coverage").status == 503
    world.watch()
    assert site.get("/api/v1/coverage").json["read"] is False
    page = site.get("/coverage").text
    assert "Nothing was read yet" in page
    assert "waiting for the first delivery" in page
    assert "What cannot be seen" in page


def test_a_watcher_that_has_stopped(world, serve):
    """Hours later the page says when the last delivery came."""
    world.happen(world.call(1, "else"))
    site = serve(clock=lambda: datetime.now(UTC) + timedelta(hours=3))
    found = site.get("/api/v1/coverage").json
    assert (found["late"], found["sources"][0]["late"]) == (True, True)
    page = site.get("/coverage").text
    assert "No deliveries arrive" in page
    assert f'The last delivery came at <time datetime="{found["last_delivery"]}"' in page


def test_logs_of_the_past(world, site):
    """Where events are old the page says that this is no picture of the present."""
    world.happen(world.call(5 * 1440, "b", denied=True))
    assert site.get("/api/v1/coverage").json["old"] is True
    assert "Deliveries arrive, of old events" in site.get("/coverage").text


def test_alarms_of_a_watcher_about_itself(world, site):
    """What stands about a source is told with its meaning, and in the headline."""
    world.happen(world.call(1, "else"))
    word = str(world.logs)
    alarms = '{"late":{"since":1000,"last":2000},"failing":{"since":1000,"last":2000},"unheard-of":{"since":1,"last":1}}'

    def work(connection):
        sources.keep_alarms(connection, word, alarms)
        sources.set_lag(connection, word, 7_300_000)

    site.state.write(work)
    (source,) = site.get("/api/v1/coverage").json["sources"]
    assert [each["condition"] for each in source["alarms"]] == ["late", "failing"]
    assert source["alarms"][0]["since"] == "1970-01-01T00:00:01Z"
    assert source["lag_seconds"] == 7300
    page = site.get("/coverage").text
    assert "Deliveries arrive, but not as they should" in page
    assert "<b>late</b> since" in page
    assert "2 h" in page


@pytest.mark.both_stores
def test_letters_on_their_way(world, site):
    """Each target has what waits, is held and was given up, and why."""
    world.happen(world.call(1, "else"))
    made = [Letter(str(n), "t", "slack://…", "blocked", b"", state, n, n, 1, HOSTILE, "i") for n, state in enumerate(("waiting", "held", "dead", "sent"))]  # fmt: skip
    site.state.write(lambda connection: outbox.put(connection, made))
    (queue,) = site.get("/api/v1/coverage").json["notifications"]
    assert (queue["name"], queue["waiting"], queue["held"], queue["dead"]) == ("slack://…", 1, 1, 1)
    page = site.get("/coverage").text
    assert "slack://…" in page
    assert "<script>alert" not in page


def test_gaps_are_those_of_the_docs():
    """Each gap names what, why and how, in words that docs/coverage.md has as well."""
    docs = DOCS.read_text()
    for word in ("data events", "KMS", "VpceAccessDenied", "multi-region", "256 KB", "EventBridge", "caller's account", "HeadBucket"):  # fmt: skip
        assert word.lower() in docs.lower()
        assert any(word.lower() in " ".join(gap).lower() for gap in coverage.GAPS), word
    assert all(all(gap) for gap in coverage.GAPS)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, ""), (0, "0 s"), (119, "119 s"), (300, "5 min"), (7200, "2 h"), (172_800, "2 days")],
)
def test_spans(seconds, said):
    """Spans are said in their largest unit."""
    assert coverage.span(seconds) == said


def deliver(world, account, region, *days_ago):
    """Let log files of a trail be delivered, of days so long ago."""
    for ago in days_ago:
        moment = datetime.now(UTC) - timedelta(days=ago)
        name = f"{account}_CloudTrail_{region}_{moment:%Y%m%dT0005Z}_AbCdEfGh01234567.json.gz"
        path = world.logs / f"AWSLogs/{account}/CloudTrail/{region}/{moment:%Y/%m/%d}" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(gzip.compress(json.dumps({"Records": [world.call(ago * 1440 + 5)]}).encode()))
        os.utime(path, (1_700_000_000, 1_700_000_000))
    world.watch()


@pytest.mark.both_stores
def test_days_that_are_missing(world, serve):
    """Days between others of which no log file came are named, until they come; a Region without any is none."""
    world.happen(world.call(1))
    site = serve()
    found = site.get("/api/v1/coverage").json["gaps"]
    assert (found["folders"], found["total"], found["gaps"]) == (0, 0, [])
    assert "seen by the names of log files" in site.get("/coverage").text
    deliver(world, "111122223333", "eu-west-1", 9, 8, 6, 2, 1)
    deliver(world, "111122223333", "us-east-1", 3, 2, 1)
    site = serve()  # what is missing is looked for once a minute
    named = {ago: f"{datetime.now(UTC) - timedelta(days=ago):%Y-%m-%d}" for ago in range(10)}
    found = site.get("/api/v1/coverage").json["gaps"]
    assert (found["folders"], found["total"]) == (2, 1)
    (gap,) = found["gaps"]
    assert (gap["account"], gap["region"], gap["first"], gap["last"]) == (
        "111122223333",
        "eu-west-1",
        named[9],
        named[1],
    )
    assert gap["missing"] == [named[ago] for ago in (7, 5, 4, 3)]
    page = site.get("/coverage").text
    assert f">{named[7]},</span>" in page
    assert f">{named[5]} to {named[3]}</span>" in page
    deliver(world, "111122223333", "eu-west-1", 7, 5, 4, 3)
    site = serve()
    assert site.get("/api/v1/coverage").json["gaps"]["gaps"] == []
    assert "in all 2 combinations" in site.get("/coverage").text
