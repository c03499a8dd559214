import io
import os
import subprocess
import sys

import pytest

from rolewatch.base.errors import SourceError
from rolewatch.sources import StdinDelivery, Window, deliveries_of


def make(root, *names):
    """Make small files."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Make a folder with some files the current one."""
    make(tmp_path, "logs/a.json", "logs/b.json", "logs/deep/c.json", "logs/deep/.d.json", "notes.txt")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def given(*sources, problems=None):
    """List the names and whether they were named."""
    found = deliveries_of(sources, Window(), [] if problems is None else problems)
    return [(delivery.name, delivery.named) for delivery in found]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["notes.txt"], [("notes.txt", True)]),
        (["notes.txt", "notes.txt"], [("notes.txt", True)]),
        (["notes.txt", "./notes.txt", "logs/../notes.txt"], [("notes.txt", True)]),
        (["logs/deep"], [("logs/deep/c.json", False)]),
        (["logs/deep", "logs/deep/"], [("logs/deep/c.json", False)]),
        (
            ["logs", "logs/deep"],
            [("logs/a.json", False), ("logs/b.json", False), ("logs/deep/c.json", False)],
        ),
        (
            ["logs/deep", "logs"],
            [("logs/deep/c.json", False), ("logs/a.json", False), ("logs/b.json", False)],
        ),
        (
            ["logs", "logs/b.json"],
            [("logs/a.json", False), ("logs/deep/c.json", False), ("logs/b.json", True)],
        ),
        (["logs/*.json"], [("logs/a.json", True), ("logs/b.json", True)]),
        (["logs/[b-z].json"], [("logs/b.json", True)]),
        (["l?gs/a.json"], [("logs/a.json", True)]),
        (
            ["logs/*.json", "logs"],
            [("logs/a.json", True), ("logs/b.json", True), ("logs/deep/c.json", False)],
        ),
        (
            ["logs", "logs/*.json"],
            [("logs/a.json", False), ("logs/b.json", False), ("logs/deep/c.json", False)],
        ),
        (["logs/**/*.json"], [("logs/a.json", False), ("logs/b.json", False), ("logs/deep/c.json", False)]),
        (["**/c.json"], [("logs/deep/c.json", False)]),
        (["**/deep/**/c.json"], [("logs/deep/c.json", False)]),
        (["logs/deep/.*.json"], [("logs/deep/.d.json", True)]),
        (["logs/**"], [("logs/a.json", False), ("logs/b.json", False), ("logs/deep/c.json", False)]),
        (["logs/d*"], [("logs/deep/c.json", False)]),
    ],
)
def test_words_become_deliveries_each_once(here, sources, expected):
    """Files, folders and globs in any mixture give each file once, and a named one as named."""
    del here
    assert expected == given(*sources)


def test_a_file_whose_name_looks_like_a_glob_is_a_file(here):
    """A pattern is expanded only if no such path exists."""
    make(here, "logs/[ab].json")
    assert given("logs/[ab].json") == [("logs/[ab].json", True)]


def test_a_glob_does_not_follow_links_into_a_loop(here):
    """`**` goes down real folders only."""
    (here / "logs/loop").symlink_to(".")
    assert [name for name, _ in given("logs/**/*.json")] == ["logs/a.json", "logs/b.json", "logs/deep/c.json"]


def test_a_glob_matches_absolute_paths(here):
    """The names begin as the pattern does."""
    assert [(f"{here}/notes.txt", True)] == given(f"{here}/*.txt")


def test_a_folder_that_a_glob_cannot_look_into_is_a_problem(here, monkeypatch):
    """The other matches are given."""
    scandir = os.scandir

    def refuse(path):
        if str(path) == "logs/deep":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    problems = []
    assert given("logs/**/*.json", problems=problems) == [("logs/a.json", False), ("logs/b.json", False)]
    assert problems == [("logs/deep", "Permission denied")]
    del here


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nothing.json", "nothing.json: no such file or folder"),
        ("notes.txt/x", "notes.txt/x: Not a directory"),
        ("logs/*.gz", "logs/*.gz: no file or folder matches"),
        ("", ": no such file or folder"),
        ("a\0b", "'a\\x00b': embedded null byte"),
        ("s3://", "s3://: the bucket's name is missing"),
        ("s3:///prefix", "s3:///prefix: the bucket's name is missing"),
        ("gs://bucket", "gs://bucket: no such file or folder"),
        ("lookup://Nowhere!", "lookup://Nowhere!: 'Nowhere!' is no region"),
        (
            "sqs://queue",
            "sqs://queue: S3 event notices from a queue can only be watched",
        ),
        (
            "logs://group",
            "logs://group: a CloudWatch log group can only be watched",
        ),
    ],
)
def test_a_word_that_means_nothing_is_refused_before_any_work(here, source, message):
    """It raises SourceError at once, also as the last of several words."""
    del here
    with pytest.raises(SourceError) as caught:
        deliveries_of(["logs", source], Window(), [])
    assert message == caught.value.message


@pytest.mark.parametrize("source", ["sqs://queue", "logs://group"])
def test_what_can_only_be_watched_says_how(source):
    """The remedy is the command, with the word that was typed."""
    with pytest.raises(SourceError) as caught:
        deliveries_of([source], Window(), [])
    assert caught.value.remedy.startswith(f"follow it with `rolewatch watch {source}`, or scan")


def test_a_named_pipe_is_read_as_a_stream(here):
    """`scan <(zcat …)` gives a pipe: its size is unknown."""
    os.mkfifo(here / "pipe")
    ((name, named, size),) = [(d.name, d.named, d.size) for d in deliveries_of(["pipe"], Window(), [])]
    assert (name, named, size) == ("pipe", True, -1)


def test_standard_input_is_a_named_stream(monkeypatch):
    """Its size is unknown, and it is opened, not read."""

    class Input:
        buffer = io.BytesIO(b"records")

    monkeypatch.setattr(sys, "stdin", Input())
    (delivery,) = deliveries_of(["-", "-"], Window(), [])
    assert StdinDelivery(name="-", identity="-", named=True, size=-1, remote=False) == delivery
    assert delivery.open().read() == b"records"


def test_closed_standard_input_is_said_when_it_is_opened(monkeypatch):
    """A process started without one is told so."""
    monkeypatch.setattr(sys, "stdin", None)
    (delivery,) = deliveries_of(["-"], Window(), [])
    with pytest.raises(OSError, match="standard input is closed"):
        delivery.open()


def test_a_worker_process_can_read_standard_input():
    """A forked worker's own standard input is closed; the delivery brings the parent's."""
    program = (
        "import multiprocessing as m, sys\n"
        "from rolewatch.sources import deliveries_of, Window\n"
        "(d,) = deliveries_of(['-'], Window(), [])\n"
        "def work(): sys.stdout.buffer.write(d.read()); sys.stdout.flush()\n"
        "p = m.get_context('fork').Process(target=work); p.start(); p.join()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], input=b"piped", capture_output=True, check=True)
    assert done.stdout == b"piped"


def test_importing_the_sources_imports_no_aws_library():
    """boto3 and obstore cost time that a scan of files does not need."""
    program = "import sys, rolewatch.sources; print([m for m in ('boto3', 'botocore', 'obstore') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
