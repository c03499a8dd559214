"""What the tests of a folder that is followed share."""

import os
from functools import partial

import pytest

from following import drain as drain_in
from following import names
from rolewatch.sources import Window, live_folder, live_tree
from rolewatch.sources.live_folder import FolderSource
from rolewatch.sources.live_scope import scope

drain = partial(drain_in, seconds=0.1)


@pytest.fixture(params=["told by Linux", "looking"])
def both_ways(request, monkeypatch):
    """Run a test where Linux tells what happens, and where it does not."""
    if request.param == "looking":
        blind(monkeypatch)


def blind(monkeypatch):
    """Take inotify away, and most of the patience that is needed then."""

    class Nothing:
        def __init__(self):
            raise OSError(38, "there is none")

    monkeypatch.setattr(live_tree, "Inotify", Nothing)
    monkeypatch.setattr(live_folder, "UNTOLD", 0.3)
    monkeypatch.setattr(live_folder, "SHORT_LOOK", 0.05)
    monkeypatch.setattr(live_tree, "RACY", 0.1)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Make a folder to follow in an empty one, which is the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs"


@pytest.fixture
def follow(here, memory, told):
    """Give a function that follows a word, and close what it made."""
    del here
    made = []

    def make(word="logs", *, memory=memory, window=Window()):  # noqa: B008 - a window is immutable
        source = FolderSource(word, scope(word), memory, told, window=window)
        made.append(source)
        return source

    yield make
    for source in made:
        source.close()


def old(folder, *paths, text="x"):
    """Make files that were written a while ago."""
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
        os.utime(folder / path, (1, 1))


def moved_in(folder, path, text="x"):
    """Write a file elsewhere and rename it into place."""
    beside = folder.parent / "unfinished"
    beside.write_text(text)
    beside.rename(folder / path)


def found(*expected):
    """Make a condition: these and no others have come."""

    def enough(arrivals):
        assert set(names(arrivals)) <= set(expected)
        return set(names(arrivals)) == set(expected)

    return enough


def cpu():
    """Return the seconds of processor time that this process took."""
    used = os.times()
    return used.user + used.system
