"""Queries over HTTP: asking, looking, files, and queries with names."""

from datetime import UTC, datetime, timedelta

import pytest
from asking import NOW, asked, asking, finished, held, lake, own  # noqa: F401 - fixtures are asked for by their names

import lakes
from rolewatch.engines.histogram import MOST, Histogram, histogram, step_of
from rolewatch.insights import QueryError, parse_query
from rolewatch.web.query_language import COMMANDS
from rolewatch.web.query_views import window_of


def test_rows_of_a_query(asked):
    """An answer has columns with their types, texts as the command line spells them, and what it rests on."""
    found = asked(
        "filter eventName = 'PutObject' | fields @timestamp, requestParameters.bucketName as b, strlen(b) as n | limit 2"
    )
    assert found["status"] == "done"
    assert found["columns"] == [
        {"name": "@timestamp", "type": "time"}, {"name": "b", "type": "text"}, {"name": "n", "type": "number"},
    ]  # fmt: skip
    assert found["rows"] == [["2026-03-03 00:00:28.000", "b0", "2"], ["2026-03-03 00:00:25.000", "b4", "2"]]
    assert (found["statistics"]["records_matched"], found["statistics"]["records_scanned"]) == (10, 30)
    assert (found["total"], found["more"], found["next"], found["problem"]) == (2, False, None, None)


def test_histogram_of_matches(asked):
    """Matches are counted over time with the query's own filter, whatever it makes of them."""
    found = asked(
        "filter eventName = 'PutObject' | stats count(*)",
        since="2026-03-03T00:00:00Z",
        until="2026-03-03T00:00:30Z",
    )
    assert found["rows"] == [["10"]]
    assert found["histogram"]["step"] == 1000
    assert found["histogram"]["counts"] == [0, 1, 0] * 10


def test_rows_page_by_page(asked):
    """Rows come in slices, and `more` says that there are others beyond the limit."""
    found = asked("fields eventID | sort eventID", limit=7)
    assert (found["total"], found["more"]) == (7, True)
    name = found["id"]
    first = asked.site.get(f"/api/v1/query/{name}?rows=4").json
    second = asked.site.get(f"/api/v1/query/{name}?rows=4&after={first['next']}").json
    assert first["rows"] + second["rows"] == found["rows"]
    assert (first["next"], second["next"]) == (4, None)


def test_a_chart_of_stats(asked):
    """What stats gives comes with the specification of its chart, other rows without."""
    assert asked("stats count(*) by bin(10s)")["chart"]["vconcat"]
    assert asked("fields eventName")["chart"] is None


def test_a_query_within_a_query_and_stages(asked):
    """Queries with stages and with values of another query run as on the command line."""
    inner = "filter eventID in (filter eventName = 'PutObject' | fields eventID | display eventID) | stats count(*) as n"
    assert asked(inner)["rows"] == [["10"]]
    assert asked("pattern eventName | display @sampleCount, @pattern")["total"] >= 1
    assert asked("pattern eventName | diff", since="1d")["status"] == "done"


def test_wrong_queries_say_where(asked):
    """A query that is wrong is refused with the place, and drawn with carets below it."""
    answer = asked.site.ask("POST", "/api/v1/query", {"query": "fields a\n| filtr b = 1"})
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
    found = answer.json
    assert (found["start"], found["end"], found["line"], found["column"]) == (11, 16, 2, 3)
    assert found["drawing"] == "| filtr b = 1\n  ^^^^^"
    assert "did you mean filter" in found["remedy"]
    checked = asked.site.ask("POST", "/api/v1/query/check", {"query": "fields a\n| filtr b = 1"}).json
    assert (checked["ok"], checked["problem"]["start"]) == (False, 11)
    fine = asked.site.ask("POST", "/api/v1/query/check", {"query": "stats count(*) by bin(1h)"}).json
    assert fine == {"ok": True, "chart": True, "problem": None}


