import os
import random
import shutil
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from following import Memory, drain, names, until
from rolewatch.base.errors import SourceError
from rolewatch.sources import Window, deliveries, inotify, live_folder, live_tree
from rolewatch.sources.live_folder import FolderSource
from rolewatch.sources.live_scope import scope


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


def test_more_folders_than_there_are_watches_are_looked_at(here, follow, told, monkeypatch):
    """It is told once, with what to do."""
    watch = inotify.Inotify.watch
    monkeypatch.setattr(live_folder, "UNTOLD", 0.3)

    def few(self, folder):
        if "b" in folder:
            raise OSError(28, "No space left on device")
        return watch(self, folder)

    monkeypatch.setattr(inotify.Inotify, "watch", few)
    old(here, "a/1.json", "b/1.json", "b/deep/1.json")
    source = follow()
    drain(source)
    moved_in(here, "a/2.json")
    moved_in(here, "b/2.json")
    moved_in(here, "b/deep/2.json")
    until(source, found("logs/a/2.json", "logs/b/2.json", "logs/b/deep/2.json"))
    (reason,) = told.reasons
    assert "raise fs.inotify.max_user_watches" in reason


def test_a_folder_that_another_machine_writes_into_is_looked_at(here, follow, monkeypatch):
    """Linux tells nothing about it, although it can be watched."""
    monkeypatch.setattr(inotify.Inotify, "read", lambda _: [])
    monkeypatch.setattr(live_folder, "LOOK", 0.1)
    monkeypatch.setattr(live_folder, "SHORT_LOOK", 0.05)
    monkeypatch.setattr(live_folder, "UNTOLD", 0.3)
    monkeypatch.setattr(live_tree, "RACY", 0.0)
    source = follow()
    drain(source)
    for number in range(4):
        moved_in(here, f"{number}.json")
        until(source, found(f"logs/{number}.json"))
    assert source._tree.blind


def test_what_was_missed_is_found_by_the_sweep(here, follow, monkeypatch):
    """Everything is walked again from time to time."""
    monkeypatch.setattr(inotify.Inotify, "read", lambda _: [])
    monkeypatch.setattr(live_folder, "SWEEP", 0.2)
    source = follow()
    drain(source)
    moved_in(here, "a.json")
    until(source, found("logs/a.json"))


def test_a_file_that_was_named_is_followed_alone(here, follow, both_ways):
    """Its folder holds others; a name with a leading dot is no hindrance."""
    del both_ways
    old(here, ".a.json", "b.json", "c/.a.json")
    source = follow("logs/.a.json")
    (arrival,) = drain(source)
    assert (arrival.delivery.name, arrival.delivery.named) == ("logs/.a.json", True)
    moved_in(here, "b.json", "other")
    moved_in(here, ".a.json", "new")
    (arrival,) = until(source, found("logs/.a.json"))
    assert (arrival.delivery.read(), arrival.delivery.named) == (b"new", True)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("logs/*.json", ["logs/a.json"]),
        ("logs/*/*.json", ["logs/x/b.json", "logs/y/b.json"]),
        ("logs/**/b.json", ["logs/x/b.json", "logs/x/z/b.json", "logs/y/b.json"]),
        ("logs/**/z/**/*.json", ["logs/x/z/b.json", "logs/x/z/z/c.json"]),
        ("logs/x*", ["logs/x/b.json", "logs/x/c.txt", "logs/x/z/b.json", "logs/x/z/z/c.json"]),
        ("logs/**", ["logs/a.json", "logs/x/b.json", "logs/x/c.txt", "logs/x/z/b.json", "logs/x/z/z/c.json", "logs/y/b.json"]),
        ("lo?s/y/*", ["./logs/y/b.json"]),
    ],
)  # fmt: skip
def test_patterns_are_followed(here, follow, pattern, expected):
    """What was there and what comes, also in folders that are new; the names are those that a walk gives."""
    every = ["a.json", "x/b.json", "x/c.txt", "x/z/b.json", "x/z/z/c.json", "y/b.json"]
    source = follow(pattern)
    assert drain(source) == []
    for path in every:
        (here / path).parent.mkdir(parents=True, exist_ok=True)
        moved_in(here, path)
    until(source, found(*expected))
    again = follow(pattern, memory=Memory())
    assert sorted(expected) == sorted(names(drain(again)))


