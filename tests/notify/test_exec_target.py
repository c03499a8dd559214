"""A program of the user's own: what it gets, what its exit status means, and that it holds up nobody."""

import json
import os
import sys
import time

import pytest
from notices import HOSTILE, about, alarm, finding, hostile
from sending import refused

from rolewatch.notify.errors import SendError
from rolewatch.notify.execute import Program
from rolewatch.notify.target import target_of

KEEP = """#!{python}
import json, os, sys
open({out!r}, "w").write(json.dumps([sys.argv[1:], sys.stdin.read(), dict(os.environ)]))
"""


@pytest.fixture
def program(tmp_path):
    """Make a program from lines of sh; give its path."""

    def made(text, name="page-us", head="#!/bin/sh\n"):
        path = tmp_path / name
        path.write_text(head + text)
        path.chmod(0o755)
        return path

    return made


@pytest.fixture
def keeper(tmp_path, program):
    """Make a program that keeps what it gets; give its path, and a function that reads that."""
    out = tmp_path / "out.json"
    path = program(KEEP.format(python=sys.executable, out=str(out)), head="")
    return path, lambda: json.loads(out.read_text())


def test_program_gets_the_body(keeper):
    """It gets the words as written, the body on standard input, and the notification's names beside our environment."""
    path, read = keeper
    notification = about(finding(), left_out=2)
    target_of(f"exec:{path} --team 'two words' $HOME \\* '' ", environ=os.environ | {"OWN": "1"}).send(notification)  # fmt: skip
    words, stdin, environ = read()
    assert words == ["--team", "two words", "$HOME", "*", ""]
    assert json.loads(stdin) == notification.body()
    told = {name: environ[name] for name in ("OWN", "ROLEWATCH_KIND", "ROLEWATCH_ID", "ROLEWATCH_DEDUP_KEY")}
    assert list(told.values()) == ["1", "blocked", "n-1", "incident-1"]


def test_program_found_on_the_path(keeper):
    """A name without a stroke is looked for where the environment says."""
    path, read = keeper
    environ = dict(os.environ) | {"PATH": f"{path.parent}:{os.environ['PATH']}"}
    target_of(f"exec:{path.name}", environ=environ).send(alarm())
    assert read()[2]["ROLEWATCH_KIND"] == "alarm"


@pytest.mark.parametrize(("status", "passing"), [(75, True), (1, False), (2, False), (127, False)])
def test_exit_status(program, status, passing):
    """0 is success, 75 asks to be called again, all else is final."""
    target_of(f"exec:{program('exit 0')}", environ=os.environ).send(about(finding()))
    with pytest.raises(SendError, match=f"status {status}") as caught:
        target_of(f"exec:{program(f'exit {status}')}", environ=os.environ).send(about(finding()))
    assert caught.value.passing is passing


def test_killed_program(program):
    """A program that was killed is called again."""
    with pytest.raises(SendError, match="signal 9") as caught:
        target_of(f"exec:{program('kill -9 $$')}", environ=os.environ).send(about(finding()))
    assert caught.value.passing


def test_slow_program_is_killed_with_its_children(program, tmp_path):
    """What takes too long is ended as a whole: its children are gone, too."""
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    # The child holds the pipe open for writing; its end is seen at the reading end.
    path = program(f"sleep 600 > {fifo} &\nwait")
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    start = time.monotonic()
    with pytest.raises(SendError, match="killed") as caught:
        Program("exec:slow", [str(path)], os.environ, seconds=0.3).send(about(finding()))
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""
    os.close(reader)
    assert caught.value.passing
    assert time.monotonic() - start < 60


def test_program_that_reads_nothing_and_leaves_children(program):
    """A program that ends without reading a large body, and leaves a child behind, is done."""
    path = program("sleep 600 & echo $! > $0.pid\nexit 0")
    notification = about(*(finding(at, event_ids=["e" * 36] * 100) for at in range(1000)))
    start = time.monotonic()
    target_of(f"exec:{path}", environ=os.environ).send(notification)
    os.kill(int(path.with_suffix(".pid").read_text()), 9)
    assert time.monotonic() - start < 60


def test_hostile_names(keeper):
    """No name of an attacker's breaks the environment or the JSON."""
    path, read = keeper
    target_of(f"exec:{path}", environ=os.environ).send(about(hostile(), id=HOSTILE, dedup_key=HOSTILE))
    _, stdin, environ = read()
    assert json.loads(stdin)["findings"][0]["resource"].startswith("x\x1b")
    assert "\\x1b[2J\\x0d\\x0aBcc" in environ["ROLEWATCH_ID"]


def test_program_that_cannot_be_run(program):
    """A file that is no program is told by its name, without the words behind it."""
    path = program("\x7fELF", head="")
    target = target_of(f"exec:{path} s3cr3t", environ=os.environ)
    with pytest.raises(SendError, match="cannot be run") as caught:
        target.send(about(finding()))
    assert (caught.value.passing, "s3cr3t" in str(caught.value)) == (False, False)


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("exec:", "names no command"),
        ("exec:   ", "names no command"),
        ("exec:/nowhere/page s3cr3t", "the program page, which is not there"),
        ("exec:page-nobody --token s3cr3t", "the program page-nobody"),
        ("exec:page 's3cr3t", "a quotation mark that is not closed"),
        ("exec:sh\0s3cr3t", "names no command"),
        ("exec:/tmp", "the program tmp"),
    ],
)
def test_urls_that_make_no_sense(url, what):
    """What is wrong is said, with the remedy and without the words, which may be tokens."""
    refused(url, what, os.environ)


def test_name(program):
    """The name is the program's, and tells words apart without telling them."""
    path = program("exit 0")
    names = [target_of(f"exec:{path} {word}", environ=os.environ).name for word in ("s3cr3t", "another")]
    assert [name[:14] for name in names] == ["exec:page-us…" + name[13] for name in names]
    assert names[0] != names[1]
    assert "s3cr3t" not in names[0]
