"""Alarms over HTTP: the list, one of them over a time, its history, and other settings that are tried."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import pairwise
from urllib.parse import quote, urlencode

import pytest
from ringing import MINUTE, Ringing, named

import rolewatch.store.schema as tables
from rolewatch.store import alarms as store
from rolewatch.web.alarm_times import Stay, Stretch, stays, thinned_stays

HOSTILE = (
    "..", ".", "a/b", "../one", "one", "history", "a?b=c&d=e#f", "%2e%2e%2f", "<script>alert(1)</script>\"'{{7*7}}", "\u202eright\u202c to left",
    "two\nlines", " spaces ", "ünï/çødé 🔔", "x" * 255,
)  # fmt: skip


#: Half past an hour: bands are learned by whole hours, and the alarms have to have seen enough of one.
NOW = datetime.now(UTC).replace(minute=30, second=0, microsecond=0) - timedelta(hours=1)


@pytest.fixture
def site(serve):
    """Serve the test's world a little after alarms were evaluated last."""
    return serve(clock=lambda: NOW + timedelta(minutes=2))


@pytest.fixture
def ring(world):
    """Have alarms of all kinds for an hour: refusals after 20 and 40 minutes, evaluated until now."""
    made = Ringing(world.place, now=NOW)
    made.publish(dict.fromkeys(range(60), 0) | {20: 2, 21: 1, 40: 3})
    made.evaluate(60)
    made.contribute("logs", {"b1": 3, "b2": 1, "b<3>": 2})
    yield made
    made.close()


def one(site, name, **more):
    """Give an alarm."""
    answer = site.get(f"/api/v1/alarms/one?{urlencode({'name': name, **more})}")
    assert answer.status == 200, answer.text
    return answer.json