def test_a_pattern_does_not_walk_what_it_cannot_match(here, follow):
    """A folder beside it may be huge."""
    old(here, "in/x/a.json", "out/x/a.json")
    source = follow("logs/i*/x/*.json")
    assert names(drain(source)) == ["logs/in/x/a.json"]
    assert not any("out" in folder for folder in source._tree._folders)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("nothing", "nothing: no such file or folder"),
        ("", ": no such file or folder"),
        ("nothing/*.json", "nothing/*.json: nothing is no folder"),
        ("logs/.*.json", "logs/.*.json: names with a leading dot are ignored while a folder is followed"),
        ("a\0b", "'a\\x00b': embedded null byte"),
        ("pipe", "pipe: neither a file nor a folder"),
        ("gs://x", "gs://x: no such file or folder"),
    ],
)
def test_words_that_cannot_be_followed(here, follow, word, message):
    """They are refused at once."""
    os.mkfifo(here.parent / "pipe")
    with pytest.raises(SourceError) as caught:
        follow(word)
    assert message == caught.value.message


def test_the_window_leaves_out_what_it_excludes(here, follow):
    """By the layout of names, for the backlog and for what comes."""
    folder = "AWSLogs/111122223333/CloudTrail/us-east-1"
    now = datetime.now(UTC)
    old(here, f"{folder}/2020/01/01/a.json", f"{folder}/{now:%Y/%m/%d}/b.json")
    source = follow(window=Window(now - timedelta(days=2)))
    assert names(drain(source)) == [f"logs/{folder}/{now:%Y/%m/%d}/b.json"]
    moved_in(here, f"{folder}/2020/01/01/c.json")
    moved_in(here, f"{folder}/{now:%Y/%m/%d}/d.json")
    until(source, found(f"logs/{folder}/{now:%Y/%m/%d}/d.json"))


def test_it_can_be_closed_while_it_waits(follow):
    """By another thread, and more than once."""
    source = follow()
    drain(source)
    waiting = threading.Thread(target=lambda: source.arrivals(30))
    waiting.start()
    source.close()
    source.close()
    waiting.join(10)
    assert not waiting.is_alive()
    assert source.arrivals(1) == []


def test_a_folder_that_cannot_be_read_is_told(here, follow, told, monkeypatch):
    """The others are followed."""
    old(here, "a/1.json", "b/1.json")
    scandir = os.scandir

    def refuse(path):
        if str(path) == "logs/a":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert names(drain(follow())) == ["logs/b/1.json"]
    assert told.reasons == ["logs/a: Permission denied"]


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_or_given_twice_by_kills(here, follow, both_ways, monkeypatch, seed):
    """Watchers are killed at random between what they do, while files arrive in every way."""
    del both_ways
    chance = random.Random(seed)
    memory = Memory()
    monkeypatch.setattr(live_folder, "BATCH", 5)
    put = []

    def arrive():
        path = f"{chance.randrange(4)}/{chance.randrange(3)}/{len(put)}.json"
        (here / path).parent.mkdir(parents=True, exist_ok=True)
        if chance.random() < 0.5:
            moved_in(here, path)
        else:
            (here / path).write_text("x" * 10)
        put.append(f"logs/{path}")

    for _ in range(20):
        arrive()
    for _ in range(10):
        source = follow(memory=memory)
        for _ in range(chance.randrange(1, 6)):
            arrivals = source.arrivals(chance.choice([0, 0.05, 0.15]))
            arrive()
            if chance.random() < 0.8:
                memory.commit(source, arrivals, acknowledge=chance.random() < 0.8)
        source.close()
    drain(follow(memory=memory), memory)
    assert sorted(put) == sorted(memory.given)


@pytest.mark.slow
def test_a_large_tree_costs_nothing_while_it_is_idle(here, follow, memory):
    """A hundred thousand files in a thousand folders: a new one is noticed at once, waiting takes no time of the processor."""
    for folder in range(1000):
        (here / f"{folder:04}").mkdir()
        for number in range(100):
            (here / f"{folder:04}/{number}").write_text("x")
    for folder in here.iterdir():
        for file in folder.iterdir():
            os.utime(file, (1, 1))
    source = follow()
    assert len(drain(source, memory)) == 100_000
    before = cpu()
    assert source.arrivals(5) == []
    assert cpu() < before + 0.25
    began = datetime.now(UTC)
    moved_in(here, "0500/new")
    (arrival,) = until(source, found("logs/0500/new"))
    assert datetime.now(UTC) - began < timedelta(seconds=0.3)
    assert len(source._waiting) == 0
    assert arrival.delivery.size == 1


def cpu():
    """Return the seconds of processor time that this process took."""
    used = os.times()
    return used.user + used.system
