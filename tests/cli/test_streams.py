"""Commands among other processes: pipes that close, streams that are missing or full, interrupts, terminals."""

import json
import os
import pty
import signal
import subprocess

import deliveries
import pytest

MANY = [deliveries.denial(number % 60, resource=f"bucket-{number}") for number in range(400)]


def many(cli):
    """Write a delivery whose report is larger than a pipe holds; returns its name."""
    return str(deliveries.write(cli.folder / "many.json", *MANY))


@pytest.mark.parametrize(
    ("words", "expected"), [("", 0), ("--exit-code 1", 1), ("logs/story.json.gz bad.json --exit-code 0", 3)]
)
@pytest.mark.parametrize("form", ["table", "json"])
def test_a_closed_pipe_is_no_error(cli, form, words, expected):
    """Nothing is said on stderr, and the status is what it would have been."""
    (cli.folder / "bad.json").write_text("{")
    line = f"rolewatch scan {many(cli)} --format {form} {words} 2> stderr | head -1; echo ${{PIPESTATUS[0]}}"
    first, status = cli.shell(line).stdout.splitlines()
    said = (cli.folder / "stderr").read_text()
    assert (bool(first), int(status), said.count("\n")) == (True, expected, expected == 3), said


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["--help", "--version", "scan --help", "completion zsh"])
def test_help_for_a_reader_who_has_gone_is_no_error(cli, command, unbuffered):
    """Whether the text is written at once or at the end."""
    line = f"rolewatch {command} | true; echo ${{PIPESTATUS[0]}}"
    done = cli.shell(line, PYTHONUNBUFFERED=unbuffered)
    assert (done.stdout, done.stderr) == ("0\n", "")


FULL = "rolewatch: cannot write standard output: No space left on device (check --output, and the space on the disk)\n"
CLOSED = "rolewatch: standard output is closed\n"
STREAMS = [
    ("scan logs > /dev/full", 4, FULL),
    ("scan logs --dry-run > /dev/full", 4, FULL),
    ("--help > /dev/full", 4, FULL),
    ("--version > /dev/full", 4, FULL),
    ("completion bash > /dev/full", 4, FULL),
    ("scan logs >&-", 4, CLOSED),
    ("scan --help >&-", 4, CLOSED),
    ("scan logs --output out.txt >&-", 0, ""),
    ("scan nowhere > /dev/full", 2, "rolewatch: nowhere: no such file or folder\n"),
    ("scan - --output out.txt <&-", 3, "rolewatch: cannot read -: standard input is closed\n"),
    ("scan logs --output out.txt 2>&-", 0, ""),
    ("scan nowhere 2>&-", 2, ""),
    ("scan nowhere 2> /dev/full", 2, ""),
    ("scan logs <&- >&- 2>&-", 4, ""),
]


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(("command", "expected", "said"), STREAMS)
def test_streams_that_are_full_or_closed(cli, command, expected, said, unbuffered):
    """What cannot be written is an error with a name, once; what nobody wants to hear is none."""
    done = cli.shell(f"rolewatch {command}", PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stdout, done.stderr) == (expected, "", said)


def test_data_alone_goes_to_stdout(cli):
    """What could not be read is named on stderr, which has no progress where it is no terminal."""
    (cli.folder / "logs" / "bad.json").write_text("{")
    done = cli("scan", "logs", "--format", "json")
    assert (done.returncode, len(json.loads(done.stdout)["unreadable"])) == (3, 1)
    assert done.stderr.startswith("rolewatch: cannot read logs/bad.json: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("form", ["table", "json"])
def test_progress_is_drawn_on_a_terminal(cli, form):
    """Deliveries and denials so far, on stderr; it is gone at the end, and nothing of it is in the data."""
    ours, theirs = pty.openpty()
    cli.environ |= {"TERM": "xterm-256color"}
    with cli.start(
        "scan", "logs", "--format", form, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs
    ) as process:
        os.close(theirs)
        data = process.stdout.read()
        drawn = b""
        while piece := until_end(ours):
            drawn += piece
    os.close(ours)
    assert (process.returncode, b"6 denials so far" in drawn, b"so far" in data) == (0, True, False)
    assert drawn.endswith((b"\x1b[2K", b"\x1b[?25h", b"\x1b[2K\r", b"\x1b[1A\x1b[2K"))


def until_end(descriptor):
    """Read what there is, nothing at the end: Linux says EIO when the last process has closed a terminal."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["one", "all"])
def test_an_interrupt_ends_a_running_scan_and_its_workers(cli, send, jobs):
    """Status 130, one line, no process left; the old output stays, and nothing lies beside it."""
    (cli.folder / "noise").write_bytes(bytes(5 * 1024 * 1024))  # more than is worth a pool
    os.mkfifo(cli.folder / "pipe")
    (cli.folder / "out.txt").write_text("old")
    before = sorted(cli.folder.iterdir())
    del cli.environ["PYTHONWARNINGS"]  # what is open when the interrupt comes is closed by the system
    words = ("scan", "noise", "pipe", "--jobs", jobs, "--output", "out.txt")
    with (
        cli.start(*words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process,
        (cli.folder / "pipe").open("wb"),  # which waits until the scan has opened it too
    ):
        send(process.pid, signal.SIGINT)
        said = process.stderr.read()
        process.wait()
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert (process.returncode, said) == (130, "rolewatch: interrupted\n")
    assert ((cli.folder / "out.txt").read_text(), sorted(cli.folder.iterdir())) == ("old", before)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("words", [["scan", "logs"], ["scan", "--help"], ["completion", "zsh"]])
def test_a_terminal_without_some_characters_gets_their_numbers(cli, words, encoding):
    """No encoding makes a command fail."""
    done = cli(*words, PYTHONIOENCODING=encoding)
    assert (done.returncode, bool(done.stdout), done.stderr) == (0, True, "")


NAME = b"logs/\xff\n\x1b[2J.json"


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv", "html", "ocsf", "asff"])
def test_names_that_are_no_text_are_read_and_printed_harmlessly(cli, form):
    """A file name can hold any byte; on every way out it is shown as its escape."""
    (cli.folder / os.fsdecode(NAME)).write_text("no record")
    done = cli("scan", "logs", NAME, "--format", form)
    assert (done.returncode, "\x1b" in done.stdout) == (3, False)
    assert done.stderr.startswith("rolewatch: cannot read logs/\\udcff\\x0a\\x1b[2J.json: ")


def test_output_can_have_any_name(cli):
    """It is written where it was asked for."""
    done = cli("scan", "logs", "--output", b"\xff.txt")
    assert (done.returncode, done.stdout, (cli.folder / os.fsdecode(b"\xff.txt")).exists()) == (0, "", True)
