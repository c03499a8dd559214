"""A small lake that is served, and what asks it: for the tests of queries."""

import os
import signal
from datetime import UTC, datetime

import pytest
from worlds import Site, World

import lakes
from lakes import filled, record

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
HOSTILE = "=cmd|' /C calc'!A1<script>alert(1)</script>\u202e"


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """Fill a lake with 30 records of one day, one of them hostile."""
    folder = tmp_path_factory.mktemp("query")
    records = [record(number, day=3) for number in range(29)]
    records.append(record(29, day=3, eventName="HeadBucket", userAgent=HOSTILE))
    lakes.write(folder, "in/a.json", *records)
    filled(folder / "lake", folder / "in")
    return str(folder / "lake")


@pytest.fixture(scope="module")
def asked(lake, tmp_path_factory):
    """Serve the lake for all tests that leave the server as it is; what it is asked is answered when it is done."""
    world = World(tmp_path_factory.mktemp("world"))
    world.happen(world.call(5))
    site = Site(world.place, lake=lake, clock=lambda: NOW)
    yield asking(site)
    site.app.state.queries.close()
    site.close()


@pytest.fixture
def own(world, serve, lake):
    """Serve the lake for one test."""
    world.happen(world.call(5))
    site = serve(lake=lake, clock=lambda: NOW)
    yield asking(site)
    site.app.state.queries.close()


def asking(site):
    """Make what asks a site."""

    def ask(query, **more):
        answer = site.ask("POST", "/api/v1/query", {"query": query, **more})
        assert answer.status == 202, answer.text
        return finished(site, answer.json["id"])

    ask.site = site
    return ask


def finished(site, name, words=""):
    """Wait for the end of a query; its thread tells it."""
    assert site.app.state.queries.run(name).ended.wait(60)
    return site.get(f"/api/v1/query/{name}{words}").json


def held(queries):
    """Start a process ahead that does not go on, so that its query runs until it is ended."""
    queries.warm()
    os.kill(queries._spare[0].pid, signal.SIGSTOP)