@pytest.mark.parametrize(
    ("query", "words", "said"),
    [
        ("lookup t k output v", {}, "the dashboard has no tables"),
        ("pattern @message | diff", {}, "has no beginning"),
        ("anomaly", {}, "not supported"),
        ("fields a", {"since": "yesterday"}, "is no time"),
        ("fields a", {"since": "1d", "until": "2d"}, "is not before"),
        ("fields a", {"since": "1900-01-01"}, "before 1970"),
        ("fields a", {"limit": 0}, "greater than or equal to 1"),
        ("", {}, "at least 1 character"),
        ("(" * 9_000, {}, "expected"),
        ("filter " + "(" * 4_000 + "a" + ")" * 4_000, {}, ""),
        ("fields a" + " " * 10_000, {}, "at most 10000"),
    ],
)  # fmt: skip
def test_what_is_refused(asked, query, words, said):
    """What cannot be run is refused at once, with its reason, and without a mistake of the server."""
    answer = asked.site.ask("POST", "/api/v1/query", {"query": query, **words})
    assert answer.status in (400, 422), answer.text
    assert said in answer.text


def test_a_field_that_is_not_there(asked):
    """A field that no record has, and CloudTrail does not know, is told with the nearest one."""
    (note,) = asked("filter eventNam = 'x' | fields @timestamp")["notes"]
    assert "eventNam is in no record" in note
    assert "Did you mean eventName?" in note


def test_files_of_all_rows(own):
    """An export has all rows, not only those that were shown, safe to open in a spreadsheet."""
    found = own(
        "filter ispresent(userAgent) or eventName = 'GetObject' | fields eventName, userAgent | sort userAgent desc",
        limit=1,
    )
    assert (found["total"], found["more"]) == (1, True)
    answer = own.site.get(f"/api/v1/query/{found['id']}/export?format=csv")
    assert answer.headers["Content-Disposition"] == "attachment; filename=query.csv"
    lines = answer.text.splitlines()
    assert (lines[0], len(lines)) == ("eventName,userAgent", 12)
    assert "'=cmd|" in answer.text
    assert "\u202e" not in answer.text
    exported = own.site.get(f"/api/v1/query/{found['id']}/export?format=json").json
    assert len(exported["results"]) == 11
    assert not [run for run in own.site.app.state.queries._runs.values() if run.folder.exists()]


def test_an_export_that_fails(own):
    """An export that is not there, or that cannot be made, is a problem, and no file."""
    assert own.site.get(f"/api/v1/query/{'x' * 22}/export").status == 404
    found = own("fields eventName | limit 1")
    queries = own.site.app.state.queries
    queries.limits = queries.limits._replace(seconds=1)
    held(queries)
    answer = own.site.get(f"/api/v1/query/{found['id']}/export?format=csv")
    assert (answer.status, answer.json["title"]) == (400, "It took too long")


def test_no_lake(world, serve):
    """Without a lake the page says how to have one, and the API that there is none."""
    world.happen(world.call(5))
    site = serve()
    page = site.get("/query")
    assert (page.status, "rolewatch ingest" in page.text, "query.js" in page.text) == (200, True, False)
    answer = site.ask("POST", "/api/v1/query", {"query": "fields a"})
    assert (answer.status, "--lake" in answer.json["remedy"]) == (404, True)
    assert site.app.state.queries._spare == []


def test_a_lake_that_is_gone(world, serve, tmp_path):
    """A lake that is not where it should be is told with the command that makes it."""
    world.happen(world.call(5))
    site = serve(lake=str(tmp_path / "gone"))
    found = finished(site, site.ask("POST", "/api/v1/query", {"query": "fields a"}).json["id"])
    assert (found["status"], "rolewatch ingest" in found["problem"]["remedy"]) == ("failed", True)
    assert "there is no lake" in site.get("/api/v1/query/fields").json["lake"]["missing"]
    site.app.state.queries.close()


def test_what_can_be_written(asked):
    """Completion offers every command that can be run, functions, and fields with and without a column."""
    with pytest.raises(QueryError) as error:
        parse_query("xyzzyx")
    known = {name.strip() for name in error.value.remedy.removeprefix("commands are ").split(",")}
    assert {name.lower() for name in COMMANDS} == known - {"anomaly", "lookup"}
    found = asked.site.get("/api/v1/query/fields").json
    columns = {each["name"]: each["column"] for each in found["fields"]}
    assert (columns["eventName"], columns["requestParameters"]) == (True, False)
    assert {"name": "count_distinct", "least": 1, "most": 1, "aggregate": True} in found["functions"]
    assert (found["lake"]["records"], found["lake"]["first"]) == (30, "2026-03-03T00:00:00Z")


