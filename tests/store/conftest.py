"""Stores for tests: the same tests run over SQLite and PostgreSQL."""

import pytest

from rolewatch.store.migrations import prepare
from rolewatch.store.state import State


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """Give the place of a store that does not exist yet."""
    if request.param == "sqlite":
        return str(tmp_path / "state")
    return request.getfixturevalue("postgres").database()


@pytest.fixture
def state(place):
    """Open a new store."""
    opened = State(place)
    prepare(opened)
    yield opened
    opened.close()
