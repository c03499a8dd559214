"""A story for each test."""

import pytest
from stories import Story


@pytest.fixture
def story(tmp_path):
    """Begin a story over a state of its own."""
    (tmp_path / "logs").mkdir()
    told = Story(str(tmp_path / "state"), tmp_path / "logs")
    yield told
    told.close()
