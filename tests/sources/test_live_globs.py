"""A pattern that is followed means what it means to a scan, names with a leading dot included."""

import os
import tempfile
import time
from contextlib import chdir
from pathlib import Path

import pytest
from folders import both_ways, drain, follow, found, here, moved_in, old  # noqa: F401 - fixtures among them
from hypothesis import example, given, settings
from hypothesis import strategies as st

from following import Told, names, until
from rolewatch.base.errors import SourceError
from rolewatch.sources import Window, deliveries
from rolewatch.sources.live_scope import scope
from rolewatch.sources.live_tree import Tree
from rolewatch.sources.live_trouble import Trouble

FOLDERS = st.lists(st.sampled_from(["a", "b", ".h", ".a"]), max_size=2)
FILES = st.lists(st.tuples(FOLDERS, st.sampled_from(["x", "ax", ".x", ".ax"])), min_size=1, max_size=8)
PARTS = st.lists(
    st.sampled_from(["*", ".*", "**", "a*", ".h*", ".h", "a", "?x", "[.a]*", "[!b]", "."]),
    min_size=1,
    max_size=4,
)


def scanned(word):
    """Give the files that a scan finds."""
    try:
        return sorted(delivery.name for delivery in deliveries(word, Window(), problems=[]))
    except SourceError:
        return []


def followed(word):
    """Give the files that are found by who follows the same."""
    try:
        tree = Tree(scope(word), Window(), Trouble(word, Told()))
    except SourceError:
        return []
    try:
        return sorted(delivery.name for delivery in tree.walk(time.time()))
    finally:
        tree.close()


@settings(deadline=None)
@given(files=FILES, parts=PARTS)
@example(files=[([".h"], "x"), (["a"], "x")], parts=[".h*", "x"])
@example(files=[([".h", ".a"], "x"), ([".h", "a"], "x")], parts=[".h*"])
@example(files=[(["a", ".h"], "x"), ([".h"], "x")], parts=["**", ".h", "*"])
def test_a_scan_finds_the_same(files, parts):
    """A name with a leading dot needs a part of the pattern that begins with one, below a folder that matched too."""
    with tempfile.TemporaryDirectory() as place, chdir(place):
        for folders, name in files:
            path = Path("logs", *folders, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_text("x")
        word = "/".join(["logs", *parts])
        assert sorted(map(os.path.normpath, scanned(word))) == sorted(map(os.path.normpath, followed(word)))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("logs/.in*/x/*.json", ["logs/.incoming/x/b.json"]),
        ("logs/.in*", ["logs/.incoming/a.json", "logs/.incoming/x/b.json"]),
        ("logs/*/.last", ["logs/seen/.last"]),
        ("logs/**/.last", ["logs/seen/.last"]),
        ("logs/*", ["logs/seen/c.json"]),
    ],
)
def test_hidden_names_that_a_pattern_asks_for_are_followed(here, follow, both_ways, word, expected):
    """What is there already, and what comes into a hidden folder later."""
    del both_ways
    hidden = [".incoming/a.json", ".incoming/x/b.json", ".incoming/.git/.last"]
    old(here, *hidden, "seen/c.json", "seen/.last", ".other/d.json")
    source = follow(word)
    assert expected == sorted(names(drain(source)))
    for path in [expected[0].removeprefix("logs/"), ".other/d.json", ".incoming/.git/.last"]:
        moved_in(here, path, "changed")
    assert expected[:1] == names(until(source, found(expected[0])))
    assert names(source.arrivals(0.3)) == []


def test_a_hidden_folder_that_is_made_later_is_followed(here, follow, both_ways):
    """With what is in it by then."""
    del both_ways
    source = follow("logs/.in*/*.json")
    assert drain(source) == []
    (here.parent / "made").mkdir()
    (here.parent / "made/a.json").write_text("x")
    (here.parent / "made").rename(here / ".incoming")
    until(source, found("logs/.incoming/a.json"))


def test_a_link_to_a_file_that_the_pattern_leaves_out_is_followed(here, follow):
    """It is found by no other way."""
    old(here, "in/a.json", "out/b.json")
    (here / "in/b.json").symlink_to("../out/b.json")
    (here / "in/c.json").symlink_to("a.json")
    (here / "into").symlink_to("out")
    assert names(drain(follow("logs/in/*.json"))) == ["logs/in/a.json", "logs/in/b.json"]
    assert names(drain(follow("logs/i*/b*"))) == ["logs/in/b.json"]


def test_the_way_back_out_of_what_matches_cannot_be_followed(here):
    """Nothing would tell what happens there."""
    old(here, "a/x.json")
    with pytest.raises(SourceError, match=r"logs/\*/\.\./x\.json: \.\. cannot be followed after a wildcard"):
        scope("logs/*/../x.json")
