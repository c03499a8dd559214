"""What queries may take: so many at once, time, memory, and no file but those of the lake; and how they end."""

import json
import os
import signal
import time

import pytest
from asking import NOW, asked, finished, held, lake, own  # noqa: F401 - fixtures are asked for by their names

import lakes
from lakes import filled, record
from rolewatch.engines.duckdb import Limits as EngineLimits
from rolewatch.engines.duckdb import guarded, start
from rolewatch.web import query_frames as frames
from rolewatch.web.queries import Limits, Queries, Wanted, _started


def test_cancelling(own):
    """A query that is running can be cancelled, and its process is gone; one that has ended stays as it is."""
    queries = own.site.app.state.queries
    held(queries)
    name = own.site.ask("POST", "/api/v1/query", {"query": "fields a"}).json["id"]
    run = queries.run(name)
    assert own.site.get(f"/api/v1/query/{name}").json["status"] == "running"
    assert own.site.ask("DELETE", f"/api/v1/query/{name}").json == {"id": name, "status": "cancelled"}
    assert run._process.poll() == -signal.SIGKILL
    assert not run.folder.exists()
    done = own("fields eventName | limit 1")
    assert own.site.ask("DELETE", f"/api/v1/query/{done['id']}").json["status"] == "done"


def test_so_many_at_once(own):
    """A visitor has two queries running at most, all of them four; the others are told to wait."""
    queries = own.site.app.state.queries
    for status in (202, 202, 429):
        held(queries)
        answer = own.site.ask("POST", "/api/v1/query", {"query": "fields a"})
        assert answer.status == status, answer.text
    assert answer.headers["Retry-After"] == "5"
    assert "2 queries of yours" in answer.json["detail"]
    for status in (202, 202):
        held(queries)
        assert own.site.ask("POST", "/api/v1/query", {"query": "fields a"}, scope="read").status == status
    refused = own.site.ask("POST", "/api/v1/query", {"query": "fields a"}, scope="write")
    assert (refused.status, "4 queries are running" in refused.text) == (429, True)


def test_a_limit_of_time(lake):
    """A query that takes too long is ended, and says so."""
    queries = Queries(Limits(seconds=1))
    held(queries)
    run = queries.start(Wanted("fields a", lake, None, None, NOW, 10), "somebody")
    assert run.ended.wait(30)
    assert (run.status, run.failed.title) == ("failed", "It took too long")
    queries.close()


def test_a_limit_of_memory(tmp_path):
    """A query that needs more memory and more files than it may have fails with advice, and ends nobody else."""
    records = (record(number, day=1 + number % 9, userAgent=f"{number:09}" * 40) for number in range(12_000))
    lakes.write(tmp_path, "in/a.json.gz", *records)
    filled(tmp_path / "lake", tmp_path / "in")
    queries = Queries(Limits(memory=12 * 1024**2, spill=64 * 1024))
    text = "stats count(*) as n by userAgent, @message | sort n"
    run = queries.start(Wanted(text, str(tmp_path / "lake"), None, None, NOW, 10), "somebody")
    assert run.ended.wait(60)
    assert (run.status, run.failed and run.failed.title) == ("failed", "Not enough memory")
    queries.close()


def test_a_process_that_dies(lake):
    """A query whose process the system ends is told as one that took too much memory."""
    queries = Queries()
    held(queries)
    run = queries.start(Wanted("fields a", lake, None, None, NOW, 10), "somebody")
    os.kill(run._process.pid, signal.SIGKILL)
    assert run.ended.wait(30)
    assert (run.status, run.failed.title) == ("failed", "Not enough memory")
    queries.close()


def test_a_server_that_dies(tmp_path):
    """A process whose server is gone ends at once, however long its query would take, and leaves no files."""
    manifest, folder = tmp_path / "lake" / "manifest" / "parts.jsonl", tmp_path / "own"
    manifest.parent.mkdir(parents=True)
    folder.mkdir()
    os.mkfifo(manifest)  # who reads it waits until somebody writes
    process = _started()
    asked = frames.Asked(
        "fields a",
        str(tmp_path / "lake"),
        None,
        None,
        NOW.isoformat(),
        1,
        "rows",
        str(folder),
        2**28,
        2**20,
        60,
    )
    frames.ask(process.stdin, asked)
    assert isinstance(frames.told_in(process.stdout), frames.Progress)  # it is at work
    process.stdin.close()
    assert process.wait(30) == 1
    process.stdout.close()
    assert not folder.exists()


def test_results_are_forgotten(lake):
    """Results go after their time, and the oldest where they are too large together."""
    now = [0.0]
    queries = Queries(Limits(kept=2500, lasting=1e9), monotonic=lambda: now[0])
    runs = []
    for _ in range(3):
        runs.append(
            queries.start(Wanted("fields eventName | limit 1", lake, None, None, NOW, 10), "somebody")
        )
        assert runs[-1].ended.wait(30)
    assert queries.run(runs[2].id) is runs[2]
    assert set(queries._runs) == {runs[1].id, runs[2].id}
    now[0] = time.monotonic() + 2e9
    queries._expire()
    assert queries._runs == {}
    queries.close()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '/tmp/rolewatch-outside.csv'",
        "ATTACH '/tmp/rolewatch-outside.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit = '64GB'",
        "SET enable_external_access = true",
        "SET allowed_paths = ['/etc/passwd']",
    ],
)
def test_the_engine_reads_nothing_else(tmp_path, statement):
    """An engine that is ready for queries reaches no file but those it was given, even by SQL, and keeps its limits."""
    import duckdb  # noqa: PLC0415 - only here

    inside = tmp_path / "inside.txt"
    inside.write_text("ours")
    limits = EngineLimits(256 * 1024**2, 1024**2, str(tmp_path / "spill"), lambda _engine: None)
    with guarded(start(1, limits), "", [inside]) as engine:
        assert engine.sql(
            "SELECT content FROM read_text($path)", params={"path": str(inside)}
        ).fetchall() == [("ours",)]
        with pytest.raises(duckdb.Error):
            engine.execute(statement).fetchall()


@pytest.mark.parametrize(
    "query",
    [
        "fields read_csv('/etc/passwd')",
        "fields `x` from read_csv('/etc/passwd')",
        "SOURCE '/etc/passwd' | fields @message",
        "fields eventName'); SELECT * FROM read_text('/etc/passwd'); --",
        "filter eventName = 'x'' UNION SELECT content FROM read_text(''/etc/passwd'') --'",
        "fields `f0 FROM read_text('/etc/passwd') --` as a",
        "parse @message '*' as `x, (SELECT content FROM read_text(chr(47)||'etc/passwd'))`",
        "stats count(*) by `eventName) FROM read_text('/etc/passwd') --`",
        "filter eventName like /x') OR read_text('\\/etc\\/passwd')/",
        "filter eventName in (SELECT content FROM read_text('/etc/passwd'))",
        "fields strftime(@timestamp, \"%Y'||(SELECT content FROM read_text('/etc/passwd'))||'\")",
        "fields $1, ${path}, {{7*7}}, @message.`../../etc/passwd`",
    ],
)
def test_queries_that_want_other_files(asked, query):
    """No query says anything that reaches a file: it is refused, or what looks like SQL in it is a text."""
    answer = asked.site.ask("POST", "/api/v1/query", {"query": query})
    assert answer.status in (202, 400)
    if answer.status == 202:
        found = finished(asked.site, answer.json["id"])
        assert found["status"] == "done", found["problem"]
        assert "root:" not in json.dumps(found["rows"])