def spelled(seconds):
    """Spell a time."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("changes", "state", "created", "known", "expected"),
    [
        ([], "OK", 0, 100, [Stay("OK", 10, 50)]),
        ([], "OK", 20, 30, [Stay("OK", 20, 30)]),
        ([], "OK", 60, 100, []),
        ([(20, "OK", "ALARM")], "ALARM", 0, 100, [Stay("OK", 10, 20), Stay("ALARM", 20, 50)]),
        ([(10, "OK", "ALARM")], "ALARM", 0, 100, [Stay("ALARM", 10, 50)]),
        ([(60, "ALARM", "OK")], "OK", 0, 100, [Stay("ALARM", 10, 50)]),
        ([(20, "OK", "ALARM"), (70, "ALARM", "OK")], "OK", 0, 100, [Stay("OK", 10, 20), Stay("ALARM", 20, 50)]),
        ([(20, "OK", "ALARM"), (30, "ALARM", "OK")], "OK", 25, 40, [Stay("ALARM", 25, 30), Stay("OK", 30, 40)]),
    ],
)  # fmt: skip
def test_states_over_a_time(changes, state, created, known, expected):
    """They begin when the alarm was created, and end where it was evaluated last; changes behind the time say what it was in."""
    assert stays(changes, state, created, Stretch(10, 50, known)) == expected


def test_many_states_become_few():
    """Of each part the gravest is kept, so that no ALARM is lost; few stay as they are."""
    many = [Stay("ALARM" if number % 10 == 7 else "OK", number, number + 1) for number in range(1000)]
    few = thinned_stays(many, 50)
    assert (few[0].since, few[-1].until) == (0, 1000)
    assert len(few) <= 50
    assert all(one.until == other.since for one, other in pairwise(few))
    assert all(any(each.since <= at < each.until and each.state == "ALARM" for each in few) for at in range(7, 1000, 10))  # fmt: skip
    assert thinned_stays(many[:50], 50) == many[:50]


@pytest.mark.both_stores
def test_the_list(ring, site):
    """Alarms that ring come first; each has its states of the day, and all are counted by state."""
    ring.publish({59: 1})
    ring.evaluate(62)
    found = site.get("/api/v1/alarms").json
    assert [each["name"] for each in found["alarms"][:3]] == ["band", "both", "quick"]
    assert found["counts"] == {"ALARM": 3, "INSUFFICIENT_DATA": 1, "OK": 1}
    quick = found["alarms"][2]
    assert (quick["kind"], quick["account"], quick["state"]) == ("metric", "111122223333", "ALARM")
    assert quick["reason"].startswith("Threshold Crossed")
    assert [each["state"] for each in quick["states"]] == [
        "INSUFFICIENT_DATA",
        "OK",
        "ALARM",
        "OK",
        "ALARM",
        "OK",
        "ALARM",
    ]
    assert quick["states"][0]["since"] == spelled(ring.start)
    assert [each["name"] for each in site.get("/api/v1/alarms?state=ALARM").json["alarms"]] == [
        "band",
        "both",
        "quick",
    ]
    assert [each["name"] for each in site.get("/api/v1/alarms?q=QUI").json["alarms"]] == ["quick"]
    names, after = [], ""
    while after is not None:
        part = site.get(f"/api/v1/alarms?limit=2{after}").json
        names += [each["name"] for each in part["alarms"]]
        after = part["next"] and f"&after={part['next']}"
    assert names == [each["name"] for each in found["alarms"]]
    mark = site.get("/api/v1/alarms/history").headers["ETag"]
    assert site.get("/api/v1/alarms/history", If_None_Match=mark).status == 304


def test_no_alarm_and_no_watcher(world, serve):
    """Without a template the page says how to evaluate one; when evaluation has stopped, it says since when."""
    world.happen(world.call(1))
    assert "rolewatch watch SOURCE --template alarms.yaml" in serve().get("/alarms").text
    ring = Ringing(world.place)
    ring.close()
    site = serve(clock=lambda: datetime.now(UTC) + timedelta(hours=1))
    assert site.get("/api/v1/alarms").json["late"] is True
    assert "the watcher is not keeping up, or does not run" in site.get("/alarms").text


@pytest.mark.both_stores
def test_an_alarm_of_a_metric(ring, site):
    """Its graph has what it saw in each minute, with the threshold; its states are on the same time, its definition beside."""
    quick = one(site, "quick")
    graph = quick["graph"]
    assert (graph["threshold"], graph["operator"], graph["band"]) == (1.0, "≥", None)
    seen = {each["since"]: each["high"] for each in graph["values"]}
    assert seen[spelled(ring.start + 21 * MINUTE)] == 2.0
    assert seen[spelled(ring.start + 22 * MINUTE)] == 1.0
    assert seen[spelled(ring.start + 23 * MINUTE)] == 0.0
    assert [(each["since"], each["until"]) for each in quick["states"] if each["state"] == "ALARM"] == [
        (spelled(ring.start + 21 * MINUTE), spelled(ring.start + 25 * MINUTE)),
        (spelled(ring.start + 41 * MINUTE), spelled(ring.start + 44 * MINUTE)),
    ]
    assert max(row["high"] or 0 for row in quick["numbers"]) == 3.0
    definition = quick["definition"]
    assert definition["rule"] == "Sum ≥ 1 over 60 s, 1 of 3, missing not breaching"
    assert definition["looks_at"] == ["N Denied"]
    assert [each["pattern"] for each in definition["filters"]] == ["{ $.errorCode = AccessDenied }"]
    assert definition["actions"]["alarm"] == ["page"]
    part = one(
        site, "quick", since=spelled(ring.start + 15 * MINUTE), until=spelled(ring.start + 30 * MINUTE)
    )
    assert (part["since_shown"], part["until_shown"]) == (
        spelled(ring.start + 15 * MINUTE),
        spelled(ring.start + 30 * MINUTE),
    )
    assert [each["state"] for each in part["states"]] == ["OK", "ALARM", "OK"]
    assert max(each["high"] for each in part["graph"]["values"]) == 2.0


def test_a_long_time_loses_no_peak(world, serve):
    """Two weeks of minutes are put together, and the highest value is still there."""
    ring = Ringing(world.place, minutes=14 * 1440)
    ring.publish({minute: minute % 2 for minute in range(14 * 1440)} | {9999: 50})
    ring.state.write(lambda connection: store.keep_evaluated(connection, ring.start + 14 * 86400))
    site = serve()
    quick = one(site, "quick", since=spelled(ring.start - 60))
    assert len(quick["graph"]["values"]) <= 1500
    assert max(each["high"] for each in quick["graph"]["values"]) == 50.0
    assert min(each["low"] for each in quick["graph"]["values"]) == 0.0
    ring.close()


@pytest.mark.usefixtures("ring")
def test_parts_of_pages(site):
    """The living part of a page comes alone when it is asked for, and is what the whole page has."""
    for path, part in (
        ("/alarms", "list"),
        ("/alarms/one?name=quick", "one"),
        ("/alarms/one?name=logs", "one"),
    ):
        answer = site.get(path, X_Part=part)
        assert answer.status == 200
        assert "<html" not in answer.text
        assert re.sub(r"[0-9:-]+", "", answer.text[:300]) in re.sub(r"[0-9:-]+", "", site.get(path).text)


@pytest.mark.usefixtures("ring")
def test_an_anomaly_band(site):
    """The bounds are drawn in place of a threshold."""
    graph = one(site, "band")["graph"]
    assert graph["threshold"] is None
    assert graph["values"]
    assert all(each["lower"] <= each["upper"] for each in graph["band"])
    assert graph["band"]


@pytest.mark.both_stores
@pytest.mark.usefixtures("ring")
def test_a_composite_alarm(site):
    """It has no graph, but the alarms that it depends on, its suppressor among them, with their states."""
    both = one(site, "both")
    assert both["graph"] is None
    assert [each["name"] for each in both["children"]] == ["quick", "slow", "band"]
    assert [each["state"] for each in both["children"][0]["states"]].count("ALARM") == 2
    assert (both["definition"]["suppressor"], both["definition"]["wait_period"]) == ("band", 60)
    page = site.get("/alarms/one?name=both").text
    assert "What it depends on" in page
    assert page.count('class="band"') == 4


@pytest.mark.both_stores
@pytest.mark.usefixtures("ring")
def test_a_log_alarm(site):
    """Its contributors come with those in ALARM first, its graph has the results that are kept, its changes their log lines."""
    logs = one(site, "logs")
    assert [(list(each["attributes"].values()), each["state"], each["value"], each["told"]) for each in logs["contributors"]] == [
        (["b1"], "ALARM", 3.0, True), (["b<3>"], "ALARM", 2.0, False), (["b2"], "OK", 1.0, False),
    ]  # fmt: skip
    assert [each["high"] for each in logs["graph"]["values"]] == [3.0]
    assert logs["definition"]["looks_at"][0] == "filter errorCode = 'AccessDenied'"
    changes = site.get("/api/v1/alarms/history?name=logs").json["changes"]
    assert {each["contributor"]["attributes"]["requestParameters.bucketName"] for each in changes} == {
        "b1",
        "b<3>",
    }
    assert changes[0]["lines"] == ["one line", "<b>another</b>"]
    page = site.get("/alarms/one?name=logs").text
    assert "&lt;b&gt;another&lt;/b&gt;" in page
    assert "<b>another" not in page


@pytest.mark.both_stores
@pytest.mark.usefixtures("ring")
def test_history(site):
    """Changes come the latest first, page by page without gap or repetition, with what became of the message."""
    every = site.get("/api/v1/alarms/history?limit=500").json
    assert every["next"] is None
    assert len(every["changes"]) > 8
    found, after = [], ""
    while after is not None:
        part = site.get(f"/api/v1/alarms/history?limit=1{after}").json
        found += part["changes"]
        after = part["next"] and f"&after={part['next']}"
    assert found == every["changes"]
    times = [each["time"] for each in found]
    assert times == sorted(times, reverse=True)
    quick = site.get("/api/v1/alarms/history?name=quick").json["changes"]
    assert [each["after"] for each in quick] == ["OK", "ALARM", "OK", "ALARM", "OK"]
    assert quick[1]["told"] == [{"target": "slack://team", "state": "waiting"}]
    assert quick[1]["notification"]
    assert quick[1]["actions"] == ["page"]
    assert quick[1]["reason_data"]["threshold"] == 1.0
    assert "Told: slack://team (waiting)." in site.get("/alarms/one?name=quick").text
    assert site.get("/api/v1/alarms/history?name=nobody").status == 404


@pytest.mark.both_stores
@pytest.mark.usefixtures("ring")
def test_settings_that_are_tried(site):
    """The settings that an alarm has give what it did; others what it would have done; the alarm itself stays as it is."""
    same = one(site, "quick", threshold=1)["trial"]
    assert same["would"] == same["did"] == {"entered": 2, "seconds": 7 * MINUTE}
    assert same["states"] == one(site, "quick")["states"]
    higher = one(site, "quick", threshold=3)["trial"]
    assert higher["would"] == {"entered": 1, "seconds": 3 * MINUTE}
    two = one(site, "quick", datapoints=2, periods=2)["trial"]
    assert (two["would"]["entered"], two["datapoints_to_alarm"], two["evaluation_periods"]) == (1, 2, 2)
    longer = one(site, "quick", periods=30)["trial"]
    assert longer["would"] == {"entered": 1, "seconds": 39 * MINUTE}
    assert one(site, "quick")["trial"] is None
    page = site.get("/alarms/one?name=quick&threshold=3").text
    assert re.search(r"gone to ALARM <b>\s*1 time, and been there for 3 min</b>", page)
    assert "<b>2 times, and been there for 7 min</b>" in page


NONSENSE = (
    "", "name=", "name=nobody", "name=quick&since=x", "name=quick&since=9999-12-31", "name=quick&until=0001-01-01T00:00:00%2B14:00",
    "name=quick&since=2026-01-02&until=2026-01-01", "name=quick&since=2001-01-01", "name=quick&since=1e300", "name=quick&threshold=nan",
    "name=quick&threshold=1e999", "name=quick&threshold=x", "name=quick&periods=0", "name=quick&periods=99999999999999999999", "name=quick&datapoints=5",
    "name=quick&missing=gone", "name=band&threshold=1", "name=both&periods=3", "name=logs&datapoints=1", "name=slow&periods=10080", "name=%00", "name=%ff",
    f"name={'x' * 2000}",
)  # fmt: skip
NO_LISTS = (
    "alarms?state=x", "alarms?after=x", "alarms?limit=0", "alarms/history?after=WzEsImEiXQ", "alarms/history?after=bnVsbA", "alarms/history?limit=501",
    "alarms/history?after=Wzk5OTk5OTk5OTk5OTk5OTk5OTk5LCJhIiwiIl0", "alarms/history?after=%F0%9F%94%94", "alarms/nothing",
)  # fmt: skip


@pytest.mark.usefixtures("ring")
def test_what_makes_no_sense(site):
    """It is refused with what to do, as JSON and as a page; so are pages of lists and states that there are not."""
    for query in NONSENSE:
        answer = site.get(f"/api/v1/alarms/one?{query}")
        assert 400 <= answer.status < 500, (query, answer.text)
        assert set(answer.json) == {"type", "title", "status", "detail", "remedy"}
        if "since" not in query:
            assert 400 <= site.get(f"/alarms/one?{query}").status < 500, query
    for path in NO_LISTS:
        answer = site.get(f"/api/v1/{path}")
        assert 400 <= answer.status < 500, (path, answer.text)
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.both_stores
def test_names_of_any_characters(world, serve):
    """Each is found by the links of the list, by the API and in the history; none is markup, and control characters are seen."""
    ring = Ringing(world.place, named(*HOSTILE))
    ring.publish({10: 1})
    ring.evaluate(20)
    site = serve()
    listing = site.get("/alarms").text
    links = [unescape(each) for each in re.findall(r'href="(/alarms/one\?[^"]*)"', listing)]
    assert len(links) == len(HOSTILE)
    for name in HOSTILE:
        assert one(site, name)["name"] == name
        assert len(site.get(f"/api/v1/alarms/history?name={quote(name, safe='')}").json["changes"]) == 3
        page = site.get(f"/alarms/one?name={quote(name, safe='')}")
        assert page.status == 200
        assert f"/alarms/one?{urlencode({'name': name})}" in links
        for text in (page.text, listing):
            assert "<script>alert" not in text
            assert "\u202e" not in re.sub(r'name="name" value="[^"]*"', "", text)
    ring.close()


def test_a_definition_that_is_not_known(ring, site):
    """What another version has written leaves states and history, and says why there is no graph."""
    ring.state.write(lambda connection: connection.execute(tables.ALARMS.update().values(definition="[]")))
    quick = one(site, "quick")
    assert (quick["definition"], quick["graph"]) == (None, None)
    assert [each["state"] for each in quick["states"]].count("ALARM") == 2
    page = site.get("/alarms/one?name=quick").text
    assert "Its definition is not kept in a form that this version knows" in page
    assert 'class="band"' in page


def test_a_metric_without_datapoints(world, serve):
    """Nothing is drawn of it, and the page says so."""
    ring = Ringing(world.place)
    ring.evaluate(10)
    site = serve()
    quick = one(site, "quick")
    assert quick["graph"]["values"] == []
    assert {row["high"] for row in quick["numbers"]} == {None}
    assert "No value is known of this time." in site.get("/alarms/one?name=quick").text
    ring.close()
