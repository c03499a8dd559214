"""A folder that is followed: what arrives in it is given once, when it is whole."""

import os
import shutil
from pathlib import Path

from folders import blind, both_ways, drain, follow, found, here, moved_in, old  # noqa: F401 - fixtures among them

from following import names, until
from rolewatch.sources import Window, deliveries, live_folder


def test_the_backlog_comes_in_the_order_of_names(here, follow, memory, both_ways):
    """Names with a leading dot and what is no file are left out, as in a scan."""
    del both_ways
    old(here, "b/2.json", "b/1.json", "a.json", ".hidden", ".git/x", "c.json")
    os.mkfifo(here / "pipe")
    source = follow()
    assert names(drain(source, memory)) == ["logs/a.json", "logs/b/1.json", "logs/b/2.json", "logs/c.json"]
    assert source.drained


def test_a_delivery_is_what_a_walk_gives(here, follow):
    """Its identity too, so that a scan and a watcher agree."""
    old(here, "a.json")
    (arrival,) = drain(follow())
    (walked,) = deliveries("logs", Window(), problems=[])
    assert (walked, (walked.identity,)) == (arrival.delivery, arrival.marks)


def test_a_file_that_is_moved_in_is_given(here, follow, both_ways):
    """Within a moment."""
    del both_ways
    source = follow()
    assert drain(source) == []
    moved_in(here, "new.json", "whole")
    (arrival,) = until(source, found("logs/new.json"))
    assert arrival.delivery.read() == b"whole"


def test_a_file_that_is_being_written_is_given_when_it_is_closed(here, follow):
    """However long it takes, whether it was there before or not."""
    (here / "sub").mkdir()
    with (here / "before.json").open("w") as before:
        before.write("1")
        source = follow()
        with (here / "sub/new.json").open("w") as file:
            for _ in range(6):
                file.write("half")
                file.flush()
                before.write("2")
                before.flush()
                assert source.arrivals(0.2) == []
        (arrival,) = until(source, found("logs/sub/new.json"))
        assert arrival.delivery.size == 24
    (arrival,) = until(source, found("logs/before.json"))
    assert arrival.delivery.read() == b"1222222"


def test_a_file_that_is_being_written_is_given_when_it_rests(here, follow, monkeypatch):
    """Where nobody tells that it was closed."""
    blind(monkeypatch)
    source = follow()
    with (here / "new.json").open("w") as file:
        for _ in range(6):
            file.write("half")
            file.flush()
            assert source.arrivals(0.1) == []
    (arrival,) = until(source, found("logs/new.json"))
    assert arrival.delivery.size == 24


def test_writers_that_rename_or_touch_give_one_delivery(here, follow):
    """`aws s3 cp` writes beside, renames and then sets the time; `cp -p` sets it after closing."""
    source = follow()
    assert drain(source) == []
    (here / "x.json.6eF5b21A").write_text("whole")
    (here / "x.json.6eF5b21A").rename(here / "x.json")
    os.utime(here / "x.json", (1000, 1000))
    (here / "y.json").write_text("whole")
    os.utime(here / "y.json", (1000, 1000))
    assert len(until(source, found("logs/x.json", "logs/y.json"))) == 2
    assert source.arrivals(0.3) == []


def test_links_are_files_too(here, follow, both_ways):
    """Hard and symbolic ones, which nobody writes or closes."""
    del both_ways
    old(here.parent, "elsewhere/a.json", "elsewhere/b.json", "elsewhere/c/d.json")
    source = follow()
    assert drain(source) == []
    (here / "hard.json").hardlink_to("elsewhere/a.json")
    (here / "soft.json").symlink_to("../elsewhere/b.json")
    (here / "c").symlink_to("../elsewhere/c")
    until(source, found("logs/hard.json", "logs/soft.json", "logs/c/d.json"))


def test_new_folders_are_followed(here, follow, both_ways):
    """With what is in them already, however deep, and what comes later."""
    del both_ways
    source = follow()
    assert drain(source) == []
    (here / "2026/01").mkdir(parents=True)
    moved_in(here, "2026/01/a.json")
    until(source, found("logs/2026/01/a.json"))
    old(here.parent, "tree/x/b.json", "tree/c.json")
    (here.parent / "tree").rename(here / "tree")
    until(source, found("logs/tree/x/b.json", "logs/tree/c.json"))
    moved_in(here, "tree/x/d.json")
    until(source, found("logs/tree/x/d.json"))


def test_a_folder_that_was_moved_away_is_left(here, follow, both_ways):
    """What happens in it is none of our business; what happens in a new one of that name is."""
    del both_ways
    old(here, "sub/deep/a.json")
    source = follow()
    drain(source)
    (here / "sub").rename(here.parent / "away")
    moved_in(here.parent, "away/deep/b.json")
    assert source.arrivals(0.5) == []
    (here / "sub/deep").mkdir(parents=True)
    moved_in(here, "sub/deep/c.json")
    until(source, found("logs/sub/deep/c.json"))


def test_a_folder_that_vanishes_is_followed_when_it_is_back(here, follow, told, both_ways, monkeypatch):
    """Both are told."""
    del both_ways
    monkeypatch.setattr(live_folder, "RETURN", 0.05)
    old(here, "a/a.json")
    source = follow()
    drain(source)
    shutil.rmtree(here)
    while not any("is gone" in reason for reason in told.reasons):
        assert source.arrivals(0.1) == []
    here.mkdir()
    moved_in(here, "b.json")
    until(source, found("logs/b.json"))
    moved_in(here, "c.json")
    until(source, found("logs/c.json"))
    assert "logs is back" in told.reasons


def test_a_folder_that_is_replaced_is_followed(here, follow, monkeypatch):
    """A link that leads elsewhere now, which nobody tells."""
    monkeypatch.setattr(live_folder, "LOOK", 0.1)
    old(here.parent, "one/a.json", "two/b.json")
    (here.parent / "current").symlink_to("one")
    source = follow("current")
    assert names(drain(source)) == ["current/a.json"]
    (here.parent / "next").symlink_to("two")
    (here.parent / "next").rename(here.parent / "current")
    until(source, found("current/b.json"))


def test_a_file_that_changes_is_another_delivery(here, follow, memory):
    """Each time that it was written; one that was done does not come again."""
    source = follow()
    moved_in(here, "a.json", "1")
    memory.commit(source, until(source, found("logs/a.json")))
    (here / "a.json").write_text("two")
    (arrival,) = until(source, found("logs/a.json"))
    assert arrival.delivery.read() == b"two"
    memory.commit(source, [arrival])
    assert drain(follow(), memory) == []


def test_files_that_are_empty_are_left_out(here, follow, both_ways):
    """Something will come into them, or there is nothing in them."""
    del both_ways
    old(here, "old.json", text="")
    source = follow()
    assert drain(source) == []
    (here / "new.json").write_text("")
    moved_in(here, "other.json")
    until(source, found("logs/other.json"))
    assert source.arrivals(0.5) == []


def test_too_much_at_once_is_found_by_a_walk(here, follow, told, monkeypatch):
    """The queue of the kernel has an end, and so has the list of files that wait."""
    monkeypatch.setattr(live_folder, "MANY", 20)
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    source = follow()
    assert drain(source) == []
    for number in range(limit // 2 + 100):
        os.close(os.open(here / "noise", os.O_CREAT | os.O_WRONLY))
        if number % 100 == 0:
            moved_in(here, f"{number}.json")
    expected = [f"logs/{number}.json" for number in range(0, limit // 2 + 100, 100)]
    assert len(until(source, found(*expected))) == len(expected)
    assert told.all == []
