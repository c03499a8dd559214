"""What happens to folders while they are followed: patterns, links, trouble, kills."""

import os
import random
import threading
from datetime import UTC, datetime, timedelta

import pytest
from folders import blind, both_ways, cpu, drain, follow, found, here, moved_in, old  # noqa: F401 - fixtures among them

from following import Failing, Memory, names, persistent, until
from rolewatch.base.errors import SourceError
from rolewatch.sources import Window, inotify, live_folder, live_tree


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


def test_a_memory_that_fails_loses_nothing(here, follow, both_ways):
    """Nothing that was found meanwhile is lost or given twice."""
    del both_ways
    old(here, *(f"{number}.json" for number in range(20)))
    source = follow(memory=Failing())
    moved_in(here, "new.json")
    expected = ["logs/new.json", *(f"logs/{number}.json" for number in range(20))]
    assert sorted(expected) == sorted(names(persistent(source)))