def test_saving_queries(own):
    """Saving needs scope write, a query that is none is refused, and who did it is in the audit log."""
    site, new = own.site, {"name": "team/puts", "query": "# What was put\nfilter eventName = 'PutObject'"}
    assert site.ask("POST", "/api/v1/queries", new).status == 401
    assert site.ask("POST", "/api/v1/queries", new, scope="read").status == 403
    assert site.ask("POST", "/api/v1/queries", new | {"query": "filtr x"}, scope="write").status == 400
    for name in ("", " ", "a\u202eb", "x" * 256):
        assert site.ask("POST", "/api/v1/queries", new | {"name": name}, scope="write").status == 422
    assert site.ask("POST", "/api/v1/queries", new, scope="write").status == 201
    assert site.ask("POST", "/api/v1/queries", new, scope="write").status == 201  # the same again
    other = new | {"query": "fields a"}
    assert site.ask("POST", "/api/v1/queries", other, scope="write").status == 409
    assert (
        site.ask("POST", "/api/v1/queries", other | {"name": "blocked/by-service"}, scope="write").status
        == 409
    )
    first = site.get("/api/v1/queries").json["queries"][0]
    assert (first["name"], first["about"], first["by"]) == ("team/puts", "What was put", "writeer")
    assert site.ask("POST", "/api/v1/queries", other | {"replace": True}, scope="write").status == 201
    assert "team/puts" in site.get("/query").text
    assert site.ask("DELETE", "/api/v1/queries?name=team/puts", scope="read").status == 403
    assert site.ask("DELETE", "/api/v1/queries?name=team/puts", scope="write").json == {
        "deleted": "team/puts"
    }
    assert site.ask("DELETE", "/api/v1/queries?name=team/puts", scope="write").status == 404
    noted = [(entry["action"], entry["who"]) for entry in site.get("/api/v1/audit").json["entries"]]
    assert noted == [("delete-query", "writeer"), ("save-query", "writeer"), ("save-query", "writeer")]


def test_others_do_not_ask(asked):
    """A page of another site cannot make this server work."""
    answer = asked.site.ask("POST", "/api/v1/query", {"query": "fields a"}, Sec_Fetch_Site="cross-site")
    assert answer.status == 403


@pytest.mark.parametrize(
    ("start_", "end", "expected"),
    [
        (0, 30_000, 1000),
        (0, 3_600_000, 60_000),
        (0, 86_400_000, 1_800_000),
        (0, 10**13, 4 * 604_800_000 * 64),
    ],
)
def test_steps_of_a_histogram(start_, end, expected):
    """A bar is as long as it takes for at most 80 of them, in lengths that people know."""
    assert step_of(start_, end) == expected
    assert len(histogram([], start_, end, expected).counts) <= MOST


def test_weeks_begin_on_monday():
    """Weeks are counted from Mondays, as engines count them."""
    monday = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1000)
    week = 7 * 86_400_000
    found = histogram([(monday, 3.0), (monday + week, 4.0), (None, 9.0)], monday + 1, monday + week + 1, week)
    assert found == Histogram(monday, week, (3, 4))


def test_times_of_a_query():
    """Times are as on the command line: how long ago, or a moment; a query has at least a second."""
    found = window_of("7d", "", NOW)
    assert (found.since, found.until) == (NOW - timedelta(days=7), None)


def test_a_lake_in_a_bucket(world, serve, bucket, tmp_path):
    """A lake in S3 is asked like a folder; when the bucket does not answer the problem says so, and what to do."""
    lakes.write(tmp_path, "in/a.json", *(lakes.record(number, day=3) for number in range(20)))
    place = f"s3://{bucket.name}/lake"
    lakes.filled(place, tmp_path / "in")
    world.happen(world.call(5))
    site = serve(lake=place, clock=lambda: NOW)
    ask = asking(site)
    try:
        found = ask("stats count(*) as n")
        assert (found["status"], found["rows"], found["problem"]) == ("done", [["20"]], None)
        assert sum(found["histogram"]["counts"]) == 20
        assert site.get("/api/v1/query/fields").json["lake"]["records"] == 20
        for key in [each["Key"] for each in bucket.client.list_objects_v2(Bucket=bucket.name)["Contents"]]:
            bucket.client.delete_object(Bucket=bucket.name, Key=key)
        problem = ask("stats count(*) as n")["problem"]
        assert problem["status"] == 503
        assert place in problem["detail"]
        assert problem["remedy"]
    finally:
        site.app.state.queries.close()
